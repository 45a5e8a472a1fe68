/** Runs the real command as a process: by itself, or in a real pseudo-terminal. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT: string = join(import.meta.dirname, '../..');
export const MAIN: string = join(ROOT, 'signer/cli/main.ts');

/** Environment variable of a test run: JSON, source of a main file → the same packed in one. */
export const PACKED = 'VTLIC_TEST_PACKED';
const packed = new Map(Object.entries(JSON.parse(process.env[PACKED] ?? '{}') as Readonly<Record<string, string>>));

function mainOf({ main = MAIN }: CliOptions): string {
  return packed.get(main) ?? main;
}

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Another entry file than the real one (the crash tests'). */
  readonly main?: string;
  /** Another Node than the one that runs the tests. */
  readonly node?: string;
  readonly nodeArgs?: readonly string[];
  /** A command put before it, such as `setpriv …`. */
  readonly prefix?: readonly string[];
}

/** Node's cache of stripped and compiled modules: halves the start of a process, and there are hundreds. */
export const COMPILE_CACHE: string = join(ROOT, 'node_modules/.cache/vtlic-compile');

export function baseEnv(extra: CliOptions['env']): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    LANG: 'C.UTF-8',
    NODE_NO_WARNINGS: '1',
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    ...extra,
  };
}

/** No terminal: a session of its own (`setsid`), so that `/dev/tty` cannot be opened, as in a build job. */
export function runCli(args: readonly string[], options: CliOptions = {}): CliResult {
  const command = [
    ...(options.prefix ?? []),
    options.node ?? process.execPath,
    ...(options.nodeArgs ?? []),
    mainOf(options),
    ...args,
  ];
  const done = spawnSync('setsid', ['--wait', ...command], {
    cwd: options.cwd ?? ROOT,
    env: baseEnv(options.env),
    input: options.input ?? '',
    maxBuffer: 1 << 28,
  });
  if (done.error !== undefined) throw done.error;
  return {
    code: done.status,
    signal: done.signal,
    stdout: done.stdout.toString('utf8'),
    stderr: done.stderr.toString('utf8'),
  };
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A process in a pseudo-terminal made by `script` (util-linux, on every Debian). */
export class PtyRun {
  readonly #child: ChildProcess;
  #output = '';
  #exit: number | null = null;
  #isOver = false;
  readonly #ended: Promise<number | null>;
  readonly #watchers = new Set<() => void>();

  constructor(args: readonly string[], options: CliOptions = {}) {
    const command = [...(options.prefix ?? []), process.execPath, ...(options.nodeArgs ?? []), mainOf(options), ...args]
      .map(shellQuote)
      .join(' ');
    this.#child = spawn('script', ['-q', '-e', '-f', '-c', `exec ${command}`, '/dev/null'], {
      cwd: options.cwd ?? ROOT,
      env: { ...baseEnv(options.env), TERM: 'xterm', SHELL: '/bin/sh' },
    });
    const take = (chunk: Buffer): void => {
      this.#output += chunk.toString('utf8');
      for (const watcher of this.#watchers) watcher();
    };
    this.#child.stdout?.on('data', take);
    this.#child.stderr?.on('data', take);
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', (code) => {
        this.#exit = code;
        this.#isOver = true;
        for (const watcher of this.#watchers) watcher();
        resolve(code);
      });
    });
  }

  /** Everything that the terminal has shown. */
  get output(): string {
    return this.#output;
  }

  /** Waits until the terminal has shown `pattern` after what was already matched. */
  async until(pattern: RegExp, milliseconds = 20_000): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(this.#output)) finish(resolve);
        else if (this.#exit !== null)
          finish(() => {
            reject(new Error(`the process ended (${this.#exit}) before it showed ${pattern}:\n${this.#output}`));
          });
      };
      const timer = setTimeout(() => {
        finish(() => {
          reject(new Error(`did not show ${pattern}:\n${this.#output}`));
        });
      }, milliseconds);
      const finish = (how: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        how();
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** The process of `script`: it stops and continues together with the command. */
  get scriptPid(): number {
    return this.#child.pid ?? 0;
  }

  /** The process of the command, the only child of `script`. */
  get pid(): number {
    const script = this.scriptPid;
    return Number(readFileSync(`/proc/${script}/task/${script}/children`, 'utf8'));
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  async ended(): Promise<number | null> {
    return this.#ended;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
