/** What the threads share of a check that goes stretch by stretch. */
import type { DatabaseSync } from 'node:sqlite';
import type { Algorithm } from '../../../formats/cose-algorithm.ts';

export interface StretchJob {
  readonly file: string;
  /** How many entries are looked at. */
  readonly entries: number;
  /** Entries of a stretch. */
  readonly length: number;
  /** Three counts, written by all threads. */
  readonly shared: Int32Array<SharedArrayBuffer>;
}

export interface SignatureJob extends StretchJob {
  /** That may have signed. */
  readonly keys: readonly { readonly alg: Algorithm; readonly bytes: Uint8Array }[];
}

/** Entries that were handed out so far. */
const NEXT = 0;
/** Signatures that hold. */
const SIGNATURES = 1;
/** No stretch that begins behind this entry is handed out. */
const END = 2;

export function stretchJob(file: string, entries: number, length: number): StretchJob {
  const shared = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
  Atomics.store(shared, END, entries);
  return { file, entries, length, shared };
}

/** Entries above `from`, up to `to`. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/**
 * Ends at the first fault, which it throws.
 *
 * @param at told each entry before it is looked at
 */
export type CheckStretch = (stretch: Stretch, at: (seq: number) => void) => void;

export type OpenStretches = (db: DatabaseSync) => CheckStretch;

/** The next one that nobody has. */
export function takeStretch({ shared, length, entries }: StretchJob): Stretch | undefined {
  // Not even counted: the numbers stay small.
  if (Atomics.load(shared, NEXT) >= Atomics.load(shared, END)) return undefined;
  const from = Atomics.add(shared, NEXT, length);
  return from < Atomics.load(shared, END) ? { from, to: Math.min(from + length, entries) } : undefined;
}

/** Something was found at an entry: nothing after it matters, all before it does. */
export function endAt({ shared }: StretchJob, seq: number): void {
  for (let end = Atomics.load(shared, END); seq < end; end = Atomics.load(shared, END)) {
    if (Atomics.compareExchange(shared, END, end, seq) === end) return;
  }
}

export function countSignature({ shared }: StretchJob): void {
  Atomics.add(shared, SIGNATURES, 1);
}

export function signaturesOf({ shared }: StretchJob): number {
  return Atomics.load(shared, SIGNATURES);
}

/** Entries looked at so far, or being looked at. */
export function handedOut({ shared, entries }: StretchJob): number {
  return Math.min(entries, Atomics.load(shared, NEXT));
}

/** The entry at which the record is found damaged, and the message of the error. */
export interface StretchFault {
  readonly seq: number;
  readonly message: string;
}

/** "SEQ MESSAGE", as it goes from a thread to the one that asked. */
export function encodeFault({ seq, message }: StretchFault): string {
  return `${seq} ${message}`;
}

export function decodeFault(fault: string): StretchFault {
  const blank = fault.indexOf(' ');
  return { seq: Number(fault.slice(0, blank)), message: fault.slice(blank + 1) };
}
