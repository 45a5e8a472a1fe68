/**
 * What a runtime remembers (docs/runtime.md, "The state"), as a value: what was accepted, the marks of time, the
 * license that was accepted last; and the merge of two copies of it. Pure; the codec is `state-document.ts`.
 */
import { encodeCbor, type CborValue } from '../../formats/cbor/index.ts';
import { compareBytes, equalBytes } from '../../formats/bytes.ts';
import type { Seen, SeenLineage } from '../rollback.ts';
import type { Accepted } from '../verdict.ts';
import { mergeTime, NO_TIME, type TimeMarks } from './effective-time.ts';

/** The highest that was accepted in one lineage by one key. */
export interface AcceptedEntry {
  readonly lineage: string;
  readonly kid: string;
  readonly counter: number;
  /** Of the payload with this counter. */
  readonly payloadDigest: string;
  /** The highest iat accepted; 0 where it is from before the current epoch. */
  readonly iat: number;
  /** Rises with each acceptance, over all lineages: the highest is the current one. 0 as for `iat`. */
  readonly sequence: number;
}

export interface RuntimeState {
  /** Rises when a license with `clk` lowers the time: the values of time of an earlier epoch no longer count. */
  readonly epoch: number;
  readonly time: TimeMarks;
  /** Sorted by lineage, then kid; each pair once. */
  readonly entries: readonly AcceptedEntry[];
  /** The file of the license that was accepted last. */
  readonly kept?: { readonly sequence: number; readonly file: Uint8Array };
  /** The longest chain of keysets seen, with the version that it ends with. */
  readonly keyset?: { readonly version: number; readonly chain: Uint8Array };
  /** Rises with each write. */
  readonly revision: number;
  /** Who advances the marks of time; `beat` rises while that process runs. */
  readonly lease?: { readonly holder: string; readonly beat: number };
  /** Members that a later release of the product added: kept for it, and not understood here. */
  readonly unknown?: ReadonlyMap<string, CborValue>;
}

export const EMPTY_STATE: RuntimeState = Object.freeze({
  epoch: 0,
  time: NO_TIME,
  entries: Object.freeze([]),
  revision: 0,
});

/** Whether what a key signed still counts; it no longer does once the key is revoked. */
export type Counts = (kid: string, payloadDigest: string) => boolean;

/** What `verify()` compares with. Undefined: nothing that counts was accepted. */
export function seenOf(state: RuntimeState, counts: Counts): Seen | undefined {
  const lineages = new Map<string, SeenLineage>();
  let highestIat = 0;
  let current: AcceptedEntry | undefined;
  for (const entry of state.entries) {
    if (!counts(entry.kid, entry.payloadDigest)) continue;
    const known = lineages.get(entry.lineage);
    if (known === undefined || isHigher(entry, known))
      lineages.set(entry.lineage, { counter: entry.counter, payloadDigest: entry.payloadDigest });
    highestIat = Math.max(highestIat, entry.iat);
    if (current === undefined || isLater(entry, current)) current = entry;
  }
  return current === undefined ? undefined : Object.freeze({ current: current.lineage, highestIat, lineages });
}

/**
 * The state without the marks of time, where a license with `clk` set them and nothing that was ever accepted counts
 * any more: whoever stole a key could otherwise set the floor to a time at which every license has lapsed, and its
 * revocation would not undo that. Otherwise the same value.
 */
export function withTimeThatCounts(state: RuntimeState, counts: Counts): RuntimeState {
  const isTrusted = state.epoch === 0 || state.entries.length === 0 || seenOf(state, counts) !== undefined;
  return isTrusted || state.time === NO_TIME ? state : { ...state, epoch: state.epoch + 1, time: NO_TIME };
}

/** Of two payloads with one counter, which no honest signer makes, always the same one is taken. */
function isHigher(a: SeenLineage, b: SeenLineage): boolean {
  return a.counter > b.counter || (a.counter === b.counter && a.payloadDigest > b.payloadDigest);
}

/** Two stores that diverged may have given one sequence number twice. */
function isLater(a: AcceptedEntry, b: AcceptedEntry): boolean {
  return (a.sequence - b.sequence || a.iat - b.iat || compareTexts(a.lineage, b.lineage)) > 0;
}

/**
 * The state once a license has come into force.
 *
 * @param file the license as it was read
 * @returns the same value where nothing changes
 */
export function stateAfter(state: RuntimeState, accepted: Accepted, file: Uint8Array): RuntimeState {
  const { license, lineage, kid, payloadDigest, resetsClock } = accepted;
  const last = Math.max(0, ...state.entries.map(({ sequence }) => sequence));
  const own = state.entries.find((entry) => entry.lineage === lineage && entry.kid === kid);
  const isLast = own !== undefined && own.sequence === last && own.payloadDigest === payloadDigest;
  const isKeptLast = own?.sequence === last && state.kept?.sequence === last && own.iat >= license.iat;
  // The entry of a stolen key may have the counter of a forgery, and the license in force be one that is honored.
  if (isKeptLast && (isLast || equalBytes(state.kept.file, file))) return state;
  const sequence = isLast ? last : last + 1;
  const candidate: SeenLineage = { counter: license.ctr, payloadDigest };
  const { counter, payloadDigest: digest } = own === undefined || isHigher(candidate, own) ? candidate : own;
  const entry = { lineage, kid, counter, payloadDigest: digest, iat: Math.max(own?.iat ?? 0, license.iat), sequence };
  const entries = sortEntries([...state.entries.filter((one) => one !== own), entry]);
  const next: RuntimeState = { ...state, entries, kept: { sequence, file } };
  if (!resetsClock) return next;
  return {
    ...next,
    epoch: state.epoch + 1,
    time: { floor: license.iat, leadRun: 0, leadTime: 0 },
    entries: entries.map((one) => ({ ...one, iat: Math.min(one.iat, license.iat) })),
  };
}

/**
 * Two copies of one state as one. The order of merging does not matter. Counters never go down; values of time are
 * those of the higher epoch, and within one epoch the highest.
 */
export function mergeStates(a: RuntimeState, b: RuntimeState): RuntimeState {
  if (a.epoch < b.epoch) return mergeStates(b, a);
  const older = a.epoch > b.epoch;
  const kept = older ? a.kept : laterOf(a.kept, b.kept, compareKept);
  const keyset = laterOf(a.keyset, b.keyset, compareChains);
  const lease = ofLastRevision(a, b, ({ lease }) => lease, compareLeases);
  const unknown = ofLastRevision(a, b, ({ unknown }) => unknown, compareUnknown);
  return {
    epoch: a.epoch,
    time: older ? a.time : mergeTime(a.time, b.time),
    entries: mergeEntries(a.entries, older ? b.entries.map((one) => ({ ...one, iat: 0, sequence: 0 })) : b.entries),
    ...(kept === undefined ? {} : { kept }),
    ...(keyset === undefined ? {} : { keyset }),
    revision: Math.max(a.revision, b.revision),
    ...(lease === undefined ? {} : { lease }),
    ...(unknown === undefined ? {} : { unknown }),
  };
}

function mergeEntries(a: readonly AcceptedEntry[], b: readonly AcceptedEntry[]): readonly AcceptedEntry[] {
  const merged = new Map<string, AcceptedEntry>();
  for (const entry of [...a, ...b]) {
    const other = merged.get(entryKey(entry)) ?? entry;
    const { counter, payloadDigest } = isHigher(entry, other) ? entry : other;
    merged.set(entryKey(entry), {
      ...entry,
      counter,
      payloadDigest,
      iat: Math.max(entry.iat, other.iat),
      sequence: Math.max(entry.sequence, other.sequence),
    });
  }
  return sortEntries([...merged.values()]);
}

/** The order of entries. An id has no character that sorts before the line feed. */
export function entryKey({ lineage, kid }: AcceptedEntry): string {
  return `${lineage}\n${kid}`;
}

function sortEntries(entries: readonly AcceptedEntry[]): readonly AcceptedEntry[] {
  return [...entries].sort((x, y) => compareTexts(entryKey(x), entryKey(y)));
}

/** 1, 0 or -1. */
function compareTexts(x: string, y: string): number {
  return Number(x > y) - Number(x < y);
}

type Compare<Value> = (x: Value, y: Value) => number;
type Kept = NonNullable<RuntimeState['kept']>;
type Keyset = NonNullable<RuntimeState['keyset']>;
type Lease = NonNullable<RuntimeState['lease']>;
type Unknown = NonNullable<RuntimeState['unknown']>;

const compareKept: Compare<Kept> = (x, y) => x.sequence - y.sequence || compareBytes(x.file, y.file);
const compareChains: Compare<Keyset> = (x, y) => x.version - y.version || compareBytes(x.chain, y.chain);
const compareLeases: Compare<Lease> = (x, y) => compareTexts(x.holder, y.holder) || x.beat - y.beat;
const compareUnknown: Compare<Unknown> = (x, y) => compareBytes(encodeCbor(x), encodeCbor(y));

/** The later of two values in their order, so that it is the same one wherever two copies are merged. */
function laterOf<Value>(x: Value | undefined, y: Value | undefined, compare: Compare<Value>): Value | undefined {
  if (x === undefined || y === undefined) return x ?? y;
  return compare(x, y) > 0 ? x : y;
}

/** What a later revision removed stays removed. */
function ofLastRevision<Value>(
  a: RuntimeState,
  b: RuntimeState,
  get: (state: RuntimeState) => Value | undefined,
  compare: Compare<Value>,
): Value | undefined {
  if (a.revision > b.revision) return get(a);
  return a.revision < b.revision ? get(b) : laterOf(get(a), get(b), compare);
}
