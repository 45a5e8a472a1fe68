/** `vtlic ledger export`: JSON lines for an auditor. */
import { jsonLine } from '../../../formats/json/index.ts';
import type { Command } from 'commander';
import { toHex } from '../../../formats/bytes.ts';
import { AuditLines } from '../../ledger/index.ts';
import type { Io } from '../io.ts';
import { siteOption } from '../options.ts';
import { type LedgerFileOptions, withLedger } from '../input-files.ts';

interface ExportOptions extends LedgerFileOptions {
  readonly withNames?: boolean;
  readonly ledger?: string;
}

/** Characters that are gathered before they are written. */
const CHUNK = 1 << 16;

export function addLedgerExport(parent: Command, io: Io): void {
  const command = parent
    .command('export')
    .description('writes every entry as a line of JSON, without what identifies customers')
    .option('--with-names', 'with customers, deployments, names, references, file names and salts')
    .option('--ledger <file>', 'read this copy of the ledger instead of the ledger of the site');
  siteOption(command).action((options: ExportOptions) =>
    withLedger(io, options, options.ledger, (ledger) => {
      const lines = new AuditLines(ledger, options.withNames ?? false);
      const head = ledger.head();
      let text = jsonLine({
        schema: 'vtlic-ledger-export/1',
        ledger: toHex(ledger.genesis.ledgerId),
        issuer: ledger.genesis.iss,
        withNames: options.withNames ?? false,
        entries: head.entries,
        size: head.size,
        root: toHex(head.root),
        chain: toHex(head.chain),
      });
      for (const entry of ledger.entriesFrom(1)) {
        if (entry.seq > head.entries) break;
        text += jsonLine(lines.of(entry));
        if (text.length > CHUNK) {
          io.out(text);
          text = '';
        }
      }
      io.out(text);
    }),
  );
}
