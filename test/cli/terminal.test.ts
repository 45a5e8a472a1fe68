/** Signals, stops and a terminal that goes away while a person is asked: a real pseudo-terminal, a real process. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PtyRun, runCli } from '../support/run-cli.ts';
import { makeSite, PASSPHRASE, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

let fixture: SiteFixture;
let run: PtyRun;
beforeEach(async () => {
  fixture = await makeSite();
  run = new PtyRun(['issue', writeRequest(fixture), '--site', fixture.site]);
});
afterEach(() => {
  run.kill();
  fixture.remove();
});

const SECRET_PROMPT = /Passphrase of key license-1: /;

async function untilPassphrase(): Promise<void> {
  await run.until(/Sign this\? Type Yes/);
  run.type('Yes\r');
  await run.until(SECRET_PROMPT);
}

function licenses(): string[] {
  return readdirSync(fixture.site, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.vtlic'));
}

function stateOf(pid: number): string | undefined {
  return /\) (\w) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
}

/** Stops the command, gives it the terminal as a shell leaves it to a job that goes on, and continues it. */
async function stopAndContinue(pid: number, signal: 'SIGTSTP' | 'SIGSTOP'): Promise<string> {
  const both = [pid, run.scriptPid];
  const until = async (isWanted: (state: string | undefined) => boolean): Promise<void> => {
    const isReached = (): boolean => both.every((one) => isWanted(stateOf(one)));
    for (let i = 0; i < 200 && !isReached(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isReached()).toBe(true);
  };
  process.kill(pid, signal);
  await until((state) => state === 'T');
  const modes = stty(pid, '-a');
  stty(pid, 'sane');
  // `script` continues the command.
  process.kill(run.scriptPid, 'SIGCONT');
  await until((state) => state !== 'T');
  return modes;
}

const stty = (pid: number, ...settings: readonly string[]): string =>
  execFileSync('stty', ['-F', readlinkSync(`/proc/${pid}/fd/0`), ...settings], { encoding: 'utf8' });

describe('a prompt for a passphrase', () => {
  it.each(['SIGTSTP', 'SIGSTOP'] as const)(
    'sets echo off again after %s and a continuation, and drops what was typed meanwhile',
    async (signal) => {
      await untilPassphrase();
      const { pid } = run;
      run.type('typed before the stop ');
      // Time for `script` to pass it on: what comes after the stop is echoed by the terminal of the shell.
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const modes = await stopAndContinue(pid, signal);
      if (signal === 'SIGTSTP') expect(modes).toMatch(/ icanon .* echo /s);
      await run.until(/Passphrase of key license-1: [^]*Passphrase of key license-1: $/);
      expect(stty(pid, '-a')).toMatch(/ -icanon .* -echo /s);
      run.type(`${PASSPHRASE}\r`);
      expect(await run.ended()).toBe(0);
      expect(run.output).not.toContain(PASSPHRASE);
    },
  );

  it('survives two stops in a row', async () => {
    await untilPassphrase();
    const { pid } = run;
    for (const prompts of [2, 3]) {
      await stopAndContinue(pid, 'SIGTSTP');
      await run.until(new RegExp(`(?:Passphrase of key license-1: [^]*){${prompts}}$`));
    }
    expect(stty(pid, '-a')).toMatch(/ -icanon .* -echo /s);
    run.type(`${PASSPHRASE}\r`);
    expect(await run.ended()).toBe(0);
    expect(run.output).not.toContain(PASSPHRASE);
  });

  it.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)(
    'ends with exit 130 after %s, gives the terminal its modes back, and spends no counter',
    async (signal) => {
      await untilPassphrase();
      process.kill(run.pid, signal);
      expect(await run.ended()).toBe(130);
      expect(run.output).toContain('interrupted at the prompt');
      expect(licenses()).toEqual([]);
      expect(runCli(['ledger', 'status', '--site', fixture.site]).stdout).toMatch(/entries\s+1,/);
    },
  );

  it('takes no part of what arrow keys, function keys and a paste send besides the text', async () => {
    await untilPassphrase();
    const [first, ...rest] = PASSPHRASE;
    run.type(`${first}\u001b[D\u001bOP\u001b[15~\u001b]0;title\u0007\u001b[200~${rest.join('')}\u001b[201~\r`);
    expect(await run.ended()).toBe(0);
  });
});

describe('a terminal that goes away', () => {
  it('leaves no license, no counter and no process when it goes at a prompt', async () => {
    await untilPassphrase();
    const { pid } = run;
    // The pseudo-terminal goes with `script`.
    run.kill();
    for (let i = 0; i < 200; i++) {
      try {
        process.kill(pid, 0);
      } catch {
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(licenses()).toEqual([]);
    expect(runCli(['ledger', 'status', '--site', fixture.site]).stdout).toMatch(/entries\s+1,/);
  });
});
