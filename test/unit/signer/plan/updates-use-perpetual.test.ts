/** Licenses with updates, with a use and without an end: from the request to the verdict, alone and in a batch. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dearmor } from '../../../../formats/armor.ts';
import { decodeCoseSign1, TYP } from '../../../../formats/cose-sign1.ts';
import { PERPETUAL_EXP } from '../../../../formats/license/bounds.ts';
import { decodeLicense } from '../../../../formats/license/decode-license.ts';
import { encodeLicense } from '../../../../formats/license/encode-license.ts';
import type { License } from '../../../../formats/license/license.ts';
import { readPlan, writePlan } from '../../../../signer/plan/plan.ts';
import { csv, HEADER, row, writeBatch } from '../../../support/batch-file.ts';
import { runHere, type RanHere } from '../../../support/run-here.ts';
import { makeSite, writeRequest, type SiteFixture } from '../../../support/site-fixture.ts';

let fixture: SiteFixture;
beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
});
afterEach(() => {
  fixture.remove();
});

type Changes = Readonly<Record<string, unknown>>;

const vtlic = (...args: readonly string[]): Promise<RanHere> => runHere([...args, '--site', fixture.site]);
/** The example request without the grace that no perpetual license has. */
const PERPETUAL: Changes = { until: 'perpetual', graceDays: undefined };

function sellPerpetual(): void {
  const file = join(fixture.site, 'catalog.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"maxTermDays": 366', '"maxTermDays": "perpetual"'));
}

const plan = (changes: Changes): Promise<RanHere> => vtlic('issue', writeRequest(fixture, changes), '--dry-run');

async function sign(command: 'issue' | 'renew', planned: RanHere): Promise<string> {
  expect([planned.code, planned.stderr]).toEqual([0, expect.any(String)]);
  const done = await vtlic(command, '--confirm', planned.stdout.trim(), ...fixture.secret);
  expect([done.code, done.stderr]).toEqual([0, expect.any(String)]);
  return done.stdout.trim().split('\n')[0] ?? '';
}

/** Issues a license and returns its file. */
const issue = async (changes: Changes): Promise<string> => sign('issue', await plan(changes));

function licenseIn(file: string): License {
  return decodeLicense(decodeCoseSign1(dearmor('VTLIC', readFileSync(file)), TYP.license).payload);
}

const inspect = (file: string): Promise<RanHere> => runHere(['inspect', file]);
const verify = (file: string, ...args: readonly string[]): Promise<RanHere> =>
  vtlic('verify', file, '--product', 'vaultdesk', '--deployment', 'prod-eu', ...args);

describe('a license with updates', () => {
  it('is marked where its updates ended before it is issued', async () => {
    expect((await plan({ updatesUntil: '2020-01-01' })).stderr).toContain(
      '! its updates ended before it is issued: it covers builds dated up to 2020-01-01',
    );
  });

  it('covers the builds up to the day that the request names, in every view the same', async () => {
    const file = await issue({ updatesUntil: '2027-11-24' });
    expect(licenseIn(file).upd).toBe(Date.UTC(2027, 10, 25) / 1000);
    const words = /^ +updates until +2027-11-24 \(builds dated up to this day\)$/m;
    expect((await inspect(file)).stdout).toMatch(words);
    expect((await vtlic('ledger', 'show', 'acme-gmbh')).stdout).toMatch(words);
    const covered = await verify(file, '--build-date', '2027-11-24');
    expect([covered.code, covered.stdout]).toEqual([0, expect.stringMatching(words)]);
  });

  it('does not cover a later build, or one without a date, and says which option gives it', async () => {
    const file = await issue({ updatesUntil: '2027-11-24T12:00:00Z' });
    expect((await verify(file, '--build-date', '2027-11-24T11:59:59Z')).code).toBe(0);
    const later = await verify(file, '--build-date', '2027-11-25');
    expect([later.code, later.stdout]).toEqual([20, 'refused: build_not_covered\n']);
    expect(later.stderr).toContain(
      'covers builds dated before 2027-11-24T12:00:00Z, and this build is dated 2027-11-25',
    );
    const without = await verify(file);
    expect([without.code, without.stderr]).toEqual([20, expect.stringContaining('given with --build-date')]);
    expect((await inspect(file)).stdout).toContain('2027-11-24T12:00:00Z (builds dated before this moment)');
  });

  it('is renewed with the same updates, with other ones or without, and the view shows the difference', async () => {
    await issue({ updatesUntil: '2027-11-24' });
    const kept = await vtlic('renew', 'acme-gmbh', '--dry-run');
    expect(kept.stderr).toContain('    updates until  2027-11-24 (builds dated up to this day)');
    expect(kept.stderr).not.toContain('fewer updates');
    const later = await vtlic('renew', 'acme-gmbh', '--updates-until', '2028-11-24', '--dry-run');
    expect(later.stderr).toContain(
      '  ~ updates until  2028-11-24 (builds dated up to this day)\n      was          2027-11-24 (now 366 days later)',
    );
    expect(later.stderr).not.toContain('fewer updates');
    const fewer = await vtlic('renew', 'acme-gmbh', '--updates-until', '2027-05-31', '--dry-run');
    expect(fewer.stderr).toContain('! fewer updates: it covers builds dated up to 2027-05-31 instead of 2027-11-24');
    const every = await vtlic('renew', 'acme-gmbh', '--unset', 'updatesUntil', '--dry-run');
    expect(every.stderr).toMatch(/^ {2}- updates until *\n +was +2027-11-24/m);
    expect(licenseIn(await sign('renew', every))).not.toHaveProperty('upd');
  });
});

describe('a license that says its use', () => {
  it.each(['trial', 'emergency'])('shows the use %s in every view', async (use) => {
    const planned = await plan({ use });
    const words = new RegExp(`^ +use +${use}$`, 'm');
    expect(planned.stderr).toMatch(words);
    const file = await sign('issue', planned);
    expect(licenseIn(file)).toMatchObject({ use });
    for (const shown of [inspect(file), verify(file), vtlic('ledger', 'show', 'acme-gmbh')])
      expect((await shown).stdout).toMatch(words);
    expect(JSON.parse((await verify(file, '--json')).stdout)).toMatchObject({ license: { use } });
  });

  it('is in what an auditor gets, with its updates', async () => {
    await issue({ use: 'trial', updatesUntil: '2027-11-24' });
    const lines = (await vtlic('ledger', 'export')).stdout.trim().split('\n');
    const intents = lines.filter((line) => line.includes('"intent"') && line.includes('"tier"'));
    expect(intents.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { use: 'trial', upd: Date.UTC(2027, 10, 25) / 1000 },
    ]);
  });

  it('carries a mark when it is renewed for another use, and none for the same', async () => {
    await issue({ use: 'trial' });
    const kept = await vtlic('renew', 'acme-gmbh', '--dry-run');
    expect(kept.stderr).toMatch(/^ +use +trial$/m);
    expect(kept.stderr).not.toContain('use changes');
    const sold = await vtlic('renew', 'acme-gmbh', '--unset', 'use', '--dry-run');
    expect(sold.stderr).toContain('! use changes from trial to production');
    expect(licenseIn(await sign('renew', sold))).not.toHaveProperty('use');
    const again = await vtlic('renew', 'acme-gmbh', '--use', 'emergency', '--dry-run');
    expect([again.code, again.stderr]).toEqual([
      0,
      expect.stringContaining('use changes from production to emergency'),
    ]);
  });

  it('non-production wants a deployment', async () => {
    const refused = await plan({ use: 'non-production', deployment: undefined });
    expect([refused.code, refused.stderr]).toEqual([
      3,
      expect.stringContaining('"use" is non-production, but there is no "deployment"'),
    ]);
    expect(refused.stderr).toContain('→ give it a deployment of its own, such as "deployment": "staging"');
  });

  it('non-production never joins a lineage for production, nor the reverse: the last license is named', async () => {
    const paid = licenseIn(await issue({}));
    const free = licenseIn(await issue({ use: 'non-production', deployment: 'staging' }));
    const displacing = await plan({ use: 'non-production' });
    expect([displacing.code, displacing.stderr]).toEqual([
      3,
      expect.stringContaining(
        `the last license of acme-gmbh for vaultdesk in the deployment prod-eu, ${paid.cti} (counter 1), has the use production`,
      ),
    ]);
    expect(displacing.stderr).toContain('→ choose another deployment for it');
    const reverse = await plan({ deployment: 'staging' });
    expect([reverse.code, reverse.stderr]).toEqual([
      3,
      expect.stringContaining(`${free.cti} (counter 1), has the use non-production`),
    ]);
    const renewed = await vtlic('renew', free.cti, '--use', 'trial', '--dry-run');
    expect([renewed.code, renewed.stderr]).toEqual([3, expect.stringContaining('choose another deployment')]);
    expect((await vtlic('renew', free.cti, '--dry-run')).code).toBe(0);
  });

  it('makes an honest plan of the other use stale, and does not call it forged', async () => {
    const paid = await plan({ deployment: 'staging' });
    const free = await plan({ deployment: 'staging', use: 'non-production' });
    await sign('issue', paid);
    const late = await vtlic('issue', '--confirm', free.stdout.trim(), ...fixture.secret);
    expect([late.code, late.stderr]).toEqual([10, expect.not.stringContaining('this program would not have planned')]);
  });

  it('non-production cannot join it by a forged plan either', async () => {
    await issue({});
    const plans = join(fixture.site, 'plans');
    const honest = readPlan(plans, (await vtlic('renew', 'acme-gmbh', '--dry-run')).stdout.trim());
    const items = honest.items.map((item) => ({
      ...item,
      payload: encodeLicense({ ...item.license, use: 'non-production' }),
    }));
    const digest = await writePlan(plans, { ...honest, items });
    const done = await vtlic('issue', '--confirm', digest, ...fixture.secret);
    expect([done.code, done.stderr]).toEqual([
      3,
      expect.stringMatching(/this program would not have planned: the last license/),
    ]);
  });
});

describe('a perpetual license', () => {
  it('is refused where the catalog has a longest term in days', async () => {
    const refused = await plan(PERPETUAL);
    expect([refused.code, refused.stderr]).toEqual([
      3,
      expect.stringContaining('"until" is perpetual, but vaultdesk is sold for at most 366 days'),
    ]);
  });

  it('is refused together with grace', async () => {
    sellPerpetual();
    const refused = await plan({ until: 'perpetual', graceDays: 30 });
    expect([refused.code, refused.stderr]).toEqual([
      3,
      expect.stringContaining('"graceDays" is given, but "until" is perpetual'),
    ]);
  });

  it('has no end and no grace, every view says so, and Ed25519 alone carries a mark', async () => {
    sellPerpetual();
    const planned = await plan(PERPETUAL);
    expect(planned.stderr).toMatch(/^ +until +perpetual$/m);
    expect(planned.stderr).toContain('! it is perpetual and signed with only Ed25519');
    const file = await sign('issue', planned);
    const license = licenseIn(file);
    expect(license.exp).toBe(PERPETUAL_EXP);
    expect(license).not.toHaveProperty('grace');
    expect((await inspect(file)).stdout).toMatch(/^ +until +perpetual$/m);
    expect((await vtlic('ledger', 'show', 'acme-gmbh')).stdout).toMatch(/250 seats, from \d{4}-\d\d-\d\d, perpetual$/m);
    const far = await verify(file, '--at', '9000-01-01');
    expect([far.code, far.stdout]).toEqual([0, expect.stringMatching(/^active: genuine, in force, perpetual\n/)]);
    const kept = await vtlic('renew', 'acme-gmbh', '--seats', '300', '--dry-run');
    expect(kept.stderr).toMatch(/^ {4}until +perpetual$/m);
    expect(kept.stderr).not.toContain('shorter');
    const ended = await vtlic('renew', 'acme-gmbh', '--until', '2099-12-31', '--dry-run');
    expect(ended.stderr).toContain('! ends, where the last license is perpetual: 2099-12-31');
    expect(ended.stderr).toMatch(/^ {2}~ until +2099-12-31 .*\n +was +perpetual$/m);
    expect(ended.stderr).toContain('250 seats, perpetual).');
  });
});

describe('a batch', () => {
  const COLUMNS = `${HEADER},updatesUntil,use`;
  const rowWith = (
    customer: string,
    updatesUntil: string,
    use: string,
    changes: Readonly<Record<string, string>> = {},
  ): string => `${row(customer, changes)},${updatesUntil},${use}`;
  const batch = (rows: readonly string[]): Promise<RanHere> =>
    vtlic('batch', writeBatch(fixture, csv(rows, COLUMNS)), '--name', 'b', '--new-customers', '--dry-run');

  it('takes updates, uses and perpetual licenses by the names of a request', async () => {
    sellPerpetual();
    const planned = await batch([
      rowWith('one', '2027-11-24', ''),
      rowWith('two', '', 'non-production', { deployment: 'staging' }),
      rowWith('three', '2027-11-24', 'trial', { until: 'perpetual', graceDays: '' }),
    ]);
    expect(planned.stderr).toContain('not for production: 1 non-production, 1 trial');
    expect(planned.stderr).toContain('! perpetual with Ed25519: 1');
    const done = await vtlic('batch', '--confirm', planned.stdout.trim(), ...fixture.secret, '--json');
    expect([done.code, done.stderr]).toEqual([0, expect.any(String)]);
    const results = readFileSync(join(fixture.site, 'batches/b/results.jsonl'), 'utf8').trim().split('\n');
    const licenses = results.map((line) => {
      const { file } = JSON.parse(line) as { readonly file?: string };
      return licenseIn(join(fixture.site, file ?? ''));
    });
    const upd = Date.UTC(2027, 10, 25) / 1000;
    expect(licenses.map((license) => [license.sub, license.upd, license.use, license.exp === PERPETUAL_EXP])).toEqual([
      ['one', upd, undefined, false],
      ['two', undefined, 'non-production', false],
      ['three', upd, 'trial', true],
    ]);
  });

  it('names the cell of each fault, also of a use that the lineage is not for', async () => {
    await issue({});
    const faults = await batch([
      rowWith('acme-gmbh', '', 'non-production'),
      rowWith('beta', '', 'production'),
      rowWith('gamma', '2027-02-30', ''),
      rowWith('delta', '', 'non-production', { deployment: '' }),
      rowWith('epsilon', '', '', { until: 'perpetual', graceDays: '' }),
    ]);
    expect(faults.code).toBe(3);
    for (const words of [
      /batch\.csv:2:\d+: use: the last license of acme-gmbh for vaultdesk in the deployment prod-eu/,
      /batch\.csv:3:\d+: use: "use" should be one of non-production, trial, emergency/,
      /batch\.csv:4:\d+: updatesUntil: "updatesUntil" is not a date: there is no day 2027-02-30/,
      /batch\.csv:5:\d+: use: "use" is non-production, but there is no "deployment"/,
      /batch\.csv:6:\d+: until: "until" is perpetual/,
      /5 faults in 5 of 5 rows/,
    ])
      expect(faults.stderr).toMatch(words);
  });
});
