/**
 * The token host: the only process into which a PKCS#11 module is loaded.
 *
 * `host-client.ts` starts it. It answers requests one after the other, in their order, and leaves when its pipe
 * closes; while it is in a call, a few seconds after the officer's process is gone. It always leaves by a signal to
 * itself: with a module loaded, an ordinary exit may crash (two C++ runtimes in one process).
 */
import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { HOST_PIPE, MessageReader, sendMessage } from '../shared/host-pipe.ts';
import { READY_ID, type HostReply, type HostRequest } from '../shared/host-protocol.ts';
import { hostFaultOf } from './host-errors.ts';
import { HostToken } from './host-token.ts';

const READ_BYTES = 65_536;
const LOOK_MILLISECONDS = 1_000;
const ORPHAN_MILLISECONDS = 10_000;
const TURN_MILLISECONDS = 5;
/** As many signatures that were made can be lost with a module that dies in the next one. */
const MAX_HELD_REPLIES = 4;

const token = new HostToken();
const reader = new MessageReader();
const waiting: HostRequest[] = [];

const pipe = new Socket({
  fd: HOST_PIPE,
  readable: true,
  writable: true,
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
// The client counts the time limits of calls from this message on. It comes once the other thread runs: where a module,
// or an addon built with another C++ runtime than Node's, is loaded while a thread starts, the process may crash.
watchOfficer(() => reply({ id: READY_ID, value: 'ready' }));

/**
 * Answers the requests that wait, in their order. The event loop turns every few milliseconds, so that a closed pipe
 * is noticed.
 *
 * Replies of signatures made within one turn are written together, because each write wakes the client: by processor
 * time the host then reaches 0.93 of the bare loop instead of 0.87 (kryoptic, 2 cores).
 */
function work(): void {
  const begun = performance.now();
  let held = 0;
  pipe.cork();
  for (let request = waiting.shift(); request !== undefined; request = waiting.shift()) {
    // The module may never come back from a call of another kind: the replies before it must not wait for it.
    if (request.operation !== 'sign' || held === MAX_HELD_REPLIES) {
      pipe.uncork();
      pipe.cork();
      held = 0;
    }
    reply(answer(request));
    held += 1;
    if (performance.now() - begun > TURN_MILLISECONDS) break;
  }
  pipe.uncork();
  if (waiting.length > 0) setImmediate(work);
}

function answer({ id, operation, body }: HostRequest): HostReply {
  try {
    const run = token[operation] as (body: unknown) => unknown;
    return { id, value: run(body) };
  } catch (error) {
    return { id, fault: hostFaultOf(error) };
  }
}

/**
 * A module that never comes back from a call blocks this thread, which then does not see its pipe close. A thread of
 * its own ends the process some time after the officer's process is gone: not at once, since a module may be writing
 * its token's file.
 */
function watchOfficer(watching: () => void): void {
  const source = `
    const { workerData: { officer, look, grace } } = require('node:worker_threads');
    const timer = setInterval(() => {
      if (process.ppid === officer) return;
      clearInterval(timer);
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), grace);
    }, look);`;
  const workerData = { officer: process.ppid, look: LOOK_MILLISECONDS, grace: ORPHAN_MILLISECONDS };
  const watch = new Worker(source, { eval: true, workerData });
  watch.once('online', watching);
  watch.on('error', leave);
  watch.unref();
}

function reply(message: HostReply): void {
  sendMessage(pipe, message);
}

function leave(): void {
  process.kill(process.pid, 'SIGKILL');
}
