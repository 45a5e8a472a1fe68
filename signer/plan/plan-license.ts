/** Request → plan: the claims, the lineage's next counter, and the exact bytes that would be signed. */
import { encodeLicense } from '../../formats/license/encode-license.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { makeUuidV7 } from '../../formats/license/id.ts';
import type { License } from '../../formats/license/license.ts';
import { VtlicError } from '../../formats/error.ts';
import { toHex } from '../../formats/bytes.ts';
import type { LedgerView } from '../ledger/ledger.ts';
import type { Request } from '../request/request.ts';
import type { Catalog } from '../site/catalog.ts';
import type { KeyRecord } from '../site/key-record.ts';
import type { Site } from '../site/site.ts';
import { nowSeconds, type World } from '../world.ts';
import type { Plan } from './plan.ts';

const UUID_RANDOM_BYTES = 10;

export interface PlanInput {
  readonly site: Site;
  readonly catalog: Catalog;
  readonly ledger: LedgerView;
  readonly key: KeyRecord;
  readonly world: Pick<World, 'nowMs' | 'random'>;
}

/** @throws VtlicError `request_invalid` where the claims would break a bound of the format (`until` already past, say). */
export function planLicense(request: Request, input: PlanInput): Plan {
  const { site, catalog, ledger, key, world } = input;
  const now = nowSeconds(world);
  if (request.until <= now) throw new VtlicError('request_invalid', '"until" lies in the past: the license would be expired when it is signed', { field: 'until' });
  const last = ledger.lastOfLineage({ aud: request.product, sub: request.customer, ...(request.deployment === undefined ? {} : { dep: request.deployment }) });
  const claims: License = {
    iss: site.config.issuer,
    sub: request.customer,
    aud: request.product,
    exp: request.until,
    nbf: request.from,
    iat: now,
    cti: makeUuidV7(world.nowMs(), world.random(UUID_RANDOM_BYTES)),
    ctr: (last?.ctr ?? 0) + 1,
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
    ...(request.resetClock === undefined ? {} : { clk: request.resetClock }),
    ...(request.ext === undefined ? {} : { ext: request.ext }),
  };
  let payload: Uint8Array;
  try {
    payload = encodeLicense(claims);
  } catch (error) {
    if (error instanceof VtlicError && error.code === 'claims_malformed') throw new VtlicError('request_invalid', error.message, { ...error.place, cause: error });
    throw error;
  }
  const head = ledger.head();
  return Object.freeze({
    ledger: toHex(ledger.genesis.ledgerId),
    entries: head.entries,
    chain: toHex(head.chain),
    made: now,
    site: site.digest,
    catalog: catalog.digest,
    // The view is made from the bytes, never from the request.
    items: Object.freeze([Object.freeze({ payload, license: decodeLicense(payload), kid: key.publicKey.kid })]),
  });
}
