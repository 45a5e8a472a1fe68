/** Inputs that fit a line, each with what a verifier says of it: Appendix B of docs/format.md. */
import { armor } from '../../formats/armor.ts';
import { compareBytes, concatBytes, fromHex, toHex, utf8 } from '../../formats/bytes.ts';
import { encodeCbor } from '../../formats/cbor/encode.ts';
import type { CborValue } from '../../formats/cbor/value.ts';
import { TYP } from '../../formats/cose-sign1.ts';
import { ed25519Key } from './example-keys.ts';
import { sealed } from './example-licenses.ts';
import type { Reason } from '../../verifier/reasons.ts';
import type { State } from '../../verifier/verdict.ts';

export type Group = 'file' | 'cbor' | 'cose' | 'claims';

/** How the file of an example comes about. */
export type Input =
  | { readonly kind: 'text'; readonly text: string }
  /** The file, or what its armor holds, is one byte many times. */
  | { readonly kind: 'fill'; readonly of: 'file' | 'decoded'; readonly byte: number; readonly count: number }
  /** The bytes that the armor holds. */
  | { readonly kind: 'decoded'; readonly hex: string }
  /** The payload, signed by the Ed25519 example key. */
  | { readonly kind: 'payload'; readonly hex: string }
  /** The minimal payload with these entries set or, without a value, removed. */
  | { readonly kind: 'entries'; readonly entries: readonly Entry[] };

/** Hex of an encoded key and of its encoded value. */
export interface Entry {
  readonly key: string;
  readonly value?: string;
}

export interface SmallExample {
  readonly id: string;
  readonly group: Group;
  readonly input: Input;
  readonly what: string;
  readonly expected: Reason | State;
}

type Row = readonly [id: string, input: Input, what: string, expected: Reason | State];

const hex = (value: CborValue): string => toHex(encodeCbor(value));
const bytesOf = (digits: string): Uint8Array => fromHex(digits.replaceAll(' ', '')) ?? new Uint8Array();

// Files ------------------------------------------------------------------------------------------------------------------------

const BEGIN = '-----BEGIN VTLIC-----';
const END = '-----END VTLIC-----';
const block = (...lines: readonly string[]): string => [BEGIN, ...lines, END, ''].join('\n');
const text = (value: string): Input => ({ kind: 'text', text: value });

/** The armor of the one byte 80, an empty array: what follows the armor says `cose_malformed`. */
const GOOD = block('gA==');

const FILES: readonly Row[] = [
  ['file-plain', text(GOOD), 'a whole block, around the byte `80`', 'cose_malformed'],
  ['file-crlf', text(GOOD.replaceAll('\n', '\r\n')), 'CRLF line ends', 'cose_malformed'],
  ['file-mixed-ends', text(`${BEGIN}\r\ngA==\n${END}`), 'mixed line ends, none at the end', 'cose_malformed'],
  ['file-blanks-around', text(` \t\r\n${BEGIN}\ngA==\n${END} \r\t\n\n`), 'blank space before and after', 'cose_malformed'],
  ['file-too-large', { kind: 'fill', of: 'file', byte: 0x20, count: 98_305 }, '98,305 bytes `20`', 'too_large'],
  ['file-blank', { kind: 'fill', of: 'file', byte: 0x20, count: 98_304 }, '98,304 bytes `20`', 'armor_malformed'],
  ['file-decoded-too-large', { kind: 'fill', of: 'decoded', byte: 0, count: 49_153 }, 'a block around 49,153 bytes `00`', 'too_large'],
  ['file-decoded-largest', { kind: 'fill', of: 'decoded', byte: 0, count: 49_152 }, 'a block around 49,152 bytes `00`', 'cbor_malformed'],
  ['file-empty', text(''), 'nothing', 'armor_malformed'],
  ['file-bom', text(`\ufeff${GOOD}`), 'a byte order mark', 'armor_malformed'],
  ['file-text-before', text(`Hello\n${GOOD}`), 'text before', 'armor_malformed'],
  ['file-text-after', text(`${GOOD}Bye`), 'text after', 'armor_malformed'],
  ['file-two-blocks', text(`${GOOD}${GOOD}`), 'two blocks', 'armor_malformed'],
  ['file-other-label', text(GOOD.replaceAll('VTLIC', 'LICENSE')), 'another label', 'armor_malformed'],
  ['file-other-end', text(GOOD.replace('END VTLIC', 'END VTLIC KEYSET')), 'another label at the end', 'armor_malformed'],
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
  ['file-no-padding', text(block('gA')), 'padding missing', 'armor_malformed'],
  ['file-unused-bits', text(block('gB==')), 'unused bits that are not zero', 'armor_malformed'],
  ['file-base64url', text(block('g_8=')), 'a character of base64url', 'armor_malformed'],
];

// CBOR -------------------------------------------------------------------------------------------------------------------------

const decoded = (digits: string): Input => ({ kind: 'decoded', hex: digits.replaceAll(' ', '') });

const CBOR: readonly Row[] = [
  ['cbor-integer', decoded('00'), 'well formed, and no `COSE_Sign1`', 'cose_malformed'],
  ['cbor-largest', decoded('1b001fffffffffffff'), '2^53-1 is in range', 'cose_malformed'],
  ['cbor-smallest', decoded('3b001ffffffffffffe'), '-(2^53-1) is in range', 'cose_malformed'],
  ['cbor-key-order', decoded('a3 0a00 186400 2000'), 'keys 10, 100, -1: in order', 'cose_malformed'],
  ['cbor-key-types', decoded('a3 4000 8000 f400'), 'keys that are a byte string, an array, `false`', 'cose_malformed'],
  ['cbor-depth-8', decoded('81818181 81818180'), 'depth 8', 'cose_malformed'],
  ['cbor-noncharacter', decoded('63efbfbe'), 'U+FFFE is valid UTF-8', 'cose_malformed'],
  ['cbor-long-integer', decoded('1817'), '23 in two bytes', 'cbor_not_deterministic'],
  ['cbor-long-negative', decoded('3900ff'), '-256 in three bytes', 'cbor_not_deterministic'],
  ['cbor-long-64', decoded('1b00000000ffffffff'), '2^32-1 in nine bytes', 'cbor_not_deterministic'],
  ['cbor-long-bytes', decoded('580100'), 'the length of a byte string in two bytes', 'cbor_not_deterministic'],
  ['cbor-long-text', decoded('78016b'), 'the length of a text in two bytes', 'cbor_not_deterministic'],
  ['cbor-long-array', decoded('9800'), 'the length of an array in two bytes', 'cbor_not_deterministic'],
  ['cbor-long-map', decoded('b800'), 'the length of a map in two bytes', 'cbor_not_deterministic'],
  ['cbor-long-tag', decoded('d81280'), 'tag 18 in two bytes', 'cbor_not_deterministic'],
  ['cbor-indefinite-bytes', decoded('5f4100ff'), 'an indefinite byte string', 'cbor_not_deterministic'],
  ['cbor-indefinite-text', decoded('7f616bff'), 'an indefinite text', 'cbor_not_deterministic'],
  ['cbor-indefinite-array', decoded('9fff'), 'an indefinite array', 'cbor_not_deterministic'],
  ['cbor-indefinite-map', decoded('bfff'), 'an indefinite map', 'cbor_not_deterministic'],
  ['cbor-unsorted', decoded('a2 0200 0100'), 'keys 2, 1', 'cbor_not_deterministic'],
  ['cbor-length-first', decoded('a2 2000 186400'), 'keys -1, 100: the old length-first order', 'cbor_not_deterministic'],
  ['cbor-repeated', decoded('a2 0100 0101'), 'key 1 twice', 'cbor_not_deterministic'],
  ['cbor-truncated-head', decoded('19ff'), 'a head cut off', 'cbor_malformed'],
  ['cbor-truncated-text', decoded('626b'), 'a text cut off', 'cbor_malformed'],
  ['cbor-truncated-array', decoded('8200'), 'an item missing', 'cbor_malformed'],
  ['cbor-trailing', decoded('0000'), 'a byte too many', 'cbor_malformed'],
  ['cbor-info-28', decoded('1c'), 'additional information 28', 'cbor_malformed'],
  ['cbor-info-31-integer', decoded('1f'), 'an integer of indefinite length', 'cbor_malformed'],
  ['cbor-info-31-tag', decoded('df00'), 'a tag of indefinite length', 'cbor_malformed'],
  ['cbor-break', decoded('ff'), 'a stray break', 'cbor_malformed'],
  ['cbor-half', decoded('f93c00'), '1.0 in half precision', 'cbor_malformed'],
  ['cbor-double', decoded('fb3ff0000000000000'), '1.0 in double precision', 'cbor_malformed'],
  ['cbor-null', decoded('f6'), 'null', 'cbor_malformed'],
  ['cbor-undefined', decoded('f7'), 'undefined', 'cbor_malformed'],
  ['cbor-simple', decoded('e0'), 'simple value 0', 'cbor_malformed'],
  ['cbor-long-true', decoded('f815'), '`true` in two bytes', 'cbor_malformed'],
  ['cbor-too-large', decoded('1b0020000000000000'), '2^53', 'cbor_malformed'],
  ['cbor-too-small', decoded('3b001fffffffffffff'), '-2^53', 'cbor_malformed'],
  ['cbor-utf8', decoded('61ff'), 'invalid UTF-8', 'cbor_malformed'],
  ['cbor-overlong', decoded('62c080'), 'an overlong encoding of U+0000', 'cbor_malformed'],
  ['cbor-surrogate', decoded('63eda080'), 'a surrogate', 'cbor_malformed'],
  ['cbor-depth-9', decoded('8181818181 81818180'), 'depth 9', 'cbor_malformed'],
  ['cbor-inner-tag', decoded('81 d280'), 'a tag within', 'cbor_malformed'],
  ['cbor-two-tags', decoded('d83d d280'), 'a CWT tag (61) around tag 18', 'cbor_malformed'],
  ['cbor-first-fault-1', decoded('82 1817 ff'), 'two faults: the first by offset decides', 'cbor_not_deterministic'],
  ['cbor-first-fault-2', decoded('82 ff 1817'), 'the same two, the other way round', 'cbor_malformed'],
  ['cbor-head-before-tag', decoded('81 d81280'), 'a tag within, and its head too long: the head is judged first', 'cbor_not_deterministic'],
  ['cbor-range-before-order', decoded('a2 0200 1b002000000000000000'), 'a key out of range and unsorted: the item is judged first', 'cbor_malformed'],
  ['cbor-head-before-depth', decoded('8181818181 8181819f'), 'an indefinite array at depth 9', 'cbor_not_deterministic'],
  ['cbor-count-unjudged', decoded('9affffffff 1817'), 'a count beyond the end is not judged by itself', 'cbor_not_deterministic'],
  ['cbor-key-before-value', decoded('a2 0200 01ff'), 'an unsorted key is judged before its value', 'cbor_not_deterministic'],
  ['cbor-protected', decoded('d2 84 42 1817 a0 40 40'), 'a long integer in the protected bytes', 'cbor_not_deterministic'],
  ['cbor-protected-first', decoded('d2 84 42 1817 f6'), 'the protected bytes are walked at their place', 'cbor_not_deterministic'],
  ['cbor-protected-trailing', decoded('d2 84 42 a000 a0 40 40'), 'a byte too many in the protected bytes', 'cbor_malformed'],
  ['cbor-protected-tag', decoded('d2 84 42 d2a0 a0 40 40'), 'a tag in the protected bytes', 'cbor_malformed'],
  ['cbor-detached', decoded('d2 84 41a0 a0 f6 40'), 'a payload that is null (detached)', 'cbor_malformed'],
];

// COSE -------------------------------------------------------------------------------------------------------------------------

const KID = new Uint8Array(32);
const LICENSE: readonly (readonly [CborValue, CborValue])[] = [
  [1, -19],
  [4, KID],
  [16, TYP.license],
];

function cose(changes: readonly (readonly [CborValue, CborValue | undefined])[]): Input {
  const header = new Map<CborValue, CborValue>(LICENSE);
  for (const [key, value] of changes) {
    if (value === undefined) header.delete(key);
    else header.set(key, value);
  }
  return decoded(`d284${hex(encodeCbor(header))}a04040`);
}

const COSE: readonly Row[] = [
  ['cose-whole', cose([]), 'a whole header, by a key of zeros', 'key_unknown'],
  ['cose-no-tag', decoded('84 41a0 a0 40 40'), 'no tag', 'cose_malformed'],
  ['cose-other-tag', decoded('d1 84 41a0 a0 40 40'), 'tag 17 (`COSE_Mac0`)', 'cose_malformed'],
  ['cose-no-array', decoded('d2 a0'), 'no array', 'cose_malformed'],
  ['cose-three', decoded('d2 83 41a0 a0 40'), 'three items', 'cose_malformed'],
  ['cose-five', decoded('d2 85 41a0 a0 40 40 40'), 'five items', 'cose_malformed'],
  ['cose-empty-protected', decoded('d2 84 40 a0 40 40'), 'protected bytes of length 0', 'cose_malformed'],
  ['cose-protected-map', decoded('d2 84 a0 a0 40 40'), 'the protected header as a map', 'cose_malformed'],
  ['cose-protected-no-map', decoded('d2 84 4180 a0 40 40'), 'protected bytes that hold an array', 'cose_malformed'],
  ['cose-unprotected', decoded('d2 84 41a0 a10418ff 40 40'), 'something unprotected', 'cose_malformed'],
  ['cose-no-headers', decoded('d2 84 41a0 a0 40 40'), 'no header parameter at all', 'cose_malformed'],
  ['cose-kid-31', cose([[4, new Uint8Array(31)]]), 'a kid of 31 bytes', 'cose_malformed'],
  ['cose-kid-text', cose([[4, 'key']]), 'a kid that is a text', 'cose_malformed'],
  ['cose-no-typ', cose([[16, undefined]]), 'typ missing', 'cose_malformed'],
  ['cose-typ-integer', cose([[16, 1]]), 'a typ that is an integer', 'cose_malformed'],
  ['cose-alg-bytes', cose([[1, new Uint8Array()]]), 'an alg that is a byte string', 'cose_malformed'],
  ['cose-more', cose([[3, 0]]), 'one parameter more (content type)', 'cose_malformed'],
  ['cose-keyset', cose([[16, TYP.keyset]]), 'a keyset', 'typ_wrong'],
  ['cose-typ-case', cose([[16, 'application/vnd.vtlic.License+cose']]), 'typ in another case', 'typ_wrong'],
  ['cose-alg-eddsa', cose([[1, -8]]), '`-8`, EdDSA', 'alg_unknown'],
  ['cose-alg-mldsa', cose([[1, -49]]), '`-49`, ML-DSA-65 alone', 'alg_unknown'],
  ['cose-alg-text', cose([[1, 'ML-DSA-65-Ed25519']]), 'the name that JOSE uses', 'alg_unknown'],
  ['cose-typ-before-alg', cose([[1, -8], [16, 'JWT']]), 'typ and alg wrong: typ comes first', 'typ_wrong'],
];

// Claims -----------------------------------------------------------------------------------------------------------------------

const minimal = new Map<string, string>(
  (
    [
      [1, 'example-vendor'],
      [2, 'acme-gmbh'],
      [3, 'vaultdesk'],
      [4, 1_830_297_600],
      [5, 1_798_761_600],
      [6, 1_796_115_600],
      [7, bytesOf('0193817a6c0070008000000000000001')],
      ['ctr', 1],
      ['tier', 'pro'],
      ['seats', 1],
    ] as const
  ).map(([key, value]) => [hex(key), hex(value)]),
);

/** The minimal payload with some entries set or removed: bytes that `encodeCbor` need not be able to write. */
export function payloadOf(entries: readonly Entry[]): Uint8Array {
  const claims = new Map(minimal);
  for (const { key, value } of entries) {
    if (value === undefined) claims.delete(key);
    else claims.set(key, value);
  }
  const pairs = [...claims].map(([key, value]) => ({ key: bytesOf(key), value: bytesOf(value) })).sort((a, b) => compareBytes(a.key, b.key));
  return concatBytes(Uint8Array.of(0xa0 + pairs.length), ...pairs.flatMap(({ key, value }) => [key, value]));
}

export const minimalPayload: Uint8Array = payloadOf([]);

const payload = (digits: string): Input => ({ kind: 'payload', hex: digits.replaceAll(' ', '') });
/** @param value hex of the encoded value; absent: the claim is removed */
const set = (key: number | string, value?: string): Input => ({ kind: 'entries', entries: [value === undefined ? { key: hex(key) } : { key: hex(key), value: value.replaceAll(' ', '') }] });
const setKey = (key: string): Input => ({ kind: 'entries', entries: [{ key, value: '00' }] });

const host = (first: number): Uint8Array => new Uint8Array(32).fill(first);

const CLAIMS: readonly Row[] = [
  ['claims-minimal', { kind: 'entries', entries: [] }, 'the minimal payload', 'active'],
  ['claims-no-bytes', payload(''), 'a payload of no bytes', 'claims_malformed'],
  ['claims-array', payload('80'), 'no map', 'claims_malformed'],
  ['claims-tag', payload('d83da0'), 'a tag', 'claims_malformed'],
  ['claims-indefinite', payload('bfff'), 'an indefinite map', 'claims_malformed'],
  ['claims-empty', payload('a0'), 'required claims missing', 'claims_malformed'],
  ['claims-unknown-first', payload('a1 08 00'), 'a claim that is not known comes before those that are missing', 'claims_unknown'],
  ['claims-encoding-first', payload('a1 08 1817'), 'a fault of the encoding comes before it', 'claims_malformed'],
  ['claims-cnf', set(8, '00'), 'claim 8', 'claims_unknown'],
  ['claims-negative', set(-1, '00'), 'claim -1', 'claims_unknown'],
  ['claims-named-iss', set('iss', '6161'), 'a text where the number is meant', 'claims_unknown'],
  ['claims-case', set('Tier', '6161'), 'another case', 'claims_unknown'],
  ['claims-key-bytes', setKey('40'), 'a key that is a byte string', 'claims_unknown'],
  ['claims-key-bool', setKey('f5'), 'a key that is `true`', 'claims_unknown'],
  ['claims-unknown-and-bound', { kind: 'entries', entries: [{ key: hex('x'), value: '00' }, { key: hex('grace'), value: '20' }] }, 'an unknown claim comes before a bound', 'claims_unknown'],
  ['claims-no-iss', set(1), 'iss missing', 'claims_malformed'],
  ['claims-iss-empty', set(1, '60'), 'an empty id', 'claims_malformed'],
  ['claims-iss-dot', set(1, '622e61'), 'an id that begins with a mark', 'claims_malformed'],
  ['claims-iss-blank', set(1, '63612062'), 'an id with a blank', 'claims_malformed'],
  ['claims-iss-slash', set(1, '63612f62'), 'an id with a slash', 'claims_malformed'],
  ['claims-iss-umlaut', set(1, '62c3a4'), 'an id with a letter that is not ASCII', 'claims_malformed'],
  ['claims-iss-bytes', set(1, '4161'), 'an id that is a byte string', 'claims_malformed'],
  ['claims-aud-array', set(3, '81 69 7661756c746465736b'), 'aud as an array', 'claims_malformed'],
  ['claims-exp-float', set(4, 'fb41db461f40000000'), 'a float', 'claims_malformed'],
  ['claims-exp-tag', set(4, 'c1 1a6d182980'), 'tag 1 around a time', 'claims_malformed'],
  ['claims-exp-late', set(4, hex(253_402_300_800)), 'the year 10000', 'claims_malformed'],
  ['claims-exp-last', set(4, hex(253_402_300_799)), 'the last second of 9999', 'active'],
  ['claims-nbf-exp', set(5, hex(1_830_297_600)), 'nbf = exp', 'claims_malformed'],
  ['claims-nbf-zero', set(5, '00'), 'nbf 0', 'active'],
  ['claims-nbf-negative', set(5, '20'), 'nbf -1', 'claims_malformed'],
  ['claims-iat-exp', set(6, hex(1_830_297_600)), 'iat = exp', 'claims_malformed'],
  ['claims-iat-after-nbf', set(6, hex(1_830_297_599)), 'iat later than nbf', 'active'],
  ['claims-cti-v4', set(7, hex(bytesOf('0193817a6c0040008000000000000001'))), 'a UUID of version 4', 'claims_malformed'],
  ['claims-cti-variant', set(7, hex(bytesOf('0193817a6c0070000000000000000001'))), 'the variant bits wrong', 'claims_malformed'],
  ['claims-cti-15', set(7, hex(new Uint8Array(15))), '15 bytes', 'claims_malformed'],
  ['claims-ctr-0', set('ctr', '00'), 'counter 0', 'claims_malformed'],
  ['claims-ctr-last', set('ctr', hex(Number.MAX_SAFE_INTEGER)), 'counter 2^53-1', 'active'],
  ['claims-ctr-large', set('ctr', '1b0020000000000000'), 'counter 2^53', 'claims_malformed'],
  ['claims-seats-0', set('seats', '00'), 'no seats', 'active'],
  ['claims-seats-unlimited', set('seats', hex('unlimited')), '`"unlimited"`', 'active'],
  ['claims-seats-text', set('seats', hex('Unlimited')), 'another text', 'claims_malformed'],
  ['claims-seats-negative', set('seats', '20'), 'seats -1', 'claims_malformed'],
  ['claims-features', set('features', hex(['a', 'b'])), 'sorted', 'active'],
  ['claims-features-prefix', set('features', hex(['a', 'a-b', 'b'])), 'a prefix comes first', 'active'],
  ['claims-features-case', set('features', hex(['B', 'a'])), 'by bytes, so upper case comes first', 'active'],
  ['claims-features-empty', set('features', '80'), 'an empty list', 'claims_malformed'],
  ['claims-features-unsorted', set('features', hex(['b', 'a'])), 'unsorted', 'claims_malformed'],
  ['claims-features-twice', set('features', hex(['a', 'a'])), 'one twice', 'claims_malformed'],
  ['claims-features-length-first', set('features', hex(['b', 'aa'])), 'sorted by length first', 'claims_malformed'],
  ['claims-features-integer', set('features', hex([1])), 'no id', 'claims_malformed'],
  ['claims-limits', set('limits', hex(new Map([['0', 0]]))), 'an id may begin with a digit; 0 is a limit', 'active'],
  ['claims-limits-empty', set('limits', 'a0'), 'an empty map', 'claims_malformed'],
  ['claims-limits-key', set('limits', 'a10100'), 'a key that is no id', 'claims_malformed'],
  ['claims-limits-negative', set('limits', 'a1616120'), 'a limit of -1', 'claims_malformed'],
  ['claims-instances-0', set('instances', '00'), 'no instance', 'claims_malformed'],
  ['claims-hosts-empty', set('hosts', '80'), 'an empty list', 'claims_malformed'],
  ['claims-hosts-31', set('hosts', hex([new Uint8Array(31)])), 'a fingerprint of 31 bytes', 'claims_malformed'],
  ['claims-hosts-unsorted', set('hosts', hex([host(2), host(1)])), 'unsorted', 'claims_malformed'],
  ['claims-grace-largest', set('grace', hex(31_622_400)), '366 days', 'active'],
  ['claims-grace-large', set('grace', hex(31_622_401)), 'a second more', 'claims_malformed'],
  ['claims-offline-largest', set('offline', hex(253_402_300_799)), 'as long as times reach', 'active'],
  ['claims-offline-large', set('offline', hex(253_402_300_800)), 'a second more', 'claims_malformed'],
  ['claims-dep', set('dep', hex('prod-eu')), 'the deployment of the context', 'active'],
  ['claims-dep-empty', set('dep', '60'), 'an empty id', 'claims_malformed'],
  ['claims-name-any', set('name', hex('\u0000\u202e')), 'control and bidi characters bind signers, not verifiers', 'active'],
  ['claims-name-empty', set('name', '60'), 'an empty text', 'claims_malformed'],
  ['claims-name-bytes', set('name', '4161'), 'a byte string', 'claims_malformed'],
  ['claims-ref-empty', set('ref', '60'), 'an empty text', 'claims_malformed'],
  ['claims-clk', set('clk', 'f5'), '`true`', 'active'],
  ['claims-clk-false', set('clk', 'f4'), '`false`', 'claims_malformed'],
  ['claims-clk-1', set('clk', '01'), 'an integer', 'claims_malformed'],
  ['claims-ext-nested-empty', set('ext', hex(new Map<string, CborValue>([['a', new Map()], ['b', []]]))), 'empty values within', 'active'],
  ['claims-ext-deep', set('ext', 'a1 6161 818181818180'), 'depth 8, counted from the claims map', 'active'],
  ['claims-ext-deeper', set('ext', 'a1 6161 81818181818180'), 'depth 9', 'claims_malformed'],
  ['claims-ext-empty', set('ext', 'a0'), 'an empty map', 'claims_malformed'],
  ['claims-ext-key', set('ext', 'a1 01 00'), 'a key that is no id', 'claims_malformed'],
  ['claims-ext-inner-key', set('ext', 'a1 6161 a1 4162 00'), 'a key within that is no id', 'claims_malformed'],
  ['claims-ext-array', set('ext', '8100'), 'no map', 'claims_malformed'],
  ['claims-ext-null', set('ext', 'a1 6161 f6'), 'null', 'claims_malformed'],
];

function examplesOf(group: Group, rows: readonly Row[]): readonly SmallExample[] {
  return rows.map(([id, input, what, expected]) => Object.freeze({ id, group, input, what, expected }));
}

export const smallExamples: readonly SmallExample[] = Object.freeze([
  ...examplesOf('file', FILES),
  ...examplesOf('cbor', CBOR),
  ...examplesOf('cose', COSE),
  ...examplesOf('claims', CLAIMS),
]);

function filled({ byte, count }: { readonly byte: number; readonly count: number }): Uint8Array {
  return new Uint8Array(count).fill(byte);
}

/** The file of an example, byte for byte. */
export function fileOf(input: Input): Uint8Array {
  switch (input.kind) {
    case 'text':
      return utf8(input.text);
    case 'fill':
      return input.of === 'file' ? filled(input) : utf8(armor('VTLIC', filled(input)));
    case 'decoded':
      return utf8(armor('VTLIC', bytesOf(input.hex)));
    case 'payload':
      return utf8(sealed(ed25519Key, bytesOf(input.hex)).file);
    case 'entries':
      break;
  }
  return utf8(sealed(ed25519Key, payloadOf(input.entries)).file);
}
