/** The ledger of another site, put in the place of this one's: it is whole, and its own anchor agrees with it. */
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { csv, row, writeBatch } from '../../../support/batch-file.ts';
import { runHere, type RanHere } from '../../../support/run-here.ts';
import { makeSite, writeRequest, type SiteFixture } from '../../../support/site-fixture.ts';

let fixture: SiteFixture;
let other: SiteFixture;
let id: string;

async function vtlic(site: SiteFixture, ...args: readonly string[]): Promise<RanHere> {
  return runHere([...args, '--site', site.site]);
}

async function issue(site: SiteFixture, customer = 'acme-gmbh'): Promise<RanHere> {
  const digest = (await vtlic(site, 'issue', writeRequest(site, { customer }), '--dry-run')).stdout.trim();
  return vtlic(site, 'issue', '--confirm', digest, '--json', ...site.secret);
}

beforeAll(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
  other = await makeSite({ algorithm: 'ed25519' });
  expect((await issue(fixture)).code).toBe(0);
  id = (JSON.parse((await issue(other)).stdout) as { readonly id: string }).id;
  const parts = (site: string): readonly string[] => readdirSync(site).filter((name) => name.startsWith('ledger.'));
  for (const name of parts(fixture.site)) rmSync(join(fixture.site, name));
  for (const name of parts(other.site)) cpSync(join(other.site, name), join(fixture.site, name));
});
afterAll(() => {
  fixture.remove();
  other.remove();
});

describe("a ledger of another site in this one's place", () => {
  it('signs nothing: the key belongs to another ledger, exit 4', async () => {
    const done = await issue(fixture, 'beta-inc');
    expect([done.code, done.stderr]).toEqual([4, expect.stringContaining('this key belongs to the ledger')]);
    const digest = (
      await vtlic(fixture, 'batch', writeBatch(fixture, csv([row('gamma-ltd')])), '--new-customers', '--dry-run')
    ).stdout.trim();
    const batch = await vtlic(fixture, 'batch', '--confirm', digest, ...fixture.secret);
    expect([batch.code, batch.stderr]).toEqual([4, expect.stringContaining('this key belongs to the ledger')]);
    expect(readdirSync(join(fixture.site, 'out/vaultdesk/acme-gmbh'))).toHaveLength(1);
  });

  it('is no base of a new license: a license by a foreign key is not compared with, exit 5', async () => {
    const done = await vtlic(fixture, 'issue', writeRequest(fixture), '--dry-run');
    expect([done.code, done.stderr]).toEqual([5, expect.stringContaining('so no license can follow it')]);
  });

  it('gives out none of its licenses, and does not verify: they are signed by no key of this site', async () => {
    expect(await vtlic(fixture, 'release', id)).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('which this site does not have') as unknown,
    });
    expect(await vtlic(fixture, 'ledger', 'verify')).toMatchObject({
      code: 19,
      stderr: expect.stringContaining("none of the site's license keys") as unknown,
    });
    expect(existsSync(join(fixture.site, 'batches'))).toBe(false);
  });
});
