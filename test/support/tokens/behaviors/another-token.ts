import { CKA, CKM, CKO_DATA, CKR, mechanisms, type Behavior } from './behavior.ts';

/** The last row of the table is for every other token; these differ from each other as much as tokens do. */

/** Needs no login, makes no objects; keys come from the vendor's own console. */
export const keyService: Behavior = {
  name: 'a key service without login',
  row: 'standard',
  sources: [
    'GoogleCloudPlatform/kms-integrations: kmsp11/docs/user_guide.md (C_Login, C_CreateObject, C_GenerateKeyPair)',
  ],
  device: [
    'manufacturer Google',
    'description Cryptoki Library for Cloud KMS',
    'maker Google',
    'model Cloud KMS Token',
    'serial',
    'no-login pin-of-a-test-1',
    ...mechanisms(CKM.edwardsPairs, CKM.eddsa),
    `generate ${CKR.argumentsBad}`,
    `destroy ${CKR.functionNotSupported}`,
    `class ${CKO_DATA} ${CKR.functionNotSupported}`,
  ],
  label: 'my key ring',
  pin: 'pin-of-a-test-1',
  generates: [],
  adopts: { label: 'license-key', id: '6b31' },
  dataObjects: false,
  tries: 0,
  login: 'none',
};

/** A card that cannot be written by this role, with three tries, whose module answers nothing about mechanisms. */
export const writeProtectedCard: Behavior = {
  name: 'a write-protected card',
  row: 'standard',
  sources: [
    'CardContact/sc-hsm-embedded: src/pkcs11/token-sc-hsm.c (flags of the PIN, three tries)',
    'OASIS PKCS#11 3.2, section 5.6.1 (CKR_TOKEN_WRITE_PROTECTED of C_OpenSession)',
  ],
  device: [
    'manufacturer CardContact',
    'description SmartCard-HSM',
    'maker CardContact',
    'model SmartCard-HSM',
    'tries 3',
    `write-protected ${CKR.tokenWriteProtected}`,
    `mechanism-info 0 ${CKR.functionFailed}`,
  ],
  label: 'SmartCard-HSM',
  pin: 'pin-of-a-test-1',
  generates: [],
  adopts: { label: 'signing key', id: '01' },
  dataObjects: false,
  tries: 3,
};

/** Gives one session and no more, and knows only the attributes that it needs: a template with another one is refused. */
export const strictToken: Behavior = {
  name: 'a token with one session and strict templates',
  row: 'standard',
  sources: [
    'OASIS PKCS#11 3.2, section 5.6.1 (CKR_SESSION_COUNT of C_OpenSession)',
    'OASIS PKCS#11 3.2, section 4.1.1 (CKR_ATTRIBUTE_TYPE_INVALID for an attribute that is not supported)',
  ],
  device: [
    'manufacturer Vendor',
    'description Strict module',
    'model HSM',
    'sessions 1',
    `template ${CKA.signRecover} ${CKR.attributeTypeInvalid}`,
  ],
  label: 'strict',
  pin: 'pin-of-a-test-1',
  generates: [],
  adopts: { label: 'made elsewhere', id: '0708' },
  dataObjects: true,
  tries: 10,
};

/** Another program, or an earlier run of it that was ended, is still logged in through the same shared module. */
export const loginKept: Behavior = {
  name: 'a token with a login kept open',
  row: 'standard',
  sources: ['quickvm/psi, pull request 30: CKR_USER_ALREADY_LOGGED_IN of a login that an ended process left behind'],
  device: ['manufacturer Vendor', 'description Shared module', 'model HSM', `login-kept ${CKR.userAlreadyLoggedIn} pin-of-a-test-1`],
  label: 'shared',
  pin: 'pin-of-a-test-1',
  generates: [],
  dataObjects: false,
  tries: 0,
  login: 'kept',
};

/** The security officer is logged in there, in a session of another program. */
export const officerLoggedIn: Behavior = {
  ...loginKept,
  name: 'a token where the security officer is logged in',
  sources: ['OASIS PKCS#11 3.2, section 5.6.7 (CKR_USER_ANOTHER_ALREADY_LOGGED_IN of C_Login)'],
  device: ['manufacturer Vendor', 'description Shared module', 'model HSM', `login-kept ${CKR.userAnotherAlreadyLoggedIn}`],
};
