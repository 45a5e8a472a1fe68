import { CKA, CKM, CKO_DATA, CKR, mechanisms, type Behavior } from './behavior.ts';

/**
 * Keys are made by the Administrator; the toolkit logs in as the Operator. A login is that of one session. CKA_DERIVE is
 * always true, CKA_LABEL is CKA_ID. No data objects, no serial number for an Operator, no flags for wrong PINs.
 */
export const nethsm: Behavior = {
  name: 'Nitrokey NetHSM',
  row: 'nethsm',
  sources: [
    'Nitrokey/nethsm-pkcs11: pkcs11/src/backend/db/object.rs (attributes), backend/key.rs (names, generation)',
    'Nitrokey/nethsm-pkcs11: pkcs11/src/backend/session.rs and login.rs (a login for each session; roles)',
    'Nitrokey/nethsm-pkcs11: pkcs11/src/api/token.rs (C_GetTokenInfo), backend/mod.rs (return values)',
  ],
  device: [
    'manufacturer Nitrokey',
    'description Nitrokey NetHsm PKCS#11 module',
    'library-version 2.2',
    'cryptoki-version 2.40',
    'maker Nitrokey GmbH',
    'model NetHSM',
    'serial unknown',
    'tries 0',
    'login-per-session',
    ...mechanisms(CKM.edwardsPairs, CKM.eddsa),
    `generate ${CKR.userTypeInvalid}`,
    `destroy ${CKR.userTypeInvalid}`,
    `class ${CKO_DATA} ${CKR.attributeValueInvalid}`,
    `curve printable ${CKR.attributeValueInvalid}`,
    `attribute ${CKA.derive} true`,
    `attribute ${CKA.publicKeyInfo} ${CKR.attributeTypeInvalid}`,
    'label-is-id',
  ],
  label: 'LocalHSM',
  pin: 'operator-passphrase',
  point: 'Der',
  generates: [],
  adopts: { label: 'license2026', id: Buffer.from('license2026').toString('hex') },
  dataObjects: false,
  tries: 0,
};
