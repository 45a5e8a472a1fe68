/**
 * Untrusted text made fit for a terminal or a log line.
 *
 * Whatever moves the cursor, reverses the direction, or cannot be seen is shown as an escape: nothing that a
 * customer's name contains may change how the rest of a line looks.
 */

/**
 * Control, format, surrogate, private and unassigned code points (all of category C: among them the bidi controls, zero
 * width characters and tags), line and paragraph separators, and the remaining code points that are shown as nothing.
 */
export const UNSHOWABLE: RegExp = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const CONTROL_OR_BIDI = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

const DEFAULT_MAX = 200;

/**
 * The text with every unshowable code point written as `\u{XXXX}`.
 *
 * Backslashes stay as they are: the result is for reading, not for parsing back.
 *
 * @param max the number of code points of `text` that are shown; of a longer one the rest is replaced by "…"
 */
export function cleanText(text: string, max: number = DEFAULT_MAX): string {
  const shown = firstCodePoints(text, max);
  const cleaned = shown.replace(UNSHOWABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16).toUpperCase().padStart(4, '0')}}`;
  });
  return shown.length < text.length ? `${cleaned}…` : cleaned;
}

/** True where the text has a control character (C0, DEL, C1), a line or paragraph separator, or a bidi control. */
export function hasControlOrBidi(text: string): boolean {
  return CONTROL_OR_BIDI.test(text);
}

function firstCodePoints(text: string, max: number): string {
  // A code point has at most two code units, so that the first slice contains as many as are asked for.
  return Array.from(text.slice(0, 2 * max))
    .slice(0, max)
    .join('');
}

/** "1,024": how a number is shown to a person. */
export function groupDigits(value: number): string {
  return value.toLocaleString('en-US');
}

/** "1 license", "2,001 licenses". */
export function counted(count: number, one: string, many: string): string {
  return `${groupDigits(count)} ${count === 1 ? one : many}`;
}
