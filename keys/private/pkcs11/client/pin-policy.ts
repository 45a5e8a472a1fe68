/**
 * When a PIN may be shown to a token, and what its answer means. No PIN passes through here.
 *
 * The flags are read before every login: a token counts wrong PINs for ever, over all runs and programs.
 */
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError } from '../../../../formats/error.ts';
import {
  CKF_LOGIN_REQUIRED,
  CKF_PROTECTED_AUTHENTICATION_PATH,
  CKF_TOKEN_INITIALIZED,
  CKF_USER_PIN_FINAL_TRY,
  CKF_USER_PIN_INITIALIZED,
  CKF_USER_PIN_LOCKED,
  CKF_USER_PIN_TO_BE_CHANGED,
} from '../shared/constants.ts';
import { returnCodeInWords, returnCodeName } from '../shared/return-codes.ts';
import type { TokenDescription } from '../shared/token-description.ts';

/** How the login is to be made. */
export type LoginWay = 'none-needed' | 'pin' | 'pad';

/**
 * Judges a token's flags before a login.
 *
 * @param lastTrySerial the serial that the officer typed, by which the last try may be used on this one token
 * @throws VtlicError `token_not_found` for a token that is not initialized, `pin_refused` where no user PIN is set or
 *   it must be changed, `pin_locked`, `pin_last_try`
 */
export function judgeLogin(token: TokenDescription, lastTrySerial: string | undefined): LoginWay {
  const { flags } = token;
  const name = describeToken(token);
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if (!has(CKF_TOKEN_INITIALIZED)) {
    throw new VtlicError('token_not_found', `the token ${name} is not initialized`, {
      hint: "initialize it with its maker's tool, then set a user PIN",
    });
  }
  if (!has(CKF_LOGIN_REQUIRED)) return 'none-needed';
  if (!has(CKF_USER_PIN_INITIALIZED)) {
    throw new VtlicError('pin_refused', `the token ${name} has no user PIN yet`, {
      hint: "set one with its maker's tool, as its security officer",
    });
  }
  if (has(CKF_USER_PIN_LOCKED)) {
    throw new VtlicError('pin_locked', `the user PIN of the token ${name} is locked`, {
      hint: "its security officer can unlock it with the maker's tool",
    });
  }
  if (has(CKF_USER_PIN_FINAL_TRY) && lastTrySerial !== token.serial) {
    const given =
      lastTrySerial === undefined ? '' : `, and the serial given, ${cleanText(lastTrySerial)}, is not this token's`;
    throw new VtlicError('pin_last_try', `the token ${name} has one try of its user PIN left${given}`, {
      hint: `when you are sure of the PIN, give the token's serial: --last-try ${cleanText(token.serial)}`,
    });
  }
  if (has(CKF_USER_PIN_TO_BE_CHANGED)) {
    throw new VtlicError('pin_refused', `the token ${name} wants its user PIN changed before anything else`, {
      hint: "change it with the maker's tool",
    });
  }
  return has(CKF_PROTECTED_AUTHENTICATION_PATH) ? 'pad' : 'pin';
}

/**
 * A PIN that cannot be right is not shown: it would cost a try. Limits of 0 or "unknown" say nothing.
 *
 * @throws VtlicError `pin_refused`
 */
export function judgePinShape(pin: Uint8Array, token: TokenDescription): void {
  const name = describeToken(token);
  const fault = pinFault(pin, token);
  if (fault === undefined) return;
  throw new VtlicError('pin_refused', `the PIN for the token ${name} ${fault}; it was not shown to the token`, {
    hint: 'run again and enter the PIN with care',
  });
}

const UNKNOWN_LENGTH = 0xffff;

function pinFault(pin: Uint8Array, token: TokenDescription): string | undefined {
  if (pin.length === 0) return 'is empty';
  if (pin.includes(0)) return 'has a NUL byte';
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(pin);
  } catch {
    return 'is not UTF-8 text';
  }
  if (token.minPinLength < UNKNOWN_LENGTH && pin.length < token.minPinLength)
    return `is shorter than the ${token.minPinLength} bytes that this token wants at least`;
  if (token.maxPinLength > 0 && token.maxPinLength < UNKNOWN_LENGTH && pin.length > token.maxPinLength)
    return `is longer than the ${token.maxPinLength} bytes that this token takes`;
  return undefined;
}

/**
 * What a login's return code means. Called only for codes other than CKR_OK.
 *
 * @param after the token's flags read again after the refusal; undefined where they could not be read
 */
export function explainLoginRefusal(rv: number, token: TokenDescription, after: number | undefined): VtlicError {
  const name = describeToken(token);
  const left = triesLeft(after);
  switch (returnCodeName(rv)) {
    case 'CKR_PIN_INCORRECT':
    case 'CKR_PIN_INVALID':
    case 'CKR_PIN_LEN_RANGE':
      return new VtlicError(
        'pin_refused',
        `the token ${name} refused the PIN (C_Login, ${returnCodeInWords(rv)})${left}`,
        {
          hint: 'nothing was signed; be sure of the PIN before you run again',
        },
      );
    case 'CKR_PIN_LOCKED':
      return new VtlicError(
        'pin_locked',
        `the user PIN of the token ${name} is locked (C_Login, ${returnCodeInWords(rv)})`,
        {
          hint: "its security officer can unlock it with the maker's tool",
        },
      );
    case 'CKR_PIN_EXPIRED':
    case 'CKR_USER_PIN_NOT_INITIALIZED':
      return new VtlicError('pin_refused', `the token ${name} allows no login (C_Login, ${returnCodeInWords(rv)})`, {
        hint: "set a new user PIN with the maker's tool",
      });
    case 'CKR_CANCEL':
    case 'CKR_FUNCTION_CANCELED':
    case 'CKR_FUNCTION_REJECTED':
      return new VtlicError(
        'pin_refused',
        `the login to the token ${name} was canceled (C_Login, ${returnCodeInWords(rv)})`,
        { hint: 'nothing was signed; run again' },
      );
    default:
      return new VtlicError(
        'signing_failed',
        `the login to the token ${name} failed (C_Login, ${returnCodeInWords(rv)})${left}`,
        {
          hint: 'nothing was signed; see `vtlic hsm doctor` before you enter the PIN again',
        },
      );
  }
}

function triesLeft(flags: number | undefined): string {
  if (flags === undefined) return '';
  if ((flags & CKF_USER_PIN_LOCKED) !== 0) return ': it is locked now';
  return (flags & CKF_USER_PIN_FINAL_TRY) === 0 ? '' : ': one try is left';
}

/** "vtlic-hsm" (serial 3f2a…), cleaned: how a token is named in messages. */
export function describeToken(token: TokenDescription): string {
  return `"${cleanText(token.label, 32)}" (serial ${cleanText(token.serial, 16)})`;
}
