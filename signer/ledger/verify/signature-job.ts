/** What the threads of a signature check share. */
import type { Algorithm } from '../../../formats/cose-algorithm.ts';

export interface SignatureJob {
  readonly file: string;
  readonly entries: number;
  readonly keys: readonly { readonly alg: Algorithm; readonly bytes: Uint8Array }[];
  /** Three counts, written by all threads. */
  readonly shared: Int32Array<SharedArrayBuffer>;
}

/** Entries that were handed out so far. */
export const NEXT = 0;
/** Signatures that hold. */
export const ISSUES = 1;
/** Not 0: no more is handed out. */
export const STOP = 2;
export const SHARED_INTS = 3;

/** "SEQ WHAT", as it goes from a thread to the one that asked. */
export function encodeFault(seq: number, what: string): string {
  return `${seq} ${what}`;
}

export function isFault(message: unknown): message is string {
  return typeof message === 'string';
}

export function decodeFault(fault: string): { readonly seq: number; readonly what: string } {
  const blank = fault.indexOf(' ');
  return { seq: Number(fault.slice(0, blank)), what: fault.slice(blank + 1) };
}
