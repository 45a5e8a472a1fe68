/** One run of a batch: plan, word of the officer, key, groups, results. */
import { counted, groupDigits } from '../../formats/clean-text.ts';
import { toHex } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { checkerFor } from '../issue/checker.ts';
import { openForSigning } from '../issue/open-ledger.ts';
import { anchorKeystores, openingWith } from '../keys/ledger-opening.ts';
import { type KeyAccess, keystoresUsed, secretsNeeded, secretsTaken } from '../keys/keystores.ts';
import { openKey } from '../keys/open-key.ts';
import type { SecretSource, TokenPool } from '../keys/token-pool.ts';
import type { Ledger, LedgerOpenOptions } from '../ledger/index.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import { checkPlanFresh, keyOfPlan } from '../plan/plan-freshness.ts';
import type { ReviewTerminal } from '../plan/review.ts';
import { readCatalog } from '../site/catalog.ts';
import { type KeyRecord, licenseKey, openSite, type Site } from '../site/site.ts';
import { nowSeconds, type Runtime } from '../runtime.ts';
import { removeOldPlans, writeBatchRecord } from './batch-record.ts';
import type { BatchSource } from './read-rows.ts';
import { signBatch, type BatchOutcome } from './sign-batch.ts';
import { checkRows } from './row-status.ts';
import { openBatchPlan, type BatchPlan } from './plan-file.ts';
import { begunError, finishedError, preparePlan } from './prepare-plan.ts';
import { proofFault, proveBatch, writeResults, type ResultFiles, type Results } from './results.ts';
import { summaryView } from '../summary/batch-summary.ts';
import {
  checkPlannedRow,
  openKeyFor,
  reviewBatchByDigest,
  reviewBatchOnTerminal,
  reviewedWhenBegun,
  type ReviewedBatch,
} from './review.ts';

const GO_ON = 'go on with --resume';

export interface BatchSecrets extends SecretSource {
  /**
   * Before any login: the secrets that are surely needed can be had, and none was given for a keystore that takes none.
   */
  readonly assertFor: (taken: readonly string[], needed?: readonly string[]) => void;
}

export type BatchPhase = 'planning' | 'signing';

export interface BatchProgress {
  readonly show: (done: number) => void;
  /** Ends the line of progress, if one is shown. */
  readonly end: () => void;
}

export interface BatchIo {
  readonly site: Site;
  readonly runtime: Runtime;
  readonly terminal: ReviewTerminal | undefined;
  readonly tell: (line: string) => void;
  /** ` --site DIR` for a command that a hint names, as the officer gave it; empty where no site was named. */
  readonly siteArgument: string;
  /** Called as a phase begins; the total is undefined if it is not known yet. */
  readonly progress: (phase: BatchPhase, total?: number) => BatchProgress;
  /** One fault of a row. */
  readonly fault: (fault: VtlicError) => void;
  readonly secrets: BatchSecrets;
  /** The caller closes it at the end of the run. */
  readonly tokens: TokenPool;
}

export interface BatchWanted {
  /** undefined where `confirm` names the plan. */
  readonly source?: BatchSource;
  readonly confirm?: string;
  readonly key?: string;
  readonly resume: boolean;
  readonly clock?: Pick<LedgerOpenOptions, 'confirmTime' | 'confirmJump'>;
  /** Signs the checkpoint to which each released license is proved; left out: no proofs. */
  readonly proofKey?: KeyRecord;
}

export interface BatchDone {
  readonly results: ResultFiles;
  readonly failed: number;
  /** What ended the run before its last row; the results are written all the same. */
  readonly stoppedBy?: VtlicError;
}

interface BatchKeys {
  readonly key: KeyRecord;
  readonly proofKey: KeyRecord | undefined;
}

interface ReadyBatch {
  readonly reviewed: ReviewedBatch;
  /** A run before this one reserved counters by this plan: `--resume` signs the rest at any age. */
  readonly begun: boolean;
  /** Rows that are still to be signed. */
  readonly open: number;
}

export async function runBatch(io: BatchIo, wanted: BatchWanted): Promise<BatchDone> {
  const { site, runtime } = io;
  if (io.terminal === undefined && wanted.confirm === undefined && !wanted.resume) {
    throw new VtlicError('usage', 'there is no terminal on which to show what will be signed', {
      hint: 'plan it with --dry-run, then sign it with --confirm DIGEST',
    });
  }
  // Which key, and whether its secret can be had, is known before the ledger is opened or a token touched.
  const key =
    wanted.confirm === undefined
      ? licenseKey(site, wanted.key)
      : keyOfPlan(openBatchPlan(site.paths.plans, wanted.confirm).head.kid, site);
  const { proofKey } = wanted;
  const stores = [
    ...keystoresUsed(key),
    ...(proofKey === undefined ? [] : keystoresUsed(proofKey)),
    ...anchorKeystores(site),
  ];
  io.secrets.assertFor(secretsTaken(site, stores), secretsNeeded(site, stores));
  return runWith({ site, secrets: io.secrets, tokens: io.tokens, runtime }, io, wanted, { key, proofKey });
}

async function runWith(access: KeyAccess, io: BatchIo, wanted: BatchWanted, keys: BatchKeys): Promise<BatchDone> {
  const ledger = await openForSigning(io.site, io.runtime, {
    command: 'batch',
    ...wanted.clock,
    ...openingWith(access, keys.key),
  });
  try {
    const ready =
      wanted.confirm === undefined
        ? await fromSource(io, wanted, keys.key, ledger, access)
        : confirmed(io, wanted, wanted.confirm, ledger);
    return await signReviewed(io, wanted, ready, keys, { ledger, access });
  } finally {
    ledger.close();
  }
}

/** `--confirm DIGEST`: exactly that plan, or a refusal before the first signature. */
function confirmed(io: BatchIo, wanted: BatchWanted, digest: string, ledger: Ledger): ReadyBatch {
  const { site, runtime } = io;
  const plan = openBatchPlan(site.paths.plans, digest);
  const catalog = readCatalog(site.paths.catalog);
  checkPlanFresh(plan.head, openSite(site.paths.folder), catalog, ledger);
  const checked = checkRows(plan, ledger, (row) => {
    checkPlannedRow(row, plan.head.made, { site, catalog, ledger });
  });
  const reviewed = checked.begun ? reviewedWhenBegun(plan, checked) : reviewBatchByDigest(plan, nowSeconds(runtime));
  if (checked.done === checked.rows) throw finishedError(plan.head.name, checked.rows);
  if (checked.done > 0 && !wanted.resume)
    throw begunError(plan.head.name, checked.done, checked.rows, 'go on with it: --resume');
  if (checked.stale > 0) {
    throw new VtlicError(
      'plan_stale',
      `the counters of ${groupDigits(checked.stale)} of ${groupDigits(checked.rows)} rows were used after the ` +
        `plan was made: ${checked.firstStale ?? ''}`,
      { hint: 'plan what is left: vtlic batch FILE --resume --dry-run, with the same --name if one was given' },
    );
  }
  return { reviewed, begun: checked.begun, open: checked.open };
}

async function fromSource(
  io: BatchIo,
  wanted: BatchWanted,
  key: KeyRecord,
  ledger: Ledger,
  access: KeyAccess,
): Promise<ReadyBatch> {
  const { site, runtime, terminal } = io;
  const { source } = wanted;
  if (source === undefined) throw new VtlicError('internal', 'a batch needs a file or a plan');
  const reading = io.progress('planning');
  const prepared = await preparePlan({
    site,
    catalog: readCatalog(site.paths.catalog),
    ledger,
    key,
    runtime,
    source,
    resume: wanted.resume,
    fault: io.fault,
    tell: io.tell,
    progress: reading.show,
  }).finally(reading.end);
  if (prepared.kind === 'finished') {
    // A crash may have come between the last license and the results.
    if (prepared.plan !== undefined) {
      await writeResults(prepared.plan, site.paths.folder, ledger);
      if (wanted.proofKey !== undefined) await proveFinished(io, prepared.plan, wanted.proofKey, ledger, access);
    }
    throw finishedError(source.name, prepared.rows);
  }
  const { plan } = prepared;
  if (prepared.kind === 'begun') {
    io.tell(
      `batch ${source.name} continues: ${groupDigits(prepared.checked.done)} of ` +
        `${groupDigits(plan.end.rows)} rows have their license; the rest is signed as it was reviewed`,
    );
    return { reviewed: reviewedWhenBegun(plan, prepared.checked), begun: true, open: prepared.checked.open };
  }
  if (terminal === undefined) {
    const { again } = prepared.summary;
    throw new VtlicError(
      'usage',
      'the rows that are left of this batch have a new plan, and nobody has confirmed it' +
        (again === 0 ? '' : `: ${counted(again, 'row needs', 'rows need')} a new counter`),
      { hint: `review it with --resume --dry-run, then: vtlic batch --confirm DIGEST --resume` },
    );
  }
  const view = summaryView(prepared.summary, {
    file: source.file,
    name: source.name,
    sharded: plan.end.sharded,
    keyName: key.name,
    algorithm: key.algorithm,
    custody: key.custody,
    digest: plan.digest,
  });
  return { reviewed: await reviewBatchOnTerminal(plan, view, terminal), begun: false, open: plan.end.sign };
}

async function signReviewed(
  io: BatchIo,
  wanted: BatchWanted,
  { reviewed, begun, open }: ReadyBatch,
  keys: BatchKeys,
  { ledger, access }: { readonly ledger: Ledger; readonly access: KeyAccess },
): Promise<BatchDone> {
  const { site, runtime } = io;
  const { batch } = reviewed;
  // Read again: somebody may have changed them while a prompt was open.
  checkPlanFresh(batch.head, openSite(site.paths.folder), readCatalog(site.paths.catalog), ledger);
  const options = `${wanted.resume ? ' --resume' : ''}${keys.proofKey === undefined ? '' : ' --proof'}`;
  const again = { begun, options: `${options}${io.siteArgument}` };
  const signingKey = await openKeyFor(batch, access, keys.key, again);
  try {
    // Both secrets are asked for before anything is signed.
    const proofKey = keys.proofKey === undefined ? undefined : await openKeyFor(batch, access, keys.proofKey, again);
    try {
      await runtime.step('key-open');
      writeBatchRecord(site.paths.folder, { name: batch.head.name, input: batch.head.input, plan: batch.digest });
      await runtime.step('batch-begun');
      const outcome = await signRows(io, { reviewed, begun, open }, signingKey, ledger);
      return await finish(io, batch, outcome, proofKey, ledger);
    } finally {
      await proofKey?.close();
    }
  } finally {
    await signingKey.close();
  }
}

async function signRows(
  { site, runtime, progress }: BatchIo,
  { reviewed, open }: ReadyBatch,
  key: SigningKey,
  ledger: Ledger,
): Promise<BatchOutcome> {
  const checker = checkerFor(key, open);
  try {
    const signing = progress('signing', open);
    return await signBatch(reviewed, {
      ledger,
      siteFolder: site.paths.folder,
      key,
      checker,
      runtime,
      progress: signing.show,
    }).finally(signing.end);
  } finally {
    await checker.close();
  }
}

async function finish(
  io: BatchIo,
  batch: BatchPlan,
  outcome: BatchOutcome,
  proofKey: SigningKey | undefined,
  ledger: Ledger,
): Promise<BatchDone> {
  const { site, runtime, tell } = io;
  const results = await resultsOf(batch, site, ledger, outcome);
  await runtime.step('results-written');
  removeOldPlans(site.paths, runtime.nowMs());
  const { counts } = results;
  const failed = counts.void + counts.issued + counts.open;
  tell(
    `signed and released: ${groupDigits(outcome.released)}; rows of batch ${batch.head.name}: ` +
      `${groupDigits(batch.end.rows)} in all, ${groupDigits(counts.released)} with a license, ` +
      `${groupDigits(failed)} failed, ${groupDigits(counts['not signed'])} not begun`,
  );
  const stoppedBy =
    reasonToStop(outcome, counts) ??
    (proofKey === undefined ? undefined : await proofFault(batch, { ledger, site, key: proofKey, runtime }, tell));
  return { results: results.files, failed: outcome.failed, ...(stoppedBy === undefined ? {} : { stoppedBy }) };
}

/**
 * What stopped the batch is reported first: a key whose state is unknown matters more than a list that can be made
 * again.
 */
async function resultsOf(batch: BatchPlan, site: Site, ledger: Ledger, { stoppedBy }: BatchOutcome): Promise<Results> {
  try {
    return await writeResults(batch, site.paths.folder, ledger);
  } catch (error) {
    if (stoppedBy === undefined || !(error instanceof VtlicError)) throw error;
    throw new VtlicError(
      stoppedBy.code,
      `${stoppedBy.message}; and the results could not be written: ${error.message}`,
      {
        ...stoppedBy.place,
        hint: stoppedBy.hint === undefined ? GO_ON : `${stoppedBy.hint}; then ${GO_ON}`,
        cause: stoppedBy,
      },
    );
  }
}

async function proveFinished(
  { site, runtime, tell }: BatchIo,
  batch: BatchPlan,
  record: KeyRecord,
  ledger: Ledger,
  access: KeyAccess,
): Promise<void> {
  const key = await openKey(access, record, toHex(ledger.genesis.ledgerId));
  try {
    tell(await proveBatch(batch, { ledger, site, key, runtime }));
  } finally {
    await key.close();
  }
}

function reasonToStop(outcome: BatchOutcome, counts: Results['counts']): VtlicError | undefined {
  const left = `${counted(counts['not signed'], 'row is', 'rows are')} not begun`;
  const { stoppedBy } = outcome;
  if (stoppedBy !== undefined) {
    const lost = counts.void === 0 ? '' : `; the results list the void counters: ${groupDigits(counts.void)}`;
    return new VtlicError(stoppedBy.code, `${stoppedBy.message}; ${left}${lost}`, {
      ...stoppedBy.place,
      hint: stoppedBy.hint === undefined ? GO_ON : `${stoppedBy.hint}; then ${GO_ON}`,
      cause: stoppedBy,
    });
  }
  return outcome.interrupted
    ? new VtlicError('interrupted', `interrupted: the licenses already begun were finished; ${left}`, { hint: GO_ON })
    : undefined;
}
