/**
 * Publishing: a draft and the signatures of root keys become a version of the keyset. Judged as a product does →
 * recorded in the ledger → anchored → written below `keysets/`. The ledger has the whole document, so that a run which
 * was cut short after it is finished by the next one.
 */
import { join } from 'node:path';
import { armor } from '../../formats/armor.ts';
import { fromHex } from '../../formats/bytes.ts';
import { cleanText, counted } from '../../formats/clean-text.ts';
import { encodeBodyProtected, encodeCoseSign } from '../../formats/cose-sign.ts';
import { TYP } from '../../formats/cose-sign1.ts';
import { VtlicError } from '../../formats/error.ts';
import type { Keyset } from '../../formats/keyset/keyset.ts';
import { createDurably, makeFolders, replaceDurably } from '../../files/index.ts';
import { builtInChain, extendChain, KEYSET_REASONS, type Chain } from '../../verifier/keyset/index.ts';
import type { Ledger, LedgerView } from '../ledger/index.ts';
import type { Runtime } from '../runtime.ts';
import type { SitePaths } from '../site/site.ts';
import { kidOfKey } from './changes.ts';
import { countedCustomers, type Draft } from './draft.ts';
import { type PartialSignature, requireSignature, signerOf } from './partial-signature.ts';
import {
  keysetSignings,
  publishedChain,
  publishedChainFile,
  publishedVersions,
  type PublishedVersion,
} from './published.ts';
import { signedHere } from './root-record.ts';
import { versionBefore } from './sign-draft.ts';
import { requireHonoredRecorded, requireLowestCounters, requireSignerRules } from './signer-rules.ts';

/** A signature and the file that it is from. */
export interface NamedSignature {
  readonly file: string;
  readonly signature: PartialSignature;
}

/** A draft with its signatures, as a product takes it. Only `judgeDraft` makes one. */
export interface SignedKeyset {
  readonly draft: Draft;
  readonly before: PublishedVersion | undefined;
  /** The whole `COSE_Sign`. */
  readonly document: Uint8Array;
}

/**
 * Judges a draft and its signatures as every product in the field will, from the newest published version.
 *
 * @param now seconds since 1970
 * @param elsewhere kid → the payload digests that another ledger has, which a revocation may honor
 * @throws VtlicError for a signature that does not count, a threshold that is not reached, a rule that is broken
 */
export function judgeDraft(
  draft: Draft,
  signatures: readonly NamedSignature[],
  ledger: LedgerView,
  now: number,
  elsewhere: ReadonlyMap<string, readonly string[]> = new Map(),
): SignedKeyset {
  const versions = publishedVersions(ledger);
  const before = versionBefore(draft, versions, ledger.genesis.iss);
  requireSignerRules(before?.keyset, draft.keyset);
  requireLowestCounters(before?.keyset, draft.keyset, ledger, now);
  requireHonoredRecorded(before?.keyset, draft.keyset, ledger, elsewhere);
  const seen = new Map<string, string>();
  for (const { file, signature } of signatures) {
    requireSignature(signature, { draft, before: before?.keyset, formerRoots: formerRoots(versions) }, file);
    const first = seen.get(signature.kid);
    if (first !== undefined)
      throw new VtlicError(
        'request_invalid',
        `the root key ${signature.kid} signed twice: its signature is in ${first} too`,
        { file, hint: 'give the signature of each root key once' },
      );
    seen.set(signature.kid, file);
  }
  const signed = keysetSignings(ledger).find(
    ({ version, payloadDigest }) => version === draft.version && payloadDigest !== draft.payloadDigest,
  );
  if (signed !== undefined) throw signedHere(signed, draft, 'vtlic keyset draft');
  const chain = publishedChain(versions, ledger.genesis.iss);
  requireThresholds({ draft, before, chain, signed: new Set(seen.keys()) });
  const document = encodeCoseSign({
    protectedBytes: encodeBodyProtected(TYP.keyset),
    payload: draft.payload,
    signers: signatures.map(({ signature }) => signerOf(signature)),
  });
  requireAccepted(document, chain, ledger.genesis.iss);
  return Object.freeze({ draft, before, document });
}

function formerRoots(versions: readonly PublishedVersion[]): ReadonlyMap<string, number> {
  return new Map(versions.flatMap(({ version, keyset }) => keyset.roots.map((root) => [kidOfKey(root), version])));
}

interface Thresholds {
  readonly draft: Draft;
  readonly before: PublishedVersion | undefined;
  readonly chain: Chain | undefined;
  /** kids */
  readonly signed: ReadonlySet<string>;
}

/** The rule of two thresholds, in words that name the roots which may still sign. */
function requireThresholds({ draft, before, chain, signed }: Thresholds): void {
  const { keyset } = draft;
  const compositeBefore = chain?.compositeRootsOnly === true;
  const own = compositeBefore || keyset.requireComposite || keyset.ed25519Until !== undefined;
  if (before !== undefined) requireThreshold(before.keyset, `version ${before.version}`, compositeBefore, signed);
  requireThreshold(keyset, 'the draft itself', own, signed);
}

function requireThreshold(
  { roots, threshold }: Keyset,
  whose: string,
  compositeOnly: boolean,
  signed: ReadonlySet<string>,
): void {
  const kind = compositeOnly ? 'composite ' : '';
  const kids = roots.filter(({ alg }) => !compositeOnly || alg !== 'ed25519').map(kidOfKey);
  const count = kids.filter((kid) => signed.has(kid)).length;
  if (count >= threshold) return;
  if (kids.length < threshold)
    throw new VtlicError(
      'policy_refused',
      `${whose} has only ${counted(kids.length, `${kind}root`, `${kind}roots`)}, but ${threshold} must sign`,
      { hint: `draft it anew with more ${kind}roots, or with a lower threshold: vtlic keyset draft --add-root KEY` },
    );
  const missing = kids.filter((kid) => !signed.has(kid));
  throw new VtlicError(
    'policy_refused',
    `only ${count} of the ${kids.length} ${kind}roots of ${whose} signed, but ${threshold} must sign; not signed by: ` +
      missing.join(', '),
    { hint: 'have more of the roots sign: vtlic keyset sign DRAFT; then give all signatures' },
  );
}

/** Judges one block as a product does that has the whole chain before it; of a first version, its form and its keys. */
function requireAccepted(document: Uint8Array, chain: Chain | undefined, issuer: string): void {
  const block = armor('VTLIC KEYSET', document);
  if (chain === undefined) {
    builtInChain(block, { issuer });
    return;
  }
  const { refused } = extendChain(chain, block);
  if (refused === undefined) return;
  const { sentence } = KEYSET_REASONS[refused.reason];
  throw new VtlicError('policy_refused', `no product would take this version: ${sentence} (${refused.detail})`, {
    hint: 'make a new draft that products take: vtlic keyset draft',
  });
}

/** So that the reasons of a draft always fit into an entry of the ledger. */
const MAX_NAMES = 400;

/** The reasons that stay on record with the version. */
export function reasonsOf({ early, emergency }: Draft): readonly string[] {
  return [
    ...(emergency === undefined ? [] : [`emergency: ${emergency}`]),
    ...early.map(({ step, kid, releases, customers, reason }) => {
      const words = [
        ...(releases.length === 0 ? [] : [` before ${cleanText(releases.join(', '), MAX_NAMES)}`]),
        ...(customers === undefined ? [] : [`, leaving ${countedCustomers(customers)} without a license`]),
      ];
      return `${step}${kid === undefined ? '' : ` ${kid}`}${words.join('') || ', too early'}: ${reason}`;
    }),
  ];
}

/**
 * Recorded and anchored on return.
 *
 * @param notes stay on record with the version, beside the reasons of the draft
 */
export async function publish(
  { draft, document }: SignedKeyset,
  ledger: Ledger,
  runtime: Pick<Runtime, 'step' | 'operator'>,
  notes: readonly string[] = [],
): Promise<void> {
  await ledger.requireAnchor();
  ledger.adopt({
    act: 'keyset',
    version: draft.version,
    payloadDigest: fromHex(draft.payloadDigest) ?? new Uint8Array(),
    document,
    reasons: [...reasonsOf(draft), ...notes],
    operator: runtime.operator,
  });
  await runtime.step('keyset-recorded');
  await ledger.anchor();
  await runtime.step('keyset-anchored');
}

export interface KeysetFiles {
  /** The newest version. */
  readonly version: string;
  /** Every version: what products build in, and what is delivered. */
  readonly chain: string;
}

/** Writes `keysets/VERSION.keyset` and `keysets/chain.keyset` from the ledger; files that are right stay. */
export async function writeKeysetFiles(
  ledger: Pick<LedgerView, 'adminEntries' | 'genesis'>,
  paths: Pick<SitePaths, 'keysets'>,
  runtime: Pick<Runtime, 'step'>,
): Promise<KeysetFiles | undefined> {
  const versions = publishedVersions(ledger);
  const newest = versions.at(-1);
  const file = publishedChainFile(versions, ledger.genesis.iss);
  if (newest === undefined || file === undefined) return undefined;
  makeFolders(paths.keysets);
  const version = join(paths.keysets, `${newest.version}.keyset`);
  const chain = join(paths.keysets, 'chain.keyset');
  await createDurably(version, armor('VTLIC KEYSET', newest.document), 0o644);
  await runtime.step('keyset-file-written');
  replaceDurably(chain, file, 0o644);
  await runtime.step('keyset-chain-written');
  return { version, chain };
}
