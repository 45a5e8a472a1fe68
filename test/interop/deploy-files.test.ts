/** The manifests of `examples/` against the types of the Kubernetes API, the Compose specification, and systemd. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/run-cli.ts';
import { EXAMPLES } from './example-product.ts';

const KUBERNETES = join(ROOT, 'examples/kubernetes');
const MANIFESTS = ['vaultdesk', 'deployment-blue', 'deployment-green', 'check-job', 'servicemonitor'];

const folder = mkdtempSync(join(tmpdir(), 'vtlic-manifests-'));
const program = join(folder, 'deploy-check');

/** Pinned by go.mod and go.sum; the Go that is installed, never one that it would download. */
beforeAll(() => {
  const built = spawnSync('go', ['build', '-trimpath', '-o', program, '.'], {
    cwd: join(import.meta.dirname, 'deploy-check'),
    env: { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' },
    encoding: 'utf8',
  });
  const needed = 'Go 1.24 or later is needed (Debian 13: apt-get install -y golang-go)';
  if (built.error !== undefined) throw new Error(needed, { cause: built.error });
  if (built.status !== 0) throw new Error(`${built.stderr}\n${needed}`);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What the checker prints, its error included. */
function checked(kind: 'kubernetes' | 'compose', ...files: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, [kind, ...files], { encoding: 'utf8' });
  return stdout + stderr.replaceAll(folder, '');
}

/** A copy of a file of the examples with one change. */
function changed(path: string, from: string, to: string): string {
  const text = readFileSync(join(ROOT, 'examples', path), 'utf8');
  expect(text).toContain(from);
  const copy = join(folder, 'changed.yaml');
  writeFileSync(copy, text.replace(from, to));
  return copy;
}

describe('the manifests for Kubernetes', () => {
  it('have only members that the API knows, of the types that it knows', () => {
    expect(checked('kubernetes', ...MANIFESTS.map((name) => join(KUBERNETES, `${name}.yaml`)))).toBe(
      [
        'ConfigMap vaultdesk',
        'Service vaultdesk',
        'Service vaultdesk-monitor',
        'Deployment vaultdesk-blue',
        'Deployment vaultdesk-green',
        'Job vaultdesk-check',
        'ServiceMonitor vaultdesk',
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['a member in another spelling', 'readOnlyRootFilesystem', 'readonlyRootFilesystem', 'unknown field'],
    ['a text in the place of a number', 'replicas: 2', 'replicas: two', 'cannot unmarshal string'],
  ])('%s would be noticed', (_what, from, to, fault) => {
    expect(checked('kubernetes', changed('kubernetes/deployment-blue.yaml', from, to))).toContain(fault);
  });

  it('have two releases that differ in their word and version only, and a check of the second one', () => {
    const [blue = '', green = '', job = ''] = ['deployment-blue', 'deployment-green', 'check-job'].map((name) =>
      readFileSync(join(KUBERNETES, `${name}.yaml`), 'utf8').replace(/^#.*\n/gm, ''),
    );
    expect(green).toBe(blue.replace(/\bblue$/gm, 'green').replace('vaultdesk:1.0.0', 'vaultdesk:1.1.0'));
    const volumes = (text: string): string => text.slice(text.indexOf('      volumes:'));
    expect(volumes(job)).toBe(volumes(green));
    expect(/image: .*/.exec(job)?.[0]).toBe(/image: .*/.exec(green)?.[0]);
  });
});

describe('the Compose files', () => {
  it.each(EXAMPLES)('of %s agrees with the specification', (name) => {
    expect(checked('compose', join(ROOT, 'examples', name, 'compose.yaml'))).toBe('service app\nservice database\n');
  });

  it('a member that the specification does not know would be noticed', () => {
    expect(checked('compose', changed('node-http/compose.yaml', 'cap_drop', 'capdrop'))).toContain('not allowed');
  });
});

describe('the unit for systemd', () => {
  function verified(unit: string): string {
    const place = join(folder, 'vaultdesk.service');
    writeFileSync(place, unit.replace('/usr/bin/node', process.execPath));
    mkdirSync(`${place}.d`, { recursive: true });
    cpSync(join(ROOT, 'examples/systemd/license-credential.conf'), join(`${place}.d`, 'license-credential.conf'));
    const ran = spawnSync('systemd-analyze', ['verify', '--man=no', place], { encoding: 'utf8' });
    if (ran.error !== undefined) throw new Error('systemd is needed (Debian: apt-get install -y systemd)');
    return ran.stderr;
  }
  const unit = readFileSync(join(ROOT, 'examples/systemd/vaultdesk.service'), 'utf8');

  it('is one that systemd takes, with the credential for the license too', () => {
    expect(verified(unit)).toBe('');
  });

  it('a misspelled setting would be noticed', () => {
    expect(verified(unit.replace('StateDirectory=', 'StateFolder='))).toContain("'StateFolder'");
  });
});
