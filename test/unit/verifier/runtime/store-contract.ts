/** What every store of the state must do, in memory, in a file and in each database. */
import { expect } from 'vitest';
import type { StateStore, StoredCopy } from '../../../../verifier/runtime/index.ts';
import { acquireLock } from '../../../../verifier/runtime/stores/lock.ts';

/**
 * The store is empty; it takes a first document, and replaces nothing for whoever did not read that one.
 *
 * @returns the copy with the document `01`
 */
export async function expectFirstDocument(store: StateStore): Promise<StoredCopy | undefined> {
  expect(await store.read()).toBeUndefined();
  expect(await store.write(Uint8Array.of(1), 'no such tag')).toBe(false);
  expect(await store.write(Uint8Array.of(1), undefined)).toBe(true);
  expect(await store.write(Uint8Array.of(2), undefined)).toBe(false);
  const read = await store.read();
  expect(read?.document).toEqual(Uint8Array.of(1));
  return read;
}

/** Two stores of one table: what is written and locked in one does not touch the other. The lock stays taken. */
export async function expectRowOfItsOwn(store: StateStore, other: StateStore): Promise<void> {
  const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)];
  expect(await store.write(one, undefined)).toBe(true);
  expect(await store.read()).toEqual({ document: one, tag: '1' });
  expect(await store.write(two, undefined)).toBe(false);
  expect(await store.write(two, '2')).toBe(false);
  expect(await store.write(two, '1')).toBe(true);
  expect(await store.swapLock(undefined, 'note')).toBe(true);
  expect(await store.swapLock(undefined, 'late')).toBe(false);
  expect(await store.readLock()).toBe('note');
  expect([await other.read(), await other.readLock()]).toEqual([undefined, undefined]);
}

/** Of many that want the lock at once, one has it at a time, and each gets it. */
export async function expectOneLock(store: StateStore, wanting: number, workMilliseconds: number): Promise<void> {
  let inside = 0;
  const together: number[] = [];
  await Promise.all(
    Array.from({ length: wanting }, async () => {
      const lock = await acquireLock(store, 20_000);
      together.push(++inside);
      await new Promise((resolve) => setTimeout(resolve, workMilliseconds));
      inside--;
      await lock?.release();
    }),
  );
  expect(together).toEqual(Array.from({ length: wanting }, () => 1));
}
