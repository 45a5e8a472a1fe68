/** The renewals of licenses that run out: for how long they are, and that a table carries them unchanged to a batch. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../../formats/bytes.ts';
import { csvRow } from '../../../../formats/csv.ts';
import { addYears, formatEnd } from '../../../../formats/dates.ts';
import { VtlicError } from '../../../../formats/error.ts';
import { PERPETUAL_EXP } from '../../../../formats/license/bounds.ts';
import type { License } from '../../../../formats/license/license.ts';
import { columnsFor, notInTable, rowOf } from '../../../../signer/batch/csv-columns.ts';
import { readRows } from '../../../../signer/batch/read-rows.ts';
import { rowDigest } from '../../../../signer/batch/plan-row.ts';
import { renewedFor } from '../../../../signer/renew/due.ts';
import type { Request } from '../../../../signer/request/request.ts';
import { license } from '../../../property/formats/arbitraries.ts';

const seconds = (text: string): number => Date.parse(text) / 1000;
const NOW = seconds('2027-06-15T12:00:00Z');
const last: License = {
  iss: 'example-vendor',
  sub: 'acme-gmbh',
  aud: 'vaultdesk',
  iat: NOW,
  nbf: seconds('2026-07-01T00:00:00Z'),
  exp: seconds('2027-07-01T00:00:00Z'),
  cti: '01936f2a-0c1d-7b3e-8a4f-5d6e7f809112',
  ctr: 4,
  tier: 'team',
  seats: 100,
  features: [],
  limits: {},
};

describe('a license for some years more', () => {
  it.each<[string, Partial<License>, number, string, string]>([
    ['from where the last one ends', {}, 1, '2027-07-01', '2028-06-30'],
    ['for three years', {}, 3, '2027-07-01', '2030-06-30'],
    ['of the last day of February', { exp: seconds('2028-03-01T00:00:00Z') }, 1, '2028-03-01', '2029-02-28'],
    ['that ends in a leap year on the 28th', { exp: seconds('2028-02-29T00:00:00Z') }, 1, '2028-02-29', '2029-02-28'],
    ['that has ended, from today', { exp: seconds('2027-06-01T00:00:00Z') }, 1, '2027-06-15', '2028-05-31'],
    ['that ended years ago', { exp: seconds('2020-06-01T00:00:00Z') }, 1, '2027-06-15', '2028-06-14'],
    ['that ends at an instant', { exp: seconds('2027-07-01T08:00:00Z') }, 1, '', '2028-07-01T08:00:00Z'],
  ])('renews a license %s', (_, change, years, from, until) => {
    const request = renewedFor({ ...last, ...change }, years, NOW);
    expect(formatEnd(request.until)).toBe(until);
    if (from !== '') expect(request.from).toBe(seconds(`${from}T00:00:00Z`));
  });

  it('takes the window of updates along, of a perpetual license too', () => {
    const upd = seconds('2027-07-01T00:00:00Z');
    expect(renewedFor({ ...last, upd }, 1, NOW).updatesUntil).toBe(addYears(upd, 1));
    const perpetual = renewedFor({ ...last, exp: PERPETUAL_EXP, upd }, 1, NOW);
    expect([perpetual.until, perpetual.updatesUntil]).toEqual([PERPETUAL_EXP, addYears(upd, 1)]);
  });

  it('is refused where it would end after the last year that a license can say', () => {
    expect(() => renewedFor({ ...last, exp: seconds('9999-07-01T00:00:00Z') }, 1, NOW)).toThrow('would end after 9999');
  });
});

describe('a table of requests', () => {
  function readBack(requests: readonly Request[]): readonly (Request | readonly VtlicError[])[] {
    const columns = columnsFor(requests);
    const text = [csvRow(columns), ...requests.map((request) => csvRow(rowOf(request, columns)))].join('');
    return [...readRows('csv', [utf8(text)], 'season.csv')].map(({ content }) => content);
  }

  /** A license as requests make them: grace in whole days, and texts in `ext`. */
  const fromRequest = license.map(({ grace, ext = {}, ...rest }): License => {
    const texts = Object.entries(ext).filter(([, value]) => typeof value === 'string');
    return {
      ...rest,
      ...(grace === undefined ? {} : { grace: grace - (grace % 86_400) }),
      ...(texts.length === 0 ? {} : { ext: Object.fromEntries(texts) }),
    };
  });

  it('is read back as the same requests, whatever the licenses say', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        fc.array(fc.oneof(license, fromRequest), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 5 }),
        (all, years) => {
          const requests = all.flatMap((one): Request[] => {
            try {
              const request = renewedFor(one, years, NOW);
              return notInTable(request) === undefined ? [request] : [];
            } catch (error) {
              if (error instanceof VtlicError && error.code === 'request_invalid') return [];
              throw error;
            }
          });
          const back = readBack(requests);
          expect(back.length).toBe(Math.max(requests.length, requests.length === 0 ? back.length : 0));
          requests.forEach((request, i) => {
            const content = back[i];
            if (content !== undefined && 'customer' in content) {
              expect(rowDigest(content)).toEqual(rowDigest(request));
              compared++;
            } else {
              // A license of an earlier version may have a text that no request may have.
              for (const fault of content ?? []) expect(fault.place.field).toMatch(/^(?:name|reference)$/);
            }
          });
        },
      ),
      { numRuns: 400 },
    );
    expect(compared).toBeGreaterThan(100);
  });
});
