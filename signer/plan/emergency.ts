/**
 * An emergency plan: who may get which license on a day when the usual way cannot be used. It is reviewed ahead, and
 * signed on the day: the dates and the counter are taken then, everything else is what was reviewed. The plan is a file
 * `plans/emergency-DIGEST.json`, and its digest is the consent.
 */
import { join } from 'node:path';
import { decodeBase64, encodeBase64 } from '../../formats/base64.ts';
import { utf8 } from '../../formats/bytes.ts';
import { formatDay } from '../../formats/dates.ts';
import { VtlicError } from '../../formats/error.ts';
import { readObject } from '../../formats/json/index.ts';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import { createDurably, isPresent, parseJsonFile, readLimited, sha256Hex } from '../../files/index.ts';
import { checkAgainstCatalog } from '../request/check-against-catalog.ts';
import { parseRequest } from '../request/parse.ts';
import type { Request } from '../request/request.ts';
import type { Catalog } from '../site/catalog.ts';
import type { Site } from '../site/site.ts';

const SCHEMA = 'vtlic-emergency-plan/1';
const MAX_BYTES = 4 << 20;
const MAX_WINDOW_SECONDS: number = 366 * DAY_SECONDS;

export interface EmergencyPlan {
  /** The request; its `from` and `until` are the time in which the plan may be used. */
  readonly request: Request;
  /** The file as it was reviewed. */
  readonly requestBytes: Uint8Array;
  /** For how many days the license is, from the day on which it is signed. */
  readonly days: number;
  /** The key that signs, 64 hex digits. */
  readonly kid: string;
}

export function encodeEmergencyPlan({ requestBytes, days, kid }: EmergencyPlan): Uint8Array {
  return utf8(`${JSON.stringify({ schema: SCHEMA, days, kid, request: encodeBase64(requestBytes) }, null, 2)}\n`);
}

function planFile(site: Site, digest: string): string {
  return join(site.paths.plans, `emergency-${digest}.json`);
}

/** @returns the digest, by which it is confirmed */
export async function writeEmergencyPlan(site: Site, plan: EmergencyPlan): Promise<string> {
  const bytes = encodeEmergencyPlan(plan);
  const digest = sha256Hex(bytes);
  await createDurably(planFile(site, digest), bytes, 0o600);
  return digest;
}

/** @throws VtlicError `usage` for a digest of the wrong form, `plan_stale` for a plan that is missing or was altered */
export function readEmergencyPlan(site: Site, digest: string): EmergencyPlan {
  if (!/^[0-9a-f]{64}$/.test(digest))
    throw new VtlicError('usage', '--confirm takes the 64 hex digits that --emergency --dry-run printed');
  const file = planFile(site, digest);
  let bytes: Uint8Array;
  try {
    bytes = readLimited(file, MAX_BYTES, 'plan_stale');
  } catch (error) {
    if (isPresent(join(site.paths.plans, digest), 'plan_stale'))
      throw new VtlicError('plan_stale', 'this digest is that of an ordinary plan, and not of an emergency plan', {
        file,
        hint: 'give the digest of the emergency plan: vtlic issue REQUEST --emergency --dry-run prints it',
      });
    throw new VtlicError('plan_stale', 'there is no readable emergency plan with this digest', {
      file,
      hint: 'make one with --emergency --dry-run, and have it reviewed',
      cause: error,
    });
  }
  const found = sha256Hex(bytes);
  if (found !== digest)
    throw new VtlicError('plan_stale', `the emergency plan was altered after its review: its digest is now ${found}`, {
      file,
      hint: 'make a new one with --emergency --dry-run, and have it reviewed',
    });
  const root = readObject(parseJsonFile(bytes, file, MAX_BYTES), { code: 'plan_stale', file });
  const schema = root.required('schema');
  if (schema.string() !== SCHEMA) throw schema.fault(`should be "${SCHEMA}"`);
  const days = root.integer('days', { min: 1, max: 90 });
  const kid = root.string('kid');
  const text = root.required('request');
  const requestBytes = decodeBase64(text.string());
  if (requestBytes === undefined) throw text.fault('should be canonical base64');
  root.end();
  return Object.freeze({ request: parseRequest(requestBytes, file), requestBytes, days, kid });
}

/**
 * The longest emergency license that the catalog allows for a product.
 *
 * @throws VtlicError `policy_refused` where it allows none, or fewer days
 */
export function emergencyDays(catalog: Catalog, product: string, wanted: number | undefined, file: string): number {
  const most = catalog.products.get(product)?.maxEmergencyDays;
  if (most === undefined)
    throw new VtlicError('policy_refused', `the catalog allows no emergency license for ${product}`, {
      file,
      hint: 'ask whoever decides what is sold to add "maxEmergencyDays" to the product in catalog.json',
    });
  if (wanted !== undefined && wanted > most)
    throw new VtlicError('policy_refused', `the catalog allows emergency licenses for at most ${most} days`, { file });
  return wanted ?? most;
}

/**
 * The request as it is signed on the day: from that day on, for so many days, with the use `emergency` and without
 * grace.
 *
 * @param now seconds since 1970
 * @throws VtlicError `plan_stale` outside of the time in which the plan may be used; `policy_refused` by the catalog
 */
export function emergencyRequest(plan: EmergencyPlan, catalog: Catalog, site: Site, now: number): Request {
  const { request } = plan;
  if (request.until - request.from > MAX_WINDOW_SECONDS)
    throw new VtlicError('request_invalid', 'the time in which an emergency plan may be used is at most 366 days', {
      field: 'until',
      hint: '"from" and "until" of the request are that time',
    });
  if (now < request.from || now >= request.until)
    throw new VtlicError(
      'plan_stale',
      `the emergency plan may be used from ${formatDay(request.from)} until ${formatDay(request.until - 1)}, and ` +
        `today is ${formatDay(now - (now % DAY_SECONDS))}`,
      { hint: 'make a new one with --emergency --dry-run, and have it reviewed' },
    );
  const from = now - (now % DAY_SECONDS);
  const { graceSeconds: _grace, ...rest } = request;
  const days = emergencyDays(catalog, request.product, plan.days, site.paths.catalog);
  const onTheDay: Request = Object.freeze({ ...rest, from, until: from + days * DAY_SECONDS, use: 'emergency' });
  checkAgainstCatalog(onTheDay, catalog, site.paths.catalog);
  return onTheDay;
}
