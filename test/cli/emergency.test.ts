/** Break-glass: a license that was planned and reviewed ahead is signed on the day, and what is owed stays listed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dearmor } from '../../formats/armor.ts';
import { decodeCoseSign1, TYP } from '../../formats/cose-sign1.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { digestWordLines } from '../../signer/plan/digest-words.ts';
import { KeysetActs } from '../support/keyset-acts.ts';
import { runHere, type RanHere } from '../support/run-here.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';
import { addKey } from '../support/site-keys.ts';

const DAY_MS = 86_400_000;
let fixture: SiteFixture;

beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
});
afterEach(() => {
  fixture.remove();
});

function allow(days: number | undefined): void {
  const file = join(fixture.site, 'catalog.json');
  const catalog = JSON.parse(readFileSync(file, 'utf8')) as { products: Record<string, Record<string, unknown>> };
  const { vaultdesk } = catalog.products;
  if (vaultdesk !== undefined) vaultdesk['maxEmergencyDays'] = days;
  writeFileSync(file, JSON.stringify(catalog));
}

function kid(): string {
  const site = JSON.parse(readFileSync(join(fixture.site, 'site.json'), 'utf8')) as { keys: { kid: string }[] };
  return site.keys[0]?.kid ?? '';
}

const at = (days: number): { nowMs: () => number } => ({ nowMs: () => Date.now() + days * DAY_MS });

function run(args: readonly string[], days = 0): Promise<RanHere> {
  return runHere([...args, '--site', fixture.site], at(days));
}

async function plan(...options: readonly string[]): Promise<string> {
  const done = await run(['issue', writeRequest(fixture), '--emergency', '--dry-run', ...options]);
  expect([done.code, done.stderr]).toEqual([0, expect.stringContaining('an EMERGENCY PLAN')]);
  return done.stdout.trim();
}

function sign(digest: string, days: number): Promise<RanHere> {
  return run(['issue', '--emergency', '--confirm', digest, ...fixture.secret], days);
}

describe('vtlic issue --emergency', () => {
  it('signs on the day what was reviewed ahead: short, in the same lineage, with the use emergency', async () => {
    allow(14);
    const first = await run(['issue', writeRequest(fixture), '--dry-run']);
    expect((await run(['issue', '--confirm', first.stdout.trim(), ...fixture.secret])).code).toBe(0);
    const digest = await plan();
    const done = await sign(digest, 90);
    expect([done.code, done.stderr]).toEqual([0, expect.stringContaining('to do: issue the ordinary license')]);
    const { payload } = decodeCoseSign1(dearmor('VTLIC', readFileSync(done.stdout.trim())), TYP.license);
    const license = decodeLicense(payload);
    expect(license).toMatchObject({ sub: 'acme-gmbh', dep: 'prod-eu', ctr: 2, use: 'emergency', seats: 250 });
    expect(license.exp - license.nbf).toBe(14 * 86_400);
    expect(license).not.toHaveProperty('grace');
    const status = await run(['rotation', 'status'], 90);
    expect([status.code, status.stdout]).toEqual([0, expect.stringContaining('to do: acme-gmbh / vaultdesk')]);
    expect(status.stdout).toContain(`vtlic renew ${license.cti} --unset use`);
    // The ordinary license follows, and nothing is owed any more.
    const until = new Date(Date.now() + 400 * DAY_MS).toISOString().slice(0, 10);
    const renewal = await run(['renew', license.cti, '--unset', 'use', '--until', until, '--dry-run'], 90);
    expect([renewal.code, renewal.stderr]).toEqual([0, expect.anything()]);
    expect((await run(['renew', '--confirm', renewal.stdout.trim(), ...fixture.secret], 90)).code).toBe(0);
    expect((await run(['rotation', 'status'], 90)).stdout).not.toContain('owed');
  });

  it('shows one digest only, ahead and on the day: the one that confirms', async () => {
    allow(14);
    const args = ['issue', writeRequest(fixture), '--emergency', '--dry-run'];
    const ahead = await run(args);
    const digest = ahead.stdout.trim();
    const digests = (text: string): readonly string[] =>
      [...new Set(text.match(/[0-9a-f]{64}/g))].filter((hex) => hex !== kid());
    expect(digests(ahead.stderr)).toEqual([digest]);
    expect(ahead.stderr).toContain(`Digest of this emergency plan: ${digest}`);
    expect(ahead.stderr).toContain(digestWordLines(digest).join('\n'));
    const json = await run([...args, '--json']);
    expect(digests(json.stderr)).toEqual([digest]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      schema: 'vtlic-emergency-planned/1',
      digest,
      days: 14,
      command: `vtlic issue --emergency --confirm ${digest} --site ${fixture.site}`,
    });
    const done = await sign(digest, 1);
    expect([done.code, digests(done.stderr)]).toEqual([0, [digest]]);
  });

  it('names the right digest where somebody confirms that of the license of one day', async () => {
    allow(14);
    const ordinary = (await run(['issue', writeRequest(fixture), '--dry-run'])).stdout.trim();
    const wrong = await sign(ordinary, 0);
    expect([wrong.code, wrong.stderr]).toEqual([10, expect.stringContaining('is that of an ordinary plan')]);
  });

  it('is refused where the catalog allows none, fewer days, or no longer what was planned', async () => {
    const none = await run(['issue', writeRequest(fixture), '--emergency', '--dry-run']);
    expect([none.code, none.stderr]).toEqual([3, expect.stringContaining('allows no emergency license for vaultdesk')]);
    allow(14);
    const long = await run(['issue', writeRequest(fixture), '--emergency', '--dry-run', '--days', '15']);
    expect([long.code, long.stderr]).toEqual([3, expect.stringContaining('at most 14 days')]);
    const digest = await plan();
    allow(7);
    const since = await sign(digest, 1);
    expect([since.code, since.stderr]).toEqual([3, expect.stringContaining('at most 7 days')]);
    const direct = await run(['issue', writeRequest(fixture, { use: 'emergency' }), '--dry-run']);
    expect([direct.code, direct.stderr]).toEqual([3, expect.stringContaining('"use" is emergency')]);
  });

  it('is refused after the time for which it was planned, and when the plan was altered', async () => {
    allow(14);
    const digest = await plan('--days', '3');
    const late = await sign(digest, 366);
    expect([late.code, late.stderr]).toEqual([10, expect.stringContaining('the emergency plan may be used from')]);
    const file = join(fixture.site, `plans/emergency-${digest}.json`);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"days": 3', '"days": 9'));
    const altered = await sign(digest, 1);
    expect([altered.code, altered.stderr]).toEqual([10, expect.stringContaining('was altered after its review')]);
    const unknown = await sign('0'.repeat(64), 1);
    expect([unknown.code, unknown.stderr]).toEqual([10, expect.stringContaining('no readable emergency plan')]);
  });

  it('is planned ahead with the spare too, which signs it on a day on which the first key is lost', async () => {
    allow(14);
    await addKey(fixture, 'spare', 'license', 'ed25519+ml-dsa-65');
    await addKey(fixture, 'root-1', 'root');
    const acts = new KeysetActs(fixture);
    writeFileSync(join(fixture.site, 'releases.json'), '{ "schema": "vtlic-releases/1", "releases": [] }');
    const first = ['--add-root', 'root-1', '--threshold', '1', '--activate', 'license-1', '--pre-publish', 'spare'];
    await acts.next('1.draft', first, ['root-1']);
    const [own, spare] = [await plan(), await plan('--key', 'spare')];
    const early = await sign(spare, 0);
    expect([early.code, early.stderr]).toEqual([3, expect.stringContaining('the key is pre-published')]);
    const lost = ['rotation', 'lost', 'license-1', '--emergency', 'forgotten', '--out', acts.file('2.draft')];
    await acts.publishSigned(await acts.succeed(acts.run(...lost)), ['root-1']);
    const dead = await sign(own, 0);
    expect([dead.code, dead.stderr]).toEqual([3, expect.stringContaining('sign another emergency plan')]);
    const signed = await sign(spare, 0);
    expect([signed.code, signed.stderr]).toEqual([0, expect.stringContaining('signed and released: counter 1')]);
  });

  it('takes no options that the plan says already', async () => {
    for (const args of [
      ['--emergency'],
      ['--emergency', '--confirm', '0'.repeat(64), '--days', '3'],
      ['--emergency', '--dry-run', '--customer', 'acme'],
      ['--days', '3', '--dry-run', writeRequest(fixture)],
    ])
      expect((await run(['issue', ...args])).code).toBe(2);
  });
});
