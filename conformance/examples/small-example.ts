/** What the small examples of docs/format.md (Appendix B) are made of. */
import { concatBytes, fromHex, toHex } from '../../formats/bytes.ts';
import { encodeCbor } from '../../formats/cbor/encode.ts';
import type { CborValue } from '../../formats/cbor/value.ts';
import type { Reason } from '../../verifier/reasons.ts';
import type { State } from '../../verifier/verdict.ts';

export type Group = 'file' | 'cbor' | 'cose' | 'claims';

/** How the file of an example is made. */
export type Input =
  | { readonly kind: 'text'; readonly text: string }
  /** A file that is no text. */
  | { readonly kind: 'bytes'; readonly hex: string }
  /** The file, or what its armor contains, is one byte many times. */
  | { readonly kind: 'fill'; readonly of: 'file' | 'decoded'; readonly byte: number; readonly count: number }
  /** The bytes that the armor contains. */
  | { readonly kind: 'decoded'; readonly hex: string }
  /** The payload, signed by the Ed25519 example key. */
  | { readonly kind: 'payload'; readonly hex: string }
  /** The minimal payload with these entries set or, without a value, removed. */
  | { readonly kind: 'entries'; readonly entries: readonly Entry[] };

/** Hex of an encoded key and of its encoded value. */
export interface Entry {
  readonly key: string;
  readonly value?: string;
}

/** One byte, many times, behind the end of a file: how a large file is given by few bytes. */
export interface Pad {
  readonly byte: number;
  readonly count: number;
}

export const padded = (file: Uint8Array, pad: Pad | undefined): Uint8Array =>
  pad === undefined ? file : concatBytes(file, new Uint8Array(pad.count).fill(pad.byte));

export interface SmallExample {
  readonly id: string;
  readonly group: Group;
  readonly input: Input;
  readonly what: string;
  readonly expected: Reason | State;
}

export type Row = readonly [id: string, input: Input, what: string, expected: Reason | State];

/** Hex of the encoded value. */
export const hex = (value: CborValue): string => toHex(encodeCbor(value));

/** The bytes of hex digits, which blanks may part. */
export const bytesOf = (digits: string): Uint8Array => fromHex(digits.replaceAll(' ', '')) ?? new Uint8Array();

export const decoded = (digits: string): Input => ({ kind: 'decoded', hex: digits.replaceAll(' ', '') });
