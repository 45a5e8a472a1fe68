/** How far, how fast, how long still: one line that a terminal shows over and over. */

const REDRAW_MS = 200;

export interface BatchProgress {
  readonly show: (done: number) => void;
  /** Ends the line. */
  readonly end: () => void;
}

/**
 * @param nowMs monotonic milliseconds
 * @param draw writes to the terminal; undefined where there is none
 */
export function batchProgress(
  label: string,
  total: number | undefined,
  nowMs: () => number,
  draw: ((text: string) => void) | undefined,
): BatchProgress {
  const begun = nowMs();
  let drawn = -Infinity;
  let any = false;
  return {
    show: (done) => {
      const now = nowMs();
      if (draw === undefined || (now - drawn < REDRAW_MS && done !== total)) return;
      drawn = now;
      any = true;
      draw(`\r${progressText(label, done, total, (now - begun) / 1000)}\u001b[K`);
    },
    end: () => {
      if (any) draw?.('\n');
    },
  };
}

/** "signed 1,024 of 10,000 (10 %), 310 a second, about 29 s left" */
export function progressText(label: string, done: number, total: number | undefined, seconds: number): string {
  const n = (value: number): string => value.toLocaleString('en-US');
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
