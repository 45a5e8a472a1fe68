/** `vtlic ledger restore [COPY]`: a typed act of an officer, in the record for ever. */
import { jsonLine } from '../../../formats/json/index.ts';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { toHex } from '../../../formats/bytes.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { planRestore, type RestorePlan } from '../../handover/plan-restore.ts';
import { readReleased } from '../../handover/released-licenses.ts';
import { finishRestore, placeOfDraft, restoreLedger, type RestoreResult } from '../../handover/restore.ts';
import { formatTable } from '../output.ts';
import { anchorOpener, keystoresOfPlaces } from '../../keys/ledger-opening.ts';
import {
  type AnchorPlace,
  type AnchorStore,
  type AnchorStoreOpener,
  NONCE_BYTES,
  openAnchorStore,
  samePlace,
} from '../../anchor/index.ts';
import { acquireLock, fileExists, type LedgerView, openLedgerForReading } from '../../ledger/index.ts';
import { formatInstant } from '../../../formats/dates.ts';
import { liesInside } from '../../site/create-site.ts';
import { requireSiteOwner, type Site } from '../../site/site.ts';
import { nowSeconds } from '../../runtime.ts';
import type { Io } from '../io.ts';
import { progressLine } from '../progress.ts';
import { confirmByWord } from '../terminal.ts';
import {
  parseAnchorOption,
  collect,
  invalid,
  openNamedSite,
  secretOption,
  type SecretOptions,
  siteOption,
  type SiteOptions,
} from '../options.ts';
import { withAccess } from '../key-access.ts';

interface RestoreOptions extends SiteOptions, SecretOptions {
  readonly license: readonly string[];
  readonly anchor?: string;
  readonly lostAnchor?: boolean;
  readonly skip?: number;
  readonly json?: boolean;
}

const HELP = `
Puts the copy in the place of the ledger of the site. Without a copy, it goes
on with the ledger that is there. The command shows what it will do, and asks
you to type a word. The ledger records the restore for ever.

  If the anchor agrees with the copy, nothing is missing, and the copy takes
  its place as it is.
  If the anchor has seen more, a new log begins: every customer's counter
  skips what may have been used in the missing part. Give the licenses that
  were released since (--license FILE or FOLDER, such as out/).
  If the anchor is lost for good, say so: --lost-anchor --skip N, where N is
  at least the number of licenses that may have been issued since the copy was
  made. Too small a number lets two licenses have one counter.
  If the anchor was carried to another place, say where: --anchor PLACE. With
  --lost-anchor, PLACE is the place of the new one, such as a token in
  the place of one that was lost. PLACE is a file, or token:KEYSTORE. An
  anchor that can still be read is moved by: vtlic ledger anchor --to PLACE

It shows what it would do, and takes a typed word for it. The act stays in the
record for ever.`;

export function addLedgerRestore(parent: Command, io: Io): void {
  const command = parent
    .command('restore [copy]')
    .description('restores the ledger from a backup, or after its anchor was lost')
    .option('--license <file>', 'a license released since, or a folder of them (repeatable)', collect, [] as string[])
    .option('--anchor <place>', 'where the anchor is from now on: a file, or token:KEYSTORE')
    .option('--lost-anchor', 'the anchor is lost for good')
    .option('--skip <n>', 'with --lost-anchor: how many counters to skip for every customer', parseSkip)
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', HELP);
  secretOption(siteOption(command)).action((copy: string | undefined, options: RestoreOptions) =>
    restore(io, copy, options),
  );
}

function parseSkip(text: string): number {
  if (!/^(?:0|[1-9]\d{0,11})$/.test(text)) throw invalid('expected a number of licenses, 0 or more');
  return Number(text);
}

async function restore(io: Io, name: string | undefined, options: RestoreOptions): Promise<void> {
  if ((options.lostAnchor === true) !== (options.skip !== undefined))
    throw new VtlicError(
      'usage',
      '--lost-anchor and --skip N go together: without an anchor, only you can say how many licenses may be missing',
      { hint: 'see: vtlic help ledger restore' },
    );
  const site = openNamedSite(io, options);
  requireSiteOwner(site.paths);
  const copyPath = name === undefined ? site.paths.ledger : resolve(io.cwd, name);
  const place =
    options.anchor === undefined
      ? undefined
      : parseAnchorOption('--anchor', options.anchor, io.cwd, site.config.issuer);
  if (place?.kind === 'file' && liesInside(place.path, site.paths.folder))
    throw new VtlicError('usage', 'the anchor would be inside the site, and be rolled back together with it', {
      file: place.path,
      hint: 'give --anchor a place outside the site',
    });
  // Whose secrets are needed is known before any login.
  const places = placesOf(site, copyPath, place);
  await withAccess(io, site, options, { anchors: keystoresOfPlaces(site, places) }, async (access, terminal) => {
    const opener = anchorOpener(access);
    const lock = acquireLock(site.paths.ledger, { command: 'vtlic ledger restore' }, nowSeconds(io.runtime));
    try {
      const finished = await finishRestore(site.paths.ledger, io.runtime, opener);
      if (finished !== undefined) {
        io.err('finished a restore that had been interrupted after it was confirmed; nothing more was done');
        report(io, site, finished, options);
        return;
      }
      const prepared = await prepare(io, site, copyPath, place, opener, options);
      if (prepared.plan.kind === 'as-is' && name === undefined) {
        io.err('the ledger that is here and its anchor agree: there is nothing to restore');
        return;
      }
      await confirmByWord(terminal, prepared.view, wordFor(prepared.plan));
      await requireNewestAnchor(prepared.before, prepared.plan);
      report(
        io,
        site,
        await restoreLedger(
          site.paths.ledger,
          copyPath,
          prepared.plan,
          prepared.store,
          io.runtime,
          previousStore(prepared),
        ),
        options,
      );
    } finally {
      lock.release();
    }
  });
}

/** That of an interrupted restore, and that of this one. */
function placesOf(site: Site, copyPath: string, named: AnchorPlace | undefined): readonly AnchorPlace[] {
  const draft = placeOfDraft(site.paths.ledger);
  if (named !== undefined) return draft === undefined ? [named] : [draft, named];
  if (draft === undefined) return [placeOfCopy(copyPath)];
  return fileExists(copyPath) ? [draft, placeOfCopy(copyPath)] : [draft];
}

function placeOfCopy(path: string): AnchorPlace {
  const copy = openLedgerForReading(path);
  try {
    return copy.anchorPlace();
  } finally {
    copy.close();
  }
}

interface Prepared {
  readonly plan: RestorePlan;
  readonly store: AnchorStore;
  /** Where the copy says that the anchor is. */
  readonly before: AnchorPlace;
  readonly view: readonly string[];
}

/** The copy is closed again on return: SQLite tidies up under the name of a file when it closes it. */
async function prepare(
  io: Io,
  site: Site,
  copyPath: string,
  named: AnchorPlace | undefined,
  opener: AnchorStoreOpener,
  options: RestoreOptions,
): Promise<Prepared> {
  const copy = openLedgerForReading(copyPath);
  try {
    await checkCopy(io, site, copy);
    const place = named ?? copy.anchorPlace();
    const store = openAnchorStore(place, opener);
    if (options.lostAnchor !== true) await store.settle(io.runtime.random(NONCE_BYTES));
    const released = readReleased(
      site,
      options.license.map((path) => resolve(io.cwd, path)),
    );
    const plan = await planRestore({
      copy,
      store,
      place,
      released,
      lost: options.skip === undefined ? undefined : { skip: options.skip },
    });
    const before = copy.anchorPlace();
    await requireNewestAnchor(before, plan);
    return { plan, store, before, view: viewOf(copy, copyPath, plan, store.description) };
  } finally {
    copy.close();
  }
}

/** An anchor file in the place that the copy names is read too: if it has seen more, it says what is missing. */
async function requireNewestAnchor(before: AnchorPlace, { place, found }: RestorePlan): Promise<void> {
  if (before.kind !== 'file' || samePlace(before, place) || !fileExists(before.path)) return;
  const store = openAnchorStore(before);
  const newest = Math.max(0, ...(await store.read()).map((record) => record.entries));
  if (newest <= (found?.entries ?? 0)) return;
  throw new VtlicError(
    'usage',
    `${store.description} still stands where this copy says, and has seen ` +
      (found === undefined ? `entry ${newest}` : 'more than the one that you name'),
    {
      hint:
        found === undefined
          ? 'leave --lost-anchor, --skip and --anchor out: it says what is missing; move it afterwards: vtlic ' +
            'ledger anchor --to PLACE'
          : 'leave --anchor out; move it afterwards: vtlic ledger anchor --to PLACE',
    },
  );
}

/** The file that the copy names as its anchor, if the anchor comes to another place. */
function previousStore({ before, plan }: Prepared): AnchorStore | undefined {
  const stands = before.kind === 'file' && !samePlace(before, plan.place) && fileExists(before.path);
  return stands ? openAnchorStore(before) : undefined;
}

/** A copy that fails its own checks is not restored. */
async function checkCopy(io: Io, site: Site, copy: LedgerView): Promise<void> {
  if (copy.genesis.iss !== site.config.issuer)
    throw new VtlicError(
      'ledger_conflict',
      `this is a ledger of the issuer ${copy.genesis.iss}, but site.json says ${site.config.issuer}`,
      { file: copy.path, hint: 'give a copy of the ledger of this site' },
    );
  const progress = progressLine('entries', io.runtime.nowMs);
  try {
    await copy.verify({
      keys: site.config.keys.filter((key) => key.purpose === 'license').map((key) => key.publicKey),
      progress: progress.show,
    });
  } finally {
    progress.clear();
  }
}

function wordFor(plan: RestorePlan): string {
  return plan.kind === 'anchor_lost' ? 'ADOPT WITHOUT ANCHOR' : 'RESTORE';
}

const TITLES = {
  'as-is': 'The anchor agrees with this copy: nothing that was released is missing. It takes its place as it is.',
  moved:
    'The anchor agrees with this copy: nothing that was released is missing. From now on the anchor is in ' +
    'another place.',
  restored:
    'THE ANCHOR HAS SEEN MORE THAN THIS COPY HOLDS. A new log begins, and counters skip what may have been used.',
  anchor_lost:
    'NOTHING SAYS WHAT THIS COPY LACKS: its anchor is lost. A new log begins. It skips as many counters as ' +
    'you say, and nothing can check that number.',
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
  return [TITLES[plan.kind], '', ...formatTable(rows), ...warning];
}

function report(io: Io, site: Site, { replaced, head }: RestoreResult, options: RestoreOptions): void {
  if (replaced !== undefined) io.err(`the ledger that was here is now in ${cleanText(replaced, 1000)}`);
  io.err(`the ledger is in its place, and anchored: ${head.entries} entries; the next signing run goes on from there`);
  io.out(
    options.json === true
      ? jsonLine({
          schema: 'vtlic-ledger-restore/1',
          ledger: site.paths.ledger,
          replaced: replaced ?? null,
          entries: head.entries,
          log: toHex(head.logId),
          size: head.size,
        })
      : `${cleanText(site.paths.ledger, 4000)}\n`,
  );
}
