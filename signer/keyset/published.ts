/** The published versions of the keyset, as the ledger of the site records them, and the chain that they are. */
import { toHex } from '../../formats/bytes.ts';
import { decodeCoseSign } from '../../formats/cose-sign.ts';
import { TYP } from '../../formats/cose-sign1.ts';
import { VtlicError } from '../../formats/error.ts';
import { decodeKeyset } from '../../formats/keyset/decode-keyset.ts';
import type { Keyset } from '../../formats/keyset/keyset.ts';
import { armor } from '../../formats/armor.ts';
import { builtInChain, chainFile, extendChain, type Chain, type Extension } from '../../verifier/keyset/index.ts';
import { ledgerCorrupt, type LedgerView, type PublishedKeysetBody } from '../ledger/index.ts';
import type { KeysetVersion } from './draft.ts';

export interface PublishedVersion extends KeysetVersion {
  readonly keyset: Keyset;
  /** Seconds since 1970: when this ledger recorded it. */
  readonly published: number;
  /** seq of its entry. */
  readonly entry: number;
  /** The whole `COSE_Sign`. */
  readonly document: Uint8Array;
  /** Why a step in it was too early, or was an emergency. */
  readonly reasons: readonly string[];
  readonly operator: string;
}

/** The versions of a ledger that were read before, by the seq of their entries: reading a large one takes long. */
const readBefore = new WeakMap<object, Map<number, PublishedVersion>>();

/** Ascending. */
export function publishedVersions(ledger: Pick<LedgerView, 'adminEntries'>): readonly PublishedVersion[] {
  const known = readBefore.get(ledger) ?? new Map<number, PublishedVersion>();
  readBefore.set(ledger, known);
  return ledger.adminEntries().flatMap(({ kind, seq, at, body }) => {
    if (kind !== 'adopt' || body.act !== 'keyset') return [];
    const before = known.get(seq);
    if (before !== undefined && Buffer.compare(before.document, body.document) === 0) return [before];
    const version = publishedVersion(seq, at, body);
    known.set(seq, version);
    return [version];
  });
}

function publishedVersion(seq: number, at: number, body: PublishedKeysetBody): PublishedVersion {
  try {
    const { payload } = decodeCoseSign(body.document, TYP.keyset);
    return Object.freeze({
      version: body.version,
      payloadDigest: toHex(body.payloadDigest),
      keyset: decodeKeyset(payload),
      published: at,
      entry: seq,
      document: body.document,
      reasons: body.reasons,
      operator: body.operator,
    });
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    throw ledgerCorrupt(`entry ${seq} (adopt): its keyset cannot be read: ${error.message}`, { cause: error });
  }
}

export interface KeysetSigning extends KeysetVersion {
  /** The root key. */
  readonly kid: string;
}

/** What root keys of this site were about to sign, oldest first. */
export function keysetSignings(ledger: Pick<LedgerView, 'adminEntries'>): readonly KeysetSigning[] {
  return ledger.adminEntries().flatMap(({ kind, body }) => {
    if (kind !== 'adopt' || body.act !== 'keyset-signing') return [];
    const { kid, version, payloadDigest } = body;
    return [{ kid, version, payloadDigest: toHex(payloadDigest) }];
  });
}

/**
 * Up to this version of the keyset, a part of the ledger that a restore lost may have signed or published; 0 for none.
 * No root key of this site signs a version up to it: the lost part cannot say with which payload.
 */
export function restoredVersion(ledger: Pick<LedgerView, 'adminEntries'>): number {
  const versions = ledger
    .adminEntries()
    .map(({ kind, body }) => (kind === 'adopt' && body.act === 'log' ? (body.keysetVersion ?? 0) : 0));
  return Math.max(0, ...versions);
}

/** Of a version: the chain that it extended, and the one that followed. Judging a version verifies its signatures. */
const judgedBefore = new WeakMap<PublishedVersion, { readonly before: Chain | undefined; readonly after: Chain }>();

/**
 * The chain as a product has it that saw every version; undefined before the first. If it would be larger than a
 * chain may be, it lacks the oldest versions that may be left out (docs/keysets.md, K3).
 *
 * @throws VtlicError `ledger_corrupt` for a version that does not follow from the one before it
 */
export function publishedChain(versions: readonly PublishedVersion[], issuer: string): Chain | undefined {
  let chain: Chain | undefined;
  for (const published of versions) {
    const known = judgedBefore.get(published);
    if (known !== undefined && known.before === chain) {
      chain = known.after;
      continue;
    }
    const { entry, version, document } = published;
    const block = armor('VTLIC KEYSET', document);
    const next = chain === undefined ? firstChain(block, issuer) : extendChain(chain, block);
    if (next.refused !== undefined)
      throw ledgerCorrupt(
        `entry ${entry} (adopt): version ${version} of the keyset does not follow from the one before it: ` +
          next.refused.detail,
      );
    judgedBefore.set(published, { before: chain, after: next.chain });
    chain = next.chain;
  }
  return chain;
}

function firstChain(block: Uint8Array, issuer: string): Pick<Extension, 'chain' | 'refused'> {
  try {
    return { chain: builtInChain(block, { issuer }), refused: undefined };
  } catch (error) {
    if (error instanceof VtlicError && error.code === 'configuration_invalid')
      throw ledgerCorrupt(`the first keyset that it records is refused: ${error.message}`, { cause: error });
    throw error;
  }
}

/** The chain as a file: one armored block after the other; undefined before the first version. */
export function publishedChainFile(versions: readonly PublishedVersion[], issuer: string): Uint8Array | undefined {
  const chain = publishedChain(versions, issuer);
  return chain === undefined ? undefined : chainFile(chain);
}
