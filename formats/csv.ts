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

const DEFAULT_RECORD_BYTES = 1 << 20;

/**
 * Records in their order, the header's among them. After a faulty record, the reader continues if it can find where the
 * next record begins.
 */
export function* readCsv(chunks: Iterable<Uint8Array>, limits: CsvLimits = {}): Generator<CsvRecord | CsvFault> {
  const maxBytes = limits.recordBytes ?? DEFAULT_RECORD_BYTES;
  const delimiter = limits.delimiter ?? ',';
  const firstLine = limits.firstLine ?? 1;
  let first = true;
  for (const raw of splitRecords(chunks, { maxBytes, delimiter: delimiter.charCodeAt(0), firstLine })) {
    if (first && raw.bytes[0] === 0xef && raw.bytes[1] === 0xbb && raw.bytes[2] === 0xbf) {
      yield {
        kind: 'fault',
        line: firstLine,
        column: 1,
        message: 'the text begins with a byte order mark (U+FEFF), which should not be there',
        hint: 'save it as UTF-8 without BOM',
        last: true,
      };
      return;
    }
    first = false;
    yield parseRecord(raw, maxBytes, delimiter);
  }
}

function parseRecord(raw: RawRecord, maxBytes: number, delimiter: CsvDelimiter): CsvRecord | CsvFault {
  const text = decode(raw);
  if (typeof text !== 'string') return text;
  if (raw.fault === 'open-quote') {
    const before = new TextDecoder('utf-8', { ignoreBOM: true }).decode(raw.bytes.subarray(0, raw.quoteAt));
    return {
      kind: 'fault',
      ...placeIn(before, raw.line),
      message:
        raw.bytes.length >= maxBytes
          ? `the quote that opens here is not closed within ${maxBytes} bytes`
          : 'the quote that opens here is never closed',
      hint: 'close it; a quote inside a quoted field is written twice',
      last: true,
    };
  }
  if (raw.fault === 'too-long')
    return {
      kind: 'fault',
      line: raw.line,
      column: 1,
      message: `this row is longer than ${maxBytes} bytes`,
      last: false,
    };
  return readFields(text.endsWith('\r') ? text.slice(0, -1) : text, raw.line, delimiter);
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(raw: RawRecord): string | CsvFault {
  // What is cut off may end within a character.
  if (raw.fault !== undefined) return '';
  try {
    return strict.decode(raw.bytes);
  } catch {
    const offset = Math.max(0, utf8FaultAt(raw.bytes));
    const before = new TextDecoder('utf-8', { ignoreBOM: true }).decode(raw.bytes.subarray(0, offset));
    return {
      kind: 'fault',
      ...placeIn(before, raw.line),
      message: 'the file should be UTF-8, but a byte here is not',
      hint: 'save it as UTF-8; Excel calls it "CSV UTF-8 (Comma delimited)"',
      last: false,
    };
  }
}

function readFields(text: string, line: number, delimiter: CsvDelimiter): CsvRecord | CsvFault {
  const fields: string[] = [];
  const starts: number[] = [];
  const fault = (at: number, message: string, hint?: string): CsvFault => ({
    kind: 'fault',
    ...placeIn(text.slice(0, at), line),
    message,
    ...(hint === undefined ? {} : { hint }),
    last: false,
  });
  for (let at = 0; ; at++) {
    starts.push(at);
    if (text[at] === '"') {
      let value = '';
      for (at++; ; at += 2) {
        const quote = text.indexOf('"', at);
        if (quote < 0) return fault(starts.at(-1) ?? 0, 'the quote that opens here is never closed');
        value += text.slice(at, quote);
        at = quote;
        if (text[at + 1] !== '"') break;
        value += '"';
      }
      at++;
      if (at < text.length && text[at] !== delimiter)
        return fault(
          at,
          `behind the closing quote of the field ${whereIn(text, starts.at(-1) ?? 0, line)} a ` +
            `${DELIMITER_NAMES[delimiter]} or the end of the line should follow, but ` +
            `"${cleanText(String.fromCodePoint(text.codePointAt(at) ?? 0))}" does`,
          'a quote inside a quoted field is written twice',
        );
      fields.push(value);
    } else {
      const next = text.indexOf(delimiter, at);
      const end = next < 0 ? text.length : next;
      const value = text.slice(at, end);
      const quote = value.indexOf('"');
      if (quote >= 0)
        return fault(
          at + quote,
          'a quote is within a field that does not begin with one',
          'put the whole field in quotes, and write a quote inside it twice',
        );
      const stray = value.indexOf('\r');
      if (stray >= 0)
        return fault(at + stray, 'a carriage return here has no line feed after it', 'end lines with LF or CRLF');
      fields.push(value);
      at = end;
    }
    if (at >= text.length) break;
  }
  return { kind: 'record', line, fields, placeOf: (field) => placeIn(text.slice(0, starts[field] ?? 0), line) };
}

function whereIn(text: string, at: number, line: number): string {
  const place = placeIn(text.slice(0, at), line);
  return `that begins at line ${place.line}, column ${place.column},`;
}

/** The place right after the text `before`, which begins on `line`. */
function placeIn(before: string, line: number): CsvPlace {
  const lineStart = before.lastIndexOf('\n') + 1;
  let lines = 0;
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) lines++;
  return { line: line + lines, column: Array.from(before.slice(lineStart)).length + 1 };
}

const QUOTE = 0x22;
const LINE_FEED = 0x0a;

interface RawRecord {
  /** Without its line feed. */
  readonly bytes: Uint8Array;
  /** From 1: where it begins. */
  readonly line: number;
  /**
   * `open-quote`: a quote was never closed; the place of the last one opened. Nothing after it can be split into
   * records.
   */
  readonly fault?: 'too-long' | 'open-quote';
  /** Offset in `bytes` of the last quote that opened a field. */
  readonly quoteAt: number;
}

interface SplitSettings {
  readonly maxBytes: number;
  /** Its byte. */
  readonly delimiter: number;
  readonly firstLine: number;
}

/** The position of a byte in a record. */
type State = 'field-start' | 'plain' | 'quoted' | 'quote-in-quoted';

/**
 * Bytes of a CSV file → the bytes of its records, one at a time, however the file is cut into chunks.
 *
 * Delimiters, quotes and line ends are single bytes in UTF-8 and never part of another character, so records can be
 * separated before anything is decoded.
 *
 * A record that is longer than `maxBytes` is cut there and given as `too-long`; the file goes on behind its line end,
 * unless a quote is open (`open-quote`).
 */
function* splitRecords(
  chunks: Iterable<Uint8Array>,
  { maxBytes, delimiter, firstLine }: SplitSettings,
): Generator<RawRecord> {
  let state: State = 'field-start';
  let kept: Uint8Array[] = [];
  let keptLength = 0;
  let line = firstLine;
  let linesInside = 0;
  let quoteAt = 0;
  let tooLong = false;
  const record = (last: Uint8Array, fault?: RawRecord['fault']): RawRecord => {
    const bytes = kept.length === 0 ? last : concatBytes(...kept, last);
    kept = [];
    keptLength = 0;
    return {
      bytes: bytes.length > maxBytes ? bytes.subarray(0, maxBytes) : bytes,
      line,
      quoteAt,
      ...(fault === undefined ? {} : { fault }),
    };
  };
  for (const chunk of chunks) {
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === LINE_FEED && state !== 'quoted') {
        yield record(chunk.subarray(start, i), tooLong ? 'too-long' : undefined);
        start = i + 1;
        line += linesInside + 1;
        linesInside = 0;
        tooLong = false;
        state = 'field-start';
        continue;
      }
      if (tooLong) continue;
      switch (state) {
        case 'field-start':
          if (byte === QUOTE) {
            state = 'quoted';
            quoteAt = keptLength + i - start;
          } else if (byte !== delimiter) state = 'plain';
          break;
        case 'plain':
          if (byte === delimiter) state = 'field-start';
          break;
        case 'quoted':
          if (byte === QUOTE) state = 'quote-in-quoted';
          else if (byte === LINE_FEED) linesInside++;
          break;
        case 'quote-in-quoted':
          // A doubled quote goes on; anything but a delimiter is a fault that the record's reader names.
          state = byte === QUOTE ? 'quoted' : byte === delimiter ? 'field-start' : 'plain';
          break;
      }
      if (keptLength + i - start >= maxBytes) {
        if (state === 'quoted') {
          yield record(chunk.subarray(start, i), 'open-quote');
          return;
        }
        // Quotes mean nothing until the line ends.
        tooLong = true;
        state = 'plain';
      }
    }
    if (!tooLong || keptLength <= maxBytes) {
      // The caller may use its chunk again.
      kept.push(chunk.slice(start));
      keptLength += chunk.length - start;
    }
  }
  if (state === 'quoted') yield record(new Uint8Array(0), 'open-quote');
  else if (keptLength > 0) yield record(new Uint8Array(0), tooLong ? 'too-long' : undefined);
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

/** The text of a cell without the apostrophe that `csvRow` put before what looks like a formula. */
export function withoutApostrophe(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}
