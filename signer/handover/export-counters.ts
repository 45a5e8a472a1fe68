/**
 * Hands counters over: signed → recorded, which closes them here → anchored → written. A document that left has always
 * closed what it speaks of.
 */
import { encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import { type CountersDocument, encodeCounters, type HandedLineage } from '../../formats/counters-document.ts';
import { VtlicError } from '../../formats/error.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import { otherProvider } from '../../keys/public/provider-noble.ts';
import { verifySignature } from '../../keys/public/verify-signature.ts';
import {
  type CloseEntry,
  type Ledger,
  type LedgerView,
  type Lineage,
  newestOfLineage,
  sha256,
} from '../ledger/index.ts';
import { nowSeconds, type Runtime } from '../runtime.ts';

const PAGE = 1000;

/**
 * The document that closed this very scope, while it is closed: to be written out again. undefined while it is open.
 */
export function standingDocument(ledger: LedgerView, sub: string | undefined): Uint8Array | undefined {
  const gate = ledger.closedBy(sub ?? '');
  if (gate === undefined) {
    if (sub === undefined) refusePartlyClosed(ledger);
    return undefined;
  }
  const entry = ledger.entry(gate);
  if (entry?.kind === 'close' && entry.body.sub === sub) return entry.body.document;
  if (entry?.kind === 'adopt')
    throw new VtlicError('ledger_conflict', `these counters were closed by the restore in entry ${gate}`, {
      file: ledger.path,
      hint: 'see what opens them: vtlic help counters reopen',
    });
  throw new VtlicError('ledger_conflict', `these counters were handed over already, by entry ${gate}`, {
    file: ledger.path,
    hint: 'see what was handed over: vtlic ledger status',
  });
}

/** What closed a customer by name, and still does. */
export function handedByName(ledger: LedgerView): readonly CloseEntry[] {
  return ledger
    .adminEntries()
    .filter(
      (entry): entry is CloseEntry =>
        entry.kind === 'close' && entry.body.sub !== undefined && ledger.closedBy(entry.body.sub) === entry.seq,
    );
}

/** A document for all would speak of a customer whose counters are elsewhere. */
function refusePartlyClosed(ledger: LedgerView): void {
  const [entry] = handedByName(ledger);
  if (entry?.body.sub === undefined) return;
  throw new VtlicError(
    'ledger_conflict',
    `the counters of ${entry.body.sub} were handed over before (entry ${entry.seq}), so that not all can be ` +
      'handed over now',
    { file: ledger.path, hint: 'hand the other customers over one by one (--customer ID), or take those back first' },
  );
}

/** What a document says of the ledger as it stands: of one customer, or of all. */
export function countersOf(ledger: LedgerView, sub: string | undefined, made: number): CountersDocument {
  const head = ledger.head();
  const origin = ledger.logs().at(-1)?.origin ?? ledger.genesis.origin;
  return Object.freeze({
    iss: ledger.genesis.iss,
    ledgerId: ledger.genesis.ledgerId,
    origin,
    made,
    head: { entries: head.entries, size: head.size, root: head.root, chain: head.chain },
    ...(sub === undefined ? {} : { sub }),
    floor: ledger.floorOf(sub),
    lineages: Object.freeze([...handed(ledger, sub)]),
  });
}

function* handed(ledger: LedgerView, sub: string | undefined): Generator<HandedLineage, void> {
  for (let after: Lineage | undefined = sub === undefined ? undefined : { sub, aud: '' }; ;) {
    const page = ledger.knownLineages({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const lineage of page) {
      if (sub !== undefined && lineage.sub !== sub) return;
      const newest = newestOfLineage(ledger, lineage);
      yield {
        ...lineage,
        ctr: ledger.lastCounter(lineage),
        ...(newest === undefined ? {} : { payloadDigest: sha256(newest.payload) }),
      };
    }
    after = page.at(-1);
    if (page.length < PAGE) return;
  }
}

/** @param key with the purpose `counters` */
export async function handOver(
  ledger: Ledger,
  sub: string | undefined,
  key: SigningKey,
  world: Runtime,
): Promise<Uint8Array> {
  const payload = encodeCounters(countersOf(ledger, sub, nowSeconds(world)));
  const protectedBytes = encodeProtected(key.publicKey.alg, key.publicKey.kid, TYP.counters);
  const message = sigStructure(protectedBytes, payload);
  const signature = await key.sign(message);
  if (!verifySignature(key.publicKey, message, signature, otherProvider(key.signedBy)))
    throw new VtlicError(
      'self_check_failed',
      'the signature on the document of counters does not hold: nothing was handed over',
      { hint: 'check the key: vtlic key check NAME' },
    );
  await world.step('counters-signed');
  const document = encodeCoseSign1(protectedBytes, payload, signature);
  ledger.closeCounters({ ...(sub === undefined ? {} : { sub }), document, operator: world.operator });
  await world.step('counters-recorded');
  await ledger.anchor();
  await world.step('counters-anchored');
  return document;
}
