/** A ledger with rows in every table: licenses in every state, two logs, and every administrative entry. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLedger } from '../../../signer/ledger/create.ts';
import type { Ledger } from '../../../signer/ledger/ledger.ts';
import type { Lineage } from '../../../signer/ledger/entries/lineage.ts';
import { openLedgerForWriting } from '../../../signer/ledger/open.ts';
import { coseFor, digest, intentFor, ISS, KID, START, writerOptions } from '../../unit/signer/ledger/ledger-inputs.ts';

export interface ExampleLedger {
  readonly ledger: string;
  readonly anchor: string;
  readonly remove: () => void;
}

export const CUSTOMERS: readonly string[] = ['acme-gmbh', 'beta-inc', 'gamma', 'delta', ...numbered(12)];
export const LINEAGES: readonly Lineage[] = CUSTOMERS.flatMap((sub): Lineage[] => [
  { sub, aud: 'vaultdesk' },
  { sub, aud: 'vaultdesk', dep: 'prod-eu' },
]);

const [ACME, , BETA, , GAMMA, , DELTA] = LINEAGES;

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `customer-${i}`);
}

export async function makeExampleLedger(): Promise<ExampleLedger> {
  const folder = mkdtempSync(join(tmpdir(), 'vtlic-mutations-'));
  const paths = { ledger: join(folder, 'ledger.sqlite'), anchor: join(folder, 'anchor') };
  const place = { kind: 'file', path: paths.anchor } as const;
  await createLedger(paths.ledger, { ...writerOptions(), iss: ISS, anchor: place });
  const ledger = await openLedgerForWriting(paths.ledger, writerOptions());
  try {
    await fill(ledger, paths.anchor);
  } finally {
    ledger.close();
  }
  return {
    ...paths,
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}

async function fill(ledger: Ledger, anchor: string): Promise<void> {
  for (let round = 0; round < 2; round++) for (const lineage of LINEAGES) await issue(ledger, lineage, round === 0);
  ledger.clock(START, 'officer');
  if (ACME === undefined || BETA === undefined || GAMMA === undefined || DELTA === undefined)
    throw new Error('no lineage');
  ledger.void_(ledger.intend(intentFor(GAMMA, ledger.nextCounter(GAMMA))).seq, 'signing_failed');
  const { seq } = ledger.closeCounters({ sub: DELTA.sub, document: Uint8Array.of(1), operator: 'officer' });
  ledger.adopt({ act: 'reopen', closedBy: seq, sub: DELTA.sub, operator: 'officer' });
  ledger.closeCounters({ sub: BETA.sub, document: Uint8Array.of(2), operator: 'officer' });
  restart(ledger, anchor);
  ledger.group(() => {
    ledger.adopt({
      act: 'import',
      document: digest('document'),
      kid: KID,
      ledgerId: new Uint8Array(16).fill(9),
      floor: 3,
      highest: 90,
      operator: 'officer',
    });
    ledger.adopt({ act: 'counter', ...GAMMA, ctr: 80 });
    ledger.adopt({ act: 'counter', sub: 'only-imported', aud: 'vaultdesk', ctr: 90 });
  });
  for (const lineage of LINEAGES) if (lineage.sub !== BETA.sub) await issue(ledger, lineage, true);
  ledger.clock(START + 1, 'officer');
  await ledger.anchor();
  // Left open, and issued without a release: the next start finishes them.
  ledger.intend(intentFor(DELTA, ledger.nextCounter(DELTA)));
  await issue(ledger, GAMMA, false);
}

async function issue(ledger: Ledger, lineage: Lineage, released: boolean): Promise<void> {
  const input = intentFor(lineage, ledger.nextCounter(lineage));
  const { seq } = ledger.intend(input);
  ledger.issue(seq, coseFor(input));
  await ledger.anchor();
  if (released) ledger.release(seq, { path: input.path, digest: digest(input.path) });
}

/** As a restore does it that lacks five leaves, one of whose licenses came back. */
function restart(ledger: Ledger, anchor: string): void {
  const head = ledger.head();
  const skip = head.counterBound + 5;
  const lost = intentFor({ sub: 'acme-gmbh', aud: 'vaultdesk' }, 6);
  ledger.group(() => {
    ledger.openLog({
      reason: 'restored',
      anchor: { kind: 'file', path: anchor },
      covered: 0,
      coveredBound: 0,
      found: { ...head, entries: head.entries + 15, size: head.size + 5, counterBound: skip },
      skip,
      highest: lost.ctr,
      closed: false,
      operator: 'officer',
    });
    const { aud, sub, ctr, licenseId, kid, payload } = lost;
    ledger.reenter(coseFor(lost), { aud, sub, ctr, licenseId, kid, payload }, skip);
  });
}
