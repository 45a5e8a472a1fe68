/**
 * Issues onto a small file system that fills up, mounted at FOLDER/disk for whoever starts this to unmount; prints
 * what it saw as JSON.
 *
 *   node full-disk-scenario.ts FOLDER
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { runCli } from '../support/run-cli.ts';
import { makeSite, writeRequest } from '../support/site-fixture.ts';

const disk = join(process.argv[2] ?? '', 'disk');
mkdirSync(disk);
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
process.env['TMPDIR'] = disk;
const fixture = await makeSite();
const request = writeRequest(fixture);
const ballast = join(disk, 'ballast');

function plan(): string {
  return runCli(['issue', request, '--site', fixture.site, '--dry-run']).stdout.trim();
}

/** Fills the disk but for `bytes`. */
function fill(bytes: number): void {
  const { bavail, bsize } = statfsSync(disk);
  const size = Math.max(0, bavail * bsize - bytes);
  writeFileSync(ballast, Buffer.alloc(size));
}

function entries(): number {
  const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
  try {
    return ledger.head().entries;
  } finally {
    ledger.close();
  }
}

const rounds = [];
for (const free of [0, 4096, 8192, 16_384, 24_576, 32_768, 65_536]) {
  const digest = plan();
  const before = entries();
  fill(free);
  const full = runCli(['issue', '--site', fixture.site, '--confirm', digest, ...fixture.secret]);
  rmSync(ballast);
  const recorded = entries() - before;
  const after = runCli(['issue', '--site', fixture.site, '--confirm', plan(), ...fixture.secret]);
  const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
  const summary = await ledger.verify();
  const paths = [...ledger.entriesFrom(1)].flatMap((entry) =>
    entry.kind === 'issue' ? [ledger.findByIntent(entry.body.intent)?.intent.body.path] : [],
  );
  ledger.close();
  const out = join(fixture.site, 'out');
  const files = existsSync(out)
    ? readdirSync(out, { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(vtlic|tmp)$/.test(name))
        .map((name) => `out/${name}`)
    : [];
  rounds.push({
    free,
    full: full.code,
    words: full.stderr,
    recorded,
    after: after.code,
    afterWords: after.stderr,
    issued: summary.issued,
    released: summary.released,
    files: files.sort(),
    paths: paths.sort(),
  });
}
process.stdout.write(`${JSON.stringify(rounds)}\n`);
