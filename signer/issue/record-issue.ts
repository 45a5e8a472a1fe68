/** Self-checked → issued: the finished file and its leaf are in the ledger. */
import type { Ledger } from '../ledger/index.ts';
import type { CheckedLicense, IssuedLicense } from './stages.ts';

export function recordIssue(ledger: Ledger, checked: CheckedLicense): IssuedLicense {
  const { intent } = checked.intended;
  const issue = ledger.issue(intent.seq, checked.cose);
  return Object.freeze({ stage: 'issued', intent, issue, file: checked.file });
}
