import { CKA, CKM, CKR, mechanisms, type Behavior } from './behavior.ts';

/**
 * Ids of two bytes: an older module cuts a longer one silently. The PIN is the number of an authentication key in four
 * hex digits, and its password; the device counts no wrong ones. A public key is a view of its private key. A search for
 * data objects does not look at CKA_APPLICATION.
 */
export const yubihsm2: Behavior = {
  name: 'YubiHSM 2',
  row: 'yubihsm2',
  sources: [
    'Yubico/yubihsm-shell: pkcs11/util_pkcs11.c (parse_id_value, parse_ed_generate_template, get_attribute_private_key)',
    'Yubico/yubihsm-shell: pkcs11/yubihsm_pkcs11.c (C_GetTokenInfo, C_Login, C_FindObjectsInit, C_DestroyObject)',
  ],
  device: [
    'manufacturer Yubico (www.yubico.com)',
    'description YubiHSM PKCS#11 Library',
    'library-version 2.40',
    'cryptoki-version 2.40',
    'maker Yubico (www.yubico.com)',
    'model YubiHSM',
    'serial 12345678',
    'tries 0',
    `pin-length 12 68 ${CKR.argumentsBad}`,
    ...mechanisms(CKM.edwardsPairs, CKM.eddsa),
    'id-longest 2 0',
    `label-longest 40 ${CKR.attributeValueInvalid}`,
    `curve oid ${CKR.curveNotSupported}`,
    `attribute ${CKA.publicKeyInfo} empty`,
    `find-ignores ${CKA.application}`,
    'pair-destroyed',
  ],
  label: 'YubiHSM',
  pin: '0001password-1',
  point: 'Der',
  generates: ['ed25519'],
  dataObjects: true,
  tries: 0,
};
