/** A backup on any disk: one without hard links (exFAT), one that is full of what was there before. */
import fs, { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backupLedger } from '../../../../signer/handover/backup.ts';
import { testRuntime } from '../../../support/site-fixture.ts';
import { closing, issueNext, makeLedger, openWriter, tamper, type Place } from '../ledger/ledger-fixture.ts';
import { openLedgerForReading } from '../../../../signer/ledger/open.ts';

const { linkSync } = fs;
let place: Place;
let target: string;
beforeEach(async () => {
  place = await makeLedger();
  target = join(place.folder, 'stick', 'backup.sqlite');
  fs.mkdirSync(join(place.folder, 'stick'));
  const ledger = await openWriter(place);
  issueNext(ledger);
  await ledger.anchor();
  ledger.close();
});
afterEach(() => {
  fs.linkSync = linkSync;
  syncBuiltinESMExports();
});

/** As on exFAT, and on some network shares. */
function withoutLinks(code: string): void {
  fs.linkSync = () => {
    throw Object.assign(new Error(`${code}: operation not permitted, link`), { code });
  };
  syncBuiltinESMExports();
}

describe('a backup', () => {
  it.each(['EPERM', 'ENOTSUP', 'ENOSYS'])(
    'is made where the disk has no hard links (%s), whole, and leaves nothing beside it',
    async (code) => {
      withoutLinks(code);
      const summary = await backupLedger(place.ledger, target, testRuntime());
      expect(summary.issued).toBe(1);
      expect(readdirSync(join(place.folder, 'stick'))).toEqual(['backup.sqlite']);
      expect(await closing(openLedgerForReading(target)).verify()).toMatchObject({ issued: 1 });
    },
  );

  it('never replaces a file, with links or without', async () => {
    writeFileSync(target, 'something else');
    for (const act of [
      () => undefined,
      () => {
        withoutLinks('EPERM');
      },
    ]) {
      act();
      await expect(backupLedger(place.ledger, target, testRuntime())).rejects.toMatchObject({ code: 'output_exists' });
      expect(readFileSync(target, 'utf8')).toBe('something else');
    }
  });

  it('is not made of a ledger whose pages contradict each other, though each row by itself looks right', async () => {
    tamper(
      place.ledger,
      'PRAGMA writable_schema = ON',
      "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'intent_unreleased') WHERE name = 'intent_open'",
    );
    await expect(backupLedger(place.ledger, target, testRuntime())).rejects.toMatchObject({ code: 'ledger_corrupt' });
    expect(existsSync(target)).toBe(false);
  });
});
