/**
 * What `ledger verify` says of one changed ledger. A change that it accepts must be harmless: then each table contains
 * the same rows, every read of daily work gives the same answer, and the next start goes on as before.
 */
import { copyFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { VtlicError } from '../../../formats/error.ts';
import { sha256 } from '../../../signer/ledger/entries/chain.ts';
import { openLedgerForWriting } from '../../../signer/ledger/open.ts';
import { verifyLedger } from '../../../signer/ledger/verify/verify.ts';
import { coseFor, intentFor, writerOptions } from '../../unit/signer/ledger/ledger-inputs.ts';
import { type DailyReads, readDaily } from './daily-reads.ts';
import { type ExampleLedger, LINEAGES } from './example-ledger.ts';
import { TABLE_NAMES, type Mutation } from './mutations.ts';

export interface JudgedMutation {
  readonly what: string;
  /** `none`: SQLite did not take the change (a unique index, say), or it put back what was there. */
  readonly outcome: 'noticed' | 'harmless' | 'none';
  /** undefined if everything is as it must be. */
  readonly problem: string | undefined;
}

export class MutationJudge {
  readonly #example: ExampleLedger;
  readonly #original: Buffer;
  readonly #anchor: Buffer;
  readonly #rows: string;
  readonly #reads: DailyReads;
  /** A copy of the guard of the anchor. */
  readonly #guard: string;
  readonly #copy: string;
  /** What the next start of the unchanged ledger issues. */
  #issued: string | undefined;

  constructor(example: ExampleLedger) {
    this.#example = example;
    this.#original = readFileSync(example.ledger);
    this.#anchor = readFileSync(example.anchor);
    this.#rows = allRows(example.ledger);
    this.#reads = readDaily(example.ledger);
    this.#copy = `${example.ledger}.changed`;
    this.#guard = `${example.anchor}.guard-before`;
    cpSync(`${example.anchor}.guard`, this.#guard, { recursive: true });
  }

  async judge({ kind, what, apply }: Mutation): Promise<JudgedMutation> {
    removeWith(this.#copy);
    writeFileSync(this.#copy, this.#original);
    try {
      apply(this.#copy);
    } catch {
      return { what, outcome: 'none', problem: undefined };
    }
    const isSame =
      this.#original.equals(readFileSync(this.#copy)) ||
      ((kind === 'rows' || kind === 'index') && allRows(this.#copy) === this.#rows);
    if (isSame) return { what, outcome: 'none', problem: undefined };
    const error = await verifyLedger(this.#copy).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error === undefined) return { what, outcome: 'harmless', problem: await this.#harm() };
    const isFinding = error instanceof VtlicError && ['ledger_corrupt', 'ledger_version'].includes(error.code);
    return { what, outcome: 'noticed', problem: isFinding ? undefined : `the check ends with ${inWords(error)}` };
  }

  /** The effect of a change that the check accepts; undefined if it has none. */
  async #harm(): Promise<string | undefined> {
    if (allRows(this.#copy) !== this.#rows) return 'the check accepts a table with other rows';
    const difference = this.#reads.difference(readDaily(this.#copy));
    if (difference !== undefined) return `the check accepts it, and daily work reads something else: ${difference}`;
    const { ledger, anchor } = this.#example;
    copyFileSync(this.#copy, ledger);
    try {
      const issued = await goOn(ledger);
      this.#issued ??= await this.#issuedUnchanged();
      return issued === this.#issued ? undefined : `the check accepts it, and the next start issues ${issued}`;
    } catch (error) {
      return `the check accepts it, and the next start ends with ${inWords(error)}`;
    } finally {
      this.#putBack(ledger, anchor);
    }
  }

  async #issuedUnchanged(): Promise<string> {
    const { ledger, anchor } = this.#example;
    this.#putBack(ledger, anchor);
    return goOn(ledger);
  }

  #putBack(ledger: string, anchor: string): void {
    removeWith(ledger);
    writeFileSync(ledger, this.#original);
    writeFileSync(anchor, this.#anchor);
    rmSync(`${anchor}.guard`, { recursive: true, force: true });
    cpSync(this.#guard, `${anchor}.guard`, { recursive: true });
  }
}

/** The next start: it finishes what was left, and issues for every lineage that is open. @returns the counters */
async function goOn(file: string): Promise<string> {
  const ledger = await openLedgerForWriting(file, writerOptions());
  try {
    await ledger.anchor();
    for (const { intent } of ledger.openIntents()) ledger.void_(intent.seq, 'crash');
    for (const { intent } of ledger.unreleased())
      ledger.release(intent.seq, { path: intent.body.path, digest: sha256(intent.body.payload) });
    const counters: number[] = [];
    for (const lineage of LINEAGES) {
      if (ledger.closedBy(lineage.sub) !== undefined) continue;
      const input = intentFor(lineage, ledger.nextCounter(lineage));
      ledger.issue(ledger.intend(input).seq, coseFor(input));
      counters.push(input.ctr);
    }
    await ledger.anchor();
    await verifyLedger(file);
    return counters.join(' ');
  } finally {
    ledger.close();
  }
}

function inWords(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : 'a value that is not an error';
}

function removeWith(file: string): void {
  for (const rest of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${rest}`, { force: true });
}

/** All rows of all tables, by their scans. */
function allRows(file: string): string {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return TABLE_NAMES.map((table) => {
      const statement = db.prepare(`SELECT * FROM ${table} NOT INDEXED`);
      statement.setReadBigInts(true);
      return JSON.stringify(statement.all(), (_, value: unknown) =>
        value instanceof Uint8Array
          ? Buffer.from(value).toString('hex')
          : typeof value === 'bigint'
            ? `${value}`
            : value,
      );
    }).join('\n');
  } catch (error) {
    return `unreadable: ${inWords(error)}`;
  } finally {
    db.close();
  }
}
