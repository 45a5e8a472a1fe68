/** A failure of the token host in an officer's words, with the code that decides the exit. */
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError, type ErrorCode } from '../../../../formats/error.ts';
import type { HostFailure } from './host-failure.ts';
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
  random: 'random bytes were drawn',
  close: 'the session was ended',
};

const HINT_OF_SIGN = 'what it was to sign was not released; look at the token with `vtlic hsm doctor`, then run again';
const HINT_OF_GENERATE =
  'the token may hold a key that nobody uses: look with `vtlic hsm list` before you try again with another name';
const HINT = 'look at the token with `vtlic hsm doctor`, then run again';

/**
 * @param what how the token or module is named in messages, cleaned
 * @param printed the last line that the module printed, cleaned
 */
export function explainFailure(failure: HostFailure, what: string, printed?: string): VtlicError {
  const { operation, why } = failure;
  const said = printed === undefined ? '' : `; the module printed: ${printed}`;
  const hint = hintOf(operation);
  if (why.kind === 'fault') return explainFault(operation, why.fault, what, said, hint);
  const code = codeOf(operation, failure.isUnknown);
  const call = CALLS_OF[operation];
  switch (why.kind) {
    case 'late':
      return new VtlicError(
        code,
        `${what} did not answer within ${why.milliseconds / 1000} s while ${DOING[operation]} (${call}), and was ended${said}`,
        { hint },
      );
    case 'died': {
      const how =
        why.signal === undefined
          ? why.exitCode === undefined
            ? ''
            : ` (exit code ${why.exitCode})`
          : ` (${why.signal})`;
      return new VtlicError(
        code,
        `the process that holds ${what} died${how} while ${DOING[operation]} (${call})${said}`,
        { hint },
      );
    }
    case 'garbled':
      return new VtlicError(
        code,
        `the process that holds ${what} gave an answer that makes no sense while ${DOING[operation]} (${call}), and was ended${said}`,
        { hint },
      );
    case 'gone':
  }
  return new VtlicError(
    codeOf(operation, false),
    `the process that holds ${what} had ended before ${DOING[operation]}`,
    { hint },
  );
}

function explainFault(
  operation: OperationName,
  fault: HostFault,
  what: string,
  said: string,
  hint: string,
): VtlicError {
  switch (fault.kind) {
    case 'call':
      return new VtlicError(
        codeOf(operation, false),
        `${what} failed while ${DOING[operation]} (${cleanText(fault.call, 40)}, ${returnCodeInWords(fault.rv)})${said}`,
        { hint },
      );
    case 'context-pin':
      return new VtlicError(
        'pin_refused',
        `${what} refused the PIN that its key wants before each signature (C_Login, ${returnCodeInWords(fault.rv)})`,
        { hint: 'the PIN is not shown again in this run; see `vtlic hsm doctor`' },
      );
    case 'refused':
      return new VtlicError(fault.why, `${what}: ${cleanText(fault.text)}`, { hint });
    case 'load':
      return explainLoad(fault.why, what, cleanText(fault.text));
    case 'defect':
  }
  return new VtlicError(
    codeOf(operation, false),
    `the process that holds ${what} failed while ${DOING[operation]}: ${cleanText(fault.text)}`,
    { hint },
  );
}

function explainLoad(why: Extract<HostFault, { kind: 'load' }>['why'], what: string, text: string): VtlicError {
  switch (why) {
    case 'no-addon':
      return new VtlicError(
        'module_unusable',
        'the addon pkcs11js, which PKCS#11 tokens need, is not installed or does not load',
        { hint: 'install build-essential and run npm ci again' },
      );
    case 'platform':
      return new VtlicError(
        'module_unusable',
        `PKCS#11 tokens are used on 64-bit Linux and macOS alone, and this is ${text}`,
      );
    case 'not-pkcs11':
      return new VtlicError(
        'module_unusable',
        `${what} is a library, but not a PKCS#11 module: it has no C_GetFunctionList`,
        { hint: 'correct module-path' },
      );
    case 'no-library':
  }
  return new VtlicError('module_unusable', `${what} cannot be loaded: ${text}`, {
    hint: "install the token's software, or correct module-path",
  });
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
