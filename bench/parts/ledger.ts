/** What one durable entry costs as the ledger grows. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { createLedger } from '../../signer/ledger/create.ts';
import type { Ledger } from '../../signer/ledger/ledger.ts';
import { openLedgerForWriting } from '../../signer/ledger/open.ts';
import { benchRuntime, freshFolder } from './batch-site.ts';
import { compareRecomputing, timeRatio } from './recomputing.ts';
import { median } from './measure.ts';
import type { Part, Ratio, Row } from './report.ts';

const NOW = Math.floor(Date.now() / 1000);
const A_GROUP = 1000;
const MEASURED = 200;
const MEASURED_GROUPS = 20;
const GROUPED = 256;
const ROUNDS = 1;

interface Filled {
  readonly entries: number;
  readonly singleMs: number;
  readonly groupedUs: number;
  readonly verifyMs: number;
  /** How many times as long as reading and hashing. */
  readonly verifyRatio: number;
  readonly bytes: number;
}

async function open(path: string): Promise<Ledger> {
  return openLedgerForWriting(path, { now: () => NOW, random: benchRuntime.random, holder: { command: 'bench' } });
}

/** Short synthetic entries: the officer's confirmations of the clock. */
function fill(ledger: Ledger, entries: number): void {
  for (let at = ledger.head().entries; at < entries; at += A_GROUP) {
    ledger.group(() => {
      for (let i = 0; i < Math.min(A_GROUP, entries - at); i++) ledger.clock(NOW, 'bench');
    });
  }
}

async function measureOne(folder: string, entries: number): Promise<Filled> {
  const path = join(folder, `ledger-${entries}.sqlite`);
  await createLedger(path, {
    iss: 'example-vendor',
    anchor: { kind: 'file', path: join(folder, `anchor-${entries}`) },
    now: () => NOW,
    random: benchRuntime.random,
  });
  const ledger = await open(path);
  try {
    fill(ledger, entries);
    const single: number[] = [];
    // As many before them warm up: the first ledger of a run would seem slow.
    for (let i = 0; i < 2 * MEASURED; i++) {
      const begun = performance.now();
      ledger.clock(NOW, 'bench');
      if (i >= MEASURED) single.push(performance.now() - begun);
    }
    const grouped: number[] = [];
    for (let i = 0; i < MEASURED_GROUPS; i++) {
      const begun = performance.now();
      ledger.group(() => {
        for (let j = 0; j < GROUPED; j++) ledger.clock(NOW, 'bench');
      });
      grouped.push(((performance.now() - begun) / GROUPED) * 1000);
    }
    await ledger.anchor();
    const [singleMs, groupedUs] = [median(single), median(grouped)];
    const recomputing = await compareRecomputing(path, ROUNDS);
    return {
      entries,
      singleMs,
      groupedUs,
      verifyMs: median(recomputing.verifyMs),
      verifyRatio: timeRatio(recomputing),
      bytes: statSync(path).size,
    };
  } finally {
    ledger.close();
  }
}

export async function measureLedger(sizes: readonly number[]): Promise<Part> {
  const folder = freshFolder();
  const found: Filled[] = [];
  for (const entries of sizes) found.push(await measureOne(folder, entries));
  const n = (value: number): string => value.toLocaleString('en-US');
  const [first, last] = [found[0], found.at(-1)];
  const ratios: Ratio[] =
    first === undefined || last === undefined
      ? []
      : [
          {
            what: `one durable entry: ${n(last.entries)} ÷ ${n(first.entries)} entries`,
            value: last.singleMs / first.singleMs,
            atMost: 1.2,
          },
          {
            what: `one of ${GROUPED} in a group: ${n(last.entries)} ÷ ${n(first.entries)}`,
            value: last.groupedUs / first.groupedUs,
          },
          { what: `ledger verify ÷ read and hash (${n(last.entries)} short entries)`, value: last.verifyRatio },
        ];
  return {
    name: 'A ledger that grows (short synthetic entries)',
    rows: found.flatMap((one): Row[] => [
      { what: `${n(one.entries)} entries: one durable entry`, value: one.singleMs * 1000, unit: 'µs' },
      { what: `${n(one.entries)} entries: one of ${GROUPED} in a durable group`, value: one.groupedUs, unit: 'µs' },
      {
        what: `${n(one.entries)} entries: ledger verify`,
        value: one.entries / one.verifyMs,
        unit: 'thousand entries a second',
      },
      { what: `${n(one.entries)} entries: file`, value: one.bytes / 2 ** 20, unit: 'MiB' },
    ]),
    ratios,
    notes: [
      'synthetic entries are clock confirmations: they have no leaf and no counter',
      ...(Math.max(...sizes) < 10_000_000 ? ['--full goes to 10,000,000 entries'] : []),
    ],
  };
}
