/**
 * Carries out a reviewed batch in groups: the intents of a group in one transaction, the signatures in flight together,
 * the checks on other cores; then its issues in one transaction, one anchor, its files, its releases in one
 * transaction.
 *
 * The key never waits: when the last signature of a group is asked for, the next group is reserved, and while that one
 * is signed the first is finished. Whatever fails between intent and issue voids its counter.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { VtlicError } from '../../formats/error.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import { createManyDurably } from '../../files/index.ts';
import { voidReasonOf } from '../issue/sign-plan.ts';
import type { Checker } from '../issue/checker.ts';
import { requireClock } from '../issue/open-ledger.ts';
import { reserveCounter } from '../issue/reserve-counter.ts';
import { recordIssue, sign, type CheckedLicense, type IntendedLicense, type IssuedLicense } from '../issue/pipeline.ts';
import { nowSeconds, type Runtime } from '../runtime.ts';
import { outputPath } from '../issue/output-path.ts';
import { type Ledger, lineageOf } from '../ledger/index.ts';
import type { SignRow } from './plan-row.ts';
import { isDone, recordOfRow } from './row-status.ts';
import type { ReviewedBatch } from './review.ts';

/**
 * The counters that are reserved together. A crash voids at most twice as many: those of a group whose last signatures
 * are missing, and those of the next group.
 */
const MAX_GROUP = 128;
const FIRST_GROUP = 8;
const GROUP_SECONDS = 2;
/**
 * Requests on their way to the key: enough to keep it busy while a transaction blocks this thread, and few where it is
 * slow.
 */
const MIN_IN_FLIGHT = 4;
const MAX_IN_FLIGHT = 32;
const IN_FLIGHT_SECONDS = 0.1;
/** If so many signatures fail one after the other, the fault is in the key and not in a row. */
const MAX_FAILURES_IN_A_ROW = 8;

export interface BatchContext {
  readonly ledger: Ledger;
  /** Absolute path of the site. */
  readonly siteFolder: string;
  readonly key: SigningKey;
  readonly checker: Checker;
  readonly runtime: Runtime;
  /** Called after each group. */
  readonly progress: (done: number) => void;
}

export interface BatchOutcome {
  /** Released in this run. */
  readonly released: number;
  /** Rows that had their license before. */
  readonly passedOver: number;
  /** Rows of this run that got no license, or whose file could not be written. */
  readonly failed: number;
  /** The officer stopped it before the last row. */
  readonly interrupted: boolean;
  /** What ended it before the last row. */
  readonly stoppedBy?: VtlicError;
}

/** Never throws for a row, a key or a disk: what stopped it is in the outcome, so that the results can be written. */
export async function signBatch(reviewed: ReviewedBatch, context: BatchContext): Promise<BatchOutcome> {
  const run = new BatchRun(reviewed, context);
  return run.all();
}

/** Reserved, and on its way to the key. */
interface GroupInFlight {
  /** The last signature was asked for, and few are outstanding. */
  readonly asked: Promise<void>;
  /** The licenses that were signed and checked; the counters of the others are void by then. */
  readonly signed: Promise<readonly CheckedLicense[]>;
}

class BatchRun {
  readonly #reviewed: ReviewedBatch;
  readonly #context: BatchContext;
  #released = 0;
  #passedOver = 0;
  #failed = 0;
  #stoppedBy: VtlicError | undefined;
  #failedInARow = 0;
  readonly #pace = new Pace();

  constructor(reviewed: ReviewedBatch, context: BatchContext) {
    this.#reviewed = reviewed;
    this.#context = context;
  }

  async all(): Promise<BatchOutcome> {
    const rows = this.#open();
    let finishing: Promise<void> = Promise.resolve();
    let first = true;
    let interrupted = false;
    try {
      // A passphrase may have been asked for since the ledger was opened; from here on, each group's anchor is looked
      // at before it is moved.
      await this.#context.ledger.requireAnchor();
      for (
        let group = take(rows, this.#pace.group);
        group.length > 0 && this.#stoppedBy === undefined;
        group = take(rows, this.#pace.group)
      ) {
        if (this.#context.runtime.interrupted()) {
          interrupted = true;
          break;
        }
        const { asked, signed } = await this.#sign(group);
        // A key that signs nothing is noticed before a second group is reserved.
        await (first ? signed : asked);
        first = false;
        this.#pace.next();
        await finishing;
        finishing = signed.then((checked) => this.#finish(checked));
      }
    } catch (error) {
      this.#stop(error);
    } finally {
      rows.return(undefined);
    }
    await finishing;
    return Object.freeze({
      released: this.#released,
      passedOver: this.#passedOver,
      failed: this.#failed,
      interrupted,
      ...(this.#stoppedBy === undefined ? {} : { stoppedBy: this.#stoppedBy }),
    });
  }

  /** Keeps the first error. Only `signing_unknown` replaces an anchor that was not written: it matters more. */
  #stop(error: unknown): void {
    const fault = asVtlicError(error);
    if (
      this.#stoppedBy === undefined ||
      (this.#stoppedBy.code === 'ledger_unwritable' && fault.code === 'signing_unknown')
    )
      this.#stoppedBy = fault;
  }

  /** The rows that have no license yet. */
  *#open(): Generator<SignRow, void, void> {
    const { batch } = this.#reviewed;
    for (const row of batch.rows()) {
      if (
        row.kind === 'done' ||
        isDone(recordOfRow(this.#context.ledger, lineageOf(row.item.license), batch.head.name, row.row))
      )
        this.#passedOver++;
      else yield row;
    }
  }

  /** Intended → signed → self-checked. */
  async #sign(group: readonly SignRow[]): Promise<GroupInFlight> {
    const { ledger, key, checker, runtime } = this.#context;
    const { head, end } = this.#reviewed.batch;
    requireClock(ledger, nowSeconds(runtime));
    const intended = ledger.group(() =>
      group.map((row) =>
        reserveCounter(ledger, this.#reviewed, row.item, {
          custody: key.custody,
          operator: runtime.operator,
          path: outputPath(row.item.license, end.sharded),
          batch: { name: head.name, row: row.row },
        }),
      ),
    );
    await runtime.step('intent-durable');
    const results = new Array<CheckedLicense | VtlicError | undefined>(group.length);
    const checks: Promise<void>[] = [];
    const asked = Promise.withResolvers<void>();
    let next = 0;
    const fail = (index: number, error: unknown): void => {
      const fault = asVtlicError(error);
      results[index] = fault;
      // If one signature was not made, only that row fails; every other fault would fail for the next row too.
      if (fault.code !== 'signing_failed' || ++this.#failedInARow >= MAX_FAILURES_IN_A_ROW) this.#stop(fault);
    };
    const work = async (): Promise<void> => {
      while (next < intended.length && this.#stoppedBy === undefined) {
        const index = next++;
        const one = intended[index];
        if (one === undefined) break;
        if (next === intended.length) asked.resolve();
        try {
          const signed = await sign(one, key);
          this.#pace.made();
          this.#failedInARow = 0;
          await runtime.step('signed');
          checks.push(
            checker.check(signed).then(
              async (checked) => {
                results[index] = checked;
                await runtime.step('self-checked');
              },
              (error: unknown) => {
                fail(index, error);
              },
            ),
          );
        } catch (error) {
          fail(index, error);
        }
      }
      asked.resolve();
    };
    const outcome = async (): Promise<readonly CheckedLicense[]> => {
      await Promise.all(Array.from({ length: this.#pace.inFlight }, work));
      await Promise.all(checks);
      const faults = results.filter((result) => result instanceof VtlicError);
      if (faults.length === group.length) this.#stop(faults[0]);
      this.#voidAll(intended, results);
      return results.filter(
        (result): result is CheckedLicense => result !== undefined && !(result instanceof VtlicError),
      );
    };
    const signed = outcome().catch((error: unknown) => {
      this.#stop(error);
      return [];
    });
    return { asked: asked.promise, signed };
  }

  /** Voids counters that were reserved without becoming a license, also those never sent to a key that failed. */
  #voidAll(intended: readonly IntendedLicense[], results: readonly (CheckedLicense | VtlicError | undefined)[]): void {
    const { ledger } = this.#context;
    const lost = intended.flatMap(({ intent }, i) => {
      const result = results[i];
      // The key was never asked for this signature, so it is certain that none was made, whatever stopped the batch.
      if (result === undefined) return [{ intent, reason: 'signing_failed' as const }];
      return result instanceof VtlicError ? [{ intent, reason: voidReasonOf(result) }] : [];
    });
    if (lost.length === 0) return;
    this.#failed += lost.length;
    try {
      ledger.group(() => {
        for (const { intent, reason } of lost) ledger.void_(intent.seq, reason);
      });
    } catch (error) {
      // Open intents are voided by the next start.
      this.#stop(error);
    }
  }

  /** Self-checked → issued → anchored → released. */
  async #finish(group: readonly CheckedLicense[]): Promise<void> {
    const { ledger, runtime } = this.#context;
    if (group.length === 0) return;
    try {
      const issued = ledger.group(() => group.map((checked) => recordIssue(ledger, checked)));
      await runtime.step('issue-durable');
      await ledger.anchor();
      await runtime.step('anchor-durable');
      await this.#release(issued);
    } catch (error) {
      this.#stop(error);
    }
  }

  async #release(issued: readonly IssuedLicense[]): Promise<void> {
    const { ledger, siteFolder, runtime, progress } = this.#context;
    const outcomes = await createManyDurably(
      issued.map(({ intent, file }) => ({ path: join(siteFolder, intent.body.path), bytes: file })),
      0o644,
      { written: () => runtime.step('file-written'), linked: () => runtime.step('file-linked') },
    );
    const released = issued.filter((_, i) => outcomes[i]?.ok === true);
    // A fault of one file concerns only its row. If no file of a group can be written, those of the next group could
    // not either, so the batch stops.
    const faults = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]));
    if (issued.length > 1 && faults.length === issued.length && faults[0]?.code === 'output_unwritable')
      this.#stop(faults[0]);
    ledger.group(() => {
      for (const { intent, file } of released)
        ledger.release(intent.seq, { path: intent.body.path, digest: createHash('sha256').update(file).digest() });
    });
    this.#released += released.length;
    this.#failed += issued.length - released.length;
    await runtime.step('release-durable');
    progress(this.#released + this.#failed);
  }
}

/** How much is taken at once, by how fast the key was last. */
class Pace {
  group = FIRST_GROUP;
  inFlight = MIN_IN_FLIGHT;
  #made = 0;
  #since = performance.now();

  made(): void {
    this.#made++;
  }

  next(): void {
    const now = performance.now();
    if (this.#made > 0) {
      const rate = (this.#made / (now - this.#since)) * 1000;
      this.group = Math.max(1, Math.min(MAX_GROUP, Math.floor(rate * GROUP_SECONDS)));
      this.inFlight = Math.max(MIN_IN_FLIGHT, Math.min(MAX_IN_FLIGHT, Math.floor(rate * IN_FLIGHT_SECONDS)));
    }
    this.#made = 0;
    this.#since = now;
  }
}

function asVtlicError(error: unknown): VtlicError {
  return error instanceof VtlicError
    ? error
    : new VtlicError('internal', error instanceof Error ? error.message : 'a value was thrown that is not an error', {
        cause: error,
      });
}

function take(rows: Iterator<SignRow>, size: number): readonly SignRow[] {
  const group: SignRow[] = [];
  while (group.length < size) {
    const next = rows.next();
    if (next.done === true) break;
    group.push(next.value);
  }
  return group;
}
