/**
 * What the source files of all languages share. Every text in them is an id, hex digits or base64, so that nothing has
 * to be escaped in any of the languages.
 */
import { encodeBase64 } from '../../formats/base64.ts';
import type { ProductKey, ProductKeys } from './product-keys.ts';

/** What a person compares by eye, as lines of a comment. */
export function headLines({ issuer, version, payloadDigest, keys }: ProductKeys): readonly string[] {
  return [
    'Made by `vtlic keyset export`. Do not change it by hand: export it again.',
    '',
    `issuer   ${issuer}`,
    `keyset   version ${version}`,
    `payload  SHA-256 ${payloadDigest}`,
    ...keys.map(({ publicKey, status }) => `key      ${publicKey.kid} ${publicKey.alg} ${status}`),
  ];
}

export const ABOUT_CHAIN: string = 'The chain of keysets: what a verifier builds in that reads keysets.';
export const ABOUT_KEYS: readonly string[] = [
  'The keys for licenses of this version, without revoked ones: what a verifier builds in that reads no keysets.',
  'ed25519 is 32 bytes; mldsa65 is 1952 bytes, and empty for a key that is not a composite. A key with products or',
  'tiers signs for these only.',
];

export function comment(mark: string, lines: readonly string[]): string {
  return lines.map((line) => `${mark} ${line}`.trimEnd()).join('\n');
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

interface KeyTexts {
  readonly kid: string;
  readonly alg: string;
  readonly status: string;
  /** Base64. */
  readonly ed25519: string;
  /** Base64; empty for a key that is not a composite. */
  readonly mldsa65: string;
  readonly products: readonly string[];
  readonly tiers: readonly string[];
}

export function textsOf({ publicKey, status, products = [], tiers = [] }: ProductKey): KeyTexts {
  const { kid, alg, ed25519, mldsa65 } = publicKey;
  return {
    kid,
    alg,
    status,
    ed25519: encodeBase64(ed25519),
    mldsa65: mldsa65 === undefined ? '' : encodeBase64(mldsa65),
    products,
    tiers,
  };
}

const quote = (text: string): string => `"${text}"`;
export const quotes = (texts: readonly string[]): string => texts.map(quote).join(', ');
export const single = (text: string): string => `'${text}'`;
