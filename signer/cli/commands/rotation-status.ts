/** `vtlic rotation status`: the phase of each key, its next step and when that may come, and what is wrong. */
import type { Command } from 'commander';
import { cleanText, counted } from '../../../formats/clean-text.ts';
import { formatDay, formatEnd } from '../../../formats/dates.ts';
import { VtlicError } from '../../../formats/error.ts';
import { jsonLine } from '../../../formats/json/index.ts';
import { DAY_SECONDS } from '../../../formats/license/bounds.ts';
import { publishedVersions } from '../../keyset/published.ts';
import { byName, keyInWords } from '../../keyset/view.ts';
import { type KeyPhase, type NextStep, rotationStatus, type RotationStatus } from '../../rotation/status.ts';
import { nowSeconds } from '../../runtime.ts';
import type { Release } from '../../rotation/releases.ts';
import type { Site } from '../../site/site.ts';
import { releasesOf, soldOf } from '../drafting.ts';
import { nameOfSite } from '../named-keys.ts';
import { withLedger } from '../input-files.ts';
import type { Io } from '../io.ts';
import { siteOption, type SiteOptions } from '../options.ts';
import { formatColumns } from '../output.ts';

interface StatusOptions extends SiteOptions {
  readonly releases?: string;
  readonly json?: boolean;
}

export function addRotationStatus(parent: Command, io: Io): void {
  const command = parent
    .command('status')
    .description('shows the state of each key, what may come next and when, and what is wrong')
    .option('--releases <file>', 'the product releases in the field (default: releases.json of the site)')
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', '\nExample:\n  vtlic rotation status');
  siteOption(command).action((options: StatusOptions) =>
    withLedger(io, options, undefined, (ledger, site) => {
      if (site === undefined) throw new VtlicError('internal', 'a status is of a site');
      const now = nowSeconds(io.runtime);
      const releases = releasesOf(io, site, options.releases);
      const status = rotationStatus({
        site,
        ledger,
        versions: publishedVersions(ledger),
        releases,
        sold: soldOf(site),
        now,
      });
      if (status.newest === undefined)
        io.err('no keyset is published at this site yet; draft the first one: vtlic keyset draft');
      if (options.json === true) io.out(jsonLine(document(status)));
      else for (const line of viewOf(status, { site, now, releases })) io.out(`${line}\n`);
      for (const warning of status.warnings) io.err(`warning: ${cleanText(warning, 2000)}`);
    }),
  );
}

interface ViewInput {
  readonly site: Site;
  readonly now: number;
  readonly releases: readonly Release[] | undefined;
}

function viewOf({ newest, keys, owed }: RotationStatus, { site, now, releases }: ViewInput): readonly string[] {
  const lines: string[] = [];
  if (newest !== undefined) {
    const undated = new Set(releases?.flatMap(({ name, until }) => (until === undefined ? name : [])));
    const { threshold, roots } = newest.keyset;
    const nameOf = nameOfSite(site);
    const rows = byName(keys, ({ key }) => key, nameOf).map((phase) => [
      keyInWords(phase.key, nameOf),
      phase.key.status,
      dayOf(phase.since),
      phase.record === undefined ? 'not at this site' : `${phase.record.custody}, ${phase.record.keystore}`,
      nextInWords(phase, now, undated),
    ]);
    lines.push(
      `keyset version ${newest.version}, published ${dayOf(newest.published)}; ` +
        `a new version needs the signatures of ${threshold} of ${counted(roots.length, 'root', 'roots')}`,
      '',
      ...formatColumns(['key', 'phase', 'since', 'custody', 'next step'], rows),
    );
    const waitedFor = [...new Set(keys.flatMap(({ next: [first] }) => undatedOf(first, undated)))];
    if (waitedFor.length > 0)
      lines.push(
        '',
        `to do: in releases.json, write the last day of ${cleanText(waitedFor.join(', '), 200)} as soon as you know ` +
          'it, such as "until": "2028-12-31"',
      );
  }
  for (const { license } of owed)
    lines.push(
      `to do: ${license.sub} / ${license.aud} has an emergency license until ${formatEnd(license.exp)}; replace it ` +
        'by an ordinary one:',
      `  vtlic renew ${license.cti} --unset use --until DATE`,
    );
  return lines;
}

function dayOf(seconds: number): string {
  return formatDay(seconds - (seconds % DAY_SECONDS));
}

/** The releases without an end because of which the day of a step is not known. */
function undatedOf(next: NextStep | undefined, undated: ReadonlySet<string>): readonly string[] {
  const { early } = next ?? {};
  return early?.cause === 'releases' && early.readyAt === undefined
    ? early.releases.filter((name) => undated.has(name))
    : [];
}

function nextInWords({ next }: KeyPhase, now: number, undated: ReadonlySet<string>): string {
  const [first] = next;
  return first === undefined ? 'none' : stepInWords(first, now, undated);
}

function stepInWords(next: NextStep, now: number, undated: ReadonlySet<string>): string {
  const { step, early } = next;
  if (early === undefined) return `${step}: at any time`;
  if (early.readyAt !== undefined && early.readyAt > now)
    return `${step}: from ${formatDay(early.readyAt)} on, because of ${cleanText(early.releases.join(', '), 200)}`;
  if (early.cause === 'last-key') return `${step}: not before another key is active`;
  if (early.cause === 'unknown-field') return `${step}: the day is not known without a releases.json`;
  const names = cleanText(undatedOf(next, undated).join(', '), 200);
  return `${step}: the day is not known, because releases.json has no "until" for ${names}`;
}

function document({ newest, keys, warnings, owed }: RotationStatus): unknown {
  return {
    schema: 'vtlic-rotation-status/1',
    version: newest?.version ?? null,
    published: newest?.published ?? null,
    payloadSha256: newest?.payloadDigest ?? null,
    threshold: newest?.keyset.threshold ?? null,
    roots: newest?.keyset.roots.length ?? null,
    keys: keys.map(({ kid, key, record, since, sinceVersion, next }) => ({
      kid,
      name: record?.name ?? null,
      purpose: key.purpose,
      algorithm: key.alg,
      status: key.status,
      since,
      sinceVersion,
      custody: record?.custody ?? null,
      next: next.map(({ step, early }) => ({
        step,
        early:
          early === undefined ? null : { cause: early.cause, releases: early.releases, readyAt: early.readyAt ?? null },
      })),
    })),
    warnings,
    owed: owed.map(({ license }) => ({
      customer: license.sub,
      product: license.aud,
      deployment: license.dep ?? null,
      id: license.cti,
      counter: license.ctr,
      until: license.exp,
    })),
  };
}
