/**
 * How the anchor in a token is exchanged for a new one, only if it is still the one that the caller knows.
 *
 * PKCS#11 has no lock and no conditional write: objects can be made, listed and destroyed, and that is all. Several
 * processes may try at once, each may stop at any step, and go on after any time or never. This is consensus over
 * registers with a single disk (Gafni and Lamport, "Disk Paxos", 2003), once for each generation of the anchor:
 *
 * 1. list, and compare with what the caller knows
 * 2. make a claim: an object with a ballot that is higher than all others of this generation
 * 3. list: stop if a higher ballot is there; take over the proposal with the highest ballot, if there is one
 * 4. make the proposal under the ballot of the claim
 * 5. list: if no higher ballot is there, this decides
 * 6. destroy the anchor before it, then what is left of the change
 *
 * Steps 3 and 5 also stop if the anchor before it is gone: then the generation is decided. A process that wakes up late
 * therefore changes nothing. An interrupted change is finished, or replaced, by the next one.
 *
 * This relies on one property of a token: a search finds every object that is there from its beginning to its end,
 * whoever made it (`Token.readDataAnew`). Of those that are made or destroyed meanwhile it may find any: `list` here is
 * done until two lists in a row agree. The test `test/unit/signer/anchor/exchange-model.test.ts` explores all
 * interleavings.
 */
import { compareBytes, equalBytes, toHex, utf8 } from '../../formats/bytes.ts';
import { encodeCbor, isCborArray, isCborBytes } from '../../formats/cbor/index.ts';
import { VtlicError } from '../../formats/error.ts';
import { decodeOrNothing, digestOf } from './anchor-record.ts';

/** The acts that the exchange is made of, each atomic. All objects have the label of the anchor. */
export interface AnchorObjects {
  list(): Promise<readonly Uint8Array[]>;
  create(bytes: Uint8Array): Promise<void>;
  /** Does nothing if there is no such object. */
  destroy(bytes: Uint8Array): Promise<void>;
}

interface Ballot {
  readonly round: number;
  /** Distinguishes changes that chose the same round. */
  readonly by: Uint8Array;
}

interface ChangeObject extends Ballot {
  readonly bytes: Uint8Array;
  /** From 1; what version 0.1.0 wrote is generation 0. */
  readonly generation: number;
  /** Identity of the anchor before it. */
  readonly base: string;
  /** What the anchor becomes; undefined in a claim. */
  readonly proposal: Uint8Array | undefined;
}

export interface SeenObjects {
  /** What the anchor is: none, one, or several that interrupted changes of version 0.1.0 left. */
  readonly contents: readonly Uint8Array[];
  /** Proposals for the next generation, none of them known to be decided; the highest ballot first. */
  readonly pending: readonly ChangeObject[];
  readonly generation: number;
  readonly identity: string;
  /** The objects that are the anchor. */
  readonly base: readonly Uint8Array[];
  readonly changes: readonly ChangeObject[];
  readonly all: readonly Uint8Array[];
}

const DOMAIN = 'vtlic-ledger-anchor-change/1';
/** Represents "no anchor" while the first anchor is made. Once this object is gone, the first anchor is decided. */
const FREE = utf8('vtlic-ledger-anchor-free/1');
/** A higher ballot of another process interrupts a change; after so many attempts it is reported. */
const ATTEMPTS = 6;
/** How often the objects may be others than in the list before. */
const LISTS = 20;

export async function seeObjects(objects: AnchorObjects): Promise<SeenObjects> {
  const all = await listTwice(objects);
  const changes = all.flatMap((bytes) => decodeChange(bytes) ?? []).sort(byBallot);
  const proposals = changes.filter(({ proposal }) => proposal !== undefined);
  const newest = Math.max(0, ...proposals.map(({ generation }) => generation));
  const first = all.filter((bytes) => decodeChange(bytes) === undefined);
  const of = (generation: number): readonly ChangeObject[] =>
    proposals.filter((change) => change.generation === generation);
  const older = newest === 0 ? undefined : anchorOf(newest - 1, newest === 1 ? first : of(newest - 1), of(newest)[0]);
  const pending = older === undefined ? [] : of(newest);
  const [decided] = of(newest);
  const anchor = older ?? (decided === undefined ? anchorAtFirst(first) : chosen(decided, of(newest)));
  return { ...anchor, pending, changes, all };
}

/**
 * Lists until two lists in a row agree: a search does not look at all objects in one moment. The anchor before a change
 * is the first that is destroyed, so if both lists contain it, the first one contains all that was there of the change.
 */
async function listTwice(objects: AnchorObjects): Promise<readonly Uint8Array[]> {
  let before = distinct(await objects.list());
  for (let i = 0; i < LISTS; i++) {
    const now = distinct(await objects.list());
    if (now.length === before.length && now.every((bytes) => contains(before, bytes))) return now;
    before = now;
  }
  throw interrupted();
}

type Anchor = Pick<SeenObjects, 'contents' | 'generation' | 'identity' | 'base'>;

/** The anchor before a proposal, if it is still there. */
function anchorOf(
  generation: number,
  candidates: readonly Uint8Array[] | readonly ChangeObject[],
  proposal: ChangeObject | undefined,
): Anchor | undefined {
  if (proposal === undefined || candidates.length === 0) return undefined;
  const changes = candidates.filter((candidate): candidate is ChangeObject => 'generation' in candidate);
  if (generation > 0) {
    const before = changes.find((change) => proposalIdentity(change) === proposal.base);
    return before === undefined ? undefined : chosen(before, changes);
  }
  const first = candidates.filter((candidate): candidate is Uint8Array => !('generation' in candidate));
  return anchorAtFirst(first);
}

function anchorAtFirst(base: readonly Uint8Array[]): Anchor {
  return { generation: 0, identity: '', base, contents: base.filter((bytes) => !isFree(bytes)) };
}

function chosen(change: ChangeObject, sameGeneration: readonly ChangeObject[]): Anchor {
  const identity = proposalIdentity(change);
  return {
    generation: change.generation,
    identity,
    base: sameGeneration.filter((other) => proposalIdentity(other) === identity).map(({ bytes }) => bytes),
    contents: change.proposal === undefined ? [] : [change.proposal],
  };
}

/**
 * @param isKnown judges what the anchor is now
 * @param next bytes that no other change writes; undefined only finishes what others have proposed
 * @param by 16 random bytes
 * @param attempts how often a higher ballot may interrupt it
 * @returns false if the anchor is another than the caller knows, and is not `next`
 * @throws VtlicError `ledger_in_use` if other processes interrupt it again and again
 */
export async function exchangeObjects(
  objects: AnchorObjects,
  isKnown: (seen: SeenObjects) => boolean,
  next: Uint8Array | undefined,
  by: Uint8Array,
  attempts: number = ATTEMPTS,
): Promise<boolean> {
  for (let attempt = 0; attempt < attempts;) {
    const seen = await seeObjects(objects);
    const isNext = next !== undefined && seen.contents.some((content) => equalBytes(content, next));
    if (isNext || (next === undefined && seen.pending.length === 0)) return true;
    if (next !== undefined && !isKnown(seen)) return false;
    if (seen.base.length === 0) {
      await objects.create(FREE);
      continue;
    }
    attempt++;
    const decided = await tryBallot(objects, seen, next, by);
    if (decided !== undefined) return next === undefined || equalBytes(decided, next);
  }
  throw interrupted();
}

function interrupted(): VtlicError {
  return new VtlicError('ledger_in_use', 'other runs are changing this anchor at the same time', {
    hint:
      'find the other copy of this ledger, and let only one of them run; then run this command again: it finishes ' +
      'this change, or begins anew',
  });
}

/** Steps 2 to 6. @returns what was decided; undefined if another process interrupted it */
async function tryBallot(
  objects: AnchorObjects,
  { generation, identity, changes }: SeenObjects,
  next: Uint8Array | undefined,
  by: Uint8Array,
): Promise<Uint8Array | undefined> {
  const before = changes.filter((change) => change.generation === generation + 1);
  const round = 1 + Math.max(0, ...before.map((change) => change.round));
  const ballot = { generation: generation + 1, base: identity, round, by };
  await objects.create(encodeChange(ballot, undefined));
  const claimed = await seeObjects(objects);
  const proposal = claimed.pending[0]?.proposal ?? next;
  if (!isStillMine(claimed, ballot, encodeChange(ballot, undefined)) || proposal === undefined) return undefined;
  const mine = encodeChange(ballot, proposal);
  await objects.create(mine);

  const proposed = await seeObjects(objects);
  if (!isStillMine(proposed, ballot, mine)) return undefined;
  for (const bytes of proposed.base) await objects.destroy(bytes);
  for (const bytes of proposed.all)
    if (!equalBytes(bytes, mine) && !proposed.base.some((gone) => equalBytes(gone, bytes)))
      await objects.destroy(bytes);
  return proposal;
}

type BallotOfChange = Pick<ChangeObject, 'generation' | 'base' | 'round' | 'by'>;

/** The anchor before this change is still there, and nobody has a higher ballot. */
function isStillMine(seen: SeenObjects, ballot: BallotOfChange, made: Uint8Array): boolean {
  if (seen.identity !== ballot.base || seen.generation + 1 !== ballot.generation) return false;
  if (seen.base.length === 0 || !contains(seen.all, made)) return false;
  return seen.changes.every((other) => other.generation !== ballot.generation || byBallot(ballot, other) <= 0);
}

function contains(list: readonly Uint8Array[], bytes: Uint8Array): boolean {
  return list.some((each) => equalBytes(each, bytes));
}

/** The highest first. */
function byBallot(a: Ballot, b: Ballot): number {
  return b.round - a.round || compareBytes(b.by, a.by);
}

function encodeChange({ generation, base, round, by }: BallotOfChange, proposal: Uint8Array | undefined): Uint8Array {
  const fields = [DOMAIN, generation, base, round, by, proposal ?? new Uint8Array(0)];
  return encodeCbor([...fields, digestOf(encodeCbor(fields))]);
}

function decodeChange(bytes: Uint8Array): ChangeObject | undefined {
  const value = decodeOrNothing(bytes);
  if (!isCborArray(value) || value.length !== 7) return undefined;
  const [domain, generation, base, round, by, proposal, check] = value;
  if (domain !== DOMAIN || !isCborBytes(check) || !equalBytes(check, digestOf(encodeCbor(value.slice(0, 6)))))
    return undefined;
  if (typeof generation !== 'number' || typeof round !== 'number' || typeof base !== 'string') return undefined;
  if (!isCborBytes(by) || !isCborBytes(proposal) || generation < 1) return undefined;
  return { bytes, generation, base, round, by, proposal: proposal.length === 0 ? undefined : proposal };
}

/** The same for one proposal under several ballots. */
function proposalIdentity({ generation, base, proposal }: ChangeObject): string {
  return toHex(digestOf(encodeCbor([generation, base, proposal ?? new Uint8Array(0)])).subarray(0, 16));
}

function isFree(bytes: Uint8Array): boolean {
  return equalBytes(bytes, FREE);
}

function distinct(list: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...new Map(list.map((bytes) => [toHex(bytes), bytes])).values()];
}
