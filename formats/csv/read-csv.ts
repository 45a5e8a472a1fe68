/**
 * CSV (RFC 4180), strictly: comma, double quotes, CRLF or LF. What the RFC leaves open or a program would guess is a
 * fault with its line and column: a quote inside an unquoted field, text behind a closing quote, a quote never closed,
 * a byte order mark.
 */
import { cleanText } from '../clean-text.ts';
import { utf8FaultAt } from '../json/index.ts';
import { splitRecords, type RawRecord } from './split-records.ts';

export interface CsvPlace {
  readonly line: number;
  /** In code points, from 1. */
  readonly column: number;
}

export interface CsvRecord {
  readonly kind: 'record';
  /** The line on which it begins, from 1. */
  readonly line: number;
  /** The values, quotes taken away. */
  readonly fields: readonly string[];
  /** Where a field begins; of one that is not there, where the record begins. */
  readonly placeOf: (field: number) => CsvPlace;
}

export interface CsvFault extends CsvPlace {
  readonly kind: 'fault';
  readonly message: string;
  readonly hint?: string;
  /** True where nothing behind it can be told apart. */
  readonly last: boolean;
}

export interface CsvLimits {
  /** Most bytes of one record; default 1 MiB. */
  readonly recordBytes?: number;
}

const DEFAULT_RECORD_BYTES = 1 << 20;

/**
 * Records in their order, the header's among them. The record after a faulty one is read, as far as it can be told
 * where it begins.
 */
export function* readCsv(chunks: Iterable<Uint8Array>, limits: CsvLimits = {}): Generator<CsvRecord | CsvFault> {
  const most = limits.recordBytes ?? DEFAULT_RECORD_BYTES;
  let first = true;
  for (const raw of splitRecords(chunks, most)) {
    if (first && raw.bytes[0] === 0xef && raw.bytes[1] === 0xbb && raw.bytes[2] === 0xbf) {
      yield {
        kind: 'fault',
        line: 1,
        column: 1,
        message: 'the file begins with a byte order mark (U+FEFF), which should not be there',
        hint: "save it as UTF-8 without BOM, or take it away with: sed -i '1s/^\\xEF\\xBB\\xBF//' FILE",
        last: true,
      };
      return;
    }
    first = false;
    yield parseRecord(raw, most);
  }
}

function parseRecord(raw: RawRecord, most: number): CsvRecord | CsvFault {
  const text = decode(raw);
  if (typeof text !== 'string') return text;
  if (raw.fault === 'open-quote') {
    const before = new TextDecoder('utf-8', { ignoreBOM: true }).decode(raw.bytes.subarray(0, raw.quoteAt));
    return {
      kind: 'fault',
      ...placeIn(before, raw.line),
      message:
        raw.bytes.length >= most
          ? `the quote that opens here is not closed within ${most} bytes`
          : 'the quote that opens here is never closed',
      hint: 'close it; a quote inside a quoted field is written twice',
      last: true,
    };
  }
  if (raw.fault === 'too-long')
    return { kind: 'fault', line: raw.line, column: 1, message: `this row is longer than ${most} bytes`, last: false };
  return readFields(text.endsWith('\r') ? text.slice(0, -1) : text, raw.line);
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
      hint: 'save it as UTF-8',
      last: false,
    };
  }
}

function readFields(text: string, line: number): CsvRecord | CsvFault {
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
      if (at < text.length && text[at] !== ',')
        return fault(
          at,
          `behind the closing quote of the field ${whereIn(text, starts.at(-1) ?? 0, line)} a comma or the end of the line should stand, but "${cleanText(String.fromCodePoint(text.codePointAt(at) ?? 0))}" does`,
          'a quote inside a quoted field is written twice',
        );
      fields.push(value);
    } else {
      const comma = text.indexOf(',', at);
      const end = comma < 0 ? text.length : comma;
      const value = text.slice(at, end);
      const quote = value.indexOf('"');
      if (quote >= 0)
        return fault(
          at + quote,
          'a quote stands within a field that does not begin with one',
          'put the whole field in quotes, and write a quote inside it twice',
        );
      const stray = value.indexOf('\r');
      if (stray >= 0)
        return fault(at + stray, 'a carriage return stands here without a line feed', 'end lines with LF or CRLF');
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

/** The place behind `before`, which begins on `line`. */
function placeIn(before: string, line: number): CsvPlace {
  const lineStart = before.lastIndexOf('\n') + 1;
  let lines = 0;
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) lines++;
  return { line: line + lines, column: Array.from(before.slice(lineStart)).length + 1 };
}
