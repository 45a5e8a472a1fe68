/** The product: its routes on PORT, the admin page on ADMIN_PORT, and metrics and health on MONITOR_PORT. */
import fastify from 'fastify';
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

const app = fastify({ bodyLimit: MAX_BODY_BYTES });
app.setReplySerializer((body) => `${JSON.stringify(body)}\n`);
const send = (reply, { status, body }) => reply.code(status).send(body);
app.get('/entitlements', async (_request, reply) => send(reply, await product.entitlements()));
app.get('/users', async (_request, reply) => send(reply, await product.users()));
app.post('/users', async ({ body }, reply) => send(reply, await product.addUser(body?.name)));
app.get('/audit-export', async (_request, reply) => send(reply, await product.auditExport()));

/** Fastify must not read the body: the page reads it itself, after it has looked at who sends it. */
function mounted(path, handler) {
  const server = fastify();
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _body, done) => done(null));
  const listener = nodeListener(handler, (error) => console.error(error));
  server.all(path, (request, reply) => {
    reply.hijack();
    listener(request.raw, reply.raw);
  });
  return server;
}

const page = adminPage(license, storage, { origin: ADMIN_ORIGIN, passwordFile: ADMIN_PASSWORD_FILE });
const servers = [app, mounted('/license', page), mounted('*', monitor(license, METRICS_TOKEN_FILE))];
const addresses = [
  [HOST, PORT],
  [ADMIN_HOST, ADMIN_PORT],
  [MONITOR_HOST, MONITOR_PORT],
];
await Promise.all(addresses.map(([host, port], i) => servers[i].listen({ host, port: Number(port) })));

console.log(`vaultdesk: ${license.state}, ${license.entitlements.tier}; admin page: ${ADMIN_ORIGIN}/license`);

async function stop() {
  await Promise.all(servers.map((server) => server.close()));
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
