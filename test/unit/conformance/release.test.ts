/** Releases of the vectors: the same archives each time, and a document that only its key can have signed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../../formats/bytes.ts';
import { SoftwareKey } from '../../../keys/private/software/software-key.ts';
import { tar } from '../../../conformance/vectors/archive.ts';
import { MANIFEST, pathsBelow, readCases, VECTORS } from '../../../conformance/vectors/files.ts';
import { releaseFault, releaseFiles, signRelease } from '../../../conformance/vectors/release.ts';

const folder = mkdtempSync(join(tmpdir(), 'vtlic-release-'));
afterAll(() => rmSync(folder, { recursive: true }));

const seeds = (first: number): Uint8Array => Uint8Array.from({ length: 64 }, (_, i) => (first + i) & 255);
const key = new SoftwareKey('ed25519+ml-dsa-65', 'release', seeds(1));
const small = new Map([['a.tar', utf8('a')]]);

describe('a release of the vectors', () => {
  it('has the same archives each time, which tar reads', () => {
    const files = releaseFiles();
    expect(releaseFiles()).toEqual(files);
    const [first] = files;
    if (first === undefined) throw new Error('there is no archive');
    const [name, bytes] = first;
    writeFileSync(join(folder, name), bytes);
    execFileSync('tar', ['-xf', name], { cwd: folder, stdio: 'ignore' });
    const unpacked = join(folder, name.replace(/\.tar$/, ''));
    expect(existsSync(join(unpacked, 'LICENSE'))).toBe(true);
    expect(pathsBelow(join(unpacked, 'v1'))).toEqual(pathsBelow(VECTORS));
    expect(readCases(join(unpacked, 'v1')).length).toBe(readCases().length);
  });

  it('is refused where a file is altered, missing or not listed, or another key signed it', async () => {
    const document = await signRelease(small, key);
    expect(releaseFault(document, small, key.publicKey)).toBeUndefined();
    expect(releaseFault(document, new Map([['a.tar', utf8('b')]]), key.publicKey)).toContain('is another one');
    expect(releaseFault(document, new Map(), key.publicKey)).toContain('is missing');
    expect(releaseFault(document, new Map([...small, ['b', utf8('b')]]), key.publicKey)).toContain('is not listed');
    const other = new SoftwareKey('ed25519+ml-dsa-65', 'release', seeds(2));
    expect(releaseFault(document, small, other.publicKey)).toContain('expected');
    const altered = document.map((byte, i) => (i === document.length - 1 ? byte ^ 1 : byte));
    expect(releaseFault(altered, small, key.publicKey)).toContain('signature is not valid');
  });

  it('is not signed by a key with another purpose', async () => {
    const license = new SoftwareKey('ed25519', 'license', seeds(3).slice(0, 32));
    await expect(signRelease(small, license)).rejects.toThrow('purpose license');
  });

  it('has no room for a path that would be cut off', () => {
    expect(() => tar(new Map([['a'.repeat(101), utf8('')]]))).toThrow('too long');
  });
});

describe('a folder of vectors', () => {
  /** A copy of the vectors with one case. */
  function copy(name: string): string {
    const target = join(folder, name);
    execFileSync('cp', ['-r', VECTORS, target]);
    return target;
  }

  it('is refused with the name of a file that is altered, missing or not listed', () => {
    const target = copy('copy');
    const license = join(target, 'verify/time-nbf/license.vtlic');
    const before = readFileSync(license);
    writeFileSync(license, 'x');
    expect(() => readCases(target)).toThrow('verify/time-nbf/license.vtlic is not the file that the manifest lists');
    rmSync(license);
    expect(() => readCases(target)).toThrow('verify/time-nbf/license.vtlic is in the manifest, but not in the folder');
    writeFileSync(license, before);
    writeFileSync(join(target, 'more'), '');
    expect(() => readCases(target)).toThrow('more is in the folder, but not in the manifest');
    rmSync(join(target, 'more'));
    expect(readCases(target).length).toBe(readCases().length);
    const manifest = readFileSync(join(target, MANIFEST), 'utf8');
    writeFileSync(join(target, MANIFEST), manifest.replace('vtlic-vectors/1', 'vtlic-vectors/2'));
    expect(() => readCases(target)).toThrow('has the schema vtlic-vectors/2, expected vtlic-vectors/1');
  });
});

describe('npm run vectors:release with bad input', () => {
  const run = (...args: readonly string[]): readonly [number | null, string] => {
    const program = join(import.meta.dirname, '../../../conformance/vectors/release.ts');
    const done = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
    return [done.status, `${done.stdout}${done.stderr}`];
  };
  const text = join(folder, 'text');
  writeFileSync(text, 'no key');

  it.each([
    ['no act', [], 'usage: npm run vectors:release'],
    ['an option that there is not', ['--foo'], "Unknown option '--foo'"],
    ['no key', ['sign', folder], '--key is missing'],
    ['a folder without a release', ['verify', '/nowhere', '--public-key', text], '/nowhere/release.cose: there is no'],
    ['a name that is taken', ['new-key', join(folder, 'k.age'), text, '--passphrase-file', text], 'not written over'],
  ])('says in one sentence what is wrong: %s', (_, args, sentence) => {
    const [code, said] = run(...args);
    expect([code, said]).toEqual([2, expect.stringContaining(sentence)]);
    expect(said).not.toMatch(/\bat .*:\d+:\d+/);
    expect(existsSync(join(folder, 'k.age'))).toBe(false);
  });
});
