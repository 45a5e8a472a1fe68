/**
 * Any interleaving of appends, groups that fail, anchors and restarts, against a plain model of what the ledger should
 * hold.
 */
import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCbor } from '../../../../formats/cbor/encode.ts';
import { VtlicError } from '../../../../formats/error.ts';
import type { LedgerHead } from '../../../../signer/anchor/anchor.ts';
import type { LicenseState, Ledger } from '../../../../signer/ledger/ledger.ts';
import type { Lineage } from '../../../../signer/ledger/entries/lineage.ts';
import { openLedgerForReading } from '../../../../signer/ledger/open.ts';
import {
  coseFor,
  digest,
  intentFor,
  makeLedger,
  openWriter,
  START,
  type Place,
} from '../../../unit/signer/ledger/ledger-fixture.ts';

const LINEAGES: readonly Lineage[] = [
  { aud: 'p', sub: 'a' },
  { aud: 'p', sub: 'a', dep: 'x' },
  { aud: 'q', sub: 'b' },
];

type Op =
  | { readonly op: 'intend'; readonly lineage: number; readonly skip: number }
  | { readonly op: 'issue' | 'void' | 'release'; readonly pick: number }
  | { readonly op: 'anchor' | 'clock' | 'reopen' | 'failedGroup' };

const ops: fc.Arbitrary<readonly Op[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        op: fc.constant('intend' as const),
        lineage: fc.nat(LINEAGES.length - 1),
        skip: fc.constantFrom(0, 0, 0, 1, -1),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        op: fc.constantFrom('issue' as const, 'issue' as const, 'void' as const, 'release' as const),
        pick: fc.nat(30),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        op: fc.constantFrom('anchor' as const, 'clock' as const, 'reopen' as const, 'failedGroup' as const),
      }),
    },
  ),
  { minLength: 1, maxLength: 40 },
);

interface ModelLicense {
  readonly seq: number;
  readonly lineage: number;
  readonly ctr: number;
  state: LicenseState;
  leaf?: number;
}

class Model {
  readonly licenses: ModelLicense[] = [];
  entries = 1;
  leaves = 0;
  anchoredLeaves = 0;

  last(lineage: number): number {
    return this.licenses
      .filter((license) => license.lineage === lineage)
      .reduce((highest, license) => Math.max(highest, license.ctr), 0);
  }

  /** Does it to the ledger too, and holds the answer against what the model expects. */
  apply(op: Op, ledger: Ledger): void {
    switch (op.op) {
      case 'intend': {
        const lineage = LINEAGES[op.lineage];
        const ctr = this.last(op.lineage) + 1 + op.skip;
        if (lineage === undefined || ctr < 1) return;
        const answer = attempt(() => ledger.intend(intentFor(lineage, ctr)));
        expect(answer).toBe(op.skip === 0 ? 'done' : 'ledger_conflict');
        if (op.skip !== 0) return;
        this.entries++;
        this.licenses.push({ seq: this.entries, lineage: op.lineage, ctr, state: 'open' });
        return;
      }
      case 'issue':
      case 'void':
      case 'release':
        this.outcome(op.op, op.pick, ledger);
        return;
      case 'clock':
        this.entries++;
        expect(attempt(() => ledger.clock(START, 'officer'))).toBe('done');
        return;
      case 'failedGroup': {
        const answer = attempt(() =>
          ledger.group(() => {
            const [first] = LINEAGES;
            if (first !== undefined) ledger.intend(intentFor(first, this.last(0) + 1));
            ledger.clock(START, 'officer');
            throw new VtlicError('declined', 'no');
          }),
        );
        expect(answer).toBe('declined');
        return;
      }
      case 'anchor':
      case 'reopen':
    }
  }

  private outcome(kind: 'issue' | 'void' | 'release', pick: number, ledger: Ledger): void {
    if (this.licenses.length === 0) return;
    const license = this.licenses[pick % this.licenses.length];
    if (license === undefined) return;
    const { seq } = license;
    if (kind === 'release') {
      const allowed =
        (license.state === 'issued' || license.state === 'released') &&
        (license.leaf ?? Infinity) < this.anchoredLeaves;
      expect(attempt(() => ledger.release(seq, { path: 'out/x', digest: digest('file') }))).toBe(
        allowed ? 'done' : 'internal',
      );
      if (!allowed) return;
      license.state = 'released';
    } else {
      const payload = ledger.findByIntent(seq)?.intent.body;
      if (payload === undefined) throw new Error(`intent ${seq} is gone`);
      const answer = attempt(() =>
        kind === 'issue' ? ledger.issue(seq, coseFor(payload)) : ledger.void_(seq, 'crash'),
      );
      expect(answer).toBe(license.state === 'open' ? 'done' : 'internal');
      if (license.state !== 'open') return;
      license.state = kind === 'issue' ? 'issued' : 'void';
      license.leaf = this.leaves;
      this.leaves++;
    }
    this.entries++;
  }
}

function attempt(fn: () => unknown): string {
  try {
    fn();
    return 'done';
  } catch (error) {
    if (error instanceof VtlicError) return error.code;
    throw error;
  }
}

async function run(place: Place, list: readonly Op[]): Promise<Model> {
  const model = new Model();
  let ledger = await openWriter(place);
  try {
    for (const op of list) {
      model.apply(op, ledger);
      if (op.op === 'anchor') {
        await ledger.anchor();
        model.anchoredLeaves = model.leaves;
      }
      if (op.op === 'reopen') {
        ledger.close();
        ledger = await openWriter(place);
      }
    }
    await compare(model, ledger, place);
  } finally {
    ledger.close();
  }
  return model;
}

async function compare(model: Model, ledger: Ledger, place: Place): Promise<void> {
  const head = ledger.head();
  expect(head).toEqual(plainHead(place.ledger));
  expect(head).toMatchObject({ entries: model.entries, size: model.leaves });
  expect(ledger.unanchored().leaves).toBe(model.leaves - model.anchoredLeaves);
  for (const license of model.licenses) expect(ledger.findByIntent(license.seq)?.state).toBe(license.state);
  LINEAGES.forEach((lineage, i) => {
    expect(ledger.lastOfLineage(lineage)?.ctr ?? 0).toBe(model.last(i));
    const counters = ledger.historyOf(lineage, { limit: 1000 }).map((record) => record.intent.body.ctr);
    expect(counters).toEqual(Array.from({ length: model.last(i) }, (_, j) => model.last(i) - j));
  });
  expect(ledger.openIntents().map((record) => record.intent.seq)).toEqual(
    model.licenses.filter((license) => license.state === 'open').map((license) => license.seq),
  );
  expect(ledger.unreleased().map((record) => record.intent.seq)).toEqual(
    model.licenses.filter((license) => license.state === 'issued').map((license) => license.seq),
  );
  const summary = await ledger.verify();
  const count = (state: LicenseState): number => model.licenses.filter((license) => license.state === state).length;
  expect(summary).toEqual({
    head,
    logs: 1,
    reentered: 0,
    lineages: new Set(model.licenses.map((license) => license.lineage)).size,
    intents: model.licenses.length,
    issued: count('issued') + count('released'),
    released: count('released'),
    voided: count('void'),
    open: count('open'),
    signatures: undefined,
  });
}

/** The head from the entries alone, by the definitions. */
function plainHead(path: string): LedgerHead {
  const view = openLedgerForReading(path);
  const db = new DatabaseSync(path, { readOnly: true });
  let chain: Uint8Array = new Uint8Array(32);
  const leaves: Uint8Array[] = [];
  let entries = 0;
  for (const entry of view.entriesFrom(1)) {
    const body = db.prepare('SELECT body FROM entry WHERE seq = ?').get(entry.seq)?.['body'];
    if (!(body instanceof Uint8Array)) throw new Error('no body');
    chain = sha256(Buffer.from('vtlic-ledger-chain/1\n'), chain, encodeCbor([entry.seq, entry.kind, entry.at, body]));
    entries++;
    if (entry.kind !== 'issue' && entry.kind !== 'void') continue;
    const intent = view.findByIntent(entry.body.intent)?.intent.body;
    if (intent === undefined) throw new Error('no intent');
    const common = [
      'vtlic-ledger-leaf/1',
      entry.kind,
      entry.body.salt,
      intent.licenseId,
      intent.ctr,
      digest(intent.payload),
    ];
    leaves.push(
      encodeCbor(
        entry.kind === 'issue'
          ? [...common, digest(entry.body.cose), Buffer.from(intent.kid, 'hex')]
          : [...common, entry.body.reason],
      ),
    );
  }
  const { ledgerId } = view.genesis;
  db.close();
  view.close();
  return {
    entries,
    logId: ledgerId,
    size: leaves.length,
    root: plainRoot(leaves),
    counterBound: leaves.length,
    closes: 0,
    chain,
  };
}

function plainRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return sha256();
  if (leaves.length === 1) return sha256(Uint8Array.of(0), first);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha256(Uint8Array.of(1), plainRoot(leaves.slice(0, k)), plainRoot(leaves.slice(k)));
}

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

describe('a ledger', () => {
  it('contains what a plain model contains, after any interleaving', async () => {
    await fc.assert(
      fc.asyncProperty(ops, async (list) => {
        const place = await makeLedger();
        await run(place, list);
        rmSync(place.folder, { recursive: true });
      }),
      { numRuns: 100 },
    );
  });

  it('a ledger with any single byte of an entry changed is refused', async () => {
    const place = await makeLedger();
    await run(place, [
      { op: 'intend', lineage: 0, skip: 0 },
      { op: 'issue', pick: 0 },
      { op: 'anchor' },
      { op: 'release', pick: 0 },
      { op: 'intend', lineage: 1, skip: 0 },
      { op: 'void', pick: 1 },
      { op: 'clock' },
      { op: 'intend', lineage: 2, skip: 0 },
    ]);
    const db = new DatabaseSync(place.ledger);
    const view = openLedgerForReading(place.ledger);
    const { entries } = view.head();
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: entries }),
          fc.constantFrom('kind' as const, 'at' as const, 'body' as const, 'chain' as const),
          fc.nat(),
          fc.integer({ min: 1, max: 255 }),
          async (seq, column, pick, mask) => {
            const before = db.prepare(`SELECT ${column} AS value FROM entry WHERE seq = ?`).get(seq)?.['value'] ?? null;
            const set = db.prepare(`UPDATE entry SET ${column} = ? WHERE seq = ?`);
            set.run(changed(before, pick, mask), seq);
            try {
              await expect(view.verify()).rejects.toMatchObject({ code: 'ledger_corrupt' });
            } finally {
              set.run(before, seq);
            }
          },
        ),
        { numRuns: 300 },
      );
      await view.verify();
    } finally {
      view.close();
      db.close();
    }
  });
});

function changed(value: unknown, pick: number, mask: number): Uint8Array | string | number {
  if (value instanceof Uint8Array) return flipped(value, pick, mask);
  if (typeof value === 'string') {
    // ASCII stays ASCII, so that the text is another for sure.
    return Buffer.from(flipped(Buffer.from(value), pick, (mask & 0x1f) | 1)).toString('latin1');
  }
  if (typeof value === 'number') return value + mask * 2 ** (8 * (pick % 4));
  throw new Error('nothing to change');
}

function flipped(bytes: Uint8Array, pick: number, mask: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = pick % copy.length;
  copy[at] = (copy[at] ?? 0) ^ mask;
  return copy;
}
