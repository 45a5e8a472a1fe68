/** `vtlic ledger restore [COPY]`: an officer confirms it by typed words, and the ledger records it for ever. */
import { jsonLine } from '../../../formats/json/index.ts';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { toHex } from '../../../formats/bytes.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { openPrevious } from '../../handover/previous-place.ts';
import { type LostAnchor, planRestore, readPrevious } from '../../handover/plan-restore.ts';
import { readReleased } from '../../handover/released-licenses.ts';
import { finishRestore, placeOfDraft, restoreLedger, type RestoreResult } from '../../handover/restore.ts';
import { publishedVersions, restoredVersion } from '../../keyset/published.ts';
import { MAX_SKIPPED } from '../../keyset/signer-rules.ts';
import { anchorOpener, keystoresOfPlaces } from '../../keys/ledger-opening.ts';
import { type AnchorPlace, type AnchorStoreOpener, NONCE_BYTES, openAnchorStore } from '../../anchor/index.ts';
import { acquireLock, fileExists, type LedgerView, openLedgerForReading } from '../../ledger/index.ts';
import { liesInside } from '../../site/create-site.ts';
import { requireSiteOwner, type Site } from '../../site/site.ts';
import { nowSeconds } from '../../runtime.ts';
import type { Io } from '../io.ts';
import { progressLine } from '../progress.ts';
import { type Restoring, restoreView, restoreWord } from '../restore-view.ts';
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
  readonly signedVersion?: number;
  readonly json?: boolean;
}

const HELP = `
Puts the copy in the place of the ledger of the site. Without a copy, it goes
on with the ledger that is there. The command shows what it will do, and asks
you to type a word. The ledger records the restore for ever.

  If the anchor agrees with the copy, nothing is missing: the copy becomes the
  ledger.
  If the anchor has seen more than the copy contains, a new log begins. The
  counter of every customer skips the numbers that the missing part may have
  used. Give the licenses that were released since the copy was made: --license
  with a file, or with a folder such as out/.
  If the anchor is lost for good, give --lost-anchor --skip N. N must be at
  least the number of licenses that were issued since the copy was made: with a
  smaller number, two licenses can get the same counter. Where the site has a
  root key, give --signed-version N too. N must be at least the highest version
  of the keyset that was signed here or published since the copy was made (0 for
  none): with a smaller number, a root key can sign two payloads for a version.
  If the anchor is at another place now, name it: --anchor PLACE. The place that
  the copy names is read too, if it is there: its token asks for the PIN. With
  --lost-anchor, PLACE is the place of the new anchor. PLACE is a file, or
  token:KEYSTORE. (To move an anchor that can still be read, use
  vtlic ledger anchor --to PLACE.)`;

export function addLedgerRestore(parent: Command, io: Io): void {
  const command = parent
    .command('restore [copy]')
    .description('restores the ledger from a backup, or after its anchor was lost')
    .option(
      '--license <file>',
      'a license released after the copy was made, or a folder of them (repeatable)',
      collect,
      [] as string[],
    )
    .option('--anchor <place>', 'where the anchor is from now on: a file, or token:KEYSTORE')
    .option('--lost-anchor', 'the anchor is lost for good')
    .option('--skip <n>', 'with --lost-anchor: how many counters to skip for every customer', parseCount)
    .option('--signed-version <n>', 'with --lost-anchor: root keys sign no keyset version up to n', parseCount)
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', HELP);
  secretOption(siteOption(command)).action((copy: string | undefined, options: RestoreOptions) =>
    restore(io, copy, options),
  );
}

function parseCount(text: string): number {
  if (!/^(?:0|[1-9]\d{0,11})$/.test(text)) throw invalid('expected a number, 0 or more');
  return Number(text);
}

async function restore(io: Io, name: string | undefined, options: RestoreOptions): Promise<void> {
  if ((options.lostAnchor === true) !== (options.skip !== undefined))
    throw new VtlicError(
      'usage',
      '--lost-anchor and --skip N go together: without an anchor, only you can say how many licenses may be missing',
      { hint: 'see: vtlic help ledger restore' },
    );
  if (options.signedVersion !== undefined && options.lostAnchor !== true)
    throw new VtlicError(
      'usage',
      '--signed-version is only for a lost anchor: this anchor says up to which version root keys signed',
      {
        hint: 'leave --signed-version out',
      },
    );
  const site = openNamedSite(io, options);
  requireSiteOwner(site.paths);
  const copyPath = name === undefined ? site.paths.ledger : resolve(io.cwd, name);
  const place =
    options.anchor === undefined
      ? undefined
      : parseAnchorOption('--anchor', options.anchor, io.cwd, site.config.issuer);
  if (place?.kind === 'file' && liesInside(place.path, site.paths.folder))
    throw new VtlicError(
      'usage',
      'the anchor would be inside the site: an old copy of the site would bring an old anchor with it',
      {
        file: place.path,
        hint: 'give --anchor a place outside the site',
      },
    );
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
      await confirmByWord(terminal, prepared.view, restoreWord(prepared));
      const { plan, previous } = await readPreviousAgain(prepared, opener, options);
      report(
        io,
        site,
        await restoreLedger(site.paths.ledger, copyPath, plan, prepared.store, io.runtime, previous.store),
        options,
      );
    } finally {
      lock.release();
    }
  });
}

/** That of an interrupted restore, that of this one, and the one that the copy names if a login can open it. */
function placesOf(site: Site, copyPath: string, named: AnchorPlace | undefined): readonly AnchorPlace[] {
  const draft = placeOfDraft(site.paths.ledger);
  const ofCopy = draft === undefined || fileExists(copyPath) ? placeOfCopy(copyPath) : undefined;
  const isKnown = ofCopy?.kind === 'file' || (ofCopy !== undefined && site.config.keystores.has(ofCopy.keystore));
  return [draft, named, named === undefined || isKnown ? ofCopy : undefined].filter((place) => place !== undefined);
}

function placeOfCopy(path: string): AnchorPlace {
  const copy = openLedgerForReading(path);
  try {
    return copy.anchorPlace();
  } finally {
    copy.close();
  }
}

interface Prepared extends Restoring {
  readonly ledgerId: Uint8Array;
  /** Where the copy says that its anchor is. */
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
    requireSignedVersion(site, copy, options);
    const place = named ?? copy.anchorPlace();
    const store = openAnchorStore(place, opener);
    if (options.lostAnchor !== true) await store.settle(io.runtime.random(NONCE_BYTES));
    const before = copy.anchorPlace();
    const previous = await openPrevious(before, place, store, opener);
    const released = readReleased(
      site,
      options.license.map((path) => resolve(io.cwd, path)),
    );
    const plan = await planRestore({
      copy,
      store,
      place,
      previous: previous.store,
      released,
      lost: lostOf(options),
    });
    const { ledgerId } = copy.genesis;
    return { plan, store, ledgerId, before, previous, view: restoreView(copy, copyPath, { plan, store, previous }) };
  } finally {
    copy.close();
  }
}

/** While the prompt was open, an anchor may have come back to the place that the copy names, or was used there. */
async function readPreviousAgain(
  { plan, store, ledgerId, before }: Prepared,
  opener: AnchorStoreOpener,
  options: RestoreOptions,
): Promise<Pick<Prepared, 'plan' | 'previous'>> {
  const previous = await openPrevious(before, plan.place, store, opener);
  const seen = await readPrevious({ ledgerId, previous: previous.store, lost: lostOf(options) }, plan.found);
  return { plan: { ...plan, ...seen }, previous };
}

function lostOf({ skip, signedVersion = 0 }: RestoreOptions): LostAnchor | undefined {
  return skip === undefined ? undefined : { skip, keysetVersion: signedVersion };
}

/** Without the anchor, only the officer can say what root keys of this site have signed since the copy was made. */
function requireSignedVersion(site: Site, copy: LedgerView, { lostAnchor, signedVersion }: RestoreOptions): void {
  if (lostAnchor !== true) return;
  const known = copy.head().keysetVersion ?? 0;
  if (signedVersion === undefined && (known > 0 || site.config.keys.some(({ purpose }) => purpose === 'root')))
    throw new VtlicError(
      'usage',
      'only you can say which keyset versions root keys signed since the copy was made: the anchor is lost, and ' +
        'this site has keysets or a root key',
      {
        hint:
          'add --signed-version N: N is the highest version that was drafted or published, or 0 if there is none; if ' +
          `you are not sure, give a higher number, up to ${known + MAX_SKIPPED}`,
      },
    );
  if ((signedVersion ?? 0) > known + MAX_SKIPPED)
    throw new VtlicError(
      'usage',
      `--signed-version ${signedVersion ?? 0} is too far from version ${known}, the highest one that the copy knows`,
      { hint: `name a version up to ${known + MAX_SKIPPED}` },
    );
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

function report(io: Io, site: Site, { replaced, head }: RestoreResult, options: RestoreOptions): void {
  if (replaced !== undefined) io.err(`the ledger that was here is now in ${cleanText(replaced, 1000)}`);
  io.err(`the ledger is in its place and anchored, with ${head.entries} entries`);
  for (const line of keysetsToTakeUp(site)) io.err(line);
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

function keysetsToTakeUp({ paths }: Site): readonly string[] {
  const ledger = openLedgerForReading(paths.ledger);
  try {
    const lost = restoredVersion(ledger);
    if (lost <= (publishedVersions(ledger).at(-1)?.version ?? 0)) return [];
    return [
      `root keys of this site sign no keyset version up to ${lost}: the lost part of the ledger may have signed it`,
      'before the next draft, accept the keysets that products have: vtlic keyset adopt CHAIN',
    ];
  } finally {
    ledger.close();
  }
}
