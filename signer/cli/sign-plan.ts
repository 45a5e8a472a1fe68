/**
 * What `issue` and `renew` share: a plan, its view, and one of three ways to the officer's consent (`Yes`, `--dry-run`,
 * `--confirm`).
 */
import { sha256Hex } from '../../files/index.ts';
import { jsonLine } from '../../formats/json/index.ts';
import type { Command } from 'commander';
import { cleanText } from '../../formats/clean-text.ts';
import { toHex } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { uuidFromBytes } from '../../formats/license/id.ts';
import { signPlan } from '../issue/sign-plan.ts';
import { removeOldPlans } from '../batch/batch-record.ts';
import { openForSigning } from '../issue/open-ledger.ts';
import { type ProofWork, writeProofs } from '../issue/write-proofs.ts';
import type { ReleasedLicense } from '../issue/pipeline.ts';
import { anchorKeystores, openingWith } from '../keys/ledger-opening.ts';
import { keystoresUsed } from '../keys/keystores.ts';
import { openKey } from '../keys/open-key.ts';
import { planView } from '../summary/plan-summary.ts';
import { checkPlanned } from '../plan/recheck-policy.ts';
import { checkPlanFresh, keyOfPlan } from '../plan/plan-freshness.ts';
import { type LedgerView, openLedgerForReading } from '../ledger/index.ts';
import { writePlan, type Plan } from '../plan/plan.ts';
import { reviewByDigest, reviewOnTerminal } from '../plan/review.ts';
import { parseDate } from '../../formats/dates.ts';
import { type Catalog, readCatalog } from '../site/catalog.ts';
import { type KeyRecord, licenseKey, openSite, requireSiteOwner, type Site } from '../site/site.ts';
import { nowSeconds } from '../runtime.ts';
import type { Io } from './io.ts';
import { parseSecretOptions, SecretProvider } from './secrets.ts';
import { confirmClockJump } from './terminal.ts';
import {
  invalid,
  openNamedSite,
  secretOption,
  type SecretOptions,
  siteArgument,
  siteOption,
  type SiteOptions,
  proofKeyOf,
  proofOption,
  type ProofOptions,
} from './options.ts';
import { CommandAccess } from './key-access.ts';

export interface SigningOptions extends SiteOptions, SecretOptions, ProofOptions {
  readonly key?: string;
  readonly dryRun?: boolean;
  readonly confirm?: string;
  readonly confirmTime?: number;
  readonly json?: boolean;
}

function parseTime(text: string): number {
  const time = parseDate(text, false);
  if (!time.ok) throw invalid(time.why);
  return time.seconds;
}

export function signingOptions(command: Command): Command {
  command
    .option('--key <name>', 'the key that signs (default: the default key of the site)')
    .option('--dry-run', 'sign nothing: write the plan to plans/DIGEST, and print its digest')
    .option('--confirm <digest>', 'sign exactly the plan with this digest')
    .option('--confirm-time <time>', "the correct time now, if the ledger doubts this machine's clock", parseTime)
    .option('--json', 'the result as one JSON document');
  return secretOption(siteOption(proofOption(command)));
}

/** A plan, and what the officer reads of it. */
export interface ShownPlan {
  readonly plan: Plan;
  readonly view: readonly string[];
}

export interface PlanningInput {
  readonly site: Site;
  readonly catalog: Catalog;
  readonly ledger: LedgerView;
  readonly key: KeyRecord;
}

export interface SigningCommand {
  /** What to show of a plan that `--confirm` names, if not its view and its digest. */
  readonly view?: typeof planView;
  /** `issue` or `renew`: for the ledger's holder and for hints. */
  readonly name: string;
  /**
   * Names what is to be signed; undefined where `--confirm` names it. Called with the site before a ledger is opened.
   */
  readonly prepare: ((site: Site, catalog: Catalog) => (input: PlanningInput) => ShownPlan) | undefined;
}

export async function runSigning(io: Io, command: SigningCommand, options: SigningOptions): Promise<void> {
  if (options.confirm !== undefined && (options.dryRun === true || options.key !== undefined))
    throw new VtlicError('usage', '--confirm cannot be used with --dry-run or --key: it signs the plan as it is');
  const site = openNamedSite(io, options);
  const proofKey = proofKeyOf(site, options);
  const makePlan = command.prepare?.(site, readCatalog(site.paths.catalog));
  if (options.dryRun === true && makePlan !== undefined) await dryRun(io, site, command, makePlan, options);
  else await planAndSign(io, site, command, makePlan, proofKey, options);
}

type MakePlan = (input: PlanningInput) => ShownPlan;

async function dryRun(
  io: Io,
  site: Site,
  command: SigningCommand,
  makePlan: MakePlan,
  options: SigningOptions,
): Promise<void> {
  new SecretProvider(parseSecretOptions(options.secret), undefined).assertFor([]);
  requireSiteOwner(site.paths);
  const ledger = openLedgerForReading(site.paths.ledger);
  try {
    const { plan, view } = makePlan({
      site,
      catalog: readCatalog(site.paths.catalog),
      ledger,
      key: licenseKey(site, options.key),
    });
    for (const line of view) io.err(line);
    const digest = await writePlan(site.paths.plans, plan);
    io.err('');
    io.err('nothing was signed; to sign this plan, run this command within 24 hours:');
    io.err(
      `  ${io.name} ${command.name} --confirm ${digest}${options.proof === true ? ' --proof' : ''}` +
        siteArgument(options),
    );
    io.out(
      options.json === true
        ? jsonLine({ schema: 'vtlic-plan-made/1', digest, items: plan.items.map(({ license }) => license) })
        : `${digest}\n`,
    );
  } finally {
    ledger.close();
  }
}

async function planAndSign(
  io: Io,
  site: Site,
  command: SigningCommand,
  makePlan: MakePlan | undefined,
  proofKey: KeyRecord | undefined,
  options: SigningOptions,
): Promise<void> {
  await using opened = new CommandAccess(io, options);
  const { secrets, terminal, tokens } = opened;
  if (terminal === undefined && options.confirm === undefined) {
    throw new VtlicError('usage', 'there is no terminal on which to show what will be signed', {
      hint: 'plan it with --dry-run, then sign it with --confirm DIGEST',
    });
  }
  // Finds out which key signs, and whether its secret is available, before it opens the ledger or uses a token.
  const early =
    options.confirm === undefined
      ? undefined
      : reviewByDigest(site.paths.plans, options.confirm, nowSeconds(io.runtime));
  const key = early === undefined ? licenseKey(site, options.key) : keyOfPlan(early.plan.items[0]?.kid, site);
  if (early?.plan.items.some((item) => item.kid !== key.publicKey.kid) === true)
    throw new VtlicError('plan_stale', 'the plan names more than one key', {
      hint: 'make a new plan with --dry-run and review it',
    });
  const stores = [
    ...keystoresUsed(key),
    ...(proofKey === undefined ? [] : keystoresUsed(proofKey)),
    ...anchorKeystores(site),
  ];
  opened.assertSecrets(site, stores);
  const access = { site, secrets, tokens, runtime: io.runtime };
  const ledger = await openForSigning(site, io.runtime, {
    command: command.name,
    confirmTime: options.confirmTime,
    confirmJump: confirmClockJump(terminal),
    ...openingWith(access, key),
  });
  try {
    const catalog = readCatalog(site.paths.catalog);
    const reviewed = early ?? (await reviewHere());
    // Read again: somebody may have changed them while a prompt was open.
    checkPlanFresh(reviewed.plan, openSite(site.paths.folder), readCatalog(site.paths.catalog), ledger);
    checkPlanned(reviewed.plan, { site, catalog, ledger });
    const view = command.view ?? planView;
    if (early !== undefined) for (const line of view(early.plan, { site, catalog, ledger })) io.err(line);
    const ledgerId = toHex(ledger.genesis.ledgerId);
    const signingKey = await openKey(access, key, ledgerId);
    try {
      // Both secrets are asked for before anything is signed.
      const headKey = proofKey === undefined ? undefined : await openKey(access, proofKey, ledgerId);
      try {
        await io.runtime.step('key-open');
        const released = await signPlan(reviewed, {
          ledger,
          siteFolder: site.paths.folder,
          key: signingKey,
          runtime: io.runtime,
        });
        const proof =
          headKey === undefined
            ? {}
            : await prove(released, {
                ledger,
                site,
                key: headKey,
                runtime: io.runtime,
                resumeCommand: provingCommand(released, options),
              });
        for (const license of released) report(io, license, proof.path, options);
        removeOldPlans(site.paths, io.runtime.nowMs());
        if (proof.fault !== undefined) throw proof.fault;
      } finally {
        await headKey?.close();
      }
    } finally {
      await signingKey.close();
    }

    async function reviewHere(): ReturnType<typeof reviewOnTerminal> {
      if (makePlan === undefined || terminal === undefined)
        throw new VtlicError('internal', 'a review needs a plan and a terminal');
      const { plan, view } = makePlan({ site, catalog, ledger, key });
      return reviewOnTerminal(plan, view, terminal);
    }
  } finally {
    ledger.close();
  }
}

interface ProofOutcome {
  readonly path?: string;
  readonly fault?: VtlicError;
}

function provingCommand(released: readonly ReleasedLicense[], options: SigningOptions): string {
  const [only] = released;
  const id = only === undefined || released.length > 1 ? 'LICENSE' : uuidFromBytes(only.issued.intent.body.licenseId);
  return (
    `vtlic ledger prove ${id} ` +
    `--beside${options.proofKey === undefined ? '' : ` --key ${options.proofKey}`}${siteArgument(options)}`
  );
}

/** A failure here is reported after the license, which is released by now. */
async function prove(released: readonly ReleasedLicense[], work: ProofWork): Promise<ProofOutcome> {
  try {
    const records = released.flatMap(({ issued }) => work.ledger.findByIntent(issued.intent.seq) ?? []);
    const [path] = (await writeProofs(records, work)).paths;
    return path === undefined ? {} : { path };
  } catch (error) {
    if (error instanceof VtlicError) return { fault: error };
    throw error;
  }
}

function report(io: Io, released: ReleasedLicense, proof: string | undefined, options: SigningOptions): void {
  const { intent } = released.issued;
  const license = decodeLicense(intent.body.payload);
  io.err(`signed and released: counter ${license.ctr} of ${license.sub} / ${license.aud}, license ${license.cti}`);
  if (proof !== undefined)
    io.err('proved beside it: the ledger contains this license, by a checkpoint signed just now');
  const files = proof === undefined ? [released.path] : [released.path, proof];
  io.out(
    options.json === true
      ? jsonLine({
          schema: 'vtlic-issue/1',
          file: released.path,
          ...(proof === undefined ? {} : { proof }),
          id: license.cti,
          counter: license.ctr,
          kid: intent.body.kid,
          payloadSha256: sha256Hex(intent.body.payload),
        })
      : files.map((file) => `${cleanText(file, 4000)}\n`).join(''),
  );
}
