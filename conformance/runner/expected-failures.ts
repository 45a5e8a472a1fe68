/** The list of cases that a verifier does not pass yet: `ID REASON`, one a line, `#` begins a comment. */
import { readLimited } from '../../files/index.ts';
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';

const MAX_BYTES = 1024 * 1024;

/**
 * @param known the ids of all cases
 * @returns id → reason
 * @throws VtlicError `request_invalid`: an unknown id, an id twice, or no reason
 */
export function readExpectedFailures(path: string, known: ReadonlySet<string>): ReadonlyMap<string, string> {
  const text = new TextDecoder().decode(readLimited(path, MAX_BYTES, 'too_large'));
  const listed = new Map<string, string>();
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const [id = '', ...words] = line.split(/\s+/);
    const place = { file: path, line: i + 1 };
    const refuse = (what: string, hint: string): VtlicError =>
      new VtlicError('request_invalid', `${path}:${i + 1}: ${what}`, { ...place, hint });
    if (!known.has(id))
      throw refuse(`there is no case ${cleanText(id)}`, 'Remove the line: an id that no case has would hide nothing.');
    if (listed.has(id)) throw refuse(`the case ${id} is listed twice`, 'Remove one of the lines.');
    if (words.length === 0) throw refuse(`the case ${id} has no reason`, 'Say behind the id why it fails.');
    listed.set(id, cleanText(words.join(' ')));
  }
  return listed;
}
