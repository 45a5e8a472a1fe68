/**
 * Makes a key, proves that it signs, claims it for this ledger, and writes it into `site.json`, in this order. If a
 * step fails, what was made of the key is removed, so that its name is free again.
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
  requireSiteOwner,
  type Site,
  writeSite,
  type KeyRecord,
  type FileKeystore,
  type KeystoreConfig,
  type TokenKeystore,
  type TokenObject,
  sitePaths,
} from '../site/site.ts';
import { checkNewPassphrase, generateInFile, inTries, keyFiles } from './file-keystore.ts';
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

/**
 * One at a time, and not while somebody signs: `site.json` is read, changed and written under the ledger's lock.
 *
 * @param command that has the lock, as another run reports it
 */
export async function withSiteLocked<T>(
  folder: string,
  command: string,
  secrets: SecretSource,
  runtime: Runtime,
  work: (access: KeyAccess) => Promise<T>,
): Promise<T> {
  requireSiteOwner(sitePaths(folder));
  const lock = acquireLock(sitePaths(folder).ledger, { command }, nowSeconds(runtime));
  const tokens = new TokenPool(runtime);
  try {
    return await work({ site: openSite(folder), secrets, tokens, runtime });
  } finally {
    await tokens.close();
    lock.release();
  }
}

export async function generateKey(
  folder: string,
  wanted: NewKey,
  secrets: SecretSource,
  ledgerId: string,
  runtime: Runtime,
): Promise<KeyRecord> {
  return withSiteLocked(folder, 'vtlic key generate', secrets, runtime, (access) =>
    generateLocked(access, wanted, ledgerId),
  );
}

async function generateLocked(access: KeyAccess, wanted: NewKey, ledgerId: string): Promise<KeyRecord> {
  const { site, secrets, runtime } = access;
  checkNewKeyName(site, wanted.name);
  const store = keystoreOf(site, wanted.keystore);
  checkCustody(wanted, store);
  const made =
    store.type === 'file'
      ? { key: await makeSoftware(site, store, wanted, secrets, runtime) }
      : await generateInToken(tokenStores(site, store, wanted.mldsaKeystore), wanted, access, ledgerId);
  const { key } = made;
  const files = store.type === 'file' ? keyFiles(site.paths, store, wanted.name) : undefined;
  const claimed = files !== undefined && fileExists(files.claim);
  try {
    importPublicKey(key.publicKey.alg, key.publicKey.bytes, { forSite: true });
    await selfTest(key, runtime.random(32));
    if (files !== undefined) await claimKey(files.claim, { kid: key.publicKey.kid, ledger: ledgerId });
    return recordKey(access, key, wanted, 'object' in made ? made.object : undefined);
  } catch (error) {
    if (isRecorded(site, wanted.name)) throw error;
    if (files !== undefined) for (const file of claimed ? [files.key] : [files.key, files.claim]) removeIfPresent(file);
    throw 'undo' in made ? await made.undo(error) : error;
  } finally {
    await key.close();
  }
}

/** @throws VtlicError `usage` for a name that is not an id, or taken */
export function checkNewKeyName(site: Site, name: string): void {
  if (!isId(name))
    throw new VtlicError(
      'usage',
      'a key name should be an id (a letter or digit, then up to 127 letters, digits or . _ : -)',
    );
  if (site.config.keys.some((key) => key.name === name))
    throw new VtlicError('usage', `this site has a key ${name} already`, {
      hint: 'take another name: --name NAME; keys are never replaced',
    });
}

/** Writes a key that signs and is claimed into `site.json`. */
export function recordKey(
  { site, runtime }: KeyAccess,
  key: SigningKey,
  wanted: Pick<NewKey, 'name' | 'purpose' | 'keystore' | 'makeDefault'>,
  object: TokenObject | undefined,
): KeyRecord {
  const record: KeyRecord = Object.freeze({
    name: wanted.name,
    purpose: wanted.purpose,
    algorithm: key.publicKey.alg,
    publicKey: key.publicKey,
    keystore: wanted.keystore,
    custody: key.custody,
    made: formatInstant(nowSeconds(runtime)),
    ...(object === undefined ? {} : { object }),
  });
  const first = wanted.purpose === 'license' && (wanted.makeDefault || site.config.defaultKey === undefined);
  writeSite(site.paths, {
    ...site.config,
    keys: [...site.config.keys, record],
    ...(first ? { defaultKey: wanted.name } : {}),
  });
  return record;
}

/** Whether `site.json` names the key; also true where it cannot be read, since then the key file must stay. */
export function isRecorded(site: Site, name: string): boolean {
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
      '--wrapped and --ml-dsa-keystore are for keys in tokens, and this keystore is a folder of files',
      { hint: 'name a keystore that is a token: --keystore NAME; or leave --wrapped and --ml-dsa-keystore out' },
    );
  if (special && wanted.algorithm === 'ed25519')
    throw new VtlicError('usage', '--wrapped and --ml-dsa-keystore are for composite keys, and this key is ed25519', {
      hint: 'make it composite: --algorithm ed25519+ml-dsa-65; or leave --wrapped and --ml-dsa-keystore out',
    });
  if (wanted.wrapped && wanted.mldsaKeystore !== undefined)
    throw new VtlicError('usage', '--wrapped and --ml-dsa-keystore cannot be used together', {
      hint: 'use --wrapped for one token without ML-DSA, or --ml-dsa-keystore to split the key over two tokens',
    });
}

/** The keystores of a key in tokens: for split custody, that of the ML-DSA component comes second. */
export function tokenStores(
  site: Site,
  store: TokenKeystore,
  mldsaKeystore: string | undefined,
): readonly TokenKeystore[] {
  return mldsaKeystore === undefined ? [store] : [store, tokenKeystoreOf(site, mldsaKeystore)];
}

async function makeSoftware(
  site: Site,
  store: FileKeystore,
  wanted: NewKey,
  secrets: SecretSource,
  runtime: Runtime,
): Promise<SigningKey> {
  const prompt = `New passphrase for key ${wanted.name}: `;
  const passphrase = secrets.asks(store.name)
    ? await inTries((why) => newPassphrase(store, `${why}${prompt}`, secrets))
    : await secrets.take(store.name, prompt);
  try {
    return await generateInFile(site.paths, store, wanted, passphrase, runtime);
  } finally {
    passphrase.fill(0);
  }
}

/** Asks a person twice. @throws VtlicError `passphrase_refused` for one that is too short, or for two that differ */
async function newPassphrase(store: FileKeystore, prompt: string, secrets: SecretSource): Promise<Uint8Array> {
  const passphrase = await secrets.take(store.name, prompt);
  try {
    checkNewPassphrase(passphrase);
    const again = await secrets.take(store.name, 'The same passphrase again: ');
    const same = equalBytes(passphrase, again);
    again.fill(0);
    if (!same) throw new VtlicError('passphrase_refused', 'the two passphrases differ: no key was made');
    return passphrase;
  } catch (error) {
    passphrase.fill(0);
    throw error;
  }
}
