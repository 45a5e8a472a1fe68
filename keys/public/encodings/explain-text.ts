/** Names a text that is not a public key in a published form, so that its owner knows what to give instead. */
import { decodeBase64, decodeBase64Url } from '../../../formats/base64.ts';
import { VtlicError } from '../../../formats/error.ts';
import { explainBase64OfDer, looksLikeDer, looksLikeSpki } from './explain-der.ts';
import { refusePrivateText } from './private-key-marks.ts';

const AS_PEM = 'Give the key as SPKI PEM: vtlic key export NAME --form pem';

/** What a line of another tool begins with. Patterns are anchored: a text that only mentions one is something else. */
const OTHER_TEXTS: readonly (readonly [mark: RegExp, what: string, hint: string])[] = [
  [/^\ufeff/, 'a text behind a byte order mark (U+FEFF)', 'Save the file as plain UTF-8 or ASCII without the mark.'],
  [/^(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-\S+ /, 'an OpenSSH public key', AS_PEM],
  [/^---- BEGIN SSH2 PUBLIC KEY/, 'an SSH public key (RFC 4716)', AS_PEM],
  [/^age1[a-z0-9]/, 'an age recipient, which encrypts and does not sign', AS_PEM],
  [/^untrusted comment:/, 'a minisign or signify key', AS_PEM],
  [/^\S+\+[0-9a-f]{8}\+\S+$/, "a log's verifier key (c2sp.org/signed-note)", 'Give it with --log-key.'],
  [/^[0-9a-fA-F]{64}$/, '64 hex digits: a key id, or a key in hex', AS_PEM],
];

/** The lengths that private keys have in base64: Ed25519 seed with its public key, ML-DSA-65 expanded (FIPS 204). */
const PRIVATE_LENGTHS: ReadonlyMap<number, string> = new Map([
  [64, 'an Ed25519 private key with its public key has this length, and so have two seeds'],
  [4032, 'an ML-DSA-65 private key has this length'],
]);

/** @param text trimmed, neither PEM nor JSON */
export function explainText(text: string): VtlicError {
  for (const [mark, what, hint] of OTHER_TEXTS)
    if (mark.test(text)) return new VtlicError('key_invalid', `the file contains ${what}, not a public key`, { hint });
  if (text.includes('\ufffd') || text.includes('\u0000'))
    return expected('it is not UTF-8 text (UTF-16, perhaps, or binary)', 'Save the file as UTF-8, or give PEM.');
  const joined = text.replaceAll(/[ \t\r\n]/g, '');
  const bytes = decodeBase64(joined);
  if (bytes !== undefined) return explainBase64(bytes);
  const urlBytes = decodeBase64Url(joined);
  if (urlBytes !== undefined && urlBytes.length >= 32)
    return expected(
      `it is base64url of ${urlBytes.length} bytes, not canonical base64`,
      'Give standard base64 with its padding, or a JWK.',
    );
  return expected('it is neither these nor canonical base64');
}

function explainBase64(bytes: Uint8Array): VtlicError {
  const notPublic = looksLikeDer(bytes) ? explainBase64OfDer(bytes) : undefined;
  if (notPublic !== undefined) return notPublic;
  // The first byte does not tell: one raw ML-DSA-65 key in 256 also begins with the tag of a sequence, 0x30.
  if (looksLikeSpki(bytes))
    return expected(
      'it is base64 of an SPKI (DER) without the lines of PEM',
      'Put "-----BEGIN PUBLIC KEY-----" and "-----END PUBLIC KEY-----" on lines of their own around it.',
    );
  const inner = new TextDecoder().decode(bytes);
  try {
    refusePrivateText(inner);
  } catch (error) {
    if (error instanceof VtlicError) return error;
    throw error;
  }
  if (inner.trimStart().startsWith('-----BEGIN'))
    return expected('it is base64 of a PEM file', 'Decode it once: base64 -d FILE');
  if (inner.startsWith('\u0000\u0000\u0000\u000b')) return expected('it is the base64 of an OpenSSH key', AS_PEM);
  const privately = PRIVATE_LENGTHS.get(bytes.length);
  if (privately !== undefined)
    return expected(
      `it is base64 of ${bytes.length} bytes: ${privately}`,
      'If it is a private key, keep it secret, and give the public key.',
    );
  if (bytes.length === 1952)
    return expected(
      `it is base64 of ${bytes.length} bytes: only an ML-DSA-65 key`,
      'Give the composite, ML-DSA-65 key and Ed25519 key together.',
    );
  return expected(`it is base64 of ${bytes.length} bytes`);
}

function expected(came: string, hint?: string): VtlicError {
  return new VtlicError(
    'key_invalid',
    `a public key should be SPKI PEM or DER, a JWK, a COSE_Key, or base64 of 32 or 1984 bytes, but ${came}`,
    hint === undefined ? {} : { hint },
  );
}
