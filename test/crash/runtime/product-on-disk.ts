/** The product of the crash tests: a license file and a state file in one folder. */
import { join } from 'node:path';
import { openLicense, type LicenseOptions, type LiveLicense } from '../../../verifier/runtime/index.ts';
import { NBF, trust } from '../../unit/verifier/sample.ts';

export function openProduct(folder: string): Promise<LiveLicense> {
  return openLicense(optionsOf(folder));
}

export function optionsOf(folder: string): LicenseOptions {
  return {
    environment: {
      NODE_ENV: 'production',
      DEPLOYMENT_MODE: 'onprem',
      LICENSE_PATH: join(folder, 'license.vtlic'),
      LICENSE_STATE_PATH: join(folder, 'license.state'),
    },
    issuer: 'example-vendor',
    product: 'vaultdesk',
    keys: trust(),
    freeTier: { tier: 'free', seats: 3, features: [], limits: {} },
    clocks: { clock: () => NBF, monotonic: () => performance.now() / 1000 },
  };
}
