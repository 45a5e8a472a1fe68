/**
 * Prints JSON on one line: what commands write to standard output, and files of JSON lines. It is not canonical JSON
 * (RFC 8785), and nothing signs it.
 */
import { UNSHOWABLE } from '../clean-text.ts';

/** One JSON document on one line, safe to look at in a terminal. The values stay the same. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value).replace(UNSHOWABLE, escapes)}\n`;
}

/** `\uXXXX` for each unit of UTF-16, as JSON writes a character. */
function escapes(character: string): string {
  return character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
