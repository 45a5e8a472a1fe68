/** A restore whose anchor was changed after it was shown, and one that was cut off before its copy was checked. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type LostAnchor, planRestore, type RestorePlan } from '../../../../signer/handover/plan-restore.ts';
import { finishRestore, restoreLedger, type RestoreResult } from '../../../../signer/handover/restore.ts';
import { openLedgerForReading, openLedgerForWriting } from '../../../../signer/ledger/open.ts';
import { copyLedger } from '../../../../signer/ledger/store/database-file.ts';
import type { Runtime } from '../../../../signer/runtime.ts';
import { VtlicError } from '../../../../formats/error.ts';
import type { AnchorStore } from '../../../../signer/anchor/anchor.ts';
import { anchorFile } from '../../../../signer/anchor/anchor-file.ts';
import { moveAnchor } from '../../../../signer/anchor/move-anchor.ts';
import {
  ACME,
  issueNext,
  makeLedger,
  openWriter,
  releaseNow,
  tamper,
  type Place,
  writerOptions,
} from '../ledger/ledger-fixture.ts';
import { testRuntime } from '../../../support/site-fixture.ts';
import { rejected } from '../../../support/thrown.ts';

let place: Place;
let copy: string;
beforeEach(async () => {
  place = await makeLedger();
  copy = join(place.folder, 'copy');
  await goOn(2);
  copyLedger(place.ledger, copy, 'output_unwritable');
});

async function goOn(licenses: number): Promise<void> {
  const ledger = await openWriter(place);
  try {
    for (let i = 0; i < licenses; i++) {
      const seq = issueNext(ledger);
      await ledger.anchor();
      releaseNow(ledger, seq);
    }
    await ledger.anchor();
  } finally {
    ledger.close();
  }
}

async function plan(lost?: LostAnchor): Promise<RestorePlan> {
  const view = openLedgerForReading(copy);
  try {
    return await planRestore({
      copy: view,
      store: anchorFile(place.anchor),
      place: view.anchorPlace(),
      released: [],
      lost,
    });
  } finally {
    view.close();
  }
}

/** The word was typed. The copy takes the place of another ledger: the real one is in use. */
function restore(planned: RestorePlan, runtime: Runtime = testRuntime()): Promise<RestoreResult> {
  return restoreLedger(join(place.folder, 'ledger.sqlite'), copy, planned, anchorFile(place.anchor), runtime);
}

const REFUSED = {
  code: 'ledger_conflict',
  message: expect.stringContaining('nothing was restored') as unknown,
  hint: expect.stringContaining('run it again') as unknown,
};

describe('a restore that ends before it knows whether its change of the anchor counts', () => {
  it('leaves its copy beside the ledger, whose next run says to restore again, and the next restore finishes it', async () => {
    await goOn(1);
    const store = anchorFile(place.anchor);
    const interrupted = new VtlicError('ledger_in_use', 'other runs are changing this anchor at the same time');
    // Another run of another copy found the change begun, and finished it.
    const replace: AnchorStore['replace'] = async (change) => {
      expect(await store.replace(change)).toBe(true);
      throw interrupted;
    };
    await expect(restoreLedger(place.ledger, copy, await plan(), { ...store, replace }, testRuntime())).rejects.toBe(
      interrupted,
    );
    expect(await rejected(openWriter(place))).toMatchObject({
      code: 'ledger_rolled_back',
      place: { file: place.ledger },
      hint: expect.stringContaining('run the same vtlic ledger restore again') as unknown,
    });
    expect(await finishRestore(place.ledger, testRuntime())).toMatchObject({
      replaced: expect.stringContaining(`${place.ledger}.replaced-`) as unknown,
    });
    await goOn(1);
  });
});

describe('a restore whose anchor was changed while the word was typed', () => {
  it.each([
    ['as-is', 0],
    ['restored', 1],
  ] as const)('is refused where it was to be %s, and goes through when it is planned again', async (kind, before) => {
    await goOn(before);
    const planned = await plan();
    expect(planned.kind).toBe(kind);
    await goOn(3);
    const anchor = readFileSync(place.anchor);
    await expect(restore(planned)).rejects.toMatchObject(REFUSED);
    expect(readFileSync(place.anchor)).toEqual(anchor);
    expect(existsSync(join(place.folder, 'ledger.sqlite'))).toBe(false);
    const again = await plan();
    expect(again.skip).toBeGreaterThanOrEqual(before + 3);
    await restore(again);
  });

  it('is refused also where it was changed while the copy was made', async () => {
    const planned = await plan();
    const step: Runtime['step'] = (name) => (name === 'restore-drafted' ? goOn(1) : Promise.resolve());
    await expect(restore(planned, testRuntime({ step }))).rejects.toMatchObject(REFUSED);
    expect(await finishRestore(join(place.folder, 'ledger.sqlite'), testRuntime())).toBeUndefined();
    await goOn(1);
  });

  it('is refused where the copy was exchanged for an older one, and the anchor is left', async () => {
    const older = join(place.folder, 'older');
    copyFileSync(copy, older);
    await goOn(1);
    copyLedger(place.ledger, join(place.folder, 'newer'), 'output_unwritable');
    copyFileSync(join(place.folder, 'newer'), copy);
    const planned = await plan();
    expect(planned.kind).toBe('as-is');
    copyFileSync(older, copy);
    const anchor = readFileSync(place.anchor);
    await expect(restore(planned)).rejects.toMatchObject(REFUSED);
    expect(readFileSync(place.anchor)).toEqual(anchor);
    expect(existsSync(join(place.folder, 'ledger.sqlite'))).toBe(false);
    await restore(await plan());
  });

  it('is refused where the anchor was said to be lost and came back', async () => {
    const kept = join(place.folder, 'kept');
    copyFileSync(place.anchor, kept);
    rmSync(place.anchor);
    const planned = await plan({ skip: 0, keysetVersion: 0 });
    copyFileSync(kept, place.anchor);
    await expect(restore(planned)).rejects.toMatchObject(REFUSED);
    rmSync(place.anchor);
    await restore(planned);
  });
});

describe('a restore by which the anchor comes to another place than the copy names', () => {
  let other: string;
  beforeEach(() => {
    // An earlier move was cut short, or somebody copied the file.
    other = join(place.folder, 'other-anchor');
    copyFileSync(place.anchor, other);
  });

  async function planThere(): Promise<RestorePlan> {
    const view = openLedgerForReading(copy);
    try {
      return await planRestore({
        copy: view,
        store: anchorFile(other),
        place: { kind: 'file', path: other },
        previous: anchorFile(place.anchor),
        released: [],
        lost: undefined,
      });
    } finally {
      view.close();
    }
  }

  const restoreThere = (planned: RestorePlan, runtime: Runtime = testRuntime()): Promise<RestoreResult> =>
    restoreLedger(
      join(place.folder, 'ledger.sqlite'),
      copy,
      planned,
      anchorFile(other),
      runtime,
      anchorFile(place.anchor),
    );

  it.each([
    ['since it was shown', 'shown'],
    ['while the copy was made', 'restore-drafted'],
  ])('is refused where the old place was used %s, and leaves the anchor there', async (_when, at) => {
    const planned = await planThere();
    expect(planned.kind).toBe('moved');
    if (at === 'shown') await goOn(1);
    const step: Runtime['step'] = (name) => (name === at ? goOn(1) : Promise.resolve());
    await expect(restoreThere(planned, testRuntime({ step }))).rejects.toMatchObject(REFUSED);
    expect(existsSync(join(place.folder, 'ledger.sqlite'))).toBe(false);
    // The ledger that used it goes on; the other place has seen less, and does not count.
    await goOn(1);
    await expect(planThere()).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('has seen more') as unknown,
    });
  });

  it('leaves in the old place that the anchor was moved, and is done', async () => {
    await restoreThere(await planThere());
    expect(await anchorFile(place.anchor).read()).toEqual([]);
    await expect(goOn(1)).rejects.toMatchObject({ code: 'ledger_rolled_back' });
  });

  it('is refused where a move of the anchor was cut short: the place that it comes from decides', async () => {
    const to = { kind: 'file', path: join(place.folder, 'moved-anchor') } as const;
    const ledger = await openWriter(place);
    const stop = testRuntime({
      step: (name) => (name === 'anchor-adopted' ? Promise.reject(new Error('stopped')) : Promise.resolve()),
    });
    await expect(moveAnchor(ledger, anchorFile(place.anchor), anchorFile(to.path), to, stop)).rejects.toThrow(
      'stopped',
    );
    ledger.close();
    rmSync(copy);
    copyLedger(place.ledger, copy, 'output_unwritable');
    await expect(planThere()).rejects.toMatchObject({
      code: 'ledger_rolled_back',
      message: expect.stringContaining('was interrupted') as unknown,
      hint: expect.stringContaining('vtlic ledger anchor --to') as unknown,
    });
  });

  it('leaves the anchor of another ledger that is in the old place', async () => {
    const foreign = await makeLedger();
    copyFileSync(foreign.anchor, place.anchor);
    rmSync(`${place.anchor}.guard`, { recursive: true });
    const planned = await planThere();
    expect(planned.previousSeen).toEqual([]);
    await restoreThere(planned);
    expect(readFileSync(place.anchor)).toEqual(readFileSync(foreign.anchor));
  });

  it('says that a ledger with more entries has moved the anchor away from the old place', async () => {
    await goOn(1);
    const known = await anchorFile(place.anchor).read();
    const [next] = known;
    if (next === undefined) throw new Error('no anchor');
    expect(await anchorFile(place.anchor).replace({ known, next, moved: true, nonce: new Uint8Array(16) })).toBe(true);
    expect((await planThere()).movedBy?.entries).toBe(next.entries);
  });
});

describe('a restore of a copy that had signed a license while another copy used the anchor', () => {
  it('withholds that license, whose counter the other copy has released', async () => {
    const losing = await openLedgerForWriting(copyIn('losing'), writerOptions());
    const seq = issueNext(losing);
    await goOn(1);
    await expect(losing.anchor()).rejects.toMatchObject({ code: 'ledger_rolled_back' });
    losing.close();
    copyFileSync(join(place.folder, 'losing', 'ledger.sqlite'), copy);
    await restore(await plan());
    const restored = await openLedgerForWriting(join(place.folder, 'ledger.sqlite'), writerOptions());
    const record = restored.findByIntent(seq);
    expect(record?.state).toBe('issued');
    expect(restored.recoveryPlan().releases).toEqual([]);
    expect(record === undefined ? undefined : restored.withheldBy(record)).toBe(restored.logs().at(-1)?.entry);
    expect(() => {
      releaseNow(restored, seq);
    }).toThrow('never leaves');
    // Its counter was 3, and so was that of the other copy.
    expect(restored.nextCounter(ACME)).toBe(5);
    await restored.verify();
    restored.close();
  });

  function copyIn(name: string): string {
    const folder = join(place.folder, name);
    mkdirSync(folder);
    copyFileSync(copy, join(folder, 'ledger.sqlite'));
    return join(folder, 'ledger.sqlite');
  }
});

describe('a restore that was cut off when its copy was made, and that is taken as it is', () => {
  const draft = (): string => `${place.ledger}.restored`;

  it('finishes a restore whose copy is whole, and makes the ledger readable only for its owner', async () => {
    copyFileSync(copy, draft());
    chmodSync(draft(), 0o644);
    expect(await finishRestore(place.ledger, testRuntime())).toMatchObject({ replaced: expect.any(String) as unknown });
    expect(statSync(place.ledger).mode & 0o777).toBe(0o600);
    await goOn(1);
  });

  it.each([
    ['lacks an old entry', 'DELETE FROM entry WHERE seq = 2'],
    ['lacks a license in its index', 'DELETE FROM intent WHERE seq = 2'],
  ])('is made anew where the copy %s, and the ledger that is there is left', async (_what, damage) => {
    copyFileSync(copy, draft());
    tamper(draft(), 'PRAGMA foreign_keys = OFF', damage);
    const before = readFileSync(place.ledger);
    const told: string[] = [];
    expect(await finishRestore(place.ledger, testRuntime({ tell: (line) => told.push(line) }))).toBeUndefined();
    expect(told).toEqual([
      expect.stringMatching(
        /left a copy that is not valid: .*ledger\.sqlite\.restored\.damaged-.*the restore is made anew/,
      ),
    ]);
    expect([readFileSync(place.ledger).equals(before), existsSync(draft())]).toEqual([true, false]);
    expect(
      readdirSync(join(place.folder, 'site')).filter((name) => /\.restored\.damaged-[^-]+$/.test(name)),
    ).toHaveLength(1);
    expect(await finishRestore(place.ledger, testRuntime())).toBeUndefined();
    await goOn(1);
  });
});
