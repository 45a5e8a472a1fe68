/** A missing piece is a failure with the line that installs it, never a silent skip. */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { ensureKryoptic } from '../../tokens/build-kryoptic.ts';
import { softhsmModule } from './softhsm.ts';

export default function checkNeeds(): void {
  try {
    createRequire(import.meta.url)('pkcs11js');
  } catch {
    throw new Error('the addon pkcs11js did not build: apt-get install build-essential, then run npm ci again');
  }
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
