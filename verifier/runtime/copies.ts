/**
 * The copies of the state in all stores, read and written as one (docs/runtime.md, "Stores"). A copy that is missing or
 * damaged is repaired from the others; a store that cannot be reached is left out until it can be.
 */
import { notice, shownError, type Notice } from './notices.ts';
import { decodeState, encodeState } from './state-document.ts';
import { EMPTY_STATE, mergeStates, type RuntimeState } from './state.ts';
import { acquireLock, type HeldLock } from './stores/lock.ts';
import type { StateStore } from './stores/store.ts';

type Copy =
  | { readonly store: StateStore; readonly kind: 'good'; readonly tag: string; readonly state: RuntimeState }
  | { readonly store: StateStore; readonly kind: 'missing'; readonly tag: undefined }
  | { readonly store: StateStore; readonly kind: 'corrupt' | 'newer'; readonly tag: string; readonly detail: string }
  | { readonly store: StateStore; readonly kind: 'unreachable'; readonly detail: string };

export type Loaded =
  | {
      readonly ok: true;
      readonly state: RuntimeState;
      /** There was no copy anywhere. */
      readonly isNew: boolean;
      readonly copies: readonly Copy[];
      readonly warnings: readonly Notice[];
    }
  | { readonly ok: false; readonly fault: Notice };

/** Reads and merges all copies. */
export async function loadState(stores: readonly StateStore[]): Promise<Loaded> {
  const copies = await Promise.all(stores.map(readCopy));
  const newer = copies.find(({ kind }) => kind === 'newer');
  if (newer !== undefined) return { ok: false, fault: notice('state_newer', describe(newer)) };
  const good = copies.flatMap((copy) => (copy.kind === 'good' ? [copy.state] : []));
  const unreachable = copies.filter(({ kind }) => kind === 'unreachable');
  const warnings = unreachable.map((copy) => notice('state_store_unreachable', describe(copy)));
  if (good.length > 0) return { ok: true, state: good.reduce(mergeStates), isNew: false, copies, warnings };
  const [away] = unreachable;
  // The only state may be in the store that cannot be reached, so nothing is known without it.
  if (away !== undefined) return { ok: false, fault: notice('state_unwritable', describe(away)) };
  const corrupt = copies.find(({ kind }) => kind === 'corrupt');
  if (corrupt !== undefined) return { ok: false, fault: notice('state_corrupt', describe(corrupt)) };
  return { ok: true, state: EMPTY_STATE, isNew: true, copies, warnings };
}

export type Changed =
  | { readonly ok: true; readonly state: RuntimeState; readonly warnings: readonly Notice[] }
  | { readonly ok: false; readonly fault: Notice };

const MAX_TRIES = 20;

/**
 * Writes the state that `change` makes of the merged one to every store that can be reached. If another process was
 * faster, it reads, merges and changes again.
 *
 * @param change is pure, and may be called several times
 */
export async function changeState(
  stores: readonly StateStore[],
  change: (state: RuntimeState) => RuntimeState,
): Promise<Changed> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const loaded = await loadState(stores);
    if (!loaded.ok) return loaded;
    const changed = change(loaded.state);
    const state: RuntimeState = { ...changed, revision: loaded.state.revision + 1 };
    const document = encodeState(state);
    const outcomes = await Promise.all(loaded.copies.map((copy) => writeCopy(copy, document)));
    if (outcomes.includes('conflict')) continue;
    const failed = outcomes.filter((outcome) => typeof outcome === 'object');
    const [first] = failed;
    if (!outcomes.includes('written'))
      return { ok: false, fault: notice('state_unwritable', first?.detail ?? 'no store took it') };
    const repaired = loaded.isNew ? [] : loaded.copies.filter(({ kind }) => kind === 'missing' || kind === 'corrupt');
    return {
      ok: true,
      state,
      warnings: [
        ...loaded.warnings,
        ...(loaded.isNew ? [notice('state_created', stores.map(({ name }) => name).join(', '))] : []),
        ...repaired.map((copy) => notice('state_copy_repaired', describe(copy))),
        ...failed.map(({ detail }) => notice('state_store_unreachable', detail)),
      ],
    };
  }
  return { ok: false, fault: notice('state_unwritable', 'other processes changed it again and again') };
}

/**
 * Locks all stores that can be reached, in their order: processes that share some of them share a lock.
 *
 * @returns undefined where another process has a lock for longer than `wait` milliseconds
 */
export async function lockStores(stores: readonly StateStore[], wait: number): Promise<HeldLock | undefined> {
  const end = performance.now() + wait;
  const held: HeldLock[] = [];
  const faults: string[] = [];
  const release = async (): Promise<void> => {
    for (const lock of held.toReversed()) await lock.release();
  };
  for (const store of stores) {
    try {
      const lock = await acquireLock(store, end - performance.now());
      if (lock === undefined) {
        await release();
        return undefined;
      }
      held.push(lock);
    } catch (error) {
      // If the copy cannot be read either, reading it says so. Each write compares, so that the state is safe.
      if ((await readCopy(store)).kind !== 'unreachable') faults.push(`${store.name}: ${shownError(error)}`);
    }
  }
  return { faults, release };
}

async function readCopy(store: StateStore): Promise<Copy> {
  try {
    const copy = await store.read();
    if (copy === undefined) return { store, kind: 'missing', tag: undefined };
    const { document, tag } = copy;
    const decoded = decodeState(document);
    if (decoded.ok) return { store, kind: 'good', tag, state: decoded.state };
    return { store, kind: decoded.fault, tag, detail: decoded.detail };
  } catch (error) {
    return { store, kind: 'unreachable', detail: shownError(error) };
  }
}

type Outcome = 'written' | 'conflict' | 'left out' | { readonly detail: string };

async function writeCopy(copy: Copy, document: Uint8Array): Promise<Outcome> {
  if (copy.kind === 'unreachable') return 'left out';
  try {
    return (await copy.store.write(document, copy.tag)) ? 'written' : 'conflict';
  } catch (error) {
    return { detail: `${copy.store.name}: ${shownError(error)}` };
  }
}

function describe(copy: Copy): string {
  return `${copy.store.name}: ${'detail' in copy ? copy.detail : copy.kind}`;
}
