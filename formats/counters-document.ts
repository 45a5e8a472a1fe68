/**
 * Counters that one ledger hands over to another: the payload of a `COSE_Sign1` of type
 * `application/vnd.vtlic.counters+cose`.
 *
 * A deterministic CBOR map with text keys; docs/ledger.md has its members.
 */
import { compareBytes, utf8 } from './bytes.ts';
import { encodeCbor, MapReader, type CborMap, type CborValue, type MapErrors } from './cbor/index.ts';
import { VtlicError } from './error.ts';
import { MAX_COUNT, MAX_TIME } from './license/bounds.ts';
import { isId } from './license/id.ts';

export interface CountersDocument {
  readonly iss: string;
  /** 16 bytes: the one ledger that may take the counters over; absent in documents of version 0.1.0. */
  readonly to?: Uint8Array;
  /** 16 bytes. */
  readonly ledgerId: Uint8Array;
  /** The log that the head is of. */
  readonly origin: string;
  /** Seconds. */
  readonly made: number;
  readonly head: {
    readonly entries: number;
    readonly size: number;
    readonly root: Uint8Array;
    readonly chain: Uint8Array;
    /** Upper bound on counter growth: rises with every document of a ledger, also after a restore. */
    readonly bound?: number;
  };
  /** SHA-256 of the documents that brought these counters to this ledger, one after the other. */
  readonly taken?: Uint8Array;
  /** The one customer that it is for; absent: all customers. */
  readonly sub?: string;
  /** A lineage that is not listed continues above this counter. */
  readonly floor: number;
  /** In bytewise order of (sub, aud, dep), an absent deployment first; each once. */
  readonly lineages: readonly HandedLineage[];
}

export interface HandedLineage {
  readonly aud: string;
  readonly sub: string;
  readonly dep?: string;
  /** The counter that was spent last. */
  readonly ctr: number;
  /** SHA-256 of the payload of the license with the highest counter that has one. */
  readonly payloadDigest?: Uint8Array;
}

/** 1 is of version 0.1.0: it names no recipient. */
const FORMATS = [1, 2] as const;
const DIGEST_BYTES = 32;
const LEDGER_ID_BYTES = 16;
const MAX_ORIGIN_CHARACTERS = 512;

export function encodeCounters(document: CountersDocument): Uint8Array {
  const { head } = document;
  return encodeCbor(
    mapOf({
      format: document.to === undefined ? 1 : 2,
      iss: document.iss,
      to: document.to,
      ledger: document.ledgerId,
      origin: document.origin,
      made: document.made,
      head: mapOf({
        entries: head.entries,
        size: head.size,
        root: head.root,
        chain: head.chain,
        bound: document.to === undefined ? undefined : head.bound,
      }),
      taken: document.to === undefined ? undefined : document.taken,
      sub: document.sub,
      floor: document.floor,
      lineages: document.lineages.map((lineage) =>
        mapOf({
          aud: lineage.aud,
          sub: lineage.sub,
          dep: lineage.dep,
          ctr: lineage.ctr,
          payload: lineage.payloadDigest,
        }),
      ),
    }),
  );
}

/** @throws VtlicError `claims_malformed`, `claims_unknown` for a member that this version does not know */
export function decodeCounters(payload: Uint8Array): CountersDocument {
  const reader = MapReader.decode(payload, ERRORS);
  const isFirst = reader.oneOf('format', FORMATS) === 1;
  const document: CountersDocument = {
    iss: readId(reader, 'iss'),
    ...(isFirst ? {} : { to: reader.bytes('to', LEDGER_ID_BYTES) }),
    ledgerId: reader.bytes('ledger', LEDGER_ID_BYTES),
    origin: reader.text('origin', MAX_ORIGIN_CHARACTERS),
    made: reader.integer('made', 0, MAX_TIME),
    head: decodeHead(reader.map('head'), isFirst),
    ...(!isFirst && reader.has('taken') ? { taken: readDigests(reader) } : {}),
    ...(reader.has('sub') ? { sub: readId(reader, 'sub') } : {}),
    floor: reader.integer('floor', 0, MAX_COUNT),
    lineages: Object.freeze(reader.maps('lineages').map(decodeLineage)),
  };
  reader.end();
  checkLineages(document);
  return Object.freeze(document);
}

function readDigests(reader: MapReader): Uint8Array {
  const digests = reader.bytes('taken');
  if (digests.length % DIGEST_BYTES !== 0) throw malformed('taken', `should be digests of ${DIGEST_BYTES} bytes each`);
  return digests;
}

function decodeHead(reader: MapReader, isFirst: boolean): CountersDocument['head'] {
  const head = {
    entries: reader.integer('entries', 0, MAX_COUNT),
    size: reader.integer('size', 0, MAX_COUNT),
    root: reader.bytes('root', DIGEST_BYTES),
    chain: reader.bytes('chain', DIGEST_BYTES),
    ...(isFirst ? {} : { bound: reader.integer('bound', 0, MAX_COUNT) }),
  };
  reader.end();
  return Object.freeze(head);
}

function decodeLineage(reader: MapReader): HandedLineage {
  const lineage = {
    aud: readId(reader, 'aud'),
    sub: readId(reader, 'sub'),
    ...(reader.has('dep') ? { dep: readId(reader, 'dep') } : {}),
    ctr: reader.integer('ctr', 0, MAX_COUNT),
    ...(reader.has('payload') ? { payloadDigest: reader.bytes('payload', DIGEST_BYTES) } : {}),
  };
  reader.end();
  return Object.freeze(lineage);
}

function checkLineages({ sub, lineages }: CountersDocument): void {
  for (const [i, lineage] of lineages.entries()) {
    const before = lineages[i - 1];
    if (before !== undefined && compareBytes(sortKey(before), sortKey(lineage)) >= 0)
      throw malformed('lineages', 'should be in order, each once');
    if (sub !== undefined && lineage.sub !== sub)
      throw malformed('lineages', 'should be of the one customer that the document is for');
  }
}

/** Ids contain no character below 0x2d, so that a shorter one comes first. */
function sortKey({ sub, aud, dep }: HandedLineage): Uint8Array {
  return utf8(`${sub} ${aud} ${dep ?? ''}`);
}

function readId(reader: MapReader, name: string): string {
  return reader.textOf(name, isId, 'an id');
}

function mapOf(members: Readonly<Record<string, CborValue | undefined>>): CborMap {
  const map = new Map<CborValue, CborValue>();
  for (const [name, value] of Object.entries(members)) if (value !== undefined) map.set(name, value);
  return map;
}

const ERRORS: MapErrors = {
  member: malformed,
  unknown: () => new VtlicError('claims_unknown', 'the counters document has a member that this version does not know'),
  unreadable: (why, cause) => new VtlicError('claims_malformed', why, { ...cause?.place, cause }),
};

function malformed(field: string, what: string): VtlicError {
  return new VtlicError('claims_malformed', `the counters document is malformed: ${field} ${what}`, { field });
}
