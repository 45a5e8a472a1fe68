/**
 * The token host: the one process into which a PKCS#11 module is loaded.
 *
 * It is started by `host-client.ts`, answers its requests, and leaves when its pipe closes. It always leaves by a signal to
 * itself: with a module loaded, an ordinary exit may crash (two C++ runtimes in one process) or hang (a call in a thread).
 */
import { Socket } from 'node:net';
import { VtlicError } from '../../../../formats/error.ts';
import { CallFault, LoadFault } from '../shared/call-fault.ts';
import { HOST_PIPE, MessageReader, sendMessageNow } from '../shared/host-pipe.ts';
import { HostRefusal } from './host-refusal.ts';
import { ContextPinFault, HostToken } from './host-token.ts';
import { READY_ID, type HostFault, type HostReply, type HostRequest } from '../shared/host-protocol.ts';

const token = new HostToken();
const pipe = new Socket({ fd: HOST_PIPE, readable: true, writable: true });
const reader = new MessageReader();

pipe.on('data', (chunk: Buffer) => {
  for (const message of reader.read(chunk)) void answer(message as HostRequest);
});
for (const event of ['end', 'close', 'error'] as const) pipe.on(event, leave);
// The officer's terminal sends these to its own processes; this one ends when the officer's process says so.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});
process.on('uncaughtException', leave);
process.on('unhandledRejection', leave);
// The first word: from here on the time limits of calls are counted.
reply({ id: READY_ID, value: 'ready' });

async function answer(request: HostRequest): Promise<void> {
  const { id, operation } = request;
  try {
    const run = token[operation] as (body: unknown) => unknown;
    reply({ id, value: await run(request.body) });
  } catch (error) {
    reply({ id, fault: faultOf(error) });
  }
}

function reply(message: HostReply): void {
  sendMessageNow(pipe, HOST_PIPE, message);
}

function faultOf(error: unknown): HostFault {
  if (error instanceof CallFault) return { kind: 'call', call: error.call, rv: error.rv };
  if (error instanceof LoadFault) return { kind: 'load', why: error.kind, text: error.message };
  if (error instanceof ContextPinFault) return { kind: 'context-pin', rv: error.rv };
  if (error instanceof HostRefusal) return { kind: 'refused', why: error.why, text: error.message };
  if (error instanceof VtlicError && error.code === 'keyfile_corrupt') return { kind: 'refused', why: 'keyfile_corrupt', text: error.message };
  return { kind: 'defect', text: error instanceof Error ? error.message : String(error) };
}

function leave(): void {
  process.kill(process.pid, 'SIGKILL');
}
