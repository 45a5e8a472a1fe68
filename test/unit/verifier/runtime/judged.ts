/** Situations and files of a license, and decisions in words, for the tests of what follows from a verdict. */
import type { License } from '../../../../formats/license/license.ts';
import type { SoftwareKey } from '../../../../keys/private/software/software-key.ts';
import {
  contextOf,
  type Decision,
  type Examined,
  type Judged,
  type Situation,
} from '../../../../verifier/runtime/judge.ts';
import { NO_TIME } from '../../../../verifier/runtime/effective-time.ts';
import type { Notice } from '../../../../verifier/runtime/index.ts';
import { EMPTY_STATE, stateAfter, type RuntimeState } from '../../../../verifier/runtime/state.ts';
import { makeTrust, type Trust, type TrustValues } from '../../../../verifier/trust.ts';
import type { Accepted } from '../../../../verifier/verdict.ts';
import { verify } from '../../../../verifier/verify.ts';
import { compositeKey, ed25519Key, EXP, IAT, licenseFile, NBF, strangeKey, trusted } from '../sample.ts';
import { DAY } from './product.ts';

export const NOTHING: Decision = { notices: [] };
const both = [trusted(compositeKey), trusted(ed25519Key)];
export const trustWith = (changes: Partial<TrustValues> = {}): Trust => makeTrust({ keys: both, ...changes });
export const TRUST: Trust = trustWith();
export const REVOKED: Trust = trustWith({ keys: [trusted(compositeKey), trusted(ed25519Key, { status: 'revoked' })] });
export const ED25519_REVOKED: string = `the key ${ed25519Key.publicKey.kid} is revoked, and this license is not among those still honored`;

export function at(clock: number, state: RuntimeState = EMPTY_STATE, changes: Partial<Situation> = {}): Situation {
  const product = { issuer: 'example-vendor', product: 'vaultdesk', defaultGrace: 0 };
  return { state, trust: TRUST, counts: () => true, product, clock, elapsed: 0, ...changes };
}

export function accepted(file: Uint8Array, situation: Situation): Accepted {
  const verdict = verify(file, situation.trust, contextOf(situation));
  if (!verdict.ok) throw new Error(verdict.detail);
  return verdict;
}

export const examined = (file: Uint8Array, situation: Situation, from: Examined['from'] = 'file'): Examined => ({
  accepted: accepted(file, situation),
  file,
  from,
});

/** The state after a license came into force, at a time at which it is. */
export function stateWith(file: Uint8Array, clock: number, before: RuntimeState = EMPTY_STATE): RuntimeState {
  return stateAfter(before, accepted(file, at(clock, before)), file);
}

export const said = ({ code, detail }: Notice): string => `${code}: ${detail}`;
export const which = ({ accepted: { license, state }, from }: Examined): string => `${license.ctr} ${from} ${state}`;

/** A decision in words, with each member that it has. */
export function told(decision: Decision | Judged): unknown {
  const shown = (value: Decision[keyof Decision]): unknown => {
    if (value === undefined) return undefined;
    if ('accepted' in value) return which(value);
    return 'code' in value ? said(value) : value.map(said);
  };
  const members = Object.entries(decision) as [string, Decision[keyof Decision]][];
  return Object.fromEntries(members.map(([name, value]) => [name, shown(value)]));
}

export const WAITS: string = 'renewal_waits: it comes into force at 2027-12-01T00:00:00Z';
export const NOT_YET: string = 'not_yet_valid: it is in force from 2027-12-01T00:00:00Z';
export const LAPSED: string = 'lapsed: it was in force until 2028-01-01T00:00:00Z';
export const SERVES: string = 'kept_license_serves: the license with the counter 7 is in force';
export const KEPT_LAPSED: string = 'kept_license_unusable: lapsed: it was in force until 2028-01-01T00:00:00Z';
export const RENEWAL_NBF: number = EXP - 31 * DAY;
export const AHEAD: string = 'clock_ahead: the clock shows 2027-06-01T00:00:00Z';
export const JUNE: number = 1_811_808_000;

export const made = (changes: Partial<License>, key: SoftwareKey = ed25519Key): Promise<Uint8Array> =>
  licenseFile({ grace: 0, ...changes }, key);
export const first: Uint8Array = await made({});
/** In force from a month before the first one ends. */
export const renewal: Uint8Array = await made({ ctr: 8, iat: IAT + 1, nbf: RENEWAL_NBF, exp: EXP + 365 * DAY });
export const inGrace: Uint8Array = await made({ grace: 10 * DAY });
export const older: Uint8Array = await made({ ctr: 6 });
export const strange: Uint8Array = await made({}, strangeKey);
export const composite: Uint8Array = await made({ ctr: 9, iat: IAT + 2 }, compositeKey);

/** Marks of time so far behind the clock that an operator should know. */
export const behind = (state: RuntimeState): RuntimeState => ({ ...state, time: { ...NO_TIME, floor: NBF } });
