/**
 * STAND-INS, for measuring memory alone: a key that signs nothing and a check that checks nothing, so that a million
 * licenses take minutes. Nothing of this is part of the signer; what they "sign" verifies nowhere.
 */
import { armor } from '../../formats/armor.ts';
import { ALGORITHMS } from '../../formats/cose-algorithm.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import type { Checker } from '../../signer/issue/checker.ts';
import { freshKey } from './example.ts';

export function standInKey(): SigningKey {
  const { publicKey } = freshKey('ed25519+ml-dsa-65');
  const signature = new Uint8Array(ALGORITHMS['ed25519+ml-dsa-65'].signatureBytes);
  return {
    publicKey,
    purpose: 'license',
    custody: 'software',
    signedBy: 'node',
    sign: () => Promise.resolve(signature.slice()),
    close: () => Promise.resolve(),
  };
}

export const standInChecker: Checker = Object.freeze<Checker>({
  check: (signed) =>
    Promise.resolve(
      Object.freeze({
        stage: 'self-checked' as const,
        intended: signed.intended,
        cose: signed.cose,
        file: armor('VTLIC', signed.cose),
      }),
    ),
  close: () => Promise.resolve(),
});
