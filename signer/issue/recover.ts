/**
 * Crash recovery: before anything else, each start finishes or voids the issues that were interrupted, without asking
 * anybody.
 *
 * An intent without an issue is void, always: a hedged signature made again would be a second file for one counter.
 * An issue without a release is anchored, and its stored bytes go out. A license whose file cannot be written is
 * reported and waits; the others go on.
 */
import { groupDigits } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { uuidFromBytes } from '../../formats/license/id.ts';
import { type Ledger, type LicenseRecord, lineageText } from '../ledger/index.ts';
import type { Site } from '../site/site.ts';
import type { Runtime } from '../runtime.ts';
import { anchorIssued, type ReleasedLicense, tryRelease } from './pipeline.ts';
import { storedLicense } from './stored-license.ts';

export async function recover(ledger: Ledger, site: Site, runtime: Runtime): Promise<readonly ReleasedLicense[]> {
  const plan = ledger.recoveryPlan();
  // The licenses are checked before anything is written, so that nothing is added to a ledger that contradicts itself.
  const stored = plan.releases.map((record) => storedLicense(ledger, record, site));
  if (plan.voids.length > 0) {
    ledger.group(() => {
      for (const { intent } of plan.voids) ledger.void_(intent.seq, 'crash');
    });
    runtime.tell(voidsInWords(plan.voids));
  }
  if (plan.anchor) await ledger.anchor();
  const released: ReleasedLicense[] = [];
  const waiting: VtlicError[] = [];
  for (const anchored of await anchorIssued(ledger, stored)) {
    const done = await tryRelease(ledger, site.paths.folder, anchored, runtime);
    if (done instanceof VtlicError) waiting.push(done);
    else released.push(done);
  }
  if (released.length > 0) runtime.tell(releasesInWords(released));
  for (const error of waiting.slice(0, MAX_NAMED)) runtime.tell(waitingInWords(error));
  if (waiting.length > MAX_NAMED)
    runtime.tell(`waiting: ${groupDigits(waiting.length - MAX_NAMED)} more licenses whose files cannot be written`);
  await runtime.step('recovered');
  return released;
}

/** At most this many waiting licenses are named; the rest are counted. */
const MAX_NAMED = 3;

function voidsInWords(voids: readonly LicenseRecord[]): string {
  const [first] = voids;
  if (first !== undefined && voids.length === 1)
    return (
      `recovered: counter ${first.intent.body.ctr} of ${lineageText(first.intent.body)} was reserved by a run that ` +
      'stopped before it signed or recorded a license; it is void'
    );
  return (
    `recovered: ${groupDigits(voids.length)} counters were reserved by a run that stopped before it signed or ` +
    'recorded a license; they are void'
  );
}

function releasesInWords(released: readonly ReleasedLicense[]): string {
  const [first] = released;
  if (first !== undefined && released.length === 1) {
    const { body } = first.issued.intent;
    return (
      `recovered: license ${uuidFromBytes(body.licenseId)} (counter ${body.ctr} of ${lineageText(body)}) was signed ` +
      'by a run that stopped before its file was recorded as released; ' +
      `${first.written ? 'its file is written now' : 'its file existed already'}: ${body.path}`
    );
  }
  const written = released.filter((license) => license.written).length;
  return (
    `recovered: ${groupDigits(released.length)} licenses were signed by a run that stopped before their files were ` +
    `recorded as released; ${groupDigits(written)} files are written now, ` +
    `${groupDigits(released.length - written)} existed already`
  );
}

function waitingInWords({ message, place, hint }: VtlicError): string {
  return `waiting: ${place.file ?? 'a file'}: ${message}; ${hint ?? ''}`;
}
