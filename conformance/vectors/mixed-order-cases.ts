/**
 * Keys of mixed order, which a verifier takes, and signatures by them: only such a key has an R of order 2, 4 or 8 for
 * which the equation of section 6.4 is true.
 */
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { armor } from '../../formats/armor.ts';
import { encodeBase64 } from '../../formats/base64.ts';
import { concatBytes, utf8 } from '../../formats/bytes.ts';
import type { CoseKey } from '../../formats/cose-key.ts';
import { encodeCoseSign1, sigStructure } from '../../formats/cose-sign1.ts';
import { encodeKeyset } from '../../formats/keyset/encode-keyset.ts';
import type { Keyset } from '../../formats/keyset/keyset.ts';
import { COMPOSITE_LABEL, compositeMessage } from '../../keys/public/composite.ts';
import { importPublicKey, type PublicKey } from '../../keys/public/public-key.ts';
import { compositeKey, type ExampleKey } from '../examples/example-keys.ts';
import { active, type ExampleTrust } from '../examples/example-trust.ts';
import { KEYSET_ISSUER, keysetOf, signKeyset } from '../examples/keysets.ts';
import { minimalPayload, payloadOf } from '../examples/minimal-payload.ts';
import {
  cofactoredSignature,
  exactSignature,
  mixedOrderKey,
  smallRSignature,
  type MixedOrderKey,
} from '../examples/mixed-order.ts';
import { hex } from '../examples/small-example.ts';
import { torsionPoints } from '../examples/torsion-points.ts';
import { keyValues, trustValues } from './case-parts.ts';
import type { CaseFolder } from './case.ts';
import { builtIn, ISSUING, ROOTS, sorted, version2 } from './keyset-rows.ts';
import { CONTEXT, headerOf, mapOf, verifyCases, type VerifyRow } from './verify-cases.ts';

const SEED = 'vtlic vectors key of mixed order';
const MLDSA65_BYTES = 1952;

/** By the order of their torsion part. */
const KEYS: Readonly<Record<2 | 4 | 8, MixedOrderKey>> = {
  2: mixedOrderKey(SEED, 4),
  4: mixedOrderKey(SEED, 2),
  8: mixedOrderKey(SEED, 1),
};
const ed25519Of = ({ publicKey }: MixedOrderKey): PublicKey => importPublicKey('ed25519', publicKey);
const COMPOSITE: PublicKey = importPublicKey(
  compositeKey.alg,
  concatBytes(compositeKey.publicKey.bytes.slice(0, MLDSA65_BYTES), KEYS[8].publicKey),
);
const trustIn = (key: PublicKey): ExampleTrust => ({ keys: [active(keyValues(key))] });
const TRUST: ExampleTrust = trustIn(ed25519Of(KEYS[8]));
const COMPOSITE_TRUST: ExampleTrust = trustIn(COMPOSITE);

const { secretKey } = ml_dsa65.keygen(utf8(compositeKey.mldsa65Seed ?? ''));

function protectedOf(publicKey: PublicKey): Uint8Array {
  const key: Pick<ExampleKey, 'alg' | 'publicKey'> = { alg: publicKey.alg, publicKey };
  const { alg, kid, typ } = headerOf({ ...compositeKey, ...key });
  return mapOf(alg, kid, typ);
}

/** @param craft message → the Ed25519 signature */
function ed25519File(craft: (message: Uint8Array) => Uint8Array, payload: Uint8Array = minimalPayload): Uint8Array {
  const header = protectedOf(ed25519Of(KEYS[8]));
  return armor('VTLIC', encodeCoseSign1(header, payload, craft(sigStructure(header, payload))));
}

/** The component of ML-DSA-65 is right. @param craft M' → the Ed25519 component */
function compositeFile(craft: (message: Uint8Array) => Uint8Array, payload: Uint8Array = minimalPayload): Uint8Array {
  const header = protectedOf(COMPOSITE);
  const both = compositeMessage(sigStructure(header, payload));
  const mldsa65 = ml_dsa65.sign(both, secretKey, { context: COMPOSITE_LABEL, extraEntropy: false });
  return armor('VTLIC', encodeCoseSign1(header, payload, concatBytes(mldsa65, craft(both))));
}

/** The first `ref` with which R may be this point: k has to fit, and depends on the payload. */
function payloadFor(publicKey: PublicKey, message: (signed: Uint8Array) => Uint8Array, ofR: number): Uint8Array {
  const header = protectedOf(publicKey);
  for (let i = 1; ; i++) {
    const payload = payloadOf([{ key: hex('ref'), value: hex(`order ${i}`) }]);
    if (smallRSignature(KEYS[8], message(sigStructure(header, payload)), ofR) !== undefined) return payload;
  }
}

const smallR =
  (ofR: number) =>
  (message: Uint8Array): Uint8Array =>
    smallRSignature(KEYS[8], message, ofR) ?? new Uint8Array(64);

/** The points of small order but the neutral element: `ed25519-neutral-r` is about that one. */
const SMALL: readonly { readonly place: number; readonly order: number; readonly encoding: string }[] = torsionPoints()
  .map((point, place) => ({ place, order: place % 4 === 0 ? 2 : place % 2 === 0 ? 4 : 8, encoding: point.toHex() }))
  .slice(1);

const ROWS: readonly VerifyRow[] = [
  {
    id: 'mixed-order-key',
    title: 'a key of mixed order, and the equation is true',
    clause: ['6.4', '12.2'],
    file: ed25519File((message) => exactSignature(KEYS[8], message)),
    trust: TRUST,
    expected: 'active',
    forgets: 'that a key of mixed order is a key, or that k is reduced modulo L',
  },
  {
    id: 'mixed-order-key-and-r',
    title: 'a key of mixed order, and R has the torsion part that makes the equation true',
    clause: ['6.4', '12.2'],
    file: ed25519File((message) => exactSignature(KEYS[8], message, 3)),
    trust: TRUST,
    expected: 'active',
    forgets: 'that the equation decides about an R which is not of small order',
  },
  {
    id: 'composite-mixed-order-key',
    title: 'a composite whose Ed25519 component is of mixed order, and the equation is true',
    clause: ['6.4', '12.2'],
    file: compositeFile((message) => exactSignature(KEYS[8], message)),
    trust: COMPOSITE_TRUST,
    expected: 'active',
    forgets: 'that a key of mixed order is a key, or that k is reduced modulo L',
  },
  ...SMALL.map(({ place, order, encoding }): VerifyRow => ({
    id: `ed25519-small-r-${encoding.slice(0, 4)}-${encoding.slice(-2)}`,
    title: `a key of mixed order: R is the point ${encoding.slice(0, 4)}…${encoding.slice(-2)} of order ${order}, and the equation is true`,
    clause: ['6.4'],
    file: ed25519File(
      smallR(place),
      payloadFor(ed25519Of(KEYS[8]), (signed) => signed, place),
    ),
    trust: TRUST,
    expected: 'signature_invalid',
  })),
  {
    id: 'composite-small-r-order-8',
    title: 'a component of mixed order: R is a point of order 8, and the equation is true',
    clause: ['6.4'],
    file: compositeFile(smallR(1), payloadFor(COMPOSITE, compositeMessage, 1)),
    trust: COMPOSITE_TRUST,
    expected: 'signature_invalid',
  },
  {
    id: 'gray-mixed-order-key',
    title: 'a key of mixed order, and the equation is true only with the cofactor',
    clause: ['6.4'],
    file: ed25519File((message) => cofactoredSignature(KEYS[8], message)),
    trust: TRUST,
    profile: 'gray-ed25519',
    expected: 'signature_invalid',
  },
  {
    id: 'gray-mixed-order-key-composite',
    title: 'a composite whose Ed25519 component is of mixed order, and the equation is true only with the cofactor',
    clause: ['6.4'],
    file: compositeFile((message) => cofactoredSignature(KEYS[8], message)),
    trust: COMPOSITE_TRUST,
    profile: 'gray-ed25519',
    expected: 'signature_invalid',
  },
];

const FORGOTTEN = 'that criteria 1 to 3 are exact: a key of mixed order is a key';

/** Version 2 has one more root and one more issuing key. */
function mixedKeyset(): Uint8Array {
  const coseKeyOf = (order: 4 | 8): CoseKey => ({ alg: 'ed25519', publicBytes: KEYS[order].publicKey });
  const before = keysetOf(version2);
  const keyset: Keyset = {
    ...before,
    roots: [...before.roots, coseKeyOf(4)],
    keys: sorted(ISSUING, { ...coseKeyOf(8), purpose: 'license', status: 'active' }),
  };
  return armor('VTLIC KEYSET', signKeyset(encodeKeyset(keyset), ROOTS));
}

function trustCase(id: string, title: string, key: PublicKey): CaseFolder {
  return {
    value: {
      id: `trust/${id}`,
      title: `trust: ${title}`,
      clause: ['format.md#8.1', 'format.md#12.2'],
      profile: 'required',
      operation: 'trust',
      trust: trustValues(trustIn(key)),
      expected: { verdict: 'accepted' },
      forgets: FORGOTTEN,
    },
    files: new Map(),
  };
}

export function mixedOrderCases(): readonly CaseFolder[] {
  const plain = ed25519Of(KEYS[8]);
  return [
    ...verifyCases(ROWS),
    ...([2, 4, 8] as const).map((order) =>
      trustCase(
        `mixed-order-${order}`,
        `a key of mixed order, whose torsion part has the order ${order}`,
        ed25519Of(KEYS[order]),
      ),
    ),
    trustCase('mixed-order-composite', 'a composite whose Ed25519 component is of mixed order', COMPOSITE),
    {
      value: {
        id: 'keyset/mixed-order',
        title: 'keyset: a root and an issuing key of mixed order, and a license by the issuing key',
        clause: ['keysets.md#K4', 'format.md#12.2'],
        profile: 'required',
        operation: 'keyset',
        issuer: KEYSET_ISSUER,
        builtIn: { file: 'built-in.keyset' },
        keyset: { file: 'new.keyset' },
        license: { file: 'license.vtlic' },
        context: CONTEXT,
        expected: {
          verdict: 'accepted',
          version: 2,
          source: 'file',
          notices: [],
          license: { verdict: 'accepted', state: 'active' },
        },
        forgets: FORGOTTEN,
      },
      files: new Map([
        ['built-in.keyset', builtIn],
        ['new.keyset', mixedKeyset()],
        ['license.vtlic', ed25519File((message) => exactSignature(KEYS[8], message))],
      ]),
    },
    {
      value: {
        id: 'key-file/mixed-order',
        title: 'key file: a key of mixed order',
        clause: ['format.md#11.2', 'format.md#12.2'],
        profile: 'required',
        operation: 'key-file',
        keyFile: { file: 'keys.pub' },
        expected: { verdict: 'accepted', kids: [plain.kid] },
        forgets: FORGOTTEN,
      },
      files: new Map([['keys.pub', utf8(`${encodeBase64(plain.bytes)}\n`)]]),
    },
    {
      value: {
        id: 'override/mixed-order',
        title: 'override: a key of mixed order',
        clause: ['format.md#11.3', 'format.md#12.2'],
        profile: 'required',
        operation: 'override',
        builtIn: { keys: [] },
        variables: { LICENSE_PUBLIC_KEY: encodeBase64(plain.bytes) },
        expected: { verdict: 'accepted', trust: trustValues(TRUST) },
        forgets: FORGOTTEN,
      },
      files: new Map(),
    },
  ];
}
