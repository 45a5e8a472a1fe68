/**
 * A fresh site with a batch of new customers, planned and reviewed: what is measured begins where the officer has said
 * Yes.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import { openBatchPlan } from '../../signer/batch/plan-file.ts';
import { digestOfFile, planBatch } from '../../signer/batch/plan-batch.ts';
import type { Ledger } from '../../signer/ledger/ledger.ts';
import { openLedgerForWriting } from '../../signer/ledger/open.ts';
import { readCatalog } from '../../signer/site/catalog.ts';
import { createSite } from '../../signer/site/create-site.ts';
import { type KeyRecord, openSite, type Site } from '../../signer/site/site.ts';
import { nowSeconds, type Runtime } from '../../signer/runtime.ts';
import { reviewBatchByDigest, type ReviewedBatch } from '../../signer/batch/review.ts';

export const benchRuntime: Runtime = Object.freeze<Runtime>({
  nowMs: Date.now,
  random: (bytes) => new Uint8Array(randomBytes(bytes)),
  step: () => new Promise((resolve) => setImmediate(resolve)),
  interrupted: () => false,
  tell: () => undefined,
  operator: 'bench',
});

export interface BatchSite {
  readonly site: Site;
  readonly ledger: Ledger;
  readonly reviewed: ReviewedBatch;
  readonly planMs: number;
}

const folders: string[] = [];

/** A folder that no run before has used. Deleted at the end: ext4 slows after many deletions. */
export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vtlic-bench-'));
  folders.push(folder);
  return folder;
}

export function removeBenchFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

function day(offset: number): string {
  return new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
}

function writeRows(file: string, rows: number): void {
  const fd = openSync(file, 'wx');
  try {
    writeSync(
      fd,
      'customer,name,product,deployment,tier,seats,from,until,graceDays,features,limits.vaults,reference\n',
    );
    const [from, until] = [day(0), day(364)];
    let held = '';
    for (let i = 0; i < rows; i++) {
      held += `customer-${i},"Customer ${i}, Inc.",vaultdesk,prod-eu,enterprise,${10 + (i % 4000)},${from},${until},30,audit-export;sso,50,PO-${i}\n`;
      if (held.length < 65_536 && i < rows - 1) continue;
      writeSync(fd, held);
      held = '';
    }
  } finally {
    closeSync(fd);
  }
}

export async function makeBatchSite(folder: string, rows: number, key: SigningKey): Promise<BatchSite> {
  const paths = await createSite(
    {
      folder: join(folder, 'site'),
      issuer: 'example-vendor',
      anchor: { kind: 'file', path: join(folder, 'anchor') },
      keystores: [{ type: 'file', name: 'bench', path: 'keys' }],
      exampleCatalog: true,
    },
    benchRuntime,
  );
  const site = openSite(paths.folder);
  const record: KeyRecord = {
    name: 'bench',
    purpose: 'license',
    algorithm: key.publicKey.alg,
    publicKey: key.publicKey,
    keystore: 'bench',
    custody: key.custody,
    made: '2027-01-01T00:00:00Z',
  };
  const file = join(folder, 'batch.csv');
  writeRows(file, rows);
  const input = digestOfFile(file);
  const ledger = await openLedgerForWriting(paths.ledger, {
    now: () => nowSeconds(benchRuntime),
    random: benchRuntime.random,
    holder: { command: 'bench' },
  });
  const begun = performance.now();
  const planned = await planBatch({
    site,
    catalog: readCatalog(paths.catalog),
    ledger,
    key: record,
    runtime: benchRuntime,
    file,
    format: 'csv',
    name: 'bench',
    input,
    newCustomers: true,
    resume: false,
  });
  if (planned.kind !== 'planned') throw new Error(`the batch was not planned: ${planned.kind}`);
  const reviewed = reviewBatchByDigest(openBatchPlan(paths.plans, planned.digest), nowSeconds(benchRuntime));
  return { site, ledger, reviewed, planMs: performance.now() - begun };
}
