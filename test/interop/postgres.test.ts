/** The state in a real PostgreSQL: three replicas at once, and a server that goes away and comes back. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { postgresTokens } from '../../verifier/admin/index.ts';
import { checkLicense, fileStore, postgresStore } from '../../verifier/runtime/index.ts';
import { decodeState } from '../../verifier/runtime/state-document.ts';
import { packMain } from '../support/pack-main.ts';
import { AdminSite } from '../unit/verifier/admin/admin-site.ts';
import { listen, Product, textOf } from '../unit/verifier/runtime/product.ts';
import { licenseFile } from '../unit/verifier/sample.ts';
import { installPinned } from './pinned-packages.ts';
import { openPool, PostgresServer, type Pool } from './postgres-server.ts';

let server: PostgresServer;
let packages: string;
let pool: Pool;
let product: Product;

beforeAll(() => {
  packages = installPinned();
  server = new PostgresServer();
  server.start();
});
afterAll(() => {
  server.remove();
});
beforeEach(async () => {
  pool = openPool(packages, server.host);
  await pool.query('DROP TABLE IF EXISTS vtlic_state', []);
  product = new Product();
});
afterEach(async () => {
  await product.remove();
  await pool.end();
});

const withoutFile = (): { readonly environment: Record<string, string | undefined> } => ({
  environment: { ...product.options().environment, LICENSE_STATE_PATH: '' },
});

describe('a check', () => {
  const tables = async (): Promise<number> =>
    (await pool.query("SELECT FROM pg_tables WHERE tablename = 'vtlic_state'", [])).rows.length;
  const check = async (): Promise<string> => {
    const { view, refusal } = await checkLicense(product.options({ ...withoutFile(), stores: [postgresStore(pool)] }));
    return refusal?.code ?? `${view.state} ${view.license?.counter ?? ''}`;
  };

  it('makes no table and no row, and changes nothing in the row that the product made', async () => {
    await product.dropLicense({ ctr: 8 });
    expect(await check()).toBe('active 8');
    expect(await tables()).toBe(0);
    await postgresStore(pool, { id: 'another' }).write(Uint8Array.of(1), undefined);
    expect(await check()).toBe('active 8');
    expect((await pool.query('SELECT id FROM vtlic_state', [])).rows).toEqual([{ id: 'another' }]);
    await (await product.start({ ...withoutFile(), stores: [postgresStore(pool)] })).close();
    const all = async (): Promise<readonly unknown[]> =>
      (await pool.query('SELECT * FROM vtlic_state ORDER BY id', [])).rows;
    const before = await all();
    await product.dropLicense({ ctr: 7 });
    expect(await check()).toBe('counter_rolled_back');
    expect(await all()).toEqual(before);
  });
});

describe('three replicas at once', () => {
  it('start for the first time, install different renewals, and all end with the newest', async () => {
    const main = await packMain('test/interop/postgres-replica.ts');
    const folder = mkdtempSync(join(tmpdir(), 'vtlic-replicas-'));
    try {
      for (let round = 0; round < 4; round++) {
        await pool.query('DROP TABLE IF EXISTS vtlic_state', []);
        const counters = [8, 9, 10];
        const outputs = await Promise.all(
          counters.map(async (ctr) => {
            const [path, renewal] = [join(folder, `license-${ctr}`), join(folder, `renewal-${ctr}`)];
            writeFileSync(path, await licenseFile({ ctr: 7 }));
            writeFileSync(renewal, await licenseFile({ ctr }));
            const args = [main, packages, server.host, path, renewal, '10'];
            const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
            let output = '';
            child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
            await once(child, 'close');
            return output;
          }),
        );
        for (const output of outputs) expect(output).toMatch(/^(?:in_force|counter_rolled_back), then active 10$/);
        expect(outputs[2]).toBe('in_force, then active 10');
        const decoded = decodeState((await postgresStore(pool).read())?.document ?? new Uint8Array());
        expect(decoded).toMatchObject({ ok: true, state: { entries: [{ counter: 10 }] } });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('a server that goes away', () => {
  it('leaves a running product running, refuses installations meanwhile, and is used again once it is back', async () => {
    await product.dropLicense({ ctr: 7 });
    const license = await product.start({ ...withoutFile(), stores: [postgresStore(pool)] });
    const heard = listen(license);
    const renewal = textOf(await licenseFile({ ctr: 8, tier: 'renewed' }));
    server.stop();
    try {
      await product.pass(600, license);
      expect(license.state).toBe('active');
      expect(heard).toEqual(['warning state_unwritable']);
      expect(await license.install(renewal)).toMatchObject({ ok: false, refusal: { code: 'state_unwritable' } });
      const other = openPool(packages, server.host);
      expect((await product.refusal({ ...withoutFile(), stores: [postgresStore(other)] })).code).toBe(
        'state_unwritable',
      );
      await other.end();
    } finally {
      server.start();
    }
    await product.pass(600, license);
    expect(license.view().warnings).toEqual([]);
    expect(await license.install(renewal)).toEqual({ ok: true, outcome: 'in_force' });
  });

  it('does not let a rolled-back license through: the file store does for it, and both are merged later', async () => {
    await product.dropLicense({ ctr: 7 });
    const stores = [postgresStore(pool)];
    const license = await product.start({ stores });
    await license.install(textOf(await licenseFile({ ctr: 8, tier: 'renewed' })));
    await license.close();
    server.stop();
    try {
      expect((await product.start({ stores })).entitlements?.tier).toBe('renewed');
      await product.dropLicense({ ctr: 7 });
      expect((await product.refusal({ stores })).code).toBe('counter_rolled_back');
      // A volume that is put back, and a database that is away: what was accepted in the file alone is merged later.
      await product.dropLicense({ ctr: 9, tier: 'newest' });
      expect((await product.start({ stores })).entitlements?.tier).toBe('newest');
    } finally {
      server.start();
    }
    const back = await product.start({ stores });
    expect(back.entitlements?.tier).toBe('newest');
    for (const store of [postgresStore(pool), fileStore(product.statePath)]) {
      const decoded = decodeState((await store.read())?.document ?? new Uint8Array());
      expect(decoded).toMatchObject({ ok: true, state: { entries: [{ counter: 9 }] } });
    }
  });
});

describe('the previews that replicas share', () => {
  it('are good once, whichever of them is asked, and whichever of them makes the table', async () => {
    await pool.query('DROP TABLE IF EXISTS vtlic_used_token', []);
    const secret = new Uint8Array(32).fill(7);
    const other = openPool(packages, server.host);
    const sites = [new AdminSite(), new AdminSite()] as const;
    try {
      for (const [i, site] of sites.entries()) {
        await site.product.dropLicense({ ctr: 7 });
        await site.start({ secret, usedTokens: postgresTokens(i === 0 ? pool : other) });
      }
      const renewal = textOf(await licenseFile({ ctr: 8, seats: 400 }));
      const preview = await sites[0].preview(renewal);
      const both = await Promise.all(sites.map((site) => site.confirm(preview)));
      expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
      for (const site of sites) expect((await site.confirm(preview)).status).toBe(409);
      const phases = sites.flatMap(({ audited }) => audited.map(({ phase }) => phase));
      expect(phases).toEqual(['before', 'after']);
      const { rows } = await pool.query('SELECT id FROM vtlic_used_token', []);
      expect(rows).toEqual([{ id: preview.fields['token']?.split('.')[1] }]);
    } finally {
      await other.end();
      for (const site of sites) await site.product.remove();
    }
  });

  it('are not installed where the database is away', async () => {
    const away = openPool(packages, `${server.host}/nowhere`);
    const site = new AdminSite();
    try {
      await site.product.dropLicense({ ctr: 7 });
      await site.start({ secret: new Uint8Array(32), usedTokens: postgresTokens(away) });
      const done = await site.install(textOf(await licenseFile({ ctr: 8, seats: 400 })));
      expect(done.status).toBe(503);
      expect(site.license.entitlements?.seats).toBe(250);
    } finally {
      await away.end();
      await site.product.remove();
    }
  });
});
