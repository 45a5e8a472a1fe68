/**
 * The text form of a signed file, and the size limits of a file: RFC 7468 style, base64 with 64 characters a line.
 *
 * The reader ignores blank space around the block, and takes LF or CRLF as line ends. It refuses every other
 * difference, so only white space can change in a file with a valid signature. `normalize-pasted.ts` repairs what a
 * person pasted.
 */
import { base64Length, decodeBase64Into, encodeBase64Into } from './base64.ts';
import { utf8 } from './bytes.ts';
import { cleanText } from './clean-text.ts';
import { VtlicError } from './error.ts';

export type ArmorLabel = 'VTLIC' | 'VTLIC KEYSET';

export interface ArmorLimits {
  readonly fileBytes: number;
  readonly decodedBytes: number;
}

/** 96 KiB as read, 48 KiB decoded. */
export const LICENSE_LIMITS: ArmorLimits = Object.freeze({ fileBytes: 98_304, decodedBytes: 49_152 });

const LINE_CHARACTERS = 64;
const LINE_BYTES = 48;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DASH = 0x2d;

const BEGIN: Readonly<Record<ArmorLabel, string>> = {
  VTLIC: '-----BEGIN VTLIC-----',
  'VTLIC KEYSET': '-----BEGIN VTLIC KEYSET-----',
};
const END: Readonly<Record<ArmorLabel, string>> = {
  VTLIC: '-----END VTLIC-----',
  'VTLIC KEYSET': '-----END VTLIC KEYSET-----',
};

/** Armors at least one byte. Lines end with LF, the last one too. */
export function armor(label: ArmorLabel, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) throw new VtlicError('internal', 'an armor around no bytes was asked for');
  const [begin, end] = [utf8(`${BEGIN[label]}\n`), utf8(`${END[label]}\n`)];
  const file = new Uint8Array(
    begin.length + base64Length(bytes.length) + Math.ceil(bytes.length / LINE_BYTES) + end.length,
  );
  file.set(begin);
  let at = begin.length;
  for (let from = 0; from < bytes.length; from += LINE_BYTES) {
    at = encodeBase64Into(bytes, from, Math.min(from + LINE_BYTES, bytes.length), file, at);
    file[at++] = LF;
  }
  file.set(end, at);
  return file;
}

/**
 * The bytes in a file that is one armored block with nothing but blank space around it.
 *
 * @throws VtlicError `too_large` (the file; or, once the whole armor is read, the decoded bytes), or
 *   `armor_malformed` with the line and the offset of the fault
 */
export function dearmor(label: ArmorLabel, file: Uint8Array, limits: ArmorLimits = LICENSE_LIMITS): Uint8Array {
  if (file.length > limits.fileBytes)
    throw new VtlicError('too_large', `the file has more than ${limits.fileBytes} bytes, the most that are allowed`);
  const begin = skipBlank(file, 0);
  const body = afterLineEnd(file, begin + BEGIN[label].length);
  if (body === undefined || !hasTextAt(file, begin, BEGIN[label])) throw badBegin(label, file, begin);

  const target = new Uint8Array(file.length);
  let written = 0;
  let at = body;
  let lastWasFull = true;
  while (file[at] !== DASH) {
    const lineEnd = endOfLine(file, at);
    const next = afterLineEnd(file, lineEnd);
    const length = lineEnd - at;
    if (next === undefined || !lastWasFull || length === 0 || length > LINE_CHARACTERS)
      throw badLine(label, file, at, lineEnd, lastWasFull);
    const end = decodeBase64Into(file, at, lineEnd, target, written);
    if (end === undefined) throw badLine(label, file, at, lineEnd, lastWasFull);
    lastWasFull = end - written === LINE_BYTES;
    written = end;
    at = next;
  }
  if (!hasTextAt(file, at, END[label])) throw malformed(file, at, `the line "${END[label]}" should end the block`);
  if (written === 0) throw malformed(file, at, 'the block should contain at least one line of base64');
  const rest = skipBlank(file, at + END[label].length);
  if (rest < file.length) throw malformed(file, rest, 'only blank space may follow the block (one block a file)');
  if (written > limits.decodedBytes)
    throw new VtlicError(
      'too_large',
      `the file contains ${written} bytes, but at most ${limits.decodedBytes} are allowed`,
    );
  return target.subarray(0, written);
}

function skipBlank(file: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const byte = file[at];
    if (byte !== LF && byte !== CR && byte !== SPACE && byte !== TAB) return at;
    at++;
  }
}

/**
 * Where the line's own characters end: before LF or CRLF, or at the end of the file. A lone CR is a character like
 * others.
 */
function endOfLine(file: Uint8Array, from: number): number {
  const lf = file.indexOf(LF, from);
  if (lf === -1) return file.length;
  return file[lf - 1] === CR ? lf - 1 : lf;
}

/** The offset behind the LF or CRLF at `at`; undefined where there is none. */
function afterLineEnd(file: Uint8Array, at: number): number | undefined {
  if (file[at] === LF) return at + 1;
  return file[at] === CR && file[at + 1] === LF ? at + 2 : undefined;
}

function hasTextAt(file: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (file[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

const COPY_WHOLE = 'Copy the whole block again, from its BEGIN line to its END line, as plain text.';

function badBegin(label: ArmorLabel, file: Uint8Array, begin: number): VtlicError {
  const expected = `"${BEGIN[label]}"`;
  if (begin === file.length)
    return malformed(
      file,
      begin,
      `the line ${expected} should begin it, but the file is ${begin === 0 ? 'empty' : 'blank'}`,
    );
  if (file[begin] === 0xef && file[begin + 1] === 0xbb && file[begin + 2] === 0xbf) {
    return malformed(
      file,
      begin,
      'it begins with a byte order mark (U+FEFF)',
      'Save the file as plain UTF-8 or ASCII without a byte order mark.',
    );
  }
  const found = new TextDecoder().decode(file.subarray(begin, endOfLine(file, begin)));
  const line = cleanText(found, LINE_CHARACTERS);
  return malformed(file, begin, `expected the line ${expected} with nothing else on it, found "${line}"`, COPY_WHOLE);
}

function badLine(label: ArmorLabel, file: Uint8Array, from: number, to: number, lastWasFull: boolean): VtlicError {
  if (from === file.length) return malformed(file, from, `it ends before the line "${END[label]}"`, COPY_WHOLE);
  if (from === to)
    return malformed(file, from, 'expected a line of base64 or the END line, but the line is empty', COPY_WHOLE);
  if (to === file.length) return malformed(file, from, 'it ends within a line of base64', COPY_WHOLE);
  for (const [i, byte] of file.subarray(from, to).entries()) {
    const at = from + i;
    if (byte === SPACE || byte === TAB) return malformed(file, at, 'within the block there is a blank', COPY_WHOLE);
    if (byte === CR) return malformed(file, at, 'there is a carriage return without a line feed', COPY_WHOLE);
    if (!isBase64Character(byte))
      return malformed(file, at, 'within the block there is a character that is not base64', COPY_WHOLE);
  }
  if (!lastWasFull)
    return malformed(
      file,
      from,
      `every line of base64 but the last should have exactly ${LINE_CHARACTERS} characters, ` +
        'but the line before has fewer',
      COPY_WHOLE,
    );
  if (to - from > LINE_CHARACTERS)
    return malformed(
      file,
      from,
      `a line of base64 should have at most ${LINE_CHARACTERS} characters, but this one has ${to - from}`,
      COPY_WHOLE,
    );
  return malformed(
    file,
    from,
    'the base64 of this line is not canonical: whole groups of four, padded by "=" only at the very end, ' +
      'unused bits zero',
    COPY_WHOLE,
  );
}

function isBase64Character(byte: number): boolean {
  return (
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x2f && byte <= 0x39) ||
    byte === 0x2b ||
    byte === 0x3d
  );
}

function malformed(file: Uint8Array, offset: number, fault: string, hint?: string): VtlicError {
  let line = 1;
  for (let i = 0; i < offset; i++) if (file[i] === LF) line++;
  return new VtlicError(
    'armor_malformed',
    `the file is not well armored: ${fault}`,
    hint === undefined ? { line, offset } : { line, offset, hint },
  );
}
