/**
 * The text header of an age file with exactly one scrypt stanza (c2sp.org/age, "Header" and "The scrypt recipient
 * type"):
 *
 *     age-encryption.org/v1
 *     -> scrypt SALT WORKFACTOR
 *     WRAPPED FILE KEY
 *     --- MAC
 */
import { decodeBase64, encodeBase64 } from '../../../formats/base64.ts';
import { concatBytes, utf8 } from '../../../formats/bytes.ts';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';

const VERSION_LINE = 'age-encryption.org/v1';
const LINES = 4;
/** The longest header of this one shape has 161 bytes. */
const MAX_HEADER_BYTES = 256;

export interface ScryptStanza {
  /** 16 bytes. */
  readonly salt: Uint8Array;
  /** log2 of scrypt's N. */
  readonly workFactor: number;
  /** 32 bytes: the wrapped file key and its tag. */
  readonly body: Uint8Array;
}

export interface AgeHeader extends ScryptStanza {
  /** Bytes of the header, its last line feed included: the payload begins here. */
  readonly length: number;
  /** What the code authenticates: the header up to and including `---`. */
  readonly macInput: Uint8Array;
  /** 32 bytes. */
  readonly mac: Uint8Array;
}

/** @param mac computes the 32-byte authentication code of the header up to and including `---`. */
export function encodeAgeHeader(stanza: ScryptStanza, mac: (macInput: Uint8Array) => Uint8Array): Uint8Array {
  const macInput = utf8(
    `${VERSION_LINE}\n-> scrypt ${withoutPadding(stanza.salt)} ${stanza.workFactor}\n` +
      `${withoutPadding(stanza.body)}\n---`,
  );
  return concatBytes(macInput, utf8(` ${withoutPadding(mac(macInput))}\n`));
}

/** @throws VtlicError `keyfile_corrupt` for any other shape, each with what was expected. */
export function parseAgeHeader(file: Uint8Array): AgeHeader {
  const { lines, length } = headerLines(file);
  const [version = '', stanza = '', body = '', last = ''] = lines;
  if (version !== VERSION_LINE) throw otherFile(file);
  const fields = /^-> scrypt ([A-Za-z0-9+/]+) ([1-9][0-9]?)$/.exec(stanza);
  if (fields === null)
    throw corrupt('the key file is not encrypted to a passphrase (one scrypt recipient, and no other)');
  const macFields = /^--- ([A-Za-z0-9+/]+)$/.exec(last);
  if (macFields === null) throw corrupt('the header of the key file does not end in its authentication code');
  return {
    salt: exactly(16, fields[1], 'salt'),
    workFactor: Number(fields[2]),
    body: exactly(32, body, 'wrapped key'),
    mac: exactly(32, macFields[1], 'authentication code'),
    macInput: file.slice(0, length - 1 - (last.length - '---'.length)),
    length,
  };
}

function headerLines(file: Uint8Array): { readonly lines: readonly string[]; readonly length: number } {
  const lines: string[] = [];
  let start = 0;
  for (let i = 0; i < file.length && i < MAX_HEADER_BYTES; i++) {
    if (file[i] !== 0x0a) continue;
    lines.push(String.fromCharCode(...file.subarray(start, i)));
    start = i + 1;
    if (lines.length === LINES) return { lines, length: start };
  }
  if (file.length === 0) throw corrupt('the key file is empty');
  if (lines.length === 0 || lines[0] !== VERSION_LINE) throw otherFile(file);
  throw corrupt(
    file.length < MAX_HEADER_BYTES
      ? 'the key file is truncated within its header'
      : 'the header of the key file is malformed',
  );
}

/** What a file is that does not begin with the line of age version 1. */
function otherFile(file: Uint8Array): VtlicError {
  const start = String.fromCharCode(...file.subarray(0, MAX_HEADER_BYTES)).trimStart();
  if (start.startsWith('-----BEGIN AGE ENCRYPTED FILE-----'))
    return new VtlicError('keyfile_corrupt', 'the key file is an armored age file, and the binary form was expected', {
      hint: 'Write it in the binary form, with the same passphrase: age -d FILE | age -p -o NEWFILE',
    });
  const [, version] = /^age-encryption\.org\/(\S{1,20})/.exec(start) ?? [];
  if (version !== undefined && start.startsWith(VERSION_LINE))
    return corrupt('the first line of the key file was changed: its line end should be a line feed and nothing else');
  if (version !== undefined)
    return new VtlicError(
      'keyfile_corrupt',
      `the key file is of age version "${cleanText(version)}", and only version "v1" can be read here`,
      { hint: 'Write it with an age that makes version 1: age -d FILE | age -p -o NEWFILE' },
    );
  if (/^AGE-SECRET-KEY-|^# created: /.test(start))
    return new VtlicError('keyfile_corrupt', 'the file is an age identity, not an encrypted key file', {
      hint: 'Keep it secret; the key files of a site are those that vtlic key generate made.',
    });
  return corrupt(`the key file does not begin with the line "${VERSION_LINE}": it is not an age file`);
}

function exactly(length: number, text: string | undefined, name: string): Uint8Array {
  const bytes = text === undefined ? undefined : decodeBase64(padded(text));
  if (bytes?.length !== length)
    throw corrupt(`the ${name} in the header of the key file is not ${length} bytes in base64`);
  return bytes;
}

/** age writes standard base64 without its padding. */
function withoutPadding(bytes: Uint8Array): string {
  return encodeBase64(bytes).replace(/=+$/, '');
}

function padded(text: string): string {
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

function corrupt(message: string): VtlicError {
  return new VtlicError('keyfile_corrupt', message, { hint: 'Restore the key file from its backup.' });
}
