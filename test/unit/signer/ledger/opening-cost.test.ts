/** What an opening for signing reads does not depend on how many licenses the ledger has. */
import { StatementSync } from 'node:sqlite';
import { afterEach, expect, it, vi } from 'vitest';
import { issueNext, makeLedger, openWriter, releaseNow, type Place } from './ledger-fixture.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

async function add(place: Place, licenses: number): Promise<void> {
  const ledger = await openWriter(place);
  try {
    const issued = ledger.group(() => Array.from({ length: licenses }, () => issueNext(ledger)));
    await ledger.anchor();
    ledger.group(() => {
      for (const seq of issued) releaseNow(ledger, seq);
    });
    await ledger.anchor();
  } finally {
    ledger.close();
  }
}

/** Every row that the opening reads, and the statements that went over them. */
async function readAtOpening(place: Place): Promise<{ readonly rows: number; readonly statements: Set<string> }> {
  let rows = 0;
  const statements = new Set<string>();
  // oxlint-disable-next-line typescript/unbound-method
  const { get, all } = StatementSync.prototype;
  const count = (sql: string, found: number): void => {
    statements.add(sql);
    rows += found;
  };
  vi.spyOn(StatementSync.prototype, 'get').mockImplementation(function (this: StatementSync, ...args) {
    count(this.sourceSQL, 1);
    return get.apply(this, args);
  });
  vi.spyOn(StatementSync.prototype, 'all').mockImplementation(function (this: StatementSync, ...args) {
    const found = all.apply(this, args);
    count(this.sourceSQL, found.length);
    return found;
  });
  vi.spyOn(StatementSync.prototype, 'iterate').mockImplementation(function (this: StatementSync, ...args) {
    const found = all.apply(this, args);
    count(this.sourceSQL, found.length);
    return found.values() as ReturnType<StatementSync['iterate']>;
  });
  (await openWriter(place)).close();
  vi.restoreAllMocks();
  return { rows, statements };
}

it('reads as many rows in a ledger of 400 licenses as in one of 100, and counts none', async () => {
  const place = await makeLedger();
  await add(place, 100);
  const small = await readAtOpening(place);
  await add(place, 300);
  const large = await readAtOpening(place);
  expect(small.rows).toBeGreaterThan(64);
  expect(large.rows).toBe(small.rows);
  // Acts on the ledger itself are few, and no license adds one.
  const counting = [...large.statements].filter((sql) => /\b(?:count|sum|total)\s*\(/i.test(sql));
  expect(counting.filter((sql) => !/ FROM act /.test(sql))).toEqual([]);
});
