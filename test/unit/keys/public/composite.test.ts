import { describe, expect, it } from 'vitest';
import { concatBytes, toHex, utf8 } from '../../../../formats/bytes.ts';
import { SoftwareKey } from '../../../../keys/private/software/software-key.ts';
import {
  COMPOSITE_LABEL,
  compositeMessage,
  splitCompositeKey,
  splitCompositeSignature,
} from '../../../../keys/public/composite.ts';
import { nobleProvider } from '../../../../keys/public/provider-noble.ts';
import { nodeProvider } from '../../../../keys/public/provider-node.ts';
import { importPublicKey } from '../../../../keys/public/public-key.ts';
import { verifySignature } from '../../../../keys/public/verify-signature.ts';
import { base64, hex, readData } from './read-data.ts';

const ALG = 'ed25519+ml-dsa-65';

interface Lamps {
  readonly m: string;
  readonly ctx: string;
  readonly tests: readonly {
    readonly pk: string;
    readonly x5c: string;
    readonly sk: string;
    readonly sk_pkcs8: string;
    readonly s: string;
    readonly sWithContext: string;
  }[];
}

interface Cose {
  readonly priv: string;
  readonly sign1: string;
  readonly raw_to_be_signed: string;
  readonly raw_signature: string;
  readonly raw_public_key: string;
}

const lamps = readData<Lamps>('composite/lamps-draft.json');
const cose = readData<Cose>('composite/jose-cose-draft.json');
const providers = [nodeProvider, nobleProvider];

/** M' of the LAMPS draft with an application context, which this format never has. */
function messageWithContext(message: Uint8Array, context: Uint8Array): Uint8Array {
  return concatBytes(
    utf8('CompositeAlgorithmSignatures2025'),
    COMPOSITE_LABEL,
    Uint8Array.of(context.length),
    context,
    nodeProvider.sha512(message),
  );
}

/** The parts of an X.509 certificate: [to be signed, algorithm, signature], each with its DER header. */
function certificateParts(der: Uint8Array): readonly Uint8Array[] {
  const lengthAt = (at: number): { readonly header: number; readonly length: number } => {
    const first = der[at + 1] ?? 0;
    if (first < 0x80) return { header: 2, length: first };
    const size = first & 0x7f;
    return { header: 2 + size, length: Number.parseInt(toHex(der.subarray(at + 2, at + 2 + size)), 16) };
  };
  const parts: Uint8Array[] = [];
  let at = lengthAt(0).header;
  while (at < der.length) {
    const { header, length } = lengthAt(at);
    parts.push(der.slice(at, at + header + length));
    at += header + length;
  }
  return parts;
}

describe('compositeMessage', () => {
  it("is M' of 127 bytes, by either provider", () => {
    const message = utf8('any');
    const expected = concatBytes(
      utf8('CompositeAlgorithmSignatures2025COMPSIG-MLDSA65-Ed25519-SHA512\0'),
      nodeProvider.sha512(message),
    );
    for (const provider of providers) expect(compositeMessage(message, provider)).toEqual(expected);
    expect(expected).toHaveLength(127);
  });
});

describe('the LAMPS vector', () => {
  const [vector] = lamps.tests;
  if (vector === undefined || lamps.tests.length !== 1) throw new Error('the data file should hold exactly one test');
  const message = base64(lamps.m);
  const context = base64(lamps.ctx);
  const key = importPublicKey(ALG, base64(vector.pk), { forSite: true });

  it.each(providers)(
    'is accepted with an empty context by $name, and the one with a context is refused',
    (provider) => {
      expect(verifySignature(key, message, base64(vector.s), provider)).toBe(true);
      expect(verifySignature(key, message, base64(vector.sWithContext), provider)).toBe(false);
    },
  );

  it.each(providers)("accepts the LAMPS vector only for the M' of its context, by $name", (provider) => {
    const both = messageWithContext(message, context);
    const { ed25519, mldsa65 } = splitCompositeKey(key.bytes);
    const holds = (signature: Uint8Array): readonly boolean[] => {
      const components = splitCompositeSignature(signature);
      return [
        provider.ed25519Verify(ed25519, both, components.ed25519),
        provider.mldsa65Verify(mldsa65, both, components.mldsa65, COMPOSITE_LABEL),
      ];
    };
    expect(holds(base64(vector.sWithContext))).toEqual([true, true]);
    expect(holds(base64(vector.s))).toEqual([false, false]);
  });

  it.each(providers)(
    'has an ML-DSA component that $name refuses under any other context than the label',
    (provider) => {
      const { mldsa65 } = splitCompositeSignature(base64(vector.s));
      const mldsa65Key = splitCompositeKey(key.bytes).mldsa65;
      for (const other of [
        new Uint8Array(),
        utf8('COMPSIG-MLDSA65-Ed25519-SHA51'),
        concatBytes(COMPOSITE_LABEL, Uint8Array.of(0)),
      ]) {
        expect(provider.mldsa65Verify(mldsa65Key, compositeMessage(message), mldsa65, other)).toBe(false);
      }
    },
  );

  it.each(providers)('has a certificate whose own signature $name accepts', (provider) => {
    const [toBeSigned, , bits] = certificateParts(base64(vector.x5c));
    if (toBeSigned === undefined || bits === undefined) throw new Error('the certificate should have three parts');
    const signature = bits.slice(-3373);
    expect(verifySignature(key, toBeSigned, signature, provider)).toBe(true);
    expect(verifySignature(key, toBeSigned.slice(1), signature, provider)).toBe(false);
  });

  it('has a private key that makes its public key and the same Ed25519 component', async () => {
    const seeds = base64(vector.sk);
    expect(toHex(base64(vector.sk_pkcs8))).toContain(toHex(seeds));
    const signer = new SoftwareKey(ALG, 'license', seeds);
    expect(signer.publicKey.kid).toBe(key.kid);
    const signature = await signer.sign(message);
    expect(splitCompositeSignature(signature).ed25519).toEqual(splitCompositeSignature(base64(vector.s)).ed25519);
    for (const provider of providers) expect(verifySignature(key, message, signature, provider)).toBe(true);
  });
});

describe('the JOSE/COSE vector', () => {
  const key = importPublicKey(ALG, hex(cose.raw_public_key), { forSite: true });
  const message = hex(cose.raw_to_be_signed);
  const signature = hex(cose.raw_signature);

  it.each(providers)('is accepted over its Sig_structure by $name, and over nothing else', (provider) => {
    expect(verifySignature(key, message, signature, provider)).toBe(true);
    expect(verifySignature(key, message.slice(0, -1), signature, provider)).toBe(false);
    expect(verifySignature(key, hex(cose.sign1), signature, provider)).toBe(false);
  });

  it('comes from seeds of zeros', () => {
    expect(new SoftwareKey(ALG, 'license', hex(cose.priv)).publicKey.bytes).toEqual(key.bytes);
  });

  it.each(providers)('is refused under the key of the LAMPS vector by $name', (provider) => {
    const [vector] = lamps.tests;
    expect(verifySignature(importPublicKey(ALG, base64(vector?.pk ?? '')), message, signature, provider)).toBe(false);
  });
});
