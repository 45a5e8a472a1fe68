/** The environment's override of built-in keys, good and bad: Appendix B.7 of docs/format.md. */
import { encodeBase64, encodeBase64Url } from '../../formats/base64.ts';
import { concatBytes, fromHex, utf8 } from '../../formats/bytes.ts';
import { exportPublicKey } from '../../keys/public/encodings/public-key-file.ts';
import type { OverrideVariables } from '../../verifier/override.ts';
import { compositeKey, ed25519Key, otherKey } from './example-keys.ts';
import { active, type ExampleTrust, type ExampleTrustedKey } from './example-trust.ts';
import type { Pad } from './small-example.ts';

/** Path → text, or text with a pad behind it. */
type ExampleFiles = Readonly<Record<string, string | { readonly file: string; readonly pad: Pad }>>;

export interface OverrideExample {
  readonly id: string;
  readonly what: string;
  readonly builtIn: ExampleTrust;
  readonly variables: OverrideVariables;
  /** For `file:PATH`. */
  readonly files?: ExampleFiles;
  /** The trust that results, or that there is none. */
  readonly expected: ExampleTrust | 'configuration_invalid';
}

type Row = readonly [
  id: string,
  what: string,
  builtIn: ExampleTrust,
  variables: OverrideVariables,
  expected: OverrideExample['expected'],
  files?: ExampleFiles,
];

const A = encodeBase64(ed25519Key.publicKey.bytes);
const OTHER = encodeBase64(otherKey.bytes);
const COMPONENT = encodeBase64(compositeKey.publicKey.ed25519);
const MLDSA65 = encodeBase64(compositeKey.publicKey.mldsa65 ?? new Uint8Array());
const PEM = new TextDecoder().decode(exportPublicKey(ed25519Key.publicKey, 'pem'));
const JWK = new TextDecoder().decode(exportPublicKey(ed25519Key.publicKey, 'jwk'));
const [MLDSA65_PEM = '', COMPONENT_PEM = ''] = new TextDecoder()
  .decode(exportPublicKey(compositeKey.publicKey, 'pem'))
  .split(/(?<=-----END PUBLIC KEY-----\n)/);

const COMPOSITE_PEM = new TextDecoder().decode(exportPublicKey(compositeKey.publicKey, 'composite-pem'));
/** PKCS #8 (RFC 8410) of the seed, which is published. */
const PRIVATE_PEM = `-----BEGIN PRIVATE KEY-----\n${encodeBase64(
  concatBytes(fromHex('302e020100300506032b657004220420') ?? new Uint8Array(), utf8(ed25519Key.ed25519Seed)),
)}\n-----END PRIVATE KEY-----\n`;

const root: ExampleTrustedKey = { ...active('other'), purpose: 'root' };
const rootAnd = (...keys: readonly ExampleTrustedKey[]): ExampleTrust => ({
  keys: [root, ...keys],
  requireComposite: false,
});
const BUILT_IN = rootAnd(active('composite'));
const STRICT: ExampleTrust = { ...BUILT_IN, requireComposite: true };
const WITH_A = rootAnd(active('ed25519'));
const WITH_B = rootAnd(active('composite'));

const first = (value: string): OverrideVariables => ({ LICENSE_PUBLIC_KEY: value });
const pair = (ed25519: string, mldsa65: string): OverrideVariables => ({
  LICENSE_PUBLIC_KEY: ed25519,
  LICENSE_MLDSA_PUBLIC_KEY: mldsa65,
});
const composite = (value: string): OverrideVariables => ({ LICENSE_REQUIRE_COMPOSITE: value });

const MAX_FILE_BYTES = 65_536;
const blanksUpTo = (bytes: number): ExampleFiles[string] => ({ file: A, pad: { byte: 0x20, count: bytes - A.length } });

const INVALID = 'configuration_invalid';

const ROWS: readonly Row[] = [
  ['override-none', 'no variable: the built-in trust', BUILT_IN, {}, BUILT_IN],
  [
    'override-blank',
    'three blank variables',
    BUILT_IN,
    { LICENSE_PUBLIC_KEY: ' \n', LICENSE_MLDSA_PUBLIC_KEY: '', LICENSE_REQUIRE_COMPOSITE: '\t' },
    BUILT_IN,
  ],
  ['override-one', 'one key: the built-in license key goes, the root stays', BUILT_IN, first(A), WITH_A],
  ['override-trimmed', 'blanks around items', BUILT_IN, first(`\t${A}\r\n`), WITH_A],
  ['override-pair', 'a composite', WITH_A, pair(COMPONENT, MLDSA65), WITH_B],
  [
    'override-two',
    'a composite, and a key that stands alone',
    rootAnd(),
    pair(`${COMPONENT}, ${A}`, `${MLDSA65}, `),
    rootAnd(active('composite'), active('ed25519')),
  ],
  ['override-twice', 'one key twice', rootAnd(), first(`${A},${A}`), WITH_A],
  ['override-pem', 'SPKI PEM', BUILT_IN, first(PEM), WITH_A],
  ['override-pem-crlf', 'SPKI PEM with CRLF', BUILT_IN, first(PEM.replaceAll('\n', '\r\n')), WITH_A],
  ['override-pem-pair', 'a composite as two variables of PEM', rootAnd(), pair(COMPONENT_PEM, MLDSA65_PEM), WITH_B],
  ['override-file', 'a file with PEM', BUILT_IN, first('file:/keys/a.pem'), WITH_A, { '/keys/a.pem': PEM }],
  [
    'override-file-raw',
    'a file with base64, blanks around it',
    BUILT_IN,
    first('file:/keys/a.b64'),
    WITH_A,
    { '/keys/a.b64': `\n ${A}\r\n` },
  ],
  [
    'override-mldsa-file',
    'a file with the ML-DSA-65 key of a composite as PEM, which is no file of public keys by itself',
    rootAnd(),
    pair(COMPONENT, 'file:/keys/b.pem'),
    WITH_B,
    { '/keys/b.pem': MLDSA65_PEM },
  ],
  [
    'override-file-trailing',
    'blanks behind a path, which are not part of it',
    BUILT_IN,
    first('file:/keys/a.pem \r\n'),
    WITH_A,
    { '/keys/a.pem': PEM },
  ],
  [
    'override-known-purpose',
    'a built-in root: it keeps its purpose, and no key for licenses is left',
    BUILT_IN,
    first(OTHER),
    rootAnd(),
  ],
  [
    'override-known-revoked',
    'a key that is built in and revoked: it stays revoked',
    rootAnd({ ...active('ed25519'), status: 'revoked' }),
    first(A),
    rootAnd({ ...active('ed25519'), status: 'revoked' }),
  ],
  [
    'override-revoked-goes',
    'a built-in license key that is revoked goes, too',
    rootAnd({ ...active('composite'), status: 'revoked' }),
    first(A),
    WITH_A,
  ],
  [
    'override-file-largest',
    'a file of 65,536 bytes, most of them blanks',
    BUILT_IN,
    first('file:/keys/a'),
    WITH_A,
    { '/keys/a': blanksUpTo(MAX_FILE_BYTES) },
  ],
  [
    'override-file-too-large',
    'the same with one blank more',
    BUILT_IN,
    first('file:/keys/a'),
    INVALID,
    { '/keys/a': blanksUpTo(MAX_FILE_BYTES + 1) },
  ],
  [
    'override-known-scope',
    'a key that is built in for one product: it stays so',
    rootAnd({ ...active('ed25519'), products: ['vaultdesk'] }),
    first(A),
    rootAnd({ ...active('ed25519'), products: ['vaultdesk'] }),
  ],
  [
    'override-policy',
    'policy stays',
    {
      ...BUILT_IN,
      ed25519Until: 1,
      revokedLicenses: ['0193817a-6c00-7000-8000-000000000001'],
      lowestCounters: { 'a/b/c': 2 },
    },
    first(A),
    {
      ...WITH_A,
      ed25519Until: 1,
      revokedLicenses: ['0193817a-6c00-7000-8000-000000000001'],
      lowestCounters: { 'a/b/c': 2 },
    },
  ],
  ['override-composite', '`LICENSE_REQUIRE_COMPOSITE` alone, blanks around it', BUILT_IN, composite(' 1\n'), STRICT],
  ['override-composite-blank', 'blank, where it is required already', STRICT, composite(' '), STRICT],
  [
    'override-composite-both',
    'with a key',
    BUILT_IN,
    { ...first(A), ...composite('1') },
    { ...WITH_A, requireComposite: true },
  ],

  ['override-composite-zero', '`LICENSE_REQUIRE_COMPOSITE=0`', BUILT_IN, composite('0'), INVALID],
  ['override-composite-true', '`LICENSE_REQUIRE_COMPOSITE=true`', BUILT_IN, composite('true'), INVALID],
  [
    'override-mldsa-alone',
    'the second variable without the first',
    BUILT_IN,
    { LICENSE_MLDSA_PUBLIC_KEY: MLDSA65 },
    INVALID,
  ],
  ['override-count', 'two items and one', BUILT_IN, pair(`${COMPONENT},${A}`, MLDSA65), INVALID],
  ['override-count-more', 'one item and two', BUILT_IN, pair(COMPONENT, `${MLDSA65},`), INVALID],
  ['override-empty-item', 'an empty item in the first variable', BUILT_IN, first(`${A},`), INVALID],
  ['override-half', 'a component of a built-in composite', BUILT_IN, first(COMPONENT), INVALID],
  [
    'override-half-twice',
    'one Ed25519 key in a composite and alone',
    rootAnd(),
    pair(`${COMPONENT},${COMPONENT}`, `${MLDSA65},`),
    INVALID,
  ],
  ['override-swapped', 'an ML-DSA-65 key in the first variable', BUILT_IN, pair(MLDSA65, COMPONENT), INVALID],
  ['override-pem-swapped', 'the same as PEM', BUILT_IN, pair(MLDSA65_PEM, COMPONENT_PEM), INVALID],
  ['override-pem-two', 'two PEM blocks in one item', BUILT_IN, first(PEM + COMPONENT_PEM), INVALID],
  ['override-pem-escaped', 'PEM with `\\n` in two characters', BUILT_IN, first(PEM.replaceAll('\n', '\\n')), INVALID],
  ['override-pem-one-line', 'PEM with blanks for line ends', BUILT_IN, first(PEM.replaceAll('\n', ' ')), INVALID],
  ['override-raw-blank', 'base64 with a blank in it', BUILT_IN, first(`${A.slice(0, 20)} ${A.slice(20)}`), INVALID],
  ['override-no-break', 'a no-break space around a key', BUILT_IN, first(`\u00a0${A}\u00a0`), INVALID],
  ['override-no-break-blank', 'a variable with only a no-break space', BUILT_IN, first('\u00a0'), INVALID],
  ['override-composite-form-feed', '`LICENSE_REQUIRE_COMPOSITE` with a form feed', BUILT_IN, composite('1\f'), INVALID],
  [
    'override-mldsa-composite',
    'base64 of the 1984 bytes of a composite in the second variable',
    rootAnd(),
    pair(COMPONENT, encodeBase64(compositeKey.publicKey.bytes)),
    INVALID,
  ],
  [
    'override-half-root',
    'a component of a built-in composite root',
    { keys: [{ ...active('composite'), purpose: 'root' }] },
    first(COMPONENT),
    INVALID,
  ],
  ['override-raw-url', 'base64url', BUILT_IN, first(encodeBase64Url(ed25519Key.publicKey.bytes)), INVALID],
  [
    'override-raw-composite',
    'base64 of the 1984 bytes of a composite',
    BUILT_IN,
    first(encodeBase64(compositeKey.publicKey.bytes)),
    INVALID,
  ],
  ['override-jwk', 'a file with a JWK', BUILT_IN, first('file:/keys/a.jwk'), INVALID, { '/keys/a.jwk': JWK }],
  ['override-file-missing', 'a file that is not there', BUILT_IN, first('file:/keys/none'), INVALID],
  [
    'override-file-blank',
    'a blank behind `file:`, which is part of the path',
    BUILT_IN,
    first('file: /keys/a.pem'),
    INVALID,
    { '/keys/a.pem': PEM },
  ],
  ['override-file-case', '`FILE:`', BUILT_IN, first('FILE:/keys/a.pem'), INVALID, { '/keys/a.pem': PEM }],
  [
    'override-file-file',
    'a file that names a file',
    BUILT_IN,
    first('file:/keys/a'),
    INVALID,
    { '/keys/a': 'file:/keys/a.pem', '/keys/a.pem': PEM },
  ],
  [
    'override-file-two',
    'a file with two keys',
    BUILT_IN,
    first('file:/keys/a'),
    INVALID,
    { '/keys/a': PEM + COMPONENT_PEM },
  ],
  ['override-composite-pem', 'a composite in one piece as PEM', BUILT_IN, first(COMPOSITE_PEM), INVALID],
  ['override-composite-mldsa', 'the same in the second variable', BUILT_IN, pair(COMPONENT, COMPOSITE_PEM), INVALID],
  ['override-private', 'a private key as PEM', BUILT_IN, first(PRIVATE_PEM), INVALID],
  [
    'override-private-file',
    'a file with a public key and a private one',
    BUILT_IN,
    first('file:/keys/a'),
    INVALID,
    { '/keys/a': PEM + PRIVATE_PEM },
  ],
  ['override-small-order', 'a key of small order', BUILT_IN, first(encodeBase64(new Uint8Array(32))), INVALID],
  ['override-path', 'a path without `file:`', BUILT_IN, first('/keys/a.pem'), INVALID, { '/keys/a.pem': PEM }],
];

export const overrideExamples: readonly OverrideExample[] = Object.freeze(
  ROWS.map(([id, what, builtIn, variables, expected, files]) =>
    Object.freeze({ id, what, builtIn, variables, ...(files === undefined ? {} : { files }), expected }),
  ),
);
