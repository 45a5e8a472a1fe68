import { createHash, createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex, utf8 } from '../../../../../formats/bytes.ts';
import {
  COMPOSITE_LABEL,
  compositeMessage,
  splitCompositeKey,
  splitCompositeSignature,
} from '../../../../../keys/public/composite.ts';
import { MLDSA65_SPKI_PREFIX } from '../../../../../keys/public/provider.ts';
import { externalMu } from '../../../../../keys/private/pkcs11/token-host/mechanism.ts';
import { base64, hex, readData } from '../../public/read-data.ts';

describe('mu computed outside the token (FIPS 204)', () => {
  it('a signature over mu verifies as one over message and context, in another implementation', () => {
    const { publicKey, secretKey } = ml_dsa65.keygen(randomBytes(32));
    for (const [message, context] of [
      [compositeMessage(randomBytes(40)), COMPOSITE_LABEL],
      [new Uint8Array(), new Uint8Array()],
      [randomBytes(1000), randomBytes(255)],
    ] as const) {
      const signature = ml_dsa65.internal.sign(externalMu(publicKey, message, context), secretKey, {
        externalMu: true,
      });
      const key = createPublicKey({
        key: Buffer.from(concatBytes(MLDSA65_SPKI_PREFIX, publicKey)),
        format: 'der',
        type: 'spki',
      });
      expect(verify(null, message, { key, context }, signature)).toBe(true);
      expect(verify(null, message, { key, context: Uint8Array.of(1, ...context).subarray(0, 255) }, signature)).toBe(
        false,
      );
    }
  });

  it('refuses a context of 256 bytes', () => {
    const { publicKey } = generateKeyPairSync('ml-dsa-65');
    const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-1952);
    expect(() => externalMu(raw, new Uint8Array(), new Uint8Array(256))).toThrow('at most 255');
    expect(toHex(externalMu(raw, new Uint8Array(), new Uint8Array(255)))).toHaveLength(128);
  });
});

interface Lamps {
  readonly m: string;
  readonly ctx: string;
  readonly tests: readonly { readonly pk: string; readonly s: string; readonly sWithContext: string }[];
}

interface Cose {
  readonly raw_to_be_signed: string;
  readonly raw_signature: string;
  readonly raw_public_key: string;
}

interface MadeByOthers {
  readonly name: string;
  readonly publicKey: Uint8Array;
  /** What their ML-DSA component is over. */
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

function madeByOthers(): readonly MadeByOthers[] {
  const lamps = readData<Lamps>('composite/lamps-draft.json');
  const cose = readData<Cose>('composite/jose-cose-draft.json');
  const [vector] = lamps.tests;
  if (vector === undefined) throw new Error('the LAMPS file should hold a test');
  const context = base64(lamps.ctx);
  const withContext = concatBytes(
    utf8('CompositeAlgorithmSignatures2025'),
    COMPOSITE_LABEL,
    Uint8Array.of(context.length),
    context,
    createHash('sha512').update(base64(lamps.m)).digest(),
  );
  const rows = [
    { name: 'LAMPS', key: base64(vector.pk), message: compositeMessage(base64(lamps.m)), signature: base64(vector.s) },
    {
      name: 'LAMPS, with an application context',
      key: base64(vector.pk),
      message: withContext,
      signature: base64(vector.sWithContext),
    },
    {
      name: 'JOSE/COSE',
      key: hex(cose.raw_public_key),
      message: compositeMessage(hex(cose.raw_to_be_signed)),
      signature: hex(cose.raw_signature),
    },
  ];
  return rows.map(({ name, key, message, signature }) => ({
    name,
    message,
    publicKey: splitCompositeKey(key).mldsa65,
    signature: splitCompositeSignature(signature).mldsa65,
  }));
}

describe.each(madeByOthers())('the ML-DSA component of the vector of $name', ({ publicKey, message, signature }) => {
  const holds = (mu: Uint8Array): boolean => ml_dsa65.internal.verify(signature, mu, publicKey, { externalMu: true });

  it('accepts the signature for our mu', () => {
    expect(holds(externalMu(publicKey, message, COMPOSITE_LABEL))).toBe(true);
  });

  it('refuses the signature for any other mu', () => {
    const mu = externalMu(publicKey, message, COMPOSITE_LABEL);
    const flipped = mu.slice();
    flipped[63] = (flipped[63] ?? 0) ^ 1;
    const otherKey = publicKey.slice();
    otherKey[0] = (otherKey[0] ?? 0) ^ 1;
    const others = [
      flipped,
      externalMu(publicKey, message, new Uint8Array()),
      externalMu(publicKey, message, COMPOSITE_LABEL.subarray(1)),
      externalMu(publicKey, message.subarray(1), COMPOSITE_LABEL),
      externalMu(publicKey, concatBytes(message, Uint8Array.of(0)), COMPOSITE_LABEL),
      externalMu(otherKey, message, COMPOSITE_LABEL),
    ];
    expect(others.map(holds)).toEqual(others.map(() => false));
  });
});
