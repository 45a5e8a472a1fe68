/**
 * Reads a license from the ledger to release it again. The stored bytes may have been changed since they were signed,
 * so they are checked again first: by the chain, by the tree that the anchor covers, and by the verifier.
 */
import { armor } from '../../formats/armor.ts';
import { equalBytes } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { uuidFromBytes } from '../../formats/license/id.ts';
import { defaultProvider } from '../../keys/public/provider-default.ts';
import {
  chainValue,
  findLeaf,
  inclusionHolds,
  type IntentEntry,
  type IssueEntry,
  leafHash,
  type Ledger,
  ledgerCorrupt,
  type LicenseRecord,
  makeBody,
} from '../ledger/index.ts';
import type { Site } from '../site/site.ts';
import { makeSelfCheck } from './self-check.ts';
import type { IssuedLicense } from './pipeline.ts';

/**
 * @throws VtlicError `ledger_corrupt` if the stored bytes are not those that were issued; `key_not_found` if the site
 *   has no key to verify them with; `ledger_conflict` if a restore withholds the license
 */
export function storedLicense(ledger: Ledger, record: LicenseRecord, site: Site): IssuedLicense {
  const { intent, issue } = record;
  if (issue === undefined) throw new VtlicError('internal', 'this counter has no license');
  const id = uuidFromBytes(intent.body.licenseId);
  const restored = ledger.withheldBy(record);
  if (restored !== undefined)
    throw new VtlicError(
      'ledger_conflict',
      `license ${id} was signed, and not released, before the restore in entry ${restored}: another copy of this ` +
        `ledger may have released another license with its counter ${intent.body.ctr}, so it is never released`,
      { file: ledger.path, hint: 'issue the license anew: it gets a counter that no lost license can have' },
    );
  const key = site.config.keys.find(
    (candidate) => candidate.purpose === 'license' && candidate.publicKey.kid === intent.body.kid,
  );
  if (key === undefined) {
    throw new VtlicError(
      'key_not_found',
      `the license ${id} was signed by the key ${intent.body.kid}, which this site does not have, so ` +
        'the stored license cannot be verified and is not released',
      {
        file: site.paths.site,
        hint: "put the key's record back into site.json",
      },
    );
  }
  const file = armor('VTLIC', issue.body.cose);
  const fault =
    entryFault(ledger, intent) ??
    entryFault(ledger, issue) ??
    leafFault(ledger, intent.body.licenseId) ??
    makeSelfCheck(key.publicKey, defaultProvider)({ file, cose: issue.body.cose, payload: intent.body.payload });
  if (fault !== undefined)
    throw ledgerCorrupt(
      `its record of license ${id} (entry ${issue.seq}) is not what was issued: ${fault}; its file was not written`,
      { file: ledger.path },
    );
  return Object.freeze({ stage: 'issued', intent, issue, file });
}

function entryFault(ledger: Ledger, entry: IntentEntry | IssueEntry): string | undefined {
  const before = ledger.entry(entry.seq - 1);
  const body = entry.kind === 'intent' ? makeBody('intent', entry.body) : makeBody('issue', entry.body);
  const follows =
    before !== undefined &&
    equalBytes(entry.chain, chainValue(before.chain, entry.seq, entry.kind, entry.at, body.bytes));
  return follows ? undefined : `the chain value of entry ${entry.seq} does not match its content`;
}

/**
 * Uses the root of the anchor if it covers the leaf: the anchor is outside the folder of the ledger.
 */
function leafFault(ledger: Ledger, licenseId: Uint8Array): string | undefined {
  const { log, index, data } = findLeaf(ledger, licenseId);
  const { anchored } = ledger;
  const covered = equalBytes(anchored.logId, log.logId) && index < anchored.size;
  const size = covered ? anchored.size : log.size;
  const root = covered ? anchored.root : ledger.rootAt(size, log.logId);
  const proof = ledger.inclusionProof(index, size, log.logId);
  const included =
    root !== undefined && proof !== undefined && inclusionHolds(leafHash(data), index, size, proof, root);
  return included ? undefined : `it is not leaf ${index} of the tree`;
}
