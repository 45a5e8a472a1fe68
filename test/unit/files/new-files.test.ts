/** Files that are whole or absent, alone and in groups, in the places where that is hard. */
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../../formats/bytes.ts';
import { createDurably } from '../../../signer/files/durable-file.ts';
import {
  groupWriter,
  workerGroupWriter,
  type FileOutcome,
  type GroupWriter,
  type NewFile,
} from '../../../signer/files/durable-group.ts';

const BYTES = utf8('the whole of a license file\n');
const NOTHING = { written: () => Promise.resolve(), linked: () => Promise.resolve() };

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

  it('never follows a link that stands in its place', async () => {
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
  it('in a folder that cannot be made is refused', async () => {
    symlinkSync('/proc', join(folder, 'out'));
    await expect(createDurably(join(folder, 'out/vaultdesk/acme/file'), BYTES, 0o644)).rejects.toMatchObject({
      code: 'output_unwritable',
    });
  });
});

describe.each([
  ['in this thread', groupWriter],
  ['in workers', workerGroupWriter],
] as const)('a group of new files %s', (_where, make) => {
  async function create(...paths: readonly string[]): Promise<readonly FileOutcome[]> {
    const writer: GroupWriter = make();
    try {
      return await writer.create(
        paths.map((path) => ({ path: join(folder, path), bytes: BYTES })),
        0o644,
        NOTHING,
      );
    } finally {
      await writer.close();
    }
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

  it('is refused where a folder cannot be made, and leaves nothing', async () => {
    symlinkSync('/proc', join(folder, 'link'));
    await expect(create('out/1', 'link/vaultdesk/acme/2')).rejects.toMatchObject({ code: 'output_unwritable' });
    expect(readdirSync(join(folder, 'out'))).toEqual([]);
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
    const outcomes = await groupWriter().create([{ path: join(folder, 'a'), bytes: BYTES }], 0o644, NOTHING);
    expect(outcomes).toMatchObject([{ ok: true }]);
    expect(refused).toBeGreaterThan(0);
    expect(readdirSync(folder)).toEqual(['a']);
  } finally {
    fs.unlinkSync = unlinkSync;
    syncBuiltinESMExports();
  }
});

/** Those that were given something. */
function workersOf(post: { readonly mock: { readonly contexts: readonly unknown[] } }): readonly Worker[] {
  return [...new Set(post.mock.contexts)].filter((context) => context instanceof Worker);
}

it('a worker that ends before its time fails its files and all later ones, and nothing waits for it', async () => {
  const post = vi.spyOn(Worker.prototype, 'postMessage');
  const files = (name: string): NewFile[] =>
    Array.from({ length: 8 }, (_, i) => ({ path: join(folder, `${name}-${i}`), bytes: BYTES }));
  const writer = workerGroupWriter();
  try {
    expect(await writer.create(files('a'), 0o644, NOTHING)).toHaveLength(8);
    const cut = writer.create(files('b'), 0o644, NOTHING);
    await Promise.all([
      expect(cut).rejects.toThrow('a worker that writes files ended before its time'),
      workersOf(post)[0]?.terminate(),
    ]);
    await expect(writer.create(files('c'), 0o644, NOTHING)).rejects.toThrow(
      'a worker that writes files ended before its time',
    );
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  } finally {
    post.mockRestore();
    await writer.close();
  }
});

it('a worker that ends between two groups ends no process', async () => {
  const writer = workerGroupWriter();
  const post = vi.spyOn(Worker.prototype, 'postMessage');
  try {
    await writer.create([{ path: join(folder, 'a'), bytes: BYTES }], 0o644, NOTHING);
    for (const worker of workersOf(post)) worker.emit('error', new Error('out of memory'));
    await expect(writer.create([{ path: join(folder, 'b'), bytes: BYTES }], 0o644, NOTHING)).rejects.toThrow(
      'a worker that writes files ended before its time',
    );
  } finally {
    post.mockRestore();
    await writer.close();
  }
});

/** The calls themselves are made: they are only noted on their way. */
function noteCalls(): { readonly calls: readonly string[]; readonly done: () => void } {
  const calls: string[] = [];
  const names = new Map<number, string>();
  const real = { openSync: fs.openSync, fsyncSync: fs.fsyncSync, closeSync: fs.closeSync, linkSync: fs.linkSync };
  const short = (path: fs.PathLike): string => String(path).slice(folder.length + 1);
  fs.openSync = (path, flags, mode) => {
    const fd = real.openSync(path, flags, mode);
    names.set(fd, short(path));
    return fd;
  };
  fs.fsyncSync = (fd) => {
    real.fsyncSync(fd);
    calls.push(`fsync ${names.get(fd) ?? '?'}`);
  };
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
  'of a group of %i, each file is durable before it has its name, and each folder after it',
  async (count) => {
    const names = Array.from({ length: count }, (_, i) => `out/${i % 7}/file-${i}`);
    const { calls, done } = noteCalls();
    try {
      await groupWriter().create(
        names.map((name) => ({ path: join(folder, name), bytes: BYTES })),
        0o644,
        NOTHING,
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

it('one file alone is durable before it has its name, and its folder after it', async () => {
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
