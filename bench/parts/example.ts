/** The design's example license, and keys to sign it with. */
import { randomBytes } from 'node:crypto';
import { armor } from '../../formats/armor.ts';
import { type Algorithm, ALGORITHMS } from '../../formats/cose-algorithm.ts';
import { encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import { encodeLicense } from '../../formats/license/encode-license.ts';
import { makeUuidV7 } from '../../formats/license/id.ts';
import type { License } from '../../formats/license/license.ts';
import { SoftwareKey } from '../../keys/private/software/software-key.ts';

const FROM = Date.UTC(2027, 0, 1) / 1000;

export const EXAMPLE: License = Object.freeze({
  iss: 'example-vendor',
  sub: 'acme-gmbh',
  name: 'Acme GmbH',
  aud: 'vaultdesk',
  dep: 'prod-eu',
  tier: 'enterprise',
  seats: 250,
  nbf: FROM,
  exp: FROM + 365 * 86_400,
  iat: FROM - 86_400,
  grace: 30 * 86_400,
  features: Object.freeze(['audit-export', 'sso']),
  limits: Object.freeze({ vaults: 50 }),
  ref: 'PO-4711',
  cti: makeUuidV7(FROM * 1000, new Uint8Array(10)),
  ctr: 1,
});

export function freshKey(algorithm: Algorithm): SoftwareKey {
  const seeds = new Uint8Array(randomBytes(ALGORITHMS[algorithm].privateKeyBytes));
  return new SoftwareKey(algorithm, 'license', seeds);
}

export interface SignedExample {
  readonly file: Uint8Array;
  /** What is signed: the Sig_structure. */
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

export async function signExample(key: SoftwareKey): Promise<SignedExample> {
  const payload = encodeLicense(EXAMPLE);
  const protectedBytes = encodeProtected(key.publicKey.alg, key.publicKey.kid, TYP.license);
  const message = sigStructure(protectedBytes, payload);
  const signature = await key.sign(message);
  return { file: armor('VTLIC', encodeCoseSign1(protectedBytes, payload, signature)), message, signature };
}
