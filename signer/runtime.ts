/**
 * What the signer takes from outside: the clock, randomness, and the steps it reports.
 *
 * All of it is a parameter, so that a test can set the time, and end the process between any two steps.
 */
import type { TokenLimits } from '../keys/private/pkcs11/client/index.ts';

/**
 * The acts between a confirmed plan and a released license, in their order: a crash is tested after each. The batch's
 * own: its record, and its results.
 */
export type Step =
  | 'ledger-open'
  | 'recovered'
  | 'key-open'
  | 'batch-begun'
  | 'intent-durable'
  | 'signed'
  | 'self-checked'
  | 'issue-durable'
  | 'anchor-durable'
  | 'file-written'
  | 'file-linked'
  | 'release-durable'
  | 'results-written'
  | HandoverStep
  | KeysetStep;

/** The steps of copies, restores and handing over, each in its order. */
export type HandoverStep =
  | 'backup-copied'
  | 'backup-linked'
  | 'restore-drafted'
  | 'restore-anchored'
  | 'restore-cleared'
  | 'restore-placed'
  | 'counters-signed'
  | 'counters-recorded'
  | 'counters-anchored'
  | 'anchor-copied'
  | 'anchor-adopted'
  | 'anchor-removed'
  | 'anchor-moved';

/** The steps of signing and of publishing a keyset, each in its order. */
export type KeysetStep =
  | 'keyset-signing-recorded'
  | 'keyset-signing-anchored'
  | 'root-record-written'
  | 'keyset-signed'
  | 'keyset-recorded'
  | 'keyset-anchored'
  | 'keyset-file-written'
  | 'keyset-chain-written';

export interface Runtime {
  /** Milliseconds since 1970, as the machine's clock says. */
  readonly nowMs: () => number;
  readonly random: (bytes: number) => Uint8Array;
  /** Called after each step has taken effect. */
  readonly step: (step: Step) => Promise<void>;
  /** True once the officer pressed Ctrl-C. */
  readonly interrupted: () => boolean;
  /** One line of narrative for the officer (stderr). */
  readonly tell: (line: string) => void;
  /** The person at the machine, as the operating system names them. */
  readonly operator: string;
  /** How long a call of a token may take; a value that is left out has its default. */
  readonly tokenLimits?: Partial<TokenLimits>;
}

export function nowSeconds(runtime: Pick<Runtime, 'nowMs'>): number {
  return Math.floor(runtime.nowMs() / 1000);
}
