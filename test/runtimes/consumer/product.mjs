/** The module of a product, for `vtlic-product` (docs/runtime.md, "The command of an operator"). */
import { makeTrust } from 'vtlic';
import { hostFingerprint } from 'vtlic/runtime';

const ids = { issuer: 'example-vendor', product: 'vaultdesk' };
export default {
  ...ids,
  keys: makeTrust({ keys: [] }),
  freeTier: { tier: 'free', seats: 3, features: [], limits: {} },
  hosts: hostFingerprint({ ...ids, environment: process.env }).hosts,
};
