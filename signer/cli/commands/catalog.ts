/** `vtlic catalog check`: reads a catalog as every other command does, and says what follows from it. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { cleanText, counted, groupDigits } from '../../../formats/clean-text.ts';
import { PERPETUAL } from '../../../formats/dates.ts';
import { VtlicError } from '../../../formats/error.ts';
import { jsonLine } from '../../../formats/json/index.ts';
import { lineageOf, lineageText, openLedgerForReading } from '../../ledger/index.ts';
import { noLongerSold, type NoLongerSold } from '../../renew/due.ts';
import { catalogNotes, readCatalog, type Catalog, type Tier } from '../../site/catalog.ts';
import { nowSeconds } from '../../runtime.ts';
import type { Io } from '../io.ts';
import { openNamedSite, siteOption, type SiteOptions } from '../options.ts';

/** At most this many licenses are shown; the rest are counted. */
const SHOWN = 5;

interface CheckOptions extends SiteOptions {
  readonly json?: boolean;
}

const HELP = `
Without a file it checks the catalog of the site. With one it checks a new
catalog before you put it in the place of the site's.

Examples:
  vtlic catalog check
  vtlic catalog check new-catalog.json`;

export function defineCatalog(command: Command, io: Io): void {
  const check = command
    .command('check [file]')
    .description('shows what a catalog sells, what looks wrong, and who could not renew')
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', HELP);
  siteOption(check).action((file: string | undefined, options: CheckOptions) => {
    const site = openNamedSite(io, options);
    const path = file === undefined ? site.paths.catalog : resolve(io.cwd, file);
    const catalog = readCatalog(path);
    const ledger = openLedgerForReading(site.paths.ledger);
    let refused: readonly NoLongerSold[];
    try {
      refused = noLongerSold(ledger, catalog, nowSeconds(io.runtime));
    } finally {
      ledger.close();
    }
    const notes = catalogNotes(catalog);
    if (options.json === true) io.out(jsonLine(document(path, catalog, notes, refused)));
    else io.out(`${text(path, catalog, notes, refused).join('\n')}\n`);
    if (catalog.products.size === 0)
      throw new VtlicError('policy_refused', 'the catalog has no products, so nothing can be sold', {
        file: path,
        hint: 'add one as docs/site.md shows; vtlic init --example-catalog makes a site with an example',
      });
  });
}

function text(
  path: string,
  catalog: Catalog,
  notes: readonly string[],
  refused: readonly NoLongerSold[],
): readonly string[] {
  const lines = [`${cleanText(path, 1000)}: the catalog is well formed`];
  for (const [name, product] of catalog.products) {
    const term =
      product.maxTermDays === PERPETUAL ? PERPETUAL : `at most ${counted(product.maxTermDays, 'day', 'days')}`;
    lines.push(`  ${name}: ${term}, at most ${counted(product.maxGraceDays, 'day', 'days')} of grace`);
    for (const [tier, sold] of product.tiers) lines.push(`    ${tier}: ${tierText(sold)}`);
  }
  lines.push(...notes.map((note) => `note: ${note}`));
  if (refused.length > 0)
    lines.push(
      `note: ${counted(refused.length, 'license', 'licenses')} in force could not be renewed unchanged:`,
      ...refused
        .slice(0, SHOWN)
        .map(({ license, faults }) => `  ${lineageText(lineageOf(license))}: ${faults.join('; ')}`),
      ...(refused.length > SHOWN ? [`  … and ${groupDigits(refused.length - SHOWN)} more`] : []),
    );
  return lines;
}

function tierText({ maxSeats, features, limits }: Tier): string {
  return [
    maxSeats === 'unlimited' ? 'unlimited seats' : `at most ${maxSeats} seats`,
    ...(features.size === 0 ? [] : [`features ${[...features].join(', ')}`]),
    ...[...limits].map(([name, most]) => `${name} at most ${most}`),
  ].join('; ');
}

function document(
  path: string,
  catalog: Catalog,
  notes: readonly string[],
  refused: readonly NoLongerSold[],
): Readonly<Record<string, unknown>> {
  return {
    schema: 'vtlic-catalog-check/1',
    file: path,
    sha256: catalog.digest,
    products: [...catalog.products].map(([product, { tiers }]) => ({ product, tiers: [...tiers.keys()] })),
    notes,
    notRenewable: refused.map(({ license, faults }) => ({ id: license.cti, customer: license.sub, faults })),
  };
}
