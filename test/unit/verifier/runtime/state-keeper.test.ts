/** The state of a running product: the running time, and the lease on advancing the time. */
import { describe, expect, it } from 'vitest';
import { memoryStore, type Notice, type StateStore } from '../../../../verifier/runtime/index.ts';
import { decodeState, encodeState } from '../../../../verifier/runtime/state-document.ts';
import { LEASE_SECONDS, StateKeeper } from '../../../../verifier/runtime/state-keeper.ts';
import { EMPTY_STATE, type RuntimeState } from '../../../../verifier/runtime/state.ts';
import { processIdentity } from '../../../../verifier/runtime/stores/process-identity.ts';

const same = (state: RuntimeState): RuntimeState => state;
const said = ({ code, detail }: Notice): string => `${code}: ${detail}`;
const at = (floor: number): RuntimeState['time'] => ({ floor, leadRun: 0, leadTime: 0 });
const ELSEWHERE = { holder: 'another host', beat: 3 };

/** A host with one store, and processes that share its clocks. */
class Host {
  readonly store: StateStore;
  clock = 0;
  running = 100.5;

  constructor(changes: Partial<StateStore> = {}) {
    this.store = { ...memoryStore(), name: 'the store', ...changes };
  }

  keeper(amend: (state: RuntimeState) => RuntimeState = same, ...more: StateStore[]): StateKeeper {
    const clocks = { clock: () => this.clock, monotonic: () => this.running };
    return new StateKeeper([this.store, ...more], clocks, amend);
  }

  async stored(): Promise<RuntimeState | undefined> {
    const copy = await this.store.read();
    const decoded = copy && decodeState(copy.document);
    return decoded?.ok === true ? decoded.state : undefined;
  }

  /** What another process writes. */
  async put(state: Partial<RuntimeState>): Promise<void> {
    const { revision } = (await this.stored()) ?? EMPTY_STATE;
    const tag = (await this.store.read())?.tag;
    await this.store.write(encodeState({ ...EMPTY_STATE, revision: revision + 1, ...state }), tag);
  }
}

describe('a process that starts', () => {
  it('knows nothing, counts its running time in whole seconds, and writes nothing by reading', async () => {
    const host = new Host();
    const keeper = host.keeper();
    expect(keeper.state).toBe(EMPTY_STATE);
    host.clock = 1000;
    host.running += 9.9;
    expect(keeper.situation()).toEqual({ state: EMPTY_STATE, clock: 1000, elapsed: 9 });
    expect(await keeper.load()).toEqual({ warnings: [] });
    expect(await host.stored()).toBeUndefined();
    host.running = 0;
    expect(keeper.situation().elapsed).toBe(0);
  });

  it('judges by the floor that it read, with the running time since then', async () => {
    const host = new Host();
    const keeper = host.keeper();
    await host.put({ time: at(5000) });
    host.running += 60;
    await keeper.load();
    expect(keeper.situation()).toMatchObject({ state: { time: at(5000) }, elapsed: 0 });
    host.running += 30;
    expect(keeper.situation()).toMatchObject({ state: { time: at(5000) }, elapsed: 30 });
  });

  it('counts from the moment at which it read another floor or epoch, to the part of a second', async () => {
    const host = new Host();
    const keeper = host.keeper();
    const elapsedAfter = async (state: Partial<RuntimeState>): Promise<number> => {
      host.running += 1.9;
      await host.put(state);
      await keeper.load();
      host.running += 0.2;
      return keeper.situation().elapsed;
    };
    expect(await elapsedAfter({ time: at(5000) })).toBe(0);
    expect(await elapsedAfter({ time: at(6000) })).toBe(0);
    host.running += 0.8;
    expect(await elapsedAfter({ time: at(6002) })).toBe(1);
    expect(await elapsedAfter({ epoch: 1, time: at(6005) })).toBe(0);
    // The floor of the new epoch is where the old one would be by now.
    host.running += 0.75;
    expect(await elapsedAfter({ epoch: 2, time: at(6007) })).toBe(0);
  });

  it('advances the time by what ran before its first write', async () => {
    const host = new Host();
    const keeper = host.keeper();
    host.running += 10;
    await keeper.change(same);
    expect((await host.stored())?.time.floor).toBe(10);
  });

  it('keeps what it read where the state cannot be read any more, and says why', async () => {
    let isAway = false;
    const memory = memoryStore();
    const host = new Host({
      ...memory,
      read: () => (isAway ? Promise.reject(new Error('no route')) : memory.read()),
    });
    await host.put({ time: at(5000) });
    const keeper = host.keeper();
    await keeper.load();
    isAway = true;
    const fault = 'state_unwritable: the memory of this process: no route';
    const loaded = await keeper.load();
    expect([loaded.fault && said(loaded.fault), loaded.warnings]).toEqual([fault, []]);
    const synced = await keeper.sync();
    expect([synced.fault && said(synced.fault), synced.warnings]).toEqual([fault, []]);
    const changed = await keeper.change(same);
    expect(changed.ok ? undefined : said(changed.fault)).toBe(fault);
    expect(keeper.state.time.floor).toBe(5000);
  });
});

describe('the state that is written', () => {
  it('has what changes, what is amended, and the lease of the process', async () => {
    const host = new Host();
    const keeper = host.keeper((state) => ({ ...state, keyset: { version: 2, chain: Uint8Array.of(1) } }));
    const changed = await keeper.change((state) => ({ ...state, kept: { sequence: 1, file: Uint8Array.of(2) } }));
    const { lease, ...rest } = keeper.state;
    expect(changed.ok && changed.state).toEqual(keeper.state);
    expect(rest).toEqual({
      ...EMPTY_STATE,
      revision: 1,
      kept: { sequence: 1, file: Uint8Array.of(2) },
      keyset: { version: 2, chain: Uint8Array.of(1) },
    });
    expect(lease?.holder.startsWith(`${processIdentity()} `)).toBe(true);
    expect(lease?.beat).toBe(0);
    expect(await host.stored()).toEqual(keeper.state);
  });

  it('has more of what the process read than of an older copy that is put back', async () => {
    const host = new Host();
    const keeper = host.keeper();
    await host.put({ time: at(5000) });
    await keeper.load();
    await host.put({ time: at(10) });
    await keeper.load();
    expect(keeper.state.time.floor).toBe(5000);
    await keeper.change(same);
    expect((await host.stored())?.time.floor).toBe(5000);
  });
});

describe('the holder of the lease', () => {
  it('advances the time by the seconds that ran, and keeps the parts of seconds for the next time', async () => {
    const host = new Host();
    const keeper = host.keeper();
    await keeper.change(same);
    const floors: (number | undefined)[] = [];
    const beats: (number | undefined)[] = [];
    for (let i = 0; i < 4; i++) {
      host.running += 1.5;
      await keeper.sync();
      floors.push((await host.stored())?.time.floor);
      beats.push((await host.stored())?.lease?.beat);
    }
    expect([floors, beats]).toEqual([
      [1, 3, 4, 6],
      [1, 2, 3, 4],
    ]);
  });

  it('goes on advancing the time after writes that took longer than until the next second', async () => {
    const store = memoryStore();
    const host: Host = new Host({
      ...store,
      write: (document, tag) => {
        host.running += 0.7;
        return store.write(document, tag);
      },
    });
    const keeper = host.keeper();
    for (let i = 0; i < 5; i++) {
      host.running += 300;
      await keeper.sync();
    }
    // The five runs, and the first four writes.
    expect((await host.stored())?.time).toEqual(at(1502));
  });

  it('counts what ran since the last write of the holder before it, whenever each of the two looks', async () => {
    const host = new Host();
    const [first, second] = [host.keeper(), host.keeper()];
    for (let i = 0; i < 3; i++) {
      host.running += 200;
      await first.sync();
      host.running += 100;
      await second.sync();
    }
    for (let i = 0; i < 4; i++) {
      host.running += 300;
      await second.sync();
    }
    expect((await host.stored())?.time).toEqual(at(2100));
  });

  it('is another one for each process, also within one host process', async () => {
    const host = new Host();
    const [first, second] = [host.keeper(), host.keeper()];
    await first.change(same);
    host.running += 10;
    expect(await second.sync()).toEqual({ warnings: [] });
    expect((await host.stored())?.revision).toBe(1);
    expect(second.state.lease).toEqual(first.state.lease);
    await second.close();
    expect((await host.stored())?.lease).toEqual(first.state.lease);
    await first.close();
    expect(await host.stored()).toMatchObject({ revision: 2, time: { floor: 10 } });
    expect((await host.stored())?.lease).toBeUndefined();
    await second.sync();
    expect((await host.stored())?.lease?.beat).toBe(0);
  });

  it('follows the epoch that another process began, and counts nothing from before it', async () => {
    const host = new Host();
    const keeper = host.keeper();
    await keeper.change((state) => ({ ...state, time: at(5000) }));
    host.running += 1000;
    await keeper.change((state) => ({ ...state, epoch: 1, time: at(300) }));
    expect((await host.stored())?.time).toEqual(at(300));
    host.running += 50;
    await keeper.change(same);
    expect((await host.stored())?.time).toEqual(at(350));
  });

  it('is the same one after a store lost the lease that it wrote', async () => {
    const host = new Host();
    const keeper = host.keeper();
    await keeper.change(same);
    await host.put({});
    await keeper.sync();
    expect((await host.stored())?.lease).toEqual({ holder: expect.any(String) as string, beat: 0 });
  });
});

describe('a lease of a process on another host', () => {
  it('is free once its beat did not rise for fifteen minutes, by the clock of whoever waits', async () => {
    expect(LEASE_SECONDS).toBe(900);
    const host = new Host();
    const keeper = host.keeper();
    await host.put({ lease: ELSEWHERE });
    await keeper.load();
    host.running += 899;
    await keeper.sync();
    expect((await host.stored())?.lease).toEqual(ELSEWHERE);
    await host.put({ lease: { ...ELSEWHERE, beat: 4 } });
    host.running += 1;
    await keeper.sync();
    host.running += 899.5;
    await keeper.sync();
    expect((await host.stored())?.lease).toEqual({ ...ELSEWHERE, beat: 4 });
    host.running += 0.5;
    await keeper.sync();
    expect((await host.stored())?.lease).toEqual({
      holder: expect.stringContaining(processIdentity()) as string,
      beat: 0,
    });
  });

  it('is waited for from the first reading of it, not from the first write', async () => {
    const host = new Host();
    const keeper = host.keeper();
    await host.put({ lease: ELSEWHERE });
    await keeper.load();
    host.running += 900;
    await keeper.change(same);
    expect((await host.stored())?.lease?.holder).not.toBe(ELSEWHERE.holder);
  });

  it('of a process of this host that has ended is free at once', async () => {
    const host = new Host();
    const holder = `${processIdentity().replace(/ \d+ /, ' 999999999 ')} 1`;
    await host.put({ lease: { holder, beat: 7 } });
    const keeper = host.keeper();
    await keeper.sync();
    expect((await host.stored())?.lease?.holder).not.toBe(holder);
    expect((await host.stored())?.lease?.beat).toBe(0);
  });

  it('is not given back by others, also where it was taken over meanwhile', async () => {
    const host = new Host();
    const keeper = host.keeper();
    await keeper.change(same);
    await host.put({ lease: ELSEWHERE, revision: 9 });
    await keeper.close();
    expect((await host.stored())?.lease).toEqual(ELSEWHERE);
    await host.keeper().close();
    expect((await host.stored())?.lease).toEqual(ELSEWHERE);
  });
});

describe('the warnings of a sync', () => {
  it('are those of the write for the holder of the lease, and those of the reading for others', async () => {
    const host = new Host();
    const away: StateStore = {
      ...memoryStore(),
      name: 'away',
      read: () => Promise.reject(new Error('no route')),
    };
    await host.put({ time: at(10) });
    const [lost, other] = [
      { ...memoryStore(), name: 'lost' },
      { ...memoryStore(), name: 'other' },
    ];
    const holding = await host.keeper(same, lost, away).sync();
    expect(holding.warnings.map(said)).toEqual([
      'state_store_unreachable: away: no route',
      'state_copy_repaired: lost: missing',
    ]);
    expect(holding.fault).toBeUndefined();
    const waiting = host.keeper(same, other, away);
    expect((await waiting.sync()).warnings.map(said)).toEqual(['state_store_unreachable: away: no route']);
    expect(await other.read()).toBeUndefined();
  });

  it('are the fault where the holder cannot write', async () => {
    const host = new Host({ write: () => Promise.reject(new Error('no space')) });
    const { fault, warnings } = await host.keeper().sync();
    expect([fault && said(fault), warnings]).toEqual(['state_unwritable: the store: no space', []]);
  });

  it('are the fault of one reading where the store is away, which may take seconds to say so', async () => {
    let readings = 0;
    const host = new Host({
      read: () => {
        readings++;
        return Promise.reject(new Error('no route'));
      },
    });
    const { fault, warnings } = await host.keeper().sync();
    expect([fault && said(fault), warnings, readings]).toEqual(['state_unwritable: the store: no route', [], 1]);
  });
});

describe('a process that ends', () => {
  it('writes nothing where the lease that it had is gone', async () => {
    const host = new Host();
    const keeper = host.keeper();
    await keeper.change(same);
    await host.put({ revision: 9, time: at(77) });
    await keeper.close();
    expect(await host.stored()).toMatchObject({ time: at(77) });
    expect((await host.stored())?.lease).toBeUndefined();
  });

  it('writes what it knows, also where an older copy was put back before', async () => {
    const host = new Host();
    const keeper = host.keeper();
    host.running += 300;
    await keeper.sync();
    const old = await host.store.read();
    host.running += 300;
    await keeper.sync();
    await host.store.write(old?.document ?? new Uint8Array(), (await host.store.read())?.tag);
    await keeper.close();
    expect((await host.stored())?.time).toEqual(at(600));
    expect((await host.stored())?.lease).toBeUndefined();
  });

  it('closes all stores, also where one of them cannot be closed', async () => {
    const closed: string[] = [];
    const closing = (name: string, fails = false): StateStore => ({
      ...memoryStore(),
      name,
      close: () => {
        closed.push(name);
        return fails ? Promise.reject(new Error('no route')) : Promise.resolve();
      },
    });
    await new Host().keeper(same, closing('a', true), closing('b')).close();
    expect(closed).toEqual(['a', 'b']);
  });
});
