/** Which licenses run out, and what their renewals would ask for: the list with which the yearly work begins. */
import { VtlicError } from '../../formats/error.ts';
import { isPerpetual } from '../../formats/dates.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import type { License } from '../../formats/license/license.ts';
import { type LedgerView, type Lineage, newestOfLineage } from '../ledger/index.ts';
import { catalogFaults } from '../request/check-against-catalog.ts';
import type { Request } from '../request/request.ts';
import type { Catalog } from '../site/catalog.ts';
import { laterByYears, renewalRequest } from './renewal-request.ts';

const PAGE = 500;

export interface DueWindow {
  /** Seconds since 1970. */
  readonly now: number;
  /** Licenses that end after `now` and not later than so many seconds from now. */
  readonly withinSeconds: number;
  /** Licenses that ended so many seconds ago; left out: those that are in grace. */
  readonly endedSeconds?: number;
  readonly product?: string;
  /** Also the licenses of customers whose counters were handed over to another ledger. */
  readonly handedOver?: boolean;
}

export interface DueLicenses {
  /** Sorted by their ends, the earliest first. */
  readonly licenses: readonly License[];
  /** Licenses that end in the window too, but are left out: their counters were handed over. */
  readonly leftOut: number;
}

/**
 * The newest license of each lineage, if it ends in the window. Of a perpetual license the end is that of its updates.
 * Customers whose counters were handed over to another ledger are renewed there.
 */
export function dueLicenses(ledger: LedgerView, window: DueWindow): DueLicenses {
  const licenses: License[] = [];
  let leftOut = 0;
  for (let after: Lineage | undefined; ;) {
    const page = ledger.knownLineages({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const lineage of page) {
      if (window.product !== undefined && lineage.aud !== window.product) continue;
      const newest = newestOfLineage(ledger, lineage);
      const license = newest === undefined ? undefined : decodeLicense(newest.payload);
      if (license === undefined || !isDue(license, window)) continue;
      if (window.handedOver === true || ledger.closedBy(lineage.sub) === undefined) licenses.push(license);
      else leftOut++;
    }
    after = page.at(-1);
    if (page.length < PAGE || after === undefined) break;
  }
  return { licenses: licenses.sort((a, b) => endOf(a) - endOf(b)), leftOut };
}

export interface NoLongerSold {
  readonly license: License;
  /** In sentences. */
  readonly faults: readonly string[];
}

/** The licenses in force whose renewal for the same time a catalog would refuse. */
export function noLongerSold(ledger: LedgerView, catalog: Catalog, now: number): readonly NoLongerSold[] {
  const refused: NoLongerSold[] = [];
  const inForce = { now, withinSeconds: Number.POSITIVE_INFINITY, endedSeconds: 0 };
  for (const license of dueLicenses(ledger, inForce).licenses) {
    const faults = faultsOf(license, catalog, now);
    if (faults.length > 0) refused.push({ license, faults });
  }
  return refused;
}

function faultsOf(license: License, catalog: Catalog, now: number): readonly string[] {
  try {
    const unchanged = { set: { from: license.nbf }, unset: new Set<never>(), limits: {} };
    return catalogFaults(renewalRequest(license, unchanged, now), catalog);
  } catch (error) {
    if (error instanceof VtlicError) return [error.message];
    throw error;
  }
}

/** When a license ends for the customer: a perpetual one with its updates. */
export function endOf(license: License): number {
  return isPerpetual(license.exp) ? (license.upd ?? license.exp) : license.exp;
}

function isDue(license: License, { now, withinSeconds, endedSeconds }: DueWindow): boolean {
  const end = endOf(license);
  if (isPerpetual(end) || end > now + withinSeconds) return false;
  return end > now - (endedSeconds ?? license.grace ?? 0);
}

/**
 * The same license for some years more, counted from its end. One that ended so long ago that this would be over too is
 * counted from today.
 *
 * @throws VtlicError `request_invalid` as `renewalRequest` does
 */
export function renewedFor(license: License, years: number, now: number): Request {
  const set = laterByYears(license, years, now);
  return renewalRequest(license, { set, unset: new Set(), limits: {} }, now);
}
