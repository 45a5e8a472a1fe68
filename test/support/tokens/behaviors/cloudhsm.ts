import { CKM, CKO_DATA, CKR, type Behavior } from './behavior.ts';

/**
 * Ed25519 is made by CKM_EC_KEY_PAIR_GEN and signs by a number of Amazon's own, which only Amazon's header has: the
 * toolkit does not know it, and must say so before it asks for anything. The PIN is USER:PASSWORD.
 */
export const cloudhsm: Behavior = {
  name: 'AWS CloudHSM (SDK 5)',
  row: 'cloudhsm',
  sources: [
    'aws-samples/aws-cloudhsm-pkcs11-examples: src/non_fips_examples/generate/ed25519_generate.c, sign/eddsa_sign.c',
    'AWS CloudHSM user guide: pkcs11-pin, pkcs11-mechanisms, pkcs11-attributes',
  ],
  device: [
    'manufacturer CloudHSM',
    'description CloudHSM PKCS#11',
    'library-version 5.17',
    'cryptoki-version 2.40',
    'maker Marvell Semiconductors, Inc.',
    'model CloudHSM',
    'tries 0',
    // CKM_EC_KEY_PAIR_GEN, and a number that stands for the one of Amazon's header.
    `mechanism 0x1040 ${CKM.edwardsPairs}`,
    `mechanism 0x80000f01 ${CKM.eddsa}`,
    `class ${CKO_DATA} ${CKR.attributeValueInvalid}`,
  ],
  label: 'hsm1',
  pin: 'CryptoUser:password-1',
  generates: [],
  dataObjects: false,
  tries: 0,
};
