/**
 * A move of the anchor that stops after any of its steps: no anchor agrees with an old copy; a second one finishes it.
 * Also a restore whose anchor cannot be read.
 */
import { copyFileSync, cpSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { finishMove, moveAnchor, requireFreePlace } from '../../../../signer/anchor/move-anchor.ts';
import { finishRestore } from '../../../../signer/handover/restore.ts';
import { openForSigning } from '../../../../signer/issue/open-ledger.ts';
import { anchorFile } from '../../../../signer/anchor/anchor-file.ts';
import { openLedgerForReading } from '../../../../signer/ledger/open.ts';
import type { FileAnchorPlace } from '../../../../signer/anchor/anchor.ts';
import type { Ledger } from '../../../../signer/ledger/ledger.ts';
import { openSite } from '../../../../signer/site/site.ts';
import type { Step } from '../../../../signer/runtime.ts';
import { makeSite, type SiteFixture, testRuntime } from '../../../support/site-fixture.ts';
import { issueNext, releaseNow } from '../ledger/ledger-inputs.ts';

let fixture: SiteFixture;
let to: FileAnchorPlace;
let file: string;
beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
  to = { kind: 'file', path: join(fixture.folder, 'elsewhere') };
  file = join(fixture.site, 'ledger.sqlite');
});
afterEach(() => {
  fixture.remove();
});

const open = (finish = false, site = fixture.site): Promise<Ledger> =>
  openForSigning(openSite(site), testRuntime(), {
    command: 'test',
    ...(finish
      ? {
          finishMove: (move, ledger) =>
            move.from.kind === 'file'
              ? finishMove(ledger, move, anchorFile(move.from.path), testRuntime(), () =>
                  Promise.reject(new Error('nobody says so')),
                )
              : Promise.reject(new Error('no file')),
        }
      : {}),
  });

async function openAndClose(finish = false): Promise<void> {
  (await open(finish)).close();
}

/** What a copy taken before the move would bring back. */
async function move(stopAt?: Step): Promise<void> {
  const ledger = await open();
  try {
    const seq = issueNext(ledger);
    await ledger.anchor();
    // Its signature is of zeros: nothing that a start would let out.
    releaseNow(ledger, seq);
    ledger.close();
    copyFileSync(file, join(fixture.folder, 'before'));
    const again = await open();
    try {
      await requireFreePlace(again, anchorFile(to.path));
      const step = (name: Step): Promise<void> =>
        name === stopAt ? Promise.reject(new Error('stopped')) : Promise.resolve();
      await moveAnchor(again, anchorFile(fixture.anchor), anchorFile(to.path), to, {
        step,
        operator: 'tester',
        random: testRuntime().random,
      });
    } finally {
      again.close();
    }
  } finally {
    ledger.close();
  }
}

async function oldCopyIsRefused(): Promise<void> {
  for (const suffix of ['', '-wal', '-shm'])
    if (existsSync(file + suffix)) renameSync(file + suffix, `${file}.kept${suffix}`);
  copyFileSync(join(fixture.folder, 'before'), file);
  await expect(openAndClose()).rejects.toMatchObject({ code: 'ledger_rolled_back' });
}

describe('a move of the anchor', () => {
  it('leaves nothing in the old place that agrees with an old copy', async () => {
    await move();
    expect(await anchorFile(fixture.anchor).read()).toEqual([]);
    expect(await anchorFile(to.path).read()).toHaveLength(1);
    const ledger = await open();
    expect(ledger.anchorPlace()).toEqual(to);
    await ledger.verify();
    ledger.close();
    await oldCopyIsRefused();
  });

  it('changes nothing when it stops before its entry, and can be made again', async () => {
    await expect(move('anchor-copied')).rejects.toThrow('stopped');
    await openAndClose();
    await move();
    await openAndClose();
    expect(await anchorFile(fixture.anchor).read()).toEqual([]);
  });

  it.each(['anchor-adopted', 'anchor-removed'] as const)(
    'refuses to open a ledger whose move stopped at %s until the move is finished',
    async (step) => {
      await expect(move(step)).rejects.toThrow('stopped');
      await expect(openAndClose()).rejects.toMatchObject({
        code: 'ledger_conflict',
        hint: `finish it: vtlic ledger anchor --to ${to.path}`,
      });
      await openAndClose(true);
      await openAndClose();
      expect(await anchorFile(fixture.anchor).read()).toEqual([]);
      await oldCopyIsRefused();
    },
  );

  it('is not moved to another name of its own place, which would leave the ledger without an anchor', async () => {
    const linked = join(fixture.folder, 'linked');
    symlinkSync(fixture.folder, linked);
    to = { kind: 'file', path: join(linked, basename(fixture.anchor)) };
    await expect(move()).rejects.toMatchObject({ code: 'usage' });
    await openAndClose();
  });

  it('is not moved to a place that contains the anchor of another ledger', async () => {
    const other = await makeSite({ algorithm: 'ed25519' });
    copyFileSync(other.anchor, to.path);
    other.remove();
    await expect(move()).rejects.toMatchObject({ code: 'ledger_rolled_back' });
    await openAndClose();
  });
});

describe('a move of an old copy, when the ledger itself went on while the word was typed', () => {
  const step = (): Promise<void> => Promise.resolve();
  let copy: SiteFixture;
  beforeEach(async () => {
    await openAndClose();
    copy = { ...fixture, site: join(fixture.folder, 'copied') };
    cpSync(fixture.site, copy.site, { recursive: true });
  });

  const openCopy = (finish = false): Promise<Ledger> => open(finish, copy.site);

  /** The ledger that the anchor agrees with. */
  async function goOn(): Promise<void> {
    const ledger = await open();
    try {
      issueNext(ledger);
      const seq = issueNext(ledger);
      await ledger.anchor();
      releaseNow(ledger, seq);
    } finally {
      ledger.close();
    }
  }

  /** It has issued two, and its anchor says so. */
  async function ledgerStands(): Promise<void> {
    const [record] = await anchorFile(fixture.anchor).read();
    const ledger = openLedgerForReading(file);
    try {
      expect(record?.size).toBe(2);
      expect(ledger.entry(record?.entries ?? 0)?.chain).toEqual(record?.chain);
    } finally {
      ledger.close();
    }
  }

  it('is refused, and nothing is written', async () => {
    const old = await openCopy();
    try {
      await requireFreePlace(old, anchorFile(to.path));
      await goOn();
      await expect(
        moveAnchor(old, anchorFile(fixture.anchor), anchorFile(to.path), to, {
          step,
          operator: 'tester',
          random: testRuntime().random,
        }),
      ).rejects.toMatchObject({ code: 'ledger_rolled_back' });
    } finally {
      old.close();
    }
    expect(existsSync(to.path)).toBe(false);
    await ledgerStands();
    await expect(openCopy()).rejects.toMatchObject({ code: 'ledger_rolled_back' });
  });

  it('leaves the newer anchor when the ledger went on during the move, also at the same command again', async () => {
    const old = await openCopy();
    try {
      const move = moveAnchor(old, anchorFile(fixture.anchor), anchorFile(to.path), to, {
        step: (name) => (name === 'anchor-adopted' ? goOn() : Promise.resolve()),
        operator: 'tester',
        random: testRuntime().random,
      });
      await expect(move).rejects.toMatchObject({
        code: 'ledger_rolled_back',
        message: expect.stringContaining('the old place was left as it is') as unknown,
        hint: expect.stringContaining('put it here') as unknown,
      });
    } finally {
      old.close();
    }
    await ledgerStands();
    await expect(openCopy()).rejects.toMatchObject({ code: 'ledger_conflict' });
    await expect(openCopy(true)).rejects.toMatchObject({ code: 'ledger_rolled_back' });
    await ledgerStands();
  });

  it('goes to no place that another anchor has taken in the meantime', async () => {
    const ledger = await open();
    const other = await makeSite({ algorithm: 'ed25519' });
    try {
      await requireFreePlace(ledger, anchorFile(to.path));
      copyFileSync(other.anchor, to.path);
      await expect(
        moveAnchor(ledger, anchorFile(fixture.anchor), anchorFile(to.path), to, {
          step,
          operator: 'tester',
          random: testRuntime().random,
        }),
      ).rejects.toMatchObject({ code: 'ledger_rolled_back' });
      expect(readFileSync(to.path)).toEqual(readFileSync(other.anchor));
    } finally {
      ledger.close();
      other.remove();
    }
    await openAndClose();
  });
});

describe('a restore that stopped when it was anchored', () => {
  it('is not thrown away because its anchor cannot be read now', async () => {
    const draft = `${file}.restored`;
    await openAndClose();
    copyFileSync(file, draft);
    const hidden = join(fixture.folder, 'hidden');
    renameSync(fixture.anchor, hidden);
    rmSync(fixture.anchor, { force: true });
    const unreadable = (): ReturnType<typeof anchorFile> => anchorFile(join(fixture.folder, 'not-mounted', 'anchor'));
    await expect(finishRestore(file, testRuntime(), unreadable)).rejects.toMatchObject({ code: 'file_unreadable' });
    expect(existsSync(draft)).toBe(true);
    renameSync(hidden, fixture.anchor);
    expect(await finishRestore(file, testRuntime())).toBeDefined();
    expect(existsSync(draft)).toBe(false);
  });
});
