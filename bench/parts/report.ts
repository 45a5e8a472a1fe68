/** What a part of the benchmark found. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}

export interface Ratio {
  readonly what: string;
  readonly value: number;
  /** The design's goal; absent where there is none. */
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Part {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly ratios: readonly Ratio[];
  /** What a reader must know to read the figures. */
  readonly notes: readonly string[];
}

export function holds(ratio: Ratio): boolean | undefined {
  if (ratio.atLeast !== undefined) return ratio.value >= ratio.atLeast;
  return ratio.atMost === undefined ? undefined : ratio.value <= ratio.atMost;
}

export function partLines(part: Part): string[] {
  const width = Math.max(...[...part.rows, ...part.ratios].map(({ what }) => what.length), 0) + 2;
  const number = (value: number): string =>
    value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
  return [
    '',
    part.name,
    ...part.rows.map((row) => `  ${row.what.padEnd(width)}${number(row.value)} ${row.unit}`),
    ...part.ratios.map((ratio) => `  ${ratio.what.padEnd(width)}${ratio.value.toFixed(2)}${goal(ratio)}`),
    ...part.notes.map((note) => `  (${note})`),
  ];
}

function goal(ratio: Ratio): string {
  const wanted =
    ratio.atLeast !== undefined
      ? `at least ${ratio.atLeast.toFixed(2)}`
      : ratio.atMost !== undefined
        ? `at most ${ratio.atMost.toFixed(2)}`
        : undefined;
  return wanted === undefined ? '' : `   ${wanted}: ${holds(ratio) === true ? 'met' : 'NOT MET'}`;
}
