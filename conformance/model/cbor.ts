/** CBOR as a campaign needs it: in the one encoding that is right, and in all that are not. */
import { concatBytes, utf8 } from '../../formats/bytes.ts';
import { Pairs, Raw, type Item } from './walk.ts';
import type { Random } from './random.ts';

/** @param extra how many steps longer than needed the argument is */
export function head(major: number, argument: number, extra = 0): Uint8Array {
  const needed = argument < 24 ? 0 : argument < 256 ? 1 : argument < 65_536 ? 2 : argument < 4_294_967_296 ? 3 : 4;
  const step = Math.min(4, needed + extra);
  if (step === 0) return Uint8Array.of((major << 5) | argument);
  const size = 2 ** (step - 1);
  const out = new Uint8Array(1 + size);
  out[0] = (major << 5) | (23 + step);
  let rest = argument;
  for (let i = size; i > 0; i--) {
    out[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return out;
}

/** Maps in the order of their pairs. */
export function encode(item: Item): Uint8Array {
  if (typeof item === 'number') return item < 0 ? head(1, -1 - item) : head(0, item);
  if (typeof item === 'boolean') return Uint8Array.of(item ? 0xf5 : 0xf4);
  if (typeof item === 'string') {
    const bytes = utf8(item);
    return concatBytes(head(3, bytes.length), bytes);
  }
  if (item instanceof Uint8Array) return concatBytes(head(2, item.length), item);
  if (item instanceof Raw) return item.bytes;
  if (item instanceof Pairs)
    return concatBytes(
      head(5, item.pairs.length),
      ...item.pairs.flatMap(([key, value]) => [encode(key), encode(value)]),
    );
  return concatBytes(head(4, item.length), ...item.map(encode));
}

/** The pairs in the order of their keys' encodings. */
export function sortedPairs(pairs: readonly (readonly [Item, Item])[]): Pairs {
  return new Pairs(
    pairs
      .map((pair) => ({ pair, key: encode(pair[0]) }))
      .sort((a, b) => Buffer.compare(a.key, b.key))
      .map(({ pair }) => pair),
  );
}

/** Any item of the profile. */
export function anyItem(random: Random, depth = 0): Item {
  switch (random.below(depth > 6 ? 5 : 7)) {
    case 0:
      return random.below(2 ** random.below(32));
    case 1:
      return -1 - random.below(300);
    case 2:
      return random.bytes(random.below(40));
    case 3:
      return String.fromCodePoint(...Array.from({ length: random.below(6) }, () => 32 + random.below(600)));
    case 4:
      return random.once(2);
    case 5:
      return Array.from({ length: random.below(4) }, () => anyItem(random, depth + 1));
    default: {
      const pairs = Array.from({ length: random.below(4) }, (_, i): readonly [Item, Item] => [
        i * 7,
        anyItem(random, depth + 1),
      ]);
      return new Pairs(pairs);
    }
  }
}

/** Items with heads that are too long, indefinite, reserved or of other types, too deep, out of order or cut. */
export function badItem(random: Random): Uint8Array {
  const nested = (depth: number): Uint8Array => concatBytes(new Uint8Array(depth).fill(0x81), Uint8Array.of(0));
  switch (random.below(14)) {
    case 0:
      return head(random.below(7), random.below(300), 1 + random.below(3));
    case 1:
      return Uint8Array.of((random.below(7) << 5) | 31, 0, 0xff);
    case 2:
      return Uint8Array.of((random.below(8) << 5) | (28 + random.below(3)));
    case 3:
      return Uint8Array.of(0xe0 + random.below(32), ...random.bytes(8));
    case 4:
      return nested(6 + random.below(6));
    case 5:
      return concatBytes(head(0, random.pick([2 ** 53 - 1, 2 ** 53, 2 ** 60])));
    case 6:
      return concatBytes(head(1, random.pick([2 ** 53 - 2, 2 ** 53 - 1, 2 ** 60])));
    case 7:
      return encode(
        new Pairs([
          [2, 0],
          [random.below(4), 0],
        ]),
      );
    case 8:
      return concatBytes(
        head(3, 2),
        random
          .pick([
            [0xc3, 0x28],
            [0xc0, 0x80],
            [0xed, 0xa0],
            [0xc3, 0xa9],
          ])
          .reduce<Uint8Array>((all, byte) => concatBytes(all, Uint8Array.of(byte)), new Uint8Array()),
      );
    case 9:
      return concatBytes(head(2 + random.below(2), 1 + random.below(100_000)), random.bytes(3));
    case 10:
      return concatBytes(head(6, random.below(200)), encode(anyItem(random)));
    case 11:
      return concatBytes(encode(anyItem(random)), random.bytes(1 + random.below(3)));
    case 12:
      return concatBytes(head(4 + random.below(2), random.pick([1, 5, 70_000, 2 ** 40])), encode(anyItem(random)));
    default: {
      const bytes = encode(anyItem(random));
      return bytes.subarray(0, random.below(bytes.length));
    }
  }
}
