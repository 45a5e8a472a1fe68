import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VtlicError } from '../../../../formats/error.ts';
import { anchorFile } from '../../../../signer/anchor/anchor-file.ts';
import { decodeAnchorRecord, encodeAnchorRecord } from '../../../../signer/anchor/anchor-record.ts';
import type { AnchorRecord } from '../../../../signer/anchor/anchor.ts';
import { temporaryFolder } from '../ledger/ledger-fixture.ts';

function record(entries: number): AnchorRecord {
  return {
    ledgerId: new Uint8Array(16).fill(1),
    entries,
    logId: new Uint8Array(16).fill(3),
    size: entries - 1,
    root: new Uint8Array(32).fill(2),
    reach: entries + 5,
    closes: 0,
    chain: new Uint8Array(32).fill(entries),
  };
}

async function refusal(promise: Promise<unknown>): Promise<VtlicError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof VtlicError) return error;
  throw new Error(`no VtlicError, but ${String(error)}`);
}

describe('an anchor record', () => {
  it('comes back as it went', () => {
    expect(decodeAnchorRecord(encodeAnchorRecord(record(300)))).toEqual(record(300));
  });

  it('with any single byte changed, cut or added is none', () => {
    const bytes = encodeAnchorRecord(record(70_000));
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

  it('with impossible numbers is none', () => {
    expect(decodeAnchorRecord(encodeAnchorRecord({ ...record(3), entries: 0, size: 0 }))).toBeUndefined();
    expect(decodeAnchorRecord(encodeAnchorRecord({ ...record(3), size: 3 }))).toBeUndefined();
    expect(decodeAnchorRecord(encodeAnchorRecord({ ...record(3), size: -1 }))).toBeUndefined();
    expect(decodeAnchorRecord(encodeAnchorRecord({ ...record(3), root: new Uint8Array(31) }))).toBeUndefined();
  });
});

describe('an anchor file', () => {
  it('is written, read, and replaced', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'anchor');
    const store = anchorFile(path);
    expect(await store.read()).toEqual([]);
    await store.write(record(1));
    expect(await store.read()).toEqual([record(1)]);
    await store.write(record(2));
    expect(await store.read()).toEqual([record(2)]);
    expect(readdirSync(folder)).toEqual(['anchor']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(store.description).toBe(`the anchor file ${path}`);
  });

  it('left with a whole new one beside it gives both', async () => {
    const path = join(temporaryFolder(), 'anchor');
    writeFileSync(path, encodeAnchorRecord(record(5)));
    writeFileSync(`${path}.new`, encodeAnchorRecord(record(6)));
    expect(await anchorFile(path).read()).toEqual([record(5), record(6)]);
    await anchorFile(path).write(record(7));
    expect(await anchorFile(path).read()).toEqual([record(7)]);
    expect(existsSync(`${path}.new`)).toBe(false);
  });

  it.each([0, 1, 40, 139])('left with %d bytes of a new one beside it gives the old one', async (length) => {
    const path = join(temporaryFolder(), 'anchor');
    writeFileSync(path, encodeAnchorRecord(record(5)));
    writeFileSync(`${path}.new`, encodeAnchorRecord(record(6)).subarray(0, length));
    expect(await anchorFile(path).read()).toEqual([record(5)]);
    await anchorFile(path).write(record(6));
    expect(await anchorFile(path).read()).toEqual([record(6)]);
  });

  it('that is damaged is told from one that is missing', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'anchor');
    writeFileSync(path, 'rubbish');
    expect(await refusal(anchorFile(path).read())).toMatchObject({ code: 'ledger_corrupt', place: { file: path } });
    writeFileSync(path, new Uint8Array(100_000));
    expect((await refusal(anchorFile(path).read())).code).toBe('ledger_corrupt');
    rmSync(path);
    mkdirSync(path);
    expect((await refusal(anchorFile(path).read())).code).toBe('ledger_corrupt');
  });

  it('that is damaged gives way to a whole new one', async () => {
    const path = join(temporaryFolder(), 'anchor');
    writeFileSync(path, 'rubbish');
    writeFileSync(`${path}.new`, encodeAnchorRecord(record(6)));
    expect(await anchorFile(path).read()).toEqual([record(6)]);
    // A write that fails on its way leaves the whole one whole.
    expect((await refusal(anchorFile(path).write(record(0.5)))).code).toBe('ledger_unwritable');
    expect(await anchorFile(path).read()).toEqual([record(6)]);
    await anchorFile(path).write(record(7));
    expect(await anchorFile(path).read()).toEqual([record(7)]);
  });

  it('on a disk that is not there asks for the disk', async () => {
    const path = join(temporaryFolder(), 'usb', 'anchor');
    expect(await refusal(anchorFile(path).read())).toMatchObject({
      code: 'file_unreadable',
      message: 'the folder of the anchor file is not there',
    });
    const error = await refusal(anchorFile(path).write(record(1)));
    expect(error).toMatchObject({
      code: 'ledger_unwritable',
      message:
        'the anchor was not written: there is no such file or folder; what is recorded but not released stays in the ledger',
    });
  });

  it('whose new place is taken by something odd is written all the same', async () => {
    const path = join(temporaryFolder(), 'anchor');
    await anchorFile(path).write(record(1));
    symlinkSync('/dev/full', `${path}.new`);
    await anchorFile(path).write(record(2));
    expect(await anchorFile(path).read()).toEqual([record(2)]);
  });
});
