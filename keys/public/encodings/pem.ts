import { decodeBase64, encodeBase64 } from '../../../formats/base64.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { trimBlank } from './trim-blank.ts';

const LABEL = 'PUBLIC KEY';
const LINE_CHARACTERS = 64;

/** One `PUBLIC KEY` block (RFC 7468 §13), LF line ends. */
export function encodePem(der: Uint8Array): string {
  const base64 = encodeBase64(der);
  let lines = '';
  for (let i = 0; i < base64.length; i += LINE_CHARACTERS) lines += `${base64.slice(i, i + LINE_CHARACTERS)}\n`;
  return `-----BEGIN ${LABEL}-----\n${lines}-----END ${LABEL}-----\n`;
}

/** A block, its end line, and the blanks after it. Neither a label nor base64 has a dash. */
const BLOCK =
  /-----BEGIN ([^\r\n-]{0,64})-----[ \t]*\r?\n([^-]*)-----END ([^\r\n-]{0,64})-----(?:[ \t]*\r?\n[ \t\r\n]*|$)/y;

/**
 * The DER of each `PUBLIC KEY` block of a text that holds nothing else, at least one. Tools differ in the width of lines, so any
 * width and blank lines are taken; the base64 must be canonical all the same.
 *
 * @throws VtlicError `key_invalid`
 */
export function decodePem(text: string): readonly Uint8Array[] {
  const trimmed = trimBlank(text);
  const ders: Uint8Array[] = [];
  const block = new RegExp(BLOCK);
  do {
    const at = block.lastIndex;
    const match = block.exec(trimmed);
    if (match === null)
      throw new VtlicError('key_invalid', 'the file should hold whole PEM blocks of public keys and nothing else', {
        offset: at,
      });
    const [, label = '', body = '', endLabel = ''] = match;
    if (label.includes('PRIVATE')) {
      throw new VtlicError('key_invalid', 'the PEM block holds a private key, where a public key was expected', {
        hint: 'Give the public key; keep this one secret.',
      });
    }
    if (label !== LABEL || endLabel !== LABEL) {
      throw new VtlicError(
        'key_invalid',
        `the PEM block should be a "${LABEL}" from begin to end, but it is "${cleanText(label, 40)}" to "${cleanText(endLabel, 40)}"`,
      );
    }
    const der = decodeBase64(body.replaceAll(/[ \t\r\n]/g, ''));
    if (der === undefined || der.length === 0)
      throw new VtlicError('key_invalid', 'the PEM block does not hold canonical base64');
    ders.push(der);
  } while (block.lastIndex < trimmed.length);
  return ders;
}
