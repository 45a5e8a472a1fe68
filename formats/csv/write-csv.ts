/** CSV (RFC 4180) for people who will open it in a spreadsheet. */

/**
 * What makes a spreadsheet take a text for a formula: `=`, `+`, `-`, `@`, also in full width, at the beginning or
 * behind blanks, and a tab or carriage return at the beginning.
 */
const FORMULA = /^(?:[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/u;

/**
 * One row with its line end. A text that a spreadsheet would run as a formula gets an apostrophe before it. Numbers
 * stay as they are.
 */
export function csvRow(fields: readonly (string | number)[]): string {
  return `${fields.map((field) => (typeof field === 'number' ? String(field) : quoted(FORMULA.test(field) ? `'${field}` : field))).join(',')}\r\n`;
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
