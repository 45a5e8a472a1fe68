/**
 * What a batch writes besides its licenses. The results say what happened to every row, as the ledger says:
 * `results.jsonl` for programs, `results.csv` for people. They are made again from plan and ledger after each run, so
 * they are right also after a crash. With `--proof`, a proof is written beside each license.
 */
import { dirname, join } from 'node:path';
import { describeFileError, DurableStream, makeFolders, sha256Hex } from '../../files/index.ts';
import { utf8 } from '../../formats/bytes.ts';
import { armor } from '../../formats/armor.ts';
import { BYTE_ORDER_MARK, csvRow } from '../../formats/csv.ts';
import { formatEnd } from '../../formats/dates.ts';
import { jsonLine } from '../../formats/json/index.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import type { License } from '../../formats/license/license.ts';
import { uuidFromBytes } from '../../formats/license/id.ts';
import { type LedgerView, type LicenseRecord, lineageOf, type VoidReason } from '../ledger/index.ts';
import { batchFolder } from './batch-record.ts';
import type { BatchPlan } from './plan-file.ts';
import type { PlanRow } from './plan-row.ts';
import { recordOfRow } from './row-status.ts';
import { groupDigits } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { type ProofWork, writeProofs } from '../issue/write-proofs.ts';

const SCHEMA = 'vtlic-batch-result/1';
const ROWS_A_TURN = 256;

export type ResultStatus = 'released' | 'issued' | 'void' | 'open' | 'not signed';

interface RowResult {
  readonly line: number;
  readonly customer: string;
  readonly product: string;
  readonly deployment?: string;
  readonly name?: string;
  readonly reference?: string;
  /** As a request writes it: the last day, an instant, or `perpetual`. */
  readonly until?: string;
  /** Exclusive, seconds since 1970. */
  readonly exp?: number;
  readonly status: ResultStatus;
  /** Relative to the site. */
  readonly file?: string;
  /** Of the bytes of the file, hex. */
  readonly fileSha256?: string;
  readonly id?: string;
  readonly counter?: number;
  readonly payloadSha256?: string;
  readonly error?: string;
}

export interface ResultFiles {
  readonly jsonl: string;
  readonly csv: string;
}

export function resultFiles(siteFolder: string, name: string): ResultFiles {
  const folder = batchFolder(siteFolder, name);
  return { jsonl: join(folder, 'results.jsonl'), csv: join(folder, 'results.csv') };
}

const VOID_WORDS: Readonly<Record<VoidReason, string>> = {
  crash: 'the run stopped before the license was signed and recorded; its counter is void',
  signing_failed: 'the key made no signature; the counter is void',
  signing_unknown: 'it is not known whether the key signed; the counter is void',
  self_check_failed: 'the license failed its self-check and was not released; the counter is void',
  restored: 'the ledger was restored from a copy that knew no license of this counter; the counter is void',
  interrupted: 'interrupted before it was signed; the counter is void',
};

const COLUMNS = [
  'line',
  'customer',
  'name',
  'product',
  'deployment',
  'reference',
  'until',
  'status',
  'file',
  'file sha256',
  'license id',
  'counter',
  'payload sha256',
  'error',
] as const;

export interface Results {
  /** Each replaces the one of the run before, whole or not at all. */
  readonly files: ResultFiles;
  readonly counts: Readonly<Record<ResultStatus, number>>;
}

export async function writeResults(plan: BatchPlan, siteFolder: string, ledger: LedgerView): Promise<Results> {
  const files = resultFiles(siteFolder, plan.head.name);
  const counts: Record<ResultStatus, number> = { released: 0, issued: 0, void: 0, open: 0, 'not signed': 0 };
  const jsonl = new Replacement(files.jsonl);
  const csv = new Replacement(files.csv);
  try {
    csv.write(`${BYTE_ORDER_MARK}${csvRow(COLUMNS)}`);
    let rows = 0;
    for (const row of plan.rows()) {
      const result = resultOf(row, plan.head.name, ledger);
      counts[result.status]++;
      jsonl.write(jsonLine({ schema: SCHEMA, ...result }));
      csv.write(
        csvRow([
          result.line,
          result.customer,
          result.name ?? '',
          result.product,
          result.deployment ?? '',
          result.reference ?? '',
          result.until ?? '',
          result.status,
          result.file ?? '',
          result.fileSha256 ?? '',
          result.id ?? '',
          result.counter ?? '',
          result.payloadSha256 ?? '',
          result.error ?? '',
        ]),
      );
      if (++rows % ROWS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    jsonl.finish();
    csv.finish();
    return { files, counts };
  } finally {
    jsonl.abandon();
    csv.abandon();
  }
}

function resultOf(row: PlanRow, batch: string, ledger: LedgerView): RowResult {
  const lineage = row.kind === 'done' ? row.lineage : lineageOf(row.item.license);
  const record = recordOfRow(ledger, lineage, batch, row.row);
  // Without a record, the planned license is used: the columns below are the same for any counter.
  const license = record === undefined ? planned(row) : decodeLicense(record.intent.body.payload);
  const of = {
    line: row.line,
    customer: lineage.sub,
    product: lineage.aud,
    ...(lineage.dep === undefined ? {} : { deployment: lineage.dep }),
    ...(license?.name === undefined ? {} : { name: license.name }),
    ...(license?.ref === undefined ? {} : { reference: license.ref }),
    ...(license === undefined ? {} : { until: formatEnd(license.exp), exp: license.exp }),
  };
  if (record === undefined) return { ...of, status: 'not signed', error: 'not reserved and not signed yet' };
  const { body } = record.intent;
  const counter = { ...of, id: uuidFromBytes(body.licenseId), counter: body.ctr };
  if (record.state === 'void') return { ...counter, status: 'void', error: wordsOf(record) };
  if (record.state === 'open')
    return {
      ...counter,
      status: 'open',
      error: 'its counter is reserved, and no license is recorded; the next start voids it',
    };
  const signed = {
    ...counter,
    file: body.path,
    ...(record.issue === undefined ? {} : { fileSha256: sha256Hex(armor('VTLIC', record.issue.body.cose)) }),
    payloadSha256: sha256Hex(body.payload),
  };
  return record.state === 'released'
    ? { ...signed, status: 'released' }
    : {
        ...signed,
        status: 'issued',
        error: 'the license is signed and in the ledger, but its file is not written; the next start writes it',
      };
}

function planned(row: PlanRow): License | undefined {
  return row.kind === 'done' ? undefined : row.item.license;
}

function wordsOf(record: LicenseRecord): string {
  return VOID_WORDS[record.void?.body.reason ?? 'crash'];
}

/** The results of this run take the place of those of the run before, whole or not at all. */
class Replacement {
  readonly #path: string;
  readonly #stream: DurableStream;
  /** Text of many rows is encoded at once. */
  #text = '';

  constructor(path: string) {
    this.#path = path;
    try {
      makeFolders(dirname(path));
    } catch (error) {
      throw describeFileError(error, 'output_unwritable', path);
    }
    this.#stream = new DurableStream(`${path}.new`, 0o644);
  }

  write(text: string): void {
    this.#text += text;
    if (this.#text.length > 65_536) this.#flush();
  }

  finish(): void {
    this.#flush();
    this.#stream.replace(this.#path);
  }

  abandon(): void {
    this.#stream.abandon();
  }

  #flush(): void {
    this.#stream.write(utf8(this.#text));
    this.#text = '';
  }
}

/**
 * Writes a proof beside the license of every row that has its file, those of earlier runs too.
 *
 * @returns what was done, in words
 */
export async function proveBatch(batch: BatchPlan, work: Omit<ProofWork, 'resumeCommand'>): Promise<string> {
  const { name, input } = batch.head;
  const resumeCommand = `vtlic batch FILE${name === input ? '' : ` --name ${name}`} --resume --proof`;
  const { written, present, ofOlderLog } = await writeProofs(releasedRows(batch, work.ledger), {
    ...work,
    resumeCommand,
  });
  const n = groupDigits;
  const parts = [`proofs written beside the licenses: ${n(written)}`];
  if (present > 0) parts.push(`proofs that existed already: ${n(present)}`);
  if (ofOlderLog > 0) parts.push(`licenses of an earlier log, for which you run vtlic ledger prove: ${n(ofOlderLog)}`);
  return parts.join('; ');
}

/**
 * Returns an error instead of throwing it: the licenses are released by now, and the report ends with the fault of the
 * proofs.
 */
export async function proofFault(
  batch: BatchPlan,
  work: Omit<ProofWork, 'resumeCommand'>,
  tell: (line: string) => void,
): Promise<VtlicError | undefined> {
  try {
    tell(await proveBatch(batch, work));
    return undefined;
  } catch (error) {
    if (error instanceof VtlicError) return error;
    throw error;
  }
}

function* releasedRows(batch: BatchPlan, ledger: LedgerView): Generator<LicenseRecord, void, void> {
  for (const row of batch.rows()) {
    const record = recordOfRow(
      ledger,
      row.kind === 'done' ? row.lineage : lineageOf(row.item.license),
      batch.head.name,
      row.row,
    );
    if (record?.state === 'released') yield record;
  }
}
