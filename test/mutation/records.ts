/** Which changes each check reaches, and how long it takes: kept in a file, since finding out runs every test once. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/run-cli.ts';

export const CACHE: string = join(ROOT, 'node_modules/.cache/vtlic-mutation');

export interface CheckRecord {
  readonly name: string;
  readonly milliseconds: number;
  /** One bit for each change, in base64. */
  readonly reached: string;
}

export function digestOf(...texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex').slice(0, 32);
}

/** Of a file of tests, or of the vectors for a name that is not a file. */
export function suiteDigest(name: string): string {
  const path = join(ROOT, name);
  return digestOf(name, readFileSync(existsSync(path) ? path : join(ROOT, 'vectors/v1/manifest.json'), 'utf8'));
}

export function readKept(name: string): unknown {
  const path = join(CACHE, `${name}.json`);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as unknown) : undefined;
}

export function keep(name: string, value: unknown): void {
  mkdirSync(CACHE, { recursive: true });
  const path = join(CACHE, `${name}.json`);
  writeFileSync(`${path}.${process.pid}`, JSON.stringify(value));
  renameSync(`${path}.${process.pid}`, path);
}

/** @param marks 1 for each change that was reached */
export function packed(marks: Uint8Array): string {
  const bits = new Uint8Array(Math.ceil(marks.length / 8));
  for (const [id, mark] of marks.entries()) if (mark === 1) bits[id >> 3] = (bits[id >> 3] ?? 0) | (1 << (id & 7));
  return Buffer.from(bits).toString('base64');
}

export function isIn(bits: Uint8Array, id: number): boolean {
  return (((bits[id >> 3] ?? 0) >> (id & 7)) & 1) === 1;
}
