/**
 * What the commands share that make a draft of the next keyset: the options, the keys that they name, the judgment
 * whether a step comes too early, and the view.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { cleanText, counted } from '../../formats/clean-text.ts';
import { parseDate } from '../../formats/dates.ts';
import { VtlicError } from '../../formats/error.ts';
import { jsonLine } from '../../formats/json/index.ts';
import { createDurably } from '../../files/index.ts';
import { applyChanges, kidOfKey, type KeysetChanges } from '../keyset/changes.ts';
import {
  countedCustomers,
  type Draft,
  type EarlyStep,
  encodeDraft,
  makeDraft,
  readDraft,
  reasonFault,
  requireFreshDraft,
} from '../keyset/draft.ts';
import { publishedVersions, type PublishedVersion } from '../keyset/published.ts';
import { freeVersion, versionBefore } from '../keyset/sign-draft.ts';
import { requireLowestCounters, requireNearNumber, requireSignerRules } from '../keyset/signer-rules.ts';
import { changesInWords, type NameOfKey } from '../keyset/view.ts';
import { type LedgerView, openLedgerForReading } from '../ledger/index.ts';
import { type EarlyFinding, findEarly, leftWithoutInWords } from '../rotation/early.ts';
import { reasonsFromPlan, reasonsFromWord, requirePlannedDay, requireReasons } from '../rotation/early-reasons.ts';
import { type LeftWithout, leftWithout } from '../rotation/left-without.ts';
import { readRotationPlan } from '../rotation/plan.ts';
import { readReleases, type Release } from '../rotation/releases.ts';
import type { Sold } from '../rotation/signing-keys.ts';
import { requireHonoredUntilNow } from '../rotation/signed-by-key.ts';
import { nowSeconds } from '../runtime.ts';
import { readCatalog } from '../site/catalog.ts';
import type { Site } from '../site/site.ts';
import type { Io } from './io.ts';
import { type DraftingContext, findKey, nameOfSite } from './named-keys.ts';
import { invalid, newFilePath, openNamedSite, siteOption, type SiteOptions } from './options.ts';

export interface DraftOptions extends SiteOptions {
  readonly onto?: string;
  readonly version?: number;
  readonly early?: string;
  readonly emergency?: string;
  readonly plan?: string;
  readonly releases?: string;
  readonly out?: string;
  readonly json?: boolean;
}

function parseReason(text: string): string {
  const fault = reasonFault(text);
  if (fault !== undefined) throw invalid(fault);
  return text;
}

function parseVersion(text: string): number {
  const version = /^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : 0;
  if (!Number.isSafeInteger(version) || version === 0) throw invalid('expected the number of a version, from 1 on');
  return version;
}

export function parseDay(text: string): number {
  const day = parseDate(text, false);
  if (!day.ok) throw invalid(day.why);
  return day.seconds;
}

export function draftOptions(command: Command): Command {
  return siteOption(
    command
      .option('--onto <draft>', 'add the changes to this draft, and keep its number')
      .option('--version <n>', 'the number of the new version (default: the next one)', parseVersion)
      .option('--releases <file>', 'the product releases in the field (default: releases.json of the site)')
      .option('--plan <file>', 'the rotation plan, with its days and its reasons for steps that come too early')
      .option('--early <reason>', 'do a step although it comes too early; the reason is recorded', parseReason)
      .option(
        '--emergency <reason>',
        'why you deliver the keyset together with the licenses; releases that take keysets then count as ready',
        parseReason,
      )
      .option('--out <file>', 'the new file of the draft (default: keysets/VERSION.draft of the site)')
      .option('--json', 'the result as one JSON document'),
  );
}

export type MakeChanges = (context: DraftingContext) => KeysetChanges;

/** undefined where the site has no releases.json and none is named. */
export function releasesOf(io: Io, site: Site, named: string | undefined): readonly Release[] | undefined {
  const file = named === undefined ? join(site.paths.folder, 'releases.json') : resolve(io.cwd, named);
  return named === undefined && !existsSync(file) ? undefined : readReleases(file);
}

/**
 * What the catalog sells, or nothing if it cannot be read: a draft against a stolen key must not wait for the catalog.
 */
export function soldOf({ paths }: Site): Sold {
  try {
    const { products } = readCatalog(paths.catalog);
    return new Map([...products].map(([id, { tiers }]) => [id, [...tiers.keys()]]));
  } catch (error) {
    if (error instanceof VtlicError) return new Map();
    throw error;
  }
}

/**
 * Warns of customers whom the draft leaves without a license for another reason than a policy. The officer may want
 * that, but has to know it.
 */
export function warnOfCustomers(io: Io, left: readonly LeftWithout[]): void {
  const others = left.filter(({ reason }) => reason !== 'algorithm_not_allowed');
  if (others.length === 0) return;
  const from = others.reduce((first, each) => Math.min(first, each.from), Infinity);
  io.err(`WARNING: ${leftWithoutInWords(others, from)}`);
  io.err(`  If this is not what you want, give them another license first: ${io.name} renew CUSTOMER`);
}

/**
 * Makes the draft, judges it, shows it, and writes it.
 *
 * @param beforeWriting once the draft is judged, before it is written
 */
export async function runDraft(
  io: Io,
  options: DraftOptions,
  makeChanges: MakeChanges,
  beforeWriting: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const site = openNamedSite(io, options);
  const ledger = openLedgerForReading(site.paths.ledger);
  try {
    const { draft, before, findings, left } = draftFrom({ io, site, ledger, options }, makeChanges);
    const file =
      options.out === undefined ? join(site.paths.keysets, `${draft.version}.draft`) : newFilePath(io, options.out);
    await beforeWriting();
    await writeDraft(io, file, draft, options.out !== undefined);
    for (const line of draftView(draft, before, nameOfSite(site))) io.err(line);
    warnOfCustomers(io, left);
    io.err('');
    io.err('nothing is signed yet; to sign this draft with a root key, run:');
    io.err(`  ${io.name} keyset sign ${cleanText(file, 4000)}`);
    io.out(
      options.json === true
        ? jsonLine({
            schema: 'vtlic-keyset-drafted/1',
            file,
            version: draft.version,
            payloadSha256: draft.payloadDigest,
            early: findings,
          })
        : `${cleanText(file, 4000)}\n`,
    );
  } finally {
    ledger.close();
  }
}

/** Written whole or not at all: a draft that is there already may be what an interrupted run of this command wrote. */
async function writeDraft(io: Io, file: string, draft: Draft, folderExists: boolean): Promise<void> {
  try {
    await createDurably(file, encodeDraft(draft), 0o644, { folderExists });
  } catch (error) {
    if (!(error instanceof VtlicError) || error.code !== 'output_exists') throw error;
    throw new VtlicError('output_exists', 'a file already exists here and is never replaced', {
      file,
      hint:
        `read it, for it may be the draft that you want: ${io.name} keyset show ${cleanText(file, 1000)}; or move it ` +
        'away, or name another file: --out FILE',
    });
  }
}

interface Drafting {
  readonly io: Io;
  readonly site: Site;
  readonly ledger: LedgerView;
  readonly options: DraftOptions;
}

interface Drafted {
  readonly draft: Draft;
  readonly before: PublishedVersion | undefined;
  readonly findings: readonly EarlyFinding[];
  readonly left: readonly LeftWithout[];
}

function draftFrom({ io, site, ledger, options }: Drafting, makeChanges: MakeChanges): Drafted {
  const now = nowSeconds(io.runtime);
  const issuer = ledger.genesis.iss;
  const versions = publishedVersions(ledger);
  const before = versions.at(-1);
  const onto = options.onto === undefined ? undefined : readDraft(resolve(io.cwd, options.onto));
  if (onto !== undefined) {
    requireFreshDraft(onto, now);
    versionBefore(onto, versions, issuer);
    requireHonoredUntilNow(before?.keyset, onto.keyset, ledger, now);
  }
  // A change to a draft keeps its number.
  const current = onto === undefined ? before?.keyset : { ...onto.keyset, version: onto.version - 1 };
  const changes = makeChanges({ io, site, ledger, versions, current, now });
  const version = options.version ?? numberOf(io, ledger, before?.version ?? 0, onto);
  const keyset = applyChanges(
    current,
    { ...changes, ...(version === undefined ? {} : { version }) },
    { issuer, made: now },
  );
  requireNearNumber(keyset, before?.version ?? 0, ledger);
  requireSignerRules(before?.keyset, keyset);
  requireLowestCounters(before?.keyset, keyset, ledger, now);
  const emergency = options.emergency ?? onto?.emergency;
  const releases = releasesOf(io, site, options.releases);
  const left = leftWithout(before?.keyset, keyset, ledger, now);
  const findings = findEarly(before?.keyset, keyset, {
    releases,
    versions,
    now,
    isEmergency: emergency !== undefined,
    sold: soldOf(site),
    leftWithout: left,
    nameOfKey: nameOfSite(site),
  });
  const plan =
    options.plan === undefined
      ? undefined
      : readRotationPlan(resolve(io.cwd, options.plan), {
          issuer,
          releases: releases ?? [],
          kidOfName: (name) => kidOfName({ io, site, ledger, versions, current, now }, name),
        });
  if (plan !== undefined) requirePlannedDay(before?.keyset, keyset, plan, now);
  const reasons: readonly EarlyStep[] = [
    ...(onto?.early ?? []),
    ...(plan === undefined ? [] : reasonsFromPlan(findings, plan, { before: before?.keyset, after: keyset, now })),
    ...(options.early === undefined ? [] : reasonsFromWord(findings, options.early)),
  ];
  requireReasons(findings, reasons);
  if (options.early !== undefined && findings.length === 0)
    io.err('note: no step comes too early, so the reason of --early is not recorded');
  const draft = makeDraft(keyset, {
    ...(before === undefined ? {} : { base: { version: before.version, payloadDigest: before.payloadDigest } }),
    early: reasons,
    ...(emergency === undefined ? {} : { emergency }),
  });
  return { draft, before, findings, left };
}

/** undefined for the number that follows from the version before. */
function numberOf(io: Io, ledger: LedgerView, newest: number, onto: Draft | undefined): number | undefined {
  const next = onto?.version ?? newest + 1;
  const free = freeVersion(ledger, { newest, next });
  if (free === next) return undefined;
  io.err(`a root key of this site has signed version ${free - 1} already: this draft is version ${free}`);
  io.err(`destroy the earlier draft of version ${free - 1}, and every signature on it`);
  return free;
}

function kidOfName(context: DraftingContext, name: string): string | undefined {
  try {
    return kidOfKey(findKey(context, name, 'issuing'));
  } catch (error) {
    if (error instanceof VtlicError && error.code === 'key_not_found') return undefined;
    throw error;
  }
}

/** What a person reads before a root key signs, and before a version is published. */
export function draftView(draft: Draft, before: PublishedVersion | undefined, nameOf: NameOfKey): readonly string[] {
  const { keyset, version, payloadDigest, early, emergency } = draft;
  return [
    `KEYSET VERSION ${version} of ${cleanText(keyset.iss)}` +
      (before === undefined
        ? '. THIS IS THE FIRST VERSION: products that have it trust every key in it'
        : `, after version ${before.version}`),
    ...changesInWords(before?.keyset, keyset, nameOf).map((line) => `  - ${line}`),
    ...(emergency === undefined ? [] : [`  EMERGENCY: ${cleanText(emergency, 500)}`]),
    ...early.map((each) => {
      const { releases, customers } = each;
      const step = each.kid === undefined ? each.step : `${each.step} ${each.kid.slice(0, 16)}…`;
      const behind = [
        ...(releases.length === 0 ? [] : [`accepted for ${releases.join(', ')}`]),
        ...(customers === undefined ? [] : [`${countedCustomers(customers)} left without a license`]),
      ];
      const whom = behind.length === 0 ? '' : ` (${cleanText(behind.join('; '), 2000)})`;
      return `  THIS STEP COMES TOO EARLY: ${step}${whom}. The reason: ${cleanText(each.reason, 500)}`;
    }),
    `  it needs the signatures of ${keyset.threshold} of its ${counted(keyset.roots.length, 'root', 'roots')}` +
      (before === undefined ? '' : `, and of ${before.keyset.threshold} of the roots of version ${before.version}`),
    `  payload SHA-256 ${payloadDigest}`,
  ];
}
