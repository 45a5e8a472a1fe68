/** `catalog.json`: what may be sold. A request outside it is refused. */
import { DAY_SECONDS, MAX_COUNT, MAX_GRACE_SECONDS } from '../../formats/license/bounds.ts';
import { type JsonObjectReader, type JsonValueReader, readObject } from '../../formats/json/index.ts';
import { isId } from '../../formats/license/id.ts';
import { parseJsonFile, readLimited, sha256Hex } from '../../files/index.ts';
import { PERPETUAL } from '../../formats/dates.ts';

export const CATALOG_SCHEMA = 'vtlic-catalog/1';
const MAX_BYTES = 8 << 20;
const MAX_EMERGENCY_DAYS = 90;

export interface Tier {
  /** Most seats that may be sold; `unlimited` also allows the text "unlimited" in a request. */
  readonly maxSeats: number | 'unlimited';
  readonly features: ReadonlySet<string>;
  /** Limit name → the highest value that may be sold. */
  readonly limits: ReadonlyMap<string, number>;
}

export interface Product {
  /** `perpetual` allows every term, and the text "perpetual" in a request. */
  readonly maxTermDays: number | typeof PERPETUAL;
  readonly maxGraceDays: number;
  /** The longest term of a license with the use `emergency`; absent: `issue --emergency` is not allowed. */
  readonly maxEmergencyDays?: number;
  readonly tiers: ReadonlyMap<string, Tier>;
}

export interface Catalog {
  readonly products: ReadonlyMap<string, Product>;
  /** SHA-256 of the file as read, hex. */
  readonly digest: string;
}

export function readCatalog(file: string): Catalog {
  return parseCatalog(readLimited(file, MAX_BYTES, 'json_malformed', 'configuration_invalid'), file);
}

/** @throws VtlicError `configuration_invalid` or `json_malformed` with line and column. */
export function parseCatalog(bytes: Uint8Array, file: string): Catalog {
  const root = readObject(parseJsonFile(bytes, file, MAX_BYTES), { code: 'configuration_invalid', file });
  readComment(root);
  const schema = root.required('schema');
  if (schema.string() !== CATALOG_SCHEMA) throw schema.fault(`should be "${CATALOG_SCHEMA}"`);
  const products = named(root.object('products'), product);
  root.end();
  return Object.freeze({ products, digest: sha256Hex(bytes) });
}

/** JSON has no comments, so a catalog may have them as members: a text, or a list of texts. Nothing reads them. */
function readComment(reader: JsonObjectReader): void {
  const comment = reader.member('comment');
  if (comment === undefined) return;
  for (const line of comment.node.kind === 'array' ? comment.array() : [comment]) line.string();
}

const COMMON_YEAR_DAYS = 365;

/** What a valid catalog says that is seldom meant, in sentences. */
export function catalogNotes({ products }: Catalog): readonly string[] {
  const notes: string[] = [];
  for (const [name, { maxTermDays, tiers }] of products) {
    if (maxTermDays === COMMON_YEAR_DAYS)
      notes.push(`${name}: a year with a 29 February has 366 days, and maxTermDays is 365: such a year cannot be sold`);
    if (tiers.size === 0) notes.push(`${name} has no tiers, so nothing of it can be sold`);
    let lower: readonly [string, Tier] | undefined;
    for (const [tierName, tier] of tiers) {
      const lost = [...(lower?.[1].features ?? [])].filter((feature) => !tier.features.has(feature));
      const before = lower?.[0] ?? '';
      if (lower !== undefined && seatsOf(tier) < seatsOf(lower[1]))
        notes.push(`${name}: tier ${tierName} has fewer seats than ${before}; list tiers from the lowest up`);
      if (lost.length > 0)
        notes.push(`${name}: tier ${tierName} lacks what the lower tier ${before} has: ${lost.join(', ')}`);
      lower = [tierName, tier];
    }
  }
  return notes;
}

function seatsOf({ maxSeats }: Tier): number {
  return maxSeats === 'unlimited' ? Number.POSITIVE_INFINITY : maxSeats;
}

function named<T>(reader: JsonObjectReader, read: (value: JsonObjectReader) => T): ReadonlyMap<string, T> {
  const out = new Map<string, T>();
  for (const [name, value] of reader.entries()) {
    if (!isId(name)) throw value.fault('has a name that is not an id');
    out.set(name, read(value.object()));
  }
  return out;
}

function product(reader: JsonObjectReader): Product {
  readComment(reader);
  const maxEmergencyDays = reader.optionalInteger('maxEmergencyDays', { min: 1, max: MAX_EMERGENCY_DAYS });
  const value: Product = {
    maxTermDays: maxTermDays(reader.required('maxTermDays')),
    maxGraceDays: reader.integer('maxGraceDays', { min: 0, max: MAX_GRACE_SECONDS / DAY_SECONDS }),
    ...(maxEmergencyDays === undefined ? {} : { maxEmergencyDays }),
    tiers: named(reader.object('tiers'), tier),
  };
  reader.end();
  return Object.freeze(value);
}

function tier(reader: JsonObjectReader): Tier {
  readComment(reader);
  const value: Tier = {
    maxSeats: maxSeats(reader.required('maxSeats')),
    features: new Set((reader.optionalArray('features') ?? []).map(idOf)),
    limits: new Map(
      (reader.optionalObject('limits')?.entries() ?? []).map(
        ([name, limit]) => [nameOf(name, limit), limit.integer({ min: 0, max: MAX_COUNT })] as const,
      ),
    ),
  };
  reader.end();
  return Object.freeze(value);
}

function maxTermDays(value: JsonValueReader): number | typeof PERPETUAL {
  if (value.node.kind === 'string' && value.node.value === PERPETUAL) return PERPETUAL;
  if (value.node.kind === 'string') throw value.fault(`should be a number of days, or the text "${PERPETUAL}"`);
  return value.integer({ min: 1, max: 36_525 });
}

function maxSeats(value: JsonValueReader): number | 'unlimited' {
  return value.node.kind === 'string' && value.node.value === 'unlimited'
    ? 'unlimited'
    : value.integer({ min: 0, max: MAX_COUNT });
}

function idOf(value: JsonValueReader): string {
  return nameOf(value.string(), value);
}

function nameOf(name: string, value: JsonValueReader): string {
  if (!isId(name)) throw value.fault('should be an id (a letter or digit, then up to 127 letters, digits or . _ : -)');
  return name;
}
