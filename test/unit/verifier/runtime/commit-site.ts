/** The parts of a product that take a license: its state in memory, its consent, its clock. */
import type { License } from '../../../../formats/license/license.ts';
import { COMMIT_SECONDS, Committer, type CommitHooks, type Taken } from '../../../../verifier/runtime/commit.ts';
import { memoryStore, type Notice, type StateStore } from '../../../../verifier/runtime/index.ts';
import type { Situation } from '../../../../verifier/runtime/judge.ts';
import { StateKeeper } from '../../../../verifier/runtime/state-keeper.ts';
import { NBF } from '../sample.ts';
import { at } from './judged.ts';

export const said = ({ code, detail }: Notice): string => `${code}: ${detail}`;
export const words = ({ fault, warnings }: Taken): unknown => [fault && said(fault), ...warnings.map(said)];

/** A product with its state in memory, at the time of the clock. */
export class CommitSite {
  readonly store: StateStore;
  readonly keeper: StateKeeper;
  readonly committer: Committer;
  clock: number = NBF;

  constructor(hooks: CommitHooks = {}, changes: Partial<StateStore> = {}, keys: () => Partial<Situation> = () => ({})) {
    this.store = { ...memoryStore(), name: 'the store', ...changes };
    const clocks = { clock: () => this.clock, monotonic: () => 0 };
    this.keeper = new StateKeeper([this.store], clocks, (state) => state);
    this.situation = () => ({ ...at(0), ...this.keeper.situation(), ...keys() });
    this.committer = new Committer({ commitSeconds: COMMIT_SECONDS, ...hooks }, this.keeper, this.situation, 0.03);
  }

  readonly situation: () => Situation;

  counters(): readonly number[] {
    return this.keeper.state.entries.map(({ counter }) => counter);
  }
}

/** Hooks that write down with which counters they are called. */
export const noting = (asked: string[]): CommitHooks => ({
  beforeCommit: (before: License | undefined, next: License) => void asked.push(`before ${before?.ctr} ${next.ctr}`),
  afterCommit: ({ ctr }: License) => void asked.push(`after ${ctr}`),
});
