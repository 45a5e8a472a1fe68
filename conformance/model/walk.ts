/** Armor and CBOR as docs/format.md specifies them, written a second time, as plainly as possible. */

/** `Raw` only where something is encoded: what is read has none. */
export type Item = number | string | boolean | Uint8Array | readonly Item[] | Pairs | Raw;

/** A map, in the order of its encoding. */
export class Pairs {
  readonly pairs: readonly (readonly [Item, Item])[];

  constructor(pairs: readonly (readonly [Item, Item])[]) {
    this.pairs = pairs;
  }

  get(key: number | string): Item | undefined {
    return this.pairs.find(([one]) => one === key)?.[1];
  }
}

/** Bytes that are written as they are, in the place of an item: an encoding that is at fault, say. */
export class Raw {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** Not an Error: a stack for each of millions would cost more than the verifier. */
export class Fault {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

export const fault = (reason: string): never => {
  // oxlint-disable-next-line no-throw-literal, only-throw-error
  throw new Fault(reason);
};

const WHOLE =
  /^[\t\n\r ]*-----BEGIN VTLIC-----\r?\n((?:[A-Za-z0-9+/]{64}\r?\n)*)((?:[A-Za-z0-9+/]{4}){0,15}[A-Za-z0-9+/]{2}[A-Za-z0-9+/=][A-Za-z0-9+/=])\r?\n-----END VTLIC-----[\t\n\r ]*$/;

export function armorStep(file: Uint8Array): Uint8Array {
  if (file.length > 98_304) fault('too_large');
  const match = WHOLE.exec(Buffer.from(file.buffer, file.byteOffset, file.length).toString('latin1'));
  if (match === null) return fault('armor_malformed');
  const base64 = `${match[1] ?? ''}${match[2] ?? ''}`.replaceAll(/[\r\n]/g, '');
  const bytes = Buffer.from(base64, 'base64');
  // Padding elsewhere, and unused bits, do not come back.
  if (bytes.toString('base64') !== base64) fault('armor_malformed');
  if (bytes.length > 49_152) fault('too_large');
  return bytes;
}

/** Section 4, item by item. */
export class Walk {
  private at = 0;
  private readonly bytes: Uint8Array;
  embedded: Item | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** @param tagged whether a tag may be at the top, and the first item of an outermost array is walked */
  whole(tagged: boolean): { readonly tag: bigint | undefined; readonly item: Item } {
    let tag: bigint | undefined;
    if (tagged && (this.bytes[0] ?? 0) >> 5 === 6) tag = this.head().argument;
    const item = this.item(1, tagged);
    if (this.at < this.bytes.length) fault('cbor_malformed');
    return { tag, item };
  }

  private head(): { readonly major: number; readonly argument: bigint } {
    const first = this.bytes[this.at];
    if (first === undefined) return fault('cbor_malformed');
    const major = first >> 5;
    const info = first & 31;
    if (major === 7 && first !== 0xf4 && first !== 0xf5) fault('cbor_malformed');
    if (info === 31) fault(major >= 2 && major <= 5 ? 'cbor_not_deterministic' : 'cbor_malformed');
    if (info >= 28) fault('cbor_malformed');
    this.at++;
    if (info < 24) return { major, argument: BigInt(info) };
    const size = 2 ** (info - 24);
    if (this.at + size > this.bytes.length) fault('cbor_malformed');
    let argument = 0n;
    for (let i = 0; i < size; i++) argument = argument * 256n + BigInt(this.bytes[this.at++] ?? 0);
    const least = size === 1 ? 24n : 1n << BigInt(4 * size);
    if (argument < least) fault('cbor_not_deterministic');
    return { major, argument };
  }

  private item(depth: number, walksFirst = false): Item {
    const { major, argument } = this.head();
    if (major === 7) return argument === 21n;
    if (major === 0) return argument > 9007199254740991n ? fault('cbor_malformed') : Number(argument);
    if (major === 1) return argument > 9007199254740990n ? fault('cbor_malformed') : -1 - Number(argument);
    if (major === 6) return fault('cbor_malformed');
    if (major === 2 || major === 3) {
      if (argument > BigInt(this.bytes.length - this.at)) fault('cbor_malformed');
      const content = this.bytes.subarray(this.at, this.at + Number(argument));
      this.at += content.length;
      return major === 2 ? content : textOf(content);
    }
    if (depth > 8) fault('cbor_malformed');
    const items: Item[] = [];
    if (major === 4) {
      for (let i = 0n; i < argument; i++) {
        const item = this.item(depth + 1);
        if (walksFirst && i === 0n && item instanceof Uint8Array && item.length > 0)
          this.embedded = new Walk(item).whole(false).item;
        items.push(item);
      }
      return items;
    }
    const pairs: (readonly [Item, Item])[] = [];
    let before: Uint8Array | undefined;
    for (let i = 0n; i < argument; i++) {
      const from = this.at;
      const key = this.item(depth + 1);
      const encoding = this.bytes.subarray(from, this.at);
      if (before !== undefined && Buffer.compare(before, encoding) >= 0) fault('cbor_not_deterministic');
      before = encoding;
      pairs.push([key, this.item(depth + 1)]);
    }
    return new Pairs(pairs);
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(content: Uint8Array): string {
  try {
    return UTF8.decode(content);
  } catch {
    return fault('cbor_malformed');
  }
}
