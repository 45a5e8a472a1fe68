/** Names a process, so that another one on the same host can tell that it has ended. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { errorCodeOf } from '../../../files/index.ts';

const PLACE: string = findPlace();

/** Of this process: where it runs, its number, and when it began. Numbers are used again after a process ends. */
export function processIdentity(): string {
  return `${PLACE} ${process.pid} ${startOf(process.pid)}`;
}

/**
 * Has that process certainly ended? False also where this cannot be known, for example of another host.
 *
 * @param identity what follows it after a blank does not count
 */
export function hasEnded(identity: string): boolean {
  const [where = '', number = '', start = ''] = identity.split(' ');
  const pid = Number(number);
  if (where !== PLACE || !Number.isSafeInteger(pid) || pid < 1) return false;
  if (start !== '') return startOf(pid) !== start;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return errorCodeOf(error) === 'ESRCH';
  }
}

/** The boot of the host, and the container: process numbers are unique within both together. */
function findPlace(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`.replaceAll(' ', '');
  } catch {
    return hostname().replaceAll(' ', '');
  }
}

/** When a process began, by Linux; empty where there is none, it has died, or this is another system. */
function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program is in parentheses and may contain anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const { 0: state, 19: start = '' } = fields;
    // Z: it has ended, and its parent has not yet asked how.
    return state === 'Z' ? '' : start;
  } catch {
    return '';
  }
}
