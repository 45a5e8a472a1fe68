/** `vtlic rotation signed-by KEY`: what a key signed, with proofs, for the site where its revocation is drafted. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { cleanText, counted } from '../../../formats/clean-text.ts';
import type { CoseKey } from '../../../formats/cose-key.ts';
import { VtlicError } from '../../../formats/error.ts';
import { createDurably } from '../../../files/index.ts';
import { decodeLogKey, provableHead } from '../../ledger/index.ts';
import { signedByKey } from '../../rotation/signed-by-key.ts';
import { encodeSignedLicenses, type ProvedLicenses, readSignedLicenses } from '../../rotation/signed-licenses.ts';
import { nowSeconds } from '../../runtime.ts';
import { findSiteKey } from '../../site/site.ts';
import type { Io } from '../io.ts';
import { withLedger } from '../input-files.ts';
import { type LogSigningOptions, signHead } from '../log-signing.ts';
import { collect, newFilePath, secretOption, siteOption, type SiteOptions } from '../options.ts';

interface SignedByOptions extends SiteOptions, LogSigningOptions {
  readonly out: string;
}

const HELP = `
Use it when a key of this site was stolen and another site publishes the
keysets. The file contains every license of the key that may still be in force,
each with the proof that the log of this ledger contains it. At the other site,
run vtlic rotation revoke KEY --honor FILE --log-key LOGKEY. LOGKEY is what
vtlic ledger checkpoint --log-key prints here.

Example:
  vtlic rotation signed-by license-1 --out signed-by-license-1.json`;

export function addRotationSignedBy(parent: Command, io: Io): void {
  const command = parent
    .command('signed-by <key>')
    .description('writes the licenses that a key signed, with proofs, for the site that revokes it')
    .requiredOption('--out <file>', 'the new file')
    .option('--key <name>', 'the key that signs the checkpoint (default: the only one with the purpose ledger)')
    .addHelpText('after', HELP);
  secretOption(siteOption(command)).action((name: string, options: SignedByOptions) =>
    withLedger(io, options, undefined, async (ledger, site) => {
      if (site === undefined) throw new VtlicError('internal', 'a key is one of a site');
      const { kid } = findSiteKey(site, name).publicKey;
      const path = newFilePath(io, options.out);
      const log = ledger.logs().at(-1);
      if (log === undefined) throw new VtlicError('internal', 'the ledger has no log');
      const { note, checkpoint } = await signHead(
        io,
        site,
        ledger,
        (anchor) => provableHead(ledger, log, anchor),
        options,
      );
      const signed = signedByKey(ledger, kid, nowSeconds(io.runtime));
      const bytes = encodeSignedLicenses(ledger, kid, signed, { log, size: checkpoint.size, note });
      await createDurably(path, bytes, 0o644, { folderExists: true });
      io.err(
        `the file has ${counted(signed.licenses.length, 'license', 'licenses')} of the key that may be in force, and ` +
          'for each the proof that the log of this ledger contains it',
      );
      io.out(`${cleanText(path, 4000)}\n`);
    }),
  );
}

export interface HonorOptions {
  readonly honor: readonly string[];
  readonly logKey: readonly string[];
}

/** The options by which licenses of other ledgers are honored, of a draft and of its publication. */
export function honorOptions(command: Command): Command {
  const none: string[] = [];
  return command
    .option(
      '--honor <file>',
      'licenses of another ledger: a file that vtlic rotation signed-by wrote (repeatable)',
      collect,
      none,
    )
    .option(
      '--log-key <key>',
      'what vtlic ledger checkpoint --log-key prints at that ledger (repeatable)',
      collect,
      none,
    );
}

/**
 * @param keys that are revoked
 * @throws VtlicError for a file that does not prove that the other ledger has its licenses
 */
export function readHonored(
  io: Io,
  issuer: string,
  keys: readonly CoseKey[],
  { honor, logKey }: HonorOptions,
): readonly ProvedLicenses[] {
  const logKeys = logKey.map(decodeLogKey);
  if (honor.length > 0 && logKeys.length === 0)
    throw new VtlicError(
      'usage',
      '--honor also needs --log-key: the public key of the log that contains the licenses',
      {
        hint: 'ask that site for it by telephone (vtlic ledger checkpoint --log-key prints it there): --log-key KEY',
      },
    );
  return honor.map((file) => readSignedLicenses(resolve(io.cwd, file), { issuer, keys, logKeys }));
}

/** The honored licenses of other ledgers, in sentences that are recorded with the version. */
export function honoredInWords(proved: readonly ProvedLicenses[]): readonly string[] {
  return proved.map(
    ({ kid, digests, origin, size }) =>
      `honored of the key ${kid}: ${counted(digests.length, 'license', 'licenses')}, which the log ` +
      `${cleanText(origin, 300)} contains (as of ${counted(size, 'leaf', 'leaves')})`,
  );
}
