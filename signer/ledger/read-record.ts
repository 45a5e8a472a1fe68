/** Reads entries by the rows that point to them, and checks that each is the entry that its row says. */
import type { Entry } from './entries/entry.ts';
import { ledgerCorrupt } from './entries/errors.ts';
import type { LicenseRecord } from './ledger.ts';
import { decodeEntry } from './store/decode-entry.ts';
import type { IntentRow } from './store/rows.ts';
import type { Tables } from './store/tables.ts';

/** @throws VtlicError `ledger_corrupt` if the entry is missing or of another kind */
export function entryOfKind<K extends Entry['kind']>(
  tables: Tables,
  kind: K,
  seq: number,
): Extract<Entry, { readonly kind: K }> {
  const row = tables.entry(seq);
  const entry = row === undefined ? undefined : decodeEntry(row);
  if (entry?.kind !== kind) {
    const found = entry === undefined ? 'missing' : `of kind ${entry.kind}`;
    throw ledgerCorrupt(`entry ${seq} should be of kind ${kind}, but it is ${found}`);
  }
  return entry as Extract<Entry, { readonly kind: K }>;
}

/** The intent of a row with its outcome, each read from its own entry. */
export function licenseRecord(tables: Tables, row: IntentRow): LicenseRecord {
  const intent = entryOfKind(tables, 'intent', row.seq);
  const issue = row.issue === undefined ? undefined : entryOfKind(tables, 'issue', row.issue);
  const voided = row.void === undefined ? undefined : entryOfKind(tables, 'void', row.void);
  const release = row.release === undefined ? undefined : entryOfKind(tables, 'release', row.release);
  for (const entry of [issue, voided, release]) {
    if (entry !== undefined && entry.body.intent !== row.seq)
      throw ledgerCorrupt(`entry ${entry.seq} (${entry.kind}) belongs to another intent than its index says`);
  }
  return Object.freeze({
    state: release !== undefined ? 'released' : issue !== undefined ? 'issued' : voided !== undefined ? 'void' : 'open',
    intent,
    ...(issue === undefined ? {} : { issue }),
    ...(voided === undefined ? {} : { void: voided }),
    ...(release === undefined ? {} : { release }),
  });
}
