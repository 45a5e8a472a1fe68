/** A PostgreSQL server of a test's own. */
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresClient } from '../../verifier/runtime/index.ts';
import { isRoot, NOBODY } from '../support/unprivileged.ts';

const INSTALL_POSTGRES = 'PostgreSQL is needed (Debian: apt-get install -y postgresql)';

export interface Pool extends PostgresClient {
  on(name: 'error', listener: () => void): void;
  end(): Promise<void>;
}

interface Pg {
  readonly Pool: new (options: Readonly<Record<string, unknown>>) => Pool;
}

/** PostgreSQL refuses to run as root, so root runs it as nobody. */
export class PostgresServer {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'vtlic-postgres-'));
  readonly #bin: string = postgresBin();
  /** For a process that ends in the middle of a test. */
  readonly #atExit = (): void => {
    this.remove();
  };

  /** For `host` of a client: the folder of the socket. */
  get host(): string {
    return this.#folder;
  }

  start(): void {
    process.off('exit', this.#atExit).once('exit', this.#atExit);
    const data = join(this.#folder, 'data');
    if (!existsSync(data)) {
      if (isRoot) chownSync(this.#folder, NOBODY, NOBODY);
      this.#run('initdb', '-D', data, '-U', 'tester', '-A', 'trust', '--no-sync');
    }
    const options = `-c listen_addresses='' -c unix_socket_directories='${this.#folder}' -c fsync=off`;
    this.#run('pg_ctl', '-D', data, '-w', '-t', '60', '-l', join(this.#folder, 'log'), '-o', options, 'start');
  }

  /** At once, as after a power loss. */
  stop(): void {
    this.#run('pg_ctl', '-D', join(this.#folder, 'data'), '-m', 'immediate', 'stop');
  }

  remove(): void {
    process.off('exit', this.#atExit);
    try {
      this.stop();
    } catch {
      // It was stopped already.
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #run(command: string, ...args: readonly string[]): void {
    const user = isRoot ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : [];
    const all = [...user, join(this.#bin, command), ...args];
    const ran = spawnSync(all[0] ?? '', all.slice(1), {
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: '/',
    });
    if (ran.status !== 0) throw new Error(`${command} failed: ${ran.stderr}`);
  }
}

function postgresBin(): string {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const places = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(':'),
  ];
  const found = places.find((place) => existsSync(join(place, 'initdb')) && existsSync(join(place, 'pg_ctl')));
  if (found === undefined) throw new Error(INSTALL_POSTGRES);
  return found;
}

/** @param packages from `installPinned` */
export function openPool(packages: string, host: string): Pool {
  const pg = createRequire(join(packages, 'package.json'))('pg') as Pg;
  const pool = new pg.Pool({ host, user: 'tester', database: 'postgres', max: 3, connectionTimeoutMillis: 3000 });
  // Without a listener, a connection that breaks while nobody uses it ends the process.
  pool.on('error', () => undefined);
  return pool;
}
