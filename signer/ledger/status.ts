/**
 * The state of a ledger, for a person or a program. Changes nothing. Reads an anchor in a token only if it can be
 * opened.
 */
import type { Checkpoint } from '../../formats/checkpoint.ts';
import { type ErrorCode, VtlicError } from '../../formats/error.ts';
import { type AnchorStoreOpener, compareAnchor, type LedgerHead, openAnchorStore } from '../anchor/index.ts';
import type { LedgerView, LogInfo } from './ledger.ts';

export interface LedgerStatus {
  readonly head: LedgerHead;
  readonly logs: readonly LogInfo[];
  readonly lastAt: number;
  readonly open: number;
  readonly unreleased: number;
}

/**
 * `ahead`: the ledger has more than the anchor covers, and agrees with it. `unread`: it is in a token, and was not
 * read.
 */
export interface AnchorStatus {
  readonly description: string;
  readonly state: 'current' | 'ahead' | 'refused' | 'unread';
  /** How many entries the anchor covers, where it agrees. */
  readonly entries?: number;
  /** True where every leaf is covered: what it lacks says only that files were written. */
  readonly allLeaves?: boolean;
  /** Why the next signing run will be refused. */
  readonly fault?: VtlicError;
}

export function ledgerStatus(ledger: LedgerView): LedgerStatus {
  return Object.freeze({
    head: ledger.head(),
    logs: ledger.logs(),
    lastAt: ledger.lastAt(),
    open: ledger.openIntents().length,
    unreleased: ledger.unreleased().length,
  });
}

/** @param opener for an anchor that needs a login; without it the anchor is not read */
export async function anchorStatus(ledger: LedgerView, opener?: AnchorStoreOpener): Promise<AnchorStatus> {
  const place = ledger.anchorPlace();
  let description =
    place.kind === 'file' ? place.path : `the anchor ${place.label} in the token of keystore ${place.keystore}`;
  if (place.kind === 'token' && opener === undefined) return Object.freeze({ description, state: 'unread' });
  try {
    const store = openAnchorStore(place, opener);
    description = store.description;
    const { state, anchor } = compareAnchor(ledger, await store.read(), store);
    const head = ledger.head();
    return Object.freeze({
      description,
      state,
      entries: anchor.entries,
      allLeaves: anchor.counterBound === head.counterBound,
    });
  } catch (error) {
    // A PIN that was refused says nothing about the ledger.
    if (!(error instanceof VtlicError) || LOGIN_FAULTS.has(error.code)) throw error;
    return Object.freeze({ description, state: 'refused', fault: error });
  }
}

const LOGIN_FAULTS: ReadonlySet<ErrorCode> = new Set(['pin_refused', 'pin_locked', 'pin_last_try', 'secret_missing']);

/**
 * A tree head that this ledger may sign: only what an anchor covers, so that none is ever contradicted by a later one.
 * Of the last log that is what the anchor covers, of an older one what was surely anchored of it.
 *
 * @throws VtlicError `ledger_rolled_back`, and what reading the anchor throws
 */
export async function provableHead(ledger: LedgerView, log: LogInfo, opener?: AnchorStoreOpener): Promise<Checkpoint> {
  const size = await provableSize(ledger, log, opener);
  const root = ledger.rootAt(size, log.logId);
  if (root === undefined) throw new VtlicError('internal', 'the root of a log cannot be computed');
  return Object.freeze({ origin: log.origin, size, root });
}

async function provableSize(ledger: LedgerView, log: LogInfo, opener?: AnchorStoreOpener): Promise<number> {
  const next = ledger.logs().find((candidate) => candidate.number === log.number + 1);
  if (next !== undefined) {
    const entry = ledger.entry(next.entry);
    return entry?.kind === 'adopt' && entry.body.act === 'log' ? entry.body.covered : 0;
  }
  const store = openAnchorStore(ledger.anchorPlace(), opener);
  const { anchor } = compareAnchor(ledger, await store.read(), store);
  // The anchor of a log just begun may still be that of the log before.
  return anchor.entries >= log.entry ? anchor.size : 0;
}
