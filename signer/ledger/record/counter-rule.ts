/**
 * Which counter a lineage takes next. Counters rise by one with each intent; besides that, only acts move them, and only upwards.
 */

/**
 * What an act does to the last spent counter of a lineage: `skip` adds, then no less than `floor`.
 * A lineage that was never seen begins at 0 and is moved like all others.
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
