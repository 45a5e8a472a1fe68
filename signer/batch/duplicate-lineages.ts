/** Which lineages a file has named already, in a temporary database on disk: a million rows take no memory. */
import { createHash } from 'node:crypto';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { VtlicError } from '../../formats/error.ts';
import type { Lineage } from '../ledger/index.ts';

const KEY_BYTES = 16;

export class LineagesSeen {
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #find: StatementSync;

  constructor() {
    // The empty name: a file of SQLite's own in the temporary folder, gone when it is closed. It holds digests, no
    // names.
    this.#db = new DatabaseSync('');
    this.#db.exec(
      'PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4096; CREATE TABLE seen (lineage BLOB PRIMARY KEY, line INTEGER NOT NULL) WITHOUT ROWID, STRICT; BEGIN',
    );
    this.#insert = this.#db.prepare('INSERT INTO seen (lineage, line) VALUES (?, ?) ON CONFLICT DO NOTHING');
    this.#find = this.#db.prepare('SELECT line FROM seen WHERE lineage = ?');
  }

  /** The line on which the lineage stands already; undefined for the first time, which is remembered. */
  firstLine(lineage: Lineage, line: number): number | undefined {
    // Ids hold no line feed.
    const key = createHash('sha256')
      .update(`${lineage.sub}\n${lineage.aud}\n${lineage.dep ?? ''}`)
      .digest()
      .subarray(0, KEY_BYTES);
    if (this.#insert.run(key, line).changes === 1) return undefined;
    const first = this.#find.get(key)?.['line'];
    if (typeof first !== 'number') throw new VtlicError('internal', 'the lineages seen cannot be read back');
    return first;
  }

  close(): void {
    this.#db.close();
  }
}
