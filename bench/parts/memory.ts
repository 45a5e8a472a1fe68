/** Peak memory of whole batches, each in a process of its own. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { freshFolder } from './batch-site.ts';
import type { Part } from './report.ts';

interface ChildResult {
  readonly rows: number;
  readonly peakMiB: number;
  readonly planMs: number;
  readonly signMs: number;
}

/** The design's goals: for a million rows, and for what a million takes beside this number. */
const MAX_PEAK_MIB = 450;
export const GROWTH_BASE = 100_000;

export function measureMemory(sizes: readonly number[], base: number): Part {
  const results = sizes.map((rows): ChildResult => {
    const folder = freshFolder();
    return JSON.parse(
      execFileSync(process.execPath, [join(import.meta.dirname, '../batch-child.ts'), folder, String(rows)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    ) as ChildResult;
  });
  const peak = (rows: number): number => results.find((result) => result.rows === rows)?.peakMiB ?? NaN;
  const n = (value: number): string => value.toLocaleString('en-US');
  const largest = Math.max(...sizes);
  return {
    name: 'Memory of a batch (stand-ins for the key and the second opinion: no signature is made)',
    rows: results.flatMap((result) => [
      { what: `${n(result.rows)} rows: peak`, value: result.peakMiB, unit: 'MiB' },
      { what: `${n(result.rows)} rows: plan`, value: (result.rows / result.planMs) * 1000, unit: 'rows a second' },
      {
        what: `${n(result.rows)} rows: record, anchor, files`,
        value: (result.rows / result.signMs) * 1000,
        unit: 'licenses a second',
      },
    ]),
    ratios: [
      { what: `peak at ${n(largest)} rows, in MiB`, value: peak(largest), atMost: MAX_PEAK_MIB },
      {
        what: `peak at ${n(largest)} ÷ peak at ${n(base)}`,
        value: peak(largest) / peak(base),
        // Below 100,000 rows, caches that have a bound are still filling.
        ...(base === GROWTH_BASE ? { atMost: 1.2 } : {}),
      },
    ],
    notes: largest < 1_000_000 ? [`--full goes to 1,000,000 rows, and compares them with ${n(GROWTH_BASE)}`] : [],
  };
}
