/** The command line itself: what does not exist, what is given twice, and hints that run as they are printed. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calledName } from '../../signer/cli/command-name.ts';
import { ROOT, runCli } from '../support/run-cli.ts';
import { runHere } from '../support/run-here.ts';
import { makeSite, type SiteFixture } from '../support/site-fixture.ts';
import { isRoot, runUnprivileged } from '../support/unprivileged.ts';

let fixture: SiteFixture;
beforeAll(async () => {
  fixture = await makeSite();
});
afterAll(() => {
  fixture.remove();
});

describe('a command that does not exist', () => {
  it.each([
    [['nope'], 'there is no command "nope"', 'see: vtlic help\n'],
    [['help', 'nope'], 'there is no command "nope"', 'see: vtlic help\n'],
    [['help', 'isue'], 'there is no command "isue"', 'nearest: vtlic help issue\n'],
    [['ledgre'], 'there is no command "ledgre"', 'nearest: vtlic help ledger\n'],
    [['ledger', 'sho'], 'there is no command "ledger sho"', 'nearest: vtlic help ledger show\n'],
    [['help', 'counters', 'exprt'], 'there is no command "counters exprt"', 'nearest: vtlic help counters export\n'],
    [['help', 'issue', 'more'], 'vtlic issue has no commands of its own', 'see: vtlic help issue\n'],
    [['help', 'e\u001b[2J'], 'there is no command "e\\u{001B}[2J"', 'see: vtlic help\n'],
  ])('%j is named, with the nearest that exists', async (args, message, hint) => {
    const done = await runHere(args);
    expect([done.code, done.stdout]).toEqual([2, '']);
    expect(done.stderr).toContain(message);
    expect(done.stderr).toContain(hint);
  });

  it('is not needed for the help: a group of commands lists them', async () => {
    const done = await runHere(['ledger']);
    expect(done.code).toBe(2);
    expect(done.stderr).toContain('no command was given; there are: status, verify, show');
    expect(done.stderr).toContain('see: vtlic help ledger\n');
  });

  it.each([
    [['verify', 'FILE'], 'see: vtlic help verify\n'],
    [['ledger', 'show', '--nope'], 'see: vtlic help ledger show\n'],
    [['ledger', 'show', 'Acme', 'GmbH'], 'put a text with blanks between quotes, such as "Acme GmbH"; see: vtlic'],
    [['key', 'list', 'all'], 'vtlic key list takes 0 arguments, but it got: all\n'],
  ])('%j points to the help of its own command', async (args, hint) => {
    expect((await runHere(args)).stderr).toContain(hint);
  });
});

describe('an option that is given twice', () => {
  it.each([
    [['renew', 'acme', '--seats', '5', '--seats', '6'], '--seats'],
    [['renew', 'acme', '--until', '2030-01-01', '--until=2031-01-01'], '--until'],
    [['key', 'list', '--site', 'a', '--site', 'b'], '--site'],
    [['verify', 'FILE', '--product', 'p', '--product', 'p'], '--product'],
    [['ledger', 'show', '--ledger', 'a', '--ledger', 'b'], '--ledger'],
  ])('%j is refused', async (args, option) => {
    const done = await runHere(args);
    expect([done.code, done.stderr]).toEqual([2, expect.stringContaining(`${option} is given twice`)]);
  });

  it('is taken where the help calls it repeatable', async () => {
    const done = await runHere(['verify', 'FILE', '--product', 'p', '--trust', 'no-file', '--trust', 'other']);
    expect(done.stderr).toContain('no-file');
  });
});

describe('a hint names the command as it was called', () => {
  it.each([
    ['/r/signer/cli/main.ts', {}, 'vtlic'],
    ['/usr/bin/vtlic', { PATH: '/bin:/usr/bin' }, 'vtlic'],
    [
      '/w/node_modules/.bin/vtlic',
      { PATH: '/w/node_modules/.bin', npm_lifecycle_event: 'npx' },
      'node_modules/.bin/vtlic',
    ],
    ['/w/node_modules/.bin/vtlic', { PATH: '/bin' }, 'node_modules/.bin/vtlic'],
    ['/opt/vtlic', { PATH: '/bin' }, '/opt/vtlic'],
    ["/opt/it's here/vtlic", {}, "'/opt/it'\\''s here/vtlic'"],
    ['/w/vtlic', {}, './vtlic'],
    ['/r/main.ts', { VTLIC_CALLED: 'bin/vtlic' }, 'bin/vtlic'],
    ['/r/main.ts', { VTLIC_CALLED: './vtlic' }, './vtlic'],
    ['/r/main.ts', { VTLIC_CALLED: '../other/bin/vtlic' }, '../other/bin/vtlic'],
    ['/r/main.ts', { VTLIC_CALLED: '/usr/bin/vtlic', PATH: '/usr/bin' }, 'vtlic'],
  ])('names %s with %j as %s', (main, env: Readonly<Record<string, string>>, name) => {
    expect(calledName(main, env, '/w')).toBe(name);
  });

  it('names bin/vtlic in the next step when that of a checkout was called', () => {
    const done = execFileSync('sh', ['-c', 'bin/vtlic key list --site /nowhere 2>&1 || true'], { cwd: ROOT });
    expect(done.toString()).toContain('or make one with: bin/vtlic init DIR --issuer ID');
  });

  it('names the link when a link to the installed main file was called', () => {
    const link = join(fixture.folder, 'vtlic');
    symlinkSync(join(ROOT, 'signer/cli/main.ts'), link);
    const done = runCli(['nope'], { main: link, cwd: fixture.folder });
    expect(done.stderr).toContain('see: ./vtlic help');
  });
});

describe('an error of the operating system', () => {
  it.each([
    ['a part of the path that is a file', '/dev/null/site', /^vtlic: \/dev\/null\/site\S*: .*is not a folder/],
    ['a name that is too long', `/tmp/${'x'.repeat(300)}`, /^vtlic: \/tmp\/x+\S*: .*the name is too long/],
    ['a place where nothing can be made', '/proc/1/task/site', /^vtlic: \/proc\/1\/task\S*: /],
  ])('is told by init, for %s, with the path and exit 11', (_what, folder, words) => {
    const done = runCli(['init', folder, '--issuer', 'example-vendor', '--anchor', join(fixture.folder, 'other')]);
    expect(done.stderr).toMatch(words);
    expect([done.code, done.stderr]).toEqual([11, expect.not.stringContaining('defect')]);
  });

  it.each(['init', 'anchor'])(
    'is told by init as permission denied for a folder that this user may not write to (%s)',
    (part) => {
      const closed = join(fixture.folder, `closed-${part}`);
      mkdirSync(closed, { mode: 0o555 });
      const inside = join(closed, 'new');
      const open = `/tmp/vtlic-test-open-${process.pid}`;
      const args = part === 'init' ? [inside, '--anchor', `${open}.anchor`] : [open, '--anchor', inside];
      chmodSync(fixture.folder, 0o755);
      const done = runUnprivileged(['init', args[0] ?? '', '--issuer', 'example-vendor', ...args.slice(1)]);
      expect(done.stderr).toContain(closed);
      expect(done.stderr).toContain('permission denied');
      expect([done.code, done.stderr]).toEqual([11, expect.not.stringContaining('defect')]);
    },
  );

  it('is reported with the path and exit 11 where the plans folder is a file', () => {
    writeFileSync(join(fixture.site, 'plans'), '');
    const done = runCli(
      ['renew', 'new-customer', '--new-customers', '--product', 'vaultdesk', '--tier', 'team', '--seats', '5'].concat([
        '--from',
        '2030-01-01',
        '--until',
        '2030-12-31',
        '--dry-run',
        '--site',
        fixture.site,
      ]),
    );
    expect(done.stderr).toContain(join(fixture.site, 'plans'));
    expect([done.code, done.stderr]).toEqual([11, expect.not.stringContaining('defect')]);
  });
});

describe('a site of another user', () => {
  it.runIf(isRoot)('is called closed to this user, and not missing', () => {
    const closed = join(fixture.folder, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    chmodSync(fixture.folder, 0o755);
    for (const args of [
      ['key', 'list'],
      ['ledger', 'status'],
      ['verify', 'FILE', '--product', 'p'],
    ]) {
      const done = runUnprivileged([...args, '--site', closed]);
      expect([done.code, done.stderr]).toEqual([
        2,
        expect.stringContaining(`${closed}: this user may not read this folder, which belongs to the user with`),
      ]);
      expect(done.stderr).toContain('run the command as the user who owns the folder');
    }
  });

  it('is refused by the name of site.json where only that file may not be read', () => {
    const closed = join(fixture.folder, 'closed-file');
    mkdirSync(closed, { mode: 0o755 });
    writeFileSync(join(closed, 'site.json'), '{}', { mode: 0 });
    chmodSync(fixture.folder, 0o755);
    const done = runUnprivileged(['key', 'list', '--site', closed]);
    expect([done.code, done.stderr]).toEqual([2, expect.stringContaining(`${closed}/site.json: this user may not`)]);
  });
});
