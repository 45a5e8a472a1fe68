/**
 * What was valid when the ledger was opened is checked again right before counters are reserved, and before stored
 * bytes leave.
 */
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BatchPlan, openBatchPlan, BatchPlanWriter } from '../../../../signer/batch/plan-file.ts';
import { encodePlan, type Plan, planDigest, readPlan, writePlan } from '../../../../signer/plan/plan.ts';
import { type RanHere, runHere } from '../../../support/run-here.ts';
import { makeSite, type SiteFixture, writeRequest } from '../../../support/site-fixture.ts';
import { utf8 } from '../../../../formats/bytes.ts';
import { encodeLicense } from '../../../../formats/license/encode-license.ts';
import { PERPETUAL_EXP } from '../../../../formats/license/bounds.ts';
import type { License } from '../../../../formats/license/license.ts';
import { writeBatchRecord } from '../../../../signer/batch/batch-record.ts';
import { chainValue } from '../../../../signer/ledger/entries/chain.ts';
import { makeBody } from '../../../../signer/ledger/entries/entry-body.ts';
import { createLedger } from '../../../../signer/ledger/create.ts';
import { openLedgerForReading, openLedgerForWriting } from '../../../../signer/ledger/open.ts';
import type { Step } from '../../../../signer/runtime.ts';
import { csv, customers, row, writeBatch } from '../../../support/batch-file.ts';
import { checkBatch } from '../../../support/batch-ledger.ts';
import type { IntentEntry } from '../../../../signer/ledger/entries/entry.ts';
import { writerOptions } from '../ledger/ledger-inputs.ts';

let fixture: SiteFixture;
beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
});
afterEach(() => {
  fixture.remove();
});

async function vtlic(args: readonly string[], runtime: Parameters<typeof runHere>[1] = {}): Promise<RanHere> {
  return runHere([...args, '--site', fixture.site], runtime);
}

async function issuePlan(changes: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return (await vtlic(['issue', writeRequest(fixture, changes), '--dry-run'])).stdout.trim();
}

function batchFile(rows: number): string {
  return writeBatch(fixture, csv(customers(rows).map((name) => row(name))));
}

async function batchPlan(file: string): Promise<string> {
  return (await vtlic(['batch', file, '--name', 'b', '--new-customers', '--dry-run'])).stdout.trim();
}

/** Something happens when a step has been taken for the n-th time. */
function at(step: Step, time: number, act: () => void): { readonly step: (step: Step) => Promise<void> } {
  let left = time;
  return {
    step: async (taken) => {
      if (taken === step && --left === 0) act();
      return Promise.resolve();
    },
  };
}

/** A clock that is turned when a step is taken. */
function clockTurned(step: Step, time: number, by: number): Parameters<typeof runHere>[1] {
  let offset = 0;
  return {
    nowMs: () => Date.now() + offset,
    ...at(step, time, () => {
      offset = by;
    }),
  };
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe("the signer's clock", () => {
  it.each([
    ['back by an hour', -HOUR, "earlier than the ledger's last entry"],
    ['on by 401 days', 401 * DAY, 'more than 400 days'],
  ])('reserves nothing when the clock is turned %s while the passphrase is asked for', async (_what, by, words) => {
    const done = await vtlic(
      ['issue', '--confirm', await issuePlan(), ...fixture.secret],
      clockTurned('key-open', 1, by),
    );
    expect([done.code, done.stderr]).toEqual([4, expect.stringContaining(words)]);
    expect(done.stderr).toContain('--confirm-time');
    expect((await checkBatch(fixture)).intents).toEqual([]);
  });

  it('finishes the licenses already begun when it is turned back amid a batch; the rest waits for --resume', async () => {
    const file = batchFile(12);
    const done = await vtlic(
      ['batch', '--confirm', await batchPlan(file), ...fixture.secret],
      clockTurned('intent-durable', 1, -HOUR),
    );
    expect([done.code, done.stderr]).toEqual([
      4,
      expect.stringMatching(/earlier than the ledger's last entry[\s\S]*--resume/),
    ]);
    const stopped = await checkBatch(fixture);
    // The first group is of eight.
    expect([stopped.intents.length, stopped.released, stopped.voided]).toEqual([8, 8, 0]);
    const resumed = await vtlic(['batch', file, '--name', 'b', '--resume', ...fixture.secret]);
    expect(resumed.code).toBe(0);
    expect((await checkBatch(fixture)).released).toBe(12);
  });

  it('tells what stopped a batch before it tells that the results cannot be written either', async () => {
    mkdirSync(join(fixture.site, 'batches/b/results.jsonl'), { recursive: true });
    const done = await vtlic(
      ['batch', '--confirm', await batchPlan(batchFile(12)), ...fixture.secret],
      clockTurned('intent-durable', 1, -HOUR),
    );
    expect([done.code, done.stderr]).toEqual([
      4,
      expect.stringMatching(
        /earlier than the ledger's last entry[^\n]*; and the results could not be written: [\s\S]*--resume/,
      ),
    ]);
    expect((await checkBatch(fixture)).released).toBe(8);
  });
});

describe('a batch that is confirmed by its digest', () => {
  it.each(['catalog.json', 'site.json'])(
    'falls when %s was changed since it was planned: exit 10, and nothing is signed',
    async (name) => {
      const digest = await batchPlan(batchFile(2));
      const file = join(fixture.site, name);
      const text = readFileSync(file, 'utf8');
      writeFileSync(file, `${text}\n`);
      const done = await vtlic(['batch', '--confirm', digest, ...fixture.secret]);
      expect([done.code, done.stderr]).toEqual([
        10,
        expect.stringContaining(`${name} was changed since the plan was made`),
      ]);
      // The same while the command already runs.
      writeFileSync(file, text);
      const late = await vtlic(
        ['batch', '--confirm', digest, ...fixture.secret],
        at('recovered', 1, () => {
          writeFileSync(file, `${text}\n`);
        }),
      );
      expect([late.code, late.stderr]).toEqual([
        10,
        expect.stringContaining(`${name} was changed since the plan was made`),
      ]);
      expect((await checkBatch(fixture)).intents).toEqual([]);
      writeFileSync(file, text);
      expect((await vtlic(['batch', '--confirm', digest, ...fixture.secret])).code).toBe(0);
    },
  );

  it.each<[string, Partial<License>, string]>([
    ['more seats than are sold', { seats: 5001 }, 'at most 5000'],
    ['a term that is not sold', { exp: 4_000_000_000 }, 'days'],
    ['another issuer', { iss: 'somebody-else' }, 'its issuer is somebody-else'],
    ['a name that turns the reading direction', { name: 'Acme\u202E' }, 'direction-changing'],
    ['no end', { exp: PERPETUAL_EXP }, 'is perpetual'],
    ['an issue time to come', { iat: 3_000_000_000, nbf: 3_000_000_000, exp: 3_010_000_000 }, 'time of issue'],
  ])('signs nothing of a batch whose plan was forged with %s: exit 3', async (_what, changes, words) => {
    const plan = openBatchPlan(join(fixture.site, 'plans'), await batchPlan(batchFile(3)));
    const done = await vtlic(['batch', '--confirm', forged(plan, changes), ...fixture.secret]);
    expect([done.code, done.stderr]).toEqual([3, expect.stringMatching(/line 4.*this program would not have planned/)]);
    expect(done.stderr).toContain(words);
    expect((await checkBatch(fixture)).intents).toEqual([]);
  });

  it('must be confirmed on --resume when its record names a plan that nobody reviewed: exit 2', async () => {
    const file = batchFile(3);
    const plan = openBatchPlan(join(fixture.site, 'plans'), await batchPlan(file));
    writeBatchRecord(fixture.site, { name: 'b', input: plan.head.input, plan: forged(plan, { seats: 5000 }) });
    const done = await vtlic(['batch', file, '--name', 'b', '--new-customers', '--resume', ...fixture.secret]);
    expect([done.code, done.stderr]).toEqual([2, expect.stringContaining('nobody has confirmed it')]);
    expect((await checkBatch(fixture)).intents).toEqual([]);
  });
});

/** The same plan, whole and under its own digest, but for its last license. */
function forged(plan: BatchPlan, changes: Partial<License>): string {
  const writer = new BatchPlanWriter(join(fixture.site, 'plans'), new Uint8Array(8), plan.head);
  const rows = [...plan.rows()];
  rows.forEach((each, i) => {
    if (each.kind === 'sign')
      writer.sign(
        each.line,
        each.row,
        i < rows.length - 1 ? each.item.payload : encodeLicense({ ...each.item.license, ...changes }),
      );
  });
  return writer.finish(plan.end.sharded).digest;
}

describe('a plan of one license that was forged', () => {
  it.each<[string, Partial<License>, string]>([
    ['a tier that is not sold', { tier: 'gold' }, 'not sold'],
    ['another issuer', { iss: 'somebody-else' }, 'its issuer is somebody-else'],
    ['a reference that clears the screen', { ref: '\u001b[2J' }, 'control, invisible or direction-changing'],
    ['a name that hides a character', { name: 'Acme\u2063' }, 'control, invisible or direction-changing'],
    ['an older issue time', { iat: 1_000 }, 'time of issue'],
  ])('signs nothing of a plan of one license that was forged with %s: exit 3', async (_what, changes, words) => {
    const plans = join(fixture.site, 'plans');
    const plan = readPlan(plans, await issuePlan());
    const [item] = plan.items;
    if (item === undefined) throw new Error('no item');
    const bad: Plan = { ...plan, items: [{ ...item, payload: encodeLicense({ ...item.license, ...changes }) }] };
    const digest = await writePlan(plans, bad);
    expect(digest).toBe(planDigest(encodePlan(bad)));
    const done = await vtlic(['issue', '--confirm', digest, ...fixture.secret]);
    expect([done.code, done.stderr]).toEqual([3, expect.stringMatching(/this program would not have planned/)]);
    expect(done.stderr).toContain(words);
    expect((await checkBatch(fixture)).intents).toEqual([]);
  });
});

describe('what the ledger holds of a license', () => {
  let many: SiteFixture;
  let first: IntentEntry;

  /** The first license of forty lies before what each start recomputes. Its file is lost. */
  beforeAll(async () => {
    many = await makeSite({ algorithm: 'ed25519' });
    fixture = many;
    expect((await vtlic(['batch', '--confirm', await batchPlan(batchFile(40)), ...fixture.secret])).code).toBe(0);
    const [oldest] = (await checkBatch(fixture)).issued;
    if (oldest === undefined) throw new Error('nothing was issued');
    first = oldest;
    rmSync(join(fixture.site, first.body.path));
    cpSync(many.folder, `${many.folder}.kept`, { recursive: true, preserveTimestamps: true });
  });
  beforeEach(() => {
    fixture.remove();
    fixture = many;
    rmSync(many.folder, { recursive: true, force: true });
    cpSync(`${many.folder}.kept`, many.folder, { recursive: true, preserveTimestamps: true });
  });
  afterAll(() => {
    rmSync(`${many.folder}.kept`, { recursive: true });
  });

  function idOf(intent: IntentEntry): string {
    return Buffer.from(intent.body.licenseId)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  function coseOf(intent: IntentEntry): Uint8Array {
    const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
    try {
      return ledger.findByIntent(intent.seq)?.issue?.body.cose ?? new Uint8Array(0);
    } finally {
      ledger.close();
    }
  }

  function fileOf(intent: IntentEntry): string {
    return join(fixture.site, intent.body.path);
  }

  it('is written out again where it is whole', async () => {
    expect((await vtlic(['release', idOf(first)])).code).toBe(0);
    expect((await vtlic(['verify', fileOf(first), '--product', 'vaultdesk', '--deployment', 'prod-eu'])).code).toBe(0);
  });

  it.each(['its signature', 'the digest of its plan'])(
    'does not leave with a bit of %s changed: exit 4',
    async (what) => {
      const [kind, wanted] =
        what === 'its signature'
          ? (['issue', coseOf(first).subarray(-8)] as const)
          : (['intent', first.body.planDigest] as const);
      const database = new DatabaseSync(join(fixture.site, 'ledger.sqlite'));
      const entry = database.prepare('SELECT seq, body FROM entry WHERE kind = ? ORDER BY seq LIMIT 1').get(kind) as {
        readonly seq: number;
        readonly body: Uint8Array;
      };
      const where = Buffer.from(entry.body).indexOf(wanted);
      expect(where).toBeGreaterThan(0);
      database.prepare('UPDATE entry SET body = ? WHERE seq = ?').run(
        entry.body.map((byte, i) => (i === where ? byte ^ 1 : byte)),
        entry.seq,
      );
      database.close();
      const done = await vtlic(['release', idOf(first)]);
      expect([done.code, done.stderr]).toEqual([4, expect.stringContaining('the ledger is damaged or was changed')]);
      expect(done.stderr).toContain(`the chain value of entry ${entry.seq} does not match its content`);
      expect(readdirSync(join(fileOf(first), '..'))).toEqual([]);
    },
  );

  it('does not leave when only its leaf differs from the tree that the anchor covers: exit 4', async () => {
    const path = join(fixture.site, 'ledger.sqlite');
    const ledger = openLedgerForReading(path);
    const issue = ledger.findByIntent(first.seq)?.issue;
    const before = ledger.entry((issue?.seq ?? 0) - 1);
    ledger.close();
    if (issue === undefined || before === undefined) throw new Error('nothing was issued');
    const { bytes } = makeBody('issue', { ...issue.body, salt: issue.body.salt.map((byte) => byte ^ 1) });
    const chain = chainValue(before.chain, issue.seq, 'issue', issue.at, bytes);
    const database = new DatabaseSync(path);
    database.prepare('UPDATE entry SET body = ?, chain = ? WHERE seq = ?').run(bytes, chain, issue.seq);
    database.close();
    const done = await vtlic(['release', idOf(first)]);
    expect([done.code, done.stderr]).toEqual([4, expect.stringContaining('it is not leaf 0 of the tree')]);
    expect(readdirSync(join(fileOf(first), '..'))).toEqual([]);
  });

  it('does not leave with a bent signature, though the record was made anew around it: exit 4', async () => {
    await rewriteRecord();
    const done = await vtlic(['release', idOf(first)]);
    expect([done.code, done.stderr]).toEqual([4, expect.stringContaining('the verifier says signature_invalid')]);
    expect(done.stderr).toContain('its file was not written');
    expect(readdirSync(join(fileOf(first), '..'))).toEqual([]);
  });

  it('is not released by a start after a crash either', async () => {
    await rewriteRecord({ released: false });
    const done = await vtlic(['issue', '--confirm', await issuePlan(), ...fixture.secret]);
    expect([done.code, done.stderr]).toEqual([4, expect.stringContaining('the verifier says signature_invalid')]);
  });

  it('does not leave when its key is no longer in site.json: exit 5', async () => {
    const file = join(fixture.site, 'site.json');
    const site = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, utf8(JSON.stringify({ ...site, keys: [], defaultKey: undefined })));
    const done = await vtlic(['release', idOf(first)]);
    expect([done.code, done.stderr]).toEqual([5, expect.stringContaining('cannot be verified and is not released')]);
  });
});

/**
 * What somebody who may write everywhere can do: the whole record made again, with its anchor, and the first signature
 * bent.
 */
async function rewriteRecord({ released = true } = {}): Promise<void> {
  const path = join(fixture.site, 'ledger.sqlite');
  const old = join(fixture.folder, 'old.sqlite');
  expect((await vtlic(['ledger', 'backup', old])).code).toBe(0);
  for (const name of readdirSync(fixture.site).filter((each) => each.startsWith('ledger.')))
    rmSync(join(fixture.site, name));
  rmSync(fixture.anchor);
  const source = openLedgerForReading(old);
  const { ledgerId } = source.genesis;
  const options = {
    ...writerOptions(() => Math.floor(Date.now() / 1000)),
    random: (bytes: number) => (bytes === ledgerId.length ? ledgerId : new Uint8Array(randomBytes(bytes))),
  };
  await createLedger(path, { ...options, iss: 'example-vendor', anchor: { kind: 'file', path: fixture.anchor } });
  const made = await openLedgerForWriting(path, options);
  const newSeq = new Map<number, number>();
  let bent = false;
  for (const entry of source.entriesFrom(1)) {
    if (entry.kind === 'intent') newSeq.set(entry.seq, made.intend(entry.body).seq);
    if (entry.kind === 'issue') {
      const { cose } = entry.body;
      made.issue(
        newSeq.get(entry.body.intent) ?? 0,
        bent ? cose : cose.map((byte, i) => (i === cose.length - 1 ? byte ^ 1 : byte)),
      );
      bent = true;
    }
    if (entry.kind === 'release' && released) {
      await made.anchor();
      made.release(newSeq.get(entry.body.intent) ?? 0, { path: entry.body.path, digest: entry.body.fileDigest });
    }
  }
  await made.anchor();
  made.close();
  source.close();
}
