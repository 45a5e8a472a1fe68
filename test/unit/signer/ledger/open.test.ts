import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { encodeFirstRecord } from '../anchor/first-record.ts';
import { createLedger } from '../../../../signer/ledger/create.ts';
import { openLedgerForReading, openLedgerForWriting } from '../../../../signer/ledger/open.ts';
import { openForWriting } from '../../../../signer/ledger/store/database-file.ts';
import {
  ACME,
  closing,
  intentFor,
  ISS,
  issueNext,
  makeLedger,
  newWriter,
  openWriter,
  START,
  tamper,
  temporaryFolder,
  writerOptions,
  type Place,
} from './ledger-fixture.ts';
import { rejected } from '../../../support/thrown.ts';

/** As SQLite numbers it (sqlite.org/pragma.html#pragma_synchronous). */
const SYNCHRONOUS_FULL = 2;

function reading(path: string): Promise<unknown> {
  return Promise.resolve().then(() => closing(openLedgerForReading(path)));
}

/** A ledger with three licenses, anchored, closed; and a copy of it as it was after the first. */
async function aged(): Promise<{ readonly place: Place; readonly old: string }> {
  const { place, ledger } = await newWriter();
  issueNext(ledger);
  await ledger.anchor();
  ledger.close();
  const old = `${place.folder}/old.sqlite`;
  copyFileSync(place.ledger, old);
  const again = await openWriter(place);
  issueNext(again);
  issueNext(again);
  await again.anchor();
  again.close();
  return { place, old };
}

describe('a new ledger', () => {
  it('is written with every commit flushed to the disk before it counts', async () => {
    const place = await makeLedger();
    const db = closing(openForWriting(place.ledger));
    expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: SYNCHRONOUS_FULL });
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  });

  it('has its genesis, its anchor, and nothing else beside it', async () => {
    const place = await makeLedger();
    expect(readdirSync(join(place.folder, 'site')).sort()).toEqual(['ledger.lock', 'ledger.sqlite']);
    expect(statSync(place.ledger).mode & 0o777).toBe(0o600);
    expect(statSync(join(place.folder, 'site', 'ledger.lock')).mode & 0o777).toBe(0o600);
    const view = closing(openLedgerForReading(place.ledger));
    expect(view.genesis).toMatchObject({ format: 1, iss: ISS, anchor: { kind: 'file', path: place.anchor } });
    expect(view.genesis.origin).toMatch(/^example-vendor\/vtlic-ledger\/[0-9a-f]{32}$/);
    expect(view.head()).toMatchObject({ entries: 1, size: 0 });
    expect(view.lastAt()).toBe(START);
    const writer = await openWriter(place);
    expect(writer.anchored).toEqual({ ledgerId: view.genesis.ledgerId, ...view.head() });
    expect(await writer.verify()).toMatchObject({ intents: 0, head: { entries: 1, size: 0 } });
    expect(statSync(`${place.ledger}-wal`).mode & 0o777).toBe(0o600);
  });

  it('is never made over a ledger, nor over an anchor', async () => {
    const place = await makeLedger();
    const options = { ...writerOptions(), iss: ISS, anchor: { kind: 'file', path: place.anchor } } as const;
    expect((await rejected(createLedger(place.ledger, options))).code).toBe('output_exists');
    rmSync(place.ledger);
    const error = await rejected(createLedger(place.ledger, options));
    expect(error.code).toBe('ledger_missing');
    expect(error.message).toContain('it is the anchor of a ledger of 1 entry that is not here');
    expect(existsSync(place.ledger)).toBe(false);
  });

  it('takes up what an interrupted call left, whose anchor was written already', async () => {
    const place = await makeLedger();
    const { genesis } = closing(openLedgerForReading(place.ledger));
    renameSync(place.ledger, `${place.ledger}.new`);
    rmSync(`${place.ledger}-wal`, { force: true });
    rmSync(`${place.ledger}-shm`, { force: true });
    await createLedger(place.ledger, { ...writerOptions(), iss: ISS, anchor: genesis.anchor });
    expect((await openWriter(place)).genesis).toEqual(genesis);
    expect(readdirSync(join(place.folder, 'site')).filter((name) => name.includes('new'))).toEqual([]);
  });

  it('begins anew where an interrupted call had not come to the anchor', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'site'));
    writeFileSync(join(folder, 'site', 'ledger.sqlite.new'), 'half a draft');
    writeFileSync(join(folder, 'anchor.new'), 'half an anchor');
    const ledger = join(folder, 'site', 'ledger.sqlite');
    const anchor = join(folder, 'anchor');
    await createLedger(ledger, { ...writerOptions(), iss: ISS, anchor: { kind: 'file', path: anchor } });
    expect((await openWriter({ folder, ledger, anchor })).head().entries).toBe(1);
  });

  it('wants an id as issuer and an absolute anchor', async () => {
    const path = join(temporaryFolder(), 'ledger.sqlite');
    expect(
      (await rejected(createLedger(path, { ...writerOptions(), iss: 'no id', anchor: { kind: 'file', path: '/a' } })))
        .code,
    ).toBe('configuration_invalid');
    expect(
      (await rejected(createLedger(path, { ...writerOptions(), iss: ISS, anchor: { kind: 'file', path: 'a' } }))).code,
    ).toBe('configuration_invalid');
    const nowhere = join(temporaryFolder(), 'no', 'ledger.sqlite');
    expect(
      (await rejected(createLedger(nowhere, { ...writerOptions(), iss: ISS, anchor: { kind: 'file', path: '/a' } })))
        .code,
    ).toBe('ledger_unwritable');
  });
});

describe('what is not a ledger of ours', () => {
  it('refuses a missing ledger, and makes no file', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'ledger.sqlite');
    expect(await rejected(openLedgerForWriting(path, writerOptions()))).toMatchObject({
      code: 'ledger_missing',
      message: 'there is no ledger here',
    });
    expect((await rejected(reading(path))).code).toBe('ledger_missing');
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['an empty file', ''],
    [
      'a text',
      'no database at all, but long enough to hold the header of one, which it does not, for it is a text'.repeat(3),
    ],
  ])('refuses %s in place of a ledger, and leaves it as it is', async (_name, content) => {
    const path = join(temporaryFolder(), 'ledger.sqlite');
    writeFileSync(path, content);
    expect((await rejected(reading(path))).code).toBe('ledger_corrupt');
    expect((await rejected(openLedgerForWriting(path, writerOptions()))).code).toBe('ledger_corrupt');
    expect(readFileSync(path, 'utf8')).toBe(content);
  });

  it('refuses a folder in place of a ledger', async () => {
    const path = temporaryFolder();
    expect((await rejected(reading(path))).code).toBe('file_unreadable');
  });

  it('refuses another SQLite database', async () => {
    const path = join(temporaryFolder(), 'ledger.sqlite');
    tamper(path, 'CREATE TABLE entry (seq INTEGER PRIMARY KEY)');
    expect((await rejected(reading(path))).message).toContain('not a ledger');
  });

  it('refuses a ledger of a newer version', async () => {
    const place = await makeLedger();
    tamper(place.ledger, 'PRAGMA user_version = 3');
    for (const attempt of [reading(place.ledger), openLedgerForWriting(place.ledger, writerOptions())]) {
      expect(await rejected(attempt)).toMatchObject({
        code: 'ledger_version',
        message: 'the ledger has version 3, and this program knows versions up to 2',
      });
    }
  });

  it.each([
    'CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry; END',
    'DROP INDEX intent_open',
    'CREATE VIEW v AS SELECT 1',
    'ALTER TABLE leaf ADD COLUMN x INTEGER',
    'ANALYZE',
    'CREATE TABLE sqlite3_notes (note TEXT)',
    'PRAGMA user_version = 1',
  ])('refuses a ledger after %s', async (sql) => {
    const place = await makeLedger();
    tamper(place.ledger, sql);
    expect((await rejected(reading(place.ledger))).message).toContain('its tables are not those of a ledger');
  });

  it.each([
    "INSERT INTO sqlite_schema VALUES ('trigger', 'sqlite_t', 'entry', 0, 'CREATE TRIGGER sqlite_t AFTER INSERT ON entry BEGIN DELETE FROM clock; END')",
    "INSERT INTO sqlite_schema VALUES ('view', 'sqlite_v', 'sqlite_v', 0, 'CREATE VIEW sqlite_v AS SELECT 1')",
    "UPDATE sqlite_schema SET name = 'intent_open', tbl_name = 'intent' WHERE name = 'intent_unreleased'",
  ])('refuses a ledger with an object planted in its schema: %s', async (sql) => {
    const place = await makeLedger();
    tamper(place.ledger, 'PRAGMA writable_schema = ON', sql);
    const error = await rejected(reading(place.ledger));
    expect(error.code).toBe('ledger_corrupt');
  });

  it('refuses a ledger without genesis', async () => {
    const place = await makeLedger();
    tamper(place.ledger, 'DELETE FROM entry');
    expect(await rejected(reading(place.ledger))).toMatchObject({
      code: 'ledger_corrupt',
      place: { file: place.ledger },
    });
  });
});

describe('the anchor', () => {
  it('goes on where the anchor is behind the ledger and agrees with it', async () => {
    const { place, ledger } = await newWriter();
    issueNext(ledger);
    ledger.intend(intentFor(ACME, 2));
    ledger.close();
    const again = await openWriter(place);
    expect(again.unanchored()).toEqual({ entries: 3, leaves: 1 });
    await again.anchor();
    expect(again.unanchored()).toEqual({ entries: 0, leaves: 0 });
    again.close();
    expect((await openWriter(place)).unanchored()).toEqual({ entries: 0, leaves: 0 });
  });

  it('refuses an old copy of the ledger that was put back: the anchor is ahead of it', async () => {
    const { place, old } = await aged();
    copyFileSync(old, place.ledger);
    const error = await rejected(openLedgerForWriting(place.ledger, writerOptions()));
    expect(error.code).toBe('ledger_rolled_back');
    expect(error.message).toContain('it ends with entry 3, and the anchor file');
    expect(error.message).toContain('has seen entry 7; an old copy of the ledger was put back');
    expect(error.hint).toContain('put the newest ledger back');
    expect(error.place.file).toBe(place.ledger);
  });

  it('refuses an old copy of the ledger that was written to: the anchor is of another history', async () => {
    const { place, old } = await aged();
    const anchor = readFileSync(place.anchor);
    copyFileSync(old, place.ledger);
    // The copy is continued beside the anchor of its own time, as someone would who restored a whole machine.
    const view = openLedgerForReading(place.ledger);
    rmSync(`${place.anchor}.guard`, { recursive: true });
    writeFileSync(place.anchor, encodeFirstRecord({ ledgerId: view.genesis.ledgerId, ...view.head() }));
    view.close();
    const fork = await openWriter(place);
    for (let i = 0; i < 4; i++) issueNext(fork);
    await fork.anchor();
    fork.close();
    rmSync(`${place.anchor}.guard`, { recursive: true });
    writeFileSync(place.anchor, anchor);
    const error = await rejected(openLedgerForWriting(place.ledger, writerOptions()));
    expect(error.code).toBe('ledger_rolled_back');
    expect(error.message).toContain('differs; either an old copy was restored');
  });

  it('refuses a ledger whose anchor is missing, though the ledger is whole', async () => {
    const { place } = await aged();
    rmSync(place.anchor);
    const error = await rejected(openLedgerForWriting(place.ledger, writerOptions()));
    expect(error.code).toBe('ledger_rolled_back');
    expect(error.message).toContain('is missing, and this ledger was made with one');
  });

  it('refuses the anchor of another ledger', async () => {
    const { place } = await aged();
    const other = await makeLedger();
    rmSync(`${place.anchor}.guard`, { recursive: true });
    copyFileSync(other.anchor, place.anchor);
    const error = await rejected(openLedgerForWriting(place.ledger, writerOptions()));
    expect(error.code).toBe('ledger_rolled_back');
    expect(error.message).toContain('belongs to another ledger');
  });

  it('takes the larger of two anchors, and both must be of this history', async () => {
    const { place } = await aged();
    const before = readFileSync(place.anchor);
    const ledger = await openWriter(place);
    issueNext(ledger);
    await ledger.anchor();
    ledger.close();
    // As version 0.1.0 leaves them.
    rmSync(`${place.anchor}.guard`, { recursive: true });
    renameSync(place.anchor, `${place.anchor}.new`);
    writeFileSync(place.anchor, before);
    const again = await openWriter(place);
    expect(again.unanchored().entries).toBe(0);
    again.close();
    copyFileSync((await makeLedger()).anchor, place.anchor);
    expect((await rejected(openLedgerForWriting(place.ledger, writerOptions()))).code).toBe('ledger_rolled_back');
  });

  it('refuses a damaged anchor', async () => {
    const { place } = await aged();
    writeFileSync(place.anchor, readFileSync(place.anchor).subarray(1));
    expect(await rejected(openLedgerForWriting(place.ledger, writerOptions()))).toMatchObject({
      code: 'ledger_corrupt',
      place: { file: place.anchor },
    });
  });

  it('leaves a license issued and not anchored when the anchor cannot be written', async () => {
    const { place, ledger } = await newWriter();
    const seq = issueNext(ledger);
    rmSync(place.anchor);
    mkdirSync(join(place.anchor, 'in-the-way'), { recursive: true });
    expect((await rejected(ledger.anchor())).code).toBe('ledger_unwritable');
    expect(ledger.unanchored().leaves).toBe(1);
    expect(ledger.findByIntent(seq)?.state).toBe('issued');
  });
});

describe('opening for writing looks at the end of the record', () => {
  it.each([
    [
      'a changed body',
      "UPDATE entry SET body = CAST(body || x'00' AS BLOB) WHERE seq = 6",
      'entry 6: its chain value does not match',
    ],
    ['a changed chain', 'UPDATE entry SET chain = zeroblob(32) WHERE seq = 5', 'entry 5: its chain value'],
    ['a changed time', 'UPDATE entry SET at = at + 1 WHERE seq = 2', 'entry 2: its chain value'],
    ['a changed kind', "UPDATE entry SET kind = 'void' WHERE seq = 5", 'entry 5: its chain value'],
    ['a missing entry', 'DELETE FROM entry WHERE seq = 4', 'is missing'],
    [
      'a forgotten outcome',
      'UPDATE intent SET issue = NULL WHERE seq = 6',
      'entry 7 (issue): its row in the index tables does not match it',
    ],
    ['another counter', 'UPDATE intent SET ctr = 9 WHERE seq = 6', 'entry 6 (intent)'],
    ['a forgotten intent', 'DELETE FROM intent WHERE seq = 6', 'entry 6 (intent)'],
    ['a missing node', 'DELETE FROM node WHERE position = (SELECT max(position) FROM node)', 'of the tree'],
    ['a missing leaf', 'DELETE FROM leaf WHERE leaf_index = 1', 'its row in the index tables'],
  ])('finds %s at the end of the record', async (_name, sql, words) => {
    const { place } = await aged();
    const view = openLedgerForReading(place.ledger);
    view.close();
    tamper(place.ledger, sql);
    const error = await rejected(openLedgerForWriting(place.ledger, writerOptions()));
    expect(['ledger_corrupt', 'ledger_rolled_back']).toContain(error.code);
    if (error.code === 'ledger_corrupt') expect(error.message).toContain(words);
    expect(error.place.file).toBe(place.ledger);
  });

  it('finds a changed entry further back that the anchor does not cover', async () => {
    const { place, ledger } = await newWriter();
    ledger.group(() => {
      for (let i = 0; i < 100; i++) issueNext(ledger);
    });
    ledger.close();
    tamper(place.ledger, 'UPDATE entry SET at = at + 1 WHERE seq = 10');
    expect((await rejected(openLedgerForWriting(place.ledger, writerOptions()))).message).toContain(
      'entry 10: its chain value',
    );
  });
});

describe('a copy made by VACUUM INTO', () => {
  it('is read where nothing can be written beside it, and written to in WAL mode when it is put back', async () => {
    const { place } = await aged();
    const copy = join(temporaryFolder(), 'copy.sqlite');
    tamper(place.ledger, `VACUUM INTO '${copy}'`);
    const view = closing(openLedgerForReading(copy));
    expect(await view.verify()).toMatchObject({ issued: 3 });
    view.close();
    expect(readdirSync(join(copy, '..'))).toEqual(['copy.sqlite']);
    rmSync(place.ledger);
    copyFileSync(copy, place.ledger);
    const ledger = await openWriter(place);
    issueNext(ledger);
    expect(existsSync(`${place.ledger}-wal`)).toBe(true);
    expect(await ledger.verify()).toMatchObject({ issued: 4 });
  });
});

describe('one writer', () => {
  it('refuses a second writer and says which process has the ledger open', async () => {
    const { place, ledger } = await newWriter();
    const error = await rejected(openLedgerForWriting(place.ledger, writerOptions()));
    expect(error.code).toBe('ledger_in_use');
    expect(error.message).toMatch(
      new RegExp(
        `^another process is using this ledger: process ${process.pid} on .+ \\(a test\\), since 2027-01-15T08:00:00Z$`,
      ),
    );
    ledger.close();
    expect(existsSync(join(place.folder, 'site', 'ledger.holder'))).toBe(false);
    await openWriter(place);
  });

  it('refuses a second writer from another process too', async () => {
    const { place } = await newWriter();
    const script = `import { openLedgerForWriting } from './signer/ledger/open.ts';
      await openLedgerForWriting(process.argv[1], { now: () => 1, random: () => new Uint8Array(32), holder: { command: 'second' } }).catch((error) => console.log(error.code));`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script, place.ledger], {
      cwd: join(import.meta.dirname, '../../../..'),
      encoding: 'utf8',
    });
    expect(stdout).toBe('ledger_in_use\n');
  });

  it.each(['', 'rubbish', '{"pid":1}', `{"pid":1,"host":"${'x'.repeat(5000)}"}`])(
    'a holder file that says %j is no obstacle, to the lock or to the words',
    async (content) => {
      const place = await makeLedger();
      const holder = join(place.folder, 'site', 'ledger.holder');
      writeFileSync(holder, content);
      await openWriter(place);
      writeFileSync(holder, content);
      expect((await rejected(openLedgerForWriting(place.ledger, writerOptions()))).message).toBe(
        'another process is using this ledger: its name is not known',
      );
    },
  );

  it("a holder's name reaches the terminal clean", async () => {
    const { place } = await newWriter();
    writeFileSync(
      join(place.folder, 'site', 'ledger.holder'),
      JSON.stringify({ pid: 1, host: 'a\u001b[31m', command: '\u202e', since: 0 }),
    );
    expect((await rejected(openLedgerForWriting(place.ledger, writerOptions()))).message).toContain(
      'process 1 on a\\u{001B}[31m (\\u{202E}), since 1970-01-01T00:00:00Z',
    );
  });

  it('says that a lock file that is not a database may go', async () => {
    const place = await makeLedger();
    writeFileSync(join(place.folder, 'site', 'ledger.lock'), 'x'.repeat(2000));
    expect(await rejected(openLedgerForWriting(place.ledger, writerOptions()))).toMatchObject({
      code: 'ledger_corrupt',
      hint: 'it contains no data: delete it and run the command again',
    });
  });

  it.each([
    ['a link that leads nowhere', (lock: string, elsewhere: string): void => symlinkSync(elsewhere, lock)],
    ['a folder', (lock: string): unknown => mkdirSync(lock)],
    ['a pipe', (lock: string): unknown => execFileSync('mkfifo', [lock])],
  ])('%s as the lock file is named and not followed', async (_what, make) => {
    const place = await makeLedger();
    const lock = join(place.folder, 'site', 'ledger.lock');
    const elsewhere = join(place.folder, 'elsewhere');
    rmSync(lock, { force: true });
    make(lock, elsewhere);
    expect(await rejected(openLedgerForWriting(place.ledger, writerOptions()))).toMatchObject({
      code: 'ledger_unwritable',
      message: expect.stringContaining(lock) as unknown,
      hint: expect.stringContaining('remove it, and only it') as unknown,
    });
    expect(existsSync(elsewhere)).toBe(false);
    rmSync(lock, { recursive: true });
    (await openWriter(place)).close();
  });

  it.each([
    ['that leads nowhere', undefined],
    ['to a file of somebody else', 'not a lock'],
  ])('a link %s in the place of the lock or of the holder is not followed', async (_what, content) => {
    const place = await makeLedger();
    const elsewhere = join(place.folder, 'elsewhere');
    if (content !== undefined) writeFileSync(elsewhere, content);
    const left = (): string | undefined => (existsSync(elsewhere) ? readFileSync(elsewhere, 'utf8') : undefined);
    for (const name of ['ledger.lock', 'ledger.holder']) {
      const path = join(place.folder, 'site', name);
      rmSync(path, { force: true });
      symlinkSync(elsewhere, path);
      await openWriter(place).then(
        (ledger) => {
          ledger.close();
        },
        () => undefined,
      );
      expect(left()).toBe(content);
      rmSync(path, { force: true });
    }
  });

  it('removes what killed runs left of the holder', async () => {
    const place = await makeLedger();
    const site = join(place.folder, 'site');
    for (const name of ['ledger.holder.4711', '.ledger.holder.new']) writeFileSync(join(site, name), '{');
    (await openWriter(place)).close();
    expect(readdirSync(site).filter((name) => name.includes('holder'))).toEqual([]);
  });

  it('a refused opening leaves no lock', async () => {
    const { place, old } = await aged();
    cpSync(place.ledger, `${place.folder}/good.sqlite`);
    copyFileSync(old, place.ledger);
    await rejected(openLedgerForWriting(place.ledger, writerOptions()));
    copyFileSync(`${place.folder}/good.sqlite`, place.ledger);
    expect((await openWriter(place)).unanchored()).toEqual({ entries: 0, leaves: 0 });
  });

  it('waits for another program that has locked the database, then names it as the obstacle', async () => {
    const { ledger, place } = await newWriter();
    const other = closing(new DatabaseSync(place.ledger));
    other.exec('BEGIN IMMEDIATE');
    expect(() => issueNext(ledger)).toThrow('another program is using the ledger file');
    other.exec('ROLLBACK');
    issueNext(ledger);
  }, 20_000);

  it('another program that wrote is noticed before the next entry', async () => {
    const { ledger, place } = await newWriter();
    issueNext(ledger);
    tamper(place.ledger, "INSERT INTO entry VALUES (4, 'clock', 1, x'a0', zeroblob(32))");
    const error = await rejected(Promise.resolve().then(() => issueNext(ledger)));
    expect(error.code).toBe('ledger_conflict');
    tamper(place.ledger, 'DELETE FROM entry WHERE seq = 4');
    issueNext(ledger);
    await ledger.verify();
  });
});
