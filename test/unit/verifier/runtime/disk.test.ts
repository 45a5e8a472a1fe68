/** Disks that are full or read-only, files of another user or that cannot be opened or renamed over. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mountPrefix } from '../../../support/mounts.ts';
import { packMain } from '../../../support/pack-main.ts';
import { isRoot, NOBODY, unprivileged } from '../../../support/unprivileged.ts';
import { openProduct } from '../../../crash/runtime/product-on-disk.ts';
import { licenseFile } from '../sample.ts';

let base: string;
let main: string;
let renewal: string;
let folder: string;
let count = 0;

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'vtlic-disk-'));
  chmodSync(base, 0o755);
  main = join(base, 'main.mjs');
  copyFileSync(await packMain('test/unit/verifier/runtime/install-child.ts'), main);
  writeFileSync(join(base, 'old.vtlic'), await licenseFile({ ctr: 7 }));
  renewal = join(base, 'renewal.vtlic');
  writeFileSync(renewal, await licenseFile({ ctr: 8 }));
});
afterAll(() => {
  rmSync(base, { recursive: true });
});

/** A product that has run, and whose files are those of the user without privileges. */
beforeEach(async () => {
  folder = join(base, String(++count));
  mkdirSync(folder);
  copyFileSync(join(base, 'old.vtlic'), join(folder, 'license.vtlic'));
  await (await openProduct(folder)).close();
  if (isRoot) for (const name of ['', 'license.vtlic', 'license.state']) chownSync(join(folder, name), NOBODY, NOBODY);
});

/** What a product says that runs as a user without privileges. @param shell runs before it, in the same process */
function run(shell: string, ...args: readonly string[]): string {
  const { prefix, node } = unprivileged();
  const all = [...prefix, 'sh', '-c', `${shell} exec "$0" "$@"`, node, main, folder, ...args];
  const ran = spawnSync(all[0] ?? 'sh', all.slice(1), { encoding: 'utf8', timeout: 60_000 });
  return ran.stdout === '' ? ran.stderr : ran.stdout;
}

const content = (name: string): string => readFileSync(join(folder, name), 'latin1');

describe('a product in production', () => {
  it('starts and installs as a user without privileges, in a folder of its own', () => {
    expect(run('', renewal)).toBe('in_force');
    expect(run('')).toBe('active 8');
  });

  it('does not start where no file may grow, says so, and starts again once they may', () => {
    const before = content('license.state');
    expect(run("trap '' XFSZ; ulimit -f 0;")).toMatch(
      /^start refused: state_unwritable: .*license\.state.* the file would grow beyond the allowed size$/,
    );
    expect(content('license.state')).toBe(before);
    expect(run('')).toBe('active 7');
  });

  it('does not start where the folder of the state is read-only, and starts again once it is not', () => {
    chmodSync(folder, 0o555);
    expect(run('')).toMatch(/^start refused: state_unwritable: .*permission denied/);
    const checked =
      /^check: state_unwritable: the file .*license\.state: .*permission denied\), install file_unwritable$/;
    expect(run('', 'check')).toMatch(checked);
    expect(readdirSync(folder).sort()).toEqual(['license.state', 'license.vtlic']);
    chmodSync(folder, 0o755);
    expect(run('', 'check')).toBe('check: active 7');
    expect(run('')).toBe('active 7');
  });

  it('does not start with a state that belongs to somebody else, and leaves it as it is', () => {
    if (isRoot) chownSync(join(folder, 'license.state'), 0, 0);
    chmodSync(join(folder, 'license.state'), isRoot ? 0o600 : 0o000);
    expect(run('')).toMatch(/^start refused: state_unwritable: the file .*license\.state: .*permission denied/);
    chmodSync(join(folder, 'license.state'), 0o644);
    expect(run('')).toBe('active 7');
  });

  it('is not held by a pipe in the place of the lock', () => {
    execFileSync('mkfifo', [join(folder, 'license.state.lock')]);
    expect(run('', renewal)).toBe('in_force');
  });

  it('does not start with a license that it may not read, and says that it cannot', () => {
    chmodSync(join(folder, 'license.vtlic'), 0o000);
    expect(run('')).toMatch(/^start refused: file_missing: .*license\.vtlic: .*permission denied/);
  });

  it('takes a renewal that came while it could open no file, once it can', async () => {
    const crowded = await packMain('test/unit/verifier/runtime/crowded-child.ts');
    const ran = spawnSync('sh', ['-c', 'ulimit -n 100; exec "$0" "$@"', process.execPath, crowded, folder, renewal], {
      timeout: 60_000,
    });
    expect([ran.stdout.toString(), ran.stderr.toString()]).toEqual([
      `${join(folder, 'license.vtlic')}: too many files are open\n8\n`,
      '',
    ]);
  });

  it.skipIf(mountPrefix === undefined)(
    'keeps what is in force while the disk is full, or the license is a mount of its own, and installs afterwards',
    async () => {
      const scenario = join(base, 'scenario.mjs');
      copyFileSync(await packMain('test/unit/verifier/runtime/disk-scenario.ts'), scenario);
      const place = mkdtempSync(join(base, 'scenario-'));
      for (const name of ['old.vtlic', 'renewal.vtlic']) copyFileSync(join(base, name), join(place, name));
      const [command, ...rest] = [...(mountPrefix ?? []), process.execPath, scenario, place] as const;
      const ran = spawnSync(command, rest, { encoding: 'utf8', timeout: 60_000 });
      spawnSync('umount', ['-l', join(place, 'disk')], { stdio: 'ignore' });
      expect(ran.stderr).toBe('');
      expect(JSON.parse(ran.stdout)).toEqual({
        full: 'state_unwritable',
        whileFull: { counter: 7, untouched: true },
        left: ['license.state', 'license.vtlic'],
        mounted: 'file_unwritable',
        whileMounted: { counter: 7, untouched: true },
        after: true,
        counter: 8,
      });
    },
  );
});
