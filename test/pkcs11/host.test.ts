/** The token host as a process: alone with its module, ended by the officer's process, found when it hangs. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { identify, lockFolder } from '../../keys/private/pkcs11/client/host-lock.ts';
import { faulty } from './support/fault-proxy.ts';
import { makeKryoptic } from './support/kryoptic.ts';
import { makeSofthsm } from './support/softhsm.ts';
import { open, type TestToken } from './support/test-token.ts';

const OFFICER = fileURLToPath(new URL('./support/officer.ts', import.meta.url));

const orderOf = (made: TestToken, act: string): string =>
  JSON.stringify({ module: made.module, label: 't', pin: made.pin, environment: made.environment, act });

function officer(
  made: TestToken,
  act: string,
): { code: number | null; signal: string | null; lines: Record<string, unknown>[] } {
  const run = spawnSync(process.execPath, [OFFICER], { input: orderOf(made, act), encoding: 'utf8', timeout: 60_000 });
  return {
    code: run.status,
    signal: run.signal,
    lines: run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

const started = new Set<ChildProcess>();
/** An officer's process that outlived its test would work on a token whose folder is removed. */
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
});

async function startedOfficer(made: TestToken, act: string): Promise<{ child: ChildProcess; host: number }> {
  const child = spawn(process.execPath, [OFFICER], { stdio: ['pipe', 'pipe', 'inherit'] });
  started.add(child);
  child.stdin?.end(orderOf(made, act));
  if (child.stdout === null) throw new Error('no stdout');
  // Notices come before it: other tests use the same module at the same time.
  for await (const line of createInterface(child.stdout)) {
    const { host } = JSON.parse(line) as { readonly host?: number };
    if (host !== undefined) return { child, host };
  }
  throw new Error('the process ended before it had a host');
}

async function gone(pid: number, milliseconds: number): Promise<boolean> {
  for (const until = Date.now() + milliseconds; Date.now() < until; await sleep(20))
    if (identify(pid) === undefined) return true;
  return false;
}

describe.each([
  ['SoftHSM', () => makeSofthsm('t')],
  ['kryoptic', () => makeKryoptic(['t'])],
])('the officer’s process with %s', (_, make) => {
  let made: TestToken;
  beforeAll(() => {
    made = make();
  });
  afterAll(() => made?.remove());

  it.each(['sign', 'leave'])('ends with its own exit code and never maps the module (%s)', async (act) => {
    const { code, signal, lines: all } = officer(made, act);
    // Other tests use the same module at the same time, which an officer is told.
    const lines = all.filter(({ notice }) => !(typeof notice === 'string' && notice.startsWith('another run ')));
    expect({ code, signal }).toEqual({ code: 7, signal: null });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.['mapped']).toEqual([]);
    expect(await gone(Number(lines[0]?.['host']), 3_000)).toBe(true);
  });

  it('maps the module in the host: the check above can fail', async () => {
    const token = await open(made, 't');
    const maps = readFileSync(`/proc/${token.connection.hostPid}/maps`, 'utf8');
    expect(maps).toMatch(/softhsm|vtlic_test_token/);
    expect(maps).toContain('pkcs11.node');
    await token.close();
  });

  it('an officer’s process killed in mid-work takes its host along', async () => {
    const { child, host } = await startedOfficer(made, 'wait');
    expect(identify(host)).toBeDefined();
    child.kill('SIGKILL');
    expect(await gone(host, 3_000)).toBe(true);
  });
});

describe('the host', () => {
  let made: TestToken;
  beforeAll(() => {
    made = makeSofthsm('t');
    expect(officer(made, 'sign').code).toBe(7);
  });
  afterAll(() => made?.remove());

  it('is detached, without core files, with a bare environment and no PIN in sight', async () => {
    process.env['NODE_OPTIONS'] = '--no-deprecation';
    process.env['VTLIC_PLANTED'] = 'planted-5521';
    const token = await open(made, 't');
    delete process.env['NODE_OPTIONS'];
    delete process.env['VTLIC_PLANTED'];
    const pid = token.connection.hostPid;
    const read = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'latin1');
    const stat = read('stat');
    const session = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3];
    expect(session).toBe(String(pid));
    expect(read('limits')).toMatch(/^Max core file size\s+0\s+0\s/m);
    expect(read('environ')).toContain('SOFTHSM2_CONF=');
    for (const text of [read('environ'), read('cmdline')]) {
      expect(text).not.toContain('NODE_OPTIONS');
      expect(text).not.toContain('planted-5521');
      expect(text).not.toContain(made.pin);
    }
    process.kill(pid, 'SIGINT');
    process.kill(pid, 'SIGTERM');
    await sleep(50);
    expect(await token.random(8)).toHaveLength(8);
    await token.close();
    expect(identify(pid)).toBeUndefined();
  });

  it('leaves no lock behind', async () => {
    const token = await open(made, 't');
    const name = `token-host-${token.connection.hostPid}.json`;
    const folder = lockFolder(process.env);
    const lock = readFileSync(join(folder, name), 'utf8');
    expect(lock).not.toContain(made.pin);
    await token.close();
    expect(readdirSync(folder)).not.toContain(name);
  });

  it('keeps what the module prints out of ours, cleaned', async () => {
    const said: string[] = [];
    const token = await open(faulty(made, ['print hello \u001b[31mred']), 't', {
      moduleSaid: (line) => said.push(line),
    });
    await token.random(8);
    expect(token.connection.printed()).toContain('hello \\u{001B}[31mred');
    await token.close();
    expect(said).toEqual(['hello \\u{001B}[31mred', 'hello \\u{001B}[31mred']);
  });

  it('has a PIN withheld that comes out after its end, from a process that it left behind', async () => {
    const said: string[] = [];
    const token = await open(faulty(made, ['fault C_Login 1 telllater']), 't', {
      moduleSaid: (line) => said.push(line),
    });
    const pid = token.connection.hostPid;
    await token.close();
    expect(identify(pid)).toBeUndefined();
    expect(said).toEqual([]);
    for (const until = Date.now() + 10_000; said.length === 0 && Date.now() < until;) await sleep(50);
    expect(said.join()).not.toContain(made.pin);
    expect(said.join()).toContain('line with the PIN');
  });

  it.each(['C_SignInit', 'C_Sign'])(
    'a host that an earlier run left hanging in %s is found and ended by the next',
    async (call) => {
      const slow = faulty(made, [`fault ${call} 1 hang`], true);
      const { child, host } = await startedOfficer(slow, 'hang');
      await sleep(300);
      child.kill('SIGKILL');
      await sleep(300);
      expect(identify(host)).toBeDefined();
      const notices: string[] = [];
      // By another path to the same module, too.
      const link = join(slow.module, '..', 'link.so');
      symlinkSync(slow.module, link);
      const token = await open({ ...slow, module: link }, 't', { notify: (sentence) => notices.push(sentence) });
      expect(identify(host)).toBeUndefined();
      expect(notices.join(' ')).toContain(`process ${host}) was ended`);
      await token.close();
    },
  );

  it.each(['C_Sign', 'C_SignInit'])(
    'a host that hangs in %s ends by itself some seconds after its run has died',
    async (call) => {
      const { child, host } = await startedOfficer(faulty(made, [`fault ${call} 1 hang`]), 'hang');
      await sleep(300);
      child.kill('SIGKILL');
      await sleep(3_000);
      expect(identify(host)).toBeDefined();
      for (const until = Date.now() + 30_000; identify(host) !== undefined && Date.now() < until;) await sleep(200);
      expect(identify(host)).toBeUndefined();
    },
  );

  it('the host of another run that still works is reported and not ended', async () => {
    const { child, host } = await startedOfficer(made, 'wait');
    const notices: string[] = [];
    const token = await open(made, 't', { notify: (sentence) => notices.push(sentence) });
    expect(notices.join(' ')).toContain(`(process ${child.pid}) is using`);
    expect(identify(host)).toBeDefined();
    await token.close();
    child.kill('SIGKILL');
  });
});
