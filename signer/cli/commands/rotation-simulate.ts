/** `vtlic rotation simulate`: what a rotation would do to the installs in the field, day by day, before it is done. */
import type { Command } from 'commander';
import { cleanText, counted, groupDigits } from '../../../formats/clean-text.ts';
import type { CoseKey } from '../../../formats/cose-key.ts';
import { addYears, formatDay } from '../../../formats/dates.ts';
import { VtlicError } from '../../../formats/error.ts';
import { jsonLine } from '../../../formats/json/index.ts';
import { DAY_SECONDS } from '../../../formats/license/bounds.ts';
import { createDurably } from '../../../files/index.ts';
import { importPublicKey, kidOf, type PublicKey } from '../../../keys/public/public-key.ts';
import { publishedVersions } from '../../keyset/published.ts';
import type { LedgerView } from '../../ledger/index.ts';
import { owedLicenses } from '../../rotation/field-licenses.ts';
import { nowSeconds } from '../../runtime.ts';
import { type DailyRefusals, dailyRefusals } from '../../simulation/daily.ts';
import { plannedVersions, type DatedVersion } from '../../simulation/planned-versions.ts';
import { simulate, type Simulation } from '../../simulation/simulate.ts';
import { timelineSvg } from '../../simulation/timeline-svg.ts';
import type { Site } from '../../site/site.ts';
import { parseDay, releasesOf } from '../drafting.ts';
import { nameOfSite } from '../named-keys.ts';
import { EXIT } from '../exit-codes.ts';
import { withLedger } from '../input-files.ts';
import type { Io, SetExit } from '../io.ts';
import { invalid, newFilePath, openNamedSite, parseYears, siteOption, type SiteOptions } from '../options.ts';
import { formatColumns } from '../output.ts';
import { stepsOfPlan } from '../rotation-plan-file.ts';
import { progressLine } from '../progress.ts';

const DEFAULT_YEARS = 3;
const DEFAULT_RENEW_DAYS = 30;
const MAX_RENEW_DAYS = 366;

interface SimulateOptions extends SiteOptions {
  readonly plan?: string;
  readonly releases?: string;
  readonly years: number;
  readonly renewDays: number;
  readonly reissue?: number;
  readonly svg?: string;
  readonly json?: boolean;
}

function parseRenewDays(text: string): number {
  const days = /^[1-9][0-9]{0,2}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > MAX_RENEW_DAYS) throw invalid(`expected 1 to ${MAX_RENEW_DAYS}`);
  return days;
}

const HELP = `
The simulation assumes:
  - Every customer may run every release that is in the field on that day.
  - Each license is renewed for the same time, --renew-days before its end,
    with the key that became active last. Trial and emergency licenses are not
    renewed.
  - Installs that take keysets get the newest keyset with each license, and may
    also have any newer one.
  - A planned revocation honors what the key had signed.
  - An install counts as refusing only if none of its licenses is good.

Exit code 0: no honest customer is refused. 19: some are.

Examples:
  vtlic rotation simulate --plan to-composite.json --svg to-composite.svg
  vtlic rotation simulate --plan to-composite.json --json > to-composite.out`;

export function addRotationSimulate(parent: Command, io: Io, setExit: SetExit): void {
  const command = parent
    .command('simulate')
    .description('shows which installs would refuse which licenses; exit code 19 if any does')
    .option('--plan <file>', 'the rotation plan (default: nothing changes)')
    .option('--releases <file>', 'the product releases in the field (default: releases.json of the site)')
    .option('--years <n>', 'how far ahead', parseYears, DEFAULT_YEARS)
    .option('--renew-days <n>', 'how many days before its end a license is renewed', parseRenewDays, DEFAULT_RENEW_DAYS)
    .option('--reissue <date>', 'every license is reissued on this day', parseDay)
    .option('--svg <file>', 'a picture of keys, releases and refusals, into a new file')
    .option('--json', 'every refusal, as one JSON document')
    .addHelpText('after', HELP);
  siteOption(command).action(async (options: SimulateOptions) => {
    await withLedger(io, options, undefined, async (ledger) => {
      const site = openNamedSite(io, options);
      const svg = options.svg === undefined ? undefined : newFilePath(io, options.svg);
      const simulation = run(io, site, ledger, options);
      const daily = dailyRefusals(simulation);
      if (svg !== undefined)
        await createDurably(svg, timelineSvg(simulation, daily, nameOfSite(site)), 0o644, { folderExists: true });
      report(io, simulation, daily, options);
      if (svg !== undefined) io.err(`wrote ${cleanText(svg, 1000)}`);
      setExit(daily.length === 0 ? EXIT.done : EXIT.checksFailed);
    });
  });
}

function run(io: Io, site: Site, ledger: LedgerView, options: SimulateOptions): Simulation {
  const from = nowSeconds(io.runtime);
  const releases = releasesOf(io, site, options.releases);
  if (releases === undefined)
    throw new VtlicError('usage', 'the product releases in the field are not known', {
      hint: 'write releases.json (docs/rotation.md), and name it with --releases FILE',
    });
  if (releases.length === 0)
    throw new VtlicError('usage', 'releases.json names no release, so there is no install to simulate', {
      hint: 'add the releases that customers run (docs/rotation.md)',
    });
  const published: readonly DatedVersion[] = publishedVersions(ledger).map((version) => ({
    keyset: version.keyset,
    from: version.published,
    steps: [],
  }));
  const lineages = [...owedLicenses(ledger, published.at(-1)?.keyset, from)];
  const keys = keysOf(site, published);
  const versions = plannedVersions(published, stepsOfPlan(io, site, ledger, options), {
    issuer: ledger.genesis.iss,
    nameOfKey: nameOfSite(site),
    keyOfKid: (kid): CoseKey | undefined => {
      const key = keys.get(kid);
      return key === undefined ? undefined : { alg: key.alg, publicBytes: key.bytes };
    },
    digestsBy: (kid, at) =>
      lineages
        .flat()
        .filter((each) => each.kid === kid && each.license.exp > at)
        .toSorted((a, b) => b.license.exp - a.license.exp)
        .map(({ payloadDigest }) => payloadDigest),
  });
  const progress = progressLine('customers', io.runtime.nowMs);
  try {
    return simulate({
      from,
      until: addYears(from - (from % DAY_SECONDS), options.years),
      renewDays: options.renewDays,
      ...(options.reissue === undefined ? {} : { reissueOn: options.reissue }),
      versions,
      releases,
      lineages,
      keyOfKid: (kid) => keys.get(kid),
      progress: (done) => {
        progress.show(done, lineages.length);
      },
    });
  } finally {
    progress.clear();
  }
}

/** By kid: the keys of the site, and those that a published version has or had. */
function keysOf(site: Site, published: readonly DatedVersion[]): ReadonlyMap<string, PublicKey> {
  const keys = new Map(site.config.keys.map(({ publicKey }) => [publicKey.kid, publicKey]));
  for (const { keyset } of published)
    for (const { alg, publicBytes } of keyset.keys) {
      const kid = kidOf(alg, publicBytes);
      if (!keys.has(kid)) keys.set(kid, importPublicKey(alg, publicBytes));
    }
  return keys;
}

function report(io: Io, simulation: Simulation, daily: readonly DailyRefusals[], options: SimulateOptions): void {
  const { from, until, lineages, releases, refused, withoutKey } = simulation;
  const time = `${formatDay(from)} to ${formatDay(until - DAY_SECONDS)}`;
  io.err(
    `simulated: ${counted(lineages, 'customer', 'customers')}, ${counted(releases.length, 'release', 'releases')}, ` +
      `from ${time}`,
  );
  const [firstDay] = withoutKey;
  if (firstDay !== undefined)
    io.err(
      `warning: on ${counted(withoutKey.length, 'day', 'days')} (the first is ${formatDay(firstDay)}) a license has ` +
        'to be renewed, but no key is active for it: the customer gets none, which is not counted as a refusal',
    );
  if (daily.length > 0)
    io.err(`${counted(new Set(refused.map(({ lineage }) => lineage)).size, 'customer', 'customers')} would be refused`);
  if (options.json === true)
    io.out(
      jsonLine({
        schema: 'vtlic-rotation-simulation/1',
        from: formatDay(from),
        until: formatDay(until),
        customers: lineages,
        days: daily.map((each) => ({
          ...dates(each),
          release: each.release,
          reason: each.reason,
          customers: each.customers,
        })),
        refused: refused.map((span) => ({ ...span, ...dates(span) })),
        withoutKey: withoutKey.map(formatDay),
      }),
    );
  else if (daily.length === 0) io.out('no license is refused\n');
  else io.out(`${table(daily).join('\n')}\n`);
}

/** The first day and the last. */
function dates(span: { readonly from: number; readonly until: number }): {
  readonly from: string;
  readonly until: string;
} {
  return { from: formatDay(span.from), until: formatDay(span.until - DAY_SECONDS) };
}

function table(daily: readonly DailyRefusals[]): string[] {
  const rows = daily.map((each) => [
    dates(each).from,
    dates(each).until,
    cleanText(each.release, 60),
    groupDigits(each.customers),
    each.reason,
    cleanText(each.example.lineage, 80),
  ]);
  return formatColumns(['from', 'until', 'release', 'customers', 'reason', 'one of them'], rows, new Set([3]));
}
