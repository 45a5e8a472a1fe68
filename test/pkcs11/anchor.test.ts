/**
 * A ledger whose anchor is in a token: made, read back, the old one destroyed; two are left by a change that was cut
 * off.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Token } from '../../keys/private/pkcs11/client/token.ts';
import { tokenAnchor } from '../../signer/anchor/anchor-token.ts';
import { encodeFirstRecord } from '../unit/signer/anchor/first-record.ts';
import type { AnchorPlace, AnchorStore } from '../../signer/anchor/anchor.ts';
import { createLedger } from '../../signer/ledger/create.ts';
import type { Ledger } from '../../signer/ledger/ledger.ts';
import { openLedgerForWriting } from '../../signer/ledger/open.ts';
import { ISS, issueNext, releaseNow, writerOptions } from '../unit/signer/ledger/ledger-inputs.ts';
import { makeKryoptic } from './support/kryoptic.ts';
import { makeSofthsm } from './support/softhsm.ts';
import { open, type TestToken } from './support/test-token.ts';

function withoutLogin(made: TestToken, ...args: readonly string[]): string {
  return spawnSync(process.execPath, [PUBLIC_OBJECTS, made.module, ...args], {
    env: { ...process.env, ...made.environment },
    encoding: 'utf8',
  }).stdout;
}

const PUBLIC_OBJECTS = fileURLToPath(new URL('./support/public-objects.ts', import.meta.url));

describe.each([
  ['SoftHSM', () => makeSofthsm('t')],
  ['kryoptic', () => makeKryoptic(['t'])],
])('an anchor in %s', (_name, make) => {
  let made: TestToken;
  let token: Token;
  let folder: string;
  let path: string;
  let label = 0;
  let place: AnchorPlace & { readonly kind: 'token' };
  let store: AnchorStore;

  beforeAll(async () => {
    made = make();
    token = await open(made, 't');
  });
  afterAll(async () => {
    await token.close();
    made.remove();
  });
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'vtlic-anchor-'));
    path = join(folder, 'ledger.sqlite');
    place = { kind: 'token', keystore: 'hsm', label: `vtlic-anchor-${label++}` };
    store = tokenAnchor(() => Promise.resolve(token), place);
    await createLedger(path, { ...writerOptions(), iss: ISS, anchor: place, anchorStore: () => store });
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function writer(): Promise<Ledger> {
    return openLedgerForWriting(path, { ...writerOptions(), anchorStore: () => store });
  }

  async function license(): Promise<void> {
    const ledger = await writer();
    try {
      const seq = issueNext(ledger);
      await ledger.anchor();
      releaseNow(ledger, seq);
    } finally {
      ledger.close();
    }
  }

  it('is replaced, and one is left', async () => {
    await license();
    await license();
    expect(await token.readData(place.label)).toHaveLength(1);
    const [record] = await store.read();
    expect(record).toMatchObject({ size: 2, counterBound: 2 });
  });

  it('notices an old copy of the ledger, and its absence', async () => {
    await license();
    const copy = join(folder, 'copy');
    copyFileSync(path, copy);
    await license();
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    copyFileSync(copy, path);
    await expect(writer()).rejects.toMatchObject({ code: 'ledger_rolled_back' });
    for (const object of await token.readData(place.label)) await token.destroyData(object);
    await expect(writer()).rejects.toMatchObject({ code: 'ledger_rolled_back' });
  });

  it('an anchor left twice, or half beside a whole one, is read for what it is', async () => {
    await license();
    const [before] = await store.read();
    if (before === undefined) throw new Error('no anchor');
    await token.createData(place.label, encodeFirstRecord(before).slice(0, 40));
    expect(await store.read()).toEqual([before]);
    await license();
    expect(await token.readData(place.label)).toHaveLength(1);
    const [after] = await store.read();
    if (after === undefined) throw new Error('no anchor');
    await token.createData(place.label, encodeFirstRecord(before));
    (await writer()).close();
    expect(await store.read()).toEqual([after]);
    for (const object of await token.readData(place.label)) await token.destroyData(object);
    // As version 0.1.0 leaves it.
    await token.createData(place.label, encodeFirstRecord(before));
    await token.createData(place.label, encodeFirstRecord(after));
    (await writer()).close();
    expect(await store.read()).toHaveLength(2);
    await license();
    expect(await token.readData(place.label)).toHaveLength(1);
    for (const object of await token.readData(place.label)) await token.destroyData(object);
    await token.createData(place.label, encodeFirstRecord(after).slice(1));
    await expect(writer()).rejects.toMatchObject({ code: 'ledger_corrupt' });
  });

  it('has no place in a token without data objects, which is said', async () => {
    const { profile } = token.opened;
    const without = await open(made, 't', { profile: { ...profile, dataObjects: 'none' } });
    try {
      const nowhere = tokenAnchor(() => Promise.resolve(without), place);
      const file = join(folder, 'second.sqlite');
      await expect(
        createLedger(file, { ...writerOptions(), iss: ISS, anchor: place, anchorStore: () => nowhere }),
      ).rejects.toMatchObject({
        code: 'configuration_invalid',
        message: expect.stringContaining('cannot store data objects') as string,
        hint: expect.stringContaining('name another place for the anchor') as string,
      });
      expect(existsSync(file)).toBe(false);
    } finally {
      await without.close();
    }
  });

  it('is not shown without a login, and an object that is put beside it without a login is not an anchor', async () => {
    expect(await token.readData(place.label)).toHaveLength(1);
    expect(withoutLogin(made)).toBe('done\n');
    const [record] = await store.read();
    if (record === undefined) throw new Error('no anchor');
    const planted = encodeFirstRecord({ ...record, entries: record.entries + 1 });
    expect(withoutLogin(made, place.label, Buffer.from(planted).toString('hex'))).toMatch(
      new RegExp(`^(?:${place.label}|refused)\ndone\n$`),
    );
    expect(await store.read()).toEqual([record]);
  });

  it('is never put beside the anchor of another ledger', async () => {
    await expect(
      createLedger(join(folder, 'second.sqlite'), {
        ...writerOptions(),
        iss: ISS,
        anchor: place,
        anchorStore: () => store,
      }),
    ).rejects.toMatchObject({ code: 'ledger_missing' });
  });
});
