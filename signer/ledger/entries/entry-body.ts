/** Bodies of entries as deterministic CBOR maps with text keys, so that any CBOR tool shows what they say. */
import { toHex } from '../../../formats/bytes.ts';
import { type CborValue, encodeCbor } from '../../../formats/cbor/index.ts';
import { hasControlOrBidi } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { MAX_COUNT, MAX_TIME } from '../../../formats/license/bounds.ts';
import { isId, isUuidV7Bytes } from '../../../formats/license/id.ts';
import type { Custody } from '../../../keys/private/signing-key.ts';
import { adoptMembers, closeMembers, readAdopt, readClose, anchorPlaceMembers, readAnchorPlace } from './admin-body.ts';
import type { AdoptBody, CloseBody } from './admin-entry.ts';
import { BodyReader } from './body-reader.ts';
import {
  VOID_REASONS,
  type BatchRow,
  type ClockBody,
  type Entry,
  type EntryKind,
  type GenesisBody,
  type IntentBody,
  type IssueBody,
  type ReleaseBody,
  type VoidBody,
} from './entry.ts';
import { bytesOfKid } from './chain.ts';

export const DIGEST_BYTES = 32;
export const LEDGER_ID_BYTES = 16;
export const SALT_BYTES = 32;

const MAX_ID = 128;
const MAX_OPERATOR = 1024;
const MAX_PATH = 4096;
const CUSTODIES = ['hsm', 'hsm-wrapped', 'split', 'software'] as const satisfies readonly Custody[];

export type Bodies = { readonly [E in Entry as E['kind']]: E['body'] };

type Codec<B> = { readonly members: (body: B) => Members; readonly read: (reader: BodyReader) => B };
type Mutable<T> = { -readonly [M in keyof T]: T[M] };
type Members = Readonly<Record<string, CborValue | undefined>>;

/**
 * The bytes of a body, and the body read back from them: frozen, and sharing nothing with what the caller gave.
 * A member that is undefined is left out.
 *
 * @throws VtlicError `internal` for a body that cannot be read back
 */
export function makeBody<K extends EntryKind>(
  kind: K,
  body: Bodies[K],
): { readonly bytes: Uint8Array; readonly body: Bodies[K] } {
  const codec: Codec<Bodies[K]> = CODECS[kind];
  const bytes = encodeCbor(mapOf(codec.members(body)));
  try {
    return { bytes, body: decodeBody(kind, bytes, `a new ${kind} entry`) };
  } catch (error) {
    if (error instanceof VtlicError && error.code === 'ledger_corrupt')
      throw new VtlicError('internal', `an entry that breaks the ledger's rules was to be recorded: ${error.message}`, {
        cause: error,
      });
    throw error;
  }
}

/**
 * @param where for sentences: "entry 7 (issue)"
 * @throws VtlicError `ledger_corrupt`
 */
export function decodeBody<K extends EntryKind>(kind: K, bytes: Uint8Array, where: string): Bodies[K] {
  const codec: Codec<Bodies[K]> = CODECS[kind];
  const reader = BodyReader.of(bytes, where);
  const body = codec.read(reader);
  reader.end();
  Object.freeze(body);
  return body;
}

function mapOf(members: Members): ReadonlyMap<CborValue, CborValue> {
  const map = new Map<CborValue, CborValue>();
  for (const [name, value] of Object.entries(members)) if (value !== undefined) map.set(name, value);
  return map;
}

const genesis: Codec<GenesisBody> = {
  members: (body) => ({
    format: body.format,
    ledger: body.ledgerId,
    iss: body.iss,
    origin: body.origin,
    anchor: mapOf(anchorPlaceMembers(body.anchor)),
  }),
  read: (reader) => {
    reader.integer('format', 1, 1);
    return {
      format: 1,
      ledgerId: reader.bytes('ledger', LEDGER_ID_BYTES),
      iss: id(reader, 'iss'),
      origin: reader.text('origin', 512),
      anchor: readAnchorPlace(reader.map('anchor')),
    };
  },
};

const intent: Codec<IntentBody> = {
  // In the order of their encodings, which saves the encoder the sorting.
  members: (body) => ({
    id: body.licenseId,
    aud: body.aud,
    ctr: body.ctr,
    dep: body.dep,
    kid: bytesOfKid(body.kid),
    sub: body.sub,
    path: body.path,
    plan: body.planDigest,
    site: body.siteDigest,
    batch: body.batch === undefined ? undefined : mapOf({ row: body.batch.row, name: body.batch.name }),
    catalog: body.catalogDigest,
    custody: body.custody,
    payload: body.payload,
    operator: body.operator,
  }),
  read: (reader) => {
    const licenseId = reader.bytes('id', 16);
    if (!isUuidV7Bytes(licenseId)) throw reader.fault('id', 'should be a UUID of version 7');
    const body: Mutable<IntentBody> = {
      aud: id(reader, 'aud'),
      sub: id(reader, 'sub'),
      ctr: reader.integer('ctr', 1, MAX_COUNT),
      licenseId,
      kid: toHex(reader.bytes('kid', DIGEST_BYTES)),
      payload: reader.bytes('payload'),
      custody: reader.oneOf('custody', CUSTODIES),
      operator: reader.text('operator', MAX_OPERATOR),
      planDigest: reader.bytes('plan', DIGEST_BYTES),
      catalogDigest: reader.bytes('catalog', DIGEST_BYTES),
      siteDigest: reader.bytes('site', DIGEST_BYTES),
      path: releasePath(reader),
    };
    if (reader.has('dep')) body.dep = id(reader, 'dep');
    if (reader.has('batch')) body.batch = batchRow(reader.map('batch'));
    return body;
  },
};

function batchRow(reader: BodyReader): BatchRow {
  const row: BatchRow = Object.freeze({ name: id(reader, 'name'), row: reader.bytes('row', DIGEST_BYTES) });
  reader.end();
  return row;
}

const issue: Codec<IssueBody> = {
  members: (body) => ({ cose: body.cose, leaf: body.leafIndex, salt: body.salt, intent: body.intent }),
  read: (reader) => ({
    intent: seq(reader, 'intent'),
    cose: reader.bytes('cose'),
    salt: reader.bytes('salt', SALT_BYTES),
    leafIndex: reader.integer('leaf', 0, MAX_COUNT),
  }),
};

const voided: Codec<VoidBody> = {
  members: (body) => ({ intent: body.intent, reason: body.reason, salt: body.salt, leaf: body.leafIndex }),
  read: (reader) => ({
    intent: seq(reader, 'intent'),
    reason: reader.oneOf('reason', VOID_REASONS),
    salt: reader.bytes('salt', SALT_BYTES),
    leafIndex: reader.integer('leaf', 0, MAX_COUNT),
  }),
};

const release: Codec<ReleaseBody> = {
  members: (body) => ({ file: body.fileDigest, path: body.path, intent: body.intent }),
  read: (reader) => ({
    intent: seq(reader, 'intent'),
    path: releasePath(reader),
    fileDigest: reader.bytes('file', DIGEST_BYTES),
  }),
};

const clock: Codec<ClockBody> = {
  members: (body) => ({ reading: body.reading, confirmed: body.confirmed, operator: body.operator }),
  read: (reader) => ({
    reading: reader.integer('reading', 0, MAX_TIME),
    confirmed: reader.integer('confirmed', 0, MAX_TIME),
    operator: reader.text('operator', MAX_OPERATOR),
  }),
};

const adopt: Codec<AdoptBody> = { members: adoptMembers, read: readAdopt };
const close: Codec<CloseBody> = { members: closeMembers, read: readClose };

const CODECS: { readonly [K in EntryKind]: Codec<Bodies[K]> } = {
  genesis,
  intent,
  issue,
  void: voided,
  release,
  clock,
  adopt,
  close,
};

function id(reader: BodyReader, name: string): string {
  const text = reader.text(name, MAX_ID);
  if (!isId(text)) throw reader.fault(name, 'should be an id');
  return text;
}

function seq(reader: BodyReader, name: string): number {
  return reader.integer(name, 1, MAX_COUNT);
}

function releasePath(reader: BodyReader): string {
  const path = reader.text('path', MAX_PATH);
  if (!isReleasePath(path)) throw reader.fault('path', "should be below the site's folder");
  return path;
}

const MAX_PATH_CHARACTERS = 1024;

/** The common case, decided by one expression: letters, digits and marks, no part beginning with a dot. */
const PLAIN_PATH = /^(?:[\w-][\w.:~-]*\/)*[\w-][\w.:~-]*$/;

/**
 * True for a path below the site's folder in the one spelling that the ledger records: parts joined by `/`, none of
 * them empty, `.` or `..`.
 */
export function isReleasePath(path: string): boolean {
  if (path.length > MAX_PATH_CHARACTERS) return false;
  if (PLAIN_PATH.test(path)) return true;
  if (path.includes('\\') || hasControlOrBidi(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
