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

function without(member: 'sub' | 'to', received: ReceivedDocument): ReceivedDocument {
  const { [member]: _, ...document } = received.document;
  return { ...received, document };
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

  it.each([
    ['of another ledger, for one customer', (ledger: Ledger) => documentFor(ledger, {}), 'nothing'],
    ['of another ledger, for everybody', (ledger: Ledger) => without('sub', documentFor(ledger, {})), 'nothing'],
    [
      'of version 0.1.0, for nobody named',
      (ledger: Ledger) => without('to', documentFor(ledger, {})),
      'no-other-taker',
    ],
    [
      'of the part of this ledger that was lost',
      (ledger: Ledger) => documentFor(ledger, { ledgerId: ledger.genesis.ledgerId }),
      undefined,
    ],
  ] as const)(
    'is taken only on the word NOT HANDED OVER while a restore keeps all closed: %s',
    async (_, made, later) => {
      const { ledger } = await newWriter();
      issueNext(ledger);
      const document = made(ledger);
      const head = ledger.head();
      ledger.openLog({
        reason: 'restored',
        anchor: { kind: 'file', path: '/anchor' },
        covered: 0,
        coveredBound: 0,
        found: { ...head, entries: head.entries + 15, counterBound: head.counterBound + 5 },
        skip: head.counterBound + 5,
        highest: 0,
        closed: true,
        operator: 'officer',
      });
      expect(planTaking(ledger, document)).toEqual({ how: 'over', asks: 'not-handed-over' });
      ledger.adopt({ act: 'reopen', closedBy: ledger.closedBy(ACME.sub) ?? 0, operator: 'officer' });
      if (later === undefined)
        expect(() => planTaking(ledger, document)).toThrow('no counters are closed because of it now');
      else expect(planTaking(ledger, document)).toEqual({ how: 'over', asks: later });
    },
  );
});
