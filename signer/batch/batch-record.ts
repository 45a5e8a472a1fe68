/**
 * `batches/NAME/batch.json`: which plan a batch was begun with. The ledger says which rows are done; this says where
 * the rest is. Also finds the plans that are no longer needed.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { readObject } from '../../formats/json/index.ts';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import {
  describeFileError,
  errorCodeOf,
  makeFolders,
  parseJsonFile,
  readLimited,
  removeIfPresent,
  replaceDurably,
} from '../../files/index.ts';
import { fileNameOfId } from '../issue/output-path.ts';

import type { SitePaths } from '../site/site.ts';

const SCHEMA = 'vtlic-batch/1';
const MAX_BYTES = 65_536;

export interface BatchRecord {
  readonly name: string;
  /** SHA-256 of the file, hex. */
  readonly input: string;
  /** Digest of the newest reviewed plan, hex. */
  readonly plan: string;
}

/**
 * The folder of a batch's record and results. Names are ids: no part of one can climb out. A batch that was begun under
 * its bare name, by an older program, keeps that folder.
 */
export function batchFolder(siteFolder: string, name: string): string {
  const [folder, older] = [join(siteFolder, 'batches', fileNameOfId(name)), join(siteFolder, 'batches', name)];
  return existsSync(join(older, 'batch.json')) && !existsSync(folder) ? older : folder;
}

export function writeBatchRecord(siteFolder: string, record: BatchRecord): void {
  const folder = batchFolder(siteFolder, record.name);
  const file = join(folder, 'batch.json');
  try {
    makeFolders(folder);
  } catch (error) {
    throw describeFileError(error, 'output_unwritable', folder);
  }
  replaceDurably(file, utf8(`${JSON.stringify({ schema: SCHEMA, ...record }, null, 2)}\n`), 0o644);
}

/** undefined where the batch was never begun. */
export function readBatchRecord(siteFolder: string, name: string): BatchRecord | undefined {
  const file = join(batchFolder(siteFolder, name), 'batch.json');
  let bytes: Uint8Array;
  try {
    bytes = readLimited(file, MAX_BYTES, 'json_malformed');
  } catch (error) {
    if (error instanceof VtlicError && errorCodeOf(error.cause) === 'ENOENT') return undefined;
    throw error;
  }
  const root = readObject(parseJsonFile(bytes, file, MAX_BYTES), { code: 'configuration_invalid', file });
  const schema = root.required('schema');
  if (schema.string() !== SCHEMA) throw schema.fault(`should be "${SCHEMA}"`);
  const record: BatchRecord = { name: root.string('name'), input: root.string('input'), plan: root.string('plan') };
  root.end();
  return Object.freeze(record);
}

/** A plan is confirmed within 24 hours; a person may still want to look at it for some days. */
const KEPT_PLAN_DAYS = 30;
const PLAN_NAME = /^(?:[0-9a-f]{64}|\.batch-[0-9a-f]+\.tmp)$/;

/**
 * Removes plans that are older than 30 days, because they contain the names of customers. The newest plan of each batch
 * stays: `--resume` goes on with it at any age. What cannot be read or removed stays too.
 */
export function removeOldPlans({ folder, plans }: SitePaths, nowMs: number): void {
  try {
    const kept = new Set(batchNames(folder).map((name) => readBatchRecord(folder, name)?.plan));
    for (const name of readdirSync(plans)) {
      if (!PLAN_NAME.test(name) || kept.has(name)) continue;
      const path = join(plans, name);
      if (nowMs - statSync(path).mtimeMs > KEPT_PLAN_DAYS * DAY_SECONDS * 1000) removeIfPresent(path);
    }
  } catch (error) {
    // A license is signed by now: a folder that cannot be tidied is no reason to report a failure.
    if (!(error instanceof VtlicError) && errorCodeOf(error) === undefined) throw error;
  }
}

function batchNames(folder: string): readonly string[] {
  try {
    return readdirSync(join(folder, 'batches'));
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
