/** Opens a site's key, in whatever keystore it lives, and sees that it belongs to this site's ledger. */
import type { SigningKey } from '../../keys/private/signing-key.ts';
import { selfTest } from '../../keys/private/self-test.ts';
import type { KeyRecord } from '../site/key-record.ts';
import type { FileKeystore } from '../site/keystore-config.ts';
import type { Site } from '../site/site.ts';
import type { World } from '../world.ts';
import { keyFiles, openFromFile } from './file-keystore.ts';
import { claimKey } from './key-claim.ts';
import { keystoreOf, keystoresUsed, tokenKeystoreOf } from './keystores.ts';
import type { SecretSource } from './secret-source.ts';
import { openFromToken } from './token-keystore.ts';

const SELF_TEST_RANDOM_BYTES = 32;

/**
 * @param ledgerId 32 hex digits: the ledger that the key's claim must name
 * @returns the opened key, self-tested; the caller closes it
 */
export async function openKey(site: Site, record: KeyRecord, secrets: SecretSource, ledgerId: string, world: World): Promise<SigningKey> {
  const store = keystoreOf(site, record.keystore);
  // A token's key was self-tested when it was opened.
  if (store.type === 'pkcs11') return openFromToken(keystoresUsed(record).map((name) => tokenKeystoreOf(site, name)), record, secrets, ledgerId, world);
  const key = await openSoftware(site, store, record, secrets, ledgerId, world);
  try {
    await selfTest(key, world.random(SELF_TEST_RANDOM_BYTES));
    return key;
  } catch (error) {
    await key.close();
    throw error;
  }
}

async function openSoftware(site: Site, store: FileKeystore, record: KeyRecord, secrets: SecretSource, ledgerId: string, world: World): Promise<SigningKey> {
  await claimKey(keyFiles(site.paths, store, record.name).claim, { kid: record.publicKey.kid, ledger: ledgerId });
  const passphrase = await secrets.take(store.name, `Passphrase of key ${record.name}: `);
  try {
    return await openFromFile(site.paths, store, record, passphrase, world);
  } finally {
    passphrase.fill(0);
  }
}
