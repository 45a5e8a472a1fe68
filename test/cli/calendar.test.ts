/** `vtlic calendar`, read back by a library for calendars. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ICAL from 'ical.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { csv, day, row, writeBatch } from '../support/batch-file.ts';
import { KeysetActs } from '../support/keyset-acts.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { makeSite, type SiteFixture } from '../support/site-fixture.ts';
import { addKey } from '../support/site-keys.ts';

let fixture: SiteFixture;
const vtlic = (...args: readonly string[]): CliResult => runCli([...args, '--site', fixture.site]);

beforeAll(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
  const many = Array.from({ length: 45 }, (_, i) => row(`many-${i}`, { until: day(90) }));
  const rows = [
    row('acme-gmbh', { until: day(20), name: '"Åcme; GmbH"' }),
    row('moment', { until: `${day(21)}T00:00:01Z` }),
    row('later', { until: day(300) }),
    ...many,
  ];
  const planned = vtlic('batch', writeBatch(fixture, csv(rows)), '--new-customers', '--dry-run');
  expect(vtlic('batch', '--confirm', planned.stdout.trim(), ...fixture.secret).code).toBe(0);
  for (const name of ['root-1', 'license-2', 'license-3'])
    await addKey(fixture, name, name === 'root-1' ? 'root' : 'license');
  writeFileSync(join(fixture.site, 'releases.json'), JSON.stringify({ schema: 'vtlic-releases/1', releases: [] }));
  const acts = new KeysetActs(fixture);
  const keys = ['--activate', 'license-1', '--pre-publish', 'license-2'];
  const first = ['--add-root', 'root-1', '--threshold', '1', ...keys, '--expires', day(100)];
  await acts.next('1.draft', first, ['root-1']);
});
afterAll(() => {
  fixture.remove();
});

function read(text: string): readonly ICAL.Event[] {
  const parsed: unknown = ICAL.parse(text);
  return new ICAL.Component(parsed as unknown[]).getAllSubcomponents('vevent').map((each) => new ICAL.Event(each));
}

describe('vtlic calendar', () => {
  it('has an entry for each day on which licenses end, the last day of the license', () => {
    const { code, stdout, stderr } = vtlic('calendar', '--within', '95d');
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^3 entries until /)]);
    const events = read(stdout);
    expect(events.map(({ startDate, summary }) => [startDate.toString(), summary])).toEqual([
      [day(20), '1 license ends: renew before'],
      [day(21), '1 license ends: renew before'],
      [day(90), '45 licenses end: renew before'],
    ]);
    expect(events[0]?.description).toContain(
      `Åcme; GmbH (acme-gmbh): vaultdesk / prod-eu, enterprise, 250 seats, until ${day(20)}`,
    );
    expect(events[2]?.description).toContain('and 5 more\nAll of them: vtlic ledger due');
  });

  it('has the same UIDs in a file that is made later', () => {
    const uids = (text: string): readonly string[] => read(text).map(({ uid }) => uid);
    expect(uids(vtlic('calendar', '--within', '50w').stdout)).toEqual(
      expect.arrayContaining([...uids(vtlic('calendar', '--within', '95d').stdout)]) as unknown,
    );
  });

  it('has the expiry of the newest keyset and the steps of a plan, in a file that only its owner reads', () => {
    const out = join(fixture.folder, 'vendor.ics');
    const steps = [
      { on: day(5), step: 'activate', key: 'license-2' },
      { on: day(5), step: 'pre-publish', key: 'license-3' },
      { on: day(500), step: 'retire', key: 'license-1' },
    ];
    const plan = join(fixture.folder, 'plan.json');
    writeFileSync(plan, JSON.stringify({ schema: 'vtlic-rotation-plan/1', issuer: 'example-vendor', steps }));
    const { code, stdout } = vtlic('calendar', '--within', '120d', '--plan', plan, '--out', out);
    expect([code, stdout, statSync(out).mode & 0o777]).toEqual([0, '', 0o600]);
    const events = read(readFileSync(out, 'utf8'));
    expect(events.map(({ summary }) => summary)).toEqual([
      'Rotation: draft, sign and publish the next keyset',
      '1 license ends: renew before',
      '1 license ends: renew before',
      '45 licenses end: renew before',
      'Keyset version 1 expires: publish the next one before',
    ]);
    expect(events[0]?.description).toContain('activate license-2\npre-publish license-3\n');
  });

  it('refuses a plan of another vendor, and writes nothing', () => {
    const plan = join(fixture.folder, 'other.json');
    writeFileSync(plan, JSON.stringify({ schema: 'vtlic-rotation-plan/1', issuer: 'someone', steps: [] }));
    const { code, stdout, stderr } = vtlic('calendar', '--plan', plan);
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toContain('should be example-vendor');
  });
});
