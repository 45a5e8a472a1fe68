/** What the reference runtime does in a history: a product with its files and its state in a temporary folder. */
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VtlicError } from '../../formats/error.ts';
import { builtInChain } from '../../verifier/keyset/index.ts';
import { openLicense, type LiveLicense } from '../../verifier/runtime/index.ts';
import { REASONS } from '../../verifier/reasons.ts';
import type { CaseFolder, FileInput, HistoryCase, HistoryExpected, HistoryStep } from './case.ts';
import { bytesOfInput } from './files.ts';
import { trustOfCase } from './judge.ts';

/** The first step on which the runtime and the case differ, in words; undefined where they agree. */
export async function judgeHistory(value: HistoryCase, { files }: CaseFolder): Promise<string | undefined> {
  const product = new Product(value, files);
  try {
    for (const [i, step] of value.steps.entries()) {
      const found = await product.take(step);
      const expected = 'expected' in step ? step.expected : undefined;
      if (expected === undefined) continue;
      if (!agrees(expected, found))
        return `step ${i + 1} (${step.do}): expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`;
    }
    return undefined;
  } finally {
    await product.remove();
  }
}

function agrees(expected: HistoryExpected, found: HistoryExpected | undefined): boolean {
  return (
    found !== undefined &&
    expected.inForce === found.inForce &&
    expected.verdict === found.verdict &&
    expected.reason === found.reason &&
    (expected.counter === undefined || expected.counter === found.counter)
  );
}

const REFUSES_TO_START: ReadonlySet<string> = new Set(['license_refused', 'configuration_invalid']);

/** Why no license is in force, beside the reasons of `verify()`. */
const WITHOUT_VERDICT: ReadonlySet<string> = new Set(['file_missing', 'not_yet_valid', 'lapsed']);

/**
 * How often a running product looks at the time here. The real one does so each minute, which would take minutes of a
 * test, and writes the time into the state each five minutes. So the state is right after each of these steps; what is
 * left over comes first. A run of less than five minutes comes into the state with the next restart.
 */
const STEP_SECONDS = 6 * 3600;

class Product {
  readonly #value: HistoryCase;
  readonly #files: CaseFolder['files'];
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'vtlic-history-'));
  #now = 0;
  /** The running time, in seconds. */
  #ran = 0;
  #license: LiveLicense | undefined;

  constructor(value: HistoryCase, files: CaseFolder['files']) {
    this.#value = value;
    this.#files = files;
  }

  async take(step: HistoryStep): Promise<HistoryExpected | undefined> {
    const state = this.#path('state');
    switch (step.do) {
      case 'set-time':
        await this.#run(step.now, step.ran ?? 0);
        break;
      case 'put-file':
        this.#put('license.vtlic', step.license);
        break;
      case 'rotate':
        this.#put('chain.keyset', step.keyset);
        break;
      case 'start':
      case 'restart':
        return this.#start();
      case 'tick':
        await this.#running().refresh();
        return this.#inForce();
      case 'install':
        return this.#install(step.license);
      case 'lose-state':
        await this.#stop();
        rmSync(state, { force: true });
        break;
      case 'save-state':
        await this.#stop();
        copyFileSync(state, `${state}.saved`);
        break;
      case 'restore-state':
        await this.#stop();
        copyFileSync(`${state}.saved`, state);
        break;
    }
    return undefined;
  }

  async remove(): Promise<void> {
    await this.#stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  /** The product looks at the time again and again, and last at the end. */
  async #run(now: number, seconds: number): Promise<void> {
    for (let left = seconds; left > 0;) {
      const step = left % STEP_SECONDS || STEP_SECONDS;
      left -= step;
      this.#ran += step;
      this.#now = now - left;
      await this.#running().refresh();
    }
    this.#now = now;
  }

  #put(name: string, input: FileInput | null): void {
    if (input === null) rmSync(this.#path(name), { force: true });
    else writeFileSync(this.#path(name), bytesOfInput(input, this.#files));
  }

  async #stop(): Promise<void> {
    await this.#license?.close();
    this.#license = undefined;
  }

  #running(): LiveLicense {
    if (this.#license === undefined) throw new Error('the product does not run in this step');
    return this.#license;
  }

  async #start(): Promise<HistoryExpected> {
    await this.#stop();
    const { trust, builtIn, environment = {}, context, production } = this.#value;
    const { issuer } = context;
    const keysets = this.#path('chain.keyset');
    try {
      this.#license = await openLicense({
        ...context,
        keys: builtIn === undefined ? trustOfCase(trust ?? { keys: [] }) : this.#chain(builtIn, issuer),
        production,
        environment: {
          ...environment,
          DEPLOYMENT_MODE: 'onprem',
          LICENSE_PATH: this.#path('license.vtlic'),
          LICENSE_STATE_PATH: this.#path('state'),
          ...(existsSync(keysets) ? { LICENSE_KEYSET_PATH: keysets } : {}),
        },
        freeTier: { tier: 'free', seats: 1, features: [], limits: {} },
        clocks: { clock: () => this.#now, monotonic: () => this.#ran },
      });
      return this.#inForce();
    } catch (error) {
      if (!(error instanceof VtlicError) || !REFUSES_TO_START.has(error.code)) throw error;
      const { code } = error.code === 'license_refused' ? (error.cause as { readonly code: string }) : error;
      return { inForce: 'refused_to_start', verdict: 'refused', reason: code };
    }
  }

  #chain(builtIn: FileInput, issuer: string): ReturnType<typeof builtInChain> {
    return builtInChain(bytesOfInput(builtIn, this.#files), { issuer });
  }

  async #install(input: FileInput): Promise<HistoryExpected> {
    const text = new TextDecoder().decode(bytesOfInput(input, this.#files));
    const result = await this.#running().install(text);
    const { inForce, counter } = this.#inForce();
    return {
      inForce,
      verdict: result.ok ? 'accepted' : 'refused',
      ...(result.ok ? {} : { reason: result.refusal.code }),
      ...(counter === undefined ? {} : { counter }),
    };
  }

  #inForce(): HistoryExpected {
    const { state, license, warnings } = this.#running().view();
    if (state === 'not_applicable') throw new Error('the product is not on premises');
    if (state !== 'free_tier')
      return { inForce: state, ...(license === undefined ? {} : { counter: license.counter }) };
    const why = warnings.find(({ code }) => Object.hasOwn(REASONS, code) || WITHOUT_VERDICT.has(code));
    return { inForce: state, ...(why === undefined ? {} : { reason: why.code }) };
  }
}
