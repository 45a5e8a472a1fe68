/** A failure of the token host in an officer's words, with the code that decides the exit. */
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError, type ErrorCode } from '../../../../formats/error.ts';
import type { HostFailure } from './host-client.ts';
import { CALLS_OF, type HostFault, type OperationName } from '../shared/host-protocol.ts';
import { returnCodeInWords } from '../shared/return-codes.ts';

const DOING: Readonly<Record<OperationName, string>> = {
  load: 'it was loaded',
  slots: 'it listed its tokens',
  mechanisms: 'it listed its mechanisms',
  token: 'it described the token',
  open: 'a session was opened',
  login: 'the user was logged in',
  keys: 'a key was looked for',
  generateComponent: 'a key was generated',
  readSecrets: 'a key was examined',
  destroy: 'an object was destroyed',
  sign: 'a signature was made',
  makeWrappedSeed: 'an ML-DSA seed was made and encrypted',
  openWrappedSeed: 'the ML-DSA seed was decrypted',
  listData: 'data objects were read',
  createData: 'a data object was made',
  touch: 'a data object was made for a moment',
  random: 'random bytes were drawn',
  close: 'the session was ended',
};

const DOCTOR = 'look at the token with: vtlic hsm doctor KEYSTORE';
const HINT = `${DOCTOR}; then run again`;
const HINT_OF_SIGN = `what it was to sign was not released; ${HINT}`;
const HINT_OF_GENERATE = 'see what is in the token before you try again: vtlic hsm keys KEYSTORE';

interface Explained {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
}

/**
 * @param what how the token or module is named in messages, cleaned
 * @param printed the last line that the module printed, cleaned
 */
export function explainFailure(failure: HostFailure, what: string, printed?: string): VtlicError {
  const said = printed === undefined ? '' : `; the module printed: ${printed}`;
  const { code, message, hint } = explained(failure, what, said);
  return new VtlicError(code, message, { ...(hint === undefined ? {} : { hint }), cause: failure });
}

function explained({ operation, why, isUnknown }: HostFailure, what: string, said: string): Explained {
  const hint = hintOf(operation);
  if (why.kind === 'fault') return explainFault(operation, why.fault, what, said, hint);
  const code = codeOf(operation, isUnknown);
  const when = `while ${DOING[operation]} (${CALLS_OF[operation]})`;
  switch (why.kind) {
    case 'late': {
      const seconds = why.milliseconds / 1000;
      return { code, message: `${what} did not answer within ${seconds} s ${when}, and was ended${said}`, hint };
    }
    case 'died': {
      const exitCode = why.exitCode === undefined ? '' : ` (exit code ${why.exitCode})`;
      const how = why.signal === undefined ? exitCode : ` (${why.signal})`;
      return { code, message: `the process that loads ${what} died${how} ${when}${said}`, hint };
    }
    case 'garbled':
      return {
        code,
        message: `the process that loads ${what} gave an answer that makes no sense ${when}, and was ended${said}`,
        hint,
      };
    case 'gone':
  }
  return { code, message: `the process that loads ${what} had ended before ${DOING[operation]}`, hint };
}

function explainFault(operation: OperationName, fault: HostFault, what: string, said: string, hint: string): Explained {
  const code = codeOf(operation, false);
  switch (fault.kind) {
    case 'call': {
      const call = `${cleanText(fault.call, 40)}, ${returnCodeInWords(fault.rv)}`;
      return { code, message: `${what} failed while ${DOING[operation]} (${call})${said}`, hint };
    }
    case 'context-pin': {
      const call = `C_Login, ${returnCodeInWords(fault.rv)}`;
      return {
        code: 'pin_refused',
        message: `${what} refused the PIN that its key wants before each signature (${call})`,
        hint: `the PIN is not sent again in this run; ${DOCTOR}`,
      };
    }
    case 'refused':
      return { code: fault.why, message: `${what}: ${cleanText(fault.text)}`, hint };
    case 'load':
      return explainLoad(fault.why, what, cleanText(fault.text));
    case 'defect':
  }
  const message = `the process that loads ${what} failed while ${DOING[operation]}: ${cleanText(fault.text)}`;
  return { code, message, hint };
}

function explainLoad(why: Extract<HostFault, { kind: 'load' }>['why'], what: string, text: string): Explained {
  const code = 'module_unusable';
  switch (why) {
    case 'no-addon':
      return {
        code,
        message: 'the addon pkcs11js, which PKCS#11 tokens need, is not installed or does not load',
        hint: 'install build-essential and run npm ci again',
      };
    case 'platform':
      return { code, message: `PKCS#11 tokens can be used only on 64-bit Linux and macOS, and this is ${text}` };
    case 'not-pkcs11':
      return {
        code,
        message: `${what} is a library, but not a PKCS#11 module: it has no C_GetFunctionList`,
        hint: 'correct module-path',
      };
    case 'no-library':
  }
  return {
    code,
    message: `${what} cannot be loaded: ${text}`,
    hint: "install the token's software, or correct module-path",
  };
}

function codeOf(operation: OperationName, isUnknown: boolean): ErrorCode {
  if (operation === 'sign') return isUnknown ? 'signing_unknown' : 'signing_failed';
  return operation === 'load' || operation === 'slots' || operation === 'mechanisms'
    ? 'module_unusable'
    : 'signing_failed';
}

function hintOf(operation: OperationName): string {
  if (operation === 'sign') return HINT_OF_SIGN;
  if (operation === 'load' || operation === 'slots')
    return "see that the token is plugged in and its maker's own tool finds it";
  return operation === 'generateComponent' || operation === 'makeWrappedSeed' ? HINT_OF_GENERATE : HINT;
}
