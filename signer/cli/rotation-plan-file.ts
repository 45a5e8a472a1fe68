/** A rotation plan for commands that only look at it. */
import { resolve } from 'node:path';
import { kidOfKey } from '../keyset/changes.ts';
import { publishedVersions } from '../keyset/published.ts';
import type { LedgerView } from '../ledger/index.ts';
import { type PlannedStep, readRotationPlan } from '../rotation/plan.ts';
import type { Site } from '../site/site.ts';
import { releasesOf } from './drafting.ts';
import type { Io } from './io.ts';

interface PlanOptions {
  readonly plan?: string;
  readonly releases?: string;
}

/**
 * The steps of `--plan`, none without it. A key is named by its name in the site, or by a kid that the site or a
 * published keyset has.
 */
export function stepsOfPlan(io: Io, site: Site, ledger: LedgerView, options: PlanOptions): readonly PlannedStep[] {
  if (options.plan === undefined) return [];
  const published = new Set(publishedVersions(ledger).flatMap(({ keyset }) => keyset.keys.map(kidOfKey)));
  const kidOfName = (text: string): string | undefined => {
    const own = site.config.keys.find(({ name, publicKey }) => name === text || publicKey.kid === text);
    return own?.publicKey.kid ?? (published.has(text) ? text : undefined);
  };
  const releases = releasesOf(io, site, options.releases) ?? [];
  return readRotationPlan(resolve(io.cwd, options.plan), { issuer: site.config.issuer, releases, kidOfName }).steps;
}
