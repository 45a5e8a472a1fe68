/**
 * Bad input on the real command line: one clear sentence, the right exit code, nothing half-written, the record
 * intact.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { armor } from '../../formats/armor.ts';
import { armoredText } from '../../conformance/examples/armored-text.ts';
import { encodeCoseSign1, encodeProtected, TYP } from '../../formats/cose-sign1.ts';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { runHere, type RanHere } from '../support/run-here.ts';
import { makeSite, requestDocument, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

let fixture: SiteFixture;
let license: string;

function issueArgs(digest: string): string[] {
  return ['issue', '--site', fixture.site, '--confirm', digest, ...fixture.secret];
}

function dryRun(): string {
  return runCli(['issue', writeRequest(fixture), '--site', fixture.site, '--dry-run']).stdout.trim();
}

/** Exit code, one sentence that names the tool, a next step, no stack trace, and nothing on stdout. */
function expectRefusal(result: CliResult | RanHere, code: number, words: string | RegExp): void {
  expect(result.stderr).toMatch(/^vtlic: /m);
  expect(result.stderr).toMatch(words);
  expect(result.code).toBe(code);
  expect(result.stdout).toBe('');
  expect(result.stderr).not.toMatch(/\n\s+at |node:internal|ERR_/);
}

async function ledgerEntries(): Promise<number> {
  const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
  try {
    return (await ledger.verify()).head.entries;
  } finally {
    ledger.close();
  }
}

beforeAll(async () => {
  fixture = await makeSite();
  const done = runCli(issueArgs(dryRun()));
  expect(done.stderr).toContain('signed and released');
  license = done.stdout.trim();
});
afterAll(() => {
  fixture.remove();
});

describe('the command line', () => {
  it.each([
    [['frobnicate'], 'there is no command "frobnicate"'],
    [['__proto__'], 'there is no command "__proto__"'],
    [['toString'], 'there is no command "toString"'],
    [['issue', '--bogus'], 'unknown option'],
    [['verify', '--product', 'p'], 'missing required argument'],
    [['verify', 'x.vtlic'], "required option '--product"],
    [['issue'], 'issue takes one of these: a request file'],
    [
      ['key', 'generate', '--name', 'x', '--purpose', 'everything'],
      'a key can be made for: license, root, ledger, counters',
    ],
    [['key', 'generate', '--name', 'x', '--purpose', 'receipt'], 'no command uses a key for "receipt" yet'],
    [
      ['key', 'generate', '--name', 'x', '--purpose', 'ledger', '--algorithm', 'ed25519+ml-dsa-65'],
      '--algorithm ed25519',
    ],
    [['key', 'generate', '--name', 'x', '--algorithm', 'rsa'], 'ed25519'],
    [['verify', 'x', '--product', 'p', '--at', 'yesterday'], 'expected a day'],
    [['verify', 'x', '--product', 'p', '--host', 'zz'], '64 hex'],
    [['key'], 'no command was given'],
    [[], 'no command was given'],
  ])('refuses %j with exit 2', async (args, words) => {
    expectRefusal(await runHere(args), 2, words);
  });

  it('answers --help and --version with exit 0', () => {
    expect(runCli(['--help']).stdout).toContain('issue');
    expect(runCli(['help', 'issue'])).toMatchObject({ code: 0 });
    expect(runCli(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n' });
  });

  it('gives the fault as one JSON document where --json was asked for', () => {
    const done = runCli([
      'verify',
      join(fixture.folder, 'absent'),
      '--site',
      fixture.site,
      '--product',
      'vaultdesk',
      '--json',
    ]);
    expect(done.code).toBe(2);
    expect(JSON.parse(done.stdout)).toMatchObject({
      schema: 'vtlic-error/1',
      code: 'file_unreadable',
      exit: 2,
      file: join(fixture.folder, 'absent'),
    });
  });

  it('needs a site, and says how to name one', () => {
    expectRefusal(runCli(['key', 'list', '--site', fixture.folder]), 2, /not a site[\s\S]*--site DIR/);
  });

  it('takes the site from VTLIC_SITE, and from the current folder', () => {
    expect(runCli(['key', 'list'], { env: { VTLIC_SITE: fixture.site } }).stdout).toContain('license-1');
    expect(runCli(['key', 'list'], { cwd: fixture.site }).stdout).toContain('license-1');
  });
});

describe('requests', () => {
  beforeEach(() => {
    rmSync(join(fixture.folder, 'bad.json'), { force: true });
  });

  it.each<readonly [what: string, text: string, code: number, words: RegExp]>([
    ['a wrong type', JSON.stringify(requestDocument({ seats: '250' })), 3, /bad\.json:1:\d+: .*"seats".*quotes/s],
    ['an unknown member', JSON.stringify(requestDocument({ seets: 1 })), 3, /seets/],
    ['a tier that is not sold', JSON.stringify(requestDocument({ tier: 'gold' })), 3, /not sold/],
    ['a term too long', JSON.stringify(requestDocument({ until: '2099-01-01' })), 3, /term/],
    ['a day that does not exist', JSON.stringify(requestDocument({ from: '2027-02-30' })), 3, /no day/],
    ['an end in the past', JSON.stringify(requestDocument({ from: '2020-01-01', until: '2020-06-01' })), 3, /past/],
    ['no JSON', 'customer: acme', 2, /bad\.json:1:1/],
    ['a byte order mark', `\uFEFF${JSON.stringify(requestDocument())}`, 2, /byte order mark|BOM/i],
    ['a repeated member', `{"seats":1,${JSON.stringify(requestDocument()).slice(1)}`, 2, /seats/],
    ['nothing', '', 2, /bad\.json/],
    ['nesting without end', '['.repeat(100_000), 2, /deep|depth|nest/i],
    [
      'more hosts than a license holds',
      JSON.stringify(
        requestDocument({
          hosts: Array.from({ length: 1000 }, (_, i) => i.toString(16).padStart(64, '0')),
          ext: { 'x.example': 'y'.repeat(16_000) },
        }),
      ),
      3,
      /the license would have \d+ bytes, but at most 49152|at most \d+ (hosts|bytes)/,
    ],
    [
      'more bytes than a request has',
      `${JSON.stringify(requestDocument())}${' '.repeat(1 << 20)}`,
      2,
      /larger than 1048576 bytes/,
    ],
    ...['\u200b', '\u2060', '\u00ad', '\ufeff', '\u{e0041}'].map(
      (hidden) =>
        [
          `the invisible U+${hidden.codePointAt(0)?.toString(16)} in a name`,
          JSON.stringify(requestDocument({ name: `Acme${hidden} GmbH` })),
          3,
          /"name".*invisible/,
        ] as const,
    ),
  ])('refuses a request with %s', async (_what, text, code, words) => {
    writeFileSync(join(fixture.folder, 'bad.json'), text);
    const before = await ledgerEntries();
    expectRefusal(
      await runHere(['issue', join(fixture.folder, 'bad.json'), '--site', fixture.site, '--dry-run']),
      code,
      words,
    );
    expect(await ledgerEntries()).toBe(before);
  });

  it('refuses a request file that does not exist', () => {
    expectRefusal(
      runCli(['issue', join(fixture.folder, 'none.json'), '--site', fixture.site, '--dry-run']),
      2,
      /no such file/,
    );
  });
});

describe('off a terminal', () => {
  it('issue points to --dry-run and --confirm', () => {
    expectRefusal(
      runCli(['issue', writeRequest(fixture), '--site', fixture.site, ...fixture.secret]),
      2,
      /--dry-run[\s\S]*--confirm/,
    );
  });

  it('a missing secret is exit 2, and one for a keystore not in use too, before the ledger is touched', async () => {
    const digest = dryRun();
    const before = await ledgerEntries();
    expectRefusal(runCli(['issue', '--site', fixture.site, '--confirm', digest]), 2, /--secret local=file:PATH/);
    expectRefusal(runCli([...issueArgs(digest), '--secret', `hsm=file:${fixture.passphraseFile}`]), 2, /hsm/);
    expectRefusal(
      runCli(['issue', '--site', fixture.site, '--confirm', digest, '--secret', 'the-secret-itself']),
      2,
      /NAME=fd:N/,
    );
    expect(
      runCli(['issue', '--site', fixture.site, '--confirm', digest, '--secret', 'the-secret-itself']).stderr,
    ).not.toContain('the-secret-itself');
    expect(await ledgerEntries()).toBe(before);
  });

  it('refuses a secret file that others can read, with the command that corrects its mode', () => {
    const open = join(fixture.folder, 'open-secret');
    copyFileSync(fixture.passphraseFile, open);
    chmodSync(open, 0o644);
    expectRefusal(
      runCli(['issue', '--site', fixture.site, '--confirm', dryRun(), '--secret', `local=file:${open}`]),
      2,
      /chmod 600/,
    );
  });

  it('a wrong passphrase is exit 6, is not shown, and spends no counter', async () => {
    const wrong = join(fixture.folder, 'wrong-secret');
    writeFileSync(wrong, 'not the passphrase', { mode: 0o600 });
    const before = await ledgerEntries();
    const done = runCli(['issue', '--site', fixture.site, '--confirm', dryRun(), '--secret', `local=file:${wrong}`]);
    expectRefusal(done, 6, /passphrase/);
    expect(done.stderr).not.toContain('not the passphrase');
    expect(await ledgerEntries()).toBe(before);
  });

  it('a plan altered by one byte is refused, anywhere in it', async () => {
    const digest = dryRun();
    const file = join(fixture.site, 'plans', digest);
    const bytes = readFileSync(file);
    const before = await ledgerEntries();
    for (const offset of [0, Math.floor(bytes.length / 2), bytes.length - 1]) {
      const altered = Uint8Array.from(bytes);
      altered[offset] = (altered[offset] ?? 0) ^ 1;
      writeFileSync(file, altered);
      expectRefusal(runCli(issueArgs(digest)), 10, /altered/);
    }
    expect(await ledgerEntries()).toBe(before);
  });

  it('a plan is used once, falls with its catalog, and must exist', () => {
    const [first, second] = [dryRun(), dryRun()];
    expect(runCli(issueArgs(first)).code).toBe(0);
    expectRefusal(runCli(issueArgs(first)), 10, /counter/);
    expectRefusal(runCli(issueArgs(second)), 10, /counter/);
    expectRefusal(runCli(issueArgs('0'.repeat(64))), 10, /no readable plan/);
    expectRefusal(runCli(issueArgs('beef')), 2, /64 hex digits/);
    const third = dryRun();
    const catalog = join(fixture.site, 'catalog.json');
    const text = readFileSync(catalog, 'utf8');
    writeFileSync(catalog, `${text}\n`);
    expectRefusal(runCli(issueArgs(third)), 10, /catalog\.json was changed/);
    writeFileSync(catalog, text);
  });
});

describe('license files', () => {
  function verifyText(text: string | Uint8Array): Promise<RanHere> {
    const path = join(fixture.folder, 'probe.vtlic');
    writeFileSync(path, text);
    return runHere(['verify', path, '--site', fixture.site, '--product', 'vaultdesk', '--deployment', 'prod-eu']);
  }

  it('are accepted with CRLF, mixed line ends and blank space around', async () => {
    const text = readFileSync(license, 'utf8');
    expect(await verifyText(text.replaceAll('\n', '\r\n'))).toMatchObject({ code: 0 });
    expect(await verifyText(`\n \t\r\n${text.replace('\n', '\r\n').trimEnd()}  \n\n`)).toMatchObject({ code: 0 });
  });

  it('are refused in every broken form, by name', async () => {
    const text = readFileSync(license, 'utf8');
    const cases: readonly (readonly [string, string | Uint8Array, string])[] = [
      ['0 bytes', '', 'armor_malformed'],
      ['a BOM', `\uFEFF${text}`, 'armor_malformed'],
      ['two in one', text + text, 'armor_malformed'],
      ['text before', `Dear customer,\n${text}`, 'armor_malformed'],
      ['text after', `${text}Regards`, 'armor_malformed'],
      ['another label', text.replaceAll('VTLIC', 'LICENSE'), 'armor_malformed'],
      ['96 KiB and one', `${text}${' '.repeat(98_305 - text.length)}`, 'too_large'],
      ['96 KiB and two', `${text}${' '.repeat(98_306 - text.length)}`, 'too_large'],
      ['a megabyte', `${text}${' '.repeat(1 << 20)}`, 'too_large'],
      ['48 KiB and one decoded', armor('VTLIC', new Uint8Array(49_153)), 'too_large'],
      [
        'nested 10,000 deep',
        armor('VTLIC', Uint8Array.from([0xd2, ...Array.from({ length: 10_000 }, () => 0x81), 0x01])),
        'cbor_malformed',
      ],
      ['an altered character', text.replace(/\n(.{10})./, (_, start: string) => `\n${start}!`), 'armor_malformed'],
      ['an altered signature', alterSignature(text), 'signature_invalid'],
    ];
    for (const [what, file, reason] of cases) {
      const done = await verifyText(file);
      expect(`${what}: ${done.stdout.trim()}`).toBe(`${what}: refused: ${reason}`);
      expect(done.code).toBe(20);
      expect(done.stderr).toMatch(/^vtlic: .*probe\.vtlic: /m);
    }
    expect((await verifyText(`${text}${' '.repeat(98_304 - text.length)}`)).code).toBe(0);
  });

  it('are refused with 20 for another product or deployment, and end with 21 outside their term', () => {
    const verify = (...args: string[]): CliResult => runCli(['verify', license, '--site', fixture.site, ...args]);
    expect(verify('--product', 'otherdesk')).toMatchObject({ code: 20, stdout: 'refused: product_mismatch\n' });
    const missing = verify('--product', 'vaultdesk');
    expect(missing).toMatchObject({ code: 20, stdout: 'refused: deployment_mismatch\n' });
    expect(missing.stderr).toContain('--deployment');
    expect(verify('--product', 'vaultdesk', '--deployment', 'prod-eu', '--at', '2000-01-01')).toMatchObject({
      code: 21,
    });
    expect(verify('--product', 'vaultdesk', '--deployment', 'prod-eu', '--at', '2099-01-01').stdout).toMatch(/^lapsed/);
  });

  it('verify with no site at all, from exported keys in every form', () => {
    for (const form of ['pem', 'der', 'jwk', 'cose', 'raw', 'composite-pem', 'composite-der', 'composite-jwk']) {
      const file = join(fixture.folder, `key.${form}`);
      rmSync(file, { force: true });
      expect(runCli(['key', 'export', 'license-1', '--site', fixture.site, '--form', form, '--out', file]).code).toBe(
        0,
      );
      const done = runCli(['verify', license, '--trust', file, '--product', 'vaultdesk', '--deployment', 'prod-eu'], {
        cwd: '/',
      });
      expect(`${form} ${done.code} ${done.stderr}`).toMatch(
        new RegExp(`^${form} 0 the issuer example-vendor is taken from the license`),
      );
      expect(
        runCli(
          [
            'verify',
            license,
            '--trust',
            file,
            '--issuer',
            'somebody',
            '--product',
            'vaultdesk',
            '--deployment',
            'prod-eu',
          ],
          { cwd: '/' },
        ).stdout,
      ).toBe('refused: issuer_mismatch\n');
    }
    writeFileSync(join(fixture.folder, 'key.pem'), 'something else');
    expectRefusal(
      runCli([
        'key',
        'export',
        'license-1',
        '--site',
        fixture.site,
        '--form',
        'pem',
        '--out',
        join(fixture.folder, 'key.pem'),
      ]),
      11,
      /already exists here/,
    );
    expect(readFileSync(join(fixture.folder, 'key.pem'), 'utf8')).toBe('something else');
    expectRefusal(runCli(['verify', license, '--product', 'vaultdesk'], { cwd: '/' }), 2, /--trust/);
  });
});

describe('what is too large', () => {
  it('is refused as too_large in a license file, whatever command is given it', () => {
    const large = join(fixture.folder, 'large.vtlic');
    // A sparse file: what would read it whole would take 3 GB of memory.
    writeFileSync(large, readFileSync(license));
    truncateSync(large, 3 * 2 ** 30);
    const verified = runCli(['verify', large, '--site', fixture.site, '--product', 'vaultdesk', '--json']);
    expect(verified.code).toBe(20);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: false, layer: 'size', reason: 'too_large' });
    for (const args of [
      ['inspect', large, '--json'],
      ['renew', large, '--site', fixture.site, '--until', '2029-01-01', '--dry-run', '--json'],
      ['ledger', 'prove', large, '--site', fixture.site, '--json'],
    ]) {
      const done = runCli(args);
      expect(`${args[0]} ${done.code} ${done.stdout}`).toMatch(new RegExp(`^${args[0]} 20 .*"too_large"`, 's'));
    }
    rmSync(large);
  });

  it.each([
    ['a file of public keys', ['verify', 'LICENSE', '--product', 'vaultdesk', '--trust', 'LARGE'], 2, 'key_invalid'],
    ['a file of public keys for counters', ['counters', 'import', 'LICENSE', '--trust', 'LARGE'], 2, 'key_invalid'],
    ['a request', ['issue', 'LARGE', '--dry-run'], 2, 'json_malformed'],
    ['a proof', ['ledger', 'check', 'LARGE'], 19, 'checks_failed'],
    ['a document of counters', ['counters', 'import', 'LARGE'], 19, 'checks_failed'],
  ])('is refused under the name that the decoder of its format gives it: %s', (_, args, code, name) => {
    const large = join(fixture.folder, 'large');
    writeFileSync(large, '');
    truncateSync(large, 2 ** 29);
    const files: Readonly<Record<string, string>> = { LICENSE: license, LARGE: large };
    const site = args[0] === 'verify' ? [] : ['--site', fixture.site];
    const done = runCli([...args.map((arg) => files[arg] ?? arg), ...site, '--json']);
    expect(`${done.code} ${done.stdout}`).toMatch(new RegExp(`^${code} .*"${name}"`, 's'));
    expect(done.stderr).toMatch(/larger than \d+ bytes/);
    rmSync(large);
  });
});

describe('a key file as --trust', () => {
  it('is refused by its name where it contains a private key, with what to do', () => {
    const file = join(fixture.folder, 'mixed.json');
    const jwk = JSON.parse(
      runCli(['key', 'export', 'license-1', '--site', fixture.site, '--form', 'jwk']).stdout,
    ) as object;
    writeFileSync(file, JSON.stringify({ ...jwk, d: 'SECRET', keys: [jwk] }));
    const done = runCli(['verify', license, '--product', 'vaultdesk', '--trust', file]);
    expectRefusal(done, 2, /mixed\.json:1:\d+: the file contains a private key.*→ Give the public key/s);
    expect(done.stderr).not.toContain('SECRET');
  });
});

describe('key generate', () => {
  it('offers in its help only the purposes that a command can use', () => {
    const help = runCli(['key', 'generate', '--help']).stdout.replaceAll(/\s+/g, ' ');
    expect(help).toContain('what it signs: license, root, ledger, counters');
    expect(help).not.toMatch(/approval|transcript|receipt/);
  });
});

/** Decodes, flips a bit in the last byte (the Ed25519 component of the signature), and armors again. */
function alterSignature(text: string): string {
  const body = text
    .split('\n')
    .filter((line) => !line.startsWith('-----') && line !== '')
    .join('');
  const bytes = Uint8Array.from(Buffer.from(body, 'base64'));
  bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 1;
  return armoredText('VTLIC', bytes);
}

describe('hostile text', () => {
  it("never reaches the terminal raw from a customer's name", async () => {
    const { encodeLicense } = await import('../../formats/license/encode-license.ts');
    const hostile = 'Acme\u001b[2J\u001b]0;owned\u0007 \u202Eevil\u2066';
    const payload = encodeLicense({
      iss: 'example-vendor',
      sub: 'acme',
      aud: 'vaultdesk',
      exp: 2_000_000_000,
      nbf: 1_000,
      iat: 1_000,
      cti: '01936f2a-0c1d-7b3e-8a4f-5d6e7f809112',
      ctr: 1,
      tier: 'enterprise',
      seats: 1,
      features: [],
      limits: {},
      name: hostile,
      ref: hostile,
    });
    const path = join(fixture.folder, 'hostile.vtlic');
    writeFileSync(
      path,
      armor(
        'VTLIC',
        encodeCoseSign1(encodeProtected('ed25519', '00'.repeat(32), TYP.license), payload, new Uint8Array(64)),
      ),
    );
    const shown = runCli(['inspect', path]);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain('Acme\\u{001B}');
    for (const text of [shown.stdout, shown.stderr]) expect(text).not.toMatch(/[\u001b\u0007\u202e\u2066]/u);
    expect(shown.stderr).toContain('NOT VERIFIED');
  });

  it('is escaped in messages that repeat a file name or an argument', () => {
    const done = runCli(['inspect', '/nowhere/\u001b[31mred\u202e']);
    expect(done.code).toBe(2);
    expect(done.stderr).not.toMatch(/[\u001b\u202e]/u);
    expect(runCli(['\u001b[31m']).stderr).not.toContain('\u001b');
  });
});

describe('the ledger', () => {
  it('is refused with exit 4 where it is missing, is not a ledger, or is from a newer version', () => {
    const file = join(fixture.site, 'ledger.sqlite');
    const aside = `${file}.aside`;
    renameSync(file, aside);
    try {
      const args = ['issue', writeRequest(fixture), '--site', fixture.site, '--dry-run'];
      expectRefusal(runCli(args), 4, /ledger/);
      writeFileSync(file, 'this is not a database, but it is long enough to be looked at '.repeat(40));
      expectRefusal(runCli(args), 4, /ledger/);
      copyFileSync(aside, file);
      const database = new DatabaseSync(file);
      database.exec('PRAGMA user_version = 99');
      database.close();
      expectRefusal(runCli(args), 4, /version/);
    } finally {
      rmSync(file, { force: true });
      renameSync(aside, file);
    }
  });

  it('signs for one process: another ends with 4 and names the process that has it open, while readers work', async () => {
    const digest = dryRun();
    const holder = spawn(
      process.execPath,
      [join(import.meta.dirname, 'hold-ledger.ts'), join(fixture.site, 'ledger.sqlite')],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    await once(holder.stdout, 'data');
    try {
      expectRefusal(runCli(issueArgs(digest)), 4, new RegExp(`${holder.pid}`));
      expect(runCli(['issue', writeRequest(fixture), '--site', fixture.site, '--dry-run']).code).toBe(0);
      expect(runCli(['key', 'list', '--site', fixture.site]).code).toBe(0);
    } finally {
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    }
    // A holder that died is no obstacle.
    expect(runCli(issueArgs(digest)).code).toBe(0);
  });

  it('signs nothing and ends with exit 4 after it was rolled back to an older copy', () => {
    const file = join(fixture.site, 'ledger.sqlite');
    const old = join(fixture.folder, 'old');
    mkdirSync(old);
    const parts = readdirSync(fixture.site).filter((name) => name.startsWith('ledger.sqlite'));
    for (const name of parts) copyFileSync(join(fixture.site, name), join(old, name));
    expect(runCli(issueArgs(dryRun())).code).toBe(0);
    const keep = join(fixture.folder, 'keep');
    mkdirSync(keep);
    for (const name of readdirSync(fixture.site).filter((part) => part.startsWith('ledger.sqlite')))
      renameSync(join(fixture.site, name), join(keep, name));
    for (const name of parts) copyFileSync(join(old, name), join(fixture.site, name));
    const digest = dryRun();
    expectRefusal(runCli(issueArgs(digest)), 4, /anchor/);
    for (const name of readdirSync(fixture.site).filter((part) => part.startsWith('ledger.sqlite')))
      rmSync(join(fixture.site, name));
    for (const name of readdirSync(keep)) renameSync(join(keep, name), join(fixture.site, name));
    expect(existsSync(file)).toBe(true);
  });

  it('signs nothing and ends with exit 4 where its anchor is gone', () => {
    renameSync(fixture.anchor, `${fixture.anchor}.aside`);
    try {
      expectRefusal(runCli(issueArgs(dryRun())), 4, /anchor/);
    } finally {
      renameSync(`${fixture.anchor}.aside`, fixture.anchor);
    }
  });

  it('is never given to a key that another ledger has claimed', async () => {
    const claim = join(fixture.site, 'keys/license-1.claim.json');
    const text = readFileSync(claim, 'utf8');
    const before = await ledgerEntries();
    writeFileSync(claim, text.replace(/"ledger":"[0-9a-f]{32}"/, `"ledger":"${'ab'.repeat(16)}"`));
    try {
      expectRefusal(runCli(issueArgs(dryRun())), 4, /belongs to the ledger/);
    } finally {
      writeFileSync(claim, text);
    }
    expect(await ledgerEntries()).toBe(before);
  });
});

describe('init', () => {
  it('never touches a folder that is not empty, nor an anchor that exists', () => {
    expectRefusal(runCli(['init', fixture.site, '--issuer', 'x']), 11, /not empty/);
    expectRefusal(
      runCli(['init', join(fixture.folder, 'fresh'), '--issuer', 'x', '--anchor', fixture.anchor]),
      11,
      /anchor/,
    );
    expect(existsSync(join(fixture.folder, 'fresh'))).toBe(false);
    expectRefusal(runCli(['init', join(fixture.folder, 'fresh'), '--issuer', 'not an id']), 2, /id/);
    expectRefusal(
      runCli([
        'init',
        join(fixture.folder, 'fresh'),
        '--issuer',
        'x',
        '--anchor',
        join(fixture.folder, 'fresh/inside'),
      ]),
      2,
      /inside the site/,
    );
    expect(existsSync(join(fixture.folder, 'fresh'))).toBe(false);
  });

  it('prints its next command so that a shell reads it back, also for a folder with blanks and quotes', () => {
    const folder = "the vendor's site";
    const made = runCli(['init', folder, '--issuer', 'x'], { cwd: fixture.folder });
    expect(made.code).toBe(0);
    const next = /^next: vtlic (key generate .*)$/m.exec(made.stderr)?.[1] ?? '';
    const words = spawnSync('sh', ['-c', `printf '%s\\n' ${next}`], { encoding: 'utf8' })
      .stdout.trim()
      .split('\n');
    expect(words).toEqual(['key', 'generate', '--site', folder, '--name', 'license-1']);
  });
});
