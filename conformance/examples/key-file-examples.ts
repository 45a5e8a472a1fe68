/** Files of public keys, good and bad: Appendix B.6 of docs/format.md. */
import { Point } from '@noble/ed25519';
import { encodeBase64, encodeBase64Url } from '../../formats/base64.ts';
import { concatBytes, fromHex, utf8 } from '../../formats/bytes.ts';
import { encodePrivateCoseKey } from '../../formats/cose-key.ts';
import { exportPublicKey, type PublicKeyForm } from '../../keys/public/encodings/public-key-file.ts';
import { importPublicKey, type PublicKey } from '../../keys/public/public-key.ts';
import { compositeKey, ed25519Key, otherKey, sharedComponentKey } from './example-keys.ts';
import { PRIVATE_MARK_ROWS } from './private-mark-examples.ts';
import type { Pad } from './small-example.ts';

export interface KeyFileExample {
  readonly id: string;
  readonly what: string;
  readonly file: Uint8Array;
  /** What follows the file's bytes, where the file is large. */
  readonly pad?: Pad;
  /** The kids, in their order; undefined: the file is refused. */
  readonly kids: readonly string[] | undefined;
  /** Of a file that is refused. */
  readonly reason?: 'key_invalid' | 'json_malformed';
}

type Row = readonly [
  id: string,
  what: string,
  file: Uint8Array | string,
  keys: readonly PublicKey[] | undefined,
  pad?: Pad,
];

const plain = ed25519Key.publicKey;
const composite = compositeKey.publicKey;

const bytesOf = (key: PublicKey, form: PublicKeyForm): Uint8Array => exportPublicKey(key, form);
const textOf = (key: PublicKey, form: PublicKeyForm): string => new TextDecoder().decode(exportPublicKey(key, form));

const PEM = textOf(plain, 'pem');
const [, BODY = ''] = PEM.split('\n');
const pem = (label: string, ...lines: readonly string[]): string =>
  [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
/** The two blocks of the composite. */
const [MLDSA65_PEM = '', COMPONENT_PEM = ''] = textOf(composite, 'pem').split(/(?<=-----END PUBLIC KEY-----\n)/);

const MAX_FILE_BYTES = 1_048_576;

const RAW = textOf(plain, 'raw').trimEnd();
const JWK = textOf(plain, 'jwk').trimEnd();
const COMPOSITE_JWK = textOf(composite, 'jwk').trimEnd();
const X = encodeBase64Url(plain.bytes);
const jwkWith = (members: string): string => JWK.replace('}', `,${members}}`);

/** So many arrays inside one another. */
const nested = (count: number): string => '['.repeat(count) + ']'.repeat(count);

/** PKCS#8 (RFC 8410) of the seed, which is published. */
const PRIVATE_DER = concatBytes(
  fromHex('302e020100300506032b657004220420') ?? new Uint8Array(),
  utf8(ed25519Key.ed25519Seed),
);

/** A key whose base64 begins with the character "0", which is also the first byte of DER. */
function keyThatBeginsWithZero(): PublicKey {
  for (let i = 1n; i < 4096n; i++) {
    const bytes = Point.BASE.multiply(i).toBytes();
    if ((bytes[0] ?? 0) >> 2 === 52) return importPublicKey('ed25519', bytes);
  }
  throw new Error('no such key was found');
}

const zero = keyThatBeginsWithZero();

const ROWS: readonly Row[] = [
  ['keys-pem-crlf', 'PEM with CRLF line ends, the last one missing', PEM.trimEnd().replaceAll('\n', '\r\n'), [plain]],
  [
    'keys-pem-width',
    'PEM with lines of 20 characters and an empty line',
    pem('PUBLIC KEY', ...(BODY.match(/.{1,20}/g) ?? []), ''),
    [plain],
  ],
  [
    'keys-pem-blanks',
    'blank space around PEM blocks and behind their BEGIN and END',
    ` \n${PEM.replaceAll('-----\n', '----- \t\n')}\n\t${COMPONENT_PEM}\n`,
    [plain, importPublicKey('ed25519', composite.ed25519)],
  ],
  ['keys-pem-list', 'three PEM blocks: A.1, then A.2', PEM + MLDSA65_PEM + COMPONENT_PEM, [plain, composite]],
  [
    'keys-der-list',
    'the same as DER',
    concatBytes(bytesOf(plain, 'der'), bytesOf(composite, 'der')),
    [plain, composite],
  ],
  [
    'keys-jwk-more',
    'a JWK with a false `kid`, `use` and `alg`',
    jwkWith('"kid":"00","use":"enc","alg":"none"'),
    [plain],
  ],
  ['keys-jwk-blanks', 'blank space around a JWK', `\r\n\t ${JWK} \n`, [plain]],
  ['keys-jwk-set', 'a JWK Set of two', `{"keys":[${COMPOSITE_JWK},${JWK}]}`, [composite, plain]],
  ['keys-raw-no-end', 'raw, without a line end', RAW, [plain]],
  ['keys-raw-wrapped', 'raw, wrapped, with blanks', ` ${RAW.slice(0, 20)}\r\n\t${RAW.slice(20)}\n\n`, [plain]],
  ['keys-raw-zero', 'raw, and its first byte is `30`', textOf(zero, 'raw'), [zero]],

  [
    'keys-pem-carriage-return',
    'a carriage return alone before BEGIN and behind END, where it is a blank',
    `\r${PEM.trimEnd()}\r`,
    [plain],
  ],
  ['keys-composite-pem', 'a composite in one piece, as PEM', textOf(composite, 'composite-pem'), [composite]],
  ['keys-composite-der', 'the same as DER', bytesOf(composite, 'composite-der'), [composite]],
  ['keys-composite-jwk', 'the same as a JWK', textOf(composite, 'composite-jwk'), [composite]],
  [
    'keys-composite-list',
    'a composite in one piece, then an Ed25519 key',
    textOf(composite, 'composite-pem') + PEM,
    [composite, plain],
  ],
  [
    'keys-twice',
    'one key twice, and a composite in both forms',
    PEM + textOf(composite, 'composite-pem') + PEM + textOf(composite, 'pem'),
    [plain, composite],
  ],
  [
    'keys-jwk-words',
    'a JWK with a text about a private key',
    jwkWith('"note":"the private key is in the safe"'),
    [plain],
  ],
  ['keys-jwk-deep', '64 objects and arrays inside one another', jwkWith(`"a":${nested(63)}`), [plain]],

  [
    'keys-largest',
    'PEM in a file of 1,048,576 bytes, most of them blanks',
    PEM,
    [plain],
    { byte: 0x20, count: MAX_FILE_BYTES - PEM.length },
  ],
  [
    'keys-too-large',
    'the same with one blank more',
    PEM,
    undefined,
    { byte: 0x20, count: MAX_FILE_BYTES - PEM.length + 1 },
  ],
  [
    'keys-jwk-other-row',
    'a composite JWK with `crv` and `x`, which are of the other row',
    COMPOSITE_JWK.replace('}', ',"crv":1,"x":""}'),
    [composite],
  ],
  [
    'keys-jwk-numbers',
    'a JWK with numbers that no double holds',
    jwkWith('"a":1e400,"b":123456789012345678901234567890,"c":-0.0'),
    [plain],
  ],
  [
    'keys-jwk-set-item-keys',
    'a JWK Set, its JWK has a member `keys`, which is passed over',
    `{"keys":[${jwkWith('"keys":[]')}]}`,
    [plain],
  ],

  ['keys-empty', 'nothing', '', undefined],
  ['keys-blank', 'blank space alone', ' \n', undefined],
  ['keys-bom', 'PEM behind a byte order mark', `\ufeff${PEM}`, undefined],
  ['keys-pem-text-before', 'text before a PEM block', `subject=A\n${PEM}`, undefined],
  ['keys-pem-text-after', 'text after it', `${PEM}end\n`, undefined],
  ['keys-pem-header', 'a header in it', pem('PUBLIC KEY', 'Comment: A', '', BODY), undefined],
  ['keys-pem-one-line', 'a PEM block on one line', PEM.replaceAll('\n', ' '), undefined],
  ['keys-pem-glued', 'two PEM blocks without a line end between them', PEM.trimEnd() + COMPONENT_PEM, undefined],
  ['keys-pem-end-behind', 'END behind base64 on one line', PEM.replace(`${BODY}\n`, BODY), undefined],
  ['keys-pem-end-blank', 'a blank before END', PEM.replace('-----END', ' -----END'), undefined],
  ['keys-pem-return', 'a carriage return alone for each line end', PEM.replaceAll('\n', '\r'), undefined],
  [
    'keys-pem-return-inside',
    'a carriage return alone within base64',
    PEM.replace(BODY, `${BODY.slice(0, 8)}\r${BODY.slice(8)}`),
    undefined,
  ],
  [
    'keys-pem-two-structures',
    'the two structures of a composite in one block',
    pem('PUBLIC KEY', encodeBase64(bytesOf(composite, 'der'))),
    undefined,
  ],
  ['keys-pem-begin-behind', 'base64 on the line of BEGIN', PEM.replace(`-----\n${BODY}`, `-----${BODY}`), undefined],
  ['keys-pem-return-twice', 'CR CR LF for each line end', PEM.replaceAll('\n', '\r\r\n'), undefined],
  ['keys-pem-return-twice-inside', 'CR CR LF behind base64', PEM.replace(`${BODY}\n`, `${BODY}\r\r\n`), undefined],
  ['keys-pem-unpadded', 'PEM without padding', PEM.replace('=\n', '\n'), undefined],
  ['keys-pem-label', 'another label', pem('CERTIFICATE', BODY), undefined],
  ['keys-pem-label-end', 'another label at the end', PEM.replace('END PUBLIC', 'END RSA PUBLIC'), undefined],
  ['keys-pem-private', 'a private key as PEM', pem('PRIVATE KEY', encodeBase64(PRIVATE_DER)), undefined],
  [
    'keys-pem-private-too',
    'a private key beside its public key',
    PEM + pem('PRIVATE KEY', encodeBase64(PRIVATE_DER)),
    undefined,
  ],
  [
    'keys-pem-private-behind',
    'a private key behind text',
    `Bag Attributes\n${pem('PRIVATE KEY', encodeBase64(PRIVATE_DER))}`,
    undefined,
  ],
  ['keys-openssh-private', 'an OpenSSH private key', pem('OPENSSH PRIVATE KEY', encodeBase64(PRIVATE_DER)), undefined],
  ['keys-pem-mldsa-alone', 'an ML-DSA-65 key alone', MLDSA65_PEM, undefined],
  ['keys-pem-ed25519-first', 'the components of a composite, Ed25519 first', COMPONENT_PEM + MLDSA65_PEM, undefined],
  [
    'keys-pem-mldsa-twice',
    'two ML-DSA-65 keys, then an Ed25519 key',
    MLDSA65_PEM + MLDSA65_PEM + COMPONENT_PEM,
    undefined,
  ],
  [
    'keys-composite-after-mldsa',
    'an ML-DSA-65 key, then a composite in one piece',
    MLDSA65_PEM + textOf(composite, 'composite-pem'),
    undefined,
  ],
  [
    'keys-composite-short',
    'DER of a composite in one piece, a byte short',
    bytesOf(composite, 'composite-der').slice(0, -1),
    undefined,
  ],
  [
    'keys-shared',
    'a composite in one piece, and its Ed25519 component as a key',
    textOf(composite, 'composite-pem') + COMPONENT_PEM,
    undefined,
  ],
  [
    'keys-shared-mldsa',
    'two composites with one ML-DSA-65 component',
    textOf(composite, 'pem') + textOf(sharedComponentKey, 'pem'),
    undefined,
  ],
  ['keys-der-trailing', 'a byte behind the DER', concatBytes(bytesOf(plain, 'der'), Uint8Array.of(0)), undefined],
  ['keys-der-truncated', 'DER a byte short', bytesOf(plain, 'der').slice(0, 43), undefined],
  [
    'keys-der-null',
    'DER with parameters (NULL)',
    concatBytes(fromHex('302c300706032b65700500032100') ?? new Uint8Array(), plain.bytes),
    undefined,
  ],
  ['keys-der-private', 'a private key as DER (PKCS #8)', PRIVATE_DER, undefined],
  [
    'keys-der-private-behind',
    'a private key behind a public one as DER',
    concatBytes(bytesOf(plain, 'der'), PRIVATE_DER),
    undefined,
  ],
  ['keys-raw-private', 'base64 of a private key (PKCS #8)', encodeBase64(PRIVATE_DER), undefined],
  ['keys-raw-spki', 'base64 of an SPKI', encodeBase64(bytesOf(plain, 'der')), undefined],
  ['keys-openssh', 'an OpenSSH public key', `ssh-ed25519 ${RAW} me\n`, undefined],
  ['keys-jwk-private', 'a private JWK', jwkWith(`"d":"${encodeBase64Url(utf8(ed25519Key.ed25519Seed))}"`), undefined],
  ['keys-jwk-private-empty', 'a JWK with an empty `d`', jwkWith('"d":""'), undefined],
  ['keys-jwk-priv', 'a composite JWK with `priv`', COMPOSITE_JWK.replace('}', ',"priv":null}'), undefined],
  ['keys-jwk-set-private', 'a JWK Set, one of them private', `{"keys":[${JWK},${jwkWith('"d":"AA"')}]}`, undefined],
  ['keys-jwk-set-private-beside', 'a JWK Set with `d` beside its keys', `{"d":"AA","keys":[${JWK}]}`, undefined],
  [
    'keys-jwk-private-deep',
    'a JWK with `d` in a member that is passed over',
    jwkWith('"old":[{"kty":"OKP","d":"AA"}]'),
    undefined,
  ],
  ['keys-jwk-secret', 'a JWK with a symmetric key in it', jwkWith('"old":{"kty":"oct","k":"AA"}'), undefined],
  [
    'keys-jwk-private-text',
    'a JWK with a private key as PEM in a text, its dashes escaped',
    jwkWith(`"note":${JSON.stringify(pem('PRIVATE KEY', encodeBase64(PRIVATE_DER))).replaceAll('-', '\\u002d')}`),
    undefined,
  ],
  ['keys-jwk-both', 'an object with both `kty` and `keys`', jwkWith(`"keys":[${JWK}]`), undefined],
  ['keys-jwk-surrogate', 'a lone surrogate, escaped', jwkWith('"note":"\\ud800"'), undefined],
  ['keys-jwk-low-surrogate', 'a lone low surrogate, escaped', jwkWith('"note":"\\udc00"'), undefined],
  [
    'keys-jwk-not-utf8',
    'the byte `ff` in a text',
    concatBytes(utf8(JWK.replace('}', ',"note":"')), Uint8Array.of(0xff), utf8('"}')),
    undefined,
  ],
  ['keys-jwk-too-deep', '65 objects and arrays inside one another', jwkWith(`"a":${nested(64)}`), undefined],
  [
    'keys-jwk-set-shared',
    'a JWK Set of a composite and of its Ed25519 component',
    `{"keys":[${COMPOSITE_JWK},${textOf(importPublicKey('ed25519', composite.ed25519), 'jwk')}]}`,
    undefined,
  ],
  ['keys-jwk-repeated', 'a member twice in a JWK', jwkWith(`"x":"${X}"`), undefined],
  ['keys-jwk-repeated-escaped', 'the same, the second name escaped', jwkWith(`"\\u0078":"${X}"`), undefined],
  ['keys-jwk-padded', 'base64url with padding', JWK.replace(X, `${X}=`), undefined],
  [
    'keys-jwk-unused-bits',
    'base64url with unused bits that are not zero',
    JWK.replace(X, `${X.slice(0, -1)}J`),
    undefined,
  ],
  ['keys-jwk-curve', 'crv X25519', JWK.replace('Ed25519', 'X25519'), undefined],
  [
    'keys-jwk-mldsa',
    'an AKP of ML-DSA-65 alone',
    `{"kty":"AKP","alg":"ML-DSA-65","pub":"${encodeBase64Url(composite.mldsa65 ?? new Uint8Array())}"}`,
    undefined,
  ],
  [
    'keys-jwk-set-other',
    'a JWK Set, one of them of another kind',
    `{"keys":[${JWK},{"kty":"oct","k":"AA"}]}`,
    undefined,
  ],
  ['keys-jwk-array', 'an array of JWKs', `[${JWK}]`, undefined],
  ['keys-jwk-two', 'two JWKs, one after the other', `${JWK}\n${JWK}\n`, undefined],
  ['keys-cose-trailing', 'a byte behind a COSE_Key', concatBytes(bytesOf(plain, 'cose'), Uint8Array.of(0)), undefined],
  [
    'keys-cose-alg',
    'a COSE_Key with alg',
    concatBytes(fromHex('a4010103322006215820') ?? new Uint8Array(), plain.bytes),
    undefined,
  ],
  [
    'keys-cose-kid',
    'a COSE_Key with kid',
    concatBytes(fromHex('a4010102416b2006215820') ?? new Uint8Array(), plain.bytes),
    undefined,
  ],
  [
    'keys-cose-private-kid',
    'a private COSE_Key with kid',
    concatBytes(
      fromHex('a5010102416b2006215820') ?? new Uint8Array(),
      plain.bytes,
      fromHex('235820') ?? new Uint8Array(),
      utf8(ed25519Key.ed25519Seed),
    ),
    undefined,
  ],
  [
    'keys-cose-private',
    'a private COSE_Key',
    encodePrivateCoseKey('ed25519', plain.bytes, utf8(ed25519Key.ed25519Seed)),
    undefined,
  ],
  ['keys-raw-two', 'two raw keys', textOf(plain, 'raw') + textOf(otherKey, 'raw'), undefined],
  ['keys-raw-31', 'base64 of 31 bytes', encodeBase64(plain.bytes.slice(1)), undefined],
  [
    'keys-raw-64',
    'base64 of 64 bytes',
    encodeBase64(concatBytes(utf8(ed25519Key.ed25519Seed), plain.bytes)),
    undefined,
  ],
  [
    'keys-raw-mldsa',
    'base64 of an ML-DSA-65 key alone',
    encodeBase64(composite.mldsa65 ?? new Uint8Array()),
    undefined,
  ],
  ['keys-raw-url', 'base64url of 32 bytes', X, undefined],
  ['keys-hex', 'hex', '02b3a60156123daac464f3eb2801b06d730b4b973dffc788edf8223e7da0d512', undefined],
  ['keys-small-order', 'a key of small order', encodeBase64(new Uint8Array(32)), undefined],
];

/** Where the JSON itself is at fault (rule 6 of section 11.2). */
const MALFORMED_JSON: ReadonlySet<string> = new Set([
  'keys-jwk-surrogate',
  'keys-jwk-low-surrogate',
  'keys-jwk-not-utf8',
  'keys-jwk-too-deep',
  'keys-jwk-repeated',
  'keys-jwk-repeated-escaped',
  'keys-jwk-two',
]);

export const keyFileExamples: readonly KeyFileExample[] = Object.freeze(
  [...ROWS, ...PRIVATE_MARK_ROWS].map(([id, what, file, keys, pad]) =>
    Object.freeze({
      id,
      what,
      file: typeof file === 'string' ? utf8(file) : file,
      ...(pad === undefined ? {} : { pad }),
      kids: keys?.map(({ kid }) => kid),
      ...(keys === undefined ? { reason: MALFORMED_JSON.has(id) ? 'json_malformed' : 'key_invalid' } : {}),
    }),
  ),
);
