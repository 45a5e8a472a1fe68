/**
 * A plan: the exact payloads that will be signed, by which key, and what the record looked like when it was made.
 *
 * Its bytes are deterministic CBOR, and its digest names it: what was reviewed under a digest is what is signed.
 */
import { sha256Hex, createDurably, readLimited } from '../../files/index.ts';
import { fromHex } from '../../formats/bytes.ts';
import { encodeCbor, MapReader, type CborValue, type MapErrors } from '../../formats/cbor/index.ts';
import { VtlicError } from '../../formats/error.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import type { License } from '../../formats/license/license.ts';
import { join } from 'node:path';

const SCHEMA = 'vtlic-plan/1';
const DIGEST_BYTES = 32;
const LEDGER_ID_BYTES = 16;
const MAX_PLAN_BYTES = 1 << 30;

export interface PlanItem {
  /** The claims, exactly as they will be signed. */
  readonly payload: Uint8Array;
  /** The payload, parsed back: what every view is made from. */
  readonly license: License;
  /** 64 hex digits: the key that will sign. */
  readonly kid: string;
}

/** Where and when a plan was made: it is valid only while these are unchanged. */
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
  return sha256Hex(bytes);
}

/** @throws VtlicError `plan_stale` when the bytes are no plan of this version. */
export function decodePlan(bytes: Uint8Array): Plan {
  const reader = MapReader.decode(bytes, ERRORS);
  reader.oneOf('schema', [SCHEMA]);
  const plan: Plan = {
    ledger: reader.hex('ledger', LEDGER_ID_BYTES),
    entries: reader.integer('entries', 0),
    chain: reader.hex('chain', DIGEST_BYTES),
    made: reader.integer('made', 0),
    site: reader.hex('site', DIGEST_BYTES),
    catalog: reader.hex('catalog', DIGEST_BYTES),
    items: Object.freeze(reader.maps('items').map(decodeItem)),
  };
  reader.end();
  if (plan.items.length === 0) throw unreadablePlan('it plans nothing');
  return Object.freeze(plan);
}

function decodeItem(reader: MapReader): PlanItem {
  const payload = reader.bytes('payload');
  const kid = reader.hex('kid', DIGEST_BYTES);
  reader.end();
  return Object.freeze({ payload, license: decodeLicense(payload), kid });
}

const ERRORS: MapErrors = {
  member: (name, what) => unreadablePlan(`${name} ${what}`),
  unknown: () => unreadablePlan(`expected the members of ${SCHEMA}`),
  unreadable: unreadablePlan,
};

function unreadablePlan(detail: string): VtlicError {
  return new VtlicError('plan_stale', `this is not a plan of this version: ${detail}`, {
    hint: 'make a new plan with --dry-run',
  });
}

/**
 * Writes `plans/DIGEST`, for `--dry-run`.
 *
 * @returns the digest, which is the name of the file
 */
export async function writePlan(folder: string, plan: Plan): Promise<string> {
  const bytes = encodePlan(plan);
  const digest = planDigest(bytes);
  await createDurably(join(folder, digest), bytes, 0o600);
  return digest;
}

/**
 * Reads `plans/DIGEST`, for `--confirm DIGEST`.
 *
 * @throws VtlicError `usage` for a digest of the wrong form, `plan_stale` for a missing or altered plan.
 */
export function readPlan(folder: string, digest: string): Plan {
  if (!/^[0-9a-f]{64}$/.test(digest))
    throw new VtlicError('usage', '--confirm takes the 64 hex digits that --dry-run printed');
  const file = join(folder, digest);
  let bytes: Uint8Array;
  try {
    bytes = readLimited(file, MAX_PLAN_BYTES, 'plan_stale');
  } catch (error) {
    throw new VtlicError('plan_stale', 'there is no readable plan with this digest', {
      file,
      hint: 'make one with --dry-run and confirm the digest that it prints',
      cause: error,
    });
  }
  const found = planDigest(bytes);
  if (found !== digest)
    throw new VtlicError('plan_stale', `the plan was altered after it was made: its digest is now ${found}`, {
      file,
      hint: 'make a new plan with --dry-run and review it',
    });
  return decodePlan(bytes);
}
