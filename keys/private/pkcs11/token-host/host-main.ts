/**
 * The token host: the one process into which a PKCS#11 module is loaded.
 *
 * It is started by `host-client.ts`, answers its requests, and leaves when its pipe closes. It always leaves by a signal to
 * itself: with a module loaded, an ordinary exit may crash (two C++ runtimes in one process) or hang (a call in a thread).
 */
import { Socket } from 'node:net';
import { VtlicError } from '../../../../formats/error.ts';
import { CallFault, LoadFault } from '../shared/call-fault.ts';
import { framed, HOST_PIPE, MessageReader, sendFramedNow } from '../shared/host-pipe.ts';
import { HostRefusal } from './host-refusal.ts';
import { ContextPinFault, HostToken } from './host-token.ts';
import { READY_ID, type HostFault, type HostReply, type HostRequest } from '../shared/host-protocol.ts';

/** Signatures in this thread leave no gap in which the pipe could be looked at, and a turn of the event loop would be felt at each. */
const LOOK_UP_MILLISECONDS = 5;
const READ_BYTES = 65_536;
/** As many signatures that were made can be lost with a module that dies in the next one. */
const MOST_HELD = 4;

const token = new HostToken();
const reader = new MessageReader();
const waiting: HostRequest[] = [];
const held: Buffer[] = [];

const pipe = new Socket({
  fd: HOST_PIPE,
  readable: true,
  writable: true,
  // One buffer for all that comes: a new one each time, and a stream's events, cost a fiftieth of a fast token's signature.
  onread: {
    buffer: Buffer.alloc(READ_BYTES),
    callback: (length, buffer) => {
      const read = buffer.subarray(0, length);
      const chunk = Buffer.from(read);
      // A PIN may be in it.
      read.fill(0);
      const idle = waiting.length === 0;
      waiting.push(...(reader.read(chunk) as HostRequest[]));
      if (idle) work();
      return true;
    },
  },
});
for (const event of ['end', 'close', 'error'] as const) pipe.on(event, leave);
// The officer's terminal sends these to its own processes; this one ends when the officer's process says so.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});
process.on('uncaughtException', leave);
process.on('unhandledRejection', leave);
// The first word: from here on the time limits of calls are counted.
reply({ id: READY_ID, value: 'ready' });

/** Begins what waits, in its order. What runs in this thread is done when it returns; the rest runs on in libuv's threads. */
function work(): void {
  const begun = performance.now();
  for (let request = waiting.shift(); request !== undefined; request = waiting.shift()) {
    begin(request);
    if (waiting.length === 0 || performance.now() - begun < LOOK_UP_MILLISECONDS) continue;
    setImmediate(work);
    return;
  }
}

function begin({ id, operation, body }: HostRequest): void {
  // What was made does not wait for a call of another kind: the module may never come back from it.
  if (operation !== 'sign') sendHeld();
  const failed = (error: unknown): void => reply({ id, fault: faultOf(error) });
  try {
    const run = token[operation] as (body: unknown) => unknown;
    const value = run(body);
    if (value instanceof Promise) value.then((settled: unknown) => reply({ id, value: settled })).catch(failed);
    else reply({ id, value });
  } catch (error) {
    failed(error);
  }
}

/**
 * Replies go out when this thread comes to rest, every few milliseconds, and before it begins anew: a write wakes the officer's process,
 * which costs a fortieth of a fast token's signature.
 */
function reply(message: HostReply): void {
  held.push(framed(message));
  if (held.length >= MOST_HELD) sendHeld();
  else if (held.length === 1) setImmediate(sendHeld);
}

function sendHeld(): void {
  if (held.length > 0) sendFramedNow(pipe, HOST_PIPE, held.splice(0));
}

function faultOf(error: unknown): HostFault {
  if (error instanceof CallFault) return { kind: 'call', call: error.call, rv: error.rv };
  if (error instanceof LoadFault) return { kind: 'load', why: error.kind, text: error.message };
  if (error instanceof ContextPinFault) return { kind: 'context-pin', rv: error.rv };
  if (error instanceof HostRefusal) return { kind: 'refused', why: error.why, text: error.message };
  if (error instanceof VtlicError && error.code === 'keyfile_corrupt')
    return { kind: 'refused', why: 'keyfile_corrupt', text: error.message };
  return { kind: 'defect', text: error instanceof Error ? error.message : String(error) };
}

function leave(): void {
  process.kill(process.pid, 'SIGKILL');
}
