/** A ledger has few keys, and long stretches with one: the last one's two spellings are kept. */
import { equalBytes, fromHex, toHex } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';

let lastText = '';
let lastBytes: Uint8Array = new Uint8Array(0);

/** @returns bytes that are not to be written to */
export function bytesOfKid(kid: string): Uint8Array {
  if (kid !== lastText) {
    const bytes = fromHex(kid);
    if (bytes === undefined) throw new VtlicError('internal', 'a kid is hex digits');
    lastBytes = bytes;
    lastText = kid;
  }
  return lastBytes;
}

/** Lower-case hex. */
export function kidOfBytes(bytes: Uint8Array): string {
  if (!equalBytes(bytes, lastBytes)) {
    lastBytes = bytes.slice();
    lastText = toHex(bytes);
  }
  return lastText;
}
