/**
 * Issues onto a file system that is remounted read-only, mounted at FOLDER/disk for whoever starts this to unmount;
 * prints what it saw as JSON. First the disk holds site and anchor, then the anchor alone.
 *
 *   node read-only-scenario.ts FOLDER
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { runCli, type CliResult } from '../support/run-cli.ts';
import { makeSite, writeRequest } from '../support/site-fixture.ts';

const folder = process.argv[2] ?? '';
const disk = join(folder, 'disk');
mkdirSync(disk);
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', disk]);
// With `bind`, the mount point changes and not the file system: in a user namespace, an ordinary user may do only that.
const remount = (how: 'ro' | 'rw'): void => {
  execFileSync('mount', ['-o', `remount,bind,${how}`, disk]);
};

interface ReadOnlyRound {
  readonly what: string;
  readonly issue: CliResult;
  readonly entries: readonly string[];
  readonly released: number;
  readonly after: number;
  readonly kinds: readonly string[];
}

const rounds: ReadOnlyRound[] = [];
for (const what of ['site', 'anchor'] as const) {
  // Site and anchor are in TMPDIR; the ledger names the anchor by its path, so that the site can be moved away from it.
  process.env['TMPDIR'] = disk;
  const fixture = await makeSite();
  const moved = join(folder, 'site');
  if (what === 'anchor') execFileSync('mv', [fixture.site, moved]);
  const site = what === 'site' ? fixture.site : moved;
  const request = writeRequest(fixture);
  const plan = (): string => runCli(['issue', request, '--site', site, '--dry-run']).stdout.trim();
  const confirm = (digest: string): CliResult =>
    runCli(['issue', '--site', site, '--confirm', digest, ...fixture.secret]);
  const kinds = (): string[] => {
    const ledger = openLedgerForReading(join(site, 'ledger.sqlite'));
    try {
      return [...ledger.entriesFrom(1)].map((entry) => entry.kind);
    } finally {
      ledger.close();
    }
  };
  const files = (): number =>
    existsSync(join(site, 'out'))
      ? readdirSync(join(site, 'out'), { recursive: true, encoding: 'utf8' }).filter((name) =>
          /\.(vtlic|tmp)$/.test(name),
        ).length
      : 0;
  const digest = plan();
  remount('ro');
  const issue = confirm(digest);
  const released = files();
  remount('rw');
  const entries = kinds();
  const after = confirm(plan()).code ?? -1;
  rounds.push({ what, issue, entries, released, after, kinds: kinds() });
}
process.stdout.write(`${JSON.stringify(rounds)}\n`);
