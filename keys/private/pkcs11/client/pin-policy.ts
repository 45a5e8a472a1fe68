/**
 * The PIN policy: whether a login to a token may use one of the tries of its PIN, and what the answer of the token
 * means to the officer. Only `judgePinShape` and `readPinSource` see a PIN, and neither keeps it.
 *
 * The flags of the token are read before every login, because a token counts wrong PINs over all runs and programs.
 */
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { MAX_SECRET_BYTES, readSecretLine } from '../../../../files/index.ts';
import { isUtf8 } from 'node:buffer';
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
 * @param lastTrySerial what the officer typed, by which the last try may be used on this one token: `lastTryName`
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
  const tryName = lastTryName(token);
  if (has(CKF_USER_PIN_FINAL_TRY) && (tryName === '' || lastTrySerial !== tryName)) {
    const given =
      lastTrySerial === undefined ? '' : `, and "${cleanText(lastTrySerial)}" is not the name of this token`;
    throw new VtlicError('pin_last_try', `the token ${name} has one try of its user PIN left${given}`, {
      hint:
        tryName === ''
          ? "log in once with the right PIN, with the maker's tool: this token has no name by which you could allow it"
          : `when you are sure of the PIN, name the token: --last-try ${quotedName(tryName)}`,
    });
  }
  if (has(CKF_USER_PIN_TO_BE_CHANGED)) {
    throw new VtlicError('pin_refused', `the token ${name} requires a change of its user PIN before anything else`, {
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
  const fault = pinFault(pin, token);
  if (fault === undefined) return;
  const [what, hint] = fault;
  throw new VtlicError(
    'pin_refused',
    `the PIN for the token ${describeToken(token)} ${what}; it was not sent to the token`,
    { hint },
  );
}

const UNKNOWN_LENGTH = 0xffff;
const WITH_CARE = 'run again and enter the PIN with care';
const BYTE_ORDER_MARK: readonly number[] = [0xef, 0xbb, 0xbf];

/** The fault, which follows the words "the PIN for the token …" in a message, and the hint. */
function pinFault(pin: Uint8Array, token: TokenDescription): readonly [what: string, hint: string] | undefined {
  if (pin.length === 0) return ['is empty', WITH_CARE];
  if (BYTE_ORDER_MARK.every((byte, i) => pin[i] === byte))
    return ['begins with a byte order mark', 'save the file with the PIN as UTF-8 without a byte order mark'];
  if (pin.includes(0)) return ['has a NUL byte', WITH_CARE];
  if (!isUtf8(pin)) return ['is not UTF-8 text', 'save the file with the PIN as UTF-8, or enter the PIN with care'];
  if (hasControl(pin)) return ['has a control character, of an arrow key or a tabulator for example', WITH_CARE];
  const { minPinLength, maxPinLength } = token;
  if (minPinLength < UNKNOWN_LENGTH && pin.length < minPinLength)
    return [`is shorter than the ${minPinLength} bytes that this token wants at least`, WITH_CARE];
  if (maxPinLength > 0 && maxPinLength < UNKNOWN_LENGTH && pin.length > maxPinLength)
    return [`is longer than the ${maxPinLength} bytes that this token takes`, WITH_CARE];
  return undefined;
}

/** C0, DEL, and C1 as UTF-8 encodes it. */
function hasControl(pin: Uint8Array): boolean {
  return pin.some((byte, i) => byte < 0x20 || byte === 0x7f || (byte === 0xc2 && (pin[i + 1] ?? 0xff) < 0xa0));
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
    case 'CKR_USER_ALREADY_LOGGED_IN':
    case 'CKR_USER_ANOTHER_ALREADY_LOGGED_IN':
    case 'CKR_USER_TOO_MANY_TYPES':
      return new VtlicError(
        'signing_failed',
        `another program is logged in to the token ${name} (C_Login, ${returnCodeInWords(rv)})`,
        { hint: 'end that program, or unplug the token and plug it in again; then run again: no PIN was checked' },
      );
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
          hint: 'nothing was signed; before you enter the PIN again see: vtlic hsm list',
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
export function describeToken({ label, serial, slotDescription }: TokenDescription): string {
  const slot = slotDescription === '' ? '' : `, slot "${cleanText(slotDescription, 64)}"`;
  const which = serial === '' ? `no serial number${slot}` : `serial ${cleanText(serial, 16)}`;
  return `"${cleanText(label, 32)}" (${which})`;
}

/**
 * The name that an officer types to allow a token's last try: its serial, or its label and slot if it has no serial.
 */
export function lastTryName({ label, serial, slotDescription }: TokenDescription): string {
  if (serial !== '') return cleanText(serial, 16);
  const slot = slotDescription === '' ? '' : ` in ${cleanText(slotDescription, 64)}`;
  return `${cleanText(label, 32)}${slot}`;
}

function quotedName(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}

/**
 * A PIN from the file of `pin-source=file:` (RFC 7512): its first line.
 *
 * @returns the bytes of the first line without its end; the caller wipes them
 * @throws VtlicError `configuration_invalid` for a file that cannot be read, that other users can read or write, or
 *   without a PIN
 */
export async function readPinSource(path: string): Promise<Uint8Array> {
  const fault = (what: string, hint: string, cause?: unknown): VtlicError =>
    new VtlicError('configuration_invalid', `the PIN file ${cleanText(path)} of pin-source ${what}`, {
      field: 'pin-source',
      hint,
      ...(cause === undefined ? {} : { cause }),
    });
  const line = await readSecretLine(path, { pipes: false }).catch((cause: unknown) => {
    throw fault('cannot be read', 'correct pin-source in the PKCS#11 URI, or remove it to be asked for the PIN', cause);
  });
  if (line.ok) return line.bytes;
  switch (line.fault) {
    case 'open to others':
      throw fault('can be read or changed by other users', `run: chmod 600 ${cleanText(path)}`);
    case 'too long':
      throw fault(`has a first line of more than ${MAX_SECRET_BYTES} bytes`, 'put only the PIN into it');
    case 'empty':
      throw fault('begins with an empty line', 'put only the PIN into it');
    default:
      throw fault('is not a file', 'correct pin-source in the PKCS#11 URI');
  }
}
