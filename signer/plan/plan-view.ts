/** The whole of what an officer reads before a plan is signed: each license, then the plan's digest as hex and as words. */
import type { License } from '../../formats/license/license.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { lineageOf } from '../issue/lineage-of.ts';
import type { LedgerView, LicenseRecord } from '../ledger/record/ledger.ts';
import type { Catalog } from '../site/catalog.ts';
import { findKey, type Site } from '../site/site.ts';
import { findAnomalies } from './anomalies.ts';
import { digestWordLines } from './digest-words.ts';
import { encodePlan, planDigest, type Plan } from './plan.ts';
import { licenseView } from './view.ts';

/** A license of the ledger, for comparison. */
export interface LastLicense {
  readonly license: License;
  /** Thumbprint of the key that signed it. */
  readonly kid: string;
}

export function lastLicense(record: LicenseRecord): LastLicense {
  return Object.freeze({ license: decodeLicense(record.intent.body.payload), kid: record.intent.body.kid });
}

export interface PlanViewInput {
  readonly site: Site;
  readonly catalog: Catalog;
  readonly ledger: LedgerView;
  /** What a renewal starts from, for a plan whose lineage has no license yet. */
  readonly base?: LastLicense;
}

export function planView(plan: Plan, input: PlanViewInput): string[] {
  const { site, catalog, ledger, base } = input;
  const licenses = plan.items.flatMap((item) => {
    const replaced = ledger.lastOfLineage(lineageOf(item.license))?.lastIssued;
    const last = replaced === undefined ? base : lastLicense(replaced);
    const key = findKey(site, item.kid);
    const previousKey = site.config.keys.find((candidate) => candidate.publicKey.kid === last?.kid);
    return licenseView(item, {
      previous: last?.license,
      anomalies: findAnomalies({
        license: item.license,
        previous: last?.license,
        catalog,
        algorithm: key.algorithm,
        ...(previousKey === undefined ? {} : { previousAlgorithm: previousKey.algorithm }),
      }),
      keyName: key.name,
      algorithm: key.algorithm,
      custody: key.custody,
    });
  });
  return [...licenses, '', ...digestView(planDigest(encodePlan(plan)))];
}

/** The digest of a plan, for reading aloud to somebody who has the same plan. */
export function digestView(digest: string): string[] {
  return [`Digest of this plan: ${digest}`, 'in words, one a byte:', ...digestWordLines(digest)];
}
