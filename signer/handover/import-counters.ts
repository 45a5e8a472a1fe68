/** Takes counters over from another ledger, or back from a handing over that came to nothing. */
import { equalBytes } from '../../formats/bytes.ts';
import { decodeCoseSign1, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import { type CountersDocument, decodeCounters } from '../../formats/counters-document.ts';
import { VtlicError } from '../../formats/error.ts';
import { isCryptoUnavailable } from '../../keys/public/provider.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { verifySignature } from '../../keys/public/verify-signature.ts';
import { type Ledger, type LedgerView, sha256 } from '../ledger/index.ts';
import type { Runtime } from '../runtime.ts';

export interface ReceivedDocument {
  readonly document: CountersDocument;
  /** SHA-256 of the signed document. */
  readonly digest: Uint8Array;
  readonly kid: string;
}

/**
 * @param keys that may have signed it
 * @throws VtlicError `checks_failed` for what is no such document, or is signed by another
 */
export function openCounters(bytes: Uint8Array, keys: readonly PublicKey[]): ReceivedDocument {
  try {
    const { alg, kid, protectedBytes, payload, signature } = decodeCoseSign1(bytes, TYP.counters);
    const key = keys.find((candidate) => candidate.kid === kid);
    if (key === undefined)
      throw new VtlicError(
        'checks_failed',
        `the document is signed by the key ${kid}, which is none of those you trust`,
        {
          hint:
            'export the key at the site that handed over (vtlic key export NAME), compare its kid by ' +
            'telephone, and give it with --trust FILE',
        },
      );
    if (key.alg !== alg || !verifySignature(key, sigStructure(protectedBytes, payload), signature))
      throw new VtlicError('checks_failed', 'the signature on the document does not hold');
    return Object.freeze({ document: decodeCounters(payload), digest: sha256(bytes), kid });
  } catch (error) {
    if (error instanceof VtlicError && error.code !== 'checks_failed' && !isCryptoUnavailable(error))
      throw new VtlicError('checks_failed', `this is no document of counters: ${error.message}`, {
        ...error.place,
        cause: error,
      });
    throw error;
  }
}

/**
 * - `over`: from another ledger, or from a part of this one that was lost.
 * - `back`: this ledger's own handing over is undone.
 */
export type Taking = { readonly how: 'over' } | { readonly how: 'back'; readonly closedBy: number };

/**
 * @throws VtlicError `ledger_conflict` where the document is of another issuer, was taken before, or closes nothing
 * any more
 */
export function planTaking(ledger: LedgerView, { document, digest }: ReceivedDocument): Taking {
  if (document.iss !== ledger.genesis.iss)
    throw conflict(
      `the document is of the issuer ${document.iss}, and this ledger of ${ledger.genesis.iss}`,
      'counters go from one ledger to another of the same issuer',
    );
  const acts = ledger.adminEntries();
  const before = acts.find(
    (entry) => entry.kind === 'adopt' && entry.body.act === 'import' && equalBytes(entry.body.document, digest),
  );
  if (before !== undefined)
    throw conflict(
      `this document was taken before, by entry ${before.seq}; taking it again would open what may have been ` +
        'handed over since',
      'ask for a new document where the counters are now',
    );
  if (!equalBytes(document.ledgerId, ledger.genesis.ledgerId)) return { how: 'over' };
  const gate = ledger.closedBy(document.sub ?? '');
  const own = acts.find((entry) => entry.kind === 'close' && equalBytes(sha256(entry.body.document), digest));
  // Handed over by a part of the record that was lost: what it says is taken as another ledger's word.
  if (own === undefined && gate !== undefined) return { how: 'over' };
  if (own === undefined || gate !== own.seq)
    throw conflict(
      'the document is of this very ledger, and what it speaks of is not closed by it',
      'see what is closed: vtlic ledger status',
    );
  return { how: 'back', closedBy: own.seq };
}

export async function takeCounters(
  ledger: Ledger,
  received: ReceivedDocument,
  taking: Taking,
  world: Runtime,
): Promise<void> {
  const { document, digest, kid } = received;
  const sub = document.sub === undefined ? {} : { sub: document.sub };
  ledger.group(() => {
    if (taking.how === 'back') {
      ledger.adopt({ act: 'reopen', closedBy: taking.closedBy, ...sub, operator: world.operator });
      return;
    }
    const highest = document.lineages.reduce((most, lineage) => Math.max(most, lineage.ctr), document.floor);
    ledger.adopt({
      act: 'import',
      document: digest,
      kid,
      ledgerId: document.ledgerId,
      ...sub,
      floor: document.floor,
      highest,
      operator: world.operator,
    });
    for (const { payloadDigest, ...lineage } of document.lineages)
      if (lineage.ctr > 0)
        ledger.adopt({ act: 'counter', ...lineage, ...(payloadDigest === undefined ? {} : { payloadDigest }) });
  });
  await world.step('counters-recorded');
  await ledger.anchor();
  await world.step('counters-anchored');
}

function conflict(message: string, hint: string): VtlicError {
  return new VtlicError('ledger_conflict', message, { hint });
}
