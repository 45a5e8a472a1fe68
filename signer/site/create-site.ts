/** `vtlic init`: a new folder with a site, a catalog, an empty ledger and its anchor. */
import { existsSync, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { toHex, utf8, equalBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { isId } from '../../formats/license/id.ts';
import { createDurably, makeFolders } from '../../files/index.ts';
import { nowSeconds, type Runtime } from '../runtime.ts';
import {
  type AnchorPlace,
  type AnchorStore,
  type AnchorStoreOpener,
  openAnchorStore,
  samePlace,
} from '../anchor/index.ts';
import { createLedger, openLedgerForReading } from '../ledger/index.ts';
import { CATALOG_SCHEMA, parseCatalog } from './catalog.ts';
import { type KeystoreConfig, sitePaths, type SitePaths, encodeSite, parseSite } from './site.ts';

export interface NewSite {
  /** Absolute. */
  readonly folder: string;
  readonly issuer: string;
  /** Where the ledger's head is kept besides the ledger; a file's path is absolute. */
  readonly anchor: AnchorPlace;
  readonly keystores: readonly KeystoreConfig[];
  /** A product to try things out with, instead of an empty catalog. */
  readonly exampleCatalog: boolean;
}

const EXAMPLE_PRODUCTS = {
  vaultdesk: {
    maxTermDays: 366,
    maxGraceDays: 60,
    tiers: {
      team: { maxSeats: 50, features: ['audit-export'], limits: { vaults: 10 } },
      enterprise: { maxSeats: 5000, features: ['audit-export', 'sso'], limits: { vaults: 500 } },
    },
  },
};

/** A new catalog says by itself how it is filled in. */
const CATALOG_COMMENT = [
  'What may be sold; every other order is refused. docs/site.md explains each member.',
  'Add products, then run: vtlic catalog check. Members "comment" are for people, here and in products and tiers.',
  'products: { PRODUCT-ID: { maxTermDays: 1 to 36525 or "perpetual", maxGraceDays: 0 to 366, tiers: … } }',
  'tiers, the lowest first: { TIER-ID: { maxSeats: a number or "unlimited", features: [id], limits: { NAME: most } } }',
];

/** Beside the site, so that it is easy to find; a place that is not backed up together with the site is better. */
export function defaultAnchorFile(folder: string): string {
  return `${resolve(folder)}.anchor`;
}

/** Links are followed: as far as the path exists, it is compared by what it really is. */
export function liesInside(file: string, folder: string): boolean {
  return `${realPath(file)}/`.startsWith(`${realPath(folder)}/`);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}

/**
 * @param opener for an anchor in a token; called once all that needs no login was judged
 * @throws VtlicError `output_exists` for a folder that contains anything but the beginning of this very site, or for an
 *   anchor that exists already
 */
export async function createSite(wanted: NewSite, runtime: Runtime, opener?: AnchorStoreOpener): Promise<SitePaths> {
  if (!isId(wanted.issuer))
    throw new VtlicError(
      'usage',
      '--issuer should be an id (a letter or digit, then up to 127 letters, digits or . _ : -)',
    );
  const paths = sitePaths(wanted.folder);
  const begun = isUnfinishedInit(paths);
  if (!begun && existsSync(paths.folder) && readdirSync(paths.folder).length > 0) {
    throw new VtlicError('output_exists', 'this folder exists and is not empty', {
      file: paths.folder,
      hint: existsSync(paths.site) ? 'it is a site already: go on with it' : 'name a new folder',
    });
  }
  if (wanted.anchor.kind === 'file') checkAnchorFile(wanted.anchor.path, paths.folder, begun);
  const site = encodeSite({
    issuer: wanted.issuer,
    keystores: new Map(wanted.keystores.map((store) => [store.name, store])),
    keys: [],
  });
  parseSite(site, paths.site);
  const catalog = utf8(
    `${JSON.stringify(
      {
        schema: CATALOG_SCHEMA,
        comment: CATALOG_COMMENT,
        products: wanted.exampleCatalog ? EXAMPLE_PRODUCTS : {},
      },
      null,
      2,
    )}\n`,
  );
  parseCatalog(catalog, paths.catalog);
  const store = openAnchorStore(wanted.anchor, opener);
  // A token that cannot store it, or a PIN that the token refuses, leaves no folder behind.
  if (wanted.anchor.kind === 'token') await checkTokenAnchor(store, begun);
  makeFolders(paths.folder, 0o700);
  if (!(begun && (await ledgerIsReady(paths, wanted, store)))) {
    await createLedger(paths.ledger, {
      iss: wanted.issuer,
      anchor: wanted.anchor,
      anchorStore: () => store,
      now: () => nowSeconds(runtime),
      random: runtime.random,
    });
  }
  await createDurably(paths.catalog, catalog, 0o644);
  // Last: a folder without it is not a site, so that an init that was cut short is seen.
  await createDurably(paths.site, site, 0o644);
  return paths;
}

function checkAnchorFile(file: string, folder: string, begun: boolean): void {
  if (liesInside(file, folder)) {
    throw new VtlicError(
      'usage',
      'the anchor would be inside the site: an old copy of the site would bring an old anchor with it',
      {
        file,
        hint: 'give --anchor a place outside the site, best on another disk',
      },
    );
  }
  if (!begun && lstatSync(file, { throwIfNoEntry: false }) !== undefined) {
    throw new VtlicError('output_exists', 'an anchor of another ledger is already here', {
      file,
      hint: 'give this site its own place: --anchor FILE',
    });
  }
}

async function checkTokenAnchor(store: AnchorStore, begun: boolean): Promise<void> {
  const [record] = await store.read();
  if (record === undefined || begun) return;
  throw new VtlicError(
    'ledger_missing',
    `${store.description} exists already: it is the anchor of the ledger ${toHex(record.ledgerId)} of ` +
      `${record.entries} ${record.entries === 1 ? 'entry' : 'entries'}, which is not in this folder; a new ` +
      'ledger would count from 1 again',
    {
      hint:
        'put that ledger back; or, for another ledger in the same token, give its anchor a name of its own: ' +
        '--anchor token:KEYSTORE/LABEL',
    },
  );
}

/**
 * The files that an interrupted `init` may leave: parts of a site without its last file, `site.json`. The same command
 * continues from there.
 */
const LEFTOVERS: readonly RegExp[] = [
  /^ledger\.sqlite(?:\.new)?(?:-wal|-shm|-journal)?$/,
  /^ledger\.(?:lock|holder)(?:-journal)?$/,
  /^catalog\.json$/,
  /^\.(?:catalog|site)\.json\..+$/,
];

/** True if the folder is not empty, and contains only what an init writes before `site.json`. */
function isUnfinishedInit(paths: SitePaths): boolean {
  const names = existsSync(paths.folder) ? readdirSync(paths.folder) : [];
  return names.length > 0 && names.every((name) => LEFTOVERS.some((leftover) => leftover.test(name)));
}

/**
 * True if the ledger of an unfinished init exists, and is exactly the one that the anchor describes: nothing was ever
 * written to it.
 */
async function ledgerIsReady(
  paths: SitePaths,
  wanted: { readonly issuer: string; readonly anchor: AnchorPlace },
  store: AnchorStore,
): Promise<boolean> {
  if (!existsSync(paths.ledger)) return false;
  const view = openLedgerForReading(paths.ledger);
  try {
    const { genesis } = view;
    const head = view.head();
    const records = await store.read();
    if (
      head.entries === 1 &&
      genesis.iss === wanted.issuer &&
      samePlace(genesis.anchor, wanted.anchor) &&
      records.length === 1 &&
      records.every((record) => equalBytes(record.chain, head.chain))
    )
      return true;
    throw new VtlicError('output_exists', 'there is a ledger here that this init did not begin', {
      file: paths.ledger,
      hint: 'name a new folder',
    });
  } finally {
    view.close();
  }
}
