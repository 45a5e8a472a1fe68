import { describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../../../formats/bytes.ts';
import {
  type CsvFault,
  type CsvLimits,
  type CsvRecord,
  csvRow,
  readCsv,
  withoutApostrophe,
} from '../../../formats/csv.ts';

type Item = CsvRecord | CsvFault;

/** Reads the table whole and cut into single bytes, in an order that may not matter. */
function read(table: string | Uint8Array, limits?: CsvLimits): readonly Item[] {
  const bytes = typeof table === 'string' ? utf8(table) : table;
  const items = [...readCsv([bytes], limits)];
  const shared = new Uint8Array(1);
  function* single(): Generator<Uint8Array> {
    for (const byte of bytes) {
      shared.fill(byte);
      yield shared;
    }
  }
  expect(JSON.stringify([...readCsv(single(), limits)])).toBe(JSON.stringify(items));
  return items;
}

function rows(text: string, limits?: CsvLimits): string[][] {
  return read(text, limits).map((item) => {
    if (item.kind === 'fault') throw new Error(`${item.line}:${item.column} ${item.message}`);
    return [...item.fields];
  });
}

const faultsOf = (items: readonly Item[]): readonly CsvFault[] => items.filter((item) => item.kind === 'fault');
const inWords = (items: readonly Item[]): readonly string[] =>
  items.map((item) =>
    item.kind === 'fault' ? `${item.line}:${item.column} ${item.message}` : `${item.line} ${item.fields.join('|')}`,
  );

describe('CSV', () => {
  it.each<[string, string[][]]>([
    [
      'a,b\n1,2\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a,b\r\n1,2\r\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a,b\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    ['a\n\nb\n', [['a'], [''], ['b']]],
    ['', []],
    [',\n', [['', '']]],
    ['"a,b","c ""d"" e","two\r\nlines",""\n', [['a,b', 'c "d" e', 'two\r\nlines', '']]],
    ['a,\n', [['a', '']]],
    ['"a"\r\n', [['a']]],
    ['ä,😀\n', [['ä', '😀']]],
    ['"a""",""""\n', [['a"', '"']]],
    [' a , b \n', [[' a ', ' b ']]],
  ])('%j', (text, expected) => {
    expect(rows(text)).toEqual(expected);
  });

  it('reads another delimiter, and then a comma is part of a field', () => {
    expect(rows('a,b;"c;d"\n', { delimiter: ';' })).toEqual([['a,b', 'c;d']]);
    expect(rows('1,5\t2\n', { delimiter: '\t' })).toEqual([['1,5', '2']]);
  });

  it('counts the lines of a table that begins further down in its file', () => {
    expect(read('a\n"b\nc"\nd\n', { firstLine: 2 }).map(({ line }) => line)).toEqual([2, 3, 5]);
  });

  it('knows where each field begins, in code points and over lines', () => {
    const [first, second] = read('h,i\n"x\ny\n",😀,"z"\n');
    if (first?.kind !== 'record' || second?.kind !== 'record') throw new Error('no record');
    expect([0, 1].map((i) => first.placeOf(i))).toEqual([
      { line: 1, column: 1 },
      { line: 1, column: 3 },
    ]);
    expect([0, 1, 2, 9].map((i) => second.placeOf(i))).toEqual([
      { line: 2, column: 1 },
      { line: 4, column: 3 },
      { line: 4, column: 5 },
      { line: 2, column: 1 },
    ]);
  });

  const WRITE_TWICE = 'a quote inside a quoted field is written twice';
  const CLOSE_IT = `close it; ${WRITE_TWICE}`;
  const OPEN = 'the quote that opens here is never closed';
  const behind = (column: number, delimiter: string, found: string): string =>
    `behind the closing quote of the field that begins at line 1, column ${column}, a ${delimiter} or the end of the ` +
    `line should follow, but "${found}" does`;
  const STRAY = 'a carriage return here has no line feed after it';
  const WITHIN = 'a quote is within a field that does not begin with one';
  const QUOTE_ALL = 'put the whole field in quotes, and write a quote inside it twice';

  it.each<[string, number, number, string, string, boolean?]>([
    ['a,"b\nc,d\n', 1, 3, OPEN, CLOSE_IT, true],
    ['"b\nc,d\n', 1, 1, OPEN, CLOSE_IT, true],
    ['"a",é,"b""\nc,d\n', 1, 7, OPEN, CLOSE_IT, true],
    ['a"b\n', 1, 2, WITHIN, QUOTE_ALL],
    ['é, "b"\n', 1, 4, WITHIN, QUOTE_ALL],
    ['"a"b\n', 1, 4, behind(1, 'comma', 'b'), WRITE_TWICE],
    ['x,"a"😀\n', 1, 6, behind(3, 'comma', '😀'), WRITE_TWICE],
    ['"a"\u001b', 1, 4, behind(1, 'comma', '\\u{001B}'), WRITE_TWICE],
    ['"a""b"\r\r\n', 1, 7, behind(1, 'comma', '\\u{000D}'), WRITE_TWICE],
    ['a\rb\n', 1, 2, STRAY, 'end lines with LF or CRLF'],
    ['a,\rb\n', 1, 3, STRAY, 'end lines with LF or CRLF'],
    [
      '\ufeffa\n',
      1,
      1,
      'the text begins with a byte order mark (U+FEFF), which should not be there',
      'save it as UTF-8 without BOM',
      true,
    ],
  ])('%j is refused, with the place and what to do', (text, line, column, message, hint, last = false) => {
    expect(read(text)).toStrictEqual([{ kind: 'fault', line, column, message, hint, last }]);
  });

  it('takes a byte order mark at the beginning of the file only, which the fault names as the end', () => {
    expect(inWords(read('a\n\ufeffb\n'))).toEqual(['1 a', '2 \ufeffb']);
    expect(inWords(read('\uf8ffa\n\ufffda\n'))).toEqual(['1 \uf8ffa', '2 \ufffda']);
    expect(read('\ufeffa\nb\n')).toHaveLength(1);
  });

  it('goes on behind a fault that ends with its line', () => {
    expect(inWords(read('a"b\nc,d\n"e"f\ng\n'))).toEqual([
      `1:2 ${WITHIN}`,
      '2 c|d',
      '3:4 behind the closing quote of the field that begins at line 3, column 1, a comma or the end of the line ' +
        'should follow, but "f" does',
      '4 g',
    ]);
  });

  it('names the byte that is not UTF-8, and goes on behind its line', () => {
    const table = Uint8Array.of(0x61, 0x0a, 0xc3, 0xa4, 0x2c, 0xe4, 0x0a, 0x62);
    expect(read(table).slice(1)).toMatchObject([
      {
        kind: 'fault',
        line: 2,
        column: 3,
        message: 'the file should be UTF-8, but a byte here is not',
        hint: 'save it as UTF-8; Excel calls it "CSV UTF-8 (Comma delimited)"',
        last: false,
      },
      { kind: 'record', line: 3, fields: ['b'] },
    ]);
    expect(inWords(read(concatBytes(Uint8Array.of(0xff), utf8('a\nb'))))).toEqual([
      '1:1 the file should be UTF-8, but a byte here is not',
      '2 b',
    ]);
    expect(inWords(read(concatBytes(utf8('ab,'), Uint8Array.of(0xe4))))).toEqual([
      '1:4 the file should be UTF-8, but a byte here is not',
    ]);
  });

  const TOO_LONG = { kind: 'fault', column: 1, message: 'this row is longer than 8 bytes', last: false };

  it('reads a row of as many bytes as the limit, and refuses one more', () => {
    expect(inWords(read('1234,678\n"23456"\n1234567\r\n12345678', { recordBytes: 8 }))).toEqual([
      '1 1234|678',
      '2 23456',
      '3 1234567',
      '4 12345678',
    ]);
    const table = '1234,6789\n"2345678"""\nb\n1,"\n45"89"\n"bc"\n123456789';
    expect(read(table, { recordBytes: 8 })).toMatchObject([
      { ...TOO_LONG, line: 1 },
      { ...TOO_LONG, line: 2 },
      { kind: 'record', line: 3, fields: ['b'] },
      { ...TOO_LONG, line: 4 },
      { kind: 'record', line: 6, fields: ['bc'] },
      { ...TOO_LONG, line: 7 },
    ]);
  });

  it('takes a million bytes for a row, and somewhat more, if nobody gives a limit', () => {
    const lengthOf = (length: number): string | undefined =>
      [...readCsv([utf8('x'.repeat(length))])].map(({ kind }) => kind)[0];
    expect([1_048_576, 1_048_577].map(lengthOf)).toEqual(['record', 'fault']);
  });

  it('ends where a quote is open at the limit, since nobody knows where the row ends', () => {
    const within = 'the quote that opens here is not closed within 8 bytes';
    const fault = { kind: 'fault', line: 2, column: 3, message: within, hint: CLOSE_IT, last: true };
    for (const table of ['a\n1,"456789"\nb\n', 'a\n1,"4567\n9\nb\n', 'a\n1,"45678'])
      expect(faultsOf(read(table, { recordBytes: 8 }))).toStrictEqual([fault]);
    expect(faultsOf(read('a\n1,"4567', { recordBytes: 8 }))).toStrictEqual([{ ...fault, message: OPEN }]);
    expect(inWords(read('1,"45678"\nb\n', { recordBytes: 8 }))).toEqual(['1:1 this row is longer than 8 bytes', '2 b']);
    expect(inWords(read('123456789,"\nb\n', { recordBytes: 8 }))).toEqual([
      '1:1 this row is longer than 8 bytes',
      '2 b',
    ]);
  });

  it.each([
    ['a row that never ends', 0x78, 60],
    ['a quote that is never closed', 0x22, 1],
  ])('keeps no more of %s than its limit', (_, byte, chunksRead) => {
    const first = new Uint8Array(65_536).fill(0x78);
    first[0] = byte;
    const rest = new Uint8Array(65_536).fill(0x78);
    const before = process.memoryUsage().arrayBuffers;
    let given = 0;
    function* file(): Generator<Uint8Array> {
      while (given < 60) yield given++ === 0 ? first : rest;
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2_000_000);
    }
    expect([...readCsv(file(), { recordBytes: 1000 })]).toHaveLength(1);
    expect(given).toBe(chunksRead);
  });
});

describe('a CSV row for a spreadsheet', () => {
  it('quotes what must be quoted', () => {
    expect(csvRow(['a', 'b,c', 'd "e"', 'f\ng', '', 7])).toBe('a,"b,c","d ""e""","f\ng",,7\r\n');
  });

  it.each(['=cmd()', '+1', '-1', '@x', '\t=1', '\r=1', ' =1', '＝1', '\n=1', '\u00a0=1'])(
    '%j is not a formula',
    (text) => {
      const [row] = rows(csvRow([text]));
      expect(row).toEqual([`'${text}`]);
    },
  );

  it.each(["'=1", "''\t", "' +1"])('%j, which begins with an apostrophe already, gets one more', (text) => {
    expect(rows(csvRow([text]))).toEqual([[`'${text}`]]);
    expect(withoutApostrophe(`'${text}`)).toBe(text);
  });

  it.each([
    ["'=1", '=1'],
    ["'\t", '\t'],
    ["'x'", "'x'"],
    ['=1', '=1'],
    ["=1'", "=1'"],
    ['x', 'x'],
  ])('the cell %j was the text %j before', (cell, text) => {
    expect(withoutApostrophe(cell)).toBe(text);
  });

  it.each(['a=b', 'PO-1', "'x", '1-2', -5])('%j stays as it is', (text) => {
    expect(csvRow([text])).toBe(`${text}\r\n`);
  });
});
