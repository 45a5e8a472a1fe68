/** What makes a row the same row: its parsed values, however they were written. */
import { createHash } from 'node:crypto';
import { type CborValue, encodeCbor } from '../../formats/cbor/index.ts';
import { ExtBytes, type ExtValue } from '../../formats/license/license.ts';
import type { Request } from '../request/request.ts';

const DOMAIN = 'vtlic-batch-row/1';

type Value = ExtValue | readonly string[] | Readonly<Record<string, number>>;

/** SHA-256 (32 bytes) of the deterministic CBOR of `[domain, request]`. */
export function rowDigest(request: Request): Uint8Array {
  const members = new Map<CborValue, CborValue>(
    Object.entries(request as unknown as Readonly<Record<string, Value>>).map(([name, value]) => [name, toCbor(value)]),
  );
  return new Uint8Array(
    createHash('sha256')
      .update(encodeCbor([DOMAIN, members]))
      .digest(),
  );
}

function toCbor(value: Value): CborValue {
  if (typeof value !== 'object') return value;
  if (value instanceof ExtBytes) return value.hex;
  if (isList(value)) return value.map(toCbor);
  return new Map<CborValue, CborValue>(Object.entries(value).map(([name, item]) => [name, toCbor(item)]));
}

function isList(value: Value): value is readonly ExtValue[] {
  return Array.isArray(value);
}
