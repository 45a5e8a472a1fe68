/**
 * Removes a guard from a copy of the tree and runs the test that must notice it.
 *
 * A copy has its own files, and the modules and the Node of the checkout. Two copies work in parallel, each on one
 * guard at a time.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ROOT } from '../support/run-cli.ts';
import type { Guard } from './guard.ts';

/** Folders that a copy does not need, or that it takes from the checkout. */
const NOT_COPIED: ReadonlySet<string> = new Set(['.git', 'node_modules', 'dist']);

/**
 * The source without the guard.
 *
 * @throws Error where the text is not there exactly once: the guard was moved or changed, and its entry must follow
 */
export function withoutGuard(source: string, { does, file, find, replace }: Guard): string {
  const characters = Array.from(find.replaceAll(/\s/g, ''), (character) => character.replace(/[^\w"' ]/, '\\$&'));
  const pattern = new RegExp(characters.join('\\s*'), 'g');
  const found = find === '' ? 0 : [...source.matchAll(pattern)].length;
  if (found !== 1)
    throw new Error(`the guard "${does}" should be in ${file} exactly once, but it is there ${found} times: ${find}`);
  return source.replace(pattern, () => replace);
}

/** Tests on real tokens have a configuration of their own, and need what docs/testing.md says. */
export function needsTokens(test: string): boolean {
  return test.startsWith('test/pkcs11/');
}

/** `survived`: the test is green without the guard. `broken`: the test did not run. */
export type Outcome = 'noticed' | 'survived' | 'broken';

export interface Tried {
  readonly guard: Guard;
  readonly outcome: Outcome;
  /** What the test run printed, for an outcome other than `noticed`. */
  readonly output: string;
}

interface TestRun {
  readonly passed: number;
  readonly failed: number;
  readonly output: string;
}

/** A copy of the tree in a temporary folder. */
export class TreeCopy {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'vtlic-guards-'));

  constructor() {
    cpSync(ROOT, this.#folder, {
      recursive: true,
      filter: (path) => !NOT_COPIED.has(relative(ROOT, path)),
    });
    symlinkSync(join(ROOT, 'node_modules'), join(this.#folder, 'node_modules'));
  }

  /** Whether the tests are green with every guard in its place; otherwise a red test proves nothing. */
  async isGreen(...tests: readonly string[]): Promise<TestRun & { readonly green: boolean }> {
    const run = await this.#run(tests);
    return { ...run, green: run.passed > 0 && run.failed === 0 };
  }

  async tryWithout(guard: Guard): Promise<Tried> {
    const path = join(this.#folder, guard.file);
    const source = readFileSync(path, 'utf8');
    writeFileSync(path, withoutGuard(source, guard));
    try {
      const { passed, failed, output } = await this.#run([guard.test, '--bail', '1']);
      if (failed > 0) return { guard, outcome: 'noticed', output: '' };
      return { guard, outcome: passed > 0 ? 'survived' : 'broken', output };
    } finally {
      writeFileSync(path, source);
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #run(args: readonly string[]): Promise<TestRun> {
    const report = join(this.#folder, 'report.json');
    rmSync(report, { force: true });
    const kind = args.some(needsTokens) ? 'pkcs11' : 'guards';
    const config = join(this.#folder, `test/${kind}/vitest.config.ts`);
    const child = spawn(
      process.execPath,
      [
        join(this.#folder, 'node_modules/vitest/vitest.mjs'),
        'run',
        '--config',
        config,
        '--reporter=json',
        `--outputFile=${report}`,
        ...args,
      ],
      { cwd: this.#folder, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_NO_WARNINGS: '1' } },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    await once(child, 'close');
    try {
      const { numPassedTests: passed, numFailedTests: failed } = JSON.parse(readFileSync(report, 'utf8')) as {
        readonly numPassedTests: number;
        readonly numFailedTests: number;
      };
      return { passed, failed, output };
    } catch {
      return { passed: 0, failed: 0, output };
    }
  }
}
