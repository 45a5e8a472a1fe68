import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../../formats/bytes.ts';
import { encodeCbor } from '../../../formats/cbor/encode.ts';
import type { CborValue } from '../../../formats/cbor/value.ts';
import { ALGORITHMS } from '../../../formats/cose-algorithm.ts';
import { TYP } from '../../../formats/cose-sign1.ts';
import { LICENSE_USES, PERPETUAL_EXP } from '../../../formats/license/bounds.ts';
import { encodeLicense } from '../../../formats/license/encode-license.ts';
import type { License } from '../../../formats/license/license.ts';
import { VtlicError } from '../../../formats/error.ts';
import { defaultProvider } from '../../../keys/public/provider-default.ts';
import { nobleProvider } from '../../../keys/public/provider-noble.ts';
import type { VerifyContext } from '../../../verifier/context.ts';
import type { Seen } from '../../../verifier/rollback.ts';
import { makeTrust, type TrustValues } from '../../../verifier/trust.ts';
import type { Accepted, Verdict } from '../../../verifier/verdict.ts';
import { judgeAgain, judgePlanned, verify } from '../../../verifier/verify.ts';
import {
  compositeKey,
  context,
  ed25519Key,
  EXP,
  GRACE,
  HOST,
  IAT,
  license,
  licenseFile,
  NBF,
  OTHER_HOST,
  trust,
  trusted,
} from './sample.ts';

const outcome = (verdict: Verdict): string => (verdict.ok ? verdict.state : verdict.reason);

async function judge(
  changes: Partial<License>,
  where: Partial<VerifyContext> = {},
  policy: Partial<TrustValues> = {},
  key = ed25519Key,
): Promise<string> {
  return outcome(verify(await licenseFile(changes, key), trust(policy), { ...context, ...where }));
}

describe('an accepted license', () => {
  it.each([ed25519Key, compositeKey])('comes with what was verified', async (key) => {
    const verdict = verify(await licenseFile({ dep: 'prod-eu', grace: 5 }, key), trust(), {
      ...context,
      deployment: 'prod-eu',
    });
    expect(verdict).toEqual({
      ok: true,
      state: 'active',
      license: { ...license, dep: 'prod-eu', grace: 5 },
      alg: key.publicKey.alg,
      kid: key.publicKey.kid,
      payloadDigest: createHash('sha256')
        .update(encodeLicense({ ...license, dep: 'prod-eu', grace: 5 }))
        .digest('hex'),
      lineage: 'example-vendor/vaultdesk/acme-gmbh/prod-eu',
      standing: 'first',
      judgedAt: NBF,
      graceUntil: EXP + 5,
      resetsClock: false,
    });
    expect(Object.isFrozen(verdict)).toBe(true);
  });

  it('is the same whichever provider judges', async () => {
    for (const key of [ed25519Key, compositeKey]) {
      const file = await licenseFile({}, key);
      expect(verify(file, trust(), { ...context, provider: nobleProvider })).toEqual(verify(file, trust(), context));
    }
  });
});

describe('a provider', () => {
  const failing = (error: Error): VerifyContext => ({
    ...context,
    provider: {
      ...defaultProvider,
      sha256: () => {
        throw error;
      },
    },
  });

  it('that is given is the one that judges the signature', async () => {
    const provider = { ...defaultProvider, ed25519Verify: () => false };
    expect(outcome(verify(await licenseFile(), trust(), { ...context, provider }))).toBe('signature_invalid');
  });

  it.each([
    ['of any kind', new TypeError('no memory')],
    ['with a code of ours that is no reason', new VtlicError('internal', 'the provider is broken')],
    ['of somebody else, with a code that is a reason here', Object.assign(new Error('no'), { code: 'cbor_malformed' })],
  ])('that fails by an error %s gives no verdict', async (_what, error) => {
    const file = await licenseFile();
    expect(() => verify(file, trust(), failing(error))).toThrow(error);
  });
});

describe('a license that is judged again', () => {
  const accepted = async (): Promise<Accepted> => {
    const verdict = verify(await licenseFile(), trust(), context);
    if (!verdict.ok) throw new Error(verdict.reason);
    return verdict;
  };
  const revoked = trust({ revokedLicenses: [license.cti] });
  const elsewhere = { ...context, product: 'another' };
  const lineage = 'example-vendor/vaultdesk/acme-gmbh';
  const seen: Seen = {
    current: lineage,
    highestIat: IAT,
    lineages: new Map([[lineage, { counter: 8, payloadDigest: 'ab'.repeat(32) }]]),
  };

  it('is what it was while nothing has changed', async () => {
    expect(judgeAgain(await accepted(), trust(), context)).toEqual(await accepted());
  });

  it('is refused first by the policy, then by the binding, then by its counter', async () => {
    const again = await accepted();
    expect(outcome(judgeAgain(again, revoked, { ...elsewhere, seen }))).toBe('license_revoked');
    expect(outcome(judgeAgain(again, trust(), { ...elsewhere, seen }))).toBe('product_mismatch');
    expect(outcome(judgeAgain(again, trust(), { ...context, seen }))).toBe('counter_rolled_back');
    expect(outcome(judgeAgain(again, makeTrust({ keys: [trusted(compositeKey)] }), context))).toBe('key_unknown');
  });

  it('is not judged in a context that is misused', async () => {
    const again = await accepted();
    expect(() => judgeAgain(again, trust(), { ...context, now: Number.NaN })).toThrow(
      expect.objectContaining({ code: 'usage' }) as Error,
    );
  });

  it('is judged by its key and the policy only, before it is signed', async () => {
    const planned = await accepted();
    expect(judgePlanned(planned, trust(), NBF)).toBeUndefined();
    expect(judgePlanned(planned, revoked, NBF)).toMatchObject({ reason: 'license_revoked' });
    expect(judgePlanned({ ...planned, kid: compositeKey.publicKey.kid }, trust(), NBF)).toBeUndefined();
    expect(judgePlanned(planned, makeTrust({ keys: [] }), NBF)).toMatchObject({ reason: 'key_unknown' });
  });
});

describe('the state', () => {
  it.each([
    [0, 'not_yet_valid'],
    [NBF - 1, 'not_yet_valid'],
    [NBF, 'active'],
    [EXP - 1, 'active'],
    [EXP, 'grace'],
    [EXP + GRACE - 1, 'grace'],
    [EXP + GRACE, 'lapsed'],
    [253_402_300_799, 'lapsed'],
  ])('the state at %d is %s with the grace of the product', async (now, state) =>
    expect(await judge({}, { now })).toBe(state),
  );

  it.each([
    [0, EXP, 'lapsed'],
    [1, EXP, 'grace'],
    [1, EXP + 1, 'lapsed'],
    [31_622_400, EXP + GRACE, 'grace'],
  ])('the state with a grace of %d of its own at %d is %s', async (grace, now, state) =>
    expect(await judge({ grace }, { now })).toBe(state),
  );

  it('knows no grace where the product gives none', async () =>
    expect(await judge({}, { now: EXP, defaultGrace: 0 })).toBe('lapsed'));
});

describe('policy', () => {
  it.each(['pre-published', 'active', 'retired'] as const)('takes a key that is %s', async (status) => {
    expect(outcome(verify(await licenseFile(), makeTrust({ keys: [trusted(ed25519Key, { status })] }), context))).toBe(
      'active',
    );
  });

  it.each(['root', 'ledger', 'approval', 'transcript', 'counters', 'release'] as const)(
    'refuses a key with the purpose %s',
    async (purpose) => {
      expect(
        outcome(verify(await licenseFile(), makeTrust({ keys: [trusted(ed25519Key, { purpose })] }), context)),
      ).toBe('key_wrong_purpose');
    },
  );

  it('keeps a key to its products and tiers', async () => {
    const file = await licenseFile();
    const under = (scope: { products?: readonly string[]; tiers?: readonly string[] }): string =>
      outcome(verify(file, makeTrust({ keys: [trusted(ed25519Key, scope)] }), context));
    expect(under({ products: ['vaultdesk'], tiers: ['team', 'enterprise'] })).toBe('active');
    expect(under({ products: ['vault'] })).toBe('key_wrong_purpose');
    expect(under({ products: [] })).toBe('key_wrong_purpose');
    expect(under({ tiers: ['team'] })).toBe('key_wrong_purpose');
  });

  it('requires the composite if the trust says so, at any time', async () => {
    expect(await judge({}, {}, { requireComposite: true })).toBe('algorithm_not_allowed');
    expect(await judge({}, {}, { requireComposite: true }, compositeKey)).toBe('active');
  });

  it('compares ed25519_until with the time of verifying, never with iat', async () => {
    const ed25519Until = NBF + 1000;
    for (const iat of [0, NBF - 1, NBF + 5000]) {
      expect(await judge({ iat }, { now: ed25519Until - 1 }, { ed25519Until })).toBe('active');
      expect(await judge({ iat }, { now: ed25519Until }, { ed25519Until })).toBe('algorithm_not_allowed');
      expect(await judge({ iat }, { now: ed25519Until }, { ed25519Until }, compositeKey)).toBe('active');
    }
  });

  it('cannot be escaped by clk, which a forger writes as well as iat', async () => {
    const seen: Seen = {
      current: 'example-vendor/vaultdesk/acme-gmbh',
      highestIat: NBF + 1000,
      lineages: new Map([['example-vendor/vaultdesk/acme-gmbh', { counter: 6, payloadDigest: '00'.repeat(32) }]]),
    };
    expect(await judge({ clk: true }, { now: NBF + 1000, clock: NBF, seen }, { ed25519Until: NBF + 1000 })).toBe(
      'algorithm_not_allowed',
    );
    expect(await judge({ clk: true }, { now: NBF + 1000, clock: NBF, seen }, { ed25519Until: NBF + 1001 })).toBe(
      'active',
    );
  });

  it('refuses revoked licenses, and counters below the lowest of their lineage', async () => {
    expect(await judge({}, {}, { revokedLicenses: [license.cti] })).toBe('license_revoked');
    expect(await judge({}, {}, { revokedLicenses: ['0193817a-6c00-7000-8000-000000000002'] })).toBe('active');
    const lineage = 'example-vendor/vaultdesk/acme-gmbh';
    expect(await judge({}, {}, { lowestCounters: [[lineage, 8]] })).toBe('superseded');
    expect(await judge({}, {}, { lowestCounters: [[lineage, 7]] })).toBe('active');
    expect(await judge({}, {}, { lowestCounters: [[`${lineage}/prod-eu`, 8]] })).toBe('active');
  });
});

describe('binding', () => {
  it('wants the issuer and the product exactly', async () => {
    expect(await judge({}, { issuer: 'Example-Vendor' })).toBe('issuer_mismatch');
    expect(await judge({}, { product: 'vaultdesk2' })).toBe('product_mismatch');
  });

  it.each([
    [undefined, undefined, 'active'],
    [undefined, 'prod-eu', 'active'],
    ['prod-eu', 'prod-eu', 'active'],
    ['prod-eu', 'prod-us', 'deployment_mismatch'],
    ['prod-eu', undefined, 'deployment_mismatch'],
  ])('dep %s on the deployment %s is %s', async (dep, deployment, expected) => {
    expect(await judge(dep === undefined ? {} : { dep }, deployment === undefined ? {} : { deployment })).toBe(
      expected,
    );
  });

  it.each([
    [undefined, undefined, 'active'],
    [undefined, [HOST], 'active'],
    [[HOST], [HOST], 'active'],
    [[HOST, OTHER_HOST], [OTHER_HOST], 'active'],
    [[HOST], [OTHER_HOST, HOST], 'active'],
    [[HOST], [OTHER_HOST], 'host_mismatch'],
    [[HOST], [], 'host_mismatch'],
    [[HOST], undefined, 'host_mismatch'],
  ])('hosts %j on the hosts %j is %s', async (hosts, here, expected) => {
    expect(await judge(hosts === undefined ? {} : { hosts }, here === undefined ? {} : { hosts: here })).toBe(expected);
  });
});

describe('a license with updates', () => {
  it.each([
    [undefined, undefined, 'active'],
    [undefined, EXP, 'active'],
    [EXP, EXP - 1, 'active'],
    [EXP, 0, 'active'],
    [EXP, EXP, 'build_not_covered'],
    [EXP, EXP + 1, 'build_not_covered'],
    [EXP, undefined, 'build_not_covered'],
    [0, 0, 'build_not_covered'],
  ])('upd %s and a build dated %s is %s', async (upd, buildDate, expected) => {
    expect(await judge(upd === undefined ? {} : { upd }, buildDate === undefined ? {} : { buildDate })).toBe(expected);
  });

  it('names both dates where it does not cover the build', async () => {
    const file = await licenseFile({ upd: EXP });
    expect(verify(file, trust(), { ...context, buildDate: EXP + 86_400 })).toMatchObject({
      reason: 'build_not_covered',
      layer: 'binding',
      detail: 'it covers builds dated before 2028-01-01T00:00:00Z, and this build is dated 2028-01-02T00:00:00Z',
      place: { field: 'upd' },
    });
    expect(verify(file, trust(), context)).toMatchObject({
      detail: 'it covers builds dated before 2028-01-01T00:00:00Z, and no build date is given here',
    });
  });

  it('judges the build by its own date, at whatever time it is asked', async () => {
    const perpetual = { exp: PERPETUAL_EXP, upd: EXP };
    expect(await judge(perpetual, { now: PERPETUAL_EXP - 1, buildDate: EXP - 1 })).toBe('active');
    expect(await judge(perpetual, { now: NBF, buildDate: EXP })).toBe('build_not_covered');
  });
});

describe('a license that says its use', () => {
  it.each(LICENSE_USES)('%s is accepted, and the use is there for the product', async (use) => {
    const verdict = verify(await licenseFile({ use }), trust(), context);
    expect(verdict).toMatchObject({ ok: true, state: 'active', license: { use } });
  });
});

describe('a document of a rehearsal', () => {
  it.each(Object.keys(TYP))('%s is refused by its type, though a good key signed it', async (kind) => {
    const typ = `application/vnd.vtlic.rehearsal.${kind}+cose`;
    const protectedBytes = encodeCbor(
      new Map<CborValue, CborValue>([
        [1, ALGORITHMS.ed25519.wire],
        [4, fromHex(ed25519Key.publicKey.kid) ?? new Uint8Array()],
        [16, typ],
      ]),
    );
    const verdict = verify(await licenseFile({}, ed25519Key, { protectedBytes }), trust(), context);
    expect(verdict).toMatchObject({ ok: false, reason: 'typ_wrong', detail: expect.stringContaining(typ) as string });
  });
});

/** One lineage that was accepted. */
const seenOf = (lineage: string, counter = 1, payloadDigest = 'ab'.repeat(32)): Seen => ({
  current: lineage,
  highestIat: 0,
  lineages: new Map([[lineage, { counter, payloadDigest }]]),
});

describe('misuse throws', () => {
  it.each([['a text'], [null], [new ArrayBuffer(8)], [[1, 2]], [undefined]])(
    'verify refuses %j as the file: a license is given as a Uint8Array',
    (file) => {
      expect(() => verify(file as unknown as Uint8Array, trust(), context)).toThrow(
        expect.objectContaining({
          code: 'usage',
          place: expect.objectContaining({ field: 'file' }) as object,
        }) as Error,
      );
    },
  );

  it.each([
    ['issuer', { issuer: '' }],
    ['issuer', { issuer: 'a b' }],
    ['issuer', { issuer: undefined as never }],
    ['product', { product: '/' }],
    ['deployment', { deployment: '' }],
    ['hosts', { hosts: ['AB'.repeat(32)] }],
    ['hosts', { hosts: ['ab'] }],
    ['now', { now: Date.now() }],
    ['now', { now: 1.5 }],
    ['now', { now: -1 }],
    ['now', { now: Number.NaN }],
    ['clock', { clock: Date.now() }],
    ['buildDate', { buildDate: Date.now() }],
    ['buildDate', { buildDate: -1 }],
    ['buildDate', { buildDate: 0.5 }],
    ['defaultGrace', { defaultGrace: 31_622_401 }],
    ['defaultGrace', { defaultGrace: -1 }],
    ['seen.current', { seen: { current: 'x', highestIat: 0, lineages: new Map() } }],
    ['seen.highestIat', { seen: { ...seenOf('a/b/c'), highestIat: Date.now() } }],
    ['seen.lineages', { seen: seenOf('anything') }],
    ['seen.lineages', { seen: seenOf('a/b') }],
    ['seen.lineages', { seen: seenOf('a/b/c/') }],
    ['seen.lineages', { seen: seenOf('a/b/c', 1, 'AB'.repeat(32)) }],
    ['seen.lineages', { seen: seenOf('a/b/c', 1, 'ab'.repeat(31)) }],
    ['seen.lineages', { seen: seenOf('a/b/c', 1, `${'ab'.repeat(32)}\n`) }],
    ['seen.lineages', { seen: seenOf('a/b/c', 1, `0${'ab'.repeat(32)}`) }],
    ['seen.lineages', { seen: seenOf('a/b/c', 0) }],
    ['seen.lineages', { seen: seenOf('a/b/c', 2 ** 53) }],
  ])('throws on a bad %s', async (field, change) => {
    const file = await licenseFile();
    expect(() => verify(file, trust(), { ...context, ...change })).toThrow(
      expect.objectContaining({ code: 'usage', place: { field } }) as Error,
    );
  });

  it('throws without a default grace, and with a strange lineage beside the current one', async () => {
    const file = await licenseFile();
    const { defaultGrace: _, ...without } = context;
    const lax = (value: object): unknown => verify(file, trust(), value as VerifyContext);
    expect(() => lax(without)).toThrow('defaultGrace');
    const seen: Seen = seenOf('a/b/c');
    const lineages = new Map([...seen.lineages, ...seenOf('A B/c/d').lineages]);
    expect(() => lax({ ...context, seen: { ...seen, lineages } })).toThrow('seen.lineages');
  });

  it('throws on a trust value that makeTrust did not make', async () => {
    const file = await licenseFile();
    expect(() => verify(file, { ...trust() }, context)).toThrow('makeTrust');
  });

  it('is not hidden by a broken file', () => {
    expect(() => verify(new Uint8Array(), trust(), { ...context, now: -1 })).toThrow('now');
  });
});

describe('clk', () => {
  const lineage = 'example-vendor/vaultdesk/acme-gmbh';
  const far = EXP * 2;
  const seen: Seen = {
    current: lineage,
    highestIat: far,
    lineages: new Map([[lineage, { counter: 6, payloadDigest: '00'.repeat(32) }]]),
  };

  it('judges the next license of the current lineage by the plain clock', async () => {
    const file = await licenseFile({ clk: true });
    const verdict = verify(file, trust(), { ...context, now: far, clock: NBF + 5, seen });
    expect(verdict).toMatchObject({
      ok: true,
      state: 'active',
      judgedAt: NBF + 5,
      resetsClock: true,
      standing: 'newer',
    });
  });

  it('never judges before its own iat', async () => {
    const verdict = verify(await licenseFile({ clk: true, iat: NBF + 10 }), trust(), {
      ...context,
      now: far,
      clock: IAT,
      seen,
    });
    expect(verdict).toMatchObject({ ok: true, judgedAt: NBF + 10, state: 'active' });
  });

  it('does nothing without the claim, for the first license, for the same one, and for another lineage', async () => {
    const at = { ...context, now: far, clock: NBF };
    const file = await licenseFile({ clk: true });
    expect(verify(await licenseFile(), trust(), { ...at, seen })).toMatchObject({
      state: 'lapsed',
      resetsClock: false,
    });
    expect(verify(file, trust(), at)).toMatchObject({ state: 'lapsed', resetsClock: false, standing: 'first' });
    const digest = createHash('sha256')
      .update(encodeLicense({ ...license, clk: true }))
      .digest('hex');
    const same: Seen = { ...seen, lineages: new Map([[lineage, { counter: 7, payloadDigest: digest }]]) };
    expect(verify(file, trust(), { ...at, seen: same })).toMatchObject({
      state: 'lapsed',
      resetsClock: false,
      standing: 'same',
    });
    const other: Seen = {
      current: 'a/b/c',
      highestIat: 0,
      lineages: new Map([['a/b/c', { counter: 1, payloadDigest: '00'.repeat(32) }]]),
    };
    expect(verify(file, trust(), { ...at, seen: other })).toMatchObject({
      state: 'lapsed',
      resetsClock: false,
      standing: 'other_lineage',
    });
  });

  it('is judged by now where no clock is given', async () => {
    expect(verify(await licenseFile({ clk: true }), trust(), { ...context, now: EXP, seen })).toMatchObject({
      state: 'grace',
      judgedAt: EXP,
      resetsClock: true,
    });
  });
});
