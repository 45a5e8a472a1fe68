/** The copies of the state in several stores, read, written and locked as one: each result whole. */
import { describe, expect, it } from 'vitest';
import { nodeProvider } from '../../../../keys/public/provider-node.ts';
import { changeState, loadState, lockStores } from '../../../../verifier/runtime/copies.ts';
import { memoryStore, type Notice, type StateStore } from '../../../../verifier/runtime/index.ts';
import { decodeState, encodeState } from '../../../../verifier/runtime/state-document.ts';
import { EMPTY_STATE, type RuntimeState } from '../../../../verifier/runtime/state.ts';
import { acquireLock } from '../../../../verifier/runtime/stores/lock.ts';

const stateWith = (revision: number, floor = 0): RuntimeState => ({
  ...EMPTY_STATE,
  revision,
  time: { ...EMPTY_STATE.time, floor },
});

/** A store in memory with a name and a document, of which some calls may fail. */
async function store(name: string, document?: Uint8Array, changes: Partial<StateStore> = {}): Promise<StateStore> {
  const memory = memoryStore();
  if (document !== undefined) await memory.write(document, undefined);
  return { ...memory, name, ...changes };
}

const fails = (reason: unknown) => (): Promise<never> => Promise.reject(reason);
const BROKEN = new Error('no\u001b[2J route');
const away = (): Promise<StateStore> => store('away', undefined, { read: fails(BROKEN), write: fails(BROKEN) });
const good = (name: string, state = stateWith(3)): Promise<StateStore> => store(name, encodeState(state));
const damaged = (name: string): Promise<StateStore> => store(name, Uint8Array.of(1));

const same = (state: RuntimeState): RuntimeState => state;
const said = ({ code, detail }: Notice): string => `${code}: ${detail}`;
const AWAY = 'away: no\\u{001B}[2J route';
const DAMAGED = 'it does not begin as a state does';

async function revisionIn(of: StateStore): Promise<number | undefined> {
  const copy = await of.read();
  const decoded = copy && decodeState(copy.document);
  return decoded?.ok === true ? decoded.state.revision : undefined;
}

/** What a change of the state ends with, in words. */
async function change(...stores: StateStore[]): Promise<unknown> {
  const changed = await changeState(stores, same);
  return changed.ok ? [changed.state.revision, ...changed.warnings.map(said)] : said(changed.fault);
}

async function load(...stores: StateStore[]): Promise<unknown> {
  const loaded = await loadState(stores);
  if (!loaded.ok) return said(loaded.fault);
  const { state, isNew, copies, warnings } = loaded;
  return { revision: state.revision, isNew, kinds: copies.map(({ kind }) => kind), warnings: warnings.map(said) };
}

describe('the copies of a state', () => {
  it('are read as one, with a warning about each store that cannot be reached', async () => {
    expect(await load(await good('a', stateWith(3)), await away(), await good('b', stateWith(5)))).toEqual({
      revision: 5,
      isNew: false,
      kinds: ['good', 'unreachable', 'good'],
      warnings: [`state_store_unreachable: ${AWAY}`],
    });
    expect(await load(await damaged('a'), await good('b'), await store('c'))).toEqual({
      revision: 3,
      isNew: false,
      kinds: ['corrupt', 'good', 'missing'],
      warnings: [],
    });
  });

  it('are none at a first start only', async () => {
    expect(await load(await store('a'), await store('b'))).toEqual({
      revision: 0,
      isNew: true,
      kinds: ['missing', 'missing'],
      warnings: [],
    });
    expect(await load(await store('a'), await damaged('b'))).toBe(`state_corrupt: b: ${DAMAGED}`);
    expect(await load(await damaged('a'), await away())).toBe(`state_unwritable: ${AWAY}`);
  });

  it('are not read where a later release wrote one of them', async () => {
    const encoded = encodeState(stateWith(3));
    const later = await store('later', encoded, {
      read: () => Promise.resolve({ document: laterFormat(encoded), tag: '1' }),
    });
    expect(await load(await good('a'), later)).toBe(
      'state_newer: later: it has the format 2, and this release reads 1',
    );
  });

  it('that fail without an error are named all the same', async () => {
    expect(await load(await store('odd', undefined, { read: fails('a text') }))).toBe(
      'state_unwritable: odd: an unknown error',
    );
    const long = new Error('x'.repeat(302));
    expect(await load(await store('long', undefined, { read: fails(long) }))).toBe(
      `state_unwritable: long: ${'x'.repeat(300)}…`,
    );
  });
});

/** The document of a release with the format 2. */
function laterFormat(document: Uint8Array): Uint8Array {
  const head = 'vtlic-state\n'.length + 32;
  const bytes = Uint8Array.from(document);
  bytes[Buffer.from(document).indexOf('format\u0001') + 6] = 2;
  bytes.set(nodeProvider.sha256(bytes.subarray(head)), head - 32);
  return bytes;
}

describe('a change of the state', () => {
  it('at a first start makes all copies, and says where', async () => {
    const [a, b] = [await store('a'), await store('b')];
    expect(await change(a, b)).toEqual([1, 'state_created: a, b']);
    expect([await revisionIn(a), await revisionIn(b)]).toEqual([1, 1]);
    expect(await change(a, b)).toEqual([2]);
  });

  it('repairs the copies that are missing or damaged, and leaves out the stores that cannot be reached', async () => {
    const [lost, bad] = [await store('lost'), await damaged('bad')];
    expect(await change(await good('a'), lost, bad, await away())).toEqual([
      4,
      `state_store_unreachable: ${AWAY}`,
      'state_copy_repaired: lost: missing',
      `state_copy_repaired: bad: ${DAMAGED}`,
    ]);
    expect([await revisionIn(lost), await revisionIn(bad)]).toEqual([4, 4]);
  });

  it('is made where one store takes it, with a warning about another one that does not', async () => {
    const full = await store('full', encodeState(stateWith(1)), { write: fails(new Error('no space')) });
    expect(await change(await good('a'), full)).toEqual([4, 'state_store_unreachable: full: no space']);
    expect(await change(full)).toBe('state_unwritable: full: no space');
    expect(await changeState([], same)).toMatchObject({ fault: { detail: 'no store took it' } });
  });

  it('begins again where another process was faster, up to twenty times', async () => {
    let [losses, tries] = [19, 0];
    const base = await good('a');
    const racing: StateStore = {
      ...base,
      write: (document, expected) => (++tries > losses ? base.write(document, expected) : Promise.resolve(false)),
    };
    expect(await change(racing)).toEqual([4]);
    expect(tries).toBe(20);
    [losses, tries] = [20, 0];
    expect(await change(racing)).toBe('state_unwritable: other processes changed it again and again');
    expect(tries).toBe(20);
  });

  it('does not happen where the copies cannot be read', async () => {
    let calls = 0;
    const changed = await changeState([await damaged('a')], (state) => {
      calls++;
      return state;
    });
    expect([changed.ok, calls]).toEqual([false, 0]);
  });
});

describe('the lock of all stores', () => {
  it('is released in the order opposite to that of taking it', async () => {
    const swaps: string[] = [];
    const noting = async (name: string): Promise<StateStore> => {
      const memory = memoryStore();
      return {
        ...memory,
        name,
        swapLock: (expected, next) => {
          swaps.push(`${next === undefined ? 'released' : 'taken'} ${name}`);
          return memory.swapLock(expected, next);
        },
      };
    };
    const lock = await lockStores([await noting('a'), await noting('b')], 0);
    expect(lock?.faults).toEqual([]);
    await lock?.release();
    expect(swaps).toEqual(['taken a', 'taken b', 'released b', 'released a']);
  });

  it('names the stores that can be read but not locked, and no others', async () => {
    const changes = { readLock: fails(new Error('no locks here')) };
    const [odd, gone] = [
      await store('odd', undefined, changes),
      await store('gone', undefined, { ...changes, read: fails(BROKEN) }),
    ];
    const lock = await lockStores([odd, gone, await store('a')], 0);
    expect(lock?.faults).toEqual(['odd: no locks here']);
    await lock?.release();
  });

  it('waits no longer for all stores together than for one', async () => {
    const [a, b] = [memoryStore(), memoryStore()];
    const [first, second] = [await acquireLock(a, 0), await acquireLock(b, 0)];
    setTimeout(() => void first?.release(), 900);
    const began = performance.now();
    expect(await lockStores([a, b], 1000)).toBeUndefined();
    const waited = performance.now() - began;
    expect(waited).toBeGreaterThan(950);
    // If it waited for a second once more, it would take 1,900.
    expect(waited).toBeLessThan(1800);
    expect(await a.readLock()).toBeUndefined();
    await second?.release();
  });
});
