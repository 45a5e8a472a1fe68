/**
 * Signed notes: text under one or more signatures (c2sp.org/signed-note). Nothing in a note is true before a signature
 * on it is valid.
 */
import { decodeBase64, encodeBase64 } from './base64.ts';
import { concatBytes, utf8 } from './bytes.ts';
import { VtlicError } from './error.ts';

/** Of signature type 0x01: Ed25519 over the text. */
export const NOTE_ED25519 = 1;

export const NOTE_KEY_ID_BYTES = 4;

const MAX_NOTE_BYTES = 1 << 20;
const MAX_SIGNATURES = 64;
const EM_DASH = '\u2014';

export interface NoteSignature {
  readonly name: string;
  /** 4 bytes. */
  readonly keyId: Uint8Array;
  readonly signature: Uint8Array;
}

export interface SignedNote {
  /** With its last newline: what is signed, as UTF-8. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A name of a key, or a log's origin: not empty, no blank of any kind, no plus sign, no control character. */
export function isNoteKeyName(name: string): boolean {
  return /^[^\s+\p{Cc}]+$/u.test(name);
}

/** @param text lines, each ending with a newline; the first one is not empty */
export function encodeNote(text: string, signatures: readonly NoteSignature[]): string {
  if (!text.endsWith('\n') || text === '\n') throw new VtlicError('internal', 'the text of a note ends with a newline');
  const lines = signatures.map(({ name, keyId, signature }) => {
    if (!isNoteKeyName(name) || keyId.length !== NOTE_KEY_ID_BYTES)
      throw new VtlicError('internal', 'a signature of a note has a key name and an id of 4 bytes');
    return `${EM_DASH} ${name} ${encodeBase64(concatBytes(keyId, signature))}\n`;
  });
  return `${text}\n${lines.join('')}`;
}

/** @throws VtlicError `checks_failed` for what is not a note: at most 1 MiB and 64 signatures */
export function decodeNote(bytes: Uint8Array): SignedNote {
  if (bytes.length > MAX_NOTE_BYTES) throw noNote(`it is longer than ${MAX_NOTE_BYTES} bytes`);
  const whole = decodeText(bytes);
  // The text may contain empty lines; the last one separates it from the signatures.
  const end = whole.lastIndexOf('\n\n');
  if (end < 1) throw noNote('no empty line separates its text from its signatures');
  const rest = whole.slice(end + 2);
  if (!rest.endsWith('\n')) throw noNote('it does not end with a signature line');
  const lines = rest.slice(0, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw noNote(`it has more than ${MAX_SIGNATURES} signatures`);
  return Object.freeze({ text: whole.slice(0, end + 1), signatures: Object.freeze(lines.map(signatureLine)) });
}

/** What is signed. */
export function noteMessage(note: Pick<SignedNote, 'text'>): Uint8Array {
  return utf8(note.text);
}

function decodeText(bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw noNote('it is not UTF-8');
  }
  if (text.startsWith('\ufeff')) throw noNote('it begins with a byte order mark (U+FEFF)');
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) throw noNote('it has control characters');
  return text;
}

function signatureLine(line: string): NoteSignature {
  const [dash, name = '', encoded = '', ...more] = line.split(' ');
  const bytes = decodeBase64(encoded);
  if (
    dash !== EM_DASH ||
    !isNoteKeyName(name) ||
    bytes === undefined ||
    bytes.length <= NOTE_KEY_ID_BYTES ||
    more.length > 0
  )
    throw noNote('a signature line is not "— NAME BASE64"');
  return Object.freeze({ name, keyId: bytes.slice(0, NOTE_KEY_ID_BYTES), signature: bytes.slice(NOTE_KEY_ID_BYTES) });
}

function noNote(why: string): VtlicError {
  return new VtlicError('checks_failed', `this is not a signed note: ${why}`);
}
