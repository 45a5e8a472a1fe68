/** A stored row as the entry that it says it is. */
import { cleanText } from '../../../formats/clean-text.ts';
import { MAX_TIME } from '../../../formats/license/bounds.ts';
import { ledgerCorrupt } from '../entries/errors.ts';
import { decodeBody } from '../entries/entry-body.ts';
import { ENTRY_KINDS, type Entry, type EntryKind } from '../entries/entry.ts';
import type { EntryRow } from './rows.ts';

const KNOWN: ReadonlySet<string> = new Set(ENTRY_KINDS);

/** @param row whose bytes nobody writes to: the body's byte strings are views of them
 * @throws VtlicError `ledger_corrupt` for a kind, a time or a body that this version does not know */
export function decodeEntry(row: EntryRow): Entry {
  const kind = kindOf(row);
  if (row.at < 0 || row.at > MAX_TIME) throw ledgerCorrupt(`entry ${row.seq}: its time ${row.at} is out of range`);
  const body = decodeBody(kind, row.body, `entry ${row.seq} (${kind})`);
  // `kind` and the body's type belong together by the codec table, which the compiler cannot follow through a union.
  return Object.freeze({ seq: row.seq, kind, at: row.at, body, chain: row.chain }) as Entry;
}

function kindOf(row: EntryRow): EntryKind {
  if (!isEntryKind(row.kind)) throw ledgerCorrupt(`entry ${row.seq}: its kind "${cleanText(row.kind, 40)}" is unknown`);
  return row.kind;
}

function isEntryKind(kind: string): kind is EntryKind {
  return KNOWN.has(kind);
}
