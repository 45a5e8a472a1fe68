/** A missing piece is a failure with the line that installs it, never a silent skip. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureKryoptic } from '../../support/tokens/build-kryoptic.ts';
import { softhsmModule } from './softhsm.ts';

const ROOT = join(import.meta.dirname, '../../..');

type Need = readonly [what: string, isHere: () => boolean, remedy: string];

const NEEDS: readonly Need[] = [
  ['softhsm2-util', () => runs('softhsm2-util'), 'apt-get install -y softhsm2'],
  ['the module of SoftHSM', hasSofthsm, 'apt-get install -y softhsm2'],
  ['pkcs11-tool', () => isProgram('pkcs11-tool'), 'apt-get install -y opensc'],
  ['age', () => runs('age'), 'apt-get install -y age'],
  ['cc (a C compiler)', () => runs('cc'), 'apt-get install -y build-essential'],
  // Not loaded here: in some processes its C++ runtime and Node's own clash at exit.
  [
    'pkcs11js (compiled)',
    () => existsSync(join(ROOT, 'node_modules/pkcs11js/build/Release/pkcs11.node')),
    'apt-get install -y build-essential python3, then npm ci as docs/testing.md says',
  ],
];

function runs(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** For a program that knows no --version. */
function isProgram(program: string): boolean {
  return spawnSync(program, [], { stdio: 'ignore' }).error === undefined;
}

function hasSofthsm(): boolean {
  try {
    softhsmModule();
    return true;
  } catch {
    return false;
  }
}

/** One line a missing piece: its name and how to get it. */
export function missingNeeds(): readonly string[] {
  return NEEDS.filter(([, isHere]) => !isHere()).map(([what, , remedy]) => `${what} is missing: ${remedy}`);
}

export default function checkNeeds(): void {
  const missing = missingNeeds();
  if (missing.length > 0) throw new Error(missing.join('\n'));
  ensureKryoptic();
}
