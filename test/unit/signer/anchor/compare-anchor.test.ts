import { describe, expect, it } from 'vitest';
import { VtlicError } from '../../../../formats/error.ts';
import { compareAnchor } from '../../../../signer/anchor/compare-anchor.ts';
import type { AnchorRecord } from '../../../../signer/anchor/anchor.ts';
import type { Ledger } from '../../../../signer/ledger/ledger.ts';
import { issueNext, newWriter } from '../ledger/ledger-fixture.ts';

function recordOf(ledger: Ledger): AnchorRecord {
  return { ledgerId: ledger.genesis.ledgerId, ...ledger.head() };
}

function verdict(ledger: Ledger, ...records: readonly AnchorRecord[]): string {
  try {
    const { state, anchor } = compareAnchor(ledger, records, { description: 'the anchor', whenMissing: 'look for it' });
    return `${state} ${anchor.entries}`;
  } catch (error) {
    if (error instanceof VtlicError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe('an anchor', () => {
  it('is current, behind, or one of two', async () => {
    const { ledger } = await newWriter();
    const genesis = recordOf(ledger);
    issueNext(ledger);
    const first = recordOf(ledger);
    expect(verdict(ledger, first)).toBe('current 3');
    issueNext(ledger);
    expect(verdict(ledger, first)).toBe('ahead 3');
    expect(verdict(ledger, genesis, first)).toBe('ahead 3');
    expect(verdict(ledger, first, genesis)).toBe('ahead 3');
    expect(verdict(ledger, recordOf(ledger), first)).toBe('current 5');
  });

  it('is refused when it contradicts the ledger in any part', async () => {
    const { ledger } = await newWriter();
    issueNext(ledger);
    issueNext(ledger);
    const record = recordOf(ledger);
    const other = new Uint8Array(32).fill(9);
    expect(verdict(ledger, { ...record, chain: other })).toContain(
      'ledger_rolled_back: the ledger does not match the anchor: entry 5 differs',
    );
    expect(verdict(ledger, { ...record, root: other })).toContain('differs');
    expect(verdict(ledger, { ...record, size: 1 })).toContain('differs');
    expect(verdict(ledger, { ...record, size: 3 })).toContain('differs');
    expect(verdict(ledger, { ...record, entries: 4 })).toContain('differs');
    expect(verdict(ledger, { ...record, entries: 6 })).toContain(
      'ledger_rolled_back: the ledger is older than its anchor: it ends with entry 5, and the anchor has seen entry 6',
    );
    expect(verdict(ledger, { ...record, ledgerId: new Uint8Array(16) })).toContain(
      'belongs to another ledger (00000000000000000000000000000000)',
    );
    expect(verdict(ledger, record, { ...record, entries: 3 })).toContain('differs');
    expect(verdict(ledger)).toContain('the anchor is missing');
  });
});
