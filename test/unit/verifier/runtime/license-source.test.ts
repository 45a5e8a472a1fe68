/** The place of a license: how it is read, watched and replaced. */
import fs, {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../../../formats/bytes.ts';
import type { Notice } from '../../../../verifier/runtime/index.ts';
import { licenseSource, type LicenseSource } from '../../../../verifier/runtime/license-source.ts';
import { thrown } from '../../../support/thrown.ts';

let folder: string;
let path: string;
let source: LicenseSource;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-source-'));
  path = join(folder, 'license');
  source = licenseSource({ path });
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const NEW = utf8('a new license');
const said = (one: Notice | undefined): string | undefined => one && `${one.code}: ${one.detail}`;
const content = (): string => readFileSync(path, 'utf8');

describe('a license in a file', () => {
  it('is read, or is missing with its path and the reason', () => {
    expect(source.read()).toEqual({ missing: `${path}: there is no such file or folder`, path });
    writeFileSync(path, NEW);
    expect(source.read()).toEqual({ file: NEW });
    expect([source.place, source.location]).toEqual([`the file ${path}`, { kind: 'file', path }]);
    expect(Object.isFrozen(source.location)).toBe(true);
  });

  it('has its path in a form that is safe for a terminal, up to 4096 characters', () => {
    const of = (name: string): LicenseSource => licenseSource({ path: name });
    expect(of('a\u001b').place).toBe('the file a\\u{001B}');
    const long = 'x'.repeat(4096);
    expect(of(long).location).toEqual({ kind: 'file', path: long });
    expect(of(`${long}x`).place).toBe(`the file ${long}…`);
  });

  it('has another stamp once it has changed, is missing, or cannot be reached', () => {
    const stamps = [source.stamp()];
    writeFileSync(path, 'one');
    stamps.push(source.stamp());
    expect(source.stamp()).toBe(stamps[1]);
    writeFileSync(path, 'another');
    stamps.push(source.stamp(), licenseSource({ path: join(path, 'in a file') }).stamp());
    expect(new Set(stamps).size).toBe(4);
    expect([stamps[0], stamps[3]]).toEqual(['ENOENT', 'ENOTDIR']);
  });

  it('is replaced for all to read, where a link points to, and is put back', () => {
    source.replace(NEW);
    expect([content(), statSync(path).mode & 0o777]).toEqual(['a new license', 0o644]);
    source.restore({ missing: 'it was not there' });
    expect(readdirSync(folder)).toEqual([]);
    const volume = join(folder, 'volume');
    mkdirSync(volume);
    writeFileSync(join(volume, 'license'), 'the old one');
    symlinkSync('volume/license', path);
    const old = source.read();
    source.replace(NEW);
    expect([readFileSync(join(volume, 'license'), 'utf8'), readdirSync(folder)]).toEqual([
      'a new license',
      ['license', 'volume'],
    ]);
    source.restore(old);
    expect([content(), readFileSync(join(volume, 'license'), 'utf8')]).toEqual(['the old one', 'the old one']);
  });

  it('cannot be installed where its folder is missing, or a link leads in a circle', () => {
    expect(source.installFault()).toBeUndefined();
    writeFileSync(path, NEW);
    expect(source.installFault()).toBeUndefined();
    const unmounted = join(folder, 'unmounted', 'license');
    const missing = licenseSource({ path: unmounted }).installFault();
    expect(said(missing)).toMatch(new RegExp(`^file_unwritable: ${unmounted}: `));
    expect(missing?.values).toEqual({ path: unmounted });
    const circle = join(folder, 'circle');
    symlinkSync('circle', circle);
    expect(said(licenseSource({ path: circle }).installFault())).toMatch(/^file_unwritable: /);
    expect(() => {
      licenseSource({ path: circle }).replace(NEW);
    }).toThrow('ELOOP');
    expect(readdirSync(folder).toSorted()).toEqual(['circle', 'license']);
  });

  it('calls back after a change in its folder, until that is no longer wanted', async () => {
    let calls = 0;
    let unwatch = (): void => undefined;
    await new Promise<void>((resolve) => {
      unwatch = source.watch(() => {
        calls++;
        resolve();
      });
      writeFileSync(path, NEW);
    });
    unwatch();
    await new Promise((resolve) => setTimeout(resolve, 50));
    calls = 0;
    writeFileSync(path, 'another');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(calls).toBe(0);
  });

  it('may lose its watch: the system ends one with an error where its folder is removed, except on Linux', () => {
    const { watch } = fs;
    const watchers: fs.FSWatcher[] = [];
    const kept = (...args: Parameters<typeof watch>): fs.FSWatcher => {
      const watcher = watch(...args);
      watchers.push(watcher);
      return watcher;
    };
    fs.watch = kept as typeof watch;
    syncBuiltinESMExports();
    try {
      source.watch(() => undefined)();
    } finally {
      fs.watch = watch;
      syncBuiltinESMExports();
    }
    expect(watchers.map((one) => one.emit('error', new Error('EPERM: operation not permitted, watch')))).toEqual([
      true,
    ]);
  });

  it('is watched without keeping the process alive, also where there is no folder', () => {
    const watchers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'FSEventWrap').length;
    const before = watchers();
    const unwatch = source.watch(() => undefined);
    expect(watchers()).toBe(before);
    unwatch();
    licenseSource({ path: join(folder, 'unmounted', 'license') }).watch(() => undefined)();
  });
});

describe('a license that is not in a file', () => {
  it.each([
    [{ text: 'a text' }, 'the variable LICENSE_TEXT', 'text', 'the license is in the variable LICENSE_TEXT'],
    [
      undefined,
      'nowhere: LICENSE_PATH is not set',
      'nowhere',
      'LICENSE_PATH is not set: set it to the path of the license',
    ],
  ])('%j is read where it is, and cannot be installed', (setting, place, kind, fault) => {
    const one = licenseSource(setting);
    expect([one.place, one.location, Object.isFrozen(one.location)]).toEqual([place, { kind }, true]);
    expect(one.read()).toEqual(
      setting === undefined ? { missing: 'neither LICENSE_PATH nor LICENSE_TEXT is set' } : { file: utf8('a text') },
    );
    expect(one.stamp()).toBe(one.stamp());
    expect(said(one.installFault())).toBe(`install_not_possible: ${fault}`);
    expect(one.installFault()?.values).toEqual({ place: kind });
    const internal = { code: 'internal', message: 'the license is not in a file, and cannot be replaced' };
    expect(thrown(() => one.replace(NEW))).toMatchObject(internal);
    expect(thrown(() => one.restore({ file: NEW }))).toMatchObject(internal);
    expect(one.watch(() => undefined)()).toBeUndefined();
  });
});
