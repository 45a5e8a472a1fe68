import { equalBytes } from '../../../formats/bytes.ts';
import type { LedgerHead } from '../record/anchor.ts';

/**
 * How many counters each lineage skips after a restore.
 *
 * Each released counter owned a leaf that the anchor covered, and reach counts those, so no lineage's counter can have grown by more
 * than reach did between a state that both histories share and the anchor. Within one log they share all that was surely anchored. An
 * anchor of another log shares at least the beginning, where every counter is 0.
 *
 * @param restored the head of the copy
 * @param coveredReach reach of the copy at its last leaf that was surely anchored
 * @param found what the anchor holds
 */
export function skipAfter(restored: LedgerHead, coveredReach: number, found: LedgerHead): number {
  const shared = equalBytes(restored.logId, found.logId) ? coveredReach : 0;
  return Math.max(0, found.reach - shared);
}
