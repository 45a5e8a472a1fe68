/**
 * Opens again the counters that a restore closed for all customers, because the lost part of the record had handed
 * counters over.
 *
 * To open one customer again, the officer only has to confirm it. To open all customers again, the officer gives the
 * document of each handover that was lost; the customers whom these documents name stay closed.
 */
import { equalBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import type { Runtime } from '../runtime.ts';
import { type Ledger, type LedgerView, sha256 } from '../ledger/index.ts';
import type { ReceivedDocument } from './import-counters.ts';

export interface LostDocument extends ReceivedDocument {
  readonly bytes: Uint8Array;
}

export interface Reopening {
  /** seq of the entry of the restore. */
  readonly closedBy: number;
  /** The one customer; absent: everybody but those in the documents. */
  readonly sub: string | undefined;
  /** The documents of lost handovers: each closes the counters of its one customer again. */
  readonly handed: readonly LostDocument[];
  /** How many times the lost part handed counters over. */
  readonly lost: number;
}

/** @throws VtlicError `ledger_conflict` where no restore closed them, or documents are missing or wrong */
export function planReopening(ledger: LedgerView, sub: string | undefined, handed: readonly LostDocument[]): Reopening {
  const closedBy = ledger.closedBy(sub ?? '');
  const entry = closedBy === undefined ? undefined : ledger.entry(closedBy);
  if (entry === undefined) throw conflict('these counters are not closed', 'see what is closed: vtlic ledger status');
  if (entry.kind === 'close')
    throw conflict(
      `these counters were handed over by a document, in entry ${entry.seq}`,
      'take them back with it: vtlic counters export FILE writes it out again, vtlic counters import FILE ' +
        'takes it back',
    );
  if (entry.kind !== 'adopt' || entry.body.act !== 'log')
    throw new VtlicError('internal', `entry ${entry.seq} closes nothing`);
  const lost = (entry.body.found?.closes ?? 0) - entry.body.restored.closes;
  if (sub === undefined) requireAllShown(ledger, entry.seq, handed, lost);
  return Object.freeze({ closedBy: entry.seq, sub, handed, lost });
}

function requireAllShown(ledger: LedgerView, restored: number, handed: readonly LostDocument[], lost: number): void {
  const acts = ledger.adminEntries();
  const own = (ledgerId: Uint8Array): boolean => equalBytes(ledgerId, ledger.genesis.ledgerId);
  for (const [i, { document, digest }] of handed.entries()) {
    if (!own(document.ledgerId))
      throw conflict(
        'one of the documents was made by another ledger',
        'give only documents that this ledger made before it was lost',
      );
    if (handed.findIndex((other) => equalBytes(other.digest, digest)) !== i)
      throw conflict('one document was given twice', 'give each document once');
    const known = acts.find((act) =>
      act.kind === 'close'
        ? equalBytes(sha256(act.body.document), digest)
        : act.body.act === 'import' && equalBytes(act.body.document, digest),
    );
    if (known !== undefined)
      throw conflict(`one of the documents is in the ledger already, in entry ${known.seq}`, 'leave this document out');
    if (document.sub === undefined)
      throw conflict(
        'one of the documents handed over all customers, so there is nobody to reopen',
        'if no ledger has imported it, take it back: vtlic counters import FILE; else ask the site that imported it',
      );
  }
  // The documents that were taken back since the restore count as known: their entries are in this ledger.
  const back = acts.filter(
    (act) => act.seq > restored && act.kind === 'adopt' && act.body.act === 'import' && own(act.body.ledgerId),
  ).length;
  if (handed.length + back < lost) {
    throw conflict(
      `the lost part of the ledger handed counters over ${lost === 1 ? 'once' : `${lost} times`}, ` +
        `but only ${handed.length + back} of the documents ` +
        `${handed.length + back === 1 ? 'is' : 'are'} known: the customers of the others belong to another ledger now`,
      'give each missing document with --handed FILE, or reopen customers one by one: --customer ID',
    );
  }
}

export async function reopenCounters(
  ledger: Ledger,
  { closedBy, sub, handed }: Reopening,
  runtime: Runtime,
): Promise<void> {
  ledger.group(() => {
    for (const { bytes, document } of handed)
      ledger.closeCounters({
        ...(document.sub === undefined ? {} : { sub: document.sub }),
        document: bytes,
        operator: runtime.operator,
      });
    ledger.adopt({ act: 'reopen', closedBy, ...(sub === undefined ? {} : { sub }), operator: runtime.operator });
  });
  await runtime.step('counters-recorded');
  await ledger.anchor();
  await runtime.step('counters-anchored');
}

function conflict(message: string, hint: string): VtlicError {
  return new VtlicError('ledger_conflict', message, { hint });
}
