/** A token host without the officer's side: requests go to it as the test wants them, in any order. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { utf8 } from '../../../formats/bytes.ts';
import { HOST_PIPE, MessageReader, sendMessage } from '../../../keys/private/pkcs11/shared/host-pipe.ts';
import {
  READY_ID,
  type HostOperations,
  type HostReply,
  type OperationName,
} from '../../../keys/private/pkcs11/shared/host-protocol.ts';
import { profileOf } from '../../../keys/private/pkcs11/shared/profiles.ts';
import type { TestToken } from './test-token.ts';

const MAIN = fileURLToPath(new URL('../../../keys/private/pkcs11/token-host/host-main.ts', import.meta.url));

export class RawHost {
  /** Of each reply its operation, in the order in which they came. */
  readonly answered: OperationName[] = [];
  readonly ended: Promise<unknown>;
  readonly #pipe: Socket;
  readonly #reader = new MessageReader();
  readonly #waiting = new Map<number, (reply: HostReply) => void>();
  #lastId = READY_ID;

  constructor(made: TestToken) {
    const child = spawn(process.execPath, [MAIN], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
      env: { ...process.env, ...made.environment },
    });
    this.#pipe = child.stdio[HOST_PIPE] as Socket;
    this.ended = once(child, 'exit');
    this.#pipe.on('data', (chunk: Buffer) => {
      for (const message of this.#reader.read(chunk) as HostReply[]) this.#waiting.get(message.id)?.(message);
    });
  }

  async ask<Name extends OperationName>(
    operation: Name,
    body: HostOperations[Name]['request'],
  ): Promise<HostOperations[Name]['reply']> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve } = Promise.withResolvers<HostReply>();
    this.#waiting.set(id, resolve);
    sendMessage(this.#pipe, { id, operation, body });
    const reply = await promise;
    this.answered.push(operation);
    if ('fault' in reply) throw new Error(`${operation}: ${JSON.stringify(reply.fault)}`);
    return reply.value as HostOperations[Name]['reply'];
  }

  /** Opens the module's first token, logs in, and finds a private key: what a signature by it asks for. */
  async ready(made: TestToken): Promise<HostOperations['sign']['request']> {
    const module = await this.ask('load', { path: made.module });
    const found = (await this.ask('slots', {})).find(({ token }) => token?.label === 't');
    if (found?.token === undefined) throw new Error('no token');
    await this.ask('open', { slotId: found.slotId, profile: profileOf(module, found.token) });
    await this.ask('login', { pin: utf8(made.pin) });
    const key = (await this.ask('keys', {})).find((one) => one.class === 'private');
    if (key === undefined) throw new Error('no key');
    return { parts: [{ ref: key.ref, message: utf8('m') }] };
  }

  /** As when the officer's process dies. */
  drop(): void {
    this.#pipe.destroy();
  }
}
