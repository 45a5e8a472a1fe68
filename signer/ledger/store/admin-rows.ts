/** What an entry leaves in the tables `act` and `counter`; the writer writes it, and each check computes it again. */
import { equalBytes } from '../../../formats/bytes.ts';
import type { AdoptBody } from '../entries/admin-entry.ts';
import type { Entry } from '../entries/entry.ts';
import { ledgerCorrupt } from '../entries/errors.ts';
import { sameLineage } from '../entries/lineage.ts';
import { type AdminRow, type CounterRow, decodeEntry } from './rows.ts';
import type { Tables } from './tables.ts';

/** Of genesis and of all daily entries: none. */
export function adminRowOf(entry: Entry): AdminRow | undefined {
  const { seq } = entry;
  if (entry.kind === 'close')
    return { seq, kind: 'close', sub: entry.body.sub ?? '', skip: 0, floor: 0, boundIncrease: 0 };
  if (entry.kind !== 'adopt') return undefined;
  const { body } = entry;
  switch (body.act) {
    case 'log':
      return {
        seq,
        kind: body.closed ? 'closed-log' : 'log',
        sub: '',
        skip: body.skip,
        floor: 0,
        boundIncrease: body.skip + body.highest,
      };
    case 'import':
      return { seq, kind: 'import', sub: body.sub ?? '', skip: 0, floor: body.floor, boundIncrease: body.highest };
    case 'anchor':
    case 'keyset-signing':
    case 'keyset':
      return { seq, kind: body.act, sub: '', skip: 0, floor: 0, boundIncrease: 0 };
    case 'reopen':
      return { seq, kind: 'reopen', sub: body.sub ?? '', skip: 0, floor: 0, boundIncrease: 0 };
    default:
      return undefined;
  }
}

/**
 * @param skip of the log that contains the entry: what was lost may have been issued after the licenses that came
 * back
 */
export function counterRowOf(entry: Entry, skip: number): CounterRow | undefined {
  if (entry.kind !== 'adopt') return undefined;
  const { seq, body } = entry;
  if (body.act === 'counter')
    return {
      seq,
      aud: body.aud,
      sub: body.sub,
      ...(body.dep === undefined ? {} : { dep: body.dep }),
      ctr: body.ctr,
      licenseId: undefined,
    };
  if (body.act !== 'license') return undefined;
  const { aud, sub, dep, ctr, licenseId } = body.license;
  return { seq, aud, sub, ...(dep === undefined ? {} : { dep }), ctr: ctr + skip, licenseId };
}

export function sameAdminRow(a: AdminRow | undefined, b: AdminRow | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.seq === b.seq &&
    a.kind === b.kind &&
    a.sub === b.sub &&
    a.skip === b.skip &&
    a.floor === b.floor &&
    a.boundIncrease === b.boundIncrease
  );
}

export function sameCounter(a: CounterRow | undefined, b: CounterRow | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const sameId =
    a.licenseId === undefined || b.licenseId === undefined
      ? a.licenseId === b.licenseId
      : equalBytes(a.licenseId, b.licenseId);
  return a.seq === b.seq && sameLineage(a, b) && a.ctr === b.ctr && sameId;
}

/**
 * The highest version of the keyset that a root key of this site may have signed, or that is published. The anchor has
 * it too, so that a restored ledger knows up to which version its root keys sign nothing.
 */
export interface KeysetMark {
  /** Absent for none. */
  readonly keysetVersion?: number;
}

/** What one act says of it; 0 for nothing. */
export function keysetVersionOf(body: AdoptBody): number {
  switch (body.act) {
    case 'keyset-signing':
    case 'keyset':
      return body.version;
    case 'log':
      return body.keysetVersion ?? 0;
    default:
      return 0;
  }
}

export function markOf(version: number): KeysetMark {
  return version === 0 ? {} : { keysetVersion: version };
}

/** Up to an entry. */
export function keysetMarkAt(tables: Pick<Tables, 'adminRows' | 'entry'>, seq: number): KeysetMark {
  const rows = tables.adminRows().filter((row) => row.seq <= seq);
  // Published versions ascend, and are large: the last one is enough.
  const published = rows.findLast(({ kind }) => kind === 'keyset');
  const small = rows.filter(({ kind }) => kind === 'keyset-signing' || kind === 'log' || kind === 'closed-log');
  const versions = [...small, ...(published === undefined ? [] : [published])].map((row) =>
    versionInEntry(tables, row.seq),
  );
  return markOf(Math.max(0, ...versions));
}

function versionInEntry(tables: Pick<Tables, 'entry'>, seq: number): number {
  const row = tables.entry(seq);
  const entry = row === undefined ? undefined : decodeEntry(row);
  if (entry?.kind !== 'adopt') throw ledgerCorrupt(`entry ${seq} is not the act that its index says`);
  return keysetVersionOf(entry.body);
}
