/**
 * A root key signs a draft: recorded in the ledger and anchored → recorded beside the key → signed → checked. Each is
 * durable before the next. Whatever ends in between, the same draft can be signed again, and no other of its version.
 */
import { fromHex } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import { otherProvider } from '../../keys/public/provider-noble.ts';
import { verifySignature } from '../../keys/public/verify-signature.ts';
import type { Ledger, LedgerView } from '../ledger/index.ts';
import type { Runtime } from '../runtime.ts';
import type { Draft, KeysetVersion } from './draft.ts';
import { messageOf, rootsOf, type PartialSignature } from './partial-signature.ts';
import { keysetSignings, publishedVersions, restoredVersion, type PublishedVersion } from './published.ts';
import { requireUnsigned, type RootRecordStore } from './root-record.ts';
import { requireSignerRules } from './signer-rules.ts';

/**
 * The published version that a draft follows.
 *
 * @throws VtlicError `request_invalid` for a draft of another issuer; `plan_stale` for one that does not follow the
 *   newest version that this site knows
 */
export function versionBefore(
  draft: Draft,
  versions: readonly PublishedVersion[],
  issuer: string,
): PublishedVersion | undefined {
  const { base, keyset } = draft;
  if (keyset.iss !== issuer)
    throw new VtlicError('request_invalid', `the draft is for the issuer ${keyset.iss}, and this site is ${issuer}`, {
      hint: 'sign it at the site of that issuer, or ask who made it',
    });
  const newest = versions.at(-1);
  if (base?.version === newest?.version && base?.payloadDigest === newest?.payloadDigest) {
    if (newest !== undefined && draft.version <= newest.version)
      throw new VtlicError(
        'request_invalid',
        `the draft is version ${draft.version}, and it says that it follows version ${newest.version}`,
        { hint: 'do not sign it; ask who made it' },
      );
    return newest;
  }
  const published = versions.find(({ payloadDigest }) => payloadDigest === draft.payloadDigest);
  if (published !== undefined)
    throw new VtlicError('plan_stale', `version ${published.version} with this payload is published already`, {
      hint: 'write its chain out: vtlic keyset show --chain',
    });
  const follows = base === undefined ? 'is a first version' : `follows version ${base.version} (${base.payloadDigest})`;
  const known =
    newest === undefined
      ? 'this site knows no published keyset'
      : `the newest keyset that this site knows is version ${newest.version} (${newest.payloadDigest})`;
  throw new VtlicError('plan_stale', `the draft ${follows}, but ${known}`, {
    hint:
      base !== undefined && base.version > (newest?.version ?? 0)
        ? 'adopt the published chain first: vtlic keyset adopt CHAIN'
        : 'draft it anew, on the newest version: vtlic keyset draft',
  });
}

/**
 * The number of a draft for which nobody named a number: the next one, or one above every version that a root key of
 * this site signed.
 *
 * @param newest the newest version that this site knows as published; 0 for none
 * @throws VtlicError `ledger_conflict` after a restore, while nobody has said which version products have
 */
export function freeVersion(
  ledger: Pick<LedgerView, 'adminEntries' | 'head'>,
  { newest, next }: { readonly newest: number; readonly next: number },
): number {
  const lost = restoredVersion(ledger);
  const highest = Math.max(lost, ledger.head().keysetVersion ?? 0);
  if (lost <= newest) return highest < next ? next : highest + 1;
  throw new VtlicError(
    'ledger_conflict',
    `the ledger of this site was restored, and it knows no version after ${newest}: a version up to ${lost} may be ` +
      'published',
    {
      hint:
        'adopt what is published: vtlic keyset adopt CHAIN; if products have nothing newer, give the draft a new ' +
        `number: --version ${highest + 1}`,
    },
  );
}

/**
 * @throws VtlicError `usage` for a key that signs no such draft; `ledger_conflict` where the key has signed another
 */
export function requireRootMaySign(draft: Draft, before: PublishedVersion | undefined, kid: string): void {
  requireSignerRules(before?.keyset, draft.keyset);
  if (rootsOf(before?.keyset, draft.keyset).has(kid)) return;
  throw new VtlicError(
    'usage',
    `the key ${kid} is a root neither of the draft nor of the version before, so its signature would not count`,
    { hint: 'sign with one of the roots: vtlic keyset show DRAFT' },
  );
}

export interface RootSigning {
  readonly ledger: Ledger;
  readonly key: SigningKey;
  readonly record: RootRecordStore;
  readonly runtime: Runtime;
}

export async function signDraft(
  draft: Draft,
  { ledger, key, record, runtime }: RootSigning,
): Promise<PartialSignature> {
  const { kid, alg } = key.publicKey;
  requireRootMaySign(draft, versionBefore(draft, publishedVersions(ledger), ledger.genesis.iss), kid);
  const wanted: KeysetVersion = { version: draft.version, payloadDigest: draft.payloadDigest };
  const signings = keysetSignings(ledger);
  const inLedger = signings.filter((signing) => signing.kid === kid);
  const beside = await record.read();
  requireUnsigned(wanted, {
    kid,
    known: [...inLedger, ...beside],
    others: signings.filter((signing) => signing.kid !== kid),
    lost: restoredVersion(ledger),
  });
  if (beside.length === 0 && inLedger.length > 0)
    runtime.tell(
      `warning: ${record.description} is missing, the record of what this root key signed; it is made again`,
    );
  await ledger.requireAnchor();
  const isKnown = (all: readonly KeysetVersion[]): boolean =>
    all.some(({ payloadDigest }) => payloadDigest === wanted.payloadDigest);
  if (!isKnown(inLedger)) {
    ledger.adopt({
      act: 'keyset-signing',
      kid,
      version: draft.version,
      payloadDigest: fromHex(draft.payloadDigest) ?? new Uint8Array(),
      custody: key.custody,
      operator: runtime.operator,
    });
    await runtime.step('keyset-signing-recorded');
  }
  await ledger.anchor();
  await runtime.step('keyset-signing-anchored');
  if (!isKnown(beside)) await record.write(highest([...inLedger, ...beside, wanted]));
  await runtime.step('root-record-written');
  const message = messageOf(draft, alg, kid);
  const signature = await key.sign(message);
  if (!verifySignature(key.publicKey, message, signature, otherProvider(key.signedBy)))
    throw new VtlicError('self_check_failed', 'the signature on the draft is not valid, and was not written', {
      hint: 'check the key: vtlic key check NAME',
    });
  await runtime.step('keyset-signed');
  return Object.freeze({ ...wanted, alg, kid, signature });
}

function highest(all: readonly KeysetVersion[]): KeysetVersion {
  return all.reduce((most, one) => (one.version >= most.version ? one : most));
}
