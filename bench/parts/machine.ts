import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { statfsSync } from 'node:fs';

/** What the figures depend on. */
export function machineFacts(): Readonly<Record<string, string | number>> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    openssl: process.versions.openssl,
    sqlite: process.versions['sqlite'] ?? 'unknown',
    folder: tmpdir(),
    fileSystem: fileSystem(),
    /** What else ran: figures of a busy machine vary. */
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

function fileSystem(): string {
  try {
    return execFileSync('stat', ['-f', '-c', '%T', tmpdir()], { encoding: 'utf8' }).trim();
  } catch {
    return `type ${statfsSync(tmpdir()).type}`;
  }
}
