/**
 * `npm run demo`: a newcomer's first license. Runs the real command, step by step, and shows each line that it runs.
 *
 * The passphrase lies in a file of the demo site, so that the demo needs no hand. Do not do so with a real key.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const main = join(import.meta.dirname, '../cli/main.ts');
const site = process.argv[2] ?? './demo-site';

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Shows the command line, runs it, and returns what it wrote to standard output. */
function vtlic(...args: readonly string[]): string {
  say(`\n$ vtlic ${args.map((arg) => (/^[\w./:=@+-]+$/.test(arg) ? arg : `'${arg}'`)).join(' ')}`);
  const done = spawnSync(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });
  process.stdout.write(done.stdout);
  if (done.status !== 0) {
    say(`\nThe demo stopped: this command left with exit code ${done.status}.`);
    process.exit(done.status ?? 1);
  }
  return done.stdout.trim();
}

function day(offset: number): string {
  return new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
}

if (existsSync(site)) {
  process.stderr.write(
    `vtlic demo: ${site} exists already and is never overwritten.\n` +
      `  → go on with it:   npx vtlic key list --site ${site}\n` +
      `  → or start anew:   npm run demo -- another-folder\n`,
  );
  process.exit(2);
}

say('1. A site: the folder with the catalog, the keys and the ledger.');
vtlic('init', site, '--issuer', 'example-vendor', '--example-catalog');

const passphrase = join(site, 'demo-passphrase');
writeFileSync(passphrase, `${randomBytes(18).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
say(
  `\n(The demo keeps its passphrase in ${passphrase}, so that it needs no hand. A real one belongs in your head or a safe.)`,
);

say('\n2. A composite key: Ed25519 and ML-DSA-65, in an encrypted file.');
vtlic('key', 'generate', '--site', site, '--name', 'license-1', '--secret', `local=file:${passphrase}`);

const request = join(site, 'request.json');
writeFileSync(
  request,
  `${JSON.stringify(
    {
      schema: 'vtlic-request/1',
      customer: 'acme-gmbh',
      name: 'Acme GmbH',
      product: 'vaultdesk',
      deployment: 'prod-eu',
      tier: 'enterprise',
      seats: 250,
      from: day(0),
      until: day(364),
      graceDays: 30,
      features: ['audit-export', 'sso'],
      limits: { vaults: 50 },
      reference: 'PO-4711',
    },
    null,
    2,
  )}\n`,
  { flag: 'wx' },
);
say(`\n3. A request (${request}) becomes a plan: what would be signed, and its digest.`);
const digest = vtlic('issue', request, '--site', site, '--dry-run');

say('\n4. The plan is confirmed by its digest, and signed. (On a terminal you would read the view and type Yes.)');
const file = vtlic('issue', '--site', site, '--confirm', digest, '--secret', `local=file:${passphrase}`);

say('\n5. Anybody with the public key can verify it, with no network.');
vtlic('verify', file, '--site', site, '--product', 'vaultdesk', '--deployment', 'prod-eu');

say('\n6. What was signed.');
vtlic('inspect', file);

say(`
Done: ${file}

Try next:
  npx vtlic issue ${request} --site ${site}        issue the next counter (asks for Yes and the passphrase)
  npx vtlic key export license-1 --site ${site} --form pem
  npx vtlic key check license-1 --site ${site} --secret local=file:${passphrase}
  npx vtlic verify ${file} --site ${site} --product vaultdesk --deployment prod-eu --at 2040-01-01T00:00:00Z
  npx vtlic help`);
