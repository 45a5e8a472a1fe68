/** The hash chain over all entries, and the digest that it is made of. */
import { equalBytes, fromHex, utf8 } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import { nodeProvider } from '../../../keys/public/provider-node.ts';
import type { Entry } from './entry.ts';
import { ledgerCorrupt } from './errors.ts';

/** 32 bytes. A plain array, so that computed digests and the blobs that SQLite returns have the same type. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nodeProvider.sha256(bytes);
}

/** The digest that names a key, as bytes. */
export function bytesOfKid(kid: string): Uint8Array {
  const bytes = fromHex(kid);
  if (bytes === undefined) throw new VtlicError('internal', 'a kid is hex digits');
  return bytes;
}

const DOMAIN: Uint8Array = utf8('vtlic-ledger-chain/1\n');

/** The chain value before the first entry: 32 zero bytes. */
export const CHAIN_START: Uint8Array = new Uint8Array(32);

/** Room for everything but the body. */
const MAX_AROUND_BODY_BYTES = 256;

/**
 * Filled anew by each call: a whole check hashes every entry, and allocating for each would cost as much as the hash.
 */
let scratch: Uint8Array = new Uint8Array(16_384);

const kinds: Map<string, Uint8Array> = new Map();
/** The closed list of kinds; a damaged ledger may name others, which are not kept. */
const MAX_KINDS = 16;

function bytesOfKind(kind: string): Uint8Array {
  let bytes = kinds.get(kind);
  if (bytes === undefined) {
    bytes = utf8(kind);
    if (kinds.size < MAX_KINDS) kinds.set(kind, bytes);
  }
  return bytes;
}

/**
 * SHA-256 of the domain text, the chain value before, and the deterministic CBOR of [seq, kind, at, body]; 32 bytes.
 */
export function chainValue(previous: Uint8Array, seq: number, kind: string, at: number, body: Uint8Array): Uint8Array {
  const kindBytes = bytesOfKind(kind);
  const needed = MAX_AROUND_BODY_BYTES + kindBytes.length + body.length;
  if (scratch.length < needed) scratch = new Uint8Array(2 * needed);
  scratch.set(DOMAIN);
  scratch.set(previous, DOMAIN.length);
  let end = DOMAIN.length + previous.length;
  scratch[end++] = ARRAY_OF_4;
  end = writeHead(end, UNSIGNED, seq);
  end = writeHead(end, TEXT, kindBytes.length);
  scratch.set(kindBytes, end);
  end = writeHead(end + kindBytes.length, UNSIGNED, at);
  end = writeHead(end, BYTES, body.length);
  scratch.set(body, end);
  return sha256(scratch.subarray(0, end + body.length));
}

/**
 * @param before the chain value of the entry before
 * @throws VtlicError `ledger_corrupt`
 */
export function checkChain(
  before: Uint8Array,
  { seq, kind, at, body, chain }: Omit<Entry, 'kind' | 'body'> & { readonly kind: string; readonly body: Uint8Array },
): void {
  if (equalBytes(chain, chainValue(before, seq, kind, at, body))) return;
  throw ledgerCorrupt(`entry ${seq}: its chain value does not match its content and the entry before it`);
}

const ARRAY_OF_4 = 0x84;
const UNSIGNED = 0x00;
const BYTES = 0x40;
const TEXT = 0x60;

/** The head of a CBOR item (RFC 8949 §4.2.1) at `at`; returns the offset behind it. */
function writeHead(at: number, major: number, argument: number): number {
  if (argument < 24) {
    scratch[at] = major | argument;
    return at + 1;
  }
  const length = argument < 0x100 ? 1 : argument < 0x10000 ? 2 : argument < 0x1_0000_0000 ? 4 : 8;
  scratch[at] = major | (24 + Math.log2(length));
  let rest = argument;
  for (let i = length; i > 0; i--) {
    scratch[at + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return at + 1 + length;
}
