/** Kills products at chosen calls and at random times, and looks at what the next start makes of it. */
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeState } from '../../../verifier/runtime/state-document.ts';
import { packMain } from '../../support/pack-main.ts';
import { licenseFile } from '../../unit/verifier/sample.ts';
import type { Random } from '../campaign/random.ts';
import { openProduct } from './product-on-disk.ts';

export type Act = 'boot' | 'install';
export type Point = 'none' | `before ${number}` | `after ${number}` | { readonly milliseconds: number };

export interface Killed {
  readonly at: string;
  /** What went wrong; empty: nothing did. */
  readonly problems: readonly string[];
}

const OLD = 7;
const RENEWED = 8;
const LONGEST_MILLISECONDS = 60_000;

export class ProductKills {
  readonly #main: string;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'vtlic-kills-'));

  private constructor(main: string) {
    this.#main = main;
  }

  static async prepare(): Promise<ProductKills> {
    const kills = new ProductKills(await packMain('test/crash/runtime/product-that-dies.ts'));
    writeFileSync(join(kills.#folder, 'old.vtlic'), await licenseFile({ ctr: OLD }));
    writeFileSync(join(kills.#folder, 'renewal.vtlic'), await licenseFile({ ctr: RENEWED }));
    const started = kills.#place('boot');
    await (await openProduct(started)).close();
    copyFileSync(join(started, 'license.state'), join(kills.#folder, 'old.state'));
    rmSync(started, { recursive: true });
    return kills;
  }

  /** How many calls change the disk, from the start to the end. */
  async calls(act: Act): Promise<number> {
    const folder = this.#place(act);
    const { output } = await this.#run('none', folder, act);
    rmSync(folder, { recursive: true });
    return Number(/^calls (\d+)$/m.exec(output)?.[1]);
  }

  async kill(act: Act, point: Point): Promise<Killed> {
    const folder = this.#place(act);
    try {
      const { output, signal } = await this.#run(point, folder, act);
      const at = signal === 'SIGKILL' ? output.trim() || 'at a random time' : 'not killed';
      return { at: `${act}: ${at}`, problems: await this.#look(folder, act) };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  /** A first boot has no state; an installation begins with a product that has run. */
  #place(act: Act): string {
    const folder = mkdtempSync(join(this.#folder, 'product-'));
    copyFileSync(join(this.#folder, 'old.vtlic'), join(folder, 'license.vtlic'));
    copyFileSync(join(this.#folder, 'renewal.vtlic'), join(folder, 'renewal.vtlic'));
    if (act === 'install') copyFileSync(join(this.#folder, 'old.state'), join(folder, 'license.state'));
    return folder;
  }

  #run(point: Point, folder: string, act: Act): Promise<{ readonly output: string; readonly signal: string | null }> {
    return new Promise((resolve, reject) => {
      const spec = typeof point === 'string' ? point : 'none';
      const child = spawn(process.execPath, [this.#main, spec, folder, act], { stdio: ['ignore', 'pipe', 'pipe'] });
      const kill = (milliseconds: number): NodeJS.Timeout => setTimeout(() => child.kill('SIGKILL'), milliseconds);
      const timer = kill(typeof point === 'string' ? LONGEST_MILLISECONDS : point.milliseconds);
      let [output, errors] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
      child.once('error', reject);
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        if (code === 0 || signal === 'SIGKILL') resolve({ output, signal });
        else reject(new Error(`the product ended with ${code}: ${errors}`));
      });
    });
  }

  /** State never went back, the next start is not refused, and the renewal can be installed. */
  async #look(folder: string, act: Act): Promise<readonly string[]> {
    const problems: string[] = [];
    const written = counterIn(folder);
    if (written === 'corrupt') problems.push('the state is corrupt');
    if (act === 'install' && written !== 'corrupt' && written < OLD) problems.push(`the state went back to ${written}`);
    const inFile = readFileSync(join(folder, 'license.vtlic'), 'utf8');
    if (!['old.vtlic', 'renewal.vtlic'].some((name) => readFileSync(join(this.#folder, name), 'utf8') === inFile))
      problems.push('the license file is neither the old nor the new one');
    try {
      const license = await openProduct(folder);
      const counter = license.view().license?.counter ?? 0;
      if (license.state !== 'active') problems.push(`the next start gives ${license.state}`);
      if (written !== 'corrupt' && counter < written) problems.push(`${counter} is in force after ${written}`);
      const result = await license.install(readFileSync(join(folder, 'renewal.vtlic'), 'utf8'));
      if (!result.ok) problems.push(`the renewal is refused: ${result.refusal.code} (${result.refusal.detail})`);
      await license.close();
      if (counterIn(folder) !== RENEWED) problems.push('the renewal is not in the state');
    } catch (error) {
      problems.push(`the next start is refused: ${error instanceof Error ? error.message : ''}`);
    }
    return problems;
  }
}

/** The highest counter in the state file; 0 where there is none. */
function counterIn(folder: string): number | 'corrupt' {
  const path = join(folder, 'license.state');
  if (!existsSync(path)) return 0;
  const decoded = decodeState(readFileSync(path));
  return decoded.ok ? Math.max(0, ...decoded.state.entries.map(({ counter }) => counter)) : 'corrupt';
}

/**
 * Every call once before and once after, of a first boot and of an installation; the rest at random times.
 *
 * @param lanes how many products at a time
 */
export async function killProducts(
  { kills, lanes, random }: { readonly kills: number; readonly lanes: number; readonly random: Random },
  tell: (killed: Killed) => void,
): Promise<void> {
  const products = await ProductKills.prepare();
  try {
    const queue: [Act, Point][] = [];
    for (const act of ['boot', 'install'] as const) {
      const calls = await products.calls(act);
      for (let call = 1; call <= calls; call++) queue.push([act, `before ${call}`], [act, `after ${call}`]);
    }
    while (queue.length < kills)
      queue.push([random.pick(['boot', 'install', 'install']), { milliseconds: 40 + random.below(160) }]);
    const lane = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) tell(await products.kill(...next));
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  } finally {
    products.remove();
  }
}
