import { equalBytes } from '../../../formats/bytes.ts';
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
function isAsEncoded({ kid, payload }: IntentBody, cose: Uint8Array): boolean {
  const known = headsOf(kid).find(
    ({ head, length }) =>
      cose.length === head.length + headLength(payload.length) + payload.length + headLength(length) + length,
  );
  if (known === undefined) return false;
  const { head, length } = known;
  const from = head.length + headLength(payload.length);
  const to = from + payload.length;
  return (
    equalBytes(cose.subarray(0, head.length), head) &&
    isHead(cose, head.length, payload.length) &&
    Buffer.compare(cose.subarray(from, to), payload) === 0 &&
    isHead(cose, to, length)
  );
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

/** Of a byte string's head (RFC 8949 §3.1, major type 2). From 64 KiB on, which no license reaches, nothing is one: such a one is read in full. */
function headLength(length: number): number {
  return length < 24 ? 1 : length < 0x100 ? 2 : 3;
}

function isHead(bytes: Uint8Array, at: number, length: number): boolean {
  if (length < 24) return bytes[at] === (0x40 | length);
  if (length < 0x100) return bytes[at] === 0x58 && bytes[at + 1] === length;
  return bytes[at] === 0x59 && bytes[at + 1] === length >> 8 && bytes[at + 2] === (length & 0xff);
}
