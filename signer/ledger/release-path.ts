import { hasControlOrBidi } from '../../formats/clean-text.ts';

const MAX_CHARACTERS = 1024;

/** True for a path below the site's folder in the one spelling that the ledger records: parts joined by `/`, none of them empty, `.` or `..`. */
export function isReleasePath(path: string): boolean {
  if (path.length > MAX_CHARACTERS || path.includes('\\') || hasControlOrBidi(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
