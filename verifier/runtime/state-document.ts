/**
 * The state as bytes (docs/runtime.md, "The state document"): a line that says what it is, the SHA-256 of what follows,
 * and one CBOR map of the profile of this format. The digest finds a flipped bit; it protects against nobody.
 */
import { concatBytes, equalBytes, fromHex, utf8 } from '../../formats/bytes.ts';
import {
  decodeCbor,
  encodeCbor,
  isCborMap,
  MapReader,
  type CborMap,
  type CborValue,
  type MapErrors,
} from '../../formats/cbor/index.ts';
import { VtlicError } from '../../formats/error.ts';
import { LICENSE_LIMITS } from '../../formats/armor.ts';
import { MAX_CHAIN_BYTES } from '../../formats/keyset/keyset.ts';
import { MAX_COUNT, MAX_TIME } from '../../formats/license/bounds.ts';
import { isLineage } from '../../formats/license/id.ts';
import { defaultProvider } from '../../keys/public/provider-default.ts';
import { entryKey, type AcceptedEntry, type RuntimeState } from './state.ts';

/**
 * The oldest release that reads a document understands this number. A later release adds members without raising it, as
 * long as a product that passes over them is still right.
 */
const FORMAT = 1;

const BEGIN: Uint8Array = utf8('vtlic-state\n');
const DIGEST_BYTES = 32;
const HEAD_BYTES: number = BEGIN.length + DIGEST_BYTES;

/** 16 MiB of keysets, and the rest of it. */
export const MAX_STATE_BYTES: number = 20 * 1024 * 1024;
export const MAX_ENTRIES = 4096;
const MAX_HOLDER_CHARACTERS = 200;
const MAX_UNKNOWN = 64;

/** `newer`: a later release wrote it in a way that this one cannot read. */
export type DecodedState =
  | { readonly ok: true; readonly state: RuntimeState }
  | { readonly ok: false; readonly fault: 'corrupt' | 'newer'; readonly detail: string };

export function encodeState(state: RuntimeState): Uint8Array {
  const { epoch, time, entries, kept, keyset, revision, lease, unknown } = state;
  const map = new Map<string, CborValue>(unknown);
  map.set('format', FORMAT);
  map.set('revision', revision);
  map.set('epoch', epoch);
  map.set('floor', time.floor);
  map.set('lead', time.leadRun);
  map.set('leadTime', time.leadTime);
  map.set('accepted', entries.map(encodeEntry));
  if (kept !== undefined) map.set('kept', mapOf({ seq: kept.sequence, file: kept.file }));
  if (keyset !== undefined) map.set('keyset', mapOf({ version: keyset.version, chain: keyset.chain }));
  if (lease !== undefined) map.set('lease', mapOf({ holder: lease.holder, beat: lease.beat }));
  const body = encodeCbor(map);
  return concatBytes(BEGIN, defaultProvider.sha256(body), body);
}

function encodeEntry(entry: AcceptedEntry): CborMap {
  return mapOf({
    lineage: entry.lineage,
    kid: bytesOf(entry.kid),
    ctr: entry.counter,
    digest: bytesOf(entry.payloadDigest),
    iat: entry.iat,
    seq: entry.sequence,
  });
}

function bytesOf(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  if (bytes === undefined) throw new VtlicError('internal', 'the state has a kid or a digest that is not in hex');
  return bytes;
}

function mapOf(members: Readonly<Record<string, CborValue>>): CborMap {
  return new Map(Object.entries(members));
}

/** Never throws for bytes that are wrong: a copy that is damaged is repaired from the others. */
export function decodeState(bytes: Uint8Array): DecodedState {
  try {
    return decodeChecked(bytes);
  } catch (error) {
    if (error instanceof VtlicError) return { ok: false, fault: 'corrupt', detail: error.message };
    throw error;
  }
}

function corrupt(detail: string): DecodedState {
  return { ok: false, fault: 'corrupt', detail };
}

function decodeChecked(bytes: Uint8Array): DecodedState {
  if (bytes.length > MAX_STATE_BYTES) return corrupt(`it has more than ${MAX_STATE_BYTES} bytes`);
  if (bytes.length <= HEAD_BYTES || !equalBytes(bytes.subarray(0, BEGIN.length), BEGIN))
    return corrupt('it does not begin as a state does');
  const body = bytes.subarray(HEAD_BYTES);
  if (!equalBytes(defaultProvider.sha256(body), bytes.subarray(BEGIN.length, HEAD_BYTES)))
    return corrupt('its digest does not match its content');
  const value = decodeCbor(body);
  if (!isCborMap(value)) return corrupt('its content is not a map');
  const reader = new MapReader(value, ERRORS);
  const format = reader.integer('format', 1);
  if (format > FORMAT)
    return { ok: false, fault: 'newer', detail: `it has the format ${format}, and this release reads ${FORMAT}` };
  return { ok: true, state: readState(reader, readUnknown(value)) };
}

const NAMES: ReadonlySet<CborValue> = new Set([
  'format',
  'revision',
  'epoch',
  'floor',
  'lead',
  'leadTime',
  'accepted',
  'kept',
  'keyset',
  'lease',
]);

function readState(reader: MapReader, unknown: ReadonlyMap<string, CborValue>): RuntimeState {
  const kept = reader.has('kept') ? readKept(reader.map('kept')) : undefined;
  const keyset = reader.has('keyset') ? readKeyset(reader.map('keyset')) : undefined;
  const lease = reader.has('lease') ? readLease(reader.map('lease')) : undefined;
  return {
    epoch: reader.integer('epoch', 0),
    time: {
      floor: reader.integer('floor', 0, MAX_TIME),
      leadRun: reader.integer('lead', 0, MAX_TIME),
      leadTime: reader.integer('leadTime', 0, MAX_TIME),
    },
    entries: readEntries(reader),
    ...(kept === undefined ? {} : { kept }),
    ...(keyset === undefined ? {} : { keyset }),
    revision: reader.integer('revision', 0),
    ...(lease === undefined ? {} : { lease }),
    ...(unknown.size === 0 ? {} : { unknown }),
  };
}

function readEntries(reader: MapReader): readonly AcceptedEntry[] {
  const maps = reader.maps('accepted');
  if (maps.length > MAX_ENTRIES) throw reader.error('accepted', `should have at most ${MAX_ENTRIES} entries`);
  let before = '';
  return maps.map((map) => {
    const entry: AcceptedEntry = {
      lineage: map.textOf('lineage', isLineage, 'a lineage'),
      kid: map.hex('kid', DIGEST_BYTES),
      counter: map.integer('ctr', 1, MAX_COUNT),
      payloadDigest: map.hex('digest', DIGEST_BYTES),
      iat: map.integer('iat', 0, MAX_TIME),
      sequence: map.integer('seq', 0),
    };
    map.end();
    const key = entryKey(entry);
    if (key <= before) throw reader.error('accepted', 'should be sorted, each lineage and key once');
    before = key;
    return entry;
  });
}

function readKept(map: MapReader): NonNullable<RuntimeState['kept']> {
  const kept = { sequence: map.integer('seq', 0), file: map.bytes('file') };
  map.end();
  if (kept.file.length > LICENSE_LIMITS.fileBytes) throw map.error('file', 'should be no larger than a license');
  return kept;
}

function readKeyset(map: MapReader): NonNullable<RuntimeState['keyset']> {
  const keyset = { version: map.integer('version', 0), chain: map.bytes('chain') };
  map.end();
  if (keyset.chain.length > MAX_CHAIN_BYTES) throw map.error('chain', `should have at most ${MAX_CHAIN_BYTES} bytes`);
  return keyset;
}

function readLease(map: MapReader): NonNullable<RuntimeState['lease']> {
  const lease = { holder: map.text('holder', MAX_HOLDER_CHARACTERS), beat: map.integer('beat', 0) };
  map.end();
  return lease;
}

/** A member that is an unknown member is written back, so that a later release finds it again. */
function readUnknown(all: CborMap): ReadonlyMap<string, CborValue> {
  const unknown = new Map<string, CborValue>();
  for (const [name, value] of all) {
    if (NAMES.has(name)) continue;
    if (typeof name !== 'string' || unknown.size === MAX_UNKNOWN) throw ERRORS.unknown();
    unknown.set(name, value);
  }
  return unknown;
}

const ERRORS: MapErrors = {
  member: (name, what) => new VtlicError('cbor_malformed', `its member "${name}" ${what}`),
  unknown: () => new VtlicError('cbor_malformed', 'it has members that cannot be kept'),
  unreadable: (why, cause) => new VtlicError('cbor_malformed', why, { cause }),
};
