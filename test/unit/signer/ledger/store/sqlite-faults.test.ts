import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isDiskFull, ledgerFault } from '../../../../../signer/ledger/store/sqlite-faults.ts';
import { VtlicError } from '../../../../../formats/error.ts';
import { mountPrefix } from '../../../../support/mounts.ts';
import { unprivileged } from '../../../../support/unprivileged.ts';
import { issueNext, makeLedger, newWriter, openWriter, temporaryFolder } from '../ledger-fixture.ts';

const CHILD = join(import.meta.dirname, '../ledger-child.ts');

function sqliteError(errcode: number): Error {
  return Object.assign(new Error('x'), { code: 'ERR_SQLITE_ERROR', errcode });
}

/** Runs `ledger-child.ts`; by a shell where `before` sets something for it. */
function child(
  args: readonly string[],
  wrap: readonly string[] = [],
): { readonly out: string[]; readonly err: string } {
  const [command = '', ...rest] = [...wrap, process.execPath, CHILD, ...args];
  return run(command, rest);
}

/** The same as a user without privileges: the superuser may write everywhere. */
function unprivilegedChild(args: readonly string[]): ReturnType<typeof child> {
  const { prefix, node, path } = unprivileged();
  const [command = '', ...rest] = [...prefix, node, path(CHILD), ...args];
  return run(command, rest);
}

function run(command: string, args: readonly string[]): { readonly out: string[]; readonly err: string } {
  const { stdout, stderr } = spawnSync(command, args, { cwd: '/', encoding: 'utf8' });
  return { out: stdout.split('\n').filter((line) => line !== ''), err: stderr };
}

describe("SQLite's words", () => {
  it.each([
    [5, 'open', 'ledger_in_use'],
    [6, 'write', 'ledger_in_use'],
    [261, 'write', 'ledger_in_use'],
    [8, 'write', 'ledger_unwritable'],
    [1032, 'write', 'ledger_unwritable'],
    [13, 'write', 'ledger_unwritable'],
    [10, 'write', 'ledger_unwritable'],
    [1034, 'write', 'ledger_unwritable'],
    [10, 'read', 'ledger_corrupt'],
    [266, 'open', 'ledger_corrupt'],
    [4874, 'open', 'ledger_unwritable'],
    [4874, 'read', 'ledger_unwritable'],
    [778, 'open', 'ledger_unwritable'],
    [14, 'open', 'ledger_unwritable'],
    [14, 'read', 'file_unreadable'],
    [1544, 'read', 'file_unreadable'],
    [11, 'read', 'ledger_corrupt'],
    [26, 'open', 'ledger_corrupt'],
    [18, 'read', 'ledger_corrupt'],
    [2067, 'write', 'internal'],
    [1, 'read', 'internal'],
  ] as const)('SQLite code %d at %s becomes %s', (errcode, act, code) => {
    const fault = ledgerFault(sqliteError(errcode), '/ledger.sqlite', act);
    if (!(fault instanceof VtlicError)) throw new Error('no VtlicError');
    expect(fault.code).toBe(code);
    expect(fault.place.file).toBe('/ledger.sqlite');
    if (code !== 'internal') expect(fault.hint).toBeDefined();
  });

  it('passes on what is not from SQLite', () => {
    const error = new TypeError('x');
    expect(ledgerFault(error, '/l', 'read')).toBe(error);
    expect(isDiskFull(sqliteError(13))).toBe(true);
    expect(isDiskFull(error)).toBe(false);
  });
});

describe('a disk that takes no more', () => {
  it('is reported at a file size limit, and leaves the record intact', async () => {
    const place = await makeLedger();
    // In units of 512 bytes: the ledger and its lock exist, the WAL may grow to 200 kB.
    const { out } = child(['append', place.ledger, '400', 'survive'], ['sh', '-c', 'ulimit -f 400; exec "$@"', 'sh']);
    expect(out.at(-3)).toMatch(
      /^ledger_unwritable the disk reported an input\/output error while the ledger was written/,
    );
    // Whether the entry came through is not known in that run, so it writes nothing more.
    expect(out.at(-2)).toBe(
      'ledger_unwritable an earlier write failed, and what it left is not known in this run; nothing more was recorded',
    );
    const done = out.length - 3;
    expect(done).toBeGreaterThan(3);
    const ledger = await openWriter(place);
    const { intents } = await ledger.verify();
    expect(intents - done).toBeGreaterThanOrEqual(0);
    expect(intents - done).toBeLessThanOrEqual(1);
    issueNext(ledger);
    await ledger.verify();
  });

  // Where nothing may be mounted, the last line of `npm test` says that this was left out.
  it.runIf(mountPrefix !== undefined)(
    'says that nothing more was recorded when the file system is full, and goes on when there is room',
    () => {
      const folder = temporaryFolder();
      try {
        const command = [
          ...(mountPrefix ?? []),
          process.execPath,
          join(import.meta.dirname, '../full-disk-scenario.ts'),
        ];
        const done = spawnSync(command[0] ?? '', [...command.slice(1), folder], { encoding: 'utf8' });
        expect(done.stderr).toBe('');
        const { out, entries } = JSON.parse(done.stdout) as {
          readonly out: readonly string[];
          readonly entries: number;
        };
        expect(out.at(-3)).toMatch(/^ledger_unwritable the disk is full; nothing more was recorded/);
        expect(out.at(-2)).toMatch(/^ledger_unwritable the disk is full; nothing more was recorded/);
        // The same process, after the failed append: the head is that of the entries that were recorded.
        const recorded = out.length - 3;
        expect(recorded).toBeGreaterThan(3);
        expect(out.at(-1)).toBe(`head ${1 + recorded}`);
        expect(entries).toBe(1 + recorded);
      } finally {
        spawnSync('umount', ['-l', join(folder, 'disk')]);
      }
    },
  );
});

describe('a place that is read-only', () => {
  it.each([
    ['the folder', 'site', 0o555],
    ['the ledger', 'site/ledger.sqlite', 0o444],
    ['the lock', 'site/ledger.lock', 0o444],
  ])('refuses to write where %s is read-only, in clear words, and changes nothing', async (_name, name, mode) => {
    const { place, ledger } = await newWriter();
    issueNext(ledger);
    ledger.close();
    openToAll(place.folder);
    chmodSync(join(place.folder, name), mode);
    const { out, err } = unprivilegedChild(['append', place.ledger, '1']);
    expect(err).toBe('');
    expect(out).toHaveLength(1);
    expect(out[0]).toMatch(
      /^ledger_unwritable .*(read-only|not do that here|cannot be opened for writing).*nothing (?:more )?was recorded/,
    );
    chmodSync(join(place.folder, name), 0o777);
    expect((await openWriter(place)).head().entries).toBe(3);
  });

  it('leaves files of SQLite that are read-only too, and they do not stop the next writer', async () => {
    const { place, ledger } = await newWriter();
    issueNext(ledger);
    ledger.close();
    openToAll(place.folder);
    chmodSync(place.ledger, 0o444);
    expect(unprivilegedChild(['read', place.ledger]).out).toEqual(['head 3']);
    const left = ['-wal', '-shm'].map((end) => statSync(`${place.ledger}${end}`).mode & 0o777);
    expect(left).toEqual([0o444, 0o444]);
    chmodSync(place.ledger, 0o666);
    expect(unprivilegedChild(['append', place.ledger, '1']).out).toEqual(['intent']);
  });

  it('may be read where SQLite may write beside it, and says so where not', async () => {
    const { place, ledger } = await newWriter();
    issueNext(ledger);
    ledger.close();
    openToAll(place.folder);
    chmodSync(place.ledger, 0o444);
    expect(unprivilegedChild(['read', place.ledger]).out).toEqual(['head 3']);
    for (const name of readdirSync(join(place.folder, 'site')))
      if (/-(?:wal|shm)$/.test(name)) rmSync(join(place.folder, 'site', name));
    chmodSync(join(place.folder, 'site'), 0o555);
    expect(unprivilegedChild(['read', place.ledger]).out[0]).toMatch(/^file_unreadable .*to make files in its folder/);
    chmodSync(join(place.folder, 'site'), 0o777);
  });

  function openToAll(folder: string): void {
    for (const [path, mode] of [
      [folder, 0o777],
      [join(folder, 'site'), 0o777],
      [join(folder, 'anchor'), 0o666],
      [join(folder, 'anchor.guard'), 0o777],
    ] as const)
      chmodSync(path, mode);
    for (const file of readdirSync(join(folder, 'site'))) chmodSync(join(folder, 'site', file), 0o666);
  }
});
