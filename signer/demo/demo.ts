/**
 * `npm run demo`: a newcomer's first license. Runs the real command, step by step, and shows each line that it runs.
 *
 * Everything that it makes is in one folder, so that `rm -rf` of that folder undoes it. The passphrase is stored there
 * too, so that nobody has to type it. Do not do so with a real key.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shellQuote } from '../cli/command-name.ts';

const main = join(import.meta.dirname, '../cli/main.ts');
const folder = process.argv[2] ?? 'demo-site';
/** Its anchor is made beside it, so inside the folder too. */
const site = join(folder, 'site');

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Shows the command line, runs it, and returns what it wrote to standard output. */
function vtlic(...args: readonly string[]): string {
  say(`\n$ vtlic ${args.map(shellQuote).join(' ')}`);
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

if (existsSync(folder)) {
  const again = process.argv[2] === undefined ? 'npm run demo' : `npm run demo -- ${shellQuote(folder)}`;
  process.stderr.write(
    `vtlic demo: ${folder} exists already, and the demo never overwrites anything\n` +
      `  → to go on with it:  bin/vtlic key list --site ${shellQuote(site)}\n` +
      `  → to start again:    rm -rf ${shellQuote(folder)} && ${again}\n`,
  );
  process.exit(2);
}
mkdirSync(folder);

say('1. A site: the folder with the catalog, the keys and the ledger.');
vtlic('init', site, '--issuer', 'example-vendor', '--example-catalog');

const passphrase = join(folder, 'demo-passphrase');
writeFileSync(passphrase, `${randomBytes(18).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
say(
  `\n(The demo keeps its passphrase in ${passphrase}, so that nobody has to type it. A real one belongs in your ` +
    'head or a safe.)',
);

say('\n2. A composite key: Ed25519 and ML-DSA-65, in an encrypted file.');
vtlic('key', 'generate', '--site', site, '--name', 'license-1', '--secret', `local=file:${passphrase}`);

// prettier-ignore
const order = [
  '--customer', 'acme-gmbh', '--name', 'Acme GmbH', '--product', 'vaultdesk', '--deployment', 'prod-eu',
  '--tier', 'enterprise', '--seats', '250', '--until', day(364), '--grace-days', '30',
  '--features', 'audit-export;sso', '--limit', 'vaults=50', '--reference', 'PO-4711',
];
say('\n3. An order becomes a plan: what would be signed, and its digest.');
const digest = vtlic('issue', ...order, '--site', site, '--dry-run');

say('\n4. The plan is confirmed by its digest, and signed. (On a terminal you would read the view and type Yes.)');
const file = vtlic('issue', '--site', site, '--confirm', digest, '--secret', `local=file:${passphrase}`);

say('\n5. Anybody with the public key can verify it, with no network.');
vtlic('verify', file, '--site', site, '--product', 'vaultdesk', '--deployment', 'prod-eu');

say('\n6. What was signed.');
vtlic('inspect', file);

const [onSite, license, secret] = [
  `--site ${shellQuote(site)}`,
  shellQuote(file),
  `--secret ${shellQuote(`local=file:${passphrase}`)}`,
];
say(`
Done: ${file}

Try next:
  bin/vtlic renew acme-gmbh --until ${day(400)} ${onSite}        the next counter (asks for Yes and the passphrase)
  bin/vtlic ledger due --within 52w ${onSite}
  bin/vtlic key export license-1 ${onSite} --form pem
  bin/vtlic key check license-1 ${onSite} ${secret}
  bin/vtlic verify ${license} ${onSite} --product vaultdesk --deployment prod-eu --at 2040-01-01T00:00:00Z
  bin/vtlic help
Remove it all:
  rm -rf ${shellQuote(folder)}`);
