/** Every guard before a license leaves or is accepted, with the test that is red without it. */
import type { Guard } from './guard.ts';
import { GUARDS_OF_ADMIN } from './guards-of-admin.ts';
import { GUARDS_OF_LEDGER } from './guards-of-ledger.ts';
import { GUARDS_OF_ROTATION } from './guards-of-rotation.ts';
import { GUARDS_OF_RUNTIME } from './guards-of-runtime.ts';
import { GUARDS_OF_SIGNER } from './guards-of-signer.ts';
import { GUARDS_OF_VERIFIER } from './guards-of-verifier.ts';

export const GUARDS: readonly Guard[] = [
  ...GUARDS_OF_VERIFIER,
  ...GUARDS_OF_RUNTIME,
  ...GUARDS_OF_ADMIN,
  ...GUARDS_OF_SIGNER,
  ...GUARDS_OF_ROTATION,
  ...GUARDS_OF_LEDGER,
];
