/**
 * JSON Web Keys: `OKP` for Ed25519 (RFC 8037), and for the composite the `AKP` of RFC 9964 with this format's own alg,
 * or with that of draft-ietf-jose-pq-composite-sigs-04. The key has the same 1984 bytes under both.
 */
import { decodeBase64Url, encodeBase64Url } from '../../../formats/base64.ts';
import { VtlicError } from '../../../formats/error.ts';
import { type JsonNode, type JsonObject, parseStrictJson } from '../../../formats/json/index.ts';
import { importPublicKey, type ImportOptions, type PublicKey } from '../public-key.ts';
import { refusePrivateMembers } from './private-key-marks.ts';

const COMPOSITE = 'ed25519+ml-dsa-65';
const DRAFT_COMPOSITE = 'ML-DSA-65-Ed25519';

/** One JWK with its required members and no other, as JSON text. */
export function encodeJwk(key: PublicKey): string {
  return `${JSON.stringify(jwkOf(key))}\n`;
}

/**
 * A JWK Set (RFC 7517 §5), each key with its kid: the lower-case hex digits, and no thumbprint of RFC 7638.
 *
 * @param members further members of the set, which a reader passes over
 */
export function encodeJwkSet(keys: readonly PublicKey[], members: Readonly<Record<string, string | number>>): string {
  const set = { ...members, keys: keys.map((key) => ({ ...jwkOf(key), kid: key.kid, use: 'sig' })) };
  return `${JSON.stringify(set, null, 2)}\n`;
}

function jwkOf(key: PublicKey): Readonly<Record<string, string>> {
  return key.alg === 'ed25519'
    ? { kty: 'OKP', crv: 'Ed25519', x: encodeBase64Url(key.bytes) }
    : { kty: 'AKP', alg: COMPOSITE, pub: encodeBase64Url(key.bytes) };
}

/** A composite with the alg of the draft. */
export function encodeCompositeJwk(compositeBytes: Uint8Array): string {
  return `${JSON.stringify({ kty: 'AKP', alg: DRAFT_COMPOSITE, pub: encodeBase64Url(compositeBytes) })}\n`;
}

/**
 * The keys of a JWK, or of a JWK Set (RFC 7517 §5). Members that are no part of the key are passed over, as RFC 7517
 * §4 says; a kid among them is not trusted.
 *
 * @throws VtlicError `json_malformed`, or `key_invalid` (also for a private key, whose bytes are not said)
 */
export function decodeJwks(json: Uint8Array, options: ImportOptions = {}): readonly PublicKey[] {
  const root = parseStrictJson(json);
  refusePrivateMembers(root);
  const keys = root.kind === 'object' ? member(root, 'keys') : undefined;
  if (keys === undefined) return [decodeJwk(root, options)];
  if (root.kind === 'object' && member(root, 'kty') !== undefined)
    throw refused(root, 'an object should be a JWK or a JWK Set, but this one has both "kty" and "keys"');
  if (keys.kind !== 'array') throw refused(keys, 'the keys of a JWK Set should be an array');
  if (keys.items.length === 0) throw refused(keys, 'the JWK Set contains no key');
  return keys.items.map((item) => decodeJwk(item, options));
}

function decodeJwk(node: JsonNode, options: ImportOptions): PublicKey {
  if (node.kind !== 'object') throw refused(node, 'a JWK should be an object');
  const kty = text(node, 'kty');
  if (kty === 'OKP' && text(node, 'crv') === 'Ed25519') return importPublicKey('ed25519', bytes(node, 'x'), options);
  const alg = text(node, 'alg');
  if (kty === 'AKP' && (alg === COMPOSITE || alg === DRAFT_COMPOSITE))
    return importPublicKey(COMPOSITE, bytes(node, 'pub'), options);
  throw refused(
    node,
    `a JWK should be kty "OKP" with crv "Ed25519", or kty "AKP" with alg "${COMPOSITE}" or "${DRAFT_COMPOSITE}"`,
  );
}

function member(node: JsonObject, name: string): JsonNode | undefined {
  return node.members.find((candidate) => candidate.name === name)?.value;
}

function text(node: JsonObject, name: string): string | undefined {
  const value = member(node, name);
  return value?.kind === 'string' ? value.value : undefined;
}

function bytes(node: JsonObject, name: string): Uint8Array {
  const decoded = decodeBase64Url(text(node, name) ?? '=');
  if (decoded === undefined) throw refused(node, `the member ${name} of the JWK should be base64url without padding`);
  return decoded;
}

function refused({ line, column }: JsonNode, fault: string): VtlicError {
  return new VtlicError('key_invalid', fault, { line, column });
}
