/**
 * Every PKCS#11 function that the toolkit calls, and the return codes that PKCS#11 3.2 allows for it (section 5,
 * "Return values" of each function), as far as they say something of their own. The codes that every function may
 * return come first.
 */
const ANY: readonly string[] = [
  'CKR_GENERAL_ERROR',
  'CKR_HOST_MEMORY',
  'CKR_FUNCTION_FAILED',
  'CKR_ARGUMENTS_BAD',
  'CKR_CRYPTOKI_NOT_INITIALIZED',
];
const SLOT: readonly string[] = [...ANY, 'CKR_SLOT_ID_INVALID'];
const TOKEN: readonly string[] = [
  ...SLOT,
  'CKR_DEVICE_ERROR',
  'CKR_DEVICE_MEMORY',
  'CKR_DEVICE_REMOVED',
  'CKR_TOKEN_NOT_PRESENT',
  'CKR_TOKEN_NOT_RECOGNIZED',
];
const SESSION: readonly string[] = [
  ...ANY,
  'CKR_DEVICE_ERROR',
  'CKR_DEVICE_MEMORY',
  'CKR_DEVICE_REMOVED',
  'CKR_SESSION_CLOSED',
  'CKR_SESSION_HANDLE_INVALID',
];
const KEY: readonly string[] = [
  ...SESSION,
  'CKR_FUNCTION_CANCELED',
  'CKR_KEY_FUNCTION_NOT_PERMITTED',
  'CKR_KEY_HANDLE_INVALID',
  'CKR_KEY_SIZE_RANGE',
  'CKR_KEY_TYPE_INCONSISTENT',
  'CKR_MECHANISM_INVALID',
  'CKR_MECHANISM_PARAM_INVALID',
  'CKR_OPERATION_ACTIVE',
  'CKR_PIN_EXPIRED',
  'CKR_USER_NOT_LOGGED_IN',
];
const DATA: readonly string[] = [
  ...SESSION,
  'CKR_BUFFER_TOO_SMALL',
  'CKR_DATA_INVALID',
  'CKR_DATA_LEN_RANGE',
  'CKR_FUNCTION_CANCELED',
  'CKR_OPERATION_NOT_INITIALIZED',
  'CKR_USER_NOT_LOGGED_IN',
];
const TEMPLATE: readonly string[] = [
  ...SESSION,
  'CKR_ATTRIBUTE_READ_ONLY',
  'CKR_ATTRIBUTE_TYPE_INVALID',
  'CKR_ATTRIBUTE_VALUE_INVALID',
  'CKR_PIN_EXPIRED',
  'CKR_SESSION_READ_ONLY',
  'CKR_TEMPLATE_INCOMPLETE',
  'CKR_TEMPLATE_INCONSISTENT',
  'CKR_TOKEN_WRITE_PROTECTED',
  'CKR_USER_NOT_LOGGED_IN',
];
const GENERATE: readonly string[] = [
  ...TEMPLATE,
  'CKR_CURVE_NOT_SUPPORTED',
  'CKR_DOMAIN_PARAMS_INVALID',
  'CKR_FUNCTION_CANCELED',
  'CKR_MECHANISM_INVALID',
  'CKR_MECHANISM_PARAM_INVALID',
  'CKR_OPERATION_ACTIVE',
  'CKR_PARAMETER_SET_NOT_SUPPORTED',
];

export const FAULT_TABLE: Readonly<Record<string, readonly string[]>> = {
  C_Initialize: [...ANY, 'CKR_CANT_LOCK', 'CKR_CRYPTOKI_ALREADY_INITIALIZED', 'CKR_NEED_TO_CREATE_THREADS'],
  C_Finalize: ANY,
  C_GetInfo: ANY,
  C_GetSlotList: [...ANY, 'CKR_BUFFER_TOO_SMALL'],
  C_GetSlotInfo: [...SLOT, 'CKR_DEVICE_ERROR'],
  C_GetTokenInfo: TOKEN,
  C_GetMechanismList: [...TOKEN, 'CKR_BUFFER_TOO_SMALL'],
  C_GetMechanismInfo: [...TOKEN, 'CKR_MECHANISM_INVALID'],
  C_OpenSession: [
    ...TOKEN,
    'CKR_SESSION_COUNT',
    'CKR_SESSION_PARALLEL_NOT_SUPPORTED',
    'CKR_SESSION_READ_WRITE_SO_EXISTS',
    'CKR_TOKEN_WRITE_PROTECTED',
  ],
  C_CloseSession: SESSION,
  C_CloseAllSessions: TOKEN,
  C_Login: [
    ...SESSION,
    'CKR_FUNCTION_CANCELED',
    'CKR_OPERATION_ACTIVE',
    'CKR_OPERATION_NOT_INITIALIZED',
    'CKR_PIN_INCORRECT',
    'CKR_PIN_LOCKED',
    'CKR_SESSION_READ_ONLY_EXISTS',
    'CKR_USER_ALREADY_LOGGED_IN',
    'CKR_USER_ANOTHER_ALREADY_LOGGED_IN',
    'CKR_USER_PIN_NOT_INITIALIZED',
    'CKR_USER_TOO_MANY_TYPES',
    'CKR_USER_TYPE_INVALID',
  ],
  C_Logout: [...SESSION, 'CKR_USER_NOT_LOGGED_IN'],
  C_CreateObject: TEMPLATE,
  C_DestroyObject: [
    ...SESSION,
    'CKR_ACTION_PROHIBITED',
    'CKR_OBJECT_HANDLE_INVALID',
    'CKR_PIN_EXPIRED',
    'CKR_SESSION_READ_ONLY',
    'CKR_TOKEN_WRITE_PROTECTED',
  ],
  C_GetAttributeValue: [
    ...SESSION,
    'CKR_ATTRIBUTE_SENSITIVE',
    'CKR_ATTRIBUTE_TYPE_INVALID',
    'CKR_BUFFER_TOO_SMALL',
    'CKR_OBJECT_HANDLE_INVALID',
  ],
  C_FindObjectsInit: [
    ...SESSION,
    'CKR_ATTRIBUTE_TYPE_INVALID',
    'CKR_ATTRIBUTE_VALUE_INVALID',
    'CKR_OPERATION_ACTIVE',
    'CKR_PIN_EXPIRED',
  ],
  C_FindObjects: [...SESSION, 'CKR_OPERATION_NOT_INITIALIZED'],
  C_FindObjectsFinal: [...SESSION, 'CKR_OPERATION_NOT_INITIALIZED'],
  C_EncryptInit: KEY,
  C_Encrypt: DATA,
  C_DecryptInit: KEY,
  C_Decrypt: [...DATA, 'CKR_ENCRYPTED_DATA_INVALID', 'CKR_ENCRYPTED_DATA_LEN_RANGE', 'CKR_AEAD_DECRYPT_FAILED'],
  C_SignInit: KEY,
  C_Sign: [...DATA, 'CKR_FUNCTION_REJECTED', 'CKR_TOKEN_RESOURCE_EXCEEDED', 'CKR_KEY_EXHAUSTED'],
  C_GenerateKey: GENERATE,
  C_GenerateKeyPair: GENERATE,
  C_GenerateRandom: [
    ...SESSION,
    'CKR_FUNCTION_CANCELED',
    'CKR_OPERATION_ACTIVE',
    'CKR_RANDOM_NO_RNG',
    'CKR_USER_NOT_LOGGED_IN',
  ],
};

/** What must go wrong first: a session is closed in the midst of a run only where an operation in it failed. */
export const FIRST_FAULT: Readonly<Record<string, string>> = { C_CloseSession: 'C_SignInit 1 rv 0x6' };

/** What a return code is about, by its name; each class once is the sample of the tests that cannot walk all. */
export type FaultClass = 'any' | 'token' | 'session' | 'user' | 'operation';

export function classOf(code: string): FaultClass {
  if (ANY.includes(code)) return 'any';
  if (/^CKR_(?:SLOT|TOKEN|DEVICE)_/.test(code)) return 'token';
  if (code.startsWith('CKR_SESSION_')) return 'session';
  return /^CKR_(?:PIN|USER)_/.test(code) ? 'user' : 'operation';
}
