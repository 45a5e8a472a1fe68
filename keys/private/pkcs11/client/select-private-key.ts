/** The one private key that is meant, or what was found instead. */
import { equalBytes, toHex } from '../../../../formats/bytes.ts';
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError } from '../../../../formats/error.ts';
import type { PublicKey } from '../../../public/public-key.ts';
import type { Component, KeyName, KeyObjectDescription } from '../shared/host-protocol.ts';

interface Wanted extends KeyName {
  readonly publicKey: PublicKey;
}

const WORDS: Readonly<Record<Component, string>> = { ed25519: 'Ed25519', mldsa65: 'ML-DSA-65' };

/**
 * @param keys what the token has under the wanted name
 * @param token how the token is named in messages
 * @throws VtlicError `key_not_found` or `key_ambiguous`
 */
export function selectPrivateKey(
  component: Component,
  keys: readonly KeyObjectDescription[],
  wanted: Wanted,
  token: string,
): KeyObjectDescription {
  const name = nameInWords(wanted);
  const candidates = keys.filter((key) => key.class === 'private' && key.component === component);
  const [only, second] = candidates;
  if (only === undefined) {
    const others = keys
      .filter((key) => key.class === 'private')
      .map((key) =>
        key.component === undefined
          ? key.keyType < 0
            ? 'a key that does not show its type'
            : `a key of type 0x${key.keyType.toString(16)}`
          : `an ${WORDS[key.component]} key`,
      );
    const instead = others.length === 0 ? '' : `; under this name it has ${[...new Set(others)].join(' and ')}`;
    throw new VtlicError('key_not_found', `${token} has no private ${WORDS[component]} key ${name}${instead}`, {
      hint: 'see what is there: vtlic hsm list',
    });
  }
  if (second !== undefined) {
    const ids = candidates.map((key) => `"${cleanText(key.label, 64)}" id ${toHex(key.id) || 'none'}`);
    throw new VtlicError(
      'key_ambiguous',
      `${token} has ${candidates.length} private ${WORDS[component]} keys ${name}: ${ids.join(', ')}`,
      { hint: "say which by its id, or give one of them another name with the maker's tool" },
    );
  }
  if (wanted.publicKey.alg === 'ed25519' && keys.some((key) => isOtherComponent(key, only))) {
    throw new VtlicError(
      'configuration_invalid',
      `${token}: the Ed25519 key ${name} is one component of a composite key, and a component signs nothing by itself`,
      { hint: 'make a key of its own for Ed25519: vtlic key generate' },
    );
  }
  checkPublic(component, keys, wanted.publicKey, `${token}: the ${WORDS[component]} key ${name}`);
  return only;
}

/** Beside an Ed25519 key, under its label and id: an ML-DSA key, or the AES key that encrypts an ML-DSA seed. */
function isOtherComponent(key: KeyObjectDescription, ed25519: KeyObjectDescription): boolean {
  const other = key.class === 'secret' || (key.class === 'private' && key.component === 'mldsa65');
  return other && key.label === ed25519.label && equalBytes(key.id, ed25519.id);
}

/**
 * Where the token shows a public key under the name, it must be the expected one. That it belongs to the private key,
 * the self-test proves.
 */
function checkPublic(
  component: Component,
  keys: readonly KeyObjectDescription[],
  publicKey: PublicKey,
  what: string,
): void {
  const expected = component === 'ed25519' ? publicKey.ed25519 : publicKey.mldsa65;
  const shown = keys.filter((key) => key.component === component && key.publicBytes !== undefined);
  if (expected === undefined || shown.length === 0) return;
  if (shown.some((key) => key.publicBytes !== undefined && equalBytes(key.publicBytes, expected))) return;
  throw new VtlicError('key_not_found', `${what} has another public key than the key ${publicKey.kid} should have`, {
    hint: 'see that the right token is plugged in, and compare the key with its record: vtlic key check',
  });
}

function nameInWords({ label, id }: KeyName): string {
  const parts = [
    ...(label === undefined ? [] : [`named "${cleanText(label, 64)}"`]),
    ...(id === undefined ? [] : [`with id ${toHex(id)}`]),
  ];
  return parts.length === 0 ? '(of any name)' : parts.join(' ');
}
