import { concatBytes, equalBytes } from '../../../formats/bytes.ts';
import { ALGORITHMS } from '../../../formats/cose-algorithm.ts';
import { decodeCoseSign1, encodeCoseSign1, encodeProtected, TYP } from '../../../formats/cose-sign1.ts';
import { VtlicError } from '../../../formats/error.ts';
import type { IntentBody } from './entry.ts';

/** What is wrong when a finished license is not what was intended; undefined when it is. The signature is not judged here. */
export function coseFault(intent: IntentBody, cose: Uint8Array): string | undefined {
  if (isAsEncoded(intent, cose)) return undefined;
  try {
    const { kid, payload } = decodeCoseSign1(cose, TYP.license);
    if (!equalBytes(payload, intent.payload)) return 'the license holds another payload than its intent';
    return kid === intent.kid ? undefined : 'the license names another key than its intent';
  } catch (error) {
    if (error instanceof VtlicError) return error.message;
    throw error;
  }
}

/**
 * One spelling for each meaning: a license of this key and payload with a signature of the right length begins with the very bytes that
 * encoding gives. A whole check compares them, which costs a fraction of reading them.
 */
function isAsEncoded(intent: IntentBody, cose: Uint8Array): boolean {
  for (const { head, length } of headsOf(intent.kid)) {
    const payloadHead = byteStringHead(intent.payload.length);
    const end = head.length + payloadHead.length + intent.payload.length;
    const signatureHead = byteStringHead(length);
    if (cose.length !== end + signatureHead.length + length) continue;
    if (startsWith(cose, 0, head) && startsWith(cose, head.length, payloadHead) && startsWith(cose, head.length + payloadHead.length, intent.payload) && startsWith(cose, end, signatureHead)) return true;
  }
  return false;
}

interface KnownHead {
  /** Everything before the payload. */
  readonly head: Uint8Array;
  /** Of the signature. */
  readonly length: number;
}

let lastKid = '';
let lastHeads: readonly KnownHead[] = [];

/** A ledger has few keys, and long stretches with one. */
function headsOf(kid: string): readonly KnownHead[] {
  if (kid === lastKid) return lastHeads;
  lastHeads = (['ed25519', 'ed25519+ml-dsa-65'] as const).map((alg) => {
    const whole = encodeCoseSign1(encodeProtected(alg, kid, TYP.license), EMPTY, EMPTY);
    // Without the two empty byte strings.
    return { head: whole.slice(0, -2), length: ALGORITHMS[alg].signatureBytes };
  });
  lastKid = kid;
  return lastHeads;
}

const EMPTY = new Uint8Array(0);

function startsWith(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(at, at + part.length), part) === 0;
}

/** RFC 8949 §3.1, major type 2. */
function byteStringHead(length: number): Uint8Array {
  if (length < 24) return Uint8Array.of(0x40 | length);
  if (length < 0x100) return Uint8Array.of(0x58, length);
  if (length < 0x10000) return Uint8Array.of(0x59, length >> 8, length & 0xff);
  return concatBytes(Uint8Array.of(0x5a), Uint8Array.of(length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff));
}
