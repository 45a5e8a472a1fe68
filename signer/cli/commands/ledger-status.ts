/** `vtlic ledger status` */
import { jsonLine } from '../../../formats/json/index.ts';
import type { Command } from 'commander';
import { toHex } from '../../../formats/bytes.ts';
import { cleanText, counted } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { formatTable } from '../output.ts';
import {
  type AdoptEntry,
  type AnchorStatus,
  type ClockEntry,
  type CloseEntry,
  ledgerStatus,
} from '../../ledger/index.ts';
import { formatInstant } from '../../../formats/dates.ts';
import type { Io } from '../io.ts';
import { readAnchorStatus } from '../key-access.ts';
import { secretOption, type SecretOptions, siteOption } from '../options.ts';
import { type LedgerFileOptions, withLedger } from '../input-files.ts';

interface StatusOptions extends LedgerFileOptions, SecretOptions {}

export function addLedgerStatus(parent: Command, io: Io): void {
  const command = parent
    .command('status')
    .description('shows the state of the ledger, and whether its anchor agrees with it')
    .option('--json', 'the result as one JSON document');
  secretOption(siteOption(command)).action((options: StatusOptions) =>
    withLedger(io, options, undefined, async (ledger, site) => {
      if (site === undefined) throw new VtlicError('internal', 'a status is of a site');
      const status = ledgerStatus(ledger);
      const anchor = await readAnchorStatus(io, site, ledger, options);
      const { head } = status;
      const acts = [...ledger.adminEntries(), ...ledger.clockEntries()].sort((a, b) => a.seq - b.seq);
      const log = status.logs.at(-1);
      if (options.json === true) {
        io.out(
          jsonLine({
            schema: 'vtlic-ledger-status/1',
            ledger: toHex(ledger.genesis.ledgerId),
            issuer: ledger.genesis.iss,
            origin: log?.origin ?? null,
            logs: status.logs.length,
            entries: head.entries,
            size: head.size,
            root: toHex(head.root),
            chain: toHex(head.chain),
            reach: head.counterBound,
            lastEntryAt: status.lastAt,
            open: status.open,
            unreleased: status.unreleased,
            anchor: {
              description: anchor.description,
              state: anchor.state,
              entries: anchor.entries ?? null,
              fault: anchor.fault?.message ?? null,
            },
            acts: acts.map((entry) => ({ seq: entry.seq, at: entry.at, act: actName(entry) })),
          }),
        );
        return;
      }
      io.out(
        `${formatTable([
          ['ledger', toHex(ledger.genesis.ledgerId)],
          ['issuer', ledger.genesis.iss],
          [
            'log',
            (log?.origin ?? '') +
              (status.logs.length > 1 ? ` (log ${status.logs.length}: the ledger was restored)` : ''),
          ],
          ['entries', `${head.entries}, the last at ${formatInstant(status.lastAt)}`],
          ['tree', `${counted(head.size, 'leaf', 'leaves')}, root ${toHex(head.root)}`],
          ['chain', toHex(head.chain)],
          [
            'unfinished',
            `${status.open} reserved, ${status.unreleased} signed but not released` +
              (status.open + status.unreleased > 0 ? ' (the next signing run finishes or voids them)' : ''),
          ],
          ['anchor', anchorText(anchor)],
          ...acts.map(
            (entry) =>
              [
                `entry ${entry.seq}`,
                `${actName(entry)}, ${formatInstant(entry.at)}, by ${cleanText(operatorOf(entry))}`,
              ] as const,
          ),
        ]).join('\n')}\n`,
      );
      if (anchor.fault !== undefined)
        io.err(`warning: signing will be refused: ${cleanText(anchor.fault.message, 1000)}`);
    }),
  );
}

function anchorText(anchor: AnchorStatus): string {
  const where = cleanText(anchor.description, 1000);
  if (anchor.state === 'unread') return `${where}: NOT COMPARED; to compare it, give the PIN by --secret`;
  if (anchor.state === 'current') return `${where}: agrees, and covers everything`;
  if (anchor.allLeaves === true) return `${where}: agrees, and covers every license`;
  if (anchor.state === 'ahead')
    return `${where}: agrees, and covers ${anchor.entries ?? 0} entries (another run is at work, or one stopped early)`;
  return `${where}: DOES NOT AGREE`;
}

const ACT_NAMES = {
  log: 'restored: a new log begins',
  license: 'license entered again',
  anchor: 'anchor moved to another place',
  import: 'counters taken over',
  counter: 'counter taken over',
  reopen: 'counters taken back',
  'keyset-signing': 'keyset about to be signed',
  keyset: 'keyset published',
} as const;

function actName(entry: AdoptEntry | ClockEntry | CloseEntry): string {
  if (entry.kind === 'clock') return `clock confirmed: ${formatInstant(entry.body.confirmed)}`;
  if (entry.kind === 'close')
    return entry.body.sub === undefined ? 'all counters handed over' : `counters of ${entry.body.sub} handed over`;
  if (entry.body.act === 'log' && entry.body.reason === 'anchor_lost')
    return 'restored without its anchor: a new log begins';
  const { body } = entry;
  return body.act === 'keyset' || body.act === 'keyset-signing'
    ? `${ACT_NAMES[body.act]}: version ${body.version}`
    : ACT_NAMES[body.act];
}

function operatorOf(entry: AdoptEntry | ClockEntry | CloseEntry): string {
  return 'operator' in entry.body ? entry.body.operator : '';
}
