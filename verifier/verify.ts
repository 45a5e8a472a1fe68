import { dearmor } from '../formats/armor.ts';
import { toHex } from '../formats/bytes.ts';
import { decodeCoseSign1, sigStructure, TYP, type CoseSign1 } from '../formats/cose-sign1.ts';
import { VtlicError } from '../formats/error.ts';
import { decodeLicense } from '../formats/license/decode-license.ts';
import type { License } from '../formats/license/license.ts';
import { defaultProvider } from '../keys/public/provider-default.ts';
import { verifySignature } from '../keys/public/verify-signature.ts';
import { judgeBinding } from './binding.ts';
import { checkContext, type VerifyContext } from './context.ts';
import { judgePolicy } from './policy.ts';
import { isReason } from './reasons.ts';
import { judgeRollback, lineageKey } from './rollback.ts';
import { indexOfTrust, type Trust, type TrustedKey, type TrustIndex } from './trust.ts';
import {
  refuse,
  type Accepted,
  type Refused,
  type Standing,
  type State,
  type Verdict,
  type VerifiedLicense,
} from './verdict.ts';

/**
 * Judges one license file: it is not yet valid, active, expired but in its grace, lapsed, or refused for one reason.
 * Pure: no clock, no files, no network; the same arguments give the same verdict.
 *
 * The order is that of docs/format.md, "The order, and the reasons": the first fault decides, and nothing inside the
 * payload is read before the signature is verified.
 *
 * @param file the bytes as read, at most 98,304
 * @returns a frozen verdict, also for the most broken file
 * @throws VtlicError `usage` for a file that is not a Uint8Array, or a trust or context that is misused
 */
export function verify(file: Uint8Array, trust: Trust, context: VerifyContext): Verdict {
  checkFile(file);
  const index = indexOfTrust(trust);
  checkContext(context);
  const provider = context.provider ?? defaultProvider;
  try {
    const cose = decodeCoseSign1(dearmor('VTLIC', file), TYP.license);
    const trusted = findTrustedKey(cose, index);
    if ('ok' in trusted) return trusted;
    if (!verifySignature(trusted.key, sigStructure(cose.protectedBytes, cose.payload), cose.signature, provider)) {
      return refuse('signature_invalid', `it is not valid for the key ${cose.kid}`);
    }
    const license = decodeLicense(cose.payload) as VerifiedLicense;
    const payloadDigest = toHex(provider.sha256(cose.payload));
    const refused =
      judgePolicy(license, payloadDigest, trusted, trust, index, context.now) ?? judgeBinding(license, context);
    if (refused !== undefined) return refused;
    return judgeState({ license, alg: cose.alg, kid: cose.kid, payloadDigest, lineage: lineageKey(license) }, context);
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === undefined) throw error;
    return refused;
  }
}

type Genuine = Pick<Accepted, 'license' | 'alg' | 'kid' | 'payloadDigest' | 'lineage'>;

/** Steps 10 and 11: what was seen before, and the time. */
function judgeState(genuine: Genuine, context: VerifyContext): Verdict {
  const standing = judgeRollback(genuine.license, genuine.payloadDigest, context.seen);
  if (typeof standing !== 'string') return standing;
  return Object.freeze<Accepted>({
    ok: true,
    ...judgeTime(genuine.license, standing, context),
    ...genuine,
    standing,
  });
}

/**
 * Judges a license again that was judged genuine before: key, policy, binding, what was seen, time. It skips what
 * cannot have changed, above all the signature, because a kid always names the same key.
 */
export function judgeAgain(
  { license, alg, kid, payloadDigest, lineage }: Accepted,
  trust: Trust,
  context: VerifyContext,
): Verdict {
  checkContext(context);
  return (
    judgePlanned({ license, kid, payloadDigest }, trust, context.now) ??
    judgeBinding(license, context) ??
    judgeState({ license, alg, kid, payloadDigest, lineage }, context)
  );
}

/** A license that is not signed yet, and the key that would sign it. */
export interface PlannedLicense {
  readonly license: License;
  readonly kid: string;
  /** SHA-256 of the payload, 64 lower-case hex digits. */
  readonly payloadDigest: string;
}

/**
 * Judges key and policy of a license that is not signed yet: whether a product with this trust would take it, for
 * vendors who plan a rotation. Never a reason to use a license.
 *
 * @param now seconds since 1970, the time of verifying
 */
export function judgePlanned(
  { license, kid, payloadDigest }: PlannedLicense,
  trust: Trust,
  now: number,
): Refused | undefined {
  const index = indexOfTrust(trust);
  const trusted = index.byKid.get(kid);
  if (trusted === undefined) return refuse('key_unknown', `the key ${kid} is not among the trusted ones`, {}, { kid });
  return judgePolicy(license, payloadDigest, trusted, trust, index, now);
}

/** By its tag, since an array of another realm (jest, an iframe) is not an instance of this realm's class. */
function checkFile(file: unknown): void {
  if (Object.prototype.toString.call(file) === '[object Uint8Array]') return;
  throw new VtlicError('usage', 'the file should be the bytes of a license (Uint8Array), but it is something else', {
    field: 'file',
  });
}

/** The key step. It does not look at a key's status: only a genuine license is refused for that (`policy.ts`). */
function findTrustedKey(cose: CoseSign1, { byKid, compositeOfComponent }: TrustIndex): TrustedKey | Refused {
  const trusted = byKid.get(cose.kid);
  if (trusted === undefined) {
    const composite = compositeOfComponent.get(cose.kid);
    if (composite === undefined)
      return refuse('key_unknown', `the key ${cose.kid} is not among the trusted ones`, {}, { kid: cose.kid });
    return refuse(
      'key_composite_only',
      `the key ${cose.kid} is the Ed25519 component of the composite key ${composite}`,
    );
  }
  if (trusted.key.alg === cose.alg) return trusted;
  return refuse(
    'key_algorithm_mismatch',
    `the license says ${cose.alg}, but the key ${cose.kid} is one for ${trusted.key.alg}`,
  );
}

type TimeVerdict = Pick<Accepted, 'state' | 'judgedAt' | 'graceUntil' | 'resetsClock'>;

/**
 * A license with `clk` that is the next one of the current lineage is judged by the plain clock, and never before its
 * own iat.
 */
function judgeTime(license: License, standing: Standing, { now, clock, defaultGrace }: VerifyContext): TimeVerdict {
  const resetsClock = license.clk === true && standing === 'newer';
  const judgedAt = resetsClock ? Math.max(clock ?? now, license.iat) : now;
  const graceUntil = license.exp + (license.grace ?? defaultGrace);
  return { state: stateAt(license, judgedAt, graceUntil), judgedAt, graceUntil, resetsClock };
}

function stateAt({ nbf, exp }: License, time: number, graceUntil: number): State {
  if (time < nbf) return 'not_yet_valid';
  if (time < exp) return 'active';
  return time < graceUntil ? 'grace' : 'lapsed';
}

/** The faults of the formats are reasons by the same names; anything else that is thrown is not a verdict. */
function refusalOf(error: unknown): Refused | undefined {
  if (!(error instanceof VtlicError) || !isReason(error.code)) return undefined;
  return refuse(error.code, error.message, error.place);
}
