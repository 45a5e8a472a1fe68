/** What `vtlic ledger restore` shows before it changes anything, and the word that it asks for. */
import { toHex } from '../../formats/bytes.ts';
import { cleanText, counted } from '../../formats/clean-text.ts';
import { formatInstant } from '../../formats/dates.ts';
import { type AnchorStore, anchorPlaceText } from '../anchor/index.ts';
import type { PreviousPlace } from '../handover/previous-place.ts';
import type { RestorePlan } from '../handover/plan-restore.ts';
import type { LedgerView } from '../ledger/index.ts';
import { formatTable } from './output.ts';
import type { WordAndEffect } from './terminal.ts';

export interface Restoring {
  readonly plan: RestorePlan;
  readonly store: AnchorStore;
  readonly previous: PreviousPlace;
}

/** What the officer types, and for what. */
export function restoreWord({ plan, previous }: Pick<Restoring, 'plan' | 'previous'>): WordAndEffect {
  if (plan.kind === 'anchor_lost')
    return ['ADOPT WITHOUT ANCHOR', 'confirm that the anchor is lost, and to go on with this copy without it'];
  return previous.unread === undefined && plan.movedBy === undefined
    ? ['RESTORE', 'restore the ledger as it is shown above']
    : ['OLD PLACE IS LOST', 'confirm that the old place of the anchor is lost, and to go on with this copy'];
}

const TITLES = {
  'as-is':
    'The anchor agrees with this copy: nothing that was released is missing. The copy becomes the ledger as it is.',
  moved:
    'The anchor agrees with this copy: nothing that was released is missing. From now on the anchor is in ' +
    'another place.',
  restored:
    'THE ANCHOR HAS SEEN MORE THAN THIS COPY CONTAINS. A new log begins, and counters skip what may have been used.',
  anchor_lost:
    'NOBODY CAN TELL WHAT THIS COPY LACKS, because its anchor is lost. A new log begins. It skips as many ' +
    'counters as you say, and no program can check that number.',
} as const;

export function restoreView(copy: LedgerView, path: string, { plan, store, previous }: Restoring): readonly string[] {
  const { head, found } = plan;
  const anchor = store.description;
  const rows: (readonly [string, string])[] = [
    ['ledger', `${toHex(copy.genesis.ledgerId)} of ${copy.genesis.iss}`],
    ['copy', cleanText(path, 1000)],
    ['it ends with', `entry ${head.entries}, ${formatInstant(copy.lastAt())}; ${counted(head.size, 'leaf', 'leaves')}`],
    ['anchor', `${cleanText(anchor, 1000)}: ${found === undefined ? 'LOST' : `has seen entry ${found.entries}`}`],
  ];
  if (plan.kind === 'restored' || plan.kind === 'anchor_lost') {
    rows.push(
      [
        'counters',
        plan.skip === 0
          ? 'none is skipped'
          : `every lineage skips ${plan.skip}; a lineage that the copy does not know begins at ` +
            `${copy.floorOf(undefined) + plan.skip + 1}`,
      ],
      [
        'licenses given',
        `${plan.reenter.length + plan.fulfil.length + plan.known}; already in the copy: ${plan.known}, ` +
          `entered again: ${plan.reenter.length + plan.fulfil.length}`,
      ],
      [
        'unfinished',
        plan.voids.length === 0
          ? 'none'
          : `${counted(plan.voids.length, 'reserved counter becomes', 'reserved counters become')} void, as nobody ` +
            'knows whether they were used',
      ],
    );
  }
  if (plan.keysetVersion > 0) rows.push(['root keys', `sign no keyset version up to ${plan.keysetVersion}`]);
  if (plan.closed)
    rows.push([
      'handed over',
      'the missing part handed counters over: all counters are closed until you run vtlic counters reopen, or import',
    ]);
  const warning =
    plan.kind === 'anchor_lost'
      ? [
          '',
          'If more licenses than that were issued since, two of them will have one counter, and products will ' +
            'refuse one of the two.',
          'If counters were handed over since (vtlic counters export), do not do this: ask for them back first.',
        ]
      : [];
  return [TITLES[plan.kind], '', ...formatTable(rows), ...warning, ...warningOfPrevious(copy, { plan, previous })];
}

/** The risk if the place that the copy names cannot be read, or if another ledger has moved the anchor from it. */
function warningOfPrevious(copy: LedgerView, { plan, previous }: Pick<Restoring, 'plan' | 'previous'>): string[] {
  const named = cleanText(anchorPlaceText(copy.anchorPlace()), 1000);
  if (previous.unread !== undefined)
    return [
      '',
      `This copy names ${named} as the place of its anchor, and this place cannot be read:`,
      `  ${cleanText(previous.unread, 1000)}`,
      'IF A COPY OF THE LEDGER WAS USED WITH THAT ANCHOR SINCE, two licenses will have one counter.',
    ];
  if (plan.movedBy !== undefined)
    return [
      '',
      `This copy names ${named} as the place of its anchor.`,
      `A ledger with ${plan.movedBy.entries} entries has moved the anchor away from there. Unless your own interrupted`,
      'restore did that, NAME THE PLACE TO WHICH IT WAS MOVED (--anchor PLACE):',
      'otherwise two licenses will have one counter.',
    ];
  return [];
}
