/** What the commands of this repository say on a machine that lacks something. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { lastLine } from '../support/not-covered.ts';
import { ROOT } from '../support/run-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'vtlic-missing-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('a script of a checkout without its development packages', () => {
  it('names each missing package and the command that installs it, and does not start', () => {
    mkdirSync(join(folder, 'packages'));
    cpSync(join(ROOT, 'packages/check-installed.ts'), join(folder, 'packages/check-installed.ts'));
    mkdirSync(join(folder, 'node_modules/here'), { recursive: true });
    writeFileSync(join(folder, 'node_modules/here/package.json'), '{}');
    writeFileSync(
      join(folder, 'package.json'),
      '{"type":"module","dependencies":{"here":"1.0.0"},"devDependencies":{"@scope/gone":"1.0.0","lost":"1.0.0"}}',
    );
    writeFileSync(join(folder, 'script.ts'), "import 'lost';\n");
    const done = spawnSync(process.execPath, ['--import', './packages/check-installed.ts', 'script.ts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect([done.status, done.stderr]).toEqual([
      2,
      'vtlic: this needs packages that are not installed: @scope/gone, lost\n  → run npm ci (without --omit=dev)\n',
    ]);
  });

  it.each(['build', 'test', 'test:token', 'test:opencryptoki', 'test:crash', 'test:interop', 'bench', 'format'])(
    'npm run %s makes that check first',
    (name) => {
      const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
        readonly scripts: Readonly<Record<string, string>>;
      };
      expect(scripts[name]).toMatch(/^packages\/with-node\.sh --import \.\/packages\/check-installed\.ts /);
    },
  );
});

describe('a checkout without any packages', () => {
  it.each(['packages/with-node.sh', 'bin/vtlic'])('%s says which command installs them', (script) => {
    const checkout = join(folder, 'bare');
    mkdirSync(join(checkout, 'bin'), { recursive: true });
    mkdirSync(join(checkout, 'packages'), { recursive: true });
    cpSync(join(ROOT, 'packages/with-node.sh'), join(checkout, 'packages/with-node.sh'));
    cpSync(join(ROOT, 'bin/vtlic'), join(checkout, 'bin/vtlic'), { verbatimSymlinks: true });
    const done = spawnSync(join(checkout, script), ['--version'], {
      encoding: 'utf8',
      env: { PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` },
    });
    expect([done.status, done.stderr]).toEqual([
      2,
      'vtlic: the packages of this checkout are not installed\n  → run npm ci\n',
    ]);
  });
});

describe('npm run test:token', () => {
  it('names every missing piece at once, each with the line that installs it', () => {
    const done = spawnSync(process.execPath, [join(ROOT, 'test/run-token.ts')], {
      env: { PATH: join(folder, 'nowhere') },
      encoding: 'utf8',
    });
    expect(done.status).toBe(2);
    for (const line of [
      'softhsm2-util is missing: apt-get install -y softhsm2',
      'pkcs11-tool is missing: apt-get install -y opensc',
      'age is missing: apt-get install -y age',
      'cc (a C compiler) is missing: apt-get install -y build-essential',
    ])
      expect(done.stderr).toContain(`\n  ${line}\n`);
    expect(done.stderr).not.toMatch(/\n\s+at /);
  });
});

describe('npm run test:opencryptoki', () => {
  it('names every missing piece at once, each with the line that installs it', () => {
    const done = spawnSync(process.execPath, [join(ROOT, 'test/opencryptoki/run.ts')], {
      env: { PATH: join(folder, 'nowhere') },
      encoding: 'utf8',
    });
    expect(done.status).toBe(2);
    expect(done.stderr).toContain('\n  debootstrap is missing: apt-get install -y debootstrap\n');
    expect(done.stderr).not.toMatch(/\n\s+at /);
  });
});

describe('the last line of npm test', () => {
  it('names the commands that run what it left out', () => {
    for (const name of ['test:token', 'test:interop', 'test:runtimes', 'test:crash'])
      expect(lastLine(true)).toContain(`(npm run ${name})`);
    expect(lastLine(true)).not.toContain('mounted');
  });

  it('names the disks where nothing may be mounted', () => {
    expect(lastLine(false)).toContain('full and read-only disks (nothing may be mounted here');
  });
});
