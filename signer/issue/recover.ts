/**
 * What a start does before anything new: finishes what a crash left, with no hand.
 *
 * An intent without an issue is void, always: a hedged signature made again would be a second file for one counter.
 * An issue without a release is anchored, and its stored bytes go out.
 */
import { armor } from '../../formats/armor.ts';
import { utf8 } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { uuidFromBytes } from '../../formats/license/id.ts';
import type { Ledger, LicenseRecord } from '../ledger/ledger.ts';
import { lineageText } from '../ledger/lineage.ts';
import type { World } from '../world.ts';
import { anchorIssued } from './anchor-issued.ts';
import { release } from './release.ts';
import type { IssuedLicense, ReleasedLicense } from './stages.ts';

/** An issued license as the ledger holds it, ready to go out once more. */
export function issuedFromRecord(record: LicenseRecord): IssuedLicense {
  if (record.issue === undefined) throw new VtlicError('internal', 'this counter has no license');
  return Object.freeze({ stage: 'issued', intent: record.intent, issue: record.issue, file: utf8(armor('VTLIC', record.issue.body.cose)) });
}

export async function recover(ledger: Ledger, siteFolder: string, world: World): Promise<readonly ReleasedLicense[]> {
  const plan = ledger.recoveryPlan();
  for (const { intent } of plan.voids) {
    ledger.void_(intent.seq, 'crash');
    world.tell(`recovered: counter ${intent.body.ctr} of ${lineageText(intent.body)} was reserved by a run that stopped before it signed or recorded a license; it is void`);
  }
  if (isBehind(ledger)) await ledger.anchor();
  const released: ReleasedLicense[] = [];
  for (const anchored of await anchorIssued(ledger, plan.releases.map(issuedFromRecord))) {
    const { intent } = anchored.issued;
    const done = await release(ledger, siteFolder, anchored, world);
    world.tell(`recovered: license ${uuidFromBytes(intent.body.licenseId)} (counter ${intent.body.ctr} of ${lineageText(intent.body)}) was signed by a run that stopped before its file was recorded as released; ${done.written ? 'its file is written now' : 'its file stood there already'}: ${intent.body.path}`);
    released.push(done);
  }
  await world.step('recovered');
  return released;
}

/** That files were released needs no anchor: they would be found. An anchor in a token is worn by each change, so that a start makes none for it. */
function isBehind(ledger: Ledger): boolean {
  for (const entry of ledger.entriesFrom(ledger.anchored.entries + 1)) if (entry.kind !== 'release') return true;
  return false;
}
