/**
 * The whole of what an officer reads before a plan is signed: each license, then the plan's digest as hex and as words.
 */
import { type LedgerView, lineageOf, newestOfLineage } from '../ledger/index.ts';
import type { Catalog } from '../site/catalog.ts';
import { findSiteKey, type Site } from '../site/site.ts';
import { findAnomalies, comparedWith } from '../plan/anomalies.ts';
import { ed25519End } from '../plan/keyset-rule.ts';
import { lastLicense, type LastLicense } from '../plan/last-license.ts';
import { digestWordLines } from '../plan/digest-words.ts';
import { encodePlan, planDigest, type Plan } from '../plan/plan.ts';
import { licenseView } from './license-summary.ts';

export interface PlanViewInput {
  readonly site: Site;
  readonly catalog: Catalog;
  readonly ledger: LedgerView;
  /** What a renewal starts from, for a plan whose lineage has no license yet. */
  readonly base?: LastLicense;
}

/** The licenses of a plan, and its digest, by which it is confirmed. */
export function planView(plan: Plan, input: PlanViewInput): string[] {
  return [...licensesView(plan, input), '', ...digestView(planDigest(encodePlan(plan)))];
}

/** For a plan that is confirmed by another digest than its own. */
export function licensesView(plan: Plan, input: PlanViewInput): string[] {
  const { site, catalog, ledger, base } = input;
  return plan.items.flatMap((item) => {
    const replaced = newestOfLineage(ledger, lineageOf(item.license));
    const last = replaced === undefined ? base : lastLicense(replaced, input);
    const key = findSiteKey(site, item.kid);
    return licenseView(item, {
      previous: last?.license,
      anomalies: findAnomalies({
        license: item.license,
        catalog,
        algorithm: key.algorithm,
        ...comparedWith(last, site),
        ...ed25519End(ledger),
      }),
      keyName: key.name,
      algorithm: key.algorithm,
      custody: key.custody,
    });
  });
}

/** The digest of a plan, for reading aloud to somebody who has the same plan. */
export function digestView(digest: string, what = 'plan'): string[] {
  return [`Digest of this ${what}: ${digest}`, 'the same in words, one for each byte:', ...digestWordLines(digest)];
}
