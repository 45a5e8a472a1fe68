/** Texts of CBOR items: UTF-8 (RFC 3629), checked and decoded. */
import { utf8FaultAt } from '../bytes.ts';

/** From so many bytes on a `TextDecoder` is faster; for a text of ten bytes it takes ten times as long (Node 24.21). */
const LONG_BYTES = 128;

/** A byte order mark is a character like others. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Whether `bytes[from..to)` are valid UTF-8. */
export function isUtf8(bytes: Uint8Array, from: number, to: number): boolean {
  return utf8FaultAt(bytes, from, to) < 0;
}

/** The text of `bytes[from..to)`, which are valid UTF-8. Most texts are short and ASCII. */
export function decodeUtf8(bytes: Uint8Array, from: number, to: number): string {
  if (to - from >= LONG_BYTES) return decoder.decode(bytes.subarray(from, to));
  let text = '';
  for (let i = from; i < to;) {
    const first = bytes[i++] ?? 0;
    if (first <= 0x7f) {
      text += String.fromCharCode(first);
      continue;
    }
    const more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    let code = first & (0x1f >> (more - 1));
    for (const end = i + more; i < end; i++) code = (code << 6) | ((bytes[i] ?? 0) & 0x3f);
    text += String.fromCodePoint(code);
  }
  return text;
}
