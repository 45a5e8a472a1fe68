/** `vtlic counters export FILE` */
import { jsonLine } from '../../../formats/json/index.ts';
import type { Command } from 'commander';
import { toHex } from '../../../formats/bytes.ts';
import { cleanText, counted } from '../../../formats/clean-text.ts';
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
import {
  newFilePath,
  parseCustomer,
  parseLedgerId,
  openNamedSite,
  secretOption,
  siteOption,
  type SiteOptions,
} from '../options.ts';
import { withAccess } from '../key-access.ts';
import { keyWithPurpose, type LogSigningOptions } from '../log-signing.ts';

interface ExportOptions extends SiteOptions, LogSigningOptions {
  readonly to: Uint8Array;
  readonly customer?: string;
  readonly json?: boolean;
}

const HELP = `
The document names the one ledger that may take the counters over. At that
site, this prints the id of its ledger:
  vtlic ledger status --site OTHER          (the line "ledger")

Example:
  vtlic counters export all.counters --to 3b5d3c7d207e37dceeedd301e35e2e58`;

export function addCountersExport(parent: Command, io: Io): void {
  const command = parent
    .command('export <file>')
    .description('hands counters over to another ledger, which then issues in place of this one')
    .requiredOption('--to <ledger>', 'the id of the ledger that takes them over', parseLedgerId)
    .option(
      '--customer <id>',
      'hand over only this customer (default: all, also customers that the ledger does not know yet)',
      parseCustomer,
    )
    .option('--key <name>', 'the key that signs (default: the only one with the purpose counters)')
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', HELP);
  secretOption(siteOption(command)).action(async (file: string, options: ExportOptions) => {
    const site = openNamedSite(io, options);
    const target = newFilePath(io, file);
    const handover = { sub: options.customer, to: options.to };
    // Before anything is closed.
    if (fileExists(target))
      throw new VtlicError('output_exists', 'a file already exists here and is never replaced', {
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
        const existing = standingDocument(ledger, handover);
        if (existing === undefined)
          await confirmByWord(terminal, viewOf(ledger, options, io), ['HAND OVER', 'hand these counters over']);
        const document = existing ?? (await sign());
        await createDurably(target, document, 0o644, { folderExists: true });
        io.err(
          existing === undefined
            ? `handed over: this ledger issues nothing for ${whom(options)}, until it gets the counters back`
            : 'these counters were handed over before: the same document is written again, and nothing else was done',
        );
        io.out(
          options.json === true
            ? jsonLine({
                schema: 'vtlic-counters-export/1',
                file: target,
                to: toHex(options.to),
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
          return await handOver(ledger, handover, key, io.runtime);
        } finally {
          await key.close();
        }
      }
    });
  });
}

function whom({ customer }: ExportOptions): string {
  return customer ?? 'anybody';
}

function viewOf(ledger: LedgerView, options: ExportOptions, io: Io): string[] {
  const { customer: sub, to } = options;
  const document = countersOf(ledger, { sub, to }, nowSeconds(io.runtime));
  return [
    `FROM NOW ON THIS LEDGER ISSUES NOTHING FOR ${sub ?? 'ANYBODY'}, until it gets the counters back.`,
    '',
    ...formatTable([
      ['ledger', `${toHex(document.ledgerId)} of ${document.iss}`],
      ['to', `the ledger ${toHex(to)}, and no other`],
      [
        'lineages',
        `${document.lineages.length}, with their last counters` +
          (sub === undefined ? '; and every lineage that this ledger does not know yet' : ''),
      ],
      ['tree', `${counted(document.head.size, 'leaf', 'leaves')}, root ${toHex(document.head.root)}`],
    ]),
  ];
}
