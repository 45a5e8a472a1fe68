/**
 * A verifier that is a command without the protocol: it is started anew for each license, and its exit code is the
 * verdict (docs/conformance.md, "A harness without JSON").
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeFileError } from '../../files/index.ts';
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import type { PlainContext } from '../examples/plain-values.ts';
import {
  cannotStart,
  DRAIN_MILLISECONDS,
  keepGroup,
  killGroup,
  makeHarnessFolder,
  markedEnvironment,
  removeHarnessFolder,
  spawnGroup,
  type Harness,
  type Limits,
} from './process.ts';
import { faulty, type Answer, type Decoded, type HarnessFault, type Request } from './protocol.ts';

/** What an exit code says. It has no reason, so these words stand for all reasons of a row. */
export const EXIT_ANSWERS: ReadonlyMap<number, Answer> = new Map<number, Answer>([
  [0, { verdict: 'accepted', state: 'active' }],
  [20, { verdict: 'refused', reason: 'exit code 20' }],
  [21, { verdict: 'accepted', state: 'lapsed' }],
  [22, { verdict: 'refused', reason: 'exit code 22' }],
]);

const ROLLED_BACK: ReadonlySet<string | undefined> = new Set([
  'lineage_not_newer',
  'counter_rolled_back',
  'counter_conflict',
]);

/** @returns the expected answer as an exit code can say it; undefined: it cannot */
export function asExitCode(expected: Answer): Answer | undefined {
  const { verdict, state, reason } = expected;
  if (verdict === 'accepted') return EXIT_ANSWERS.get(state === 'active' || state === 'grace' ? 0 : 21);
  return verdict === 'refused' ? EXIT_ANSWERS.get(ROLLED_BACK.has(reason) ? 22 : 20) : undefined;
}

export class OneShot implements Harness {
  readonly hello: Harness['hello'];
  readonly #command: readonly string[];
  readonly #limits: Limits;

  constructor(command: readonly string[], limits: Limits) {
    this.#command = command;
    this.#limits = limits;
    this.hello = { name: cleanText(command.join(' '), 60), version: 'by exit code', capabilities: new Set(['verify']) };
  }

  readonly expectable: Harness['expectable'] = asExitCode;

  async ask(request: Request): Promise<Decoded<Answer>> {
    if (request.op !== 'verify') throw new Error(`a command without the protocol is never asked to ${request.op}`);
    const folder = folderOf(request);
    const files = FILES.map((name) => join(folder, name));
    try {
      return await this.#run([...this.#command, ...files], variablesOf(request.context));
    } finally {
      removeHarnessFolder(folder);
    }
  }

  close(): Promise<HarnessFault | undefined> {
    return Promise.resolve(undefined);
  }

  kill(): void {
    // Each command is ended with its answer.
  }

  #run([program = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<Decoded<Answer>> {
    const seconds = this.#limits.answerMilliseconds / 1000;
    return new Promise((resolve) => {
      const child = spawnGroup(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: markedEnvironment(env) });
      if (child instanceof Error) return resolve(cannotStart(program, child));
      let words = '';
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        words = (words + text).slice(-300);
      });
      const end = (answer: Decoded<Answer>): void => {
        clearTimeout(timer);
        if (child.pid !== undefined) killGroup(child.pid);
        child.unref();
        child.stderr?.destroy();
        resolve(answer);
      };
      const timer = setTimeout(
        () => end(faulty('no_answer', `the command did not end within ${seconds} seconds`)),
        this.#limits.answerMilliseconds,
      );
      if (child.pid !== undefined) keepGroup(child.pid);
      child.once('error', (error: NodeJS.ErrnoException) => end(cannotStart(program, error)));
      child.once('exit', (code, signal) => {
        const answer = code === null ? undefined : EXIT_ANSWERS.get(code);
        if (answer !== undefined) return end({ ok: true, value: answer });
        const how = code === null ? `by the signal ${signal ?? ''}` : `with exit code ${code}`;
        const fault = (): void => {
          const said = words.trim() === '' ? '' : `; it wrote on standard error: ${cleanText(words.trim(), 300)}`;
          end(faulty('exit_code', `the command ended ${how}, but a verdict is 0, 20, 21 or 22${said}`));
        };
        // Its last words may come after its end. A process that it left behind may keep standard error open.
        child.stderr?.once('close', fault);
        setTimeout(fault, DRAIN_MILLISECONDS);
      });
    });
  }
}

const FILES = ['license.vtlic', 'request.json'] as const;

/**
 * Makes a folder for one request, since a command may change what is in it.
 *
 * @throws VtlicError `output_unwritable`
 */
function folderOf(request: Extract<Request, { readonly op: 'verify' }>): string {
  try {
    const folder = makeHarnessFolder();
    const [license, json] = FILES;
    writeFileSync(join(folder, license), Buffer.from(request.license, 'base64'));
    writeFileSync(join(folder, json), JSON.stringify(request));
    return folder;
  } catch (error) {
    const { message } = describeFileError(error, 'output_unwritable', tmpdir());
    throw new VtlicError('output_unwritable', `cannot write a license to the folder of temporary files: ${message}`, {
      file: tmpdir(),
      hint: 'Set TMPDIR to a folder that you can write to, on a disk with space.',
      cause: error,
    });
  }
}

/** A variable that the context does not have is undefined, so that none of the runner's own environment counts. */
function variablesOf(context: PlainContext): NodeJS.ProcessEnv {
  const { issuer, product, now, defaultGrace, deployment, buildDate, clock, hosts } = context;
  return {
    VTLIC_ISSUER: textOf(issuer),
    VTLIC_PRODUCT: textOf(product),
    VTLIC_NOW: textOf(now),
    VTLIC_DEFAULT_GRACE: textOf(defaultGrace),
    VTLIC_DEPLOYMENT: textOf(deployment),
    VTLIC_BUILD_DATE: textOf(buildDate),
    VTLIC_CLOCK: textOf(clock),
    VTLIC_HOSTS: hosts?.map(textOf).join(','),
  };
}

/** @param value also of another type than it should be, in a case that somebody wrote */
function textOf(value: unknown): string | undefined {
  return value === undefined || typeof value === 'string' ? value : JSON.stringify(value);
}
