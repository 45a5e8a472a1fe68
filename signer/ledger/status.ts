/** Where a ledger stands, for a person or a program. Changes nothing; reads the anchor where that needs no login. */
import { VtlicError } from '../../formats/error.ts';
import { compareAnchor } from './anchor-compare.ts';
import { openAnchorStore } from './anchor-store.ts';
import type { LedgerHead } from './anchor.ts';
import type { LedgerView, LogInfo } from './ledger.ts';

export interface LedgerStatus {
  readonly head: LedgerHead;
  readonly logs: readonly LogInfo[];
  readonly lastAt: number;
  readonly open: number;
  readonly unreleased: number;
  readonly anchor: AnchorStatus;
}

/** `ahead`: the ledger has more than the anchor covers, and agrees with it. */
export interface AnchorStatus {
  readonly description: string;
  readonly state: 'current' | 'ahead' | 'refused';
  /** How many entries the anchor covers, where it agrees. */
  readonly entries?: number;
  /** True where every leaf is covered: what it lacks says only that files were written. */
  readonly allLeaves?: boolean;
  /** Why the next signing run will be refused. */
  readonly fault?: VtlicError;
}

export async function ledgerStatus(ledger: LedgerView): Promise<LedgerStatus> {
  return Object.freeze({
    head: ledger.head(),
    logs: ledger.logs(),
    lastAt: ledger.lastAt(),
    open: ledger.openIntents().length,
    unreleased: ledger.unreleased().length,
    anchor: await anchorStatus(ledger),
  });
}

export async function anchorStatus(ledger: LedgerView): Promise<AnchorStatus> {
  const place = ledger.anchorPlace();
  let description = place.kind === 'file' ? place.path : `the anchor ${place.label} in keystore ${place.keystore}`;
  try {
    const store = openAnchorStore(place);
    description = store.description;
    const { state, anchor } = compareAnchor(ledger, await store.read(), description);
    const head = ledger.head();
    return Object.freeze({ description, state, entries: anchor.entries, allLeaves: anchor.reach === head.reach });
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    return Object.freeze({ description, state: 'refused', fault: error });
  }
}
