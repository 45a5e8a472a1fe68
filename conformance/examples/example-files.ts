/** The files of docs/examples/, made anew. */
import { equalBytes, toHex, utf8 } from '../../formats/bytes.ts';
import { decodeCbor } from '../../formats/cbor/decode.ts';
import { exportPublicKey, type PublicKeyForm } from '../../keys/public/encodings/public-key-file.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { REASONS, isReason } from '../../verifier/reasons.ts';
import { diagnostic } from './cbor-diagnostic.ts';
import { compositeKey, ed25519Key, otherKey, sharedComponentKey, type ExampleKey } from './example-keys.ts';
import { compositeLicense, ed25519License, type ExampleLicense } from './example-licenses.ts';
import { judgedExamples } from './judged-examples.ts';
import { keysetFiles } from './keyset-examples.ts';
import { keyFileExamples, type KeyFileExample } from './key-file-examples.ts';
import { minimalPayload } from './minimal-payload.ts';
import type { SmallExample } from './small-example.ts';
import { overrideExamples } from './override-examples.ts';
import { fileOf, smallExamples } from './small-examples.ts';
import { trustExamples } from './trust-examples.ts';

const WARNING = 'NOT FOR PRODUCTION: the seeds of these keys are published.';

/** File name → form. */
const KEY_FORMS: readonly (readonly [extension: string, PublicKeyForm])[] = [
  ['pem', 'pem'],
  ['der', 'der'],
  ['jwk', 'jwk'],
  ['cose', 'cose'],
  ['b64', 'raw'],
];

/** Name in docs/examples/ → bytes. */
export function exampleFiles(): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const { key, file } of [ed25519License, compositeLicense]) {
    files.set(`${key.name}.vtlic`, utf8(file));
    for (const [extension, form] of KEY_FORMS)
      files.set(`${key.name}.pub.${extension}`, exportPublicKey(key.publicKey, form));
  }
  files.set('examples.json', utf8(`${JSON.stringify(allExamples(), undefined, 2)}\n`));
  for (const [name, bytes] of keysetFiles()) files.set(name, bytes);
  return files;
}

function allExamples(): unknown {
  return {
    warning: WARNING,
    keys: {
      ed25519: keyValues(ed25519Key),
      composite: keyValues(compositeKey),
      'shared-half': publicValues(sharedComponentKey),
      other: publicValues(otherKey),
    },
    licenses: { ed25519: licenseValues(ed25519License), composite: licenseValues(compositeLicense) },
    minimalPayload: toHex(minimalPayload),
    small: smallExamples.map(smallValues),
    judged: judgedExamples.map(({ expected, ...rest }) => ({ ...rest, expected: expectedValues(expected) })),
    trusts: trustExamples.map(({ expected, ...rest }) => ({
      ...rest,
      expected: expected === 'taken' ? { ok: true } : { ok: false, reason: expected },
    })),
    keyFiles: keyFileExamples.map(keyFileValues),
    overrides: overrideExamples.map(({ expected, ...rest }) => ({
      ...rest,
      expected: expected === 'configuration_invalid' ? { ok: false, reason: expected } : { ok: true, trust: expected },
    })),
  };
}

function publicValues({ alg, bytes, kid }: PublicKey): unknown {
  return { alg, publicKey: toHex(bytes), kid };
}

function keyValues({ alg, publicKey, ed25519Seed, mldsa65Seed }: ExampleKey): unknown {
  return {
    alg,
    ...(mldsa65Seed === undefined ? {} : { mldsa65Seed: toHex(utf8(mldsa65Seed)) }),
    ed25519Seed: toHex(utf8(ed25519Seed)),
    publicKey: toHex(publicKey.bytes),
    kid: publicKey.kid,
  };
}

function licenseValues(example: ExampleLicense): unknown {
  const { r, s, k } = example.ed25519;
  return {
    key: example.key.name,
    claims: diagnostic(decodeCbor(example.payload)),
    payload: toHex(example.payload),
    payloadSha256: toHex(example.payloadDigest),
    kidInput: toHex(example.coseKey),
    protectedHeader: diagnostic(decodeCbor(example.protectedBytes)),
    protected: toHex(example.protectedBytes),
    sigStructure: toHex(example.sigStructure),
    ...compositeValues(example),
    ed25519R: toHex(r),
    ed25519S: toHex(s),
    ed25519K: toHex(k),
    signature: toHex(example.signature),
    cose: toHex(example.cose),
    file: example.file,
  };
}

function compositeValues({ composite }: ExampleLicense): Record<string, string> {
  if (composite === undefined) return {};
  return {
    sigStructureSha512: toHex(composite.sigStructureSha512),
    compositeMessage: toHex(composite.message),
    mldsa65Tr: toHex(composite.tr),
    mldsa65Mu: toHex(composite.mu),
    mldsa65Signature: toHex(composite.mldsa65Signature),
    ed25519Signature: toHex(composite.ed25519Signature),
  };
}

/** Small examples are judged in the one context of Appendix B; the large fills are described by their recipe. */
function smallValues({ id, group, what, input, expected }: SmallExample): unknown {
  const file =
    input.kind === 'fill'
      ? { fill: { of: input.of, byte: input.byte, count: input.count } }
      : fileValues(fileOf(input));
  return { id, group, what, ...file, expected: expectedValues(expected) };
}

function keyFileValues({ id, what, file, pad, kids }: KeyFileExample): unknown {
  const padValues = pad === undefined ? {} : { pad };
  return {
    id,
    what,
    ...fileValues(file),
    ...padValues,
    expected: kids === undefined ? { ok: false } : { ok: true, kids },
  };
}

/** As text, or what is not UTF-8 as hex. */
function fileValues(file: Uint8Array): Record<'file', string> | Record<'fileHex', string> {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(file);
  return equalBytes(utf8(text), file) ? { file: text } : { fileHex: toHex(file) };
}

function expectedValues(expected: SmallExample['expected']): unknown {
  return isReason(expected)
    ? { ok: false, layer: REASONS[expected].layer, reason: expected }
    : { ok: true, state: expected };
}
