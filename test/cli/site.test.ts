/** A newcomer with a product of his own: the catalog that explains itself, its check, and an order by options. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { day } from '../support/batch-file.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

let fixture: SiteFixture;
beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
});
afterEach(() => {
  fixture.remove();
});

function vtlic(...args: readonly string[]): CliResult {
  return runCli([...args, '--site', fixture.site]);
}

const ORDER = ['--customer', 'acme-gmbh', '--name', 'Acme GmbH', '--product', 'vaultdesk', '--tier', 'enterprise'];

const REST =
  '--deployment prod-eu --seats 250 --grace-days 30 --features audit-export;sso --limit vaults=50 --reference PO-4711'.split(
    ' ',
  );

describe('issue by options', () => {
  it('plans what a file with the same members plans, from today on', () => {
    const view = (done: CliResult): string[] => {
      expect(done.code).toBe(0);
      // Ids and times are of one plan.
      return done.stderr
        .split('\n')
        .filter((line) => !/license id|issued at|[dD]igest|^ +\d+ {2}|--confirm/.test(line));
    };
    const options = vtlic('issue', ...ORDER, ...REST, '--until', day(364), '--dry-run');
    expect(view(options)).toEqual(view(vtlic('issue', writeRequest(fixture), '--dry-run')));
    expect(options.stderr).toMatch(new RegExp(`from +${day(0)}`));
    const signed = vtlic('issue', '--confirm', options.stdout.trim(), ...fixture.secret, '--json');
    expect(JSON.parse(signed.stdout)).toMatchObject({ schema: 'vtlic-issue/1', counter: 1 });
  });

  it.each<[readonly string[], number, string]>([
    [ORDER, 2, 'issue by options also needs --seats, --until'],
    [['--seats', '5'], 2, 'also needs --customer, --product, --tier, --until'],
    [[...ORDER, '--seats', 'many', '--until', day(9)], 3, '"seats" should be a whole number'],
    [[...ORDER, '--seats', '5', '--until', '2027-02-30'], 3, 'there is no day 2027-02-30'],
    [[...ORDER, '--seats', '5001', '--until', day(9)], 3, 'at most 5000'],
    [[...ORDER, '--seats', '5', '--until', day(9), '--limit', 'users=1'], 3, 'names users'],
    [['--customer', 'two words'], 2, 'expected the id of a customer'],
    [[], 2, 'issue takes one of these'],
    [['request.json', ...ORDER], 2, 'issue takes one of these'],
    [['--confirm', 'a'.repeat(64), '--seats', '5'], 2, 'issue takes one of these'],
  ])('%j is refused with exit %i: %s', (options, code, words) => {
    const done = vtlic('issue', ...options, '--dry-run');
    expect([done.code, done.stdout]).toEqual([code, '']);
    expect(done.stderr).toContain(words);
  });
});

describe('catalog check', () => {
  function check(catalog: unknown): CliResult {
    const file = join(fixture.folder, 'new.json');
    writeFileSync(file, typeof catalog === 'string' ? catalog : JSON.stringify(catalog));
    return vtlic('catalog', 'check', file);
  }
  const team = { maxSeats: 50, features: ['audit-export'], limits: { vaults: 10 } };
  function selling(tiers: unknown): unknown {
    return { schema: 'vtlic-catalog/1', products: { vaultdesk: { maxTermDays: 366, maxGraceDays: 60, tiers } } };
  }

  it('says what is sold, and what is seldom meant', () => {
    const own = vtlic('catalog', 'check');
    expect([own.code, own.stdout.split('\n').slice(1)]).toEqual([
      0,
      [
        '  vaultdesk: at most 366 days, at most 60 days of grace',
        '    team: at most 50 seats; features audit-export; vaults at most 10',
        '    enterprise: at most 5000 seats; features audit-export, sso; vaults at most 500',
        '',
      ],
    ]);
    const turned = check(selling({ enterprise: { maxSeats: 'unlimited', features: ['sso'] }, team }));
    expect(turned.stdout).toContain('note: vaultdesk: tier team has fewer seats than enterprise');
    expect(turned.stdout).toContain('note: vaultdesk: tier team lacks what the lower tier enterprise has: sso');
    expect(check(selling({})).stdout).toContain('note: vaultdesk has no tiers');
    const year = { maxTermDays: 365, maxGraceDays: 60, tiers: { team } };
    expect(check({ schema: 'vtlic-catalog/1', products: { vaultdesk: year } }).stdout).toContain(
      'note: vaultdesk: a year with a 29 February has 366 days, and maxTermDays is 365',
    );
  });

  it('names the licenses in force that could no longer be renewed, before the catalog is in place', () => {
    const plan = vtlic('issue', writeRequest(fixture), '--dry-run').stdout.trim();
    expect(vtlic('issue', '--confirm', plan, ...fixture.secret).code).toBe(0);
    expect(vtlic('catalog', 'check').stdout).not.toContain('note');
    const smaller = check(selling({ team, enterprise: { maxSeats: 200, features: ['audit-export'] } }));
    expect(smaller.code).toBe(0);
    expect(smaller.stdout).toContain(
      'note: 1 license in force could not be renewed unchanged:\n  acme-gmbh / vaultdesk',
    );
    expect(smaller.stdout).toContain('"seats" is 250, but tier enterprise is sold with at most 200');
    expect(smaller.stdout).toContain('"features" names sso');
    const shorter = check({
      schema: 'vtlic-catalog/1',
      products: { vaultdesk: { maxTermDays: 30, maxGraceDays: 30, tiers: { enterprise: { maxSeats: 'unlimited' } } } },
    });
    expect(shorter.stdout).toContain('sold for at most 30');
  });

  it.each<[string, unknown, number, string]>([
    ['a member that is misspelled', selling({ team: { ...team, maxSeat: 5 } }), 2, 'maxSeat'],
    ['a comment as JSON does not know it', '{"schema": "vtlic-catalog/1" // ours\n}', 2, ':1:30:'],
    ['no products', { schema: 'vtlic-catalog/1', products: {} }, 3, 'nothing can be sold'],
  ])('refuses %s', (_, catalog, code, words) => {
    const done = check(catalog);
    expect(done.stderr).toContain(words);
    expect(done.code).toBe(code);
  });
});

describe('the catalog of a new site', () => {
  it('says how it is filled in, is read as it is, and sells what is added as it says', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vtlic-new-'));
    try {
      const site = join(folder, 'site');
      expect(runCli(['init', site, '--issuer', 'example-vendor']).stderr).toContain('say what you sell in ');
      const path = join(site, 'catalog.json');
      const text = readFileSync(path, 'utf8');
      for (const word of [
        'docs/site.md',
        'catalog check',
        'maxTermDays',
        'maxGraceDays',
        'maxSeats',
        'features',
        'limits',
      ])
        expect(text).toContain(word);
      expect(runCli(['catalog', 'check', '--site', site]).code).toBe(3);
      const catalog = JSON.parse(text) as { products: unknown };
      catalog.products = { tool: { maxTermDays: 'perpetual', maxGraceDays: 0, tiers: { one: { maxSeats: 1 } } } };
      writeFileSync(path, JSON.stringify(catalog));
      expect(runCli(['catalog', 'check', '--site', site]).stdout).toContain('tool: perpetual');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
