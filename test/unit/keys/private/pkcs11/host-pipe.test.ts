import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { serialize } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../../../formats/bytes.ts';
import { GarbledMessage, MessageReader, sendMessage } from '../../../../../keys/private/pkcs11/shared/host-pipe.ts';

const VALUES = [
  { id: 1, value: [Uint8Array.of(1, 2, 3), 'text'] },
  null,
  { id: 2, operation: 'login', body: { pin: utf8('4711') } },
  { bytes: new Uint8Array(200_000).fill(7) },
];

function sent(...values: readonly unknown[]): Buffer {
  const stream = new PassThrough({ highWaterMark: 1 << 24 });
  for (const value of values) sendMessage(stream, value);
  return stream.read() as Buffer;
}

describe('messages over the pipe', () => {
  it.each([1, 3, 4, 5, 7, 4096, 1 << 24])('arrive whole and in order in pieces of %i bytes', (size) => {
    const bytes = size < 4 ? sent(...VALUES.slice(0, 3)) : sent(...VALUES);
    const reader = new MessageReader();
    const came: unknown[] = [];
    for (let at = 0; at < bytes.length; at += size)
      came.push(...reader.read(Buffer.from(bytes.subarray(at, at + size))));
    expect(came).toEqual(size < 4 ? VALUES.slice(0, 3) : VALUES);
  });

  it('leave one copy of a PIN, for its owner to wipe', () => {
    const bytes = sent(VALUES[2]);
    const pieces = [bytes.subarray(0, 20), bytes.subarray(20, 40), bytes.subarray(40)].map((piece) =>
      Buffer.from(piece),
    );
    const reader = new MessageReader();
    const [message] = pieces.flatMap((piece) => reader.read(piece)) as [{ body: { pin: Uint8Array } }];
    expect(message.body.pin).toEqual(utf8('4711'));
    for (const piece of pieces) expect(piece.includes('4711')).toBe(false);
  });

  it.each([
    ['a length of no message', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['an empty message', Buffer.from([0, 0, 0, 0])],
    ['text', Buffer.from([0, 0, 0, 5, ...utf8('hello')])],
    [
      'a value that breaks off',
      Buffer.concat([Buffer.from([0, 0, 0, 20]), serialize({ id: 1, value: 'a long text' }).subarray(0, 20)]),
    ],
  ])('messages that are %s are garbled', (_, bytes) => {
    expect(() => new MessageReader().read(bytes)).toThrow(GarbledMessage);
  });

  it('arrive whole and in order also where the pipe is full', async () => {
    const room = new URL('../../../../../keys/private/pkcs11/shared/host-pipe.ts', import.meta.url).href;
    const main = `
      import { Socket } from 'node:net';
      import { sendMessage } from '${room}';
      const pipe = new Socket({ fd: 3 });
      for (let id = 0; id < 20; id++) {
        sendMessage(pipe, { id, value: [new Uint8Array(300_001).fill(id)] });
        sendMessage(pipe, { id, value: 'text' });
      }
      pipe.end();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', main], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    });
    const pipe = child.stdio[3] as Socket;
    const reader = new MessageReader();
    const came: unknown[] = [];
    // By then the pipe is full, in the middle of a message.
    await sleep(500);
    pipe.on('data', (chunk: Buffer) => came.push(...reader.read(chunk)));
    await once(child, 'close');
    expect(came).toEqual(
      Array.from({ length: 20 }, (_, id) => [
        { id, value: [new Uint8Array(300_001).fill(id)] },
        { id, value: 'text' },
      ]).flat(),
    );
  });
});
