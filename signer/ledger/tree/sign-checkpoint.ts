/** Checkpoints: a tree head, signed by a key that signs nothing else. */
import { equalBytes } from '../../../formats/bytes.ts';
import { decodeCheckpoint, encodeCheckpoint, type Checkpoint } from '../../../formats/checkpoint.ts';
import { VtlicError } from '../../../formats/error.ts';
import { decodeNote, encodeNote, noteMessage } from '../../../formats/note.ts';
import type { SigningKey } from '../../../keys/private/signing-key.ts';
import { otherProvider } from '../../../keys/public/provider-noble.ts';
import { verifySignature } from '../../../keys/public/verify-signature.ts';
import { logKey, type LogKey } from './log-key.ts';

/**
 * @param key with the purpose `ledger`, Ed25519
 * @throws VtlicError `usage` for a key of another purpose or algorithm, `self_check_failed`, and what signing throws
 */
export async function signCheckpoint(head: Checkpoint, key: SigningKey): Promise<string> {
  if (key.purpose !== 'ledger')
    throw new VtlicError(
      'usage',
      `a checkpoint is signed by a key with the purpose ledger, and this one has the purpose ${key.purpose}`,
    );
  if (key.publicKey.alg !== 'ed25519')
    throw new VtlicError(
      'usage',
      'a checkpoint is signed by an Ed25519 key, which every tool that reads checkpoints knows',
    );
  const text = encodeCheckpoint(head);
  const signature = await key.sign(noteMessage({ text }));
  if (!verifySignature(key.publicKey, noteMessage({ text }), signature, otherProvider(key.signedBy))) {
    throw new VtlicError(
      'self_check_failed',
      'the signature on the checkpoint is not valid: the checkpoint was not written',
      {
        hint: 'check the key: vtlic key check NAME',
      },
    );
  }
  const { name, keyId } = logKey(head.origin, key.publicKey);
  return encodeNote(text, [{ name, keyId, signature }]);
}

/**
 * A checkpoint with a valid signature by one of the keys. Signatures of others are passed over; one of a known key that
 * fails refuses it.
 *
 * @throws VtlicError `checks_failed`
 */
export function openCheckpoint(bytes: Uint8Array, keys: readonly LogKey[]): Checkpoint {
  const note = decodeNote(bytes);
  const checkpoint = decodeCheckpoint(note.text);
  let known = 0;
  for (const { name, keyId, signature } of note.signatures) {
    const key = keys.find((candidate) => candidate.name === name && equalBytes(candidate.keyId, keyId));
    if (key === undefined) continue;
    if (name !== checkpoint.origin)
      throw new VtlicError('checks_failed', 'the checkpoint is signed under the name of another log');
    if (!verifySignature(key.publicKey, noteMessage(note), signature))
      throw new VtlicError('checks_failed', "the signature of the log's key on the checkpoint is not valid");
    known++;
  }
  if (known === 0)
    throw new VtlicError('checks_failed', 'the checkpoint is signed by no key of this log', {
      hint: 'give the key of the log that it belongs to: --log-key',
    });
  return checkpoint;
}
