/** What is looked at each time a ledger is opened for writing: its end. The whole is for `verify.ts`. */
import { equalBytes } from '../../formats/bytes.ts';
import { CHAIN_START, chainValue } from './chain.ts';
import { ledgerCorrupt } from './corrupt.ts';
import { decodeEntry } from './decode-entry.ts';
import type { Entry } from './entry.ts';
import { sameLineage } from './lineage.ts';
import { completeSubtrees } from './merkle.ts';
import type { Tables } from './tables.ts';

const AT_LEAST = 64;
const PAGE = 256;

/**
 * Recomputes the chain and holds the derived rows against the entries, over the last 64 entries and all that the anchor
 * does not cover yet.
 *
 * @param anchoredEntries how many entries the anchor covers
 * @throws VtlicError `ledger_corrupt`
 */
export function checkTail(tables: Tables, anchoredEntries: number): void {
  const { entries, leaves, nodes } = tables.sizes();
  if (nodes !== completeSubtrees(leaves)) throw ledgerCorrupt(`it has ${leaves} leaves, but ${nodes} nodes of the tree instead of ${completeSubtrees(leaves)}`);
  const from = Math.max(1, Math.min(entries - AT_LEAST, anchoredEntries) + 1);
  let before = from === 1 ? CHAIN_START : tables.entry(from - 1)?.chain;
  for (let next = from; next <= entries; ) {
    const page = tables.entries(next, PAGE);
    for (const row of page) {
      if (row.seq !== next || before === undefined) throw ledgerCorrupt(`entry ${before === undefined ? next - 1 : next} is missing`);
      if (!equalBytes(row.chain, chainValue(before, row.seq, row.kind, row.at, row.body))) throw ledgerCorrupt(`entry ${row.seq}: its chain value does not follow from what it holds and from the entry before it`);
      checkDerived(tables, decodeEntry(row));
      before = row.chain;
      next++;
    }
    if (page.length === 0) throw ledgerCorrupt(`entry ${next} is missing`);
  }
}

function checkDerived(tables: Tables, entry: Entry): void {
  switch (entry.kind) {
    case 'genesis':
      return;
    case 'intent': {
      const row = tables.intent(entry.seq);
      const { body } = entry;
      if (row === undefined || !sameLineage(row, body) || row.ctr !== body.ctr || !equalBytes(row.licenseId, body.licenseId)) throw wrongIndex(entry);
      return;
    }
    case 'issue':
    case 'void':
      if (tables.intent(entry.body.intent)?.[entry.kind] !== entry.seq || tables.leaf(entry.body.leafIndex) !== entry.seq) throw wrongIndex(entry);
      return;
    case 'release': {
      const first = tables.intent(entry.body.intent)?.release;
      if (first === undefined || first > entry.seq) throw wrongIndex(entry);
      return;
    }
    case 'clock':
      if (!tables.isClock(entry.seq)) throw wrongIndex(entry);
  }
}

function wrongIndex(entry: Entry): Error {
  return ledgerCorrupt(`entry ${entry.seq} (${entry.kind}): the tables beside the record say otherwise than the record`);
}
