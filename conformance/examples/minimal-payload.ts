/** The smallest payload that is a license, and its variations. */
import { compareBytes, concatBytes } from '../../formats/bytes.ts';
import { bytesOf, hex, type Entry } from './small-example.ts';

const minimal = new Map<string, string>(
  (
    [
      [1, 'example-vendor'],
      [2, 'acme-gmbh'],
      [3, 'vaultdesk'],
      [4, 1_830_297_600],
      [5, 1_798_761_600],
      [6, 1_796_115_600],
      [7, bytesOf('0193817a6c0070008000000000000001')],
      ['ctr', 1],
      ['tier', 'pro'],
      ['seats', 1],
    ] as const
  ).map(([key, value]) => [hex(key), hex(value)]),
);

/** The minimal payload with some entries set or removed: bytes that `encodeCbor` need not be able to write. */
export function payloadOf(entries: readonly Entry[]): Uint8Array {
  const claims = new Map(minimal);
  for (const { key, value } of entries) {
    if (value === undefined) claims.delete(key);
    else claims.set(key, value);
  }
  const pairs = [...claims]
    .map(([key, value]) => ({ key: bytesOf(key), value: bytesOf(value) }))
    .sort((a, b) => compareBytes(a.key, b.key));
  return concatBytes(Uint8Array.of(0xa0 + pairs.length), ...pairs.flatMap(({ key, value }) => [key, value]));
}

export const minimalPayload: Uint8Array = payloadOf([]);
