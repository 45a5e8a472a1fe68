/** Output that is complete before the process leaves: `process.exit` would cut a pipe that is still full. */
import { writeSync } from 'node:fs';
import { errorCodeOf } from '../../files/index.ts';

const wait = new Int32Array(new SharedArrayBuffer(4));

/** Writes the whole text to a descriptor. A reader that has gone away (EPIPE) ends the output, not the act. */
export function writeAll(fd: 1 | 2, text: string | Uint8Array): void {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(fd, bytes, offset);
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === 'EAGAIN') Atomics.wait(wait, 0, 0, 5);
      else if (code === 'EPIPE') return;
      else throw error;
    }
  }
}
