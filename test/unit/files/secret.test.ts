/** Passphrases and PINs from files, pipes and descriptors: whatever the source is, the reader comes to an end. */
import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../../formats/bytes.ts';
import { MAX_SECRET_BYTES, readSecretLine } from '../../../files/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-secret-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function file(text: string, mode = 0o600): string {
  const path = join(folder, 'secret');
  writeFileSync(path, text, { mode });
  return path;
}

function namedPipe(): string {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', ['-m', '600', path]);
  return path;
}

describe('the secret of a file', () => {
  it.each([
    ['a line', 'one two\n'],
    ['a line that Windows wrote', 'one two\r\n'],
    ['a line without its end', 'one two'],
    ['the first of several lines', 'one two\nthree\n'],
  ])('is %s', async (_what, text) => {
    expect(await readSecretLine(file(text), { pipes: true })).toEqual({ ok: true, bytes: utf8('one two') });
  });

  it.each([
    ['empty', ''],
    ['empty', '\nsecond line\n'],
    ['empty', '\r\n'],
    ['too long', 'x'.repeat(MAX_SECRET_BYTES + 1)],
  ])('is refused as %s: %j', async (fault, text) => {
    expect(await readSecretLine(file(text), { pipes: true })).toEqual({ ok: false, fault });
  });

  it('is taken up to its longest', async () => {
    const text = 'x'.repeat(MAX_SECRET_BYTES);
    expect(await readSecretLine(file(`${text}\n`), { pipes: true })).toEqual({ ok: true, bytes: utf8(text) });
  });

  it('is refused where other users can read the file', async () => {
    const path = file('one two\n');
    chmodSync(path, 0o640);
    expect(await readSecretLine(path, { pipes: true })).toEqual({ ok: false, fault: 'open to others' });
  });

  it('is not looked for in a folder or a device', async () => {
    mkdirSync(join(folder, 'sub'));
    for (const path of [join(folder, 'sub'), '/dev/zero', '/dev/null'])
      expect(await readSecretLine(path, { pipes: true })).toEqual({ ok: false, fault: 'not a file' });
    const fd = openSync('/dev/zero', 'r');
    try {
      expect(await readSecretLine(fd, { pipes: true })).toEqual({ ok: false, fault: 'not a file' });
    } finally {
      closeSync(fd);
    }
  });

  it('the secret of a missing file is an error of the operating system', async () => {
    await expect(readSecretLine(join(folder, 'absent'), { pipes: true })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('the secret of a pipe', () => {
  it('comes as soon as its line does, though the writer goes on', async () => {
    const path = namedPipe();
    const secret = readSecretLine(path, { pipes: true });
    setTimeout(() => {
      const fd = openSync(path, 'r+');
      writeFileSync(fd, 'one two\n');
      setTimeout(closeSync, 400, fd);
    }, 150);
    expect(await secret).toEqual({ ok: true, bytes: utf8('one two') });
  });

  it('gives up reading a pipe to which nothing is written in time, whether it is open for writing or not', async () => {
    const path = namedPipe();
    expect(await readSecretLine(path, { pipes: true, seconds: 0.2 })).toEqual({ ok: false, fault: 'silent' });
    const writer = openSync(path, 'r+');
    try {
      expect(await readSecretLine(path, { pipes: true, seconds: 0.2 })).toEqual({ ok: false, fault: 'silent' });
      expect(await readSecretLine(openSync(path, 'r'), { pipes: true, seconds: 0.2 })).toEqual({
        ok: false,
        fault: 'silent',
      });
    } finally {
      closeSync(writer);
    }
  });

  it('is refused at once where only a file is expected', async () => {
    expect(await readSecretLine(namedPipe(), { pipes: false })).toEqual({ ok: false, fault: 'not a file' });
  });
});
