/** What a batch wrote, and what must be true of it in every case. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { dearmor } from '../../formats/armor.ts';
import { toHex } from '../../formats/bytes.ts';
import type { Entry, IntentEntry } from '../../signer/ledger/entries/entry.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import type { SiteFixture } from './site-fixture.ts';

export interface BatchFound {
  readonly intents: readonly IntentEntry[];
  /** Intents that came to a license. */
  readonly issued: readonly IntentEntry[];
  readonly released: number;
  readonly voided: number;
}

/** Recomputes the ledger, and checks that no row, counter or file is there twice and no file is foreign or missing. */
export async function checkBatch(site: SiteFixture): Promise<BatchFound> {
  const ledger = openLedgerForReading(join(site.site, 'ledger.sqlite'));
  let entries: readonly Entry[];
  try {
    await ledger.verify();
    entries = [...ledger.entriesFrom(1)];
  } finally {
    ledger.close();
  }
  const intents = entries.filter((entry) => entry.kind === 'intent');
  const bySeq = new Map(intents.map((entry) => [entry.seq, entry]));
  const counters = intents.map(({ body }) => `${body.sub}/${body.aud}/${body.dep ?? ''}/${body.ctr}`);
  expect(new Set(counters).size).toBe(counters.length);
  const issued = entries.flatMap((entry) => {
    const intent = entry.kind === 'issue' ? bySeq.get(entry.body.intent) : undefined;
    return intent === undefined ? [] : [intent];
  });
  const rows = issued.flatMap(({ body }) =>
    body.batch === undefined ? [] : [`${body.batch.name}/${toHex(body.batch.row)}`],
  );
  expect(new Set(rows).size).toBe(rows.length);
  const released = new Set(entries.flatMap((entry) => (entry.kind === 'release' ? [entry.body.intent] : [])));
  const out = join(site.site, 'out');
  const files = existsSync(out)
    ? readdirSync(out, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.vtlic'))
    : [];
  // A file may exist before its release is recorded, but never without an issue.
  const places = new Map(issued.map((entry) => [entry.body.path, entry]));
  const cose = new Map(
    entries.flatMap((entry) => (entry.kind === 'issue' ? [[entry.body.intent, entry.body.cose] as const] : [])),
  );
  for (const name of files) {
    const entry = places.get(`out/${name}`);
    expect(entry, `out/${name} is in no ledger`).toBeDefined();
    expect(toHex(dearmor('VTLIC', readFileSync(join(out, name))))).toBe(
      toHex(cose.get(entry?.seq ?? 0) ?? new Uint8Array(0)),
    );
  }
  for (const seq of released) expect(files).toContain(bySeq.get(seq)?.body.path.slice('out/'.length));
  return { intents, issued, released: released.size, voided: entries.filter((entry) => entry.kind === 'void').length };
}
