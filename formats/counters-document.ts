/**
 * Counters that one ledger hands over to another: the payload of a `COSE_Sign1` of type `application/vnd.vtlic.counters+cose`.
 *
 * A deterministic CBOR map with text keys; docs/ledger.md has its members.
 */
import { compareBytes, utf8 } from './bytes.ts';
import { decodeCbor } from './cbor/decode.ts';
import { encodeCbor } from './cbor/encode.ts';
import { isCborArray, isCborBytes, isCborMap, type CborMap, type CborValue } from './cbor/value.ts';
import { VtlicError } from './error.ts';
import { MAX_COUNT, MAX_TIME } from './license/bounds.ts';
import { isId } from './license/id.ts';

export interface CountersDocument {
  readonly iss: string;
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
  };
  /** The one customer that it speaks of; absent: everybody. */
  readonly sub?: string;
  /** No lineage that is not listed goes on below this. */
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

const FORMAT = 1;
const DIGEST_BYTES = 32;
const LEDGER_ID_BYTES = 16;

export function encodeCounters(document: CountersDocument): Uint8Array {
  const { head } = document;
  return encodeCbor(
    mapOf({
      format: FORMAT,
      iss: document.iss,
      ledger: document.ledgerId,
      origin: document.origin,
      made: document.made,
      head: mapOf({ entries: head.entries, size: head.size, root: head.root, chain: head.chain }),
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

/** @throws VtlicError `claims_malformed` */
export function decodeCounters(payload: Uint8Array): CountersDocument {
  const map = asMap(read(payload), 'the document');
  exact(map, ['format', 'iss', 'ledger', 'origin', 'made', 'head', 'floor', 'lineages'], ['sub']);
  if (map.get('format') !== FORMAT) throw malformed('format', `should be ${FORMAT}`);
  const head = asMap(map.get('head'), 'head');
  exact(head, ['entries', 'size', 'root', 'chain'], []);
  const sub = map.has('sub') ? { sub: id(map, 'sub') } : {};
  const lineages = map.get('lineages');
  if (!isCborArray(lineages)) throw malformed('lineages', 'should be an array');
  const read1 = lineages.map(lineageOf);
  for (const [i, lineage] of read1.entries()) {
    const before = read1[i - 1];
    if (before !== undefined && compareBytes(sortKey(before), sortKey(lineage)) >= 0)
      throw malformed('lineages', 'should be in order, each once');
    if (sub.sub !== undefined && lineage.sub !== sub.sub)
      throw malformed('lineages', 'should be of the one customer that it speaks of');
  }
  return Object.freeze({
    iss: id(map, 'iss'),
    ledgerId: bytes(map, 'ledger', LEDGER_ID_BYTES),
    origin: text(map, 'origin', 512),
    made: integer(map, 'made', MAX_TIME),
    head: Object.freeze({
      entries: integer(head, 'entries', MAX_COUNT),
      size: integer(head, 'size', MAX_COUNT),
      root: bytes(head, 'root', DIGEST_BYTES),
      chain: bytes(head, 'chain', DIGEST_BYTES),
    }),
    ...sub,
    floor: integer(map, 'floor', MAX_COUNT),
    lineages: Object.freeze(read1),
  });
}

function lineageOf(value: CborValue): HandedLineage {
  const map = asMap(value, 'a lineage');
  exact(map, ['aud', 'sub', 'ctr'], ['dep', 'payload']);
  return Object.freeze({
    aud: id(map, 'aud'),
    sub: id(map, 'sub'),
    ...(map.has('dep') ? { dep: id(map, 'dep') } : {}),
    ctr: integer(map, 'ctr', MAX_COUNT),
    ...(map.has('payload') ? { payloadDigest: bytes(map, 'payload', DIGEST_BYTES) } : {}),
  });
}

/** Ids hold no character below 0x2d, so that a shorter one comes first. */
function sortKey({ sub, aud, dep }: HandedLineage): Uint8Array {
  return utf8(`${sub} ${aud} ${dep ?? ''}`);
}

function read(payload: Uint8Array): CborValue {
  try {
    return decodeCbor(payload);
  } catch (error) {
    if (error instanceof VtlicError)
      throw new VtlicError('claims_malformed', error.message, { ...error.place, cause: error });
    throw error;
  }
}

function asMap(value: CborValue | undefined, what: string): CborMap {
  if (!isCborMap(value)) throw malformed(what, 'should be a map');
  return value;
}

function exact(map: CborMap, required: readonly string[], optional: readonly string[]): void {
  for (const name of required) if (!map.has(name)) throw malformed(name, 'is missing');
  const known = new Set<CborValue>([...required, ...optional]);
  for (const name of map.keys())
    if (!known.has(name))
      throw new VtlicError('claims_unknown', 'the document of counters has a member that this version does not know');
}

function id(map: CborMap, name: string): string {
  const value = map.get(name);
  if (typeof value !== 'string' || !isId(value)) throw malformed(name, 'should be an id');
  return value;
}

function text(map: CborMap, name: string, most: number): string {
  const value = map.get(name);
  if (typeof value !== 'string' || value.length > most)
    throw malformed(name, `should be a text of at most ${most} characters`);
  return value;
}

function bytes(map: CborMap, name: string, length: number): Uint8Array {
  const value = map.get(name);
  if (!isCborBytes(value) || value.length !== length) throw malformed(name, `should be ${length} bytes`);
  return value;
}

function integer(map: CborMap, name: string, most: number): number {
  const value = map.get(name);
  if (typeof value !== 'number' || value < 0 || value > most)
    throw malformed(name, `should be a number of 0 to ${most}`);
  return value;
}

function mapOf(members: Readonly<Record<string, CborValue | undefined>>): CborMap {
  const map = new Map<CborValue, CborValue>();
  for (const [name, value] of Object.entries(members)) if (value !== undefined) map.set(name, value);
  return map;
}

function malformed(field: string, what: string): VtlicError {
  return new VtlicError('claims_malformed', `the document of counters is malformed: ${field} ${what}`, { field });
}
