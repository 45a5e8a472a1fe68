/**
 * Known-answer tests of a provider. They ask what a runtime is known to get wrong, not only what works everywhere:
 * some ignore the context of ML-DSA, and Ed25519 implementations differ over points with a torsion part ("Taming the
 * many EdDSAs", Chalkias et al.).
 */
import { decodeBase64 } from '../../formats/base64.ts';
import { fromHex, toHex, utf8 } from '../../formats/bytes.ts';
import { MLDSA65_KNOWN_KEY, MLDSA65_KNOWN_SIGNATURE } from './known-answer-mldsa65.ts';
import type { Provider, ProviderAlgorithm } from './provider.ts';

/** Whether the provider computes this algorithm rightly. What it throws is a no. */
export function givesKnownAnswers(provider: Provider, algorithm: ProviderAlgorithm): boolean {
  try {
    return KNOWN_ANSWERS[algorithm](provider);
  } catch {
    return false;
  }
}

const KNOWN_ANSWERS: Readonly<Record<ProviderAlgorithm, (provider: Provider) => boolean>> = {
  sha256: (provider) => toHex(provider.sha256(ABC)) === SHA256_OF_ABC,
  sha512: (provider) => toHex(provider.sha512(ABC)) === SHA512_OF_ABC,
  ed25519: ed25519Answers,
  mldsa65: mldsa65Answers,
};

/** FIPS 180-4, as in the examples of NIST. */
const ABC: Uint8Array = utf8('abc');
const SHA256_OF_ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const SHA512_OF_ABC =
  'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a' +
  '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f';

interface Ed25519Answer {
  readonly key: string;
  readonly message: string;
  readonly signature: string;
  readonly valid: boolean;
}

/** RFC 8032 §7.1, test 2. */
const RFC_KEY = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c';
const RFC_R = '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da';
const RFC_S = '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';

/** Cases 3 and 4 of ed25519-speccheck, by the authors of the paper: one key of mixed order. */
const MIXED_ORDER_KEY = 'cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d';

const ED25519_ANSWERS: readonly Ed25519Answer[] = [
  { key: RFC_KEY, message: '72', signature: RFC_R + RFC_S, valid: true },
  // Another message, and the same signature with one bit of s changed.
  { key: RFC_KEY, message: '73', signature: RFC_R + RFC_S, valid: false },
  { key: RFC_KEY, message: '72', signature: `${RFC_R}09${RFC_S.slice(2)}`, valid: false },
  // y = 2 is not a point of the curve: the provider says false and does not throw.
  { key: `02${'00'.repeat(31)}`, message: '72', signature: RFC_R + RFC_S, valid: false },
  // The equation of RFC 8032 is true without the cofactor.
  {
    key: MIXED_ORDER_KEY,
    message: '9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79',
    signature:
      '9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f' +
      '87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009',
    valid: true,
  },
  // It is true only if both sides are multiplied by the cofactor.
  {
    key: MIXED_ORDER_KEY,
    message: 'e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c',
    signature:
      '160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512' +
      '5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09',
    valid: false,
  },
];

function ed25519Answers(provider: Provider): boolean {
  // One array for each key: importing a key costs node:crypto as much as a verification, and its provider remembers an
  // imported key by its array.
  const keys = new Map(ED25519_ANSWERS.map(({ key }) => [key, hex(key)]));
  return ED25519_ANSWERS.every(
    ({ key, message, signature, valid }) =>
      provider.ed25519Verify(keys.get(key) ?? hex(key), hex(message), hex(signature)) === valid,
  );
}

/** Text and context of the known signature. Tests make it again from them. */
export const MLDSA65_KNOWN_MESSAGE: Uint8Array = utf8('vtlic known answer');
export const MLDSA65_KNOWN_CONTEXT: Uint8Array = utf8('vtlic probe');

function mldsa65Answers(provider: Provider): boolean {
  const key = base64(MLDSA65_KNOWN_KEY);
  const signature = base64(MLDSA65_KNOWN_SIGNATURE);
  const wrong = signature.slice();
  wrong[0] = (wrong[0] ?? 0) ^ 1;
  const answers: readonly (readonly [by: Uint8Array, context: Uint8Array, valid: boolean])[] = [
    [signature, MLDSA65_KNOWN_CONTEXT, true],
    [signature, utf8('vtlic probf'), false],
    [signature, new Uint8Array(0), false],
    [wrong, MLDSA65_KNOWN_CONTEXT, false],
  ];
  return answers.every(
    ([by, context, valid]) => provider.mldsa65Verify(key, MLDSA65_KNOWN_MESSAGE, by, context) === valid,
  );
}

const hex = (text: string): Uint8Array => fromHex(text) ?? new Uint8Array(0);
const base64 = (text: string): Uint8Array => decodeBase64(text) ?? new Uint8Array(0);
