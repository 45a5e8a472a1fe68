/** Measuring two things against each other in one run, so that what the machine does besides meets both. */

export interface Sample {
  readonly name: string;
  /** Acts a second in the fastest tenth of the rounds: what the machine does when nothing else takes it away. */
  readonly rate: number;
  /** The median of all rounds. A value far below `rate` shows that the machine was busy. */
  readonly middle: number;
  /** Of each round, in their order. */
  readonly rounds: readonly number[];
}

export interface Loop {
  readonly name: string;
  /** Does the act `count` times. */
  readonly run: (count: number) => void | Promise<void>;
}

const ROUND_MS = 25;
const ROUNDS = 80;
const WARM_UP_MS = 400;

/** The loops take turns, round by round; what warms up is thrown away. */
export async function takeTurns(
  loops: readonly Loop[],
  options: { readonly rounds?: number; readonly roundMs?: number } = {},
): Promise<readonly Sample[]> {
  const rounds = options.rounds ?? ROUNDS;
  const roundMs = options.roundMs ?? ROUND_MS;
  const counts: number[] = [];
  for (const loop of loops) await calibrate(loop, WARM_UP_MS);
  for (const loop of loops) counts.push(await calibrate(loop, roundMs));
  const rates: number[][] = loops.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, loop] of loops.entries()) {
      const count = counts[i] ?? 1;
      const begun = performance.now();
      await loop.run(count);
      rates[i]?.push((count / (performance.now() - begun)) * 1000);
    }
  }
  return loops.map((loop, i) => {
    const inOrder = rates[i] ?? [];
    const sorted = inOrder.toSorted((a, b) => a - b);
    return {
      name: loop.name,
      rate: sorted[Math.floor(sorted.length * 0.9)] ?? 0,
      middle: median(sorted),
      rounds: inOrder,
    };
  });
}

async function calibrate(loop: Loop, roundMs: number): Promise<number> {
  let count = 1;
  for (let tries = 0; tries < 12; tries++) {
    const begun = performance.now();
    await loop.run(count);
    const took = performance.now() - begun;
    if (took >= roundMs / 2) return Math.max(1, Math.round((count * roundMs) / took));
    count *= took > roundMs / 16 ? 2 : 4;
  }
  return count;
}

/**
 * The median of what each round gives against the round of the other beside it: a machine that slows down for a second
 * slows both.
 */
export function ratioOfRounds(one: Sample, other: Sample): number {
  return median(one.rounds.map((rate, i) => rate / (other.rounds[i] ?? rate)));
}

/** Of values in any order. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
