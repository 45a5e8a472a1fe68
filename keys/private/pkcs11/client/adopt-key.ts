/**
 * Finds a key pair that is in a token already, for `vtlic key adopt`: made by another role, or with the maker's tool.
 * Its attributes must be those of a key that this toolkit makes.
 */
import { equalBytes } from '../../../../formats/bytes.ts';
import { VtlicError } from '../../../../formats/error.ts';
import type { Component, KeyName, KeyObjectDescription, NewKeyName } from '../shared/host-protocol.ts';
import { COMPONENT_WORDS as WORDS } from './abilities.ts';
import { nameInWords, onlyPrivateKey, privateFault } from './open-key.ts';
import type { TokenConnection } from './token-connection.ts';

export interface FoundComponent {
  readonly component: Component;
  readonly publicBytes: Uint8Array;
  /** As the token shows it. */
  readonly name: NewKeyName;
}

/**
 * The components under a name: one, or both of a composite key.
 *
 * @param only where this token has one component of a split key
 * @throws VtlicError `key_not_found`, `key_ambiguous`, or `self_check_failed` for a key that could have been copied
 */
export async function findComponents(
  connection: TokenConnection,
  wanted: KeyName,
  only?: Component,
): Promise<readonly FoundComponent[]> {
  const keys = await connection.ask('keys', wanted);
  const present = (['mldsa65', 'ed25519'] as const).filter((component) =>
    keys.some((key) => key.class === 'private' && key.component === component),
  );
  const components = only === undefined ? (present.length === 0 ? (['ed25519'] as const) : present) : [only];
  const found: FoundComponent[] = [];
  for (const component of components) {
    const key = onlyPrivateKey(component, keys, wanted, connection.name);
    await checkPrivate(connection, key, component, wanted);
    found.push({
      component,
      publicBytes: publicBytesOf(connection, key, component, keys),
      name: { label: key.label, id: key.id },
    });
  }
  return found;
}

async function checkPrivate(
  connection: TokenConnection,
  key: KeyObjectDescription,
  component: Component,
  wanted: KeyName,
): Promise<void> {
  const what = `${connection.name}: the ${WORDS[component]} key ${nameInWords(wanted)}`;
  const readable = await connection.ask('readSecrets', { ref: key.ref });
  const fault = privateFault(key, readable) ?? (key.maySign === false ? 'may not sign' : undefined);
  if (fault !== undefined)
    throw new VtlicError('self_check_failed', `${what} ${fault}`, {
      hint: "make another one with the maker's tool: sensitive, not extractable, only for signing",
    });
  if (key.id.length === 0)
    throw new VtlicError('configuration_invalid', `${what} has no id (CKA_ID), by which a site finds its key`, {
      hint: "give it one with the maker's tool",
    });
}

/** Of the private key itself where the token shows it there, else of the public key with the same id. */
function publicBytesOf(
  connection: TokenConnection,
  key: KeyObjectDescription,
  component: Component,
  keys: readonly KeyObjectDescription[],
): Uint8Array {
  const beside = keys.find(
    (other) => other.class === 'public' && other.component === component && equalBytes(other.id, key.id),
  );
  const bytes = key.publicBytes ?? beside?.publicBytes;
  if (bytes !== undefined) return bytes;
  throw new VtlicError(
    'key_not_found',
    `${connection.name} shows no public key beside the ${WORDS[component]} key ${nameInWords(key)}`,
    { hint: "put the public key into the token with the maker's tool, under the same id" },
  );
}
