/** `vtlic keyset publish DRAFT SIGNATURE…` and `vtlic keyset adopt CHAIN` */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { jsonLine } from '../../../formats/json/index.ts';
import { readKeysetFile, sha256Hex } from '../../../files/index.ts';
import { openForSigning } from '../../issue/open-ledger.ts';
import { anchorKeystores, openingWith } from '../../keys/ledger-opening.ts';
import { adoptVersions, planAdoption, type Adoption } from '../../keyset/adopt-chain.ts';
import { type Draft, readDraft, requireFreshDraft } from '../../keyset/draft.ts';
import { readPartialSignature } from '../../keyset/partial-signature.ts';
import { judgeDraft, publish, writeKeysetFiles, type NamedSignature, type SignedKeyset } from '../../keyset/publish.ts';
import { keysetSignings, publishedVersions } from '../../keyset/published.ts';
import { changesInWords } from '../../keyset/view.ts';
import type { Ledger, LedgerView } from '../../ledger/index.ts';
import { findEarly } from '../../rotation/early.ts';
import { requireReasons } from '../../rotation/early-reasons.ts';
import { leftWithout } from '../../rotation/left-without.ts';
import { mayFollow, type Release } from '../../rotation/releases.ts';
import { requireHonoredUntilNow } from '../../rotation/signed-by-key.ts';
import type { ProvedLicenses } from '../../rotation/signed-licenses.ts';
import { nowSeconds } from '../../runtime.ts';
import type { Site } from '../../site/site.ts';
import { draftView, releasesOf, soldOf, warnOfCustomers } from '../drafting.ts';
import { nameOfSite } from '../named-keys.ts';
import type { Io } from '../io.ts';
import { withAccess } from '../key-access.ts';
import { openNamedSite, secretOption, type SecretOptions, siteOption, type SiteOptions } from '../options.ts';
import { confirmByWord, type Terminal } from '../terminal.ts';
import { confirmDraft } from './keyset-sign.ts';
import { honoredInWords, honorOptions, type HonorOptions, readHonored } from './rotation-signed-by.ts';

interface PublishOptions extends SiteOptions, SecretOptions, Partial<HonorOptions> {
  readonly confirm?: string;
  readonly releases?: string;
  readonly json?: boolean;
}

const PUBLISH_HELP = `
Checks the draft and the signatures as every product in the field will, records
the version in the ledger, and writes keysets/chain.keyset. Build this file into
products, and deliver it to installs. If the command is interrupted, run it
again.

Example:
  vtlic keyset publish 2.draft 2.draft.1f3a9c02.signature \\
    2.draft.77be01d4.signature`;

export function addKeysetPublish(parent: Command, io: Io): void {
  const command = parent
    .command('publish <draft> <files...>')
    .description('publishes a draft with its signatures')
    .option('--confirm <digest>', 'publish exactly the payload with this SHA-256')
    .option('--releases <file>', 'the product releases in the field (default: releases.json of the site)')
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', PUBLISH_HELP);
  secretOption(siteOption(honorOptions(command))).action(
    (name: string, files: readonly string[], options: PublishOptions) =>
      withLedgerForKeysets(io, options, 'keyset publish', async (site, ledger, terminal) => {
        const draft = readDraft(resolve(io.cwd, name));
        const isPublished = publishedVersions(ledger).some(
          ({ payloadDigest }) => payloadDigest === draft.payloadDigest,
        );
        if (isPublished) io.err(`version ${draft.version} is published already: its files are written again`);
        else {
          const signatures = files.map((file) => resolve(io.cwd, file));
          await publishNew(io, site, ledger, { draft, signatures, terminal, options });
        }
        await reportFiles(io, site, ledger, options);
      }),
  );
}

interface Publishing {
  readonly draft: Draft;
  /** Absolute paths. */
  readonly signatures: readonly string[];
  readonly terminal: Terminal | undefined;
  readonly options: PublishOptions;
}

async function publishNew(
  io: Io,
  site: Site,
  ledger: Ledger,
  { draft, signatures, terminal, options }: Publishing,
): Promise<void> {
  const now = nowSeconds(io.runtime);
  requireFreshDraft(draft, now);
  const named = signatures.map((file): NamedSignature => ({ file, signature: readPartialSignature(file) }));
  const revoked = draft.keyset.keys.filter(({ status }) => status === 'revoked');
  const proved = readHonored(io, ledger.genesis.iss, revoked, {
    honor: options.honor ?? [],
    logKey: options.logKey ?? [],
  });
  const notes = honoredInWords(proved);
  const signed = judgeDraft(draft, named, ledger, now, digestsByKey(proved));
  const left = leftWithout(signed.before?.keyset, draft.keyset, ledger, now);
  const releases = releasesOf(io, site, options.releases);
  const findings = findEarly(signed.before?.keyset, draft.keyset, {
    releases,
    versions: publishedVersions(ledger),
    now,
    isEmergency: draft.emergency !== undefined,
    sold: soldOf(site),
    leftWithout: left,
    nameOfKey: nameOfSite(site),
  });
  requireReasons(findings, draft.early);
  requireHonoredUntilNow(signed.before?.keyset, draft.keyset, ledger, now);
  const view = [...draftView(draft, signed.before, nameOfSite(site)), ...notes.map((note) => `  ${note}`)];
  warnOfCustomers(io, left);
  const signers = new Set(named.map(({ signature }) => signature.kid));
  for (const line of refusedByReleases(releases ?? [], signed, signers, now)) io.err(line);
  await confirmDraft(io, draft, view, { confirm: options.confirm, terminal, act: 'publish' });
  await publish(signed, ledger, io.runtime, notes);
  io.err(`published: version ${draft.version}`);
}

/** Products with `requireComposite` count only composite roots, also where the keyset has no policy. */
function refusedByReleases(
  releases: readonly Release[],
  { draft, before }: SignedKeyset,
  signers: ReadonlySet<string>,
  now: number,
): readonly string[] {
  const refusing = releases.filter(
    (release) =>
      release.takesKeysets &&
      (release.until === undefined || now < release.until) &&
      'keyset' in release.builtIn &&
      release.builtIn.keyset < draft.version &&
      !mayFollow(release, before?.keyset, draft.keyset, signers),
  );
  if (refusing.length === 0) return [];
  return [
    `WARNING: installs of ${cleanText(refusing.map(({ name }) => name).join(', '), 2000)} would not take this ` +
      'version: they count only composite roots, and too few of these signed',
    `  Have ${draft.keyset.threshold} composite roots sign it, also ${before?.keyset.threshold ?? 0} of those of the ` +
      'version before.',
  ];
}

/** kid → payload digests. */
function digestsByKey(proved: readonly ProvedLicenses[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const { kid, digests } of proved) found.set(kid, [...(found.get(kid) ?? []), ...digests]);
  return found;
}

async function reportFiles(io: Io, site: Site, ledger: LedgerView, options: PublishOptions): Promise<void> {
  const files = await writeKeysetFiles(ledger, site.paths, io.runtime);
  const newest = publishedVersions(ledger).at(-1);
  if (files === undefined || newest === undefined) throw new VtlicError('internal', 'no version is published');
  io.err('build the chain into the next release of each product; deliver it with the licenses that need it');
  io.out(
    options.json === true
      ? jsonLine({
          schema: 'vtlic-keyset-published/1',
          version: newest.version,
          payloadSha256: newest.payloadDigest,
          file: files.version,
          chain: files.chain,
        })
      : `${cleanText(files.chain, 4000)}\n`,
  );
}

/** The site's ledger for an act that no key of the site signs. */
async function withLedgerForKeysets(
  io: Io,
  options: SiteOptions & SecretOptions,
  command: string,
  use: (site: Site, ledger: Ledger, terminal: Terminal | undefined) => Promise<void>,
): Promise<void> {
  const site = openNamedSite(io, options);
  await withAccess(io, site, options, { anchors: anchorKeystores(site) }, async (access, terminal) => {
    const ledger = await openForSigning(site, io.runtime, { command, ...openingWith(access) });
    try {
      await use(site, ledger, terminal);
    } finally {
      ledger.close();
    }
  });
}

const ADOPT_HELP = `
Use it at the site of a root key, which publishes nothing itself, and after a
restore, if the ledger lacks the newest versions. A site that knows no version
yet trusts the first one of the file: compare the kids of its roots with a
source that you trust.

Example:
  vtlic keyset adopt /media/usb/chain.keyset`;

export function addKeysetAdopt(parent: Command, io: Io): void {
  const command = parent
    .command('adopt <chain>')
    .description('accepts published keysets that this site does not know yet')
    .option('--json', 'the result as one JSON document')
    .addHelpText('after', ADOPT_HELP);
  secretOption(siteOption(command)).action((name: string, options: PublishOptions) =>
    withLedgerForKeysets(io, options, 'keyset adopt', async (site, ledger, terminal) => {
      const path = resolve(io.cwd, name);
      const adoption = planned(ledger, path);
      if (adoption.versions.length === 0) io.err('this site has every version of the file already: nothing is changed');
      else {
        for (const line of otherSignatures(ledger, site, adoption)) io.err(line);
        await confirmByWord(terminal, adoptionView(ledger, site, adoption), ['ADOPT', 'accept these keysets']);
        await adoptVersions(ledger, adoption, io.runtime);
        io.err(`accepted: ${adoption.versions.map(({ keyset }) => `version ${keyset.version}`).join(', ')}`);
      }
      await reportFiles(io, site, ledger, options);
    }),
  );
}

function planned(ledger: LedgerView, path: string): Adoption {
  try {
    return planAdoption(ledger, readKeysetFile(path));
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file: path }) : error;
  }
}

function adoptionView(ledger: LedgerView, site: Site, { versions, known }: Adoption): readonly string[] {
  let before = publishedVersions(ledger).at(-1)?.keyset;
  const lines =
    known === undefined
      ? ['THIS SITE HAS NO KEYSET YET, AND WILL TRUST THE FIRST ONE OF THE FILE: compare its roots, digit by digit.']
      : [`THIS SITE WILL ACCEPT THE KEYSETS AFTER VERSION ${known}. Each is signed by the roots of the one before.`];
  for (const { keyset } of versions) {
    lines.push('', `version ${keyset.version}`);
    lines.push(...changesInWords(before, keyset, nameOfSite(site)).map((line) => `  - ${line}`));
    before = keyset;
  }
  return lines;
}

/** Signatures on another payload of a published version: somebody who has one may mislead products. */
function otherSignatures(ledger: LedgerView, site: Site, { versions }: Adoption): readonly string[] {
  return versions.flatMap(({ keyset, payload }) =>
    keysetSignings(ledger)
      .filter(({ version, payloadDigest }) => version === keyset.version && payloadDigest !== sha256Hex(payload))
      .map(
        ({ kid, payloadDigest }) =>
          `warning: the root key ${nameOfSite(site)(kid) ?? kid} signed another payload for version ` +
          `${keyset.version} (${payloadDigest}): destroy that signature wherever it is`,
      ),
  );
}
