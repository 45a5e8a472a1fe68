import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../formats/bytes.ts';
import { type CsvFault, type CsvRecord, csvRow, readCsv } from '../../../formats/csv.ts';

function read(text: string | Uint8Array, recordBytes?: number): (CsvRecord | CsvFault)[] {
  return [...readCsv([typeof text === 'string' ? utf8(text) : text], recordBytes === undefined ? {} : { recordBytes })];
}

function rows(text: string): string[][] {
  return read(text).map((item) => {
    if (item.kind === 'fault') throw new Error(`${item.line}:${item.column} ${item.message}`);
    return [...item.fields];
  });
}

function faults(text: string | Uint8Array, recordBytes?: number): string[] {
  return read(text, recordBytes).flatMap((item) =>
    item.kind === 'fault' ? [`${item.line}:${item.column} ${item.message}`] : [],
  );
}

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
    [' a , b \n', [[' a ', ' b ']]],
  ])('%j', (text, expected) => {
    expect(rows(text)).toEqual(expected);
  });

  it('knows where each field begins, in code points and over lines', () => {
    const [, second] = read('h\n"x\ny",😀,"z"\n');
    if (second?.kind !== 'record') throw new Error('no record');
    expect([0, 1, 2, 9].map((i) => second.placeOf(i))).toEqual([
      { line: 2, column: 1 },
      { line: 3, column: 4 },
      { line: 3, column: 6 },
      { line: 2, column: 1 },
    ]);
  });

  it.each<[string, string]>([
    ['a,"b\nc,d\n', '1:3 the quote that opens here is never closed'],
    ['a\nb,"c\n', '2:3 the quote that opens here is never closed'],
    ['a"b\n', '1:2 a quote is within a field'],
    ['"a"b\n', '1:4 behind the closing quote of the field that begins at line 1, column 1,'],
    ['a\rb\n', '1:2 a carriage return'],
    ['\ufeffa\n', '1:1 the text begins with a byte order mark'],
  ])('%j is refused: %s', (text, words) => {
    const [first, ...rest] = faults(text);
    expect(first).toContain(words);
    expect(rest).toEqual([]);
  });

  it('goes on behind a fault that ends with its line', () => {
    expect(read('a"b\nc,d\n"e"f\ng\n').map(({ kind }) => kind)).toEqual(['fault', 'record', 'fault', 'record']);
  });

  it('names the byte that is not UTF-8', () => {
    expect(faults(Uint8Array.of(0x61, 0x0a, 0xc3, 0xa4, 0x2c, 0xe4, 0x0a))).toEqual([
      '2:3 the file should be UTF-8, but a byte here is not',
    ]);
  });

  it('refuses a field of a million characters, in or out of quotes, and reads on where it can', () => {
    const million = 'x'.repeat(1_000_000);
    expect(faults(`a\n${million},1\nb\n`, 65_536)).toEqual(['2:1 this row is longer than 65536 bytes']);
    expect(read(`a\n${million},"1\nb\n`, 65_536).map(({ kind }) => kind)).toEqual(['record', 'fault', 'record']);
    expect(faults(`a\n1,"${million}"\nb\n`, 65_536)).toEqual([
      '2:3 the quote that opens here is not closed within 65536 bytes',
    ]);
  });

  it('keeps no more of a long row than its limit', () => {
    const chunk = new Uint8Array(65_536).fill(0x78);
    const long = [
      ...readCsv(
        (function* (): Generator<Uint8Array> {
          for (let i = 0; i < 2000; i++) yield chunk;
        })(),
        { recordBytes: 1000 },
      ),
    ];
    expect(long).toMatchObject([{ kind: 'fault', line: 1 }]);
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

  it.each(['a=b', 'PO-1', "'x", '1-2', -5])('%j stays as it is', (text) => {
    expect(csvRow([text])).toBe(`${text}\r\n`);
  });
});
