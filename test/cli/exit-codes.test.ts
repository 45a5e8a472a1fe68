/** Each exit code of README.md, as the number that a real process ends with. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT as OF_PROGRAM, exitCodeOf as ofProgram } from '../../signer/cli/exit-codes.ts';
import { csv, row, writeBatch } from '../support/batch-file.ts';
import { ERROR_CODES, EXIT, exitCodeOf } from '../support/exit-codes.ts';
import { chainOf, issuingKey, keysetBlock, type KeysetValues } from '../../conformance/examples/keysets.ts';
import { PtyRun, ROOT, runCli, type CliResult } from '../support/run-cli.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

let fixture: SiteFixture;
let license: string;

beforeAll(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
  license = confirm(plan()).stdout.trim();
});
afterAll(() => {
  fixture.remove();
});

const vtlic = (args: readonly string[], nodeArgs: readonly string[] = []): CliResult =>
  runCli([...args, '--site', fixture.site], { nodeArgs });

function plan(changes: Readonly<Record<string, unknown>> = {}): string {
  return vtlic(['issue', writeRequest(fixture, changes), '--dry-run']).stdout.trim();
}

function confirm(digest: string, nodeArgs: readonly string[] = [], secret = fixture.secret): CliResult {
  return vtlic(['issue', '--confirm', digest, ...secret], nodeArgs);
}

/** Node's `crypto.sign`, changed for messages as long as those of licenses: the self-test of a key has a short one. */
function withSign(body: string): readonly string[] {
  const file = join(fixture.folder, 'preload.mjs');
  writeFileSync(
    file,
    `import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
const { sign } = crypto;
crypto.sign = (algorithm, message, key, done) => {
  if (message.length < 100) return sign(algorithm, message, key, done);
  ${body}
};
syncBuiltinESMExports();
`,
  );
  return ['--import', file];
}

function withoutAnchor(act: () => CliResult): CliResult {
  renameSync(fixture.anchor, `${fixture.anchor}.away`);
  try {
    return act();
  } finally {
    renameSync(`${fixture.anchor}.away`, fixture.anchor);
  }
}

function verifyLicense(bytes: Uint8Array, ...more: readonly string[]): CliResult {
  const file = join(fixture.folder, 'judged.vtlic');
  writeFileSync(file, bytes);
  return vtlic(['verify', file, '--product', 'vaultdesk', '--deployment', 'prod-eu', ...more]);
}

function olderKeyset(): CliResult {
  const roots = ['root a', 'root b'];
  const first: KeysetValues = { version: 1, roots, threshold: 2, keys: [issuingKey('issuing 1')] };
  const old = keysetBlock(first, roots);
  const [oldFile, newFile] = [join(fixture.folder, 'old.keyset'), join(fixture.folder, 'new.keyset')];
  writeFileSync(oldFile, old);
  writeFileSync(newFile, chainOf(old, keysetBlock({ ...first, version: 2 }, roots)));
  return runCli(['keyset', 'verify', oldFile, '--built-in', newFile]);
}

function batchWithARowInTheWay(): CliResult {
  const blocked = join(fixture.site, 'out/vaultdesk/gamma');
  mkdirSync(dirname(blocked), { recursive: true });
  writeFileSync(blocked, 'in the way');
  const file = writeBatch(fixture, csv([row('beta'), row('gamma')]));
  const digest = vtlic(['batch', file, '--new-customers', '--dry-run']).stdout.trim();
  const done = vtlic(['batch', '--confirm', digest, ...fixture.secret]);
  rmSync(blocked);
  return done;
}

function wrongPassphrase(): CliResult {
  const file = join(fixture.folder, 'wrong');
  writeFileSync(file, 'not the passphrase\n', { mode: 0o600 });
  return confirm(plan(), [], ['--secret', `local=file:${file}`]);
}

function withChangedFile(act: () => CliResult): CliResult {
  const bytes = readFileSync(license);
  writeFileSync(license, bytes.subarray(0, -10));
  try {
    return act();
  } finally {
    writeFileSync(license, bytes);
  }
}

/** A real run for each code, with a part of what it says: the right number for the wrong reason proves nothing. */
const RUNS: Readonly<Record<number, readonly [what: string, run: () => CliResult, says: RegExp]>> = {
  0: ['a genuine license in force', () => verifyLicense(readFileSync(license)), /active/],
  1: ['a defect of the program', () => confirm(plan(), withSign("throw new TypeError('a defect');")), /a defect/],
  2: ['an unknown option', () => vtlic(['issue', '--nonsense']), /--nonsense/],
  3: [
    'a request outside the catalog',
    () => vtlic(['issue', writeRequest(fixture, { tier: 'golden' }), '--dry-run']),
    /golden/,
  ],
  4: ['an anchor that is missing', () => withoutAnchor(() => confirm(plan())), /anchor.* is missing/],
  5: [
    'a key that the site does not have',
    () => vtlic(['issue', writeRequest(fixture), '--dry-run', '--key', 'none']),
    /this site has no key of that name/,
  ],
  6: ['a wrong passphrase', wrongPassphrase, /passphrase/],
  7: [
    'a key that makes no signature',
    () => confirm(plan(), withSign("done(new Error('no signature'));")),
    /made no signature.*counter \d+ .*is void/,
  ],
  10: ['a plan that nobody made', () => confirm('ab'.repeat(32)), /no readable plan/],
  11: [
    'a site that exists already',
    () => runCli(['init', fixture.site, '--issuer', 'example-vendor']),
    /exists|already here/,
  ],
  17: [
    'a signature that does not verify',
    () =>
      confirm(
        plan(),
        withSign('sign(algorithm, message, key, (error, bytes) => { bytes[0] ^= 1; done(error, bytes); });'),
      ),
    /failed its check and was not released: the verifier says signature_invalid; counter \d+ .*is void/,
  ],
  18: ['a batch of which one file cannot be written', batchWithARowInTheWay, /1 with a license, 1 failed/],
  19: [
    'a released file that was changed',
    () => withChangedFile(() => vtlic(['ledger', 'verify', '--files'])),
    /differ from it: 0 missing, 1 changed/,
  ],
  20: ['a license that was cut', () => verifyLicense(readFileSync(license).subarray(0, -40)), /armor/],
  21: [
    'a license after its term',
    () => verifyLicense(readFileSync(license), '--at', '2099-01-01T00:00:00Z'),
    /lapsed/,
  ],
  22: ['a keyset that is older than the one built in', olderKeyset, /keyset_older/],
};
/**
 * Exit 130 needs a terminal (below). Exit 8 needs a token: test/pkcs11/issue-faults.test.ts has it as a number. 23 and 24
 * are those of `vtlic-product`: test/unit/verifier/product/command.test.ts.
 */
const ELSEWHERE = [8, 23, 24, 130];

describe('a real run', () => {
  it.each(Object.entries(RUNS).map(([code, [what, run, says]]) => ({ code: Number(code), what, run, says })))(
    'exits with $code: $what',
    ({ code, run, says }) => {
      const done = run();
      expect(done.code, done.stdout + done.stderr).toBe(code);
      expect(done.stdout + done.stderr).toMatch(says);
    },
  );

  it('exits with 130 when it is interrupted at its prompt', async () => {
    const terminal = new PtyRun(['issue', writeRequest(fixture), '--site', fixture.site]);
    await terminal.until(/Type Yes to sign/);
    terminal.type('\u0003');
    expect(await terminal.ended()).toBe(130);
  });
});

describe('the exit codes', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const section = /^### Exit codes\n([^]*?)\n#/m.exec(readme)?.[1] ?? '';
  const ofReadme = [...section.matchAll(/(?<=^\||\|) (\d+) \|/gm)].map(([, code]) => Number(code));

  it('are the same in README.md and in the program, and each has a real run', () => {
    const sorted = ofReadme.toSorted((a, b) => a - b);
    expect(sorted).toEqual(Object.values(EXIT));
    expect(sorted).toEqual([...Object.keys(RUNS).map(Number), ...ELSEWHERE].toSorted((a, b) => a - b));
    expect(OF_PROGRAM).toEqual(EXIT);
  });

  it.each(ERROR_CODES)('has for the error %s the number that it always had', (code) => {
    expect(ofProgram(code)).toBe(exitCodeOf(code));
  });
});
