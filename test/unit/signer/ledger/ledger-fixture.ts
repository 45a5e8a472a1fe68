/** Real ledgers in temporary folders. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach } from 'vitest';
import { createLedger } from '../../../../signer/ledger/create.ts';
import type { Ledger } from '../../../../signer/ledger/ledger.ts';
import { openLedgerForWriting } from '../../../../signer/ledger/open.ts';
import { verifyLedger } from '../../../../signer/ledger/verify/verify.ts';
import { ISS, writerOptions } from './ledger-inputs.ts';

export {
  ACME,
  coseFor,
  digest,
  intentFor,
  ISS,
  issueNext,
  KID,
  releaseNow,
  START,
  writerOptions,
} from './ledger-inputs.ts';

const folders: string[] = [];
const opened: { close(): void }[] = [];

afterEach(() => {
  for (const item of opened.splice(0)) item.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Closed after the test. */
export function closing<T extends { close(): void }>(item: T): T {
  opened.push(item);
  return item;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vtlic-ledger-'));
  folders.push(folder);
  return folder;
}

export interface Place {
  readonly folder: string;
  readonly ledger: string;
  readonly anchor: string;
}

/** A ledger with its genesis alone, closed. */
export async function makeLedger(folder: string = temporaryFolder()): Promise<Place> {
  const place = { folder, ledger: join(folder, 'site', 'ledger.sqlite'), anchor: join(folder, 'anchor') };
  mkdirSync(join(folder, 'site'));
  await createLedger(place.ledger, { ...writerOptions(), iss: ISS, anchor: { kind: 'file', path: place.anchor } });
  return place;
}

export async function openWriter(place: Place, now?: () => number): Promise<Ledger> {
  return closing(await openLedgerForWriting(place.ledger, writerOptions(now)));
}

export async function newWriter(): Promise<{ readonly place: Place; readonly ledger: Ledger }> {
  const place = await makeLedger();
  return { place, ledger: await openWriter(place) };
}

/** Changes the closed file behind the program's back. */
export function tamper(path: string, ...statements: readonly string[]): void {
  const db = new DatabaseSync(path, { defensive: false });
  for (const sql of statements) db.exec(sql);
  db.close();
}

/** The same while an index is out of sight: it keeps what it held. */
export function tamperBehind(path: string, index: string, ...statements: readonly string[]): void {
  const row = `FROM sqlite_schema WHERE name = '${index}'`;
  tamper(
    path,
    'PRAGMA writable_schema = ON',
    `CREATE TABLE hidden AS SELECT rowid AS place, * ${row}`,
    `DELETE ${row}`,
  );
  tamper(path, ...statements);
  tamper(
    path,
    'PRAGMA writable_schema = ON',
    'INSERT INTO sqlite_schema (rowid, type, name, tbl_name, rootpage, sql) SELECT place, type, name, tbl_name, rootpage, sql FROM hidden',
  );
  tamper(path, 'DROP TABLE hidden');
}

/** The summary of a whole check, or the error that it throws. */
export function wholeCheck(place: Place): Promise<unknown> {
  return verifyLedger(place.ledger).catch((error: unknown) => error);
}
