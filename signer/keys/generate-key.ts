/**
 * Makes a key, proves that it signs, claims it for this ledger, and writes it into `site.json`, in this order. If a
 * step fails, the files of the key are removed, so that its name is free again.
 */
import { removeIfPresent } from '../../files/index.ts';
import { equalBytes } from '../../formats/bytes.ts';
import { formatInstant } from '../../formats/dates.ts';
import { VtlicError } from '../../formats/error.ts';
import { isId } from '../../formats/license/id.ts';
import { selfTest, type SigningKey } from '../../keys/private/signing-key.ts';
import { importPublicKey } from '../../keys/public/public-key.ts';
import { acquireLock, fileExists } from '../ledger/index.ts';
import { nowSeconds, type Runtime } from '../runtime.ts';
import {
  openSite,
  type Site,
  writeSite,
  type KeyRecord,
  type FileKeystore,
  type KeystoreConfig,
  type TokenKeystore,
  sitePaths,
} from '../site/site.ts';
import { generateInFile, keyFiles } from './file-keystore.ts';
import { type KeyAccess, keystoreOf, tokenKeystoreOf } from './keystores.ts';
import { claimKey } from './key-claim.ts';
import { type SecretSource, TokenPool } from './token-pool.ts';
import { generateInToken, type NewTokenKey } from './token-keystore.ts';

/** What `vtlic key generate` was asked for. */
export interface NewKey extends NewTokenKey {
  readonly keystore: string;
  /** Sign licenses with it from now on, unless another is named. */
  readonly makeDefault: boolean;
}

/** One at a time, and not while somebody signs: `site.json` is read, changed and written under the ledger's lock. */
export async function generateKey(
  folder: string,
  wanted: NewKey,
  secrets: SecretSource,
  ledgerId: string,
  runtime: Runtime,
): Promise<KeyRecord> {
  const lock = acquireLock(sitePaths(folder).ledger, { command: 'vtlic key generate' }, nowSeconds(runtime));
  const tokens = new TokenPool(runtime);
  try {
    return await generateLocked({ site: openSite(folder), secrets, tokens, runtime }, wanted, ledgerId);
  } finally {
    await tokens.close();
    lock.release();
  }
}

async function generateLocked(access: KeyAccess, wanted: NewKey, ledgerId: string): Promise<KeyRecord> {
  const { site, secrets, runtime } = access;
  if (!isId(wanted.name))
    throw new VtlicError(
      'usage',
      'a key name should be an id (a letter or digit, then up to 127 letters, digits or . _ : -)',
    );
  if (site.config.keys.some((key) => key.name === wanted.name))
    throw new VtlicError('usage', `this site has a key ${wanted.name} already`, {
      hint: 'take another name; keys are never replaced',
    });
  const store = keystoreOf(site, wanted.keystore);
  checkCustody(wanted, store);
  const made =
    store.type === 'file'
      ? { key: await makeSoftware(site, store, wanted, secrets, runtime) }
      : await generateInToken(tokenStores(site, store, wanted), wanted, access, ledgerId);
  const { key } = made;
  const files = store.type === 'file' ? keyFiles(site.paths, store, wanted.name) : undefined;
  const claimed = files !== undefined && fileExists(files.claim);
  try {
    importPublicKey(key.publicKey.alg, key.publicKey.bytes, { forSite: true });
    await selfTest(key, runtime.random(32));
    if (files !== undefined) await claimKey(files.claim, { kid: key.publicKey.kid, ledger: ledgerId });
    const record: KeyRecord = Object.freeze({
      name: wanted.name,
      purpose: wanted.purpose,
      algorithm: wanted.algorithm,
      publicKey: key.publicKey,
      keystore: wanted.keystore,
      custody: key.custody,
      made: formatInstant(nowSeconds(runtime)),
      ...('object' in made ? { object: made.object } : {}),
    });
    const first = wanted.purpose === 'license' && (wanted.makeDefault || site.config.defaultKey === undefined);
    writeSite(site.paths, {
      ...site.config,
      keys: [...site.config.keys, record],
      ...(first ? { defaultKey: wanted.name } : {}),
    });
    return record;
  } catch (error) {
    if (files !== undefined && !isRecorded(site, wanted.name))
      for (const file of claimed ? [files.key] : [files.key, files.claim]) removeIfPresent(file);
    throw error;
  } finally {
    await key.close();
  }
}

/** Whether `site.json` names the key; also true where it cannot be read, since then the key file must stay. */
function isRecorded(site: Site, name: string): boolean {
  try {
    return openSite(site.paths.folder).config.keys.some((key) => key.name === name);
  } catch {
    return true;
  }
}

function checkCustody(wanted: NewKey, store: KeystoreConfig): void {
  const special = wanted.wrapped || wanted.mldsaKeystore !== undefined;
  if (special && store.type === 'file')
    throw new VtlicError(
      'usage',
      'hsm-wrapped and split custody are for tokens, and this keystore is a folder of files',
    );
  if (special && wanted.algorithm === 'ed25519')
    throw new VtlicError('usage', 'hsm-wrapped and split custody are for composite keys');
  if (wanted.wrapped && wanted.mldsaKeystore !== undefined)
    throw new VtlicError('usage', 'a key is either wrapped or split, not both');
}

function tokenStores(site: Site, store: TokenKeystore, wanted: NewKey): readonly TokenKeystore[] {
  return wanted.mldsaKeystore === undefined ? [store] : [store, tokenKeystoreOf(site, wanted.mldsaKeystore)];
}

async function makeSoftware(
  site: Site,
  store: FileKeystore,
  wanted: NewKey,
  secrets: SecretSource,
  runtime: Runtime,
): Promise<SigningKey> {
  const passphrase = await secrets.take(store.name, `New passphrase for key ${wanted.name}: `);
  try {
    if (secrets.asks(store.name)) {
      const again = await secrets.take(store.name, 'The same passphrase again: ');
      const same = equalBytes(passphrase, again);
      again.fill(0);
      if (!same) throw new VtlicError('passphrase_refused', 'the two passphrases differ: no key was made');
    }
    return await generateInFile(site.paths, store, wanted, passphrase, runtime);
  } finally {
    passphrase.fill(0);
  }
}
