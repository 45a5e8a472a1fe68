/**
 * `vtlic issue --emergency`: break-glass. A request is planned and reviewed ahead, and signed on the day, for a few
 * days, in the customer's own lineage. What is owed afterwards is listed by `vtlic rotation status`.
 */
import { counted } from '../../../formats/clean-text.ts';
import { resolve } from 'node:path';
import { equalBytes } from '../../../formats/bytes.ts';
import { formatDay, formatEnd } from '../../../formats/dates.ts';
import { VtlicError } from '../../../formats/error.ts';
import { jsonLine } from '../../../formats/json/index.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { encodeLicense } from '../../../formats/license/encode-license.ts';
import { uuidFromBytes } from '../../../formats/license/id.ts';
import type { License } from '../../../formats/license/license.ts';
import { readLimited } from '../../../files/index.ts';
import { lineageOf, newestOfLineage, openLedgerForReading } from '../../ledger/index.ts';
import { emergencyDays, emergencyRequest, readEmergencyPlan, writeEmergencyPlan } from '../../plan/emergency.ts';
import type { EmergencyPlan } from '../../plan/emergency.ts';
import { keyOfPlan } from '../../plan/plan-freshness.ts';
import { planLicense } from '../../plan/plan-license.ts';
import { type Plan, writePlan } from '../../plan/plan.ts';
import { parseRequest } from '../../request/parse.ts';
import { nowSeconds } from '../../runtime.ts';
import { readCatalog } from '../../site/catalog.ts';
import { licenseKey, requireSiteOwner, type Site } from '../../site/site.ts';
import { digestView, licensesView } from '../../summary/plan-summary.ts';
import type { Io } from '../io.ts';
import { openNamedSite, siteArgument } from '../options.ts';
import { runSigning, type SigningOptions } from '../sign-plan.ts';
import { releaseAgain } from './release.ts';

const DIGEST_OF = 'emergency plan';
const MAX_REQUEST_BYTES = 1 << 20;

export interface EmergencyOptions extends SigningOptions {
  readonly days?: number;
}

export async function runEmergency(io: Io, file: string | undefined, options: EmergencyOptions): Promise<void> {
  const isAhead = options.dryRun === true && file !== undefined && options.confirm === undefined;
  const isOnTheDay = options.confirm !== undefined && file === undefined && options.dryRun !== true;
  if (isAhead) await planAhead(io, file, options);
  else if (isOnTheDay && options.key === undefined && options.days === undefined)
    await signOnTheDay(io, options.confirm ?? '', options);
  else
    throw new VtlicError(
      'usage',
      'issue --emergency takes a request file with --dry-run, ahead, or --confirm DIGEST, on the day',
      { hint: 'see: vtlic help issue' },
    );
}

async function planAhead(io: Io, name: string, options: EmergencyOptions): Promise<void> {
  const site = openNamedSite(io, options);
  const path = resolve(io.cwd, name);
  const requestBytes = readLimited(path, MAX_REQUEST_BYTES, 'json_malformed');
  const request = parseRequest(requestBytes, path);
  const catalog = readCatalog(site.paths.catalog);
  const days = emergencyDays(catalog, request.product, options.days, site.paths.catalog);
  const kid = licenseKey(site, options.key).publicKey.kid;
  const emergency: EmergencyPlan = { request, requestBytes, days, kid };
  const { view } = planned(io, site, emergency, Math.max(nowSeconds(io.runtime), request.from), true);
  for (const line of view) io.err(line);
  requireSiteOwner(site.paths);
  const digest = await writeEmergencyPlan(site, emergency);
  const command = `${io.name} issue --emergency --confirm ${digest}${siteArgument(options)}`;
  io.err('');
  for (const line of digestView(digest, DIGEST_OF)) io.err(line);
  io.err('');
  io.err('This is an EMERGENCY PLAN: nothing was signed.');
  io.err(`From ${formatDay(request.from)} until ${formatEnd(request.until)}, this command signs such a license for`);
  io.err(`${counted(days, 'day', 'days')}, with the dates and the counter of that day:`);
  io.err(`  ${command}`);
  io.out(
    options.json === true ? jsonLine({ schema: 'vtlic-emergency-planned/1', digest, days, command }) : `${digest}\n`,
  );
}

async function signOnTheDay(io: Io, digest: string, options: EmergencyOptions): Promise<void> {
  const site = openNamedSite(io, options);
  const emergency = readEmergencyPlan(site, digest);
  const { plan, signedToday } = planned(io, site, emergency, nowSeconds(io.runtime), false);
  if (signedToday !== undefined) {
    io.err(`this plan was used today, for the license ${uuidFromBytes(signedToday)}: no second one is signed`);
    await releaseAgain(io, signedToday, options, keyOfPlan(emergency.kid, site));
    return;
  }
  requireSiteOwner(site.paths);
  const planDigest = await writePlan(site.paths.plans, plan);
  io.err('EMERGENCY: this license follows a plan that was reviewed ahead');
  // The plan of this day has a digest too, but nobody compares that one.
  const view: typeof licensesView = (...shown) => [...licensesView(...shown), '', ...digestView(digest, DIGEST_OF)];
  await runSigning(io, { name: 'issue', prepare: undefined, view }, { ...options, confirm: planDigest });
  io.err('to do: issue the ordinary license of this customer; vtlic rotation status reminds you until then');
}

interface Planned {
  readonly plan: Plan;
  readonly view: readonly string[];
  /** The id of the license that the same plan led to earlier on this day, perhaps before the process was killed. */
  readonly signedToday?: Uint8Array;
}

function planned(io: Io, site: Site, emergency: EmergencyPlan, now: number, isAhead: boolean): Planned {
  const catalog = readCatalog(site.paths.catalog);
  const request = emergencyRequest(emergency, catalog, site, now);
  const ledger = openLedgerForReading(site.paths.ledger);
  try {
    const input = { site, catalog, ledger, key: keyOfPlan(emergency.kid, site) };
    const plan = planLicense(request, { ...input, runtime: io.runtime, emergency: { isAhead } });
    const [item] = plan.items;
    const newest = item === undefined ? undefined : newestOfLineage(ledger, lineageOf(item.license));
    const isSame =
      item !== undefined && newest !== undefined && hasSameTerms(item.license, decodeLicense(newest.payload));
    return { plan, view: licensesView(plan, input), ...(isSame ? { signedToday: newest.licenseId } : {}) };
  } finally {
    ledger.close();
  }
}

/** Whether two licenses differ only in what each license has of its own. */
function hasSameTerms(a: License, b: License): boolean {
  const terms = (license: License): Uint8Array => encodeLicense({ ...license, cti: a.cti, ctr: a.ctr, iat: a.iat });
  return equalBytes(terms(a), terms(b));
}
