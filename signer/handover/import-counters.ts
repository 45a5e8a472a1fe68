/** Takes counters over from another ledger, or back from a handover that no ledger took over. */
import { equalBytes, toHex } from '../../formats/bytes.ts';
import { decodeCoseSign1, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import { type CountersDocument, decodeCounters } from '../../formats/counters-document.ts';
import { VtlicError } from '../../formats/error.ts';
import { isCryptoUnavailable } from '../../keys/public/provider.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { verifySignature } from '../../keys/public/verify-signature.ts';
import type { Runtime } from '../runtime.ts';
import {
  type CloseEntry,
  type DocumentPosition,
  type ImportBody,
  isNewerDocument,
  type Ledger,
  type LedgerView,
  lineageText,
  sha256,
} from '../ledger/index.ts';
import { digestsIn, lineagesIn } from './export-counters.ts';

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
      throw new VtlicError('checks_failed', 'the signature on the document is not valid');
    return Object.freeze({ document: decodeCounters(payload), digest: sha256(bytes), kid });
  } catch (error) {
    if (error instanceof VtlicError && error.code !== 'checks_failed' && !isCryptoUnavailable(error))
      throw new VtlicError('checks_failed', `this is not a counters document: ${error.message}`, {
        ...error.place,
        cause: error,
      });
    throw error;
  }
}

/**
 * What only an officer knows, where the ledgers cannot:
 * - `nothing`: the ledgers know enough
 * - `not-handed-over`: a restore closed these counters, because the lost part had handed some over
 * - `no-other-taker`: the document names no recipient, as those of version 0.1.0
 */
export type AskedOfOfficer = 'nothing' | 'not-handed-over' | 'no-other-taker';

/**
 * - `over`: from another ledger, or from a part of this one that was lost.
 * - `back`: this ledger's own handing over is undone.
 */
export type Taking =
  { readonly how: 'over'; readonly asks: AskedOfOfficer } | { readonly how: 'back'; readonly closedBy: number };

/**
 * @throws VtlicError `ledger_conflict` if the document is of another issuer, names another recipient, was taken before,
 *   is older than one that was taken, gives nothing newer than is known, or closes nothing any more
 */
export function planTaking(ledger: LedgerView, { document, digest }: ReceivedDocument): Taking {
  if (document.iss !== ledger.genesis.iss)
    throw conflict(
      `the document is by the issuer ${document.iss}, but this ledger is of ${ledger.genesis.iss}`,
      'import it into a ledger of the same issuer',
    );
  const acts = ledger.adminEntries();
  const imports = acts.flatMap(({ seq, kind, body }) =>
    kind === 'adopt' && body.act === 'import' ? [{ seq, body }] : [],
  );
  const before = imports.find(({ body }) => equalBytes(body.document, digest));
  if (before !== undefined)
    throw conflict(
      `this document was imported before, in entry ${before.seq}; a second import could reopen counters that were ` +
        'handed over since',
      'ask the site that has the counters now for a new document',
    );
  const gate = ledger.closedBy(document.sub ?? '');
  const closing = gate === undefined ? undefined : ledger.entry(gate);
  const restored = closing?.kind === 'adopt';
  if (equalBytes(document.ledgerId, ledger.genesis.ledgerId)) {
    const own = acts.find((entry) => entry.kind === 'close' && equalBytes(sha256(entry.body.document), digest));
    // The lost part of the record made this document, so it is treated like one of another ledger.
    if (own === undefined && gate !== undefined) return { how: 'over', asks: restored ? 'not-handed-over' : 'nothing' };
    if (own === undefined || gate !== own.seq)
      throw conflict(
        'this ledger made the document itself, and no counters are closed because of it now',
        'see what is closed: vtlic ledger status',
      );
    return { how: 'back', closedBy: own.seq };
  }
  requireRecipient(ledger, document);
  requireNewer(
    document,
    imports.filter(({ body }) => equalBytes(body.ledgerId, document.ledgerId)),
  );
  if (closing?.kind === 'close') requireReturn(ledger, document, closing);
  return { how: 'over', asks: restored ? 'not-handed-over' : document.to === undefined ? 'no-other-taker' : 'nothing' };
}

function requireRecipient(ledger: LedgerView, { to }: CountersDocument): void {
  if (to === undefined || equalBytes(to, ledger.genesis.ledgerId)) return;
  throw conflict(
    `the document is for the ledger ${toHex(to)}, but this is the ledger ${toHex(ledger.genesis.ledgerId)}`,
    'import it there; or take it back where it was made, and export the counters again with --to and the id of this ' +
      'ledger',
  );
}

function requireNewer(
  document: CountersDocument,
  earlier: readonly { readonly seq: number; readonly body: ImportBody }[],
): void {
  const made = positionOf(document);
  const newer = earlier.find(({ body: { from } }) => from !== undefined && !isNewerDocument(made, from));
  if (newer === undefined) return;
  throw conflict(
    `this ledger imported a newer document of the same ledger before, in entry ${newer.seq}: this one was made at ` +
      `entry ${made.entries} there, the newer one at entry ${newer.body.from?.entries ?? 0}`,
    'if no ledger has imported it, take it back where it was made, and export the counters again (vtlic counters ' +
      'export)',
  );
}

/** Documents of version 0.1.0 have no bound: they are older than all others. */
function positionOf({ head }: CountersDocument): DocumentPosition {
  return { entries: head.entries, bound: head.bound ?? 0 };
}

/**
 * Counters that this ledger handed over come back only by a document that derives from its own, or that has newer
 * counters.
 */
function requireReturn(ledger: LedgerView, document: CountersDocument, closing: CloseEntry): void {
  const handed = sha256(closing.body.document);
  if (digestsIn(document.taken).some((digest) => equalBytes(digest, handed))) return;
  const given = new Map(document.lineages.map((lineage) => [lineageText(lineage), lineage.ctr]));
  let known = false;
  let higher = false;
  let lower = false;
  for (const lineage of lineagesIn(ledger, document.sub)) {
    // A customer who was handed over by name stays closed.
    if (ledger.closedBy(lineage.sub) !== closing.seq) continue;
    known = true;
    const counter = Math.max(given.get(lineageText(lineage)) ?? 0, document.floor);
    higher ||= counter > ledger.lastCounter(lineage);
    lower ||= counter < ledger.lastCounter(lineage);
  }
  if (!known || (higher && !lower)) return;
  throw conflict(
    `entry ${closing.seq} handed these counters over, and the document is not from the ledger that took them over: ` +
      'its counters are not higher than those known here',
    'ask the site that has the counters now for a document; if no site has them, take your own document back',
  );
}

export async function takeCounters(
  ledger: Ledger,
  received: ReceivedDocument,
  taking: Taking,
  runtime: Runtime,
): Promise<void> {
  const { document, digest, kid } = received;
  const sub = document.sub === undefined ? {} : { sub: document.sub };
  ledger.group(() => {
    if (taking.how === 'back') {
      ledger.adopt({ act: 'reopen', closedBy: taking.closedBy, ...sub, operator: runtime.operator });
      return;
    }
    const highest = document.lineages.reduce((most, lineage) => Math.max(most, lineage.ctr), document.floor);
    ledger.adopt({
      act: 'import',
      document: digest,
      kid,
      ledgerId: document.ledgerId,
      from: positionOf(document),
      ...(document.taken === undefined ? {} : { taken: document.taken }),
      ...sub,
      floor: document.floor,
      highest,
      operator: runtime.operator,
    });
    for (const { payloadDigest, ...lineage } of document.lineages)
      if (lineage.ctr > 0)
        ledger.adopt({ act: 'counter', ...lineage, ...(payloadDigest === undefined ? {} : { payloadDigest }) });
  });
  await runtime.step('counters-recorded');
  await ledger.anchor();
  await runtime.step('counters-anchored');
}

function conflict(message: string, hint: string): VtlicError {
  return new VtlicError('ledger_conflict', message, { hint });
}
