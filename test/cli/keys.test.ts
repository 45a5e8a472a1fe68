/** The life of a key: made with defaults that work, made the default, retired, removed. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSite } from '../../signer/site/site.ts';
import { CONSENTING, runHere, type RanHere } from '../support/run-here.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

let fixture: SiteFixture;
beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
});
afterEach(() => {
  fixture.remove();
});

function vtlic(...args: readonly string[]): Promise<RanHere> {
  return runHere([...args, '--site', fixture.site]);
}

function generate(...args: readonly string[]): Promise<RanHere> {
  return vtlic('key', 'generate', ...args, ...fixture.secret);
}

async function issue(): Promise<RanHere> {
  const plan = await vtlic('issue', writeRequest(fixture), '--dry-run');
  expect(plan.code).toBe(0);
  return vtlic('issue', '--confirm', plan.stdout.trim(), ...fixture.secret);
}

const config = (): ReturnType<typeof openSite>['config'] => openSite(fixture.site).config;

describe('key generate', () => {
  it('makes an Ed25519 key for the ledger, which signs a checkpoint at once', async () => {
    expect((await generate('--name', 'ledger-1', '--purpose', 'ledger')).code).toBe(0);
    expect(config().keys.find(({ name }) => name === 'ledger-1')?.algorithm).toBe('ed25519');
    const checkpoint = await vtlic('ledger', 'checkpoint', ...fixture.secret);
    expect([checkpoint.code, checkpoint.stdout]).toEqual([0, expect.stringContaining('example-vendor/vtlic-ledger/')]);
  });

  it.each(['license', 'counters'])('makes a composite key for the purpose %s', async (purpose) => {
    expect((await generate('--name', 'other', '--purpose', purpose)).code).toBe(0);
    expect(config().keys.find(({ name }) => name === 'other')?.algorithm).toBe('ed25519+ml-dsa-65');
  });

  it('names the files to back up', async () => {
    const { stderr } = await generate('--name', 'ledger-1', '--purpose', 'ledger');
    for (const file of ['keys/ledger-1.age', 'keys/ledger-1.claim.json']) {
      expect(stderr).toContain(`  ${join(fixture.site, file)}\n`);
      expect(existsSync(join(fixture.site, file))).toBe(true);
    }
  });
});

describe('key default', () => {
  it('chooses the key that signs licenses', async () => {
    await generate('--name', 'second', '--algorithm', 'ed25519');
    expect(config().defaultKey).toBe('license-1');
    expect((await vtlic('key', 'default', 'second')).code).toBe(0);
    expect((await vtlic('issue', writeRequest(fixture), '--dry-run')).stderr).toContain('signed by     second');
  });

  it('takes no key of another purpose, and none that there is not', async () => {
    await generate('--name', 'ledger-1', '--purpose', 'ledger');
    expect((await vtlic('key', 'default', 'ledger-1')).stderr).toContain('cannot sign licenses');
    expect((await vtlic('key', 'default', 'nope')).code).toBe(5);
    expect(config().defaultKey).toBe('license-1');
  });
});

describe('key retire', () => {
  it('keeps the key from signing, by name, by default and by a plan made before; what it signed is verified', async () => {
    const license = (await issue()).stdout.trim();
    const plan = (await vtlic('renew', 'acme-gmbh', '--seats', '300', '--dry-run')).stdout.trim();
    const retired = await vtlic('key', 'retire', 'license-1');
    expect([retired.code, retired.stderr]).toEqual([0, expect.stringContaining('vtlic key default NAME')]);
    expect(config().defaultKey).toBeUndefined();
    const renew = (...more: readonly string[]): Promise<RanHere> =>
      vtlic('renew', 'acme-gmbh', '--seats', '9', ...more);
    expect((await renew('--dry-run')).code).toBe(5);
    const named = await renew('--dry-run', '--key', 'license-1');
    expect([named.code, named.stderr]).toEqual([2, expect.stringMatching(/license-1 was retired on .*--undo/s)]);
    const planned = await vtlic('renew', '--confirm', plan, ...fixture.secret);
    expect([planned.code, planned.stderr]).toEqual([2, expect.stringContaining('was retired on')]);
    expect((await vtlic('key', 'default', 'license-1')).stderr).toContain('was retired on');
    const verified = await vtlic('verify', license, '--product', 'vaultdesk', '--deployment', 'prod-eu');
    expect(verified.code).toBe(0);
    expect((await vtlic('key', 'list')).stdout).toMatch(/^license-1 .* retired /m);
  });

  it('lets a new key follow: the license of the retired one is renewed', async () => {
    await issue();
    expect((await vtlic('key', 'retire', 'license-1')).stderr).toContain(
      `to undo this: vtlic key retire license-1 --undo --site ${fixture.site}`,
    );
    await generate('--name', 'license-2', '--algorithm', 'ed25519');
    expect(config().defaultKey).toBe('license-2');
    expect((await vtlic('renew', 'acme-gmbh', '--seats', '300', '--dry-run')).stderr).toContain('license-2');
  });

  it('leaves a second key of the ledger as the only one that is meant', async () => {
    await generate('--name', 'ledger-1', '--purpose', 'ledger');
    await generate('--name', 'ledger-2', '--purpose', 'ledger');
    expect((await vtlic('ledger', 'checkpoint', ...fixture.secret)).stderr).toContain('say which');
    await vtlic('key', 'retire', 'ledger-1');
    expect((await vtlic('ledger', 'checkpoint', ...fixture.secret)).code).toBe(0);
    expect((await vtlic('ledger', 'checkpoint', '--key', 'ledger-1', ...fixture.secret)).code).toBe(2);
  });

  it('is taken back by --undo', async () => {
    await vtlic('key', 'retire', 'license-1');
    expect((await vtlic('key', 'retire', 'license-1')).code).toBe(2);
    expect((await vtlic('key', 'retire', 'license-1', '--undo')).code).toBe(0);
    expect((await vtlic('key', 'retire', 'license-1', '--undo')).code).toBe(2);
    await vtlic('key', 'default', 'license-1');
    expect((await issue()).code).toBe(0);
  });
});

describe('key remove', () => {
  it('takes out a key that never signed, keeps its files under another name, and frees its own', async () => {
    await generate('--name', 'wrong', '--purpose', 'counters');
    const bytes = readFileSync(join(fixture.site, 'keys/wrong.age'));
    const removed = await vtlic('key', 'remove', 'wrong');
    expect([removed.code, removed.stdout]).toEqual([0, 'wrong\n']);
    expect(config().keys.map(({ name }) => name)).toEqual(['license-1']);
    expect(readFileSync(join(fixture.site, 'keys/wrong.age.removed-1'))).toEqual(bytes);
    expect((await generate('--name', 'wrong', '--algorithm', 'ed25519')).code).toBe(0);
    await vtlic('key', 'remove', 'wrong');
    expect(existsSync(join(fixture.site, 'keys/wrong.age.removed-2'))).toBe(true);
    expect(readFileSync(join(fixture.site, 'keys/wrong.age.removed-1'))).toEqual(bytes);
  });

  it('removes the default with the key, and says what to do', async () => {
    const removed = await vtlic('key', 'remove', 'license-1');
    expect([removed.code, removed.stderr]).toEqual([0, expect.stringContaining('vtlic key default NAME')]);
    expect(config().defaultKey).toBeUndefined();
  });

  it('refuses a key that signed a license', async () => {
    await issue();
    const removed = await vtlic('key', 'remove', 'license-1');
    expect([removed.code, removed.stderr]).toEqual([2, expect.stringContaining('vtlic key retire license-1')]);
    expect(config().keys).toHaveLength(1);
  });

  it('refuses a counters key that signed a document, which could not be taken back without it', async () => {
    await generate('--name', 'counters-1', '--purpose', 'counters', '--algorithm', 'ed25519');
    const document = join(fixture.folder, 'all.counters');
    const other = '00'.repeat(16);
    const site = ['--site', fixture.site];
    const exported = await runHere(
      ['counters', 'export', document, '--to', other, ...site, ...fixture.secret],
      {},
      CONSENTING,
    );
    expect(exported.code).toBe(0);
    const removed = await vtlic('key', 'remove', 'counters-1');
    expect([removed.code, removed.stderr]).toEqual([2, expect.stringContaining('vtlic key retire counters-1')]);
    await vtlic('key', 'retire', 'counters-1');
    const back = await runHere(['counters', 'import', document, ...site], {}, CONSENTING);
    expect([back.code, back.stdout]).toEqual([0, 'back\n']);
  });

  it('refuses a ledger key, because the ledger does not record checkpoints', async () => {
    await generate('--name', 'ledger-1', '--purpose', 'ledger');
    const removed = await vtlic('key', 'remove', 'ledger-1');
    expect([removed.code, removed.stderr]).toEqual([2, expect.stringContaining('vtlic key retire ledger-1')]);
    expect(removed.stderr).toContain('does not record');
  });

  it('refuses a key that signed a license which was entered again after a restore', async () => {
    await expectKeptAfterRestore(['--license', join(fixture.site, 'out')], 'has signed licenses');
  });

  it('refuses a key that may have signed what a restore lost, and removes one that was made later', async () => {
    await expectKeptAfterRestore([], 'is older than the restore');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await generate('--name', 'later', '--algorithm', 'ed25519');
    expect((await vtlic('key', 'remove', 'later')).code).toBe(0);
  });

  /** Restores a copy from before the only license, and expects that its key stays. */
  async function expectKeptAfterRestore(options: readonly string[], words: string): Promise<void> {
    const copy = join(fixture.folder, 'copy.sqlite');
    expect((await vtlic('ledger', 'backup', copy)).code).toBe(0);
    await issue();
    const restore = ['ledger', 'restore', copy, ...options, '--site', fixture.site];
    expect((await runHere(restore, {}, CONSENTING)).code).toBe(0);
    const removed = await vtlic('key', 'remove', 'license-1');
    expect([removed.code, removed.stderr]).toEqual([2, expect.stringContaining(words)]);
    expect(removed.stderr).toContain('vtlic key retire license-1');
  }
});

describe('site.json', () => {
  it('may not name a retired key as its default', async () => {
    await vtlic('key', 'retire', 'license-1');
    const file = join(fixture.site, 'site.json');
    const site = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...site, defaultKey: 'license-1' }));
    expect((await vtlic('key', 'list')).stderr).toContain('that is not retired');
  });
});
