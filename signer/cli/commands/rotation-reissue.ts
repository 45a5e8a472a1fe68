/** `vtlic rotation reissue KEY`: the licenses that a key signed, as a table by which another key signs them again. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { utf8 } from '../../../formats/bytes.ts';
import { cleanText, counted } from '../../../formats/clean-text.ts';
import { BYTE_ORDER_MARK, csvRow } from '../../../formats/csv.ts';
import { VtlicError } from '../../../formats/error.ts';
import { isId } from '../../../formats/license/id.ts';
import type { License } from '../../../formats/license/license.ts';
import { createDurably } from '../../../files/index.ts';
import { columnsFor, notInTable, rowOf } from '../../batch/csv-columns.ts';
import { kidOfKey } from '../../keyset/changes.ts';
import { lineageOf, lineageText } from '../../ledger/index.ts';
import { publishedVersions } from '../../keyset/published.ts';
import { renewalRequest } from '../../renew/renewal-request.ts';
import { signedByKey, toReissue } from '../../rotation/signed-by-key.ts';
import { nowSeconds } from '../../runtime.ts';
import { withLedger } from '../input-files.ts';
import type { Io } from '../io.ts';
import { type DraftingContext, findKey } from '../named-keys.ts';
import { newFilePath, siteArgument, siteOption, type SiteOptions } from '../options.ts';

interface ReissueOptions extends SiteOptions {
  readonly table?: string;
}

const HELP = `
Use it for a key that is replaced while its licenses are in force, for example
before a policy against Ed25519. Each customer gets the same license, for the
rest of its term, signed by the key that vtlic batch names. A renewal that
begins later goes into a second table. Licenses that were revoked or superseded
are in neither.

Example:
  vtlic rotation reissue license-1 --table reissue.csv
  vtlic batch reissue.csv --name reissue-license-1 --key composite-1`;

export function addRotationReissue(parent: Command, io: Io): void {
  const command = parent
    .command('reissue <key>')
    .description('writes the licenses that a key signed, as a table for vtlic batch')
    .option('--table <file>', 'the new file (default: keysets/reissue-KEY.csv)')
    .addHelpText('after', HELP);
  siteOption(command).action((name: string, options: ReissueOptions) =>
    withLedger(io, options, undefined, async (ledger, site) => {
      if (site === undefined) throw new VtlicError('internal', 'a key is one of a site');
      const versions = publishedVersions(ledger);
      const now = nowSeconds(io.runtime);
      const context = { io, site, ledger, versions, current: versions.at(-1)?.keyset, now };
      const files = await writeReissue(
        io,
        reissueOf(context, kidOfKey(findKey(context, name, 'issuing')), name),
        options,
      );
      for (const file of files) io.out(`${cleanText(file, 4000)}\n`);
    }),
  );
}

export interface Reissue {
  readonly folder: string;
  readonly licenses: readonly License[];
  readonly now: number;
  /** The name of the table and of the batch. */
  readonly name: string;
}

/** @param name how the person called the key */
export function reissueOf({ ledger, site, current, now }: DraftingContext, kid: string, name: string): Reissue {
  return {
    folder: site.paths.keysets,
    licenses: toReissue(ledger, kid, signedByKey(ledger, kid, now), { keyset: current, now }),
    now,
    name: `reissue-${isId(name) ? name.slice(0, 64) : kid.slice(0, 16)}`,
  };
}

/**
 * The licenses for the rest of their terms, as a table for `vtlic batch`. A table has each lineage once: what follows
 * the license in force goes into a second one.
 *
 * @returns the files; none where there is nothing to reissue
 */
export async function writeReissue(
  io: Io,
  { folder, licenses, now, name }: Reissue,
  options: ReissueOptions,
): Promise<readonly string[]> {
  const first = options.table === undefined ? join(folder, `${name}.csv`) : newFilePath(io, options.table);
  const files: string[] = [];
  for (const [i, table] of tablesOf(licenses).entries()) {
    const [file, batch] = i === 0 ? [first, name] : [`${first.replace(/\.csv$/, '')}-${i + 1}.csv`, `${name}-${i + 1}`];
    const requests = table.flatMap((license) => {
      const request = renewalRequest(license, { set: {}, unset: new Set(), limits: {} }, now);
      const member = notInTable(request);
      if (member === undefined) return [request];
      io.err(
        `left out: ${license.sub} / ${license.aud}: no cell of a table can contain its "${member}"; renew it by ` +
          `itself: vtlic renew ${license.cti}`,
      );
      return [];
    });
    const columns = columnsFor(requests);
    const text = [columns, ...requests.map((request) => rowOf(request, columns))].map((row) => csvRow(row)).join('');
    await createDurably(file, utf8(`${BYTE_ORDER_MARK}${text}`), 0o644);
    files.push(file);
    io.err(
      `to reissue: ${counted(requests.length, 'license', 'licenses')}; sign the table with this command, and deliver ` +
        'each license together with the keyset that has the new key:',
    );
    io.err(`  ${io.name} batch ${cleanText(file, 4000)} --name ${batch}${siteArgument(options)}`);
  }
  if (files.length === 0)
    io.err('every license that the key signed last has been reissued, or has ended: no table is written');
  return files;
}

/** One table with the first license of each lineage, one with the second of each, and so on. */
function tablesOf(licenses: readonly License[]): readonly (readonly License[])[] {
  const counts = new Map<string, number>();
  const tables: License[][] = [];
  for (const license of licenses) {
    const lineage = lineageText(lineageOf(license));
    const place = counts.get(lineage) ?? 0;
    counts.set(lineage, place + 1);
    (tables[place] ??= []).push(license);
  }
  return tables;
}
