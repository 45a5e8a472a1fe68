/** A ledger whose last writer was killed before the ledger was in WAL mode, as the first one after a restore may be. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { openLedgerForReading } from '../../../../../signer/ledger/open.ts';
import { copyLedger } from '../../../../../signer/ledger/store/database-file.ts';
import { unprivileged } from '../../../../support/unprivileged.ts';
import { ACME, closing, intentFor, newWriter } from '../ledger-fixture.ts';

/** More than the cache of one page: SQLite writes it into the database before the transaction ends. */
const DIES_IN_A_TRANSACTION = `
  const db = new (require('node:sqlite').DatabaseSync)(process.argv[1]);
  db.exec('PRAGMA cache_size = 1; BEGIN IMMEDIATE; CREATE TABLE unfinished (part)');
  for (let i = 0; i < 100; i++) db.exec('INSERT INTO unfinished VALUES (randomblob(4000))');
  process.kill(process.pid, 'SIGKILL');
`;
const CHILD = join(import.meta.dirname, '../ledger-child.ts');

/** A ledger with a transaction that was cut off, and its last entry before that. */
async function cutOff(): Promise<{ readonly file: string; readonly entries: number }> {
  const { place, ledger } = await newWriter();
  ledger.intend(intentFor(ACME, 1));
  const copy = join(place.folder, 'restored', 'ledger.sqlite');
  mkdirSync(dirname(copy));
  copyLedger(place.ledger, copy, 'output_unwritable');
  const died = spawnSync(process.execPath, ['-e', DIES_IN_A_TRANSACTION, copy], { encoding: 'utf8' });
  expect([died.signal, died.stderr]).toEqual(['SIGKILL', expect.anything()]);
  expect(existsSync(`${copy}-journal`)).toBe(true);
  const reader = closing(new DatabaseSync(copy, { readOnly: true }));
  expect(() => reader.prepare('SELECT * FROM sqlite_schema').all()).toThrow('readonly database');
  return { file: copy, entries: ledger.head().entries };
}

describe('a ledger with a transaction that a kill cut off', () => {
  it('is read as it was before that transaction', async () => {
    const { file, entries } = await cutOff();
    const ledger = closing(openLedgerForReading(file));
    expect(ledger.head().entries).toBe(entries);
    expect(existsSync(`${file}-journal`)).toBe(false);
  });

  it('is read by nobody who may not write there, and stays as it is', async () => {
    const { file } = await cutOff();
    for (const [path, mode] of [
      [dirname(dirname(file)), 0o755],
      [dirname(file), 0o755],
      [file, 0o644],
      [`${file}-journal`, 0o644],
    ] as const)
      chmodSync(path, mode);
    const { prefix, node, path } = unprivileged();
    if (prefix.length === 0) chmodSync(dirname(file), 0o555);
    const [command, ...args] = [...prefix, node, path(CHILD), 'read', file];
    const done = spawnSync(command, args, { encoding: 'utf8' });
    chmodSync(dirname(file), 0o755);
    expect(`${done.stdout}${done.stderr}`).toContain('the ledger cannot be opened for reading');
    expect(existsSync(`${file}-journal`)).toBe(true);
  });
});
