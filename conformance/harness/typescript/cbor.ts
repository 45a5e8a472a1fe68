/** CBOR in the profile of section 4 of docs/format.md, and the refusals of a verifier. */
import { Decoder } from 'cbor-x/index-no-eval';
import { hex } from './values.ts';

/** Layer and reason, as in section 2. */
export class Refusal {
  readonly layer: string;
  readonly reason: string;

  constructor(layer: string, reason: string) {
    this.layer = layer;
    this.reason = reason;
  }
}

export const refuse = (layer: string, reason: string): never => {
  // oxlint-disable-next-line only-throw-error
  throw new Refusal(layer, reason);
};

/** Section 4: the walk. cbor-x accepts all that is refused here, so it only decodes what was walked. */
export function walk(
  bytes: Uint8Array,
  isFile: boolean,
): { readonly tag: bigint | undefined; readonly value: unknown } {
  const malformed = (): never => refuse('cbor', 'cbor_malformed');
  const notDeterministic = (): never => refuse('cbor', 'cbor_not_deterministic');
  let at = 0;
  const head = (): readonly [number, bigint] => {
    const first = bytes[at++] ?? malformed();
    const [major, info] = [first >> 5, first & 31];
    if (major === 7 && first !== 0xf4 && first !== 0xf5) malformed();
    if (info === 31) return major >= 2 && major <= 5 ? notDeterministic() : malformed();
    if (info > 27) malformed();
    if (info < 24) return [major, BigInt(info)];
    const size = 1 << (info - 24);
    if (at + size > bytes.length) malformed();
    const argument = BigInt(`0x${hex(bytes.subarray(at, at + size))}`);
    at += size;
    if (argument < (size === 1 ? 24n : 1n << BigInt(4 * size))) notDeterministic();
    return [major, argument];
  };
  const item = (depth: number, isOutermost: boolean): void => {
    const [major, argument] = head();
    if (major === 6 || (major < 2 && argument > 9007199254740991n - BigInt(major))) malformed();
    if (major === 2 || major === 3) {
      if (argument > BigInt(bytes.length - at)) malformed();
      const content = bytes.subarray(at, (at += Number(argument)));
      if (
        major === 3 &&
        !Buffer.from(content).equals(Buffer.from(new TextDecoder('utf-8', { ignoreBOM: true }).decode(content)))
      )
        malformed();
    }
    if ((major === 4 || major === 5) && depth > 8) malformed();
    if (major === 4)
      for (let i = 0n; i < argument; i++) {
        const from = at;
        item(depth + 1, false);
        // Section 5.1: the protected bytes are walked at their place.
        if (isOutermost && i === 0n && (bytes[from] ?? 0) >> 5 === 2) walkEmbedded(from);
      }
    let before: Buffer | undefined;
    if (major === 5)
      for (let i = 0n; i < argument; i++) {
        const from = at;
        item(depth + 1, false);
        const key = Buffer.from(bytes.subarray(from, at));
        if (before !== undefined && before.compare(key) >= 0) notDeterministic();
        before = key;
        item(depth + 1, false);
      }
  };
  const walkEmbedded = (from: number): void => {
    const content = DECODER.decode(bytes.subarray(from, at)) as Uint8Array;
    if (content.length > 0) walk(content, false);
  };
  const tag = isFile && (bytes[0] ?? 0) >> 5 === 6 ? head()[1] : undefined;
  const start = at;
  item(1, isFile);
  if (at < bytes.length) malformed();
  return { tag, value: DECODER.decode(bytes.subarray(start)) };
}

/** Numbers above 2^32 would be bigints without `int64AsNumber`; `ext` and limits may have them. */
const OPTIONS = { mapsAsObjects: false, useRecords: false, int64AsNumber: true, tagUint8Array: false };
const DECODER = new Decoder(OPTIONS);

/** @param bytes that were walked */
export function decode(bytes: Uint8Array): unknown {
  return DECODER.decode(bytes);
}

export function bytesHead(length: number): Uint8Array {
  if (length < 24) return Uint8Array.of(0x40 + length);
  if (length < 256) return Uint8Array.of(0x58, length);
  if (length < 65_536) return Uint8Array.of(0x59, length >> 8, length & 255);
  // A keyset may be that long; a license is not.
  return Uint8Array.of(0x5a, length >> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255);
}

export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}
