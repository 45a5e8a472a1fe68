/**
 * The exchange of the anchor in memory: the real exchange on files and objects that are in memory, and what version
 * 0.1.0 did.
 */
import { compareBytes, equalBytes, toHex } from '../../../../formats/bytes.ts';
import { isCborArray } from '../../../../formats/cbor/index.ts';
import type { AnchorChange, AnchorRecord, AnchorStore } from '../../../../signer/anchor/anchor.ts';
import {
  decodeAnchorRecord,
  decodeOrNothing,
  digestOf,
  encodeAnchorRecord,
  sameRecords,
} from '../../../../signer/anchor/anchor-record.ts';
import { type AnchorFiles, exchangeFile } from '../../../../signer/anchor/exchange-file.ts';
import {
  type AnchorObjects,
  exchangeObjects,
  seeObjects,
  type SeenObjects,
} from '../../../../signer/anchor/exchange-objects.ts';
import type { Gate } from '../../../support/explore.ts';

/** A disk in memory: names with contents. */
export class Storage {
  readonly items: Map<string, Uint8Array> = new Map();

  get text(): string {
    return [...this.items]
      .map(([name, bytes]) => `${name}=${Buffer.from(bytes).toString('base64').slice(-12)}`)
      .sort()
      .join(',');
  }

  rename(from: string, to: string): boolean {
    const bytes = this.items.get(from);
    if (bytes === undefined) return false;
    this.items.delete(from);
    this.items.set(to, bytes);
    return true;
  }

  /** As a token: objects without names, in no order. Each change makes bytes of its own. */
  add(bytes: Uint8Array): void {
    this.items.set(toHex(bytes), bytes);
  }

  destroy(bytes: Uint8Array): void {
    for (const [name, item] of this.items) if (equalBytes(item, bytes)) this.items.delete(name);
  }

  list(): Uint8Array[] {
    return [...this.items.values()].sort(compareBytes);
  }
}

export type Protocol = (
  storage: Storage,
  gate: Gate,
) => Pick<AnchorStore, 'settle' | 'replace'> & {
  readonly contents: () => Promise<readonly Uint8Array[]>;
};

export const decodeAll = (contents: readonly Uint8Array[]): ReturnType<typeof decodeAnchorRecord>[] =>
  contents.map((bytes) => decodeAnchorRecord(bytes));

export function recordsIn(contents: readonly Uint8Array[]): readonly AnchorRecord[] {
  return decodeAll(contents).flatMap((content) => (content === undefined || content.moved ? [] : [content.record]));
}

const bytesOf = ({ next, moved = false, nonce }: AnchorChange): Uint8Array =>
  encodeAnchorRecord({ record: next, moved }, nonce);

/** What version 0.1.0 did: read, then make the new file exclusively and rename it. */
export const fileBefore: Protocol = (storage, gate) => {
  const contents = (): Promise<readonly Uint8Array[]> =>
    gate('read', () => [storage.items.get('anchor')].filter((bytes) => bytes !== undefined));
  return {
    contents,
    settle: () => Promise.resolve(),
    replace: async (change) => {
      if (!sameRecords(recordsIn(await contents()), change.known)) return false;
      await gate('create', () => storage.items.set('new', bytesOf(change)));
      await gate('rename', () => storage.rename('new', 'anchor'));
      return true;
    },
  };
};

export const objectsBefore: Protocol = (storage, gate) => {
  const contents = (): Promise<readonly Uint8Array[]> => gate('list', () => storage.list());
  return {
    contents,
    settle: () => Promise.resolve(),
    replace: async (change) => {
      const old = await contents();
      if (!sameRecords(recordsIn(old), change.known)) return false;
      await gate('create', () => {
        storage.add(bytesOf(change));
      });
      for (const bytes of old)
        await gate('destroy', () => {
          storage.destroy(bytes);
        });
      return true;
    },
  };
};

export const inFile: Protocol = (storage, gate) => {
  const get = (name: string): Promise<Uint8Array | undefined> => gate(`get ${name}`, () => storage.items.get(name));
  const files: AnchorFiles = {
    anchor: () => get('anchor'),
    leftNew: () => Promise.resolve(undefined),
    names: () =>
      gate('names', () => {
        const names = [...storage.items.keys()].filter((name) => name !== 'anchor').sort();
        return names.length === 0 ? undefined : names;
      }),
    content: get,
    makeGuard: (name) =>
      gate('guard', () => {
        if ([...storage.items.keys()].every((other) => other === 'anchor')) storage.items.set(name, new Uint8Array());
      }),
    create: (name, bytes) =>
      gate('create', () => {
        if (storage.items.has(name)) throw new Error('a name is used a second time');
        storage.items.set(name, bytes);
      }),
    rename: (from, to) => gate('rename', () => storage.rename(from, to)),
    publish: (name) =>
      gate('publish', () => {
        storage.rename(name, 'anchor');
      }),
    remove: (name) =>
      gate('remove', () => {
        storage.items.delete(name);
      }),
    removeLeftNew: () => Promise.resolve(),
  };
  return {
    // A look that only advises, and decides nothing, is one act here.
    contents: () => gate('look', () => contentsOf(storage)),
    settle: () => Promise.resolve(),
    replace: (change) =>
      exchangeFile(files, (seen) => sameRecords(recordsIn(seen.contents), change.known), bytesOf(change)),
  };
};

function contentsOf({ items }: Storage): readonly Uint8Array[] {
  const anchor = items.get('anchor');
  const turn = [...items.keys()].find((name) => name.startsWith('at-'));
  const decided = turn === undefined ? undefined : items.get(`new-${turn.slice(3)}`);
  const contents = [decided ?? anchor].filter((bytes) => bytes !== undefined);
  const [only] = contents;
  if (only !== undefined && turn !== undefined && turn !== `at-${toHex(digestOf(only).subarray(0, 16))}`)
    throw new Error('the file is not the one that the guard names');
  return contents;
}

export const inToken =
  (attempts: number): Protocol =>
  (storage, gate) => {
    let known = new KnownOfExchange(gate);
    const objects: AnchorObjects = {
      list: () => {
        known.beforeList();
        return gate('list', () => storage.list());
      },
      create: (bytes) => {
        known.beforeCreate(bytes);
        return gate('create', () => {
          storage.add(bytes);
        });
      },
      destroy: (bytes) =>
        gate('destroy', () => {
          storage.destroy(bytes);
        }),
    };
    return {
      contents: async () => {
        known = new KnownOfExchange(gate);
        const { contents } = await seeObjects(objects);
        known.atEnd(contents.map((bytes) => shortOf(bytes)).join());
        return contents;
      },
      settle: async (nonce) => {
        known = new KnownOfExchange(gate);
        await exchangeObjects(objects, () => true, undefined, nonce, attempts);
        known.atEnd('settled');
      },
      replace: async (change) => {
        known = new KnownOfExchange(gate);
        const isKnown = (seen: Pick<SeenObjects, 'contents'>): boolean =>
          sameRecords(recordsIn(seen.contents), change.known);
        const isDone = await exchangeObjects(objects, isKnown, bytesOf(change), change.nonce, attempts);
        known.atEnd(`replaced ${isDone}`);
        return isDone;
      },
    };
  };

/**
 * What a run in the midst of an exchange of objects still knows: the attempt, the object that it made last, and what it
 * has listed since. Each object says all that its process goes on from (`exchange-objects.ts`, steps 2 to 5).
 */
class KnownOfExchange {
  readonly #gate: Gate;
  readonly #mark: number;
  #claims = 0;
  #made = '';
  #lists = 0;

  constructor(gate: Gate) {
    this.#gate = gate;
    this.#mark = gate.mark();
  }

  beforeList(): void {
    this.#keep(`list ${this.#lists++} since ${this.#made}`);
  }

  beforeCreate(bytes: Uint8Array): void {
    const value = decodeOrNothing(bytes);
    const isClaim = isCborArray(value) && value[5] instanceof Uint8Array && value[5].length === 0;
    if (isClaim) this.#claims++;
    this.#made = shortOf(bytes);
    this.#lists = 0;
    this.#keep(`make ${this.#made}`);
  }

  atEnd(result: string): void {
    this.#gate.forgetSince(this.#mark, result);
  }

  #keep(what: string): void {
    this.#gate.forgetSince(this.#mark, `attempt ${this.#claims}: ${what}`);
  }
}

function shortOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').slice(-12);
}
