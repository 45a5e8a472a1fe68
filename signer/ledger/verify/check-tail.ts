/** Checks the end of a ledger each time it is opened for writing. `verify.ts` checks the whole ledger. */
import { equalBytes } from '../../../formats/bytes.ts';
import { CHAIN_START, chainValue, checkChain } from '../entries/chain.ts';
import { ledgerCorrupt } from '../entries/errors.ts';
import { decodeEntry, type LogRow } from '../store/rows.ts';
import { adminRowOf, counterRowOf, sameAdminRow, sameCounter } from '../store/admin-rows.ts';
import type { AdoptEntry, CloseEntry, Entry } from '../entries/entry.ts';
import { sameLineage } from '../entries/lineage.ts';
import { completeSubtrees } from '../tree/merkle.ts';
import type { Tables } from '../store/tables.ts';

const AT_LEAST = 64;
const PAGE = 256;

/**
 * Recomputes the chain and compares the derived rows with the entries, over the last 64 entries and all that the anchor
 * does not cover yet.
 *
 * @param anchoredEntries how many entries the anchor covers
 * @throws VtlicError `ledger_corrupt`
 */
export function checkTail(tables: Tables, anchoredEntries: number): void {
  const { entries, leaves, nodes } = tables.sizes();
  const logs = tables.logs();
  const log = tables.lastLog();
  const size = leaves - log.firstLeaf;
  if (size < 0 || nodes - log.firstNode !== completeSubtrees(size))
    throw ledgerCorrupt(
      `its last log has ${size} leaves, but ${nodes - log.firstNode} nodes of the tree instead of ` +
        `${completeSubtrees(size)}`,
    );
  checkGenesis(tables);
  const from = Math.max(1, Math.min(entries - AT_LEAST, anchoredEntries) + 1);
  let before = from === 1 ? CHAIN_START : tables.entry(from - 1)?.chain;
  for (let next = from; next <= entries;) {
    const page = tables.entries(next, PAGE);
    for (const row of page) {
      if (row.seq !== next || before === undefined)
        throw ledgerCorrupt(`entry ${before === undefined ? next - 1 : next} is missing`);
      checkChain(before, row);
      checkDerived(tables, decodeEntry(row), logs);
      before = row.chain;
      next++;
    }
    if (page.length === 0) throw ledgerCorrupt(`entry ${next} is missing`);
  }
}

/** The first entry names the place of the anchor, so it is checked each time, however old it is. */
function checkGenesis(tables: Tables): void {
  const first = tables.entry(1);
  if (
    first === undefined ||
    !equalBytes(first.chain, chainValue(CHAIN_START, first.seq, first.kind, first.at, first.body))
  ) {
    throw ledgerCorrupt('entry 1 (genesis): its chain value does not match its content');
  }
}

function checkDerived(tables: Tables, entry: Entry, logs: readonly LogRow[]): void {
  const log = logs.findLast((candidate) => candidate.entry <= entry.seq);
  if (log === undefined) throw ledgerCorrupt('its table of logs does not begin with its first entry');
  switch (entry.kind) {
    case 'genesis':
      return;
    case 'intent': {
      const row = tables.intent(entry.seq);
      const { body } = entry;
      if (
        row === undefined ||
        !sameLineage(row, body) ||
        row.ctr !== body.ctr ||
        !equalBytes(row.licenseId, body.licenseId)
      )
        throw wrongIndex(entry);
      return;
    }
    case 'issue':
    case 'void':
      if (
        tables.intent(entry.body.intent)?.[entry.kind] !== entry.seq ||
        tables.leaf(log.firstLeaf + entry.body.leafIndex) !== entry.seq
      )
        throw wrongIndex(entry);
      return;
    case 'release': {
      const first = tables.intent(entry.body.intent)?.release;
      if (first === undefined || first > entry.seq) throw wrongIndex(entry);
      return;
    }
    case 'clock':
      if (!tables.isClock(entry.seq)) throw wrongIndex(entry);
      return;
    case 'adopt':
    case 'close':
      if (!sameRows(tables, entry, log)) throw wrongIndex(entry);
  }
}

function sameRows(tables: Tables, entry: AdoptEntry | CloseEntry, log: LogRow): boolean {
  if (
    entry.kind === 'adopt' &&
    entry.body.act === 'log' &&
    (log.entry !== entry.seq || !equalBytes(log.logId, entry.body.logId))
  )
    return false;
  if (
    entry.kind === 'adopt' &&
    (entry.body.act === 'log' || entry.body.act === 'license') &&
    tables.leaf(log.firstLeaf + entry.body.leafIndex) !== entry.seq
  )
    return false;
  const opened = tables.adminRow(log.entry);
  return (
    sameAdminRow(tables.adminRow(entry.seq), adminRowOf(entry)) &&
    sameCounter(tables.counter(entry.seq), counterRowOf(entry, opened?.skip ?? 0))
  );
}

function wrongIndex(entry: Entry): Error {
  return ledgerCorrupt(`entry ${entry.seq} (${entry.kind}): its row in the index tables does not match it`);
}
