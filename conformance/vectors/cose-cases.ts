/** Genuinely signed licenses that break one rule of COSE, of the header or of the key, and no other rule. */
import { armor } from '../../formats/armor.ts';
import { concatBytes, utf8 } from '../../formats/bytes.ts';
import { encodeHead } from '../../formats/cbor/index.ts';
import { ALGORITHMS } from '../../formats/cose-algorithm.ts';
import { TYP, type Kind } from '../../formats/cose-sign1.ts';
import { ed25519Component } from '../../keys/private/software/private-key-objects.ts';
import { kidOf } from '../../keys/public/public-key.ts';
import { sign } from 'node:crypto';
import { COMPOSITE_ED25519_SEED, type ExampleKey } from '../examples/example-keys.ts';
import { ed25519License } from '../examples/example-licenses.ts';
import { minimalPayload } from '../examples/minimal-payload.ts';
import { bytesOf, hex } from '../examples/small-example.ts';
import type { Reason } from '../../verifier/reasons.ts';
import type { State } from '../../verifier/verdict.ts';
import { active, NAMED_KEYS, type ExampleTrustedKey, type KeyName } from '../examples/example-trust.ts';
import { COMPOSITE_TRUST, headerOf, KEYS, mapOf, signedFile, verifyCases, type VerifyRow } from './verify-cases.ts';
import type { CaseFolder } from './case.ts';

const { protectedBytes, payload, signature } = ed25519License;
const item = (content: Uint8Array): Uint8Array => concatBytes(encodeHead(2, content.length), content);

/** @param before hex before the first item @param unprotected hex of the second item @param end hex behind the fourth */
function envelope(before: string, unprotected: string, end: string): Uint8Array {
  return armor(
    'VTLIC',
    concatBytes(
      bytesOf(before),
      item(protectedBytes),
      bytesOf(unprotected),
      item(payload),
      item(signature),
      bytesOf(end),
    ),
  );
}

type Row = readonly [id: string, title: string, file: Uint8Array, clause: string, expected?: Reason];

const ENVELOPES: readonly Row[] = [
  ['cose-genuine-untagged', 'a genuine license without its tag', envelope('84', 'a0', ''), '5.1'],
  ['cose-genuine-tag-17', 'a genuine license under tag 17 (COSE_Mac0)', envelope('d184', 'a0', ''), '5.1'],
  ['cose-genuine-tag-98', 'a genuine license under tag 98 (COSE_Sign)', envelope('d86284', 'a0', ''), '5.1'],
  ['cose-genuine-tag-61', 'a genuine license under tag 61 (CWT) only', envelope('d83d84', 'a0', ''), '5.1'],
  ['cose-genuine-tag-274', 'a genuine license under tag 2^8+18', envelope('d9011284', 'a0', ''), '5.1'],
  [
    'cose-genuine-tag-32-bits',
    'a genuine license under tag 2^32+18',
    envelope('db000000010000001284', 'a0', ''),
    '5.1',
  ],
  ['cose-genuine-five', 'a fifth item behind the signature of a genuine license', envelope('d285', 'a0', 'a0'), '5.1'],
  [
    'cose-genuine-unprotected-kid',
    'a kid in the unprotected header of a genuine license',
    envelope('d284', `a104${hex(bytesOf(KEYS.composite.publicKey.kid))}`, ''),
    '5.1',
  ],
  [
    'cose-genuine-unprotected-alg',
    'an alg in the unprotected header of a genuine license',
    envelope('d284', 'a10127', ''),
    '5.1',
  ],
  [
    'cose-genuine-unprotected-text',
    'a text key in the unprotected header of a genuine license',
    envelope('d284', `a1${hex('note')}${hex('x')}`, ''),
    '5.1',
  ],
  [
    'cose-genuine-unprotected-array',
    'an empty array for the unprotected header of a genuine license',
    envelope('d284', '80', ''),
    '5.1',
  ],
  [
    'cose-genuine-unprotected-bytes',
    'an empty byte string for the unprotected header of a genuine license',
    envelope('d284', '40', ''),
    '5.1',
  ],
];

const { alg: ALG, kid: KID, typ: TYPE } = headerOf(KEYS.ed25519);
const KID_BYTES = bytesOf(KEYS.ed25519.publicKey.kid);
const headers = (...entries: readonly string[]): Uint8Array =>
  signedFile(KEYS.ed25519, mapOf(...entries), minimalPayload);
const composite = headerOf(KEYS.composite);
const compositeHeaders = (...entries: readonly string[]): Uint8Array =>
  signedFile(KEYS.composite, mapOf(...entries), minimalPayload);

const HEADERS: readonly Row[] = [
  ['header-content-type', 'a signed content type (3) in the header', headers(ALG, `03${hex('x')}`, KID, TYPE), '5.2'],
  ['header-crit', 'a signed crit (2) in the header', headers(ALG, `0281${hex(16)}`, KID, TYPE), '5.2'],
  ['header-iv', 'a signed IV (5) in the header', headers(ALG, KID, '0540', TYPE), '5.2'],
  ['header-negative', 'a signed entry -1 in the header', headers(ALG, KID, TYPE, '2000'), '5.2'],
  ['header-text', 'a signed entry with a text key in the header', headers(ALG, KID, TYPE, `${hex('x')}00`), '5.2'],
  [
    'header-labels-text',
    'the labels of a signed header as the texts "1", "4" and "16"',
    headers(`${hex('1')}${ALG.slice(2)}`, `${hex('4')}${KID.slice(2)}`, `${hex('16')}${TYPE.slice(2)}`),
    '5.2',
  ],
  [
    'header-label-text',
    'the label of alg as the text "1", and the others are right',
    headers(KID, TYPE, `${hex('1')}${ALG.slice(2)}`),
    '5.2',
  ],
  [
    'header-label-true',
    'true for the label 1 of a signed header',
    headers(KID, TYPE, `${hex(true)}${ALG.slice(2)}`),
    '5.2',
  ],
  ['header-no-typ', 'no typ in a signed header', headers(ALG, KID), '5.2'],
  ['header-no-alg', 'no alg in a signed header', headers(KID, TYPE), '5.2'],
  ['header-no-kid', 'no kid in a signed header', headers(ALG, TYPE), '5.2'],
  [
    'header-kid-text',
    'the right kid, as a text of 64 digits',
    headers(ALG, `04${hex(KEYS.ed25519.publicKey.kid)}`, TYPE),
    '5.2',
  ],
  [
    'header-kid-31',
    'the first 31 bytes of the right kid',
    headers(ALG, `04${hex(KID_BYTES.slice(0, 31))}`, TYPE),
    '5.2',
  ],
  ['header-kid-8', 'the first 8 bytes of the right kid', headers(ALG, `04${hex(KID_BYTES.slice(0, 8))}`, TYPE), '5.2'],
  [
    'header-kid-33',
    'the right kid with a byte behind it',
    headers(ALG, `04${hex(concatBytes(KID_BYTES, Uint8Array.of(0)))}`, TYPE),
    '5.2',
  ],
  [
    'alg-minus-8',
    'alg -8 (EdDSA), and the Ed25519 signature is valid',
    headers('0127', KID, TYPE),
    '5.2',
    'alg_unknown',
  ],
  ['alg-true', 'true for the alg of a signed header', headers(`01${hex(true)}`, KID, TYPE), '5.2'],
  ['alg-text-minus-19', 'alg "-19" as a text', headers(`01${hex('-19')}`, KID, TYPE), '5.2', 'alg_unknown'],
  ...[237, -275, 2 ** 32 - 19, -19 - 2 ** 32].map((alg): Row => [
    `alg-${alg < 0 ? 'minus-' : ''}${Math.abs(alg)}`,
    `alg ${alg}, whose low bits are those of -19`,
    headers(`01${hex(alg)}`, KID, TYPE),
    '5.2',
    'alg_unknown',
  ]),
  ['alg-text-ed25519', 'alg "Ed25519" as a text', headers(`01${hex('Ed25519')}`, KID, TYPE), '5.2', 'alg_unknown'],
  ['alg-text-eddsa', 'alg "EdDSA" as a text', headers(`01${hex('EdDSA')}`, KID, TYPE), '5.2', 'alg_unknown'],
];

const COMPOSITE_HEADERS: readonly Row[] = [
  [
    'alg-jose-composite',
    'alg "ML-DSA-65-Ed25519", the name of the draft for JOSE, over a valid composite',
    compositeHeaders(`01${hex('ML-DSA-65-Ed25519')}`, composite.kid, composite.typ),
    '5.2',
    'alg_unknown',
  ],
  [
    'alg-minus-49',
    'alg -49 (ML-DSA-65) over a valid composite',
    compositeHeaders(`01${hex(-49)}`, composite.kid, composite.typ),
    '5.2',
    'alg_unknown',
  ],
];

const typed = (typ: string): Uint8Array => headers(ALG, KID, `10${hex(typ)}`);
const OTHER_KINDS = (Object.keys(TYP) as Kind[]).filter((kind) => kind !== 'license');

const TYPES: readonly Row[] = [
  ...OTHER_KINDS.map((kind): Row => [
    `typ-${kind}`,
    `a document of the kind ${kind}, signed by a key for licenses, with the claims of a license`,
    typed(TYP[kind]),
    '5.2',
    'typ_wrong',
  ]),
  ...(Object.keys(TYP) as Kind[]).map((kind): Row => [
    `typ-rehearsal-${kind}`,
    `the rehearsal of a ${kind}, signed by a key for licenses`,
    typed(`application/vnd.vtlic.rehearsal.${kind}+cose`),
    '5.2',
    'typ_wrong',
  ]),
  [
    'typ-upper-case',
    'the typ of a license in another case',
    typed('application/vnd.vtlic.License+cose'),
    '5.2',
    'typ_wrong',
  ],
  [
    'typ-without-prefix',
    'the typ of a license without "application/"',
    typed('vnd.vtlic.license+cose'),
    '5.2',
    'typ_wrong',
  ],
  ['typ-empty', 'an empty typ', typed(''), '5.2', 'typ_wrong'],
  ['typ-parameter', 'the typ of a license with a parameter', typed(`${TYP.license};v=1`), '5.2', 'typ_wrong'],
  ['typ-blank', 'the typ of a license with a blank behind it', typed(`${TYP.license} `), '5.2', 'typ_wrong'],
  ['typ-cwt', 'the typ of any CWT', typed('application/cwt'), '5.2', 'typ_wrong'],
];

/** The Ed25519 component of the composite example key, misused as a key of its own. */
const component: Pick<ExampleKey, 'publicKey' | 'alg' | 'sign'> & { readonly kid: string } = {
  alg: 'ed25519',
  publicKey: KEYS.composite.publicKey,
  kid: kidOf('ed25519', KEYS.composite.publicKey.ed25519),
  sign: (message) => Uint8Array.from(sign(null, message, ed25519Component(utf8(COMPOSITE_ED25519_SEED)).privateKey)),
};
const ED25519_ALG = `01${hex(ALGORITHMS.ed25519.wire)}`;
const componentKid = `04${hex(bytesOf(component.kid))}`;
const by = (signer: Pick<ExampleKey, 'sign'>, ...entries: readonly string[]): Uint8Array =>
  signedFile({ ...KEYS.ed25519, sign: signer.sign }, mapOf(...entries), minimalPayload);

/** With the composite in the trust, unless said otherwise. */
const KEY_ROWS: readonly Row[] = [
  [
    'key-component',
    'an Ed25519 license by the component of a trusted composite',
    by(component, ED25519_ALG, componentKid, TYPE),
    '8.2',
    'key_composite_only',
  ],
  [
    'key-component-names-composite',
    'a valid composite whose kid is that of its Ed25519 component',
    by(KEYS.composite, composite.alg, componentKid, TYPE),
    '8.2',
    'key_composite_only',
  ],
  [
    'key-downgrade',
    'the kid of a composite, the alg of Ed25519, and a valid signature by the Ed25519 component',
    by(component, ED25519_ALG, composite.kid, TYPE),
    '6.2',
    'key_algorithm_mismatch',
  ],
];

const ZEROS = '00'.repeat(32);
const withKid = (key: KeyName, kid: string): ExampleTrustedKey => ({ ...active(key), kid });

/** Trusts that give wrong kids for their keys. */
const WRONG_KIDS: readonly (readonly [
  id: string,
  title: string,
  file: Uint8Array,
  expected: Reason | State,
  keys: readonly ExampleTrustedKey[],
])[] = [
  [
    'kid-zeros',
    'the trust gives a kid of zeros for the key of the license',
    headers(ALG, KID, TYPE),
    'active',
    [withKid('ed25519', ZEROS)],
  ],
  [
    'kid-swapped',
    'the trust gives the kids of two keys the wrong way round',
    headers(ALG, KID, TYPE),
    'active',
    [withKid('ed25519', NAMED_KEYS.other.kid), withKid('other', NAMED_KEYS.ed25519.kid)],
  ],
  [
    'kid-claimed',
    'the license has the kid that the trust gives for its key, and it is not the kid of the key',
    by(KEYS.ed25519, ALG, `04${hex(bytesOf(ZEROS))}`, TYPE),
    'key_unknown',
    [withKid('ed25519', ZEROS)],
  ],
  [
    'kid-of-component',
    'the trust gives the kid of the Ed25519 component for a composite, and so does the license',
    by(KEYS.composite, composite.alg, componentKid, TYPE),
    'key_composite_only',
    [withKid('composite', component.kid)],
  ],
];

export function coseCases(): readonly CaseFolder[] {
  const rows = (list: readonly Row[], more: Partial<VerifyRow> = {}): readonly VerifyRow[] =>
    list.map(([id, title, file, clause, expected = 'cose_malformed']) => ({
      id,
      title,
      file,
      clause: [clause],
      expected,
      ...more,
    }));
  return verifyCases([
    ...rows(ENVELOPES),
    ...rows(HEADERS),
    ...rows(TYPES),
    ...rows([...COMPOSITE_HEADERS, ...KEY_ROWS], { trust: COMPOSITE_TRUST }),
    ...rows([
      [
        'key-upgrade',
        'the kid of an Ed25519 key, the alg of a composite, and a valid Ed25519 signature',
        by(KEYS.ed25519, composite.alg, KID, TYPE),
        '6.2',
        'key_algorithm_mismatch',
      ],
      [
        'key-other-kid',
        'a valid signature by a trusted key, and a kid that names no key',
        by(KEYS.ed25519, ALG, `04${hex(new Uint8Array(32))}`, TYPE),
        '2',
        'key_unknown',
      ],
    ]),
    ...WRONG_KIDS.map(([id, title, file, expected, keys]): VerifyRow => ({
      id,
      title,
      clause: ['6.2'],
      file,
      expected,
      trust: { keys },
      forgets: 'to compute the kid of a trusted key',
    })),
  ]);
}
