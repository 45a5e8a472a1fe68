/** Names, dates and ends as people read them: the day that is shown can be copied into the next command. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runHere, type RanHere } from '../support/run-here.ts';
import { makeSite, requestDocument, type SiteFixture } from '../support/site-fixture.ts';

let fixture: SiteFixture;
let license: string;
const NOW = Date.UTC(2027, 0, 15, 9);

function vtlic(...args: readonly string[]): Promise<RanHere> {
  return runHere([...args, '--site', fixture.site], { nowMs: () => NOW });
}

/** @returns the path of the file */
async function issue(changes: Readonly<Record<string, unknown>>): Promise<string> {
  const file = join(fixture.folder, 'order.json');
  writeFileSync(file, JSON.stringify(requestDocument({ from: '2027-01-01', until: '2027-12-31', ...changes })));
  const digest = (await vtlic('issue', file, '--dry-run')).stdout.trim();
  const done = await vtlic('issue', '--confirm', digest, ...fixture.secret);
  expect(done.stderr).toContain('signed and released');
  return done.stdout.trim();
}

beforeAll(async () => {
  fixture = await makeSite({ algorithm: 'ed25519', runtime: { nowMs: () => NOW - 1000 } });
  license = await issue({});
  await issue({ customer: 'beta', name: 'Öl & Söhne', reference: 'PO-77', deployment: 'test' });
  await issue({ customer: 'acme-2', name: 'Zebra', from: '2027-03-01', until: '2027-06-30T12:00:00Z' });
});
afterAll(() => {
  fixture.remove();
});

describe('ledger show without a customer', () => {
  it('is a table of the last licenses with names, first and last days', async () => {
    const { stdout, stderr } = await vtlic('ledger', 'show');
    expect(stdout.split('\n')).toEqual([
      'customer   product              tier        seats  from        until                 name',
      'acme-2     vaultdesk / prod-eu  enterprise    250  2027-03-01  2027-06-30T12:00:00Z  Zebra',
      'acme-gmbh  vaultdesk / prod-eu  enterprise    250  2027-01-01  2027-12-31            Acme GmbH',
      'beta       vaultdesk / test     enterprise    250  2027-01-01  2027-12-31            Öl & Söhne',
      '',
    ]);
    expect(stderr).toBe('3 customers\n');
  });

  it('has the claim exp beside the last day as JSON', async () => {
    const found = JSON.parse((await vtlic('ledger', 'show', '--json')).stdout) as {
      customers: string[];
      licenses: unknown[];
    };
    expect(found.customers).toEqual(['acme-2', 'acme-gmbh', 'beta']);
    expect(found.licenses[1]).toMatchObject({
      customer: 'acme-gmbh',
      name: 'Acme GmbH',
      from: '2027-01-01',
      until: '2027-12-31',
      exp: Date.UTC(2028, 0, 1) / 1000,
      counter: 1,
    });
  });
});

describe('ledger show with words', () => {
  it.each([
    ['Acme GmbH', ['acme-gmbh']],
    ['öl &', ['beta']],
    ['O\u0308L', ['beta']],
    ['PO-77', ['beta']],
    ['acme', ['acme-2', 'acme-gmbh']],
    ['zeb', ['acme-2']],
  ])('finds %j in ids, names and references', async (words, customers) => {
    const { stdout } = await vtlic('ledger', 'show', words);
    expect(
      stdout
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(' ')[0]),
    ).toEqual(customers);
  });

  it('refuses words that are nowhere', async () => {
    const done = await vtlic('ledger', 'show', 'nobody\u001b[2J');
    expect([done.code, done.stderr]).toEqual([3, expect.stringContaining('contains "nobody\\u{001B}[2J"')]);
  });

  it('is the whole history where they are the id of a customer', async () => {
    const { stdout } = await vtlic('ledger', 'show', 'acme-gmbh');
    expect(stdout).toContain('enterprise, 250 seats, from 2027-01-01 until 2027-12-31\n');
    expect(stdout).toContain('next counter: 2');
    const { lineages } = JSON.parse((await vtlic('ledger', 'show', 'acme-gmbh', '--json')).stdout) as {
      lineages: { licenses: { until: string; license: { exp: number } }[] }[];
    };
    expect(lineages[0]?.licenses[0]).toMatchObject({ until: '2027-12-31', license: { exp: 1_830_297_600 } });
  });
});

describe('the end of a license', () => {
  it('is its last day in what verify says, with exp in its JSON', async () => {
    const verify = (at: string, ...more: readonly string[]): Promise<RanHere> =>
      vtlic('verify', license, '--product', 'vaultdesk', '--deployment', 'prod-eu', '--at', at, ...more);
    expect((await verify('2027-02-01')).stdout).toMatch(
      /^active: genuine, in force until 2027-12-31 \(until the end of this day, UTC\)\n/,
    );
    expect((await verify('2028-01-10')).stdout).toMatch(
      /^grace: genuine, ended 2027-12-31, honored in its grace until 2028-01-30 \(until the end of this day, UTC\)\n/,
    );
    expect((await verify('2028-03-01')).stdout).toMatch(
      /^lapsed: genuine, lapsed: ended 2027-12-31, its grace ended 2028-01-30\n/,
    );
    expect((await verify('2026-12-01')).stdout).toMatch(/^not_yet_valid: genuine, not in force before 2027-01-01\n/);
    expect(JSON.parse((await verify('2027-02-01', '--json')).stdout)).toMatchObject({
      until: '2027-12-31',
      license: { exp: Date.UTC(2028, 0, 1) / 1000 },
    });
  });

  it('is a last day that means the same where it is copied into --until', async () => {
    const [, day] = /until +(\S+) \(until/.exec((await runHere(['inspect', license])).stdout) ?? [];
    expect(day).toBe('2027-12-31');
    const plan = await vtlic('renew', 'acme-gmbh', '--until', day ?? '', '--seats', '300', '--dry-run');
    expect(plan.stderr).not.toMatch(/[~+-] (?:until|from)/);
    expect(plan.stderr).toMatch(/~ seats +300/);
  });
});

describe('renew', () => {
  it('changes nothing that is not named: more seats for a license that has not begun', async () => {
    const plan = await vtlic('renew', 'acme-2', '--seats', '300', '--dry-run');
    expect(plan.code).toBe(0);
    expect(plan.stderr).toMatch(/ {4}from +2027-03-01\n/);
    expect(plan.stderr).not.toMatch(/[~+-] (?:until|from)/);
  });

  it('changes nothing that is not named: another name for a license of a whole year', async () => {
    const plan = await vtlic('renew', 'beta', '--name', 'Beta', '--dry-run');
    expect([plan.code, plan.stderr]).toEqual([0, expect.not.stringMatching(/[~+-] (?:until|from)/)]);
  });

  it('moves the end by whole years with --years, and begins where the last license ends', async () => {
    const plan = await vtlic('renew', 'beta', '--years', '1', '--dry-run');
    expect(plan.stderr).toMatch(/~ from +2028-01-01\n/);
    expect(plan.stderr).toMatch(/~ until +2028-12-31 /);
  });

  it.each([
    [['--years', '1', '--until', '2029-01-01'], 'given twice'],
    [['--years', '0'], 'expected 1 to 100 years'],
    [['--years', '1.5'], 'expected 1 to 100 years'],
  ])('refuses %j', async (options, words) => {
    const done = await vtlic('renew', 'beta', ...options, '--dry-run');
    expect([done.code, done.stderr]).toEqual([2, expect.stringContaining(words)]);
  });
});
