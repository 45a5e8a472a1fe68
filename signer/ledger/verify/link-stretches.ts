/** The links of entries (`check-links.ts`), stretch by stretch. */
import type { DatabaseSync } from 'node:sqlite';
import { CHAIN_START } from '../entries/chain.ts';
import { ledgerCorrupt } from '../entries/errors.ts';
import { decodeBody } from '../entries/entry-body.ts';
import { ENTRY_COLUMNS, entryRow, type EntryRow, type Row } from '../store/rows.ts';
import { checkChain, checkClaims } from './check-links.ts';
import type { CheckStretch } from './stretch-job.ts';
import { pageReader } from './verify-cursor.ts';

export function linkStretches(db: DatabaseSync): CheckStretch {
  const page = pageReader(db, ENTRY_COLUMNS, 'entry');
  let iss: string | undefined;
  return ({ from, to }, at) => {
    // With the entry before them, whose chain value the first one follows.
    const rows = page(from - 1, to - from + 1);
    const first = Math.max(from, 1);
    let before = from === 0 ? CHAIN_START : entryAt(rows, 0, from).chain;
    for (let seq = from + 1; seq <= to; seq++) {
      at(seq);
      const row = entryAt(rows, seq - first, seq);
      checkChain(before, row);
      before = row.chain;
      if (row.kind !== 'intent') continue;
      iss ??= decodeBody('genesis', entryAt(page(0, 1), 0, 1).body, 'entry 1 (genesis)').iss;
      checkClaims(iss, seq, decodeBody('intent', row.body, `entry ${seq} (intent)`));
    }
  };
}

function entryAt(rows: readonly Row[], index: number, seq: number): EntryRow {
  const row = rows[index];
  const entry = row === undefined ? undefined : entryRow(row);
  if (entry?.seq !== seq) throw ledgerCorrupt(`entry ${seq} is missing`);
  return entry;
}
