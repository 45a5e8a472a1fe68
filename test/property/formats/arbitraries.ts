/** Values of the formats, for fast-check. */
import fc from 'fast-check';
import { compareBytes, toHex } from '../../../formats/bytes.ts';
import { encodeCbor } from '../../../formats/cbor/encode.ts';
import type { CborMap, CborValue } from '../../../formats/cbor/value.ts';
import { LICENSE_USES } from '../../../formats/license/bounds.ts';
import { uuidFromBytes } from '../../../formats/license/id.ts';
import { ExtBytes, type ExtMap, type ExtValue, type License } from '../../../formats/license/license.ts';

/** Around the ends of each head's length, and anywhere. */
export const integer: fc.Arbitrary<number> = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -300, max: 300 }),
  fc
    .tuple(
      fc.constantFrom(24, 2 ** 8, 2 ** 16, 2 ** 32, Number.MAX_SAFE_INTEGER),
      fc.integer({ min: -2, max: 2 }),
      fc.boolean(),
    )
    .map(([edge, step, negative]) => (negative ? -1 : 1) * Math.min(edge + step, Number.MAX_SAFE_INTEGER)),
);

export const bytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ minLength: 250, maxLength: 260 }),
);

/** Well-formed Unicode. */
export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'binary-ascii', minLength: 20, maxLength: 30 }),
  fc.string({ unit: 'grapheme', maxLength: 10 }),
);

const leaf = fc.oneof(integer, text, fc.boolean(), bytes);

/** A map whose keys differ in their encodings, in the order of these: what decoding gives. */
function sortedMap(pairs: readonly (readonly [CborValue, CborValue])[]): CborMap {
  const byEncoding = new Map(pairs.map((pair) => [toHex(encodeCbor(pair[0])), pair]));
  const sorted = [...byEncoding.values()].toSorted((a, b) => compareBytes(encodeCbor(a[0]), encodeCbor(b[0])));
  return new Map(sorted);
}

function cborOfDepth(depth: number): fc.Arbitrary<CborValue> {
  if (depth === 0) return leaf;
  const inner = cborOfDepth(depth - 1);
  return fc.oneof(
    { weight: 2, arbitrary: leaf },
    { weight: 1, arbitrary: fc.array(inner, { maxLength: 5 }) },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.tuple(fc.oneof({ weight: 4, arbitrary: leaf }, inner), inner), { maxLength: 5 })
        .map(sortedMap),
    },
  );
}

/** Every type, nested up to 8. */
export const cbor: fc.Arbitrary<CborValue> = fc
  .integer({ min: 0, max: 3 })
  .chain(cborOfDepth)
  .chain((value) => fc.integer({ min: 0, max: 5 }).map((wraps) => wrapped(value, wraps)));

function wrapped(value: CborValue, count: number): CborValue {
  let result = value;
  for (let i = 0; i < count; i++) result = [result];
  return result;
}

const idCharacter = fc.constantFrom(...Array.from('ABCXYZabcxyz0189._:-'));
export const id: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(fc.constantFrom(...Array.from('AZaz09')), fc.array(idCharacter, { maxLength: 12 }))
    .map(([first, rest]) => first + rest.join('')),
  fc.constantFrom('constructor', 'toString', 'hasOwnProperty', '10', '9', `a${'.'.repeat(127)}`),
);

const uuid = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((random) =>
    uuidFromBytes(random.with(6, 0x70 | ((random[6] ?? 0) & 0x0f)).with(8, 0x80 | ((random[8] ?? 0) & 0x3f))),
  );

const sortedUnique = <T extends string>(items: readonly T[]): T[] =>
  [...new Set(items)].toSorted((a, b) => (a < b ? -1 : 1));

const count = (min: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min, max: 1000 }),
    fc.constantFrom(min, Number.MAX_SAFE_INTEGER),
    fc.integer({ min, max: Number.MAX_SAFE_INTEGER }),
  );

const idRecord = <T>(
  value: fc.Arbitrary<T>,
  constraints: { readonly minKeys?: number; readonly maxKeys: number },
): fc.Arbitrary<Record<string, T>> => fc.dictionary(id, value, { noNullPrototype: false, ...constraints });

const extValue = (depth: number): fc.Arbitrary<ExtValue> => {
  const leaves = fc.oneof(
    integer,
    text,
    fc.boolean(),
    fc.uint8Array({ maxLength: 20 }).map((raw) => new ExtBytes(toHex(raw))),
  );
  if (depth === 0) return leaves;
  return fc.oneof(
    { weight: 3, arbitrary: leaves },
    { weight: 1, arbitrary: fc.array(extValue(depth - 1), { maxLength: 3 }) },
    { weight: 1, arbitrary: idRecord(extValue(depth - 1), { maxKeys: 3 }) as fc.Arbitrary<ExtMap> },
  );
};

const MAX_TIME = 253_402_300_799;

const times = fc
  .tuple(fc.integer({ min: 1, max: MAX_TIME }), fc.nat(), fc.nat())
  .map(([exp, nbf, iat]) => ({ exp, nbf: nbf % exp, iat: iat % exp }));

const shown = (max: number): fc.Arbitrary<string> => fc.string({ unit: 'binary', minLength: 1, maxLength: max });

const claims = fc.record(
  {
    iss: id,
    sub: id,
    aud: id,
    cti: uuid,
    ctr: count(1),
    tier: id,
    seats: fc.oneof(count(0), fc.constant('unlimited' as const)),
    features: fc.array(id, { maxLength: 8 }).map(sortedUnique),
    limits: idRecord(count(0), { maxKeys: 8 }),
    instances: count(1),
    hosts: fc
      .array(fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex), { minLength: 1, maxLength: 4 })
      .map(sortedUnique),
    grace: fc.integer({ min: 0, max: 31_622_400 }),
    offline: fc.integer({ min: 0, max: MAX_TIME }),
    dep: id,
    name: shown(200),
    ref: shown(100),
    upd: fc.integer({ min: 0, max: MAX_TIME }),
    use: fc.constantFrom(...LICENSE_USES),
    clk: fc.constant(true as const),
    ext: idRecord(extValue(4), { minKeys: 1, maxKeys: 5 }) as fc.Arbitrary<ExtMap>,
  },
  { requiredKeys: ['iss', 'sub', 'aud', 'cti', 'ctr', 'tier', 'seats', 'features', 'limits'] },
);

/** Every claim, within its bounds. */
export const license: fc.Arbitrary<License> = fc.tuple(claims, times).map(([rest, when]) => ({ ...rest, ...when }));
