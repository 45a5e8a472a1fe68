/**
 * Licenses, trust values and contexts, each with the verdict: Appendix C of docs/format.md. Plain data, so that any
 * verifier can read it.
 */
import type { Reason } from '../../verifier/reasons.ts';
import type { State } from '../../verifier/verdict.ts';
import type { ExampleTrust } from './example-trust.ts';
import type { PlainContext } from './plain-values.ts';
import { SIGNATURE_ROWS } from './judged-signatures.ts';
import { BINDING_ROWS } from './judged-bindings.ts';

export interface JudgedExample {
  readonly id: string;
  /** Words for the table. */
  readonly what: string;
  /** The whole file. */
  readonly file: string;
  readonly trust: ExampleTrust;
  readonly context: PlainContext;
  readonly expected: Reason | State;
}

export const judgedExamples: readonly JudgedExample[] = Object.freeze(
  [...SIGNATURE_ROWS, ...BINDING_ROWS].map(([id, what, file, trust, context, expected]) =>
    Object.freeze({ id, what, file, trust, context, expected }),
  ),
);
