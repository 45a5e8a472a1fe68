/** Armor and size: Appendix B.1 of docs/format.md. */
import { toHex, utf8 } from '../../formats/bytes.ts';
import type { Input, Row } from './small-example.ts';

const BEGIN = '-----BEGIN VTLIC-----';
const END = '-----END VTLIC-----';
const block = (...lines: readonly string[]): string => [BEGIN, ...lines, END, ''].join('\n');
const text = (value: string): Input => ({ kind: 'text', text: value });

/** The armor of the one byte 80, an empty array: what follows the armor says `cose_malformed`. */
const GOOD = block('gA==');

export const FILE_ROWS: readonly Row[] = [
  ['file-plain', text(GOOD), 'a whole block, around the byte `80`', 'cose_malformed'],
  ['file-crlf', text(GOOD.replaceAll('\n', '\r\n')), 'CRLF line ends', 'cose_malformed'],
  ['file-mixed-ends', text(`${BEGIN}\r\ngA==\n${END}`), 'mixed line ends, none at the end', 'cose_malformed'],
  [
    'file-blanks-around',
    text(` \t\r\n${BEGIN}\ngA==\n${END} \r\t\n\n`),
    'blank space before and after',
    'cose_malformed',
  ],
  ['file-too-large', { kind: 'fill', of: 'file', byte: 0x20, count: 98_305 }, '98,305 bytes `20`', 'too_large'],
  ['file-blank', { kind: 'fill', of: 'file', byte: 0x20, count: 98_304 }, '98,304 bytes `20`', 'armor_malformed'],
  [
    'file-decoded-too-large',
    { kind: 'fill', of: 'decoded', byte: 0, count: 49_153 },
    'a block around 49,153 bytes `00`',
    'too_large',
  ],
  [
    'file-decoded-largest',
    { kind: 'fill', of: 'decoded', byte: 0, count: 49_152 },
    'a block around 49,152 bytes `00`',
    'cbor_malformed',
  ],
  ['file-empty', text(''), 'nothing', 'armor_malformed'],
  ['file-bom', text(`\ufeff${GOOD}`), 'a byte order mark', 'armor_malformed'],
  ['file-vertical-tab', text(`\u000b${GOOD}`), 'a vertical tab before', 'armor_malformed'],
  ['file-form-feed', text(`${GOOD}\f`), 'a form feed after', 'armor_malformed'],
  ['file-unit-separator', text(`${GOOD}\u001f`), 'a unit separator after', 'armor_malformed'],
  ['file-nul', text(`${GOOD}\u0000`), 'a NUL after', 'armor_malformed'],
  ['file-next-line', text(`${GOOD}\u0085`), 'U+0085 after', 'armor_malformed'],
  ['file-no-break-space', text(`\u00a0${GOOD}`), 'U+00A0 before', 'armor_malformed'],
  [
    'file-byte-85',
    { kind: 'bytes', hex: `${toHex(utf8(GOOD))}85` },
    'the byte `85` after, which is U+0085 in ISO 8859-1',
    'armor_malformed',
  ],
  [
    'file-byte-a0',
    { kind: 'bytes', hex: `a0${toHex(utf8(GOOD))}` },
    'the byte `a0` before, which is U+00A0 in ISO 8859-1',
    'armor_malformed',
  ],
  ['file-text-before', text(`Hello\n${GOOD}`), 'text before', 'armor_malformed'],
  ['file-text-after', text(`${GOOD}Bye`), 'text after', 'armor_malformed'],
  ['file-two-blocks', text(`${GOOD}${GOOD}`), 'two blocks', 'armor_malformed'],
  ['file-other-label', text(GOOD.replaceAll('VTLIC', 'LICENSE')), 'another label', 'armor_malformed'],
  [
    'file-other-end',
    text(GOOD.replace('END VTLIC', 'END VTLIC KEYSET')),
    'another label at the end',
    'armor_malformed',
  ],
  ['file-begin-blank', text(GOOD.replace(BEGIN, `${BEGIN} `)), 'a blank behind the BEGIN line', 'armor_malformed'],
  ['file-no-end', text(`${BEGIN}\ngA==\n`), 'no END line', 'armor_malformed'],
  ['file-no-body', text(`${BEGIN}\n${END}\n`), 'no base64', 'armor_malformed'],
  ['file-empty-line', text(block('', 'gA==')), 'an empty line within', 'armor_malformed'],
  ['file-header', text(block('Version: 1', '', 'gA==')), 'a header', 'armor_malformed'],
  ['file-blank-in-line', text(block('gA ==')), 'a blank within a line', 'armor_malformed'],
  ['file-blank-ends-line', text(block('gA== ')), 'a blank at the end of a line', 'armor_malformed'],
  ['file-lone-cr', text(`${BEGIN}\rgA==\r${END}\r`), 'lone CR as line end', 'armor_malformed'],
  ['file-short-line', text(block('gAAA', 'AAAA')), 'a short line that is not the last', 'armor_malformed'],
  ['file-long-line', text(block('A'.repeat(68))), 'a line of 68 characters', 'armor_malformed'],
  [
    'file-padding-within',
    text(block(`${'A'.repeat(62)}==`, 'AAAA')),
    'padding at the end of a line that is not the last',
    'armor_malformed',
  ],
  ['file-padding-in-line', text(block('gA==gA==')), 'padding within a line', 'armor_malformed'],
  ['file-line-end', text(block('gA==').replace('\n-----END', '\n -----END')), 'a blank before END', 'armor_malformed'],
  ['file-no-padding', text(block('gA')), 'padding missing', 'armor_malformed'],
  ['file-unused-bits', text(block('gB==')), 'unused bits that are not zero', 'armor_malformed'],
  ['file-base64url', text(block('g_8=')), 'a character of base64url', 'armor_malformed'],
];
