/**
 * The officer's side of the token host: starts it, sends requests (up to 32 at once), keeps their time limits, ends it.
 *
 * No PKCS#11 module is ever mapped into this process. A call past its limit ends the host, and with it every request
 * that is with the host: what the token did with those is unknown.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { hostEnvironment, type Environment } from './host-environment.ts';
import { endHungHosts, HostLock, identify, lockFolder, type ProcessIdentity } from './host-lock.ts';
import type { ModuleEnvironment } from '../shared/module-environment.ts';
import { GarbledMessage, HOST_PIPE, MessageReader, sendMessage } from '../shared/host-pipe.ts';
import {
  READY_ID,
  type HostFault,
  type HostOperations,
  type HostRequest,
  type OperationName,
} from '../shared/host-protocol.ts';
import { isHostReply, isReplyOf } from './host-reply.ts';
import { ModuleOutput } from './module-output.ts';
import { moduleFile } from './resolve-module.ts';

/** What went wrong between the officer's process and the token host; `explain-failure.ts` puts it into words. */
export type HostFailureCause =
  | { readonly kind: 'fault'; readonly fault: HostFault }
  | { readonly kind: 'died'; readonly signal: string | undefined; readonly exitCode: number | undefined }
  | { readonly kind: 'late'; readonly milliseconds: number }
  | { readonly kind: 'garbled' }
  /** The request was never sent: the host had ended before. */
  | { readonly kind: 'gone' };

export class HostFailure extends Error {
  override readonly name = 'HostFailure';
  readonly operation: OperationName;
  readonly why: HostFailureCause;

  constructor(operation: OperationName, why: HostFailureCause) {
    super(`${operation}: ${why.kind}`);
    this.operation = operation;
    this.why = why;
  }

  /** True if it is unknown whether the token carried out the request. */
  get isUnknown(): boolean {
    return this.why.kind === 'died' || this.why.kind === 'late' || this.why.kind === 'garbled';
  }
}

export interface HostOptions {
  /** The officer's environment, of which the host sees a few variables. */
  readonly environment: Environment;
  /** What the keystore of the module declares. */
  readonly declared: ModuleEnvironment;
  /** What the officer should know: a host of an earlier run that was ended, say. */
  readonly notify: (sentence: string) => void;
  /** A cleaned line that the module printed. */
  readonly moduleSaid: (line: string) => void;
}

const MAX_IN_FLIGHT = 32;
const CLOSE_MILLISECONDS = 5_000;
/** A process that only has to start, on a busy machine; the time of the module's own calls is counted apart. */
const START_MILLISECONDS = 30_000;

/**
 * The shell turns off core files, which may contain a PIN, bounds the memory that a module may ask for, and becomes the
 * host: the process number stays. A module that says it has 2^60 objects then ends its host, and not the machine.
 */
const HOST_SHELL = 'ulimit -c 0; ulimit -d 4194304 2>/dev/null; exec "$0" "$@"';

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
  readonly #pipe: Socket;
  readonly #reader = new MessageReader();
  readonly #output: ModuleOutput;
  readonly #ended: Promise<void>;
  readonly #up = Promise.withResolvers<boolean>();
  readonly #sent = new Map<number, Pending>();
  readonly #queue: Pending[] = [];
  #lastId = 0;
  #over: HostFailureCause | undefined;
  #closing: Promise<void> | undefined;

  private constructor(child: ChildProcess, pipe: Socket, options: HostOptions) {
    this.#child = child;
    this.#pipe = pipe;
    this.#output = new ModuleOutput(options.moduleSaid);
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => this.#output.write(chunk));
    pipe.on('data', (chunk: Buffer) => this.#read(chunk));
    // A broken pipe means that the host is ending, and its exit says why. A host that closes its pipe and stays is
    // killed.
    pipe.on('error', () => {});
    pipe.on('close', () => this.#child.kill('SIGKILL'));
    child.on('error', () => this.#finish({ kind: 'died', signal: undefined, exitCode: undefined }));
    this.#ended = new Promise((resolve) => {
      child.once('exit', (exitCode, signal) => {
        this.#finish({ kind: 'died', signal: signal ?? undefined, exitCode: exitCode ?? undefined });
        resolve();
      });
    });
    // What the module printed may come out later than the end of its process.
    child.once('close', () => this.#output.end());
  }

  /**
   * Starts a host for one module; nothing is loaded yet. A host of the same module that an earlier run left hanging is
   * ended first.
   *
   * @throws VtlicError `module_unusable` where that host cannot be ended, or no lock written; HostFailure where none
   *   can be started
   */
  static async start(modulePath: string, options: HostOptions): Promise<HostClient> {
    const folder = lockFolder(options.environment);
    const { ended, inUseBy } = await endHungHosts(folder, moduleFile(modulePath));
    for (const pid of ended)
      options.notify(
        `a token host that an earlier run left hanging in ${cleanText(modulePath)} (process ${pid}) was ended`,
      );
    for (const pid of inUseBy)
      options.notify(`another run (process ${pid}) is using ${cleanText(modulePath)} at this moment`);
    // The same ending as this file: TypeScript when run from source, JavaScript when built.
    const main = fileURLToPath(
      new URL(`../token-host/host-main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
    );
    const child = spawn('/bin/sh', ['-c', HOST_SHELL, process.execPath, main], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      // In the officer's folder: a relative path means what it means to the maker's own tools.
      env: hostEnvironment(options.environment, options.declared),
    });
    const host = new HostClient(child, child.stdio[HOST_PIPE] as Socket, options);
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity !== undefined) host.#lockedBy(folder, identity, modulePath);
    const late = setTimeout(() => host.#finish({ kind: 'late', milliseconds: START_MILLISECONDS }), START_MILLISECONDS);
    const isUp = await host.#up.promise;
    clearTimeout(late);
    if (!isUp) throw new HostFailure('load', host.#over ?? { kind: 'gone' });
    host.#keepAlive();
    return host;
  }

  /** The lock lives as long as the host: from its first moment, before anything could hang in it. */
  #lockedBy(folder: string, identity: ProcessIdentity, modulePath: string): void {
    try {
      const lock = new HostLock(folder, identity, moduleFile(modulePath));
      void this.#ended.then(() => lock.release());
    } catch (cause) {
      this.#finish({ kind: 'gone' });
      throw new VtlicError('module_unusable', `the lock of the token host cannot be written in ${cleanText(folder)}`, {
        hint: 'make room there, or set XDG_RUNTIME_DIR to another folder of your own',
        cause,
      });
    }
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
   * One request; further ones wait while 32 are with the host. One that comes while the host is being closed is never
   * sent.
   *
   * @param limit milliseconds, from its turn: not while it waits behind others
   * @throws HostFailure
   */
  call<Name extends OperationName>(
    operation: Name,
    body: HostOperations[Name]['request'],
    limit: number,
  ): Promise<HostOperations[Name]['reply']> {
    if (this.#closing !== undefined) return Promise.reject(new HostFailure(operation, { kind: 'gone' }));
    return this.#enqueue(operation, body, limit);
  }

  #enqueue<Name extends OperationName>(
    operation: Name,
    body: HostOperations[Name]['request'],
    limit: number,
  ): Promise<HostOperations[Name]['reply']> {
    const { pin } = body as Partial<HostOperations['login']['request']>;
    if (pin !== undefined) this.#output.hide(pin);
    return new Promise((resolve, reject) => {
      // The reply is checked against the operation before it gets here.
      this.#queue.push({ operation, body, limit, resolve: resolve as (value: unknown) => void, reject });
      this.#send();
    });
  }

  /**
   * Logs out and ends the host; one that does not answer is ended all the same. Calling it again does nothing.
   *
   * What is with the host comes to its end first, within its own limits, for the host answers in order: a signature
   * that is cut off would be one of unknown state.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#rejectQueue();
    if (!this.isOver) await this.#enqueue('close', {}, CLOSE_MILLISECONDS).catch(() => {});
    this.#finish({ kind: 'gone' });
    this.#child.ref();
    // A process that sits in a driver outlives the signal; its lock stays for the next run to find.
    const enough = new AbortController();
    await Promise.race([this.#ended, sleep(CLOSE_MILLISECONDS, undefined, { signal: enough.signal }).catch(() => {})]);
    enough.abort();
    this.#child.unref();
  }

  #send(): void {
    while (this.#queue.length > 0 && this.#sent.size < MAX_IN_FLIGHT && this.#over === undefined) {
      const pending = this.#queue.shift();
      if (pending === undefined) return;
      this.#lastId += 1;
      const id = this.#lastId;
      this.#sent.set(id, pending);
      const request: HostRequest = { id, operation: pending.operation, body: pending.body as HostRequest['body'] };
      sendMessage(this.#pipe, request);
    }
    this.#startTimer();
    if (this.#over !== undefined) this.#rejectQueue();
    this.#keepAlive();
  }

  #rejectQueue(): void {
    for (const pending of this.#queue.splice(0)) pending.reject(new HostFailure(pending.operation, { kind: 'gone' }));
  }

  /** The host answers requests in their order, so that the time of the oldest one runs, and of no other. */
  #startTimer(): void {
    const [oldest] = this.#sent.values();
    if (oldest === undefined) return;
    oldest.timer ??= setTimeout(() => this.#finish({ kind: 'late', milliseconds: oldest.limit }), oldest.limit);
  }

  #read(chunk: Buffer): void {
    try {
      for (const message of this.#reader.read(chunk)) this.#receive(message);
    } catch (error) {
      if (!(error instanceof GarbledMessage)) throw error;
      this.#finish({ kind: 'garbled' });
    }
  }

  #receive(message: unknown): void {
    if (this.#over !== undefined) return;
    if (!isHostReply(message)) return this.#finish({ kind: 'garbled' });
    if (message.id === READY_ID) return this.#up.resolve(true);
    const pending = this.#sent.get(message.id);
    if (pending === undefined) return this.#finish({ kind: 'garbled' });
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
    this.#up.resolve(false);
    this.#child.kill('SIGKILL');
    // What was sent is not "never sent", whoever ended the host.
    const sentWhy: HostFailureCause =
      why.kind === 'gone' ? { kind: 'died', signal: 'SIGKILL', exitCode: undefined } : why;
    for (const pending of this.#sent.values()) {
      clearTimeout(pending.timer);
      pending.reject(new HostFailure(pending.operation, sentWhy));
    }
    this.#sent.clear();
    this.#send();
  }

  /** An idle host must not keep the officer's process from ending: it leaves when its pipe closes. */
  #keepAlive(): void {
    const busy = this.#sent.size > 0 || this.#queue.length > 0;
    if (busy) this.#child.ref();
    else this.#child.unref();
    for (const stream of [this.#child.stdout, this.#child.stderr, this.#pipe]) {
      const socket = stream as unknown as { ref(): void; unref(): void } | null;
      if (busy) socket?.ref();
      else socket?.unref();
    }
  }
}
