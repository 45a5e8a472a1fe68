/** An example of `examples/` as a process of its own: installed as its README says, run by a user without privileges. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { exportPublicKey } from '../../keys/public/encodings/public-key-file.ts';
import { ROOT } from '../support/run-cli.ts';
import { isRoot, NOBODY } from '../support/unprivileged.ts';
import { DAY } from '../unit/verifier/runtime/product.ts';
import { ed25519Key, licenseFile } from '../unit/verifier/sample.ts';

export const EXAMPLES = ['node-http', 'fastify'] as const;
export type ExampleName = (typeof EXAMPLES)[number];

const ADMIN_PASSWORD = 'correct horse battery';
const METRICS_TOKEN = 'metrics-0123456789abcdef';
const TARBALL = 'vtlic-0.1.0.tgz';

let tarball: string | undefined;

/** A tarball of this checkout, since the one in `dist/` may be older. */
function packed(): string {
  if (tarball === undefined) {
    execFileSync(process.execPath, [join(ROOT, 'packages/build.ts')], { cwd: ROOT, stdio: 'ignore' });
    tarball = join(ROOT, 'dist', TARBALL);
  }
  return tarball;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Run {
  readonly environment?: Readonly<Record<string, string>>;
  /** A shell line that runs before the product, as root where it may, in the folder of the product. */
  readonly before?: string;
  /** Put before the shell that runs both. */
  readonly prefix?: readonly string[];
}

/** License, state, records and secrets are in `data/`, as `example.env` says. */
export class ExampleProduct {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'vtlic-example-'));
  readonly #now: number = Math.floor(Date.now() / 1000);
  #ports: readonly number[] = [];
  #process: ChildProcess | undefined;
  /** All that the product printed since its last start. */
  output = '';

  constructor(name: ExampleName) {
    cpSync(join(ROOT, 'examples', name), this.folder, {
      recursive: true,
      filter: (path) => !/\/(?:node_modules|data)$/.test(path),
    });
    cpSync(packed(), join(this.folder, TARBALL));
    this.write('vendor.pem', exportPublicKey(ed25519Key.publicKey, 'pem'));
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], {
      cwd: this.folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    mkdirSync(this.path('data'));
    this.write('data/admin-password', `${ADMIN_PASSWORD}\n`);
    this.write('data/metrics-token', `${METRICS_TOKEN}\n`);
    this.setClock(0);
    chmodSync(this.folder, 0o755);
    this.own('data');
  }

  path(name: string): string {
    return resolve(this.folder, name);
  }

  write(name: string, content: Uint8Array | string): void {
    writeFileSync(this.path(name), content);
  }

  /** Gives a folder to the user who runs the product. */
  own(name: string): void {
    if (isRoot) execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, this.path(name)]);
  }

  /** In days from now. The file is beside the license, so that the product notices the change at once. */
  setClock(days: number): void {
    this.write('data/clock', String(days));
  }

  /** A license for 250 seats (with `counter` 8 and later, 400), from yesterday on. */
  license(counter: number, days: number): Promise<Uint8Array> {
    const seats = counter > 7 ? 400 : 250;
    const nbf = this.#now - DAY;
    return licenseFile({
      ctr: counter,
      cti: `0193817a-6c00-7000-8000-00000000000${counter}`,
      seats,
      iat: nbf + counter,
      nbf,
      exp: this.#now + days * DAY,
      grace: 30 * DAY,
    });
  }

  async start({ environment = {}, before = 'true', prefix = [] }: Run = {}): Promise<void> {
    this.#ports = await freePorts(3);
    const [port, admin, monitor] = this.#ports.map(String);
    const user = isRoot && prefix.length === 0 ? `setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups` : '';
    const script = `${before} && exec ${user} "$0" --env-file=example.env server.js`;
    const all = [...prefix, 'sh', '-c', script, process.execPath];
    this.output = '';
    const child = spawn(all[0] ?? '', all.slice(1), {
      cwd: this.folder,
      env: {
        PATH: process.env['PATH'],
        TRY_CLOCK_FILE: 'data/clock',
        PORT: port,
        ADMIN_PORT: admin,
        MONITOR_PORT: monitor,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    await this.until(
      () => this.output.includes('vaultdesk:') || child.exitCode !== null,
      () => `the product does not start: ${this.output}`,
    );
    if (child.exitCode !== null) throw new Error(`exit ${child.exitCode}: ${this.output}`);
  }

  /** @returns its exit code */
  async stop(): Promise<number | null> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return child?.exitCode ?? null;
    child.kill('SIGTERM');
    await once(child, 'close');
    return child.exitCode;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async get(path: string): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.#ports[0]}${path}`);
    return { status: response.status, body: await response.json() };
  }

  async addUser(name: string): Promise<number> {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ name });
    return (await fetch(`http://127.0.0.1:${this.#ports[0]}/users`, { method: 'POST', headers, body })).status;
  }

  /** In one line: state, tier and seats. */
  async entitlements(): Promise<string> {
    const { state, tier, seats } = (await this.get('/entitlements')).body as Record<string, unknown>;
    return `${String(state)} ${String(tier)} ${String(seats)}`;
  }

  async untilEntitled(expected: string): Promise<void> {
    let last = '';
    await this.until(
      async () => (last = await this.entitlements()) === expected,
      () => `the product answers "${last}", expected "${expected}"; it printed: ${this.output}`,
    );
  }

  async until(condition: () => boolean | Promise<boolean>, fault: () => string): Promise<void> {
    const end = performance.now() + 90_000;
    while (!(await condition())) {
      if (performance.now() > end) throw new Error(fault());
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async metrics(): Promise<string> {
    const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
    return (await fetch(`http://127.0.0.1:${this.#ports[2]}/metrics`, { headers })).text();
  }

  async health(): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.#ports[2]}/health`);
    return { status: response.status, body: await response.json() };
  }

  /** The admin page as a browser meets it: every answer, and the hidden fields of its last form. */
  async adminPage(fields?: Readonly<Record<string, string>>, password: string = ADMIN_PASSWORD): Promise<AdminAnswer> {
    const origin = `http://127.0.0.1:${this.#ports[1]}`;
    const headers = { authorization: `Basic ${Buffer.from(`ola:${password}`).toString('base64')}`, origin };
    const form = new FormData();
    for (const [name, value] of Object.entries(fields ?? {})) form.set(name, value);
    const sent = fields === undefined ? {} : { method: 'POST', body: form };
    const response = await fetch(`${origin}/license`, { headers, ...sent });
    const html = await response.text();
    const hidden = [...html.matchAll(/<input\s+type="hidden"\s+name="(\w+)"\s+value="([^"]*)"/g)];
    return {
      status: response.status,
      text: html.replace(/<style>[^]*?<\/style>|<[^>]*>/g, ' ').replace(/\s+/g, ' '),
      hidden: Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value])),
    };
  }

  /** What an operator does: pastes, looks at the preview, types the password. */
  async paste(license: Uint8Array, proof: string = ADMIN_PASSWORD): Promise<AdminAnswer> {
    const { hidden } = await this.adminPage();
    const preview = await this.adminPage({ ...hidden, step: 'preview', pasted: Buffer.from(license).toString('utf8') });
    return preview.hidden['step'] === 'install' ? this.adminPage({ ...preview.hidden, proof }) : preview;
  }

  /** `npm run check` of the README. */
  check(environment: Readonly<Record<string, string>> = {}): { readonly status: number | null; readonly said: string } {
    const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'check'], {
      cwd: this.folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TRY_CLOCK_FILE: 'data/clock', ...environment },
    });
    return { status, said: stdout + stderr };
  }
}

export interface AdminAnswer {
  readonly status: number;
  readonly text: string;
  readonly hidden: Readonly<Record<string, string>>;
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
