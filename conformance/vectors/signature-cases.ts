/** Every way to get a signature wrong, and a composite above all. Everything but the signature is right. */
import { sign } from 'node:crypto';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { armor } from '../../formats/armor.ts';
import { concatBytes, utf8 } from '../../formats/bytes.ts';
import { encodeCoseSign1, sigStructure } from '../../formats/cose-sign1.ts';
import { ed25519Component } from '../../keys/private/software/private-key-objects.ts';
import { COMPOSITE_LABEL, compositeMessage } from '../../keys/public/composite.ts';
import { MESSAGES, SIGNED } from '../mutants/lenient.ts';
import { largeScalarSignature, smallOrderSignature, torsionSignature } from '../examples/ed25519-scalar.ts';
import { COMPOSITE_ED25519_SEED } from '../examples/example-keys.ts';
import { respelledHint } from '../examples/ml-dsa-hint.ts';
import { minimalPayload, payloadOf } from '../examples/minimal-payload.ts';
import { testKey } from '../examples/keysets.ts';
import { hex } from '../examples/small-example.ts';
import { COMPOSITE_TRUST, headerOf, KEYS, mapOf, TRUST, verifyCases, type VerifyRow } from './verify-cases.ts';
import type { CaseFolder } from './case.ts';

type Key = 'ed25519' | 'composite';

const protectedOf = (key: Key): Uint8Array => {
  const { alg, kid, typ } = headerOf(KEYS[key]);
  return mapOf(alg, kid, typ);
};
const fileOf = (key: Key, signature: Uint8Array, payload: Uint8Array = minimalPayload): Uint8Array =>
  armor('VTLIC', encodeCoseSign1(protectedOf(key), payload, signature));

const MESSAGE = sigStructure(protectedOf('ed25519'), minimalPayload);
const SIGNATURE = KEYS.ed25519.sign(MESSAGE);
const COMPOSITE_MESSAGE = sigStructure(protectedOf('composite'), minimalPayload);
const M = compositeMessage(COMPOSITE_MESSAGE);

const mldsa65Secret = ml_dsa65.keygen(utf8(KEYS.composite.mldsa65Seed ?? '')).secretKey;
const mldsa65 = (message: Uint8Array, context: Uint8Array = COMPOSITE_LABEL): Uint8Array =>
  ml_dsa65.sign(message, mldsa65Secret, { context, extraEntropy: false });
const ed25519 = (message: Uint8Array, seed: string = COMPOSITE_ED25519_SEED): Uint8Array =>
  Uint8Array.from(sign(null, message, ed25519Component(utf8(seed)).privateKey));

const MLDSA65_HALF = mldsa65(M);
const ED25519_HALF = ed25519(M);
const composite = (first: Uint8Array, second: Uint8Array): Uint8Array =>
  fileOf('composite', concatBytes(first, second));

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
}

/** R is the neutral element, spelled with y = p + 1. */
function otherNeutralR(): Uint8Array {
  const spelled = new Uint8Array(32).fill(0xff);
  spelled[0] = 0xee;
  spelled[31] = 0x7f;
  return reSpelled(spelled);
}

/** The signature with s = k·a, whose R would be neutral, and these 32 bytes for R. */
function reSpelled(r: Uint8Array): Uint8Array {
  return smallOrderSignature(KEYS.ed25519.ed25519Seed, KEYS.ed25519.publicKey.ed25519, MESSAGE, r);
}

const hyphenated = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

type Row = readonly [id: string, title: string, file: Uint8Array, clause: string];

const ED25519_ROWS: readonly Row[] = [
  ['ed25519-flipped-r', 'a bit of R is flipped', fileOf('ed25519', flipped(SIGNATURE, 0)), '6.4'],
  ['ed25519-flipped-s', 'a bit of s is flipped', fileOf('ed25519', flipped(SIGNATURE, 32)), '6.4'],
  [
    'ed25519-long',
    'a valid signature with a byte behind it',
    fileOf('ed25519', concatBytes(SIGNATURE, Uint8Array.of(0))),
    '6.1',
  ],
  ['ed25519-zeros', '64 zeros for the signature', fileOf('ed25519', new Uint8Array(64)), '6.4'],
  ['ed25519-other-key', 'a valid signature by another key', fileOf('ed25519', testKey('another').sign(MESSAGE)), '6.4'],
  [
    'ed25519-other-payload',
    'the signature of the same license with counter 2',
    fileOf(
      'ed25519',
      KEYS.ed25519.sign(sigStructure(protectedOf('ed25519'), payloadOf([{ key: hex('ctr'), value: hex(2) }]))),
    ),
    '5.3',
  ],
  ['ed25519-large-s-minimal', 's + L for s', fileOf('ed25519', largeScalarSignature(SIGNATURE)), '6.4'],
  [
    'ed25519-neutral-r',
    'R is the neutral element, and the equation is true',
    fileOf('ed25519', smallOrderSignature(KEYS.ed25519.ed25519Seed, KEYS.ed25519.publicKey.ed25519, MESSAGE)),
    '6.4',
  ],
  [
    'ed25519-neutral-r-respelled',
    'R is the neutral element in a spelling that is not canonical',
    fileOf('ed25519', otherNeutralR()),
    '6.4',
  ],
  ...Object.entries(SIGNED).map(([name, signed]): Row => [
    `signed-${hyphenated(name)}`,
    {
      payload: 'only the payload is signed',
      joined: 'the protected bytes and the payload are signed one after the other',
      signature: 'the context of the Sig_structure is "Signature"',
      aad: 'external_aad is not empty',
      noAad: 'the Sig_structure has three items, without external_aad',
      noProtected: 'the protected header in the Sig_structure is empty',
    }[name] ?? name,
    fileOf('ed25519', KEYS.ed25519.sign(signed(protectedOf('ed25519'), minimalPayload))),
    '5.3',
  ]),
];

const MESSAGE_TITLES: Readonly<Record<string, string>> = {
  prefix: "another prefix in M'",
  noPrefix: "M' without its prefix",
  label: "the label of ML-DSA-44 in M'",
  noLabel: "M' without its label",
  labelLength: "the length of the label before the label in M'",
  noLength: "M' without the length of the application context",
  context: "an application context in M'",
  hash: "SHA-256 in M'",
  noHash: "the Sig_structure itself in M', not its hash",
  raw: "both components sign the Sig_structure, and no M'",
};

const COMPOSITE_ROWS: readonly Row[] = [
  [
    'composite-flipped-mldsa',
    'a bit of the ML-DSA-65 component is flipped, and Ed25519 is valid',
    composite(flipped(MLDSA65_HALF, 100), ED25519_HALF),
    '6.3',
  ],
  [
    'composite-flipped-ed25519',
    'a bit of the Ed25519 component is flipped, and ML-DSA-65 is valid',
    composite(MLDSA65_HALF, flipped(ED25519_HALF, 3)),
    '6.3',
  ],
  [
    'composite-other-mldsa',
    'the ML-DSA-65 component is of another key, and Ed25519 is valid',
    composite(testKey('composite other').sign(COMPOSITE_MESSAGE).slice(0, 3309), ED25519_HALF),
    '6.3',
  ],
  [
    'composite-other-ed25519',
    'the Ed25519 component is of another key, and ML-DSA-65 is valid',
    composite(MLDSA65_HALF, testKey('composite other').sign(COMPOSITE_MESSAGE).slice(3309)),
    '6.3',
  ],
  ['composite-only-mldsa', 'the ML-DSA-65 component alone', fileOf('composite', MLDSA65_HALF), '6.3'],
  ['composite-only-ed25519-minimal', 'the Ed25519 component alone', fileOf('composite', ED25519_HALF), '6.3'],
  ['composite-ed25519-first', 'both components are valid, Ed25519 first', composite(ED25519_HALF, MLDSA65_HALF), '6.3'],
  [
    'composite-long',
    'a valid composite with a byte behind it',
    composite(MLDSA65_HALF, concatBytes(ED25519_HALF, Uint8Array.of(0))),
    '6.1',
  ],
  ...(['unsorted', 'repeated', 'unused'] as const).map((spelling): Row => [
    `composite-hint-${spelling}`,
    {
      unsorted: 'the hint of ML-DSA-65 has its indices in another order',
      repeated: 'the hint of ML-DSA-65 has an index twice',
      unused: 'the hint of ML-DSA-65 has an index where none is used',
    }[spelling],
    composite(respelledHint(MLDSA65_HALF, spelling), ED25519_HALF),
    '6.3',
  ]),
  [
    'composite-no-context',
    'ML-DSA-65 without the label as its context',
    composite(mldsa65(M, new Uint8Array()), ED25519_HALF),
    '6.3',
  ],
  [
    'composite-ed25519-raw',
    "Ed25519 over the Sig_structure, ML-DSA-65 over M'",
    composite(MLDSA65_HALF, ed25519(COMPOSITE_MESSAGE)),
    '6.3',
  ],
  [
    'composite-mldsa-raw',
    "ML-DSA-65 over the Sig_structure, Ed25519 over M'",
    composite(mldsa65(COMPOSITE_MESSAGE), ED25519_HALF),
    '6.3',
  ],
  [
    'composite-mldsa-raw-no-context',
    'ML-DSA-65 as for a key of its own, Ed25519 over the Sig_structure',
    composite(mldsa65(COMPOSITE_MESSAGE, new Uint8Array()), ed25519(COMPOSITE_MESSAGE)),
    '6.3',
  ],
  [
    'composite-twice-ed25519',
    'zeros for ML-DSA-65, and a valid Ed25519 component',
    composite(new Uint8Array(3309), ED25519_HALF),
    '6.3',
  ],
  ...Object.entries(MESSAGES).map(([name, message]): Row => [
    `composite-message-${hyphenated(name)}`,
    MESSAGE_TITLES[name] ?? name,
    composite(mldsa65(message(COMPOSITE_MESSAGE)), ed25519(message(COMPOSITE_MESSAGE))),
    '6.3',
  ]),
];

/** Signatures that no honest signer makes, and on which honest libraries differ. */
const GRAY: readonly Row[] = [
  [
    'gray-torsion-r',
    'R has a torsion part: a cofactored check accepts it',
    fileOf('ed25519', torsionSignature(KEYS.ed25519.ed25519Seed, KEYS.ed25519.publicKey.ed25519, MESSAGE)),
    '6.4',
  ],
  [
    'gray-torsion-r-composite',
    'R of the Ed25519 component has a torsion part',
    composite(MLDSA65_HALF, torsionSignature(COMPOSITE_ED25519_SEED, KEYS.composite.publicKey.ed25519, M)),
    '6.4',
  ],
];

export function signatureCases(): readonly CaseFolder[] {
  const rows = (list: readonly Row[], more: Partial<VerifyRow>): readonly VerifyRow[] =>
    list.map(([id, title, file, clause]) => ({
      id,
      title,
      file,
      clause: [clause],
      expected: 'signature_invalid',
      ...more,
    }));
  return verifyCases([
    ...rows(ED25519_ROWS, { trust: TRUST }),
    ...rows(COMPOSITE_ROWS, { trust: COMPOSITE_TRUST }),
    ...rows(GRAY, { profile: 'gray-ed25519', trust: { keys: [...TRUST.keys, ...COMPOSITE_TRUST.keys] } }),
    {
      id: 'composite-minimal',
      title: 'the minimal payload, signed by a composite',
      clause: ['6.3'],
      file: composite(MLDSA65_HALF, ED25519_HALF),
      expected: 'active',
      trust: COMPOSITE_TRUST,
    },
  ]);
}
