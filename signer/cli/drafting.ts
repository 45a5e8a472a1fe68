/**
 * What the commands share that make a draft of the next keyset: the options, the keys that they name, the judgment
 * whether a step comes too early, and the view.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { cleanText } from '../../formats/clean-text.ts';
import type { CoseKey } from '../../formats/cose-key.ts';
import { parseDate } from '../../formats/dates.ts';
import { VtlicError } from '../../formats/error.ts';
import { jsonLine } from '../../formats/json/index.ts';
import { ISSUING_PURPOSES, type IssuingPurpose, type Keyset } from '../../formats/keyset/keyset.ts';
import { createDurably } from '../../files/index.ts';
import type { KeyPurpose } from '../../keys/public/key-purpose.ts';
import { applyChanges, kidOfKey, type KeysetChanges } from '../keyset/changes.ts';
import {
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
import { requireLowestCounters, requireSignerRules } from '../keyset/signer-rules.ts';
import { changesInWords, type NameOfKey } from '../keyset/view.ts';
import { type LedgerView, openLedgerForReading } from '../ledger/index.ts';
import {
  type EarlyFinding,
  findEarly,
  reasonsFromPlan,
  reasonsFromWord,
  requirePlannedDay,
  requireReasons,
} from '../rotation/early.ts';
import { readRotationPlan } from '../rotation/plan.ts';
import { readReleases, type Release } from '../rotation/releases.ts';
import { requireHonoredUntilNow } from '../rotation/signed-by-key.ts';
import { nowSeconds } from '../runtime.ts';
import type { Site } from '../site/site.ts';
import type { Io } from './io.ts';
import { invalid, newFilePath, openNamedSite, readTrustFile, siteOption, type SiteOptions } from './options.ts';

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
      .option('--plan <file>', 'the rotation plan: its days, and its reasons for steps that come too early')
      .option('--early <reason>', 'do a step although it comes too early: the reason stays on record', parseReason)
      .option('--emergency <reason>', 'the keyset is delivered together with licenses, to all who take it', parseReason)
      .option('--out <file>', 'the new file of the draft (default: keysets/VERSION.draft of the site)')
      .option('--json', 'the result as one JSON document'),
  );
}

export interface DraftingContext {
  readonly io: Io;
  readonly site: Site;
  readonly ledger: LedgerView;
  readonly versions: readonly PublishedVersion[];
  /** What the changes are made to: the draft of `--onto`, else the newest published version. */
  readonly current: Keyset | undefined;
  /** Seconds since 1970. */
  readonly now: number;
}

export type MakeChanges = (context: DraftingContext) => KeysetChanges;

export function nameOfSite({ config }: Site): NameOfKey {
  return (kid) => config.keys.find(({ publicKey }) => publicKey.kid === kid)?.name;
}

/** A key that a person named, and its purpose, where this site or a published keyset says one. */
export interface NamedKey extends CoseKey {
  readonly purpose?: KeyPurpose;
}

/**
 * A key as a person names it: a key of the site by its name, a key of a published keyset by its kid, or `file:PATH`.
 *
 * @throws VtlicError `key_not_found`, or `usage` for a key that this site or a published keyset has for another purpose
 */
export function findKey(context: DraftingContext, text: string, role: 'root' | 'issuing'): NamedKey {
  const key = text.startsWith('file:') ? keyOfFile(context, text.slice('file:'.length)) : keyByName(context, text);
  const { site, versions } = context;
  const kid = kidOfKey(key);
  const own = site.config.keys.find(({ publicKey }) => publicKey.kid === kid);
  const isRoot = versions.some(({ keyset }) => keyset.roots.some((root) => kidOfKey(root) === kid));
  const issuing = versions.flatMap(({ keyset }) => keyset.keys).find((other) => kidOfKey(other) === kid);
  const purpose = own?.purpose ?? (isRoot ? 'root' : issuing?.purpose);
  if (purpose === undefined) return key;
  const fits = role === 'root' ? purpose === 'root' : purpose === 'license' || purpose === 'license-key';
  if (fits) return { ...key, purpose };
  throw new VtlicError(
    'usage',
    `the key ${own?.name ?? kid} has the purpose ${purpose}, and ${ROLE_WORDS[role]} is meant`,
    { hint: 'one key has one purpose: name another key, see: vtlic key list' },
  );
}

/**
 * A key that signs, with the purpose that it has or gets. A public key in a file does not say its purpose, and a keyset
 * gives a purpose for ever: whoever names the file says it too.
 *
 * @param wanted what `--purpose` says of the key
 */
export function findIssuingKey(
  context: DraftingContext,
  text: string,
  wanted?: IssuingPurpose,
): { readonly key: CoseKey; readonly purpose: IssuingPurpose } {
  const key = findKey(context, text, 'issuing');
  const purpose = key.purpose === 'license' || key.purpose === 'license-key' ? key.purpose : wanted;
  if (purpose === undefined)
    throw new VtlicError(
      'usage',
      `nothing says whether the key of ${cleanText(text, 200)} signs licenses or license keys`,
      {
        hint: `say it: --purpose ${cleanText(text, 200)}=license, or =license-key`,
      },
    );
  if (wanted === undefined || wanted === purpose) return { key, purpose };
  throw new VtlicError('usage', `the key ${cleanText(text, 200)} has the purpose ${purpose}, not ${wanted}`, {
    hint: 'leave --purpose out: the site or a published keyset says it',
  });
}

/** `KEY=license` or `KEY=license-key`; KEY may contain `=` in a path. */
export function purposesOf(texts: readonly string[]): Map<string, IssuingPurpose> {
  return new Map(
    texts.map((text) => {
      const at = text.lastIndexOf('=');
      const purpose = ISSUING_PURPOSES.find((known) => known === text.slice(at + 1));
      if (at > 0 && purpose !== undefined) return [text.slice(0, at), purpose];
      throw new VtlicError('usage', `--purpose takes KEY=license or KEY=license-key, not ${cleanText(text, 200)}`);
    }),
  );
}

function keyOfFile({ io }: DraftingContext, path: string): CoseKey {
  const keys = readTrustFile(io, path);
  const [key] = keys;
  if (key !== undefined && keys.length === 1) return { alg: key.alg, publicBytes: key.bytes };
  throw new VtlicError('key_invalid', `the file has ${keys.length} public keys, and one is meant`, {
    file: resolve(io.cwd, path),
    hint: 'export each key into a file of its own: vtlic key export NAME --out FILE',
  });
}

function keyByName({ site, versions }: DraftingContext, text: string): CoseKey {
  const own = site.config.keys.find(({ name, publicKey }) => name === text || publicKey.kid === text);
  if (own !== undefined) return { alg: own.algorithm, publicBytes: own.publicKey.bytes };
  const published = versions
    .flatMap(({ keyset }): readonly CoseKey[] => [...keyset.roots, ...keyset.keys])
    .findLast((key) => kidOfKey(key) === text);
  if (published !== undefined) return { alg: published.alg, publicBytes: published.publicBytes };
  throw new VtlicError('key_not_found', `neither this site nor a published keyset has a key ${cleanText(text, 80)}`, {
    file: site.paths.site,
    hint: 'name a key of vtlic key list, a kid of vtlic keyset show, or file:PATH of a public key',
  });
}

const ROLE_WORDS = { root: 'a root', issuing: 'a key that signs licenses' } as const;

/** undefined where the site has no releases.json and none is named. */
export function releasesOf(io: Io, site: Site, named: string | undefined): readonly Release[] | undefined {
  const file = named === undefined ? join(site.paths.folder, 'releases.json') : resolve(io.cwd, named);
  return named === undefined && !existsSync(file) ? undefined : readReleases(file);
}

/** Makes the draft, judges it, shows it, and writes it. */
export async function runDraft(io: Io, options: DraftOptions, makeChanges: MakeChanges): Promise<void> {
  const site = openNamedSite(io, options);
  const ledger = openLedgerForReading(site.paths.ledger);
  try {
    const { draft, before, findings } = draftFrom({ io, site, ledger, options }, makeChanges);
    const file =
      options.out === undefined ? join(site.paths.keysets, `${draft.version}.draft`) : newFilePath(io, options.out);
    await createDurably(file, encodeDraft(draft), 0o644, { folderExists: options.out !== undefined });
    for (const line of draftView(draft, before, nameOfSite(site))) io.err(line);
    io.err('');
    io.err('nothing is signed yet; root keys sign this draft by:');
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
  requireSignerRules(before?.keyset, keyset);
  requireLowestCounters(before?.keyset, keyset, ledger, now);
  const emergency = options.emergency ?? onto?.emergency;
  const releases = releasesOf(io, site, options.releases);
  const findings = findEarly(before?.keyset, keyset, {
    releases,
    versions,
    now,
    isEmergency: emergency !== undefined,
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
    ...(plan === undefined ? [] : reasonsFromPlan(findings, plan)),
    ...(options.early === undefined ? [] : reasonsFromWord(findings, options.early)),
  ];
  requireReasons(findings, reasons);
  const draft = makeDraft(keyset, {
    ...(before === undefined ? {} : { base: { version: before.version, payloadDigest: before.payloadDigest } }),
    early: reasons,
    ...(emergency === undefined ? {} : { emergency }),
  });
  return { draft, before, findings };
}

/** undefined for the number that follows from the version before. */
function numberOf(io: Io, ledger: LedgerView, newest: number, onto: Draft | undefined): number | undefined {
  const next = onto?.version ?? newest + 1;
  const free = freeVersion(ledger, { newest, next });
  if (free === next) return undefined;
  io.err(`a root key of this site has signed version ${free - 1} already: this draft is version ${free}`);
  io.err('destroy the draft that is given up, and every signature on it');
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
        ? ', THE FIRST ONE: every key in it is trusted from here on'
        : `, after version ${before.version}`),
    ...changesInWords(before?.keyset, keyset, nameOf).map((line) => `  - ${line}`),
    ...(emergency === undefined ? [] : [`  EMERGENCY: ${cleanText(emergency, 500)}`]),
    ...early.map(
      ({ step, kid, releases, reason }) =>
        `  TOO EARLY, knowingly: ${step}${kid === undefined ? '' : ` ${kid.slice(0, 16)}…`} ` +
        `(${cleanText(releases.join(', ') || 'the field is not known', 2000)}): ${cleanText(reason, 500)}`,
    ),
    `  signed by ${keyset.threshold} of its ${keyset.roots.length} roots` +
      (before === undefined ? '' : `, and by ${before.keyset.threshold} of the roots of version ${before.version}`),
    `  payload SHA-256 ${payloadDigest}`,
  ];
}
