import { CKR, type Behavior } from './behavior.ts';

/**
 * No serial number. Three tries of the PIN: the flags after each are low, last, locked, and "last" takes "low" away.
 * The curve by its OID only.
 */
export const opencryptoki: Behavior = {
  name: 'openCryptoki 3.27',
  row: 'opencryptoki',
  sources: [
    'opencryptoki/opencryptoki: usr/lib/common/sess_mgr.c (set_login_flags), usr/lib/common/ec_supported.h',
    'an officer who worked with openCryptoki 3.27 by hand (serial number, point, ML-DSA)',
  ],
  device: [
    'manufacturer IBM',
    'description openCryptoki',
    'library-version 3.27',
    'maker IBM',
    'model Soft',
    'serial',
    'tries 3',
    `pin-length 4 8 ${CKR.pinIncorrect}`,
    `curve printable ${CKR.curveNotSupported}`,
  ],
  label: 'vendor',
  pin: 'pin8char',
  point: 'Der',
  generates: ['ed25519', 'composite', 'wrapped'],
  dataObjects: true,
  tries: 3,
};
