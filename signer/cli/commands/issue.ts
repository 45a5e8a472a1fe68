/** `vtlic issue REQUEST.json`: parse → plan → show and confirm → sign → release. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { cleanText } from '../../../formats/clean-text.ts';
import { toHex } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { readLimited } from '../../files/read-file.ts';
import { carryOut } from '../../issue/carry-out.ts';
import { lineageOf } from '../../issue/lineage-of.ts';
import { openForSigning } from '../../issue/open-ledger.ts';
import type { ReleasedLicense } from '../../issue/stages.ts';
import { keystoresUsed, secretsNeeded, secretsTaken } from '../../keys/keystores.ts';
import { openKey } from '../../keys/open-key.ts';
import type { LedgerView } from '../../ledger/ledger.ts';
import { openLedgerForReading } from '../../ledger/open.ts';
import { checkPlanStands } from '../../plan/check-plan.ts';
import { planLicense } from '../../plan/plan-license.ts';
import { writePlan } from '../../plan/plan-file.ts';
import type { Plan } from '../../plan/plan.ts';
import { reviewByDigest, reviewOnTerminal, type ReviewedPlan } from '../../plan/review.ts';
import { licenseView } from '../../plan/view.ts';
import { checkAgainstCatalog } from '../../request/check-against-catalog.ts';
import { parseDate } from '../../request/dates.ts';
import { parseRequest } from '../../request/parse-request.ts';
import type { Request } from '../../request/request.ts';
import { readCatalog } from '../../site/catalog.ts';
import type { KeyRecord } from '../../site/key-record.ts';
import { findKey, licenseKey, type Site } from '../../site/site.ts';
import { nowSeconds } from '../../world.ts';
import type { Io } from '../io.ts';
import { SecretBook } from '../secrets.ts';
import type { Terminal } from '../terminal.ts';
import { invalid, openNamedSite, secretOption, siteOption, type SecretOptions, type SiteOptions } from './common.ts';

const MOST_REQUEST_BYTES = 1 << 20;

interface IssueOptions extends SiteOptions, SecretOptions {
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

export function addIssue(program: Command, io: Io): void {
  const command = program
    .command('issue [request]')
    .description('issues a license: shows what will be signed, and signs it after Yes')
    .option('--key <name>', 'the key that signs (default: that of the site)')
    .option('--dry-run', 'write the plan to plans/DIGEST and print the digest, sign nothing')
    .option('--confirm <digest>', 'sign exactly the plan of this digest')
    .option('--confirm-time <time>', "the time now, where the ledger doubts this machine's clock", parseTime)
    .option('--json', 'the result as one JSON document');
  secretOption(siteOption(command)).action(async (file: string | undefined, options: IssueOptions) => {
    if ((options.confirm === undefined) === (file === undefined)) throw new VtlicError('usage', 'issue takes a request file, or --confirm DIGEST instead of one', { hint: 'see: vtlic help issue' });
    if (options.confirm !== undefined && (options.dryRun === true || options.key !== undefined)) throw new VtlicError('usage', '--confirm takes neither --dry-run nor --key: the plan says all of it');
    const site = openNamedSite(io, options);
    const request = file === undefined ? undefined : readRequest(resolve(io.cwd, file), site);
    if (options.dryRun === true && request !== undefined) await dryRun(io, site, request, options);
    else await issue(io, site, request, options);
  });
}

function readRequest(path: string, site: Site): Request {
  const request = parseRequest(readLimited(path, MOST_REQUEST_BYTES), path);
  checkAgainstCatalog(request, readCatalog(site.paths.catalog), path);
  return request;
}

/** What the officer reads; the key and what is replaced come from the site and the ledger, all else from the payload. */
function viewOf(plan: Plan, site: Site, ledger: LedgerView): string[] {
  return plan.items.flatMap((item) => {
    const replaced = ledger.lastOfLineage(lineageOf(item.license))?.lastIssued;
    const key = findKey(site, item.kid);
    return licenseView(item, {
      previous: replaced === undefined ? undefined : decodeLicense(replaced.intent.body.payload),
      keyName: key.name,
      algorithm: key.algorithm,
      custody: key.custody,
    });
  });
}

async function dryRun(io: Io, site: Site, request: Request, options: IssueOptions): Promise<void> {
  new SecretBook(options.secret, undefined).assertFor([]);
  const ledger = openLedgerForReading(site.paths.ledger);
  try {
    const plan = planLicense(request, { site, catalog: readCatalog(site.paths.catalog), ledger, key: licenseKey(site, options.key), world: io.world });
    for (const line of viewOf(plan, site, ledger)) io.err(line);
    const digest = await writePlan(site.paths.plans, plan);
    io.err('');
    io.err('nothing was signed; within 24 hours, this plan is signed by:');
    io.err(`  vtlic issue --confirm ${digest}`);
    io.out(options.json === true ? `${JSON.stringify({ schema: 'vtlic-plan-made/1', digest, items: plan.items.map(({ license }) => license) })}\n` : `${digest}\n`);
  } finally {
    ledger.close();
  }
}

async function issue(io: Io, site: Site, request: Request | undefined, options: IssueOptions): Promise<void> {
  const terminal = io.openTerminal();
  try {
    if (terminal === undefined && request !== undefined) {
      throw new VtlicError('usage', 'there is no terminal on which to show what will be signed', { hint: 'plan it with --dry-run, then sign it with --confirm DIGEST' });
    }
    const secrets = new SecretBook(options.secret, terminal, options);
    // Which key, and whether its secret can be had, is known before the ledger is opened or a token touched.
    const early = options.confirm === undefined ? undefined : reviewByDigest(site.paths.plans, options.confirm, nowSeconds(io.world));
    const key = early === undefined ? licenseKey(site, options.key) : keyOfPlan(early.plan, site);
    const stores = keystoresUsed(key);
    secrets.assertFor(secretsTaken(site, stores), secretsNeeded(site, stores));
    const ledger = await openForSigning(site, io.world, 'issue', options.confirmTime);
    try {
      const catalog = readCatalog(site.paths.catalog);
      const reviewed = early ?? (await review(io, site, request, key, ledger, terminal));
      checkPlanStands(reviewed.plan, site, catalog, ledger);
      const signingKey = await openKey(site, key, secrets, toHex(ledger.genesis.ledgerId), io.world);
      try {
        await io.world.step('key-open');
        const released = await carryOut(reviewed, { ledger, siteFolder: site.paths.folder, key: signingKey, world: io.world });
        for (const license of released) report(io, license, options);
      } finally {
        await signingKey.close();
      }
    } finally {
      ledger.close();
    }
  } finally {
    terminal?.close();
  }
}

/** @throws VtlicError `plan_stale` where the site no longer has the key that the plan names. */
function keyOfPlan(plan: Plan, site: Site): KeyRecord {
  const kid = plan.items[0]?.kid;
  const key = site.config.keys.find((candidate) => candidate.publicKey.kid === kid);
  if (key === undefined || plan.items.some((item) => item.kid !== kid)) throw new VtlicError('plan_stale', `the plan names the key ${kid ?? ''}, which this site does not have`, { hint: 'make a new plan with --dry-run and review it' });
  return key;
}

async function review(io: Io, site: Site, request: Request | undefined, key: KeyRecord, ledger: LedgerView, terminal: Terminal | undefined): Promise<ReviewedPlan> {
  if (request === undefined || terminal === undefined) throw new VtlicError('internal', 'a review needs a request and a terminal');
  const plan = planLicense(request, { site, catalog: readCatalog(site.paths.catalog), ledger, key, world: io.world });
  return reviewOnTerminal(plan, viewOf(plan, site, ledger), terminal);
}

function report(io: Io, released: ReleasedLicense, options: IssueOptions): void {
  const { intent } = released.issued;
  const license = decodeLicense(intent.body.payload);
  io.err(`signed and released: counter ${license.ctr} of ${license.sub} / ${license.aud}, license ${license.cti}`);
  io.out(
    options.json === true
      ? `${JSON.stringify({ schema: 'vtlic-issue/1', file: released.path, id: license.cti, counter: license.ctr, kid: intent.body.kid, payloadSha256: createHash('sha256').update(intent.body.payload).digest('hex') })}\n`
      : `${cleanText(released.path, 4000)}\n`,
  );
}

