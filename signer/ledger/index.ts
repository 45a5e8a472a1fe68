/** The door of the ledger: the rest of the signer imports only from here. */
export { AuditLines } from './audit-line.ts';
export { createLedger } from './create.ts';
export type { DocumentPosition, ImportBody, PublishedKeysetBody, ReenteredBody } from './entries/admin-entry.ts';
export { chainValue, sha256 } from './entries/chain.ts';
export { coseFault } from './entries/check-intent.ts';
export { clockMark, judgeClock } from './entries/clock-rule.ts';
export { countersToSkip, isNewerDocument } from './entries/counter-rule.ts';
export { makeBody } from './entries/entry-body.ts';
export type {
  AdoptEntry,
  BatchRow,
  ClockEntry,
  CloseEntry,
  IntentEntry,
  IssueEntry,
  VoidReason,
} from './entries/entry.ts';
export { ledgerCorrupt } from './entries/errors.ts';
export { lineageOf, lineageText, sameLineage, type CounterOf, type Lineage } from './entries/lineage.ts';
export { customerHistory, takenOverFrom, type HistoryLine, type LineageHistory } from './history.ts';
export type { Ledger, LedgerView, LicenseRecord, LineageState, LogInfo } from './ledger.ts';
export { findLeaf, issuedCose, newestOfCustomer, newestOfLineage, reenteredLicense } from './find-license.ts';
export {
  openLedgerForReading,
  openLedgerForWriting,
  withDraft,
  type ClockJump,
  type LedgerOpenOptions,
} from './open.ts';
export { anchorStatus, ledgerStatus, provableHead, type AnchorStatus } from './status.ts';
export { copyLedger, fileExists, removeDatabase } from './store/database-file.ts';
export { acquireLock } from './store/lock.ts';
export { checkConsistency, checkInclusion } from './tree/check-proof.ts';
export { decodeLogKey, encodeLogKey, logKey, type LogKey } from './tree/log-key.ts';
export { inclusionHolds } from './tree/merkle-proof.ts';
export { leafHash } from './tree/merkle.ts';
export { openCheckpoint, signCheckpoint } from './tree/sign-checkpoint.ts';
export type { LedgerSummary, Progress } from './verify/verify.ts';
