/**
 * What docs/format.md says of a file, written a second time, as plainly as possible and without any code of the rooms:
 * the verdict that the fuzzing campaign expects. It knows which signatures are valid instead of computing them.
 */

export type Item = number | string | boolean | Uint8Array | readonly Item[] | Pairs;

/** A map, in the order of its encoding. */
export class Pairs {
  readonly pairs: readonly (readonly [Item, Item])[];

  constructor(pairs: readonly (readonly [Item, Item])[]) {
    this.pairs = pairs;
  }

  get(key: number | string): Item | undefined {
    return this.pairs.find(([one]) => one === key)?.[1];
  }
}

/** What a key of the campaign is, and where a trust has it. */
export interface ModelKey {
  readonly kid: string;
  readonly alg: 'ed25519' | 'ed25519+ml-dsa-65';
  /** Of a composite: the kid of its Ed25519 component. */
  readonly componentKid?: string;
}

export interface ModelTrustedKey extends ModelKey {
  readonly purpose: string;
  readonly status: string;
  readonly products?: readonly string[];
  readonly tiers?: readonly string[];
  readonly honored?: ReadonlySet<string>;
}

export interface ModelTrust {
  readonly keys: readonly ModelTrustedKey[];
  readonly requireComposite: boolean;
  readonly ed25519Until?: number;
  readonly revokedLicenses: ReadonlySet<string>;
  readonly lowestCounters: ReadonlyMap<string, number>;
}

export interface ModelContext {
  readonly issuer: string;
  readonly product: string;
  readonly deployment?: string;
  readonly hosts?: readonly string[];
  readonly now: number;
  readonly buildDate?: number;
  readonly clock?: number;
  readonly defaultGrace: number;
  readonly seen?: {
    readonly current: string;
    readonly highestIat: number;
    readonly lineages: ReadonlyMap<string, { readonly counter: number; readonly payloadDigest: string }>;
  };
}

/** What somebody really signed. Every other signature is not valid. */
export interface SignedRecord {
  readonly kid: string;
  readonly protectedBytes: Uint8Array;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  readonly payloadDigest: string;
}

/** How far a file came, for the table of the campaign. */
export interface Expected {
  /** A reason, or a state. */
  readonly verdict: string;
  readonly passedArmor: boolean;
  readonly validlySigned: boolean;
}

/** Not an Error: a stack for each of millions would cost more than the verifier. */
class Fault {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

const fault = (reason: string): never => {
  // oxlint-disable-next-line no-throw-literal, only-throw-error
  throw new Fault(reason);
};

export function expectedOf(
  file: Uint8Array,
  record: SignedRecord | undefined,
  trust: ModelTrust,
  context: ModelContext,
): Expected {
  let passedArmor = false;
  let validlySigned = false;
  try {
    const bytes = armorStep(file);
    passedArmor = true;
    const cose = coseStep(bytes);
    const key = keyStep(cose, trust);
    validlySigned =
      record !== undefined &&
      record.kid === cose.kid &&
      same(record.protectedBytes, cose.protectedBytes) &&
      same(record.payload, cose.payload) &&
      same(record.signature, cose.signature);
    if (!validlySigned || record === undefined) return { verdict: 'signature_invalid', passedArmor, validlySigned };
    const claims = claimsStep(cose.payload);
    const digest = record.payloadDigest;
    policyStep(claims, digest, key, trust, context.now);
    bindingStep(claims, context);
    const newer = counterStep(claims, digest, context);
    return { verdict: stateOf(claims, newer, context), passedArmor, validlySigned };
  } catch (error) {
    if (error instanceof Fault) return { verdict: error.reason, passedArmor, validlySigned };
    throw error;
  }
}

const WHOLE =
  /^[\t\n\r ]*-----BEGIN VTLIC-----\r?\n((?:[A-Za-z0-9+/]{64}\r?\n)*)((?:[A-Za-z0-9+/]{4}){0,15}[A-Za-z0-9+/]{2}[A-Za-z0-9+/=][A-Za-z0-9+/=])\r?\n-----END VTLIC-----[\t\n\r ]*$/;

function armorStep(file: Uint8Array): Uint8Array {
  if (file.length > 98_304) fault('too_large');
  const match = WHOLE.exec(Buffer.from(file.buffer, file.byteOffset, file.length).toString('latin1'));
  if (match === null) return fault('armor_malformed');
  const base64 = `${match[1] ?? ''}${match[2] ?? ''}`.replaceAll(/[\r\n]/g, '');
  const bytes = Buffer.from(base64, 'base64');
  // Padding elsewhere, and unused bits, do not come back.
  if (bytes.toString('base64') !== base64) fault('armor_malformed');
  if (bytes.length > 49_152) fault('too_large');
  return bytes;
}

/** Section 4, item by item. */
class Walk {
  private at = 0;
  private readonly bytes: Uint8Array;
  embedded: Item | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** @param tagged whether a tag may be at the top, and the first item of an outermost array is walked */
  whole(tagged: boolean): { readonly tag: bigint | undefined; readonly item: Item } {
    let tag: bigint | undefined;
    if (tagged && (this.bytes[0] ?? 0) >> 5 === 6) tag = this.head().argument;
    const item = this.item(1, tagged);
    if (this.at < this.bytes.length) fault('cbor_malformed');
    return { tag, item };
  }

  private head(): { readonly major: number; readonly argument: bigint } {
    const first = this.bytes[this.at];
    if (first === undefined) return fault('cbor_malformed');
    const major = first >> 5;
    const info = first & 31;
    if (major === 7 && first !== 0xf4 && first !== 0xf5) fault('cbor_malformed');
    if (info === 31) fault(major >= 2 && major <= 5 ? 'cbor_not_deterministic' : 'cbor_malformed');
    if (info >= 28) fault('cbor_malformed');
    this.at++;
    if (info < 24) return { major, argument: BigInt(info) };
    const size = 2 ** (info - 24);
    if (this.at + size > this.bytes.length) fault('cbor_malformed');
    let argument = 0n;
    for (let i = 0; i < size; i++) argument = argument * 256n + BigInt(this.bytes[this.at++] ?? 0);
    const least = size === 1 ? 24n : 1n << BigInt(4 * size);
    if (argument < least) fault('cbor_not_deterministic');
    return { major, argument };
  }

  private item(depth: number, walksFirst = false): Item {
    const { major, argument } = this.head();
    if (major === 7) return argument === 21n;
    if (major === 0) return argument > 9007199254740991n ? fault('cbor_malformed') : Number(argument);
    if (major === 1) return argument > 9007199254740990n ? fault('cbor_malformed') : -1 - Number(argument);
    if (major === 6) return fault('cbor_malformed');
    if (major === 2 || major === 3) {
      if (argument > BigInt(this.bytes.length - this.at)) fault('cbor_malformed');
      const content = this.bytes.subarray(this.at, this.at + Number(argument));
      this.at += content.length;
      return major === 2 ? content : textOf(content);
    }
    if (depth > 8) fault('cbor_malformed');
    const items: Item[] = [];
    if (major === 4) {
      for (let i = 0n; i < argument; i++) {
        const item = this.item(depth + 1);
        if (walksFirst && i === 0n && item instanceof Uint8Array && item.length > 0)
          this.embedded = new Walk(item).whole(false).item;
        items.push(item);
      }
      return items;
    }
    const pairs: (readonly [Item, Item])[] = [];
    let before: Uint8Array | undefined;
    for (let i = 0n; i < argument; i++) {
      const from = this.at;
      const key = this.item(depth + 1);
      const encoding = this.bytes.subarray(from, this.at);
      if (before !== undefined && Buffer.compare(before, encoding) >= 0) fault('cbor_not_deterministic');
      before = encoding;
      pairs.push([key, this.item(depth + 1)]);
    }
    return new Pairs(pairs);
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(content: Uint8Array): string {
  try {
    return UTF8.decode(content);
  } catch {
    return fault('cbor_malformed');
  }
}

interface Cose {
  readonly alg: 'ed25519' | 'ed25519+ml-dsa-65';
  readonly kid: string;
  readonly protectedBytes: Uint8Array;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

function coseStep(bytes: Uint8Array): Cose {
  const walk = new Walk(bytes);
  const { tag, item } = walk.whole(true);
  const malformed = (): never => fault('cose_malformed');
  if (tag !== 18n || !isList(item) || item.length !== 4) return malformed();
  const [protectedBytes, unprotected, payload, signature] = item;
  if (!(protectedBytes instanceof Uint8Array) || !(payload instanceof Uint8Array)) return malformed();
  if (!(signature instanceof Uint8Array)) return malformed();
  if (!(unprotected instanceof Pairs) || unprotected.pairs.length > 0) return malformed();
  const header = walk.embedded;
  if (!(header instanceof Pairs) || header.pairs.length !== 3) return malformed();
  const [alg, kid, typ] = [header.get(1), header.get(4), header.get(16)];
  if (typeof alg !== 'number' && typeof alg !== 'string') return malformed();
  if (!(kid instanceof Uint8Array) || kid.length !== 32 || typeof typ !== 'string') return malformed();
  if (typ !== 'application/vnd.vtlic.license+cose') fault('typ_wrong');
  if (alg !== -19 && alg !== 'ed25519+ml-dsa-65') fault('alg_unknown');
  return {
    alg: alg === -19 ? 'ed25519' : 'ed25519+ml-dsa-65',
    kid: hex(kid),
    protectedBytes,
    payload,
    signature,
  };
}

function keyStep({ kid, alg }: Cose, { keys }: ModelTrust): ModelTrustedKey {
  const key = keys.find((one) => one.kid === kid);
  if (key === undefined)
    return fault(keys.some(({ componentKid }) => componentKid === kid) ? 'key_composite_only' : 'key_unknown');
  return key.alg === alg ? key : fault('key_algorithm_mismatch');
}

interface Claims {
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

function isList(item: Item | undefined): item is readonly Item[] {
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

function claimsStep(payload: Uint8Array): Claims {
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

function policyStep(claims: Claims, digest: string, key: ModelTrustedKey, trust: ModelTrust, now: number): void {
  if (key.status === 'revoked' && key.honored?.has(digest) !== true) fault('key_revoked');
  if (key.purpose !== 'license') fault('key_wrong_purpose');
  if (key.products !== undefined && !key.products.includes(claims.aud)) fault('key_wrong_purpose');
  if (key.tiers !== undefined && !key.tiers.includes(claims.tier)) fault('key_wrong_purpose');
  const ended = trust.ed25519Until !== undefined && now >= trust.ed25519Until;
  if (key.alg === 'ed25519' && (trust.requireComposite || ended)) fault('algorithm_not_allowed');
  if (trust.revokedLicenses.has(claims.cti)) fault('license_revoked');
  if (claims.ctr < (trust.lowestCounters.get(lineageOf(claims)) ?? 0)) fault('superseded');
}

function bindingStep({ iss, aud, dep, hosts, upd }: Claims, context: ModelContext): void {
  if (iss !== context.issuer) fault('issuer_mismatch');
  if (aud !== context.product) fault('product_mismatch');
  if (dep !== undefined && dep !== context.deployment) fault('deployment_mismatch');
  if (hosts !== undefined && !hosts.some((host) => context.hosts?.includes(host))) fault('host_mismatch');
  if (upd !== undefined && !(context.buildDate !== undefined && context.buildDate < upd)) fault('build_not_covered');
}

/** @returns whether the license is of the current lineage, with a higher counter than was accepted there */
function counterStep(claims: Claims, digest: string, { seen }: ModelContext): boolean {
  if (seen === undefined) return false;
  const lineage = lineageOf(claims);
  if (lineage !== seen.current && claims.iat <= seen.highestIat) fault('lineage_not_newer');
  const known = seen.lineages.get(lineage);
  if (known === undefined) return false;
  if (claims.ctr < known.counter) fault('counter_rolled_back');
  if (claims.ctr === known.counter && digest !== known.payloadDigest) fault('counter_conflict');
  return lineage === seen.current && claims.ctr > known.counter;
}

function stateOf({ nbf, exp, iat, grace, clk }: Claims, newer: boolean, context: ModelContext): string {
  const { now, clock, defaultGrace } = context;
  const at = clk && newer ? Math.max(clock ?? now, iat) : now;
  if (at < nbf) return 'not_yet_valid';
  if (at < exp) return 'active';
  return at < exp + (grace ?? defaultGrace) ? 'grace' : 'lapsed';
}

function lineageOf({ iss, aud, sub, dep }: Claims): string {
  return [iss, aud, sub, ...(dep === undefined ? [] : [dep])].join('/');
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

function uuid(bytes: Uint8Array): string {
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
