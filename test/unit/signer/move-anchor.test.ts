/** A move of the anchor that stops after any of its steps: no old copy is vouched for, and the same act finishes it. Also a restore whose anchor cannot be read. */
import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { moveAnchor, requireFreePlace } from '../../../signer/handover/move-anchor.ts';
import { finishRestore } from '../../../signer/handover/restore.ts';
import { openForSigning } from '../../../signer/issue/open-ledger.ts';
import { anchorFile } from '../../../signer/ledger/anchor/anchor-file.ts';
import type { FileAnchorPlace } from '../../../signer/ledger/record/anchor.ts';
import { openSite } from '../../../signer/site/site.ts';
import type { Step } from '../../../signer/world.ts';
import { makeSite, testWorld, type SiteFixture } from '../../support/site-fixture.ts';
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

const open = (finish = false) =>
  openForSigning(openSite(fixture.site), testWorld(), { command: 'test', ...(finish ? { finishMove: (move) => (move.from.kind === 'file' ? anchorFile(move.from.path).remove() : Promise.reject(new Error('no file'))) } : {}) });

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
      const step = (name: Step): Promise<void> => (name === stopAt ? Promise.reject(new Error('stopped')) : Promise.resolve());
      await moveAnchor(again, anchorFile(fixture.anchor), anchorFile(to.path), to, { step, operator: 'tester' });
    } finally {
      again.close();
    }
  } finally {
    ledger.close();
  }
}

async function oldCopyIsRefused(): Promise<void> {
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(file + suffix)) renameSync(file + suffix, `${file}.kept${suffix}`);
  copyFileSync(join(fixture.folder, 'before'), file);
  await expect(openAndClose()).rejects.toMatchObject({ code: 'ledger_rolled_back' });
}

describe('a move of the anchor', () => {
  it('leaves nothing in the old place that vouches for an old copy', async () => {
    await move();
    expect([existsSync(fixture.anchor), existsSync(to.path)]).toEqual([false, true]);
    const ledger = await open();
    expect(ledger.anchorPlace()).toEqual(to);
    await ledger.verify();
    ledger.close();
    await oldCopyIsRefused();
  });

  it('that stopped before its entry changed nothing, and can be made again', async () => {
    await expect(move('anchor-copied')).rejects.toThrow('stopped');
    await openAndClose();
    await move();
    await openAndClose();
    expect(existsSync(fixture.anchor)).toBe(false);
  });

  it.each(['anchor-adopted', 'anchor-removed'] as const)('that stopped at %s is refused until it is finished', async (step) => {
    await expect(move(step)).rejects.toThrow('stopped');
    await expect(openAndClose()).rejects.toMatchObject({ code: 'ledger_conflict', hint: `finish it: vtlic ledger anchor --to ${to.path}` });
    await openAndClose(true);
    await openAndClose();
    expect(existsSync(fixture.anchor)).toBe(false);
    await oldCopyIsRefused();
  });

  it('goes to no place that holds the anchor of another ledger', async () => {
    const other = await makeSite({ algorithm: 'ed25519' });
    copyFileSync(other.anchor, to.path);
    other.remove();
    await expect(move()).rejects.toMatchObject({ code: 'ledger_rolled_back' });
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
    await expect(finishRestore(file, testWorld(), unreadable)).rejects.toMatchObject({ code: 'file_unreadable' });
    expect(existsSync(draft)).toBe(true);
    renameSync(hidden, fixture.anchor);
    expect(await finishRestore(file, testWorld())).toBeDefined();
    expect(existsSync(draft)).toBe(false);
  });
});
