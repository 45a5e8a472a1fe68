/** `vtlic ledger restore [COPY]`: a typed act of an officer, in the record for ever. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { toHex } from '../../../formats/bytes.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { planRestore, type RestorePlan } from '../../handover/plan-restore.ts';
import { readReleased } from '../../handover/released-licenses.ts';
import { finishRestore, restoreLedger, type RestoreResult } from '../../handover/restore.ts';
import type { AnchorPlace, AnchorStore } from '../../ledger/anchor.ts';
import { openAnchorStore } from '../../ledger/anchor-store.ts';
import type { LedgerView } from '../../ledger/ledger.ts';
import { acquireLock } from '../../ledger/lock.ts';
import { openLedgerForReading } from '../../ledger/open.ts';
import { plainRows } from '../plain-rows.ts';
import { formatInstant } from '../../request/dates.ts';
import type { Site } from '../../site/site.ts';
import { nowSeconds } from '../../world.ts';
import type { Io } from '../io.ts';
import { progressLine } from '../progress.ts';
import { askForWord } from '../typed-word.ts';
import { invalid, openNamedSite, siteOption, type SiteOptions } from './common.ts';

interface RestoreOptions extends SiteOptions {
  readonly license: readonly string[];
  readonly anchor?: string;
  readonly lostAnchor?: boolean;
  readonly skip?: number;
  readonly json?: boolean;
}

const HELP = `
Puts COPY in the place of the site's ledger (without COPY: takes up the ledger that stands there).

  If the anchor agrees with the copy, nothing is missing, and the copy takes its place as it is.
  If the anchor has seen more, a new log begins: every customer's counter skips what may have been used in the
  missing part. Give the licenses that were released since (--license FILE or FOLDER, such as out/).
  If the anchor is lost for good, say so: --lost-anchor --skip N, where N is at least the number of licenses that
  may have been issued since the copy was made. Too small a number lets two licenses have one counter.
  If the anchor was carried to another place, say where: --anchor FILE.

It shows what it would do, and takes a typed word for it. The act stays in the record for ever.`;

export function addLedgerRestore(parent: Command, io: Io): void {
  const command = parent
    .command('restore [copy]')
    .description('puts a copy of the ledger in its place, or takes up a ledger that its anchor disagrees with or has lost')
    .option('--license <file>', 'a license released since, or a folder of them (repeatable)', (value: string, all: string[]) => [...all, value], [] as string[])
    .option('--anchor <file>', 'where the anchor lies from now on')
    .option('--lost-anchor', 'the anchor is lost for good')
    .option('--skip <n>', 'with --lost-anchor: how many counters every customer skips', parseSkip)
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', HELP);
  siteOption(command).action((copy: string | undefined, options: RestoreOptions) => restore(io, copy, options));
}

function parseSkip(text: string): number {
  if (!/^(?:0|[1-9]\d{0,11})$/.test(text)) throw invalid('expected a number of licenses, 0 or more');
  return Number(text);
}

async function restore(io: Io, name: string | undefined, options: RestoreOptions): Promise<void> {
  if ((options.lostAnchor === true) !== (options.skip !== undefined)) throw new VtlicError('usage', '--lost-anchor and --skip N go together: without an anchor, only you can say how many licenses may be missing', { hint: 'see: vtlic help ledger restore' });
  const site = openNamedSite(io, options);
  const terminal = io.openTerminal();
  try {
    const lock = acquireLock(site.paths.ledger, { command: 'vtlic ledger restore' }, nowSeconds(io.world));
    try {
      const finished = await finishRestore(site.paths.ledger, io.world);
      if (finished !== undefined) {
        io.err('finished a restore that had been interrupted after it was confirmed; nothing more was done');
        report(io, site, finished, options);
        return;
      }
      const copyPath = name === undefined ? site.paths.ledger : resolve(io.cwd, name);
      const prepared = await prepare(io, site, copyPath, options);
      if (prepared.plan.kind === 'as-is' && name === undefined) {
        io.err('the ledger that stands here and its anchor agree: there is nothing to restore');
        return;
      }
      await askForWord(terminal, prepared.view, wordFor(prepared.plan));
      report(io, site, await restoreLedger(site.paths.ledger, copyPath, prepared.plan, prepared.store, io.world), options);
    } finally {
      lock.release();
    }
  } finally {
    terminal?.close();
  }
}

interface Prepared {
  readonly plan: RestorePlan;
  readonly store: AnchorStore;
  readonly view: readonly string[];
}

/** The copy is closed again on return: SQLite tidies up under the name of a file when it closes it. */
async function prepare(io: Io, site: Site, copyPath: string, options: RestoreOptions): Promise<Prepared> {
  const copy = openLedgerForReading(copyPath);
  try {
    await checkCopy(io, site, copy);
    const place: AnchorPlace = options.anchor === undefined ? copy.anchorPlace() : { kind: 'file', path: resolve(io.cwd, options.anchor) };
    if (place.kind === 'file' && place.path.startsWith(`${site.paths.folder}/`)) throw new VtlicError('usage', 'the anchor would lie inside the site, and be rolled back together with it', { file: place.path, hint: 'give --anchor a place outside the site' });
    const store = openAnchorStore(place);
    const released = readReleased(site, options.license.map((path) => resolve(io.cwd, path)));
    const plan = await planRestore({ copy, store, place, released, lost: options.skip === undefined ? undefined : { skip: options.skip } });
    return { plan, store, view: viewOf(copy, copyPath, plan, store.description) };
  } finally {
    copy.close();
  }
}

/** A copy that does not hold by itself is no copy to go on from. */
async function checkCopy(io: Io, site: Site, copy: LedgerView): Promise<void> {
  if (copy.genesis.iss !== site.config.issuer) throw new VtlicError('ledger_conflict', `this is a ledger of the issuer ${copy.genesis.iss}, but site.json says ${site.config.issuer}`, { file: copy.path, hint: 'give a copy of the ledger of this site' });
  const progress = progressLine('entries', io.world.nowMs);
  try {
    await copy.verify({ keys: site.config.keys.filter((key) => key.job === 'license').map((key) => key.publicKey), progress: progress.show });
  } finally {
    progress.clear();
  }
}

function wordFor(plan: RestorePlan): string {
  return plan.kind === 'anchor_lost' ? 'ADOPT WITHOUT ANCHOR' : 'RESTORE';
}

const TITLES = {
  'as-is': 'The anchor agrees with this copy: nothing that was released is missing. It takes its place as it is.',
  moved: 'The anchor agrees with this copy: nothing that was released is missing. From now on the anchor lies in another place.',
  restored: 'THE ANCHOR HAS SEEN MORE THAN THIS COPY HOLDS. A new log begins, and counters skip what may have been used.',
  anchor_lost: 'NOTHING SAYS WHAT THIS COPY LACKS: its anchor is lost. A new log begins; how many counters are skipped is your word alone.',
} as const;

function viewOf(copy: LedgerView, path: string, plan: RestorePlan, anchor: string): string[] {
  const { head, found } = plan;
  const rows: (readonly [string, string])[] = [
    ['ledger', `${toHex(copy.genesis.ledgerId)} of ${copy.genesis.iss}`],
    ['copy', cleanText(path, 1000)],
    ['it ends with', `entry ${head.entries}, ${formatInstant(copy.lastAt())}; ${head.size} leaves`],
    ['anchor', `${cleanText(anchor, 1000)}: ${found === undefined ? 'LOST' : `has seen entry ${found.entries}`}`],
  ];
  if (plan.kind === 'restored' || plan.kind === 'anchor_lost') {
    rows.push(
      ['counters', plan.skip === 0 ? 'none is skipped' : `every lineage skips ${plan.skip}, also those never seen: a new one begins at ${copy.floorOf(undefined) + plan.skip + 1}`],
      ['licenses given', `${plan.reenter.length + plan.fulfil.length + plan.known}: ${plan.known} known to the copy, ${plan.reenter.length + plan.fulfil.length} entered again`],
      ['unfinished', plan.voids.length === 0 ? 'none' : `${plan.voids.length} reserved counters become void: what came of them is not known`],
    );
  }
  if (plan.closed) rows.push(['handed over', 'the missing part handed counters over: all are closed until an act takes them back']);
  const warning = plan.kind === 'anchor_lost' ? ['', 'If more licenses than that were issued since, two of them will have one counter, and products will refuse one.', 'If counters were handed over since (vtlic counters export), do not do this: ask for them back first.'] : [];
  return [TITLES[plan.kind], '', ...plainRows(rows), ...warning];
}

function report(io: Io, site: Site, { replaced, head }: RestoreResult, options: RestoreOptions): void {
  if (replaced !== undefined) io.err(`the ledger that stood here lies now in ${cleanText(replaced, 1000)}`);
  io.err(`the ledger is in its place, and anchored: ${head.entries} entries; the next signing run goes on from there`);
  io.out(options.json === true ? `${JSON.stringify({ schema: 'vtlic-ledger-restore/1', ledger: site.paths.ledger, replaced: replaced ?? null, entries: head.entries, log: toHex(head.logId), size: head.size })}\n` : `${cleanText(site.paths.ledger, 4000)}\n`);
}
