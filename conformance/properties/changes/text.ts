/** Changes of the text of a file (section 3 of docs/format.md). */
import fc from 'fast-check';
import { concatBytes, utf8 } from '../../../formats/bytes.ts';
import { Pairs } from '../../model/walk.ts';
import { coseBytes } from '../draft.ts';
import { each, free, one, type Changes } from './change.ts';

const text = (edit: (file: string) => string) => (bytes: Uint8Array) =>
  Uint8Array.from(Buffer.from(edit(Buffer.from(bytes).toString('latin1')), 'latin1'));

type Edit = (file: string) => string;
const END = '-----END VTLIC-----';
const lines = (file: string, edit: (lines: string[]) => string[]): string => edit(file.split('\n')).join('\n');
/** With the base64 in other lines. */
const brokenAt = (file: string, line: RegExp): string =>
  lines(file, ([begin = '', ...rest]) => [begin, ...(rest.slice(0, -2).join('').match(line) ?? []), END, '']);

/** A blank in the sense of the format, and what other libraries also take for one. */
const VALID: readonly (readonly [string, Edit])[] = [
  ['blanks around the block', (file) => `\n \t\r\n${file} \n\t`],
  ['CR LF line ends', (file) => file.replaceAll('\n', '\r\n')],
  ['no last line end', (file) => file.trimEnd()],
  ['one line with CR LF', (file) => file.replace('\n', '\r\n')],
];

const BROKEN: readonly (readonly [string, Edit])[] = [
  ['text before the block', (file) => `License of Acme:\n${file}`],
  ['text behind the block', (file) => `${file}Kind regards\n`],
  ['a byte behind the END line', (file) => `${file.trimEnd()}x\n`],
  ['two blocks', (file) => file + file],
  ['a UTF-8 byte order mark', (file) => `\xef\xbb\xbf${file}`],
  ['a vertical tab before the block', (file) => `\x0b${file}`],
  ['a form feed behind the block', (file) => `${file}\x0c`],
  ['a no-break space before the block', (file) => `\xc2\xa0${file}`],
  ['a NUL behind the block', (file) => `${file}\0`],
  ['a lone CR as line end', (file) => file.replace('\n', '\r')],
  [
    'a lone CR between lines of base64',
    (file) => lines(file, ([a = '', b = '', ...rest]) => [a, `${b}\r${rest[0] ?? ''}`, ...rest.slice(1)]),
  ],
  ['a blank behind BEGIN', (file) => file.replace('-----\n', '----- \n')],
  ['a blank before END', (file) => file.replace(`\n${END}`, `\n ${END}`)],
  ['a blank behind a line of base64', (file) => lines(file, ([a = '', b = '', ...rest]) => [a, `${b} `, ...rest])],
  ['a blank before a line of base64', (file) => lines(file, ([a = '', b = '', ...rest]) => [a, ` ${b}`, ...rest])],
  ['an empty line behind BEGIN', (file) => file.replace('\n', '\n\n')],
  ['an empty line before END', (file) => file.replace(`\n${END}`, `\n\n${END}`)],
  ['a header line', (file) => file.replace('\n', '\nComment: yes\n\n')],
  ['all base64 in one line', (file) => lines(file, (all) => [all[0] ?? '', all.slice(1, -2).join(''), END, ''])],
  ['lines of 76 characters', (file) => brokenAt(file, /.{1,76}/g)],
  ['lines of 60 characters', (file) => brokenAt(file, /.{1,60}/g)],
  ['no base64', () => `-----BEGIN VTLIC-----\n${END}\n`],
  ['an empty file', () => ''],
  ['no END line', (file) => file.replace(`${END}\n`, '')],
  ['no BEGIN line', (file) => file.replace('-----BEGIN VTLIC-----\n', '')],
  ['a BEGIN line in lower case', (file) => file.replace('BEGIN', 'begin')],
  ['the label of a keyset', (file) => file.replaceAll('VTLIC', 'VTLIC KEYSET')],
  ['another label in the END line', (file) => file.replace(END, '-----END LICENSE-----')],
  [
    'the binary without armor',
    (file) => Buffer.from(file.split('\n').slice(1, -2).join(''), 'base64').toString('latin1'),
  ],
  ['base64url', (file) => lines(file, ([a = '', b = '', ...rest]) => [a, `-_${b.slice(2)}`, ...rest])],
  [
    'a character that is not base64',
    (file) => lines(file, ([a = '', b = '', ...rest]) => [a, `*${b.slice(1)}`, ...rest]),
  ],
  [
    'padding within the base64',
    (file) => lines(file, ([a = '', b = '', ...rest]) => [a, `${b.slice(0, 62)}==`, ...rest]),
  ],
];

const padded = (file: string, edit: (last: string) => string): string =>
  lines(file, (all) => all.map((line, i) => (i === all.length - 3 ? edit(line) : line)));

const PADDING: readonly (readonly [string, Edit])[] = [
  ['without its padding', (file) => padded(file, (last) => last.replace(/=+$/, ''))],
  ['with one character of padding too many', (file) => padded(file, (last) => `${last}=`)],
  [
    'with unused bits that are not zero',
    (file) =>
      padded(file, (last) =>
        last.replace(/([A-Za-z0-9+/])(=+)$/, (_all, c: string, end: string) => `${NEXT.get(c) ?? c}${end}`),
      ),
  ],
];
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const NEXT = new Map(Array.from(ALPHABET, (c, i) => [c, ALPHABET[i + 1] ?? c]));

export const TEXT_CHANGES: readonly Changes[] = [
  each('a text with other blanks', VALID, (draft, edit) => draft.textEdits.push(text(edit))),
  each('an armor with a fault', BROKEN, (draft, edit) => draft.textEdits.push(text(edit))),
  each('base64 that ends', PADDING, (draft, edit) => {
    for (let length = 1; coseBytes(draft) % 3 === 0 || length === 1; length++)
      draft.claims.set('ref', 'x'.repeat(length));
    draft.textEdits.push(text(edit));
  }),
  each(
    'a file of a size at the bound',
    [
      ['98,304 bytes', 98_304],
      ['98,305 bytes', 98_305],
      ['200,000 bytes', 200_000],
    ],
    (draft, size) =>
      draft.textEdits.push((file) => concatBytes(file, new Uint8Array(Math.max(0, size - file.length)).fill(0x20))),
  ),
  one('a file of 98,304 bytes, of which the last are text', (draft) =>
    draft.textEdits.push((file) => concatBytes(file, new Uint8Array(Math.max(0, 98_304 - file.length)).fill(0x78))),
  ),
  each(
    'decoded bytes of a size at the bound',
    [
      ['49,152', 49_152],
      ['49,153', 49_153],
    ],
    (draft, size) => {
      const fill = (length: number): void => void draft.claims.set('ext', new Pairs([['a', new Uint8Array(length)]]));
      fill(40_000);
      fill(40_000 + size - coseBytes(draft));
    },
  ),
  free(
    fc.record({ at: fc.nat({ max: 600 }), bit: fc.nat({ max: 7 }) }).map(({ at, bit }) => ({
      name: 'one bit of the file',
      words: `one other bit in the file (bit ${bit} of byte ${at})`,
      apply: (draft) =>
        draft.textEdits.push((file) => {
          const out = Uint8Array.from(file);
          const i = at % Math.max(1, out.length);
          out[i] = (out[i] ?? 0) ^ (1 << bit);
          return out;
        }),
    })),
  ),
  one('no license, but a sentence', (draft) => draft.textEdits.push(() => utf8('this is no license\n'))),
];
