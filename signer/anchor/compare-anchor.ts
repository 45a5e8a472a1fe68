/**
 * Checks that the ledger contains everything that its anchor covers: this is where a rollback of the ledger, or a torn
 * or lost WAL file, is noticed. During a run it checks that nobody else has changed the anchor.
 */
import { existsSync } from 'node:fs';
import { equalBytes, toHex } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import type { AnchorComparison, AnchoredLedger, AnchorRecord, AnchorStore, LedgerBounds } from './anchor.ts';
import { sameRecords } from './anchor-record.ts';

/** Beside a ledger: what a restore makes, and anchors before it takes the ledger's place. */
export function restoreDraftOf(ledger: string): string {
  return `${ledger}.restored`;
}

function howToGoOn(ledger: string): string {
  return existsSync(restoreDraftOf(ledger))
    ? 'a restore was interrupted here: run the same vtlic ledger restore again; it finishes what it began, or begins ' +
        'anew'
    : 'put the newest ledger back, whole, with its -wal file if it has one; if it is lost, see: ' +
        'vtlic help ledger restore';
}

/**
 * @param records what the anchor store contains; the ledger must begin with every one of them
 * @param store the place of the records, for messages
 * @throws VtlicError `ledger_rolled_back`: no anchor, one of another ledger, one ahead of the ledger, or one of
 *   another history
 */
export function compareAnchor(
  ledger: AnchoredLedger,
  records: readonly AnchorRecord[],
  { description, whenMissing }: Pick<AnchorStore, 'description' | 'whenMissing'>,
): AnchorComparison {
  const head = ledger.head();
  const logs = ledger.logs();
  let largest: AnchorRecord | undefined;
  for (const record of records) {
    if (!equalBytes(record.ledgerId, ledger.genesis.ledgerId)) {
      throw refused(
        ledger.path,
        `${description} belongs to another ledger (${toHex(record.ledgerId)}); this one is ` +
          toHex(ledger.genesis.ledgerId),
        'put the ledger and the anchor that belong together in their places',
      );
    }
    if (record.entries > head.entries) {
      throw refused(
        ledger.path,
        `the ledger is older than its anchor: it ends with entry ${head.entries}, and ${description} has seen ` +
          `entry ${record.entries}; an old copy of the ledger was put back`,
        howToGoOn(ledger.path),
      );
    }
    const chain = ledger.entry(record.entries)?.chain;
    const root = ledger.rootAt(record.size, record.logId);
    const log = logs.findLast((candidate) => candidate.entry <= record.entries);
    if (
      chain === undefined ||
      log === undefined ||
      !equalBytes(log.logId, record.logId) ||
      root === undefined ||
      !equalBytes(chain, record.chain) ||
      !equalBytes(root, record.root) ||
      !sameBounds(ledger.boundsAt(record), record)
    ) {
      throw refused(
        ledger.path,
        `the ledger does not match ${description}: entry ${record.entries} differs; either an old copy was ` +
          'restored and used, or the file was changed',
        howToGoOn(ledger.path),
      );
    }
    if (largest === undefined || record.entries > largest.entries) largest = record;
  }
  if (largest === undefined) {
    throw refused(
      ledger.path,
      `${description} is missing, and this ledger was made with one: nobody can know whether the ledger is the newest`,
      whenMissing,
    );
  }
  return Object.freeze({ state: largest.entries === head.entries ? 'current' : 'ahead', anchor: largest });
}

/**
 * Checks that the anchor is still the one that this run knows.
 *
 * @param known the records last read or written
 * @param file the ledger, for messages
 * @throws VtlicError `ledger_rolled_back` if somebody changed it; `ledger_unwritable` if it cannot be read
 */
export async function requireUnchangedAnchor(
  store: AnchorStore,
  known: readonly AnchorRecord[],
  file: string,
): Promise<void> {
  if (!sameRecords(await readBeforeWriting(store), known)) throw await anchorChanged(store, file);
}

/** @throws VtlicError `ledger_unwritable` if the anchor cannot even be read */
export async function anchorChanged(store: AnchorStore, file: string): Promise<VtlicError> {
  await readBeforeWriting(store);
  return refused(
    file,
    `${store.description} was changed while this run had the ledger open: another copy of this ledger is in use, ` +
      'or somebody changed the anchor; nothing more is signed here',
    'find the other copy; the copy that agrees with the anchor is the right ledger',
  );
}

/** An old copy of the ledger still names the place from which the anchor was moved. */
export function movedAway({ description }: Pick<AnchorStore, 'description'>, file: string): VtlicError {
  return refused(
    file,
    `${description} is no longer there: another copy of this ledger has moved it elsewhere`,
    'put the newest ledger back; if it is lost, name that place: vtlic ledger restore COPY --anchor PLACE',
  );
}

/** A place that cannot be read cannot be written either, so both failures get the same code. */
async function readBeforeWriting(store: AnchorStore): Promise<readonly AnchorRecord[]> {
  try {
    return await store.read();
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    throw new VtlicError(
      'ledger_unwritable',
      `the anchor was not written: ${error.message}; what is recorded but not released stays in the ledger`,
      {
        ...error.place,
        hint: error.hint ?? 'make the place of the anchor writable, and run the command again',
        cause: error,
      },
    );
  }
}

function sameBounds(a: LedgerBounds, b: AnchorRecord): boolean {
  return a.counterBound === b.counterBound && a.closes === b.closes && a.keysetVersion === b.keysetVersion;
}

function refused(file: string, message: string, hint: string): VtlicError {
  return new VtlicError('ledger_rolled_back', message, { file, hint });
}
