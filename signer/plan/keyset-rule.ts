/**
 * Checks that a key may sign a license: by the newest published keyset its status is active (not pre-published, retired
 * or revoked), its dates include today, and its scope includes the license (docs/keysets.md). A site without a
 * published keyset has no such rule.
 */
import { decodeCoseSign } from '../../formats/cose-sign.ts';
import { TYP } from '../../formats/cose-sign1.ts';
import { formatDay } from '../../formats/dates.ts';
import { VtlicError } from '../../formats/error.ts';
import { decodeKeyset } from '../../formats/keyset/decode-keyset.ts';
import type { IssuingKey, Keyset } from '../../formats/keyset/keyset.ts';
import type { License } from '../../formats/license/license.ts';
import { kidOf } from '../../keys/public/public-key.ts';
import type { LedgerView } from '../ledger/index.ts';

/** A run that signs has the ledger for itself, and publishes nothing: the keyset is read once. */
const read = new WeakMap<LedgerView, Keyset | 'none'>();

function newestKeyset(ledger: LedgerView): Keyset | 'none' {
  const known = read.get(ledger);
  if (known !== undefined) return known;
  const body = ledger
    .adminEntries()
    .flatMap((entry) => (entry.kind === 'adopt' && entry.body.act === 'keyset' ? [entry.body] : []))
    .at(-1);
  const keyset = body === undefined ? 'none' : decodeKeyset(decodeCoseSign(body.document, TYP.keyset).payload);
  read.set(ledger, keyset);
  return keyset;
}

/** A plan for an emergency, which names its key when it is made, perhaps long before it is signed. */
export interface EmergencyKey {
  /** It is made ahead: a spare may sign it by then. On the day it is judged again. */
  readonly isAhead: boolean;
}

/**
 * @param now seconds since 1970
 * @throws VtlicError `policy_refused` for a license that this key may not sign now
 */
export function requireKeyInForce(
  ledger: LedgerView,
  kid: string,
  license: Pick<License, 'aud' | 'tier'>,
  now: number,
  emergency?: EmergencyKey,
): void {
  const keyset = newestKeyset(ledger);
  if (keyset === 'none') return;
  const key = keyset.keys.find(({ alg, publicBytes }) => kidOf(alg, publicBytes) === kid);
  const asOnTheDay = key?.status === 'pre-published' && emergency?.isAhead === true;
  const judged = key === undefined || !asOnTheDay ? key : { ...key, status: 'active' as const };
  const fault = judged === undefined ? UNKNOWN : (faultOf(judged, license, now) ?? policyFault(judged, keyset, now));
  if (fault === undefined) return;
  throw new VtlicError(
    'policy_refused',
    `version ${keyset.version} of the keyset does not let the key ${kid} sign this license: the key ${fault}`,
    {
      hint:
        emergency === undefined || emergency.isAhead
          ? 'sign with an active key (--key NAME), see: vtlic rotation status'
          : 'sign another emergency plan, with an active key; if there is none, plan anew, and have it reviewed: ' +
            'vtlic issue REQUEST --emergency --dry-run --key NAME',
    },
  );
}

/** Seconds since 1970: from when on no license with only an Ed25519 signature is in force; absent for never. */
export function ed25519End(ledger: LedgerView): Pick<Keyset, 'ed25519Until'> {
  const keyset = newestKeyset(ledger);
  return keyset === 'none' || keyset.ed25519Until === undefined ? {} : { ed25519Until: keyset.ed25519Until };
}

const UNKNOWN = 'is not in this version, so every product that has it would refuse the license';

function faultOf(key: IssuingKey, { aud, tier }: Pick<License, 'aud' | 'tier'>, now: number): string | undefined {
  const { status, purpose, products, tiers, from, until } = key;
  if (purpose !== 'license') return `has the purpose ${purpose}`;
  if (status !== 'active') return `is ${status}, and only active keys sign`;
  if (from !== undefined && now < from) return `signs only from ${formatDay(from)} on`;
  if (until !== undefined && now >= until) return `signed only until ${formatDay(until)}`;
  if (products !== undefined && !products.includes(aud)) return `is for ${products.join(', ')}, and not for ${aud}`;
  if (tiers !== undefined && !tiers.includes(tier)) return `is for the tiers ${tiers.join(', ')}, and not for ${tier}`;
  return undefined;
}

/** A license that no product with the keyset would take any more. */
function policyFault({ alg }: IssuingKey, { requireComposite, ed25519Until }: Keyset, now: number): string | undefined {
  if (alg !== 'ed25519') return undefined;
  if (requireComposite) return 'is Ed25519, and the policy requires composite';
  if (ed25519Until === undefined || now < ed25519Until) return undefined;
  return `is Ed25519, and by the policy its licenses are invalid from ${formatDay(ed25519Until)} on`;
}
