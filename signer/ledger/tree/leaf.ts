/**
 * What a leaf of the tree commits to. The salt is random and stays in the ledger, so the hashes of other customers'
 * leaves in a proof reveal nothing, even to somebody who can guess the license.
 */
import { type CborValue, encodeCbor } from '../../../formats/cbor/index.ts';
import type { NewLogBody, ReenteredBody } from '../entries/admin-entry.ts';
import type { LedgerHead } from '../../anchor/index.ts';
import type { IntentBody, IssueBody, VoidBody } from '../entries/entry.ts';
import { bytesOfKid, sha256 } from '../entries/chain.ts';

export const LEAF_DOMAIN = 'vtlic-ledger-leaf/1';

/** CBOR `[domain, "issue", salt, license id, counter, SHA-256 of payload, SHA-256 of COSE bytes, kid]`. */
export function issueLeaf(
  intent: Pick<IntentBody, 'licenseId' | 'ctr' | 'payload' | 'kid'>,
  issue: Pick<IssueBody, 'salt' | 'cose'>,
): Uint8Array {
  return encodeCbor([
    LEAF_DOMAIN,
    'issue',
    issue.salt,
    intent.licenseId,
    intent.ctr,
    sha256(intent.payload),
    sha256(issue.cose),
    bytesOfKid(intent.kid),
  ]);
}

/** CBOR `[domain, "void", salt, license id, counter, SHA-256 of payload, reason]`. */
export function voidLeaf(intent: IntentBody, voided: VoidBody): Uint8Array {
  return encodeCbor([
    LEAF_DOMAIN,
    'void',
    voided.salt,
    intent.licenseId,
    intent.ctr,
    sha256(intent.payload),
    voided.reason,
  ]);
}

/**
 * CBOR `[domain, "log", salt, origin, restored, found]`, each of the two being `[entries, log id, size, root,
 * counter bound, closes, chain]`, with the highest version of the keyset at the end where there is one, and `found` the
 * empty array where the anchor was lost.
 */
export function newLogLeaf(opened: NewLogBody): Uint8Array {
  return encodeCbor([
    LEAF_DOMAIN,
    'log',
    opened.salt,
    opened.origin,
    headArray(opened.restored),
    opened.found === undefined ? [] : headArray(opened.found),
  ]);
}

function headArray(head: LedgerHead): CborValue {
  const { entries, logId, size, root, counterBound, closes, chain, keysetVersion } = head;
  const version = keysetVersion === undefined ? [] : [keysetVersion];
  return [entries, logId, size, root, counterBound, closes, chain, ...version];
}

/** As an issued license's: it is one, that the lost part of the record had issued. */
export function reenteredLeaf({ license, salt, cose }: ReenteredBody): Uint8Array {
  return issueLeaf(license, { salt, cose });
}
