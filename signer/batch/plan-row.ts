/** The parts of a batch plan: a head, a row for each row of the file, an end. Each is one deterministic CBOR map. */
import { fromHex } from '../../formats/bytes.ts';
import { encodeCbor, MapReader, type CborValue, type MapErrors } from '../../formats/cbor/index.ts';
import { VtlicError } from '../../formats/error.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { isId } from '../../formats/license/id.ts';
import type { Lineage } from '../ledger/index.ts';
import type { PlanItem, PlanOrigin } from '../plan/plan.ts';
import { createHash } from 'node:crypto';
import { ExtBytes, type ExtValue } from '../../formats/license/license.ts';
import type { Request } from '../request/request.ts';

const SCHEMA = 'vtlic-batch-plan/1';
const ROW_DOMAIN = 'vtlic-batch-row/1';
const DIGEST_BYTES = 32;
const LEDGER_ID_BYTES = 16;

export interface BatchHead extends PlanOrigin {
  /** The batch's name. */
  readonly name: string;
  /** SHA-256 of the batch's file, hex. */
  readonly input: string;
  /** The key that signs every row, hex. */
  readonly kid: string;
}

/** A row that will be signed. */
export interface SignRow {
  readonly kind: 'sign';
  readonly line: number;
  /** `rowDigest` of its values. */
  readonly row: Uint8Array;
  readonly item: PlanItem;
}

/** A row that had its license when the plan was made: listed in the results, never signed. */
export interface DoneRow {
  readonly kind: 'done';
  readonly line: number;
  readonly row: Uint8Array;
  readonly lineage: Lineage;
}

export type PlanRow = SignRow | DoneRow;

export interface BatchEnd {
  readonly rows: number;
  /** How many of them will be signed. */
  readonly sign: number;
  /** Files go to `out/PRODUCT/_XX/CUSTOMER/…` instead of `out/PRODUCT/CUSTOMER/…`. */
  readonly sharded: boolean;
}

function hexBytes(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  if (bytes === undefined) throw new VtlicError('internal', 'a plan holds a value that is not hex');
  return bytes;
}

function map(members: Readonly<Record<string, CborValue>>): Uint8Array {
  return encodeCbor(new Map<CborValue, CborValue>(Object.entries(members)));
}

export function encodePlanHead(head: BatchHead): Uint8Array {
  return map({
    schema: SCHEMA,
    ledger: hexBytes(head.ledger),
    entries: head.entries,
    chain: hexBytes(head.chain),
    made: head.made,
    site: hexBytes(head.site),
    catalog: hexBytes(head.catalog),
    batch: head.name,
    input: hexBytes(head.input),
    kid: hexBytes(head.kid),
  });
}

export function encodeSignRow(line: number, row: Uint8Array, payload: Uint8Array): Uint8Array {
  return map({ line, row, payload });
}

export function encodeDoneRow({ line, row, lineage }: Omit<DoneRow, 'kind'>): Uint8Array {
  return map({
    line,
    row,
    aud: lineage.aud,
    sub: lineage.sub,
    ...(lineage.dep === undefined ? {} : { dep: lineage.dep }),
  });
}

export function encodeEnd(end: BatchEnd): Uint8Array {
  return map({ rows: end.rows, sign: end.sign, sharded: end.sharded });
}

function notAPlan(cause?: unknown): VtlicError {
  return new VtlicError('plan_stale', 'this is not a batch plan of this version', {
    hint: 'make a new plan with --dry-run and review it',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A plan's digest is checked before it is decoded: an error here means a plan of another version. */
const ERRORS: MapErrors = {
  member: () => notAPlan(),
  unknown: () => notAPlan(),
  unreadable: (_why, cause) => notAPlan(cause),
};

export function decodePlanHead(bytes: Uint8Array): BatchHead {
  const reader = MapReader.decode(bytes, ERRORS);
  reader.oneOf('schema', [SCHEMA]);
  const head: BatchHead = {
    ledger: reader.hex('ledger', LEDGER_ID_BYTES),
    entries: reader.integer('entries', 0),
    chain: reader.hex('chain', DIGEST_BYTES),
    made: reader.integer('made', 0),
    site: reader.hex('site', DIGEST_BYTES),
    catalog: reader.hex('catalog', DIGEST_BYTES),
    name: readId(reader, 'batch'),
    input: reader.hex('input', DIGEST_BYTES),
    kid: reader.hex('kid', DIGEST_BYTES),
  };
  reader.end();
  return Object.freeze(head);
}

export function decodeRow(bytes: Uint8Array, kid: string): PlanRow {
  const reader = MapReader.decode(bytes, ERRORS);
  const line = reader.integer('line', 0);
  const row = reader.bytes('row', DIGEST_BYTES);
  if (reader.has('payload')) {
    const payload = reader.bytes('payload');
    reader.end();
    return Object.freeze({
      kind: 'sign',
      line,
      row,
      item: Object.freeze({ payload, license: decodeLicense(payload), kid }),
    });
  }
  const lineage: Lineage = {
    aud: readId(reader, 'aud'),
    sub: readId(reader, 'sub'),
    ...(reader.has('dep') ? { dep: readId(reader, 'dep') } : {}),
  };
  reader.end();
  return Object.freeze({ kind: 'done', line, row, lineage: Object.freeze(lineage) });
}

export function decodeEnd(bytes: Uint8Array): BatchEnd {
  const reader = MapReader.decode(bytes, ERRORS);
  const end: BatchEnd = {
    rows: reader.integer('rows', 0),
    sign: reader.integer('sign', 0),
    sharded: reader.boolean('sharded'),
  };
  reader.end();
  return Object.freeze(end);
}

function readId(reader: MapReader, name: string): string {
  return reader.textOf(name, isId, 'an id');
}

type Value = ExtValue | readonly string[] | Readonly<Record<string, number>>;

/**
 * The identity of a row: its parsed values, however they were written.
 *
 * @returns SHA-256 (32 bytes) of the deterministic CBOR of `[domain, request]`
 */
export function rowDigest(request: Request): Uint8Array {
  const members = new Map<CborValue, CborValue>(
    Object.entries(request as unknown as Readonly<Record<string, Value>>).map(([name, value]) => [name, toCbor(value)]),
  );
  return new Uint8Array(
    createHash('sha256')
      .update(encodeCbor([ROW_DOMAIN, members]))
      .digest(),
  );
}

function toCbor(value: Value): CborValue {
  if (typeof value !== 'object') return value;
  if (value instanceof ExtBytes) return value.hex;
  if (isList(value)) return value.map(toCbor);
  return new Map<CborValue, CborValue>(Object.entries(value).map(([name, item]) => [name, toCbor(item)]));
}

function isList(value: Value): value is readonly ExtValue[] {
  return Array.isArray(value);
}
