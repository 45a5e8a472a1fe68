/** Genuine licenses with a fault in the armor or the size, and no other. */
import { armor } from '../../formats/armor.ts';
import { concatBytes, fromHex, utf8 } from '../../formats/bytes.ts';
import { compositeLicense, ed25519License } from '../examples/example-licenses.ts';
import { payloadOf } from '../examples/minimal-payload.ts';
import { hex } from '../examples/small-example.ts';
import { licenseFile, verifyCases, type VerifyRow } from './verify-cases.ts';
import type { CaseFolder } from './case.ts';

const MAX_FILE_BYTES = 98_304;
const MAX_DECODED_BYTES = 49_152;

const A = ed25519License.file;
const BEGIN = '-----BEGIN VTLIC-----';
const END = '-----END VTLIC-----';
const BODY = A.slice(BEGIN.length + 1, A.indexOf(END) - 1);
const BASE64 = BODY.replaceAll('\n', '');

const wrapped = (text: string, width: number): string =>
  (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).join('\n');
const block = (body: string): string => `${BEGIN}\n${body}\n${END}\n`;
const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** A license whose bytes leave a rest of 1 or 2 when they are divided by 3. */
function unevenLicense(rest: 1 | 2): string {
  for (const name of ['a', 'ab', 'abc']) {
    const file = new TextDecoder().decode(licenseFile(payloadOf([{ key: hex('name'), value: hex(name) }])));
    const padding = file.match(/=*(?=\n-----END)/)?.[0].length ?? 0;
    if (padding === 3 - rest) return file;
  }
  throw new Error('no license has such a rest');
}
const ONE_PAD = unevenLicense(2);
const TWO_PADS = unevenLicense(1);

/** The last character before the padding with its lowest bit set, which no decoder needs. */
const withUnusedBit = (file: string): string =>
  file.replace(/([A-Za-z0-9+/])(=+\n-----END)/, (_, last: string, rest: string) => `${nextCharacter(last)}${rest}`);
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const nextCharacter = (character: string): string => ALPHABET[ALPHABET.indexOf(character) + 1] ?? '';

/** A license of exactly this many bytes behind the armor: `ext` takes what is missing. */
export function licenseOfSize(bytes: number): Uint8Array {
  let filling = bytes - 400;
  for (let i = 0; i < 4; i++) {
    const ext = new Map([['fill', new Uint8Array(filling)]]);
    const file = licenseFile(payloadOf([{ key: hex('ext'), value: hex(ext) }]));
    const found = decodedLength(file);
    if (found === bytes) return file;
    filling += bytes - found;
  }
  throw new Error(`no license has ${bytes} bytes`);
}

function decodedLength(file: Uint8Array): number {
  const body = new TextDecoder().decode(file).split('\n').slice(1, -2).join('');
  return Buffer.from(body, 'base64').length;
}

/** Base64 of the same bytes with padding at the end of its first line. */
function paddedWithin(): string {
  const bytes = Buffer.from(BASE64, 'base64');
  const first = bytes.subarray(0, 46).toString('base64');
  return block(`${first}\n${wrapped(bytes.subarray(46).toString('base64'), 64)}`);
}

type Row = readonly [id: string, title: string, file: string | Uint8Array];

const REFUSED: readonly Row[] = [
  ['armor-bom', 'a byte order mark before a genuine license', `\ufeff${A}`],
  ['armor-vertical-tab', 'a vertical tab before a genuine license', `\u000b${A}`],
  ['armor-form-feed', 'a form feed after a genuine license', `${A}\f`],
  ['armor-unit-separator', 'a unit separator after a genuine license', `${A}\u001f`],
  ['armor-nul', 'a NUL after a genuine license', `${A}\0`],
  ['armor-next-line', 'U+0085 after a genuine license', `${A}\u0085`],
  ['armor-no-break-space', 'U+00A0 before a genuine license', `\u00a0${A}`],
  ['armor-line-separator', 'U+2028 after a genuine license', `${A}\u2028`],
  ['armor-ideographic-space', 'U+3000 before a genuine license', `\u3000${A}`],
  ['armor-zero-width-space', 'U+200B after a genuine license', `${A}\u200b`],
  ['armor-byte-85', 'the byte 85 after a genuine license', latin1(`${A}\x85`)],
  ['armor-byte-a0', 'the byte a0 before a genuine license', latin1(`\xa0${A}`)],
  ['armor-text-before', 'a line of text before a genuine license', `License:\n${A}`],
  ['armor-text-after', 'a line of text after a genuine license', `${A}Regards\n`],
  ['armor-text-behind-end', 'text behind the hyphens of END', A.replace(/\n$/, ' x\n')],
  ['armor-two-blocks', 'the same genuine license twice', `${A}${A}`],
  ['armor-two-licenses', 'two genuine licenses in one file', `${A}${compositeLicense.file}`],
  ['armor-label', 'a genuine license with the label LICENSE', A.replaceAll('VTLIC', 'LICENSE')],
  ['armor-label-keyset', 'a genuine license with the label of keysets', A.replaceAll('VTLIC', 'VTLIC KEYSET')],
  ['armor-label-begin', 'another label in BEGIN, and END is right', A.replace(BEGIN, '-----BEGIN LICENSE-----')],
  ['armor-label-end', 'another label in END, and BEGIN is right', A.replace(END, '-----END LICENSE-----')],
  [
    'armor-lower-case',
    'BEGIN and END in lower case',
    A.replace(BEGIN, BEGIN.toLowerCase()).replace(END, END.toLowerCase()),
  ],
  ['armor-begin-blank', 'a blank behind BEGIN of a genuine license', A.replace(BEGIN, `${BEGIN} `)],
  ['armor-end-blank-before', 'a blank before END of a genuine license', A.replace(END, ` ${END}`)],
  [
    'armor-blank-in-line',
    'a blank within a line of a genuine license',
    A.replace(BODY.slice(10, 20), (part) => `${part} `),
  ],
  [
    'armor-blank-ends-line',
    'a blank at the end of a line of a genuine license',
    A.replace('\n', '\n').replace(BODY.slice(0, 64), (line) => `${line} `),
  ],
  [
    'armor-tab-begins-line',
    'a tab at the beginning of a line of a genuine license',
    A.replace(BODY.slice(65, 100), (line) => `\t${line}`),
  ],
  ['armor-empty-line-first', 'an empty line behind BEGIN of a genuine license', A.replace(BEGIN, `${BEGIN}\n`)],
  [
    'armor-empty-line-within',
    'an empty line within a genuine license',
    A.replace(BODY.slice(0, 64), (line) => `${line}\n`),
  ],
  ['armor-empty-line-last', 'an empty line before END of a genuine license', A.replace(END, `\n${END}`)],
  ['armor-header', 'a header line in a genuine license', A.replace(BEGIN, `${BEGIN}\nVersion: 1\n`)],
  ['armor-lone-cr', 'lone CR for each line end of a genuine license', A.replaceAll('\n', '\r')],
  [
    'armor-lone-cr-within',
    'one lone CR within a genuine license',
    A.replace(BODY.slice(0, 65), (line) => line.replace('\n', '\r')),
  ],
  ['armor-lines-63', 'lines of 63 characters', block(wrapped(BASE64, 63))],
  ['armor-lines-60', 'lines of 60 characters', block(wrapped(BASE64, 60))],
  ['armor-lines-68', 'lines of 68 characters', block(wrapped(BASE64, 68))],
  ['armor-lines-76', 'lines of 76 characters, as MIME has them', block(wrapped(BASE64, 76))],
  ['armor-one-line', 'all base64 on one line', block(BASE64)],
  [
    'armor-short-line',
    'one line of 60 characters among lines of 64',
    block(`${BASE64.slice(0, 60)}\n${wrapped(BASE64.slice(60), 64)}`),
  ],
  ['armor-no-end', 'a genuine license without END', A.slice(0, A.indexOf(END))],
  [
    'armor-no-padding-1',
    'base64 of a genuine license without its one "="',
    ONE_PAD.replace('=\n-----END', '\n-----END'),
  ],
  [
    'armor-no-padding-2',
    'base64 of a genuine license without its two "="',
    TWO_PADS.replace('==\n-----END', '\n-----END'),
  ],
  [
    'armor-half-padding',
    'base64 of a genuine license with one of its two "="',
    TWO_PADS.replace('==\n-----END', '=\n-----END'),
  ],
  ['armor-padding-within', 'padding at the end of the first line of a genuine license', paddedWithin()],
  ['armor-unused-bits-2', 'an unused bit that is not zero, before one "="', withUnusedBit(ONE_PAD)],
  ['armor-unused-bits-4', 'an unused bit that is not zero, before two "="', withUnusedBit(TWO_PADS)],
  ['armor-base64url', 'a genuine license in base64url', block(BODY.replaceAll('+', '-').replaceAll('/', '_'))],
];

const ACCEPTED: readonly Row[] = [
  ['armor-crlf', 'a genuine license with CRLF line ends', A.replaceAll('\n', '\r\n')],
  ['armor-mixed-line-ends', 'a genuine license with mixed line ends', A.replace('\n', '\r\n')],
  ['armor-no-last-line-end', 'a genuine license without its last line end', A.trimEnd()],
  ['armor-blanks-around', 'tabs, spaces, CR and LF around a genuine license', ` \t\r\n\n${A}\t \r\n \r`],
  ['armor-blank-behind-end', 'a space behind the hyphens of END', `${A.trimEnd()} `],
  ['armor-lone-cr-around', 'lone CR before and after a genuine license, where they are blanks', `\r\r${A.trimEnd()}\r`],
  ['armor-one-pad', 'a genuine license whose base64 ends with one "="', ONE_PAD],
  ['armor-two-pads', 'a genuine license whose base64 ends with two "="', TWO_PADS],
];

const bytesOf = (file: string | Uint8Array): Uint8Array => (typeof file === 'string' ? utf8(file) : file);

function sizeRows(): readonly VerifyRow[] {
  const small = utf8(A);
  const largest = licenseOfSize(MAX_DECODED_BYTES);
  const pad = (bytes: number): VerifyRow['pad'] => ({ byte: 0x20, count: bytes - small.length });
  const clause = ['3.2'];
  return [
    {
      id: 'size-file-largest',
      title: 'a genuine license in a file of 98,304 bytes, most of them blanks',
      clause,
      file: small,
      pad: pad(MAX_FILE_BYTES),
      expected: 'active',
    },
    {
      id: 'size-file',
      title: 'a genuine license in a file of 98,305 bytes, most of them blanks',
      clause,
      file: small,
      pad: pad(MAX_FILE_BYTES + 1),
      expected: 'too_large',
    },
    {
      id: 'size-file-text',
      title: 'a genuine license and text behind it, in a file of 98,304 bytes: the armor is at fault, not a size',
      clause,
      file: small,
      pad: { byte: 0x78, count: MAX_FILE_BYTES - small.length },
      expected: 'armor_malformed',
    },
    {
      id: 'size-decoded-largest',
      title: 'a genuine license of 49,152 bytes',
      clause,
      file: largest,
      expected: 'active',
    },
    {
      id: 'size-decoded',
      title: 'a genuine license of 49,153 bytes',
      clause,
      file: licenseOfSize(MAX_DECODED_BYTES + 1),
      expected: 'too_large',
    },
    {
      id: 'size-decoded-smallest',
      title: 'a block around one byte',
      clause: ['3.1', '3.2'],
      file: armor('VTLIC', fromHex('d2') ?? new Uint8Array()),
      expected: 'cbor_malformed',
      scored: 'verdict',
    },
    {
      id: 'size-armor-first',
      title: 'text behind a block of 49,153 bytes: the armor is judged as a whole, then the size',
      clause,
      file: concatBytes(licenseOfSize(MAX_DECODED_BYTES + 1), utf8('x')),
      expected: 'armor_malformed',
      scored: 'verdict',
    },
  ];
}

export function armorCases(): readonly CaseFolder[] {
  const clause = ['3.1'];
  return verifyCases([
    ...REFUSED.map(([id, title, file]): VerifyRow => ({
      id,
      title,
      clause,
      file: bytesOf(file),
      expected: 'armor_malformed',
    })),
    ...ACCEPTED.map(([id, title, file]): VerifyRow => ({ id, title, clause, file: bytesOf(file), expected: 'active' })),
    ...sizeRows(),
  ]);
}
