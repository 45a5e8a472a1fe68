/** Runs `main-that-dies.ts`, packed, and waits for its end. */
import { spawn } from 'node:child_process';
import { packMain } from '../../support/pack-main.ts';
import { baseEnv, ROOT } from '../../support/run-cli.ts';
import { diskFaultEnv } from '../disk-faults/build-disk-faults.ts';
import type { KillPoint } from './kill-point.ts';

const LONGEST_MS = 120_000;

export interface Ended {
  readonly killed: boolean;
  /** Name of the point at which it was killed. */
  readonly at: string;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From the first call of the file system to the end. */
  readonly milliseconds: number;
}

export interface DyingOptions {
  /** Holds everything that the process writes to. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Done while the process is stopped at its point; then it goes on. */
  readonly whileStopped?: () => Promise<void>;
}

export async function runToDeath(
  args: readonly string[],
  point: KillPoint,
  { folder, env, whileStopped }: DyingOptions,
): Promise<Ended> {
  const main = await packMain('test/crash/campaign/main-that-dies.ts');
  return new Promise((resolve, reject) => {
    const disk = point.kind === 'syscall' ? diskFaultEnv(folder, { at: point.count, how: `kill-${point.when}` }) : {};
    // A session of its own: what a terminal sends to a group of processes does not come here.
    const child = spawn(process.execPath, [main, JSON.stringify(point), folder, ...args], {
      cwd: ROOT,
      env: baseEnv({ ...env, ...disk }),
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const texts = ['', '', '', ''];
    let began = 0;
    let timer: NodeJS.Timeout | undefined;
    let outside = false;
    const limit = setTimeout(() => {
      child.kill('SIGKILL');
      reject(
        new Error(
          `this did not end within ${LONGEST_MS / 1000} s: vtlic ${args.join(' ')}, ${JSON.stringify(point)}\n${texts.join('\n')}`,
        ),
      );
    }, LONGEST_MS);
    for (const fd of [1, 2, 3] as const) {
      const stream = child.stdio[fd];
      stream?.on('data', (chunk: Buffer) => {
        texts[fd] += chunk.toString('utf8');
        if (fd === 3 && whileStopped !== undefined && chunk.includes('at ')) {
          void whileStopped()
            .catch(reject)
            .finally(() => child.kill('SIGCONT'));
        }
        if (fd !== 3 || began !== 0) return;
        began = performance.now();
        if (point.kind !== 'time') return;
        timer = setTimeout(() => {
          outside = child.kill('SIGKILL');
        }, point.milliseconds);
      });
    }
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      clearTimeout(limit);
      const at =
        /^at (.+)$/m.exec(texts[3] ?? '')?.[1] ??
        (outside ? 'at a random time' : point.kind === 'syscall' ? `${point.when} a call of libc` : '');
      resolve({
        killed: signal === 'SIGKILL',
        at,
        code,
        stdout: texts[1] ?? '',
        stderr: texts[2] ?? '',
        milliseconds: began === 0 ? 0 : performance.now() - began,
      });
    });
  });
}
