import nodeCrypto from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../../../formats/bytes.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { SoftwareKey } from '../../../../keys/private/software/software-key.ts';
import { probedProvider } from '../../../../keys/public/probed-provider.ts';
import { chooseProvider, chosenProviders } from '../../../../keys/public/provider-default.ts';
import { nodeProviderOf } from '../../../../keys/public/provider-node.ts';
import type { ProviderAlgorithm, ProviderName } from '../../../../keys/public/provider.ts';
import { findNodeCrypto, type NodeCrypto } from '../../../../keys/public/runtime.ts';
import { verifySignature } from '../../../../keys/public/verify-signature.ts';

const real = nodeCrypto as unknown as NodeCrypto;
const ED25519_SPKI_BYTES = 44;

const isEd25519 = (key: object): boolean => 'asymmetricKeyType' in key && key.asymmetricKeyType === 'ed25519';

/** node:crypto whose Ed25519 alone verifies by `verify`. */
const withEd25519 = (verify: NodeCrypto['verify']): NodeCrypto => ({
  ...real,
  verify: (...args) => (isEd25519(args[2]) ? verify(...args) : real.verify(...args)),
});

/** node:crypto whose ML-DSA alone verifies by `verify`. */
const withMldsa = (verify: (...args: Parameters<NodeCrypto['verify']>) => unknown): NodeCrypto => ({
  ...real,
  verify: (...args) => (isEd25519(args[2]) ? real.verify(...args) : (verify(...args) as boolean)),
});

const fails = (): never => {
  throw new Error('error:03000086:digital envelope routines');
};

const ALGORITHMS: readonly ProviderAlgorithm[] = ['sha256', 'sha512', 'ed25519', 'mldsa65'];

/** The algorithms that are left to noble. */
function byNoble(crypto: NodeCrypto | undefined): readonly ProviderAlgorithm[] {
  const { chosen } = chooseProvider(crypto, 'Node.js 0.0.0');
  return ALGORITHMS.filter((algorithm) => chosen(algorithm).name === 'noble');
}

describe('the default provider', () => {
  it('leaves every algorithm to the node:crypto of the Node.js that runs the tests', () => {
    expect(byNoble(real)).toEqual([]);
    expect(Object.values(chosenProviders())).toEqual(ALGORITHMS.map((): ProviderName => 'node'));
  });

  it('leaves every algorithm to noble where there is no node:crypto', () => {
    expect(byNoble(undefined)).toEqual([...ALGORITHMS]);
  });

  it.each([
    ['refuses to give node:crypto', fails],
    ['has no node:crypto', () => undefined],
  ])('leaves every algorithm to noble where the runtime %s', (_, getBuiltinModule) => {
    vi.stubGlobal('process', { versions: {}, getBuiltinModule });
    try {
      expect(byNoble(findNodeCrypto())).toEqual([...ALGORITHMS]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it.each<readonly [what: string, crypto: NodeCrypto]>([
    [
      'knows no ML-DSA key',
      {
        ...real,
        createPublicKey: (input) => (input.key.length === ED25519_SPKI_BYTES ? real.createPublicKey(input) : fails()),
      },
    ],
    ['throws at each verification by ML-DSA', withMldsa(fails)],
    // Node.js 22 and 24.7: the option "context" is unknown there, and so ignored.
    [
      'ignores the context',
      withMldsa((algorithm, message, key, signature) =>
        real.verify(algorithm, message, 'key' in key ? key.key : key, signature),
      ),
    ],
    [
      'accepts every context',
      withMldsa(
        (algorithm, message, key, signature) =>
          real.verify(algorithm, message, key, signature) ||
          real.verify(algorithm, message, 'key' in key ? { ...key, context: utf8('vtlic probe') } : key, signature),
      ),
    ],
    ['accepts every signature by ML-DSA', withMldsa(() => true)],
    ['accepts no signature by ML-DSA', withMldsa(() => false)],
    ['answers with something else than true and false', withMldsa((...args) => (real.verify(...args) ? 1 : 0))],
  ])('leaves ML-DSA alone to noble where node:crypto %s', (_, crypto) => {
    expect(byNoble(crypto)).toEqual(['mldsa65']);
  });

  it.each<readonly [what: string, crypto: NodeCrypto]>([
    ['throws', withEd25519(fails)],
    ['accepts every signature', withEd25519(() => true)],
    ['accepts no signature', withEd25519(() => false)],
    ['turns every answer around', withEd25519((...args) => !real.verify(...args))],
    [
      'refuses a key of mixed order',
      withEd25519(
        (...args) => real.verify(...args) && !Buffer.from(args[3]).subarray(0, 2).equals(Buffer.of(0x90, 0x46)),
      ),
    ],
    [
      'multiplies by the cofactor',
      withEd25519(
        (...args) => real.verify(...args) || Buffer.from(args[3]).subarray(0, 2).equals(Buffer.of(0x16, 0x0a)),
      ),
    ],
  ])('leaves Ed25519 alone to noble where its Ed25519 %s', (_, crypto) => {
    expect(byNoble(crypto)).toEqual(['ed25519']);
  });

  it('leaves the digests to noble where node:crypto has no one-shot hash, or one that gives another form', () => {
    expect(byNoble({ ...real, hash: undefined as unknown as NodeCrypto['hash'] })).toEqual(['sha256', 'sha512']);
    expect(byNoble({ ...real, hash: (name, bytes) => real.hash(name, bytes, 'hex' as 'binary') })).toEqual([
      'sha256',
      'sha512',
    ]);
    expect(
      byNoble({ ...real, hash: (name, ...rest) => real.hash(name === 'sha512' ? 'sha384' : name, ...rest) }),
    ).toEqual(['sha512']);
  });

  it('gives the right verdict on a composite signature by a node:crypto that ignores the context', async () => {
    const key = new SoftwareKey('ed25519+ml-dsa-65', 'license', new Uint8Array(64).fill(7));
    const message = utf8('a message');
    const signature = await key.sign(message);
    const { provider } = chooseProvider(
      withMldsa((algorithm, text, by, bytes) => real.verify(algorithm, text, 'key' in by ? by.key : by, bytes)),
      'Node.js 24.7.0',
    );
    expect(verifySignature(key.publicKey, message, signature, provider)).toBe(true);
    expect(verifySignature(key.publicKey, utf8('b message'), signature, provider)).toBe(false);
  });

  it('probes an algorithm once, when it is first needed', () => {
    let verifications = 0;
    const { chosen, provider } = chooseProvider(
      withMldsa((...args) => {
        verifications++;
        return real.verify(...args);
      }),
      'Node.js 0.0.0',
    );
    provider.sha256(utf8('abc'));
    chosen('ed25519');
    expect(verifications).toBe(0);
    chosen('mldsa65');
    const once = verifications;
    expect(once).toBeGreaterThan(0);
    chosen('mldsa65');
    expect(verifications).toBe(once);
  });
});

describe('a provider that fails after its probe', () => {
  const KEY = new SoftwareKey('ed25519+ml-dsa-65', 'license', new Uint8Array(64).fill(9));

  function breakable(): { readonly crypto: NodeCrypto; readonly breakIt: () => void } {
    let broken = false;
    return {
      crypto: { ...real, verify: (...args) => (broken ? fails() : real.verify(...args)) },
      breakIt: () => void (broken = true),
    };
  }

  it.each<readonly [ProviderAlgorithm, string]>([
    ['ed25519', 'Ed25519'],
    ['mldsa65', 'ML-DSA-65 with a context'],
  ])('gives no verdict by %s but an error that names runtime and algorithm', async (algorithm, name) => {
    const message = utf8('a message');
    const signature = await KEY.sign(message);
    const { crypto, breakIt } = breakable();
    const { chosen, provider } = chooseProvider(crypto, 'Node.js 22.1.0');
    chosen(algorithm);
    breakIt();
    const { ed25519, mldsa65 = new Uint8Array() } = KEY.publicKey;
    const judge = (): boolean =>
      algorithm === 'ed25519'
        ? provider.ed25519Verify(ed25519, message, signature.slice(-64))
        : provider.mldsa65Verify(mldsa65, message, signature.slice(0, 3309), utf8('x'));
    const error = thrownBy(judge);
    expect(error).toBeInstanceOf(VtlicError);
    expect(error).toMatchObject({ code: 'crypto_unavailable' });
    expect(String(error)).toContain(`Node.js 22.1.0 failed to compute ${name}: error:03000086`);
  });
});

describe('a provider without a substitute', () => {
  it('names runtime and algorithm where the probe fails, and computes the others', () => {
    const crypto = withMldsa(() => false);
    const { provider } = probedProvider('node', nodeProviderOf(crypto), 'Node.js 22.1.0');
    expect(provider.sha256(utf8('abc'))).toHaveLength(32);
    const error = thrownBy(() =>
      provider.mldsa65Verify(new Uint8Array(1952), new Uint8Array(), new Uint8Array(3309), new Uint8Array()),
    );
    expect(error).toMatchObject({
      code: 'crypto_unavailable',
      message: 'node:crypto of Node.js 22.1.0 computes ML-DSA-65 with a context wrongly',
    });
  });

  it('says the same of a runtime without node:crypto', () => {
    const { provider } = probedProvider('node', undefined, 'this runtime');
    expect(thrownBy(() => provider.sha256(utf8('abc')))).toMatchObject({
      message: 'node:crypto of this runtime computes SHA-256 wrongly',
    });
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a polluted Object.prototype', () => {
  it.each(['ed25519', 'mldsa65'])('changes no verdict by the property %s', async (name) => {
    const key = new SoftwareKey('ed25519', 'license', new Uint8Array(32).fill(7));
    const message = utf8('a message');
    const signature = await key.sign(message);
    const forged = signature.map((byte, i) => (i === 63 ? byte ^ 1 : byte));
    const { provider } = chooseProvider(real, 'Node.js 0.0.0');
    const accepting = { name: 'node', ed25519Verify: () => true, mldsa65Verify: () => true };
    const everyObject: object = Object.getPrototypeOf({}) as object;
    Object.defineProperty(everyObject, name, { value: accepting, configurable: true });
    try {
      expect(verifySignature(key.publicKey, message, signature, provider)).toBe(true);
      expect(verifySignature(key.publicKey, message, forged, provider)).toBe(false);
    } finally {
      Reflect.deleteProperty(everyObject, name);
    }
  });
});
