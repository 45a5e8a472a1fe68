/** JSON that is safe to look at: what could move a cursor or turn a line is escaped; the values stay the same. */

const HOSTILE = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(
    HOSTILE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
