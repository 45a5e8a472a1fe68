/** The licenses, trust values and contexts of which the judged examples are made. */
import { armoredText } from './armored-text.ts';
import { concatBytes, toHex } from '../../formats/bytes.ts';
import { encodeCbor } from '../../formats/cbor/encode.ts';
import type { CborValue } from '../../formats/cbor/value.ts';
import { ALGORITHMS } from '../../formats/cose-algorithm.ts';
import { MAX_TIME } from '../../formats/license/bounds.ts';
import { encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import { nodeProvider } from '../../keys/public/provider-node.ts';
import { lineageKey } from '../../verifier/rollback.ts';
import type { Reason } from '../../verifier/reasons.ts';
import type { State } from '../../verifier/verdict.ts';
import type { smallOrderSignature } from './ed25519-scalar.ts';
import { compositeKey, COMPOSITE_ED25519_SEED, ed25519Key } from './example-keys.ts';
import { compositeLicense, ed25519License, sealed } from './example-licenses.ts';
import { payloadOf } from './minimal-payload.ts';
import { bytesOf, hex } from './small-example.ts';
import { active, type ExampleTrust, type ExampleTrustedKey } from './example-trust.ts';
import type { PlainContext } from './plain-values.ts';

export const first: (typeof ed25519License)['license'] = ed25519License.license;
const { license: second } = compositeLicense;
export const GRACE: number = first.grace ?? 0;

export const both: ExampleTrust = { keys: [active('ed25519'), active('composite')] };
export const alone = (changes: Partial<ExampleTrustedKey>): ExampleTrust => ({
  keys: [{ ...active('ed25519'), ...changes }],
});

/** The middle of the first license's year, and of the second's. */
export const NOW = 1_814_400_000;
export const LATER = 1_846_000_000;

export const here: PlainContext = Object.freeze<PlainContext>({
  issuer: 'example-vendor',
  product: 'vaultdesk',
  deployment: 'prod-eu',
  now: NOW,
  defaultGrace: 0,
});
export const at = (now: number): PlainContext => ({ ...here, now });
export const hostsHere: PlainContext = { ...here, now: LATER, hosts: [...(second.hosts ?? [])].slice(1) };
const { deployment: _deployment, ...withoutDeployment } = here;
export const noDeployment: PlainContext = withoutDeployment;

export const coseFile = (protectedBytes: Uint8Array, payload: Uint8Array, signature: Uint8Array): string =>
  armoredText('VTLIC', encodeCoseSign1(protectedBytes, payload, signature));
export const resigned = ({ protectedBytes, payload }: typeof ed25519License, signature: Uint8Array): string =>
  coseFile(protectedBytes, payload, signature);

export function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

export const crafted = (craft: typeof smallOrderSignature): string =>
  resigned(ed25519License, craft(ed25519Key.ed25519Seed, ed25519Key.publicKey.ed25519, ed25519License.sigStructure));

/** The header says composite, the kid names the Ed25519 key. */
export function mismatched(): string {
  const protectedBytes = encodeProtected('ed25519+ml-dsa-65', ed25519Key.publicKey.kid, TYP.license);
  return coseFile(
    protectedBytes,
    ed25519License.payload,
    compositeKey.sign(sigStructure(protectedBytes, ed25519License.payload)),
  );
}

/** B, its Ed25519 component crafted over M'. */
export const craftedComponent = (craft: typeof smallOrderSignature): string =>
  componentReplaced(
    craft(
      COMPOSITE_ED25519_SEED,
      compositeKey.publicKey.ed25519,
      compositeLicense.composite?.message ?? new Uint8Array(),
    ),
  );

export function componentReplaced(ed25519Component: Uint8Array): string {
  return resigned(compositeLicense, concatBytes(compositeLicense.signature.slice(0, 3309), ed25519Component));
}

const compositeComponents = compositeLicense.composite;
export const components: readonly Uint8Array[] =
  compositeComponents === undefined ? [] : [compositeComponents.mldsa65Signature, compositeComponents.ed25519Signature];

export const LINEAGE: string = lineageKey(first);
export const OTHER = 'example-vendor/vaultdesk/acme-gmbh/staging';
export const digest: string = toHex(ed25519License.payloadDigest);
export const digestOf = (payload: Uint8Array): string => toHex(nodeProvider.sha256(payload));
export const otherDigest: string = '00'.repeat(32);

export const seenCurrent = (counter: number, payloadDigest: string): PlainContext => ({
  ...here,
  seen: { current: LINEAGE, highestIat: first.iat, lineages: { [LINEAGE]: { counter, payloadDigest } } },
});

/**
 * Another lineage is the current one; `known` is the counter accepted before that in the lineage of A, or in a given
 * one.
 */
export const seenOther = (
  highestIat: number,
  known?: number,
  payloadDigest: string = otherDigest,
  lineage: string = LINEAGE,
): PlainContext => ({
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
export const minimal: string = fileWith(payloadOf([]));
export const unknownClaim: string = fileWith(payloadOf([{ key: '08', value: '00' }]));
/** "ctr" 2, and with "clk" true. */
export const next: string = fileWith(payloadOf([{ key: '63637472', value: '02' }]));
export const withClk: Uint8Array = payloadOf([
  { key: '63637472', value: '02' },
  { key: '63636c6b', value: 'f5' },
]);
export const nextWithClk: string = fileWith(withClk);
export const otherProduct: string = fileWith(payloadOf([{ key: '03', value: '656f74686572' }]));

const withEntry = (key: string, value: CborValue): { readonly key: string; readonly value: string } => ({
  key: hex(key),
  value: hex(value),
});
export const withClaim = (key: string, value: CborValue): string => fileWith(payloadOf([withEntry(key, value)]));
/** 2027-11-25: builds up to 2027-11-24 are covered. */
export const UPD = 1_827_100_800;
export const updates: string = withClaim('upd', UPD);
const perpetual = { key: '04', value: hex(MAX_TIME) };
export const updatesOfPerpetual: string = fileWith(payloadOf([withEntry('upd', UPD), perpetual]));
export const updatesAndHosts: string = fileWith(
  payloadOf([withEntry('upd', UPD), withEntry('hosts', [new Uint8Array(32)])]),
);
export const withPerpetual: string = fileWith(payloadOf([perpetual]));
export const built = (buildDate: number): PlainContext => ({ ...here, buildDate });

/** A, signed anew by the same key with another typ. */
export function ofType(typ: string): string {
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

export const DAY = 86_400;
/** A day after nbf of the minimal payload. */
export const LATER_IAT: number = first.nbf + DAY;
export const nextFromLaterIat: string = fileWith(
  payloadOf([
    { key: '06', value: hex(LATER_IAT) },
    { key: '63637472', value: '02' },
    { key: '63636c6b', value: 'f5' },
  ]),
);

export const MINIMAL_LINEAGE = 'example-vendor/vaultdesk/acme-gmbh';
/** 2099-01-01: the iat of a license that was taken by mistake. */
export const FAR = 4_070_908_800;

type Lineages = NonNullable<PlainContext['seen']>['lineages'];

/** The effective time is that of the mistake, by the floor; the clock is right. */
export const stuckAt = (current: string, lineages: Lineages, highestIat: number = FAR): PlainContext => ({
  ...here,
  now: FAR,
  clock: NOW,
  seen: { current, highestIat, lineages },
});
export const stuck: PlainContext = stuckAt(MINIMAL_LINEAGE, {
  [MINIMAL_LINEAGE]: { counter: 1, payloadDigest: otherDigest },
});
const { clock: _clock, ...withoutClock } = stuck;
export const stuckWithoutClock: PlainContext = withoutClock;
const { seen: _seen, ...withoutSeen } = stuck;
export const nothingSeen: PlainContext = withoutSeen;

export const seenMinimal = (counter: number, highestIat: number): PlainContext => ({
  ...here,
  seen: {
    current: MINIMAL_LINEAGE,
    highestIat,
    lineages: { [MINIMAL_LINEAGE]: { counter, payloadDigest: otherDigest } },
  },
});

export const A: string = ed25519License.file;
export const B: string = compositeLicense.file;

export type Row = readonly [
  id: string,
  what: string,
  file: string,
  trust: ExampleTrust,
  context: PlainContext,
  expected: Reason | State,
];
