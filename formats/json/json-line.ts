/**
 * Prints JSON on one line: what commands write to standard output, and files of JSON lines. It is not canonical JSON
 * (RFC 8785), and nothing signs it.
 */

/** Characters that move the cursor, reverse the direction of a line, or are invisible. */
const HOSTILE = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** One JSON document on one line, safe to look at in a terminal. The values stay the same. */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value).replace(
    HOSTILE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${text}\n`;
}
