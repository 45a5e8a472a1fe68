import { toHex } from '../../../formats/bytes.ts';

/**
 * The log's name, the first line of its C2SP checkpoints (c2sp.org/tlog-checkpoint): like a URL without a scheme, unique by the
 * ledger's random id. Ids hold neither blanks nor a plus sign, which the name of a note's key must not have.
 */
export function logOrigin(iss: string, ledgerId: Uint8Array): string {
  return `${iss}/vtlic-ledger/${toHex(ledgerId)}`;
}
