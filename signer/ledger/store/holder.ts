/**
 * Writes a small file that says who has the ledger open. It is only for people: the lock (`lock.ts`) keeps others out.
 */
import { readdirSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { utf8 } from '../../../formats/bytes.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { parseStrictJson, readObject } from '../../../formats/json/index.ts';
import { readLimited, replaceDurably } from '../../../files/index.ts';

const MAX_BYTES = 4096;

export interface Holder {
  /** What it runs, without secrets: `vtlic issue`. */
  readonly command: string;
}

/** Names this process of this host. @param since seconds */
export function writeHolder(path: string, holder: Holder, since: number): void {
  replaceDurably(
    path,
    utf8(`${JSON.stringify({ pid: process.pid, host: hostname(), command: holder.command, since })}\n`),
    0o600,
  );
}

/**
 * Temporary files of runs that were killed while they wrote the file; only the process with the lock writes such a
 * file.
 */
export function removeLeftHolders(path: string): void {
  const folder = dirname(path);
  const name = basename(path);
  for (const left of readdirSync(folder))
    if (left.startsWith(`${name}.`) || left.startsWith(`.${name}.`)) removeHolder(join(folder, left));
}

/** Someone else may already have deleted the file; that is ignored. */
export function removeHolder(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The lock counts, not this file.
  }
}

/** "process 4711 on signer-1 (vtlic issue), since 2027-01-01T00:00:00Z", or undefined where the file does not say. */
export function describeHolder(path: string): string | undefined {
  try {
    const reader = readObject(parseStrictJson(readLimited(path, MAX_BYTES, 'json_malformed')), {
      code: 'file_unreadable',
      file: path,
    });
    const pid = reader.integer('pid', { min: 1, max: 2 ** 32 });
    const host = cleanText(reader.string('host'), 100);
    const command = cleanText(reader.string('command'), 200);
    const since = new Date(reader.integer('since', { min: 0, max: 253_402_300_799 }) * 1000)
      .toISOString()
      .replace('.000Z', 'Z');
    return `process ${pid} on ${host} (${command}), since ${since}`;
  } catch (error) {
    if (error instanceof VtlicError) return undefined;
    throw error;
  }
}
