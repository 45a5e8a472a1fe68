/**
 * What lies before the end that each start recomputes, and would give a counter twice or move the anchor: it is looked
 * at all the same.
 */
import { copyFileSync, symlinkSync, renameSync, lstatSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { CHAIN_START, chainValue } from '../../../../../signer/ledger/entries/chain.ts';
import { makeBody } from '../../../../../signer/ledger/entries/entry-body.ts';
import { openLedgerForWriting } from '../../../../../signer/ledger/open.ts';
import { ACME, issueNext, makeLedger, openWriter, tamper, writerOptions, type Place } from '../ledger-fixture.ts';

const TAIL = 64;

/** A license of acme, and more entries after it than a start recomputes. */
async function aged(): Promise<Place> {
  const place = await makeLedger();
  const ledger = await openWriter(place);
  issueNext(ledger, ACME);
  ledger.group(() => {
    for (let i = 0; i < TAIL; i++) issueNext(ledger, { ...ACME, sub: `customer-${i}` });
  });
  await ledger.anchor();
  ledger.close();
  return place;
}

async function opened(place: Place): Promise<string> {
  try {
    const ledger = await openLedgerForWriting(place.ledger, writerOptions());
    const next = ledger.nextCounter(ACME);
    ledger.close();
    return `opened, the next counter of acme is ${next}`;
  } catch (error) {
    return error instanceof Error ? error.message : 'a value was thrown that is not an error';
  }
}

describe('an old record', () => {
  it('opens, and knows its counters', async () => {
    expect(await opened(await aged())).toBe('opened, the next counter of acme is 2');
  });

  it('does not open with a row of its index deleted: the counter would be given a second time', async () => {
    const place = await aged();
    tamper(place.ledger, "DELETE FROM intent WHERE sub = 'acme-gmbh'");
    expect(await opened(place)).toContain(
      'its tables disagree on the counters of acme-gmbh / vaultdesk: they have entry 0 with counter 0 and 0 taken over, ' +
        'but its total says entry 2 with counter 1 and 0 taken over',
    );
  });

  it('is refused, when it is opened or checked, where its first entry names another place for the anchor', async () => {
    const place = await aged();
    const elsewhere = join(place.folder, 'elsewhere');
    copyFileSync(place.anchor, elsewhere);
    const ledger = await openWriter(place);
    const { bytes } = makeBody('genesis', { ...ledger.genesis, anchor: { kind: 'file', path: elsewhere } });
    const at = ledger.entry(1)?.at ?? 0;
    ledger.close();
    const redirect = (chain: Uint8Array | undefined): void => {
      const db = new DatabaseSync(place.ledger);
      db.prepare('UPDATE entry SET body = ?, chain = coalesce(?, chain) WHERE seq = 1').run(bytes, chain ?? null);
      db.close();
    };
    redirect(undefined);
    expect(await opened(place)).toContain('entry 1 (genesis): its chain value does not match');
    // With its own chain value made anew it is found by whoever recomputes the whole.
    redirect(chainValue(CHAIN_START, 1, 'genesis', at, bytes));
    const view = await openWriter(place);
    await expect(view.verify()).rejects.toMatchObject({ code: 'ledger_corrupt' });
  });
});

describe('an anchor behind a link', () => {
  it('is written where the link leads, and the link stays', async () => {
    const place = await makeLedger();
    const disk = join(place.folder, 'other-disk');
    renameSync(place.anchor, disk);
    symlinkSync(disk, place.anchor);
    const before = readFileSync(disk);
    const ledger = await openWriter(place);
    issueNext(ledger);
    await ledger.anchor();
    ledger.close();
    expect(lstatSync(place.anchor).isSymbolicLink()).toBe(true);
    expect(readFileSync(disk).equals(before)).toBe(false);
    expect(await opened(place)).toContain('opened');
    // The disk is gone: not the same as no anchor.
    rmSync(disk);
    expect(await opened(place)).toContain('a link that leads nowhere');
  });
});
