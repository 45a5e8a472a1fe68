/**
 * Two ledgers of one issuer pass counters to and fro, and take in others that are given up: no counter of a lineage is
 * ever issued by both, and the later one is always higher.
 */
import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../../../formats/bytes.ts';
import { VtlicError } from '../../../../formats/error.ts';
import type { SigningKey } from '../../../../keys/private/signing-key.ts';
import { createKeyFile } from '../../../../keys/private/software/key-file.ts';
import { handOver, standingDocument } from '../../../../signer/handover/export-counters.ts';
import { openCounters, planTaking, takeCounters } from '../../../../signer/handover/import-counters.ts';
import type { Ledger } from '../../../../signer/ledger/ledger.ts';
import type { Lineage } from '../../../../signer/ledger/entries/lineage.ts';
import { testRuntime } from '../../../support/site-fixture.ts';
import {
  coseFor,
  intentFor,
  issueNext,
  makeLedger,
  openWriter,
  temporaryFolder,
} from '../../../unit/signer/ledger/ledger-fixture.ts';

const LINEAGES: readonly Lineage[] = [
  { aud: 'p', sub: 'a' },
  { aud: 'p', sub: 'a', dep: 'x' },
  { aud: 'q', sub: 'b' },
];
/** Of ledgers that began by themselves, with a customer of their own. */
const ELSEWHERE: Lineage = { aud: 'q', sub: 'c' };
const CUSTOMERS = [undefined, 'a', 'b'] as const;

type Op =
  | { readonly op: 'issue'; readonly at: number; readonly lineage: number }
  | { readonly op: 'handOver'; readonly at: number; readonly customer: number }
  | { readonly op: 'take'; readonly at: number; readonly pick: number }
  | { readonly op: 'takeIn'; readonly at: number };

const ops: fc.Arbitrary<readonly Op[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ op: fc.constant('issue' as const), at: fc.nat(1), lineage: fc.nat(LINEAGES.length - 1) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        op: fc.constant('handOver' as const),
        at: fc.nat(1),
        customer: fc.nat(CUSTOMERS.length - 1),
      }),
    },
    { weight: 3, arbitrary: fc.record({ op: fc.constant('take' as const), at: fc.nat(1), pick: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('takeIn' as const), at: fc.nat(1) }) },
  ),
  { minLength: 4, maxLength: 30 },
);

let key: SigningKey;
beforeAll(async () => {
  key = await createKeyFile(
    `${temporaryFolder()}/key`,
    'ed25519',
    'counters',
    utf8('a passphrase of a test'),
    testRuntime().random,
    { workFactor: 10 },
  );
});
afterAll(() => key.close());

/** A customer is handed over, and everybody of a third ledger taken in: the customer stays where it went. */
const HANDED_THEN_TAKEN_IN: readonly Op[] = [
  { op: 'issue', at: 0, lineage: 0 },
  { op: 'handOver', at: 0, customer: 1 },
  { op: 'take', at: 1, pick: 0 },
  { op: 'issue', at: 1, lineage: 0 },
  { op: 'takeIn', at: 0 },
  { op: 'issue', at: 0, lineage: 0 },
];

/** Takes everybody of a ledger that is given up. */
async function takeIn(ledger: Ledger): Promise<void> {
  const place = await makeLedger();
  const other = await openWriter(place);
  issueNext(other, ELSEWHERE);
  const received = openCounters(await handOver(other, undefined, key, testRuntime()), [key.publicKey]);
  other.close();
  rmSync(place.folder, { recursive: true });
  await takeCounters(ledger, received, planTaking(ledger, received), testRuntime());
}

async function attempt(fn: () => unknown): Promise<string> {
  try {
    await fn();
    return 'done';
  } catch (error) {
    if (error instanceof VtlicError) return error.code;
    throw error;
  }
}

describe('two ledgers that pass counters on', () => {
  it('never issue one counter twice', async () => {
    await fc.assert(
      fc.asyncProperty(ops, async (list) => {
        const places = [await makeLedger(), await makeLedger()];
        const ledgers = await Promise.all(places.map((place) => openWriter(place)));
        const [first, second] = ledgers;
        if (first === undefined || second === undefined) throw new Error('no ledgers');
        // The second one begins with nothing: what it issues must have been handed to it.
        await handOver(second, undefined, key, testRuntime());
        const documents: { readonly bytes: Uint8Array; readonly from: Ledger; taken: boolean }[] = [];
        const issued: Map<number, number> = new Map();
        for (const op of list) {
          const ledger = op.at === 0 ? first : second;
          if (op.op === 'issue') {
            const lineage = LINEAGES[op.lineage];
            if (lineage === undefined) throw new Error('no lineage');
            const open = ledger.closedBy(lineage.sub) === undefined;
            expect(await attempt(() => ledger.nextCounter(lineage))).toBe(open ? 'done' : 'ledger_conflict');
            const input = intentFor(lineage, ledger.lastCounter(lineage) + 1);
            expect(await attempt(() => ledger.issue(ledger.intend(input).seq, coseFor(input)))).toBe(
              open ? 'done' : 'ledger_conflict',
            );
            if (!open) continue;
            expect(input.ctr).toBeGreaterThan(issued.get(op.lineage) ?? 0);
            issued.set(op.lineage, input.ctr);
          } else if (op.op === 'handOver') {
            const sub = CUSTOMERS[op.customer];
            if (ledger.closedBy(sub ?? '') !== undefined) continue;
            // Only what is wholly here is handed over whole: else the other side holds a part of it.
            if (sub === undefined && CUSTOMERS.some((customer) => ledger.closedBy(customer ?? '') !== undefined)) {
              expect(await attempt(() => standingDocument(ledger, undefined))).toBe('ledger_conflict');
              continue;
            }
            documents.push({ bytes: await handOver(ledger, sub, key, testRuntime()), from: ledger, taken: false });
            expect(standingDocument(ledger, sub)).toEqual(documents.at(-1)?.bytes);
          } else if (op.op === 'takeIn') {
            // Where everybody is closed it would open them, and only the officer knows who has them.
            if (ledger.closedBy('') !== undefined) continue;
            const closed = CUSTOMERS.map((customer) => ledger.closedBy(customer ?? ''));
            await takeIn(ledger);
            expect(CUSTOMERS.map((customer) => ledger.closedBy(customer ?? ''))).toEqual(closed);
          } else {
            const document = documents[op.pick % Math.max(1, documents.length)];
            // A document that somebody has taken must not be taken back by who gave it: that is the officer's care,
            // and no ledger can see it.
            if (document === undefined || document.taken) continue;
            const received = openCounters(document.bytes, [key.publicKey]);
            expect(received.document.iss).toBe(ledger.genesis.iss);
            await takeCounters(ledger, received, planTaking(ledger, received), testRuntime());
            document.taken = true;
            if (ledger !== document.from)
              expect(await attempt(() => planTaking(ledger, received))).toBe('ledger_conflict');
          }
        }
        for (const ledger of ledgers) await ledger.verify();
        for (const ledger of ledgers) ledger.close();
        for (const place of places) rmSync(place.folder, { recursive: true });
      }),
      { numRuns: Number(process.env['VTLIC_RUNS'] ?? 15), examples: [[HANDED_THEN_TAKEN_IN]] },
    );
  });
});
