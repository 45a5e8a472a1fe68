import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../../formats/bytes.ts';
import { encodeLicense } from '../../../../formats/license/encode-license.ts';
import { sha256Hex } from '../../../../files/index.ts';
import { defaultProvider } from '../../../../keys/public/provider-default.ts';
import type { Provider } from '../../../../keys/public/provider.ts';
import type { Verdict } from '../../../../verifier/verdict.ts';
import {
  builtInChain,
  chainFile,
  chooseKeyset,
  extendChain,
  isKeysetExpired,
  revokedKids,
  trustOfChain,
  type Chain,
} from '../../../../verifier/keyset/index.ts';
import { trustFromOverride } from '../../../../verifier/override.ts';
import { verify } from '../../../../verifier/verify.ts';
import {
  chainOf,
  issuingKey,
  KEYSET_ISSUER,
  keysetBlock,
  testKey,
  type KeysetValues,
} from '../../../../conformance/examples/keysets.ts';
import { context, license, licenseFileOf } from '../sample.ts';

const ROOTS = ['root a', 'root b'];
const first: KeysetValues = { version: 1, roots: ROOTS, threshold: 2, keys: [issuingKey('issuing 1')] };
const versionOf = (version: number, changes: Partial<KeysetValues> = {}): Uint8Array =>
  keysetBlock({ ...first, ...changes, version }, ROOTS);
const chain = (...blocks: readonly Uint8Array[]): Chain => builtInChain(chainOf(...blocks), { issuer: KEYSET_ISSUER });
const builtIn = chain(versionOf(1));

describe('the keyset that counts', () => {
  it('is the built-in one where nothing else is there', () => {
    expect(chooseKeyset({ builtIn })).toEqual({ chain: builtIn, source: 'built-in', notices: [] });
  });

  it('is the newest of the built-in one, all copies in state, and the file', () => {
    const state = [chainOf(versionOf(1), versionOf(2)), chainOf(versionOf(1), versionOf(2), versionOf(3))];
    const { chain: fromState, source } = chooseKeyset({ builtIn, state });
    expect([fromState.newest.version, source]).toEqual([3, 'state']);
    const more = chooseKeyset({ builtIn, state, file: versionOf(4) });
    expect([more.chain.newest.version, more.source, more.notices]).toEqual([4, 'file', []]);
  });

  it('is not changed by a file that has another payload for a version that state knows', () => {
    const file = chainOf(versionOf(1), versionOf(2, { revokedLicenses: [license.cti] }), versionOf(3));
    const { chain: chosen, notices } = chooseKeyset({ builtIn, state: [versionOf(2)], file });
    expect(chosen.newest).toMatchObject({ version: 2, revokedLicenses: [] });
    expect(notices).toMatchObject([{ reason: 'keyset_conflict', source: 'file', version: 2 }]);
  });

  it('is that of a new build, where state knows a version with another payload', () => {
    const rebuilt = chain(versionOf(1), versionOf(2, { revokedLicenses: [license.cti] }));
    const { chain: chosen, notices } = chooseKeyset({ builtIn: rebuilt, state: [chainOf(versionOf(2), versionOf(3))] });
    expect(chosen.newest).toMatchObject({ version: 2, revokedLicenses: [license.cti] });
    expect(notices).toMatchObject([{ reason: 'keyset_conflict', source: 'state' }]);
  });

  it('ignores an unusable copy and an older file with a notice', () => {
    const state = [utf8('half a file'), versionOf(3)];
    const { chain: chosen, notices } = chooseKeyset({ builtIn, state, file: chainOf(versionOf(1), versionOf(2)) });
    expect(chosen.newest.version).toBe(3);
    expect(notices).toMatchObject([
      { reason: 'keyset_armor_malformed', source: 'state' },
      { reason: 'keyset_older', source: 'file', version: 2, block: 0 },
    ]);
  });

  it('gives no notice of a copy in state that is older than the build', () => {
    const { chain: chosen, notices } = chooseKeyset({
      builtIn: chain(versionOf(1), versionOf(2)),
      state: [versionOf(1)],
    });
    expect([chosen.newest.version, notices]).toEqual([2, []]);
  });

  it('is found with the provider that is given', () => {
    const provider: Provider = {
      ...defaultProvider,
      sha256: () => {
        throw new Error('this provider is asked');
      },
    };
    expect(() => chooseKeyset({ builtIn, file: versionOf(2), provider })).toThrow('this provider is asked');
  });

  it('gives no notice of a file with the version that is in force', () => {
    expect(chooseKeyset({ builtIn, state: [versionOf(2)], file: versionOf(2) }).notices).toEqual([]);
  });

  it('goes on from an older build with the chain that a newer build left in state', () => {
    const newer = extendChain(chain(versionOf(1), versionOf(2)), versionOf(3)).chain;
    expect(chooseKeyset({ builtIn, state: [chainFile(newer)] }).chain.newest.version).toBe(3);
  });

  it('stays in force past its expiry, which only warns', () => {
    const expiring = chain(versionOf(1, { expires: 1_900_000_000 }));
    expect(isKeysetExpired(expiring, 1_899_999_999)).toBe(false);
    expect(isKeysetExpired(expiring, 1_900_000_000)).toBe(true);
    expect(isKeysetExpired(builtIn, 1_900_000_000)).toBe(false);
    expect(extendChain(expiring, versionOf(2)).taken).toEqual([2]);
  });
});

describe('the trust of a chain', () => {
  const judged = (made: Chain, key = 'issuing 1'): Verdict =>
    verify(licenseFileOf(testKey(key)), trustOfChain(made), context);
  const digest = sha256Hex(encodeLicense(license));

  it.each(['pre-published', 'active', 'retired'] as const)('takes licenses by a key that is %s', (status) => {
    expect(judged(chain(versionOf(1, { keys: [issuingKey('issuing 1', { status })] })))).toMatchObject({ ok: true });
  });

  it('takes only the honored licenses of a revoked key', () => {
    const revoked = (honored?: readonly string[]): Chain =>
      chain(
        versionOf(1, {
          keys: [issuingKey('issuing 1', { status: 'revoked', ...(honored === undefined ? {} : { honored }) })],
        }),
      );
    expect(judged(revoked())).toMatchObject({ ok: false, reason: 'key_revoked' });
    expect(judged(revoked([sha256Hex('another payload')]))).toMatchObject({ ok: false, reason: 'key_revoked' });
    expect(judged(revoked([sha256Hex('another payload'), digest]))).toMatchObject({ ok: true });
    expect([...revokedKids(revoked())]).toEqual([testKey('issuing 1').publicKey.kid]);
    expect([...revokedKids(builtIn)]).toEqual([]);
  });

  it('takes no license of another purpose, product or tier', () => {
    for (const changes of [{ purpose: 'license-key' }, { products: ['another'] }, { tiers: ['free'] }] as const)
      expect(judged(chain(versionOf(1, { keys: [issuingKey('issuing 1', changes)] })))).toMatchObject({
        ok: false,
        reason: 'key_wrong_purpose',
      });
    expect(judged(builtIn, 'root a')).toMatchObject({ ok: false, reason: 'key_wrong_purpose' });
  });

  it('remembers a root that left', () => {
    const left = extendChain(builtIn, keysetBlock({ ...first, version: 2, roots: ['root a'], threshold: 1 }, ROOTS));
    expect(judged(left.chain, 'root b')).toMatchObject({ ok: false, reason: 'key_wrong_purpose' });
    const statuses = trustOfChain(left.chain).keys.map(({ key, status }) => [key.kid, status]);
    expect(Object.fromEntries(statuses)).toMatchObject({
      [testKey('root a').publicKey.kid]: 'active',
      [testKey('root b').publicKey.kid]: 'retired',
    });
  });

  it('has the policy of the keyset', () => {
    const reason = (changes: Partial<KeysetValues>): string => {
      const verdict = judged(chain(versionOf(1, changes)));
      return verdict.ok ? 'taken' : verdict.reason;
    };
    expect(reason({ requireComposite: true })).toBe('algorithm_not_allowed');
    expect(reason({ ed25519Until: context.now })).toBe('algorithm_not_allowed');
    expect(reason({ ed25519Until: context.now + 1 })).toBe('taken');
    expect(reason({ revokedLicenses: [license.cti] })).toBe('license_revoked');
    const lineage = 'example-vendor/vaultdesk/acme-gmbh';
    expect(reason({ lowestCounters: new Map([[lineage, license.ctr + 1]]) })).toBe('superseded');
    expect(reason({ lowestCounters: new Map([[lineage, license.ctr]]) })).toBe('taken');
    const compiled = trustOfChain(builtIn, { requireComposite: true });
    expect(verify(licenseFileOf(testKey('issuing 1')), compiled, context)).toMatchObject({ ok: false });
  });

  it('is replaced by the keys of the override, and keeps roots, revocations and policy', () => {
    const keys = [issuingKey('issuing 1'), issuingKey('stolen', { status: 'revoked', honored: [digest] })];
    const made = chain(versionOf(1, { keys, revokedLicenses: ['0193817a-6c00-7000-8000-000000000002'] }));
    const env = (name: string): { LICENSE_PUBLIC_KEY: string } => ({
      LICENSE_PUBLIC_KEY: Buffer.from(testKey(name).publicKey.bytes).toString('base64'),
    });
    const none = (): never => {
      throw new Error('no file is read');
    };
    const overridden = (name: string, by = name): Verdict =>
      verify(licenseFileOf(testKey(by)), trustFromOverride(env(name), trustOfChain(made), none), context);
    expect(overridden('new key')).toMatchObject({ ok: true });
    expect(overridden('new key', 'issuing 1')).toMatchObject({ ok: false, reason: 'key_unknown' });
    expect(overridden('root a')).toMatchObject({ ok: false, reason: 'key_wrong_purpose' });
    // A kid that the keyset knows keeps its status, and its honored payloads.
    expect(overridden('stolen')).toMatchObject({ ok: true });
    expect([...trustFromOverride(env('new key'), trustOfChain(made), none).revokedLicenses]).toHaveLength(1);
  });
});
