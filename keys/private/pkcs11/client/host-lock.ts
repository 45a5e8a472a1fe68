/**
 * Writes a file for each running token host, so that the next run finds a host that hangs.
 *
 * A host leaves when its pipe closes, but not at once while its module is in a call that blocks it: until then it may
 * have the token to itself. A process is identified by its number and the time of its start, since the system reuses
 * numbers.
 */
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanText } from '../../../../formats/clean-text.ts';
import { VtlicError } from '../../../../formats/error.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; the same for as long as the process lives. */
  readonly started: string;
}

interface LockRecord {
  readonly host: ProcessIdentity;
  readonly officer: ProcessIdentity;
  readonly module: string;
}

const PREFIX = 'token-host-';
/** How long a host may take to end after a signal. If it takes longer, it hangs in a driver that no signal reaches. */
const END_MILLISECONDS = 5_000;

/**
 * The folder of this user's locks, made with mode 0700.
 *
 * @throws VtlicError `configuration_invalid` where somebody else could have put something there
 */
export function lockFolder(environment: Readonly<Record<string, string | undefined>>): string {
  const uid = userInfo().uid;
  const runtime = environment['XDG_RUNTIME_DIR'];
  const folder =
    runtime !== undefined && runtime.startsWith('/') ? join(runtime, 'vtlic') : join(tmpdir(), `vtlic-${uid}`);
  try {
    mkdirSync(folder, { mode: 0o700, recursive: runtime !== undefined });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new VtlicError(
        'configuration_invalid',
        `the folder ${cleanText(folder)} for the locks of token hosts cannot be made`,
        { cause, hint: 'make room on its disk, or set XDG_RUNTIME_DIR to a folder of your own' },
      );
  }
  const stat = lstatSync(folder);
  if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o077) !== 0) {
    throw new VtlicError(
      'configuration_invalid',
      `the folder ${cleanText(folder)} for the locks of token hosts should be yours and closed to other users`,
      { hint: 'remove it, or set XDG_RUNTIME_DIR to a folder of your own' },
    );
  }
  return folder;
}

/** Undefined where no such process lives. */
export function identify(pid: number): ProcessIdentity | undefined {
  const started = process.platform === 'linux' ? startedByProc(pid) : startedByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

function startedByProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Field 2 is the program's name in parentheses and may contain anything; field 3 is the state, field 22 the start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function startedByPs(pid: number): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

export class HostLock {
  readonly #file: string;

  constructor(folder: string, host: ProcessIdentity, module: string) {
    this.#file = join(folder, `${PREFIX}${host.pid}.json`);
    const officer = identify(process.pid);
    if (officer === undefined) throw new VtlicError('internal', 'this process does not find itself');
    const record: LockRecord = { host, officer, module };
    // Whole from its first moment: another run that starts now clears away what it cannot read.
    const part = join(folder, `part-${host.pid}`);
    writeFileSync(part, JSON.stringify(record), { mode: 0o600 });
    renameSync(part, this.#file);
  }

  release(): void {
    rmSync(this.#file, { force: true });
  }
}

/** What was found of earlier runs. */
export interface EarlierHosts {
  /** Hosts whose officer's process is gone and that hung; they were ended. */
  readonly ended: readonly number[];
  /** Officers' processes that use the same module now. */
  readonly inUseBy: readonly number[];
}

/**
 * Ends the hosts of this module that outlived their officer's process, and clears away what is left of others.
 *
 * @throws VtlicError `module_unusable` where such a host cannot be ended
 */
export async function endHungHosts(folder: string, module: string): Promise<EarlierHosts> {
  const ended: number[] = [];
  const inUseBy: number[] = [];
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(PREFIX)) continue;
    const file = join(folder, name);
    const record = readRecord(file);
    if (record === undefined || !lives(record.host)) {
      rmSync(file, { force: true });
    } else if (record.module === module) {
      if (lives(record.officer)) inUseBy.push(record.officer.pid);
      else {
        await end(record.host);
        rmSync(file, { force: true });
        ended.push(record.host.pid);
      }
    }
  }
  return { ended, inUseBy: [...new Set(inUseBy)].filter((pid) => pid !== process.pid) };
}

function lives(known: ProcessIdentity): boolean {
  return identify(known.pid)?.started === known.started;
}

async function end(host: ProcessIdentity): Promise<void> {
  const until = Date.now() + END_MILLISECONDS;
  while (lives(host)) {
    try {
      process.kill(host.pid, 'SIGKILL');
    } catch {
      // It left by itself.
    }
    if (Date.now() > until) {
      throw new VtlicError(
        'module_unusable',
        `the token host of an earlier run, process ${host.pid}, hangs in its module and cannot be ended`,
        { hint: 'unplug the token, or restart the machine' },
      );
    }
    await sleep(10);
  }
}

function readRecord(file: string): LockRecord | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is LockRecord {
  const record = value as Partial<LockRecord> | null;
  return (
    typeof record === 'object' &&
    record !== null &&
    isIdentity(record.host) &&
    isIdentity(record.officer) &&
    typeof record.module === 'string'
  );
}

function isIdentity(value: unknown): value is ProcessIdentity {
  const identity = value as Partial<ProcessIdentity> | null | undefined;
  return (
    typeof identity === 'object' &&
    identity !== null &&
    Number.isSafeInteger(identity.pid) &&
    (identity.pid ?? 0) > 1 &&
    typeof identity.started === 'string'
  );
}
