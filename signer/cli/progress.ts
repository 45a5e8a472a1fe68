/**
 * Progress on a terminal: one line of standard error that is overwritten, and removed at the end. Without a terminal,
 * nothing is shown.
 */
import { isatty } from 'node:tty';
import { groupDigits } from '../../formats/clean-text.ts';
import type { BatchPhase, BatchProgress } from '../batch/run-batch.ts';
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
      draw(`\r\u001b[K${done} of ${total} ${what}, ${Math.round(rate)}/s, ${left} s left`);
    },
    clear: () => {
      if (shown) draw('\r\u001b[K');
    },
  };
}

function draw(text: string): void {
  try {
    writeAll(2, text);
  } catch {
    // If the terminal is closed, the display ends and the work continues.
  }
}

const LABELS: Readonly<Record<BatchPhase, string>> = { planning: 'rows read and planned:', signing: 'signed' };

/**
 * @param nowMs monotonic milliseconds
 * @param draw writes to the terminal; undefined where there is none
 */
export function batchProgress(
  phase: BatchPhase,
  total: number | undefined,
  nowMs: () => number,
  draw: ((text: string) => void) | undefined,
): BatchProgress {
  const begun = nowMs();
  let drawn = -Infinity;
  let any = false;
  let isGone = draw === undefined;
  const show = (text: string): void => {
    try {
      draw?.(text);
    } catch {
      // The terminal is gone: that ends the display, not the batch.
      isGone = true;
    }
  };
  return {
    show: (done) => {
      const now = nowMs();
      if (isGone || done === 0 || (now - drawn < EVERY_MS && done !== total)) return;
      drawn = now;
      any = true;
      show(`\r${progressText(LABELS[phase], done, total, (now - begun) / 1000)}\u001b[K`);
    },
    end: () => {
      if (any && !isGone) show('\n');
      any = false;
    },
  };
}

/** "signed 1,024 of 10,000 (10 %), 310 a second, about 29 s left" */
export function progressText(label: string, done: number, total: number | undefined, seconds: number): string {
  const n = groupDigits;
  const rate = seconds > 0 ? done / seconds : 0;
  const speed = `${n(rate >= 10 ? Math.round(rate) : Math.round(rate * 10) / 10)} a second`;
  if (total === undefined) return `${label} ${n(done)}, ${speed}`;
  const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
  const left = rate > 0 && done < total ? `, about ${duration((total - done) / rate)} left` : '';
  return `${label} ${n(done)} of ${n(total)} (${percent} %), ${speed}${left}`;
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
