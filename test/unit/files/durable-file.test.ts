/** Files that are whole or absent, alone and in groups, in the places where that is hard. */
import fs, {
  chownSync,
  existsSync,
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
import { utf8 } from '../../../formats/bytes.ts';
import {
  createDurably,
  createManyDurably,
  DurableStream,
  replaceDurably,
  type FileOutcome,
} from '../../../files/index.ts';

const BYTES = utf8('the whole of a license file\n');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-files-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('a new file', () => {
  it('takes the place of its own beginning, which a crash leaves on a disk that knows no links', async () => {
    const path = join(folder, 'a/b/file');
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    for (const length of [0, 1, BYTES.length - 1]) {
      writeFileSync(path, BYTES.subarray(0, length));
      expect(await createDurably(path, BYTES, 0o644)).toBe('created');
      expect(readFileSync(path)).toEqual(Buffer.from(BYTES));
    }
    expect(await createDurably(path, BYTES, 0o644)).toBe('equal');
    expect(readdirSync(join(folder, 'a/b'))).toEqual(['file']);
  });

  it.each([
    ['other bytes of the same length', BYTES.map((byte) => byte ^ 1)],
    ['a beginning that is another', BYTES.subarray(0, 9).map((byte) => byte ^ 1)],
    ['more than it', utf8('the whole of a license file\n\n')],
  ])('never takes the place of %s', async (_what, bytes) => {
    const path = join(folder, 'file');
    writeFileSync(path, bytes);
    await expect(createDurably(path, BYTES, 0o644)).rejects.toMatchObject({ code: 'output_exists' });
    expect(readFileSync(path)).toEqual(Buffer.from(bytes));
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('never follows a link that has its name', async () => {
    const elsewhere = join(folder, 'elsewhere');
    writeFileSync(elsewhere, '');
    symlinkSync(elsewhere, join(folder, 'link'));
    symlinkSync(join(folder, 'absent'), join(folder, 'dangling'));
    for (const name of ['link', 'dangling'])
      await expect(createDurably(join(folder, name), BYTES, 0o644)).rejects.toMatchObject({ code: 'output_exists' });
    expect(readFileSync(elsewhere, 'utf8')).toBe('');
    expect(existsSync(join(folder, 'absent'))).toBe(false);
  });

  // `mkdir` with `recursive` would try this for ever: a test that hangs here has found it.
  it('never replaces a file that took its name while the bytes were written', async () => {
    const path = join(folder, 'taken-meanwhile');
    const written = (): Promise<void> => {
      writeFileSync(path, 'of another program');
      return Promise.resolve();
    };
    await expect(createDurably(path, BYTES, 0o644, { written })).rejects.toMatchObject({ code: 'output_exists' });
    expect(readFileSync(path, 'utf8')).toBe('of another program');
  });

  it('a file that reads back differently from what was written is an error, not a new file', async () => {
    const { linkSync } = fs;
    fs.linkSync = (from, to) => {
      writeFileSync(from, 'what a broken disk makes of it');
      linkSync(from, to);
    };
    syncBuiltinESMExports();
    try {
      await expect(createDurably(join(folder, 'changed'), BYTES, 0o644)).rejects.toMatchObject({
        code: 'output_unwritable',
        message: expect.stringContaining('reads back differently') as unknown,
      });
    } finally {
      fs.linkSync = linkSync;
      syncBuiltinESMExports();
    }
  });

  it('a new file in a folder that cannot be made is refused', async () => {
    symlinkSync('/proc', join(folder, 'out'));
    await expect(createDurably(join(folder, 'out/vaultdesk/acme/file'), BYTES, 0o644)).rejects.toMatchObject({
      code: 'output_unwritable',
    });
  });
});

describe('a group of new files', () => {
  function create(...paths: readonly string[]): Promise<readonly FileOutcome[]> {
    return createManyDurably(
      paths.map((path) => ({ path: join(folder, path), bytes: BYTES })),
      0o644,
    );
  }

  it('makes the folders it needs, and says which file was in the way', async () => {
    mkdirSync(join(folder, 'out/a'), { recursive: true });
    writeFileSync(join(folder, 'out/a/2'), 'something else');
    writeFileSync(join(folder, 'out/a/3'), BYTES);
    expect(await create('out/a/1', 'out/a/2', 'out/a/3', 'out/b/c/4')).toMatchObject([
      { ok: true, written: true },
      { ok: false, error: { code: 'output_exists' } },
      { ok: true, written: false },
      { ok: true, written: true },
    ]);
    expect(readFileSync(join(folder, 'out/b/c/4'))).toEqual(Buffer.from(BYTES));
    expect(readFileSync(join(folder, 'out/a/2'), 'utf8')).toBe('something else');
    expect(readdirSync(join(folder, 'out/a'))).toEqual(['1', '2', '3']);
  });

  it('writes the others where one folder cannot be made, is a file, or where a name is not taken', async () => {
    symlinkSync('/proc', join(folder, 'link'));
    writeFileSync(join(folder, 'file'), 'a file where a folder should be');
    const outcomes = await create('out/1', 'link/vaultdesk/acme/2', 'file/3', `out/${'x'.repeat(300)}`, 'out/5');
    const refused = { ok: false, error: { code: 'output_unwritable' } };
    expect(outcomes).toMatchObject([
      { ok: true, written: true },
      refused,
      refused,
      refused,
      { ok: true, written: true },
    ]);
    expect(readdirSync(join(folder, 'out'))).toEqual(['1', '5']);
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('a file where a folder should be');
  });
});

it('a temporary name that the disk refused to remove is removed when the group is finished', async () => {
  const { unlinkSync } = fs;
  let refused = 0;
  fs.unlinkSync = (path) => {
    if (refused++ === 0) throw Object.assign(new Error('EIO: i/o error, unlink'), { code: 'EIO' });
    unlinkSync(path);
  };
  syncBuiltinESMExports();
  try {
    const outcomes = await createManyDurably([{ path: join(folder, 'a'), bytes: BYTES }], 0o644);
    expect(outcomes).toMatchObject([{ ok: true }]);
    expect(refused).toBeGreaterThan(0);
    expect(readdirSync(folder)).toEqual(['a']);
  } finally {
    fs.unlinkSync = unlinkSync;
    syncBuiltinESMExports();
  }
});

/** The calls themselves are made: they are only noted on their way. */
function noteCalls(): { readonly calls: readonly string[]; readonly done: () => void } {
  const calls: string[] = [];
  const names = new Map<number, string>();
  const real = { openSync: fs.openSync, fsync: fs.fsync, closeSync: fs.closeSync, linkSync: fs.linkSync };
  const short = (path: fs.PathLike): string => String(path).slice(folder.length + 1);
  fs.openSync = (path, flags, mode) => {
    const fd = real.openSync(path, flags, mode);
    names.set(fd, short(path));
    return fd;
  };
  const fsync = (fd: number, done: fs.NoParamCallback): void => {
    real.fsync(fd, (error) => {
      calls.push(`fsync ${names.get(fd) ?? '?'}`);
      done(error);
    });
  };
  Object.assign(fs, { fsync });
  fs.closeSync = (fd) => {
    real.closeSync(fd);
    calls.push(`close ${names.get(fd) ?? '?'}`);
  };
  fs.linkSync = (from, to) => {
    real.linkSync(from, to);
    calls.push(`link ${short(to)}`);
  };
  syncBuiltinESMExports();
  return {
    calls,
    done: () => {
      Object.assign(fs, real);
      syncBuiltinESMExports();
    },
  };
}

it.each([1, 32, 33, 70])(
  'each file of a group of %i is durable before it has its name, and each folder after it',
  async (count) => {
    const names = Array.from({ length: count }, (_, i) => `out/${i % 7}/file-${i}`);
    const { calls, done } = noteCalls();
    try {
      await createManyDurably(
        names.map((name) => ({ path: join(folder, name), bytes: BYTES })),
        0o644,
      );
    } finally {
      done();
    }
    for (const name of names) {
      const temporary = name.replace(/file-\d+$/, (file) => `.${file}.tmp`);
      const steps = [
        `fsync ${temporary}`,
        `close ${temporary}`,
        `link ${name}`,
        `fsync ${name.slice(0, name.lastIndexOf('/'))}`,
      ].map((call) => calls.lastIndexOf(call));
      expect(steps, name).not.toContain(-1);
      expect(steps, name).toEqual(steps.toSorted((a, b) => a - b));
    }
  },
);

it('writes a single file durably before it gets its name, and its folder after that', async () => {
  const { calls, done } = noteCalls();
  try {
    await createDurably(join(folder, 'out/file'), BYTES, 0o644);
  } finally {
    done();
  }
  const steps = ['fsync out/.file.tmp', 'close out/.file.tmp', 'link out/file', 'fsync out'].map((call) =>
    calls.lastIndexOf(call),
  );
  expect(steps).not.toContain(-1);
  expect(steps).toEqual(steps.toSorted((a, b) => a - b));
});

/** `link` fails as it does on FAT and exFAT. The call in C is tried in test/pkcs11/no-hard-links.test.ts. */
async function withoutLinks(act: () => Promise<void>): Promise<void> {
  const { linkSync } = fs;
  fs.linkSync = () => {
    throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' });
  };
  syncBuiltinESMExports();
  try {
    await act();
  } finally {
    fs.linkSync = linkSync;
    syncBuiltinESMExports();
  }
}

describe('a disk without hard links', () => {
  it('takes new files whole, under their names only', () =>
    withoutLinks(async () => {
      expect(await createDurably(join(folder, 'out/one'), BYTES, 0o644)).toBe('created');
      expect(await createDurably(join(folder, 'out/one'), BYTES, 0o644)).toBe('equal');
      const stream = new DurableStream(join(folder, 'out/.stream.tmp'), 0o600);
      stream.write(BYTES);
      expect(stream.create(join(folder, 'out/two'))).toBe(true);
      for (const name of ['one', 'two']) expect(readFileSync(join(folder, 'out', name))).toEqual(Buffer.from(BYTES));
      expect(readdirSync(join(folder, 'out'))).toEqual(['one', 'two']);
      expect(statSync(join(folder, 'out/one')).mode & 0o777).toBe(0o644 & ~process.umask());
    }));

  it('never has a file replaced by a new one', () =>
    withoutLinks(async () => {
      const path = join(folder, 'file');
      writeFileSync(path, 'something else');
      await expect(createDurably(path, BYTES, 0o644)).rejects.toMatchObject({ code: 'output_exists' });
      const stream = new DurableStream(join(folder, '.stream.tmp'), 0o600);
      stream.write(BYTES);
      expect(stream.create(path)).toBe(false);
      expect(readFileSync(path, 'utf8')).toBe('something else');
      expect(readdirSync(folder)).toEqual(['file']);
    }));

  it('keeps no empty file where the rename fails', () =>
    withoutLinks(async () => {
      const { renameSync } = fs;
      fs.renameSync = () => {
        throw Object.assign(new Error('EIO: i/o error, rename'), { code: 'EIO' });
      };
      syncBuiltinESMExports();
      try {
        await expect(createDurably(join(folder, 'file'), BYTES, 0o644)).rejects.toMatchObject({
          code: 'output_unwritable',
        });
      } finally {
        fs.renameSync = renameSync;
        syncBuiltinESMExports();
      }
      expect(readdirSync(folder)).toEqual([]);
    }));
});

describe('a file that is replaced', () => {
  it('keeps its mode', () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'old', { mode: 0o640 });
    replaceDurably(path, BYTES, 0o600);
    expect(readFileSync(path)).toEqual(Buffer.from(BYTES));
    expect(statSync(path).mode & 0o777).toBe(0o640 & ~process.umask());
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it.runIf(process.getuid?.() === 0)('keeps its owner when root replaces it', () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'old', { mode: 0o600 });
    chownSync(path, 1000, 1001);
    replaceDurably(path, BYTES, 0o644);
    const { uid, gid, mode } = statSync(path);
    expect([uid, gid, mode & 0o777]).toEqual([1000, 1001, 0o600]);
    expect(readFileSync(path)).toEqual(Buffer.from(BYTES));
  });

  it('a file that did not exist gets the mode it is given', () => {
    const path = join(folder, 'file');
    replaceDurably(path, BYTES, 0o600);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('takes a stream of any length, in pieces of any length', () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'old');
    const pieces = [1, 262_144, 262_145, 0, 700_000, 100].map((length, i) => new Uint8Array(length).fill(i + 1));
    const stream = new DurableStream(`${path}.new`, 0o644);
    for (const piece of pieces) stream.write(piece);
    expect(readFileSync(path, 'utf8')).toBe('old');
    stream.replace(path);
    stream.abandon();
    expect(readFileSync(path).equals(Buffer.concat(pieces))).toBe(true);
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('stays as it was when the stream is abandoned', () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'old');
    const stream = new DurableStream(`${path}.new`, 0o644);
    stream.write(BYTES);
    stream.abandon();
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['file']);
    expect(() => {
      stream.replace(path);
    }).toThrow('the file is finished');
  });
});
