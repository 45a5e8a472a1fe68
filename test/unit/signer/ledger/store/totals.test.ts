/**
 * The totals of lineages: kept with each row, added to a ledger that an older program made, and never trusted by
 * themselves.
 */
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { openLedgerForReading } from '../../../../../signer/ledger/open.ts';
import {
  ACME,
  closing,
  digest,
  issueNext,
  KID,
  newWriter,
  openWriter,
  tamper,
  wholeCheck,
  type Place,
} from '../ledger-fixture.ts';

const OTHER = { aud: 'vaultdesk', sub: 'globex', dep: 'prod' };
const ONLY_GIVEN = { aud: 'vaultdesk', sub: 'initech' };

/** Two licenses of one lineage, one of another, and counters taken over for one of them and for a third. */
async function usedLedger(): Promise<Place> {
  const { place, ledger } = await newWriter();
  issueNext(ledger, ACME);
  issueNext(ledger, ACME);
  issueNext(ledger, OTHER);
  ledger.group(() => {
    ledger.adopt({
      act: 'import',
      document: digest('document'),
      kid: KID,
      ledgerId: new Uint8Array(16),
      floor: 0,
      highest: 9,
      operator: 'officer',
    });
    ledger.adopt({ act: 'counter', ...ACME, ctr: 7 });
    ledger.adopt({ act: 'counter', ...ONLY_GIVEN, ctr: 9 });
  });
  await ledger.anchor();
  ledger.close();
  return place;
}

function totalsOf(place: Place): readonly unknown[] {
  const db = new DatabaseSync(place.ledger);
  try {
    return db.prepare('SELECT sub, aud, dep, intent, ctr, given FROM lineage ORDER BY sub, aud, dep').all();
  } finally {
    db.close();
  }
}

/** The ledger as an older program would have left it. */
function withoutTotals(place: Place): void {
  tamper(place.ledger, 'DROP TABLE lineage', 'PRAGMA user_version = 1');
}

describe('the totals of lineages', () => {
  it('are kept with each intent and each counter that is taken over', async () => {
    expect(totalsOf(await usedLedger())).toEqual([
      { sub: 'acme-gmbh', aud: 'vaultdesk', dep: '', intent: 4, ctr: 2, given: 1 },
      { sub: 'globex', aud: 'vaultdesk', dep: 'prod', intent: 6, ctr: 1, given: 0 },
      { sub: 'initech', aud: 'vaultdesk', dep: '', intent: 0, ctr: 0, given: 1 },
    ]);
  });

  it('are added to an older ledger when it is opened for writing, and are those that would have been kept', async () => {
    const place = await usedLedger();
    const kept = totalsOf(place);
    withoutTotals(place);
    const ledger = await openWriter(place);
    expect(ledger.nextCounter(ACME)).toBe(8);
    ledger.close();
    expect(totalsOf(place)).toEqual(kept);
    expect(await wholeCheck(place)).toMatchObject({ issued: 3, lineages: 2 });
  });

  it('are not needed to read and to check an older ledger, which stays as it is', async () => {
    const place = await usedLedger();
    withoutTotals(place);
    expect(closing(openLedgerForReading(place.ledger)).nextCounter(ACME)).toBe(8);
    expect(await wholeCheck(place)).toMatchObject({ issued: 3, lineages: 2 });
    expect(() => totalsOf(place)).toThrow('no such table: lineage');
  });

  it.each([
    ["DELETE FROM intent WHERE sub = 'globex'", 'its tables list 2 finished counters, but the Merkle tree has 3'],
    ['DELETE FROM leaf WHERE leaf_index = 0', 'its tables list 3 finished counters, but the Merkle tree has 2'],
  ])('are not made from an older ledger after %s', async (sql, words) => {
    const place = await usedLedger();
    withoutTotals(place);
    // Further back than the entries that each start recomputes.
    const ledger = await openWriter(place);
    ledger.group(() => {
      for (let i = 0; i < 70; i++) ledger.clock(1, 'officer');
    });
    await ledger.anchor();
    ledger.close();
    withoutTotals(place);
    tamper(place.ledger, sql);
    await expect(openWriter(place)).rejects.toThrow(words);
    expect(() => totalsOf(place)).toThrow('no such table: lineage');
  });

  it.each([
    ["DELETE FROM counter WHERE sub = 'acme-gmbh'", ACME],
    ["DELETE FROM intent WHERE sub = 'globex'", OTHER],
    ["DELETE FROM lineage WHERE sub = 'globex'", OTHER],
    ["UPDATE lineage SET ctr = 1 WHERE sub = 'acme-gmbh'", ACME],
    ["DELETE FROM counter WHERE sub = 'initech'", ONLY_GIVEN],
    ["INSERT INTO counter VALUES (-3, 'initech', 'vaultdesk', '', 1, NULL)", ONLY_GIVEN],
  ])('stop the next license of a lineage after %s', async (sql, lineage) => {
    const place = await usedLedger();
    tamper(place.ledger, sql);
    expect(() => closing(openLedgerForReading(place.ledger)).nextCounter(lineage)).toThrow(
      `its tables disagree on the counters of ${lineage.sub} / vaultdesk`,
    );
  });
});

describe('a start for signing', () => {
  const prepare = Object.getOwnPropertyDescriptor(DatabaseSync.prototype, 'prepare')?.value as DatabaseSync['prepare'];
  afterEach(() => {
    DatabaseSync.prototype.prepare = prepare;
  });

  /** Whole tables and indexes that statements read from now on, without those that end after one row. */
  function watchScans(): Set<string> {
    const scanned = new Set<string>();
    DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql: string) {
      if (/^\s*SELECT/i.test(sql) && !/LIMIT 1\s*$/i.test(sql))
        for (const { detail } of prepare.call(this, `EXPLAIN QUERY PLAN ${sql}`).all()) {
          const table = /^SCAN (?!CONSTANT ROW)(\w+)/.exec(String(detail))?.[1];
          if (table !== undefined) scanned.add(table);
        }
      return prepare.call(this, sql);
    };
    return scanned;
  }

  it('reads no table whole that grows with each license, and neither does the next license', async () => {
    const { place, ledger } = await newWriter();
    issueNext(ledger);
    ledger.close();
    const scanned = watchScans();
    const again = await openWriter(place);
    issueNext(again);
    again.close();
    // The acts of officers, and the logs that restores began.
    expect([...scanned].toSorted()).toEqual(['act', 'log', 'sqlite_schema']);
  });

  it('is seen to read whole tables in a check of everything', async () => {
    const place = await usedLedger();
    const scanned = watchScans();
    await wholeCheck(place);
    expect(scanned.size).toBeGreaterThan(3);
  });
});
