/** A missing piece is a failure with the line that installs it, never a silent skip. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ensureKryoptic } from '../../support/tokens/build-kryoptic.ts';
import { softhsmModule } from './softhsm.ts';

export default function checkNeeds(): void {
  // Not loaded here: in some processes its C++ runtime and Node's own clash at exit.
  const addon = join(
    dirname(createRequire(import.meta.url).resolve('pkcs11js/package.json')),
    'build/Release/pkcs11.node',
  );
  if (!existsSync(addon))
    throw new Error(
      'the addon pkcs11js did not build: apt-get install build-essential, then run npm ci again as the README says',
    );
  needs('softhsm2-util', 'softhsm2');
  needs('age', 'age');
  softhsmModule();
  ensureKryoptic();
}

function needs(program: string, debianPackage: string): void {
  try {
    execFileSync(program, ['--version'], { stdio: 'pipe' });
  } catch {
    throw new Error(`${program} is missing: apt-get install ${debianPackage}`);
  }
}
