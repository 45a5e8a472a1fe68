/** `vtlic counters import FILE` */
import { jsonLine } from '../../../formats/json/index.ts';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { equalBytes, toHex } from '../../../formats/bytes.ts';
import { counted } from '../../../formats/clean-text.ts';
import {
  type AskedOfOfficer,
  planTaking,
  type ReceivedDocument,
  takeCounters,
  type Taking,
} from '../../handover/import-counters.ts';
import { handedByName } from '../../handover/export-counters.ts';
import { openForSigning } from '../../issue/open-ledger.ts';
import { formatTable } from '../output.ts';
import { formatInstant } from '../../../formats/dates.ts';
import type { Io } from '../io.ts';
import { confirmByWord, type WordAndEffect } from '../terminal.ts';
import { collect, openNamedSite, secretOption, type SecretOptions, siteOption, type SiteOptions } from '../options.ts';
import { anchorKeystores, openingWith } from '../../keys/ledger-opening.ts';
import type { LedgerView } from '../../ledger/index.ts';
import { countersKeys, readCounters } from '../input-files.ts';
import { withAccess } from '../key-access.ts';

interface ImportOptions extends SiteOptions, SecretOptions {
  readonly trust: readonly string[];
  readonly json?: boolean;
}

export function addCountersImport(parent: Command, io: Io): void {
  const command = parent
    .command('import <file>')
    .description('takes counters over from another ledger, or takes its own back')
    .option(
      '--trust <keys>',
      "a file with the counters key of the other site (repeatable; besides the site's own)",
      collect,
      [] as string[],
    )
    .option('--json', 'the result as one JSON document');
  secretOption(siteOption(command)).action(async (file: string, options: ImportOptions) => {
    const site = openNamedSite(io, options);
    const received = readCounters(resolve(io.cwd, file), countersKeys(io, site, options.trust));
    await withAccess(io, site, options, { anchors: anchorKeystores(site) }, async (access, terminal) => {
      const ledger = await openForSigning(site, io.runtime, { command: 'counters import', ...openingWith(access) });
      try {
        const taking = planTaking(ledger, received);
        await confirmByWord(terminal, viewOf(ledger, received, taking), wordFor(taking, isOwn(ledger, received)));
        await takeCounters(ledger, received, taking, io.runtime);
        const { document } = received;
        io.err(
          taking.how === 'back'
            ? 'taken back: this ledger issues again for ' +
                (document.sub ?? 'every customer who was not handed over individually')
            : `taken over: ${counted(document.lineages.length, 'lineage', 'lineages')}; this ledger issues for them ` +
                'above their last counters',
        );
        io.out(
          options.json === true
            ? jsonLine({
                schema: 'vtlic-counters-import/1',
                how: taking.how,
                ledger: toHex(document.ledgerId),
                customer: document.sub ?? null,
                lineages: document.lineages.length,
              })
            : `${taking.how}\n`,
        );
      } finally {
        ledger.close();
      }
    });
  });
}

/** The words that the officer types: they state what only the officer can know. */
function wordFor(taking: Taking, own: boolean): WordAndEffect {
  if (taking.how === 'over' && taking.asks === 'not-handed-over')
    return ['NOT HANDED OVER', 'confirm that this ledger had not handed them on, and to take the counters over'];
  if (own) return ['TAKE BACK', 'take the counters back'];
  return taking.how === 'over' && taking.asks === 'no-other-taker'
    ? ['TAKEN NOWHERE ELSE', 'confirm that no other ledger has imported the document, and to take the counters over']
    : ['TAKE OVER', 'take the counters over'];
}

const WARNINGS: Readonly<Record<AskedOfOfficer, readonly string[]>> = {
  nothing: [],
  'not-handed-over': [
    'A RESTORE CLOSED THESE COUNTERS, because the lost part of this ledger had handed counters over. If it had',
    'imported this document and handed the counters on, another ledger issues for them: two licenses get one counter.',
  ],
  'no-other-taker': [
    'THIS DOCUMENT NAMES NO RECIPIENT: version 0.1.0 made it. If another ledger has imported it too, two licenses get',
    'one counter, and no ledger can see it.',
  ],
};

/** Also one that a lost part of this ledger made: it is taken over, at the same risk. */
function isOwn(ledger: LedgerView, { document }: ReceivedDocument): boolean {
  return equalBytes(document.ledgerId, ledger.genesis.ledgerId);
}

function viewOf(ledger: LedgerView, received: ReceivedDocument, taking: Taking): string[] {
  const { document, digest, kid } = received;
  const own = isOwn(ledger, received);
  const stay =
    document.sub === undefined
      ? handedByName(ledger).map((entry) => `${entry.body.sub ?? ''} (entry ${entry.seq})`)
      : [];
  const raised = document.lineages.filter((lineage) => lineage.ctr > ledger.lastCounter(lineage)).length;
  const title = own
    ? [
        'This takes back what this ledger handed over. IF ANOTHER LEDGER HAS TAKEN IT OVER MEANWHILE, two licenses get',
        'one counter: ask there for a document of its own instead. Destroy every copy of the document.',
      ]
    : [
        'This takes over the counters of another ledger: from now on this ledger issues for them, above their last',
        'counters.',
      ];
  return [
    ...title,
    ...WARNINGS[taking.how === 'over' ? taking.asks : 'nothing'],
    '',
    ...formatTable([
      ['document', toHex(digest)],
      ['made', `${formatInstant(document.made)}, signed by ${kid}`],
      ['from', `the ledger ${toHex(document.ledgerId)} of ${document.iss}, at its entry ${document.head.entries}`],
      ['to', document.to === undefined ? 'no recipient is named' : `the ledger ${toHex(document.to)}, and no other`],
      ['for', document.sub ?? 'everybody'],
      ['lineages', `${document.lineages.length}, of which ${raised} with a higher counter there than here`],
      ...(stay.length === 0
        ? []
        : [
            [
              'stay closed',
              `${stay.join(', ')}: handed over individually; import a document of each to reopen them`,
            ] as const,
          ]),
    ]),
  ];
}
