/**
 * The README of each example as its reader meets it: every shell block runs as it is printed, in a copy of the checkout
 * that has nothing installed. Only the three ports are replaced, since a test must not take those of the machine.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/run-cli.ts';
import { EXAMPLES } from './example-product.ts';

const checkout = mkdtempSync(join(tmpdir(), 'vtlic-readme-'));
let ports: readonly string[];
let running: ChildProcess | undefined;

/** What git would check out, with what is not committed yet. */
beforeAll(async () => {
  if (spawnSync('curl', ['--version']).error !== undefined)
    throw new Error('curl is needed (Debian: apt-get install -y curl)');
  const listed = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' });
  const unneeded = /^(?:test|bench)\//;
  for (const path of listed.split('\0').filter((name) => name !== '' && !unneeded.test(name)))
    cpSync(join(ROOT, path), join(checkout, path), { recursive: true });
  ports = await Promise.all(Array.from({ length: 3 }, freePort));
});
afterEach(stop);
afterAll(() => rmSync(checkout, { recursive: true }));

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return String(port);
}

const PORTS = ['8080', '8081', '9464'];
const withPorts = (text: string): string =>
  text.replaceAll(/:(8080|8081|9464)\b/g, (_whole, port: string) => `:${ports[PORTS.indexOf(port)]}`);

function environment(): NodeJS.ProcessEnv {
  const [PORT, ADMIN_PORT, MONITOR_PORT] = ports;
  const { PATH, HOME, NODE_EXTRA_CA_CERTS, SSL_CERT_FILE } = process.env;
  return {
    PATH,
    HOME,
    NODE_EXTRA_CA_CERTS,
    SSL_CERT_FILE,
    TERM: 'xterm',
    npm_config_progress: 'false',
    PORT,
    ADMIN_PORT,
    MONITOR_PORT,
  };
}

/** Runs lines in a terminal, and types `Yes` where it is asked for. @returns what the terminal showed */
async function type(lines: string, folder: string): Promise<string> {
  const command = `bash -euc '${withPorts(lines).replaceAll("'", String.raw`'\''`)}'`;
  const child = spawn('script', ['-q', '-e', '-f', '-c', command, '/dev/null'], { cwd: folder, env: environment() });
  let shown = '';
  let asked = 0;
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      const prompts = shown.split('Type Yes').length - 1;
      if (prompts > asked) child.stdin.write('Yes\r');
      asked = prompts;
    });
  await once(child, 'close');
  expect(child.exitCode, `${lines}\n${shown}`).toBe(0);
  return shown;
}

/** Starts the product by the last line of a block, and waits until it listens. */
async function start(line: string, folder: string): Promise<void> {
  const child = spawn('bash', ['-c', line], {
    cwd: folder,
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running = child;
  let shown = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (shown += text));
  const end = performance.now() + 120_000;
  while (!shown.includes('vaultdesk: ')) {
    if (child.exitCode !== null || performance.now() > end) throw new Error(`the product does not start: ${shown}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Runs a block whose last line starts the product. @returns what the terminal showed before that line */
async function typeAndStart(block: string, folder: string): Promise<string> {
  const lines = block.trimEnd().split('\n');
  const last = lines.pop() ?? '';
  expect(last).toMatch(/npm start$/);
  const shown = await type(lines.join('\n'), folder);
  await start(last, folder);
  return shown;
}

const answerOf = async (path: string): Promise<unknown> => (await fetch(`http://127.0.0.1:${ports[0]}${path}`)).json();

/** As Ctrl-C does: for all processes of the terminal. */
async function stop(): Promise<void> {
  const child = running;
  running = undefined;
  if (child?.pid === undefined || child.exitCode !== null) return;
  process.kill(-child.pid, 'SIGINT');
  await once(child, 'close');
}

interface Block {
  readonly language: string;
  readonly text: string;
}

function blocksOf(name: string): readonly Block[] {
  const readme = readFileSync(join(checkout, 'examples', name, 'README.md'), 'utf8');
  const [upToDocker = ''] = readme.split('## With Docker');
  return [...upToDocker.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
}

async function expectConsole(text: string, folder: string): Promise<void> {
  for (const [, command = '', output = ''] of text.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)) {
    const shown = execFileSync('bash', ['-c', withPorts(command)], {
      cwd: folder,
      env: environment(),
      encoding: 'utf8',
    });
    expect(`$ ${command}\n${shown}`).toBe(`$ ${command}\n${output}`);
  }
}

describe.each(EXAMPLES)('the README of the example %s', (name) => {
  it('has lines that build it, start it, and see it expire and renewed', { timeout: 900_000 }, async () => {
    const blocks = blocksOf(name);
    expect(blocks.map(({ language }) => language)).toEqual(['sh', 'sh', 'console', 'sh', 'console', 'sh', 'sh']);
    const [build, first, asked, again, expired, renewal, anew] = blocks.map(({ text }) => text) as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    const folder = join(checkout, 'examples', name);
    // The first lines are for the whole checkout, and the first example has run them.
    const isBuilt = name !== EXAMPLES[0];
    await type(isBuilt ? build.replace('npm ci\nnpm run build\n', '') : build, checkout);
    expect(await typeAndStart(first, folder)).toContain('full: the product starts with its license');
    await expectConsole(asked, folder);
    await stop();
    await typeAndStart(again, folder);
    await expectConsole(expired, folder);
    const pasted = await type(renewal, folder);
    await installPasted(pasted, readFileSync(join(folder, 'data/admin-password'), 'utf8').trim());
    const full = { state: 'active', tier: 'enterprise', seats: 250 };
    expect(await answerOf('/entitlements')).toMatchObject(full);
    await stop();
    await typeAndStart(anew, folder);
    expect(await answerOf('/entitlements')).toMatchObject(full);
    expect(await answerOf('/users')).toEqual(['ada']);
    await stop();
    expect(dirname(folder)).toBe(join(checkout, 'examples'));
  });
});

/** What a person does with the admin page: paste all that the terminal showed, and type the password. */
async function installPasted(pasted: string, password: string): Promise<void> {
  const origin = `http://127.0.0.1:${ports[1]}`;
  const headers = { authorization: `Basic ${Buffer.from(`ola:${password}`).toString('base64')}`, origin };
  const send = async (fields?: Readonly<Record<string, string>>): Promise<string> => {
    const body = new FormData();
    for (const [field, value] of Object.entries(fields ?? {})) body.set(field, value);
    const sent = fields === undefined ? {} : { method: 'POST', body };
    return (await fetch(`${origin}/license`, { headers, ...sent })).text();
  };
  const fieldsOf = (html: string): Record<string, string> =>
    Object.fromEntries(
      [...html.matchAll(/<input\s+type="hidden"\s+name="(\w+)"\s+value="([^"]*)"/g)].map(
        ([, field = '', value = '']) => [field, value],
      ),
    );
  const preview = await send({ ...fieldsOf(await send()), pasted });
  expect(await send({ ...fieldsOf(preview), proof: password })).toContain('The license is installed and in force.');
}
