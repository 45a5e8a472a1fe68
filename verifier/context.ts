import { VtlicError } from '../formats/error.ts';
import { MAX_GRACE_SECONDS, MAX_TIME } from '../formats/license/bounds.ts';
import { isId, isLineage } from '../formats/license/id.ts';
import type { Provider } from '../keys/public/provider.ts';
import type { Seen } from './rollback.ts';

/** Who verifies, where and when. Times are whole seconds since 1970. */
export interface VerifyContext {
  /** The vendor: must equal the license's iss. */
  readonly issuer: string;
  /** The product: must equal its aud. */
  readonly product: string;
  /** The deployment here. A license with dep is refused where this is absent or another. */
  readonly deployment?: string;
  /**
   * Fingerprints of this host, 64 lower-case hex digits each. A license with hosts is refused where none of them is in
   * it.
   */
  readonly hosts?: readonly string[];
  /** The effective time: with durable state, the highest of clock, highest accepted iat and floor. */
  readonly now: number;
  /** The date of the product's build. A license with `upd` is refused where this is absent or not before `upd`. */
  readonly buildDate?: number;
  /** The plain clock, by which a license with `clk` is judged; `now` where absent. */
  readonly clock?: number;
  /** The grace that the product gives a license without one, 0 … 31,622,400. */
  readonly defaultGrace: number;
  /** What was accepted before; absent: nothing. */
  readonly seen?: Seen;
  /** The arithmetic; absent: the platform's own. Never changes a verdict. */
  readonly provider?: Provider;
}

const SHA256_HEX = /^[0-9a-f]{64}$/;

/** @throws VtlicError `usage` for a context that no license could be judged by: misuse, never a verdict. */
export function checkContext(context: VerifyContext): void {
  const { issuer, product, deployment, hosts, now, buildDate, clock, defaultGrace, seen } = context;
  if (!isId(issuer)) throw misuse('issuer', 'an id', issuer);
  if (!isId(product)) throw misuse('product', 'an id', product);
  if (deployment !== undefined && !isId(deployment)) throw misuse('deployment', 'an id', deployment);
  for (const host of hosts ?? [])
    if (!SHA256_HEX.test(host)) throw misuse('hosts', '64 lower-case hex digits each', host);
  if (!isWhole(now, MAX_TIME)) throw misuse('now', 'whole seconds since 1970 (not milliseconds)', now);
  if (buildDate !== undefined && !isWhole(buildDate, MAX_TIME))
    throw misuse('buildDate', 'whole seconds since 1970 (not milliseconds)', buildDate);
  if (clock !== undefined && !isWhole(clock, MAX_TIME))
    throw misuse('clock', 'whole seconds since 1970 (not milliseconds)', clock);
  if (!isWhole(defaultGrace, MAX_GRACE_SECONDS))
    throw misuse('defaultGrace', `whole seconds, at most ${MAX_GRACE_SECONDS}`, defaultGrace);
  if (seen !== undefined) checkSeen(seen);
}

/** A store that lost a number, or spells a lineage or a digest differently, must not let an old license in. */
function checkSeen(seen: Seen): void {
  if (!seen.lineages.has(seen.current)) throw misuse('seen.current', 'one of seen.lineages', seen.current);
  if (!isWhole(seen.highestIat, MAX_TIME)) throw misuse('seen.highestIat', 'whole seconds since 1970', seen.highestIat);
  for (const [lineage, { counter, payloadDigest }] of seen.lineages) {
    if (!isLineage(lineage)) throw misuse('seen.lineages', 'of lineages "iss/aud/sub" or "iss/aud/sub/dep"', lineage);
    if (!Number.isSafeInteger(counter) || counter < 1) throw misuse('seen.lineages', 'counters from 1 on', counter);
    if (!SHA256_HEX.test(payloadDigest))
      throw misuse('seen.lineages', 'with digests of 64 lower-case hex digits', payloadDigest);
  }
}

function isWhole(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}

function misuse(field: string, expected: string, came: string | number): VtlicError {
  return new VtlicError('usage', `the context's ${field} should be ${expected}, not ${JSON.stringify(came)}`, {
    field,
  });
}
