import type { Behavior } from './behavior.ts';

/** The module itself: what the doctor predicts for a device must be right for a real module too. */
export const kryoptic: Behavior = {
  name: 'kryoptic 1.5',
  row: 'kryoptic',
  sources: ['the module (latchset/kryoptic 1.5, built by test/support/tokens/build-kryoptic.ts)'],
  device: [],
  label: 'vendor',
  pin: 'pin-of-a-test-1',
  generates: ['ed25519', 'composite', 'wrapped'],
  dataObjects: true,
  tries: 10,
};
