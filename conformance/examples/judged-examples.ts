/**
 * Licenses, trust values and contexts, each with the verdict: Appendix C of docs/format.md. Plain data, so that any
 * verifier can read it.
 */
import { armoredText } from './armored-text.ts';
import { concatBytes, toHex } from '../../formats/bytes.ts';
import { encodeCbor } from '../../formats/cbor/encode.ts';
import type { CborValue } from '../../formats/cbor/value.ts';
import { ALGORITHMS } from '../../formats/cose-algorithm.ts';
import { MAX_TIME } from '../../formats/license/bounds.ts';
import { encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import type { VerifyContext } from '../../verifier/context.ts';
import { nodeProvider } from '../../keys/public/provider-node.ts';
import { lineageKey } from '../../verifier/rollback.ts';
import type { Reason } from '../../verifier/reasons.ts';
import type { State } from '../../verifier/verdict.ts';
import { largeScalarSignature, smallOrderSignature, torsionSignature } from './ed25519-scalar.ts';
import { compositeKey, COMPOSITE_ED25519_SEED, ed25519Key } from './example-keys.ts';
import { compositeLicense, ed25519License, sealed } from './example-licenses.ts';
import { payloadOf } from './minimal-payload.ts';
import { bytesOf, hex } from './small-example.ts';
import { active, type ExampleTrust, type ExampleTrustedKey } from './example-trust.ts';

interface JudgedContext {
  readonly issuer: string;
  readonly product: string;
  readonly deployment?: string;
  readonly hosts?: readonly string[];
  /** The effective time. */
  readonly now: number;
  /** The date of the build. */
  readonly buildDate?: number;
  /** The plain clock. */
  readonly clock?: number;
  readonly defaultGrace: number;
  readonly seen?: {
    readonly current: string;
    readonly highestIat: number;
    readonly lineages: Readonly<Record<string, { readonly counter: number; readonly payloadDigest: string }>>;
  };
}

export interface JudgedExample {
  readonly id: string;
  /** Words for the table. */
  readonly what: string;
  /** The whole file. */
  readonly file: string;
  readonly trust: ExampleTrust;
  readonly context: JudgedContext;
  readonly expected: Reason | State;
}

export function contextOf({ seen, ...rest }: JudgedContext): VerifyContext {
  return seen === undefined ? rest : { ...rest, seen: { ...seen, lineages: new Map(Object.entries(seen.lineages)) } };
}

const { license: first } = ed25519License;
const { license: second } = compositeLicense;
const GRACE = first.grace ?? 0;

const both: ExampleTrust = { keys: [active('ed25519'), active('composite')] };
const alone = (changes: Partial<ExampleTrustedKey>): ExampleTrust => ({ keys: [{ ...active('ed25519'), ...changes }] });

/** The middle of the first license's year, and of the second's. */
const NOW = 1_814_400_000;
const LATER = 1_846_000_000;

const here: JudgedContext = Object.freeze<JudgedContext>({
  issuer: 'example-vendor',
  product: 'vaultdesk',
  deployment: 'prod-eu',
  now: NOW,
  defaultGrace: 0,
});
const at = (now: number): JudgedContext => ({ ...here, now });
const hostsHere: JudgedContext = { ...here, now: LATER, hosts: [...(second.hosts ?? [])].slice(1) };
const { deployment: _deployment, ...noDeployment } = here;

const coseFile = (protectedBytes: Uint8Array, payload: Uint8Array, signature: Uint8Array): string =>
  armoredText('VTLIC', encodeCoseSign1(protectedBytes, payload, signature));
const resigned = ({ protectedBytes, payload }: typeof ed25519License, signature: Uint8Array): string =>
  coseFile(protectedBytes, payload, signature);

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

const crafted = (craft: typeof smallOrderSignature): string =>
  resigned(ed25519License, craft(ed25519Key.ed25519Seed, ed25519Key.publicKey.ed25519, ed25519License.sigStructure));

/** The header says composite, the kid names the Ed25519 key. */
function mismatched(): string {
  const protectedBytes = encodeProtected('ed25519+ml-dsa-65', ed25519Key.publicKey.kid, TYP.license);
  return coseFile(
    protectedBytes,
    ed25519License.payload,
    compositeKey.sign(sigStructure(protectedBytes, ed25519License.payload)),
  );
}

/** B, its Ed25519 component crafted over M'. */
const craftedComponent = (craft: typeof smallOrderSignature): string =>
  componentReplaced(
    craft(
      COMPOSITE_ED25519_SEED,
      compositeKey.publicKey.ed25519,
      compositeLicense.composite?.message ?? new Uint8Array(),
    ),
  );

function componentReplaced(ed25519Component: Uint8Array): string {
  return resigned(compositeLicense, concatBytes(compositeLicense.signature.slice(0, 3309), ed25519Component));
}

const compositeComponents = compositeLicense.composite;
const components =
  compositeComponents === undefined ? [] : [compositeComponents.mldsa65Signature, compositeComponents.ed25519Signature];

const LINEAGE = lineageKey(first);
const OTHER = 'example-vendor/vaultdesk/acme-gmbh/staging';
const digest = toHex(ed25519License.payloadDigest);
const digestOf = (payload: Uint8Array): string => toHex(nodeProvider.sha256(payload));
const otherDigest = '00'.repeat(32);

const seenCurrent = (counter: number, payloadDigest: string): JudgedContext => ({
  ...here,
  seen: { current: LINEAGE, highestIat: first.iat, lineages: { [LINEAGE]: { counter, payloadDigest } } },
});

/**
 * Another lineage is the current one; `known` is the counter accepted before that in the lineage of A, or in a given
 * one.
 */
const seenOther = (
  highestIat: number,
  known?: number,
  payloadDigest: string = otherDigest,
  lineage: string = LINEAGE,
): JudgedContext => ({
  ...here,
  seen: {
    current: OTHER,
    highestIat,
    lineages: {
      [OTHER]: { counter: 5, payloadDigest: otherDigest },
      ...(known === undefined ? {} : { [lineage]: { counter: known, payloadDigest } }),
    },
  },
});

const fileWith = (payload: Uint8Array): string => sealed(ed25519Key, payload).file;
const minimal = fileWith(payloadOf([]));
const unknownClaim = fileWith(payloadOf([{ key: '08', value: '00' }]));
/** "ctr" 2, and with "clk" true. */
const next = fileWith(payloadOf([{ key: '63637472', value: '02' }]));
const withClk = payloadOf([
  { key: '63637472', value: '02' },
  { key: '63636c6b', value: 'f5' },
]);
const nextWithClk = fileWith(withClk);
const otherProduct = fileWith(payloadOf([{ key: '03', value: '656f74686572' }]));

const withEntry = (key: string, value: CborValue): { readonly key: string; readonly value: string } => ({
  key: hex(key),
  value: hex(value),
});
const withClaim = (key: string, value: CborValue): string => fileWith(payloadOf([withEntry(key, value)]));
/** 2027-11-25: builds up to 2027-11-24 are covered. */
const UPD = 1_827_100_800;
const updates = withClaim('upd', UPD);
const perpetual = { key: '04', value: hex(MAX_TIME) };
const updatesOfPerpetual = fileWith(payloadOf([withEntry('upd', UPD), perpetual]));
const updatesAndHosts = fileWith(payloadOf([withEntry('upd', UPD), withEntry('hosts', [new Uint8Array(32)])]));
const withPerpetual = fileWith(payloadOf([perpetual]));
const built = (buildDate: number): JudgedContext => ({ ...here, buildDate });

/** A, signed anew by the same key with another typ. */
function ofType(typ: string): string {
  const protectedBytes = encodeCbor(
    new Map<CborValue, CborValue>([
      [1, ALGORITHMS.ed25519.wire],
      [4, bytesOf(ed25519Key.publicKey.kid)],
      [16, typ],
    ]),
  );
  return coseFile(
    protectedBytes,
    ed25519License.payload,
    ed25519Key.sign(sigStructure(protectedBytes, ed25519License.payload)),
  );
}

const DAY = 86_400;
/** A day after nbf of the minimal payload. */
const LATER_IAT = first.nbf + DAY;
const nextFromLaterIat = fileWith(
  payloadOf([
    { key: '06', value: hex(LATER_IAT) },
    { key: '63637472', value: '02' },
    { key: '63636c6b', value: 'f5' },
  ]),
);

const MINIMAL_LINEAGE = 'example-vendor/vaultdesk/acme-gmbh';
/** 2099-01-01: the iat of a license that was taken by mistake. */
const FAR = 4_070_908_800;

type Lineages = NonNullable<JudgedContext['seen']>['lineages'];

/** The effective time is that of the mistake, by the floor; the clock is right. */
const stuckAt = (current: string, lineages: Lineages, highestIat: number = FAR): JudgedContext => ({
  ...here,
  now: FAR,
  clock: NOW,
  seen: { current, highestIat, lineages },
});
const stuck = stuckAt(MINIMAL_LINEAGE, { [MINIMAL_LINEAGE]: { counter: 1, payloadDigest: otherDigest } });
const { clock: _clock, ...stuckWithoutClock } = stuck;
const { seen: _seen, ...nothingSeen } = stuck;

const seenMinimal = (counter: number, highestIat: number): JudgedContext => ({
  ...here,
  seen: {
    current: MINIMAL_LINEAGE,
    highestIat,
    lineages: { [MINIMAL_LINEAGE]: { counter, payloadDigest: otherDigest } },
  },
});

const A = ed25519License.file;
const B = compositeLicense.file;

type Row = readonly [
  id: string,
  what: string,
  file: string,
  trust: ExampleTrust,
  context: JudgedContext,
  expected: Reason | State,
];

const ROWS: readonly Row[] = [
  ['time-before', 'A a second before nbf', A, both, at(first.nbf - 1), 'not_yet_valid'],
  ['time-nbf', 'A at nbf', A, both, at(first.nbf), 'active'],
  ['time-last', 'A a second before exp', A, both, at(first.exp - 1), 'active'],
  ['time-exp', 'A at exp', A, both, at(first.exp), 'grace'],
  ['time-grace-last', 'A a second before exp + grace', A, both, at(first.exp + GRACE - 1), 'grace'],
  ['time-lapsed', 'A at exp + grace', A, both, at(first.exp + GRACE), 'lapsed'],
  ['time-no-grace', 'a license without `grace` at exp, the product gives none', minimal, both, at(first.exp), 'lapsed'],
  [
    'time-default-grace',
    'the same, the product gives 60 seconds',
    minimal,
    both,
    { ...at(first.exp + 59), defaultGrace: 60 },
    'grace',
  ],
  [
    'time-own-grace',
    'A a second before exp + grace, the product gives 60 seconds: its own counts',
    A,
    both,
    { ...at(first.exp + GRACE - 1), defaultGrace: 60 },
    'grace',
  ],

  ['key-unknown', 'A, and no key is trusted', A, { keys: [] }, here, 'key_unknown'],
  [
    'key-half',
    'A, and its key is trusted as the component of a composite alone',
    A,
    { keys: [active('shared-half')] },
    here,
    'key_composite_only',
  ],
  [
    'key-half-revoked',
    'the same, and that composite is revoked',
    A,
    { keys: [{ ...active('shared-half'), status: 'revoked' }] },
    here,
    'key_composite_only',
  ],
  [
    'key-half-purpose',
    'the same, and that composite has the purpose `root`',
    A,
    { keys: [{ ...active('shared-half'), purpose: 'root' }] },
    here,
    'key_composite_only',
  ],
  [
    'key-half-alg',
    "alg says composite, kid is that of the composite's component",
    mismatched(),
    { keys: [active('shared-half')] },
    here,
    'key_composite_only',
  ],
  [
    'key-mismatch',
    'alg says composite, kid is that of the Ed25519 key',
    mismatched(),
    both,
    here,
    'key_algorithm_mismatch',
  ],

  [
    'signature-flipped',
    'A, a bit of the signature flipped',
    resigned(ed25519License, flipped(ed25519License.signature, 40)),
    both,
    here,
    'signature_invalid',
  ],
  [
    'signature-payload',
    'A, a bit of the payload flipped',
    coseFile(ed25519License.protectedBytes, flipped(ed25519License.payload, 20), ed25519License.signature),
    both,
    here,
    'signature_invalid',
  ],
  [
    'signature-short',
    'A, the signature a byte short',
    resigned(ed25519License, ed25519License.signature.slice(0, 63)),
    both,
    here,
    'signature_invalid',
  ],
  ['signature-empty', 'A, no signature', resigned(ed25519License, new Uint8Array()), both, here, 'signature_invalid'],
  [
    'signature-large-s',
    'A, s + L for s',
    resigned(ed25519License, largeScalarSignature(ed25519License.signature)),
    both,
    here,
    'signature_invalid',
  ],
  [
    'signature-small-r',
    'A, R is the neutral element and the equation holds',
    crafted(smallOrderSignature),
    both,
    here,
    'signature_invalid',
  ],
  [
    'signature-torsion-r',
    'A, R with a torsion part: holds with the cofactor alone',
    crafted(torsionSignature),
    both,
    here,
    'signature_invalid',
  ],
  [
    'composite-mldsa',
    'B, a bit of the ML-DSA component flipped',
    resigned(compositeLicense, flipped(compositeLicense.signature, 0)),
    both,
    hostsHere,
    'signature_invalid',
  ],
  [
    'composite-ed25519',
    'B, a bit of the Ed25519 component flipped',
    resigned(compositeLicense, flipped(compositeLicense.signature, 3372)),
    both,
    hostsHere,
    'signature_invalid',
  ],
  [
    'composite-swapped',
    'B, the components swapped',
    resigned(compositeLicense, concatBytes(...components.toReversed())),
    both,
    hostsHere,
    'signature_invalid',
  ],
  [
    'composite-half',
    'B, the ML-DSA component alone',
    resigned(compositeLicense, compositeLicense.signature.slice(0, 3309)),
    both,
    hostsHere,
    'signature_invalid',
  ],

  [
    'composite-only-ed25519',
    'B, the Ed25519 component alone',
    resigned(compositeLicense, compositeLicense.signature.slice(3309)),
    both,
    hostsHere,
    'signature_invalid',
  ],
  [
    'composite-mldsa-zeros',
    'B, zeros for the ML-DSA component',
    resigned(compositeLicense, concatBytes(new Uint8Array(3309), compositeLicense.signature.slice(3309))),
    both,
    hostsHere,
    'signature_invalid',
  ],
  [
    'composite-ed25519-zeros',
    'B, zeros for the Ed25519 component',
    componentReplaced(new Uint8Array(64)),
    both,
    hostsHere,
    'signature_invalid',
  ],
  [
    'composite-large-s',
    'B, s + L for s in the Ed25519 component',
    componentReplaced(largeScalarSignature(compositeLicense.signature.slice(3309))),
    both,
    hostsHere,
    'signature_invalid',
  ],
  [
    'composite-small-r',
    'B, R of its Ed25519 component is the neutral element and the equation holds',
    craftedComponent(smallOrderSignature),
    both,
    hostsHere,
    'signature_invalid',
  ],
  [
    'composite-torsion-r',
    'B, R of its Ed25519 component with a torsion part',
    craftedComponent(torsionSignature),
    both,
    hostsHere,
    'signature_invalid',
  ],

  [
    'claims-before-policy',
    'an unknown claim, by a revoked key',
    unknownClaim,
    alone({ status: 'revoked' }),
    here,
    'claims_unknown',
  ],
  ['policy-pre-published', 'A by a key that is `pre-published`', A, alone({ status: 'pre-published' }), here, 'active'],
  ['policy-retired', 'A by a key that is `retired`', A, alone({ status: 'retired' }), here, 'active'],
  ['policy-revoked', 'A by a key that is `revoked`', A, alone({ status: 'revoked' }), here, 'key_revoked'],
  ['policy-purpose', 'A by a key with the purpose `root`', A, alone({ purpose: 'root' }), here, 'key_wrong_purpose'],
  [
    'policy-revoked-purpose',
    'A by a revoked key with the purpose `root`',
    A,
    alone({ purpose: 'root', status: 'revoked' }),
    here,
    'key_revoked',
  ],
  ['policy-product', 'A by a key for another product', A, alone({ products: ['other'] }), here, 'key_wrong_purpose'],
  ['policy-tier', 'A by a key for another tier', A, alone({ tiers: ['pro'] }), here, 'key_wrong_purpose'],
  [
    'policy-scope',
    'A by a key for this product and tier, among others',
    A,
    alone({ products: ['other', 'vaultdesk'], tiers: ['enterprise', 'pro'] }),
    here,
    'active',
  ],
  [
    'policy-no-product',
    'A by a key with an empty list of products',
    A,
    alone({ products: [] }),
    here,
    'key_wrong_purpose',
  ],
  ['policy-no-tier', 'A by a key with an empty list of tiers', A, alone({ tiers: [] }), here, 'key_wrong_purpose'],
  [
    'policy-scope-license',
    'a license for the product `other`, by a key for this product',
    otherProduct,
    alone({ products: ['vaultdesk'] }),
    here,
    'key_wrong_purpose',
  ],
  [
    'policy-scope-key',
    'the same, by a key for the product `other`',
    otherProduct,
    alone({ products: ['other'] }),
    here,
    'product_mismatch',
  ],
  [
    'policy-composite',
    'A where composite is required',
    A,
    { ...both, requireComposite: true },
    here,
    'algorithm_not_allowed',
  ],
  ['policy-composite-b', 'B where composite is required', B, { ...both, requireComposite: true }, hostsHere, 'active'],
  ['policy-until', 'A a second before `ed25519_until`', A, { ...both, ed25519Until: NOW + 1 }, here, 'active'],
  ['policy-until-now', 'A at `ed25519_until`', A, { ...both, ed25519Until: NOW }, here, 'algorithm_not_allowed'],
  ['policy-license', 'A, its id is revoked', A, { ...both, revokedLicenses: [first.cti] }, here, 'license_revoked'],
  [
    'policy-superseded',
    'A, the lowest counter of its lineage is 2',
    A,
    { ...both, lowestCounters: { [LINEAGE]: 2 } },
    here,
    'superseded',
  ],
  [
    'policy-lowest',
    'A, the lowest counter of its lineage is 1',
    A,
    { ...both, lowestCounters: { [LINEAGE]: 1 } },
    here,
    'active',
  ],

  [
    'binding-issuer',
    'A, and another issuer is expected',
    A,
    both,
    { ...here, issuer: 'other-vendor' },
    'issuer_mismatch',
  ],
  ['binding-product', 'A, and this is another product', A, both, { ...here, product: 'other' }, 'product_mismatch'],
  [
    'binding-deployment',
    'A, and this is another deployment',
    A,
    both,
    { ...here, deployment: 'staging' },
    'deployment_mismatch',
  ],
  ['binding-no-deployment', 'A, and no deployment is given', A, both, noDeployment, 'deployment_mismatch'],
  ['binding-unbound', 'a license without `dep`, and a deployment is given', minimal, both, here, 'active'],
  [
    'binding-host',
    'B, one of two fingerprints is in it',
    B,
    both,
    { ...hostsHere, hosts: ['00'.repeat(32), ...(hostsHere.hosts ?? [])] },
    'active',
  ],
  [
    'binding-other-host',
    'B, and this is another host',
    B,
    both,
    { ...hostsHere, hosts: ['00'.repeat(32)] },
    'host_mismatch',
  ],
  ['binding-no-host', 'B, and no fingerprint is given', B, both, { ...here, now: LATER }, 'host_mismatch'],
  [
    'binding-build-covered',
    '`upd`, and the build is dated a second before it',
    updates,
    both,
    built(UPD - 1),
    'active',
  ],
  ['binding-build-equal', 'the same, and the build is dated `upd`', updates, both, built(UPD), 'build_not_covered'],
  ['binding-build-after', 'the same, and the build is later', updates, both, built(UPD + DAY), 'build_not_covered'],
  ['binding-no-build', 'the same, and no build date is given', updates, both, here, 'build_not_covered'],
  [
    'binding-build-unbound',
    'a license without `upd`, and a build date is given',
    minimal,
    both,
    built(MAX_TIME),
    'active',
  ],
  [
    'binding-build-product',
    'the build is not covered, and this is another product',
    updates,
    both,
    { ...built(UPD), product: 'other' },
    'product_mismatch',
  ],
  [
    'binding-build-host',
    'the build is not covered, and this is another host',
    updatesAndHosts,
    both,
    built(UPD),
    'host_mismatch',
  ],
  [
    'binding-build-lapsed',
    'the build is not covered, long after exp: binding comes before time',
    updates,
    both,
    { ...built(UPD), now: first.exp + GRACE },
    'build_not_covered',
  ],
  [
    'binding-build-rolled-back',
    'the build is not covered, and counter 2 was accepted: binding comes before the counter',
    updates,
    both,
    { ...seenMinimal(2, first.iat), buildDate: UPD },
    'build_not_covered',
  ],
  [
    'binding-build-perpetual',
    'a perpetual license, the build is covered, in the year 9000',
    updatesOfPerpetual,
    both,
    { ...built(UPD - 1), now: 221_845_392_000 },
    'active',
  ],
  [
    'binding-build-perpetual-after',
    'the same, and the build is later',
    updatesOfPerpetual,
    both,
    { ...built(UPD), now: 221_845_392_000 },
    'build_not_covered',
  ],
  [
    'time-perpetual-last',
    'a perpetual license a second before its `exp`',
    withPerpetual,
    both,
    at(MAX_TIME - 1),
    'active',
  ],
  ['use-non-production', '`use` is `non-production`', withClaim('use', 'non-production'), both, here, 'active'],
  ['use-trial', '`use` is `trial`', withClaim('use', 'trial'), both, here, 'active'],
  ['use-emergency', '`use` is `emergency`', withClaim('use', 'emergency'), both, here, 'active'],
  [
    'typ-rehearsal',
    'A, signed anew by its key as the license of a rehearsal',
    ofType('application/vnd.vtlic.rehearsal.license+cose'),
    both,
    here,
    'typ_wrong',
  ],
  [
    'policy-before-binding',
    'A, its id is revoked and another product is expected',
    A,
    { ...both, revokedLicenses: [first.cti] },
    { ...here, product: 'other' },
    'license_revoked',
  ],

  ['seen-same', 'A again, the same payload', A, both, seenCurrent(1, digest), 'active'],
  [
    'seen-next',
    'a license with counter 2, after counter 1 of its lineage',
    next,
    both,
    seenMinimal(1, first.iat),
    'active',
  ],
  [
    'seen-current-iat',
    'the same, and its iat is below the highest accepted',
    next,
    both,
    seenMinimal(1, NOW),
    'active',
  ],
  ['seen-conflict', 'A, and another payload had its counter', A, both, seenCurrent(1, otherDigest), 'counter_conflict'],
  ['seen-rolled-back', 'A, and counter 2 was accepted', A, both, seenCurrent(2, otherDigest), 'counter_rolled_back'],
  [
    'seen-rolled-back-lapsed',
    'the same, long after exp: the counter comes before time',
    A,
    both,
    { ...seenCurrent(2, otherDigest), now: first.exp + GRACE },
    'counter_rolled_back',
  ],
  [
    'seen-not-newer',
    'A, and a license of another lineage with the same iat was accepted',
    A,
    both,
    seenOther(first.iat),
    'lineage_not_newer',
  ],
  [
    'seen-known-same',
    'A again, after a license of another lineage with the same iat',
    A,
    both,
    seenOther(first.iat, 1, digest),
    'lineage_not_newer',
  ],
  [
    'seen-known-next',
    'counter 2 after counter 1 of its lineage, then a license of another lineage with the same iat',
    next,
    both,
    seenOther(first.iat, 1, otherDigest, MINIMAL_LINEAGE),
    'lineage_not_newer',
  ],
  [
    'seen-known-newer',
    'the same, and the one of another lineage has an iat a second earlier',
    next,
    both,
    seenOther(first.iat - 1, 1, otherDigest, MINIMAL_LINEAGE),
    'active',
  ],
  [
    'seen-newer',
    'A, and the one of another lineage has an iat a second earlier',
    A,
    both,
    seenOther(first.iat - 1),
    'active',
  ],
  [
    'seen-back',
    'the same, but counter 2 of the lineage of A was accepted before that',
    A,
    both,
    seenOther(first.iat - 1, 2),
    'counter_rolled_back',
  ],

  ['clk-without', 'counter 2, after a license from 2099 was accepted', next, both, stuck, 'lapsed'],
  ['clk-with', 'the same with `clk`: judged by the plain clock', nextWithClk, both, stuck, 'active'],
  [
    'clk-own-iat',
    'the same with an iat that is later than the clock: judged by it',
    nextFromLaterIat,
    both,
    { ...stuck, clock: LATER_IAT - 2 * DAY },
    'active',
  ],
  [
    'clk-no-clock',
    'the same as `clk-with`, and no clock is given: judged by t',
    nextWithClk,
    both,
    stuckWithoutClock,
    'lapsed',
  ],
  ['clk-first', 'the license with `clk`, and nothing was seen', nextWithClk, both, nothingSeen, 'lapsed'],
  [
    'clk-same',
    'the license with `clk` again, after it was accepted',
    nextWithClk,
    both,
    stuckAt(MINIMAL_LINEAGE, { [MINIMAL_LINEAGE]: { counter: 2, payloadDigest: digestOf(withClk) } }),
    'lapsed',
  ],
  [
    'clk-other',
    'the license with `clk`, where another lineage is the current one',
    nextWithClk,
    both,
    stuckAt(
      OTHER,
      {
        [OTHER]: { counter: 5, payloadDigest: otherDigest },
        [MINIMAL_LINEAGE]: { counter: 1, payloadDigest: otherDigest },
      },
      0,
    ),
    'lapsed',
  ],
  ['time-clock', 'A without `clk`: a clock is of no account', A, both, { ...here, clock: FAR }, 'active'],
  [
    'clk-policy',
    'the same; `ed25519_until` is 2090, and policy is judged by the effective time',
    nextWithClk,
    { ...both, ed25519Until: 3_786_912_000 },
    stuck,
    'algorithm_not_allowed',
  ],
];

export const judgedExamples: readonly JudgedExample[] = Object.freeze(
  ROWS.map(([id, what, file, trust, context, expected]) => Object.freeze({ id, what, file, trust, context, expected })),
);
