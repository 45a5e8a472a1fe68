/**
 * Tree heads that this ledger may sign: only what an anchor covers, so that none is ever contradicted by a later one.
 */
import type { Checkpoint } from '../../formats/checkpoint.ts';
import { VtlicError } from '../../formats/error.ts';
import { type AnchorStoreOpener, compareAnchor, openAnchorStore } from '../anchor/index.ts';
import type { LedgerView, LogInfo } from './ledger.ts';

/**
 * The head of a log: of the last one what the anchor covers, of an older one what was surely anchored of it.
 *
 * @throws VtlicError `ledger_rolled_back`, and what reading the anchor throws
 */
export async function provableHead(ledger: LedgerView, log: LogInfo, opener?: AnchorStoreOpener): Promise<Checkpoint> {
  const size = await provableSize(ledger, log, opener);
  const root = ledger.rootAt(size, log.logId);
  if (root === undefined) throw new VtlicError('internal', 'the root of a log cannot be computed');
  return Object.freeze({ origin: log.origin, size, root });
}

async function provableSize(ledger: LedgerView, log: LogInfo, opener?: AnchorStoreOpener): Promise<number> {
  const next = ledger.logs().find((candidate) => candidate.number === log.number + 1);
  if (next !== undefined) {
    const entry = ledger.entry(next.entry);
    return entry?.kind === 'adopt' && entry.body.act === 'log' ? entry.body.covered : 0;
  }
  const store = openAnchorStore(ledger.anchorPlace(), opener);
  const { anchor } = compareAnchor(ledger, await store.read(), store);
  // The anchor of a log just begun may still be that of the log before.
  return anchor.entries >= log.entry ? anchor.size : 0;
}
