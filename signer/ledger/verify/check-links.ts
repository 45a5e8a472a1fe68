/** What joins an entry to the one before it, and an intent to its payload: all that can be said without following the record. */
import { equalBytes } from '../../../formats/bytes.ts';
import { chainValue } from '../entries/chain.ts';
import { ledgerCorrupt } from '../entries/errors.ts';
import type { IntentBody } from '../entries/entry.ts';
import { payloadFault } from '../entries/check-intent.ts';
import type { EntryRow } from '../store/rows.ts';

/** @throws VtlicError `ledger_corrupt` */
export function checkChain(before: Uint8Array, { seq, kind, at, body, chain }: EntryRow): void {
  if (!equalBytes(chain, chainValue(before, seq, kind, at, body))) {
    throw ledgerCorrupt(
      `entry ${seq}: its chain value does not follow from what it holds and from the entry before it`,
    );
  }
}

/**
 * @param iss the ledger's issuer
 * @throws VtlicError `ledger_corrupt`
 */
export function checkClaims(iss: string, seq: number, intent: IntentBody): void {
  const fault = payloadFault(iss, intent);
  if (fault !== undefined) throw ledgerCorrupt(`entry ${seq} (intent): ${fault}`);
}
