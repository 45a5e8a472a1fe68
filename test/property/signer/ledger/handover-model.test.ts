/**
 * Sites of one issuer hand counters over, take them over and back, lose their ledgers and restore copies, in any order:
 * no counter of a lineage is on two licenses, and every customer can go on by a documented act.
 *
 * The officers are honest, and make mistakes: they offer any document to any site at any time, and take over what the
 * ledger lets them take over. They answer truthfully what the ledger asks of them.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { equalBytes, utf8 } from '../../../../formats/bytes.ts';
import { VtlicError } from '../../../../formats/error.ts';
import type { SigningKey } from '../../../../keys/private/signing-key.ts';
import { createKeyFile } from '../../../../keys/private/software/key-file.ts';
import { openAnchorStore } from '../../../../signer/anchor/anchor-store.ts';
import { handOver, standingDocument } from '../../../../signer/handover/export-counters.ts';
import { openCounters, planTaking, takeCounters, type Taking } from '../../../../signer/handover/import-counters.ts';
import { planRestore } from '../../../../signer/handover/plan-restore.ts';
import { planReopening, reopenCounters } from '../../../../signer/handover/reopen-counters.ts';
import { restoreLedger } from '../../../../signer/handover/restore.ts';
import type { Ledger } from '../../../../signer/ledger/ledger.ts';
import type { Lineage } from '../../../../signer/ledger/entries/lineage.ts';
import { openLedgerForReading } from '../../../../signer/ledger/open.ts';
import { copyLedger } from '../../../../signer/ledger/store/database-file.ts';
import { testRuntime } from '../../../support/site-fixture.ts';
import {
  coseFor,
  intentFor,
  makeLedger,
  openWriter,
  type Place,
  releaseNow,
  temporaryFolder,
} from '../../../unit/signer/ledger/ledger-fixture.ts';

const LINEAGES: readonly Lineage[] = [
  { aud: 'p', sub: 'a' },
  { aud: 'p', sub: 'a', dep: 'x' },
  { aud: 'q', sub: 'b' },
  { aud: 'q', sub: 'c' },
];
const CUSTOMERS = ['a', 'b', 'c'] as const;
/** c is never handed over by name. */
const SCOPES = [undefined, 'a', 'b'] as const;
const NOWHERE: Uint8Array = new Uint8Array(16).fill(0xee);

type Op =
  | { readonly op: 'issue'; readonly at: number; readonly lineage: number }
  | { readonly op: 'handOver'; readonly at: number; readonly to: number; readonly scope: number }
  | { readonly op: 'take'; readonly at: number; readonly pick: number }
  | { readonly op: 'copy'; readonly at: number }
  | { readonly op: 'restore'; readonly at: number; readonly pick: number }
  | { readonly op: 'reopen'; readonly at: number; readonly customer: number };

const at = fc.nat(3);
const ops: fc.Arbitrary<readonly Op[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ op: fc.constant('issue' as const), at, lineage: fc.nat(LINEAGES.length - 1) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ op: fc.constant('handOver' as const), at, to: fc.nat(3), scope: fc.nat(2) }),
    },
    { weight: 6, arbitrary: fc.record({ op: fc.constant('take' as const), at, pick: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('copy' as const), at }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('restore' as const), at, pick: fc.nat(9) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('reopen' as const), at, customer: fc.nat(2) }) },
  ),
  { minLength: 6, maxLength: 40 },
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

interface Document {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly customers: readonly string[];
  /** Somebody has taken it over: it is never taken back. */
  taken: boolean;
  /** It was taken back, and destroyed. */
  destroyed: boolean;
}

interface SiteHere {
  readonly place: Place;
  readonly copies: string[];
}

async function attempt<T>(fn: () => T | Promise<T>): Promise<T | string> {
  try {
    return await fn();
  } catch (error) {
    if (error instanceof VtlicError && error.code !== 'internal') return error.code;
    throw error;
  }
}

class Sites {
  readonly #sites: SiteHere[] = [];
  readonly #ids: Uint8Array[] = [];
  readonly #documents: Document[] = [];
  readonly #left: Set<string> = new Set();
  /** What is true: who may issue for a customer, a site or whoever takes a document. */
  readonly #holder: Map<string, number | Document> = new Map(CUSTOMERS.map((customer) => [customer, 0]));

  async make(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const place = await makeLedger();
      this.#sites.push({ place, copies: [] });
      await this.#with(i, async (ledger) => {
        this.#ids.push(ledger.genesis.ledgerId);
        // A new site begins with nothing: what it issues must have been handed to it.
        if (i > 0) await handOver(ledger, { sub: undefined, to: NOWHERE }, key, testRuntime());
      });
    }
  }

  async apply(op: Op): Promise<void> {
    const site = op.at % this.#sites.length;
    if (op.op === 'issue') await this.issue(site, op.lineage);
    else if (op.op === 'handOver') await this.#handOver(site, op.to % this.#sites.length, SCOPES[op.scope]);
    else if (op.op === 'take') {
      const document = this.#documents[op.pick % Math.max(1, this.#documents.length)];
      if (document !== undefined) await this.#take(site, document);
    } else if (op.op === 'copy') this.#copy(site);
    else if (op.op === 'restore') await this.#restore(site, op.pick);
    else await this.#reopen(site, CUSTOMERS[op.customer] ?? 'a');
  }

  /** @returns false where the ledger refuses it */
  issue(site: number, pick: number): Promise<boolean> {
    const lineage = LINEAGES[pick];
    if (lineage === undefined) throw new Error('no lineage');
    return this.#with(site, async (ledger) => {
      if (ledger.closedBy(lineage.sub) !== undefined) {
        expect(await attempt(() => ledger.nextCounter(lineage))).toBe('ledger_conflict');
        return false;
      }
      const input = intentFor(lineage, ledger.nextCounter(lineage));
      const { seq } = ledger.intend(input);
      ledger.issue(seq, coseFor(input));
      await ledger.anchor();
      releaseNow(ledger, seq);
      const license = `${pick} ${input.ctr}`;
      expect(this.#left.has(license) ? `${license} is on two licenses` : 'new').toBe('new');
      this.#left.add(license);
      return true;
    });
  }

  /** Every customer is issued for once more, by acts that the documents allow. */
  async everybodyGoesOn(): Promise<void> {
    for (const [pick, { sub }] of LINEAGES.entries()) {
      const tried: string[] = [];
      for (let turn = 0; ; turn++) {
        const holder = this.#holder.get(sub);
        if (turn === 6 || holder === undefined) throw new Error(`${sub} is stuck: ${tried.join('; ')}`);
        if (typeof holder === 'number') {
          if (await this.issue(holder, pick)) break;
          tried.push(`reopen at ${holder}: ${String(await this.#reopen(holder, sub))}`);
          for (const document of this.#documents.filter(({ customers }) => customers.includes(sub)).toReversed())
            tried.push(`take at ${holder}: ${await this.#take(holder, document)}`);
        } else {
          tried.push(`take at ${holder.to}: ${await this.#take(holder.to, holder)}`);
          if (this.#holder.get(sub) === holder)
            tried.push(`take back at ${holder.from}: ${await this.#take(holder.from, holder)}`);
        }
      }
    }
  }

  async verify(): Promise<void> {
    for (const { place } of this.#sites) {
      const view = openLedgerForReading(place.ledger);
      await view.verify();
      view.close();
      rmSync(place.folder, { recursive: true });
    }
  }

  async #handOver(from: number, to: number, sub: string | undefined): Promise<void> {
    if (from === to) return;
    await this.#with(from, async (ledger) => {
      const handover = { sub, to: this.#ids[to] ?? NOWHERE };
      if ((await attempt(() => standingDocument(ledger, handover))) !== undefined) return;
      const held = CUSTOMERS.filter((customer) => this.#holder.get(customer) === from);
      const customers = sub === undefined ? held : held.filter((customer) => customer === sub);
      const bytes = await handOver(ledger, handover, key, testRuntime());
      const document = { bytes, from, to, customers, taken: false, destroyed: false };
      this.#documents.push(document);
      for (const customer of customers) this.#holder.set(customer, document);
    });
  }

  async #take(site: number, document: Document): Promise<string> {
    if (document.destroyed && !(await this.#canWriteOutAgain(site, document))) return 'destroyed';
    const received = openCounters(document.bytes, [key.publicKey]);
    return this.#with(site, async (ledger) => {
      const taking = await attempt(() => planTaking(ledger, received));
      if (typeof taking === 'string') return taking;
      if (!this.#isTrue(site, document, ledger, taking)) return 'declined';
      await takeCounters(ledger, received, taking, testRuntime());
      if (site === document.from) document.destroyed = true;
      else document.taken = true;
      for (const customer of document.customers)
        if (this.#holder.get(customer) === document) this.#holder.set(customer, site);
      return 'done';
    });
  }

  /** A ledger that closed counters by a document writes it out again, also after a restore that lost the taking back. */
  #canWriteOutAgain(site: number, { from, bytes }: Document): Promise<boolean> {
    if (site !== from) return Promise.resolve(false);
    const { sub } = openCounters(bytes, [key.publicKey]).document;
    return this.#with(site, (ledger) => {
      const entry = ledger.entry(ledger.closedBy(sub ?? '') ?? 0);
      return Promise.resolve(entry?.kind === 'close' && equalBytes(entry.body.document, bytes));
    });
  }

  /** What the officer types, if it is so. */
  #isTrue(site: number, document: Document, ledger: Ledger, taking: Taking): boolean {
    if (site === document.from && document.taken) return false;
    if (taking.how === 'back' || taking.asks === 'nothing') return true;
    const { sub } = openCounters(document.bytes, [key.publicKey]).document;
    const opened = CUSTOMERS.filter((customer) => (sub === undefined ? !isNamed(ledger, customer) : customer === sub));
    return opened.every((customer) => [site, document].includes(this.#holder.get(customer) ?? -1));
  }

  #copy(site: number): void {
    const { place, copies } = this.#site(site);
    mkdirSync(join(place.folder, 'copies'), { recursive: true });
    const copy = join(place.folder, 'copies', `${copies.length}`);
    copyLedger(place.ledger, copy, 'output_unwritable');
    copies.push(copy);
  }

  /** The ledger is lost, and a copy takes its place. */
  async #restore(site: number, pick: number): Promise<void> {
    const { place, copies } = this.#site(site);
    const copy = copies[pick % Math.max(1, copies.length)];
    if (copy === undefined) return;
    const view = openLedgerForReading(copy);
    const store = openAnchorStore(view.anchorPlace());
    const input = { copy: view, store, place: view.anchorPlace(), released: [], lost: undefined };
    const plan = await planRestore(input).finally(() => {
      view.close();
    });
    await restoreLedger(place.ledger, copy, plan, store, testRuntime());
  }

  async #reopen(site: number, customer: string): Promise<unknown> {
    if (this.#holder.get(customer) !== site) return 'declined';
    return this.#with(site, async (ledger) => {
      const plan = await attempt(() => planReopening(ledger, customer, []));
      if (typeof plan !== 'string') await reopenCounters(ledger, plan, testRuntime());
      return plan;
    });
  }

  async #with<T>(site: number, use: (ledger: Ledger) => Promise<T>): Promise<T> {
    const ledger = await openWriter(this.#site(site).place);
    try {
      return await use(ledger);
    } finally {
      ledger.close();
    }
  }

  #site(site: number): SiteHere {
    const found = this.#sites[site];
    if (found === undefined) throw new Error('no site');
    return found;
  }
}

function isNamed(ledger: Ledger, customer: string): boolean {
  const entry = ledger.entry(ledger.closedBy(customer) ?? 0);
  return entry?.kind === 'close' && entry.body.sub === customer;
}

/**
 * Handed over, taken back, handed over once more: the older document does not reopen customers that were handed on
 * since.
 */
const OLDER_AFTER_NEWER: readonly Op[] = [
  { op: 'handOver', at: 0, to: 1, scope: 1 },
  { op: 'take', at: 0, pick: 0 },
  { op: 'issue', at: 0, lineage: 0 },
  { op: 'handOver', at: 0, to: 1, scope: 1 },
  { op: 'take', at: 1, pick: 1 },
  { op: 'handOver', at: 1, to: 2, scope: 1 },
  { op: 'take', at: 2, pick: 2 },
  { op: 'take', at: 1, pick: 1 },
  { op: 'issue', at: 1, lineage: 0 },
];

/** The first taking of a document is lost, and so is that its customer was handed on. */
const TAKING_LOST: readonly Op[] = [
  { op: 'handOver', at: 0, to: 1, scope: 1 },
  { op: 'copy', at: 1 },
  { op: 'take', at: 1, pick: 0 },
  { op: 'handOver', at: 1, to: 2, scope: 1 },
  { op: 'take', at: 2, pick: 1 },
  { op: 'issue', at: 2, lineage: 0 },
  { op: 'restore', at: 1, pick: 0 },
  { op: 'take', at: 1, pick: 0 },
  { op: 'issue', at: 1, lineage: 0 },
];

/** One document is offered to two sites. */
const TWO_TAKERS: readonly Op[] = [
  { op: 'handOver', at: 0, to: 1, scope: 0 },
  { op: 'take', at: 1, pick: 0 },
  { op: 'take', at: 2, pick: 0 },
  { op: 'issue', at: 1, lineage: 0 },
  { op: 'issue', at: 2, lineage: 0 },
];

/** Taken back by its own document, which is destroyed; then the taking back is lost. */
const TAKING_BACK_LOST: readonly Op[] = [
  { op: 'handOver', at: 0, to: 1, scope: 1 },
  { op: 'copy', at: 0 },
  { op: 'take', at: 0, pick: 0 },
  { op: 'issue', at: 0, lineage: 0 },
  { op: 'restore', at: 0, pick: 0 },
];

describe('sites that hand counters over', () => {
  it('never issue one counter twice, and can all go on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 4 }), ops, async (count, list) => {
        const sites = new Sites();
        await sites.make(count);
        for (const op of list) await sites.apply(op);
        await sites.everybodyGoesOn();
        await sites.verify();
      }),
      {
        numRuns: Number(process.env['VTLIC_RUNS'] ?? 8),
        examples: [
          [3, OLDER_AFTER_NEWER],
          [3, TAKING_LOST],
          [3, TWO_TAKERS],
          [2, TAKING_BACK_LOST],
        ],
      },
    );
  }, 300_000);
});
