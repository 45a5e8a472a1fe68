/**
 * Which counter a lineage takes next. Each intent takes the last counter plus one. Besides that, only administrative
 * entries move counters, and only upwards.
 */
import { equalBytes } from '../../../formats/bytes.ts';
import type { LedgerHead } from '../../anchor/index.ts';
import type { DocumentPosition } from './admin-entry.ts';

/**
 * What an administrative entry does to the last spent counter of a lineage: it adds `skip`, then raises the result to
 * at least `floor`. A lineage that was never seen begins at 0 and is moved like all others.
 */
export interface CounterMove {
  /** seq of the entry. */
  readonly seq: number;
  readonly skip: number;
  readonly floor: number;
}

/**
 * @param last the counter that was spent last, 0 for none
 * @param moves in the order of the record, all of them after that counter was spent
 */
export function movedCounter(last: number, moves: Iterable<CounterMove>): number {
  let counter = last;
  for (const move of moves) counter = Math.max(counter + move.skip, move.floor);
  return counter;
}

/**
 * How many counters each lineage skips after a restore.
 *
 * Each released counter owned a leaf that the anchor covered, and the counter bound counts those leaves. So between
 * a state that both histories share and the anchor, no lineage's counter can have grown by more than the bound did.
 * Within one log, the two histories share everything that was surely anchored. An anchor of another log shares at
 * least the beginning, where every counter is 0.
 *
 * @param restored the head of the copy
 * @param coveredBound counter bound of the copy at its last leaf that was surely anchored
 * @param found what the anchor contains
 */
export function countersToSkip(restored: LedgerHead, coveredBound: number, found: LedgerHead): number {
  const shared = equalBytes(restored.logId, found.logId) ? coveredBound : 0;
  return Math.max(0, found.counterBound - shared);
}

/** Documents of one ledger are taken in their order: an older one may have been taken back since. */
export function isNewerDocument(a: DocumentPosition, b: DocumentPosition): boolean {
  return a.bound > b.bound || (a.bound === b.bound && a.entries > b.entries);
}
