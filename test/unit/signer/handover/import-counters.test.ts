/** Which documents of counters a ledger takes: for itself, in their order, and of who has the counters now. */
import { describe, expect, it } from 'vitest';
import type { CountersDocument } from '../../../../formats/counters-document.ts';
import { planTaking, type ReceivedDocument } from '../../../../signer/handover/import-counters.ts';
import { sha256 } from '../../../../signer/ledger/entries/chain.ts';
import type { Ledger } from '../../../../signer/ledger/ledger.ts';
import { digest, ISS, issueNext, KID, newWriter } from '../ledger/ledger-fixture.ts';

const OTHER = new Uint8Array(16).fill(9);
const ACME = { aud: 'vaultdesk', sub: 'acme-gmbh' } as const;
const HANDED = Uint8Array.of(1, 2, 3);

/** A document of another ledger about one customer. */
function documentFor(
  ledger: Ledger,
  {
    ctr = 7,
    entries = 9,
    bound = 4,
    ...changes
  }: Partial<CountersDocument> & { ctr?: number; entries?: number; bound?: number },
): ReceivedDocument {
  return {
    kid: KID,
    digest: digest(`document ${ctr} ${entries} ${bound}`),
    document: {
      iss: ISS,
      to: ledger.genesis.ledgerId,
      ledgerId: OTHER,
      origin: 'other',
      made: 0,
      head: { entries, size: 0, root: digest('root'), chain: digest('chain'), bound },
      sub: ACME.sub,
      floor: 0,
      lineages: [{ ...ACME, ctr }],
      ...changes,
    },
  };
}

/** As `counters import` records it. */
function take(ledger: Ledger, { document, digest: of }: ReceivedDocument): void {
  ledger.adopt({
    act: 'import',
    document: of,
    kid: KID,
    ledgerId: document.ledgerId,
    from: { entries: document.head.entries, bound: document.head.bound ?? 0 },
    sub: ACME.sub,
    floor: 0,
    highest: 7,
    operator: 'officer',
  });
}

describe('a document of counters of another ledger', () => {
  it('is taken by the ledger that it names, and by no other', async () => {
    const { ledger } = await newWriter();
    expect(planTaking(ledger, documentFor(ledger, {}))).toEqual({ how: 'over', asks: 'nothing' });
    expect(() => planTaking(ledger, documentFor(ledger, { to: new Uint8Array(16).fill(8) }))).toThrow(
      'the document is for the ledger 08080808080808080808080808080808',
    );
  });

  it.each([
    ['an earlier bound', { entries: 12, bound: 3 }],
    ['the same bound, and no later entry', { entries: 9, bound: 4, ctr: 8 }],
  ])('is not taken after a newer one of the same ledger: %s', async (_name, position) => {
    const { ledger } = await newWriter();
    take(ledger, documentFor(ledger, {}));
    expect(() => planTaking(ledger, documentFor(ledger, position))).toThrow(
      'this ledger imported a newer document of the same ledger before, in entry 2',
    );
    expect(planTaking(ledger, documentFor(ledger, { entries: 10 }))).toEqual({ how: 'over', asks: 'nothing' });
    const ofAnother = documentFor(ledger, { ...position, ledgerId: new Uint8Array(16).fill(8) });
    expect(planTaking(ledger, ofAnother)).toEqual({ how: 'over', asks: 'nothing' });
  });

  it('opens counters that were handed over only with newer ones, or if it derives from that handover', async () => {
    const { ledger } = await newWriter();
    for (let i = 0; i < 3; i++) issueNext(ledger);
    ledger.closeCounters({ sub: ACME.sub, document: HANDED, operator: 'officer' });
    for (const ctr of [2, 3])
      expect(() => planTaking(ledger, documentFor(ledger, { ctr }))).toThrow(
        'the document is not from the ledger that took them over: its counters are not higher than those known here',
      );
    expect(planTaking(ledger, documentFor(ledger, { ctr: 4 }))).toEqual({ how: 'over', asks: 'nothing' });
    const derived = documentFor(ledger, { ctr: 3, taken: sha256(HANDED) });
    expect(planTaking(ledger, derived)).toEqual({ how: 'over', asks: 'nothing' });
  });
});
