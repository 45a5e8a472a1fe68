/** `vtlic release ID`: writes the stored bytes of an issued license out again. Signs nothing. */
import { jsonLine } from '../../../formats/json/index.ts';
import type { Command } from 'commander';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { uuidFromBytes, uuidToBytes } from '../../../formats/license/id.ts';
import { anchorIssued, release } from '../../issue/pipeline.ts';
import { openForSigning } from '../../issue/open-ledger.ts';
import { storedLicense } from '../../issue/stored-license.ts';
import { anchorKeystores, openingWith } from '../../keys/ledger-opening.ts';
import type { KeyRecord } from '../../site/site.ts';
import type { Io } from '../io.ts';
import { openNamedSite, secretOption, type SecretOptions, siteOption, type SiteOptions } from '../options.ts';
import { withAccess } from '../key-access.ts';

interface ReleaseOptions extends SiteOptions, SecretOptions {
  readonly json?: boolean;
}

export function defineRelease(command: Command, io: Io): void {
  command.option('--json', 'the result as one JSON document');
  secretOption(siteOption(command)).action((id: string, options: ReleaseOptions) => {
    const bytes = uuidToBytes(id.toLowerCase());
    if (bytes === undefined)
      throw new VtlicError('usage', 'release takes a license id, such as 01936f2a-0c1d-7b3e-8a4f-5d6e7f809112');
    return releaseAgain(io, bytes, options);
  });
}

/**
 * Writes the file of a license that the ledger has, unless it is there.
 *
 * @param key whose secret the command line may give, although nothing is signed
 */
export async function releaseAgain(
  io: Io,
  licenseId: Uint8Array,
  options: ReleaseOptions,
  key?: KeyRecord,
): Promise<void> {
  const site = openNamedSite(io, options);
  const id = uuidFromBytes(licenseId);
  await withAccess(
    io,
    site,
    options,
    { ...(key === undefined ? {} : { key }), anchors: anchorKeystores(site) },
    async (access) => {
      const ledger = await openForSigning(site, io.runtime, { command: 'release', ...openingWith(access) });
      try {
        const record = ledger.findByLicenseId(licenseId);
        if (record === undefined)
          throw new VtlicError('request_invalid', `the ledger has no license ${id}`, {
            hint: 'find the id of the license: vtlic ledger show CUSTOMER',
          });
        if (record.issue === undefined)
          throw new VtlicError(
            'request_invalid',
            `the counter of license ${id} is void (${record.void?.body.reason ?? 'open'}): the ` +
              'ledger has no signed license with it',
            { hint: 'issue the license anew: vtlic issue, or vtlic renew' },
          );
        for (const anchored of await anchorIssued(ledger, [storedLicense(ledger, record, site)])) {
          const done = await release(ledger, site.paths.folder, anchored, io.runtime);
          io.err(
            done.written
              ? 'released: the file is written'
              : 'the file exists already, with exactly the bytes of the ledger',
          );
          io.out(
            options.json === true
              ? jsonLine({ schema: 'vtlic-release/1', file: done.path, id, written: done.written })
              : `${cleanText(done.path, 4000)}\n`,
          );
        }
      } finally {
        ledger.close();
      }
    },
  );
}
