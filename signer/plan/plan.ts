/**
 * A plan: the exact payloads that will be signed, by which key, and what the record looked like when it was made.
 *
 * Its bytes are deterministic CBOR, and its digest names it: what was reviewed under a digest is what is signed.
 */
import { createHash } from 'node:crypto';
import { fromHex, toHex } from '../../formats/bytes.ts';
import { decodeCbor } from '../../formats/cbor/decode.ts';
import { encodeCbor } from '../../formats/cbor/encode.ts';
import { isCborMap, type CborValue } from '../../formats/cbor/value.ts';
import { VtlicError } from '../../formats/error.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import type { License } from '../../formats/license/license.ts';

const SCHEMA = 'vtlic-plan/1';

export interface PlanItem {
  /** The claims, exactly as they will be signed. */
  readonly payload: Uint8Array;
  /** The payload, parsed back: what every view is made from. */
  readonly license: License;
  /** 64 hex digits: the key that will sign. */
  readonly kid: string;
}

/** Where and when a plan was made: it stands only while these hold. */
export interface PlanOrigin {
  /** 32 hex digits. */
  readonly ledger: string;
  /** Entries in the ledger when the plan was made. */
  readonly entries: number;
  /** SHA-256 hex of the ledger's chain at that entry. */
  readonly chain: string;
  /** Seconds since 1970. */
  readonly made: number;
  /** SHA-256 of site.json and catalog.json, hex. */
  readonly site: string;
  readonly catalog: string;
}

export interface Plan extends PlanOrigin {
  readonly items: readonly PlanItem[];
}

function bytesOf(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  if (bytes === undefined) throw new VtlicError('internal', 'a plan holds a value that is not hex');
  return bytes;
}

export function encodePlan(plan: Plan): Uint8Array {
  return encodeCbor(
    new Map<CborValue, CborValue>([
      ['schema', SCHEMA],
      ['ledger', bytesOf(plan.ledger)],
      ['entries', plan.entries],
      ['chain', bytesOf(plan.chain)],
      ['made', plan.made],
      ['site', bytesOf(plan.site)],
      ['catalog', bytesOf(plan.catalog)],
      [
        'items',
        plan.items.map(
          (item) =>
            new Map<CborValue, CborValue>([
              ['payload', item.payload],
              ['kid', bytesOf(item.kid)],
            ]),
        ),
      ],
    ]),
  );
}

/** SHA-256 of the plan's bytes, 64 hex digits. */
export function planDigest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** @throws VtlicError `plan_stale` when the bytes are no plan of this version. */
export function decodePlan(bytes: Uint8Array): Plan {
  const refuse = (why: string): VtlicError =>
    new VtlicError('plan_stale', `this is not a plan of this version: ${why}`, {
      hint: 'make a new plan with --dry-run',
    });
  let value: CborValue;
  try {
    value = decodeCbor(bytes);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : 'it cannot be read');
  }
  if (!isCborMap(value) || value.get('schema') !== SCHEMA || value.size !== 8)
    throw refuse(`expected the members of ${SCHEMA}`);
  const fields = value;
  const hex = (name: string, length: number): string => {
    const field = fields.get(name);
    if (!(field instanceof Uint8Array) || field.length !== length) throw refuse(`${name} must be ${length} bytes`);
    return toHex(field);
  };
  const whole = (name: string): number => {
    const field = fields.get(name);
    if (typeof field !== 'number' || field < 0) throw refuse(`${name} must be a whole number`);
    return field;
  };
  const items = fields.get('items');
  if (!Array.isArray(items) || items.length === 0) throw refuse('it plans nothing');
  return Object.freeze({
    ledger: hex('ledger', 16),
    entries: whole('entries'),
    chain: hex('chain', 32),
    made: whole('made'),
    site: hex('site', 32),
    catalog: hex('catalog', 32),
    items: Object.freeze(
      items.map((item: CborValue): PlanItem => {
        const payload = isCborMap(item) ? item.get('payload') : undefined;
        const kid = isCborMap(item) ? item.get('kid') : undefined;
        if (
          !isCborMap(item) ||
          item.size !== 2 ||
          !(payload instanceof Uint8Array) ||
          !(kid instanceof Uint8Array) ||
          kid.length !== 32
        )
          throw refuse('each item must hold payload and kid');
        return Object.freeze({ payload, license: decodeLicense(payload), kid: toHex(kid) });
      }),
    ),
  });
}
