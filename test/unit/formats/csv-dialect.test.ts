/** Tables as Excel and others save them: what the first lines say of the rest. */
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../formats/bytes.ts';
import { readDialect } from '../../../formats/csv-dialect.ts';
import type { CsvDelimiter } from '../../../formats/csv.ts';

function read(file: string | Uint8Array, wanted?: CsvDelimiter): readonly [string, number, string] | string {
  const bytes = typeof file === 'string' ? utf8(file) : file;
  // Cut everywhere, so that no line is whole in one chunk.
  const chunks = Array.from(bytes, (_, i) => bytes.slice(i, i + 1));
  const dialect = readDialect(chunks, wanted);
  if ('kind' in dialect) return dialect.message;
  return [dialect.delimiter, dialect.firstLine, Buffer.concat([...dialect.chunks]).toString('utf8')];
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
  ])('%s', (_, file, expected) => {
    expect(read(file)).toEqual(expected);
  });

  it('takes the delimiter that a person names, and refuses one that the file contradicts', () => {
    expect(read('a;b,c\n', ';')).toEqual([';', 1, 'a;b,c\n']);
    expect(read('sep=;\na;b\n', ';')).toEqual([';', 2, 'a;b\n']);
    expect(read('sep=;\na;b\n', ',')).toContain('a semicolon separates the columns, but --delimiter says a comma');
    expect(read('sep=|\na|b\n')).toContain('"|" separates the columns');
  });

  it.each<[string, Uint8Array]>([
    ['little-endian', Buffer.from('\ufeffa,b\n', 'utf16le')],
    ['big-endian', Buffer.from('\ufeffa,b\n', 'utf16le').swap16()],
    ['without a byte order mark', Buffer.from('a,b\n', 'utf16le')],
  ])('names UTF-16 for what it is: %s', (_, file) => {
    expect(read(file)).toBe('the file should be UTF-8, but it is UTF-16');
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
