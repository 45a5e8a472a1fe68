/** `ledger verify --files`: the files below out/ and the ledger say the same, or each that differs is named. */
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runHere, type RanHere } from '../../../support/run-here.ts';
import { makeSite, writeRequest, type SiteFixture } from '../../../support/site-fixture.ts';

let site: SiteFixture;
beforeEach(async () => {
  site = await makeSite({ algorithm: 'ed25519' });
  for (const customer of ['acme-gmbh', 'beta-inc']) await issue(site, customer);
});
afterEach(() => {
  site.remove();
});

async function issue(of: SiteFixture, customer: string): Promise<void> {
  const planned = await runHere(['issue', writeRequest(of, { customer }), '--dry-run', '--site', of.site]);
  const done = await runHere(['issue', '--confirm', planned.stdout.trim(), '--site', of.site, ...of.secret]);
  expect([done.code, done.stderr]).toEqual([0, expect.stringContaining('signed and released')]);
}

function verify(...args: readonly string[]): Promise<RanHere> {
  return runHere(['ledger', 'verify', '--files', '--site', site.site, ...args]);
}

function folderOf(customer: string, of: SiteFixture = site): string {
  return join(of.site, 'out/vaultdesk', customer);
}

function fileOf(customer: string, of: SiteFixture = site): string {
  const [name = ''] = readdirSync(folderOf(customer, of)).filter((each) => each.endsWith('.vtlic'));
  return join(folderOf(customer, of), name);
}

describe('the files of a site', () => {
  it('agree with the ledger as they were released, in words and in JSON', async () => {
    expect(await verify()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/files +2 compared, all as/) as unknown,
    });
    expect(JSON.parse((await verify('--json')).stdout)).toMatchObject({ ok: true, files: 2 });
  });

  it.each<[string, RegExp, (file: string) => void | Promise<void>]>([
    [
      'a missing license',
      /^missing: out\/vaultdesk\/acme-gmbh\/1-/m,
      (file) => {
        rmSync(file);
      },
    ],
    [
      'a missing folder',
      /^missing: out\/vaultdesk\/acme-gmbh\/1-/m,
      () => {
        rmSync(folderOf('acme-gmbh'), { recursive: true });
      },
    ],
    [
      'a license that lacks its end',
      /^changed: out\/vaultdesk\/acme-gmbh\/1-/m,
      (file) => {
        writeFileSync(file, readFileSync(file).subarray(0, 80));
      },
    ],
    [
      'an empty license',
      /^changed: /m,
      (file) => {
        writeFileSync(file, '');
      },
    ],
    [
      "another customer's license in its place",
      /^changed: /m,
      (file) => {
        cpSync(fileOf('beta-inc'), file);
      },
    ],
    [
      'a link to the license',
      /^changed: /m,
      (file) => {
        renameSync(file, `${site.folder}/moved`);
        symlinkSync(`${site.folder}/moved`, file);
      },
    ],
    [
      'a note',
      /^foreign: out\/note.txt: it is not a license file/m,
      () => {
        writeFileSync(join(site.site, 'out/note.txt'), 'a note');
      },
    ],
    [
      'a copy under another name',
      /^foreign: .*copy.vtlic: the ledger released this license as out\/vaultdesk/m,
      (file) => {
        cpSync(file, join(folderOf('beta-inc'), 'copy.vtlic'));
      },
    ],
    [
      'a dangling link',
      /^foreign: .*it is not a file/m,
      () => {
        symlinkSync('/nowhere', join(site.site, 'out/link.vtlic'));
      },
    ],
    [
      'a proof without its license',
      /^foreign: .*it is a proof without its license/m,
      () => {
        writeFileSync(join(site.site, 'out/x.vtlic.proof'), '');
      },
    ],
    [
      'a license of another ledger',
      /^foreign: .*the ledger never issued this license/m,
      async () => {
        const other = await makeSite({ algorithm: 'ed25519' });
        await issue(other, 'gamma');
        mkdirSync(folderOf('gamma'));
        cpSync(fileOf('gamma', other), join(folderOf('gamma'), '1-00000000.vtlic'));
        other.remove();
      },
    ],
  ])('are named, with exit 19, where they differ from the ledger by %s', async (_name, words, change) => {
    await change(fileOf('acme-gmbh'));
    const done = await verify();
    expect([done.code, done.stderr]).toEqual([19, expect.stringMatching(words)]);
    expect(done.stderr.match(/^(?:missing|changed|foreign): /gm)).toHaveLength(1);
  });

  it('are not looked at for a copy of the ledger', async () => {
    const copy = join(site.folder, 'copy.sqlite');
    cpSync(join(site.site, 'ledger.sqlite'), copy);
    expect(await runHere(['ledger', 'verify', copy, '--files', '--no-signatures'])).toMatchObject({ code: 2 });
  });
});
