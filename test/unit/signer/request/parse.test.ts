import { describe, expect, it } from 'vitest';
import { type Catalog, parseCatalog } from '../../../../signer/site/catalog.ts';
import { utf8 } from '../../../../formats/bytes.ts';
import type { VtlicError } from '../../../../formats/error.ts';
import { LICENSE_USES, PERPETUAL_EXP } from '../../../../formats/license/bounds.ts';
import { catalogFaults } from '../../../../signer/request/check-against-catalog.ts';
import { combinationFault, type Request } from '../../../../signer/request/request.ts';
import { parseRequest } from '../../../../signer/request/parse.ts';
import { requestDocument } from '../../../support/site-fixture.ts';
import { thrown } from '../../../support/thrown.ts';

const EXAMPLE = requestDocument({ from: '2027-01-01', until: '2027-12-31', features: ['sso', 'audit-export'] });

function parse(text: string): Request {
  return parseRequest(utf8(text), 'request.json');
}

function faultOf(text: string): VtlicError {
  return thrown(() => parse(text));
}

/** The example with one member replaced by raw JSON text. */
function withMember(name: string, json: string): string {
  const rest = Object.entries(EXAMPLE).filter(([key]) => key !== name);
  return `{${rest.map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`).join(', ')}, ${JSON.stringify(name)}: ${json}}`;
}

function without(name: string): string {
  return JSON.stringify(Object.fromEntries(Object.entries(EXAMPLE).filter(([key]) => key !== name)));
}

describe('a request', () => {
  it("is the design's example in frozen form", () => {
    const request = parse(JSON.stringify(EXAMPLE));
    expect(request).toMatchObject({
      customer: 'acme-gmbh',
      seats: 250,
      from: Date.UTC(2027, 0, 1) / 1000,
      until: Date.UTC(2028, 0, 1) / 1000,
      graceSeconds: 30 * 86_400,
      features: ['audit-export', 'sso'],
      limits: { vaults: 50 },
    });
    expect(Object.isFrozen(request)).toBe(true);
  });

  it.each([
    ['seats', '-1', 'at least 0'],
    ['seats', '9007199254740992', '2^53-1'],
    ['seats', '1e3', 'exponent'],
    ['seats', '"250"', 'without the quotes'],
    ['seats', '250.0', 'fraction'],
    ['seats', 'null', 'null'],
    ['seats', '"many"', 'unlimited'],
    ['customer', '"../etc"', 'should be an id'],
    ['customer', '""', 'should be an id'],
    ['customer', '7', 'should be a text'],
    ['from', '"2027-02-30"', 'no day 2027-02-30'],
    ['from', '"2027-13-01"', 'no day'],
    ['from', '"01.01.2027"', 'expected a day'],
    ['from', '"2027-01-01T25:00:00Z"', 'no time'],
    ['from', '"1969-12-31"', 'between 1970'],
    ['until', '"2027-12-31T00:00:00"', 'expected a day'],
    ['until', '"Perpetual"', 'write "perpetual"'],
    ['until', '"9999-12-31"', 'between 1970-01-01 and 9999-12-30'],
    ['updatesUntil', '"2027-11-31"', 'no day'],
    ['updatesUntil', '"perpetual"', 'leave it out'],
    ['updatesUntil', '"9999-12-31"', '9999-12-30'],
    ['updatesUntil', '"1970-01-01T00:00:00Z"', 'it would cover no build'],
    ['updatesUntil', '20271124', 'should be a text'],
    ['use', '"production"', 'leave it out for production'],
    ['use', '"Trial"', 'non-production, trial, emergency'],
    ['use', '""', 'non-production, trial, emergency'],
    ['use', 'true', 'should be a text'],
    ['graceDays', '367', 'at most 366'],
    ['features', '["sso","sso"]', 'second time'],
    ['features', '"sso"', 'should be an array'],
    ['limits', '{"vaults":-1}', 'at least 0'],
    ['limits', '{"a b":1}', 'not an id'],
    ['name', '"Acme\\u001b[31m"', 'no control'],
    ['name', '"Acme \\u202e gmbH"', 'no control'],
    ['name', '"Cafe\\u0301"', 'NFC'],
    ['name', JSON.stringify('x'.repeat(201)), 'at most 200'],
    ['reference', JSON.stringify('x'.repeat(101)), 'at most 100'],
    ['hosts', '[]', '1 to 1024'],
    ['hosts', '["abcd"]', '64 hex digits'],
    ['instances', '0', 'at least 1'],
    ['resetClock', 'false', 'should be true'],
    ['ext', '{}', '1 to 64'],
    ['ext', '{"a": null}', 'should be a text'],
    ['schema', '"vtlic-request/2"', 'vtlic-request/1'],
  ])('is refused with %s = %s: %s', (name, json, words) => {
    const fault = faultOf(withMember(name, json));
    expect(fault.code).toBe('request_invalid');
    expect(`${fault.message} ${fault.hint ?? ''}`).toContain(words);
    expect(fault.place).toMatchObject({ file: 'request.json', line: 1 });
    expect(fault.place.field).toContain(name);
  });

  it.each(['seats', 'customer', 'product', 'tier', 'from', 'until', 'schema'])(
    'is refused without %s, by that name',
    (name) => {
      const fault = faultOf(without(name));
      expect(fault.code).toBe('request_invalid');
      expect(fault.place.field).toBe(name);
    },
  );

  it('names an unknown member, and the one that was meant', () => {
    const fault = faultOf(`{"seat": 3, ${JSON.stringify(EXAMPLE).slice(1)}`);
    expect(fault.code).toBe('request_invalid');
    expect(fault.place).toMatchObject({ field: 'seat', line: 1, column: 2 });
  });

  it('names a mistyped member rather than the one that is missing for it', () => {
    const fault = faultOf(JSON.stringify({ ...EXAMPLE, seats: undefined, seatz: 250 }));
    expect([fault.place.field, fault.hint]).toEqual(['seatz', 'Did you mean "seats"?']);
  });

  it('refuses a repeated member with its line and column, where JSON.parse keeps the last', () => {
    const fault = faultOf(`{"seats": 1,\n ${JSON.stringify(EXAMPLE).slice(1)}`);
    expect(fault.code).toBe('json_malformed');
    expect(fault.place.line).toBe(2);
  });

  it.each([
    ['"2027-11-24"', Date.UTC(2027, 10, 25) / 1000],
    ['"2027-11-24T12:00:00Z"', Date.UTC(2027, 10, 24, 12) / 1000],
  ])('takes the builds up to the end of a day, or before a moment: updatesUntil %s', (json, updatesUntil) => {
    expect(parse(withMember('updatesUntil', json))).toMatchObject({ updatesUntil });
  });

  it.each(LICENSE_USES)('takes the use %s', (use) => {
    expect(parse(withMember('use', JSON.stringify(use)))).toMatchObject({ use });
  });

  it('takes "perpetual" for its end', () => {
    expect(parse(withMember('until', '"perpetual"')).until).toBe(PERPETUAL_EXP);
  });

  it('takes "unlimited", instants and every optional member', () => {
    const request = parse(
      withMember(
        'ext',
        '{"region":"eu","levels":[1,true,"x"],"nested":{"a":1}}, "instances": 3, "offlineSeconds": 3600, "resetClock": true, "hosts": ["' +
          'AB'.repeat(32) +
          '"]',
      )
        .replace('"seats": 250', '"seats": "unlimited"')
        .replace('"2027-01-01"', '"2027-01-01T02:00:00+02:00"'),
    );
    expect(request).toMatchObject({
      seats: 'unlimited',
      from: Date.UTC(2027, 0, 1) / 1000,
      instances: 3,
      offlineSeconds: 3600,
      resetClock: true,
      hosts: ['ab'.repeat(32)],
    });
  });
});

describe('the catalog', () => {
  const catalog = parseCatalog(
    utf8(
      '{"schema":"vtlic-catalog/1","products":{"vaultdesk":{"maxTermDays":365,"maxGraceDays":30,"tiers":{"enterprise":{"maxSeats":500,"features":["sso","audit-export"],"limits":{"vaults":100}}}}}}',
    ),
    'catalog.json',
  );
  const faults = (name: string, json: string): string =>
    catalogFaults(parse(withMember(name, json)), catalog).join('; ');

  it('allows the example', () => {
    expect(catalogFaults(parse(JSON.stringify(EXAMPLE)), catalog)).toEqual([]);
  });

  it.each([
    ['product', '"otherdesk"', 'not in the catalog (it has: vaultdesk)'],
    ['tier', '"gold"', 'not sold for vaultdesk (there are: enterprise)'],
    ['features', '["sso","hyperdrive"]', 'hyperdrive'],
    ['limits', '{"vaults":101}', 'at most 100'],
    ['limits', '{"rooms":1}', 'does not have'],
    ['seats', '501', 'at most 500'],
    ['seats', '"unlimited"', 'at most 500'],
    ['until', '"2028-01-01"', 'term'],
    ['until', '"2026-12-31"', 'later than "from"'],
    ['until', '"perpetual"', '"until" is perpetual, but vaultdesk is sold for at most 365 days'],
    ['graceDays', '31', 'at most 30'],
  ])('refuses %s = %s', (name, json, words) => {
    expect(faults(name, json)).toContain(words);
  });

  /** The example's catalog, with another longest term. */
  const withTerm = (json: string): Catalog =>
    parseCatalog(
      utf8(
        `{"schema":"vtlic-catalog/1","products":{"vaultdesk":{"maxTermDays":${json},"maxGraceDays":30,"tiers":{"enterprise":{"maxSeats":500,"features":["sso","audit-export"],"limits":{"vaults":100}}}}}}`,
      ),
      'catalog.json',
    );

  it.each(['"perpetual"', '"9999-12-30"', '"2027-12-31"'])(
    'allows every end where its longest term is "perpetual": %s',
    (until) => {
      expect(catalogFaults(parse(withMember('until', until)), withTerm('"perpetual"'))).toEqual([]);
    },
  );

  it.each(['"forever"', '"365"', '0', '36526', 'true', 'null'])('refuses %s for a longest term', (json) => {
    expect(() => withTerm(json)).toThrow(
      expect.objectContaining({
        code: 'configuration_invalid',
        place: expect.objectContaining({ line: 1 }) as object,
      }) as Error,
    );
  });
});

describe('members that contradict each other', () => {
  it.each<[string, Partial<Request>, string | undefined]>([
    ['a perpetual license with grace', { until: PERPETUAL_EXP, graceSeconds: 0 }, 'graceDays'],
    ['a perpetual license without grace', { until: PERPETUAL_EXP }, undefined],
    ['grace after an end', { graceSeconds: 86_400 }, undefined],
    ['non-production without a deployment', { use: 'non-production' }, 'use'],
    ['non-production in a deployment of its own', { use: 'non-production', deployment: 'staging' }, undefined],
    ['a trial without a deployment', { use: 'trial' }, undefined],
    ['an emergency without a deployment', { use: 'emergency' }, undefined],
  ])('judges whether the members agree: %s', (_what, changes, field) => {
    const fault = combinationFault({ until: 1_830_297_600, ...changes });
    expect([fault?.code, fault?.place.field]).toEqual(
      field === undefined ? [undefined, undefined] : ['request_invalid', field],
    );
  });
});
