import { CKM, type Behavior } from './behavior.ts';

/** Ed25519 by the vendor's own numbers, and no others for it. The Crypto Officer's PIN locks after ten tries. */
export const luna7: Behavior = {
  name: 'Thales Luna 7',
  row: 'luna7',
  sources: [
    "the client's header (CKM_EC_EDWARDS_KEY_PAIR_GEN 0x80000C01, CKM_EDDSA 0x80000C03, CKK_EC_EDWARDS 0x80000012)",
    'thalesdocs.com, Luna HSM 7: SDK reference (roles: the Crypto Officer makes keys, the Crypto User uses them)',
  ],
  device: [
    'manufacturer SafeNet',
    'description Chrystoki',
    'library-version 10.7',
    'cryptoki-version 2.20',
    'maker SafeNet',
    'model LunaSA 7.8.4',
    'serial 1234567890123',
    'tries 10',
    `mechanism 0x80000c01 ${CKM.edwardsPairs}`,
    `mechanism 0x80000c03 ${CKM.eddsa}`,
    `mechanism ${CKM.aesKeys}`,
    `mechanism ${CKM.aesGcm}`,
    'key-type 0x80000012 0x40',
  ],
  label: 'licensing',
  pin: 'crypto-officer-1',
  generates: ['ed25519', 'wrapped'],
  dataObjects: true,
  tries: 10,
};
