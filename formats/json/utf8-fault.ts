/** Where bytes stop being UTF-8: decoders say only that they do. */

/** The offset of the first character that is not valid UTF-8 (RFC 3629), or -1 where all are. */
export function utf8FaultAt(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const first = bytes[at] ?? 0;
    if (first < 0x80) {
      at++;
      continue;
    }
    const length = sequenceLength(first);
    if (length === 0) return at;
    for (let i = 1; i < length; i++) {
      const next = bytes[at + i] ?? 0;
      const [low, high] = i === 1 ? secondByteRange(first) : CONTINUATION;
      if (next < low || next > high) return at;
    }
    at += length;
  }
  return -1;
}

const CONTINUATION: readonly [number, number] = [0x80, 0xbf];

function sequenceLength(first: number): 0 | 2 | 3 | 4 {
  if (first < 0xc2 || first > 0xf4) return 0;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

/** Narrower after some first bytes: overlong forms, surrogates, and what lies beyond U+10FFFF. */
function secondByteRange(first: number): readonly [number, number] {
  if (first === 0xe0) return [0xa0, 0xbf];
  if (first === 0xed) return [0x80, 0x9f];
  if (first === 0xf0) return [0x90, 0xbf];
  if (first === 0xf4) return [0x80, 0x8f];
  return CONTINUATION;
}
