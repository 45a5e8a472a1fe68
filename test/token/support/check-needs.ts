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
  try {
    execFileSync('softhsm2-util', ['--version'], { stdio: 'pipe' });
  } catch {
    throw new Error('softhsm2-util is missing: apt-get install softhsm2');
  }
  softhsmModule();
  ensureKryoptic();
}
