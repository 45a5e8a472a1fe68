/**
 * One JSON document on one line, safe to look at in a terminal: whatever could move the cursor, turn a line or be
 * invisible is escaped. The values stay the same.
 */

const HOSTILE = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value).replace(
    HOSTILE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${text}\n`;
}
