/**
 * Builds the test token (kryoptic, see `kryoptic/`) once, and keeps it outside the tree under the digest of its sources:
 * `${XDG_CACHE_HOME:-~/.cache}/vtlic/tokens/DIGEST/libvtlic_test_token.so`. Two to five minutes, 8 MB.
 *
 *     node test/support/tokens/build-kryoptic.ts        prints the path of the module
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './cache-folder.ts';

const CRATE = fileURLToPath(new URL('./kryoptic', import.meta.url));
const SOURCES = ['Cargo.toml', 'Cargo.lock', 'build.rs', 'src/lib.rs'];
const LIBRARY = process.platform === 'darwin' ? 'libvtlic_test_token.dylib' : 'libvtlic_test_token.so';
const APT = 'apt-get install build-essential libclang-dev perl cargo';

/** Debian 12's own cargo is too old for the crate; its `cargo-web` is not. */
const CARGO_NAMES = ['cargo', 'cargo-web'];
const OLDEST_CARGO = [1, 85] as const;

/** The module, built now where it was not before. Throws an Error that names the missing tool. */
export function ensureKryoptic(say: (line: string) => void = (line) => void process.stderr.write(`${line}\n`)): string {
  const folder = cacheFolder(SOURCES.map((name) => [name, readFileSync(join(CRATE, name))]));
  const library = join(folder, LIBRARY);
  if (existsSync(library)) return library;
  const cargo = findCargo();
  requireTool('cc', ['--version']);
  requireTool('make', ['--version']);
  requireTool('perl', ['-e', 'use FindBin; use IPC::Cmd; use File::Compare']);
  requireLibclang();
  say('building the test token kryoptic, once (2 to 5 minutes) …');
  const target = mkdtempSync(join(tmpdir(), 'vtlic-kryoptic-'));
  try {
    const built = spawnSync(cargo, ['build', '--release', '--locked', '--manifest-path', join(CRATE, 'Cargo.toml')], {
      env: { ...process.env, CARGO_TARGET_DIR: target },
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    if (built.status !== 0) throw new Error(`the test token did not build (${cargo} build):\n${(built.stderr ?? '').split('\n').slice(-40).join('\n')}`);
    mkdirSync(folder, { recursive: true });
    // It is written under another name first, because another run may look for the library.
    const part = join(folder, `${LIBRARY}.${process.pid}`);
    copyFileSync(join(target, 'release', LIBRARY), part);
    renameSync(part, library);
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
  return library;
}

function findCargo(): string {
  const found: string[] = [];
  for (const name of CARGO_NAMES) {
    const run = spawnSync(name, ['--version'], { encoding: 'utf8' });
    const version = /(\d+)\.(\d+)\.\d+/.exec(run.stdout ?? '');
    if (run.status !== 0 || version === null) continue;
    const [major, minor] = [Number(version[1]), Number(version[2])];
    if (major > OLDEST_CARGO[0] || (major === OLDEST_CARGO[0] && minor >= OLDEST_CARGO[1])) return name;
    found.push(`${name} ${version[0]}`);
  }
  const have = found.length === 0 ? 'Cargo is missing' : `Cargo is too old (${found.join(', ')}; ${OLDEST_CARGO.join('.')} or later is needed)`;
  throw new Error(`the test token cannot be built: ${have}. Run: ${APT} (on Debian 12: cargo-web instead of cargo)`);
}

function requireTool(name: string, args: readonly string[]): void {
  try {
    execFileSync(name, args, { stdio: 'pipe' });
  } catch {
    throw new Error(`the test token cannot be built: ${name} is missing. Run: ${APT}`);
  }
}

function requireLibclang(): void {
  const set = process.env['LIBCLANG_PATH'];
  if (set !== undefined && set !== '') return;
  const folders = ['/usr/lib', '/usr/lib64', '/usr/local/lib', '/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu'];
  for (const name of entries('/usr/lib')) if (name.startsWith('llvm')) folders.push(join('/usr/lib', name, 'lib'));
  if (process.platform === 'darwin' || folders.some((folder) => entries(folder).some((name) => /^libclang[-.\d]*\.so/.test(name)))) return;
  throw new Error(`the test token cannot be built: libclang is missing. Run: ${APT}`);
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(`${ensureKryoptic()}\n`);
