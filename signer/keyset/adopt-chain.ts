/**
 * Takes published versions up that this ledger does not know: at the site of a root key, which publishes nothing, and
 * after a restore that lost the newest versions. Each is judged as a product judges it.
 */
import { toHex } from '../../formats/bytes.ts';
import { decodeCoseSign, signerStructure } from '../../formats/cose-sign.ts';
import { TYP } from '../../formats/cose-sign1.ts';
import { VtlicError } from '../../formats/error.ts';
import { armoredBlocks, openKeysetBlock } from '../../formats/keyset/blocks.ts';
import { decodeKeyset } from '../../formats/keyset/decode-keyset.ts';
import type { Keyset } from '../../formats/keyset/keyset.ts';
import { armor } from '../../formats/armor.ts';
import { importPublicKey } from '../../keys/public/public-key.ts';
import { verifySignature } from '../../keys/public/verify-signature.ts';
import { builtInChain, extendChain, KEYSET_REASONS, type Chain } from '../../verifier/keyset/index.ts';
import { type Ledger, type LedgerView, sha256 } from '../ledger/index.ts';
import type { Runtime } from '../runtime.ts';
import { kidOfKey } from './changes.ts';
import { publishedChain, publishedVersions } from './published.ts';

export interface ForeignVersion {
  readonly keyset: Keyset;
  readonly payload: Uint8Array;
  readonly document: Uint8Array;
}

export interface Adoption {
  /** Ascending, all above what the ledger knows. */
  readonly versions: readonly ForeignVersion[];
  /** The newest version that the ledger knows; absent where it knows none, and trusts the first of the file. */
  readonly known?: number;
}

/** Every version of a file of published keysets, unjudged. */
export function readKeysetBlocks(file: Uint8Array): readonly ForeignVersion[] {
  return [...armoredBlocks(file)].map((block) => {
    const document = openKeysetBlock(block);
    const { payload } = decodeCoseSign(document, TYP.keyset);
    return Object.freeze({ keyset: decodeKeyset(payload), payload, document });
  });
}

/**
 * @throws VtlicError `policy_refused` where a product would refuse a version, also for a gap that it cannot cross;
 *   `ledger_conflict` where the ledger knows a version with another payload; what reading the file throws
 */
export function planAdoption(ledger: LedgerView, file: Uint8Array): Adoption {
  const issuer = ledger.genesis.iss;
  const known = publishedVersions(ledger);
  let chain = publishedChain(known, issuer);
  const versions: ForeignVersion[] = [];
  for (const foreign of readKeysetBlocks(file)) {
    const { keyset, document, payload } = foreign;
    if (keyset.iss !== issuer)
      throw new VtlicError(
        'request_invalid',
        `version ${keyset.version} is by ${keyset.iss}, and this site is ${issuer}`,
      );
    const same = known.find(({ version }) => version === keyset.version);
    const digest = toHex(sha256(payload));
    if (same !== undefined && same.payloadDigest !== digest)
      throw new VtlicError(
        'ledger_conflict',
        `this ledger knows version ${keyset.version} with the payload ${same.payloadDigest}, and in the file it ` +
          `has the payload ${digest}: root keys signed both`,
        { hint: 'find out which one products have before anything more is signed; docs/continuity.md says how' },
      );
    const next = judged(chain, foreign, armor('VTLIC KEYSET', document), issuer);
    if (next === chain) continue;
    chain = next;
    versions.push(foreign);
  }
  const newest = known.at(-1);
  return Object.freeze({ versions, ...(newest === undefined ? {} : { known: newest.version }) });
}

function judged(
  chain: Chain | undefined,
  { keyset, document }: ForeignVersion,
  block: Uint8Array,
  issuer: string,
): Chain {
  if (chain === undefined) {
    requireOwnSignatures(keyset, document);
    return builtInChain(block, { issuer });
  }
  const extension = extendChain(chain, block);
  const { refused } = extension;
  if (refused === undefined) return extension.chain;
  const { newest } = chain;
  const gap =
    keyset.version > newest.version + 1 && refused.reason === 'keyset_threshold_previous'
      ? `; the file has a gap between version ${newest.version} and version ${keyset.version}`
      : '';
  throw new VtlicError(
    'policy_refused',
    `version ${keyset.version} is refused: ${KEYSET_REASONS[refused.reason].sentence} (${refused.detail})${gap}`,
    { hint: 'take the whole published chain' },
  );
}

/**
 * The first version is trusted because a person confirms it; that enough of its own roots signed it is judged. Under a
 * policy against Ed25519 only composite roots count, as in every version that follows.
 */
function requireOwnSignatures(keyset: Keyset, document: Uint8Array): void {
  const cose = decodeCoseSign(document, TYP.keyset);
  const compositeOnly = keyset.requireComposite || keyset.ed25519Until !== undefined;
  const counting = keyset.roots.filter(({ alg }) => !compositeOnly || alg !== 'ed25519');
  const roots = new Map(counting.map((root) => [kidOfKey(root), root]));
  const valid = cose.signers.filter(({ kid, alg, protectedBytes, signature }) => {
    const root = roots.get(kid);
    if (root?.alg !== alg) return false;
    const message = signerStructure(cose.protectedBytes, protectedBytes, cose.payload);
    return verifySignature(importPublicKey(root.alg, root.publicBytes), message, signature);
  });
  if (valid.length >= keyset.threshold) return;
  throw new VtlicError(
    'policy_refused',
    `${valid.length} of the ${compositeOnly ? 'composite ' : ''}roots of version ${keyset.version} signed it, and ` +
      `${keyset.threshold} are needed`,
    { hint: 'take the whole published chain, from its first version on' },
  );
}

/** Recorded and anchored on return. */
export async function adoptVersions(
  ledger: Ledger,
  { versions }: Adoption,
  runtime: Pick<Runtime, 'step' | 'operator'>,
): Promise<void> {
  await ledger.requireAnchor();
  ledger.group(() => {
    for (const { keyset, payload, document } of versions)
      ledger.adopt({
        act: 'keyset',
        version: keyset.version,
        payloadDigest: sha256(payload),
        document,
        reasons: ['taken up from a published chain'],
        operator: runtime.operator,
      });
  });
  await runtime.step('keyset-recorded');
  await ledger.anchor();
  await runtime.step('keyset-anchored');
}
