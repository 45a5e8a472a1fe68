/** Acts on the record: what they do to counters, and what a whole check makes of acts that break the rules. */
import { describe, expect, it } from 'vitest';
import { VtlicError } from '../../../../formats/error.ts';
import { countersOf } from '../../../../signer/handover/export-counters.ts';
import { movedCounter, countersToSkip } from '../../../../signer/ledger/entries/counter-rule.ts';
import type { Ledger } from '../../../../signer/ledger/ledger.ts';
import { openLedgerForReading } from '../../../../signer/ledger/open.ts';
import { sha256 } from '../../../../signer/ledger/entries/chain.ts';
import {
  ACME,
  closing,
  coseFor,
  digest,
  intentFor,
  issueNext,
  KID,
  newWriter,
  type Place,
  tamper,
  wholeCheck,
} from './ledger-fixture.ts';

const ANCHOR = { kind: 'file', path: '/anchors/elsewhere' } as const;
const BETA = { aud: 'vaultdesk', sub: 'beta-inc' } as const;
const IMPORT = {
  act: 'import',
  document: digest('document'),
  kid: KID,
  ledgerId: new Uint8Array(16).fill(9),
  floor: 0,
  highest: 40,
  operator: 'officer',
} as const;

type NewLog = Parameters<Ledger['openLog']>[0];

/** As a restore of a copy that lacks 5 leaves of the same log would do it. */
function newLog(ledger: Ledger, changes: Partial<NewLog> = {}): NewLog {
  const head = ledger.head();
  return {
    reason: 'restored',
    anchor: ANCHOR,
    covered: 0,
    coveredBound: 0,
    found: { ...head, entries: head.entries + 15, size: head.size + 5, counterBound: head.counterBound + 5 },
    skip: head.counterBound + 5,
    highest: 0,
    closed: false,
    operator: 'officer',
    ...changes,
  };
}

/** What a document for ACME's customer would say. */
function handed(ledger: Ledger): unknown[] {
  return countersOf(ledger, { sub: ACME.sub, to: new Uint8Array(16) }, 0).lineages.map(({ ctr, payloadDigest }) => ({
    ctr,
    payloadDigest,
  }));
}

async function verdict(place: Place): Promise<string> {
  const error = await wholeCheck(place);
  if (!(error instanceof VtlicError)) return 'whole';
  expect(error.code).toBe('ledger_corrupt');
  return error.message;
}

async function after(act: (ledger: Ledger) => void): Promise<string> {
  const { place, ledger } = await newWriter();
  issueNext(ledger);
  act(ledger);
  ledger.close();
  return verdict(place);
}

describe('counters', () => {
  it('only rise, in the order of the record', () => {
    expect(movedCounter(0, [])).toBe(0);
    expect(
      movedCounter(3, [
        { seq: 1, skip: 4, floor: 0 },
        { seq: 2, skip: 0, floor: 5 },
      ]),
    ).toBe(7);
    expect(
      movedCounter(3, [
        { seq: 1, skip: 0, floor: 5 },
        { seq: 2, skip: 4, floor: 0 },
      ]),
    ).toBe(9);
  });

  it('skip by the counter bound within a log, and by all of it across logs', () => {
    const head = {
      entries: 9,
      logId: new Uint8Array(16).fill(1),
      size: 4,
      root: digest('r'),
      counterBound: 20,
      closes: 0,
      chain: digest('c'),
    };
    expect(countersToSkip(head, 18, { ...head, counterBound: 30 })).toBe(12);
    expect(countersToSkip(head, 18, { ...head, logId: new Uint8Array(16).fill(2), counterBound: 30 })).toBe(30);
    expect(countersToSkip(head, 20, { ...head, counterBound: 7 })).toBe(0);
  });

  it('go on above a skip in every lineage, also in one never seen; the next ones without a gap', async () => {
    const { ledger } = await newWriter();
    issueNext(ledger);
    issueNext(ledger);
    ledger.openLog(newLog(ledger));
    expect([ledger.nextCounter(ACME), ledger.nextCounter(BETA), ledger.floorOf(undefined)]).toEqual([10, 8, 7]);
    expect(() => ledger.intend(intentFor(ACME, 3))).toThrow('the last counter of acme-gmbh / vaultdesk is 9');
    for (const lineage of [ACME, BETA]) {
      const input = intentFor(lineage, ledger.nextCounter(lineage));
      ledger.issue(ledger.intend(input).seq, coseFor(input));
    }
    expect([ledger.nextCounter(ACME), ledger.nextCounter(BETA)]).toEqual([11, 9]);
  });

  it('are refused while they are closed, of one customer or of all, and go on when they are opened', async () => {
    const { ledger, place } = await newWriter();
    issueNext(ledger);
    const { seq } = ledger.closeCounters({ sub: BETA.sub, document: Uint8Array.of(1), operator: 'officer' });
    expect(() => ledger.intend(intentFor(BETA, 1))).toThrow('were handed over (entry 4)');
    expect(ledger.nextCounter(ACME)).toBe(2);
    ledger.adopt({ act: 'reopen', closedBy: seq, sub: BETA.sub, operator: 'officer' });
    expect(ledger.nextCounter(BETA)).toBe(1);
    ledger.closeCounters({ document: Uint8Array.of(2), operator: 'officer' });
    expect([ledger.closedBy(ACME.sub), ledger.closedBy('anybody')]).toEqual([6, 6]);
    ledger.group(() => {
      ledger.adopt({ ...IMPORT, sub: BETA.sub, floor: 7 });
      ledger.adopt({ act: 'counter', ...BETA, ctr: 30 });
    });
    expect(ledger.nextCounter(BETA)).toBe(31);
    expect(ledger.nextCounter({ ...BETA, dep: 'x' })).toBe(8);
    expect(ledger.closedBy(ACME.sub)).toBe(6);
    expect(ledger.head().counterBound).toBe(41);
    ledger.close();
    expect(await verdict(place)).toBe('whole');
  });
});

describe('who was handed over by name', () => {
  const hand = (ledger: Ledger): number =>
    ledger.closeCounters({ sub: ACME.sub, document: Uint8Array.of(1), operator: 'officer' }).seq;

  it('stays closed when another ledger hands over everybody, until it comes back by name', async () => {
    const { place, ledger } = await newWriter();
    issueNext(ledger);
    const seq = hand(ledger);
    ledger.adopt(IMPORT);
    expect([ledger.closedBy(ACME.sub), ledger.closedBy(BETA.sub)]).toEqual([seq, undefined]);
    expect(() => ledger.intend(intentFor(ACME, 2))).toThrow(`were handed over (entry ${seq})`);
    // Nor by the end of what closed everybody.
    const all = ledger.closeCounters({ document: Uint8Array.of(2), operator: 'officer' });
    ledger.adopt({ act: 'reopen', closedBy: all.seq, operator: 'officer' });
    expect(ledger.closedBy(ACME.sub)).toBe(seq);
    ledger.adopt({ act: 'reopen', closedBy: seq, sub: ACME.sub, operator: 'officer' });
    expect(ledger.nextCounter(ACME)).toBe(2);
    hand(ledger);
    ledger.adopt({ ...IMPORT, document: digest('by name'), sub: ACME.sub });
    issueNext(ledger);
    ledger.close();
    expect(await verdict(place)).toBe('whole');
  });

  it('stays closed by what closed everybody since, when only the closing by name ends', async () => {
    const { place, ledger } = await newWriter();
    const seq = hand(ledger);
    const all = ledger.closeCounters({ document: Uint8Array.of(2), operator: 'officer' });
    ledger.adopt({ act: 'reopen', closedBy: seq, sub: ACME.sub, operator: 'officer' });
    expect(ledger.closedBy(ACME.sub)).toBe(all.seq);
    ledger.adopt({ act: 'reopen', closedBy: all.seq, sub: ACME.sub, operator: 'officer' });
    expect([ledger.closedBy(ACME.sub), ledger.closedBy(BETA.sub)]).toEqual([undefined, all.seq]);
    ledger.close();
    expect(await verdict(place)).toBe('whole');
  });

  /** As an earlier version went on after a document for everybody: the row of the closing is out of its sight. */
  async function issuedAfter(given: boolean): Promise<string> {
    const { place, ledger } = await newWriter();
    issueNext(ledger);
    const seq = hand(ledger);
    ledger.group(() => {
      ledger.adopt(IMPORT);
      ledger.adopt({ act: 'counter', ...(given ? ACME : BETA), ctr: 1 });
    });
    tamper(place.ledger, `UPDATE act SET kind = 'reopen' WHERE seq = ${seq}`);
    issueNext(ledger);
    tamper(place.ledger, `UPDATE act SET kind = 'close' WHERE seq = ${seq}`);
    ledger.close();
    return verdict(place);
  }

  it('is found where a license was issued since, but for old records whose document gave its counters', async () => {
    expect(await issuedAfter(false)).toContain('the counters of acme-gmbh / vaultdesk had been handed over');
    expect(await issuedAfter(true)).toBe('whole');
  });
});

describe('a whole check', () => {
  it('takes acts that keep the rules', async () => {
    const lost = intentFor(ACME, 4);
    const { aud, sub, ctr, licenseId, kid, payload } = lost;
    expect(
      await after((ledger) => {
        const input = newLog(ledger, { highest: 4 });
        ledger.openLog(input);
        ledger.reenter(coseFor(lost), { aud, sub, ctr, licenseId, kid, payload }, input.skip);
        expect(ledger.nextCounter(ACME)).toBe(4 + input.skip + 1);
        // A handover contains the newest license, whether this record issued it or was given it back.
        expect(handed(ledger)).toEqual([{ ctr: 4 + input.skip, payloadDigest: sha256(payload) }]);
        const next = ledger.entry(issueNext(ledger));
        expect(handed(ledger)).toEqual([
          { ctr: 4 + input.skip + 1, payloadDigest: next?.kind === 'intent' ? sha256(next.body.payload) : undefined },
        ]);
        expect(ledger.logs().map((log) => log.size)).toEqual([1, 3]);
        expect(ledger.findReentered(licenseId)?.body.act).toBe('license');
        ledger.adopt({ act: 'anchor', anchor: ANCHOR, operator: 'officer' });
      }),
    ).toBe('whole');
  });

  it.each([
    [
      'a skip that does not follow from what was lost',
      (ledger: Ledger): unknown => ledger.openLog(newLog(ledger, { skip: 5 })),
      'the number of counters to skip',
    ],
    [
      'more covered than there is',
      (ledger: Ledger): unknown => ledger.openLog(newLog(ledger, { covered: 2 })),
      'more than the record has',
    ],
    [
      'a lost anchor that was found',
      (ledger: Ledger): unknown => ledger.openLog(newLog(ledger, { reason: 'anchor_lost' })),
      'contradicts its reason',
    ],
    [
      'closed counters that were not',
      (ledger: Ledger): unknown => ledger.openLog(newLog(ledger, { closed: true })),
      'whether counters are closed',
    ],
    [
      'a highest version of the keyset that is lower than the one that the anchor has',
      (ledger: Ledger): unknown => {
        const input = newLog(ledger, { keysetVersion: 2 });
        return ledger.openLog({ ...input, ...(input.found && { found: { ...input.found, keysetVersion: 3 } }) });
      },
      'the highest version of the keyset does not follow',
    ],
    [
      'no highest version of the keyset after a root key signed one, although the anchor was lost',
      (ledger: Ledger): unknown => {
        ledger.adopt({
          act: 'keyset-signing',
          kid: KID,
          version: 4,
          payloadDigest: digest('keyset'),
          custody: 'software',
          operator: 'officer',
        });
        const { found: _found, ...lost } = newLog(ledger, { reason: 'anchor_lost' });
        return ledger.openLog(lost);
      },
      'the highest version of the keyset does not follow',
    ],
    [
      'a license where no log begins',
      (ledger: Ledger): unknown => {
        const lost = intentFor(ACME, 4);
        return ledger.reenter(coseFor(lost), lost, 0);
      },
      'where no log begins',
    ],
    [
      'a license above what its log says',
      (ledger: Ledger): unknown => {
        const lost = intentFor(ACME, 4);
        ledger.openLog(newLog(ledger, { highest: 3 }));
        return ledger.reenter(coseFor(lost), lost, 6);
      },
      'higher than the new log says',
    ],
    [
      'a counter that no document gave',
      (ledger: Ledger): unknown => ledger.adopt({ act: 'counter', ...BETA, ctr: 3 }),
      'that no document gave',
    ],
    [
      'a counter above its document',
      (ledger: Ledger): unknown => {
        ledger.adopt(IMPORT);
        return ledger.adopt({ act: 'counter', ...BETA, ctr: 41 });
      },
      'higher than its document says',
    ],
    [
      'a document that was taken before',
      (ledger: Ledger): unknown => {
        ledger.adopt(IMPORT);
        return ledger.adopt(IMPORT);
      },
      'was taken before',
    ],
    [
      'a document that was made before one of the same ledger that was taken',
      (ledger: Ledger): unknown => {
        ledger.adopt({ ...IMPORT, from: { entries: 9, bound: 4 } });
        return ledger.adopt({ ...IMPORT, document: digest('older'), from: { entries: 12, bound: 3 } });
      },
      'its document is older than one of the same ledger that was taken before',
    ],
    [
      'a document that was made at the same place as one that was taken, with another between them',
      (ledger: Ledger): unknown => {
        ledger.adopt({ ...IMPORT, from: { entries: 9, bound: 4 } });
        ledger.adopt({ ...IMPORT, document: digest('other'), ledgerId: new Uint8Array(16).fill(8) });
        return ledger.adopt({ ...IMPORT, document: digest('twin'), from: { entries: 9, bound: 4 } });
      },
      'its document is older than one of the same ledger that was taken before',
    ],
    [
      'an opening of what was not closed',
      (ledger: Ledger): unknown => ledger.adopt({ act: 'reopen', closedBy: 2, operator: '' }),
      'did not close',
    ],
  ])('refuses %s', async (_name, act, words) => {
    expect(await after((ledger) => void act(ledger))).toContain(words);
  });

  it.each([
    ['UPDATE act SET skip = 0', 'entry 4'],
    ["UPDATE act SET kind = 'close'", 'entry 4'],
    ['UPDATE act SET reach = 1', 'entry 4'],
    ['DELETE FROM act', 'entry 4'],
    ["INSERT INTO act VALUES (9, 'close', '', 0, 0, 0)", 'the table "act" has rows'],
    ['DELETE FROM log WHERE number = 2', 'entry 4'],
    ['UPDATE log SET first_leaf = 0 WHERE number = 2', 'entry 4'],
    ['INSERT INTO log VALUES (3, 5, zeroblob(16), 9, 9)', 'the table "log" has rows'],
    ["INSERT INTO counter VALUES (5, 'a', 'b', '', 9, NULL)", 'the table "counter" has rows'],
  ])('finds a changed table: %s', async (sql, words) => {
    const { place, ledger } = await newWriter();
    issueNext(ledger);
    ledger.openLog(newLog(ledger));
    ledger.close();
    expect(await verdict(place)).toBe('whole');
    tamper(place.ledger, sql);
    expect(await verdict(place)).toContain(words);
  });

  it('takes documents of several ledgers, each in its own order, and those of version 0.1.0 in any', async () => {
    const other = new Uint8Array(16).fill(8);
    expect(
      await after((ledger) => {
        const taken = (name: string, entries: number, bound: number, ledgerId: Uint8Array = IMPORT.ledgerId): void =>
          void ledger.adopt({ ...IMPORT, document: digest(name), ledgerId, from: { entries, bound } });
        taken('a', 9, 4);
        taken('b', 3, 1, other);
        ledger.adopt({ ...IMPORT, document: digest('c') });
        taken('d', 10, 4);
        taken('e', 2, 2, other);
        taken('f', 5, 7);
        taken('own', 3, 3, ledger.genesis.ledgerId);
        taken('own older', 2, 2, ledger.genesis.ledgerId);
      }),
    ).toBe('whole');
  });

  it('finds a gap that an act does not allow', async () => {
    const { place, ledger } = await newWriter();
    issueNext(ledger);
    ledger.openLog(newLog(ledger));
    ledger.close();
    // The writer of this test believes in a larger skip than the record has.
    tamper(place.ledger, 'UPDATE act SET skip = 20');
    const forger = closing(
      await import('../../../../signer/ledger/store/database-file.ts').then(({ openForWriting }) =>
        openForWriting(place.ledger),
      ),
    );
    const { LedgerWriter } = await import('../../../../signer/ledger/writer.ts');
    const { writerOptions } = await import('./ledger-inputs.ts');
    const { anchorFile } = await import('../../../../signer/anchor/anchor-file.ts');
    const view = closing(openLedgerForReading(place.ledger));
    const writer = new LedgerWriter({
      ...writerOptions(),
      db: forger,
      path: place.ledger,
      lock: { release: () => undefined },
      anchorStore: anchorFile(place.anchor),
      known: [],
      anchored: { ledgerId: view.genesis.ledgerId, ...view.head() },
    });
    writer.intend(intentFor(ACME, 22));
    tamper(place.ledger, 'UPDATE act SET skip = 6');
    expect(await verdict(place)).toContain('the counter of acme-gmbh / vaultdesk should be 8, but is 22');
  });
});
