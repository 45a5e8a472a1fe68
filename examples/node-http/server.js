/** The product: its routes on PORT, the admin page on ADMIN_PORT, and metrics and health on MONITOR_PORT. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { nodeListener } from 'vtlic/admin';
import { openLicense } from 'vtlic/runtime';
import { adminPage, monitor } from './admin.js';
import { pool } from './database.js';
import options from './license-options.js';
import { vaultdesk } from './product.js';
import { openStorage } from './storage.js';

const MAX_BODY_BYTES = 10_000;

const {
  HOST = '127.0.0.1',
  PORT = '8080',
  ADMIN_HOST = '127.0.0.1',
  ADMIN_PORT = '8081',
  ADMIN_ORIGIN = `http://127.0.0.1:${ADMIN_PORT}`,
  ADMIN_PASSWORD_FILE,
  MONITOR_HOST = '127.0.0.1',
  MONITOR_PORT = '9464',
  METRICS_TOKEN_FILE,
  DATA_DIR = 'data',
} = process.env;

const license = await openLicense({ environment: process.env, ...options }).catch((error) => {
  console.error(`${error.message}${error.hint === undefined ? '' : `\nhint: ${error.hint}`}`);
  process.exit(20);
});
license.on('change', ({ state, entitlements }) => console.log(`license: ${state}, ${entitlements.tier}`));
for (const name of ['warning', 'refused'])
  license.on(name, ({ sentence, detail, remedy }) => console.warn(`license: ${sentence} (${detail}) ${remedy}`));

const storage = await openStorage(pool, DATA_DIR);
const product = vaultdesk(license, storage);

const ROUTES = {
  'GET /entitlements': () => product.entitlements(),
  'GET /users': () => product.users(),
  'POST /users': async (request) => product.addUser((await bodyOf(request))?.name),
  'GET /audit-export': () => product.auditExport(),
};

async function answer(request, response) {
  const route = ROUTES[`${request.method} ${new URL(request.url, 'http://product').pathname}`];
  const { status, body } =
    route === undefined ? { status: 404, body: { error: 'no such route' } } : await route(request);
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

function serve(request, response) {
  answer(request, response).catch((error) => {
    failed(error);
    response.destroy();
  });
}

/** @returns undefined for what is not JSON, or too long */
async function bodyOf(request) {
  const parts = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    return undefined;
  }
}

const failed = (error) => console.error(error);
const page = adminPage(license, storage, { origin: ADMIN_ORIGIN, passwordFile: ADMIN_PASSWORD_FILE });
const notFound = () => Promise.resolve(new Response('The page is at /license.\n', { status: 404 }));
const servers = [
  [HOST, PORT, serve],
  [
    ADMIN_HOST,
    ADMIN_PORT,
    nodeListener((request) => (new URL(request.url).pathname === '/license' ? page : notFound)(request), failed),
  ],
  [MONITOR_HOST, MONITOR_PORT, nodeListener(monitor(license, METRICS_TOKEN_FILE), failed)],
].map(([host, port, listener]) => createServer(listener).listen(Number(port), host));
await Promise.all(servers.map((server) => once(server, 'listening')));

console.log(`vaultdesk: ${license.state}, ${license.entitlements.tier}; admin page: ${ADMIN_ORIGIN}/license`);

async function stop() {
  for (const server of servers) {
    server.close();
    server.closeIdleConnections();
  }
  await license.close();
  await storage.close();
}
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    stop().catch((error) => {
      console.error(error);
      process.exitCode = 1;
    });
  });
