/**
 * The portable provider for the signatures of one key: multiples of the key are computed once, so that each check takes a quarter of
 * the point additions. The verdict is that of `nobleProvider`, equation and criteria alike.
 */
import { Point } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, equalBytes, toHex } from '../../formats/bytes.ts';
import { meetsEd25519Criteria } from '../../keys/public/ed25519-criteria.ts';
import { decodePoint } from '../../keys/public/ed25519-point.ts';
import { nobleProvider } from '../../keys/public/provider-noble.ts';
import type { Provider } from '../../keys/public/provider.ts';

const GROUP_ORDER: bigint = Point.CURVE().n;
/** A scalar below the group's order has 253 bits: 64 digits of 4 bits. */
const DIGITS = 64;
const DIGIT_VALUES = 16;

/** `[digit · 16^position](-A)` at `position * 15 + digit - 1`; digits from 1. */
function multiplesOf(negated: Point): readonly Point[] {
  const table: Point[] = [];
  let base = negated;
  for (let position = 0; position < DIGITS; position++) {
    let multiple = base;
    for (let digit = 1; digit < DIGIT_VALUES; digit++) {
      table.push(multiple);
      multiple = multiple.add(base);
    }
    base = multiple;
  }
  return table;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`);
}

/** @param publicKey 32 bytes, or the Ed25519 half of a composite key; signatures of other keys go the general way */
export function nobleForOneKey(publicKey: Uint8Array): Provider {
  const a = decodePoint(publicKey);
  if (a === undefined) return nobleProvider;
  const table = multiplesOf(a.negate());
  const ed25519Verify: Provider['ed25519Verify'] = (key, message, signature) => {
    if (!equalBytes(key, publicKey)) return nobleProvider.ed25519Verify(key, message, signature);
    if (!meetsEd25519Criteria(key, signature)) return false;
    const r = signature.subarray(0, 32);
    const s = littleEndian(signature.subarray(32));
    let k = littleEndian(sha512(concatBytes(r, key, message))) % GROUP_ORDER;
    let sum = Point.BASE.multiplyUnsafe(s);
    for (let position = 0; k > 0n; position++, k >>= 4n) {
      const digit = Number(k & 15n);
      const multiple = digit === 0 ? undefined : table[position * (DIGIT_VALUES - 1) + digit - 1];
      if (multiple !== undefined) sum = sum.add(multiple);
    }
    return equalBytes(sum.toBytes(), r);
  };
  return Object.freeze<Provider>({ ...nobleProvider, ed25519Verify });
}
