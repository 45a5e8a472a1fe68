/** The keys, trusts, contexts and signed licenses of a campaign. */
import { encodeProtected, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import { sha256Hex } from '../../files/index.ts';
import { kidOf } from '../../keys/public/public-key.ts';
import { makeTrust, type Trust, type TrustedKey, type TrustValues } from '../../verifier/trust.ts';
import { testKey, type TestKey } from '../../conformance/examples/keysets.ts';
import { encode, sortedPairs, anyItem } from '../../conformance/model/cbor.ts';
import type { ModelContext, ModelTrust, SignedRecord } from '../../conformance/model/expected.ts';
import { Pairs, type Item } from '../../conformance/model/walk.ts';
import type { Random } from '../../conformance/model/random.ts';

const NOW = 1_800_000_000;
const DAY = 86_400;
const LAST = 253_402_300_799;
const HOSTS = ['11'.repeat(32), '22'.repeat(32), '33'.repeat(32)];

/** A trust, and the same in words. */
export interface FuzzTrust {
  readonly trust: Trust;
  readonly model: ModelTrust;
}

export interface Signed extends SignedRecord {
  readonly key: TestKey;
  /** `iss/aud/sub`, or with `/dep`; undefined where the payload has none. */
  readonly lineage: string | undefined;
  readonly ctr: number;
}

export const COMPOSITE: TestKey = testKey('composite fuzz');
export const STRANGER: TestKey = testKey('fuzz stranger');
const ED25519 = testKey('fuzz ed25519');
const SCOPED = testKey('fuzz scoped');
const REVOKED = testKey('fuzz revoked');
const LICENSE_KEYS = testKey('fuzz license-key');
const ROOT = testKey('fuzz root');
const FAST: readonly TestKey[] = [ED25519, ED25519, ED25519, SCOPED, REVOKED, LICENSE_KEYS, ROOT];

/** Every kid that a header can have: of a trusted key, of a component, of nobody. */
export const KIDS: readonly string[] = [
  ...[COMPOSITE, ED25519, SCOPED, REVOKED, LICENSE_KEYS, ROOT, STRANGER].map(({ publicKey }) => publicKey.kid),
  kidOf('ed25519', COMPOSITE.publicKey.ed25519),
];

const CTIS: readonly string[] = Array.from(
  { length: 40 },
  (_, i) => `0193817a-6c00-7000-8000-0000000000${String(i).padStart(2, '0')}`,
);

/** @param honored payload digests that the trust honors for the revoked key */
export function trusts(honored: readonly string[]): readonly FuzzTrust[] {
  const values: readonly Partial<TrustValues>[] = [
    {},
    {},
    { requireComposite: true },
    { ed25519Until: NOW },
    { ed25519Until: NOW + DAY },
    { revokedLicenses: CTIS.slice(0, 10) },
    { lowestCounters: [['example-vendor/vaultdesk/acme-gmbh', 5]] },
    { lowestCounters: [['example-vendor/vaultdesk/acme-gmbh/prod-eu', 3]] },
  ];
  return values.map((value) => trustOf(honored, value));
}

function trustOf(honored: readonly string[], values: Partial<TrustValues>): FuzzTrust {
  const entry = ({ publicKey }: TestKey, changes: Partial<TrustedKey> = {}): TrustedKey => ({
    key: publicKey,
    purpose: 'license',
    status: 'active',
    ...changes,
  });
  const keys: readonly TrustedKey[] = [
    entry(COMPOSITE),
    entry(ED25519, { status: 'retired' }),
    entry(SCOPED, { products: ['vaultdesk'], tiers: ['pro'] }),
    entry(REVOKED, { status: 'revoked', honored }),
    entry(LICENSE_KEYS, { purpose: 'license-key' }),
    entry(ROOT, { purpose: 'root' }),
  ];
  const trust = makeTrust({ keys, ...values });
  return {
    trust,
    model: {
      keys: keys.map(({ key, purpose, status, products, tiers, honored: digests }) => ({
        kid: key.kid,
        alg: key.alg,
        purpose,
        status,
        ...(key.alg === 'ed25519' ? {} : { componentKid: kidOf('ed25519', key.ed25519) }),
        ...(products === undefined ? {} : { products }),
        ...(tiers === undefined ? {} : { tiers }),
        ...(digests === undefined ? {} : { honored: new Set(digests) }),
      })),
      requireComposite: trust.requireComposite,
      ...(trust.ed25519Until === undefined ? {} : { ed25519Until: trust.ed25519Until }),
      revokedLicenses: trust.revokedLicenses,
      lowestCounters: trust.lowestCounters,
    },
  };
}

export function context(random: Random, signed: Signed | undefined): ModelContext {
  const lineage = signed?.lineage;
  return {
    issuer: random.once(20) ? 'other-vendor' : 'example-vendor',
    product: random.once(12) ? 'other' : 'vaultdesk',
    ...(random.once(3) ? {} : { deployment: random.pick(['prod-eu', 'prod-eu', 'prod-us']) }),
    ...(random.once(3) ? {} : { hosts: [random.pick(HOSTS)] }),
    now: NOW + random.pick([0, 0, 0, -1, 1, -30 * DAY, 30 * DAY, 400 * DAY]),
    ...(random.once(3) ? {} : { buildDate: NOW + random.pick([-DAY, 0, DAY]) }),
    ...(random.once(2) ? {} : { clock: NOW + random.pick([-DAY, 0, DAY]) }),
    defaultGrace: random.pick([0, DAY, 31_622_400]),
    ...(lineage === undefined || signed === undefined || random.once(2) ? {} : { seen: seen(random, lineage, signed) }),
  };
}

function seen(random: Random, lineage: string, { ctr, payloadDigest }: Signed): NonNullable<ModelContext['seen']> {
  const other = 'example-vendor/vaultdesk/another';
  const counter = Math.min(Number.MAX_SAFE_INTEGER, Math.max(1, ctr + random.pick([-1, 0, 0, 1])));
  const known = { counter, payloadDigest: random.once(2) ? payloadDigest : 'ee'.repeat(32) };
  const lineages = new Map([[other, { counter: 4, payloadDigest: 'dd'.repeat(32) }]]);
  if (random.below(3) > 0) lineages.set(lineage, known);
  const current = lineages.has(lineage) && random.below(3) > 0 ? lineage : other;
  return { current, highestIat: NOW + random.pick([-40 * DAY, 0, DAY]), lineages };
}

/** A license, mostly without a fault, signed. */
export function sign(random: Random, key: TestKey = random.pick(FAST)): Signed {
  const claims = honestClaims(random);
  return signed(key, claims, random.below(3) > 0 ? encode(sortedPairs(claims)) : faultyPayload(random, claims));
}

const DENSE_BYTES = 47_000;
/** The signature of a composite takes 3,309 bytes more. */
const COMPOSITE_SHARE = 0.92;

/** A license as large as a license may be, with a payload that is much work; no one but the vendor can make it. */
export function signDense(random: Random): Signed {
  const item = random.pick<Item>([
    0,
    'a',
    'é',
    new Uint8Array(1),
    [],
    [0],
    [[[[[0]]]]],
    new Pairs([]),
    new Pairs([['a', 0]]),
  ]);
  const items = Array.from({ length: Math.floor(DENSE_BYTES / encode(item).length) }, () => item);
  const key = random.once(4) ? COMPOSITE : ED25519;
  const room = key === COMPOSITE ? items.slice(0, Math.floor(items.length * COMPOSITE_SHARE)) : items;
  if (random.once(3)) return signed(key, honestClaims(random), encode(room));
  return signWithExt(random, key, room);
}

/** A valid license as large, of one text in `ext`: what those that are much work are compared with. */
export function signLarge(random: Random, key: 'ed25519' | 'composite'): Signed {
  const share = key === 'composite' ? COMPOSITE_SHARE : 1;
  return signWithExt(random, key === 'composite' ? COMPOSITE : ED25519, 'x'.repeat(Math.floor(DENSE_BYTES * share)));
}

function signWithExt(random: Random, key: TestKey, value: Item): Signed {
  const claims = honestClaims(random).filter(([name]) => name !== 'ext');
  return signed(key, claims, encode(sortedPairs([...claims, ['ext', new Pairs([['a', value]])]])));
}

function signed(key: TestKey, claims: readonly Claim[], payload: Uint8Array): Signed {
  const { kid, alg } = key.publicKey;
  const protectedBytes = encodeProtected(alg, kid, TYP.license);
  const signature = key.sign(sigStructure(protectedBytes, payload));
  const of = (name: Item): Item | undefined => claims.find(([one]) => one === name)?.[1];
  const parts = [of(1), of(3), of(2), of('dep')].filter((part) => part !== undefined);
  const isId = (part: Item): part is string =>
    typeof part === 'string' && /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(part);
  const ids = parts.filter(isId);
  const ctr = of('ctr');
  return {
    key,
    kid,
    protectedBytes,
    payload,
    signature,
    payloadDigest: sha256Hex(payload),
    lineage: parts.length >= 3 && ids.length === parts.length ? ids.join('/') : undefined,
    ctr: typeof ctr === 'number' ? ctr : 1,
  };
}

type Claim = readonly [Item, Item];

function honestClaims(random: Random): Claim[] {
  const nbf = NOW + random.pick([-100 * DAY, -DAY, 0, 1, 10 * DAY]);
  const exp = nbf + random.pick([1, DAY, 30 * DAY, 365 * DAY]);
  const claims: Claim[] = [
    [1, 'example-vendor'],
    [2, random.pick(['acme-gmbh', 'acme-gmbh', 'c-2'])],
    [3, random.once(8) ? 'other' : 'vaultdesk'],
    [4, exp],
    [5, nbf],
    [6, Math.min(exp - 1, NOW + random.pick([-50 * DAY, -1, 0, DAY + 1]))],
    [7, fromUuid(random.pick(CTIS))],
    ['ctr', 1 + random.below(10)],
    ['tier', random.pick(['enterprise', 'pro'])],
    ['seats', random.once(4) ? 'unlimited' : random.below(1000)],
  ];
  const maybe = (outOf: number, name: string, value: () => Item): void => {
    if (random.once(outOf)) claims.push([name, value()]);
  };
  maybe(3, 'features', () => ['audit-export', 'sso']);
  maybe(4, 'limits', () => new Pairs([['vaults', random.below(100)]]));
  maybe(6, 'instances', () => 1 + random.below(9));
  maybe(5, 'hosts', () => HOSTS.slice(0, 1 + random.below(2)).map(fromHexText));
  maybe(3, 'grace', () => random.pick([0, 1, DAY, 31_622_400]));
  maybe(6, 'offline', () => random.below(100));
  maybe(3, 'dep', () => random.pick(['prod-eu', 'prod-eu', 'prod-us']));
  maybe(6, 'name', () => random.pick(['Acme GmbH', '\u{1f512} \u0000\u202e', 'x'.repeat(200)]));
  maybe(6, 'ref', () => 'PO-4711');
  maybe(5, 'upd', () => NOW + random.pick([0, 1, DAY]));
  maybe(6, 'use', () => random.pick(['trial', 'emergency', 'non-production']));
  maybe(5, 'clk', () => true);
  maybe(6, 'ext', () => new Pairs([['a', anyExt(random)]]));
  return claims;
}

function anyExt(random: Random): Item {
  return random.pick<Item>([
    0,
    'text',
    true,
    new Uint8Array(3),
    [],
    [1, [2, [3]]],
    new Pairs([]),
    new Pairs([['k', 1]]),
  ]);
}

/** A genuine payload that is not a license, or a license at a bound. */
function faultyPayload(random: Random, honest: readonly Claim[]): Uint8Array {
  const claims = [...honest];
  const at = random.below(claims.length);
  const name = claims[at]?.[0] ?? 1;
  switch (random.below(10)) {
    case 0:
      claims.splice(at, 1);
      break;
    case 1:
      claims[at] = [name, anyItem(random)];
      break;
    case 2:
      claims.push([random.pick<Item>(['iss', 'seat', 8, -1, 0, true, new Uint8Array(1), [], '']), anyItem(random)]);
      break;
    case 3:
      return encode(new Pairs([...claims].sort(() => random.below(3) - 1)));
    case 4:
      return encode(sortedPairs([...claims, claims[at] ?? [1, 1]]));
    case 5:
      return encode(anyItem(random));
    case 6:
      return random.bytes(random.below(60));
    case 7: {
      const bytes = encode(sortedPairs(claims));
      bytes[random.below(bytes.length)] = random.below(256);
      return bytes;
    }
    case 8: {
      const [claim, values] = random.pick(AT_BOUNDS);
      const rest = claims.filter(([one]) => one !== claim);
      return encode(sortedPairs([...rest, [claim, random.pick(values)]]));
    }
    default: {
      const exp = claims.findIndex(([one]) => one === 4);
      const time = claims[random.pick([4, 5])]?.[1] ?? 0;
      claims[exp] = [4, typeof time === 'number' ? time + random.below(2) : time];
    }
  }
  return encode(sortedPairs(claims));
}

/** Claim → values at its bounds and beyond, right and wrong. */
const AT_BOUNDS: readonly (readonly [Item, readonly Item[]])[] = [
  [1, ['', 'x'.repeat(128), 'x'.repeat(129), '-a', 'a\n', 'ä', 1]],
  [3, [['vaultdesk'], 'vaultdesk', 'Vaultdesk']],
  [4, [LAST, LAST + 1, -1]],
  [5, [0, -1, 'x']],
  [7, [new Uint8Array(16), fromUuid('0193817a-6c00-4000-8000-000000000001'), new Uint8Array(15)]],
  ['ctr', [0, 1, Number.MAX_SAFE_INTEGER, -1]],
  ['seats', [0, Number.MAX_SAFE_INTEGER, 'Unlimited', -1, true]],
  ['features', [[], ['b', 'a'], ['a', 'a'], ['a', 'a-b', 'b'], Array.from({ length: 257 }, (_, i) => `f${1000 + i}`)]],
  ['limits', [new Pairs([]), new Pairs([['a', -1]]), new Pairs([[1, 1]]), new Pairs([['a', 0]])]],
  ['hosts', [[], [new Uint8Array(31)], [new Uint8Array(32), new Uint8Array(32)], [new Uint8Array(32)]]],
  ['grace', [31_622_400, 31_622_401, -1]],
  ['offline', [LAST, LAST + 1]],
  ['name', ['', 'x'.repeat(201), '\u{1f512}'.repeat(200), '\u{1f512}'.repeat(201)]],
  ['ref', ['', 'x'.repeat(100), 'x'.repeat(101)]],
  ['upd', [LAST, LAST + 1]],
  ['use', ['production', 'trial', '']],
  ['clk', [false, true, 1]],
  ['ext', [new Pairs([]), new Pairs([['a', new Pairs([['', 1]])]]), new Pairs([['a', []]]), new Pairs([[1, 1]])]],
];

function fromHexText(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

function fromUuid(text: string): Uint8Array {
  return fromHexText(text.replaceAll('-', ''));
}

/** Any text that may be in the place of the typ. */
export const TYPES: readonly string[] = [
  TYP.license,
  TYP.keyset,
  'application/vnd.vtlic.rehearsal.license+cose',
  `${TYP.license} `,
  '',
];
