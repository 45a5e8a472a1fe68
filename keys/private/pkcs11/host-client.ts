/**
 * The officer's side of the token host: starts it, sends requests (up to four at once), keeps their time limits, ends it.
 *
 * No PKCS#11 module is ever mapped into this process. A call past its limit ends the host, and with it every request that
 * is with the host: what the token did with those is unknown.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cleanText } from '../../../formats/clean-text.ts';
import { hostEnvironment } from './host-environment.ts';
import { HostFailure, type HostFailureCause } from './host-failure.ts';
import { endHungHosts, HostLock, identify, lockFolder } from './host-lock.ts';
import type { HostOperations, HostRequest, OperationName } from './host-protocol.ts';
import { isHostReply, isReplyOf } from './host-reply.ts';
import { ModuleOutput } from './module-output.ts';

export interface HostOptions {
  /** The officer's environment, of which the host sees a few variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What the officer should know: a host of an earlier run that was ended, say. */
  readonly notify: (sentence: string) => void;
  /** A cleaned line that the module printed. */
  readonly moduleSaid: (line: string) => void;
}

const MOST_IN_FLIGHT = 4;
const CLOSE_MILLISECONDS = 5_000;
/** A process that only has to start, on a busy machine; the time of the module's own calls is counted apart. */
const START_MILLISECONDS = 30_000;

interface Pending {
  readonly operation: OperationName;
  readonly body: unknown;
  readonly limit: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: HostFailure) => void;
  timer?: NodeJS.Timeout;
}

export class HostClient {
  readonly #child: ChildProcess;
  readonly #lock: HostLock;
  readonly #output: ModuleOutput;
  readonly #ended: Promise<void>;
  readonly #sent = new Map<number, Pending>();
  readonly #queue: Pending[] = [];
  #lastId = 0;
  #over: HostFailureCause | undefined;

  private constructor(child: ChildProcess, lock: HostLock, options: HostOptions) {
    this.#child = child;
    this.#lock = lock;
    this.#output = new ModuleOutput(options.moduleSaid);
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => this.#output.write(chunk));
    child.on('message', (message) => this.#receive(message));
    child.on('error', () => this.#finish({ kind: 'died', signal: undefined, exitCode: undefined }));
    this.#ended = new Promise((resolve) => {
      child.once('exit', (exitCode, signal) => {
        this.#finish({ kind: 'died', signal: signal ?? undefined, exitCode: exitCode ?? undefined });
        this.#output.end();
        this.#lock.release();
        resolve();
      });
    });
    this.#keepAlive();
  }

  /**
   * Starts a host for one module; nothing is loaded yet. A host of the same module that an earlier run left hanging is
   * ended first.
   *
   * @throws VtlicError `module_unusable` where that host cannot be ended; HostFailure where none can be started
   */
  static async start(modulePath: string, options: HostOptions): Promise<HostClient> {
    const folder = lockFolder(options.environment);
    const { ended, inUseBy } = await endHungHosts(folder, modulePath);
    for (const pid of ended) options.notify(`a token host that an earlier run left hanging in ${cleanText(modulePath)} (process ${pid}) was ended`);
    for (const pid of inUseBy) options.notify(`another run (process ${pid}) is using ${cleanText(modulePath)} at this moment`);
    // The same ending as this file: TypeScript when run from source, JavaScript when built.
    const main = fileURLToPath(new URL(`./host-main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
    // The shell only turns core files off, which could hold a PIN, and becomes the host: the process number stays.
    const child = spawn('/bin/sh', ['-c', 'ulimit -c 0; exec "$0" "$@"', process.execPath, main], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
      env: hostEnvironment(options.environment),
      cwd: '/',
    });
    child.on('error', () => {});
    const isReady = await readiness(child);
    const identity = !isReady || child.pid === undefined ? undefined : identify(child.pid);
    if (identity === undefined) throw new HostFailure('load', { kind: 'died', signal: undefined, exitCode: undefined });
    return new HostClient(child, new HostLock(folder, identity, modulePath), options);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  /** What the module printed so far, cleaned: its last lines. */
  printed(): readonly string[] {
    return this.#output.lines();
  }

  /**
   * One request; further ones wait while four are with the host.
   *
   * @param limit milliseconds, from the moment at which the request is sent
   * @throws HostFailure
   */
  call<Name extends OperationName>(operation: Name, body: HostOperations[Name]['request'], limit: number): Promise<HostOperations[Name]['reply']> {
    return new Promise((resolve, reject) => {
      // The reply is checked against the operation before it gets here.
      this.#queue.push({ operation, body, limit, resolve: resolve as (value: unknown) => void, reject });
      this.#send();
    });
  }

  /** Logs out and ends the host; one that does not answer is ended all the same. Calling it again does nothing. */
  async close(): Promise<void> {
    if (!this.isOver) await this.call('close', {}, CLOSE_MILLISECONDS).catch(() => {});
    this.#finish({ kind: 'gone' });
    this.#child.ref();
    // A process that sits in a driver outlives the signal; its lock stays for the next run to find.
    const enough = new AbortController();
    await Promise.race([this.#ended, sleep(CLOSE_MILLISECONDS, undefined, { signal: enough.signal }).catch(() => {})]);
    enough.abort();
    this.#child.unref();
  }

  #send(): void {
    while (this.#queue.length > 0 && this.#sent.size < MOST_IN_FLIGHT && this.#over === undefined) {
      const pending = this.#queue.shift();
      if (pending === undefined) return;
      this.#lastId += 1;
      const id = this.#lastId;
      this.#sent.set(id, pending);
      pending.timer = setTimeout(() => this.#finish({ kind: 'late', milliseconds: pending.limit }), pending.limit);
      const request: HostRequest = { id, operation: pending.operation, body: pending.body as HostRequest['body'] };
      // A pipe that is broken means a host that is ending: its exit tells more, and comes at once.
      this.#child.send(request, () => {});
    }
    if (this.#over !== undefined) {
      for (const pending of this.#queue.splice(0)) pending.reject(new HostFailure(pending.operation, { kind: 'gone' }));
    }
    this.#keepAlive();
  }

  #receive(message: unknown): void {
    const pending = isHostReply(message) ? this.#sent.get(message.id) : undefined;
    if (!isHostReply(message) || pending === undefined) return this.#finish({ kind: 'garbled' });
    if ('fault' in message) pending.reject(new HostFailure(pending.operation, { kind: 'fault', fault: message.fault }));
    else if (isReplyOf(pending.operation, message.value)) pending.resolve(message.value);
    else return this.#finish({ kind: 'garbled' });
    clearTimeout(pending.timer);
    this.#sent.delete(message.id);
    return this.#send();
  }

  /** Ends the host for good. Every request that is with it fails with the cause, those not yet sent as never sent. */
  #finish(why: HostFailureCause): void {
    if (this.#over !== undefined) return;
    this.#over = why;
    this.#child.kill('SIGKILL');
    for (const pending of this.#sent.values()) {
      clearTimeout(pending.timer);
      pending.reject(new HostFailure(pending.operation, why));
    }
    this.#sent.clear();
    this.#send();
  }

  /** An idle host must not keep the officer's process from ending: it leaves when its pipe closes. */
  #keepAlive(): void {
    const busy = this.#sent.size > 0 || this.#queue.length > 0;
    const { channel } = this.#child;
    if (busy) {
      this.#child.ref();
      channel?.ref();
    } else {
      this.#child.unref();
      channel?.unref();
    }
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      const socket = stream as unknown as { ref(): void; unref(): void } | null;
      if (busy) socket?.ref();
      else socket?.unref();
    }
  }
}

/** Waits for the host's first word; one that does not come up is ended. */
async function readiness(child: ChildProcess): Promise<boolean> {
  const isReady = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), START_MILLISECONDS);
    const settle = (value: boolean) => (): void => {
      clearTimeout(timer);
      resolve(value);
    };
    child.once('message', settle(true));
    child.once('exit', settle(false));
    child.once('error', settle(false));
  });
  if (!isReady) child.kill('SIGKILL');
  return isReady;
}
