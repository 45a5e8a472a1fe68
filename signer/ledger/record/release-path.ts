import { hasControlOrBidi } from '../../../formats/clean-text.ts';

const MAX_CHARACTERS = 1024;

/** What we make ourselves, told at a glance: letters, digits and marks, no part beginning with a dot. */
const PLAIN = /^(?:[\w-][\w.:-]*\/)*[\w-][\w.:-]*$/;

/** True for a path below the site's folder in the one spelling that the ledger records: parts joined by `/`, none of them empty, `.` or `..`. */
export function isReleasePath(path: string): boolean {
  if (path.length > MAX_CHARACTERS) return false;
  if (PLAIN.test(path)) return true;
  if (path.includes('\\') || hasControlOrBidi(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
