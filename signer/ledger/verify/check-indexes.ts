/** SQLite's own comparison of a table with its indexes; a value that stands twice in a unique one is found too. */
import type { DatabaseSync } from 'node:sqlite';
import { ledgerCorrupt } from '../record/corrupt.ts';

const INDEXED_TABLES = ['intent', 'counter'] as const;

/** @throws VtlicError `ledger_corrupt` */
export function checkIndexes(
  db: DatabaseSync,
  tables: readonly (typeof INDEXED_TABLES)[number][] = INDEXED_TABLES,
): void {
  for (const table of tables) {
    const result: unknown = db.prepare(`PRAGMA integrity_check('${table}')`).get()?.['integrity_check'];
    if (result !== 'ok')
      throw ledgerCorrupt(
        `an index does not fit its table (${typeof result === 'string' ? result.slice(0, 200) : 'no answer'})`,
      );
  }
}
