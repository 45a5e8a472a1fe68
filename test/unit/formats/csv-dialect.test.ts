/** Tables as Excel and others save them: what the first lines say of the rest. */
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../formats/bytes.ts';
import { readDialect } from '../../../formats/csv-dialect.ts';
import type { CsvDelimiter } from '../../../formats/csv.ts';

function read(file: string | Uint8Array, wanted?: CsvDelimiter): readonly [string, number, string] | string {
  const bytes = typeof file === 'string' ? utf8(file) : file;
  const resultOf = (chunks: readonly Uint8Array[]): readonly [string, number, string] | string => {
    const dialect = readDialect(chunks, wanted);
    if ('kind' in dialect) return dialect.message;
    return [dialect.delimiter, dialect.firstLine, Buffer.concat([...dialect.chunks]).toString('utf8')];
  };
  const result = resultOf([bytes]);
  // Cut everywhere, so that no line is whole in one chunk.
  expect(resultOf(Array.from(bytes, (_, i) => bytes.slice(i, i + 1)))).toEqual(result);
  return result;
}

describe('the dialect of a table', () => {
  it.each<[string, string, readonly [string, number, string]]>([
    ['commas', 'a,b\n1,2\n', [',', 1, 'a,b\n1,2\n']],
    ['a byte order mark before commas', '\ufeffa,b\n', [',', 1, 'a,b\n']],
    ['semicolons', 'a;b\n1,5;2\n', [';', 1, 'a;b\n1,5;2\n']],
    ['tabs', 'a\tb;c\n', [';', 1, 'a\tb;c\n']],
    ['tabs alone', 'a\tb\n', ['\t', 1, 'a\tb\n']],
    ['a delimiter within quotes', '"a,b";c\n', [';', 1, '"a,b";c\n']],
    ['a line sep=;', 'sep=;\r\na;b\r\n', [';', 2, 'a;b\r\n']],
    ['a line sep= with a tab, behind a byte order mark', '\ufeffsep=\t\na\tb', ['\t', 2, 'a\tb']],
    ['a line sep= in quotes and capitals', '"SEP=;"\na;b\n', [';', 2, 'a;b\n']],
    ['a line sep= and nothing behind it', 'sep=;', [';', 2, '']],
    ['nothing', '', [',', 1, '']],
    ['one column', 'a\n', [',', 1, 'a\n']],
    ['an empty first line', '\na;b\n', [',', 1, '\na;b\n']],
    ['an empty line behind sep=', 'sep=;\n\na;b\n', [';', 2, '\na;b\n']],
    ['a name that ends as the line sep= does', 'x;sep=,\n', [',', 1, 'x;sep=,\n']],
    ['a carriage return within the first line', 'a\rb;c\n', [';', 1, 'a\rb;c\n']],
    ['a quoted delimiter behind a quoted name', '"a";"b,c"\n', [';', 1, '"a";"b,c"\n']],
    ['a first character near the byte order mark', '\ufefea;b\n', [';', 1, '\ufefea;b\n']],
  ])('%s', (_, file, expected) => {
    expect(read(file)).toEqual(expected);
  });

  it('takes the delimiter that a person names, and refuses one that the file contradicts', () => {
    expect(read('a;b,c\n', ';')).toEqual([';', 1, 'a;b,c\n']);
    expect(read('sep=;\na;b\n', ';')).toEqual([';', 2, 'a;b\n']);
    const refused = { kind: 'fault', line: 1, column: 1, last: true };
    expect(readDialect([utf8('sep=;\na;b\n')], ',')).toStrictEqual({
      ...refused,
      message: 'the first line says that a semicolon separates the columns, but --delimiter says a comma',
      hint: 'leave --delimiter out',
    });
    for (const [said, shown] of [
      ['|', '|'],
      [';;', ';;'],
      ['', ''],
      ['\r;', '\\u{000D};'],
    ])
      expect(readDialect([utf8(`sep=${said}\na|b\n`)])).toStrictEqual({
        ...refused,
        message: `the first line says that "${shown}" separates the columns, and only a comma, a semicolon or a tab can do that`,
        hint: 'save the table with one of these',
      });
  });

  it.each<[string, Uint8Array]>([
    ['little-endian', Buffer.from('\ufeffa,b\n', 'utf16le')],
    ['big-endian', Buffer.from('\ufeffa,b\n', 'utf16le').swap16()],
    ['without a byte order mark', Buffer.from('a,b\n', 'utf16le')],
    ['big-endian, without a byte order mark', Buffer.from('a,b\n', 'utf16le').swap16()],
  ])('names UTF-16 for what it is: %s', (_, file) => {
    expect(read(file)).toBe('the file should be UTF-8, but it is UTF-16');
  });

  it.each(['ff61', 'fe61', '61ff', '61fe', '0000', '0161', '6101', '61'])(
    'says of the bytes %s not that they are UTF-16',
    (hex) => {
      expect(read(Buffer.from(hex, 'hex'))).toEqual([',', 1, Buffer.from(hex, 'hex').toString('utf8')]);
    },
  );

  it('reads no more than a mebibyte of a first line, and gives all of it on', () => {
    const mebibyte = new Uint8Array(1_048_576).fill(0x61);
    let given = 0;
    function* file(first: Uint8Array): Generator<Uint8Array, void, void> {
      for (const chunk of [first, utf8('b'), utf8('c'), utf8('d;\n')]) {
        given++;
        yield chunk;
      }
    }
    const firsts = [utf8('a;\n'), mebibyte.subarray(1), mebibyte, Buffer.concat([mebibyte, utf8('a')])];
    const chunksRead = firsts.map((first) => {
      given = 0;
      const dialect = readDialect(file(first));
      if ('kind' in dialect) throw new Error(dialect.message);
      const before = given;
      expect(Buffer.concat([...dialect.chunks])).toHaveLength(first.length + 5);
      return [before, dialect.delimiter];
    });
    expect(chunksRead).toEqual([
      [1, ';'],
      [3, ','],
      [2, ','],
      [1, ','],
    ]);
  });

  it('closes the file whose reading ends early', () => {
    let closed = 0;
    function* file(text: string): Generator<Uint8Array, void, void> {
      try {
        yield utf8(text);
        yield utf8('more\n');
      } finally {
        closed++;
      }
    }
    readDialect(file('sep=|\n'));
    expect(closed).toBe(1);
    const dialect = readDialect(file('a,b\n'));
    if ('kind' in dialect) throw new Error(dialect.message);
    for (const _ of dialect.chunks) break;
    expect(closed).toBe(2);
  });
});
