/** `vtlic ledger` as a process: what it says, what it proves, and what it does not take for true. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dearmor } from '../../formats/armor.ts';
import { VtlicError } from '../../formats/error.ts';
import { checkInclusion } from '../../signer/ledger/tree/check-proof.ts';
import { decodeLogKey } from '../../signer/ledger/tree/log-key.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';
import { addKey } from '../support/site-keys.ts';

let fixture: SiteFixture;
let other: SiteFixture;
let licenses: readonly string[];
let logKey: string;

function issue(site: SiteFixture, changes: Readonly<Record<string, unknown>> = {}): string {
  const digest = runCli(['issue', writeRequest(site, changes), '--site', site.site, '--dry-run']).stdout.trim();
  const done = runCli(['issue', '--confirm', digest, '--site', site.site, ...site.secret]);
  if (done.code !== 0) throw new Error(done.stderr);
  return done.stdout.trim();
}

function ledger(site: SiteFixture, ...args: readonly string[]): CliResult {
  return runCli(['ledger', ...args, '--site', site.site]);
}

beforeAll(async () => {
  fixture = await makeSite();
  other = await makeSite();
  for (const site of [fixture, other]) await addKey(site, 'ledger-1', 'ledger');
  licenses = [
    issue(fixture),
    issue(fixture),
    issue(fixture, { customer: 'beta-inc', name: 'Beta Inc', reference: 'PO-1', deployment: undefined }),
  ];
  issue(other);
  logKey = ledger(fixture, 'checkpoint', '--log-key').stdout.trim();
});
afterAll(() => {
  fixture.remove();
  other.remove();
});

/** A copy of the ledger in which something was changed. */
function tampered(name: string, sql: string): string {
  const folder = join(fixture.folder, name);
  mkdirSync(folder);
  const copy = join(folder, 'ledger.sqlite');
  expect(ledger(fixture, 'backup', copy).code).toBe(0);
  const db = new DatabaseSync(copy);
  db.exec(sql);
  db.close();
  return copy;
}

describe('status, show, export', () => {
  it('show the size of the ledger and the state of its anchor', () => {
    const text = ledger(fixture, 'status').stdout;
    for (const words of ['example-vendor/vtlic-ledger/', '3 leaves', 'agrees, and covers every license', '0 reserved'])
      expect(text).toContain(words);
    const document = JSON.parse(ledger(fixture, 'status', '--json').stdout) as Record<string, unknown>;
    expect(document).toMatchObject({
      schema: 'vtlic-ledger-status/1',
      size: 3,
      logs: 1,
      open: 0,
      unreleased: 0,
      anchor: { state: 'ahead', fault: null },
    });
  });

  it('tell of each customer, readably and as a document', () => {
    expect(ledger(fixture, 'show').stdout).toMatch(/^customer .*\nacme-gmbh .*\nbeta-inc .*\n$/);
    const text = ledger(fixture, 'show', 'acme-gmbh').stdout;
    for (const words of [
      'acme-gmbh / vaultdesk / prod-eu   (next counter: 3)',
      'enterprise, 250 seats',
      'PO-4711',
      'released 20',
    ])
      expect(text).toContain(words);
    const document = JSON.parse(ledger(fixture, 'show', 'beta-inc', '--json').stdout) as {
      readonly lineages: readonly { readonly nextCounter: number }[];
    };
    expect(document.lineages.map((lineage) => lineage.nextCounter)).toEqual([2]);
    expect(ledger(fixture, 'show', 'nobody')).toMatchObject({ code: 3, stdout: '' });
    expect(ledger(fixture, 'show', '../x').code).toBe(3);
  });

  it('give an auditor everything but who the customers are', () => {
    const text = ledger(fixture, 'export').stdout;
    for (const secret of ['acme', 'Acme', 'beta', 'PO-', 'prod-eu', 'salt', '.vtlic'])
      expect(text).not.toContain(secret);
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toMatchObject({ schema: 'vtlic-ledger-export/1', entries: 10, size: 3 });
    expect(lines.slice(1).map((line) => line['seq'])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(lines.filter((line) => line['kind'] === 'intent').map((line) => [line['lineage'], line['ctr']])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
    ]);
    const named = ledger(fixture, 'export', '--with-names').stdout;
    for (const words of [
      '"customer":"acme-gmbh"',
      '"name":"Beta Inc"',
      '"ref":"PO-4711"',
      '"deployment":"prod-eu"',
      '"salt":"',
    ])
      expect(named).toContain(words);
  });
});

describe('verify', () => {
  it('passes a sound ledger, with every signature checked or without', () => {
    const done = ledger(fixture, 'verify');
    expect(done).toMatchObject({ code: 0 });
    expect(done.stdout).toContain('3 checked, all valid');
    expect(ledger(fixture, 'verify', '--no-signatures').stdout).toContain('not checked');
    expect(JSON.parse(ledger(fixture, 'verify', '--json').stdout)).toMatchObject({
      ok: true,
      signatures: 3,
      issued: 3,
      released: 3,
    });
  });

  it('fails with 19 where a byte of the record was changed', () => {
    const copy = tampered('changed', 'UPDATE entry SET at = at + 1 WHERE seq = 5');
    const done = ledger(fixture, 'verify', copy);
    expect(done).toMatchObject({ code: 19, stdout: '' });
    expect(done.stderr).toContain('entry 5: its chain value');
  });

  it('fails with 19 where a signature is not valid, which only the check of signatures sees', async () => {
    const copy = await forgedSignature();
    expect(ledger(fixture, 'verify', copy, '--no-signatures').code).toBe(0);
    const done = ledger(fixture, 'verify', copy);
    expect(done.code).toBe(19);
    expect(done.stderr).toContain('the signature of the license is not valid');
  });

  it('fails with 19 where the license was signed by a key that is none of the site', () => {
    const copy = tampered('foreign', 'SELECT 1');
    const done = runCli(['ledger', 'verify', copy, '--site', other.site]);
    expect(done.code).toBe(19);
    expect(done.stderr).toContain("none of the site's license keys");
  });

  it('says of a copy outside a site which keys it wants', () => {
    const copy = tampered('outside', 'SELECT 1');
    expect(runCli(['ledger', 'verify', copy], { cwd: fixture.folder })).toMatchObject({ code: 2 });
    const trust = join(fixture.folder, 'license.pem');
    writeFileSync(trust, runCli(['key', 'export', 'license-1', '--site', fixture.site]).stdout);
    expect(runCli(['ledger', 'verify', copy, '--trust', trust], { cwd: fixture.folder }).code).toBe(0);
  });
});

/** A whole ledger, chain and tree included, whose first license has a signature of zeros. */
async function forgedSignature(): Promise<string> {
  const { openLedgerForReading } = await import('../../signer/ledger/open.ts');
  const { createLedger } = await import('../../signer/ledger/create.ts');
  const { openLedgerForWriting } = await import('../../signer/ledger/open.ts');
  const { writerOptions } = await import('../unit/signer/ledger/ledger-inputs.ts');
  const folder = join(fixture.folder, 'forged');
  mkdirSync(folder);
  const path = join(folder, 'ledger.sqlite');
  const source = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
  await createLedger(path, {
    ...writerOptions(),
    iss: 'example-vendor',
    anchor: { kind: 'file', path: join(folder, 'anchor') },
  });
  const forged = await openLedgerForWriting(path, writerOptions());
  for (const entry of source.entriesFrom(1)) {
    if (entry.kind === 'intent') forged.intend(entry.body);
    if (entry.kind === 'issue')
      forged.issue(
        forged.head().entries,
        Uint8Array.from(entry.body.cose, (byte, i) => (i === entry.body.cose.length - 1 ? byte ^ 1 : byte)),
      );
  }
  forged.close();
  source.close();
  return path;
}

describe('proofs', () => {
  const [first = ''] = [] as string[];
  let checkpoint: string;
  let proof: string;

  beforeAll(() => {
    checkpoint = join(fixture.folder, 'checkpoint');
    expect(ledger(fixture, 'checkpoint', '--out', checkpoint, ...fixture.secret).code).toBe(0);
    expect(ledger(fixture, 'prove', licenses[0] ?? first, '--checkpoint', checkpoint, '--beside').code).toBe(0);
    proof = `${licenses[0] ?? first}.tlog-proof`;
  });

  it('are written beside the license, and are valid without a site', () => {
    expect(existsSync(proof)).toBe(true);
    const done = runCli(['ledger', 'check', proof, '--license', licenses[0] ?? '', '--log-key', logKey], { cwd: '/' });
    expect(done).toMatchObject({ code: 0 });
    expect(done.stdout).toMatch(/^valid: license [0-9a-f-]{36} \(counter 1\) is leaf 0 of 3 in example-vendor/);
    expect(runCli(['ledger', 'check', checkpoint, '--log-key', logKey], { cwd: '/' }).stdout).toContain('3 leaves');
  });

  it('tell nothing of another customer', () => {
    for (const words of ['acme', 'beta', 'vaultdesk', 'enterprise'])
      expect(
        readFileSync(proof, 'latin1') +
          Buffer.from(/extra (\S+)/.exec(readFileSync(proof, 'utf8'))?.[1] ?? '', 'base64').toString('latin1'),
      ).not.toContain(words);
  });

  it('are refused where any single bit is changed', () => {
    const bytes = readFileSync(proof);
    const cose = dearmor('VTLIC', readFileSync(licenses[0] ?? ''));
    const key = decodeLogKey(logKey);
    expect(checkInclusion(bytes, [key], cose).index).toBe(0);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = Uint8Array.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      let refused: unknown;
      try {
        checkInclusion(changed, [key], cose);
      } catch (error) {
        refused = error;
      }
      if (!(refused instanceof VtlicError)) throw new Error(`bit ${bit} was changed, and the proof still taken`);
    }
  });

  it('are refused with exit 19 for another license, another ledger or another key', () => {
    expect(runCli(['ledger', 'check', proof, '--license', licenses[1] ?? '', '--log-key', logKey])).toMatchObject({
      code: 19,
    });
    // Another signature of the same payload, which the log never saw.
    const signedAgain = dearmor('VTLIC', readFileSync(licenses[0] ?? ''));
    signedAgain[signedAgain.length - 1] = (signedAgain.at(-1) ?? 0) ^ 1;
    expect(() => checkInclusion(readFileSync(proof), [decodeLogKey(logKey)], signedAgain)).toThrow(
      'the log contains this license with another signature',
    );
    const foreign = ledger(other, 'check', proof, '--license', licenses[0] ?? '');
    expect(foreign).toMatchObject({ code: 19, stdout: '' });
    expect(foreign.stderr).toContain('signed by no key of this log');
    expect(
      runCli(['ledger', 'check', checkpoint, '--log-key', ledger(other, 'checkpoint', '--log-key').stdout.trim()]).code,
    ).toBe(19);
    expect(runCli(['ledger', 'check', checkpoint, '--log-key', 'nonsense']).code).toBe(2);
  });

  it('are not made of what the ledger does not have', () => {
    expect(ledger(other, 'prove', licenses[0] ?? '', ...other.secret)).toMatchObject({ code: 3 });
    expect(ledger(other, 'prove', '01936f2a-0c1d-7b3e-8a4f-5d6e7f809112', ...other.secret).code).toBe(3);
    expect(ledger(fixture, 'prove', '/no/such/file').code).toBe(2);
    expect(ledger(other, 'prove', '--from', checkpoint, ...other.secret).code).toBe(19);
  });

  it('show growth between two checkpoints, and not the other way round', () => {
    issue(fixture, { customer: 'gamma', deployment: undefined });
    const grown = join(fixture.folder, 'grown');
    expect(ledger(fixture, 'prove', '--from', checkpoint, '--out', grown, ...fixture.secret).code).toBe(0);
    expect(runCli(['ledger', 'check', grown, '--from', checkpoint, '--log-key', logKey]).stdout).toContain(
      'only grew, from 3 to 4 leaves',
    );
    const newer = join(fixture.folder, 'newer');
    writeFileSync(newer, readFileSync(grown, 'utf8').split('\n\n').slice(1).join('\n\n'));
    expect(runCli(['ledger', 'check', grown, '--from', newer, '--log-key', logKey]).code).toBe(19);
    expect(ledger(fixture, 'prove', '--from', newer, '--checkpoint', checkpoint).code).toBe(3);
    const witness = join(fixture.folder, 'witnessed');
    writeFileSync(witness, `${readFileSync(checkpoint, 'utf8')}\u2014 witness.example AAAAAAAAAAA=\n`);
    expect(runCli(['ledger', 'check', witness, '--log-key', logKey]).code).toBe(0);
  });

  it('are signed by a key with the purpose ledger, and by no other', async () => {
    expect(ledger(fixture, 'checkpoint', '--key', 'license-1', ...fixture.secret)).toMatchObject({
      code: 2,
      stdout: '',
    });
    const bare = await makeSite();
    try {
      const done = ledger(bare, 'checkpoint', ...bare.secret);
      expect(done.code).toBe(5);
      expect(done.stderr).toContain('--purpose ledger --algorithm ed25519');
      await addKey(bare, 'composite', 'ledger', 'ed25519+ml-dsa-65');
      expect(ledger(bare, 'checkpoint', ...bare.secret).code).toBe(2);
    } finally {
      bare.remove();
    }
  });
});

describe('backup', () => {
  it('is one valid file, opens where nothing can be written, and never replaces another file', () => {
    const folder = join(fixture.folder, 'backups');
    const file = join(folder, 'one.sqlite');
    expect(ledger(fixture, 'backup', file)).toMatchObject({ code: 11 });
    expect(existsSync(folder)).toBe(false);
    mkdirSync(folder);
    expect(ledger(fixture, 'backup', file)).toMatchObject({ code: 0, stdout: `${file}\n` });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['one.sqlite']);
    expect(ledger(fixture, 'backup', file)).toMatchObject({ code: 11 });
    chmodSync(file, 0o400);
    chmodSync(folder, 0o500);
    try {
      expect(runCli(['ledger', 'verify', file, '--no-signatures'], { cwd: '/' }).code).toBe(0);
      expect(readdirSync(folder)).toEqual(['one.sqlite']);
    } finally {
      chmodSync(folder, 0o700);
    }
    expect(ledger(fixture, 'show', '--ledger', file).stdout).toContain('acme-gmbh');
  });

  it('refuses to give its name to a copy of a damaged ledger', () => {
    const target = join(fixture.folder, 'bad.sqlite');
    const damaged = join(fixture.folder, 'site-damaged');
    mkdirSync(damaged);
    for (const name of ['site.json', 'catalog.json']) copyFileSync(join(fixture.site, name), join(damaged, name));
    copyFileSync(tampered('damaged', "UPDATE entry SET body = x'a0' WHERE seq = 3"), join(damaged, 'ledger.sqlite'));
    expect(runCli(['ledger', 'backup', target, '--site', damaged]).code).toBe(4);
    expect(readdirSync(fixture.folder).filter((name) => name.includes('bad.sqlite'))).toEqual([]);
  });

  it('says where it cannot write', () => {
    expect(ledger(fixture, 'backup', join(fixture.site, 'site.json', 'x.sqlite'))).toMatchObject({
      code: 11,
      stdout: '',
    });
    expect(ledger(fixture, 'backup').code).toBe(2);
  });
});
