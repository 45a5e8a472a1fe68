import { describe, expect, it } from 'vitest';
import { VtlicError } from '../../../../formats/error.ts';
import type { IntentEntry } from '../../../../signer/ledger/entries/entry.ts';
import { openLedgerForReading } from '../../../../signer/ledger/open.ts';
import {
  ACME,
  closing,
  coseFor,
  digest,
  intentFor,
  issueNext,
  KID,
  newWriter,
  openWriter,
  releaseNow,
  START,
  tamper,
} from './ledger-fixture.ts';
import { thrown } from '../../../support/thrown.ts';

const OTHER = { aud: 'vaultdesk', sub: 'acme-gmbh', dep: 'prod-eu' };

describe('one license', () => {
  it('goes from intent to release, and the ledger reports each state', async () => {
    const { ledger } = await newWriter();
    const input = intentFor(ACME, 1);
    const intent = ledger.intend(input);
    expect(intent).toMatchObject({ seq: 2, kind: 'intent', at: START, body: { ...ACME, ctr: 1, kid: KID } });
    expect(ledger.findByLicenseId(input.licenseId)?.state).toBe('open');
    expect(ledger.openIntents().map((record) => record.intent.seq)).toEqual([2]);
    const issue = ledger.issue(intent.seq, coseFor(input));
    expect(issue).toMatchObject({ seq: 3, kind: 'issue', body: { intent: 2, leafIndex: 0 } });
    expect(ledger.openIntents()).toEqual([]);
    expect(ledger.unreleased().map((record) => record.state)).toEqual(['issued']);
    await ledger.anchor();
    const release = ledger.release(intent.seq, { path: input.path, digest: digest('file') });
    expect(ledger.unreleased()).toEqual([]);
    expect(ledger.findByIntent(2)).toMatchObject({ state: 'released', intent, issue, release });
    expect(ledger.head()).toMatchObject({ entries: 4, size: 1 });
    expect(await ledger.verify()).toMatchObject({
      intents: 1,
      issued: 1,
      released: 1,
      voided: 0,
      open: 0,
      lineages: 1,
    });
  });

  it('is void after a failure, and the counter stays spent', async () => {
    const { ledger } = await newWriter();
    const intent = ledger.intend(intentFor(ACME, 1));
    ledger.void_(intent.seq, 'signing_failed');
    expect(ledger.findByIntent(intent.seq)).toMatchObject({
      state: 'void',
      void: { body: { reason: 'signing_failed', leafIndex: 0 } },
    });
    expect(thrown(() => ledger.intend(intentFor(ACME, 1))).code).toBe('ledger_conflict');
    expect(ledger.lastOfLineage(ACME)).toMatchObject({ ctr: 1, last: { state: 'void' } });
    expect(ledger.lastOfLineage(ACME)?.lastIssued).toBeUndefined();
  });

  it('may be written out again: the first release stays', async () => {
    const { ledger } = await newWriter();
    const seq = issueNext(ledger);
    await ledger.anchor();
    releaseNow(ledger, seq);
    releaseNow(ledger, seq);
    expect(ledger.findByIntent(seq)?.release?.seq).toBe(4);
    expect(ledger.head().entries).toBe(5);
    expect(await ledger.verify()).toMatchObject({ released: 1 });
  });
});

describe('counters', () => {
  it('belong to a lineage, an absent deployment being one of its own', async () => {
    const { ledger } = await newWriter();
    issueNext(ledger, ACME);
    issueNext(ledger, ACME);
    issueNext(ledger, OTHER);
    expect(ledger.lastOfLineage(ACME)?.ctr).toBe(2);
    expect(ledger.lastOfLineage(OTHER)?.ctr).toBe(1);
    expect(ledger.lastOfLineage({ aud: 'vaultdesk', sub: 'nobody' })).toBeUndefined();
  });

  it.each([0, 1, 3, 4, 2 ** 53 - 1])('are taken one after the other: %d after 1 is no next one', async (ctr) => {
    const { ledger } = await newWriter();
    issueNext(ledger);
    const before = ledger.head();
    const input = ctr === 0 ? { ...intentFor(ACME, 1), ctr } : intentFor(ACME, ctr);
    expect(thrown(() => ledger.intend(input)).code).toBe(ctr === 0 ? 'internal' : 'ledger_conflict');
    expect(ledger.head()).toEqual(before);
  });

  it('say in the refusal what the next one is', async () => {
    const { ledger } = await newWriter();
    issueNext(ledger);
    const error = thrown(() => ledger.intend(intentFor(ACME, 1)));
    expect(error.message).toBe(
      'the last counter of acme-gmbh / vaultdesk is 1, so the next is 2, but 1 was planned; nothing was recorded',
    );
    expect(error.hint).toBe('plan it again');
  });

  it('the last issued license is found beneath void ones', async () => {
    const { ledger } = await newWriter();
    const first = issueNext(ledger);
    ledger.void_(ledger.intend(intentFor(ACME, 2)).seq, 'interrupted');
    ledger.intend(intentFor(ACME, 3));
    expect(ledger.lastOfLineage(ACME)).toMatchObject({
      ctr: 3,
      last: { state: 'open' },
      lastIssued: { state: 'issued', intent: { seq: first } },
    });
  });
});

describe('what contradicts itself is refused, and nothing of it is recorded', () => {
  const wrong: readonly (readonly [string, (input: ReturnType<typeof intentFor>) => ReturnType<typeof intentFor>])[] = [
    ['another customer', (input) => ({ ...input, sub: 'someone-else' })],
    ['another product', (input) => ({ ...input, aud: 'other' })],
    ['a deployment that the payload has not', (input) => ({ ...input, dep: 'x' })],
    ['another counter', (input) => ({ ...input, ctr: 2 })],
    ['another license id', (input) => ({ ...input, licenseId: intentFor(ACME, 1).licenseId })],
    ['a payload that is not a license', (input) => ({ ...input, payload: Uint8Array.of(1, 2, 3) })],
    ['a path out of the site', (input) => ({ ...input, path: '../x' })],
    ['an absolute path', (input) => ({ ...input, path: '/x' })],
    ['a short digest', (input) => ({ ...input, planDigest: new Uint8Array(31) })],
    ['a kid that is none', (input) => ({ ...input, kid: 'ab' })],
  ];
  it.each(wrong)('refuses an intent with %s', async (_name, change) => {
    const { ledger } = await newWriter();
    const before = ledger.head();
    expect(thrown(() => ledger.intend(change(intentFor(ACME, 1)))).code).toBe('internal');
    expect(ledger.head()).toEqual(before);
    issueNext(ledger);
    await ledger.verify();
  });

  it('refuses a license id that was used', async () => {
    const { ledger } = await newWriter();
    const input = intentFor(ACME, 1);
    ledger.intend(input);
    const other = intentFor(OTHER, 1);
    expect(thrown(() => ledger.intend({ ...other, licenseId: input.licenseId })).code).toBe('internal');
  });

  it('refuses a finished license with another payload, or of another key', async () => {
    const { ledger } = await newWriter();
    const intent = ledger.intend(intentFor(ACME, 1));
    const before = ledger.head();
    expect(thrown(() => ledger.issue(intent.seq, coseFor(intentFor(ACME, 1)))).code).toBe('self_check_failed');
    expect(thrown(() => ledger.issue(intent.seq, coseFor({ ...intent.body, kid: 'cd'.repeat(32) }))).code).toBe(
      'self_check_failed',
    );
    expect(thrown(() => ledger.issue(intent.seq, Uint8Array.of(0xd2))).code).toBe('self_check_failed');
    expect(ledger.head()).toEqual(before);
    expect(ledger.findByIntent(intent.seq)?.state).toBe('open');
  });

  it('refuses a second outcome of one intent, and an outcome of none', async () => {
    const { ledger } = await newWriter();
    const input = intentFor(ACME, 1);
    const { seq } = ledger.intend(input);
    ledger.issue(seq, coseFor(input));
    expect(thrown(() => ledger.issue(seq, coseFor(input))).code).toBe('internal');
    expect(thrown(() => ledger.void_(seq, 'crash')).code).toBe('internal');
    expect(thrown(() => ledger.void_(1, 'crash')).code).toBe('internal');
    expect(thrown(() => ledger.void_(99, 'crash')).code).toBe('internal');
    await ledger.verify();
  });

  it('refuses a release of what is void, open, or not anchored yet', async () => {
    const { ledger } = await newWriter();
    const open = ledger.intend(intentFor(ACME, 1)).seq;
    expect(thrown(() => releaseNow(ledger, open)).message).toContain('no license to release');
    ledger.void_(open, 'crash');
    expect(thrown(() => releaseNow(ledger, open)).message).toContain('no license to release');
    const issued = issueNext(ledger);
    expect(thrown(() => releaseNow(ledger, issued)).message).toContain('does not cover');
    await ledger.anchor();
    releaseNow(ledger, issued);
    const early = intentFor(ACME, 3);
    const { seq } = ledger.intend(early);
    await ledger.anchor();
    ledger.issue(seq, coseFor(early));
    expect(thrown(() => releaseNow(ledger, seq)).message).toContain('does not cover');
  });
});

describe('a group', () => {
  it('is recorded whole', async () => {
    const { ledger, place } = await newWriter();
    const seqs = ledger.group(() => [issueNext(ledger), issueNext(ledger), issueNext(ledger, OTHER)]);
    expect(seqs).toEqual([2, 4, 6]);
    ledger.close();
    expect(closing(openLedgerForReading(place.ledger)).head()).toMatchObject({ entries: 7, size: 3 });
  });

  it('is taken back whole', async () => {
    const { ledger } = await newWriter();
    issueNext(ledger);
    const before = ledger.head();
    expect(() =>
      ledger.group(() => {
        issueNext(ledger);
        throw new Error('something else');
      }),
    ).toThrow('something else');
    expect(ledger.head()).toEqual(before);
    issueNext(ledger);
    expect(await ledger.verify()).toMatchObject({ issued: 2 });
  });

  it('goes on after an append that was refused before its first row', async () => {
    const { ledger } = await newWriter();
    ledger.group(() => {
      issueNext(ledger);
      expect(() => ledger.intend(intentFor(ACME, 9))).toThrow(VtlicError);
      issueNext(ledger);
    });
    expect(await ledger.verify()).toMatchObject({ issued: 2 });
  });

  it('is spoiled by an append that failed half-way, also when the caller goes on', async () => {
    const { ledger, place } = await newWriter();
    const { seq } = ledger.intend(intentFor(ACME, 1));
    const before = ledger.head();
    tamper(place.ledger, 'INSERT INTO leaf VALUES (0, 1)');
    const error = thrown(() =>
      ledger.group(() => {
        // The entry is written when its leaf is refused.
        expect(() => ledger.void_(seq, 'crash')).toThrow('an entry was to be recorded twice');
        ledger.clock(START, 'officer');
      }),
    );
    expect(error.message).toBe('an entry was to be recorded twice');
    tamper(place.ledger, 'DELETE FROM leaf');
    expect(ledger.head()).toEqual(before);
    ledger.void_(seq, 'crash');
    expect(await ledger.verify()).toMatchObject({ voided: 1, head: { entries: 3 } });
  });

  it('cannot be nested, cannot wait, and cannot anchor', async () => {
    const { ledger } = await newWriter();
    expect(thrown(() => ledger.group(() => ledger.group(() => 1))).code).toBe('internal');
    expect(thrown(() => ledger.group(() => Promise.resolve())).code).toBe('internal');
    let anchoring: Promise<unknown> = Promise.resolve();
    ledger.group(() => {
      anchoring = ledger.anchor();
      anchoring.catch(() => undefined);
    });
    await expect(anchoring).rejects.toThrow('within a group');
  });
});

describe('reading', () => {
  it('sees what a writer has recorded, while it writes', async () => {
    const { ledger, place } = await newWriter();
    const view = closing(openLedgerForReading(place.ledger));
    issueNext(ledger);
    expect(view.head()).toEqual(ledger.head());
    ledger.group(() => {
      issueNext(ledger);
      expect(view.head().entries).toBe(3);
    });
    expect(view.head().entries).toBe(5);
  });

  it('streams entries, also those that come meanwhile', async () => {
    const { ledger } = await newWriter();
    ledger.group(() => {
      for (let i = 0; i < 200; i++) issueNext(ledger);
    });
    const kinds: string[] = [];
    for (const entry of ledger.entriesFrom(1)) {
      kinds.push(entry.kind);
      if (entry.seq === 401) issueNext(ledger);
    }
    expect(kinds).toHaveLength(403);
    expect(kinds.slice(0, 3)).toEqual(['genesis', 'intent', 'issue']);
    expect([...ledger.entriesFrom(403)].map((entry) => entry.seq)).toEqual([403]);
    expect([...ledger.entriesFrom(404)]).toEqual([]);
  });

  it('lists customers, lineages and histories in pages', async () => {
    const { ledger } = await newWriter();
    const lineages = ['b', 'a', 'c'].flatMap((sub) => [
      { aud: 'y', sub },
      { aud: 'x', sub, dep: 'd' },
      { aud: 'x', sub },
    ]);
    ledger.group(() => {
      for (const lineage of lineages) issueNext(ledger, lineage);
      for (const lineage of lineages) issueNext(ledger, lineage);
      ledger.intend(intentFor({ aud: 'x', sub: 'a' }, 3));
    });
    expect(ledger.customers({ limit: 2 })).toEqual(['a', 'b']);
    expect(ledger.customers({ after: 'b', limit: 2 })).toEqual(['c']);
    expect(ledger.lineages({ sub: 'a', limit: 9 })).toEqual([
      { lineage: { sub: 'a', aud: 'x' }, ctr: 3, issued: 2 },
      { lineage: { sub: 'a', aud: 'x', dep: 'd' }, ctr: 2, issued: 2 },
      { lineage: { sub: 'a', aud: 'y' }, ctr: 2, issued: 2 },
    ]);
    expect(ledger.lineages({ sub: 'a', after: { sub: 'a', aud: 'x', dep: 'd' }, limit: 9 })).toHaveLength(1);
    const paged = [];
    for (let page = ledger.lineages({ limit: 2 }); page.length > 0;) {
      paged.push(...page);
      const after = page.at(-1)?.lineage;
      page = after === undefined ? [] : ledger.lineages({ after, limit: 2 });
    }
    expect(paged).toEqual(ledger.lineages({ limit: 100 }));
    expect(paged).toHaveLength(9);
    const history = ledger.historyOf({ aud: 'x', sub: 'a' }, { limit: 2 });
    expect(history.map((record) => [record.intent.body.ctr, record.state])).toEqual([
      [3, 'open'],
      [2, 'issued'],
    ]);
    expect(
      ledger.historyOf({ aud: 'x', sub: 'a' }, { below: 2, limit: 2 }).map((record) => record.intent.body.ctr),
    ).toEqual([1]);
  });

  it('tells the last counter that there is', async () => {
    const { place, ledger } = await newWriter();
    ledger.adopt({
      act: 'import',
      document: digest('document'),
      kid: KID,
      ledgerId: new Uint8Array(16),
      floor: Number.MAX_SAFE_INTEGER - 1,
      highest: 0,
      operator: 'officer',
    });
    ledger.intend(intentFor(ACME, Number.MAX_SAFE_INTEGER));
    ledger.close();
    const view = closing(openLedgerForReading(place.ledger));
    expect(view.lastOfLineage(ACME)?.ctr).toBe(Number.MAX_SAFE_INTEGER);
    expect(view.historyOf(ACME, { limit: 2 }).map((record) => record.intent.body.ctr)).toEqual([
      Number.MAX_SAFE_INTEGER,
    ]);
    expect(view.historyOf(ACME, { below: Number.MAX_SAFE_INTEGER, limit: 2 })).toEqual([]);
  });

  it('gives what cannot be changed', async () => {
    const { ledger } = await newWriter();
    const input = intentFor(ACME, 1);
    const intent: IntentEntry = ledger.intend(input);
    input.payload.fill(0);
    expect(intent.body.payload[0]).not.toBe(0);
    for (const value of [
      intent,
      intent.body,
      ledger.head(),
      ledger.genesis,
      ledger.findByIntent(2),
      ledger.openIntents(),
      ledger.lastOfLineage(ACME),
    ])
      expect(Object.isFrozen(value)).toBe(true);
  });
});

describe('recovery', () => {
  it('names what a crash left, in the order in which it is to be mended', async () => {
    const { ledger, place } = await newWriter();
    const released = issueNext(ledger);
    await ledger.anchor();
    releaseNow(ledger, released);
    expect(ledger.recoveryPlan()).toEqual({ voids: [], releases: [], anchor: false });
    const issued = issueNext(ledger);
    const open = ledger.intend(intentFor(ACME, 3)).seq;
    ledger.close();
    const again = await openWriter(place);
    const plan = again.recoveryPlan();
    expect(plan.anchor).toBe(true);
    expect(plan.voids.map((record) => record.intent.seq)).toEqual([open]);
    expect(plan.releases.map((record) => record.intent.seq)).toEqual([issued]);
    expect(again.unanchored()).toEqual({ entries: 4, leaves: 1 });
    again.void_(open, 'crash');
    await again.anchor();
    releaseNow(again, issued);
    expect(again.recoveryPlan()).toEqual({ voids: [], releases: [], anchor: false });
    expect(again.unanchored()).toEqual({ entries: 1, leaves: 0 });
  });

  it('plans to write an anchor that is behind, even if nothing else is to be done', async () => {
    const { ledger } = await newWriter();
    ledger.void_(ledger.intend(intentFor(ACME, 1)).seq, 'signing_failed');
    expect(ledger.recoveryPlan()).toEqual({ voids: [], releases: [], anchor: true });
    await ledger.anchor();
    expect(ledger.recoveryPlan().anchor).toBe(false);
  });
});

describe('the clock', () => {
  it('is recorded with what the officer said', async () => {
    const { place } = await newWriter().then(async ({ ledger, place }) => {
      ledger.close();
      return { place };
    });
    let now = START;
    const ledger = await openWriter(place, () => now);
    expect(ledger.lastClock()).toBeUndefined();
    now = START + 50;
    const entry = ledger.clock(START + 60, 'officer');
    expect(entry).toMatchObject({
      at: START + 50,
      body: { reading: START + 50, confirmed: START + 60, operator: 'officer' },
    });
    issueNext(ledger);
    expect(ledger.lastClock()).toEqual(entry);
    expect(ledger.lastAt()).toBe(START + 50);
    await ledger.verify();
  });

  it.each([-1, 0.5, Number.NaN, 253_402_300_800])('a reading of %d is never recorded', async (reading) => {
    const { ledger, place } = await newWriter();
    ledger.close();
    let now = START;
    const again = await openWriter(place, () => now);
    now = reading;
    expect(thrown(() => again.clock(START, 'officer')).code).toBe('internal');
    expect(again.head().entries).toBe(1);
  });
});
