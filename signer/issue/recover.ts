/**
 * What a start does before anything new: it finishes what a crash left, without asking anybody.
 *
 * An intent without an issue is void, always: a hedged signature made again would be a second file for one counter.
 * An issue without a release is anchored, and its stored bytes go out.
 */
import { uuidFromBytes } from '../../formats/license/id.ts';
import { type Ledger, lineageText } from '../ledger/index.ts';
import type { Site } from '../site/site.ts';
import type { Runtime } from '../runtime.ts';
import { anchorIssued, release, type ReleasedLicense } from './pipeline.ts';
import { storedLicense } from './stored-license.ts';

export async function recover(ledger: Ledger, site: Site, runtime: Runtime): Promise<readonly ReleasedLicense[]> {
  const plan = ledger.recoveryPlan();
  // Checked before anything is written: nothing is added to a ledger that contradicts itself.
  const stored = plan.releases.map((record) => storedLicense(ledger, record, site));
  for (const { intent } of plan.voids) {
    ledger.void_(intent.seq, 'crash');
    runtime.tell(
      `recovered: counter ${intent.body.ctr} of ${lineageText(intent.body)} was reserved by a run that stopped ` +
        'before it signed or recorded a license; it is void',
    );
  }
  if (plan.anchor) await ledger.anchor();
  const released: ReleasedLicense[] = [];
  for (const anchored of await anchorIssued(ledger, stored)) {
    const { intent } = anchored.issued;
    const done = await release(ledger, site.paths.folder, anchored, runtime);
    runtime.tell(
      `recovered: license ${uuidFromBytes(intent.body.licenseId)} (counter ${intent.body.ctr} of ` +
        `${lineageText(intent.body)}) was signed by a run that stopped before its file was recorded as released; ` +
        `${done.written ? 'its file is written now' : 'its file stood there already'}: ${intent.body.path}`,
    );
    released.push(done);
  }
  await runtime.step('recovered');
  return released;
}
