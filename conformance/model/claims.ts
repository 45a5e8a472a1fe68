/** The claims of section 7 of docs/format.md, row by row. */
import { Fault, fault, Pairs, Walk, type Item } from './walk.ts';

export interface Claims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string;
  readonly exp: number;
  readonly nbf: number;
  readonly iat: number;
  readonly cti: string;
  readonly ctr: number;
  readonly tier: string;
  readonly dep: string | undefined;
  readonly hosts: readonly string[] | undefined;
  readonly grace: number | undefined;
  readonly upd: number | undefined;
  readonly clk: boolean;
}

const ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const isId = (item: Item): item is string => typeof item === 'string' && !item.endsWith('\n') && ID.test(item);
const isIn =
  (from: number, to: number) =>
  (item: Item): boolean =>
    typeof item === 'number' && item >= from && item <= to;
const isTime = isIn(0, 253_402_300_799);
const isText =
  (max: number) =>
  (item: Item): boolean =>
    typeof item === 'string' && item.length > 0 && Array.from(item).length <= max;

/** Section 7.2, row by row. */
const CLAIMS: ReadonlyMap<Item, (item: Item) => boolean> = new Map<Item, (item: Item) => boolean>([
  [1, isId],
  [2, isId],
  [3, isId],
  [4, isTime],
  [5, isTime],
  [6, isTime],
  [
    7,
    (item) =>
      item instanceof Uint8Array && item.length === 16 && (item[6] ?? 0) >> 4 === 7 && (item[8] ?? 0) >> 6 === 2,
  ],
  ['ctr', isIn(1, Number.MAX_SAFE_INTEGER)],
  ['tier', isId],
  ['seats', (item) => item === 'unlimited' || isIn(0, Number.MAX_SAFE_INTEGER)(item)],
  ['features', (item) => isList(item) && item.length >= 1 && item.length <= 256 && item.every(isId) && rising(item)],
  [
    'limits',
    (item) =>
      item instanceof Pairs &&
      item.pairs.length >= 1 &&
      item.pairs.length <= 256 &&
      item.pairs.every(([key, value]) => isId(key) && isIn(0, Number.MAX_SAFE_INTEGER)(value)),
  ],
  ['instances', isIn(1, Number.MAX_SAFE_INTEGER)],
  [
    'hosts',
    (item) =>
      isList(item) &&
      item.length >= 1 &&
      item.length <= 1024 &&
      item.every((one) => one instanceof Uint8Array && one.length === 32) &&
      rising(item),
  ],
  ['grace', isIn(0, 31_622_400)],
  ['offline', isTime],
  ['dep', isId],
  ['name', isText(200)],
  ['ref', isText(100)],
  ['upd', isTime],
  ['use', (item) => item === 'non-production' || item === 'trial' || item === 'emergency'],
  ['clk', (item) => item === true],
  ['ext', (item) => item instanceof Pairs && item.pairs.length >= 1 && item.pairs.length <= 64 && idKeys(item)],
]);
const REQUIRED: readonly (number | string)[] = [1, 2, 3, 4, 5, 6, 7, 'ctr', 'tier', 'seats'];

export function isList(item: Item | undefined): item is readonly Item[] {
  return Array.isArray(item);
}

/** Bytewise, each once. */
function rising(items: readonly Item[]): boolean {
  const encodings = items.map((item) => (typeof item === 'string' ? Buffer.from(item) : (item as Uint8Array)));
  return encodings.every((one, i) => i === 0 || Buffer.compare(encodings[i - 1] ?? one, one) < 0);
}

function idKeys(item: Item): boolean {
  if (isList(item)) return item.every(idKeys);
  return !(item instanceof Pairs) || item.pairs.every(([key, value]) => isId(key) && idKeys(value));
}

export function claimsStep(payload: Uint8Array): Claims {
  let item: Item;
  try {
    item = new Walk(payload).whole(false).item;
  } catch (error) {
    if (error instanceof Fault) return fault('claims_malformed');
    throw error;
  }
  if (!(item instanceof Pairs)) return fault('claims_malformed');
  const map = item;
  if (map.pairs.some(([key]) => !CLAIMS.has(key))) fault('claims_unknown');
  if (REQUIRED.some((key) => map.get(key) === undefined)) fault('claims_malformed');
  if (map.pairs.some(([key, value]) => CLAIMS.get(key)?.(value) !== true)) fault('claims_malformed');
  const claims: Claims = {
    iss: map.get(1) as string,
    sub: map.get(2) as string,
    aud: map.get(3) as string,
    exp: map.get(4) as number,
    nbf: map.get(5) as number,
    iat: map.get(6) as number,
    cti: uuid(map.get(7) as Uint8Array),
    ctr: map.get('ctr') as number,
    tier: map.get('tier') as string,
    dep: map.get('dep') as string | undefined,
    hosts: (map.get('hosts') as readonly Uint8Array[] | undefined)?.map(hex),
    grace: map.get('grace') as number | undefined,
    upd: map.get('upd') as number | undefined,
    clk: map.get('clk') === true,
  };
  return claims.nbf >= claims.exp || claims.iat >= claims.exp ? fault('claims_malformed') : claims;
}

export function lineageOf({ iss, aud, sub, dep }: Pick<Claims, 'iss' | 'aud' | 'sub' | 'dep'>): string {
  return [iss, aud, sub, ...(dep === undefined ? [] : [dep])].join('/');
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

function uuid(bytes: Uint8Array): string {
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
