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
  encodeAnchorRecord,
  sameRecords,
} from '../../../../signer/anchor/anchor-record.ts';
import { type AnchorFiles, exchangeFile, seeFile } from '../../../../signer/anchor/exchange-file.ts';
import { type AnchorObjects, exchangeObjects, seeObjects } from '../../../../signer/anchor/exchange-objects.ts';
import { type Gate as AnyGate, type Part, textOf } from '../../../support/explored-process.ts';

/** A disk or a token in memory: names with contents. */
export class Storage implements Part {
  readonly items: Map<string, Uint8Array>;

  constructor(items: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.items = new Map(items);
  }

  clone(): this {
    return new Storage(this.items) as this;
  }

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

/** A protocol needs nothing of what the copies have. */
type Gate = AnyGate<Storage, unknown>;

/** @param place in which the anchor is */
export type Protocol = (
  place: string,
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

/** Says all that a change follows from, but the random numbers of its process. */
function nameOf({ known, ...change }: AnchorChange): string {
  return `replace ${known.map(({ chain }) => textOf(chain)).join()} by ${textOf(bytesOf({ known, ...change }))}`;
}

/** What version 0.1.0 did: read, then make the new file exclusively and rename it. */
export const fileBefore: Protocol = (place, gate) => {
  const contents = (): Promise<readonly Uint8Array[]> =>
    gate.look(place, 'read', ({ items }) => [items.get('anchor')].filter((bytes) => bytes !== undefined));
  return {
    contents,
    settle: () => Promise.resolve(),
    replace: async (change) => {
      if (!sameRecords(recordsIn(await contents()), change.known)) return false;
      await gate.act(place, `create ${textOf(bytesOf(change))}`, ({ items }) => {
        items.set('new', bytesOf(change));
      });
      return gate.act(place, 'rename', (files) => files.rename('new', 'anchor'));
    },
  };
};

export const objectsBefore: Protocol = (place, gate) => {
  const objects = objectsOf(place, gate);
  return {
    contents: () => objects.list(),
    settle: () => Promise.resolve(),
    replace: async (change) => {
      const old = await objects.list();
      if (!sameRecords(recordsIn(old), change.known)) return false;
      await objects.create(bytesOf(change));
      for (const bytes of old) await objects.destroy(bytes);
      return true;
    },
  };
};

export const inFile: Protocol = (place, outer) => ({
  contents: () => outer.call(`read ${place}`, async (gate) => (await seeFile(filesOf(place, gate))).contents),
  settle: () => Promise.resolve(),
  replace: (change) =>
    outer.call(`${place} ${nameOf(change)}`, (gate) =>
      exchangeFile(
        filesOf(place, gate),
        (seen) => sameRecords(recordsIn(seen.contents), change.known),
        bytesOf(change),
      ),
    ),
});

function filesOf(place: string, gate: Gate): AnchorFiles {
  const get = (name: string): Promise<Uint8Array | undefined> =>
    gate.look(place, `get ${name}`, ({ items }) => items.get(name));
  return {
    anchor: () => get('anchor'),
    leftNew: () => Promise.resolve(undefined),
    names: () =>
      gate.look(place, 'names', ({ items }) => {
        const names = [...items.keys()].filter((name) => name !== 'anchor').sort();
        return names.length === 0 ? undefined : names;
      }),
    content: get,
    makeGuard: (name) =>
      gate.act(place, `guard ${name}`, ({ items }) => {
        if ([...items.keys()].every((other) => other === 'anchor')) items.set(name, new Uint8Array());
      }),
    create: (name, bytes) =>
      gate.act(place, `create ${name}`, ({ items }) => {
        if (items.has(name)) throw new Error('a name is used a second time');
        items.set(name, bytes);
      }),
    rename: (from, to) => gate.act(place, `rename ${from} ${to}`, (files) => files.rename(from, to)),
    publish: (name) =>
      gate.act(place, `publish ${name}`, (files) => {
        files.rename(name, 'anchor');
      }),
    remove: (name) =>
      gate.act(place, `remove ${name}`, ({ items }) => {
        items.delete(name);
      }),
    removeLeftNew: () => Promise.resolve(),
  };
}

/** @param attempts how often a change begins anew when another one interrupts it, before its run gives up */
export const inToken =
  (attempts: number, objectsIn: typeof objectsOf = objectsOf): Protocol =>
  (place, outer) => {
    const call = <T>(name: string, exchange: (objects: AnchorObjects) => Promise<T>): Promise<T> =>
      outer.call(`${place} ${name}`, (gate) => exchange(knowing(objectsIn(place, gate), gate)));
    return {
      contents: () => call('read', async (objects) => (await seeObjects(objects)).contents),
      settle: (nonce) =>
        call(`settle ${textOf(nonce)}`, async (objects) => {
          await exchangeObjects(objects, () => true, undefined, nonce, attempts);
        }),
      replace: (change) =>
        call(nameOf(change), (objects) =>
          exchangeObjects(
            objects,
            ({ contents }) => sameRecords(recordsIn(contents), change.known),
            bytesOf(change),
            change.nonce,
            attempts,
          ),
        ),
    };
  };

export function objectsOf(place: string, gate: Gate): AnchorObjects {
  return {
    list: () => gate.look(place, 'list', (token) => token.list()),
    create: (bytes) =>
      gate.act(place, `create ${textOf(bytes)}`, (token) => {
        token.add(bytes);
      }),
    destroy: (bytes) =>
      gate.act(place, `destroy ${textOf(bytes)}`, (token) => {
        token.destroy(bytes);
      }),
  };
}

/** A list finds the objects of one moment, but not those that are destroyed until it has looked at them. */
export const notAtOnce: typeof objectsOf = (place, gate) => {
  const objects = objectsOf(place, gate);
  return {
    ...objects,
    list: async () => {
      const found = await objects.list();
      const there = await objects.list();
      return found.filter((bytes) => there.some((other) => equalBytes(other, bytes)));
    },
  };
};

/**
 * Forgets what a run in the midst of an exchange of objects no longer knows. It knows the attempt, the object that it
 * made last, and the last list, which it compares with the next one: each object says all that its process goes on from
 * (`exchange-objects.ts`, steps 2 to 5).
 */
function knowing(objects: AnchorObjects, gate: Gate): AnchorObjects {
  let claims = 0;
  let made = '';
  let last = '';
  return {
    list: async () => {
      gate.forget(`attempt ${claims}: list since ${made}, after ${last}`);
      const found = await objects.list();
      last = `[${found.map(textOf).join()}]`;
      return found;
    },
    create: (bytes) => {
      const value = decodeOrNothing(bytes);
      const isClaim = isCborArray(value) && value[5] instanceof Uint8Array && value[5].length === 0;
      if (isClaim) claims++;
      made = textOf(bytes);
      last = '';
      gate.forget(`attempt ${claims}: make ${made}`);
      return objects.create(bytes);
    },
    destroy: (bytes) => objects.destroy(bytes),
  };
}
