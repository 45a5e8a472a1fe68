/** A batch file, CSV or JSON lines → its requests, one row at a time, each with its faults and its places. */
import { readCsv, type CsvFault, type CsvRecord } from '../../formats/csv.ts';
import { VtlicError } from '../../formats/error.ts';
import { type JsonObject, parseStrictJson, readObject } from '../../formats/json/index.ts';
import { readRequest, REQUEST_SCHEMA } from '../request/parse.ts';
import type { Request } from '../request/request.ts';
import { readHeader, rowAsJson, type Column } from './csv-columns.ts';

/** The file of a batch, and what the officer says of it. */
export interface BatchSource {
  /** Absolute. */
  readonly file: string;
  readonly format: BatchFormat;
  /** SHA-256 of the file, hex. */
  readonly input: string;
  readonly name: string;
  readonly newCustomers: boolean;
}

export type BatchFormat = 'csv' | 'jsonl';

const RECORD_BYTES = 1 << 20;

export interface InputRow {
  readonly line: number;
  /** No row, but what is wrong with what must come before the first one. */
  readonly header?: true;
  /** The request, or everything that is wrong with the row. */
  readonly content: Request | readonly VtlicError[];
  /**
   * Where a member of the request is (`limits.vaults`, `features[2]`); the row's beginning for a missing one.
   */
  readonly placeOf: (field: string) => { readonly line: number; readonly column: number };
}

/** @throws VtlicError `usage` for a name that ends with neither */
export function formatOf(file: string): BatchFormat {
  const ending = file.toLowerCase();
  if (ending.endsWith('.csv')) return 'csv';
  if (ending.endsWith('.jsonl') || ending.endsWith('.ndjson')) return 'jsonl';
  throw new VtlicError('usage', 'a batch is a file that ends with .csv or .jsonl', { file });
}

export function readRows(format: BatchFormat, chunks: Iterable<Uint8Array>, file: string): Generator<InputRow> {
  return format === 'csv' ? csvRows(chunks, file) : jsonRows(chunks, file);
}

function faultOf(fault: CsvFault, file: string): VtlicError {
  return new VtlicError('request_invalid', fault.message, {
    file,
    line: fault.line,
    column: fault.column,
    ...(fault.hint === undefined ? {} : { hint: fault.hint }),
  });
}

function faulty(line: number, faults: readonly VtlicError[]): InputRow {
  return { line, content: faults, placeOf: () => ({ line, column: 1 }) };
}

function faultyHeader(line: number, faults: readonly VtlicError[]): InputRow {
  return { ...faulty(line, faults), header: true };
}

function* csvRows(chunks: Iterable<Uint8Array>, file: string): Generator<InputRow> {
  let columns: readonly Column[] | undefined;
  for (const record of readCsv(chunks, { recordBytes: RECORD_BYTES })) {
    if (record.kind === 'fault') {
      // Without a header no row can be read.
      if (columns === undefined) {
        yield faultyHeader(record.line, [faultOf(record, file)]);
        return;
      }
      yield faulty(record.line, [faultOf(record, file)]);
      continue;
    }
    if (columns === undefined) {
      const header = readHeader(record, file);
      if (isFaults(header)) {
        yield faultyHeader(record.line, header);
        return;
      }
      columns = header;
      continue;
    }
    yield csvRow(record, columns, file);
  }
  if (columns === undefined)
    yield faultyHeader(1, [
      new VtlicError('request_invalid', 'the file is empty: it should begin with a header that names the columns', {
        file,
        line: 1,
        column: 1,
      }),
    ]);
}

function isFaults(header: readonly Column[] | readonly VtlicError[]): header is readonly VtlicError[] {
  return header[0] instanceof VtlicError;
}

function csvRow(record: CsvRecord, columns: readonly Column[], file: string): InputRow {
  const { line } = record;
  if (record.fields.length !== columns.length) {
    const sentence =
      record.fields.length === 1 && record.fields[0] === ''
        ? 'this line is empty'
        : `this row has ${record.fields.length} fields, but the header has ${columns.length}`;
    return faulty(line, [new VtlicError('request_invalid', sentence, { file, line, column: 1 })]);
  }
  const placeOf: InputRow['placeOf'] = (field) => {
    const name = field.replace(/\[\d+\]$/, '');
    const index = columns.findIndex((column) => column.name === name || column.member === name);
    return record.placeOf(index < 0 ? columns.length : index);
  };
  const content = readRequest(readObject(rowAsJson(record, columns), { code: 'request_invalid', file }));
  // A missing member is reported at its own empty cell.
  return {
    line,
    content:
      'customer' in content
        ? content
        : content.map((fault) =>
            withPlace(fault, fault.place.field === undefined ? { line, column: 1 } : placeOf(fault.place.field)),
          ),
    placeOf,
  };
}

function withPlace(fault: VtlicError, place: { readonly line: number; readonly column: number }): VtlicError {
  return new VtlicError(fault.code, fault.message, {
    ...fault.place,
    ...place,
    ...(fault.hint === undefined ? {} : { hint: fault.hint }),
  });
}

function* jsonRows(chunks: Iterable<Uint8Array>, file: string): Generator<InputRow> {
  let line = 0;
  for (const bytes of splitLines(chunks)) {
    line++;
    yield jsonRow(bytes, line, file);
  }
  if (line === 0)
    yield faulty(1, [
      new VtlicError('request_invalid', 'the file is empty: it should have one request a line', {
        file,
        line: 1,
        column: 1,
      }),
    ]);
}

function jsonRow(bytes: Uint8Array, line: number, file: string): InputRow {
  const refuse = (fault: VtlicError): VtlicError =>
    withPlace(fault.at({ file }), { line, column: fault.place.column ?? 1 });
  try {
    if (bytes.length === 0) throw new VtlicError('request_invalid', 'this line is empty', { line: 1, column: 1 });
    const root = readObject(parseStrictJson(bytes, { bytes: RECORD_BYTES }), { code: 'request_invalid', file });
    const schema = root.member('schema');
    if (schema !== undefined && schema.string() !== REQUEST_SCHEMA) throw schema.fault(`should be "${REQUEST_SCHEMA}"`);
    const content = readRequest(root);
    return {
      line,
      content: 'customer' in content ? content : content.map(refuse),
      placeOf: (field) => ({ line, column: columnOf(root.node, field) }),
    };
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    return faulty(line, [refuse(error)]);
  }
}

function columnOf(root: JsonObject, field: string): number {
  const name = field.replace(/[.[].*$/s, '');
  return root.members.find((member) => member.name === name)?.value.column ?? root.column;
}

/**
 * Lines without their ends; the last one may lack its own. Cut at the limit plus one byte, so that a longer one is
 * refused as too large.
 */
function* splitLines(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  const LINE_FEED = 10;
  let kept: Uint8Array[] = [];
  let length = 0;
  const keep = (part: Uint8Array): void => {
    if (length <= RECORD_BYTES) kept.push(part.slice());
    length += part.length;
  };
  const line = (): Uint8Array => {
    const whole = Buffer.concat(kept);
    kept = [];
    length = 0;
    return new Uint8Array(whole.buffer, whole.byteOffset, whole.at(-1) === 13 ? whole.length - 1 : whole.length);
  };
  for (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      keep(chunk.subarray(start, end));
      yield line();
      start = end + 1;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
  }
  if (length > 0) yield line();
}
