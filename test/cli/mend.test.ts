/** A license that a customer's mail mangled, and licenses from a pipe. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

let fixture: SiteFixture;
let license: string;
let text: string;

beforeAll(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
  const digest = runCli(['issue', writeRequest(fixture), '--site', fixture.site, '--dry-run']).stdout.trim();
  license = runCli(['issue', '--confirm', digest, '--site', fixture.site, ...fixture.secret]).stdout.trim();
  text = readFileSync(license, 'utf8');
});
afterAll(() => {
  fixture.remove();
});

const verifyArgs = (file: string): string[] => [
  'verify',
  file,
  '--product',
  'vaultdesk',
  '--deployment',
  'prod-eu',
  '--site',
  fixture.site,
];

function save(name: string, content: string): string {
  const file = join(fixture.folder, name);
  writeFileSync(file, content);
  return file;
}

describe('inspect --mend', () => {
  it('writes a quoted license from a mail as it was sent, and says what was wrong', () => {
    const mail = save('mail.txt', `On Monday you wrote:\n${text.replaceAll(/^/gm, '> ')}\nIt does not work.\n`);
    expect(runCli(verifyArgs(mail)).code).toBe(20);
    const mended = join(fixture.folder, 'mended.vtlic');
    const done = runCli(['inspect', mail, '--mend', mended]);
    expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('acme-gmbh')]);
    expect(done.stderr).toContain('repaired: the marks of a quoted mail (> or |)');
    expect(done.stderr).toContain('repaired: text before or after the block was left out');
    expect(done.stderr).toContain('NOT VERIFIED');
    expect(readFileSync(mended, 'utf8')).toBe(text);
    expect(runCli(verifyArgs(mended)).code).toBe(0);
  });

  it('reads standard input, and says where there was nothing to mend', () => {
    const copy = join(fixture.folder, 'copy.vtlic');
    const done = runCli(['inspect', '-', '--mend', copy], { input: text });
    expect([done.code, done.stderr]).toEqual([0, expect.stringContaining('nothing to repair')]);
    expect(readFileSync(copy, 'utf8')).toBe(text);
  });

  it('never replaces a file', () => {
    const target = save('other.vtlic', 'something else');
    const done = runCli(['inspect', license, '--mend', target]);
    expect([done.code, readFileSync(target, 'utf8')]).toEqual([11, 'something else']);
  });

  it.each([
    ['two different licenses', () => `${text}\n${text.replace(/^[A-Za-z0-9+/]{8}/m, 'AAAAAAAA')}`, 'two different'],
    ['no license', () => 'Dear vendor, where is it?', 'there is no line -----BEGIN VTLIC-----'],
    ['a text that is not a license', () => '-----BEGIN VTLIC-----\nAAAA\n-----END VTLIC-----\n', 'cbor'],
  ])('writes nothing for %s', (_what, content, words) => {
    const target = join(fixture.folder, 'never.vtlic');
    const done = runCli(['inspect', save('bad.txt', content()), '--mend', target]);
    expect([done.code, done.stdout]).toEqual([20, '']);
    expect(done.stderr.toLowerCase()).toContain(words.toLowerCase());
    expect(existsSync(target)).toBe(false);
  });

  it('is the next step that verify and inspect name for a mangled file, which they refuse', () => {
    const wrapped = save('wrapped.vtlic', text.replaceAll(/^(.{60})(.{4})$/gm, '$1\n$2'));
    for (const args of [verifyArgs(wrapped), ['inspect', wrapped]]) {
      const done = runCli(args);
      expect([done.code, done.stderr]).toEqual([20, expect.stringContaining('inspect FILE --mend NEW.vtlic')]);
    }
  });
});

describe('verify -', () => {
  it('verifies what comes from a pipe', () => {
    const done = runCli(verifyArgs('-'), { input: text });
    expect([done.code, done.stdout]).toEqual([0, expect.stringMatching(/^active: genuine/)]);
  });

  it.each([
    ['nothing', '', 'armor_malformed'],
    ['more than a license has', 'A'.repeat(100_000), 'too_large'],
  ])('refuses %s', (_what, input, reason) => {
    const done = runCli(verifyArgs('-'), { input });
    expect([done.code, done.stdout]).toEqual([20, `refused: ${reason}\n`]);
    expect(done.stderr).toContain('standard input');
  });
});
