/** Records that someone wrote with a good chain and good tables, against the rules. */
import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { VtlicError } from '../../../../../formats/error.ts';
import { chainValue } from '../../../../../signer/ledger/entries/chain.ts';
import { makeBody, type Bodies } from '../../../../../signer/ledger/entries/entry-body.ts';
import type { EntryKind, IntentBody } from '../../../../../signer/ledger/entries/entry.ts';
import { newestOfLineage } from '../../../../../signer/ledger/find-license.ts';
import { openLedgerForReading } from '../../../../../signer/ledger/open.ts';
import { issueLeaf, voidLeaf } from '../../../../../signer/ledger/tree/leaf.ts';
import { completedBy, leafHash } from '../../../../../signer/ledger/tree/merkle.ts';
import { Tables } from '../../../../../signer/ledger/store/tables.ts';
import {
  ACME,
  closing,
  coseFor,
  digest,
  intentFor,
  issueNext,
  newWriter,
  START,
  wholeCheck,
  type Place,
} from '../ledger-fixture.ts';

const PAGE_BYTES = 8192;
/** The type of an interior page of a table (sqlite.org/fileformat2.html). */
const INTERIOR = 5;
const SALT = new Uint8Array(32).fill(3);

class Forger {
  readonly #db: DatabaseSync;
  readonly tables: Tables;

  constructor(place: Place) {
    this.#db = new DatabaseSync(place.ledger);
    this.tables = new Tables(this.#db);
  }

  entry<K extends EntryKind>(kind: K, body: Bodies[K]): number {
    const last = this.tables.lastEntry();
    if (last === undefined) throw new Error('no entries');
    const seq = last.seq + 1;
    const { bytes } = makeBody(kind, body);
    this.tables.insertEntry({
      seq,
      kind,
      at: START,
      body: bytes,
      chain: chainValue(last.chain, seq, kind, START, bytes),
    });
    return seq;
  }

  intent(body: IntentBody): number {
    const seq = this.entry('intent', body);
    this.tables.insertIntent(seq, body, body.ctr, body.licenseId);
    return seq;
  }

  leaf(seq: number, data: Uint8Array): void {
    const log = this.tables.lastLog();
    const size = this.tables.sizes().leaves - log.firstLeaf;
    this.tables.insertLeaf(log, size, seq, completedBy(size, leafHash(data), this.tables.nodesOf(log)));
  }

  issue(intent: number, body: IntentBody, cose: Uint8Array, leafIndex: number = this.tables.sizes().leaves): void {
    const issue = { intent, cose, salt: SALT, leafIndex };
    const seq = this.entry('issue', issue);
    this.leaf(seq, issueLeaf(body, issue));
    this.tables.setIssue(intent, seq);
  }

  void(intent: number, body: IntentBody): void {
    const voided = { intent, reason: 'crash', salt: SALT, leafIndex: this.tables.sizes().leaves } as const;
    const seq = this.entry('void', voided);
    this.leaf(seq, voidLeaf(body, voided));
    this.tables.setVoid(intent, seq);
  }

  release(intent: number): void {
    this.tables.setRelease(intent, this.entry('release', { intent, path: 'out/x', fileDigest: digest('x') }));
  }

  close(): void {
    this.#db.close();
  }
}

/** A ledger with one issued license (entries 2 and 3), then whatever `forge` adds. */
async function forged(forge: (forger: Forger) => void): Promise<string> {
  const { place, ledger } = await newWriter();
  issueNext(ledger);
  ledger.close();
  const forger = closing(new Forger(place));
  forge(forger);
  const error = await wholeCheck(place);
  if (!(error instanceof VtlicError)) return 'whole';
  expect(error.code).toBe('ledger_corrupt');
  return error.message;
}

describe('a license that was put where scans do not begin', () => {
  /** A license of 5000 seats, as if a restore had entered it again: no key is needed to write it. */
  async function withForgedBase(seq: number): Promise<Place> {
    const { place, ledger } = await newWriter();
    issueNext(ledger);
    ledger.close();
    const forged = intentFor(ACME, 9);
    const { aud, sub, ctr, licenseId, kid, payload } = forged;
    const { bytes } = makeBody('adopt', {
      act: 'license',
      cose: coseFor(forged),
      license: { aud, sub, ctr, licenseId, kid, payload },
      salt: SALT,
      leafIndex: 1,
    });
    const db = new DatabaseSync(place.ledger);
    const tables = new Tables(db);
    tables.insertEntry({ seq, kind: 'adopt', at: START, body: bytes, chain: SALT });
    tables.insertCounter(seq, ACME, 0, licenseId);
    db.close();
    return place;
  }

  it.each([-Number.MAX_SAFE_INTEGER, -1, 0])('is seen by look-ups, and by the check, at the key %i', async (seq) => {
    const place = await withForgedBase(seq);
    const view = closing(openLedgerForReading(place.ledger));
    expect(newestOfLineage(view, ACME)?.ctr).toBe(9);
    expect(await wholeCheck(place)).toMatchObject({ code: 'ledger_corrupt' });
  });
});

describe('a tree of pages in which scans and look-ups see different rows', () => {
  it('finds a look-up that misses an entry, in a table whose scan has it', async () => {
    const { place, ledger } = await newWriter();
    ledger.group(() => {
      for (let i = 0; i < 40; i++) issueNext(ledger);
    });
    ledger.close();
    const db = new DatabaseSync(place.ledger);
    const root = Number(db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'entry'").get()?.['rootpage']);
    db.close();
    const bytes = readFileSync(place.ledger);
    const page = bytes.subarray((root - 1) * PAGE_BYTES, root * PAGE_BYTES);
    // An interior page: each cell is the number of a page and the highest key below it. The first key becomes smaller,
    // so that look-ups of it go to the next page.
    expect(page[0]).toBe(INTERIOR);
    const key = page.readUInt16BE(12) + 4;
    const highest = page[key] ?? 0;
    page[key] = highest - 1;
    writeFileSync(place.ledger, bytes);
    const view = closing(openLedgerForReading(place.ledger));
    expect(view.entry(highest)).toBeUndefined();
    expect([...view.entriesFrom(1)].some((entry) => entry.seq === highest)).toBe(true);
    expect(await wholeCheck(place)).toMatchObject({
      code: 'ledger_corrupt',
      message: expect.stringContaining('SQLite finds it damaged') as unknown,
    });
  });
});

describe('a forged record', () => {
  it('passes the check if it follows all rules, so that only the anchor shows it', async () => {
    const second = intentFor(ACME, 2);
    expect(
      await forged((forger) => {
        const seq = forger.intent(second);
        forger.issue(seq, second, coseFor(second));
        forger.release(seq);
        forger.release(seq);
        const third = intentFor(ACME, 3);
        forger.void(forger.intent(third), third);
      }),
    ).toBe('whole');
  });

  it('finds a counter left out', async () => {
    expect(await forged((forger) => void forger.intent(intentFor(ACME, 3)))).toContain(
      'entry 4 (intent): the counter of acme-gmbh / vaultdesk should be 2, but is 3',
    );
  });

  it('finds a lineage that does not begin at 1', async () => {
    expect(await forged((forger) => void forger.intent(intentFor({ ...ACME, dep: 'x' }, 2)))).toContain(
      'the counter of acme-gmbh / vaultdesk / x should be 1, but is 2',
    );
  });

  it('finds counters in another order', async () => {
    expect(
      await forged((forger) => {
        forger.intent(intentFor(ACME, 3));
        forger.intent(intentFor(ACME, 2));
      }),
    ).toContain('entry 4 (intent): the counter of acme-gmbh / vaultdesk should be 3, but is 3');
  });

  it.each([
    [
      'another issuer',
      (): IntentBody => ({ ...intentFor(ACME, 2), payload: intentFor({ ...ACME, sub: 'x' }, 2).payload }),
      'its payload has another lineage',
    ],
    [
      'another counter',
      (): IntentBody => ({ ...intentFor(ACME, 2), payload: intentFor(ACME, 7).payload }),
      'its payload has another counter',
    ],
    [
      'another id',
      (): IntentBody => ({ ...intentFor(ACME, 2), payload: intentFor(ACME, 2).payload }),
      'its payload has another license id',
    ],
    ['no claims', (): IntentBody => ({ ...intentFor(ACME, 2), payload: Uint8Array.of(0xa0) }), 'entry 4 (intent): '],
  ])('finds a payload with %s', async (_name, body, words) => {
    expect(await forged((forger) => void forger.intent(body()))).toContain(words);
  });

  it('finds a license that is not the intended one', async () => {
    const second = intentFor(ACME, 2);
    expect(
      await forged((forger) => forger.issue(forger.intent(second), second, coseFor(intentFor(ACME, 2)))),
    ).toContain('entry 5 (issue): the license contains another payload than its intent');
  });

  it('finds a leaf out of turn', async () => {
    const second = intentFor(ACME, 2);
    expect(await forged((forger) => forger.issue(forger.intent(second), second, coseFor(second), 7))).toContain(
      'entry 5: its leaf should have the index 1, but has 7',
    );
  });

  it('finds two outcomes of one intent', async () => {
    const second = intentFor(ACME, 2);
    const twice =
      (first: 'issue' | 'void', then: 'issue' | 'void') =>
      (forger: Forger): void => {
        const seq = forger.intent(second);
        for (const kind of [first, then]) {
          if (kind === 'issue') forger.issue(seq, second, coseFor(second));
          else forger.void(seq, second);
        }
      };
    expect(await forged(twice('issue', 'issue'))).toContain('entry 4');
    expect(await forged(twice('void', 'void'))).toContain('entry 4');
    expect(await forged(twice('void', 'issue'))).toContain('entry 4');
    expect(await forged(twice('issue', 'void'))).toContain('entry 4 is not an intent that is still open');
  });

  it('finds an outcome of what is not an intent', async () => {
    const second = intentFor(ACME, 2);
    expect(
      await forged((forger) => void forger.entry('void', { intent: 1, reason: 'crash', salt: SALT, leafIndex: 1 })),
    ).toContain('entry 4: entry 1 is not an intent');
    expect(
      await forged((forger) => void forger.entry('void', { intent: 5, reason: 'crash', salt: SALT, leafIndex: 1 })),
    ).toContain('entry 4: entry 5 is not an intent');
    expect(await forged((forger) => forger.release(forger.intent(second)))).toContain(
      'entry 5 (release): the license of entry 4 was not issued',
    );
    expect(
      await forged((forger) => void forger.entry('release', { intent: 1, path: 'x', fileDigest: digest('x') })),
    ).toContain('entry 4 (release): entry 1 is not an issued license');
    expect(
      await forged((forger) => void forger.entry('release', { intent: 99, path: 'x', fileDigest: digest('x') })),
    ).toContain('entry 4 (release): entry 99 is not an issued license');
  });

  it('finds a second genesis, and a clock entry that has no row', async () => {
    const genesis = {
      format: 1,
      ledgerId: new Uint8Array(16),
      iss: 'x',
      origin: 'x',
      anchor: { kind: 'file', path: '/x' },
    } as const;
    expect(await forged((forger) => void forger.entry('genesis', genesis))).toContain(
      'entry 4: only the first entry may be a genesis entry',
    );
    expect(await forged((forger) => void forger.entry('clock', { reading: 1, confirmed: 1, operator: '' }))).toContain(
      'entry 4',
    );
  });
});
