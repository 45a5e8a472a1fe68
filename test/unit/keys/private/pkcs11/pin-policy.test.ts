import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../../../formats/bytes.ts';
import { VtlicError } from '../../../../../formats/error.ts';
import {
  explainLoginRefusal,
  judgeLogin,
  judgePinShape,
  lastTryName,
} from '../../../../../keys/private/pkcs11/client/pin-policy.ts';
import { returnCodeNames, returnCodeOf } from '../../../../../keys/private/pkcs11/shared/return-codes.ts';
import { tokenFlagsInWords } from '../../../../../keys/private/pkcs11/shared/token-description.ts';
import { thrown } from '../../../../support/thrown.ts';

const CKR_PIN_INCORRECT = 0xa0;
const CKR_VENDOR_DEFINED = 0x80000000;

/** Flags of CK_TOKEN_INFO, written out again from the standard (PKCS #11 3.1, section 3.2). */
const CKF_RNG = 0x1;
const CKF_LOGIN_REQUIRED = 0x4;
const CKF_USER_PIN_INITIALIZED = 0x8;
const CKF_PROTECTED_AUTHENTICATION_PATH = 0x100;
const CKF_TOKEN_INITIALIZED = 0x400;
const CKF_USER_PIN_COUNT_LOW = 0x10000;
const CKF_USER_PIN_FINAL_TRY = 0x20000;
const CKF_USER_PIN_LOCKED = 0x40000;
const CKF_USER_PIN_TO_BE_CHANGED = 0x80000;
const READY = CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED;

const token = (flags: number, more: { minPinLength?: number; maxPinLength?: number; label?: string } = {}) => ({
  label: 'T',
  manufacturer: 'M',
  model: 'X',
  serial: '5f3a',
  slotDescription: 'S',
  flags,
  minPinLength: 4,
  maxPinLength: 8,
  hardwareVersion: '1.0',
  firmwareVersion: '1.0',
  ...more,
});

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof VtlicError) return error.code;
    throw error;
  }
  return 'none';
}

describe('before a login', () => {
  it.each([
    [READY, 'pin'],
    [READY | CKF_PROTECTED_AUTHENTICATION_PATH, 'pad'],
    [CKF_TOKEN_INITIALIZED, 'none-needed'],
    [READY | CKF_USER_PIN_COUNT_LOW, 'pin'],
  ])('flags 0x%x allow a login by %s', (flags, way) => {
    expect(judgeLogin(token(flags), undefined)).toBe(way);
  });

  it.each([
    [CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED, 'token_not_found'],
    [CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED, 'pin_refused'],
    [READY | CKF_USER_PIN_LOCKED, 'pin_locked'],
    [READY | CKF_USER_PIN_FINAL_TRY, 'pin_last_try'],
    [READY | CKF_USER_PIN_TO_BE_CHANGED, 'pin_refused'],
    // Locked says more than the last try, and no serial opens it.
    [READY | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED, 'pin_locked'],
  ])('flags 0x%x are refused as %s', (flags, code) => {
    expect(codeOf(() => judgeLogin(token(flags), undefined))).toBe(code);
  });

  it('uses the last try for the serial that was typed, and for no other', () => {
    expect(judgeLogin(token(READY | CKF_USER_PIN_FINAL_TRY), '5f3a')).toBe('pin');
    expect(codeOf(() => judgeLogin(token(READY | CKF_USER_PIN_FINAL_TRY), '5f3b'))).toBe('pin_last_try');
    expect(codeOf(() => judgeLogin(token(READY | CKF_USER_PIN_LOCKED), '5f3a'))).toBe('pin_locked');
  });

  it('cleans what the token calls itself', () => {
    expect(() => judgeLogin(token(READY | CKF_USER_PIN_LOCKED, { label: '\u001b[2Jevil' }), undefined)).toThrow(
      '\\u{001B}[2Jevil',
    );
  });
});

describe('a PIN that cannot be right is not shown', () => {
  it.each([
    ['', 'is empty'],
    ['123', 'shorter than the 4 bytes'],
    ['123456789', 'longer than the 8 bytes'],
    ['12\u000034', 'NUL'],
  ])('%j', (pin, words) => {
    expect(() => judgePinShape(utf8(pin), token(READY))).toThrow(words);
    expect(codeOf(() => judgePinShape(utf8(pin), token(READY)))).toBe('pin_refused');
  });

  it('refuses bytes that are no UTF-8, of which the binding would make another PIN', () => {
    expect(() => judgePinShape(Uint8Array.of(0x31, 0x32, 0xff, 0x33), token(READY))).toThrow('not UTF-8');
  });

  it.each([
    ['a byte order mark before it', Uint8Array.of(0xef, 0xbb, 0xbf, 0x31, 0x32, 0x33, 0x34), 'byte order mark'],
    ['nothing but a byte order mark', Uint8Array.of(0xef, 0xbb, 0xbf), 'byte order mark'],
    ['an arrow key in it', utf8('0000\u001b[D1234'), 'control character'],
    ['the marks of a paste', utf8('\u001b[200~1234\u001b[201~'), 'control character'],
    ['a tabulator', utf8('12\t34'), 'control character'],
    ['a C1 control character', utf8('1234\u0085'), 'control character'],
    ['DEL', utf8('1234\u007f'), 'control character'],
  ])('does not show a PIN with %s', (_, pin, words) => {
    expect(() => judgePinShape(pin, token(READY, { maxPinLength: 64 }))).toThrow(words);
  });

  it('takes a PIN with letters of any language', () => {
    expect(codeOf(() => judgePinShape(utf8('pässwörd ²'), token(READY, { maxPinLength: 64 })))).toBe('none');
  });

  it('does not believe limits that say nothing', () => {
    expect(
      codeOf(() => judgePinShape(utf8('1'.repeat(100)), token(READY, { minPinLength: 2 ** 53, maxPinLength: 0 }))),
    ).toBe('none');
  });

  it('never repeats the PIN', () => {
    for (const pin of ['777', '777777777777']) {
      try {
        judgePinShape(utf8(pin), token(READY));
        expect.unreachable();
      } catch (error) {
        expect(`${String(error)} ${String((error as VtlicError).hint)}`).not.toContain('777');
      }
    }
  });
});

describe('a token without a serial number', () => {
  const nameless = { ...token(READY | CKF_USER_PIN_FINAL_TRY), serial: '', slotDescription: 'Linux' };

  it('is named by label and slot, in its hint too', () => {
    const error = thrown(() => judgeLogin(nameless, undefined));
    expect(error.message).toContain('"T" (no serial number, slot "Linux")');
    expect(error.hint).toContain("--last-try 'T in Linux'");
  });

  it('uses the last try only when the officer types that name', () => {
    expect(judgeLogin(nameless, lastTryName(nameless))).toBe('pin');
    for (const typed of ['', 'T', 'Linux']) expect(codeOf(() => judgeLogin(nameless, typed))).toBe('pin_last_try');
  });

  it('a token without a serial number, label or slot has no last try used', () => {
    const unnamed = { ...nameless, label: '', slotDescription: '' };
    const error = thrown(() => judgeLogin(unnamed, ''));
    expect(error.code).toBe('pin_last_try');
    expect(error.hint).not.toContain('--last-try');
  });
});

describe('what a refused login means', () => {
  it.each(['CKR_USER_ALREADY_LOGGED_IN', 'CKR_USER_ANOTHER_ALREADY_LOGGED_IN'])(
    '%s is the login of another program, and no refusal of the PIN',
    (name) => {
      const error = explainLoginRefusal(returnCodeOf(name), token(READY), undefined);
      expect(error.code).toBe('signing_failed');
      expect(error.message).toContain('another program is logged in');
    },
  );

  it.each([
    ['CKR_PIN_INCORRECT', 'pin_refused'],
    ['CKR_PIN_LEN_RANGE', 'pin_refused'],
    ['CKR_PIN_LOCKED', 'pin_locked'],
    ['CKR_PIN_EXPIRED', 'pin_refused'],
    ['CKR_FUNCTION_CANCELED', 'pin_refused'],
    ['CKR_DEVICE_REMOVED', 'signing_failed'],
    ['CKR_GENERAL_ERROR', 'signing_failed'],
  ])('%s is %s', (name, code) => {
    const error = explainLoginRefusal(returnCodeOf(name), token(READY), undefined);
    expect(error.code).toBe(code);
    expect(error.message).toContain(name);
    expect(error.message).toContain('C_Login');
  });

  it('tells what is left', () => {
    expect(explainLoginRefusal(CKR_PIN_INCORRECT, token(READY), READY | CKF_USER_PIN_FINAL_TRY).message).toContain(
      'one try is left',
    );
    expect(explainLoginRefusal(CKR_PIN_INCORRECT, token(READY), READY | CKF_USER_PIN_LOCKED).message).toContain(
      'it is locked now',
    );
  });

  it('has a sentence and a next step for every return code', () => {
    for (const name of returnCodeNames()) {
      const error = explainLoginRefusal(returnCodeOf(name), token(READY), READY);
      expect(error.message).toContain(name);
      expect(error.hint).toBeDefined();
    }
    expect(explainLoginRefusal(CKR_VENDOR_DEFINED + 1, token(READY), READY).message).toContain("the token's maker");
  });
});

describe('flags in plain words', () => {
  it('says nothing about a token that is ready', () => {
    expect(tokenFlagsInWords(READY | CKF_RNG)).toEqual([]);
  });
  it('says what an officer should know', () => {
    expect(tokenFlagsInWords(CKF_USER_PIN_FINAL_TRY | CKF_RNG | CKF_LOGIN_REQUIRED)).toEqual([
      'not initialized',
      'no user PIN set',
      'last try of the user PIN',
    ]);
  });
});
