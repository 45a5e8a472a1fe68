/** `vtlic counters export FILE` */
import { jsonLine } from '../../../formats/json/index.ts';
import type { Command } from 'commander';
import { toHex } from '../../../formats/bytes.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { createDurably } from '../../../files/index.ts';
import { countersOf, handOver, standingDocument } from '../../handover/export-counters.ts';
import { openForSigning } from '../../issue/open-ledger.ts';
import { anchorKeystores, openingWith } from '../../keys/ledger-opening.ts';
import { openKey } from '../../keys/open-key.ts';
import { formatTable } from '../output.ts';
import { nowSeconds } from '../../runtime.ts';
import { fileExists, type LedgerView } from '../../ledger/index.ts';
import type { Io } from '../io.ts';
import { confirmByWord } from '../terminal.ts';
import { newFilePath, parseCustomer, openNamedSite, secretOption, siteOption, type SiteOptions } from '../options.ts';
import { withAccess } from '../key-access.ts';
import { keyWithPurpose, type LogSigningOptions } from '../log-signing.ts';

interface ExportOptions extends SiteOptions, LogSigningOptions {
  readonly customer?: string;
  readonly json?: boolean;
}

export function addCountersExport(parent: Command, io: Io): void {
  const command = parent
    .command('export <file>')
    .description('hands counters over in a signed document: nothing is issued here for them any more')
    .option('--customer <id>', 'of one customer alone (default: of all, also those never seen)', parseCustomer)
    .option('--key <name>', 'the key that signs (default: the only one with the purpose counters)')
    .option('--json', 'the result as one JSON document');
  secretOption(siteOption(command)).action(async (file: string, options: ExportOptions) => {
    const site = openNamedSite(io, options);
    const target = newFilePath(io, file);
    // Before anything is closed.
    if (fileExists(target))
      throw new VtlicError('output_exists', 'a file stands here already and is never replaced', {
        file: target,
        hint: 'name a new file',
      });
    const record = keyWithPurpose(site, 'counters', options.key);
    await withAccess(io, site, options, { key: record, anchors: anchorKeystores(site) }, async (access, terminal) => {
      const ledger = await openForSigning(site, io.runtime, {
        command: 'counters export',
        ...openingWith(access, record),
      });
      try {
        const existing = standingDocument(ledger, options.customer);
        if (existing === undefined) await confirmByWord(terminal, viewOf(ledger, options, io), 'HAND OVER');
        const document = existing ?? (await sign());
        await createDurably(target, document, 0o644, { folderExists: true });
        io.err(
          existing === undefined
            ? 'handed over, and closed here'
            : 'handed over before: the same document is written out again, nothing else was done',
        );
        io.out(
          options.json === true
            ? jsonLine({
                schema: 'vtlic-counters-export/1',
                file: target,
                customer: options.customer ?? null,
                again: existing !== undefined,
              })
            : `${cleanText(target, 4000)}\n`,
        );
      } finally {
        ledger.close();
      }

      async function sign(): Promise<Uint8Array> {
        const key = await openKey(access, record, toHex(ledger.genesis.ledgerId));
        try {
          return await handOver(ledger, options.customer, key, io.runtime);
        } finally {
          await key.close();
        }
      }
    });
  });
}

function viewOf(ledger: LedgerView, options: ExportOptions, io: Io): string[] {
  const document = countersOf(ledger, options.customer, nowSeconds(io.runtime));
  return [
    'FROM NOW ON THIS LEDGER ISSUES NOTHING ' +
      `${options.customer === undefined ? 'FOR ANYBODY' : `FOR ${options.customer}`}, until the counters are ` +
      'taken back or over.',
    '',
    ...formatTable([
      ['ledger', `${toHex(document.ledgerId)} of ${document.iss}`],
      [
        'lineages',
        `${document.lineages.length}, with their last ` +
          `counters${options.customer === undefined ? '; and all that were never seen' : ''}`,
      ],
      ['tree', `${document.head.size} leaves, root ${toHex(document.head.root)}`],
    ]),
  ];
}
