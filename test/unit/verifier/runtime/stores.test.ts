/** The copies of the state: stores that are away, that lost or damaged their copy, that diverged; locks. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeProvider } from '../../../../keys/public/provider-node.ts';
import { changeState, loadState, lockStores } from '../../../../verifier/runtime/copies.ts';
import { fileStore, memoryStore, sqliteStore, type StateStore } from '../../../../verifier/runtime/index.ts';
import { decodeState, encodeState } from '../../../../verifier/runtime/state-document.ts';
import { EMPTY_STATE, type RuntimeState } from '../../../../verifier/runtime/state.ts';
import { acquireLock } from '../../../../verifier/runtime/stores/lock.ts';
import { hasEnded, processIdentity } from '../../../../verifier/runtime/stores/process-identity.ts';
import { expectFirstDocument, expectOneLock } from './store-contract.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-stores-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const stateWith = (counter: number, floor = 0): RuntimeState => ({
  ...EMPTY_STATE,
  time: { ...EMPTY_STATE.time, floor },
  entries: [
    { lineage: 'v/p/c', kid: 'ab'.repeat(32), counter, payloadDigest: 'cd'.repeat(32), iat: 5, sequence: counter },
  ],
});

const counterOf = (state: RuntimeState): number => state.entries[0]?.counter ?? 0;

const away: StateStore = {
  name: 'a database that is away',
  read: () => Promise.reject(new Error('connection refused')),
  write: () => Promise.reject(new Error('connection refused')),
  readLock: () => Promise.reject(new Error('connection refused')),
  swapLock: () => Promise.reject(new Error('connection refused')),
};

async function storeWith(document: Uint8Array): Promise<StateStore> {
  const store = memoryStore();
  await store.write(document, undefined);
  return store;
}

const KINDS: readonly (readonly [name: string, make: () => StateStore])[] = [
  ['memory', memoryStore],
  ['a file', () => fileStore(join(folder, 'state'))],
  ['SQLite, by path', () => sqliteStore(join(folder, 'state.sqlite'))],
  ['SQLite, by database', () => sqliteStore(new DatabaseSync(join(folder, 'product.sqlite')), { id: 'vaultdesk' })],
];

describe.each(KINDS)('a store in %s', (_name, make) => {
  it('keeps a document, and replaces it only for whoever read the last one', async () => {
    const store = make();
    const read = await expectFirstDocument(store);
    expect(await store.write(Uint8Array.of(2), read?.tag)).toBe(true);
    expect(await store.write(Uint8Array.of(3), read?.tag)).toBe(false);
    expect((await store.read())?.document).toEqual(Uint8Array.of(2));
    await store.close?.();
  });

  it('has one lock, which goes to one of many at a time', async () => {
    const store = make();
    await expectOneLock(store, 8, 5);
    const first = await acquireLock(store, 0);
    expect(await acquireLock(store, 50)).toBeUndefined();
    await first?.release();
    expect(await store.readLock()).toBeUndefined();
    await store.close?.();
  });
});

describe('several copies', () => {
  it('are merged, and each of them is brought to the merged state', async () => {
    const [a, b] = [await storeWith(encodeState(stateWith(3, 50))), await storeWith(encodeState(stateWith(5, 10)))];
    const changed = await changeState([a, b], (state) => state);
    if (!changed.ok) throw new Error(changed.fault.detail);
    expect([counterOf(changed.state), changed.state.time.floor]).toEqual([5, 50]);
    for (const store of [a, b]) {
      const decoded = decodeState((await store.read())?.document ?? new Uint8Array());
      expect(decoded).toEqual({ ok: true, state: changed.state });
    }
  });

  it('are repaired where one is missing or damaged, with a warning that names the store', async () => {
    const good = await storeWith(encodeState(stateWith(3)));
    for (const bad of [memoryStore(), await storeWith(Uint8Array.of(1))]) {
      const changed = await changeState([bad, good], (state) => state);
      if (!changed.ok) throw new Error(changed.fault.detail);
      expect(changed.warnings.map(({ code }) => code)).toEqual(['state_copy_repaired']);
      expect(decodeState((await bad.read())?.document ?? new Uint8Array()).ok).toBe(true);
    }
  });

  it('copies of which one cannot be reached give the state of the others', async () => {
    const loaded = await loadState([away, await storeWith(encodeState(stateWith(3)))]);
    if (!loaded.ok) throw new Error(loaded.fault.detail);
    expect(counterOf(loaded.state)).toBe(3);
    expect(loaded.warnings).toMatchObject([
      { code: 'state_store_unreachable', detail: 'a database that is away: connection refused' },
    ]);
  });

  it('copies of which one cannot be reached and no other exists are not a first start', async () => {
    expect(await loadState([memoryStore(), away])).toMatchObject({ ok: false, fault: { code: 'state_unwritable' } });
    expect(await loadState([await storeWith(Uint8Array.of(1)), away])).toMatchObject({ ok: false });
    expect(await loadState([memoryStore(), memoryStore()])).toMatchObject({ ok: true, isNew: true });
  });

  it('copies that are all damaged are corrupt, also beside a store without a copy', async () => {
    const damaged = await storeWith(Uint8Array.of(1));
    expect(await loadState([damaged, memoryStore()])).toMatchObject({ ok: false, fault: { code: 'state_corrupt' } });
    expect(await changeState([damaged], () => stateWith(9))).toMatchObject({ ok: false });
    expect((await damaged.read())?.document).toEqual(Uint8Array.of(1));
  });

  it('does not change the copies if a later release wrote one of them', async () => {
    const text = new TextDecoder('latin1').decode(encodeState(stateWith(3)));
    const { document, body } = withFormat(text);
    const newer = await storeWith(document);
    const old = await storeWith(encodeState(stateWith(2)));
    expect(body).toBe(true);
    expect(await changeState([old, newer], (state) => state)).toMatchObject({
      ok: false,
      fault: { code: 'state_newer' },
    });
    expect((await newer.read())?.document).toEqual(document);
  });

  it('copies that another process changes meanwhile are read and changed again', async () => {
    const store = await storeWith(encodeState(stateWith(3)));
    let interfered = false;
    const racing: StateStore = {
      ...store,
      write: async (document, expected) => {
        if (!interfered) {
          interfered = true;
          await store.write(encodeState(stateWith(7)), (await store.read())?.tag);
        }
        return store.write(document, expected);
      },
    };
    const changed = await changeState([racing], (state) => ({ ...state, time: { ...state.time, floor: 99 } }));
    if (!changed.ok) throw new Error(changed.fault.detail);
    expect([counterOf(changed.state), changed.state.time.floor]).toEqual([7, 99]);
  });
});

/** The same document, as a release with the format 2 would write it. */
function withFormat(latin1: string): { readonly document: Uint8Array; readonly body: boolean } {
  const at = latin1.indexOf('format\u0001');
  const bytes = Uint8Array.from(latin1, (character) => character.charCodeAt(0));
  bytes[at + 6] = 2;
  const head = 'vtlic-state\n'.length;
  bytes.set(nodeProvider.sha256(bytes.subarray(head + 32)), head);
  return { document: bytes, body: at > 0 };
}

describe('a lock', () => {
  it('a lock of a process that has ended is free at once', async () => {
    const store = memoryStore();
    const ended = processIdentity().replace(/ \d+ /, ' 999999999 ');
    expect(hasEnded(ended)).toBe(true);
    expect(hasEnded(processIdentity())).toBe(false);
    await store.swapLock(undefined, `${ended} 1 0`);
    expect(await acquireLock(store, 0)).toBeDefined();
  });

  it('a lock of a process on another host is free once its note was not renewed for five seconds', async () => {
    const store = memoryStore();
    await store.swapLock(undefined, 'elsewhere 1 2 1 0');
    expect(await acquireLock(store, 200)).toBeUndefined();
    const began = performance.now();
    const lock = await acquireLock(store, 8000);
    expect(lock).toBeDefined();
    expect(performance.now() - began).toBeGreaterThan(4000);
    await lock?.release();
  });

  it('is renewed as long as it is held', async () => {
    const store = memoryStore();
    const lock = await acquireLock(store, 0);
    expect(await acquireLock(store, 6500)).toBeUndefined();
    await lock?.release();
    expect(await store.readLock()).toBeUndefined();
  }, 20_000);

  it('covers every store that can be reached, and none is left behind where one is taken', async () => {
    const [a, b] = [memoryStore(), memoryStore()];
    const held = await acquireLock(b, 0);
    expect(await lockStores([a, away, b], 50)).toBeUndefined();
    expect(await a.readLock()).toBeUndefined();
    await held?.release();
    const all = await lockStores([a, away, b], 50);
    expect(await a.readLock()).toBeDefined();
    expect(await b.readLock()).toBeDefined();
    await all?.release();
    expect(await b.readLock()).toBeUndefined();
  });

  it('a lock of a file leaves nothing behind, and removes what a process left that died within a swap', async () => {
    const path = join(folder, 'state');
    const store = fileStore(path);
    const dead = processIdentity().replace(/ \d+ /, ' 999999999 ');
    writeFileSync(`${path}.guard`, dead);
    const lock = await acquireLock(store, 1000);
    expect(readFileSync(`${path}.lock`, 'utf8')).toContain(processIdentity());
    await lock?.release();
    for (const left of ['.lock', '.guard', '.lock.new']) expect(existsSync(path + left)).toBe(false);
  });
});
