/** Compares a payload and a finished license with the intent that reserved their counter. */
import { equalBytes } from '../../../formats/bytes.ts';
import { ALGORITHMS } from '../../../formats/cose-algorithm.ts';
import { decodeCoseSign1, encodeCoseSign1, encodeProtected, TYP } from '../../../formats/cose-sign1.ts';
import { VtlicError } from '../../../formats/error.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { uuidFromBytes } from '../../../formats/license/id.ts';
import type { IntentBody } from './entry.ts';

/** Says how the payload of an intent contradicts the intent's other members; undefined if it does not. */
export function payloadFault(iss: string, intent: IntentBody): string | undefined {
  try {
    const license = decodeLicense(intent.payload);
    if (license.iss !== iss) return 'its payload has another issuer than the ledger';
    if (license.sub !== intent.sub || license.aud !== intent.aud || license.dep !== intent.dep)
      return 'its payload has another lineage';
    if (license.ctr !== intent.ctr) return 'its payload has another counter';
    return license.cti === uuidFromBytes(intent.licenseId) ? undefined : 'its payload has another license id';
  } catch (error) {
    if (error instanceof VtlicError) return error.message;
    throw error;
  }
}

/** Says how a finished license differs from its intent; undefined if it does not. Does not check the signature. */
export function coseFault(intent: IntentBody, cose: Uint8Array): string | undefined {
  if (isAsEncoded(intent, cose)) return undefined;
  try {
    const { kid, payload } = decodeCoseSign1(cose, TYP.license);
    if (!equalBytes(payload, intent.payload)) return 'the license contains another payload than its intent';
    return kid === intent.kid ? undefined : 'the license names another key than its intent';
  } catch (error) {
    if (error instanceof VtlicError) return error.message;
    throw error;
  }
}

/**
 * Compares the license with the bytes that encoding the intent gives. Encoding is deterministic, so this accepts every
 * license that agrees with its intent, and is much cheaper than decoding. `coseFault` decodes what differs, to say how.
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

/** Keeps the result for the last key: a ledger has few keys, and long runs of entries with one. */
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

/**
 * Length of a byte string's head (RFC 8949 §3.1, major type 2). Only up to 64 KiB, which no license reaches: `isHead`
 * accepts no head of a longer one, so `coseFault` decodes it.
 */
function headLength(length: number): number {
  return length < 24 ? 1 : length < 0x100 ? 2 : 3;
}

function isHead(bytes: Uint8Array, at: number, length: number): boolean {
  if (length < 24) return bytes[at] === (0x40 | length);
  if (length < 0x100) return bytes[at] === 0x58 && bytes[at + 1] === length;
  return bytes[at] === 0x59 && bytes[at + 1] === length >> 8 && bytes[at + 2] === (length & 0xff);
}
