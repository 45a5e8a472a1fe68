/** A batch file, CSV or JSON lines → its requests, one row at a time, each with its faults and its places. */
import { readDialect } from '../../formats/csv-dialect.ts';
import { readCsv, type CsvDelimiter, type CsvFault, type CsvRecord } from '../../formats/csv.ts';
import { VtlicError } from '../../formats/error.ts';
import { type JsonObject, parseStrictJson, readObject } from '../../formats/json/index.ts';
import { readRequest, REQUEST_SCHEMA } from '../request/parse.ts';
import type { Request } from '../request/request.ts';
import { isOtherDay, readHeader, rowAsJson, type Column, type DateOrder } from './csv-columns.ts';

/** The file of a batch, and what the officer says of it. */
export interface BatchSource {
  /** Absolute. */
  readonly file: string;
  readonly format: BatchFormat;
  readonly dialect?: TableDialect;
  /** SHA-256 of the file, hex. */
  readonly input: string;
  readonly name: string;
  readonly newCustomers: boolean;
}

/** How a table is written, as far as the person says it. */
export interface TableDialect {
  /** What separates the columns; left out: what the file says. */
  readonly delimiter?: CsvDelimiter;
  /** How days are written besides `2027-11-25`. */
  readonly dates?: DateOrder;
}

export type BatchFormat = 'csv' | 'jsonl';

const RECORD_BYTES = 1 << 20;

export interface InputRow {
  readonly line: number;
  /** Not a row: a fault of what must come before the first row. */
  readonly header?: true;
  /** The request, or everything that is wrong with the row. */
  readonly content: Request | readonly VtlicError[];
  /**
   * The place of a member of the request (`limits.vaults`, `features[2]`), or the row's beginning if it is missing.
   */
  readonly placeOf: (field: string) => { readonly line: number; readonly column: number };
}

/** @throws VtlicError `usage` for a name that ends with neither */
export function formatOf(file: string): BatchFormat {
  const ending = file.toLowerCase();
  if (ending.endsWith('.csv') || ending.endsWith('.tsv')) return 'csv';
  if (ending.endsWith('.jsonl') || ending.endsWith('.ndjson')) return 'jsonl';
  throw new VtlicError('usage', 'a batch is a file that ends with .csv, .tsv or .jsonl', {
    file,
    hint: 'see: vtlic batch --template',
  });
}

export function readRows(
  format: BatchFormat,
  chunks: Iterable<Uint8Array>,
  file: string,
  dialect: TableDialect = {},
): Generator<InputRow> {
  return format === 'csv' ? csvRows(chunks, file, dialect) : jsonRows(chunks, file);
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

function* csvRows(chunks: Iterable<Uint8Array>, file: string, said: TableDialect): Generator<InputRow> {
  const dialect = readDialect(chunks, said.delimiter);
  if ('kind' in dialect) {
    yield faultyHeader(dialect.line, [faultOf(dialect, file)]);
    return;
  }
  const { delimiter, firstLine } = dialect;
  let columns: readonly Column[] | undefined;
  const empty = new EmptyRows(file);
  for (const record of readCsv(dialect.chunks, { recordBytes: RECORD_BYTES, delimiter, firstLine })) {
    if (record.kind === 'fault') {
      // Without a header no row can be read.
      if (columns === undefined) {
        yield faultyHeader(record.line, [faultOf(record, file)]);
        return;
      }
      yield* empty.before();
      yield faulty(record.line, [faultOf(record, file)]);
      continue;
    }
    if (columns === undefined) {
      const header = readHeader(record, file, delimiter);
      if (isFaults(header)) {
        yield faultyHeader(record.line, header);
        return;
      }
      columns = header;
      continue;
    }
    if (record.fields.every((field) => field === '')) {
      empty.take(record.line);
      continue;
    }
    yield* empty.before();
    yield csvRow(record, columns, file, said.dates);
  }
  if (columns === undefined)
    yield faultyHeader(1, [
      new VtlicError('request_invalid', 'the file is empty: it should begin with a header that names the columns', {
        file,
        line: 1,
        column: 1,
        hint: 'see: vtlic batch --template',
      }),
    ]);
}

/** Rows without a value. A spreadsheet leaves them at the end of a file, where they mean nothing. */
class EmptyRows {
  readonly #file: string;
  #first = 0;
  #count = 0;

  constructor(file: string) {
    this.#file = file;
  }

  take(line: number): void {
    if (this.#count++ === 0) this.#first = line;
  }

  /** Called with a row that has values: one fault for the empty rows right before it. */
  *before(): Generator<InputRow, void, void> {
    if (this.#count === 0) return;
    const [line, count] = [this.#first, this.#count];
    this.#count = 0;
    yield faulty(line, [
      new VtlicError(
        'request_invalid',
        count === 1 ? 'this row is empty' : `this row and the next ${count - 1} are empty`,
        {
          file: this.#file,
          line,
          column: 1,
          hint: 'take empty rows out; only those at the end of the file are ignored',
        },
      ),
    ]);
  }
}

function isFaults(header: readonly Column[] | readonly VtlicError[]): header is readonly VtlicError[] {
  return header[0] instanceof VtlicError;
}

function csvRow(record: CsvRecord, columns: readonly Column[], file: string, dates: DateOrder | undefined): InputRow {
  const { line } = record;
  // A spreadsheet also writes the empty cells to the right of the table.
  if (record.fields.slice(columns.length).some((field) => field !== '') || record.fields.length < columns.length) {
    return faulty(line, [
      new VtlicError(
        'request_invalid',
        `this row has ${record.fields.length} fields, but the header has ${columns.length}`,
        { file, line, column: 1, hint: 'put a value that contains the separator in quotes' },
      ),
    ]);
  }
  const indexOf = (field: string): number => {
    const name = field.replace(/\[\d+\]$/, '');
    return columns.findIndex((column) => column.name === name || column.member === name);
  };
  const placeOf: InputRow['placeOf'] = (field) => {
    const index = indexOf(field);
    return record.placeOf(index < 0 ? columns.length : index);
  };
  const content = readRequest(readObject(rowAsJson(record, columns, dates), { code: 'request_invalid', file }));
  if ('customer' in content) return { line, content, placeOf };
  // A missing member is reported at its own empty cell.
  const faults = content.map((fault) => {
    const { field } = fault.place;
    if (field === undefined) return withPlace(fault, { line, column: 1 });
    const otherDay = isOtherDay(field, record.fields[indexOf(field)] ?? '');
    return withPlace(otherDay ? withHint(fault, DATES_HINT) : fault, placeOf(field));
  });
  return { line, content: faults, placeOf };
}

const DATES_HINT =
  'if a spreadsheet wrote it, say how it writes days: --dates dmy (day, month, year), mdy (month, day, year) or ymd';

function withHint(fault: VtlicError, hint: string): VtlicError {
  return new VtlicError(fault.code, fault.message, { ...fault.place, hint });
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
