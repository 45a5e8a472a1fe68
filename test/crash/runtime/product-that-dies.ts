/**
 * A product that starts and, where it is asked to, installs a license; it is killed before or after one of the calls by
 * which it changes the disk.
 *
 *   node product-that-dies.ts POINT FOLDER boot|install
 *
 * POINT is `before N`, `after N` or `none`. It prints the number of calls at its end, and the name of the call at which
 * it is killed.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { openProduct } from './product-on-disk.ts';

const [spec = 'none', folder = '', what = 'boot'] = process.argv.slice(2);
const [when, number = '0'] = spec.split(' ');
const { writeSync } = fs;
let calls = 0;

function around<A extends unknown[], R>(name: string, call: (...given: A) => R): (...given: A) => R {
  return (...given) => {
    const count = ++calls;
    if (when === 'before' && count === Number(number)) die(name);
    const result = call(...given);
    if (when === 'after' && count === Number(number)) die(name);
    return result;
  };
}

function die(name: string): void {
  writeSync(1, `${when} ${name}\n`);
  process.kill(process.pid, 'SIGKILL');
}

const { openSync } = fs;
const counted = around('open', openSync as (path: fs.PathLike, flags: string, mode?: fs.Mode) => number);
fs.openSync = (path, flags, mode) =>
  flags === 'wx' || flags === 'w' ? counted(path, flags, mode ?? undefined) : openSync(path, flags, mode);
fs.writeSync = around(
  'write',
  writeSync as (fd: number, bytes: Uint8Array, offset?: number) => number,
) as typeof fs.writeSync;
fs.writeFileSync = around(
  'writeFile',
  fs.writeFileSync as (path: string, text: string) => void,
) as typeof fs.writeFileSync;
fs.fsyncSync = around('fsync', fs.fsyncSync);
fs.renameSync = around('rename', fs.renameSync);
fs.unlinkSync = around('unlink', fs.unlinkSync);
syncBuiltinESMExports();

const license = await openProduct(folder);
if (what === 'install') {
  const result = await license.install(fs.readFileSync(join(folder, 'renewal.vtlic'), 'utf8'));
  if (!result.ok) throw new Error(`the renewal was refused: ${result.refusal.code}`);
}
await license.close();
writeSync(1, `calls ${calls}\n`);
