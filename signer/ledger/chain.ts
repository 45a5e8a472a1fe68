/** The hash chain over all entries. */
import { concatBytes, utf8 } from '../../formats/bytes.ts';
import { encodeCbor } from '../../formats/cbor/encode.ts';
import { sha256 } from './sha256.ts';

const DOMAIN: Uint8Array = utf8('vtlic-ledger-chain/1\n');

/** What stands before the first entry: 32 zero bytes. */
export const CHAIN_START: Uint8Array = new Uint8Array(32);

/** SHA-256 of the domain text, the chain value before, and the deterministic CBOR of [seq, kind, at, body]; 32 bytes. */
export function chainValue(previous: Uint8Array, seq: number, kind: string, at: number, body: Uint8Array): Uint8Array {
  // The body is most of it, and a whole check hashes every one: it is copied once, not through the encoder.
  const withoutBody = encodeCbor([seq, kind, at]);
  withoutBody[0] = ARRAY_OF_4;
  return sha256(concatBytes(DOMAIN, previous, withoutBody, byteStringHead(body.length), body));
}

const ARRAY_OF_4 = 0x84;

function byteStringHead(length: number): Uint8Array {
  if (length < 24) return Uint8Array.of(0x40 | length);
  if (length < 0x100) return Uint8Array.of(0x58, length);
  if (length < 0x10000) return Uint8Array.of(0x59, length >> 8, length & 0xff);
  return Uint8Array.of(0x5a, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff);
}
