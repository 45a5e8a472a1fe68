import { decodeBase64, encodeBase64 } from '../../../formats/base64.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';

const LABEL = 'PUBLIC KEY';
const LINE_CHARACTERS = 64;

/** One `PUBLIC KEY` block (RFC 7468 §13), LF line ends. */
export function encodePem(der: Uint8Array): string {
  const base64 = encodeBase64(der);
  let lines = '';
  for (let i = 0; i < base64.length; i += LINE_CHARACTERS) lines += `${base64.slice(i, i + LINE_CHARACTERS)}\n`;
  return `-----BEGIN ${LABEL}-----\n${lines}-----END ${LABEL}-----\n`;
}

const BEGIN_LINE = /^[ \t\r]*-----BEGIN ([^\r\n-]{0,64})-----[ \t]*$/;
const END_LINE = /^-----END ([^\r\n-]{0,64})-----[ \t\r]*$/;
const BASE64_LINE = /^[A-Za-z0-9+/= \t]*$/;
const BLANK_LINE = /^[ \t\r]*$/;

/**
 * The DER of each `PUBLIC KEY` block of a text that contains nothing else, at least one; each block is one structure.
 * Tools differ in the width of lines, so any width and blank lines are accepted; the base64 must be canonical all the
 * same. BEGIN and END are lines of their own, and a carriage return within a block is part of a line end.
 *
 * @throws VtlicError `key_invalid` with the line
 */
export function decodePem(text: string): readonly Uint8Array[] {
  const lines = text.split('\n');
  const ders: Uint8Array[] = [];
  let at = 0;
  while (at < lines.length) {
    if (BLANK_LINE.test(lines[at] ?? '')) {
      at++;
      continue;
    }
    const end = endOfBlock(lines, at);
    ders.push(decodeBlock(lines, at, end));
    at = end + 1;
  }
  return ders;
}

/** The line without the CR of a CRLF. */
function lineOf(lines: readonly string[], at: number): string {
  const line = lines[at] ?? '';
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function endOfBlock(lines: readonly string[], begin: number): number {
  if (!BEGIN_LINE.test(lineOf(lines, begin))) throw notWhole(begin);
  for (let at = begin + 1; at < lines.length; at++) {
    const line = lineOf(lines, at);
    if (END_LINE.test(line)) return at;
    if (line.includes('-----')) throw notWhole(at);
  }
  throw notWhole(begin);
}

function decodeBlock(lines: readonly string[], begin: number, end: number): Uint8Array {
  const label = BEGIN_LINE.exec(lineOf(lines, begin))?.[1] ?? '';
  const endLabel = END_LINE.exec(lineOf(lines, end))?.[1] ?? '';
  if (label !== LABEL || endLabel !== LABEL) {
    const hint = LABEL_HINTS.get(label);
    throw new VtlicError(
      'key_invalid',
      `the PEM block should be a "${LABEL}" from begin to end, ` +
        `but it is "${cleanText(label, 40)}" to "${cleanText(endLabel, 40)}"`,
      hint === undefined ? { line: begin + 1 } : { line: begin + 1, hint },
    );
  }
  let base64 = '';
  for (let at = begin + 1; at < end; at++) {
    const line = lineOf(lines, at);
    if (!BASE64_LINE.test(line)) throw notCanonical(at);
    base64 += line.replaceAll(/[ \t]/g, '');
  }
  const der = decodeBase64(base64);
  if (der === undefined || der.length === 0) throw notCanonical(begin);
  return der;
}

const LABEL_HINTS: ReadonlyMap<string, string> = new Map([
  ['CERTIFICATE', 'Take the public key out of the certificate: openssl x509 -in FILE -pubkey -noout'],
  ['RSA PUBLIC KEY', 'Licenses are not signed with RSA: give the key that vtlic key export wrote.'],
  ['VTLIC', 'This is a license: give the public key of the vendor.'],
]);

function notCanonical(line: number): VtlicError {
  return new VtlicError('key_invalid', 'the PEM block does not contain canonical base64', { line: line + 1 });
}

function notWhole(line: number): VtlicError {
  return new VtlicError(
    'key_invalid',
    'the file should contain whole PEM blocks of public keys and nothing else, BEGIN and END on lines of their own',
    { line: line + 1 },
  );
}
