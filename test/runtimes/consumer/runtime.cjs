/**
 * Opens a license by `vtlic/runtime` where there is none, outside of production, and asks its admin page and its metrics
 * over HTTP. Prints what they say.
 */
const { once } = require('node:events');
const { createServer } = require('node:http');
const { mkdtempSync, readdirSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { makeTrust } = require('vtlic');
const { licenseAdmin, licenseMonitor, nodeListener } = require('vtlic/admin');
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

const origin = 'https://vaultdesk.example';

async function served(handler, ask) {
  const server = createServer(nodeListener(handler)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await ask(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** The states of the page, of a pasted text in a multipart form, and of one that another site sends. */
function askPage(license) {
  const admin = licenseAdmin(license, {
    origin,
    authorize: () => ({ name: 'ola', session: 'ola' }),
    stepUp: () => undefined,
    audit: () => undefined,
  });
  return served(admin, async (address) => {
    const page = await fetch(address);
    const [, token] = /name="token"\s+value="([^"]+)"/.exec(await page.text());
    const post = (sender) => {
      const body = new FormData();
      for (const [name, value] of Object.entries({ step: 'preview', token, pasted: 'x', file: new Blob([]) }))
        body.set(name, value);
      return fetch(address, { method: 'POST', body, headers: { origin: sender } });
    };
    return [page.status, (await post(origin)).status, (await post('https://evil.example')).status];
  });
}

function askMonitor(license) {
  const token = 'a-token-of-the-monitoring';
  return served(licenseMonitor(license, { token }), async (address) => {
    const metrics = await fetch(`${address}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    const [refused] = /^vtlic_license_refused_renewals_total .*$/m.exec(await metrics.text());
    return [(await fetch(`${address}/metrics`)).status, metrics.status, refused];
  });
}

openLicense(options)
  .then(async (license) => {
    const codes = license.view().warnings.map(({ code }) => code);
    const result = await license.install('x');
    const served = [...(await askPage(license)), ...(await askMonitor(license))];
    await license.close();
    console.log(license.entitlements.tier, ...codes.sort(), result.refusal.code, ...readdirSync(folder), ...served);
  })
  .finally(() => rmSync(folder, { recursive: true }));
