/** A ledger that was lost, and counters that change hands: typed acts at a real terminal. */
import {
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { anchorFile } from '../../signer/anchor/anchor-file.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { csv, row, writeBatch } from '../support/batch-file.ts';
import { PtyRun, runCli, type CliResult } from '../support/run-cli.ts';
import { makeSite, PASSPHRASE, writeRequest, type SiteFixture } from '../support/site-fixture.ts';
import { addKey } from '../support/site-keys.ts';

let fixture: SiteFixture;
let run: PtyRun | undefined;
beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
});
afterEach(() => {
  run?.kill();
  fixture.remove();
});

function issue(site: SiteFixture = fixture, changes: Readonly<Record<string, unknown>> = {}): CliResult {
  const plan = runCli(['issue', writeRequest(site, changes), '--site', site.site, '--dry-run']);
  return plan.code === 0
    ? runCli(['issue', '--confirm', plan.stdout.trim(), '--site', site.site, ...site.secret])
    : plan;
}

function ledger(site: SiteFixture, ...args: readonly string[]): CliResult {
  return runCli(['ledger', ...args, '--site', site.site]);
}

function counters(site: SiteFixture): readonly number[] {
  const document = JSON.parse(ledger(site, 'show', 'acme-gmbh', '--json').stdout) as {
    readonly lineages: readonly { readonly licenses: readonly { readonly license: { readonly ctr: number } }[] }[];
  };
  return document.lineages.flatMap((lineage) => lineage.licenses.map((line) => line.license.ctr));
}

async function typed(
  args: readonly string[],
  prompt: RegExp,
  word: string,
  meanwhile: () => void = () => undefined,
): Promise<{ readonly code: number | null; readonly output: string }> {
  run = new PtyRun(args);
  await run.until(prompt, 60_000);
  meanwhile();
  run.type(`${word}\r`);
  const code = await run.ended();
  return { code, output: run.output };
}

function removeLedger(): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(fixture.site, `ledger.sqlite${suffix}`), { force: true });
}

/** One license, a copy, two more licenses; then the ledger is gone. */
function lostAfterCopy(): string {
  expect(issue().code).toBe(0);
  const copy = join(fixture.folder, 'copy.sqlite');
  expect(ledger(fixture, 'backup', copy).code).toBe(0);
  expect(issue().code).toBe(0);
  expect(issue().code).toBe(0);
  removeLedger();
  return copy;
}

describe('restore', () => {
  it('begins a new log above everything that may have left, and the old licenses come back', async () => {
    const copy = lostAfterCopy();
    // Put there by hand, the copy is refused.
    copyFileSync(copy, join(fixture.site, 'ledger.sqlite'));
    const refused = issue();
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain('an old copy of the ledger was put back');
    expect(ledger(fixture, 'verify').code).toBe(19);
    removeLedger();

    const args = ['ledger', 'restore', copy, '--license', join(fixture.site, 'out'), '--site', fixture.site];
    expect(runCli(args)).toMatchObject({ code: 2, stdout: '' });
    const declined = await typed(args, /Type RESTORE/, 'restore');
    expect(declined.code).toBe(10);
    expect(existsSync(join(fixture.site, 'ledger.sqlite'))).toBe(false);

    const done = await typed(args, /Type RESTORE/, 'RESTORE');
    expect(done.code).toBe(0);
    expect(done.output).toContain('every lineage skips 2; a lineage that the copy does not know begins at 3');
    expect(done.output).toContain('3; already in the copy: 1, entered again: 2');
    expect(ledger(fixture, 'verify').stdout).toContain('2 entered again after a restore');
    expect(ledger(fixture, 'status').stdout).toContain('restored: a new log begins');
    expect(issue().code).toBe(0);
    expect(issue(fixture, { customer: 'late-gmbh', deployment: undefined }).stdout).toContain('/late-gmbh/3-');
    // 3 left, and the copy knew 1: the next is max(1, 3) + 2 + 1.
    expect(counters(fixture)).toEqual([1, 2, 3, 6]);
    expect(ledger(fixture, 'verify').code).toBe(0);
    expect(ledger(fixture, 'export').stdout).toContain('"act":"log","reason":"restored"');
  });

  it('lets the licenses that were entered again be renewed, by id, file, customer and batch, each from the newest', async () => {
    const late = { customer: 'late-gmbh', name: 'Late GmbH', seats: 40 };
    expect(issue().code).toBe(0);
    const copy = join(fixture.folder, 'copy.sqlite');
    expect(ledger(fixture, 'backup', copy).code).toBe(0);
    // The copy knows one license of this customer, and nothing of the next.
    expect(issue(fixture, { seats: 260 }).code).toBe(0);
    expect(issue(fixture, late).code).toBe(0);
    expect(issue(fixture, { ...late, seats: 50 }).code).toBe(0);
    removeLedger();
    expect(
      (
        await typed(
          ['ledger', 'restore', copy, '--license', join(fixture.site, 'out'), '--site', fixture.site],
          /Type RESTORE/,
          'RESTORE',
        )
      ).code,
    ).toBe(0);

    const out = join(fixture.site, 'out/vaultdesk/late-gmbh');
    const [first = '', second = ''] = readdirSync(out).sort();
    const idOf = (file: string): string =>
      (
        JSON.parse(runCli(['inspect', join(out, file), '--json']).stdout) as {
          readonly license: { readonly cti: string };
        }
      ).license.cti;
    for (const target of [idOf(second), join(out, second), 'late-gmbh']) {
      const plan = runCli(['renew', target, '--seats', '20', '--dry-run', '--site', fixture.site]);
      expect([plan.code, plan.stderr]).toEqual([
        0,
        expect.stringMatching(/Replaces license [0-9a-f-]{36} \(counter 2[\s\S]*fewer seats: 20 instead of 50/),
      ]);
      expect(plan.stderr).not.toContain('is not the last license');
    }
    const older = runCli(['renew', idOf(first), '--seats', '20', '--dry-run', '--site', fixture.site]);
    expect([older.code, older.stderr]).toEqual([
      0,
      expect.stringMatching(
        /counter 1 is not the last license of .*; the renewal starts from counter 2[\s\S]*Replaces license/,
      ),
    ]);
    const known = runCli(['renew', 'acme-gmbh', '--seats', '20', '--dry-run', '--site', fixture.site]);
    expect([known.code, known.stderr]).toEqual([
      0,
      expect.stringMatching(/\(counter 2[\s\S]*fewer seats: 20 instead of 260/),
    ]);

    const batch = (name: string): CliResult =>
      runCli([
        'batch',
        writeBatch(
          fixture,
          csv(['acme-gmbh', 'late-gmbh'].map((customer) => row(customer, { seats: '20', deployment: name }))),
          `${name}.csv`,
        ),
        '--dry-run',
        '--site',
        fixture.site,
      ]);
    const same = batch('prod-eu');
    expect([same.code, same.stderr]).toEqual([
      0,
      expect.stringMatching(/new customers: 0; new lineages of known customers: 0[\s\S]*seats down: 2\n/),
    ]);
    const other = batch('prod-us');
    expect([other.code, other.stderr]).toEqual([
      0,
      expect.stringMatching(/new customers: 0; new lineages of known customers: 2[\s\S]*deployment changed: 2\n/),
    ]);

    // What is issued now is the newest.
    expect(issue(fixture, { ...late, seats: 60 }).code).toBe(0);
    const next = runCli(['renew', idOf(second), '--seats', '20', '--dry-run', '--site', fixture.site]);
    expect(next.stderr).toContain('fewer seats: 20 instead of 60');
  });

  it('keeps the ledger that was there, and takes a whole copy as it is', async () => {
    expect(issue().code).toBe(0);
    const copy = join(fixture.folder, 'copy.sqlite');
    expect(ledger(fixture, 'backup', copy).code).toBe(0);
    const done = await typed(['ledger', 'restore', copy, '--site', fixture.site], /Type RESTORE/, 'RESTORE');
    expect(done.code).toBe(0);
    expect(done.output).toContain('nothing that was released is missing');
    expect(
      readdirSync(fixture.site).filter((name) => name.startsWith('ledger.sqlite.replaced-')).length,
    ).toBeGreaterThan(0);
    expect(issue().code).toBe(0);
    expect(counters(fixture)).toEqual([1, 2]);
    const nothing = runCli(['ledger', 'restore', '--site', fixture.site]);
    expect(nothing.code).toBe(0);
    expect(nothing.stderr).toContain('there is nothing to restore');
  });

  it('asks for --lost-anchor, a number and other words where the anchor is gone', async () => {
    expect(issue().code).toBe(0);
    rmSync(fixture.anchor);
    expect(issue().code).toBe(4);
    const refused = ledger(fixture, 'restore');
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain('--lost-anchor --skip N');
    expect(ledger(fixture, 'restore', '--lost-anchor').code).toBe(2);
    const place = join(fixture.folder, 'elsewhere', 'anchor');
    const args = ['ledger', 'restore', '--lost-anchor', '--skip', '10', '--site', fixture.site];
    expect((await typed(args, /Type ADOPT WITHOUT ANCHOR/, 'RESTORE')).code).toBe(10);
    expect(runCli([...args, '--anchor', join(fixture.site, 'anchor')]).code).toBe(2);
    expect((await typed(args, /Type ADOPT WITHOUT ANCHOR/, 'ADOPT WITHOUT ANCHOR')).code).toBe(0);
    expect(existsSync(place)).toBe(false);
    expect(issue().code).toBe(0);
    expect(counters(fixture)).toEqual([1, 12]);
    expect(ledger(fixture, 'status').stdout).toContain('restored without its anchor: a new log begins');
    expect(ledger(fixture, 'verify').code).toBe(0);
    const there = ledger(fixture, 'restore', '--lost-anchor', '--skip', '1');
    expect(there).toMatchObject({ code: 2 });
    expect(there.stderr).toContain('leave --lost-anchor out');
  });

  it('follows an anchor that was carried to another place', async () => {
    expect(issue().code).toBe(0);
    const place = join(fixture.folder, 'carried');
    renameSync(fixture.anchor, place);
    expect(issue().code).toBe(4);
    expect(
      (await typed(['ledger', 'restore', '--anchor', place, '--site', fixture.site], /Type RESTORE/, 'RESTORE')).code,
    ).toBe(0);
    expect(issue().code).toBe(0);
    expect(counters(fixture)).toEqual([1, 2]);
    expect(ledger(fixture, 'status').stdout).toContain(place);
  });

  it('takes another name of the place of the anchor for the same place, as a move does', async () => {
    expect(issue().code).toBe(0);
    const linked = join(fixture.folder, 'linked');
    symlinkSync(dirname(fixture.anchor), linked);
    const place = join(linked, basename(fixture.anchor));
    run = new PtyRun(['ledger', 'anchor', '--to', place, '--site', fixture.site]);
    expect(`${await run.ended()} ${run.output}`).toMatch(
      /^2 .*under another name.*vtlic ledger restore --anchor PLACE/s,
    );
    const named = await typed(
      ['ledger', 'restore', '--anchor', place, '--site', fixture.site],
      /Type RESTORE/,
      'RESTORE',
    );
    expect(`${named.code} ${named.output}`).toMatch(/^0 /);
    expect(issue().code).toBe(0);
    expect(counters(fixture)).toEqual([1, 2]);
  });

  it('asks for other words where a ledger has moved the anchor away from the place that the copy names', async () => {
    expect(issue().code).toBe(0);
    const copy = join(fixture.folder, 'copy.sqlite');
    expect(ledger(fixture, 'backup', copy).code).toBe(0);
    const stale = join(fixture.folder, 'stale');
    copyFileSync(fixture.anchor, stale);
    const place = join(fixture.folder, 'elsewhere');
    const to = ['ledger', 'anchor', '--to', place, '--site', fixture.site];
    expect((await typed(to, /Type MOVE ANCHOR/, 'MOVE ANCHOR')).code).toBe(0);
    const restore = ['ledger', 'restore', copy, '--site', fixture.site, '--anchor'];
    const wrong = await typed([...restore, stale], /Type OLD PLACE IS LOST/, 'RESTORE');
    expect(`${wrong.code} ${wrong.output}`).toMatch(/^10 .*has moved the anchor away.*NAME THE PLACE/s);
    expect((await typed([...restore, place], /Type RESTORE/, 'RESTORE')).code).toBe(0);
    expect(issue().code).toBe(0);
  });

  it('does not accept another anchor, or none, while the old one exists; the old one can be moved', async () => {
    expect(issue().code).toBe(0);
    const place = join(fixture.folder, 'elsewhere');
    const lost = ledger(fixture, 'restore', '--lost-anchor', '--skip', '0', '--anchor', place);
    expect(`${lost.code} ${lost.stderr}`).toMatch(
      /^2 .*is still in the place that this copy names.*vtlic ledger anchor --to/s,
    );
    const moved = await typed(
      ['ledger', 'anchor', '--to', place, '--site', fixture.site],
      /Type MOVE ANCHOR/,
      'MOVE ANCHOR',
    );
    expect(`${moved.code} ${moved.output}`).toMatch(/^0 .*moved/s);
    expect(await anchorFile(fixture.anchor).read()).toEqual([]);
    expect(await anchorFile(place).read()).toHaveLength(1);
    expect(issue().code).toBe(0);
    expect(runCli(['help', 'ledger', 'anchor']).stdout).toContain(
      'vtlic ledger restore --lost-anchor --skip N --anchor PLACE',
    );
  });

  it('counts anew when an anchor comes back, or moves on, while the word is typed', async () => {
    expect(issue().code).toBe(0);
    const hidden = join(fixture.folder, 'hidden');
    renameSync(fixture.anchor, hidden);
    const back = (): void => {
      if (existsSync(hidden)) renameSync(hidden, fixture.anchor);
    };
    const lost = await typed(
      [
        'ledger',
        'restore',
        '--lost-anchor',
        '--skip',
        '0',
        '--anchor',
        join(fixture.folder, 'elsewhere'),
        '--site',
        fixture.site,
      ],
      /Type ADOPT WITHOUT ANCHOR/,
      'ADOPT WITHOUT ANCHOR',
      back,
    );
    expect(`${lost.code} ${lost.output}`).toMatch(/^2 .*is still in the place that this copy names/s);
    expect(existsSync(join(fixture.folder, 'elsewhere'))).toBe(false);

    const copy = join(fixture.folder, 'copy.sqlite');
    expect(ledger(fixture, 'backup', copy).code).toBe(0);
    keepAnchor('older');
    expect(issue().code).toBe(0);
    keepAnchor('newer');
    putAnchorBack('older');
    const changed = await typed(['ledger', 'restore', copy, '--site', fixture.site], /Type RESTORE/, 'RESTORE', () => {
      putAnchorBack('newer');
    });
    expect(`${changed.code} ${changed.output}`).toMatch(/^4 .*was changed since this restore was shown.*run it again/s);
    expect(issue().code).toBe(0);
    expect(counters(fixture)).toEqual([1, 2, 3]);
  });

  it('takes no ledger of another site, no other anchor, and no foreign license', async () => {
    const other = await makeSite({ algorithm: 'ed25519' });
    try {
      expect(issue(other).code).toBe(0);
      const copy = lostAfterCopy();
      const foreign = ledger(fixture, 'restore', join(other.site, 'ledger.sqlite'), '--anchor', fixture.anchor);
      expect(foreign.code).toBe(4);
      const wrongAnchor = ledger(fixture, 'restore', copy, '--anchor', other.anchor);
      expect(wrongAnchor.code).toBe(4);
      expect(wrongAnchor.stderr).toContain('belongs to the ledger');
      const license = ledger(fixture, 'restore', copy, '--license', join(other.site, 'out'));
      expect(license.code).toBe(3);
      expect(license.stderr).toContain('which this site does not have');
      const bent = join(fixture.folder, 'bent.vtlic');
      writeFileSync(bent, readFileSync(join(fixture.site, 'site.json')));
      expect(ledger(fixture, 'restore', copy, '--license', bent).code).not.toBe(0);
      expect(existsSync(join(fixture.site, 'ledger.sqlite'))).toBe(false);
    } finally {
      other.remove();
    }
  });
});

/** The anchor with its guard, as a disk that is put back brings both. */
function keepAnchor(name: string): void {
  for (const end of ['', '.guard'])
    cpSync(`${fixture.anchor}${end}`, join(fixture.folder, `${name}${end}`), { recursive: true });
}

function putAnchorBack(name: string): void {
  for (const end of ['', '.guard']) {
    rmSync(`${fixture.anchor}${end}`, { recursive: true });
    cpSync(join(fixture.folder, `${name}${end}`), `${fixture.anchor}${end}`, { recursive: true });
  }
}

/** The id of a ledger that does not exist. */
const ELSEWHERE = 'ab'.repeat(16);

function ledgerId(site: SiteFixture): string {
  const { stdout } = ledger(site, 'status', '--json');
  return (JSON.parse(stdout) as { readonly ledger: string }).ledger;
}

describe('counters', () => {
  it('are handed over, refused here, taken over there above the last, and taken back', async () => {
    const other = await makeSite({ algorithm: 'ed25519' });
    try {
      await addKey(fixture, 'counters-1', 'counters');
      expect(issue().code).toBe(0);
      expect(issue().code).toBe(0);
      const document = join(fixture.folder, 'handed.counters');
      const orders = writeBatch(fixture, csv([row('acme-gmbh'), row('never-seen')]));
      const to = ['--to', ledgerId(other)];
      const exporting = ['counters', 'export', document, ...to, '--site', fixture.site];
      expect(runCli([...exporting, ...fixture.secret])).toMatchObject({ code: 2 });
      run = new PtyRun(exporting);
      await run.until(/Type HAND OVER/, 60_000);
      expect(run.output).toContain('ISSUES NOTHING FOR ANYBODY');
      run.type('HAND OVER\r');
      await run.until(/Passphrase of key counters-1/);
      run.type(`${PASSPHRASE}\r`);
      expect(await run.ended()).toBe(0);
      expect(existsSync(document)).toBe(true);

      for (const customer of ['acme-gmbh', 'never-seen']) {
        const refused = issue(fixture, { customer });
        expect(refused.code).toBe(4);
        expect(refused.stderr).toContain('handed over');
      }
      // The document is written out again from the record; nothing is handed over twice.
      const again = join(fixture.folder, 'again.counters');
      expect(runCli(['counters', 'export', again, ...to, '--site', fixture.site, ...fixture.secret])).toMatchObject({
        code: 0,
      });
      const elsewhere = join(fixture.folder, 'elsewhere.counters');
      const second = runCli(
        ['counters', 'export', elsewhere, '--to', ELSEWHERE, '--site', fixture.site].concat(fixture.secret),
      );
      expect(`${second.code} ${second.stderr}`).toMatch(/^4 .*handed over to the ledger/s);
      expect(readFileSync(again)).toEqual(readFileSync(document));

      // The other site trusts the key by its file alone.
      expect(runCli(['counters', 'import', document, '--site', other.site]).code).toBe(19);
      const key = join(fixture.folder, 'counters.pem');
      writeFileSync(key, runCli(['key', 'export', 'counters-1', '--site', fixture.site]).stdout);
      const importing = ['counters', 'import', document, '--trust', key, '--site', other.site];
      const bent = join(fixture.folder, 'bent.counters');
      const bytes = readFileSync(document);
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      writeFileSync(bent, bytes);
      expect(runCli(['counters', 'import', bent, '--trust', key, '--site', other.site]).code).toBe(19);
      expect((await typed(importing, /Type TAKE OVER/, 'TAKE OVER')).code).toBe(0);
      // Its licenses stay in the ledger that issued them.
      for (const args of [
        ['renew', 'acme-gmbh', '--years', '1', '--dry-run'],
        ['batch', orders, '--dry-run'],
      ]) {
        const unknown = runCli([...args, '--site', other.site]);
        expect([unknown.code, unknown.stderr]).toEqual([
          3,
          expect.stringContaining(`from the ledger ${ledgerId(fixture)}`),
        ]);
        expect(unknown.stderr).toContain('this ledger issues for acme-gmbh now');
        expect(unknown.stderr).toContain('vtlic ledger show acme-gmbh --site DIR');
        expect(unknown.stderr.includes('never-seen has no license in this ledger')).toBe(args[0] === 'batch');
      }
      expect(issue(other).code).toBe(0);
      expect(counters(other)).toEqual([3]);
      expect(runCli(importing).code).toBe(4);
      expect(ledger(other, 'verify').code).toBe(0);

      // The officer confirms that the counters come back.
      expect(
        (await typed(['counters', 'import', document, '--site', fixture.site], /Type TAKE BACK/, 'TAKE BACK')).code,
      ).toBe(0);
      expect(issue().code).toBe(0);
      expect(ledger(fixture, 'verify').code).toBe(0);
      expect(runCli(['counters', 'import', document, '--site', fixture.site]).code).toBe(4);
    } finally {
      other.remove();
    }
  });

  it('are handed over for one customer only, and the others keep theirs', async () => {
    await addKey(fixture, 'counters-1', 'counters');
    expect(issue().code).toBe(0);
    run = new PtyRun([
      'counters',
      'export',
      join(fixture.folder, 'one.counters'),
      '--to',
      ELSEWHERE,
      '--customer',
      'acme-gmbh',
      '--site',
      fixture.site,
      ...fixture.secret,
    ]);
    await run.until(/Type HAND OVER/, 60_000);
    run.type('HAND OVER\r');
    expect(await run.ended()).toBe(0);
    expect(issue().code).toBe(4);
    expect(issue(fixture, { customer: 'beta-inc' }).code).toBe(0);
    const all = runCli([
      'counters',
      'export',
      join(fixture.folder, 'all.counters'),
      '--to',
      ELSEWHERE,
      '--site',
      fixture.site,
      ...fixture.secret,
    ]);
    expect(all.code).toBe(4);
    expect(all.stderr).toContain('not all can be handed over now');
    expect(ledger(fixture, 'show', 'acme-gmbh').stdout).toContain('the counters were handed over');
  });

  it('are opened after a restore closed them, but for a customer handed over, who is taken back by import', async () => {
    await addKey(fixture, 'counters-1', 'counters');
    const copy = join(fixture.folder, 'copy.sqlite');
    expect([issue().code, issue(fixture, { customer: 'beta-inc' }).code, ledger(fixture, 'backup', copy).code]).toEqual(
      [0, 0, 0],
    );
    const document = join(fixture.folder, 'beta.counters');
    expect(
      (
        await typed(
          ['counters', 'export', document, '--to', ELSEWHERE, '--customer', 'beta-inc', '--site', fixture.site].concat(
            fixture.secret,
          ),
          /Type HAND OVER/,
          'HAND OVER',
        )
      ).code,
    ).toBe(0);
    removeLedger();
    expect((await typed(['ledger', 'restore', copy, '--site', fixture.site], /Type RESTORE/, 'RESTORE')).code).toBe(0);
    const refused = issue();
    expect(`${refused.code} ${refused.stderr}`).toMatch(/^4 .*closed by the restore.*vtlic counters reopen/s);

    const reopen = ['counters', 'reopen', '--site', fixture.site];
    const unshown = runCli(reopen);
    expect(`${unshown.code} ${unshown.stderr}`).toMatch(
      /^4 .*once, but only 0 of the documents are known.*--handed FILE/s,
    );
    expect(runCli([...reopen, '--customer', 'acme-gmbh', '--handed', document]).code).toBe(2);
    expect((await typed([...reopen, '--customer', 'acme-gmbh'], /Type NOT HANDED OVER/, 'REOPEN')).code).toBe(10);
    expect((await typed([...reopen, '--customer', 'acme-gmbh'], /Type NOT HANDED OVER/, 'NOT HANDED OVER')).code).toBe(
      0,
    );
    expect([issue().code, issue(fixture, { customer: 'late-gmbh' }).code]).toEqual([0, 4]);

    const all = await typed([...reopen, '--handed', document], /Type NOT HANDED OVER/, 'NOT HANDED OVER');
    expect(`${all.code} ${all.output}`).toMatch(/^0 .*everybody except beta-inc/s);
    expect([issue(fixture, { customer: 'late-gmbh' }).code, issue(fixture, { customer: 'beta-inc' }).code]).toEqual([
      0, 4,
    ]);
    expect(ledger(fixture, 'verify').code).toBe(0);
    expect(runCli(reopen).code).toBe(4);

    expect(
      (await typed(['counters', 'import', document, '--site', fixture.site], /Type TAKE BACK/, 'TAKE BACK')).code,
    ).toBe(0);
    expect([issue(fixture, { customer: 'beta-inc' }).code, ledger(fixture, 'verify').code]).toEqual([0, 0]);
  });
});
