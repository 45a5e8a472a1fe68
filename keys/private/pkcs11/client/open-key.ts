/** Opens a key of a token: finds the private key of each component, and proves that they sign for the public key. */
import { equalBytes, toHex } from '../../../../formats/bytes.ts';
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError } from '../../../../formats/error.ts';
import type { KeyPurpose } from '../../../public/key-purpose.ts';
import type { PublicKey } from '../../../public/public-key.ts';
import { selfTest, type SigningKey } from '../../signing-key.ts';
import type { Component, KeyName, KeyObjectDescription } from '../shared/host-protocol.ts';
import { COMPONENT_WORDS as WORDS } from './abilities.ts';
import type { HostClient } from './host-client.ts';
import type { TokenConnection } from './token-connection.ts';
import { TokenKey, TokenPart, type Refs } from './token-key.ts';

const SELF_TEST_RANDOM_BYTES = 32;

/** Random bytes; a parameter, so that tests can fix them. */
export type RandomSource = (length: number) => Uint8Array;

export interface KeyToOpen extends KeyName {
  readonly publicKey: PublicKey;
  readonly purpose: KeyPurpose;
  /** Of `hsm-wrapped` custody: the encrypted ML-DSA seed as `generateKey` gave it. */
  readonly wrappedSeed?: Uint8Array;
}

/** @throws VtlicError `key_not_found`, `key_ambiguous`, `self_check_failed`, and what signing throws */
export async function openKey(
  connection: TokenConnection,
  wanted: KeyToOpen,
  random: RandomSource,
): Promise<SigningKey> {
  const { publicKey, purpose, wrappedSeed } = wanted;
  const custody = wrappedSeed === undefined ? 'hsm' : 'hsm-wrapped';
  const part = partOf(connection, wanted, componentsOf(publicKey));
  const key = new TokenKey({ publicKey, purpose, custody }, [part]);
  await selfTest(key, random(SELF_TEST_RANDOM_BYTES));
  return key;
}

/** The part of a key that is in this token; split custody combines two parts. */
export function partOf(connection: TokenConnection, wanted: KeyToOpen, components: readonly Component[]): TokenPart {
  return new TokenPart(connection, components, (host) => resolve(connection, host, wanted, components));
}

/** ML-DSA first, as in the signature: a token that lacks it says so before the other component is used. */
function componentsOf(publicKey: PublicKey): readonly Component[] {
  return publicKey.mldsa65 === undefined ? ['ed25519'] : ['mldsa65', 'ed25519'];
}

async function resolve(
  connection: TokenConnection,
  host: HostClient,
  wanted: KeyToOpen,
  components: readonly Component[],
): Promise<Refs> {
  const { label, id } = wanted;
  const name = { ...(label === undefined ? {} : { label }), ...(id === undefined ? {} : { id }) };
  const keys = await connection.request(host, 'keys', name, connection.limits.other);
  const refs: Partial<Record<Component, number>> = {};
  for (const component of components) {
    if (component === 'mldsa65' && wanted.wrappedSeed !== undefined) {
      const seed = await connection.request(
        host,
        'openWrappedSeed',
        { name, wrapped: wanted.wrappedSeed, kid: wanted.publicKey.kid },
        connection.limits.other,
      );
      refs[component] = seed.ref;
    } else {
      refs[component] = selectPrivateKey(component, keys, wanted, connection.name).ref;
    }
  }
  return refs;
}

/** What is wrong with a private key's protection, to follow "a private key that". */
export function privateFault(key: KeyObjectDescription, readable: readonly string[]): string | undefined {
  if (readable.length > 0) return `can be read out (${readable.map((name) => cleanText(name, 20)).join(', ')})`;
  if (key.sensitive === false) return 'is not sensitive';
  if (key.extractable === true) return 'is extractable';
  if (key.neverExtractable === false) return 'was extractable once';
  if (key.otherUses === true) return 'may be used for more than signing';
  return undefined;
}

/**
 * @param keys what the token has under the wanted name
 * @param token how the token is named in messages
 * @throws VtlicError `key_not_found` or `key_ambiguous`
 */
export function onlyPrivateKey(
  component: Component,
  keys: readonly KeyObjectDescription[],
  wanted: KeyName,
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
      hint: 'see what is there: vtlic hsm keys KEYSTORE',
    });
  }
  if (second !== undefined) {
    const ids = candidates.map((key) => `"${cleanText(key.label, 64)}" id ${toHex(key.id) || 'none'}`);
    throw new VtlicError(
      'key_ambiguous',
      `${token} has ${candidates.length} private ${WORDS[component]} keys ${name}: ${ids.join(', ')}`,
      { hint: "say which by its id (--id HEX), or give one of them another name with the maker's tool" },
    );
  }
  return only;
}

/**
 * The one private key that is meant. It must not be a component of a composite key if an Ed25519 key is wanted, and the
 * token must not show another public key beside it.
 */
function selectPrivateKey(
  component: Component,
  keys: readonly KeyObjectDescription[],
  wanted: KeyToOpen,
  token: string,
): KeyObjectDescription {
  const only = onlyPrivateKey(component, keys, wanted, token);
  const name = nameInWords(wanted);
  if (wanted.publicKey.alg === 'ed25519' && keys.some((key) => isOtherComponent(key, only))) {
    throw new VtlicError(
      'configuration_invalid',
      `${token}: the Ed25519 key ${name} is one component of a composite key, and a component signs nothing by itself`,
      { hint: 'make an Ed25519 key of its own: vtlic key generate --name NAME --algorithm ed25519' },
    );
  }
  checkPublic(component, keys, wanted.publicKey, `${token}: the ${WORDS[component]} key ${name}`);
  return only;
}

/**
 * True for what makes an Ed25519 key a component of a composite key: an ML-DSA key, or the AES key that encrypts an
 * ML-DSA seed, with the same label and id.
 */
function isOtherComponent(key: KeyObjectDescription, ed25519: KeyObjectDescription): boolean {
  const other = key.class === 'secret' || (key.class === 'private' && key.component === 'mldsa65');
  return other && key.label === ed25519.label && equalBytes(key.id, ed25519.id);
}

/**
 * If the token shows a public key under the name, it must be the expected one. The self-test proves that it belongs
 * to the private key.
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
    hint: 'see that the right token is plugged in, and what is in it: vtlic hsm keys KEYSTORE',
  });
}

export function nameInWords({ label, id }: KeyName): string {
  const parts = [
    ...(label === undefined ? [] : [`named "${cleanText(label, 64)}"`]),
    ...(id === undefined ? [] : [`with id ${toHex(id)}`]),
  ];
  return parts.length === 0 ? '(of any name)' : parts.join(' ');
}
