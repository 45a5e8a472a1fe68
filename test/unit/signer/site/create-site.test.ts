/**
 * An init that was cut short at any point is finished by the same command; nothing else in a folder is touched.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLedgerForReading } from '../../../../signer/ledger/open.ts';
import { createSite, type NewSite } from '../../../../signer/site/create-site.ts';
import type { SitePaths } from '../../../../signer/site/site.ts';
import { testRuntime } from '../../../support/site-fixture.ts';

let folder: string;
let wanted: NewSite;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-init-'));
  wanted = {
    folder: join(folder, 'site'),
    issuer: 'example-vendor',
    anchor: { kind: 'file', path: join(folder, 'anchor') },
    keystores: [{ type: 'file', name: 'local', path: 'keys' }],
    exampleCatalog: true,
  };
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const make = (changes: Partial<NewSite> = {}): Promise<SitePaths> =>
  createSite({ ...wanted, ...changes }, testRuntime());

function ledgerId(paths: SitePaths): string {
  const ledger = openLedgerForReading(paths.ledger);
  try {
    return Buffer.from(ledger.genesis.ledgerId).toString('hex');
  } finally {
    ledger.close();
  }
}

describe('an init that was cut short', () => {
  it.each([
    ['before site.json', (paths: SitePaths) => unlinkSync(paths.site)],
    ['before the catalog', (paths: SitePaths) => [paths.site, paths.catalog].forEach(unlinkSync)],
    [
      'before the ledger had its name',
      (paths: SitePaths) => {
        [paths.site, paths.catalog].forEach(unlinkSync);
        renameSync(paths.ledger, `${paths.ledger}.new`);
      },
    ],
  ])('goes on with the same ledger when it stopped %s', async (_words, cut) => {
    const paths = await make();
    const id = ledgerId(paths);
    cut(paths);
    await make();
    expect(existsSync(paths.site)).toBe(true);
    expect(ledgerId(paths)).toBe(id);
    await expect(make()).rejects.toMatchObject({
      code: 'output_exists',
      hint: expect.stringContaining('site already') as unknown,
    });
  });

  it('begins anew when it stopped before its anchor', async () => {
    const paths = await make();
    const id = ledgerId(paths);
    [paths.site, paths.catalog, join(folder, 'anchor')].forEach(unlinkSync);
    renameSync(paths.ledger, `${paths.ledger}.new`);
    await make();
    expect(ledgerId(paths)).not.toBe(id);
  });

  it('is not found in a folder with anything else, under another issuer, or beside a ledger that its anchor does not know', async () => {
    const paths = await make();
    const before = readFileSync(paths.ledger);
    unlinkSync(paths.site);
    await expect(make({ issuer: 'somebody-else' })).rejects.toMatchObject({ code: 'output_exists' });
    copyFileSync(paths.ledger, join(folder, 'ledger'));
    mkdirSync(paths.keys);
    await expect(make()).rejects.toMatchObject({ code: 'output_exists' });
    rmSync(paths.keys, { recursive: true });
    unlinkSync(join(folder, 'anchor'));
    await expect(make()).rejects.toMatchObject({ code: 'output_exists' });
    expect(readFileSync(paths.ledger)).toEqual(before);
    expect(existsSync(paths.site)).toBe(false);
    writeFileSync(join(folder, 'anchor'), 'no anchor');
    await expect(make()).rejects.toMatchObject({ code: 'ledger_corrupt' });
  });
});
