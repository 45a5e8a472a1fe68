/** What `vtlic ledger restore` shows before it changes anything, and the word that it asks for. */
import { toHex } from '../../formats/bytes.ts';
import { cleanText } from '../../formats/clean-text.ts';
import { formatInstant } from '../../formats/dates.ts';
import { type AnchorStore, anchorPlaceText } from '../anchor/index.ts';
import type { PreviousPlace } from '../handover/previous-place.ts';
import type { RestorePlan } from '../handover/plan-restore.ts';
import type { LedgerView } from '../ledger/index.ts';
import { formatTable } from './output.ts';

export interface Restoring {
  readonly plan: RestorePlan;
  readonly store: AnchorStore;
  readonly previous: PreviousPlace;
}

/** What the officer types. */
export function restoreWord({ plan, previous }: Pick<Restoring, 'plan' | 'previous'>): string {
  if (plan.kind === 'anchor_lost') return 'ADOPT WITHOUT ANCHOR';
  return previous.unread === undefined && plan.movedBy === undefined ? 'RESTORE' : 'OLD PLACE IS LOST';
}

const TITLES = {
  'as-is': 'The anchor agrees with this copy: nothing that was released is missing. It takes its place as it is.',
  moved:
    'The anchor agrees with this copy: nothing that was released is missing. From now on the anchor is in ' +
    'another place.',
  restored:
    'THE ANCHOR HAS SEEN MORE THAN THIS COPY CONTAINS. A new log begins, and counters skip what may have been used.',
  anchor_lost:
    'NOTHING SAYS WHAT THIS COPY LACKS: its anchor is lost. A new log begins. It skips as many counters as ' +
    'you say, and nothing can check that number.',
} as const;

export function restoreView(copy: LedgerView, path: string, { plan, store, previous }: Restoring): readonly string[] {
  const { head, found } = plan;
  const anchor = store.description;
  const rows: (readonly [string, string])[] = [
    ['ledger', `${toHex(copy.genesis.ledgerId)} of ${copy.genesis.iss}`],
    ['copy', cleanText(path, 1000)],
    ['it ends with', `entry ${head.entries}, ${formatInstant(copy.lastAt())}; ${head.size} leaves`],
    ['anchor', `${cleanText(anchor, 1000)}: ${found === undefined ? 'LOST' : `has seen entry ${found.entries}`}`],
  ];
  if (plan.kind === 'restored' || plan.kind === 'anchor_lost') {
    rows.push(
      [
        'counters',
        plan.skip === 0
          ? 'none is skipped'
          : `every lineage skips ${plan.skip}, also those never seen: a new one begins at ` +
            `${copy.floorOf(undefined) + plan.skip + 1}`,
      ],
      [
        'licenses given',
        `${plan.reenter.length + plan.fulfil.length + plan.known}: ${plan.known} known to the copy, ` +
          `${plan.reenter.length + plan.fulfil.length} entered again`,
      ],
      [
        'unfinished',
        plan.voids.length === 0
          ? 'none'
          : `${plan.voids.length} reserved counters become void: what came of them is not known`,
      ],
    );
  }
  if (plan.keysetVersion > 0) rows.push(['root keys', `sign no keyset version up to ${plan.keysetVersion}`]);
  if (plan.closed)
    rows.push([
      'handed over',
      'the missing part handed counters over: all are closed until vtlic counters reopen, or import, opens them',
    ]);
  const warning =
    plan.kind === 'anchor_lost'
      ? [
          '',
          'If more licenses than that were issued since, two of them will have one counter, and products will ' +
            'refuse one.',
          'If counters were handed over since (vtlic counters export), do not do this: ask for them back first.',
        ]
      : [];
  return [TITLES[plan.kind], '', ...formatTable(rows), ...warning, ...warningOfPrevious(copy, { plan, previous })];
}

/** What nobody can know who does not read the place that the copy names. */
function warningOfPrevious(copy: LedgerView, { plan, previous }: Pick<Restoring, 'plan' | 'previous'>): string[] {
  const named = cleanText(anchorPlaceText(copy.anchorPlace()), 1000);
  if (previous.unread !== undefined)
    return [
      '',
      `This copy names ${named} as the place of its anchor, and that cannot be read:`,
      `  ${cleanText(previous.unread, 1000)}`,
      'IF A COPY OF THE LEDGER WAS USED WITH THAT ANCHOR SINCE, two licenses will have one counter.',
    ];
  if (plan.movedBy !== undefined)
    return [
      '',
      `This copy names ${named} as the place of its anchor.`,
      `A ledger with ${plan.movedBy.entries} entries has moved the anchor away from there. If that was`,
      'another one than an interrupted restore of yours, NAME THE PLACE TO WHICH IT WAS MOVED:',
      'otherwise two licenses will have one counter.',
    ];
  return [];
}
