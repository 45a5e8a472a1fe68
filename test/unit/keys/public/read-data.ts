import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file under test/data as JSON; the caller says its shape. */
export function readData<T>(path: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../../../data', path), 'utf8')) as T;
}

/** Hex to bytes; throws where the data file is broken. */
export function hex(text: string): Uint8Array {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new Error(`not hex: ${text.slice(0, 40)}`);
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

export function base64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'));
}
