/** What a token can do for this toolkit, by its profile and its mechanisms: known before any PIN is asked for. */
import type { Algorithm } from '../../../../formats/cose-algorithm.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { CKF_GENERATE_KEY_PAIR, CKF_SIGN, CKM_AES_GCM } from '../shared/constants.ts';
import type { Component, NewKeyName } from '../shared/host-protocol.ts';
import { describeToken } from './pin-policy.ts';
import type { OpenedToken } from './token-options.ts';

export const COMPONENT_WORDS: Readonly<Record<Component, string>> = { ed25519: 'Ed25519', mldsa65: 'ML-DSA-65' };

/**
 * True if the profile has the numbers of the component, and the token lists its mechanisms. A mechanism that the token
 * lists without flags counts as usable.
 */
export function hasComponent({ profile, mechanisms }: OpenedToken, component: Component): boolean {
  const numbers = profile[component];
  if (numbers === undefined) return false;
  const can = (type: number, flag: number): boolean =>
    mechanisms.some((mechanism) => mechanism.type === type && ((mechanism.flags ?? flag) & flag) !== 0);
  const generates = profile.generation === 'other-role' || can(numbers.keyPairGen, CKF_GENERATE_KEY_PAIR);
  return generates && can(numbers.sign, CKF_SIGN);
}

/** True if the token can encrypt an ML-DSA seed, as `hsm-wrapped` custody of a composite key needs. */
export function canWrap({ profile, mechanisms }: OpenedToken): boolean {
  return profile.wrapping !== 'none' && mechanisms.some(({ type }) => type === CKM_AES_GCM);
}

/** A key whose components one token should make. */
export interface WantedKey {
  readonly label: string;
  readonly alg: Algorithm;
  readonly custody?: 'hsm' | 'hsm-wrapped';
}

/**
 * @throws VtlicError `usage` for a name that the token cannot take, `configuration_invalid` for a key that it cannot
 * make
 */
export function checkNewKey(opened: OpenedToken, { label, alg, custody = 'hsm' }: WantedKey): void {
  checkNewComponent(opened, 'ed25519', label);
  if (alg === 'ed25519') {
    if (custody === 'hsm') return;
    throw new VtlicError(
      'configuration_invalid',
      'hsm-wrapped custody is for composite keys: the token itself stores an Ed25519 key',
      { hint: 'leave the custody out' },
    );
  }
  if (custody === 'hsm') checkNewComponent(opened, 'mldsa65', label);
  else if (!canWrap(opened))
    throw new VtlicError(
      'configuration_invalid',
      `${nameOf(opened)} cannot encrypt an ML-DSA seed: it has no AES-GCM that this toolkit can use`,
      { hint: 'keep the ML-DSA component in another token: --ml-dsa-keystore KEYSTORE' },
    );
}

/** The same for one component of a split key. */
export function checkNewComponent(opened: OpenedToken, component: Component, label: string): void {
  const { profile } = opened;
  const bytes = Buffer.byteLength(label);
  if (bytes === 0 || bytes > profile.maxLabelBytes)
    throw new VtlicError(
      'usage',
      `a key name for ${profile.name} should have 1 to ${profile.maxLabelBytes} bytes, but has ${bytes}`,
      { hint: 'give the key another name: --name NAME' },
    );
  if (!hasComponent(opened, component)) throw unable(opened, component);
  if (profile.generation === 'other-role')
    throw new VtlicError(
      'configuration_invalid',
      `${nameOf(opened)} makes no keys for the user that this toolkit logs in as`,
      { hint: "make the key with the maker's tool, then: vtlic key adopt --name NAME --keystore KEYSTORE --id HEX" },
    );
}

/** @throws VtlicError `usage` for an id that the token would cut short */
export function checkNewName({ profile }: OpenedToken, { id }: NewKeyName): void {
  if (id.length > 0 && id.length <= profile.maxIdBytes) return;
  throw new VtlicError(
    'usage',
    `a key id for ${profile.name} should have 1 to ${profile.maxIdBytes} bytes, but has ${id.length}`,
  );
}

function unable(opened: OpenedToken, component: Component): VtlicError {
  const split = 'keep the ML-DSA component in another token: --ml-dsa-keystore KEYSTORE';
  const hint =
    component === 'ed25519'
      ? 'take another token; its mechanisms are judged by: vtlic hsm doctor KEYSTORE'
      : canWrap(opened)
        ? `ask for hsm-wrapped custody: --wrapped, or ${split}`
        : split;
  return new VtlicError(
    'configuration_invalid',
    `${nameOf(opened)} has no ${COMPONENT_WORDS[component]} keys that this toolkit can use`,
    { hint },
  );
}

function nameOf({ token, profile }: OpenedToken): string {
  return `the token ${describeToken(token)} (${profile.name})`;
}
