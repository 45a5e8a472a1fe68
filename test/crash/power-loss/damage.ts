/**
 * What a power loss can leave of a ledger that was being written: bytes cut, zeroed or changed in the database or in
 * its write-ahead log, an old one of the two beside a newer other. Put in place in turn, and judged as the next start
 * and `ledger verify` judge it.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import { exitCodeOf } from '../../../signer/cli/exit-codes.ts';
import { openLedgerForReading, openLedgerForWriting } from '../../../signer/ledger/open.ts';
import { csv, customers, row, writeBatch } from '../../support/batch-file.ts';
import { testRuntime, type SiteFixture } from '../../support/site-fixture.ts';
import { NO_KILL, type KillPoint } from '../campaign/kill-point.ts';
import { runToDeath } from '../campaign/process-that-dies.ts';
import type { Random } from '../campaign/random.ts';

/** What lay on the disk at a moment. */
interface Snapshot {
  readonly database: Buffer;
  readonly wal: Buffer;
}

export interface Damaged extends Snapshot {
  readonly what: string;
}

export interface Judged {
  readonly what: string;
  /**
   * `refused`: the next start stops with exit code 4. `noticed`: it does not see it, and `ledger verify` does.
   * `harmless`: nothing that was anchored is touched.
   */
  readonly outcome: 'refused' | 'noticed' | 'harmless';
  /** undefined where all is as it must be. */
  readonly problem: string | undefined;
}

const HEADER = 32;
const PAGE = 4096;
const FRAME = PAGE + 24;

export class PowerLoss {
  readonly #site: SiteFixture;
  readonly #snapshots: readonly Snapshot[];
  readonly #anchor: Buffer;
  /** Chain value of each entry, from 1. */
  readonly #chains: readonly string[];
  /** Entries that were anchored: all that left is in them. */
  readonly #anchored: number;

  private constructor(site: SiteFixture, snapshots: readonly Snapshot[], chains: readonly string[], anchored: number) {
    this.#site = site;
    this.#snapshots = snapshots;
    this.#anchor = readFileSync(site.anchor);
    this.#chains = chains;
    this.#anchored = anchored;
  }

  /** Three batches; after the second and after the third the process was killed with its log of writes on disk. */
  static async prepare(site: SiteFixture): Promise<PowerLoss> {
    const run = async (args: readonly string[], point: KillPoint = NO_KILL): Promise<void> => {
      const ended = await runToDeath([...args, '--site', site.site, ...site.secret], point, {
        folder: site.folder,
        env: {},
      });
      if (ended.killed !== (point.kind !== 'none') || (!ended.killed && ended.code !== 0))
        throw new Error(`vtlic ${args.join(' ')}: ${ended.code} ${ended.stderr}`);
    };
    const batch = (name: string, rows: number, point?: KillPoint): Promise<void> =>
      run(
        [
          'batch',
          writeBatch(site, csv(customers(rows).map((customer) => row(customer))), `${name}.csv`),
          '--name',
          name,
          '--new-customers',
        ],
        point,
      );
    // More entries than a start looks at.
    await batch('before', 40);
    const snapshots: Snapshot[] = [];
    for (const name of ['first', 'second']) {
      await batch(name, 4, { kind: 'step', step: 'release-durable', count: 1 });
      snapshots.push({
        database: readFileSync(join(site.site, 'ledger.sqlite')),
        wal: readFileSync(join(site.site, 'ledger.sqlite-wal')),
      });
    }
    const copy = join(site.folder, 'whole.sqlite');
    for (const suffix of ['', '-wal']) copyFileSync(join(site.site, `ledger.sqlite${suffix}`), copy + suffix);
    const view = openLedgerForReading(copy);
    const entries = [...view.entriesFrom(1)];
    await view.verify();
    view.close();
    const anchored = Math.max(...entries.filter((entry) => entry.kind === 'issue').map((entry) => entry.seq));
    return new PowerLoss(
      site,
      snapshots,
      entries.map((entry) => toHex(entry.chain)),
      anchored,
    );
  }

  /** The old beside the new, and what is missing whole. */
  *certain(): Generator<Damaged> {
    const [old, last] = this.#snapshots;
    if (old === undefined || last === undefined) throw new Error('there are two snapshots');
    yield { what: 'nothing', ...last };
    yield { what: 'the whole state of before', ...old };
    yield { what: 'an old database beside a newer log of writes', database: old.database, wal: last.wal };
    yield { what: 'a newer database beside an old log of writes', database: last.database, wal: old.wal };
    yield { what: 'no log of writes', database: last.database, wal: Buffer.alloc(0) };
    yield {
      what: 'a log of writes without its header',
      database: last.database,
      wal: Buffer.concat([Buffer.alloc(HEADER), last.wal.subarray(HEADER)]),
    };
    yield { what: 'an empty database', database: Buffer.alloc(0), wal: last.wal };
    for (let end = HEADER; end <= last.wal.length; end += FRAME)
      yield {
        what: `a log of writes cut after ${(end - HEADER) / FRAME} pages`,
        database: last.database,
        wal: last.wal.subarray(0, end),
      };
    for (let page = 0; page * PAGE < last.database.length; page++)
      yield {
        what: `page ${page + 1} of the database zeroed`,
        database: zeroed(last.database, page * PAGE, PAGE),
        wal: last.wal,
      };
  }

  random(random: Random): Damaged {
    const last = this.#snapshots[1];
    if (last === undefined) throw new Error('there are two snapshots');
    const inWal = random.below(2) === 0;
    const bytes = inWal ? last.wal : last.database;
    const at = random.below(bytes.length);
    const name = inWal ? 'log of writes' : 'database';
    const how = random.below(3);
    const [what, changed] =
      how === 0
        ? [`bit of byte ${at} of the ${name} flipped`, flipped(bytes, at, random.below(8))]
        : how === 1
          ? [`512 bytes from ${at} of the ${name} zeroed`, zeroed(bytes, at - (at % 512), 512)]
          : [`the ${name} cut at ${at}`, bytes.subarray(0, at)];
    return inWal ? { what, database: last.database, wal: changed } : { what, database: changed, wal: last.wal };
  }

  put({ database, wal }: Snapshot): void {
    const file = join(this.#site.site, 'ledger.sqlite');
    for (const suffix of ['-shm', '-wal', '-journal']) rmSync(file + suffix, { force: true });
    writeFileSync(file, database, { mode: 0o600 });
    if (wal.length > 0) writeFileSync(`${file}-wal`, wal, { mode: 0o600 });
    rmSync(`${this.#site.anchor}.new`, { force: true });
    writeFileSync(this.#site.anchor, this.#anchor);
  }

  async judge(damaged: Damaged): Promise<Judged> {
    this.put(damaged);
    const { what } = damaged;
    const path = join(this.#site.site, 'ledger.sqlite');
    let ledger;
    try {
      const runtime = testRuntime();
      ledger = await openLedgerForWriting(path, {
        now: () => Math.floor(runtime.nowMs() / 1000),
        random: runtime.random,
        holder: { command: 'a test' },
      });
    } catch (error) {
      const refused = error instanceof VtlicError && exitCodeOf(error.code) === 4;
      return { what, outcome: 'refused', problem: refused ? undefined : `the start ended with ${String(error)}` };
    }
    try {
      await ledger.verify();
    } catch (error) {
      const noticed = error instanceof VtlicError && exitCodeOf(error.code) === 4;
      return { what, outcome: 'noticed', problem: noticed ? undefined : `verify ended with ${String(error)}` };
    } finally {
      ledger.close();
    }
    return { what, outcome: 'harmless', problem: this.#changed() };
  }

  /** What holds must be the record as it was, up to some entry behind the last one that the anchor covers. */
  #changed(): string | undefined {
    const folder = join(this.#site.folder, 'judged');
    mkdirSync(folder, { recursive: true });
    const file = join(this.#site.site, 'ledger.sqlite');
    for (const suffix of ['', '-wal']) {
      rmSync(join(folder, `ledger.sqlite${suffix}`), { force: true });
      if (existsSync(file + suffix)) copyFileSync(file + suffix, join(folder, `ledger.sqlite${suffix}`));
    }
    const view = openLedgerForReading(join(folder, 'ledger.sqlite'));
    try {
      const chains = [...view.entriesFrom(1)].map((entry) => toHex(entry.chain));
      const other = chains.findIndex((chain, i) => chain !== this.#chains[i]);
      if (other !== -1) return `entry ${other + 1} is another than it was, and nobody noticed`;
      return chains.length < this.#anchored
        ? `only ${chains.length} entries are left of ${this.#anchored} that licenses left with, and nobody noticed`
        : undefined;
    } finally {
      view.close();
    }
  }
}

function flipped(bytes: Buffer, at: number, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << bit);
  return copy;
}

function zeroed(bytes: Buffer, from: number, length: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.fill(0, from, Math.min(from + length, copy.length));
  return copy;
}
