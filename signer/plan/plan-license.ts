/** Request → plan: the claims, the lineage's next counter, and the exact bytes that would be signed. */
import { LICENSE_LIMITS } from '../../formats/armor.ts';
import { ALGORITHMS } from '../../formats/cose-algorithm.ts';
import { encodeCoseSign1, encodeProtected, TYP } from '../../formats/cose-sign1.ts';
import { encodeLicense } from '../../formats/license/encode-license.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { makeUuidV7 } from '../../formats/license/id.ts';
import type { License } from '../../formats/license/license.ts';
import { VtlicError } from '../../formats/error.ts';
import { toHex } from '../../formats/bytes.ts';
import { type LedgerView, type Lineage, newestOfLineage } from '../ledger/index.ts';
import { combinationFault, type Request } from '../request/request.ts';
import type { Catalog } from '../site/catalog.ts';
import type { KeyRecord, Site } from '../site/site.ts';
import { type EmergencyKey, requireKeyInForce } from './keyset-rule.ts';
import { lastLicense } from './last-license.ts';
import { nowSeconds, type Runtime } from '../runtime.ts';
import type { Plan, PlanItem, PlanOrigin } from './plan.ts';

const UUID_RANDOM_BYTES = 10;

export interface PlanInput {
  readonly site: Site;
  readonly catalog: Catalog;
  readonly ledger: LedgerView;
  readonly key: KeyRecord;
  readonly runtime: Pick<Runtime, 'nowMs' | 'random'>;
  /** Of a plan for an emergency. */
  readonly emergency?: EmergencyKey;
}

/** What a payload needs besides the request. */
export interface ItemInput {
  readonly site: Site;
  readonly key: KeyRecord;
  readonly runtime: Pick<Runtime, 'nowMs' | 'random'>;
  /** Seconds since 1970: the time of the whole plan. */
  readonly now: number;
  /** The lineage's next counter. */
  readonly ctr: number;
  /** The lineage's newest license, which the new one replaces. */
  readonly replaced: License | undefined;
}

export function lineageOfRequest(request: Request): Lineage {
  return {
    aud: request.product,
    sub: request.customer,
    ...(request.deployment === undefined ? {} : { dep: request.deployment }),
  };
}

/**
 * @throws VtlicError `request_invalid` where the claims would break a bound of the format (`until` already past, say)
 *   or contradict each other; `policy_refused` for a use that the lineage is not for
 */
export function planItem(request: Request, input: ItemInput): PlanItem {
  const { site, key, runtime, now, ctr, replaced } = input;
  if (request.until <= now)
    throw new VtlicError('request_invalid', '"until" is in the past: the license would be expired when it is signed', {
      field: 'until',
    });
  const fault = combinationFault(request);
  if (fault !== undefined) throw fault;
  const claims: License = {
    iss: site.config.issuer,
    sub: request.customer,
    aud: request.product,
    exp: request.until,
    nbf: request.from,
    iat: now,
    cti: makeUuidV7(runtime.nowMs(), runtime.random(UUID_RANDOM_BYTES)),
    ctr,
    tier: request.tier,
    seats: request.seats,
    features: request.features,
    limits: request.limits,
    ...(request.instances === undefined ? {} : { instances: request.instances }),
    ...(request.hosts === undefined ? {} : { hosts: request.hosts }),
    ...(request.graceSeconds === undefined ? {} : { grace: request.graceSeconds }),
    ...(request.offlineSeconds === undefined ? {} : { offline: request.offlineSeconds }),
    ...(request.deployment === undefined ? {} : { dep: request.deployment }),
    ...(request.name === undefined ? {} : { name: request.name }),
    ...(request.reference === undefined ? {} : { ref: request.reference }),
    ...(request.updatesUntil === undefined ? {} : { upd: request.updatesUntil }),
    ...(request.use === undefined ? {} : { use: request.use }),
    ...(request.resetClock === undefined ? {} : { clk: request.resetClock }),
    ...(request.ext === undefined ? {} : { ext: request.ext }),
  };
  let payload: Uint8Array;
  try {
    payload = encodeLicense(claims);
  } catch (error) {
    if (error instanceof VtlicError && error.code === 'claims_malformed')
      throw new VtlicError('request_invalid', error.message, { ...error.place, cause: error });
    throw error;
  }
  const whole = encodeCoseSign1(
    encodeProtected(key.algorithm, key.publicKey.kid, TYP.license),
    payload,
    new Uint8Array(ALGORITHMS[key.algorithm].signatureBytes),
  ).length;
  if (whole > LICENSE_LIMITS.decodedBytes)
    throw new VtlicError(
      'request_invalid',
      `the license would have ${whole} bytes, but at most ${LICENSE_LIMITS.decodedBytes} are allowed`,
      { hint: 'name fewer hosts, or put less into "ext"' },
    );
  // The view is made from the bytes, never from the request.
  const license = decodeLicense(payload);
  const useChange = replaced === undefined ? undefined : useFault(license, replaced);
  if (useChange !== undefined) throw useChange;
  return Object.freeze({ payload, license, kid: key.publicKey.kid });
}

/** @throws VtlicError as `planItem` does. */
export function planLicense(request: Request, input: PlanInput): Plan {
  const { site, catalog, ledger, key, runtime } = input;
  const now = nowSeconds(runtime);
  const lineage = lineageOfRequest(request);
  requireKeyInForce(ledger, key.publicKey.kid, { aud: request.product, tier: request.tier }, now, input.emergency);
  const newest = newestOfLineage(ledger, lineage);
  const item = planItem(request, {
    site,
    key,
    runtime,
    now,
    ctr: ledger.nextCounter(lineage),
    replaced: newest === undefined ? undefined : lastLicense(newest, input).license,
  });
  return Object.freeze({ ...planOrigin(ledger, site, catalog, now), items: Object.freeze([item]) });
}

/** What a plan says of the moment in which it is made. */
export function planOrigin(ledger: LedgerView, site: Site, catalog: Catalog, now: number): PlanOrigin {
  const head = ledger.head();
  return {
    ledger: toHex(ledger.genesis.ledgerId),
    entries: head.entries,
    chain: toHex(head.chain),
    made: now,
    site: site.digest,
    catalog: catalog.digest,
  };
}

/**
 * A lineage is for production or not, once and for all: a verifier keeps the newest license of a lineage, so a free
 * license for a test system would displace the paid one.
 *
 * @param last the newest license of the same lineage
 * @returns `policy_refused` for a license that the lineage is not for; undefined for one that may follow
 */
export function useFault(license: License, last: License): VtlicError | undefined {
  const [now, before] = [license.use === 'non-production', last.use === 'non-production'];
  if (now === before) return undefined;
  const where = license.dep === undefined ? 'without a deployment' : `in the deployment ${license.dep}`;
  return new VtlicError(
    'policy_refused',
    `the last license of ${license.sub} for ${license.aud} ${where}, ${last.cti} (counter ${last.ctr}), has ` +
      `the use ${useInWords(last)}, and this license with the use ${useInWords(license)} would replace it`,
    { field: 'use', hint: 'choose another deployment for it ("deployment" of the request, or --deployment)' },
  );
}

export function useInWords(license: License): string {
  return license.use ?? 'production';
}
