/** The key of a log as others name it: `NAME+ID+BASE64`, the verifier key of Go's `golang.org/x/mod/sumdb/note`. */
import { decodeBase64, encodeBase64 } from '../../../formats/base64.ts';
import { concatBytes, equalBytes, fromHex, toHex, utf8 } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import { isNoteKeyName, NOTE_ED25519, NOTE_KEY_ID_BYTES } from '../../../formats/note.ts';
import { importPublicKey, type PublicKey } from '../../../keys/public/public-key.ts';
import { sha256 } from '../entries/chain.ts';

export interface LogKey {
  /** The log's origin. */
  readonly name: string;
  /** 4 bytes: SHA-256 of name, newline, 0x01 and the key, cut. */
  readonly keyId: Uint8Array;
  /** Ed25519. */
  readonly publicKey: PublicKey;
}

/**
 * The log's name, the first line of its C2SP checkpoints (c2sp.org/tlog-checkpoint): like a URL without a scheme,
 * unique by the ledger's random id. Ids contain neither blanks nor a plus sign, which the name of a note's key must
 * not have.
 */
export function logOrigin(iss: string, ledgerId: Uint8Array): string {
  return `${iss}/vtlic-ledger/${toHex(ledgerId)}`;
}

export function logKey(origin: string, publicKey: PublicKey): LogKey {
  return Object.freeze({ name: origin, keyId: keyIdOf(origin, publicKey.ed25519), publicKey });
}

export function encodeLogKey({ name, keyId, publicKey }: LogKey): string {
  return `${name}+${toHex(keyId)}+${encodeBase64(concatBytes(Uint8Array.of(NOTE_ED25519), publicKey.ed25519))}`;
}

/** @throws VtlicError `key_invalid` */
export function decodeLogKey(text: string): LogKey {
  const [name = '', id = '', ...rest] = text.trim().split('+');
  // The base64 of the key may have plus signs of its own.
  const bytes = decodeBase64(rest.join('+'));
  const keyId = fromHex(id);
  if (!isNoteKeyName(name) || keyId?.length !== NOTE_KEY_ID_BYTES || bytes?.[0] !== NOTE_ED25519)
    throw noKey('it should be ORIGIN+ID+BASE64 of an Ed25519 key');
  const publicKey = importPublicKey('ed25519', bytes.slice(1));
  if (!equalBytes(keyId, keyIdOf(name, publicKey.ed25519))) throw noKey('its id does not match its name and key');
  return Object.freeze({ name, keyId, publicKey });
}

function keyIdOf(name: string, ed25519: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8(`${name}\n`), Uint8Array.of(NOTE_ED25519), ed25519)).slice(0, NOTE_KEY_ID_BYTES);
}

function noKey(why: string): VtlicError {
  return new VtlicError('key_invalid', `this is not a key of a log: ${why}`, {
    hint: 'take the line that the log prints: vtlic ledger checkpoint --log-key',
  });
}
