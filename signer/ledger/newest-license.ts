/**
 * The newest license of a lineage or of each lineage of a customer: issued by this record, or entered again when it
 * was restored.
 */
import { type CounterOf, type Lineage, lineageText } from './entries/lineage.ts';
import type { AdoptEntry } from './entries/entry.ts';
import type { LedgerView, LicenseRecord, LineageState } from './ledger.ts';

const PAGE = 256;

/**
 * What a new license replaces: the one with the highest counter.
 *
 * @param state the lineage's state, where the caller has it
 */
export function newestOfLineage(
  ledger: LedgerView,
  lineage: Lineage,
  state: LineageState | undefined = ledger.lastOfLineage(lineage),
): CounterOf | undefined {
  return newer(state?.lastIssued?.intent.body, ...ledger.reenteredOf(lineage).map(reenteredLicense));
}

/**
 * Of each lineage that has one.
 *
 * @param besides a batch whose licenses are passed over
 */
export function newestOfCustomer(ledger: LedgerView, sub: string, besides?: string): readonly CounterOf[] {
  const found = new Map<string, CounterOf>();
  const take = (license: CounterOf | undefined): void => {
    if (license === undefined) return;
    const key = lineageText(license);
    found.set(key, newer(found.get(key), license) ?? license);
  };
  let after: Lineage | undefined;
  for (;;) {
    const page = ledger.lineages({ sub, limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const { lineage, issued } of page) if (issued > 0) take(lastIssued(ledger, lineage, besides));
    after = page.at(-1)?.lineage;
    if (page.length < PAGE || after === undefined) break;
  }
  for (const entry of ledger.reenteredOfCustomer(sub)) take(reenteredLicense(entry));
  return Object.freeze([...found.values()]);
}

function lastIssued(ledger: LedgerView, lineage: Lineage, besides: string | undefined): CounterOf | undefined {
  const last = ledger.lastOfLineage(lineage)?.lastIssued?.intent.body;
  if (last === undefined || besides === undefined || last.batch?.name !== besides) return last;
  for (let below: number | undefined = last.ctr; below !== undefined;) {
    const page: readonly LicenseRecord[] = ledger.historyOf(lineage, { below, limit: PAGE });
    const found = page.find(({ issue, intent }) => issue !== undefined && intent.body.batch?.name !== besides);
    if (found !== undefined) return found.intent.body;
    below = page.at(-1)?.intent.body.ctr;
  }
  return undefined;
}

export function reenteredLicense({ body }: AdoptEntry): CounterOf | undefined {
  return body.act === 'license' ? body.license : undefined;
}

function newer(...licenses: readonly (CounterOf | undefined)[]): CounterOf | undefined {
  return licenses.reduce(
    (best, license) => (best === undefined || (license !== undefined && license.ctr > best.ctr) ? license : best),
    undefined,
  );
}
