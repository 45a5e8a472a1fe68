/** The count of a campaign, by command, kind of kill and keystore, and of what was found wrong. */

/**
 * `counter`: on two licenses. `missing`: a license left, and the ledger lacks it. `refused`: by the check of the
 * ledger. `hand`: a start did not go on by itself.
 */
export type ProblemKind = 'counter' | 'missing' | 'refused' | 'hand' | 'other';

export interface Problem {
  readonly kind: ProblemKind;
  readonly words: string;
}

export class Totals {
  kills = 0;
  /** Runs that came to their end before the kill. */
  ended = 0;
  /** Starts after a kill, and those of them that went on by themselves. */
  starts = 0;
  wentOn = 0;
  sites = 0;
  /** Times that two copies of one site ran at once. */
  pairs = 0;
  verified = 0;
  licenses = 0;
  readonly byKind: Map<string, number> = new Map();
  readonly byPoint: Map<string, number> = new Map();
  readonly problems: Problem[] = [];

  countKill(command: string, kind: string, keystore: string, point: string): void {
    this.kills++;
    add(this.byKind, `${command} · ${kind} · ${keystore}`);
    add(this.byPoint, point);
  }

  lines(): string[] {
    const table = (title: string, counts: ReadonlyMap<string, number>): string[] => [
      title,
      ...[...counts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, count]) => `  ${String(count).padStart(6)}  ${name}`),
    ];
    return [
      ...table('kills by command, kind and keystore:', this.byKind),
      ...table('kills by point:', this.byPoint),
      `${this.kills} kills in ${this.sites} sites; ${this.ended} runs came to their end before the kill; ${this.licenses} licenses left; ${this.pairs} times two copies of one site ran at once`,
      `${this.wentOn} of ${this.starts} starts after a kill went on by themselves; ${this.verified} of ${this.sites} ledgers hold in the end, signatures included (ledger verify)`,
      `${this.count('counter')} counters on two licenses, ${this.count('missing')} released licenses missing from the ledger, ${this.count('refused')} ledgers refused, ${this.count('hand')} starts that needed a hand, ${this.count('other')} other problems`,
    ];
  }

  count(kind: ProblemKind): number {
    return this.problems.filter((problem) => problem.kind === kind).length;
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
