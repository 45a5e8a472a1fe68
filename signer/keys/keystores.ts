/** Access to the keystores of a site: which ones a key needs, and which secrets they take. */
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { parsePkcs11Uri } from '../../keys/private/pkcs11/uri/uri.ts';
import type { KeyRecord, KeystoreConfig, TokenKeystore, Site } from '../site/site.ts';
import type { Runtime } from '../runtime.ts';
import type { SecretSource, TokenPool } from './token-pool.ts';

/** What a run opens keys and anchors with. */
export interface KeyAccess {
  readonly site: Site;
  readonly secrets: SecretSource;
  /** The caller closes it at the end of the run. */
  readonly tokens: TokenPool;
  readonly runtime: Runtime;
}

/** @throws VtlicError `configuration_invalid` with the names that there are. */
export function keystoreOf(site: Site, name: string): KeystoreConfig {
  const store = site.config.keystores.get(name);
  if (store !== undefined) return store;
  throw new VtlicError(
    'configuration_invalid',
    `this site has no keystore ${name}; it has: ${[...site.config.keystores.keys()].join(', ') || 'none'}`,
    { file: site.paths.site },
  );
}

export function tokenKeystoreOf(site: Site, name: string): TokenKeystore {
  const store = keystoreOf(site, name);
  if (store.type !== 'pkcs11')
    throw new VtlicError('configuration_invalid', `the keystore ${name} is not a token`, { file: site.paths.site });
  return store;
}

/** Names of the keystores that contain a key. */
export function keystoresUsed(record: Pick<KeyRecord, 'keystore' | 'object'>): readonly string[] {
  const other = record.object?.mldsaKeystore;
  return other === undefined ? [record.keystore] : [record.keystore, other];
}

/**
 * The keystores whose secret is needed in any case. A token may need none, since it may have its own pad or a
 * pin-source.
 */
export function secretsNeeded(site: Site, names: readonly string[]): readonly string[] {
  return names.filter((name) => keystoreOf(site, name).type === 'file');
}

/** Those that take a secret from the officer: not where the URI says where the PIN is. */
export function secretsTaken(site: Site, names: readonly string[]): readonly string[] {
  return names.filter((name) => {
    const store = keystoreOf(site, name);
    return store.type === 'file' || parsePkcs11Uri(store.uri).pinSourceFile === undefined;
  });
}

/**
 * Warnings for the command that first gets a URI: attributes of its query that this toolkit does not know and ignores.
 */
export function ignoredAttributes(store: TokenKeystore): readonly string[] {
  return parsePkcs11Uri(store.uri).ignored.map(
    ({ name }) =>
      `the attribute ${cleanText(name, 40)} in the PKCS#11 URI of the keystore ${store.name} is not known, and ignored`,
  );
}
