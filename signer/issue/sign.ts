/** Intended → signed. */
import { encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import type { IntendedLicense, SignedLicense } from './stages.ts';

export async function sign(intended: IntendedLicense, key: SigningKey): Promise<SignedLicense> {
  const { payload } = intended.item;
  const protectedBytes = encodeProtected(key.publicKey.alg, key.publicKey.kid, TYP.license);
  const signature = await key.sign(sigStructure(protectedBytes, payload));
  return Object.freeze({ stage: 'signed', intended, cose: encodeCoseSign1(protectedBytes, payload, signature) });
}
