/** Where an anchor lies, as an option names it: a file, or `token:KEYSTORE`, or `token:KEYSTORE/LABEL`. */
import { resolve } from 'node:path';
import { VtlicError } from '../../../formats/error.ts';
import { isId } from '../../../formats/license/id.ts';
import type { AnchorPlace } from '../../anchor/index.ts';

const TOKEN = 'token:';

/**
 * The label is fixed by the issuer unless it is given: a second ledger of one issuer in one token is noticed.
 *
 * @throws VtlicError `usage`
 */
export function parseAnchorOption(option: string, text: string, cwd: string, issuer: string): AnchorPlace {
  if (!text.startsWith(TOKEN)) return { kind: 'file', path: resolve(cwd, text) };
  const [keystore = '', ...rest] = text.slice(TOKEN.length).split('/');
  const label = rest.length === 0 ? `vtlic-anchor-${issuer}` : rest.join('/');
  if (!isId(keystore))
    throw new VtlicError('usage', `${option} takes a file, or token:KEYSTORE, where KEYSTORE is a name in site.json`, {
      hint: 'a file whose name begins with "token:" is written ./token:…',
    });
  if (!isId(label))
    throw new VtlicError(
      'usage',
      `${option}: the label of the anchor should be an id (a letter or digit, then up to 127 letters, digits or . _ : -)`,
      { hint: 'give one: token:KEYSTORE/LABEL' },
    );
  return { kind: 'token', keystore, label };
}
