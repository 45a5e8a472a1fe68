/**
 * Progress on a terminal: one line of standard error that is written over, and taken away at the end. Elsewhere
 * nothing.
 */
import { isatty } from 'node:tty';
import { writeAll } from './io.ts';

const EVERY_MS = 200;

export interface ProgressLine {
  readonly show: (done: number, total: number) => void;
  readonly clear: () => void;
}

/**
 * @param what is counted: "entries"
 * @param nowMs the clock that the rate is reckoned with
 */
export function progressLine(what: string, nowMs: () => number): ProgressLine {
  if (!isatty(2)) return { show: () => undefined, clear: () => undefined };
  const began = nowMs();
  let last = began;
  let shown = false;
  return {
    show: (done, total) => {
      const now = nowMs();
      if (now - last < EVERY_MS) return;
      last = now;
      shown = true;
      const rate = (done * 1000) / (now - began);
      const left = rate > 0 ? Math.ceil((total - done) / rate) : 0;
      writeAll(2, `\r\u001b[K${done} of ${total} ${what}, ${Math.round(rate)}/s, ${left} s left`);
    },
    clear: () => {
      if (shown) writeAll(2, '\r\u001b[K');
    },
  };
}
