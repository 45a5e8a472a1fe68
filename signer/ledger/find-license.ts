/**
 * Finds licenses in the record: the intent of a row with its outcome, the newest license of a lineage or of a customer
 * (issued by this record, or entered again when it was restored), and the leaf of a license.
 */
import { uuidFromBytes } from '../../formats/license/id.ts';
import { VtlicError } from '../../formats/error.ts';
import { issueLeaf, reenteredLeaf, voidLeaf } from './tree/leaf.ts';
import type { AdoptEntry, Entry } from './entries/entry.ts';
import { ledgerCorrupt } from './entries/errors.ts';
import { type CounterOf, type Lineage, lineageText } from './entries/lineage.ts';
import type { LedgerView, LicenseRecord, LineageState, LogInfo } from './ledger.ts';
import { decodeEntry, type IntentRow } from './store/rows.ts';
import type { Tables } from './store/tables.ts';

/** @throws VtlicError `ledger_corrupt` if the entry is missing or of another kind */
export function entryOfKind<K extends Entry['kind']>(
  tables: Tables,
  kind: K,
  seq: number,
): Extract<Entry, { readonly kind: K }> {
  const row = tables.entry(seq);
  const entry = row === undefined ? undefined : decodeEntry(row);
  if (entry?.kind !== kind) {
    const found = entry === undefined ? 'missing' : `of kind ${entry.kind}`;
    throw ledgerCorrupt(`entry ${seq} should be of kind ${kind}, but it is ${found}`);
  }
  return entry as Extract<Entry, { readonly kind: K }>;
}

/** The intent of a row with its outcome, each read from its own entry. */
export function licenseRecord(tables: Tables, row: IntentRow): LicenseRecord {
  const intent = entryOfKind(tables, 'intent', row.seq);
  const issue = row.issue === undefined ? undefined : entryOfKind(tables, 'issue', row.issue);
  const voided = row.void === undefined ? undefined : entryOfKind(tables, 'void', row.void);
  const release = row.release === undefined ? undefined : entryOfKind(tables, 'release', row.release);
  for (const entry of [issue, voided, release]) {
    if (entry !== undefined && entry.body.intent !== row.seq)
      throw ledgerCorrupt(`entry ${entry.seq} (${entry.kind}) belongs to another intent than its index row says`);
  }
  return Object.freeze({
    state: release !== undefined ? 'released' : issue !== undefined ? 'issued' : voided !== undefined ? 'void' : 'open',
    intent,
    ...(issue === undefined ? {} : { issue }),
    ...(voided === undefined ? {} : { void: voided }),
    ...(release === undefined ? {} : { release }),
  });
}

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

/**
 * The finished license as the record contains it: issued here, or entered again by a restore; undefined where there is
 * none.
 */
export function issuedCose(ledger: LedgerView, licenseId: Uint8Array): Uint8Array | undefined {
  const again = ledger.findReentered(licenseId)?.body;
  return again?.act === 'license' ? again.cose : ledger.findByLicenseId(licenseId)?.issue?.body.cose;
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

export interface FoundLeaf {
  readonly log: LogInfo;
  readonly index: number;
  /** What is hashed. */
  readonly data: Uint8Array;
  readonly kind: 'issued' | 'void';
  /** Where the license was released, relative to the site; of one that was issued here. */
  readonly path: string | undefined;
}

/** @throws VtlicError `request_invalid` where there is no leaf of that license */
export function findLeaf(ledger: LedgerView, licenseId: Uint8Array): FoundLeaf {
  const again = ledger.findReentered(licenseId);
  if (again?.body.act === 'license') {
    return {
      log: logAt(ledger, again.seq),
      index: again.body.leafIndex,
      data: reenteredLeaf(again.body),
      kind: 'issued',
      path: undefined,
    };
  }
  const record = ledger.findByLicenseId(licenseId);
  if (record?.issue !== undefined) {
    return {
      log: logAt(ledger, record.issue.seq),
      index: record.issue.body.leafIndex,
      data: issueLeaf(record.intent.body, record.issue.body),
      kind: 'issued',
      path: record.intent.body.path,
    };
  }
  if (record?.void !== undefined)
    return {
      log: logAt(ledger, record.void.seq),
      index: record.void.body.leafIndex,
      data: voidLeaf(record.intent.body, record.void.body),
      kind: 'void',
      path: undefined,
    };
  throw new VtlicError('request_invalid', `the ledger has no license ${uuidFromBytes(licenseId)}`, {
    hint: 'it may be of another ledger, or not finished: vtlic ledger status',
  });
}

function logAt(ledger: LedgerView, seq: number): LogInfo {
  const log = ledger.logs().findLast((candidate) => candidate.entry <= seq);
  if (log === undefined) throw new VtlicError('internal', `entry ${seq} is in no log`);
  return log;
}
