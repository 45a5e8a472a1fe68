import { CKM, mechanisms, type Behavior } from './behavior.ts';

/** The module itself: what the doctor predicts for a device must be right for a real module too. */
export const softhsm: Behavior = {
  name: 'SoftHSM 2.6',
  row: 'softhsm-2.6',
  sources: ['the module of Debian (softhsm2 2.6.1)'],
  module: 'softhsm',
  device: [],
  label: 'vendor',
  pin: 'pin-of-a-test-1',
  generates: ['ed25519', 'wrapped'],
  dataObjects: true,
  tries: 0,
};

/** Its next version, which Debian does not have: a build with OpenSSL 3.5 makes ML-DSA keys too. */
export const softhsm27: Behavior = {
  name: 'SoftHSM 2.7',
  row: 'softhsm-2.7',
  sources: [
    'softhsm/SoftHSMv2, main of 2026: src/lib/SoftHSM.cpp (C_GetInfo, C_GetTokenInfo, prepareSupportedMechanisms)',
    'an officer who worked with SoftHSM 2.7 by hand (composite in the token, wrapped custody, anchor)',
  ],
  device: [
    'manufacturer SoftHSM',
    'description Implementation of PKCS11',
    'library-version 2.7',
    'cryptoki-version 3.2',
    'maker SoftHSM project',
    'model SoftHSM v2',
    'tries 0',
    'public-objects',
    ...mechanisms(CKM.edwardsPairs, CKM.eddsa, CKM.mlDsaPairs, CKM.mlDsa, CKM.aesKeys, CKM.aesGcm),
  ],
  label: 'vendor',
  pin: 'pin-of-a-test-1',
  point: 'Der',
  generates: ['ed25519', 'composite', 'wrapped'],
  dataObjects: true,
  tries: 0,
};
