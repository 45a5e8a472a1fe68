/**
 * The stages of a license on its way out. Each is made by one function alone, whose argument is the stage before:
 * intended → signed → self-checked → issued → anchored → released.
 */
import type { IntentEntry, IssueEntry } from '../ledger/index.ts';
import type { PlanItem } from '../plan/plan.ts';

export interface IntendedLicense {
  readonly stage: 'intended';
  readonly item: PlanItem;
  readonly intent: IntentEntry;
}

export interface SignedLicense {
  readonly stage: 'signed';
  readonly intended: IntendedLicense;
  /** The tagged COSE_Sign1, not yet judged. */
  readonly cose: Uint8Array;
}

export interface CheckedLicense {
  readonly stage: 'self-checked';
  readonly intended: IntendedLicense;
  readonly cose: Uint8Array;
  /** The armored file. */
  readonly file: Uint8Array;
}

export interface IssuedLicense {
  readonly stage: 'issued';
  readonly intent: IntentEntry;
  readonly issue: IssueEntry;
  readonly file: Uint8Array;
}

/** The anchor covers its leaf: it may leave. */
export interface AnchoredLicense {
  readonly stage: 'anchored';
  readonly issued: IssuedLicense;
}

export interface ReleasedLicense {
  readonly stage: 'released';
  readonly issued: IssuedLicense;
  /** Absolute. */
  readonly path: string;
  /** False where the very bytes stood there already. */
  readonly written: boolean;
}
