/** Payloads of a license: the required claims, with changes. */
import { encodeCbor } from '../../../formats/cbor/encode.ts';
import type { CborValue } from '../../../formats/cbor/value.ts';
import { hex } from './hex.ts';

export const CTI = '01963e5f7c00712f8bd00a0b0c0d0e0f';
/** 31 bytes: the first ones of a fingerprint. */
export const HOST: string = '00'.repeat(31);

/** @param changes claim keys with their values; undefined leaves a claim out */
export function payloadWith(...changes: readonly (readonly [CborValue, CborValue | undefined])[]): Uint8Array {
  const claims = new Map<CborValue, CborValue>([
    [1, 'vaultworks'],
    [2, 'acme-gmbh'],
    [3, 'vaultdesk'],
    [4, 1_830_297_600],
    [5, 1_798_761_600],
    [6, 1_798_761_000],
    [7, hex(CTI)],
    ['ctr', 7],
    ['tier', 'enterprise'],
    ['seats', 250],
  ]);
  for (const [key, value] of changes) {
    if (value === undefined) claims.delete(key);
    else claims.set(key, value);
  }
  return encodeCbor(claims);
}
