/** `vtlic ledger backup FILE` */
import { jsonLine } from '../../../formats/json/index.ts';
import type { Command } from 'commander';
import { toHex } from '../../../formats/bytes.ts';
import { cleanText, counted } from '../../../formats/clean-text.ts';
import { backupLedger } from '../../handover/backup.ts';
import type { Io } from '../io.ts';
import { progressLine } from '../progress.ts';
import { newFilePath, openNamedSite, siteOption, type SiteOptions } from '../options.ts';

interface BackupOptions extends SiteOptions {
  readonly json?: boolean;
}

export function addLedgerBackup(parent: Command, io: Io): void {
  siteOption(
    parent
      .command('backup <file>')
      .description('makes a checked copy of the ledger, even while the ledger is in use')
      .option('--json', 'the result as one JSON document'),
  ).action(async (name: string, options: BackupOptions) => {
    const site = openNamedSite(io, options);
    const target = newFilePath(io, name);
    const progress = progressLine('entries', io.runtime.nowMs);
    const keys = site.config.keys.filter((key) => key.purpose === 'license').map((key) => key.publicKey);
    const summary = await backupLedger(site.paths.ledger, target, io.runtime, {
      keys,
      progress: progress.show,
    }).finally(progress.clear);
    io.err(
      `copied and checked: ${counted(summary.head.entries, 'entry', 'entries')}, ` +
        `${counted(summary.issued, 'license', 'licenses')} with their signatures`,
    );
    io.err('the copy contains every license in full: keep it as safe as the ledger, and apart from the anchor');
    io.out(
      options.json === true
        ? jsonLine({
            schema: 'vtlic-ledger-backup/1',
            file: target,
            entries: summary.head.entries,
            size: summary.head.size,
            root: toHex(summary.head.root),
            chain: toHex(summary.head.chain),
          })
        : `${cleanText(target, 4000)}\n`,
    );
  });
}
