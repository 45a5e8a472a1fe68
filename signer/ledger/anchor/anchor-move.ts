/** The last act by which the anchor came to lie elsewhere, a restored record's own place left out. */
import type { AnchorPlace } from '../record/anchor.ts';
import type { LedgerView } from '../record/ledger.ts';

export interface AnchorMove {
  /** seq of the entry. */
  readonly seq: number;
  readonly from: AnchorPlace;
  readonly to: AnchorPlace;
}

export function lastAnchorMove(ledger: Pick<LedgerView, 'acts' | 'genesis'>): AnchorMove | undefined {
  let place = ledger.genesis.anchor;
  let move: AnchorMove | undefined;
  for (const entry of ledger.acts()) {
    if (entry.kind !== 'adopt' || (entry.body.act !== 'anchor' && entry.body.act !== 'log')) continue;
    move = entry.body.act === 'anchor' ? { seq: entry.seq, from: place, to: entry.body.anchor } : undefined;
    place = entry.body.anchor;
  }
  return move;
}
