/**
 * A place that keeps a copy of the state: a file, or whatever the product supplies (its database). A product that
 * writes a store of its own implements this.
 */
export interface StateStore {
  /** For messages: "the file /var/lib/vaultdesk/license.state". */
  readonly name: string;
  /** Undefined: there is no copy. Throws where the store cannot be reached: that is not the same as no copy. */
  read(): Promise<StoredCopy | undefined>;
  /** Like `read`, where `read` may make a table or a file: this one changes nothing. */
  peek?(): Promise<StoredCopy | undefined>;
  /** Why nothing can be written, as far as that is known without writing; undefined: nothing is known against it. */
  writeFault?(): Promise<string | undefined>;
  /**
   * Replaces the copy, durably and as a whole, if it still has the tag `expected` (undefined: there is none).
   *
   * @returns false where another process was faster; throws where the store cannot be reached or written
   */
  write(document: Uint8Array, expected: string | undefined): Promise<boolean>;
  /** The note of the process that has the lock; undefined: nobody. */
  readLock(): Promise<string | undefined>;
  /**
   * Replaces the note, if it is still `expected`. `next` undefined: removes it.
   *
   * @returns false where another process was faster
   */
  swapLock(expected: string | undefined, next: string | undefined): Promise<boolean>;
  /** Releases what the store opened itself. */
  close?(): Promise<void>;
}

export interface StoredCopy {
  readonly document: Uint8Array;
  /** Another one after each write. */
  readonly tag: string;
}

/** A store that ends with the process: for development, and for tests. */
export function memoryStore(): StateStore {
  let copy: StoredCopy | undefined;
  let lock: string | undefined;
  let writes = 0;
  return {
    name: 'the memory of this process',
    read: () => Promise.resolve(copy),
    write: (document, expected) => {
      if (copy?.tag !== expected) return Promise.resolve(false);
      copy = { document: Uint8Array.from(document), tag: String(++writes) };
      return Promise.resolve(true);
    },
    readLock: () => Promise.resolve(lock),
    swapLock: (expected, next) => {
      if (lock !== expected) return Promise.resolve(false);
      lock = next;
      return Promise.resolve(true);
    },
  };
}
