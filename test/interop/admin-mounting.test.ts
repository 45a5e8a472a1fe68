/** The lines of docs/admin.md that mount the page, run as they are printed, with the real frameworks. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../support/run-cli.ts';
import { textOf } from '../unit/verifier/runtime/product.ts';
import { licenseFile } from '../unit/verifier/sample.ts';
import { installPinned } from './pinned-packages.ts';

const DOCUMENT = readFileSync(join(ROOT, 'docs/admin.md'), 'utf8');
const at = (path: string): string => JSON.stringify(pathToFileURL(join(ROOT, path)).href);

/** What the documents leave to the product: a license, and an operator who is always the same. */
const ADMIN_MODULE = `
import { licenseAdmin } from 'vtlic/admin';
import { Product } from ${at('test/unit/verifier/runtime/product.ts')};
const product = new Product();
await product.dropLicense({ ctr: 7 });
const license = await product.start();
process.on('SIGTERM', () => product.remove().then(() => process.exit(0)));
export const admin = licenseAdmin(license, {
  origin: 'http://127.0.0.1:8443',
  authorize: () => ({ name: 'Ola', session: 'ola' }),
  stepUp: ({ digest, proof }) => (proof === 'correct horse' ? digest : undefined),
  audit: () => undefined,
});
`;

let folder: string;
let child: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-mounting-'));
  const packages = join(folder, 'node_modules');
  mkdirSync(join(packages, 'vtlic'), { recursive: true });
  writeFileSync(join(packages, 'vtlic/package.json'), '{"name":"vtlic","exports":{"./admin":"./admin.mjs"}}');
  writeFileSync(join(packages, 'vtlic/admin.mjs'), `export * from ${at('verifier/admin/index.ts')};\n`);
  for (const name of ['express', 'fastify', 'hono'])
    symlinkSync(join(installPinned(), 'node_modules', name), join(packages, name));
  writeFileSync(join(folder, 'admin.mjs'), ADMIN_MODULE);
});
afterEach(async () => {
  if (child !== undefined && child.exitCode === null) {
    child.kill();
    await once(child, 'close');
  }
  rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Runs the block below the heading, on a port that is free. @returns the address of the page */
async function run(heading: string): Promise<string> {
  const [, code] = new RegExp(`\n### ${heading}\n\n\`\`\`js\n([^\`]+)\`\`\`\n`).exec(DOCUMENT) ?? [];
  const port = await freePort();
  expect(code).toContain('8443');
  writeFileSync(join(folder, 'server.mjs'), (code ?? '').replace('8443', String(port)));
  child = spawn(process.execPath, ['server.mjs'], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
  const page = `http://127.0.0.1:${port}/license`;
  for (let tries = 0; tries < 300; tries++) {
    try {
      await fetch(page);
      return page;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error('the server does not answer');
}

async function fieldsOf(response: Response): Promise<Record<string, string>> {
  const fields = (await response.text()).matchAll(/<input\s+type="hidden"\s+name="(\w+)"\s+value="([^"]*)"/g);
  return Object.fromEntries([...fields].map(([, name = '', value = '']) => [name, value]));
}

function post(
  page: string,
  fields: Readonly<Record<string, string>>,
  encoding: 'multipart' | 'plain',
): Promise<Response> {
  const body = encoding === 'multipart' ? new FormData() : new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return fetch(page, { method: 'POST', body, headers: { origin: 'http://127.0.0.1:8443' } });
}

describe.each(['node:http', 'Express', 'Fastify', 'Hono'])('the lines for %s', (heading) => {
  it('show the page, preview a renewal and install it, and refuse a body that is too large', async () => {
    const page = await run(heading);
    const first = await fetch(page);
    expect(first.status).toBe(200);
    expect(first.headers.get('content-security-policy')).toContain("default-src 'none'");
    const pasted = textOf(await licenseFile({ ctr: 8, seats: 400 }));
    const preview = await post(page, { ...(await fieldsOf(first)), pasted }, 'multipart');
    expect(preview.status).toBe(200);
    const done = await post(page, { ...(await fieldsOf(preview)), proof: 'correct horse' }, 'plain');
    expect(done.status).toBe(200);
    expect(await done.text()).toContain('The license is installed and in force.');
    expect((await fetch(page, { method: 'PUT', body: 'x' })).status).toBe(405);
    expect((await fetch(page, { method: 'HEAD' })).status).toBe(200);
    // The connection may be closed before all of it is sent, and then there is no answer to read.
    const large = await post(page, { pasted: 'a'.repeat(10_000_000) }, 'plain').catch(() => undefined);
    expect(large?.status ?? 413).toBe(413);
    expect((await fetch(page)).status).toBe(200);
  });
});
