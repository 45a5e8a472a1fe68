/** A customer's history, from the bytes that were signed. */
import { toHex } from '../../formats/bytes.ts';
import { uuidFromBytes } from '../../formats/license/id.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import type { License } from '../../formats/license/license.ts';
import type { AdoptEntry } from './entries/entry.ts';
import type { LedgerView, LicenseRecord, LicenseState } from './ledger.ts';
import type { Lineage } from './entries/lineage.ts';

const PAGE = 256;

export interface HistoryLine {
  /** `reentered`: issued by a part of the record that was lost, and entered again by a restore. */
  readonly state: LicenseState | 'reentered';
  readonly license: License;
  readonly id: string;
  readonly kid: string;
  readonly custody?: string;
  readonly operator?: string;
  /** Seconds; the times of the entries. */
  readonly intendedAt: number;
  readonly issuedAt?: number;
  readonly releasedAt?: number;
  readonly voidReason?: string;
  readonly path?: string;
}

export interface LineageHistory {
  readonly lineage: Lineage;
  /** The counter that comes next; undefined where its counters were handed over. */
  readonly next: number | undefined;
  /** Oldest first. */
  readonly lines: readonly HistoryLine[];
}

/** Empty for a customer that the ledger never saw. */
export function customerHistory(ledger: LedgerView, sub: string): readonly LineageHistory[] {
  const histories: LineageHistory[] = [];
  for (let after: Lineage = { sub, aud: '' }; ;) {
    const page = ledger.knownLineages({ limit: PAGE, after });
    for (const lineage of page) {
      if (lineage.sub !== sub) return Object.freeze(histories);
      const next = ledger.closedBy(sub) === undefined ? ledger.nextCounter(lineage) : undefined;
      histories.push(Object.freeze({ lineage, next, lines: Object.freeze(allOf(ledger, lineage)) }));
    }
    after = page.at(-1) ?? after;
    if (page.length < PAGE) return Object.freeze(histories);
  }
}

/**
 * The ledger that has the licenses of a customer whose counters were taken over from it.
 *
 * @returns its id, hex; undefined for any other customer
 */
export function takenOverFrom(ledger: LedgerView, sub: string): string | undefined {
  if (!customerHistory(ledger, sub).some(({ lines }) => lines.length === 0)) return undefined;
  let from: string | undefined;
  for (const { kind, body } of ledger.adminEntries())
    if (kind === 'adopt' && body.act === 'import' && (body.sub === undefined || body.sub === sub))
      from = toHex(body.ledgerId);
  return from;
}

function allOf(ledger: LedgerView, lineage: Lineage): HistoryLine[] {
  const lines: HistoryLine[] = [];
  for (let below: number | undefined; ;) {
    const page = ledger.historyOf(lineage, { limit: PAGE, ...(below === undefined ? {} : { below }) });
    lines.push(...page.map(lineOf));
    below = page.at(-1)?.intent.body.ctr;
    if (page.length < PAGE) break;
  }
  lines.push(...ledger.reenteredOf(lineage).flatMap(reenteredLine));
  return lines.sort((a, b) => a.license.ctr - b.license.ctr);
}

function reenteredLine({ at, body }: AdoptEntry): HistoryLine[] {
  if (body.act !== 'license') return [];
  const { payload, licenseId, kid } = body.license;
  return [
    Object.freeze({
      state: 'reentered',
      license: decodeLicense(payload),
      id: uuidFromBytes(licenseId),
      kid,
      intendedAt: at,
    }),
  ];
}

function lineOf({ state, intent, issue, void: voided, release }: LicenseRecord): HistoryLine {
  const { body } = intent;
  return Object.freeze({
    state,
    license: decodeLicense(body.payload),
    id: uuidFromBytes(body.licenseId),
    kid: body.kid,
    custody: body.custody,
    operator: body.operator,
    intendedAt: intent.at,
    ...(issue === undefined ? {} : { issuedAt: issue.at }),
    ...(release === undefined ? {} : { releasedAt: release.at }),
    ...(voided === undefined ? {} : { voidReason: voided.body.reason }),
    path: body.path,
  });
}
