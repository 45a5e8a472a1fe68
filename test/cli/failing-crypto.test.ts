/** The real command on a node:crypto that fails or ignores contexts: never a verdict, and never a damaged ledger. */
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

let fixture: SiteFixture;
let licenseId: string;

/** Probe messages are short, and what licenses sign is longer: this OpenSSL fails after its probe. */
const FAILS_AFTER_PROBE = `import crypto from 'node:crypto';
const { verify } = crypto;
crypto.verify = (algorithm, message, key, signature) => {
  if (message.length > 60) throw new Error('error:1C880004:Provider routines::RSA lib');
  return verify(algorithm, message, key, signature);
};
`;
/** As Node.js 22 and 24.7. */
const IGNORES_CONTEXT = `import crypto from 'node:crypto';
const { verify } = crypto;
crypto.verify = (algorithm, message, key, signature) => verify(algorithm, message, key.key ?? key, signature);
`;

function runWith(preload: string, ...args: readonly string[]): CliResult {
  const file = join(fixture.folder, 'preload.mjs');
  writeFileSync(file, preload);
  return runCli(args, { nodeArgs: ['--import', file] });
}

beforeAll(async () => {
  fixture = await makeSite();
  const digest = runCli(['issue', writeRequest(fixture), '--site', fixture.site, '--dry-run']).stdout.trim();
  const done = runCli(['issue', '--site', fixture.site, '--confirm', digest, ...fixture.secret]);
  expect(done.code).toBe(0);
  licenseId = /license ([0-9a-f-]{36})/.exec(done.stderr)?.[1] ?? '';
});
afterAll(() => {
  fixture.remove();
});

describe('a node:crypto that fails after its probe', () => {
  it.each([
    ['ledger verify', () => ['ledger', 'verify', '--site', fixture.site]],
    ['release', () => ['release', licenseId, '--site', fixture.site]],
  ])('ends %s with exit 2 and names runtime and algorithm', (_, args) => {
    const done = runWith(FAILS_AFTER_PROBE, ...args());
    expect(done.stderr).toContain(`Node.js ${process.versions.node} failed to compute Ed25519`);
    expect(done.stderr).not.toMatch(/damaged|defect/);
    expect(done.code).toBe(2);
  });
});

describe('a node:crypto that ignores the context', () => {
  it('lets ledger verify hold an intact ledger', () => {
    const done = runWith(IGNORES_CONTEXT, 'ledger', 'verify', '--site', fixture.site);
    expect(done.stdout).toContain('the ledger is valid');
    expect(done.code).toBe(0);
  });
});
