import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { decodeAnswer, type Request } from '../../../conformance/protocol/protocol.ts';
import { ROOT } from '../../support/run-cli.ts';
import { startHarness } from '../../../conformance/protocol/process.ts';
import { REFERENCE, runHere } from './run-here.ts';

const base = mkdtempSync(join(tmpdir(), 'vtlic-conform-test-'));
afterAll(() => rmSync(base, { recursive: true }));

const MAIN = join(ROOT, 'conformance/runner/main.ts');
const CHILD = join(import.meta.dirname, 'misbehaving-child.ts');
const OPTIONS = ['--seconds', '0', '--timeout', '2', '--start-timeout', '3', '--only', 'verify/time-nbf'];

async function aliveAfter(pids: string): Promise<readonly number[]> {
  const all = readFileSync(pids, 'utf8').trim().split('\n').map(Number);
  expect(all.length).toBeGreaterThan(0);
  // SIGKILL is delivered at once, but the process is gone only when somebody has waited for it.
  for (let tries = 0; tries < 50 && all.some(isAlive); tries++) await sleep(100);
  return all.filter(isAlive);
}

/** A zombie, which nobody waits for in this container, has ended too. */
function isAlive(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !readFileSync(stat, 'utf8').includes(') Z ');
}

describe('a harness that misbehaves is an error with its own sentence, and never a refusal', () => {
  it.each([
    ['exits at once', 'the harness ended with exit code 7 before it answered hello'],
    ['is silent', 'the harness gave no answer to hello within 3 seconds'],
    ['speaks a newer protocol', 'the harness speaks protocol 2, but this runner speaks 1'],
    ['has a capability of its own', 'it has the capability "magic", but those of protocol 1 are'],
    ['crashes', 'the harness ended with exit code 1 before it answered request 2; it wrote on standard error:'],
    ['kills itself', 'the harness ended by the signal SIGKILL before it answered request 2'],
    ['hangs', 'the harness gave no answer to request 2 within 2 seconds'],
    ['prints garbage', 'the harness answered with a line that is not JSON: "Segmentation fault"'],
    ['answers another request', 'the harness answered request 2 with the id 7'],
    ['answers twice', 'the harness wrote more than one answer to request 2'],
    ['prints megabytes', 'the harness answered request 2 with more than 65536 bytes'],
    ['has no verdict', 'its answer to verify has no verdict'],
    ['has a verdict of its own', 'has the verdict "valid", but the verdicts are accepted, refused'],
    ['has no state', 'is "accepted" without a state'],
    ['reports an error of its own', 'the harness has a fault of its own: "the library has no ML-DSA"'],
  ])('%s', async (how, sentence) => {
    const pids = join(base, how.replaceAll(' ', '-'));
    const { exit, text } = await runHere([...OPTIONS, '--', process.execPath, CHILD, how, pids]);
    expect(text).toContain(sentence);
    expect(exit).toBe(3);
    expect(await aliveAfter(pids)).toEqual([]);
  });

  it('is silent on a terminal, where a line says what is waited for', async () => {
    const command = [process.execPath, CHILD, 'is silent', join(base, 'silent-on-a-terminal')];
    const { text } = await runHere([...OPTIONS, '--', ...command], { isTerminal: true });
    expect(text).toContain(`\r\u001b[Kwaiting for the first answer of ${process.execPath.slice(0, 20)}`);
  });

  it('cannot be started', async () => {
    const missing = await runHere([...OPTIONS, '--', './no-such-verifier']);
    expect(missing).toMatchObject({ exit: 3 });
    expect(missing.text).toContain('cannot start ./no-such-verifier: there is no such program');
    const quoted = await runHere([...OPTIONS, '--one-shot', '--', 'node verifier.js']);
    expect(quoted.text).toContain('cannot start node verifier.js: there is no such program (leave out the quotes');
    const script = join(base, 'script');
    writeFileSync(script, '#!/no/such/shell\n');
    expect((await runHere([...OPTIONS, '--', script])).text).toContain('it is not executable');
    chmodSync(script, 0o755);
    expect((await runHere([...OPTIONS, '--', script])).text).toContain('the interpreter that its first line names');
  });
});

it('a defect that nobody awaits is a sentence with the seed of the run, and leaves no process behind', async () => {
  const pids = join(base, 'defect');
  // While the harness does not answer, an event fails, as one of a pipe could.
  const broken = `data:text/javascript,import { existsSync } from 'node:fs';
    setInterval(() => { if (existsSync('${pids}')) throw new TypeError('odd event'); }, 100)`;
  const args = ['--import', broken, MAIN, ...OPTIONS, '--start-timeout', '600', '--seed', '77'];
  const child = spawn(process.execPath, [...args, '--', process.execPath, CHILD, 'is silent', pids]);
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => (text += part));
  expect(await once(child, 'close')).toEqual([2, null]);
  expect(text).toMatch(/^error: a defect of this program: TypeError: odd event\nhint: report it .*the seed 77 /);
  expect(text.trim().split('\n')).toHaveLength(2);
  expect(await aliveAfter(pids)).toEqual([]);
});

it('a request is one line for every reader, whatever is in it', async () => {
  const limits = { answerMilliseconds: 20_000, startMilliseconds: 60_000 };
  const started = await startHarness(REFERENCE, limits);
  if (!started.ok) throw new Error(started.fault.sentence);
  const context = { issuer: 'a\u2028b\u2029c\u0085d', product: 'vaultdesk', now: 0, defaultGrace: 0 };
  const answer = await started.value.ask({ op: 'verify', license: '', trust: { keys: [] }, context });
  expect(answer).toEqual({ ok: true, value: { verdict: 'misuse' } });
  expect(await started.value.close()).toBeUndefined();
});

describe('an answer with a member of another type is an error, and does not end the runner', () => {
  const READ_KEYS: Request = { op: 'read-keys', file: '' };
  const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;

  it.each([
    ['a deep verdict', `"verdict":${deep}`, 'has the verdict a value that is nested too deeply'],
    ['a deep error', `"error":${deep}`, 'a fault of its own: a value that is nested too deeply'],
    [
      'a kid that is no text',
      '"keys":[{"kid":{"toString":1}}]',
      'the member keys of its answer to read-keys should be a list of objects',
    ],
    [
      'a key that is a list',
      '"keys":[[]]',
      'the member keys of its answer to read-keys should be a list of objects with texts',
    ],
    [
      'a reason that is a number',
      '"notices":[{"source":"state","reason":1}]',
      'the member notices of its answer to read-keys should be a list of',
    ],
  ])('%s', (_what, members, sentence) => {
    const answer = decodeAnswer(`{"id":2,${members}}`, 2, 1, READ_KEYS);
    expect(answer).toMatchObject({ ok: false, fault: { sentence: expect.stringContaining(sentence) as string } });
  });
});

describe('no process of a harness is left behind', () => {
  const left = process.platform === 'linux' ? ['leaves a session behind'] : [];
  it.each(['leaves a process behind', 'does not end', ...left])('where one %s', async (how) => {
    const pids = join(base, how.replaceAll(' ', '-'));
    const { exit, text } = await runHere([...OPTIONS, '--', process.execPath, CHILD, how, pids]);
    expect(text).toContain('the harness did not end within 2 seconds at the end of its standard input');
    expect(exit).toBe(3);
    expect(await aliveAfter(pids)).toEqual([]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGQUIT', 131],
  ] as const)('where %s ends the runner, and the report is empty', async (signal, code) => {
    const [pids, report] = [join(base, signal), join(base, `${signal}.jsonl`)];
    writeFileSync(report, 'an earlier report');
    const args = [MAIN, '--quiet', '--json', report, '--', process.execPath, CHILD, 'hangs', pids];
    const runner = spawn(process.execPath, args, { stdio: 'ignore' });
    await vi.waitUntil(() => existsSync(pids), 20_000);
    const ended = once(runner, 'exit');
    runner.kill(signal);
    expect(await ended).toEqual([code, null]);
    expect(await aliveAfter(pids)).toEqual([]);
    expect(readFileSync(report, 'utf8')).toBe('');
  });

  it.runIf(process.platform === 'linux')('where one runs vtlic-conform itself, which is killed', async () => {
    const [pids, inner] = [join(base, 'nested'), join(base, 'sleeper')];
    writeFileSync(inner, `#!/bin/sh\necho $$ >> ${pids}\nexec sleep 600\n`, { mode: 0o755 });
    const outer = join(base, 'nester');
    const lines = [
      `${process.execPath} ${MAIN} --quiet --start-timeout 600 -- ${inner} > /dev/null &`,
      `while [ ! -s ${pids} ]; do sleep 0.1; done`,
      `exec ${process.execPath} ${CHILD} hangs ${pids}`,
    ];
    writeFileSync(outer, `#!/bin/sh\n${lines.join('\n')}\n`, { mode: 0o755 });
    const { exit, text } = await runHere([...OPTIONS, '--start-timeout', '60', '--', outer]);
    expect(text).toContain('the harness gave no answer to request 2');
    expect(exit).toBe(3);
    expect(await aliveAfter(pids)).toEqual([]);
  });

  it('and no file, where one that is asked by exit codes hangs', async () => {
    const [script, folder] = [join(base, 'sleeps'), mkdtempSync(join(base, 'tmp-'))];
    writeFileSync(script, '#!/bin/sh\nsleep 60\n', { mode: 0o755 });
    vi.stubEnv('TMPDIR', folder);
    const { exit, text } = await runHere([...OPTIONS, '--timeout', '1', '--one-shot', '--', script]);
    vi.unstubAllEnvs();
    expect(text).toContain('the command did not end within 1 seconds');
    expect(exit).toBe(3);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['removes the folder', 'rm -rf "$folder"'],
    ['puts a pipe in place of the license', 'rm "$1"; mkfifo "$1"'],
    ['puts a folder in place of the license', 'rm "$1"; mkdir "$1"'],
    ['puts a link in place of the license', 'rm "$1"; ln -s "$0.victim" "$1"'],
    ['puts a link in place of the folder', 'rm -rf "$folder"; ln -s "$0.own" "$folder"'],
    ['makes the folder read-only', 'chmod 500 "$folder"'],
    [
      'leaves a folder that nobody may change',
      'mkdir "$folder/own"; touch "$folder/own/file"; chmod 500 "$folder/own"',
    ],
  ])('and each license is new, where one that is asked by exit codes %s', async (how, act) => {
    const [script, temporary] = [join(base, how.replaceAll(' ', '-')), mkdtempSync(join(base, 'tmp-'))];
    const asked = `${process.execPath} ${join(import.meta.dirname, 'one-shot-child.ts')} "$@"`;
    const lines = ['folder=$(dirname "$1")', asked, 'verdict=$?', act, 'exit $verdict'];
    writeFileSync(script, `#!/bin/sh\n${lines.join('\n')}\n`, { mode: 0o755 });
    writeFileSync(`${script}.victim`, 'as it was');
    mkdirSync(`${script}.own`);
    chmodSync(`${script}.own`, 0o755);
    vi.stubEnv('TMPDIR', temporary);
    const { exit, text } = await runHere([...OPTIONS, '--timeout', '20', '--one-shot', '--', script]);
    vi.unstubAllEnvs();
    expect(readdirSync(temporary)).toEqual([]);
    expect(text).toMatch(/vectors +(\d+) of \1 passed/);
    expect(exit).toBe(0);
    expect(readFileSync(`${script}.victim`, 'utf8')).toBe('as it was');
    expect(statSync(`${script}.own`).mode & 0o777).toBe(0o755);
  });
});

it('a license that cannot be written to the folder of temporary files is a sentence about this folder', async () => {
  vi.stubEnv('TMPDIR', join(base, 'nowhere'));
  const { exit, text } = await runHere([...OPTIONS, '--one-shot', '--', process.execPath]);
  vi.unstubAllEnvs();
  expect(text).toMatch(/^error: .*nowhere: cannot write a license to the folder of temporary files: there is no such/);
  expect(text).toContain('hint: Set TMPDIR to a folder that you can write to');
  expect(exit).toBe(2);
});
