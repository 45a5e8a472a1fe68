/** The state in a file: what is beside it, whom a guard keeps waiting, and what is wrong with a path. */
import { execFileSync } from 'node:child_process';
import fs, {
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_STATE_BYTES } from '../../../../../verifier/runtime/state-document.ts';
import { fileStore } from '../../../../../verifier/runtime/stores/file-store.ts';
import { processIdentity } from '../../../../../verifier/runtime/stores/process-identity.ts';
import { inWords, rejected } from '../../../../support/thrown.ts';
import { HeldTime } from './held-time.ts';

const ONE = Uint8Array.of(1);
const OWNER_ONLY = 0o600;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-file-store-'));
  path = join(folder, 'state');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** How a note is read that is not ASCII. */
const asRead = (note: string): string => Buffer.from(note).toString('latin1');

const modeOf = (file: string): number => statSync(file).mode & 0o777;

/** Code, message, and the name of the file within the folder. */
async function faultOf(work: Promise<unknown>): Promise<readonly (string | undefined)[]> {
  const error = await rejected(work);
  return [inWords(error).replaceAll(folder, ''), error.place.file?.replace(folder, '')];
}

describe('a state in a file', () => {
  it('is for its owner only, and so is the note of its lock; nothing else is left', async () => {
    const store = fileStore(path);
    expect(store.name).toBe(`the file ${path}`);
    expect(await store.read()).toBeUndefined();
    expect(await store.readLock()).toBeUndefined();
    expect(await store.write(ONE, undefined)).toBe(true);
    expect(await store.swapLock(undefined, 'n\u00f6te')).toBe(true);
    expect(readdirSync(folder).toSorted()).toEqual(['state', 'state.lock']);
    expect([modeOf(path), modeOf(`${path}.lock`)]).toEqual([OWNER_ONLY, OWNER_ONLY]);
    expect(await store.swapLock('note', undefined)).toBe(false);
    expect(await store.swapLock(asRead('n\u00f6te'), undefined)).toBe(true);
    expect(readdirSync(folder)).toEqual(['state']);
  });

  it.runIf(existsSync('/proc/self/fd'))('leaves no file open', async () => {
    const store = fileStore(path);
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    for (let i = 0; i < 10; i++) await store.write(ONE, (await store.read())?.tag);
    expect(open()).toBe(before);
  });

  it('that is larger than any state is a damaged one, and can be replaced', async () => {
    const store = fileStore(path);
    writeFileSync(path, '');
    truncateSync(path, MAX_STATE_BYTES + 1);
    expect(await store.read()).toEqual({ document: new Uint8Array(), tag: 'large' });
    expect(await store.write(ONE, undefined)).toBe(false);
    expect(await store.write(ONE, 'large')).toBe(true);
    expect((await store.read())?.document).toEqual(ONE);
  });

  it('has a lock whose note has 4096 bytes at most', async () => {
    const store = fileStore(path);
    writeFileSync(`${path}.lock`, 'x'.repeat(4096));
    expect(await store.readLock()).toBe('x'.repeat(4096));
    writeFileSync(`${path}.lock`, 'x'.repeat(4097));
    expect(await faultOf(store.readLock())).toEqual(['too_large: the file is larger than 4096 bytes', '/state.lock']);
  });

  it('replaces what a process left that died while it wrote a note', async () => {
    writeFileSync(`${path}.lock.new`, 'half');
    expect(await fileStore(path).swapLock(undefined, 'note')).toBe(true);
    expect(readdirSync(folder)).toEqual(['state.lock']);
  });
});

describe('a path that is a link', () => {
  function chain(links: number): string {
    let target = 'real';
    for (let i = 1; i <= links; i++) {
      symlinkSync(target, join(folder, `link-${i}`));
      target = `link-${i}`;
    }
    return join(folder, target);
  }

  it('leads to the file behind forty links, which all stay links', async () => {
    const first = chain(40);
    expect(await fileStore(first).write(ONE, undefined)).toBe(true);
    expect(readFileSync(join(folder, 'real'))).toEqual(Buffer.of(1));
    for (let i = 1; i <= 40; i++) expect(lstatSync(join(folder, `link-${i}`)).isSymbolicLink()).toBe(true);
  });

  it('is refused behind more links than the system follows, and where it leads to itself', async () => {
    const loops = 'a link in this path leads to itself';
    const first = chain(41);
    symlinkSync('circle', join(folder, 'circle'));
    for (const link of [first, join(folder, 'circle')]) {
      expect((await faultOf(fileStore(link).read()))[0]).toBe(`file_unreadable: ${loops}`);
      expect((await faultOf(fileStore(link).write(ONE, undefined)))[0]).toBe(`output_unwritable: ${loops}`);
      expect(lstatSync(link).isSymbolicLink()).toBe(true);
    }
    expect(existsSync(join(folder, 'real'))).toBe(false);
  });
});

describe('a path with which something is wrong', () => {
  const MISSING = 'there is no such file or folder';
  const FOLDER = 'this is a folder, not a file';
  /** What the system says, also to root, of a file that is not a program. */
  const DENIED = 'this user may not do that here (permission denied)';

  it('is named where its folder does not exist', async () => {
    const store = fileStore(join(folder, 'unmounted', 'state'));
    const guard = '/unmounted/state.guard';
    expect(await faultOf(store.read())).toEqual([
      'file_unreadable: the folder of this file does not exist',
      '/unmounted/state',
    ]);
    expect(await faultOf(store.write(ONE, undefined))).toEqual([`output_unwritable: ${MISSING}`, guard]);
    expect(await faultOf(store.swapLock(undefined, 'note'))).toEqual([`output_unwritable: ${MISSING}`, guard]);
    expect(await store.writeFault?.()).toBe(MISSING);
    expect(await fileStore(path).writeFault?.()).toBeUndefined();
  });

  it('is named where its folder is a file', async () => {
    writeFileSync(path, '');
    const store = fileStore(join(path, 'state'));
    expect(await store.writeFault?.()).toBe(DENIED);
    expect(await faultOf(store.read())).toEqual([
      'file_unreadable: a part of this path is not a folder',
      '/state/state',
    ]);
  });

  it('is named where it is a folder, and leaves no guard behind', async () => {
    mkdirSync(path);
    const store = fileStore(path);
    expect(await faultOf(store.read())).toEqual([`file_unreadable: ${FOLDER}`, '/state']);
    expect(await faultOf(store.write(ONE, undefined))).toEqual([`output_unwritable: ${FOLDER}`, '/state.guard']);
    expect(readdirSync(folder)).toEqual(['state']);
  });

  it('is named where its lock is a folder', async () => {
    mkdirSync(`${path}.lock`);
    const store = fileStore(path);
    expect(await faultOf(store.readLock())).toEqual([`file_unreadable: ${FOLDER}`, '/state.lock']);
    expect(await faultOf(store.swapLock(undefined, 'note'))).toEqual([`output_unwritable: ${FOLDER}`, '/state.guard']);
    expect(readdirSync(folder)).toEqual(['state.lock']);
  });

  it('is named as a whole where a folder or a pipe is in the place of its guard', async () => {
    const deep = join(folder, 'a'.repeat(120), 'b'.repeat(120));
    mkdirSync(deep, { recursive: true });
    const guard = join(deep, 'state.guard');
    mkdirSync(guard);
    const write = (): Promise<unknown> => fileStore(join(deep, 'state')).write(ONE, undefined);
    const shown = guard.replace(folder, '');
    expect(await faultOf(write())).toEqual([`output_unwritable: ${shown} is in the way: ${FOLDER}`, shown]);
    rmSync(guard, { recursive: true });
    execFileSync('mkfifo', [guard]);
    expect((await faultOf(write()))[0]).toMatch(/^output_unwritable: \/a+\/b+\/state\.guard is in the way: /);
  });
});

describe('a guard', () => {
  const SECONDS = HeldTime.DATE / 1000;
  let time: HeldTime;
  let guard: string;
  beforeEach(() => {
    time = new HeldTime();
    guard = `${path}.guard`;
  });
  afterEach(() => {
    time.release();
  });

  /** A guard that another process made `age` milliseconds ago. */
  function makeGuard(holder: string | undefined, age: number): void {
    if (holder === undefined) symlinkSync('nowhere', guard);
    else writeFileSync(guard, holder);
    lutimesSync(guard, SECONDS, SECONDS - age / 1000);
  }

  const ELSEWHERE = 'elsewhere 1 2';
  const ended = processIdentity().replace(/ \d+ /, ' 999999999 ');
  it.each([
    ['of another host', ELSEWHERE, 9999.5, false],
    ['of another host', ELSEWHERE, 10_000, false],
    ['of another host', ELSEWHERE, 10_000.5, true],
    ['of another host, whose clock is ahead', ELSEWHERE, -10_000, false],
    ['of another host, whose clock is ahead', ELSEWHERE, -10_000.5, true],
    ['of this process', processIdentity(), 9999.5, false],
    ['of this process', processIdentity(), 10_000.5, true],
    ['of a process that has ended', ended, 0, true],
    ['that is empty', '', 999.5, false],
    ['that is empty', '', 1000, false],
    ['that is empty', '', 1000.5, true],
    ['that is empty, of a clock that is ahead', '', -1000.5, true],
    ['that is a link to nowhere', undefined, 999.5, false],
    ['that is a link to nowhere', undefined, 1000.5, true],
  ])('%s is removed only once it is old, or its process has ended: %#', async (_what, holder, age, isRemoved) => {
    makeGuard(holder, age);
    const writing = fileStore(path).write(ONE, undefined);
    await time.settle();
    expect(lstatSync(guard, { throwIfNoEntry: false }) === undefined).toBe(isRemoved);
    rmSync(guard, { force: true });
    await time.pass(1);
    expect(await writing).toBe(true);
    expect(readdirSync(folder)).toEqual(['state']);
  });

  it('of a process that is at work is looked for sooner at first, and then twenty times a second', async () => {
    makeGuard(ELSEWHERE, 0);
    let isWritten: boolean | undefined;
    void fileStore(path)
      .write(ONE, undefined)
      .then((written) => (isWritten = written));
    // At 0, 1, 3, 7, 15, 31, 63 and 113 milliseconds.
    await time.pass(64);
    rmSync(guard);
    await time.pass(48);
    expect(isWritten).toBeUndefined();
    await time.pass(1);
    expect(isWritten).toBe(true);
  });

  it('that stays for fifteen seconds is an error', async () => {
    makeGuard(ELSEWHERE, 0);
    let fault: unknown;
    const writing = faultOf(fileStore(path).write(ONE, undefined)).then((found) => (fault = found));
    await time.pass(63);
    time.now = 15_000 - 50;
    await time.pass(50);
    expect(fault).toBeUndefined();
    time.now = 15_000.5 - 50;
    await time.pass(50);
    await writing;
    expect(fault).toEqual(['output_unwritable: another process writes this file and does not end', '/state.guard']);
    expect(existsSync(guard)).toBe(true);
  });

  it('that its process removes while another one looks at it is not in the way', async () => {
    makeGuard(ELSEWHERE, 0);
    const { lstatSync: look } = fs;
    const lookTooLate = (...args: Parameters<typeof look>): ReturnType<typeof look> => {
      if (args[0] === guard && existsSync(guard)) unlinkSync(guard);
      return look(...args);
    };
    Object.assign(fs, { lstatSync: lookTooLate });
    syncBuiltinESMExports();
    try {
      const writing = fileStore(path).write(ONE, undefined);
      await time.pass(1);
      expect(await writing).toBe(true);
    } finally {
      Object.assign(fs, { lstatSync: look });
      syncBuiltinESMExports();
    }
  });

  it('has the identity of its process, so that another one can tell that it has ended', async () => {
    // The note of the lock is read while the guard is there: here it is the guard.
    symlinkSync('state.guard', `${path}.lock`);
    const store = fileStore(path);
    expect(await store.swapLock('another process', undefined)).toBe(false);
    expect(await store.swapLock(processIdentity(), undefined)).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });
});
