/** One behavior for each row of the token table in docs/hsm.md; for "another token" there are several. */
import { keyService, loginKept, officerLoggedIn, strictToken, writeProtectedCard } from './another-token.ts';
import type { Behavior } from './behavior.ts';
import { cloudhsm } from './cloudhsm.ts';
import { kryoptic } from './kryoptic.ts';
import { luna7 } from './luna7.ts';
import { nethsm } from './nethsm.ts';
import { opencryptoki } from './opencryptoki.ts';
import { softhsm, softhsm27 } from './softhsm.ts';
import { yubihsm2 } from './yubihsm2.ts';

export const BEHAVIORS: readonly Behavior[] = [
  softhsm,
  softhsm27,
  kryoptic,
  opencryptoki,
  yubihsm2,
  nethsm,
  luna7,
  cloudhsm,
  keyService,
  writeProtectedCard,
  strictToken,
  loginKept,
  officerLoggedIn,
];
