/**
 * Repairs armored text that a person pasted, or saved from a mail, into the file that was sent. Only pasted text is
 * tolerated in this way, never a file that a program reads: the reader of armor stays strict (`armor.ts`), and the
 * result is verified like any other file.
 *
 * Each step takes time and memory in proportion to the text, and the text has a limit. It guesses nothing: it refuses a
 * text in which it cannot find exactly one block of base64, and two different blocks.
 */
import { armor, type ArmorLabel, LICENSE_LIMITS } from './armor.ts';
import { decodeBase64 } from './base64.ts';
import { concatBytes, equalBytes, fromHex, toHex } from './bytes.ts';
import { VtlicError } from './error.ts';
import { MAX_KEYSET_BYTES } from './keyset/keyset.ts';

/** What a mail, a form or an editor did to the block. */
export type Repair =
  | 'utf-16'
  | 'byte order mark'
  | 'quoted-printable'
  | 'html'
  | 'line ends'
  | 'blanks'
  | 'invisible characters'
  | 'quote marks'
  | 'surrounding text'
  | 'broken marks'
  | 'lines'
  | 'repeated block'
  | 'base64 twice';

/** One sentence for each, for the person who pasted it. */
export const REPAIR_WORDS: Readonly<Record<Repair, string>> = Object.freeze({
  'utf-16': 'it was saved as UTF-16 ("Unicode"), and is plain ASCII again',
  'byte order mark': 'a byte order mark before the text was taken away',
  'quoted-printable': 'it was in the quoted-printable form of a mail, and was decoded',
  html: 'it was in HTML, and was turned back into text',
  'line ends': 'line ends of Windows or of an old Macintosh were made plain line feeds',
  blanks: 'blanks that a mail or a web page puts into text (indents, non-breaking blanks) were taken away',
  'invisible characters': 'invisible characters (zero-width blanks, soft hyphens) were removed',
  'quote marks': 'the marks of a quoted mail (> or |) before the lines were taken away',
  'surrounding text': 'text before or after the block was left out',
  'broken marks': 'the BEGIN or END line was spelled otherwise (other dashes, or broken), and was put right',
  lines: 'its lines were wrapped anew or joined, and have 64 characters again',
  'repeated block': 'the same block was there more than once, and is there once',
  'base64 twice': 'the whole file was in base64 once more, and was decoded',
});

export interface Normalized {
  /** The armored file: exactly what `armor` writes for these bytes. */
  readonly file: Uint8Array;
  /** In the order in which they were made; empty where the text was the file already. */
  readonly repairs: readonly Repair[];
}

/** Room for a mail around a file of the largest size, in UTF-16 or quoted-printable. */
export const MAX_PASTED_BYTES: number = 8 * LICENSE_LIMITS.fileBytes;

/**
 * @param pasted as UTF-8 or UTF-16 bytes
 * @throws VtlicError `too_large`; `armor_malformed` where there is no block, more than one, or no way to read it
 */
export function normalizePasted(pasted: Uint8Array, label: ArmorLabel = 'VTLIC'): Normalized {
  const repairs = new Set<Repair>();
  const { text, found } = findBlocks(pasted, [label], repairs);
  const file = onlyBlock(found, label, repairs);
  noteSurroundings(text, found, repairs);
  noteLines(found, repairs);
  return Object.freeze({ file, repairs: Object.freeze([...repairs]) });
}

/** A license, keysets, or both, as one text with nothing around it. */
export interface NormalizedBlocks {
  /** The keysets in their order, then the license. */
  readonly file: Uint8Array;
  readonly repairs: readonly Repair[];
}

/**
 * The same for a text in which keysets may come along with the license, or without one.
 *
 * @throws VtlicError `too_large`; `armor_malformed` where there is no block, two different licenses, or no way to read
 *   one
 */
export function normalizePastedBlocks(pasted: Uint8Array): NormalizedBlocks {
  const repairs = new Set<Repair>();
  const { text, found } = findBlocks(pasted, ['VTLIC', 'VTLIC KEYSET'], repairs);
  const licenses = found.filter(({ label }) => label === 'VTLIC');
  const keysets = new Map<string, Uint8Array>();
  for (const { label, body } of found) {
    if (label === 'VTLIC') continue;
    const bytes = bytesOf(body, label);
    const digits = toHex(bytes);
    if (keysets.has(digits)) repairs.add('repeated block');
    keysets.set(digits, armor(label, bytes));
  }
  const files = [...keysets.values()];
  if (licenses.length > 0 || files.length === 0) files.push(onlyBlock(licenses, 'VTLIC', repairs));
  noteSurroundings(text, found, repairs);
  noteLines(found, repairs);
  return Object.freeze({ file: concatBytes(...files), repairs: Object.freeze([...repairs]) });
}

function findBlocks(
  pasted: Uint8Array,
  labels: readonly ArmorLabel[],
  repairs: Set<Repair>,
): { readonly text: string; readonly found: readonly Block[] } {
  if (pasted.length > MAX_PASTED_BYTES)
    throw new VtlicError('too_large', `the text has more than ${MAX_PASTED_BYTES} bytes, the most that are read`, {
      cause: 'too_large' satisfies PasteFault,
    });
  const text = plainText(decodeText(pasted, repairs), repairs);
  // A form or a script may have made base64 of the whole file. A text with a block has dashes in it, and is not base64.
  const inner = decodeBase64(text.replaceAll(/\s/g, ''));
  if (inner === undefined) return { text, found: blocksOf(text, labels) };
  const innerText = plainText(decodeText(inner, repairs), repairs);
  repairs.add('base64 twice');
  return { text: innerText, found: blocksOf(innerText, labels) };
}

/** Why a text cannot be repaired: `cause` of the error. */
export type PasteFault = 'no_block' | 'nested' | 'mixed' | 'cut' | 'two' | 'character' | 'incomplete' | 'too_large';

function refuse(fault: PasteFault, why: string): VtlicError {
  return new VtlicError('armor_malformed', `the text cannot be repaired: ${why}`, {
    hint: 'ask for the file itself as an attachment, or copy the whole block again, from BEGIN to END',
    cause: fault,
  });
}

function decodeText(bytes: Uint8Array, repairs: Set<Repair>): string {
  const [first, second, third] = bytes;
  // Without a mark: ASCII in UTF-16 has a zero beside each character.
  const isLittleEndian = (first === 0xff && second === 0xfe) || (first !== 0 && second === 0);
  const isBigEndian = (first === 0xfe && second === 0xff) || (first === 0 && second !== 0);
  if (isLittleEndian || isBigEndian) repairs.add('utf-16');
  else if (first === 0xef && second === 0xbb && third === 0xbf) repairs.add('byte order mark');
  // The decoders leave the mark out. Bytes that are not UTF-8 become U+FFFD: in the text around the block they do no
  // harm, within it they are refused.
  if (isBigEndian) return new TextDecoder('utf-16le').decode(swapped(bytes));
  return new TextDecoder(isLittleEndian ? 'utf-16le' : 'utf-8').decode(bytes);
}

/** UTF-16 with the bytes of each character the other way round. Half a character at the end is left out. */
function swapped(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: bytes.length & ~1 }, (_, i) => bytes[i ^ 1] ?? 0);
}

/** Zero-width characters, the soft hyphen, direction marks, variation selectors. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;
/** Blanks besides space and tab: non-breaking, typographic and ideographic ones. */
const STRANGE_BLANK = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u000b\u000c]/g;

/** Undoes, in this order, what was done to the whole text: quoted-printable, HTML, line ends, characters. */
function plainText(given: string, repairs: Set<Repair>): string {
  const change = (repair: Repair, text: string, next: string): string => {
    if (next !== text) repairs.add(repair);
    return next;
  };
  let text = change('line ends', given, given.replaceAll('\r\n', '\n').replaceAll(/[\r\u0085\u2028\u2029]/g, '\n'));
  if (isQuotedPrintable(text)) text = change('quoted-printable', text, fromQuotedPrintable(text));
  if (isHtml(text)) text = change('html', text, fromHtml(text));
  text = change('invisible characters', text, text.replaceAll(INVISIBLE, ''));
  text = change('blanks', text, text.replaceAll(STRANGE_BLANK, ' ').replaceAll('\u0000', ''));
  return change('quote marks', text, text.replaceAll(/^(?:[ \t]*[>|])+[ \t]?/gm, ''));
}

/** `=3D`, or a line that ends with `=` in the middle of more: base64 has `=` at its very end only. */
function isQuotedPrintable(text: string): boolean {
  return /=3D|=2D|=0D|=0A|=20\n/i.test(text) || /[A-Za-z0-9+/-]=\n[A-Za-z0-9+/]/.test(text);
}

function fromQuotedPrintable(text: string): string {
  return text
    .replaceAll(/=[ \t]*\n/g, '')
    .replaceAll(/(?:=[0-9A-F]{2})+/gi, (coded) => new TextDecoder().decode(fromHex(coded.replaceAll('=', ''))));
}

function isHtml(text: string): boolean {
  return /<(?:br|p|div|pre|span|html|body|code|wbr)\b|&(?:#\d+|#x[0-9a-f]+|[a-z]+);/i.test(text);
}

const ENTITIES: Readonly<Record<string, string>> = {
  nbsp: '\u00a0',
  gt: '>',
  lt: '<',
  amp: '&',
  shy: '\u00ad',
  quot: '"',
  apos: "'",
  plus: '+',
  sol: '/',
  equals: '=',
  hyphen: '-',
  dash: '-',
  ndash: '\u2013',
  mdash: '\u2014',
  ensp: ' ',
  emsp: ' ',
  thinsp: ' ',
  zwj: '',
  zwnj: '',
  newline: '\n',
  tab: '\t',
};

function fromHtml(text: string): string {
  return text
    .replaceAll(/<(?:br|\/p|\/div|\/pre|\/tr|\/li)\b[^<>]{0,1000}>\n?/gi, '\n')
    .replaceAll(/<\/?[a-z][^<>]{0,1000}>/gi, '')
    .replaceAll(/&(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
      const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    });
}

interface Block {
  readonly label: ArmorLabel;
  readonly from: number;
  readonly to: number;
  /** What is between the marks. */
  readonly body: string;
}

/** What mail programs make of a hyphen. */
const DASHES = '[-\u2010-\u2015\u2212\u2043\ufe58\ufe63\uff0d]';

/** A BEGIN or END mark, with any dashes and blanks, and at most one line end between its words. */
function markOf(word: 'BEGIN' | 'END', label: ArmorLabel): string {
  const words = [word, ...label.split(' ')].join('[ \\t]{0,8}\\n?[ \\t]{0,8}');
  // One dash on each side is enough: many editors turn two dashes into one long dash.
  return `${DASHES}{1,8}[ \\t]{0,8}${words}(?![ \\t]{1,8}[A-Z])[ \\t]{0,8}${DASHES}{1,8}`;
}

interface Mark {
  readonly label: ArmorLabel;
  readonly isBegin: boolean;
  readonly from: number;
  readonly to: number;
}

function marksOf(text: string, label: ArmorLabel): readonly Mark[] {
  const marks = new RegExp(`(${markOf('BEGIN', label)})|(${markOf('END', label)})`, 'gi');
  return [...text.matchAll(marks)].map((match) => ({
    label,
    isBegin: match[1] !== undefined,
    from: match.index,
    to: match.index + match[0].length,
  }));
}

/** Each BEGIN mark with the first END mark after it. */
function blocksOf(text: string, labels: readonly ArmorLabel[]): readonly Block[] {
  const marks = labels.flatMap((label) => marksOf(text, label)).sort((a, b) => a.from - b.from);
  const found: Block[] = [];
  let begin: Mark | undefined;
  for (const mark of marks) {
    const { label, from, to } = mark;
    if (mark.isBegin) {
      if (begin !== undefined) throw refuse('nested', 'a block begins within another one');
      begin = mark;
    } else if (begin !== undefined) {
      if (begin.label !== label) throw refuse('mixed', 'a block ends with the END line of another kind');
      found.push({ label, from: begin.from, to, body: text.slice(begin.to, from) });
      begin = undefined;
    }
  }
  if (begin !== undefined) throw refuse('cut', 'it ends before the END line: a part of the block is missing');
  return found;
}

/** The one file in the blocks. Two that are equal are one: a mail often has the text and its quotation. */
function onlyBlock(found: readonly Block[], label: ArmorLabel, repairs: Set<Repair>): Uint8Array {
  const [first, ...more] = found.map(({ body }) => bytesOf(body, label));
  if (first === undefined) throw refuse('no_block', `there is no line -----BEGIN ${label}----- in it`);
  for (const other of more) {
    if (!equalBytes(other, first))
      throw refuse('two', 'there are two different blocks in it, and only one can be used');
    repairs.add('repeated block');
  }
  return armor(label, first);
}

function bytesOf(body: string, label: ArmorLabel): Uint8Array {
  const joined = body.replaceAll(/\s/g, '');
  const wrong = /[^A-Za-z0-9+/=]/.exec(joined);
  if (wrong !== null)
    throw refuse('character', 'between its BEGIN and END lines there is a character that is not base64');
  // A mail may lose the padding at the very end; it is not part of the content.
  const bare = joined.replace(/==?$/, '');
  const bytes = decodeBase64(bare + '='.repeat((4 - (bare.length % 4)) % 4));
  if (bytes === undefined || bytes.length === 0)
    throw refuse('incomplete', 'its base64 is not whole: some of it is missing');
  const max = label === 'VTLIC' ? LICENSE_LIMITS.decodedBytes : MAX_KEYSET_BYTES;
  if (bytes.length > max)
    throw new VtlicError('too_large', `the block contains more than ${max} bytes`, {
      cause: 'too_large' satisfies PasteFault,
    });
  return bytes;
}

function noteSurroundings(text: string, found: readonly Block[], repairs: Set<Repair>): void {
  let rest = '';
  let at = 0;
  for (const { from, to } of found) {
    rest += text.slice(at, from);
    at = to;
  }
  if (/\S/.test(rest + text.slice(at))) repairs.add('surrounding text');
  const isWhole = found.every(({ label, from, to }) => {
    const block = text.slice(from, to);
    return block.startsWith(`-----BEGIN ${label}-----`) && block.endsWith(`-----END ${label}-----`);
  });
  if (!isWhole) repairs.add('broken marks');
}

/** Whether the lines of each block are those of a file. */
function noteLines(found: readonly Block[], repairs: Set<Repair>): void {
  for (const { label, body } of found) {
    const [, ...lines] = new TextDecoder()
      .decode(armor(label, bytesOf(body, label)))
      .trimEnd()
      .split('\n');
    const wanted = `\n${lines.slice(0, -1).join('\n')}\n`;
    if (body === wanted) continue;
    repairs.add(body.replaceAll(/[ \t]/g, '') === wanted ? 'blanks' : 'lines');
  }
}
