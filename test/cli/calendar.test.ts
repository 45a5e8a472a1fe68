/** `vtlic calendar`, read back by a library for calendars. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ICAL from 'ical.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import { issuingKey, keysetBlock, testKey } from '../../conformance/examples/keysets.ts';
import { csv, day, row, writeBatch } from '../support/batch-file.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { makeSite, type SiteFixture } from '../support/site-fixture.ts';

const NOW = Math.floor(Date.now() / 1000);
const ROOTS = ['root a', 'root b', 'root c'];

let fixture: SiteFixture;
let keysets: string;
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
  keysets = join(fixture.folder, 'chain.keyset');
  const key = issuingKey('composite 1', { from: NOW - DAY_SECONDS, until: NOW + 60 * DAY_SECONDS });
  const next = issuingKey('composite 2', { status: 'pre-published', from: NOW + 50 * DAY_SECONDS });
  const policy = { expires: NOW + 100 * DAY_SECONDS, ed25519Until: NOW + 500 * DAY_SECONDS };
  const version = { version: 3, roots: ROOTS, threshold: 2, made: NOW - 2 * DAY_SECONDS, keys: [key, next], ...policy };
  writeFileSync(keysets, keysetBlock(version, ROOTS));
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
    const { code, stdout, stderr } = vtlic('calendar', '--within', '100d');
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
      expect.arrayContaining([...uids(vtlic('calendar', '--within', '100d').stdout)]) as unknown,
    );
  });

  it('has the dates of the newest keyset that are ahead, and writes a file that only its owner reads', () => {
    const out = join(fixture.folder, 'vendor.ics');
    const { code, stdout } = vtlic('calendar', '--within', '120d', '--keysets', keysets, '--out', out);
    expect([code, stdout, statSync(out).mode & 0o777]).toEqual([0, '', 0o600]);
    const summaries = read(readFileSync(out, 'utf8')).map(({ summary }) => summary);
    const [first, second] = ['composite 1', 'composite 2'].map((name) => testKey(name).publicKey.kid.slice(0, 8));
    expect(summaries).toEqual([
      '1 license ends: renew before',
      '1 license ends: renew before',
      `Key ${second}…: activate it`,
      `Key ${first}…: sign nothing more with it, and retire it`,
      '45 licenses end: renew before',
      'Keyset version 3 expires: publish the next one before',
    ]);
  });

  it('refuses the keysets of another vendor, and writes nothing', () => {
    const other = join(fixture.folder, 'other.keyset');
    writeFileSync(other, keysetBlock({ version: 1, iss: 'someone', roots: ROOTS }, ROOTS));
    const { code, stdout, stderr } = vtlic('calendar', '--keysets', other);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('by someone, but the issuer of the product is example-vendor');
  });
});
