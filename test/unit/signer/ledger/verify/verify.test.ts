import { describe, expect, it } from 'vitest';
import { VtlicError } from '../../../../../formats/error.ts';
import { openLedgerForReading } from '../../../../../signer/ledger/open.ts';
import {
  ACME,
  closing,
  digest,
  intentFor,
  issueNext,
  KID,
  newWriter,
  releaseNow,
  tamper,
  tamperBehind,
  wholeCheck,
  type Place,
} from '../ledger-fixture.ts';

/** Every kind of entry; 17 of them. */
async function rich(): Promise<Place> {
  const { place, ledger } = await newWriter();
  const first = issueNext(ledger); // 2, 3
  ledger.void_(ledger.intend(intentFor(ACME, 2)).seq, 'crash'); // 4, 5
  const other = issueNext(ledger, { aud: 'vaultdesk', sub: 'beta-inc', dep: 'eu' }); // 6, 7
  ledger.clock(1_800_000_000, 'officer'); // 8
  await ledger.anchor();
  releaseNow(ledger, first); // 9
  releaseNow(ledger, other); // 10
  releaseNow(ledger, other); // 11
  issueNext(ledger); // 12, 13
  ledger.intend(intentFor(ACME, 4)); // 14
  ledger.close();
  return place;
}

async function fault(place: Place): Promise<string> {
  const error = await wholeCheck(place);
  if (!(error instanceof VtlicError)) throw new Error(`no VtlicError, but ${String(error)}`);
  expect(error.code).toBe('ledger_corrupt');
  expect(error.place.file).toBe(place.ledger);
  return error.message.replace('the ledger is damaged or was changed: ', '');
}

describe('a whole check', () => {
  it('counts what it saw, and reports its progress', async () => {
    const view = closing(openLedgerForReading((await rich()).ledger));
    const seen: [number, number][] = [];
    const summary = await view.verify({ progress: (done, total) => seen.push([done, total]) });
    expect(summary).toEqual({
      head: view.head(),
      logs: 1,
      lineages: 2,
      intents: 5,
      issued: 3,
      reentered: 0,
      voided: 1,
      released: 2,
      open: 1,
      signatures: undefined,
    });
    expect(seen).toEqual([[14, 14]]);
  });

  it('can be interrupted', async () => {
    const { ledger } = await newWriter();
    ledger.group(() => {
      for (let i = 0; i < 600; i++) issueNext(ledger);
    });
    const abort = new AbortController();
    const seen: number[] = [];
    const checking = ledger.verify({
      signal: abort.signal,
      progress: (done) => {
        seen.push(done);
        abort.abort();
      },
    });
    await expect(checking).rejects.toMatchObject({ code: 'interrupted' });
    expect(seen).toEqual([1024]);
    expect(await ledger.verify()).toMatchObject({ issued: 600 });
  });

  it('sees one moment of a ledger that grows', async () => {
    const { ledger } = await newWriter();
    ledger.group(() => {
      for (let i = 0; i < 600; i++) issueNext(ledger);
    });
    const summary = await ledger.verify({ progress: () => void issueNext(ledger) });
    expect(summary.head.entries).toBe(1201);
    expect(ledger.head().entries).toBe(1205);
  });
});

describe('a changed record is found', () => {
  it.each([
    ['UPDATE entry SET at = at + 1 WHERE seq = 3', 'entry 3: its chain value'],
    ["UPDATE entry SET kind = 'void' WHERE seq = 3", 'entry 3: its chain value'],
    ['UPDATE entry SET body = zeroblob(length(body)) WHERE seq = 9', 'entry 9: its chain value'],
    ['UPDATE entry SET chain = zeroblob(32) WHERE seq = 14', 'entry 14: its chain value'],
    ['UPDATE entry SET chain = zeroblob(31) WHERE seq = 14', 'where bytes are expected'],
    ['DELETE FROM entry WHERE seq = 8', 'entry 8 is missing'],
    ['DELETE FROM entry WHERE seq = 14', 'the table "intent" has rows without an entry'],
    ['DELETE FROM entry WHERE seq = 13', 'entry 13 is missing'],
    ['DELETE FROM entry WHERE seq > 12', 'the index row of entry 12 names an entry that does not exist'],
    ['DELETE FROM entry WHERE seq > 8', 'the index row of entry 2 names an entry that does not exist'],
    ["INSERT INTO entry VALUES (15, 'clock', 1, x'a0', zeroblob(32))", 'entry 15: its chain value'],
    ["INSERT INTO entry VALUES (0, 'clock', 1, x'a0', zeroblob(32))", 'entry 1 is missing'],
    ['UPDATE entry SET seq = 9007199254740993 WHERE seq = 14', 'a number in it is out of range'],
  ])('finds the changed record after %s', async (sql, words) => {
    const place = await rich();
    tamper(place.ledger, sql);
    expect(await fault(place)).toContain(words);
  });
});

describe('a changed table beside the record is found', () => {
  it.each([
    ["UPDATE intent SET sub = 'x' WHERE seq = 2", 'entry 2'],
    ["UPDATE intent SET dep = '' WHERE seq = 6", 'entry 6'],
    ['UPDATE intent SET ctr = 7 WHERE seq = 14', 'entry 14'],
    ['UPDATE intent SET license_id = zeroblob(16) WHERE seq = 2', 'entry 2'],
    ['UPDATE intent SET issue = NULL WHERE seq = 2', 'entry 2'],
    ['UPDATE intent SET issue = 13 WHERE seq = 2', 'entry 2'],
    ['UPDATE intent SET issue = 3 WHERE seq = 14', 'entry 14'],
    ['UPDATE intent SET issue = 3 WHERE seq = 4', 'entry 4'],
    ['UPDATE intent SET void = NULL WHERE seq = 4', 'entry 4'],
    ['UPDATE intent SET void = 5 WHERE seq = 14', 'entry 14'],
    ['UPDATE intent SET void = 5 WHERE seq = 2', 'entry 2'],
    ['UPDATE intent SET release = NULL WHERE seq = 2', 'entry 2'],
    ['UPDATE intent SET release = 9 WHERE seq = 12', 'entry 12'],
    ['UPDATE intent SET release = 11 WHERE seq = 6', 'entry 6'],
    ['UPDATE intent SET release = 9 WHERE seq = 4', 'entry 4'],
    ['DELETE FROM intent WHERE seq = 14', 'entry 14'],
    [
      "INSERT INTO intent (seq, sub, aud, dep, ctr, license_id) VALUES (15, 'x', 'y', '', 1, zeroblob(16))",
      'the table "intent" has rows',
    ],
    ['UPDATE leaf SET entry = 3 WHERE leaf_index = 1', 'entry 5'],
    ['DELETE FROM leaf WHERE leaf_index = 3', 'entry 13'],
    ['INSERT INTO leaf VALUES (4, 14)', 'the table "leaf" has rows'],
    ['UPDATE node SET hash = zeroblob(32) WHERE position = 0', 'over leaf 0 differs'],
    ['UPDATE node SET hash = zeroblob(32) WHERE position = 6', 'over leaf 3 differs'],
    ['DELETE FROM node WHERE position = 6', 'over leaf 3 differs'],
    ['UPDATE node SET position = 7 WHERE position = 6', 'over leaf 3 differs'],
    ['INSERT INTO node VALUES (7, zeroblob(32))', 'the table "node" has rows'],
    ['DELETE FROM clock', 'entry 8'],
    ['INSERT INTO clock VALUES (14)', 'the table "clock" has rows'],
    ['DELETE FROM lineage', 'the totals of its lineages'],
    ['UPDATE lineage SET ctr = ctr + 1 WHERE intent = 14', 'the totals of its lineages'],
    ['UPDATE lineage SET intent = 2 WHERE intent = 14', 'the totals of its lineages'],
    ['UPDATE lineage SET given = 1 WHERE intent = 14', 'the totals of its lineages'],
    ["INSERT INTO lineage VALUES ('zz', 'vaultdesk', '', 0, 0, 0)", 'the table "lineage" has rows'],
    ["INSERT INTO intent VALUES (-9007199254740991, 'x', 'y', '', 1, zeroblob(16), NULL, NULL, NULL)", 'entry 2'],
    ["INSERT INTO counter VALUES (-9007199254740991, 'x', 'y', '', 1, NULL)", 'the table "counter" has rows'],
    ["INSERT INTO act VALUES (-9007199254740991, 'reopen', '', 0, 0, 0)", 'the table "act" has rows'],
    ['INSERT INTO leaf VALUES (-9007199254740991, 2)', 'entry 3'],
    ['INSERT INTO node VALUES (-9007199254740991, zeroblob(32))', 'over leaf 0 differs'],
    ["INSERT INTO entry VALUES (-9007199254740991, 'clock', 1, x'a0', zeroblob(32))", 'entry 1 is missing'],
    ['INSERT INTO clock VALUES (-9223372036854775808)', 'where an integer is expected'],
  ])('finds the changed table after %s', async (sql, words) => {
    const place = await rich();
    tamper(place.ledger, sql);
    expect(await fault(place)).toContain(words);
  });

  it('finds an index that differs from its table', async () => {
    const place = await rich();
    // Wrong in both, then right again in the table while the index is out of sight.
    tamper(
      place.ledger,
      'CREATE TABLE kept AS SELECT seq, license_id FROM intent',
      'UPDATE intent SET license_id = zeroblob(16) WHERE seq = 2',
    );
    tamperBehind(
      place.ledger,
      'intent_by_license_id',
      'UPDATE intent SET license_id = (SELECT license_id FROM kept WHERE kept.seq = intent.seq)',
      'DROP TABLE kept',
    );
    expect(await fault(place)).toContain('missing from index intent_by_license_id');
  });

  it('finds a row missing in the index of counters taken over, in a check and before a counter is taken', async () => {
    const { place, ledger } = await newWriter();
    ledger.group(() => {
      ledger.adopt({
        act: 'import',
        document: digest('document'),
        kid: KID,
        ledgerId: new Uint8Array(16),
        floor: 0,
        highest: 5,
        operator: 'officer',
      });
      ledger.adopt({ act: 'counter', ...ACME, ctr: 5 });
    });
    await ledger.anchor();
    expect(ledger.nextCounter(ACME)).toBe(6);
    ledger.close();
    tamper(place.ledger, "UPDATE counter SET sub = 'zzz'");
    tamperBehind(place.ledger, 'counter_by_lineage', `UPDATE counter SET sub = '${ACME.sub}'`);
    expect(() => closing(openLedgerForReading(place.ledger)).nextCounter(ACME)).toThrow(
      'its tables disagree on the counters of acme-gmbh / vaultdesk',
    );
    expect(await fault(place)).toContain('missing from index counter_by_lineage');
  });

  it('finds an index of intents that lacks a row or has another counter, before a counter is taken', async () => {
    const place = await rich();
    tamperBehind(place.ledger, 'intent_by_lineage', 'UPDATE intent SET ctr = 9 WHERE seq = 14');
    expect(() => closing(openLedgerForReading(place.ledger)).nextCounter(ACME)).toThrow(
      'an index does not fit its table',
    );
    const other = await newWriter();
    issueNext(other.ledger);
    await other.ledger.anchor();
    other.ledger.close();
    // Put in while the index is out of sight: its entry is missing there.
    tamperBehind(
      other.place.ledger,
      'intent_by_lineage',
      "INSERT INTO intent (seq, sub, aud, dep, ctr, license_id) VALUES (9, 'x', 'y', '', 1, zeroblob(16))",
    );
    expect(await fault(other.place)).toContain('wrong # of entries in index intent_by_lineage');
  });
});
