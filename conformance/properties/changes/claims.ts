/** Changes of the payload (section 7 of docs/format.md). The signature is over what they make. */
import fc from 'fast-check';
import { concatBytes, fromHex, utf8 } from '../../../formats/bytes.ts';
import { encode, head } from '../../model/cbor.ts';
import { Pairs, Raw, type Item } from '../../model/walk.ts';
import { DAY, LICENSE_ID, NOW, type Draft } from '../draft.ts';
import { each, free, type Changes } from './change.ts';

const MAX = Number.MAX_SAFE_INTEGER;
const LAST = 253_402_300_799;
const LOCK = '\u{1f512}';
const id = (text: string): Uint8Array => fromHex(text.replaceAll('-', '')) ?? new Uint8Array();
const ids = (count: number): Item[] => Array.from({ length: count }, (_, i) => `f${10_000 + i}`);
const hosts = (count: number): Item[] =>
  Array.from({ length: count }, (_, i) =>
    Uint8Array.from({ length: 32 }, (_x, j) => (j === 30 ? i >> 8 : j === 31 ? i & 255 : 0)),
  );
const map = (count: number, value: Item = 1): Pairs => new Pairs(ids(count).map((key) => [key, value]));
const nested = (depth: number): Item => (depth === 0 ? 1 : [nested(depth - 1)]);
const big = (argument: bigint, major: number): Raw => {
  const out = new Uint8Array(9);
  out[0] = (major << 5) | 27;
  for (let i = 0; i < 8; i++) out[8 - i] = Number((argument >> BigInt(8 * i)) & 255n);
  return new Raw(out);
};

/** Values that no claim but `clk` may have. */
const NOWHERE: readonly (readonly [string, Item])[] = [
  ['null', new Raw(Uint8Array.of(0xf6))],
  ['undefined', new Raw(Uint8Array.of(0xf7))],
  ['the float 1.5', new Raw(Uint8Array.of(0xf9, 0x3e, 0x00))],
  ['a list', ['a']],
  ['a map', new Pairs([['a', 1]])],
  ['false', false],
  ['true', true],
  ['-1', -1],
  ['no text', ''],
  ['no bytes', new Uint8Array()],
];

const ID_VALUES: readonly Item[] = [
  'x'.repeat(128),
  'x'.repeat(129),
  '-a',
  'a\n',
  'a b',
  'a/b',
  '\u00e4',
  'a\u017f\u212a',
  '',
  1,
  'A.b_c:d-9',
];

/** Claim → values at its bounds and beyond, right and wrong. The model knows which is which. */
export const CLAIM_VALUES: readonly (readonly [Item, readonly Item[]])[] = [
  [1, ID_VALUES],
  [2, ID_VALUES],
  [3, [...ID_VALUES, ['vaultdesk'], 'Vaultdesk']],
  ['tier', ID_VALUES],
  ['dep', ID_VALUES],
  [4, [LAST, LAST + 1, -1, '2027', new Raw(Uint8Array.of(0xfb, 0x41, 0xda, 0xd2, 0x74, 0x80, 0, 0, 0))]],
  [5, [0, -1, 'x']],
  [6, [0, -1, 'x']],
  [
    7,
    [
      new Uint8Array(16),
      id('0193817a-6c00-4000-8000-000000000001'),
      id('0193817a-6c00-7000-c000-000000000001'),
      id('0193817a-6c00-7000-0000-000000000001'),
      id('00000000-0000-7000-8000-000000000001'),
      id('ffffffff-ffff-7fff-bfff-ffffffffffff'),
      new Uint8Array(15),
      id(LICENSE_ID + '00'),
      LICENSE_ID,
    ],
  ],
  ['ctr', [0, 1, MAX, -1, '5', big(2n ** 53n, 0), new Raw(Uint8Array.of(0xf9, 0x45, 0x00))]],
  ['seats', [0, MAX, 'Unlimited', 'unlimited', -1, big(2n ** 53n, 0)]],
  [
    'features',
    [
      [],
      ['b', 'a'],
      ['a', 'a'],
      ['a', 'a-b', 'b'],
      ['B', 'a'],
      ['a', 'B'],
      ids(256),
      ids(257),
      [1],
      'sso',
      new Pairs([['a', 1]]),
    ],
  ],
  [
    'limits',
    [
      new Pairs([]),
      new Pairs([['a', -1]]),
      new Pairs([[1, 1]]),
      new Pairs([['a', 0]]),
      new Pairs([['a', MAX]]),
      new Pairs([['a b', 1]]),
      new Pairs([['a', true]]),
      map(256),
      map(257),
      [],
    ],
  ],
  ['instances', [0, 1, MAX, -1, 'unlimited']],
  [
    'hosts',
    [
      [],
      hosts(1024),
      hosts(1025),
      [new Uint8Array(31)],
      [new Uint8Array(33)],
      [...hosts(1), ...hosts(1)],
      [...hosts(2)].reverse(),
      ['11'.repeat(32)],
    ],
  ],
  ['grace', [0, 31_622_400, 31_622_401, -1]],
  ['offline', [0, LAST, LAST + 1, -1]],
  [
    'name',
    [
      '',
      'x'.repeat(200),
      'x'.repeat(201),
      LOCK.repeat(200),
      LOCK.repeat(201),
      'e\u0301'.repeat(100),
      'e\u0301'.repeat(101),
      '\u0000\ufeff\u202e',
      1,
    ],
  ],
  ['ref', ['', 'x'.repeat(100), 'x'.repeat(101), LOCK.repeat(100), LOCK.repeat(101)]],
  ['upd', [0, LAST, LAST + 1, -1]],
  ['use', ['production', 'trial', 'emergency', 'non-production', 'Trial', '', 1]],
  ['clk', [1, 'true']],
  [
    'ext',
    [
      new Pairs([]),
      map(64),
      map(65),
      new Pairs([['a', new Pairs([['', 1]])]]),
      new Pairs([['a', []]]),
      new Pairs([['a', new Pairs([])]]),
      new Pairs([[1, 1]]),
      new Pairs([['a', new Pairs([[1, 1]])]]),
      new Pairs([['a', [new Pairs([['a b', 1]])]]]),
      new Pairs([['a', nested(6)]]),
      new Pairs([['a', nested(7)]]),
      [],
      true,
    ],
  ],
];

/** Where else an id is. */
const IDS_WITHIN: readonly (readonly [string, (value: Item) => readonly [claim: Item, value: Item]])[] = [
  ['a feature', (value) => ['features', [value]]],
  ['a key of limits', (value) => ['limits', new Pairs([[value, 1]])]],
  ['a key of ext', (value) => ['ext', new Pairs([[value, 1]])]],
  ['a key within ext', (value) => ['ext', new Pairs([['a', [new Pairs([[value, 1]])]]])]],
];

const NAMES: ReadonlyMap<Item, string> = new Map<Item, string>([
  [1, 'iss'],
  [2, 'sub'],
  [3, 'aud'],
  [4, 'exp'],
  [5, 'nbf'],
  [6, 'iat'],
  [7, 'cti'],
]);
const nameOf = (claim: Item): string => NAMES.get(claim) ?? (claim as string);

/** A value in a few words. */
function shown(value: Item): string {
  if (value instanceof Raw) return `the bytes ${Buffer.from(value.bytes).toString('hex')}`;
  if (value instanceof Pairs) return `a map of ${value.pairs.length}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 24)}… (${Array.from(value as string).length} code points)` : text;
}

const REQUIRED: readonly Item[] = [1, 2, 3, 4, 5, 6, 7, 'ctr', 'tier', 'seats'];
const UNKNOWN: readonly (readonly [string, Item])[] = [
  ['iss (as text)', 'iss'],
  ['seat', 'seat'],
  ['8', 8],
  ['0', 0],
  ['-1', -1],
  ['true', true],
  ['no bytes', new Uint8Array()],
  ['an empty list', []],
  ['crit', 'crit'],
  ['ctr (as bytes)', utf8('ctr')],
  // Members of every object of JavaScript.
  ['constructor', 'constructor'],
  ['toString', 'toString'],
  ['__proto__', '__proto__'],
  ...[1, 2, 3, 4, 5, 6, 7].map((key) => [`${key} (as text)`, String(key)] as const),
];

/** Faults in the bytes of a payload. */
const PAYLOAD: readonly (readonly [string, (payload: Uint8Array) => Uint8Array])[] = [
  ['of no bytes', () => new Uint8Array()],
  ['that is a list', (payload) => concatBytes(Uint8Array.of(0x81), payload)],
  ['with a tag', (payload) => concatBytes(Uint8Array.of(0xd8, 61), payload)],
  ['with a byte behind it', (payload) => concatBytes(payload, Uint8Array.of(0))],
  ['that ends early', (payload) => payload.subarray(0, -1)],
  ['of indefinite length', (payload) => concatBytes(Uint8Array.of(0xbf), payload.subarray(1), Uint8Array.of(0xff))],
  [
    'whose head is too long',
    (payload) => concatBytes(Uint8Array.of(0xb8, (payload[0] ?? 0) & 31), payload.subarray(1)),
  ],
  [
    'whose first key is too long',
    (payload) => concatBytes(payload.subarray(0, 1), Uint8Array.of(0x18, 1), payload.subarray(2)),
  ],
  [
    'with a key twice',
    (payload) =>
      concatBytes(
        Uint8Array.of((payload[0] ?? 0) + 1),
        payload.subarray(1, 2),
        encode('example-vendor'),
        payload.subarray(1),
      ),
  ],
  ['with its last key first', (payload) => lastFirst(payload)],
  ['that is JSON', () => utf8('{"iss":"example-vendor"}')],
];

/** `seats: 250` moved to the front. */
function lastFirst(payload: Uint8Array): Uint8Array {
  const pair = concatBytes(encode('seats'), encode(250));
  const at = Buffer.from(payload).indexOf(Buffer.from(pair));
  if (at < 0) return concatBytes(payload, Uint8Array.of(0));
  return concatBytes(payload.subarray(0, 1), pair, payload.subarray(1, at), payload.subarray(at + pair.length));
}

/** Texts whose encoding is at fault. */
const TEXTS: readonly (readonly [string, Raw])[] = [
  ['with an overlong form', new Raw(concatBytes(head(3, 2), Uint8Array.of(0xc0, 0x80)))],
  ['with a surrogate', new Raw(concatBytes(head(3, 3), Uint8Array.of(0xed, 0xa0, 0x80)))],
  ['with a lone continuation byte', new Raw(concatBytes(head(3, 1), Uint8Array.of(0x80)))],
  ['cut within a character', new Raw(concatBytes(head(3, 1), Uint8Array.of(0xc3)))],
  ['above U+10FFFF', new Raw(concatBytes(head(3, 4), Uint8Array.of(0xf4, 0x90, 0x80, 0x80)))],
  ['of indefinite length', new Raw(concatBytes(Uint8Array.of(0x7f), encode('Acme'), Uint8Array.of(0xff)))],
  ['whose head is too long', new Raw(concatBytes(head(3, 4, 1), utf8('Acme')))],
];

/** If a claim may have any value of the profile, only the profile itself refuses these. */
const EXT_VALUES: readonly (readonly [string, Item])[] = [
  ...[
    ['null', 'f6'],
    ['undefined', 'f7'],
    ['the simple value 0', 'e0'],
    ['the simple value 255', 'f8ff'],
    ['false in two bytes', 'f814'],
    ['a float in two bytes', 'f93c00'],
    ['a float in four bytes', 'fa3f800000'],
    ['a float in eight bytes', 'fb3ff0000000000000'],
    ['NaN', 'f97e00'],
    ['a break', 'ff'],
    ['a reserved head', '1c'],
    ['a tag', 'c100'],
    ['2^53', '1b0020000000000000'],
    ['-2^53', '3b001fffffffffffff'],
    ['2^64 - 1', '1bffffffffffffffff'],
    ['an integer in two bytes too many', '19000a'],
    ['bytes of indefinite length', '5f4100ff'],
    ['a list of indefinite length', '9f00ff'],
    ['a map with its keys in another order', 'a2616200616100'],
    ['a map with a key twice', 'a2616100616100'],
  ].map(([words = '', hex = '']) => [words, new Raw(fromHex(hex) ?? new Uint8Array())] as const),
  ['2^53 - 1', Number.MAX_SAFE_INTEGER],
  ['-(2^53 - 1)', -Number.MAX_SAFE_INTEGER],
  ['a map within a list within a map', new Pairs([['b', [new Pairs([['c', true]])]]])],
];

const time = (draft: Draft, claim: 4 | 5 | 6): number => {
  const value = draft.claims.get(claim);
  return typeof value === 'number' ? value : 0;
};

const ORDERS: readonly (readonly [string, (draft: Draft) => void])[] = [
  ['nbf is exp', (draft) => draft.claims.set(5, time(draft, 4))],
  ['nbf is a second before exp', (draft) => draft.claims.set(5, time(draft, 4) - 1)],
  ['nbf is after exp', (draft) => draft.claims.set(5, time(draft, 4) + 1)],
  ['iat is exp', (draft) => draft.claims.set(6, time(draft, 4))],
  ['iat is a second before exp', (draft) => draft.claims.set(6, time(draft, 4) - 1)],
  ['iat is after nbf', (draft) => draft.claims.set(6, time(draft, 5) + DAY)],
  ['iat is in the future', (draft) => draft.claims.set(6, NOW + DAY)],
];

export const CLAIM_CHANGES: readonly Changes[] = [
  ...CLAIM_VALUES.map(([claim, values]) =>
    each(
      `the claim ${nameOf(claim)}`,
      [...values.map((value) => [shown(value), value] as const), ...NOWHERE],
      (draft, value) => void draft.claims.set(claim, value),
    ),
  ),
  ...IDS_WITHIN.map(([name, within]) =>
    each(
      name,
      ID_VALUES.map((value) => [shown(value), value] as const),
      (draft, value) => void draft.claims.set(...within(value)),
    ),
  ),
  each(
    'without the claim',
    REQUIRED.map((claim) => [nameOf(claim), claim] as const),
    (draft, claim) => void draft.claims.delete(claim),
  ),
  each('with the unknown claim', UNKNOWN, (draft, claim) => void draft.claims.set(claim, 1)),
  each('an ext with', EXT_VALUES, (draft, value) => void draft.claims.set('ext', new Pairs([['a', value]]))),
  each('a payload', PAYLOAD, (draft, edit) => draft.payloadEdits.push(edit)),
  each('a name', TEXTS, (draft, value) => void draft.claims.set('name', value)),
  each('an order of times', ORDERS, (draft, edit) => edit(draft)),
  free(
    fc.record({ at: fc.nat({ max: 120 }), value: fc.nat({ max: 255 }) }).map(({ at, value }) => ({
      name: 'one byte of the payload',
      words: `the byte ${value} at offset ${at} of its signed payload`,
      apply: (draft) =>
        draft.payloadEdits.push((payload) => {
          const out = Uint8Array.from(payload);
          if (out.length > 0) out[at % out.length] = value;
          return out;
        }),
    })),
  ),
];
