/** A site whose one keystore is a device that is not here: the fault proxy behaves like it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Entry } from '../../../signer/ledger/entries/entry.ts';
import { openLedgerForReading } from '../../../signer/ledger/open.ts';
import type { Terminal } from '../../../signer/cli/terminal.ts';
import type { Runtime } from '../../../signer/runtime.ts';
import type { Behavior } from '../../support/tokens/behaviors/behavior.ts';
import { requestDocument } from '../../support/site-fixture.ts';
import { faulty, type FaultyToken } from './fault-proxy.ts';
import { makeKryoptic } from './kryoptic.ts';
import { runHere, type RanHere } from '../../support/run-here.ts';
import { makeSofthsmWith } from './softhsm.ts';
import type { TestToken } from './test-token.ts';

const MAKE_OBJECTS = fileURLToPath(new URL('./make-objects.ts', import.meta.url));
const LIST_OBJECTS = fileURLToPath(new URL('./list-objects.ts', import.meta.url));

export interface TokenObject {
  readonly class: 'data' | 'public' | 'private' | 'secret' | 'other';
  readonly label: string;
  /** Hex digits. */
  readonly id: string;
}

/** One C_Login that a module got. */
export interface SeenLogin {
  readonly accepted: boolean;
  readonly user: string;
  /** Tells one PIN from another. */
  readonly pin: string;
}

export class DeviceSite {
  readonly behavior: Behavior;
  readonly folder: string;
  readonly site: string;
  readonly token: FaultyToken;
  readonly pinFile: string;
  readonly #made: TestToken;
  readonly #logins: string;

  /** @param made the module behind the proxy; default a new one */
  constructor(behavior: Behavior, made: TestToken = makeModule(behavior)) {
    this.behavior = behavior;
    this.#made = made;
    this.folder = mkdtempSync(join(tmpdir(), 'vtlic-device-'));
    this.site = join(this.folder, 'site');
    this.pinFile = join(this.folder, 'pin');
    this.#logins = join(this.folder, 'logins');
    writeFileSync(this.pinFile, behavior.pin, { mode: 0o600 });
    writeFileSync(join(this.folder, 'request.json'), JSON.stringify(requestDocument()));
    // The device's own variables are not those of the module behind the proxy.
    const variables = Object.entries(this.#made.environment).map(([name, value]) => `env ${name} ${value}`);
    this.token = faulty(this.#made, [
      ...variables,
      `logins ${this.#logins}`,
      ...behavior.device.map((line) => `device ${line}`),
    ]);
  }

  get request(): string {
    return join(this.folder, 'request.json');
  }

  /** How a keystore names the token. */
  get uri(): string {
    return `pkcs11:token=${encodeURIComponent(this.behavior.label)}?module-path=${this.token.module}`;
  }

  init(...more: readonly string[]): Promise<RanHere> {
    const options = ['--issuer', 'example-vendor', '--example-catalog', '--keystore', `h=${this.uri}`];
    return runHere(['init', this.site, ...options, ...more]);
  }

  /** A command that may open the token, with the right PIN. */
  run(args: readonly string[], runtime: Partial<Runtime> = {}, terminal?: Terminal): Promise<RanHere> {
    return this.runWith(this.pinFile, args, runtime, terminal);
  }

  /** @param pinFile undefined for a token that asks for no PIN */
  runWith(
    pinFile: string | undefined,
    args: readonly string[],
    runtime: Partial<Runtime> = {},
    terminal?: Terminal,
  ): Promise<RanHere> {
    const secret = pinFile === undefined ? [] : ['--secret', `h=file:${pinFile}`];
    return runHere([...args, '--site', this.site, '--untested-token', ...secret], runtime, terminal);
  }

  /** A command that opens no token. */
  runWithout(...args: readonly string[]): Promise<RanHere> {
    return runHere([...args, '--site', this.site]);
  }

  async plan(): Promise<string> {
    return (await this.runWithout('issue', this.request, '--dry-run')).stdout.trim();
  }

  /** A second site with the same token. The first one removes it. */
  another(): DeviceSite {
    return new DeviceSite(this.behavior, { ...this.#made, remove: () => {} });
  }

  /** The pair that another role makes with the vendor's own tool. */
  makeAdoptable(label: string, id: string): void {
    this.#make('good', label, id);
  }

  /** The same for the ML-DSA component of a split key. */
  makeAdoptableMlDsa(label: string, id: string): void {
    this.#make('ml-dsa', label, id);
  }

  /** A pair whose private key can be read. */
  makeExtractable(): void {
    this.#make('extractable');
  }

  /** Destroys the objects of this id (hex digits), as another program does. */
  destroy(id: string): void {
    this.#make('nothing', '', id);
  }

  #make(...what: readonly string[]): void {
    const done = spawnSync(process.execPath, [MAKE_OBJECTS, this.#made.module, this.behavior.pin, ...what], {
      env: { ...process.env, ...this.#made.environment },
      encoding: 'utf8',
    });
    if (done.stdout !== 'done\n') throw new Error(done.stderr);
  }

  /** What is in the module behind the proxy, in one order. */
  objects(): readonly TokenObject[] {
    const done = spawnSync(
      process.execPath,
      [LIST_OBJECTS, this.#made.module, this.behavior.label, this.behavior.pin],
      { env: { ...process.env, ...this.#made.environment }, encoding: 'utf8' },
    );
    if (done.stdout === '') throw new Error(done.stderr);
    const nameOf = ({ class: kind, label, id }: TokenObject): string => `${kind} ${id} ${label}`;
    const objects = JSON.parse(done.stdout) as readonly TokenObject[];
    return objects.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  }

  /** In their order, over all hosts. */
  logins(): readonly SeenLogin[] {
    if (!existsSync(this.#logins)) return [];
    return readFileSync(this.#logins, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [rv, user = '', pin = ''] = line.split(' ');
        return { accepted: rv === '0x0', user, pin };
      });
  }

  entries(): readonly Entry[] {
    const ledger = openLedgerForReading(join(this.site, 'ledger.sqlite'));
    try {
      return [...ledger.entriesFrom(1)];
    } finally {
      ledger.close();
    }
  }

  /** Released license files. */
  released(): readonly string[] {
    const out = join(this.site, 'out');
    if (!existsSync(out)) return [];
    return readdirSync(out, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.vtlic'))
      .map((entry) => join(entry.parentPath, entry.name));
  }

  verify(file: string): Promise<RanHere> {
    return this.runWithout('verify', file, '--product', 'vaultdesk', '--deployment', 'prod-eu');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
    this.#made.remove();
  }
}

function makeModule({ module, pin, label, point }: Behavior): TestToken {
  return module === 'softhsm' ? makeSofthsmWith(pin, label) : makeKryoptic([label], point ?? 'Bytes', 'all', pin);
}
