import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VtlicError } from '../../../../formats/error.ts';
import { PERPETUAL_EXP } from '../../../../formats/license/bounds.ts';
import { encodeLicense } from '../../../../formats/license/encode-license.ts';
import { makeUuidV7 } from '../../../../formats/license/id.ts';
import type { License } from '../../../../formats/license/license.ts';
import { isSharded, outputPath } from '../../../../signer/issue/output-path.ts';
import { openBatchPlan, BatchPlanWriter } from '../../../../signer/batch/plan-file.ts';
import { type BatchHead, rowDigest } from '../../../../signer/batch/plan-row.ts';
import { progressText } from '../../../../signer/cli/progress.ts';
import { count, emptySummary, summaryDocument, summaryView } from '../../../../signer/summary/batch-summary.ts';
import type { Request } from '../../../../signer/request/request.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-plan-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const hex = (digit: string, bytes: number): string => digit.repeat(bytes * 2);
const head: BatchHead = {
  ledger: hex('1', 16),
  entries: 7,
  chain: hex('2', 32),
  made: 1_800_000_000,
  site: hex('3', 32),
  catalog: hex('4', 32),
  name: 'renewals',
  input: hex('5', 32),
  kid: hex('6', 32),
};

function license(i: number, changes: Partial<License> = {}): License {
  return {
    iss: 'example-vendor',
    sub: `c${i}`,
    aud: 'vaultdesk',
    exp: 1_900_000_000,
    nbf: 1_800_000_000,
    iat: 1_800_000_000,
    cti: makeUuidV7(1_800_000_000_000, new Uint8Array(10).fill(i % 256)),
    ctr: 1,
    tier: 'team',
    seats: i,
    features: [],
    limits: {},
    ...changes,
  };
}

function write(rows: number, done: number = 0): string {
  const writer = new BatchPlanWriter(folder, new Uint8Array(8).fill(9), head);
  for (let i = 0; i < rows; i++) {
    if (i < done)
      writer.done({
        line: i + 2,
        row: new Uint8Array(32).fill(i),
        lineage: { sub: `c${i}`, aud: 'vaultdesk', dep: 'eu' },
      });
    else writer.sign(i + 2, new Uint8Array(32).fill(i), encodeLicense(license(i)));
  }
  return writer.finish(true).digest;
}

function code(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (error instanceof VtlicError) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('a batch plan on disk', () => {
  it.each([0, 1, 255, 256, 257, 512, 700])('comes back as it went with %d rows, as often as it is read', (rows) => {
    const digest = write(rows, Math.min(3, rows));
    const plan = openBatchPlan(folder, digest);
    expect(plan.head).toEqual(head);
    expect(plan.end).toEqual({ rows, sign: rows - Math.min(3, rows), sharded: true });
    for (let again = 0; again < 2; again++) {
      const read = [...plan.rows()];
      expect(read.map(({ line }) => line)).toEqual(Array.from({ length: rows }, (_, i) => i + 2));
      read.forEach((row, i) => {
        if (row.kind === 'done')
          expect([i < 3, row.lineage]).toEqual([true, { sub: `c${i}`, aud: 'vaultdesk', dep: 'eu' }]);
        else expect([i >= 3, row.item.license.sub, row.item.kid]).toEqual([true, `c${i}`, head.kid]);
      });
    }
    expect(readdirSync(folder)).toEqual([digest]);
  });

  it('property: any byte changed, added or taken away is noticed', () => {
    const digest = write(5, 1);
    const good = readFileSync(join(folder, digest));
    fc.assert(
      fc.property(
        fc.nat(good.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.constantFrom('change', 'insert', 'delete', 'cut'),
        (at, by, how) => {
          const bytes = [...good];
          if (how === 'change') bytes[at] = (bytes[at] ?? 0) ^ by;
          else if (how === 'insert') bytes.splice(at, 0, by);
          else if (how === 'delete') bytes.splice(at, 1);
          else bytes.length = at;
          writeFileSync(join(folder, digest), Uint8Array.from(bytes));
          expect(code(() => openBatchPlan(folder, digest))).toBe('plan_stale');
        },
      ),
      { numRuns: 300 },
    );
  });

  it('notices what changes after it was opened, before that is used', () => {
    const digest = write(600);
    const plan = openBatchPlan(folder, digest);
    const bytes = readFileSync(join(folder, digest));
    const at = bytes.indexOf('c400');
    expect(at).toBeGreaterThan(0);
    bytes.write('c500', at);
    writeFileSync(join(folder, digest), bytes);
    const seen: number[] = [];
    expect(
      code(() => {
        for (const row of plan.rows()) seen.push(row.line);
      }),
    ).toBe('plan_stale');
    expect(seen.length).toBe(256);
    writeFileSync(join(folder, digest), bytes.subarray(0, 2000));
    expect(code(() => [...plan.rows()])).toBe('plan_stale');
  });

  it('another name than a digest is a usage error, a missing plan is stale, an abandoned one leaves nothing', () => {
    expect(code(() => openBatchPlan(folder, '../x'))).toBe('usage');
    expect(code(() => openBatchPlan(folder, hex('a', 32)))).toBe('plan_stale');
    const writer = new BatchPlanWriter(folder, new Uint8Array(8), head);
    writer.sign(2, new Uint8Array(32), encodeLicense(license(1)));
    writer.abandon();
    writer.abandon();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('the same plan twice has one name', () => {
    expect(write(3)).toBe(write(3));
    expect(readdirSync(folder).length).toBe(1);
  });
});

describe('the identity of a row', () => {
  const request: Request = {
    customer: 'a',
    product: 'p',
    tier: 't',
    seats: 1,
    from: 1,
    until: 2,
    features: ['x', 'y'],
    limits: { v: 1, w: 2 },
  };

  it('is that of its values: the order in which they stand does not matter, each value does', () => {
    const same = rowDigest(request);
    expect(
      rowDigest(
        Object.fromEntries(Object.entries({ ...request, limits: { w: 2, v: 1 } }).reverse()) as unknown as Request,
      ),
    ).toEqual(same);
    const others: Partial<Request>[] = [
      { customer: 'b' },
      { seats: 2 },
      { seats: 'unlimited' },
      { from: 0 },
      { features: ['x'] },
      { limits: { v: 1, w: 3 } },
      { reference: 'PO' },
      { name: 'PO' },
      { deployment: 'd' },
      { resetClock: true },
      { updatesUntil: 2 },
      { use: 'trial' },
      { use: 'emergency' },
      { ext: { a: 1 } },
      { ext: { a: '1' } },
    ];
    const digests = others.map((changes) => Buffer.from(rowDigest({ ...request, ...changes })).toString('hex'));
    expect(new Set([...digests, Buffer.from(same).toString('hex')]).size).toBe(others.length + 1);
  });
});

describe('the summary', () => {
  it('counts, finds the ten largest in order, and keeps few examples of many', () => {
    const summary = emptySummary();
    for (let i = 0; i < 5000; i++) {
      summary.rows++;
      count(summary, {
        line: i + 2,
        license: license(i, {
          tier: i % 2 === 0 ? 'team' : 'enterprise',
          seats: i === 77 ? 'unlimited' : (i * 7919) % 5000,
        }),
        anomalies: i % 10 === 0 ? [{ kind: 'seats down', sentence: 'fewer seats' }] : [],
        newCustomer: i < 4,
        newLineage: i < 6,
        again: false,
      });
    }
    expect(summary.largest.map(({ seats }) => seats)).toEqual([
      'unlimited',
      4999,
      4998,
      4997,
      4996,
      4995,
      4994,
      4993,
      4992,
      4991,
    ]);
    expect(summary.anomalies.get('seats down')).toMatchObject({ count: 500 });
    expect(summary.anomalies.get('seats down')?.examples.length).toBe(5);
    const view = summaryView(summary, {
      file: 'a\u001b[31m.csv',
      name: 'renewals',
      sharded: false,
      keyName: 'k',
      algorithm: 'ed25519',
      custody: 'hsm',
      digest: hex('7', 32),
    }).join('\n');
    for (const words of [
      '5,000 licenses to sign',
      'vaultdesk / team: 2,500 licenses',
      '1 without a limit',
      'look at these twice (500 rows)',
      '! seats down: 500',
      '… and 495 more',
      'new customers: 4; new lineages of known customers: 2',
      'line 79, c77 / vaultdesk',
    ])
      expect(view).toContain(words);
    expect(view).not.toContain('\u001b');
  });

  it('says how many licenses are not for production, and that some are perpetual', () => {
    const summary = emptySummary();
    const uses = ['trial', 'trial', 'non-production', undefined] as const;
    uses.forEach((use, i) => {
      count(summary, {
        line: i + 2,
        license: license(i, use === undefined ? { exp: PERPETUAL_EXP } : { use }),
        anomalies: [],
        newCustomer: false,
        newLineage: false,
        again: false,
      });
    });
    const view = summaryView(summary, {
      file: undefined,
      name: 'mixed',
      sharded: false,
      keyName: 'k',
      algorithm: 'ed25519',
      custody: 'hsm',
      digest: hex('7', 32),
    }).join('\n');
    expect(view).toContain('  not for production: 2 trial, 1 non-production\n');
    expect(view).toContain('at the earliest, some perpetual\n');
    expect(view).toContain('c3 / vaultdesk: team, 3 seats, perpetual');
    expect(summaryDocument(summary)).toMatchObject({ uses: { trial: 2, 'non-production': 1 } });
  });
});

describe('where the files go', () => {
  it('a large batch is spread over 256 folders a product', () => {
    expect([10_000, 10_001].map(isSharded)).toEqual([false, true]);
    expect(outputPath(license(1), false)).toMatch(/^out\/vaultdesk\/c1\/1-[0-9a-f]{8}\.vtlic$/);
    expect(outputPath(license(1), true)).toMatch(/^out\/vaultdesk\/_[0-9a-f]{2}\/c1\/1-[0-9a-f]{8}\.vtlic$/);
    const shards = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      const shard = outputPath(license(i), true).split('/')[2] ?? '';
      shards.set(shard, (shards.get(shard) ?? 0) + 1);
    }
    expect(shards.size).toBe(256);
    expect(Math.max(...shards.values())).toBeLessThan(150);
  });
});

describe('progress', () => {
  it.each([
    [0, 100, 0, 'signed 0 of 100 (0 %), 0 a second'],
    [1024, 10_000, 3.3, 'signed 1,024 of 10,000 (10 %), 310 a second, about 29 s left'],
    [3, 10_000, 1, 'signed 3 of 10,000 (0 %), 3 a second, about 56 min left'],
    [10, 1_000_000, 1, 'signed 10 of 1,000,000 (0 %), 10 a second, about 27 h 47 min left'],
    [100, 100, 1, 'signed 100 of 100 (100 %), 100 a second'],
  ])('tells the progress of %d of %d after %d s', (done, total, seconds, text) => {
    expect(progressText('signed', done, total, seconds)).toBe(text);
  });
});
