/** A harness that misbehaves in the way that its argument names, from its first `verify` on. */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [how = '', pids = ''] = process.argv.slice(2);
const note = (pid: number | undefined): void => appendFileSync(pids, `${pid ?? 0}\n`);
const say = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);
const refused = { verdict: 'refused', layer: 'signature', reason: 'signature_invalid' };
note(process.pid);

if (how === 'exits at once') process.exit(7);
if (how === 'leaves a process behind') {
  // In the group of the harness, without its pipes, and deaf to the end of its parent.
  note(spawn(process.execPath, ['-e', 'setTimeout(() => 0, 600_000)'], { stdio: 'ignore' }).pid);
}

if (how === 'leaves a session behind') {
  // In a group of its own, as a daemon is.
  note(spawn(process.execPath, ['-e', 'setTimeout(() => 0, 600_000)'], { stdio: 'ignore', detached: true }).pid);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, op } = JSON.parse(line) as { readonly id: number; readonly op: string };
  if (op === 'hello') hello(id);
  else misbehave(id);
}
if (how === 'does not end') setInterval(() => 0, 1000);

function hello(id: number): void {
  if (how === 'is silent') return;
  const capabilities = how === 'has a capability of its own' ? ['verify', 'magic'] : ['verify'];
  const protocol = how === 'speaks a newer protocol' ? 2 : 1;
  say({ id, protocol, name: 'misbehaving', version: '1', capabilities });
}

function misbehave(id: number): void {
  switch (how) {
    case 'crashes':
      throw new Error('this is a crash');
    case 'kills itself':
      process.kill(process.pid, 'SIGKILL');
      return;
    case 'hangs':
      return;
    case 'prints garbage':
      process.stdout.write('Segmentation fault\n');
      return;
    case 'answers another request':
      say({ id: id + 5, ...refused });
      return;
    case 'answers twice':
      process.stdout.write(`${JSON.stringify({ id, verdict: 'accepted', state: 'active' })}\n`.repeat(2));
      return;
    case 'prints megabytes':
      process.stdout.write('x'.repeat(4_000_000));
      return;
    case 'has no verdict':
      say({ id, ok: true });
      return;
    case 'has a verdict of its own':
      say({ id, verdict: 'valid' });
      return;
    case 'has no state':
      say({ id, verdict: 'accepted' });
      return;
    case 'reports an error of its own':
      say({ id, error: 'the library has no ML-DSA' });
      return;
    default:
      say({ id, verdict: 'accepted', state: 'active' });
  }
}
