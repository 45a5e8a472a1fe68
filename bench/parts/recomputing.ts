/**
 * `ledger verify` beside what it cannot do without: reading the same rows and hashing their bytes, and checking the
 * same signatures.
 */
import { hash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { freshFolder } from './batch-site.ts';
import { freshKey } from './example.ts';
import { checkablesOf, licenseLedger, unsignedKey } from './license-ledger.ts';
import { rawSignatureLoop } from './raw-signature-loop.ts';
import { median } from './measure.ts';
import type { Part } from './report.ts';

const ROUNDS = 15;
const MANY_ROUNDS = 7;
const SIGNED_ROUNDS = 5;
const PAGE = 256;

interface Read {
  readonly sql: string;
  /** Before the first row; the first columns of a page's last row come next. */
  readonly from: readonly (number | string)[];
  /** The column whose bytes are hashed, one hash a row. */
  readonly hashed?: number;
}

/** All that a whole check reads, table by table, and the one index that it walks. */
const READS: readonly Read[] = [
  { sql: 'SELECT seq, kind, at, body, chain FROM entry WHERE seq > ? ORDER BY seq LIMIT ?', from: [0], hashed: 3 },
  {
    sql: 'SELECT seq, sub, aud, dep, ctr, license_id, issue, void, release FROM intent WHERE seq > ? ORDER BY seq LIMIT ?',
    from: [0],
    hashed: 5,
  },
  {
    sql: 'SELECT sub, aud, dep, ctr, seq FROM intent INDEXED BY intent_by_lineage WHERE (sub, aud, dep, ctr) > (?, ?, ?, ?) ORDER BY sub, aud, dep, ctr LIMIT ?',
    from: ['', '', '', 0],
  },
  { sql: 'SELECT leaf_index, entry FROM leaf WHERE leaf_index > ? ORDER BY leaf_index LIMIT ?', from: [-1] },
  { sql: 'SELECT position, hash FROM node WHERE position > ? ORDER BY position LIMIT ?', from: [-1], hashed: 1 },
  { sql: 'SELECT seq FROM clock WHERE seq > ? ORDER BY seq LIMIT ?', from: [0] },
];

/** Rows as `node:sqlite` gives them, in pages, which is faster than its iterator. @returns milliseconds */
function readAndHash(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    db.exec('PRAGMA cache_size = -65536');
    const begun = performance.now();
    for (const { sql, from, hashed } of READS) {
      const statement = db.prepare(sql);
      statement.setReturnArrays(true);
      for (let last = from, more = true; more;) {
        const rows = statement.all(...last, PAGE) as unknown as readonly (readonly (number | string | Uint8Array)[])[];
        if (hashed !== undefined) for (const row of rows) hash('sha256', row[hashed] as Uint8Array);
        last = (rows.at(-1) ?? []).slice(0, from.length) as (number | string)[];
        more = rows.length === PAGE;
      }
    }
    return performance.now() - begun;
  } finally {
    db.close();
  }
}

async function recompute(path: string, keys: readonly PublicKey[] | undefined): Promise<number> {
  const view = openLedgerForReading(path);
  try {
    const begun = performance.now();
    await view.verify(keys === undefined ? {} : { keys });
    return performance.now() - begun;
  } finally {
    view.close();
  }
}

/** What two things that take turns need, round by round, in milliseconds. */
interface Turns {
  readonly bareMs: readonly number[];
  readonly verifyMs: readonly number[];
}

async function inTurns(
  rounds: number,
  bare: () => number | Promise<number>,
  verify: () => Promise<number>,
): Promise<Turns> {
  const bareMs: number[] = [];
  const verifyMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    bareMs.push(await bare());
    verifyMs.push(await verify());
  }
  return { bareMs, verifyMs };
}

export function compareRecomputing(path: string, rounds: number): Promise<Turns> {
  return inTurns(
    rounds,
    () => readAndHash(path),
    () => recompute(path, undefined),
  );
}

async function compareSignatures(path: string, key: PublicKey): Promise<Turns> {
  const loop = await rawSignatureLoop(key, checkablesOf(path));
  try {
    return await inTurns(SIGNED_ROUNDS, loop.run, () => recompute(path, [key]));
  } finally {
    await loop.close();
  }
}

/** The median of a round's own ratio: a machine that slows down for some seconds slows both. */
export function timeRatio({ bareMs, verifyMs }: Turns): number {
  return median(verifyMs.map((ms, i) => ms / (bareMs[i] ?? ms)));
}

/**
 * @param many for the check without signatures, of which a second one is measured in a ledger that is several times as
 * long
 */
export async function measureRecomputing(licenses: number, many: number): Promise<Part> {
  const rows: Part['rows'][number][] = [];
  const ratios: Part['ratios'][number][] = [];
  for (const [name, algorithm] of [
    ['composite', 'ed25519+ml-dsa-65'],
    ['Ed25519', 'ed25519'],
  ] as const) {
    const key = freshKey(algorithm);
    const path = await licenseLedger(freshFolder(), key, licenses);
    const read = await compareRecomputing(path, ROUNDS);
    const readMany = await compareRecomputing(
      await licenseLedger(freshFolder(), unsignedKey(key.publicKey), many),
      MANY_ROUNDS,
    );
    const signed = await compareSignatures(path, key.publicKey);
    const rate = (ms: readonly number[], checked: number): number => (checked / median(ms)) * 1000;
    rows.push(
      { what: `${name}: read and hash`, value: rate(read.bareMs, licenses), unit: 'licenses a second' },
      {
        what: `${name}: ledger verify, no signatures`,
        value: rate(read.verifyMs, licenses),
        unit: 'licenses a second',
      },
      { what: `${name}, ${count(many)}: read and hash`, value: rate(readMany.bareMs, many), unit: 'licenses a second' },
      {
        what: `${name}, ${count(many)}: ledger verify, no signatures`,
        value: rate(readMany.verifyMs, many),
        unit: 'licenses a second',
      },
      {
        what: `${name}: raw signature checks on all cores`,
        value: rate(signed.bareMs, licenses),
        unit: 'licenses a second',
      },
      {
        what: `${name}: ledger verify with signatures`,
        value: rate(signed.verifyMs, licenses),
        unit: 'licenses a second',
      },
    );
    /** The design's goals are those of a composite. */
    const goal = algorithm === 'ed25519+ml-dsa-65';
    const atMost = goal ? { atMost: 3.5 } : {};
    ratios.push(
      { what: `${name}: time of ledger verify ÷ read and hash`, value: timeRatio(read), ...atMost },
      { what: `${name}, ${count(many)}: time of ledger verify ÷ read and hash`, value: timeRatio(readMany), ...atMost },
      {
        what: `${name}: with signatures ÷ raw checks`,
        value: 1 / timeRatio(signed),
        ...(goal ? { atLeast: 0.8 } : {}),
      },
    );
  }
  return {
    name: `A whole ledger recomputed (${count(licenses)} released licenses, and ${count(many)})`,
    rows,
    ratios,
    notes: [
      'read and hash = every row that the check reads, once, and one SHA-256 a row over its bytes, on one thread',
      `the signatures in the ledger of ${count(many)} are random bytes, which nobody checks there`,
      'raw checks = node:crypto alone, keys and messages ready, one thread a core',
    ],
  };
}

function count(licenses: number): string {
  return licenses.toLocaleString('en-US');
}
