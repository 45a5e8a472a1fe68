/**
 * `npm run test:opencryptoki`: what an officer does, with a soft token of the real openCryptoki 3.27.
 *
 * Debian 12 and 13 have older versions, so Debian's newer binaries run in a root file system of their own, which
 * `debootstrap` makes once (280 MB, 2 to 4 minutes) and `${XDG_CACHE_HOME:-~/.cache}/vtlic/opencryptoki` keeps. The run
 * itself is in namespaces of its own: its daemon, its shared memory and its mounts end with it. Not part of CI, since it
 * needs root and follows Debian's unstable distribution.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../support/run-cli.ts';
import { ensureFaultProxy } from '../support/tokens/build-fault-proxy.ts';

const SUITE = process.env['DEBIAN_SUITE'] ?? 'sid';
const MIRROR = process.env['DEBIAN_MIRROR'] ?? 'http://deb.debian.org/debian';
/** Before it ML-DSA has numbers of IBM's own. */
const OLDEST = [3, 27] as const;

const MOUNT_AND_ENTER = `
set -eu
mount --make-rprivate /
for folder in "$TOP" "$TOKENS"; do mkdir -p "$NEW_ROOT$folder"; mount --bind "$folder" "$NEW_ROOT$folder"; done
mount -t proc proc "$NEW_ROOT/proc"
mount -t tmpfs tmpfs "$NEW_ROOT/dev/shm"
exec chroot "$NEW_ROOT" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \\
  XDG_CACHE_HOME="$CACHE" NODE="$NODE" TOP="$TOP" bash "$TOP/test/opencryptoki/start.sh"
`;

function fail(lines: readonly string[]): never {
  process.stderr.write(`vtlic: npm run test:opencryptoki cannot run here:\n  ${lines.join('\n  ')}\n`);
  process.exit(2);
}

/** One line for each thing that is missing. */
function missing(): readonly string[] {
  const lines: string[] = [];
  if (process.platform !== 'linux') return [`it needs Linux, and this is ${process.platform}`];
  if (process.getuid?.() !== 0) lines.push('it needs root, to mount and to enter another root file system');
  const packages = { debootstrap: 'debootstrap', unshare: 'util-linux', chroot: 'coreutils' };
  for (const [program, from] of Object.entries(packages))
    if (spawnSync(program, ['--version'], { stdio: 'ignore' }).error !== undefined)
      lines.push(`${program} is missing: apt-get install -y ${from}`);
  return lines;
}

/** The root file system with openCryptoki, made now where it is not there. */
function ensureRoot(folder: string): void {
  const ready = join(folder, '.ready');
  if (existsSync(ready)) return;
  process.stderr.write(`making a root file system of Debian ${SUITE} with openCryptoki, once (2 to 4 minutes) …\n`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const options = ['--variant=minbase', '--include=opencryptoki,libstdc++6', SUITE, folder, MIRROR];
  const made = spawnSync('debootstrap', options, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (made.status !== 0)
    fail([`debootstrap ${SUITE} from ${MIRROR} failed:`, ...made.stdout.trim().split('\n').slice(-3)]);
  const query = ['--showformat=${Version}', '--show', 'opencryptoki'];
  const { stdout: version } = spawnSync('chroot', [folder, 'dpkg-query', ...query], { encoding: 'utf8' });
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
    fail([`Debian ${SUITE} has openCryptoki ${version}, and ${OLDEST.join('.')} or later is needed`]);
  writeFileSync(ready, version);
}

const lines = missing();
if (lines.length > 0) fail(lines);
// It is compiled out here: the other root has no compiler.
const tokens = dirname(dirname(ensureFaultProxy()));
const cache = dirname(dirname(tokens));
const folder = join(cache, 'vtlic/opencryptoki');
ensureRoot(folder);
const done = spawnSync(
  'unshare',
  ['--mount', '--pid', '--ipc', '--fork', '--kill-child', 'bash', '-c', MOUNT_AND_ENTER],
  {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      TOP: ROOT,
      TOKENS: tokens,
      CACHE: cache,
      NEW_ROOT: folder,
      NODE: process.execPath,
    },
  },
);
process.exit(done.status ?? 1);
