/**
 * A site whose keys and anchor are in tokens, worked by the real command as processes. The module counts every call.
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PtyRun, runCli, type CliResult } from '../../support/run-cli.ts';
import { requestDocument } from '../../support/site-fixture.ts';
import type { LedgerView } from '../../../signer/ledger/ledger.ts';
import { openLedgerForReading } from '../../../signer/ledger/open.ts';
import { faulty, type FaultyToken } from './fault-proxy.ts';
import { runHere } from './run-here.ts';
import { open, type TestToken } from './test-token.ts';

const MAIN_THAT_STOPS = join(import.meta.dirname, '../../crash/main-that-stops.ts');

export interface TypedResult {
  readonly code: number | null;
  readonly output: string;
}

export class AnchoredSite {
  readonly folder: string;
  readonly site: string;
  readonly ledger: string;
  readonly token: FaultyToken;
  readonly #labels: Readonly<Record<string, string>>;
  #seen = 0;

  /**
   * @param labels keystore → token label
   * @param existing a site that stands; else `init` is the caller's
   */
  constructor(made: TestToken, labels: Readonly<Record<string, string>>, existing?: { readonly site: string }) {
    this.token = faulty(made, []);
    this.#labels = labels;
    this.folder = mkdtempSync(join(tmpdir(), 'vtlic-anchored-'));
    this.site = existing?.site ?? join(this.folder, 'site');
    this.ledger = join(this.site, 'ledger.sqlite');
    writeFileSync(join(this.folder, 'pin'), made.pin, { mode: 0o600 });
    writeFileSync(join(this.folder, 'wrong-pin'), 'no-such-pin-0000', { mode: 0o600 });
    writeFileSync(join(this.folder, 'request.json'), JSON.stringify(requestDocument()));
  }

  /** `--keystore` options of all tokens. */
  get keystores(): readonly string[] {
    return Object.entries(this.#labels).flatMap(([name, label]) => ['--keystore', `${name}=${this.uri(label)}`]);
  }

  uri(label: string): string {
    return `pkcs11:token=${label}?module-path=${this.token.module}`;
  }

  secret(...names: readonly string[]): readonly string[] {
    return names.flatMap((name) => ['--secret', `${name}=file:${join(this.folder, 'pin')}`]);
  }

  run(...args: readonly string[]): CliResult {
    return runCli(this.#at(args), { env: { ...this.token.environment } });
  }

  /** Gets the signal when the step has taken effect. */
  stopped(step: string, ...args: readonly string[]): CliResult {
    return runCli([step, 'SIGKILL', ...this.#at(args)], { main: MAIN_THAT_STOPS, env: { ...this.token.environment } });
  }

  /** At a pseudo-terminal; each answer is typed when its prompt is there. */
  async typed(
    args: readonly string[],
    answers: readonly (readonly [prompt: RegExp, answer: string])[],
    stopAt?: string,
  ): Promise<TypedResult> {
    const run = new PtyRun(stopAt === undefined ? this.#at(args) : [stopAt, 'SIGKILL', ...this.#at(args)], {
      env: { ...this.token.environment },
      ...(stopAt === undefined ? {} : { main: MAIN_THAT_STOPS }),
    });
    try {
      for (const [prompt, answer] of answers) {
        await run.until(prompt, 60_000);
        run.type(`${answer}\r`);
      }
      const code = await run.ended();
      return { code, output: run.output };
    } finally {
      run.kill();
    }
  }

  /** In this process: for what touches no token. */
  here(...args: readonly string[]): ReturnType<typeof runHere> {
    return runHere(this.#at(args));
  }

  async plan(): Promise<string> {
    return (await this.here('issue', join(this.folder, 'request.json'), '--dry-run')).stdout.trim();
  }

  async issue(...more: readonly string[]): Promise<CliResult> {
    return this.run('issue', '--confirm', await this.plan(), ...more);
  }

  /** How often each function was called since this was asked last. */
  calls(): ReadonlyMap<string, number> {
    const all = this.token.calls();
    const counts = new Map<string, number>();
    for (const call of all.slice(this.#seen)) counts.set(call, (counts.get(call) ?? 0) + 1);
    this.#seen = all.length;
    return counts;
  }

  logins(): number {
    return this.calls().get('C_Login') ?? 0;
  }

  read<T>(use: (ledger: LedgerView) => T): T {
    const ledger = openLedgerForReading(this.ledger);
    try {
      return use(ledger);
    } finally {
      ledger.close();
    }
  }

  entries(): number {
    return this.read((ledger) => ledger.head().entries);
  }

  /** The objects under a label in a token, and their bytes. */
  async data(label: string, object: string): Promise<readonly Uint8Array[]> {
    const token = await open(this.token, label);
    try {
      return (await token.readData(object)).map(({ bytes }) => bytes);
    } finally {
      await token.close();
      this.calls();
    }
  }

  /** One object in the place of all that have the label. */
  async replaceData(label: string, object: string, bytes: Uint8Array): Promise<void> {
    const token = await open(this.token, label);
    try {
      for (const old of await token.readData(object)) await token.destroyData(old);
      await token.createData(object, bytes);
    } finally {
      await token.close();
      this.calls();
    }
  }

  /** What a copy of the ledger's file would bring back; put in its place by `putBack`. */
  async copy(name: string): Promise<string> {
    const path = join(this.folder, name);
    const made = await this.here('ledger', 'backup', path);
    if (made.code !== 0) throw new Error(made.stderr);
    return path;
  }

  putBack(copy: string | undefined): void {
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.ledger + suffix, { force: true });
    if (copy !== undefined) copyFileSync(copy, this.ledger);
  }

  /** A change of site.json by hand, as the documents tell it. */
  edit(change: (site: { keystores: Record<string, { type: string; uri: string }> }) => void): void {
    const path = join(this.site, 'site.json');
    const site = JSON.parse(readFileSync(path, 'utf8')) as { keystores: Record<string, { type: string; uri: string }> };
    change(site);
    writeFileSync(path, JSON.stringify(site));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
    this.token.remove();
  }

  #at(args: readonly string[]): readonly string[] {
    return args[0] === 'init' || args[0] === 'help' ? args : [...args, '--site', this.site];
  }
}
