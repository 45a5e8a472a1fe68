/** One thread's share of a check that goes stretch by stretch: it takes them until there are no more. */
import { VtlicError } from '../../../formats/error.ts';
import { openReadOnly } from '../store/open-database.ts';
import { ledgerFault } from '../store/sqlite-faults.ts';
import {
  endAt,
  takeStretch,
  type CheckStretch,
  type OpenStretches,
  type Stretch,
  type StretchFault,
  type StretchJob,
} from './stretch-job.ts';

/**
 * Yields after each stretch: its first fault, or undefined where it had none.
 *
 * @throws VtlicError what opening for reading throws
 */
export function* stretchFaults(job: StretchJob, open: OpenStretches): Generator<StretchFault | undefined, void> {
  const db = openReadOnly(job.file);
  try {
    const check = open(db);
    for (let stretch = takeStretch(job); stretch !== undefined; stretch = takeStretch(job)) {
      const fault = faultOf(job.file, check, stretch);
      if (fault !== undefined) endAt(job, fault.seq);
      yield fault;
    }
  } finally {
    db.close();
  }
}

function faultOf(file: string, check: CheckStretch, stretch: Stretch): StretchFault | undefined {
  let seq = stretch.from + 1;
  try {
    check(stretch, (next) => void (seq = next));
    return undefined;
  } catch (error) {
    const fault = ledgerFault(error, file, 'read');
    if (fault instanceof VtlicError && fault.code === 'ledger_corrupt') return { seq, message: fault.message };
    throw fault;
  }
}
