/** Bytes of the bodies of `adopt` and `close` entries. Strict, as `entry-body.ts`. */
import { fromHex, toHex } from '../../../formats/bytes.ts';
import type { CborValue } from '../../../formats/cbor/index.ts';
import { decodeCoseSign1, TYP } from '../../../formats/cose-sign1.ts';
import { VtlicError } from '../../../formats/error.ts';
import { MAX_COUNT } from '../../../formats/license/bounds.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { isId, uuidToBytes } from '../../../formats/license/id.ts';
import type { Custody } from '../../../keys/private/signing-key.ts';
import { type AdoptBody, type CloseBody, NEW_LOG_REASONS, type ReenteredBody } from './admin-entry.ts';
import type { AnchorPlace, LedgerHead } from '../../anchor/index.ts';
import type { BodyReader } from './body-reader.ts';

const DIGEST_BYTES = 32;
const ID_BYTES = 16;
const SALT_BYTES = 32;
const MAX_ID = 128;
const MAX_OPERATOR = 1024;
const MAX_ORIGIN = 512;
const MAX_PATH = 4096;
const MAX_REASONS = 262_144;
const CUSTODIES = ['hsm', 'hsm-wrapped', 'split', 'software'] as const satisfies readonly Custody[];

type Members = Readonly<Record<string, CborValue | undefined>>;

const ACTS = [
  'log',
  'license',
  'anchor',
  'import',
  'counter',
  'reopen',
  'keyset-signing',
  'keyset',
] as const satisfies readonly AdoptBody['act'][];

export function adoptMembers(body: AdoptBody): Members {
  switch (body.act) {
    case 'log':
      return {
        act: body.act,
        reason: body.reason,
        log: body.logId,
        origin: body.origin,
        anchor: mapOf(anchorPlaceMembers(body.anchor)),
        restored: headMap(body.restored),
        covered: body.covered,
        'covered-reach': body.coveredBound,
        found: body.found === undefined ? undefined : headMap(body.found),
        skip: body.skip,
        highest: body.highest,
        closed: body.closed,
        keyset: body.keysetVersion,
        operator: body.operator,
        salt: body.salt,
        leaf: body.leafIndex,
      };
    case 'license':
      return { act: body.act, cose: body.cose, salt: body.salt, leaf: body.leafIndex };
    case 'anchor':
      return { act: body.act, anchor: mapOf(anchorPlaceMembers(body.anchor)), operator: body.operator };
    case 'import':
      return {
        act: body.act,
        document: body.document,
        kid: fromHex(body.kid) ?? new Uint8Array(0),
        ledger: body.ledgerId,
        entries: body.from?.entries,
        bound: body.from?.bound,
        taken: body.taken,
        sub: body.sub,
        floor: body.floor,
        highest: body.highest,
        operator: body.operator,
      };
    case 'counter':
      return { act: body.act, aud: body.aud, sub: body.sub, dep: body.dep, ctr: body.ctr, payload: body.payloadDigest };
    case 'keyset-signing':
      return {
        act: body.act,
        kid: fromHex(body.kid) ?? new Uint8Array(0),
        version: body.version,
        payload: body.payloadDigest,
        custody: body.custody,
        operator: body.operator,
      };
    case 'keyset':
      return {
        act: body.act,
        version: body.version,
        payload: body.payloadDigest,
        document: body.document,
        reasons: body.reasons.length === 0 ? undefined : body.reasons.join('\n'),
        operator: body.operator,
      };
    default:
      return { act: body.act, 'closed-by': body.closedBy, sub: body.sub, operator: body.operator };
  }
}

export function readAdopt(reader: BodyReader): AdoptBody {
  const act = reader.oneOf('act', ACTS);
  switch (act) {
    case 'log':
      return {
        act,
        reason: reader.oneOf('reason', NEW_LOG_REASONS),
        logId: reader.bytes('log', ID_BYTES),
        origin: reader.text('origin', MAX_ORIGIN),
        anchor: readAnchorPlace(reader.map('anchor')),
        restored: readHead(reader.map('restored')),
        covered: count(reader, 'covered'),
        coveredBound: count(reader, 'covered-reach'),
        ...(reader.has('found') ? { found: readHead(reader.map('found')) } : {}),
        skip: count(reader, 'skip'),
        highest: count(reader, 'highest'),
        closed: reader.boolean('closed'),
        ...keysetVersion(reader),
        operator: reader.text('operator', MAX_OPERATOR),
        salt: reader.bytes('salt', SALT_BYTES),
        leafIndex: count(reader, 'leaf'),
      };
    case 'license': {
      const cose = reader.bytes('cose');
      return {
        act,
        cose,
        license: readLicense(reader, cose),
        salt: reader.bytes('salt', SALT_BYTES),
        leafIndex: count(reader, 'leaf'),
      };
    }
    case 'anchor':
      return { act, anchor: readAnchorPlace(reader.map('anchor')), operator: reader.text('operator', MAX_OPERATOR) };
    case 'import':
      return {
        act,
        document: reader.bytes('document', DIGEST_BYTES),
        kid: toHex(reader.bytes('kid', DIGEST_BYTES)),
        ledgerId: reader.bytes('ledger', ID_BYTES),
        ...(reader.has('entries')
          ? { from: { entries: count(reader, 'entries'), bound: count(reader, 'bound') } }
          : {}),
        ...(reader.has('taken') ? { taken: reader.bytes('taken') } : {}),
        ...scope(reader),
        floor: count(reader, 'floor'),
        highest: count(reader, 'highest'),
        operator: reader.text('operator', MAX_OPERATOR),
      };
    case 'counter':
      return {
        act,
        aud: id(reader, 'aud'),
        sub: id(reader, 'sub'),
        ...(reader.has('dep') ? { dep: id(reader, 'dep') } : {}),
        ctr: reader.integer('ctr', 1, MAX_COUNT),
        ...(reader.has('payload') ? { payloadDigest: reader.bytes('payload', DIGEST_BYTES) } : {}),
      };
    case 'keyset-signing':
      return {
        act,
        kid: toHex(reader.bytes('kid', DIGEST_BYTES)),
        version: reader.integer('version', 1, MAX_COUNT),
        payloadDigest: reader.bytes('payload', DIGEST_BYTES),
        custody: reader.oneOf('custody', CUSTODIES),
        operator: reader.text('operator', MAX_OPERATOR),
      };
    case 'keyset':
      return {
        act,
        version: reader.integer('version', 1, MAX_COUNT),
        payloadDigest: reader.bytes('payload', DIGEST_BYTES),
        document: reader.bytes('document'),
        reasons: Object.freeze(reader.has('reasons') ? reader.text('reasons', MAX_REASONS).split('\n') : []),
        operator: reader.text('operator', MAX_OPERATOR),
      };
    default:
      return {
        act,
        closedBy: reader.integer('closed-by', 1, MAX_COUNT),
        ...scope(reader),
        operator: reader.text('operator', MAX_OPERATOR),
      };
  }
}

export function closeMembers(body: CloseBody): Members {
  return { sub: body.sub, document: body.document, operator: body.operator };
}

export function readClose(reader: BodyReader): CloseBody {
  return { ...scope(reader), document: reader.bytes('document'), operator: reader.text('operator', MAX_OPERATOR) };
}

export function anchorPlaceMembers(place: AnchorPlace): Readonly<Record<string, CborValue>> {
  return place.kind === 'file'
    ? { kind: place.kind, path: place.path }
    : { kind: place.kind, keystore: place.keystore, label: place.label };
}

export function readAnchorPlace(reader: BodyReader): AnchorPlace {
  const kind = reader.oneOf('kind', ['file', 'token']);
  const place: AnchorPlace = Object.freeze(
    kind === 'file'
      ? { kind, path: reader.text('path', MAX_PATH) }
      : { kind, keystore: id(reader, 'keystore'), label: id(reader, 'label') },
  );
  reader.end();
  return place;
}

function headMap(head: LedgerHead): ReadonlyMap<CborValue, CborValue> {
  return mapOf({
    entries: head.entries,
    log: head.logId,
    size: head.size,
    root: head.root,
    reach: head.counterBound,
    closes: head.closes,
    chain: head.chain,
    keyset: head.keysetVersion,
  });
}

function readHead(reader: BodyReader): LedgerHead {
  const head: LedgerHead = {
    entries: reader.integer('entries', 1, MAX_COUNT),
    logId: reader.bytes('log', ID_BYTES),
    size: count(reader, 'size'),
    root: reader.bytes('root', DIGEST_BYTES),
    counterBound: count(reader, 'reach'),
    closes: count(reader, 'closes'),
    chain: reader.bytes('chain', DIGEST_BYTES),
    ...keysetVersion(reader),
  };
  reader.end();
  return Object.freeze(head);
}

/** What a license says of its lineage; its signature was checked before it was recorded. */
function readLicense(reader: BodyReader, cose: Uint8Array): ReenteredBody['license'] {
  try {
    const { kid, payload } = decodeCoseSign1(cose, TYP.license);
    const { aud, sub, dep, ctr, cti } = decodeLicense(payload);
    const licenseId = uuidToBytes(cti);
    if (licenseId === undefined) throw reader.fault('cose', 'should contain a license with an id');
    return Object.freeze({ aud, sub, ...(dep === undefined ? {} : { dep }), ctr, licenseId, kid, payload });
  } catch (error) {
    if (error instanceof VtlicError && error.code !== 'ledger_corrupt')
      throw reader.fault('cose', `should be a license: ${error.message}`);
    throw error;
  }
}

function mapOf(members: Members): ReadonlyMap<CborValue, CborValue> {
  const map = new Map<CborValue, CborValue>();
  for (const [name, value] of Object.entries(members)) if (value !== undefined) map.set(name, value);
  return map;
}

function scope(reader: BodyReader): { readonly sub?: string } {
  return reader.has('sub') ? { sub: id(reader, 'sub') } : {};
}

function keysetVersion(reader: BodyReader): { readonly keysetVersion?: number } {
  return reader.has('keyset') ? { keysetVersion: reader.integer('keyset', 1, MAX_COUNT) } : {};
}

function id(reader: BodyReader, name: string): string {
  const text = reader.text(name, MAX_ID);
  if (!isId(text)) throw reader.fault(name, 'should be an id');
  return text;
}

function count(reader: BodyReader, name: string): number {
  return reader.integer(name, 0, MAX_COUNT);
}
