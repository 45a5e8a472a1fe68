/**
 * A product on a small disk that fills up while it runs, and one whose license file is a mount of its own; prints what
 * it saw as JSON. It mounts at FOLDER/disk, for whoever starts this to unmount.
 *
 *   node disk-scenario.ts FOLDER
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openProduct } from '../../../crash/runtime/product-on-disk.ts';

const folder = process.argv[2] ?? '';
const disk = join(folder, 'disk');
mkdirSync(disk);
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]);
copyFileSync(join(folder, 'old.vtlic'), join(disk, 'license.vtlic'));
const renewal = readFileSync(join(folder, 'renewal.vtlic'), 'utf8');
const license = await openProduct(disk);
const inFile = (): string => readFileSync(join(disk, 'license.vtlic'), 'utf8');
const old = inFile();

/** Fills the disk to its last byte. */
function fill(): void {
  for (let size = 65_536, n = 0; size >= 1; n++) {
    try {
      writeFileSync(join(disk, `ballast-${n}`), Buffer.alloc(size));
    } catch {
      rmSync(join(disk, `ballast-${n}`), { force: true });
      size = Math.floor(size / 2);
    }
  }
}

fill();
const full = await license.install(renewal);
const whileFull = { counter: license.view().license?.counter, untouched: inFile() === old };
for (const name of readdirSync(disk)) if (name.startsWith('ballast')) rmSync(join(disk, name));
const left = readdirSync(disk).sort();

// A container mounts a single file: it cannot be renamed over.
const own = join(folder, 'own.vtlic');
writeFileSync(own, old);
execFileSync('mount', ['--bind', own, join(disk, 'license.vtlic')]);
const mounted = await license.install(renewal);
const whileMounted = { counter: license.view().license?.counter, untouched: inFile() === old };
execFileSync('umount', [join(disk, 'license.vtlic')]);

const after = await license.install(renewal);
await license.close();
process.stdout.write(
  JSON.stringify({
    full: full.ok ? 'ok' : full.refusal.code,
    whileFull,
    left,
    mounted: mounted.ok ? 'ok' : mounted.refusal.code,
    whileMounted,
    after: after.ok,
    counter: license.view().license?.counter,
  }),
);
