/** Each step of the self-check, by an output that fails this step and passes those before it. */
import { Decoder } from 'cbor-x/index-no-eval';
import { describe, expect, it, vi } from 'vitest';
import { armor } from '../../../../formats/armor.ts';
import { equalBytes } from '../../../../formats/bytes.ts';
import { decodeCoseSign1, TYP } from '../../../../formats/cose-sign1.ts';
import { encodeLicense } from '../../../../formats/license/encode-license.ts';
import type { SigningKey } from '../../../../keys/private/signing-key.ts';
import { nobleProvider } from '../../../../keys/public/provider-noble.ts';
import { cryptoUnavailable, type Provider } from '../../../../keys/public/provider.ts';
import { directChecker, workerChecker, type Checker } from '../../../../signer/issue/checker.ts';
import type { SignedLicense } from '../../../../signer/issue/pipeline.ts';
import { makeSelfCheck, type Output } from '../../../../signer/issue/self-check.ts';
import { compositeKey, coseOf, ed25519Key, license, strangeKey } from '../../verifier/sample.ts';

const PAYLOAD = encodeLicense(license);
const OTHER_PAYLOAD = encodeLicense({ ...license, seats: 251 });

async function outputOf(payload: Uint8Array = PAYLOAD, key = ed25519Key, bend = {}): Promise<Output> {
  const cose = await coseOf(payload, key, bend);
  return { file: armor('VTLIC', cose), cose, payload };
}

function lastByteChanged(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes, (byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte));
}

function faultOf(output: Output, key: SigningKey = ed25519Key, provider: Provider = nobleProvider): string | undefined {
  return makeSelfCheck(key.publicKey, provider)(output);
}

type Decode = (this: Decoder, bytes: Uint8Array) => unknown;

/** cbor-x reads one part as `changed` says, and everything else as it does. */
function withDefectIn(part: Uint8Array, changed: (value: unknown) => unknown, act: () => void): void {
  const decode = Reflect.get(Decoder.prototype, 'decode') as Decode;
  const spy = vi.spyOn(Decoder.prototype, 'decode').mockImplementation(function (this: Decoder, bytes) {
    const value = decode.call(this, bytes);
    return equalBytes(bytes, part) ? changed(value) : value;
  });
  try {
    act();
  } finally {
    spy.mockRestore();
  }
}

describe('the self-check of a finished license', () => {
  it.each([ed25519Key, compositeKey])('finds no fault in a license as it was planned and signed', async (key) => {
    expect(faultOf(await outputOf(PAYLOAD, key), key)).toBeUndefined();
  });

  it('finds a file that contains another license than the ledger will', async () => {
    const output = await outputOf();
    expect(faultOf({ ...output, file: (await outputOf(OTHER_PAYLOAD)).file })).toBe(
      'the file holds other bytes than the ledger will',
    );
  });

  it('finds a well-signed license whose claims are not the planned ones', async () => {
    expect(faultOf({ ...(await outputOf(OTHER_PAYLOAD)), payload: PAYLOAD })).toBe(
      'the payload is not the one that was planned',
    );
  });

  it.each([
    ['kid', { kid: strangeKey.publicKey.kid }],
    ['alg', { alg: 'ed25519+ml-dsa-65' as const, signature: () => new Uint8Array(3373) }],
  ])('finds a header whose %s is that of another key', async (_, bend) => {
    expect(faultOf(await outputOf(PAYLOAD, ed25519Key, bend))).toBe('the header names another key');
  });

  it.each([
    ['signature', { signature: lastByteChanged }, ed25519Key],
    ['component of a composite', { signature: lastByteChanged }, compositeKey],
  ])('finds a license whose %s does not verify', async (_, bend, key) => {
    expect(faultOf(await outputOf(PAYLOAD, key, bend), key)).toBe('the verifier says signature_invalid');
  });

  it('finds a signature that only its maker takes for valid, by the provider that did not make it', async () => {
    const refusing: Provider = { ...nobleProvider, ed25519Verify: () => false };
    expect(faultOf(await outputOf(), ed25519Key, refusing)).toBe('the verifier says signature_invalid');
  });

  it('finds bytes that are no license file at all', async () => {
    expect(faultOf({ ...(await outputOf()), file: new Uint8Array(3) })).toMatch(/not well armored/);
  });

  it('calls a check that cannot be computed no fault of the license, but throws', async () => {
    const failing: Provider = {
      ...nobleProvider,
      ed25519Verify: () => {
        throw cryptoUnavailable('no arithmetic here');
      },
    };
    const output = await outputOf();
    expect(() => faultOf(output, ed25519Key, failing)).toThrow('no arithmetic here');
  });
});

describe('the second CBOR decoder of the self-check', () => {
  const parts = async (): Promise<Readonly<Record<string, Uint8Array>>> => {
    const { cose } = await outputOf();
    const { protectedBytes } = decodeCoseSign1(cose, TYP.license);
    return { file: cose, claims: PAYLOAD, header: protectedBytes };
  };

  it.each(['file', 'claims', 'header'])('stops a license whose %s it cannot read', async (part) => {
    const output = await outputOf();
    const bytes = (await parts())[part] ?? new Uint8Array();
    const fail = (): never => {
      throw new Error('cbor-x fails');
    };
    withDefectIn(bytes, fail, () => {
      expect(faultOf(output)).toBe(`cbor-x reads the ${part} differently`);
    });
  });

  it.each<[string, (claims: Map<unknown, unknown>) => unknown]>([
    ['a number', (claims) => new Map(claims).set(4, 1)],
    ['a text', (claims) => new Map(claims).set(1, 'another-vendor')],
    ['one claim more', (claims) => new Map(claims).set(-99_999, true)],
    ['one claim fewer', (claims) => new Map([...claims].slice(1))],
    ['the claims in another order', (claims) => new Map([...claims].toReversed())],
    ['a list in the place of the map', (claims) => [...claims]],
    ['nothing', () => undefined],
  ])('stops a license in whose claims it reads %s', async (_, change) => {
    const output = await outputOf();
    withDefectIn(
      PAYLOAD,
      (claims) => change(claims as Map<unknown, unknown>),
      () => {
        expect(faultOf(output)).toBe('cbor-x reads the claims differently');
      },
    );
  });
});

describe('a license that fails its self-check', () => {
  const signed = async (bend = {}): Promise<SignedLicense> => {
    const cose = await coseOf(PAYLOAD, ed25519Key, bend);
    return { stage: 'signed', intended: { item: { payload: PAYLOAD } }, cose } as SignedLicense;
  };
  const checkers: readonly [string, (key: SigningKey) => Checker][] = [
    ['here', directChecker],
    ['in a worker', (key) => workerChecker(key, 1)],
  ];

  it.each(checkers)('does not come through when it is checked %s, and a right one does', async (_, make) => {
    const checker = make(ed25519Key);
    try {
      expect(await checker.check(await signed())).toMatchObject({ stage: 'self-checked' });
      await expect(checker.check(await signed({ signature: lastByteChanged }))).rejects.toMatchObject({
        code: 'self_check_failed',
        message: expect.stringContaining('was not released: the verifier says signature_invalid') as unknown,
      });
    } finally {
      await checker.close();
    }
  });

  it('does not come through either when the worker that checks it dies', async () => {
    const { kid, ed25519 } = ed25519Key.publicKey;
    const unusable = { alg: 'ed25519', kid, ed25519, bytes: new Uint8Array(3) };
    const checker = workerChecker({ publicKey: unusable, signedBy: 'node' } as unknown as SigningKey, 1);
    await expect(checker.check(await signed())).rejects.toMatchObject({
      message: expect.stringContaining('ended before its time') as unknown,
    });
    await expect(checker.check(await signed())).rejects.toMatchObject({ code: 'internal' });
    await checker.close();
  });
});
