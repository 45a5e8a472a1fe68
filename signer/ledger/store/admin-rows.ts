/** What an entry leaves in the tables `act` and `counter`; the writer writes it, and each check computes it again. */
import { equalBytes } from '../../../formats/bytes.ts';
import type { Entry } from '../entries/entry.ts';
import { sameLineage } from '../entries/lineage.ts';
import type { AdminRow, CounterRow } from './rows.ts';

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
 * @param skip of the log in which the entry stands: what was lost may have been issued after the licenses that came
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
