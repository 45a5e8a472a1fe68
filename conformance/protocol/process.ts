/**
 * A harness as a process. Each request is one line to it, each answer one line from it, with a limit of time and size.
 * Whatever the process does, a request ends with an answer or with a fault, and no process of it is left behind.
 */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanText } from '../../formats/clean-text.ts';
import {
  decodeAnswer,
  decodeHello,
  faulty,
  MAX_ANSWER_BYTES,
  PROTOCOL,
  requestLine,
  type Answer,
  type Decoded,
  type HarnessFault,
  type Hello,
  type Request,
} from './protocol.ts';

/** Whatever answers requests: a process, a command that is started anew for each, or a verifier in this process. */
export interface Harness {
  readonly hello: Hello;
  /** An expected answer as this harness can give it; undefined: it cannot, and is not asked. */
  readonly expectable: (expected: Answer) => Answer | undefined;
  ask(request: Request): Promise<Decoded<Answer>>;
  /** @returns what was wrong at the end; undefined: nothing */
  close(): Promise<HarnessFault | undefined>;
  /** Ends it at once. */
  kill(): void;
}

export interface Limits {
  /** For one answer, and for the end of the process when its input has ended. */
  readonly answerMilliseconds: number;
  /** For the answer to `hello`, since some languages start slowly. */
  readonly startMilliseconds: number;
}

const MAX_STDERR = 4096;
/** What a process that has ended wrote before arrives within this time. */
export const DRAIN_MILLISECONDS = 300;

/** The process groups that are alive, and the folders with files for them: none of them survives the runner. */
const groups = new Set<number>();
const folders = new Set<string>();

/**
 * This variable is in the environment of all that a harness starts. On Linux the runner finds by it a process that left
 * the group. Its name is of this run only, so that a harness that runs `vtlic-conform` itself passes it on.
 */
const MARK = `VTLIC_CONFORM_RUN_${randomUUID().replaceAll('-', '')}`;

/** The environment of a harness. */
export function markedEnvironment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { ...process.env, ...more, [MARK]: '1' };
}

/** Ends every harness at once, also when a signal ends the runner. */
export function killAllHarnesses(): void {
  for (const group of groups) killGroup(group);
  let empty = 0;
  for (let sweep = 0; sweep < MAX_SWEEPS && empty < EMPTY_SWEEPS; sweep++) empty = killMarked() > 0 ? 0 : empty + 1;
  for (const folder of folders) removeHarnessFolder(folder);
}

/** While the runner reads the list, a process may start another one and end, so that one sweep may miss both. */
const EMPTY_SWEEPS = 3;
const MAX_SWEEPS = 30;

/** @returns how many were found */
function killMarked(): number {
  let found = 0;
  for (const pid of processIds())
    try {
      const variables = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
      if (!variables.includes(`${MARK}=1`)) continue;
      process.kill(Number(pid), 'SIGKILL');
      found++;
    } catch {
      // It has ended, or is of another user.
    }
  return found;
}

/** @returns the ids of all processes, or none where the system does not list them as files */
function processIds(): readonly string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

export function makeHarnessFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vtlic-conform-'));
  folders.add(folder);
  return folder;
}

export function removeHarnessFolder(folder: string): void {
  try {
    makeRemovable(folder);
    rmSync(folder, { recursive: true, force: true });
    folders.delete(folder);
  } catch {
    // A process of the harness may still write into it. When all are ended, the runner removes it again.
  }
}

/** A harness may have taken its own permissions away. A link in place of a folder is not followed. */
function makeRemovable(folder: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  chmodSync(folder, 0o700);
  for (const item of readdirSync(folder, { withFileTypes: true }))
    if (item.isDirectory()) makeRemovable(join(folder, item.name));
}

export function keepGroup(pid: number): void {
  groups.add(pid);
}

export function killGroup(pid: number): void {
  groups.delete(pid);
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The whole group has ended already.
  }
}

/**
 * Starts a program in a process group of its own, so that what the program starts ends with it.
 *
 * @returns the error where `spawn` throws at once, as it does without memory; other errors are the event `error`
 */
export function spawnGroup(
  program: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess | NodeJS.ErrnoException {
  try {
    return spawn(program, args, { ...options, detached: true });
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

/** A program that could not be started. @param error what `spawn` says */
export function cannotStart(program: string, error: NodeJS.ErrnoException): Decoded<never> {
  return faulty('cannot_start', `cannot start ${cleanText(program)}: ${whyNotStarted(program, error)}`);
}

function whyNotStarted(program: string, { code, message }: NodeJS.ErrnoException): string {
  const isPath = program.includes('/');
  if (code === 'EACCES' && isPath) return 'it is not executable';
  // A name is looked for in all folders of PATH: it is EACCES as well if one of them cannot be read.
  if (code !== 'ENOENT' && code !== 'EACCES') return cleanText(message);
  if (isPath && existsSync(program)) return 'the interpreter that its first line names does not exist';
  return program.includes(' ')
    ? 'there is no such program (leave out the quotes around a program and its arguments)'
    : 'there is no such program';
}

/** Starts a harness and greets it. */
export async function startHarness(command: readonly string[], limits: Limits): Promise<Decoded<Harness>> {
  const started = await HarnessProcess.start(command, limits);
  if (!started.ok) return started;
  const greeted = await started.value.greet();
  if (greeted.ok) return { ok: true, value: started.value };
  started.value.kill();
  return greeted;
}

class HarnessProcess implements Harness {
  hello: Hello = Object.freeze({ name: '', version: '', capabilities: new Set<never>() });
  readonly expectable = (expected: Answer): Answer => expected;
  readonly #child: ChildProcess;
  readonly #pid: number;
  readonly #limits: Limits;
  #id = 0;
  #output: Buffer[] = [];
  #outputBytes = 0;
  #stderr = '';
  #end: string | undefined;
  #wake: () => void = () => undefined;

  private constructor(child: ChildProcess, pid: number, limits: Limits) {
    this.#child = child;
    this.#pid = pid;
    this.#limits = limits;
    keepGroup(pid);
    child.stdout?.on('data', (bytes: Buffer) => {
      this.#outputBytes += bytes.length;
      // A process that writes without end must not fill the memory. What is kept is enough to see that it did.
      if (this.#outputBytes <= 4 * MAX_ANSWER_BYTES) this.#output.push(bytes);
      else killGroup(pid);
      this.#wake();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR);
    });
    // The answer that is missing says that the process no longer reads or writes.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.on('error', () => undefined);
    child.on('exit', (code, signal) => {
      const end = signal === null ? `with exit code ${code ?? 0}` : `by the signal ${signal}`;
      setTimeout(() => {
        this.#end = end;
        this.#wake();
      }, DRAIN_MILLISECONDS);
    });
  }

  static start(command: readonly string[], limits: Limits): Promise<Decoded<HarnessProcess>> {
    const [program = '', ...args] = command;
    return new Promise((resolve) => {
      const child = spawnGroup(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: markedEnvironment() });
      if (child instanceof Error) return resolve(cannotStart(program, child));
      child.once('error', (error: NodeJS.ErrnoException) => resolve(cannotStart(program, error)));
      child.once('spawn', () => {
        if (child.pid !== undefined) resolve({ ok: true, value: new HarnessProcess(child, child.pid, limits) });
      });
    });
  }

  async greet(): Promise<Decoded<Hello>> {
    const line = await this.#exchange({ op: 'hello', protocol: PROTOCOL }, this.#limits.startMilliseconds);
    if (!line.ok) return line;
    const hello = decodeHello(line.value, this.#id);
    if (hello.ok) this.hello = hello.value;
    return hello;
  }

  async ask(request: Request): Promise<Decoded<Answer>> {
    const line = await this.#exchange(request, this.#limits.answerMilliseconds);
    return line.ok ? decodeAnswer(line.value, this.#id, this.#id - 1, request) : line;
  }

  async close(): Promise<HarnessFault | undefined> {
    this.#child.stdin?.end();
    const { answerMilliseconds } = this.#limits;
    await this.#wait(() => this.#end !== undefined, answerMilliseconds);
    const isAlive = this.#end === undefined;
    this.kill();
    if (isAlive) {
      const limit = `within ${answerMilliseconds / 1000} seconds`;
      return faultOf('no_answer', `the harness did not end ${limit} at the end of its standard input`);
    }
    if (this.#output.length > 0) return this.#surplus();
    if (this.#end !== 'with exit code 0')
      return faultOf('ended', `the harness ended ${this.#end ?? ''} when asked to end`);
    return undefined;
  }

  kill(): void {
    killGroup(this.#pid);
    // The runner may not kill a process of another user, and does not wait for it.
    this.#child.unref();
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    this.#child.stdin?.destroy();
  }

  /** Writes one line and waits for one. */
  async #exchange(message: object, milliseconds: number): Promise<Decoded<string>> {
    if (this.#output.length > 0) return { ok: false, fault: this.#surplus() };
    this.#id++;
    this.#child.stdin?.write(requestLine(this.#id, message));
    let line: string | undefined;
    await this.#wait(() => {
      line ??= this.#takeLine();
      return line !== undefined || this.#end !== undefined || this.#outputBytes > MAX_ANSWER_BYTES;
    }, milliseconds);
    if (line !== undefined) return { ok: true, value: line };
    const request = this.#id === 1 ? 'hello' : `request ${this.#id}`;
    if (this.#outputBytes > MAX_ANSWER_BYTES)
      return faulty('too_long', `the harness answered ${request} with more than ${MAX_ANSWER_BYTES} bytes`);
    if (this.#end !== undefined)
      return faulty('ended', `the harness ended ${this.#end} before it answered ${request}${this.#lastWords()}`);
    return faulty(
      'no_answer',
      `the harness gave no answer to ${request} within ${milliseconds / 1000} seconds (does it flush its output?)` +
        this.#lastWords(),
    );
  }

  #takeLine(): string | undefined {
    if (this.#output.length === 0) return undefined;
    const all = Buffer.concat(this.#output);
    const end = all.indexOf(0x0a);
    if (end < 0 || end > MAX_ANSWER_BYTES) {
      this.#output = [all];
      return undefined;
    }
    const rest = all.subarray(end + 1);
    this.#output = rest.length === 0 ? [] : [rest];
    this.#outputBytes = rest.length;
    return all.toString('utf8', 0, end);
  }

  /** More than one answer to the last request. */
  #surplus(): HarnessFault {
    const text = cleanText(Buffer.concat(this.#output).toString('utf8', 0, 200).trimEnd(), 80);
    return faultOf(
      'answered_twice',
      `the harness wrote more than one answer to request ${this.#id}: "${text}" came after it`,
    );
  }

  #lastWords(): string {
    const words = this.#stderr.trim();
    return words === '' ? '' : `; it wrote on standard error: ${cleanText(words.slice(-300), 300)}`;
  }

  #wait(done: () => boolean, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        if (!done()) return;
        clearTimeout(timer);
        resolve();
      };
      this.#wake();
    });
  }
}

function faultOf(kind: HarnessFault['kind'], sentence: string): HarnessFault {
  return Object.freeze({ kind, sentence });
}
