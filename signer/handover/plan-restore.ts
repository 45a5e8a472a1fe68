/**
 * Plans a restore and changes nothing: it compares the copy with its anchor and with the licenses that came back, and
 * finds how many counters the restored ledger skips.
 */
import { equalBytes, toHex } from '../../formats/bytes.ts';
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { MAX_COUNT } from '../../formats/license/bounds.ts';
import {
  type AnchorPlace,
  anchorPlaceText,
  type AnchorRecord,
  type AnchorStore,
  compareAnchor,
  type LedgerHead,
  samePlace,
} from '../anchor/index.ts';
import { coseFault, type LedgerView, lineageText, countersToSkip } from '../ledger/index.ts';
import type { ReleasedFile } from './released-licenses.ts';

/**
 * - `as-is`: the anchor says that nothing is missing; the copy takes its place.
 * - `moved`: the same, and from now on the anchor is in another place.
 * - `restored`: the anchor has seen more; a new log begins, and counters skip what may have been used.
 * - `anchor_lost`: no record says what is missing, so the officer has to say it.
 */
export type RestoreKind = 'as-is' | 'moved' | 'restored' | 'anchor_lost';

export interface RestorePlan {
  readonly kind: RestoreKind;
  readonly place: AnchorPlace;
  readonly head: LedgerHead;
  /** All records of the anchor. */
  readonly seen: readonly AnchorRecord[];
  /** The newest of them. */
  readonly found: AnchorRecord | undefined;
  /** The records of this ledger in the place that the copy names, if the anchor moves to another place. */
  readonly previousSeen: readonly AnchorRecord[];
  /** The ledger that has moved the anchor away from there, if it has more entries than `found`. */
  readonly movedBy: AnchorRecord | undefined;
  readonly covered: number;
  readonly coveredBound: number;
  readonly skip: number;
  readonly closed: boolean;
  /** Root keys of this site sign no version of the keyset up to this one; 0 where nothing is missing, and for none. */
  readonly keysetVersion: number;
  /** Licenses that the copy does not know. */
  readonly reenter: readonly ReleasedFile[];
  /** Licenses whose counter the copy has reserved, and not finished. */
  readonly fulfil: readonly (ReleasedFile & { readonly intent: number })[];
  /** Licenses that the copy has. */
  readonly known: number;
  /** Reserved in the copy, and none of the licenses: their counters are void. */
  readonly voids: readonly number[];
}

/** What only the officer can say. */
export interface LostAnchor {
  readonly skip: number;
  /** The highest version of the keyset that a root key of this site may have signed, or that may be published. */
  readonly keysetVersion: number;
}

export interface RestoreInput {
  readonly copy: LedgerView;
  readonly store: AnchorStore;
  readonly place: AnchorPlace;
  /** The place that the copy names, if the anchor moves to another place and the old one can be read. */
  readonly previous?: AnchorStore | undefined;
  readonly released: readonly ReleasedFile[];
  /**
   * The officer says that the anchor is lost, and how many licenses may have been issued that the copy does not know.
   */
  readonly lost: LostAnchor | undefined;
}

export async function planRestore(input: RestoreInput): Promise<RestorePlan> {
  const { copy, place, released, lost } = input;
  const records = await readAnchor(input.store, lost !== undefined);
  const found = largest(copy, records, input.store.description);
  if (found !== undefined && lost !== undefined) {
    throw new VtlicError('usage', `${input.store.description} is not lost: it can be read, and says what is missing`, {
      hint: 'leave --lost-anchor out',
    });
  }
  if (found === undefined && lost === undefined) {
    throw new VtlicError(
      'ledger_rolled_back',
      `${input.store.description} is not there, and only the anchor says what is missing in this copy`,
      {
        hint:
          'find the anchor and say where it is: --anchor PLACE; only if it is lost for good: --lost-anchor ' +
          '--skip N',
      },
    );
  }
  const head = copy.head();
  if (found !== undefined) requireMoveFinished(copy, place, found);
  const previous = await readPrevious({ ...input, ledgerId: copy.genesis.ledgerId }, found);
  const agrees = found !== undefined && anchorAgrees(copy, records, input.store);
  const kind: RestoreKind =
    found === undefined
      ? 'anchor_lost'
      : !agrees
        ? 'restored'
        : samePlace(place, copy.anchorPlace())
          ? 'as-is'
          : 'moved';
  const sorted = sortReleased(copy, released);
  // A ledger that was restored before may have lost them then; their counters were skipped.
  if (agrees && copy.logs().length === 1 && sorted.reenter.length + sorted.fulfil.length > 0) {
    const [first] = [...sorted.reenter, ...sorted.fulfil];
    throw new VtlicError(
      'ledger_conflict',
      `the anchor says that nothing that was released is missing in this copy, ` +
        'but the copy does not contain this license, which a key of this site signed' +
        (first === undefined ? '' : ` (counter ${first.license.ctr} of ${lineageText(first.license)})`),
      {
        ...(first === undefined ? {} : { file: first.file }),
        hint: 'find out where it comes from before anything is signed: the key may be in use elsewhere',
      },
    );
  }
  const { covered, coveredBound } = coveredOf(copy);
  const skip = found === undefined ? (lost?.skip ?? 0) : agrees ? 0 : countersToSkip(head, coveredBound, found);
  if (!Number.isSafeInteger(skip + head.counterBound) || skip > MAX_COUNT / 2)
    throw new VtlicError(
      'usage',
      `--skip ${skip} is too large: at most ${Math.floor(MAX_COUNT / 2)} counters can be skipped`,
    );
  return Object.freeze({
    kind,
    place,
    head,
    seen: records,
    found,
    ...previous,
    covered,
    coveredBound,
    skip,
    closed: found !== undefined && !agrees && found.closes > head.closes,
    keysetVersion: agrees ? 0 : Math.max(head.keysetVersion ?? 0, found?.keysetVersion ?? 0, lost?.keysetVersion ?? 0),
    ...(agrees ? { ...sorted, ...NOTHING } : sorted),
  });
}

/** If nothing is missing, this enters nothing. */
const NOTHING: Pick<RestorePlan, 'reenter' | 'fulfil' | 'voids'> = Object.freeze({
  reenter: [],
  fulfil: [],
  voids: [],
});

/**
 * Checks that the anchor still contains what the plan was made with. Called again after the typed word, because a
 * prompt may be open for hours.
 *
 * @throws VtlicError `ledger_conflict`
 */
export async function requireSameAnchor({ kind, seen }: RestorePlan, store: AnchorStore): Promise<void> {
  const records = await readAnchor(store, kind === 'anchor_lost');
  if (
    records.length === seen.length &&
    records.every((record) => seen.some((before) => equalBytes(before.chain, record.chain)))
  )
    return;
  throw changedSinceShown(store);
}

export function changedSinceShown(store: AnchorStore): VtlicError {
  return new VtlicError(
    'ledger_conflict',
    `${store.description} was changed since this restore was shown: a copy of this ledger is in use, or ` +
      'somebody changed the anchor; nothing was restored',
    {
      hint: 'see that nobody signs with another copy, and run it again: what is missing is counted anew',
    },
  );
}

/**
 * Until a move of the anchor is finished, the place that it comes from decides: another copy may go on with the anchor
 * there, and no third place would say so.
 *
 * @throws VtlicError `ledger_rolled_back`
 */
function requireMoveFinished(copy: LedgerView, place: AnchorPlace, found: AnchorRecord): void {
  const move = copy.lastAnchorMove();
  if (move === undefined || move.seq !== copy.head().entries || found.entries >= move.seq) return;
  if (samePlace(place, move.from) || samePlace(place, move.to)) return;
  const [from, to] = [move.from, move.to].map((each) => cleanText(anchorPlaceText(each), 1000));
  throw new VtlicError(
    'ledger_rolled_back',
    `the anchor of this copy was being moved from ${from} to ${to}, and this was interrupted: only the anchors in ` +
      'these two places say what the copy lacks',
    { hint: `finish the move: vtlic ledger anchor --to ${to}; or restore with the old place: --anchor ${from}` },
  );
}

/**
 * An anchor that still is in the place that the copy names says what is missing, if it has seen more. The record of
 * another ledger there is not ours to change.
 *
 * @throws VtlicError `usage` if it has seen more than the anchor in the new place
 */
export async function readPrevious(
  { ledgerId: own, previous, lost }: Pick<RestoreInput, 'previous' | 'lost'> & Pick<AnchorRecord, 'ledgerId'>,
  found: AnchorRecord | undefined,
): Promise<Pick<RestorePlan, 'previousSeen' | 'movedBy'>> {
  if (previous === undefined) return { previousSeen: [], movedBy: undefined };
  const isOwn = ({ ledgerId }: AnchorRecord): boolean => equalBytes(ledgerId, own);
  const previousSeen = (await readAnchor(previous, lost !== undefined)).filter(isOwn);
  const newest = Math.max(0, ...previousSeen.map((record) => record.entries));
  if (newest > (found?.entries ?? 0))
    throw new VtlicError(
      'usage',
      `${previous.description} is still in the place that this copy names, and has seen ` +
        (found === undefined ? `entry ${newest}` : 'more than the anchor that you name'),
      {
        hint:
          found === undefined
            ? 'leave --lost-anchor, --skip and --anchor out, since the anchor says what is missing; to move it ' +
              'afterwards: vtlic ledger anchor --to PLACE'
            : 'leave --anchor out; to move the anchor afterwards: vtlic ledger anchor --to PLACE',
      },
    );
  const movedBy = await unlessLost(() => previous.movedBy(), lost !== undefined);
  const isAhead = movedBy !== undefined && isOwn(movedBy) && movedBy.entries > (found?.entries ?? 0);
  return { previousSeen, movedBy: isAhead ? movedBy : undefined };
}

/** If the officer says that the anchor is lost, a damaged anchor and a missing place count as lost. */
async function readAnchor(store: AnchorStore, lost: boolean): Promise<readonly AnchorRecord[]> {
  return (await unlessLost(() => store.read(), lost)) ?? [];
}

async function unlessLost<T>(read: () => Promise<T>, lost: boolean): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (lost && error instanceof VtlicError && (error.code === 'ledger_corrupt' || error.code === 'file_unreadable'))
      return undefined;
    throw error;
  }
}

function largest(copy: LedgerView, records: readonly AnchorRecord[], description: string): AnchorRecord | undefined {
  let found: AnchorRecord | undefined;
  for (const record of records) {
    if (!equalBytes(record.ledgerId, copy.genesis.ledgerId)) {
      throw new VtlicError(
        'ledger_conflict',
        `${description} belongs to the ledger ${toHex(record.ledgerId)}, but this is a copy of the ledger ` +
          toHex(copy.genesis.ledgerId),
        { hint: 'give the copy and the anchor that belong together' },
      );
    }
    if (found === undefined || record.counterBound > found.counterBound) found = record;
  }
  return found;
}

function anchorAgrees(copy: LedgerView, records: readonly AnchorRecord[], store: AnchorStore): boolean {
  try {
    compareAnchor(copy, records, store);
    return true;
  } catch (error) {
    if (error instanceof VtlicError && error.code === 'ledger_rolled_back') return false;
    throw error;
  }
}

/**
 * A release is recorded only when the anchor covers the leaf, and a log that was opened is anchored before it is used.
 */
function coveredOf(copy: LedgerView): { readonly covered: number; readonly coveredBound: number } {
  const log = copy.logs().at(-1);
  if (log === undefined) throw new VtlicError('internal', 'a ledger has a log');
  const last = copy.lastReleasedIssue();
  const inThisLog = last !== undefined && last.seq > log.entry ? last : undefined;
  const covered = inThisLog === undefined ? (log.number > 1 ? 1 : 0) : inThisLog.body.leafIndex + 1;
  return {
    covered,
    coveredBound: copy.boundsAt({ entries: inThisLog?.seq ?? log.entry, logId: log.logId, size: covered }).counterBound,
  };
}

function sortReleased(
  copy: LedgerView,
  released: readonly ReleasedFile[],
): Pick<RestorePlan, 'reenter' | 'fulfil' | 'known' | 'voids'> {
  const reenter: ReleasedFile[] = [];
  const fulfil: (ReleasedFile & { readonly intent: number })[] = [];
  let known = 0;
  for (const item of released) {
    const record = copy.findByLicenseId(item.license.licenseId);
    const again = copy.findReentered(item.license.licenseId);
    const payload = again?.body.act === 'license' ? again.body.license.payload : record?.intent.body.payload;
    if (payload !== undefined && !equalBytes(payload, item.license.payload)) {
      throw new VtlicError(
        'ledger_conflict',
        `the copy contains another license with the id of this one (counter ${item.license.ctr} of ` +
          `${lineageText(item.license)})`,
        { file: item.file, hint: 'two ledgers were written with one key: find out how before anything is signed' },
      );
    }
    if (again !== undefined || record?.issue !== undefined) known++;
    else if (record?.state === 'open' && coseFault(record.intent.body, item.cose) === undefined)
      fulfil.push({ ...item, intent: record.intent.seq });
    else reenter.push(item);
  }
  const fulfilled = new Set(fulfil.map((item) => item.intent));
  const voids = copy
    .openIntents()
    .map((record) => record.intent.seq)
    .filter((seq) => !fulfilled.has(seq));
  return { reenter: Object.freeze(reenter), fulfil: Object.freeze(fulfil), known, voids: Object.freeze(voids) };
}
