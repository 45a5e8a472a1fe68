/**
 * The real command, with two changes: it is killed at a point, and its terminal is a script that types what the prompt
 * asks for.
 *
 *   node main-that-dies.ts POINT FOLDER [command line of vtlic…]
 *
 * POINT is JSON (`kill-point.ts`). Descriptor 3 takes `ready` at the first call of the file system below FOLDER, and
 * the name of the point at which the process ends.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { DatabaseSync } from 'node:sqlite';
import { processIo } from '../../../signer/cli/io.ts';
import { runCli } from '../../../signer/cli/run.ts';
import type { Terminal } from '../../../signer/cli/terminal.ts';
import { partOf, type KillPoint } from './kill-point.ts';

const [spec = '{"kind":"none"}', folder = '', ...args] = process.argv.slice(2);
const point = JSON.parse(spec) as KillPoint;
const { writeSync } = fs;

function tell(line: string): void {
  writeSync(3, `${line}\n`);
}

function die(name: string): void {
  tell(`at ${name}`);
  process.kill(process.pid, point.kind === 'call' && point.stop === true ? 'SIGSTOP' : 'SIGKILL');
}

let ready = false;
let left = point.kind === 'call' || point.kind === 'step' ? point.count : 0;

function atCall(when: 'before' | 'after', name: string, path: string | undefined): void {
  if (path === undefined || !path.startsWith(folder)) return;
  if (!ready) {
    ready = true;
    tell('ready');
  }
  if (point.kind !== 'call' || when !== point.when || point.on === 'anchor read') return;
  const part = partOf(path, folder);
  if (point.on === 'anchor' && !part.includes('anchor')) return;
  if (--left === 0) die(`${when} ${name} ${part}`);
}

function atRead(when: 'before' | 'after', name: string, path: string | undefined): void {
  if (point.kind !== 'call' || point.on !== 'anchor read' || when !== point.when) return;
  if (path === undefined || !path.startsWith(folder)) return;
  const part = partOf(path, folder);
  if (part.includes('anchor') && --left === 0) die(`${when} ${name} ${part}`);
}

/**
 * The calls by which the signer changes a disk; SQLite's own are met by the kills at random times and by the preload
 * library.
 */
const paths = new Map<number, string>();

function around<A extends unknown[], R>(
  name: string,
  call: (...given: A) => R,
  pathOf: (given: A) => string | undefined,
  at = atCall,
): (...given: A) => R {
  return (...given) => {
    const path = pathOf(given);
    at('before', name, path);
    const result = call(...given);
    at('after', name, path);
    return result;
  };
}

const asPath = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const openSync = fs.openSync;
fs.openSync = (path, flags, mode) => {
  const made = typeof flags === 'string' && flags.startsWith('w');
  const at = made ? atCall : atRead;
  at('before', 'open', asPath(path));
  const fd = openSync(path, flags, mode);
  if (typeof path === 'string') paths.set(fd, path);
  at('after', 'open', asPath(path));
  return fd;
};
type Reading = (path: unknown, ...more: unknown[]) => never;
for (const [name, read] of Object.entries({
  lstatSync: fs.lstatSync,
  statSync: fs.statSync,
  readdirSync: fs.readdirSync,
}))
  Object.assign(fs, { [name]: around(name.replace('Sync', ''), read as Reading, ([path]) => asPath(path), atRead) });
fs.readSync = around('read', fs.readSync as Reading, ([fd]) => paths.get(fd as number), atRead);
fs.fsyncSync = around('fsync', fs.fsyncSync, ([fd]) => paths.get(fd));
fs.renameSync = around('rename', fs.renameSync, ([from]) => asPath(from));
fs.linkSync = around('link', fs.linkSync, ([, to]) => asPath(to));
fs.unlinkSync = around('unlink', fs.unlinkSync, ([path]) => asPath(path));
fs.mkdirSync = around(
  'mkdir',
  fs.mkdirSync as (path: fs.PathLike, options?: fs.MakeDirectoryOptions) => string | undefined,
  ([path]) => asPath(path),
) as typeof fs.mkdirSync;
fs.writeSync = around('write', writeSync as (fd: number, buffer: Uint8Array, offset?: number) => number, ([fd]) =>
  fd > 3 ? paths.get(fd) : undefined,
) as typeof fs.writeSync;
syncBuiltinESMExports();
DatabaseSync.prototype.exec = new Proxy(
  Object.getOwnPropertyDescriptor(DatabaseSync.prototype, 'exec')?.value as DatabaseSync['exec'],
  {
    apply: (exec, self, [sql]: [string]) => {
      const path = sql === 'COMMIT' ? `${folder}/site/ledger.sqlite` : undefined;
      atCall('before', 'commit', path);
      Reflect.apply(exec, self, [sql]);
      atCall('after', 'commit', path);
    },
  },
);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const terminal: Terminal = {
  show: () => undefined,
  ask: (prompt) => Promise.resolve(/Type (.+?) to /.exec(prompt)?.[1] ?? ''),
  askSecret: () => Promise.reject(new Error('every secret comes from a file here')),
  close: () => undefined,
};
const io = processIo({
  step: async (step) => {
    if (point.kind === 'step' && step === point.step && --left === 0) die(step);
    await turn();
  },
});
process.exit(await runCli(args, { ...io, openTerminal: () => terminal }));
