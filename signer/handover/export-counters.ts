/**
 * Hands counters over: signed → recorded, which closes them here → anchored → written. A ledger has always closed the
 * counters in a document before it writes that document.
 */
import { decodeCoseSign1, encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import {
  type CountersDocument,
  decodeCounters,
  encodeCounters,
  type HandedLineage,
} from '../../formats/counters-document.ts';
import { concatBytes, equalBytes, toHex } from '../../formats/bytes.ts';
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
 *
 * @throws VtlicError `ledger_conflict` if it names another recipient
 */
export function standingDocument(ledger: LedgerView, { sub, to }: Handover): Uint8Array | undefined {
  const gate = ledger.closedBy(sub ?? '');
  if (gate === undefined) {
    if (sub === undefined) refusePartlyClosed(ledger);
    return undefined;
  }
  const entry = ledger.entry(gate);
  if (entry?.kind === 'close' && entry.body.sub === sub) {
    const { document } = entry.body;
    const named = decodeCounters(decodeCoseSign1(document, TYP.counters).payload).to;
    if (named === undefined || equalBytes(named, to)) return document;
    throw new VtlicError(
      'ledger_conflict',
      `these counters were handed over to the ledger ${toHex(named)}, by entry ${gate}, and not to ${toHex(to)}`,
      {
        file: ledger.path,
        hint:
          'if that ledger surely has not taken them over, write the document out again with --to of that ledger and ' +
          'take it back: vtlic counters import FILE',
      },
    );
  }
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

/** A document for all customers would include a customer whose counters another ledger has. */
function refusePartlyClosed(ledger: LedgerView): void {
  const [entry] = handedByName(ledger);
  if (entry?.body.sub === undefined) return;
  throw new VtlicError(
    'ledger_conflict',
    `the counters of ${entry.body.sub} were handed over before (entry ${entry.seq}), so not all can be handed ` +
      'over now',
    { file: ledger.path, hint: 'hand the other customers over one by one (--customer ID), or take those back first' },
  );
}

export interface Handover {
  /** The one customer; undefined: everybody. */
  readonly sub: string | undefined;
  /** The one ledger that may take the counters over, 16 bytes. */
  readonly to: Uint8Array;
}

/** The content of a document about the ledger as it is now, for one customer or for all. */
export function countersOf(ledger: LedgerView, { sub, to }: Handover, made: number): CountersDocument {
  const head = ledger.head();
  const origin = ledger.logs().at(-1)?.origin ?? ledger.genesis.origin;
  const taken = concatBytes(...takenFor(ledger, sub));
  return Object.freeze({
    iss: ledger.genesis.iss,
    to,
    ledgerId: ledger.genesis.ledgerId,
    origin,
    made,
    head: { entries: head.entries, size: head.size, root: head.root, chain: head.chain, bound: head.counterBound },
    ...(taken.length === 0 ? {} : { taken }),
    ...(sub === undefined ? {} : { sub }),
    floor: ledger.floorOf(sub),
    lineages: Object.freeze([...handed(ledger, sub)]),
  });
}

/** Each once: the documents that were taken over, and those by which the ledgers before this one got the counters. */
function takenFor(ledger: LedgerView, sub: string | undefined): readonly Uint8Array[] {
  const digests = ledger.adminEntries().flatMap(({ kind, body }) => {
    if (kind !== 'adopt' || body.act !== 'import') return [];
    const concerns = sub === undefined || body.sub === undefined || body.sub === sub;
    return concerns ? [body.document, ...digestsIn(body.taken)] : [];
  });
  return [...new Map(digests.map((digest) => [toHex(digest), digest])).values()];
}

export function digestsIn(taken: Uint8Array = new Uint8Array(0)): readonly Uint8Array[] {
  return Array.from({ length: Math.floor(taken.length / 32) }, (_, i) => taken.slice(i * 32, (i + 1) * 32));
}

function* handed(ledger: LedgerView, sub: string | undefined): Generator<HandedLineage, void> {
  for (const lineage of lineagesIn(ledger, sub)) {
    const newest = newestOfLineage(ledger, lineage);
    yield {
      ...lineage,
      ctr: ledger.lastCounter(lineage),
      ...(newest === undefined ? {} : { payloadDigest: sha256(newest.payload) }),
    };
  }
}

/** All known lineages, of one customer or of everybody. */
export function* lineagesIn(ledger: LedgerView, sub: string | undefined): Generator<Lineage, void> {
  for (let after: Lineage | undefined = sub === undefined ? undefined : { sub, aud: '' }; ;) {
    const page = ledger.knownLineages({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const lineage of page) {
      if (sub !== undefined && lineage.sub !== sub) return;
      yield lineage;
    }
    after = page.at(-1);
    if (page.length < PAGE) return;
  }
}

/** @param key with the purpose `counters` */
export async function handOver(
  ledger: Ledger,
  handover: Handover,
  key: SigningKey,
  runtime: Runtime,
): Promise<Uint8Array> {
  const { sub, to } = handover;
  if (equalBytes(to, ledger.genesis.ledgerId))
    throw new VtlicError('usage', '--to is the id of this ledger, which cannot hand its counters over to itself', {
      hint: 'give the id of the other ledger after --to: vtlic ledger status prints it there',
    });
  const payload = encodeCounters(countersOf(ledger, handover, nowSeconds(runtime)));
  const protectedBytes = encodeProtected(key.publicKey.alg, key.publicKey.kid, TYP.counters);
  const message = sigStructure(protectedBytes, payload);
  const signature = await key.sign(message);
  if (!verifySignature(key.publicKey, message, signature, otherProvider(key.signedBy)))
    throw new VtlicError(
      'self_check_failed',
      'the signature on the counters document is not valid: nothing was handed over',
      { hint: 'check the key: vtlic key check NAME' },
    );
  await runtime.step('counters-signed');
  const document = encodeCoseSign1(protectedBytes, payload, signature);
  ledger.closeCounters({ ...(sub === undefined ? {} : { sub }), document, operator: runtime.operator });
  await runtime.step('counters-recorded');
  await ledger.anchor();
  await runtime.step('counters-anchored');
  return document;
}
