import type { Behavior } from './behavior.ts';

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
