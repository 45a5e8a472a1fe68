/** What a batch plan holds: a head, a row for each row of the file, an end. Each is one deterministic CBOR map. */
import { fromHex, toHex } from '../../formats/bytes.ts';
import { decodeCbor } from '../../formats/cbor/decode.ts';
import { encodeCbor } from '../../formats/cbor/encode.ts';
import { isCborMap, type CborMap, type CborValue } from '../../formats/cbor/value.ts';
import { VtlicError } from '../../formats/error.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { isId } from '../../formats/license/id.ts';
import type { Lineage } from '../ledger/record/lineage.ts';
import type { PlanItem, PlanOrigin } from '../plan/plan.ts';

const SCHEMA = 'vtlic-batch-plan/1';
const DIGEST_BYTES = 32;

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

export function encodeHead(head: BatchHead): Uint8Array {
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

/** Reads one map, every member known. A plan's digest is checked before: a fault here is another version's plan. */
class Members {
  readonly #map: CborMap;
  #left: number;

  constructor(bytes: Uint8Array) {
    let value: CborValue;
    try {
      value = decodeCbor(bytes);
    } catch (error) {
      throw notAPlan(error);
    }
    if (!isCborMap(value)) throw notAPlan();
    this.#map = value;
    this.#left = value.size;
  }

  has(name: string): boolean {
    return this.#map.has(name);
  }

  get(name: string): CborValue | undefined {
    this.#left--;
    return this.#map.get(name);
  }

  hex(name: string, length: number): string {
    return toHex(this.bytes(name, length));
  }

  bytes(name: string, length?: number): Uint8Array {
    const value = this.get(name);
    if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length)) throw notAPlan();
    return value;
  }

  whole(name: string): number {
    const value = this.get(name);
    if (typeof value !== 'number' || value < 0) throw notAPlan();
    return value;
  }

  id(name: string): string {
    const value = this.get(name);
    if (typeof value !== 'string' || !isId(value)) throw notAPlan();
    return value;
  }

  end(): void {
    if (this.#left !== 0) throw notAPlan();
  }
}

function notAPlan(cause?: unknown): VtlicError {
  return new VtlicError('plan_stale', 'this is not a batch plan of this version', {
    hint: 'make a new plan with --dry-run and review it',
    ...(cause === undefined ? {} : { cause }),
  });
}

export function decodeHead(bytes: Uint8Array): BatchHead {
  const members = new Members(bytes);
  if (members.get('schema') !== SCHEMA) throw notAPlan();
  const head: BatchHead = {
    ledger: members.hex('ledger', 16),
    entries: members.whole('entries'),
    chain: members.hex('chain', DIGEST_BYTES),
    made: members.whole('made'),
    site: members.hex('site', DIGEST_BYTES),
    catalog: members.hex('catalog', DIGEST_BYTES),
    name: members.id('batch'),
    input: members.hex('input', DIGEST_BYTES),
    kid: members.hex('kid', DIGEST_BYTES),
  };
  members.end();
  return Object.freeze(head);
}

export function decodeRow(bytes: Uint8Array, kid: string): PlanRow {
  const members = new Members(bytes);
  const line = members.whole('line');
  const row = members.bytes('row', DIGEST_BYTES);
  if (members.has('payload')) {
    const payload = members.bytes('payload');
    members.end();
    return Object.freeze({
      kind: 'sign',
      line,
      row,
      item: Object.freeze({ payload, license: decodeLicense(payload), kid }),
    });
  }
  const lineage: Lineage = {
    aud: members.id('aud'),
    sub: members.id('sub'),
    ...(members.has('dep') ? { dep: members.id('dep') } : {}),
  };
  members.end();
  return Object.freeze({ kind: 'done', line, row, lineage: Object.freeze(lineage) });
}

export function decodeEnd(bytes: Uint8Array): BatchEnd {
  const members = new Members(bytes);
  const rows = members.whole('rows');
  const sign = members.whole('sign');
  const sharded = members.get('sharded');
  if (typeof sharded !== 'boolean') throw notAPlan();
  members.end();
  return Object.freeze({ rows, sign, sharded });
}
