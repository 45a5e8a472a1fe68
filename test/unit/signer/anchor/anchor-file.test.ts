import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anchorFile } from '../../../../signer/anchor/anchor-file.ts';
import { decodeCbor, isCborArray } from '../../../../formats/cbor/index.ts';
import { decodeAnchorRecord, encodeAnchorRecord } from '../../../../signer/anchor/anchor-record.ts';
import type { AnchorRecord, AnchorStore } from '../../../../signer/anchor/anchor.ts';
import { temporaryFolder } from '../ledger/ledger-fixture.ts';
import { encodeFirstRecord } from './first-record.ts';
import { ROOT } from '../../../support/run-cli.ts';
import { rejected } from '../../../support/thrown.ts';
import { unprivileged } from '../../../support/unprivileged.ts';

function record(entries: number): AnchorRecord {
  return {
    ledgerId: new Uint8Array(16).fill(1),
    entries,
    logId: new Uint8Array(16).fill(3),
    size: entries - 1,
    root: new Uint8Array(32).fill(2),
    counterBound: entries + 5,
    closes: 0,
    chain: new Uint8Array(32).fill(entries),
  };
}

let nonces = 0;

function nonce(): Uint8Array {
  return new Uint8Array(16).fill(++nonces);
}

/** Replaces what is there. */
async function write(store: AnchorStore, next: AnchorRecord): Promise<boolean> {
  return store.replace({ known: await store.read(), next, nonce: nonce() });
}

const encode = (of: AnchorRecord): Uint8Array => encodeAnchorRecord({ record: of, moved: false }, nonce());

describe('an anchor record', () => {
  it('comes back as it went', () => {
    expect(decodeAnchorRecord(encode(record(300)))).toEqual({ record: record(300), moved: false });
    expect(decodeAnchorRecord(encodeAnchorRecord({ record: record(300), moved: true }, nonce()))).toEqual({
      record: record(300),
      moved: true,
    });
  });

  it('comes back with the highest version of the keyset, and is the same as before where there is none', () => {
    const keysetVersion = 9_007_199_254_740_991;
    const signed = { ...record(300), keysetVersion };
    expect(decodeAnchorRecord(encode(signed))).toEqual({ record: signed, moved: false });
    expect(decodeAnchorRecord(encodeAnchorRecord({ record: signed, moved: true }, nonce()))?.record).toEqual(signed);
    const fields = decodeCbor(encode(record(300)));
    expect(isCborArray(fields) && fields.length).toBe(11);
    for (const impossible of [0, -1]) {
      expect(decodeAnchorRecord(encode({ ...record(3), keysetVersion: impossible }))).toBeUndefined();
    }
  });

  it('reads a record of version 0.1.0', () => {
    expect(decodeAnchorRecord(encodeFirstRecord(record(300)))).toEqual({ record: record(300), moved: false });
  });

  it('takes no record with any single byte changed, cut or added', () => {
    const bytes = encode(record(70_000));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = bytes.slice();
        changed[at] = (changed[at] ?? 0) ^ mask;
        expect(decodeAnchorRecord(changed)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
    for (let length = 0; length < bytes.length; length++)
      expect(decodeAnchorRecord(bytes.subarray(0, length))).toBeUndefined();
    expect(decodeAnchorRecord(Uint8Array.of(...bytes, 0))).toBeUndefined();
  });

  it('takes no record with impossible numbers', () => {
    expect(decodeAnchorRecord(encode({ ...record(3), entries: 0, size: 0 }))).toBeUndefined();
    expect(decodeAnchorRecord(encode({ ...record(3), size: 3 }))).toBeUndefined();
    expect(decodeAnchorRecord(encode({ ...record(3), size: -1 }))).toBeUndefined();
    expect(decodeAnchorRecord(encode({ ...record(3), root: new Uint8Array(31) }))).toBeUndefined();
  });
});

describe('an anchor file', () => {
  it('is written, read, and replaced', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'anchor');
    const store = anchorFile(path);
    expect(await store.read()).toEqual([]);
    expect(await write(store, record(1))).toBe(true);
    expect(await store.read()).toEqual([record(1)]);
    expect(await write(store, record(2))).toBe(true);
    expect(await store.read()).toEqual([record(2)]);
    expect(readdirSync(folder).sort()).toEqual(['anchor', 'anchor.guard']);
    expect(readdirSync(join(folder, 'anchor.guard'))).toEqual([expect.stringMatching(/^at-[0-9a-f]{32}$/)]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(store.description).toBe(`the anchor file ${path}`);
  });

  it('gives both records where a whole new file was left beside it', async () => {
    const path = join(temporaryFolder(), 'anchor');
    writeFileSync(path, encodeFirstRecord(record(5)));
    writeFileSync(`${path}.new`, encodeFirstRecord(record(6)));
    expect(await anchorFile(path).read()).toEqual([record(5), record(6)]);
    expect(await write(anchorFile(path), record(7))).toBe(true);
    expect(await anchorFile(path).read()).toEqual([record(7)]);
    expect(existsSync(`${path}.new`)).toBe(false);
  });

  it.each([0, 1, 40, 139])('gives the old record where %d bytes of a new file were left beside it', async (length) => {
    const path = join(temporaryFolder(), 'anchor');
    writeFileSync(path, encodeFirstRecord(record(5)));
    writeFileSync(`${path}.new`, encodeFirstRecord(record(6)).subarray(0, length));
    expect(await anchorFile(path).read()).toEqual([record(5)]);
    expect(await write(anchorFile(path), record(6))).toBe(true);
    expect(await anchorFile(path).read()).toEqual([record(6)]);
  });

  it('tells a damaged anchor file from a missing one', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'anchor');
    writeFileSync(path, 'rubbish');
    expect(await rejected(anchorFile(path).read())).toMatchObject({ code: 'ledger_corrupt', place: { file: path } });
    writeFileSync(path, new Uint8Array(100_000));
    expect((await rejected(anchorFile(path).read())).code).toBe('ledger_corrupt');
    rmSync(path);
    mkdirSync(path);
    expect((await rejected(anchorFile(path).read())).code).toBe('ledger_corrupt');
  });

  it('is replaced by a whole new file where it is damaged', async () => {
    const path = join(temporaryFolder(), 'anchor');
    writeFileSync(path, 'rubbish');
    writeFileSync(`${path}.new`, encodeFirstRecord(record(6)));
    expect(await anchorFile(path).read()).toEqual([record(6)]);
    expect(await write(anchorFile(path), record(7))).toBe(true);
    expect(await anchorFile(path).read()).toEqual([record(7)]);
  });

  it('says that the folder of the anchor file is not there, to a reader and to a writer', async () => {
    const path = join(temporaryFolder(), 'usb', 'anchor');
    expect(await rejected(anchorFile(path).read())).toMatchObject({
      code: 'file_unreadable',
      message: 'the folder of the anchor file is not there',
    });
    const error = await rejected(anchorFile(path).replace({ known: [], next: record(1), nonce: nonce() }));
    expect(error).toMatchObject({
      code: 'ledger_unwritable',
      message:
        'the anchor was not written: there is no such file or folder; what is recorded but not released stays in the ' +
        'ledger',
      place: { file: `${path}.guard` },
      hint: expect.stringContaining('delete neither the anchor nor its .guard') as unknown,
    });
  });

  it.each([
    ['a file', ['touch']],
    ['a pipe', ['mkfifo']],
    ['a link that leads nowhere', ['ln', '-s', 'nowhere']],
  ] as const)('names its guard where that is %s, and says that the anchor must not be deleted', async (_what, make) => {
    const path = join(temporaryFolder(), 'anchor');
    const guard = `${path}.guard`;
    writeFileSync(path, encodeFirstRecord(record(5)));
    execFileSync(make[0], [...make.slice(1), guard]);
    const error = await rejected(anchorFile(path).replace({ known: [record(5)], next: record(6), nonce: nonce() }));
    expect(error).toMatchObject({ code: 'ledger_unwritable', place: { file: guard } });
    expect(error.message).toContain('the guard of the anchor should be a folder, but is something else');
    expect(error.hint).toContain(
      `move it away, since this program did not make it, and do not delete the anchor, ${path};`,
    );
    expect(readFileSync(path)).toEqual(Buffer.from(encodeFirstRecord(record(5))));
  });

  it('leaves a folder alone that has the name of its .new', async () => {
    const path = join(temporaryFolder(), 'anchor');
    mkdirSync(join(`${path}.new`, 'kept'), { recursive: true });
    expect(await write(anchorFile(path), record(5))).toBe(true);
    expect(await write(anchorFile(path), record(6))).toBe(true);
    expect(await anchorFile(path).read()).toEqual([record(6)]);
    expect(existsSync(join(`${path}.new`, 'kept'))).toBe(true);
  });

  it.each(['.new', '.guard'])('names its %s where this user may not read it', (suffix) => {
    const { prefix, node, path: open } = unprivileged();
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    const path = join(folder, 'anchor');
    writeFileSync(path, encodeFirstRecord(record(5)), { mode: 0o644 });
    if (suffix === '.new') writeFileSync(path + suffix, '');
    else mkdirSync(path + suffix);
    chmodSync(path + suffix, 0);
    const script = `
      const { anchorFile } = await import(${JSON.stringify(open(join(ROOT, 'signer/anchor/anchor-file.ts')))});
      const error = await anchorFile(${JSON.stringify(path)}).read().catch((error) => error);
      console.log(JSON.stringify({ ...error.place, message: error.message, hint: error.hint }));`;
    const [command, ...args] = [...prefix, node, '--input-type=module', '-e', script];
    const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd: '/' });
    chmodSync(path + suffix, 0o700);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      file: path + suffix,
      message: 'this user may not do that here (permission denied)',
      hint: `let this user read and write it, and delete neither the anchor, ${path}, nor its .guard; then run the command again`,
    });
  });

  it('is not replaced by who knows another one, nor by who knows none', async () => {
    const store = anchorFile(join(temporaryFolder(), 'anchor'));
    expect(await write(store, record(1))).toBe(true);
    expect(await store.replace({ known: [record(2)], next: record(3), nonce: nonce() })).toBe(false);
    expect(await store.replace({ known: [], next: record(3), nonce: nonce() })).toBe(false);
    expect(await store.read()).toEqual([record(1)]);
  });

  it('gives no record once it was moved away, tells which record moved it, and can be made anew', async () => {
    const store = anchorFile(join(temporaryFolder(), 'anchor'));
    expect(await write(store, record(1))).toBe(true);
    expect(await store.replace({ known: [record(1)], next: record(2), moved: true, nonce: nonce() })).toBe(true);
    expect([await store.read(), await store.movedBy()]).toEqual([[], record(2)]);
    expect(await write(store, record(3))).toBe(true);
    expect([await store.read(), await store.movedBy()]).toEqual([[record(3)], undefined]);
  });

  it('refuses an older copy that was put back, and takes the newest again', async () => {
    const path = join(temporaryFolder(), 'anchor');
    await write(anchorFile(path), record(1));
    const older = readFileSync(path);
    await write(anchorFile(path), record(2));
    const newest = readFileSync(path);
    writeFileSync(path, older);
    expect(await rejected(anchorFile(path).read())).toMatchObject({
      code: 'ledger_corrupt',
      message: `the anchor file does not match its guard, ${path}.guard`,
    });
    writeFileSync(path, newest);
    expect(await anchorFile(path).read()).toEqual([record(2)]);
  });

  it('refuses the file of another anchor that was carried to its guard, and changes neither', async () => {
    const [path, elsewhere] = [join(temporaryFolder(), 'anchor'), join(temporaryFolder(), 'anchor')];
    await write(anchorFile(path), record(1));
    await write(anchorFile(elsewhere), record(2));
    copyFileSync(elsewhere, path);
    const foreign = `the anchor file does not match its guard, ${path}.guard`;
    expect(await rejected(anchorFile(path).read())).toMatchObject({ code: 'ledger_corrupt', message: foreign });
    for (const known of [[record(1)], [record(2)]])
      expect(await anchorFile(path).replace({ known, next: record(3), nonce: nonce() })).toBe(false);
    expect(readFileSync(path)).toEqual(readFileSync(elsewhere));
  });

  it('stays the same anchor when it is carried to another place without its guard', async () => {
    const [path, elsewhere] = [join(temporaryFolder(), 'anchor'), join(temporaryFolder(), 'anchor')];
    await write(anchorFile(path), record(2));
    renameSync(path, elsewhere);
    expect(await anchorFile(elsewhere).read()).toEqual([record(2)]);
    expect(await write(anchorFile(elsewhere), record(3))).toBe(true);
    expect(await anchorFile(path).read()).toEqual([]);
  });

  it('gives the new record where a change was interrupted before the new file had its place', async () => {
    const path = join(temporaryFolder(), 'anchor');
    await write(anchorFile(path), record(1));
    const [before] = [readFileSync(path), await write(anchorFile(path), record(2))];
    const [turn] = readdirSync(`${path}.guard`);
    renameSync(path, join(`${path}.guard`, `new-${turn?.slice(3) ?? ''}`));
    writeFileSync(path, before);
    expect(await anchorFile(path).read()).toEqual([record(2)]);
    expect(await write(anchorFile(path), record(3))).toBe(true);
    expect(await anchorFile(path).read()).toEqual([record(3)]);
    expect(readdirSync(`${path}.guard`)).toHaveLength(1);
  });
});
