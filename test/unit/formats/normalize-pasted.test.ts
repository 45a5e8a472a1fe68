import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armor, dearmor, LICENSE_LIMITS } from '../../../formats/armor.ts';
import { concatBytes, equalBytes, utf8 } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import { MAX_KEYSET_BYTES } from '../../../formats/keyset/keyset.ts';
import {
  MAX_PASTED_BYTES,
  normalizePasted,
  normalizePastedBlocks,
  type Repair,
} from '../../../formats/normalize-pasted.ts';
import { inWords, thrown } from '../../support/thrown.ts';

const BYTES = Uint8Array.from({ length: 500 }, (_, i) => (i * 7919) & 0xff);
const FILE = Buffer.from(armor('VTLIC', BYTES)).toString();
const [BEGIN = '', ...REST] = FILE.trimEnd().split('\n');
const BODY = REST.slice(0, -1);
const END = REST.at(-1) ?? '';

function repairsOf(text: string | Uint8Array): readonly Repair[] {
  const { file, repairs } = normalizePasted(typeof text === 'string' ? utf8(text) : text);
  expect(Buffer.from(file).toString()).toBe(FILE);
  return repairs;
}

function why(text: string | Uint8Array): string {
  return inWords(thrown(() => normalizePasted(typeof text === 'string' ? utf8(text) : text)));
}

function quotedPrintable(text: string): string {
  return text
    .replaceAll('=', '=3D')
    .split('\n')
    .map((line) => line.replaceAll(/.{50}(?=.)/g, (part) => `${part}=\n`))
    .join('\n');
}

function wrapped(width: number): string {
  const joined = BODY.join('');
  const lines = joined.match(new RegExp(`.{1,${width}}`, 'g')) ?? [];
  return [BEGIN, ...lines, END, ''].join('\n');
}

const utf16 = (text: string, bigEndian = false): Uint8Array => {
  const bytes = Buffer.from(text, 'utf16le');
  return new Uint8Array(bigEndian ? bytes.swap16() : bytes);
};
/** Bytes that are not text, before the file. */
const bytesThen = (...bytes: readonly number[]): Uint8Array => concatBytes(Uint8Array.from(bytes), utf8(`\n${FILE}`));
const html = (text: string): string =>
  `<html><body><p>Dear customer,</p><pre class="x">${text.replaceAll('\n', '<br>\n')}</pre></body></html>`;

describe('a license that was pasted', () => {
  const MANGLED: readonly (readonly [what: string, text: string | Uint8Array, repairs: readonly Repair[]])[] = [
    ['as it was sent', FILE, []],
    ['with blank lines around', `\n\n${FILE}\n`, []],
    ['with Windows line ends', FILE.replaceAll('\n', '\r\n'), ['line ends']],
    ['with line ends of an old Macintosh', FILE.replaceAll('\n', '\r'), ['line ends']],
    ['wrapped at 72', wrapped(72), ['lines']],
    ['wrapped at 40', wrapped(40), ['lines']],
    ['in one line', `${BEGIN} ${BODY.join(' ')} ${END}`, ['lines']],
    ['with an empty line after each line', FILE.replaceAll('\n', '\n\n'), ['lines']],
    ['indented', FILE.replaceAll(/^/gm, '    '), ['blanks']],
    ['with non-breaking blanks', FILE.replaceAll(/^/gm, '\u00a0'), ['blanks']],
    ['with zero-width blanks', FILE.replaceAll('A', 'A\u200b'), ['invisible characters']],
    ['with soft hyphens', FILE.replaceAll('B', '\u00adB'), ['invisible characters']],
    ['with a byte order mark', `\ufeff${FILE}`, ['byte order mark']],
    ['with two byte order marks', `\ufeff\ufeff${FILE}`, ['byte order mark', 'invisible characters']],
    ['behind the first byte of a mark of UTF-16', bytesThen(0xfe, 0x20), ['surrounding text']],
    ['behind the second byte of a mark of UTF-16', bytesThen(0x20, 0xff), ['surrounding text']],
    ['behind the first byte of the other mark', bytesThen(0xff, 0x20), ['surrounding text']],
    ['behind the second byte of the other mark', bytesThen(0x20, 0xfe), ['surrounding text']],
    ['behind the first byte of a mark of UTF-8', bytesThen(0xef, 0x20, 0x20), ['surrounding text']],
    ['behind the second byte of a mark of UTF-8', bytesThen(0x20, 0xbb, 0x20), ['surrounding text']],
    ['behind the last bytes of a mark of UTF-8', bytesThen(0x20, 0xbb, 0xbf), ['surrounding text']],
    ['behind all but the second byte of a mark of UTF-8', bytesThen(0xef, 0x20, 0xbf), ['surrounding text']],
    ['behind the first bytes of a mark of UTF-8', bytesThen(0xef, 0xbb, 0x20), ['surrounding text']],
    ['behind two zero bytes', bytesThen(0, 0), ['blanks']],
    ['quoted without blanks', FILE.replaceAll(/^/gm, '>'), ['quote marks']],
    ['quoted in a mail', FILE.replaceAll(/^/gm, '> '), ['quote marks']],
    ['quoted twice', FILE.replaceAll(/^/gm, '>> '), ['quote marks']],
    ['quoted twice with blanks', FILE.replaceAll(/^/gm, '> > '), ['quote marks']],
    ['with a letter around', `Dear Acme,\nhere it is:\n${FILE}\nRegards - the vendor\n`, ['surrounding text']],
    ['in quoted-printable without long lines', FILE.replaceAll('=', '=3D'), ['quoted-printable']],
    // The padding at the end of the last line looks like the end of a long line, too.
    ['in quoted-printable that only has long lines', FILE.replace(/^.{20}/gm, '$&=\n'), ['quoted-printable', 'lines']],
    [
      'in quoted-printable with long dashes',
      quotedPrintable(FILE).replaceAll('-----', '=E2=80=94-=E2=80=94'),
      ['quoted-printable', 'broken marks'],
    ],
    ['in quoted-printable', quotedPrintable(FILE), ['quoted-printable']],
    ['in HTML', html(FILE), ['html', 'surrounding text']],
    ['beside an address that looks like HTML', `A Vendor <sales@example.com>\n${FILE}`, ['surrounding text']],
    ['in HTML with decimal entities only', FILE.replaceAll('A', '&#65;'), ['html']],
    ['in HTML with hexadecimal entities only', FILE.replaceAll('A', '&#x41;'), ['html']],
    [
      'in HTML with entities that have leading zeros',
      FILE.replaceAll('A', '&#x000000041;&#00000000009;'),
      ['html', 'blanks'],
    ],
    ['in HTML with entities of one digit', FILE.replaceAll('A', 'A&#9;&#xA;'), ['html', 'lines']],
    ['in HTML with breaks in place of line ends', FILE.replaceAll('\n', '<br>'), ['html']],
    ['in HTML with tags of all lengths', FILE.replaceAll('A', `<b>A</b><wbr><span ${'x'.repeat(996)}>`), ['html']],
    ['in HTML with a long tag', FILE.replace(`${BODY[1]}\n`, `${BODY[1]}<br ${'x'.repeat(999)}>`), ['html']],
    ['in HTML with entities', FILE.replaceAll('+', '&#43;').replaceAll('/', '&#x2F;'), ['html']],
    [
      'in HTML with named entities',
      FILE.replaceAll('+', '&plus;').replaceAll('/', '&sol;').replaceAll('=', '&equals;').replaceAll('\n', '&NewLine;'),
      ['html'],
    ],
    ['quoted with bars', FILE.replaceAll(/^/gm, '| '), ['quote marks']],
    ['in UTF-16', utf16(`\ufeff${FILE}`), ['utf-16']],
    ['in UTF-16 without a mark', utf16(FILE), ['utf-16']],
    ['in UTF-16 behind a control character', utf16(`\u0001${FILE}`), ['utf-16', 'surrounding text']],
    ['in UTF-16, the other way round', utf16(`\ufeff${FILE}`, true), ['utf-16']],
    ['in UTF-16, the other way round without a mark', utf16(FILE, true), ['utf-16']],
    [
      'in UTF-16, the other way round, with long dashes',
      utf16(`\ufeff${FILE.replaceAll('-----', '\u2014\u2014-')}`, true),
      ['utf-16', 'broken marks'],
    ],
    ['in UTF-16 that ends within a character', Uint8Array.of(...utf16(FILE, true), 0), ['utf-16']],
    ['in base64 twice', Buffer.from(FILE).toString('base64'), ['base64 twice']],
    ['twice in one mail', `${FILE}\nOn Monday you wrote:\n${FILE}`, ['repeated block', 'surrounding text']],
    ['with long dashes', FILE.replaceAll('-----', '\u2014\u2014-'), ['broken marks']],
    ['with long dashes in the END line', FILE.replace('-----END', '\u2014\u2014-END'), ['broken marks']],
    ['with a broken BEGIN line', FILE.replace('BEGIN VTLIC', 'BEGIN\nVTLIC'), ['broken marks']],
    ['without its padding', FILE.replaceAll('=', ''), ['lines']],
  ];

  it.each(MANGLED)('%s is the file again, and says what it was', (_what, text, repairs) => {
    expect(repairsOf(text)).toEqual(repairs);
  });

  it.each(['AAAA', 'AAAA=', 'AAAA==', 'AAA', 'AAA=', 'AAA==', 'AA', 'AA=', 'AA=='])(
    'is the file again whatever padding its base64 has: %s',
    (base64) => {
      const { file } = normalizePasted(utf8(`${BEGIN}\n${base64}\n${END}`));
      expect(file).toEqual(armor('VTLIC', new Uint8Array(base64.replaceAll('=', '').length - 1)));
    },
  );

  it('is the file again where a file of one byte was put in base64 twice', () => {
    const file = armor('VTLIC', Uint8Array.of(1));
    expect(normalizePasted(utf8(Buffer.from(file).toString('base64')))).toEqual({ file, repairs: ['base64 twice'] });
  });

  it('is the file again however several of these come together', () => {
    const quote = (text: string): string => text.replaceAll(/^/gm, '> ');
    const lineEnds = (text: string): string => text.replaceAll('\n', '\r\n');
    const letter = (text: string): string => `Hello,\n\n${text}\nBye\n`;
    const indent = (text: string): string => text.replaceAll(/^/gm, '\u00a0 ');
    const steps = [quote, lineEnds, letter, indent, html, quotedPrintable];
    fc.assert(
      fc.property(fc.subarray(steps), fc.integer({ min: 4, max: 100 }), fc.boolean(), (chosen, width, isUtf16) => {
        const text = chosen.reduce((so, step) => step(so), wrapped(width));
        repairsOf(isUtf16 ? utf16(text) : text);
      }),
    );
  });

  it('a license of any bytes comes back as those bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 100 }), (bytes, width) => {
        const [first = '', ...rest] = Buffer.from(armor('VTLIC', bytes)).toString().trimEnd().split('\n');
        const body =
          rest
            .slice(0, -1)
            .join('')
            .match(new RegExp(`.{1,${width}}`, 'g')) ?? [];
        const text = [first, ...body, rest.at(-1), ''].join('\n');
        expect(dearmor('VTLIC', normalizePasted(utf8(text)).file)).toEqual(bytes);
      }),
    );
  });
});

describe('keysets that were pasted along', () => {
  const keyset = (fill: number): string =>
    Buffer.from(armor('VTLIC KEYSET', new Uint8Array(300).fill(fill))).toString();
  const [A, B] = [keyset(1), keyset(2)];
  const blocks = (text: string): { readonly file: string; readonly repairs: readonly Repair[] } => {
    const { file, repairs } = normalizePastedBlocks(utf8(text));
    return { file: Buffer.from(file).toString(), repairs };
  };

  it('come before the license, in their order, each once', () => {
    expect(blocks(`${A}${B}${FILE}`)).toEqual({ file: `${A}${B}${FILE}`, repairs: [] });
    expect(blocks(`${FILE}${B}\n${A}`)).toEqual({ file: `${B}${A}${FILE}`, repairs: [] });
    expect(blocks(`${A}${A}${FILE}`)).toEqual({ file: `${A}${FILE}`, repairs: ['repeated block'] });
    expect(blocks(FILE)).toEqual({ file: FILE, repairs: [] });
    expect(blocks(`${A}${B}`)).toEqual({ file: `${A}${B}`, repairs: [] });
  });

  it('are repaired as a license is', () => {
    const letter = `Hello,\n\n${`${A}${FILE}${B}`.replaceAll(/^/gm, '> ')}\nBye`;
    expect(blocks(letter)).toEqual({ file: `${A}${B}${FILE}`, repairs: ['quote marks', 'surrounding text'] });
    const brokenMarks = FILE.replaceAll('-----', '\u2014\u2014-');
    expect(blocks(`${A}${brokenMarks}`)).toEqual({ file: `${A}${FILE}`, repairs: ['broken marks'] });
    expect(blocks(`${A}${wrapped(40)}`)).toEqual({ file: `${A}${FILE}`, repairs: ['lines'] });
    expect(blocks(quotedPrintable(`${B}${FILE}`)).file).toBe(`${B}${FILE}`);
    expect(blocks(Buffer.from(`${B}${FILE}`).toString('base64')).file).toBe(`${B}${FILE}`);
  });

  it('do not hide two different licenses, nor a block that ends as another kind', () => {
    const other = Buffer.from(armor('VTLIC', BYTES.toReversed())).toString();
    const said = (text: string): string => inWords(thrown(() => normalizePastedBlocks(utf8(text))));
    expect(said(`${FILE}${A}${other}`)).toContain('two different blocks');
    expect(said(A.replace('END VTLIC KEYSET', 'END VTLIC'))).toContain('END line of another kind');
    expect(said(`${A}${FILE.slice(0, 300)}`)).toContain('a part of the block is missing');
    expect(said('nothing')).toContain('there is no line -----BEGIN VTLIC-----');
  });
});

it('keeps to the limits of licenses and keysets to the byte', () => {
  const license = armor('VTLIC', new Uint8Array(LICENSE_LIMITS.decodedBytes));
  expect(equalBytes(normalizePasted(license).file, license)).toBe(true);
  const keyset = armor('VTLIC KEYSET', new Uint8Array(MAX_KEYSET_BYTES));
  expect(equalBytes(normalizePastedBlocks(keyset).file, keyset)).toBe(true);
  const tooLarge = armor('VTLIC KEYSET', new Uint8Array(MAX_KEYSET_BYTES + 1));
  expect(inWords(thrown(() => normalizePastedBlocks(tooLarge)))).toMatch(/^too_large/);
});

describe('what cannot be mended', () => {
  const other = Buffer.from(armor('VTLIC', BYTES.toReversed())).toString();
  it.each([
    ['nothing', '', 'there is no line -----BEGIN VTLIC-----'],
    ['no block', 'Dear Acme, the file is attached.', 'there is no line -----BEGIN VTLIC-----'],
    ['two different blocks', `${FILE}\n${other}`, 'two different blocks'],
    ['a block without its end', FILE.slice(0, 300), 'it ends before the END line'],
    ['a block within another one', `${BEGIN}\n${BODY[0]}\n${FILE}`, 'begins within another one'],
    ['a character that is not base64', FILE.replace(BODY[2] ?? '', `${BODY[2]}\u00e4`), 'not base64'],
    ['a lost character', FILE.replace(BODY[1] ?? '', (BODY[1] ?? '').slice(1)), 'some of it is missing'],
    ['too much padding', `${BEGIN}\nAAAA===\n${END}`, 'some of it is missing'],
    ['padding in the middle', `${BEGIN}\nAA=A\n${END}`, 'some of it is missing'],
    ['a tag of HTML that is too long', FILE.replace('A', `A<span ${'x'.repeat(997)}>`), 'not base64'],
    ['a break of HTML that is too long', FILE.replace('A', `A<br ${'x'.repeat(1000)}>`), 'not base64'],
    ['an entity without a number', FILE.replace('A', '<br>&#;'), 'not base64'],
    ['an entity beyond Unicode', FILE.replace('A', '&#1114112;'), 'not base64'],
    ['an entity that HTML does not have', FILE.replace('A', '&licence;'), 'not base64'],
    ['an empty block', `${BEGIN}\n${END}\n`, 'some of it is missing'],
    ['a block of another kind', Buffer.from(armor('VTLIC KEYSET', BYTES)).toString(), 'there is no line'],
    ['random bytes', Uint8Array.from({ length: 999 }, (_, i) => (i * 31) & 0xff), 'there is no line'],
  ])('%s is refused', (_what, text, words) => {
    expect(why(text)).toContain(words);
  });

  it('is anything too large, before it is looked at', () => {
    expect(MAX_PASTED_BYTES).toBe(786_432);
    expect(repairsOf(FILE.padEnd(MAX_PASTED_BYTES))).toEqual([]);
    expect(why(new Uint8Array(MAX_PASTED_BYTES + 1))).toMatch(/^too_large/);
    expect(why(`${BEGIN}\n${'A'.repeat(80_000)}\n${END}`)).toMatch(/^too_large/);
  });

  it('never throws anything but an error of ours', () => {
    const piece = fc.oneof(
      fc.constantFrom(BEGIN, END, '=3D', '<br', '&#', '> ', '\u0000', '\u2014', BODY[0] ?? ''),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        try {
          normalizePasted(utf8(pieces.join('\n')));
        } catch (error) {
          expect(error).toBeInstanceOf(VtlicError);
        }
      }),
    );
  });
});

describe('a text that is made to take long', () => {
  it.each([
    ['dashes', '-'],
    ['quote marks and blanks', '> '],
    ['blanks', ' '],
    ['openings of tags', '<a '],
    ['equals signs', '= '],
    ['BEGIN lines', '-----BEGIN '],
    ['entities', '&#1'],
    ['words of marks', 'BEGIN VTLIC'],
  ])('a text of %s is judged in proportion to its length', (_what, unit) => {
    // Milliseconds of this thread: other processes on the machine do not count.
    const time = (bytes: number): number => {
      const text = utf8(unit.repeat(Math.floor(bytes / unit.length)));
      const start = process.threadCpuUsage();
      expect(() => normalizePasted(text)).toThrow(VtlicError);
      const { user, system } = process.threadCpuUsage(start);
      return (user + system) / 1000;
    };
    time(MAX_PASTED_BYTES / 8);
    const [short, long] = [time(MAX_PASTED_BYTES / 8), time(MAX_PASTED_BYTES)];
    // Eight times the text takes eight times as long; quadratic would be 64 times.
    expect(long).toBeLessThan(30 * Math.max(short, 20));
  });

  it('so many small keysets take a time in proportion to their number', () => {
    const many = (count: number): Uint8Array =>
      utf8(
        Array.from({ length: count }, (_, i) => Buffer.from(armor('VTLIC KEYSET', Uint8Array.of(i, i >> 8)))).join(''),
      );
    const time = (text: Uint8Array): number => {
      const start = process.cpuUsage();
      expect(normalizePastedBlocks(text).file.length).toBeGreaterThan(1000);
      const { user, system } = process.cpuUsage(start);
      return (user + system) / 1000;
    };
    time(many(2000));
    const [short, long] = [time(many(2000)), time(many(8000))];
    // Four times as many take four times as long; quadratic would be 16 times.
    expect(long).toBeLessThan(12 * Math.max(short, 150));
  });
});
