/**
 * The signature of one root key on a draft. It travels as a file (strict JSON, `vtlic-keyset-signature/1`) to where the
 * keyset is published; nothing in it is true before it was checked.
 */
import { decodeBase64, encodeBase64 } from '../../formats/base64.ts';
import { utf8 } from '../../formats/bytes.ts';
import { isAlgorithm, type Algorithm } from '../../formats/cose-algorithm.ts';
import {
  encodeBodyProtected,
  encodeSignerProtected,
  signerStructure,
  type CoseSigner,
} from '../../formats/cose-sign.ts';
import { TYP } from '../../formats/cose-sign1.ts';
import { VtlicError } from '../../formats/error.ts';
import { readObject } from '../../formats/json/index.ts';
import type { CoseKey } from '../../formats/cose-key.ts';
import type { Keyset } from '../../formats/keyset/keyset.ts';
import { MAX_COUNT } from '../../formats/license/bounds.ts';
import { parseJsonFile, readLimited } from '../../files/index.ts';
import { importPublicKey } from '../../keys/public/public-key.ts';
import { verifySignature } from '../../keys/public/verify-signature.ts';
import { kidOfKey } from './changes.ts';
import { type Draft, type KeysetVersion, readDigest } from './draft.ts';

const SCHEMA = 'vtlic-keyset-signature/1';
const MAX_BYTES = 65_536;

export interface PartialSignature extends KeysetVersion {
  readonly alg: Algorithm;
  readonly kid: string;
  readonly signature: Uint8Array;
}

/** What a root key signs. */
export function messageOf({ payload }: Pick<Draft, 'payload'>, alg: Algorithm, kid: string): Uint8Array {
  return signerStructure(encodeBodyProtected(TYP.keyset), encodeSignerProtected(alg, kid), payload);
}

export function signerOf({ alg, kid, signature }: PartialSignature): CoseSigner {
  return { alg, kid, protectedBytes: encodeSignerProtected(alg, kid), signature };
}

export function encodePartialSignature({ version, payloadDigest, alg, kid, signature }: PartialSignature): Uint8Array {
  const document = {
    schema: SCHEMA,
    version,
    payloadSha256: payloadDigest,
    algorithm: alg,
    kid,
    signature: encodeBase64(signature),
  };
  return utf8(`${JSON.stringify(document, null, 2)}\n`);
}

/** @throws VtlicError `request_invalid` or `json_malformed` with line and column, `file_unreadable` */
export function readPartialSignature(file: string): PartialSignature {
  const bytes = readLimited(file, MAX_BYTES, 'json_malformed');
  const root = readObject(parseJsonFile(bytes, file, MAX_BYTES), { code: 'request_invalid', file });
  const schema = root.required('schema');
  if (schema.string() !== SCHEMA)
    throw schema.fault(
      `should be "${SCHEMA}": this is not a signature on a keyset`,
      'Sign the draft: vtlic keyset sign.',
    );
  const version = root.integer('version', { min: 1, max: MAX_COUNT });
  const payloadDigest = readDigest(root.required('payloadSha256'));
  const algorithm = root.required('algorithm');
  const alg = algorithm.string();
  if (!isAlgorithm(alg)) throw algorithm.fault('should be "ed25519" or "ed25519+ml-dsa-65"');
  const kid = readDigest(root.required('kid'));
  const text = root.required('signature');
  const signature = decodeBase64(text.string());
  if (signature === undefined) throw text.fault('should be canonical base64');
  root.end();
  return Object.freeze({ version, payloadDigest, alg, kid, signature });
}

/** The roots that may sign a draft: those of the version before, and its own. */
export function rootsOf(before: Keyset | undefined, after: Keyset): ReadonlyMap<string, CoseKey> {
  return new Map([...(before?.roots ?? []), ...after.roots].map((root) => [kidOfKey(root), root]));
}

export interface SignatureContext {
  readonly draft: Draft;
  readonly before: Keyset | undefined;
  /** Every root that a published version ever had: kid → the last version that had it. */
  readonly formerRoots: ReadonlyMap<string, number>;
}

/**
 * Whether a signature counts for this draft.
 *
 * @throws VtlicError `request_invalid` for one of another draft, of a key that is not a root, or of a root that left;
 *   `checks_failed` for one that is not valid
 */
export function requireSignature(
  signature: PartialSignature,
  { draft, before, formerRoots }: SignatureContext,
  file: string,
): void {
  const { kid, alg, version, payloadDigest } = signature;
  if (payloadDigest !== draft.payloadDigest)
    throw new VtlicError(
      'request_invalid',
      `this is the signature of another draft, version ${version} with the payload ${payloadDigest}; the draft ` +
        `that is published is version ${draft.version} with the payload ${draft.payloadDigest}`,
      { file, hint: 'have the root key sign this draft: vtlic keyset sign DRAFT' },
    );
  const root = rootsOf(before, draft.keyset).get(kid);
  if (root === undefined) {
    const last = formerRoots.get(kid);
    throw new VtlicError(
      'request_invalid',
      last === undefined
        ? `the key ${kid} made this signature, and it is a root neither of this keyset nor of the version before`
        : `the key ${kid} made this signature, and it is no longer a root: version ${last} was the last one with it`,
      { file, hint: 'leave this signature out' },
    );
  }
  const key = importPublicKey(root.alg, root.publicBytes);
  if (alg !== key.alg || !verifySignature(key, messageOf(draft, alg, kid), signature.signature))
    throw new VtlicError('checks_failed', `the signature of the root key ${kid} on this draft is not valid`, {
      file,
      hint: 'copy the file again, or have the root key sign again: vtlic keyset sign DRAFT',
    });
}
