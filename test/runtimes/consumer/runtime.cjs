/** Opens a license by `vtlic/runtime` where there is none, outside of production, and prints what it says. */
const { mkdtempSync, readdirSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { makeTrust } = require('vtlic');
const { openLicense } = require('vtlic/runtime');

const folder = mkdtempSync(join(tmpdir(), 'vtlic-runtime-'));
const options = {
  environment: {
    DEPLOYMENT_MODE: 'onprem',
    LICENSE_PATH: join(folder, 'license.vtlic'),
    LICENSE_STATE_PATH: join(folder, 'license.state'),
  },
  issuer: 'example-vendor',
  product: 'vaultdesk',
  keys: makeTrust({ keys: [] }),
  freeTier: { tier: 'free', seats: 3, features: [], limits: {} },
};

openLicense(options)
  .then(async (license) => {
    const codes = license.view().warnings.map(({ code }) => code);
    const result = await license.install('x');
    await license.close();
    console.log(license.entitlements.tier, ...codes.sort(), result.refusal.code, ...readdirSync(folder));
  })
  .finally(() => rmSync(folder, { recursive: true }));
