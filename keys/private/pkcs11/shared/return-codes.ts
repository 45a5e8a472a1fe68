/** The `CKR_*` values of PKCS#11 3.2 with what each says to an officer. */

interface ReturnCode {
  readonly name: string;
  readonly words: string;
}

const CODES: ReadonlyMap<number, ReturnCode> = new Map<number, ReturnCode>([
  code(0x0, 'CKR_OK', 'done'),
  code(0x1, 'CKR_CANCEL', 'the call was canceled'),
  code(0x2, 'CKR_HOST_MEMORY', 'the computer has too little memory'),
  code(0x3, 'CKR_SLOT_ID_INVALID', 'the slot does not exist any more'),
  code(0x5, 'CKR_GENERAL_ERROR', 'the module failed and says no more'),
  code(0x6, 'CKR_FUNCTION_FAILED', 'the token could not do it and says no more'),
  code(0x7, 'CKR_ARGUMENTS_BAD', 'the module refused the arguments'),
  code(0x8, 'CKR_NO_EVENT', 'nothing happened in the slots'),
  code(0x9, 'CKR_NEED_TO_CREATE_THREADS', 'the module needs threads of its own'),
  code(0xa, 'CKR_CANT_LOCK', 'the module cannot be used by several threads'),
  code(0x10, 'CKR_ATTRIBUTE_READ_ONLY', 'the attribute cannot be set'),
  code(0x11, 'CKR_ATTRIBUTE_SENSITIVE', 'the attribute is secret and stays in the token'),
  code(0x12, 'CKR_ATTRIBUTE_TYPE_INVALID', 'the token does not know this attribute'),
  code(0x13, 'CKR_ATTRIBUTE_VALUE_INVALID', 'the token refused the value of an attribute'),
  code(0x1b, 'CKR_ACTION_PROHIBITED', 'the token does not allow this with this object'),
  code(0x20, 'CKR_DATA_INVALID', 'the token refused the data'),
  code(0x21, 'CKR_DATA_LEN_RANGE', 'the token refused the length of the data'),
  code(0x30, 'CKR_DEVICE_ERROR', 'the token reports a fault of its own'),
  code(0x31, 'CKR_DEVICE_MEMORY', 'the token has too little memory'),
  code(0x32, 'CKR_DEVICE_REMOVED', 'the token was removed'),
  code(0x40, 'CKR_ENCRYPTED_DATA_INVALID', 'the encrypted data is not valid for this key'),
  code(0x41, 'CKR_ENCRYPTED_DATA_LEN_RANGE', 'the encrypted data has the wrong length'),
  code(0x42, 'CKR_AEAD_DECRYPT_FAILED', 'the encrypted data was altered, or belongs to another key'),
  code(0x50, 'CKR_FUNCTION_CANCELED', 'the call was canceled'),
  code(0x51, 'CKR_FUNCTION_NOT_PARALLEL', 'nothing runs beside this call'),
  code(0x54, 'CKR_FUNCTION_NOT_SUPPORTED', 'the module does not have this function'),
  code(0x60, 'CKR_KEY_HANDLE_INVALID', 'the key is not there any more'),
  code(0x62, 'CKR_KEY_SIZE_RANGE', 'the token refused the size of the key'),
  code(0x63, 'CKR_KEY_TYPE_INCONSISTENT', 'the key is of another type'),
  code(0x64, 'CKR_KEY_NOT_NEEDED', 'the call takes no key'),
  code(0x65, 'CKR_KEY_CHANGED', 'the key has changed'),
  code(0x66, 'CKR_KEY_NEEDED', 'the call needs a key'),
  code(0x67, 'CKR_KEY_INDIGESTIBLE', 'the key cannot be hashed'),
  code(0x68, 'CKR_KEY_FUNCTION_NOT_PERMITTED', 'the key may not be used for this'),
  code(0x69, 'CKR_KEY_NOT_WRAPPABLE', 'the key cannot be wrapped'),
  code(0x6a, 'CKR_KEY_UNEXTRACTABLE', 'the key never leaves the token'),
  code(0x70, 'CKR_MECHANISM_INVALID', 'the token does not have this mechanism'),
  code(0x71, 'CKR_MECHANISM_PARAM_INVALID', 'the token refused the parameters of the mechanism'),
  code(0x82, 'CKR_OBJECT_HANDLE_INVALID', 'the object is not there any more'),
  code(0x90, 'CKR_OPERATION_ACTIVE', 'another operation of this session is not finished'),
  code(0x91, 'CKR_OPERATION_NOT_INITIALIZED', 'the operation was not begun'),
  code(0xa0, 'CKR_PIN_INCORRECT', 'the PIN is wrong'),
  code(0xa1, 'CKR_PIN_INVALID', 'the PIN has characters that the token does not take'),
  code(0xa2, 'CKR_PIN_LEN_RANGE', 'the PIN is too short or too long for this token'),
  code(0xa3, 'CKR_PIN_EXPIRED', 'the PIN has expired'),
  code(0xa4, 'CKR_PIN_LOCKED', 'the PIN is locked'),
  code(0xb0, 'CKR_SESSION_CLOSED', 'the session was closed'),
  code(0xb1, 'CKR_SESSION_COUNT', 'the token allows no further session'),
  code(0xb3, 'CKR_SESSION_HANDLE_INVALID', 'the session is not there any more'),
  code(0xb4, 'CKR_SESSION_PARALLEL_NOT_SUPPORTED', 'the module wants serial sessions'),
  code(0xb5, 'CKR_SESSION_READ_ONLY', 'the session can only read'),
  code(0xb6, 'CKR_SESSION_EXISTS', 'a session is open'),
  code(0xb7, 'CKR_SESSION_READ_ONLY_EXISTS', 'a session that can only read is open'),
  code(0xb8, 'CKR_SESSION_READ_WRITE_SO_EXISTS', 'the security officer is logged in'),
  code(0xc0, 'CKR_SIGNATURE_INVALID', 'the signature is not valid'),
  code(0xc1, 'CKR_SIGNATURE_LEN_RANGE', 'the signature has the wrong length'),
  code(0xd0, 'CKR_TEMPLATE_INCOMPLETE', 'the token misses an attribute'),
  code(0xd1, 'CKR_TEMPLATE_INCONSISTENT', 'the token refused the attributes together'),
  code(0xe0, 'CKR_TOKEN_NOT_PRESENT', 'no token is in the slot'),
  code(0xe1, 'CKR_TOKEN_NOT_RECOGNIZED', 'the module does not know the token in the slot'),
  code(0xe2, 'CKR_TOKEN_WRITE_PROTECTED', 'the token is write-protected'),
  code(0xf0, 'CKR_UNWRAPPING_KEY_HANDLE_INVALID', 'the unwrapping key is not there'),
  code(0xf1, 'CKR_UNWRAPPING_KEY_SIZE_RANGE', 'the unwrapping key has the wrong size'),
  code(0xf2, 'CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT', 'the unwrapping key is of another type'),
  code(0x100, 'CKR_USER_ALREADY_LOGGED_IN', 'the user is logged in already'),
  code(0x101, 'CKR_USER_NOT_LOGGED_IN', 'nobody is logged in'),
  code(0x102, 'CKR_USER_PIN_NOT_INITIALIZED', 'the token has no user PIN yet'),
  code(0x103, 'CKR_USER_TYPE_INVALID', 'the token does not know this kind of user'),
  code(0x104, 'CKR_USER_ANOTHER_ALREADY_LOGGED_IN', 'another user is logged in'),
  code(0x105, 'CKR_USER_TOO_MANY_TYPES', 'too many kinds of users are logged in'),
  code(0x110, 'CKR_WRAPPED_KEY_INVALID', 'the wrapped key is not valid'),
  code(0x112, 'CKR_WRAPPED_KEY_LEN_RANGE', 'the wrapped key has the wrong length'),
  code(0x113, 'CKR_WRAPPING_KEY_HANDLE_INVALID', 'the wrapping key is not there'),
  code(0x114, 'CKR_WRAPPING_KEY_SIZE_RANGE', 'the wrapping key has the wrong size'),
  code(0x115, 'CKR_WRAPPING_KEY_TYPE_INCONSISTENT', 'the wrapping key is of another type'),
  code(0x120, 'CKR_RANDOM_SEED_NOT_SUPPORTED', 'the random source takes no seed'),
  code(0x121, 'CKR_RANDOM_NO_RNG', 'the token has no random source'),
  code(0x130, 'CKR_DOMAIN_PARAMS_INVALID', 'the token refused the curve'),
  code(0x140, 'CKR_CURVE_NOT_SUPPORTED', 'the token does not know the curve'),
  code(0x150, 'CKR_BUFFER_TOO_SMALL', 'the answer is longer than it may be'),
  code(0x160, 'CKR_SAVED_STATE_INVALID', 'the saved state is not valid'),
  code(0x170, 'CKR_INFORMATION_SENSITIVE', 'the information is secret and stays in the token'),
  code(0x180, 'CKR_STATE_UNSAVEABLE', 'the state cannot be saved'),
  code(0x190, 'CKR_CRYPTOKI_NOT_INITIALIZED', 'the module is not initialized'),
  code(0x191, 'CKR_CRYPTOKI_ALREADY_INITIALIZED', 'the module is initialized already'),
  code(0x1a0, 'CKR_MUTEX_BAD', 'the module has a broken lock'),
  code(0x1a1, 'CKR_MUTEX_NOT_LOCKED', 'the module lost a lock'),
  code(0x1b0, 'CKR_NEW_PIN_MODE', 'the token wants a new PIN'),
  code(0x1b1, 'CKR_NEXT_OTP', 'the token wants the next one-time password'),
  code(0x1b5, 'CKR_EXCEEDED_MAX_ITERATIONS', 'the token gave up after too many attempts'),
  code(0x1b6, 'CKR_FIPS_SELF_TEST_FAILED', 'the token failed its own self-test'),
  code(0x1b7, 'CKR_LIBRARY_LOAD_FAILED', 'the module could not load a library that it needs'),
  code(0x1b8, 'CKR_PIN_TOO_WEAK', 'the PIN is too weak for this token'),
  code(0x1b9, 'CKR_PUBLIC_KEY_INVALID', 'the public key is not valid'),
  code(0x200, 'CKR_FUNCTION_REJECTED', 'the token rejected the request'),
  code(0x201, 'CKR_TOKEN_RESOURCE_EXCEEDED', 'the token has no room or no session left'),
  code(0x202, 'CKR_OPERATION_CANCEL_FAILED', 'the operation could not be canceled'),
  code(0x203, 'CKR_KEY_EXHAUSTED', 'the key may make no further signature'),
  code(0x204, 'CKR_PENDING', 'the operation is not finished'),
  code(0x205, 'CKR_SESSION_ASYNC_NOT_SUPPORTED', 'the session knows no asynchronous calls'),
  code(0x206, 'CKR_SEED_RANDOM_REQUIRED', 'the random source wants a seed first'),
  code(0x207, 'CKR_OPERATION_NOT_VALIDATED', 'the operation is outside what the token was validated for'),
  code(0x208, 'CKR_TOKEN_NOT_INITIALIZED', 'the token is not initialized'),
  code(0x209, 'CKR_PARAMETER_SET_NOT_SUPPORTED', 'the token does not have this parameter set'),
]);

function code(value: number, name: string, words: string): [number, ReturnCode] {
  return [value, { name, words }];
}

const NUMBERS: ReadonlyMap<string, number> = new Map([...CODES].map(([value, { name }]) => [name, value]));

const VENDOR_DEFINED = 0x80000000;

/** `CKR_PIN_INCORRECT`, or for an unknown value its number in hex. */
export function returnCodeName(rv: number): string {
  return CODES.get(rv)?.name ?? `CKR_0x${rv.toString(16)}`;
}

/** "CKR_DEVICE_REMOVED: the token was removed". */
export function returnCodeInWords(rv: number): string {
  const known = CODES.get(rv);
  if (known !== undefined) return `${known.name}: ${known.words}`;
  const whose = rv >= VENDOR_DEFINED ? "a code of the token's maker, see its manual" : 'not a code of PKCS#11 3.2';
  return `${returnCodeName(rv)}: ${whose}`;
}

/** The number of a name in this table. A name that is not there is a defect of the caller. */
export function returnCodeOf(name: string): number {
  const value = NUMBERS.get(name);
  if (value === undefined) throw new RangeError(`no return code ${name}`);
  return value;
}

/** All names of the table, for tests that walk it. */
export function returnCodeNames(): readonly string[] {
  return [...NUMBERS.keys()];
}
