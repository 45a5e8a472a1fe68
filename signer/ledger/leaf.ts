/**
 * What a leaf of the tree commits to. The salt is random and stays in the ledger, so the hashes of other customers'
 * leaves in a proof tell nothing, not even to someone who can guess the license.
 */
import { fromHex } from '../../formats/bytes.ts';
import { encodeCbor } from '../../formats/cbor/encode.ts';
import { VtlicError } from '../../formats/error.ts';
import type { IntentBody, IssueBody, VoidBody } from './entry.ts';
import { sha256 } from './sha256.ts';

const DOMAIN = 'vtlic-ledger-leaf/1';

/** CBOR `[domain, "issue", salt, license id, counter, SHA-256 of payload, SHA-256 of COSE bytes, kid]`. */
export function issueLeaf(intent: IntentBody, issue: IssueBody): Uint8Array {
  const kid = fromHex(intent.kid);
  if (kid === undefined) throw new VtlicError('internal', 'a kid is hex digits');
  return encodeCbor([DOMAIN, 'issue', issue.salt, intent.licenseId, intent.ctr, sha256(intent.payload), sha256(issue.cose), kid]);
}

/** CBOR `[domain, "void", salt, license id, counter, SHA-256 of payload, reason]`. */
export function voidLeaf(intent: IntentBody, voided: VoidBody): Uint8Array {
  return encodeCbor([DOMAIN, 'void', voided.salt, intent.licenseId, intent.ctr, sha256(intent.payload), voided.reason]);
}
