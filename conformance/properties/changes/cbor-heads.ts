/** Changes of one head at each place of a license (section 4 of docs/format.md): its form, or its argument. */
import { concatBytes } from '../../../formats/bytes.ts';
import { encode } from '../../model/cbor.ts';
import { Pairs, Raw, type Item } from '../../model/walk.ts';
import type { Draft } from '../draft.ts';
import { each, type Changes } from './change.ts';

type Bytes = Uint8Array;
type Edit = (bytes: Bytes) => Bytes;

interface Head {
  readonly major: number;
  readonly argument: bigint;
}

/** @param information 24 to 31, where the last four have 8 bytes behind them, as for 27 */
function longHead(major: number, information: number, argument: bigint): Bytes {
  const size = 1 << (Math.min(information, 27) - 24);
  const digits = BigInt.asUintN(8 * size, argument)
    .toString(16)
    .padStart(2 * size, '0');
  return concatBytes(Uint8Array.of((major << 5) | information), Buffer.from(digits, 'hex'));
}

/** In its shortest form. */
function headOf(major: number, argument: bigint): Bytes {
  if (argument < 24n) return Uint8Array.of((major << 5) | Number(argument));
  const information = [24, 25, 26].find((one) => argument < 1n << (8n << BigInt(one - 24)));
  return longHead(major, information ?? 27, argument);
}

/** Another head for the one that has this place among all heads of the bytes; no change where there are fewer. */
function atHead(bytes: Bytes, place: number, make: (head: Head) => Bytes): Bytes {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const [major, information] = [(bytes[at] ?? 0) >> 5, (bytes[at] ?? 0) & 31];
    const end = at + 1 + (information < 24 ? 0 : 1 << (Math.min(information, 27) - 24));
    const digits = Buffer.from(bytes.subarray(at + 1, end)).toString('hex');
    const argument = digits === '' ? BigInt(information) : BigInt(`0x${digits}`);
    if (i === place) return concatBytes(bytes.subarray(0, at), make({ major, argument }), bytes.subarray(end));
    at = end + (major === 2 || major === 3 ? Number(argument) : 0);
  }
  return bytes;
}

interface Place {
  readonly words: string;
  /** The bytes of the argument in a small license by an Ed25519 key. */
  readonly size: 0 | 1;
  readonly change: (draft: Draft, make: (head: Head) => Bytes) => void;
}

const edited =
  (edits: (draft: Draft) => Edit[], place: number): Place['change'] =>
  (draft, make) =>
    void edits(draft).push((bytes) => atHead(bytes, place, make));
const outer = ['tag', 'array', 'protected bytes', 'unprotected map', 'payload', 'signature'].map((words, i): Place => ({
  words: `the ${words}`,
  size: i === 2 || i >= 4 ? 1 : 0,
  change: edited(({ coseEdits }) => coseEdits, i),
}));
const header = ['map', 'label 1', 'alg', 'label 4', 'kid', 'label 16', 'typ'].map((words, i): Place => ({
  words: `the ${words} of the header`,
  size: i === 4 || i === 6 ? 1 : 0,
  change: edited(({ headerEdits }) => headerEdits, i),
}));
const VALUES: readonly (readonly [string, Item])[] = [
  ['an integer', 5],
  ['a negative integer', -5],
  ['a byte string', new Uint8Array()],
  ['a text', ''],
  ['an array', []],
  ['a map', new Pairs([])],
];
const payload = VALUES.map(([words, item]): Place => ({
  words: `${words} in ext`,
  size: 0,
  change: ({ claims }, make) => void claims.set('ext', new Pairs([['a', new Raw(atHead(encode(item), 0, make))]])),
}));
const PLACES: readonly Place[] = [...outer, ...header, ...payload];

type Form = readonly [words: string, make: (head: Head) => Bytes];

const changesOf = (name: string, places: readonly Place[], forms: (place: Place) => readonly Form[]): Changes =>
  each(
    name,
    places.flatMap((place) =>
      forms(place).map(([words, make]) => [`${place.words}, ${words}`, [place, make] as const] as const),
    ),
    (draft, [place, make]) => place.change(draft, make),
  );

export const HEAD_CHANGES: readonly Changes[] = [
  changesOf('a head that is too long', PLACES, ({ size }) =>
    [24, 25, 26, 27]
      .slice(size)
      .map((information): Form => [
        `in ${1 + (1 << (information - 24))} bytes`,
        ({ major, argument }) => longHead(major, information, argument),
      ]),
  ),
  changesOf('a reserved head', PLACES, () =>
    [28, 29, 30, 31].map((information): Form => [
      `additional information ${information}`,
      ({ major, argument }) => longHead(major, information, major < 2 ? argument + 2n ** 32n : argument),
    ]),
  ),
  // A verifier that keeps 8, 16, 32 or 63 bits of it sees a valid license.
  changesOf(
    'a larger argument',
    PLACES.filter(({ words }) => !words.includes('label')),
    () => [
      ...[8n, 16n, 32n, 63n].map((bits): Form => [
        `by 2^${bits}`,
        ({ major, argument }) => headOf(major, argument + 2n ** bits),
      ]),
      ['2^64-1', ({ major }) => headOf(major, 2n ** 64n - 1n)],
    ],
  ),
];
