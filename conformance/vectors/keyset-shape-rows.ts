/** Keysets with one fault in the armor or in the shape of COSE_Sign: K1 of docs/keysets.md. All of them are signed. */
import { concatBytes, utf8 } from '../../formats/bytes.ts';
import { encodeCbor, encodeTagged, type CborValue } from '../../formats/cbor/index.ts';
import { TYP } from '../../formats/cose-sign1.ts';
import { testKey } from '../examples/keysets.ts';
import { bytesOf, hex } from '../examples/small-example.ts';
import {
  armored,
  block2,
  BODY,
  builtIn,
  byKid,
  C,
  PAYLOAD2,
  ROOTS,
  signedBody,
  signer,
  SIGNERS,
  type Row,
  type Signer,
} from './keyset-rows.ts';

const A = 'keyset_armor_malformed';
const BLOCK = new TextDecoder('latin1').decode(block2({}));
const edited = (edit: (text: string) => string): Uint8Array => Uint8Array.from(Buffer.from(edit(BLOCK), 'latin1'));
/** The base64 in lines of another length. */
const wrapped = (columns: number): Uint8Array =>
  edited((text) => {
    const [begin = '', ...lines] = text.trimEnd().split('\n');
    const end = lines.pop() ?? '';
    const base64 = lines.join('').match(new RegExp(`.{1,${columns}}`, 'g')) ?? [];
    return `${[begin, ...base64, end].join('\n')}\n`;
  });
/** The built-in block, which is taken either way, something behind it, and version 2. */
const behindFirst = (between: string): Uint8Array => concatBytes(builtIn, utf8(between), block2({}));
const BEGIN = '-----BEGIN VTLIC KEYSET-----\n';

export const ARMORS: readonly Row[] = [
  ['armor-lines-60', 'lines of 60 characters', wrapped(60), A],
  ['armor-lines-76', 'lines of 76 characters', wrapped(76), A],
  ['armor-one-line', 'the whole base64 in one line', wrapped(1_000_000), A],
  ['armor-empty-line', 'an empty line behind BEGIN', edited((text) => text.replace(BEGIN, `${BEGIN}\n`)), A],
  ['armor-header', 'a header line', edited((text) => text.replace(BEGIN, `${BEGIN}Version: 2\n\n`)), A],
  ['armor-blank-in-line', 'a space within a line', edited((text) => text.replace(BEGIN, `${BEGIN} `)), A],
  ['armor-begin-blank', 'a space behind BEGIN', edited((text) => text.replace(BEGIN, `${BEGIN.trimEnd()} \n`)), A],
  ['armor-lone-cr', 'a lone CR behind BEGIN', edited((text) => text.replace(BEGIN, `${BEGIN.trimEnd()}\r`)), A],
  ['armor-bom', 'a byte order mark', edited((text) => `\xef\xbb\xbf${text}`), A],
  ['armor-form-feed', 'a form feed before the block', edited((text) => `\f${text}`), A],
  ['armor-text-before', 'text before the block', edited((text) => `keyset\n${text}`), A],
  ['armor-text-between', 'text between two blocks', behindFirst('version 2:\n'), A],
  [
    'armor-label-end',
    'END with the label of a license',
    edited((text) => text.replace('END VTLIC KEYSET', 'END VTLIC')),
    A,
  ],
  [
    'armor-lower-case',
    'BEGIN in lower case',
    edited((text) => text.replace('BEGIN VTLIC KEYSET', 'begin vtlic keyset')),
    A,
  ],
  ['armor-no-padding', 'no padding', edited((text) => text.replace(/=+\n/, '\n')), A],
  ['armor-unused-bits', 'unused bits that are not zero', edited(withUnusedBits), A],
  ['armor-no-end', 'no END line', edited((text) => text.slice(0, text.indexOf('-----END'))), A],
  ['armor-no-last-line-end', 'no line end behind END', edited((text) => text.trimEnd()), 2],
];

/** The same bytes, with the lowest of the bits that the last character before the padding does not need. */
function withUnusedBits(text: string): string {
  const last = /(.)=\n/.exec(text.replace('==\n', '=\n'))?.[1] ?? '';
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const other = alphabet[alphabet.indexOf(last) + 1] ?? '';
  if (last === '' || text === text.replace(/.(=+\n)/, `${other}$1`)) throw new Error('the block has no padding');
  return text.replace(/.(=+\n)/, `${other}$1`);
}

const D = 'keyset_cbor_not_deterministic';
const EMPTY = new Map<CborValue, CborValue>();
const signatures: readonly CborValue[] = SIGNERS.map((one) => [...one]);
const whole = (items: CborValue): Uint8Array => armored(encodeTagged(98, items));
const document = (signers: readonly (readonly CborValue[])[]): Uint8Array =>
  whole([BODY, EMPTY, PAYLOAD2, signers.map((one) => [...one])]);
/** The document with this before its array in place of the tag, in hex. */
const headed = (head: string): Uint8Array =>
  armored(concatBytes(bytesOf(head), encodeCbor([BODY, EMPTY, PAYLOAD2, signatures])));
const body = (content: string): Uint8Array => signedBody(bytesOf(content));
/** One signer after the other, changed, with the signatures as they are. */
const changed = (edit: (one: Signer) => CborValue): Uint8Array =>
  whole([BODY, EMPTY, PAYLOAD2, SIGNERS.map((one) => edit(one))]);
/** The first signer with these protected bytes, which it has signed. */
const withHeader = (make: (alg: string, kid: string) => string): Uint8Array =>
  document(
    byKid(ROOTS).map((name, i) =>
      i > 0 ? signer(name) : signer(name, BODY, bytesOf(make('32', `5820${testKey(name).publicKey.kid}`))),
    ),
  );

const STRANGERS = ['stranger 1', 'stranger 2'];
const BOTH = byKid([...ROOTS, ...STRANGERS]);
/** The roots and two strangers, with this in the place of the first one. */
const withStranger = (edit: (one: Signer) => readonly (readonly CborValue[])[]): Uint8Array =>
  document(BOTH.flatMap((name) => (name === STRANGERS[0] ? edit(signer(name)) : [signer(name)])));
const swapped = (name: string): string => STRANGERS[1 - STRANGERS.indexOf(name)] ?? name;
const MORE = new Map<CborValue, CborValue>([[4, 'x']]);

export const SHAPES: readonly Row[] = [
  ['cose-no-tag', 'no tag', headed(''), C],
  ['cose-tag-354', 'tag 2^8+98', headed('d90162'), C],
  ['cose-tag-32-bits', 'tag 2^32+98', headed('db0000000100000062'), C],
  [
    'cose-trailing',
    'a byte behind the item',
    armored(concatBytes(encodeTagged(98, [BODY, EMPTY, PAYLOAD2, signatures]), Uint8Array.of(0))),
    'keyset_cbor_malformed',
  ],
  ['cose-map', 'a map under the tag', whole(new Map()), C],
  ['cose-items-3', 'three items, without the signatures', whole([BODY, EMPTY, PAYLOAD2]), C],
  ['cose-payload-text', 'the payload is a text', whole([BODY, EMPTY, 'x', signatures]), C],
  [
    'cose-body-map',
    'the protected header is a map itself',
    whole([new Map([[16, TYP.keyset]]), EMPTY, PAYLOAD2, signatures]),
    C,
  ],
  ['cose-body-empty', 'the protected header is empty', body(''), C],
  ['cose-body-none', 'the protected header is a map without entries', body('a0'), C],
  ['cose-body-array', 'the protected header contains an array', body(`82${hex(16)}${hex(TYP.keyset)}`), C],
  ['cose-body-other-label', 'the typ has another label', body(`a103${hex(TYP.keyset)}`), C],
  ['cose-body-typ-integer', 'the typ is an integer', body('a11000'), C],
  ['cose-body-long-label', 'a long head in the protected header', body(`a11810${hex(TYP.keyset)}`), D],
  [
    'cose-body-trailing',
    'a byte behind the map of the protected header',
    body(`a110${hex(TYP.keyset)}00`),
    'keyset_cbor_malformed',
  ],
  ['cose-unprotected-array', 'an empty array for the unprotected header', whole([BODY, [], PAYLOAD2, signatures]), C],
  [
    'cose-unprotected-bytes',
    'an empty byte string for the unprotected header',
    whole([BODY, new Uint8Array(), PAYLOAD2, signatures]),
    C,
  ],
  [
    'cose-signer-unprotected-array',
    'an empty array for the unprotected header of each signer',
    changed(([own, , signature]) => [own, [], signature]),
    C,
  ],
  [
    'cose-signers-map',
    'a map for the list of signatures',
    whole([BODY, EMPTY, PAYLOAD2, new Map(signatures.map((one, i) => [i, one]))]),
    C,
  ],
  [
    'cose-signers-one',
    'the items of one signature in place of the list of signatures',
    whole([BODY, EMPTY, PAYLOAD2, signatures[0] ?? []]),
    C,
  ],
  [
    'cose-signer-items-2',
    'no unprotected header in each signature',
    changed(([own, , signature]) => [own, signature]),
    C,
  ],
  [
    'cose-signer-map',
    'a map for each signature',
    changed(
      ([own, empty, signature]) =>
        new Map<CborValue, CborValue>([
          [0, own],
          [1, empty],
          [2, signature],
        ]),
    ),
    C,
  ],
  ['cose-signer-signature-text', 'a text for each signature value', changed(([own, empty]) => [own, empty, 'x']), C],
  [
    'cose-signer-header-text',
    'a text for the protected header of each signer',
    changed(([, empty, signature]) => ['x', empty, signature]),
    C,
  ],
  ['cose-signer-header-empty', 'an empty protected header of a signer', withHeader(() => ''), C],
  [
    'cose-signer-header-more',
    'one more entry in the protected header of a signer',
    withHeader((alg, kid) => `a301${alg}02${hex('x')}04${kid}`),
    C,
  ],
  [
    'cose-signer-header-typ',
    'a typ in the protected header of a signer',
    withHeader((alg, kid) => `a301${alg}04${kid}10${hex(TYP.keyset)}`),
    C,
  ],
  [
    'cose-signer-header-array',
    'an array in the protected header of a signer',
    withHeader((alg, kid) => `8401${alg}04${kid}`),
    C,
  ],
  ['cose-signer-no-alg', 'no alg in the protected header of a signer', withHeader((_alg, kid) => `a104${kid}`), C],
  ['cose-signer-no-kid', 'no kid in the protected header of a signer', withHeader((alg) => `a101${alg}`), C],
  [
    'cose-signer-kid-text',
    'a text for the kid of a signer',
    withHeader((alg, kid) => `a201${alg}04${hex(kid.slice(4))}`),
    C,
  ],
  [
    'cose-signer-kid-31',
    'the first 31 bytes of the kid of a signer',
    withHeader((alg, kid) => `a201${alg}04581f${kid.slice(4, -2)}`),
    C,
  ],
  [
    'cose-signer-kid-33',
    'a byte behind the kid of a signer',
    withHeader((alg, kid) => `a201${alg}045821${kid.slice(4)}00`),
    C,
  ],
  ['cose-signer-alg-bytes', 'a byte string for the alg of a signer', withHeader((_alg, kid) => `a201413204${kid}`), C],
  [
    'cose-signer-header-long',
    'a long head in the protected header of a signer',
    withHeader((alg, kid) => `b80201${alg}04${kid}`),
    D,
  ],
  [
    'cose-signer-header-unsorted',
    'kid before alg in the protected header of a signer',
    withHeader((alg, kid) => `a204${kid}01${alg}`),
    D,
  ],
  [
    'cose-signer-header-trailing',
    'a byte behind the map in the protected header of a signer',
    withHeader((alg, kid) => `a201${alg}04${kid}00`),
    'keyset_cbor_malformed',
  ],
  [
    'cose-signer-alg-eddsa',
    'alg -8 (EdDSA) of a signer whose signature is valid',
    withHeader((_alg, kid) => `a2012704${kid}`),
    'keyset_alg_unknown',
  ],
  [
    'cose-stranger-items-4',
    'a fourth item behind the signature of a stranger',
    withStranger((one) => [[...one, new Uint8Array()]]),
    C,
  ],
  [
    'cose-stranger-unprotected',
    'an entry in the unprotected header of a stranger',
    withStranger(([own, , signature]) => [[own, MORE, signature]]),
    C,
  ],
  [
    'cose-stranger-alg',
    'an unknown alg of a stranger',
    withStranger(() => [signer('stranger 1', BODY, bytesOf(`a20127045820${testKey('stranger 1').publicKey.kid}`))]),
    'keyset_alg_unknown',
  ],
  ['cose-stranger-twice', 'one stranger twice', withStranger((one) => [one, one]), C],
  [
    'cose-strangers-unsorted',
    'two strangers, each in the place of the other',
    document(BOTH.map((name) => signer(swapped(name)))),
    C,
  ],
  [
    'cose-stranger-short',
    'a stranger whose signature has no bytes',
    withStranger(([own, empty]) => [[own, empty, new Uint8Array()]]),
    2,
  ],
  [
    'signature-long',
    'a byte behind the signature of a root',
    changed(([own, empty, signature]) => [own, empty, concatBytes(signature, Uint8Array.of(0))]),
    'keyset_signature_invalid',
  ],
  [
    'signature-empty',
    'a signature of no bytes by a root',
    changed(([own, empty]) => [own, empty, new Uint8Array()]),
    'keyset_signature_invalid',
  ],
];
