/** Opens a site's key, in whatever keystore it lives, and sees that it belongs to this site's ledger. */
import { selfTest, type SigningKey } from '../../keys/private/signing-key.ts';
import { type KeyRecord, type FileKeystore, requireSigning } from '../site/site.ts';
import { inTries, keyFiles, openFromFile } from './file-keystore.ts';
import { type KeyAccess, keystoreOf, keystoresUsed, tokenKeystoreOf } from './keystores.ts';
import { checkClaim, claimKey, checkClaimInToken, tokenClaimFile } from './key-claim.ts';
import { openFromToken } from './token-keystore.ts';

const SELF_TEST_RANDOM_BYTES = 32;

/**
 * @param ledgerId 32 hex digits: the ledger that the key's claim must name
 * @returns the opened key, self-tested; the caller closes it
 */
export async function openKey(access: KeyAccess, record: KeyRecord, ledgerId: string): Promise<SigningKey> {
  const { site, runtime } = access;
  requireSigning(record);
  const store = keystoreOf(site, record.keystore);
  // A token's key was self-tested when it was opened.
  if (store.type === 'pkcs11')
    return openFromToken(
      keystoresUsed(record).map((name) => tokenKeystoreOf(site, name)),
      record,
      access,
      ledgerId,
    );
  const key = await openSoftware(access, store, record, ledgerId);
  try {
    await selfTest(key, runtime.random(SELF_TEST_RANDOM_BYTES));
    return key;
  } catch (error) {
    await key.close();
    throw error;
  }
}

/**
 * Checks that no other ledger has claimed the key, before a run finishes what an earlier one left. Claims nothing. For
 * a key in a token, it logs in to the token.
 *
 * @throws VtlicError `key_claimed`
 */
export async function requireOwnKey(
  { site, secrets, tokens }: KeyAccess,
  record: KeyRecord,
  ledgerId: string,
): Promise<void> {
  const store = keystoreOf(site, record.keystore);
  const claim = { kid: record.publicKey.kid, ledger: ledgerId };
  if (store.type === 'file') checkClaim(keyFiles(site.paths, store, record.name).claim, claim);
  else {
    const token = await tokens.open(store, secrets, 'to finish what an earlier run left');
    await checkClaimInToken(token, claim, tokenClaimFile(site.paths, record.name));
  }
}

async function openSoftware(
  { site, secrets, runtime }: KeyAccess,
  store: FileKeystore,
  record: KeyRecord,
  ledgerId: string,
): Promise<SigningKey> {
  await claimKey(keyFiles(site.paths, store, record.name).claim, { kid: record.publicKey.kid, ledger: ledgerId });
  const open = async (why: string): Promise<SigningKey> => {
    const passphrase = await secrets.take(store.name, `${why}Passphrase of key ${record.name}: `);
    try {
      return await openFromFile(site.paths, store, record, passphrase, runtime);
    } finally {
      passphrase.fill(0);
    }
  };
  return secrets.asks(store.name) ? inTries(open) : open('');
}
