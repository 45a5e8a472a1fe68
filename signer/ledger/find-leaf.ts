/** Where a license stands in the trees, and what its leaf holds. */
import { uuidFromBytes } from '../../formats/license/id.ts';
import { VtlicError } from '../../formats/error.ts';
import { issueLeaf, reenteredLeaf, voidLeaf } from './tree/leaf.ts';
import type { LedgerView, LogInfo } from './ledger.ts';

export interface FoundLeaf {
  readonly log: LogInfo;
  readonly index: number;
  /** What is hashed. */
  readonly data: Uint8Array;
  readonly kind: 'issued' | 'void';
  /** Where the license was released, relative to the site; of one that was issued here. */
  readonly path: string | undefined;
}

/** @throws VtlicError `request_invalid` where there is no leaf of that license */
export function findLeaf(ledger: LedgerView, licenseId: Uint8Array): FoundLeaf {
  const again = ledger.findReentered(licenseId);
  if (again?.body.act === 'license') {
    return {
      log: logAt(ledger, again.seq),
      index: again.body.leafIndex,
      data: reenteredLeaf(again.body),
      kind: 'issued',
      path: undefined,
    };
  }
  const record = ledger.findByLicenseId(licenseId);
  if (record?.issue !== undefined) {
    return {
      log: logAt(ledger, record.issue.seq),
      index: record.issue.body.leafIndex,
      data: issueLeaf(record.intent.body, record.issue.body),
      kind: 'issued',
      path: record.intent.body.path,
    };
  }
  if (record?.void !== undefined)
    return {
      log: logAt(ledger, record.void.seq),
      index: record.void.body.leafIndex,
      data: voidLeaf(record.intent.body, record.void.body),
      kind: 'void',
      path: undefined,
    };
  throw new VtlicError('request_invalid', `the ledger has no license ${uuidFromBytes(licenseId)}`, {
    hint: 'it may be of another ledger, or not finished: vtlic ledger status',
  });
}

function logAt(ledger: LedgerView, seq: number): LogInfo {
  const log = ledger.logs().findLast((candidate) => candidate.entry <= seq);
  if (log === undefined) throw new VtlicError('internal', `entry ${seq} stands in no log`);
  return log;
}
