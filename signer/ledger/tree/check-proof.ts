/**
 * Proofs judged: by the bytes of the proof, the key of the log, and the license that somebody has. No ledger is
 * asked.
 */
import { toHex } from '../../../formats/bytes.ts';
import { decodeCbor, isCborArray, isCborBytes } from '../../../formats/cbor/index.ts';
import type { Checkpoint } from '../../../formats/checkpoint.ts';
import { decodeCoseSign1, TYP } from '../../../formats/cose-sign1.ts';
import { VtlicError } from '../../../formats/error.ts';
import { uuidFromBytes } from '../../../formats/license/id.ts';
import { decodeConsistencyProof, decodeInclusionProof } from '../../../formats/tlog-proof.ts';
import { LEAF_DOMAIN } from './leaf.ts';
import type { LogKey } from './log-key.ts';
import { consistencyHolds, inclusionHolds } from './merkle-proof.ts';
import { leafHash } from './merkle.ts';
import { sha256 } from '../entries/chain.ts';
import { openCheckpoint } from './sign-checkpoint.ts';

/** What a leaf says, where its data is in the proof. */
export interface ProvedLeaf {
  readonly kind: 'issued' | 'void';
  readonly licenseId: string;
  readonly ctr: number;
  readonly payloadSha256: string;
  /** Of an issued one: hex. */
  readonly coseSha256?: string;
  readonly kid?: string;
  readonly reason?: string;
}

export interface ProvedInclusion {
  readonly checkpoint: Checkpoint;
  readonly index: number;
  readonly leaf: ProvedLeaf;
}

/**
 * @param cose the decoded license file that the proof should be for
 * @throws VtlicError `checks_failed` with what is wrong
 */
export function checkInclusion(file: Uint8Array, keys: readonly LogKey[], cose?: Uint8Array): ProvedInclusion {
  const proof = decodeInclusionProof(file);
  const checkpoint = openCheckpoint(proof.checkpoint, keys);
  if (proof.extra === undefined) throw refused('the proof lacks the content of its leaf');
  const leaf = readLeaf(proof.extra);
  if (!inclusionHolds(leafHash(proof.extra), proof.index, checkpoint.size, proof.hashes, checkpoint.root))
    throw refused('the leaf is not in the tree of the checkpoint');
  if (cose !== undefined) compareLicense(leaf, cose);
  return Object.freeze({ checkpoint, index: proof.index, leaf });
}

/**
 * @param older the checkpoint that is said to be a beginning of the newer one
 * @throws VtlicError `checks_failed`
 */
export function checkConsistency(
  file: Uint8Array,
  older: Uint8Array,
  keys: readonly LogKey[],
): { readonly older: Checkpoint; readonly newer: Checkpoint } {
  const proof = decodeConsistencyProof(file);
  const newer = openCheckpoint(proof.checkpoint, keys);
  const before = openCheckpoint(older, keys);
  if (before.origin !== newer.origin) throw refused('the two checkpoints are of different logs');
  if (before.size !== proof.from)
    throw refused(`the proof begins at ${proof.from} leaves, but the older checkpoint has ${before.size}`);
  if (!consistencyHolds(before.size, newer.size, before.root, newer.root, proof.hashes))
    throw refused('the newer tree does not begin with the older one');
  return Object.freeze({ older: before, newer });
}

function compareLicense(leaf: ProvedLeaf, cose: Uint8Array): void {
  if (leaf.kind === 'void') throw refused('the proof says that this counter is void: no license has it');
  const { kid, payload } = decodeCoseSign1(cose, TYP.license);
  if (leaf.payloadSha256 !== toHex(sha256(payload))) throw refused('the proof is of another license');
  // A second signature of the same payload is the same license to a verifier, but the log never saw it.
  if (leaf.coseSha256 !== toHex(sha256(cose)) || leaf.kid !== kid)
    throw refused('the log contains this license with another signature');
}

function readLeaf(data: Uint8Array): ProvedLeaf {
  const no = refused('the leaf in the proof is not a leaf of a license');
  let value;
  try {
    value = decodeCbor(data);
  } catch (error) {
    if (error instanceof VtlicError) throw no;
    throw error;
  }
  if (!isCborArray(value)) throw no;
  const [domain, kind, salt, licenseId, ctr, payload, sixth, kid, ...more] = value;
  if (
    domain !== LEAF_DOMAIN ||
    more.length > 0 ||
    !isCborBytes(salt) ||
    !isCborBytes(licenseId) ||
    typeof ctr !== 'number' ||
    !isCborBytes(payload)
  )
    throw no;
  const common = { licenseId: uuidFromBytes(licenseId), ctr, payloadSha256: toHex(payload) };
  if (kind === 'issue' && isCborBytes(sixth) && isCborBytes(kid))
    return Object.freeze({ kind: 'issued', ...common, coseSha256: toHex(sixth), kid: toHex(kid) });
  if (kind === 'void' && typeof sixth === 'string' && kid === undefined)
    return Object.freeze({ kind: 'void', ...common, reason: sixth });
  throw no;
}

function refused(why: string): VtlicError {
  return new VtlicError('checks_failed', why);
}
