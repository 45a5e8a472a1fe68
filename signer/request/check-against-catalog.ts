/** Is this what the vendor sells? All faults at once, each with what the catalog allows. */
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import { VtlicError } from '../../formats/error.ts';
import type { Catalog } from '../site/catalog.ts';
import { isPerpetual, PERPETUAL } from '../../formats/dates.ts';
import type { Request } from './request.ts';

function list(names: Iterable<string>): string {
  return [...names].join(', ') || 'none';
}

export interface CatalogFault {
  /** The request's member that is at fault. */
  readonly field: string;
  readonly sentence: string;
}

export function catalogViolations(request: Request, catalog: Catalog): CatalogFault[] {
  const product = catalog.products.get(request.product);
  const faults: CatalogFault[] = [];
  const add = (field: string, sentence: string): void => {
    faults.push({ field, sentence });
  };
  if (product === undefined) {
    add('product', `"product" ${request.product} is not in the catalog (it has: ${list(catalog.products.keys())})`);
    return faults;
  }
  if (request.until <= request.from) add('until', '"until" should be later than "from"');
  const term = request.until - request.from;
  const { maxTermDays } = product;
  if (maxTermDays === PERPETUAL) {
    // Every term is sold.
  } else if (isPerpetual(request.until))
    add(
      'until',
      `"until" is perpetual, but ${request.product} is sold for at most ${maxTermDays} days ("maxTermDays" is ` +
        'not "perpetual")',
    );
  else if (term > maxTermDays * DAY_SECONDS)
    add(
      'until',
      `the term from "from" until "until" is ${Math.ceil(term / DAY_SECONDS)} days, but ${request.product} is ` +
        `sold for at most ${maxTermDays}`,
    );
  const { maxEmergencyDays } = product;
  if (request.use === 'emergency' && maxEmergencyDays !== undefined && term > maxEmergencyDays * DAY_SECONDS)
    add(
      'until',
      `"use" is emergency, and such a license of ${request.product} is for at most ${maxEmergencyDays} days ` +
        '("maxEmergencyDays")',
    );
  if ((request.graceSeconds ?? 0) > product.maxGraceDays * DAY_SECONDS)
    add(
      'graceDays',
      `"graceDays" is ${(request.graceSeconds ?? 0) / DAY_SECONDS}, but ${request.product} has at most ` +
        `${product.maxGraceDays}`,
    );
  const tier = product.tiers.get(request.tier);
  if (tier === undefined) {
    add('tier', `"tier" ${request.tier} is not sold for ${request.product} (there are: ${list(product.tiers.keys())})`);
    return faults;
  }
  if (tier.maxSeats !== 'unlimited' && (request.seats === 'unlimited' || request.seats > tier.maxSeats))
    add('seats', `"seats" is ${request.seats}, but tier ${request.tier} is sold with at most ${tier.maxSeats}`);
  for (const feature of request.features)
    if (!tier.features.has(feature))
      add(
        'features',
        `"features" names ${feature}, which tier ${request.tier} does not have (it has: ${list(tier.features)})`,
      );
  for (const [name, value] of Object.entries(request.limits)) {
    const most = tier.limits.get(name);
    if (most === undefined)
      add(
        `limits.${name}`,
        `"limits" names ${name}, which tier ${request.tier} does not have (it has: ${list(tier.limits.keys())})`,
      );
    else if (value > most)
      add(`limits.${name}`, `"limits.${name}" is ${value}, but tier ${request.tier} is sold with at most ${most}`);
  }
  return faults;
}

/** The same in sentences. */
export function catalogFaults(request: Request, catalog: Catalog): string[] {
  return catalogViolations(request, catalog).map(({ sentence }) => sentence);
}

/** @throws VtlicError `policy_refused` with every fault in one sentence. */
export function checkAgainstCatalog(request: Request, catalog: Catalog, file: string): void {
  const faults = catalogFaults(request, catalog);
  if (faults.length === 0) return;
  throw new VtlicError('policy_refused', `the catalog does not allow this request: ${faults.join('; ')}`, {
    file,
    hint: 'correct the request, or ask whoever decides what is sold to change catalog.json',
  });
}
