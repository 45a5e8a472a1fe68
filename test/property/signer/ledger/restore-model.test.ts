/**
 * Whatever happens to the file (crashes, old copies put back, a second process, restores from any copy, with any of
 * the licenses that left), no counter of a lineage leaves twice, and each that leaves is higher than all before it.
 */
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalBytes, toHex } from '../../../../formats/bytes.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { planRestore } from '../../../../signer/handover/plan-restore.ts';
import type { ReleasedFile } from '../../../../signer/handover/released-licenses.ts';
import { finishRestore, restoreLedger } from '../../../../signer/handover/restore.ts';
import { openAnchorStore } from '../../../../signer/anchor/anchor-store.ts';
import { copyLedger } from '../../../../signer/ledger/store/database-file.ts';
import { consistencyHolds } from '../../../../signer/ledger/tree/merkle-proof.ts';
import type { Ledger } from '../../../../signer/ledger/ledger.ts';
import type { Lineage } from '../../../../signer/ledger/entries/lineage.ts';
import { openLedgerForReading } from '../../../../signer/ledger/open.ts';
import type { HandoverStep, Step } from '../../../../signer/runtime.ts';
import {
  coseFor,
  intentFor,
  makeLedger,
  openWriter,
  releaseNow,
  type Place,
} from '../../../unit/signer/ledger/ledger-fixture.ts';
import { testRuntime } from '../../../support/site-fixture.ts';

const LINEAGES: readonly Lineage[] = [
  { aud: 'p', sub: 'a' },
  { aud: 'p', sub: 'a', dep: 'x' },
  { aud: 'q', sub: 'b' },
  { aud: 'q', sub: 'never-seen-until-late' },
];

/** Where an issuing stops; `end` is none. */
const STOPS = ['intent', 'issue', 'anchor', 'end'] as const;
const RESTORE_STOPS = ['restore-drafted', 'restore-anchored', 'restore-cleared', 'none'] as const satisfies readonly (
  HandoverStep | 'none'
)[];

type Op =
  | { readonly op: 'issue'; readonly lineage: number; readonly stop: (typeof STOPS)[number] }
  | { readonly op: 'copy' }
  | { readonly op: 'putBack'; readonly pick: number }
  | { readonly op: 'rival'; readonly lineage: number }
  | {
      readonly op: 'restore';
      readonly pick: number;
      readonly give: number;
      readonly stop: (typeof RESTORE_STOPS)[number];
    };

const ops: fc.Arbitrary<readonly Op[]> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        op: fc.constant('issue' as const),
        lineage: fc.nat(LINEAGES.length - 1),
        stop: fc.constantFrom(...STOPS, 'end' as const, 'end' as const, 'end' as const),
      }),
    },
    { weight: 4, arbitrary: fc.record({ op: fc.constant('copy' as const) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('putBack' as const), pick: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('rival' as const), lineage: fc.nat(LINEAGES.length - 1) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        op: fc.constant('restore' as const),
        pick: fc.nat(20),
        give: fc.nat(3),
        stop: fc.constantFrom(...RESTORE_STOPS, 'none' as const, 'none' as const),
      }),
    },
  ),
  { minLength: 3, maxLength: 28 },
);

class Stopped extends Error {}

class Outside {
  /** Lineage → counters that left, in their order. */
  readonly left: Map<number, { readonly ctr: number; readonly id: string }[]> = new Map();
  readonly files: ReleasedFile[] = [];
  readonly copies: string[] = [];
  /** Heads that were seen anchored: a checkpoint of each may have been signed. */
  readonly heads: { readonly logId: Uint8Array; readonly size: number; readonly root: Uint8Array }[] = [];

  leave(ledger: Ledger, seq: number): void {
    const record = ledger.findByIntent(seq);
    if (record?.issue === undefined) throw new Error('nothing to release');
    const { aud, sub, dep, ctr, licenseId, kid, payload } = record.intent.body;
    const lineage = LINEAGES.findIndex((item) => item.aud === aud && item.sub === sub && item.dep === dep);
    const list = this.left.get(lineage) ?? [];
    this.left.set(lineage, list);
    const id = toHex(licenseId);
    // A file that is written out again is the same file.
    if (list.some((item) => item.id === id && item.ctr === ctr)) return;
    for (const before of list) expect(ctr).toBeGreaterThan(before.ctr);
    list.push({ ctr, id });
    this.files.push({
      file: `${id}.vtlic`,
      cose: record.issue.body.cose,
      license: { aud, sub, ...(dep === undefined ? {} : { dep }), ctr, licenseId, kid, payload },
    });
  }

  anchored(ledger: Ledger): void {
    const { logId, size, root } = ledger.head();
    for (const before of this.heads) {
      if (!equalBytes(before.logId, logId)) continue;
      const proof = ledger.consistencyProof(before.size, size, logId);
      expect(proof !== undefined && consistencyHolds(before.size, size, before.root, root, proof)).toBe(true);
    }
    this.heads.push({ logId, size, root });
  }
}

async function startUp(ledger: Ledger, outside: Outside): Promise<void> {
  const plan = ledger.recoveryPlan();
  for (const { intent } of plan.voids) ledger.void_(intent.seq, 'crash');
  await ledger.anchor();
  outside.anchored(ledger);
  for (const { intent } of plan.releases) {
    outside.leave(ledger, intent.seq);
    releaseNow(ledger, intent.seq);
  }
}

async function apply(op: Op, place: Place, outside: Outside): Promise<void> {
  switch (op.op) {
    case 'issue':
      return issue(op, place, outside);
    case 'copy': {
      const copy = join(place.folder, `copy-${outside.copies.length}`);
      copyLedger(place.ledger, copy, 'output_unwritable');
      outside.copies.push(copy);
      return;
    }
    case 'putBack':
      return putBack(op.pick, place, outside);
    case 'rival':
      return rival(op.lineage, place, outside);
    case 'restore':
      return restore(op, place, outside);
  }
}

async function issue(op: Extract<Op, { op: 'issue' }>, place: Place, outside: Outside): Promise<void> {
  const lineage = LINEAGES[op.lineage];
  if (lineage === undefined) throw new Error('no lineage');
  const ledger = await openWriter(place);
  try {
    await startUp(ledger, outside);
    const input = intentFor(lineage, ledger.nextCounter(lineage));
    const { seq } = ledger.intend(input);
    if (op.stop === 'intent') return;
    ledger.issue(seq, coseFor(input));
    if (op.stop === 'issue') return;
    await ledger.anchor();
    outside.anchored(ledger);
    if (op.stop === 'anchor') return;
    outside.leave(ledger, seq);
    releaseNow(ledger, seq);
  } finally {
    ledger.close();
  }
}

/**
 * A second process: on the same file it is refused; on a copy, used at the same time, only one of the two may let
 * anything leave.
 */
async function rival(pick: number, place: Place, outside: Outside): Promise<void> {
  const lineage = LINEAGES[pick];
  if (lineage === undefined) throw new Error('no lineage');
  const copy: Place = { ...place, ledger: join(place.folder, 'rival', 'ledger.sqlite') };
  rmSync(join(place.folder, 'rival'), { recursive: true, force: true });
  mkdirSync(join(place.folder, 'rival'));
  const mine = await openWriter(place);
  try {
    await startUp(mine, outside);
    await expect(openWriter(place)).rejects.toMatchObject({ code: 'ledger_in_use' });
    copyLedger(place.ledger, copy.ledger, 'output_unwritable');
    const input = intentFor(lineage, mine.nextCounter(lineage));
    mine.issue(mine.intend(input).seq, coseFor(input));
    await issue({ op: 'issue', lineage: pick, stop: 'end' }, copy, outside);
    await expect(mine.anchor()).rejects.toMatchObject({ code: 'ledger_rolled_back' });
  } finally {
    mine.close();
  }
  // The one that the anchor agrees with is the ledger.
  for (const suffix of ['', '-wal', '-shm']) rmSync(place.ledger + suffix, { force: true });
  for (const suffix of ['-wal', '-shm', ''])
    if (existsSync(copy.ledger + suffix)) renameSync(copy.ledger + suffix, place.ledger + suffix);
}

/** An old copy simply put in the place: where anything that left is missing, nothing may be signed. */
async function putBack(pick: number, place: Place, outside: Outside): Promise<void> {
  const copy = outside.copies[pick % Math.max(1, outside.copies.length)];
  if (copy === undefined) return;
  const aside = `${place.ledger}.aside`;
  renameSync(place.ledger, aside);
  for (const suffix of ['-wal', '-shm'])
    if (existsSync(place.ledger + suffix)) renameSync(place.ledger + suffix, aside + suffix);
  copyFileSync(copy, place.ledger);
  try {
    const ledger = await openWriter(place);
    // The anchor took it: nothing that left is missing, and the work goes on from it.
    ledger.close();
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    expect(error.code).toBe('ledger_rolled_back');
    for (const suffix of ['', '-wal', '-shm']) rmSync(place.ledger + suffix, { force: true });
    for (const suffix of ['-wal', '-shm', ''])
      if (existsSync(aside + suffix)) renameSync(aside + suffix, place.ledger + suffix);
  }
  for (const suffix of ['', '-wal', '-shm']) rmSync(aside + suffix, { force: true });
}

async function restore(op: Extract<Op, { op: 'restore' }>, place: Place, outside: Outside): Promise<void> {
  const copyPath = outside.copies[op.pick % Math.max(1, outside.copies.length)];
  if (copyPath === undefined) return;
  // None, the first half, or all of the licenses that left.
  const released =
    op.give === 0 ? [] : op.give === 1 ? outside.files.slice(0, Math.ceil(outside.files.length / 2)) : outside.files;
  const runtime = testRuntime({
    step: (step: Step) => (step === op.stop ? Promise.reject(new Stopped()) : Promise.resolve()),
  });
  let entered = false;
  for (let attempt = 0; ; attempt++) {
    const finished = await finishRestore(place.ledger, testRuntime());
    if (finished !== undefined) break;
    const copy = openLedgerForReading(copyPath);
    const store = openAnchorStore(copy.anchorPlace());
    const plan = await planRestore({ copy, store, place: copy.anchorPlace(), released, lost: undefined }).finally(
      () => {
        copy.close();
      },
    );
    entered = plan.kind === 'restored';
    try {
      await restoreLedger(place.ledger, copyPath, plan, store, attempt === 0 ? runtime : testRuntime());
      break;
    } catch (error) {
      if (!(error instanceof VtlicError) || !(error.cause instanceof Stopped)) throw error;
    }
  }
  const ledger = await openWriter(place);
  try {
    if (entered)
      for (const file of released)
        expect(
          ledger.findByLicenseId(file.license.licenseId) ?? ledger.findReentered(file.license.licenseId),
        ).toBeDefined();
  } finally {
    ledger.close();
  }
}

describe('a ledger with an anchor', () => {
  it('never gives a counter out twice, whatever is done to its file', async () => {
    await fc.assert(
      fc.asyncProperty(ops, async (list) => {
        const place = await makeLedger();
        const outside = new Outside();
        for (const op of list) await apply(op, place, outside);
        const view = openLedgerForReading(place.ledger);
        try {
          await view.verify();
        } finally {
          view.close();
        }
        rmSync(place.folder, { recursive: true });
      }),
      { numRuns: Number(process.env['VTLIC_RUNS'] ?? 15) },
    );
  });
});
