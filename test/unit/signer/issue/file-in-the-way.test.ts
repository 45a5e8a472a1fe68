/** A license whose file cannot be written is reported and waits; licenses of others go on. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLedgerForReading } from '../../../../signer/ledger/open.ts';
import { csv, row, writeBatch } from '../../../support/batch-file.ts';
import { runHere, type RanHere } from '../../../support/run-here.ts';
import { makeSite, writeRequest, type SiteFixture } from '../../../support/site-fixture.ts';

let site: SiteFixture;
beforeEach(async () => {
  site = await makeSite({ algorithm: 'ed25519' });
});
afterEach(() => {
  site.remove();
});

function vtlic(...args: readonly string[]): Promise<RanHere> {
  return runHere([...args, '--site', site.site]);
}

async function issue(customer: string): Promise<RanHere> {
  const digest = (await vtlic('issue', writeRequest(site, { customer }), '--dry-run')).stdout.trim();
  return vtlic('issue', '--confirm', digest, ...site.secret);
}

function licensesOf(customer: string): number {
  const folder = join(site.site, 'out/vaultdesk', customer);
  return existsSync(folder) ? readdirSync(folder).length : 0;
}

/** A file where the customer's folder should be. */
function blockFolder(customer: string): string {
  const path = join(site.site, 'out/vaultdesk', customer);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, 'in the way');
  return path;
}

async function unreleased(): Promise<unknown> {
  return (JSON.parse((await vtlic('ledger', 'status', '--json')).stdout) as { readonly unreleased: unknown })
    .unreleased;
}

describe('a file where the folder of one customer should be', () => {
  it('stops that license, and no other: each start says that it waits, and releases it once it can', async () => {
    const path = blockFolder('acme-gmbh');
    const blocked = await issue('acme-gmbh');
    expect([blocked.code, blocked.stderr]).toEqual([11, expect.stringContaining('safe in the ledger, only its file')]);
    const other = await issue('beta-inc');
    expect([other.code, other.stderr]).toEqual([
      0,
      expect.stringMatching(/waiting: .*acme-gmbh.*vtlic release [0-9a-f-]{36}/),
    ]);
    expect(licensesOf('beta-inc')).toBe(1);
    expect(await unreleased()).toBe(1);
    const batch = await vtlic(
      'batch',
      writeBatch(site, csv([row('gamma'), row('delta')])),
      '--new-customers',
      '--dry-run',
    );
    const signed = await vtlic('batch', '--confirm', batch.stdout.trim(), ...site.secret);
    expect([signed.code, signed.stderr]).toEqual([0, expect.stringContaining('waiting: ')]);
    rmSync(path);
    const last = await issue('beta-inc');
    expect([last.code, last.stderr]).toEqual([0, expect.stringContaining('its file is written now')]);
    expect([licensesOf('acme-gmbh'), await unreleased()]).toEqual([1, 0]);
  });

  it('stops that row of a batch and no other: exit 18, and the results say which file waits', async () => {
    blockFolder('gamma');
    const file = writeBatch(site, csv(['beta', 'gamma', 'delta'].map((customer) => row(customer))));
    const planned = await vtlic('batch', file, '--new-customers', '--dry-run');
    const done = await vtlic('batch', '--confirm', planned.stdout.trim(), ...site.secret);
    expect(done.code).toBe(18);
    expect([licensesOf('beta'), licensesOf('delta'), await unreleased()]).toEqual([1, 1, 1]);
    const [csvFile = ''] = done.stdout.split('\n').filter((line) => line.endsWith('.csv'));
    expect(readFileSync(csvFile, 'utf8')).toMatch(/gamma,"gamma, Inc\.",vaultdesk,.*issued,.*its file is not written/);
  });
});

describe('a foreign file under the final name of a license', () => {
  /** Signs, and puts a file under the name of the license just before it is released. */
  async function issueWithFileInTheWay(
    customer: string,
    content: string,
  ): Promise<RanHere & { readonly path: string }> {
    const digest = (await vtlic('issue', writeRequest(site, { customer }), '--dry-run')).stdout.trim();
    let path = '';
    const done = await runHere(['issue', '--confirm', digest, '--site', site.site, ...site.secret], {
      step: (step) => {
        if (step === 'anchor-durable' && path === '') {
          const ledger = openLedgerForReading(join(site.site, 'ledger.sqlite'));
          const [record] = ledger.unreleased();
          ledger.close();
          path = join(site.site, record?.intent.body.path ?? '');
          mkdirSync(join(path, '..'), { recursive: true });
          writeFileSync(path, content);
        }
        return Promise.resolve();
      },
    });
    return { ...done, path };
  }

  it.each(['not a license', '-----BEGIN VTLIC-----\nAAAA\n-----END VTLIC-----\n'])(
    'is never replaced (%j), and the license waits until it is moved',
    async (content) => {
      const blocked = await issueWithFileInTheWay('acme-gmbh', content);
      expect(blocked.code).toBe(11);
      expect(blocked.stderr).toContain(blocked.path);
      expect(readFileSync(blocked.path, 'utf8')).toBe(content);
      const other = await issue('beta-inc');
      expect([other.code, other.stderr]).toEqual([0, expect.stringMatching(/waiting: .*acme-gmbh/)]);
      expect([readFileSync(blocked.path, 'utf8'), await unreleased()]).toEqual([content, 1]);
      rmSync(blocked.path);
      expect((await issue('beta-inc')).stderr).toContain('its file is written now');
      expect(readFileSync(blocked.path, 'utf8')).toContain('BEGIN VTLIC');
      expect(await unreleased()).toBe(0);
    },
  );
});

describe('other things that are in the way of one license', () => {
  it('a folder that this user may not write to stops only the licenses of its customer', async () => {
    expect((await issue('acme-gmbh')).code).toBe(0);
    const [name = ''] = readdirSync(join(site.site, 'out/vaultdesk/acme-gmbh'));
    expect((await issue('beta-inc')).code).toBe(0);
    // A second license of acme meets a folder without write permission; root would not notice it.
    if (process.getuid?.() !== 0) {
      chmodSync(join(site.site, 'out/vaultdesk/acme-gmbh'), 0o500);
      expect((await issue('acme-gmbh')).code).toBe(11);
      expect((await issue('beta-inc')).code).toBe(0);
      chmodSync(join(site.site, 'out/vaultdesk/acme-gmbh'), 0o700);
    }
    expect(name).toMatch(/^1-[0-9a-f]{8}\.vtlic$/);
  });

  it('an id that some file systems refuse or do not tell apart is never in the way', async () => {
    for (const customer of ['acme:eu', 'ACME', 'acme', 'con', 'acme.']) {
      const done = await issue(customer);
      expect([customer, done.code]).toEqual([customer, 0]);
    }
    const names = readdirSync(join(site.site, 'out/vaultdesk'));
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(5);
    expect(names.filter((name) => /:|\.$/.test(name))).toEqual([]);
  });
});
