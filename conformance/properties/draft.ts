/**
 * A license on its way to a verifier: first a valid one, then changed at named places, then encoded, signed and written
 * as a request, with the verdict that the model predicts.
 */
import { armor } from '../../formats/armor.ts';
import { concatBytes, fromHex } from '../../formats/bytes.ts';
import { sigStructure, TYP } from '../../formats/cose-sign1.ts';
import { sha256Hex } from '../../files/index.ts';
import { kidOf, type PublicKey } from '../../keys/public/public-key.ts';
import { REASONS, type Reason } from '../../verifier/reasons.ts';
import { encode, head, sortedPairs } from '../model/cbor.ts';
import { expectedOf, type Expected, type ModelContext, type ModelTrust, type SignedRecord } from '../model/expected.ts';
import { Pairs, type Item } from '../model/walk.ts';
import type { State } from '../../verifier/verdict.ts';
import type { PlainContext } from '../examples/plain-values.ts';
import type { Answer, WireKey, WireTrust } from '../protocol/protocol.ts';
import type { SigningKey } from './keys.ts';

export const NOW = 1_800_000_000;
export const DAY = 86_400;

export interface DraftKey {
  key: PublicKey;
  purpose: string;
  status: string;
  products?: readonly string[];
  tiers?: readonly string[];
  honored?: readonly string[];
}

export interface DraftTrust {
  keys: DraftKey[];
  requireComposite?: boolean;
  ed25519Until?: number;
  revokedLicenses: string[];
  lowestCounters: Map<string, number>;
}

/** Each list of edits is applied in turn, at its place on the way from claims to text. */
export interface Draft {
  signer: SigningKey;
  claims: Map<Item, Item>;
  readonly payloadEdits: ((payload: Uint8Array) => Uint8Array)[];
  readonly header: Map<Item, Item>;
  readonly headerEdits: ((protectedBytes: Uint8Array) => Uint8Array)[];
  /** In place of the signature by `signer` over the Sig_structure. */
  sign?: (protectedBytes: Uint8Array, payload: Uint8Array) => Uint8Array;
  readonly signatureEdits: ((signature: Uint8Array) => Uint8Array)[];
  /** The four items of the COSE_Sign1. */
  readonly itemEdits: ((items: Item[]) => Item[])[];
  tag: Uint8Array;
  readonly coseEdits: ((cose: Uint8Array) => Uint8Array)[];
  readonly textEdits: ((text: Uint8Array) => Uint8Array)[];
  trust: DraftTrust;
  context: { -readonly [name in keyof ModelContext]: ModelContext[name] };
  /** Edits of the request that the model cannot express, and the verdict that follows from them. */
  forced?: {
    readonly verdict: 'configuration_invalid' | 'misuse';
    readonly edit: (
      trust: WireTrust,
      context: PlainContext,
    ) => { readonly trust: WireTrust; readonly context: PlainContext };
  };
  /** Edits of the request that change nothing. */
  readonly wireEdits: ((trust: WireTrust) => WireTrust)[];
  /** The payload as it was signed; for changes of the trust and the context, which come last. */
  signed?: { readonly payloadDigest: string };
}

export const LICENSE_ID = '0193817a-6c00-7000-8000-000000000001';
export const LINEAGE = 'example-vendor/vaultdesk/acme-gmbh';

export function validDraft(signer: SigningKey): Draft {
  return {
    signer,
    claims: new Map<Item, Item>([
      [1, 'example-vendor'],
      [2, 'acme-gmbh'],
      [3, 'vaultdesk'],
      [4, NOW + 265 * DAY],
      [5, NOW - 100 * DAY],
      [6, NOW - 100 * DAY],
      [7, fromHex(LICENSE_ID.replaceAll('-', '')) ?? new Uint8Array()],
      ['ctr', 5],
      ['tier', 'pro'],
      ['seats', 250],
    ]),
    payloadEdits: [],
    header: new Map<Item, Item>([
      [1, signer.publicKey.alg === 'ed25519' ? -19 : 'ed25519+ml-dsa-65'],
      [4, fromHex(signer.publicKey.kid) ?? new Uint8Array()],
      [16, TYP.license],
    ]),
    headerEdits: [],
    signatureEdits: [],
    itemEdits: [],
    tag: head(6, 18),
    coseEdits: [],
    textEdits: [],
    trust: {
      keys: [{ key: signer.publicKey, purpose: 'license', status: 'active' }],
      revokedLicenses: [],
      lowestCounters: new Map(),
    },
    context: { issuer: 'example-vendor', product: 'vaultdesk', now: NOW, defaultGrace: 14 * DAY },
    wireEdits: [],
  };
}

/** A file that was written, with what was really signed in it. */
export interface Written {
  readonly file: Uint8Array;
  readonly record: SignedRecord;
}

export function write(draft: Draft): Written {
  const edit = <T>(value: T, edits: readonly ((value: T) => T)[]): T => edits.reduce((one, next) => next(one), value);
  const { signer, claims, payloadEdits, header, headerEdits, itemEdits, tag } = draft;
  const payload = edit(encode(sortedPairs([...claims])), payloadEdits);
  const protectedBytes = edit(encode(sortedPairs([...header])), headerEdits);
  const genuine = signer.sign(sigStructure(protectedBytes, payload));
  const signature = edit(draft.sign?.(protectedBytes, payload) ?? genuine, draft.signatureEdits);
  const items = edit<Item[]>([protectedBytes, new Pairs([]), payload, signature], itemEdits);
  const cose = edit(concatBytes(tag, head(4, items.length), ...items.map(encode)), draft.coseEdits);
  const file = edit(armor('VTLIC', cose.length === 0 ? Uint8Array.of(0) : cose), draft.textEdits);
  const { kid } = signer.publicKey;
  return { file, record: { kid, protectedBytes, payload, signature: genuine, payloadDigest: sha256Hex(payload) } };
}

/** How many bytes the COSE_Sign1 will have, unless something is edited behind the claims. */
export function coseBytes({ claims, header, signer, tag }: Draft): number {
  const signature = new Uint8Array(signer.publicKey.alg === 'ed25519' ? 64 : 3373);
  const parts: Item[] = [encode(sortedPairs([...header])), new Pairs([]), encode(sortedPairs([...claims])), signature];
  return tag.length + encode(parts).length;
}

export interface Prepared {
  readonly license: string;
  readonly trust: WireTrust;
  readonly context: PlainContext;
  readonly expected: Answer;
}

export function prepare(draft: Draft, { file, record }: Written): Prepared {
  const context = wireContext(draft.context);
  const trust = draft.wireEdits.reduce((one, edit) => edit(one), wireTrust(draft.trust));
  const license = base64(file);
  // First, and with a good context: no document says which of a bad trust and a bad context a verifier names.
  if (isInvalid(draft.trust)) return { license, trust, context, expected: { verdict: 'configuration_invalid' } };
  if (draft.forced !== undefined)
    return { license, ...draft.forced.edit(trust, context), expected: { verdict: draft.forced.verdict } };
  const expected = expectedOf(file, record, modelTrust(draft.trust), draft.context);
  return { license, trust, context, expected: wantedOf(expected) };
}

/** What two changes together can make of a trust (section 8.1). */
function isInvalid({ keys }: DraftTrust): boolean {
  const entries = new Map<string, string>();
  return keys.some(({ key, ...entry }) => {
    const text = JSON.stringify(Object.entries(entry).sort());
    const before = entries.get(key.kid) ?? text;
    entries.set(key.kid, before);
    return before !== text || (entry.honored !== undefined && entry.honored.length > 0 && entry.status !== 'revoked');
  });
}

/** The verdict of the model, in the words of the protocol. */
export function wantedOf({ verdict, genuine }: Expected): Answer {
  if (genuine !== undefined)
    return {
      verdict: 'accepted',
      state: verdict as State,
      payloadDigest: genuine.payloadDigest,
      lineage: genuine.lineage,
    };
  return { verdict: 'refused', layer: REASONS[verdict as Reason].layer, reason: verdict };
}

export function modelTrust({ keys, ...policy }: DraftTrust): ModelTrust {
  return {
    keys: keys.map(({ key, honored, ...rest }) => ({
      kid: key.kid,
      alg: key.alg,
      ...rest,
      ...(key.alg === 'ed25519' ? {} : { componentKid: kidOf('ed25519', key.ed25519) }),
      ...(honored === undefined ? {} : { honored: new Set(honored) }),
    })),
    requireComposite: policy.requireComposite ?? false,
    ...(policy.ed25519Until === undefined ? {} : { ed25519Until: policy.ed25519Until }),
    revokedLicenses: new Set(policy.revokedLicenses),
    lowestCounters: policy.lowestCounters,
  };
}

export function wireTrust({ keys, revokedLicenses, lowestCounters, ...policy }: DraftTrust): WireTrust {
  return {
    keys: keys.map(({ key, ...rest }): WireKey => ({
      alg: key.alg,
      public: base64(key.bytes),
      kid: key.kid,
      ...rest,
    })),
    ...policy,
    ...(revokedLicenses.length === 0 ? {} : { revokedLicenses }),
    ...(lowestCounters.size === 0 ? {} : { lowestCounters: Object.fromEntries(lowestCounters) }),
  };
}

export function wireContext({ seen, ...context }: ModelContext): PlainContext {
  return {
    ...context,
    ...(seen === undefined ? {} : { seen: { ...seen, lineages: Object.fromEntries(seen.lineages) } }),
  };
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}
