/**
 * Reads and writes CSV (RFC 4180). Written fields are safe to open in a spreadsheet: `csvRow` guards against formulas
 * (CSV injection).
 *
 * Reading is strict: one delimiter, double quotes, CRLF or LF. Where the RFC leaves something open, or a program would
 * guess, the reader reports a fault with its line and column: a quote inside an unquoted field, text behind a closing
 * quote, a quote that is never closed, a byte order mark.
 *
 * `csv-dialect.ts` finds out how a spreadsheet wrote a file.
 */
import { concatBytes, utf8FaultAt } from './bytes.ts';
import { cleanText } from './clean-text.ts';

export interface CsvPlace {
  readonly line: number;
  /** In code points, from 1. */
  readonly column: number;
}

export interface CsvRecord {
  readonly kind: 'record';
  /** The line on which it begins, from 1. */
  readonly line: number;
  /** The values, without the quotes around them. */
  readonly fields: readonly string[];
  /** The place where a field begins, or where the record begins if the field is missing. */
  readonly placeOf: (field: number) => CsvPlace;
}

export interface CsvFault extends CsvPlace {
  readonly kind: 'fault';
  readonly message: string;
  readonly hint?: string;
  /** True if the reader cannot find where the next record begins. */
  readonly last: boolean;
}

/** What separates the fields of a record. */
export type CsvDelimiter = ',' | ';' | '\t';

export interface CsvLimits {
  /** Most bytes of one record; default 1 MiB. */
  readonly recordBytes?: number;
  /** Default: a comma. */
  readonly delimiter?: CsvDelimiter;
  /** The line on which the first record begins; default 1. */
  readonly firstLine?: number;
}

export const DELIMITER_NAMES: Readonly<Record<CsvDelimiter, string>> = {
  ',': 'comma',
  ';': 'semicolon',
  '\t': 'tab',
};

const DEFAULT_RECORD_BYTES = 1_048_576;

/**
 * Records in their order, the header's among them. After a faulty record, the reader continues if it can find where the
 * next record begins.
 */
export function* readCsv(
  chunks: Iterable<Uint8Array>,
  { recordBytes: maxBytes = DEFAULT_RECORD_BYTES, delimiter = ',', firstLine = 1 }: CsvLimits = {},
): Generator<CsvRecord | CsvFault> {
  for (const raw of splitRecords(chunks, { maxBytes, delimiter: delimiter.charCodeAt(0), firstLine })) {
    const item = parseRecord(raw, raw.line === firstLine, maxBytes, delimiter);
    yield item;
    if (item.kind === 'fault' && item.last) return;
  }
}

function parseRecord(
  { bytes, line, state, fieldAt }: RawRecord,
  isFirst: boolean,
  maxBytes: number,
  delimiter: CsvDelimiter,
): CsvRecord | CsvFault {
  if (state === 'too-long')
    return { kind: 'fault', line, column: 1, message: `this row is longer than ${maxBytes} bytes`, last: false };
  if (isFirst && startsWithByteOrderMark(bytes))
    return {
      kind: 'fault',
      line,
      column: 1,
      message: 'the text begins with a byte order mark (U+FEFF), which should not be there',
      hint: 'save it as UTF-8 without BOM',
      last: true,
    };
  if (state === 'quoted')
    return {
      kind: 'fault',
      ...placeIn(decoder.decode(bytes.subarray(0, fieldAt)), line),
      message:
        bytes.length === maxBytes
          ? `the quote that opens here is not closed within ${maxBytes} bytes`
          : 'the quote that opens here is never closed',
      hint: 'close it; a quote inside a quoted field is written twice',
      last: true,
    };
  const offset = utf8FaultAt(bytes);
  if (offset >= 0)
    return {
      kind: 'fault',
      ...placeIn(decoder.decode(bytes.subarray(0, offset)), line),
      message: 'the file should be UTF-8, but a byte here is not',
      hint: 'save it as UTF-8; Excel calls it "CSV UTF-8 (Comma delimited)"',
      last: false,
    };
  return readFields(decoder.decode(bytes).replace(/\r$/, ''), line, delimiter);
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Every quoted field of `text` has its closing quote: otherwise its record would not end. */
function readFields(text: string, line: number, delimiter: CsvDelimiter): CsvRecord | CsvFault {
  const fields: string[] = [];
  const starts: number[] = [];
  const placeAt = (at: number): CsvPlace => placeIn(text.slice(0, at), line);
  const fault = (at: number, message: string, hint: string): CsvFault => ({
    kind: 'fault',
    ...placeAt(at),
    message,
    hint,
    last: false,
  });
  for (let at = 0; ; at++) {
    const start = at;
    starts.push(start);
    if (text[start] === '"') {
      at = text.indexOf('"', start + 1);
      while (text[at + 1] === '"') at = text.indexOf('"', at + 2);
      fields.push(text.slice(start + 1, at).replaceAll('""', '"'));
      at++;
      if (at < text.length && text[at] !== delimiter) {
        const place = placeAt(start);
        const [next = ''] = text.slice(at);
        return fault(
          at,
          `behind the closing quote of the field that begins at line ${place.line}, column ${place.column}, a ` +
            `${DELIMITER_NAMES[delimiter]} or the end of the line should follow, but "${cleanText(next)}" does`,
          'a quote inside a quoted field is written twice',
        );
      }
    } else {
      const next = text.indexOf(delimiter, start);
      at = next < 0 ? text.length : next;
      const value = text.slice(start, at);
      if (value.includes('"'))
        return fault(
          start + value.indexOf('"'),
          'a quote is within a field that does not begin with one',
          'put the whole field in quotes, and write a quote inside it twice',
        );
      const stray = value.indexOf('\r');
      if (stray >= 0)
        return fault(start + stray, 'a carriage return here has no line feed after it', 'end lines with LF or CRLF');
      fields.push(value);
    }
    if (at === text.length) break;
  }
  return { kind: 'record', line, fields, placeOf: (field) => placeAt(starts[field] ?? 0) };
}

/** The place right after the text `before`, which begins on `line`. */
function placeIn(before: string, line: number): CsvPlace {
  const lineStart = before.lastIndexOf('\n') + 1;
  return {
    line: line + before.split('\n').length - 1,
    column: Array.from(before.slice(lineStart)).length + 1,
  };
}

const QUOTE = 0x22;
const LINE_FEED = 0x0a;

/** The position in a record: what the bytes so far make of the next one. */
type State = 'field-start' | 'plain' | 'quoted' | 'quote-in-quoted' | 'too-long';

interface RawRecord {
  /** Without its line feed; of a record that is too long, only parts. */
  readonly bytes: Uint8Array;
  /** From 1: where it begins. */
  readonly line: number;
  /** At its end. After `quoted`, nothing can be split into records. */
  readonly state: State;
  /** Offset in `bytes` of its last field. */
  readonly fieldAt: number;
}

interface SplitSettings {
  readonly maxBytes: number;
  /** Its byte. */
  readonly delimiter: number;
  readonly firstLine: number;
}

/**
 * Bytes of a CSV file → the bytes of its records, one at a time, however the file is cut into chunks.
 *
 * Delimiters, quotes and line ends are single bytes in UTF-8 and never part of another character, so records can be
 * separated before anything is decoded.
 *
 * After a record that is longer than `maxBytes`, the next one begins behind its line end. If a quote is open after
 * `maxBytes`, nobody knows where that is: this record is the last, and has its first `maxBytes`.
 */
function* splitRecords(
  chunks: Iterable<Uint8Array>,
  { maxBytes, delimiter, firstLine }: SplitSettings,
): Generator<RawRecord> {
  let kept: Uint8Array[] = [];
  let state: State = 'field-start';
  let line = firstLine;
  let nextLine = firstLine;
  let length = 0;
  let fieldAt = 0;
  const record = (last: Uint8Array): RawRecord => {
    // Most records are whole in one chunk, and a table has many records: a copy of each would take twice the time.
    const bytes = kept.length === 0 ? last : concatBytes(...kept, last);
    kept = [];
    return { bytes, line, state, fieldAt };
  };
  for (const chunk of chunks) {
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === LINE_FEED) nextLine++;
      if (byte === LINE_FEED && state !== 'quoted') {
        yield record(chunk.subarray(start, i));
        start = i + 1;
        line = nextLine;
        length = 0;
        state = 'field-start';
        continue;
      }
      if (state === 'too-long') continue;
      if (state === 'field-start') fieldAt = length;
      state = stateAfter(state, byte, delimiter);
      length++;
      if (length <= maxBytes) continue;
      if (state === 'quoted') {
        yield record(chunk.subarray(start, i));
        return;
      }
      state = 'too-long';
    }
    // The caller may use its chunk again.
    if (state !== 'too-long') kept.push(chunk.slice(start));
  }
  if (length > 0) yield record(new Uint8Array(0));
}

function stateAfter(state: State, byte: number | undefined, delimiter: number): State {
  if (state === 'quoted') return byte === QUOTE ? 'quote-in-quoted' : 'quoted';
  if (byte === delimiter) return 'field-start';
  // A doubled quote goes on; anything else behind a closing quote is a fault that the record's reader names.
  return byte === QUOTE && state !== 'plain' ? 'quoted' : 'plain';
}

/**
 * What makes a spreadsheet take a text for a formula: `=`, `+`, `-`, `@`, also in full width, at the beginning or
 * behind blanks, and a tab or carriage return at the beginning. Apostrophes before it count too, so that the one that
 * `csvRow` adds can be distinguished from those that were there.
 */
const FORMULA = /^'*(?:[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/u;

/**
 * One row with its line end. A text that a spreadsheet would run as a formula gets an apostrophe before it. Numbers
 * stay as they are.
 */
export function csvRow(fields: readonly (string | number)[]): string {
  return `${fields.map((field) => (typeof field === 'number' ? String(field) : safeField(field))).join(',')}\r\n`;
}

function safeField(field: string): string {
  const text = FORMULA.test(field) ? `'${field}` : field;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Before a table that a person opens in a spreadsheet: Excel takes a file without it for one in an old encoding. */
export const BYTE_ORDER_MARK = '\ufeff';

export function startsWithByteOrderMark(bytes: Uint8Array): boolean {
  return decoder.decode(bytes.subarray(0, 3)) === BYTE_ORDER_MARK;
}

/** The text of a cell without the apostrophe that `csvRow` put before what looks like a formula. */
export function withoutApostrophe(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}
