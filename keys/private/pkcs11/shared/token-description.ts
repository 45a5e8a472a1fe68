/** What a module says of itself, its slots and tokens. Texts come trimmed of their padding and are not yet cleaned. */
import {
  CKF_ERROR_STATE,
  CKF_LOGIN_REQUIRED,
  CKF_PROTECTED_AUTHENTICATION_PATH,
  CKF_RNG,
  CKF_SO_PIN_COUNT_LOW,
  CKF_SO_PIN_FINAL_TRY,
  CKF_SO_PIN_LOCKED,
  CKF_SO_PIN_TO_BE_CHANGED,
  CKF_TOKEN_INITIALIZED,
  CKF_USER_PIN_COUNT_LOW,
  CKF_USER_PIN_FINAL_TRY,
  CKF_USER_PIN_INITIALIZED,
  CKF_USER_PIN_LOCKED,
  CKF_USER_PIN_TO_BE_CHANGED,
  CKF_WRITE_PROTECTED,
} from './constants.ts';

/** "2.40": major and minor as PKCS#11 writes them. */
export interface ModuleDescription {
  readonly cryptokiVersion: string;
  readonly manufacturer: string;
  readonly description: string;
  readonly libraryVersion: string;
}

export interface TokenDescription {
  readonly label: string;
  readonly manufacturer: string;
  readonly model: string;
  /** Empty where the token has none. */
  readonly serial: string;
  /** CK_SLOT_INFO.slotDescription of the slot that it is in. */
  readonly slotDescription: string;
  /** CK_TOKEN_INFO.flags */
  readonly flags: number;
  readonly minPinLength: number;
  readonly maxPinLength: number;
  readonly hardwareVersion: string;
  readonly firmwareVersion: string;
}

export interface SlotDescription {
  /** CK_SLOT_ID: valid for this process only, never stored. */
  readonly slotId: number;
  readonly description: string;
  readonly manufacturer: string;
  /** Absent if the slot contains no token that the module can read; then `fault` says why. */
  readonly token?: TokenDescription;
  /** The call and its return code in words. */
  readonly fault?: string;
}

export interface MechanismDescription {
  readonly type: number;
  /** CK_MECHANISM_INFO.flags; absent if the token lists the mechanism but gives no information about it. */
  readonly flags?: number;
}

const FLAG_WORDS: readonly (readonly [flag: number, whenSet: string | undefined, whenClear: string | undefined])[] = [
  [CKF_TOKEN_INITIALIZED, undefined, 'not initialized'],
  [CKF_USER_PIN_INITIALIZED, undefined, 'no user PIN set'],
  [CKF_LOGIN_REQUIRED, undefined, 'no login needed'],
  [CKF_PROTECTED_AUTHENTICATION_PATH, 'the PIN is entered on its own pad', undefined],
  [CKF_USER_PIN_LOCKED, 'user PIN locked', undefined],
  [CKF_USER_PIN_FINAL_TRY, 'last try of the user PIN', undefined],
  [CKF_USER_PIN_COUNT_LOW, 'a wrong user PIN was entered since the last right one', undefined],
  [CKF_USER_PIN_TO_BE_CHANGED, 'user PIN must be changed', undefined],
  [CKF_SO_PIN_LOCKED, 'security officer PIN locked', undefined],
  [CKF_SO_PIN_FINAL_TRY, 'last try of the security officer PIN', undefined],
  [CKF_SO_PIN_COUNT_LOW, 'a wrong security officer PIN was entered since the last right one', undefined],
  [CKF_SO_PIN_TO_BE_CHANGED, 'security officer PIN must be changed', undefined],
  [CKF_WRITE_PROTECTED, 'write-protected', undefined],
  [CKF_RNG, undefined, 'no random source'],
  [CKF_ERROR_STATE, 'in its error state', undefined],
];

/** The flags that an officer should know of, in plain words; empty for a token that is ready. */
export function tokenFlagsInWords(flags: number): readonly string[] {
  const words: string[] = [];
  for (const [flag, whenSet, whenClear] of FLAG_WORDS) {
    const text = (flags & flag) === 0 ? whenClear : whenSet;
    if (text !== undefined) words.push(text);
  }
  return words;
}
