/** `vtlic counters reopen` */
import { jsonLine } from '../../../formats/json/index.ts';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { VtlicError } from '../../../formats/error.ts';
import { type LostDocument, planReopening, reopenCounters, type Reopening } from '../../handover/reopen-counters.ts';
import { openForSigning } from '../../issue/open-ledger.ts';
import { formatTable } from '../output.ts';
import type { Io } from '../io.ts';
import { confirmByWord } from '../terminal.ts';
import {
  parseCustomer,
  collect,
  openNamedSite,
  secretOption,
  type SecretOptions,
  siteOption,
  type SiteOptions,
} from '../options.ts';
import { anchorKeystores, openingWith } from '../../keys/ledger-opening.ts';
import { countersKeys, readCounters } from '../input-files.ts';
import { withAccess } from '../key-access.ts';

interface ReopenOptions extends SiteOptions, SecretOptions {
  readonly customer?: string;
  readonly handed: readonly string[];
  readonly trust: readonly string[];
  readonly json?: boolean;
}

export function addCountersReopen(parent: Command, io: Io): void {
  const command = parent
    .command('reopen')
    .description(
      'issues again for customers that a restore closed: the lost part of the ledger may have handed them over',
    )
    .option('--customer <id>', 'only this customer, who was surely not handed over', parseCustomer)
    .option(
      '--handed <file>',
      'a counters document of the lost period: its customers stay closed, all others are reopened (repeatable)',
      collect,
      [] as string[],
    )
    .option(
      '--trust <keys>',
      "a file with the key that signed such a document (repeatable; besides the site's own)",
      collect,
      [] as string[],
    )
    .option('--json', 'the result as one JSON document');
  secretOption(siteOption(command)).action(async (options: ReopenOptions) => {
    if (options.customer !== undefined && options.handed.length > 0)
      throw new VtlicError(
        'usage',
        '--customer and --handed cannot be used together: --customer reopens one customer, --handed all except those ' +
          'in the documents',
      );
    const site = openNamedSite(io, options);
    const keys = countersKeys(io, site, options.trust);
    const handed = options.handed.map((file): LostDocument => readCounters(resolve(io.cwd, file), keys));
    await withAccess(io, site, options, { anchors: anchorKeystores(site) }, async (access, terminal) => {
      const ledger = await openForSigning(site, io.runtime, { command: 'counters reopen', ...openingWith(access) });
      try {
        const plan = planReopening(ledger, options.customer, handed);
        await confirmByWord(terminal, viewOf(plan), [
          'NOT HANDED OVER',
          'confirm that no other ledger issues for them, and to reopen these counters',
        ]);
        await reopenCounters(ledger, plan, io.runtime);
        io.err(`reopened: this ledger issues again for ${whom(plan)}`);
        io.out(
          options.json === true
            ? jsonLine({
                schema: 'vtlic-counters-reopen/1',
                customer: options.customer ?? null,
                stillClosed: namesOf(plan),
              })
            : 'reopened\n',
        );
      } finally {
        ledger.close();
      }
    });
  });
}

function viewOf(plan: Reopening): string[] {
  return [
    'IF ANOTHER LEDGER ISSUES FOR ANY OF THEM, two licenses get one counter, and no ledger can see it.',
    '',
    ...formatTable([
      [
        'closed by',
        `the restore in entry ${plan.closedBy}: the lost part handed counters over ` +
          (plan.lost === 1 ? 'once' : `${plan.lost} times`),
      ],
      ['opens', whom(plan)],
    ]),
  ];
}

function whom(plan: Reopening): string {
  const names = namesOf(plan);
  return (
    plan.sub ??
    (names.length === 0
      ? 'everybody who was not handed over individually'
      : `everybody except ${names.join(', ')} and the others who were handed over individually`)
  );
}

function namesOf({ handed }: Reopening): string[] {
  return [...new Set(handed.flatMap(({ document }) => document.sub ?? []))].sort();
}
