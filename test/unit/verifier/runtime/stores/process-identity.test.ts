import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hasEnded, processIdentity } from '../../../../../verifier/runtime/stores/process-identity.ts';

const isLinux = existsSync('/proc/self/stat');
const [place = '', , start = ''] = processIdentity().split(' ');

/** When a process whose name has no blank began. */
const startOf = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[21] ?? '';

describe('the identity of a process', () => {
  it.runIf(isLinux)('is its boot and its container, its number, and when it began', () => {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const own = `${boot}/${readlinkSync('/proc/self/ns/pid')} ${process.pid} ${startOf(process.pid)}`;
    expect(processIdentity()).toBe(own);
    expect(own.split(' ')).toHaveLength(3);
    expect(hasEnded(own)).toBe(false);
  });

  it('stays the same under another name, whatever is in it', () => {
    const [before, title] = [processIdentity(), process.title];
    try {
      process.title = 'a) b (c d) S 1 2';
      expect(processIdentity()).toBe(before);
    } finally {
      process.title = title;
    }
  });
});

describe('a process', () => {
  const spent = (): number => spawnSync(process.execPath, ['-e', '']).pid;

  it.runIf(isLinux)('has ended where none has its number, or a later one has it', () => {
    expect(hasEnded(`${place} ${spent()} ${start}`)).toBe(true);
    expect(hasEnded(`${place} 1 ${startOf(1)}`)).toBe(false);
    expect(hasEnded(`${place} 1 ${startOf(1)}0`)).toBe(true);
    expect(hasEnded(`${place} 1 `)).toBe(false);
  });

  it('has ended by its number only, where it is not known when it began', () => {
    expect(hasEnded(`${place} ${process.pid} `)).toBe(false);
    expect(hasEnded(`${place} ${process.pid}`)).toBe(false);
    expect(hasEnded(`${place} ${spent()} `)).toBe(true);
  });

  it.runIf(isLinux)('has ended although its parent has not asked how', async () => {
    // The shell starts a process and becomes another program, which never asks how that process ended.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 30'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(line.toString());
      const until = async (path: string, part: string): Promise<void> => {
        while (!readFileSync(path, 'utf8').includes(part)) await new Promise((resolve) => setImmediate(resolve));
      };
      await until(`/proc/${parent.pid}/comm`, 'sleep');
      process.kill(pid, 'SIGKILL');
      await until(`/proc/${pid}/stat`, ') Z ');
      expect(hasEnded(`${place} ${pid} ${startOf(pid)}`)).toBe(true);
    } finally {
      parent.kill();
    }
  });

  it.each([
    ['of another host', `elsewhere ${process.pid} 1`],
    ['of no place', ` ${process.pid} 1`],
    ['without a number', place],
    ['with a number that is none', `${place} x 1`],
    ['with half a number', `${place} 1.5 1`],
    ['with the number 0', `${place} 0 1`],
    ['with a negative number', `${place} -1 1`],
    ['with a number beyond all', `${place} 9007199254740993 1`],
  ])('%s has not certainly ended', (_what, identity) => {
    expect(hasEnded(identity)).toBe(false);
  });
});
