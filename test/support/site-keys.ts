/** More keys for a site in a test, made as `vtlic key generate` makes them but with a passphrase that opens fast. */
import { toHex, utf8 } from '../../formats/bytes.ts';
import type { Algorithm } from '../../formats/cose-algorithm.ts';
import { createKeyFile } from '../../keys/private/software/key-file.ts';
import type { KeyPurpose } from '../../keys/public/key-purpose.ts';
import { keyFiles } from '../../signer/keys/file-keystore.ts';
import { claimKey } from '../../signer/keys/key-claim.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { openSite, writeSite } from '../../signer/site/site.ts';
import { PASSPHRASE, testRuntime, type SiteFixture } from './site-fixture.ts';

const FAST_WORK_FACTOR = 10;

export async function addKey(
  fixture: SiteFixture,
  name: string,
  purpose: KeyPurpose,
  algorithm: Algorithm = 'ed25519',
): Promise<void> {
  const site = openSite(fixture.site);
  const files = keyFiles(site.paths, { type: 'file', name: 'local', path: 'keys' }, name);
  const key = await createKeyFile(files.key, algorithm, purpose, utf8(PASSPHRASE), testRuntime().random, {
    workFactor: FAST_WORK_FACTOR,
  });
  const ledger = openLedgerForReading(site.paths.ledger);
  await claimKey(files.claim, { kid: key.publicKey.kid, ledger: toHex(ledger.genesis.ledgerId) });
  ledger.close();
  writeSite(site.paths, {
    ...site.config,
    keys: [
      ...site.config.keys,
      {
        name,
        purpose,
        algorithm,
        publicKey: key.publicKey,
        keystore: 'local',
        custody: 'software',
        made: '2026-01-01T00:00:00Z',
      },
    ],
  });
  await key.close();
}
