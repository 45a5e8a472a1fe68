import type { BatchFormat } from './read-rows.ts';

/** The file of a batch, and what the officer says of it. */
export interface BatchSource {
  /** Absolute. */
  readonly file: string;
  readonly format: BatchFormat;
  /** SHA-256 of the file, hex. */
  readonly input: string;
  readonly name: string;
  readonly newCustomers: boolean;
}
