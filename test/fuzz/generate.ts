/** Makes one hostile input after another. Each says what was really signed, from which the model predicts the verdict. */
import { armor } from '../../formats/armor.ts';
import { concatBytes, fromHex, utf8 } from '../../formats/bytes.ts';
import { anyItem, badItem, encode, head, sortedPairs } from '../../conformance/model/cbor.ts';
import type { ModelContext, SignedRecord } from '../../conformance/model/expected.ts';
import { Pairs, type Item } from '../../conformance/model/walk.ts';
import { Random } from '../../conformance/model/random.ts';
import {
  COMPOSITE,
  context,
  KIDS,
  sign,
  signDense,
  signLarge,
  trusts,
  TYPES,
  type FuzzTrust,
  type Signed,
} from './vendor.ts';

export interface FuzzInput {
  readonly kind: Kind;
  readonly file: Uint8Array;
  /** What was signed, where the file has it or is made from it. */
  readonly record: SignedRecord | undefined;
  readonly trust: FuzzTrust;
  readonly context: ModelContext;
}

export type Kind =
  | 'random bytes'
  | 'random base64'
  | 'random CBOR'
  | 'dense CBOR'
  | 'dense license'
  | 'too large'
  | 'mutated text'
  | 'mutated bytes'
  | 'COSE by grammar'
  | 'signed license';

/** Shares out of 100, in this order; the remaining inputs are signed licenses. */
const SHARES: readonly (readonly [Kind, number])[] = [
  ['random bytes', 11],
  ['random base64', 9],
  ['random CBOR', 24],
  ['mutated text', 12],
  ['mutated bytes', 16],
  ['COSE by grammar', 16],
];
/** One input in so many, since each of them takes long to make. */
const ONE_TOO_LARGE_IN = 1500;
const ONE_DENSE_IN = 4000;
const ONE_DENSE_LICENSE_IN = 20_000;
const POOL = 250;
const COMPOSITES = 12;
/** One license of the pool is replaced after so many inputs. */
const NEW_LICENSE_AFTER = 40;

export class Generator {
  private readonly random: Random;
  private readonly pool: Signed[];
  private readonly trusts: readonly FuzzTrust[];
  private made = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.pool = Array.from({ length: POOL }, (_, i) =>
      i < COMPOSITES ? sign(this.random, COMPOSITE) : sign(this.random),
    );
    this.trusts = trusts(this.pool.filter((_, i) => i % 2 === 0).map(({ payloadDigest }) => payloadDigest));
  }

  next(): FuzzInput {
    const { random } = this;
    // The first half of the pool stays, so that some payloads are honored to the end.
    if (++this.made % NEW_LICENSE_AFTER === 0) this.pool[POOL / 2 + random.below(POOL / 2)] = sign(random);
    const kind = this.kind();
    const signed = kind === 'dense license' ? signDense(random) : random.pick(this.pool);
    return {
      kind,
      file: this.file(kind, signed),
      record: signed,
      trust: random.pick(this.trusts),
      context: context(random, signed),
    };
  }

  /** A license in force, as large as a license may be. */
  large(signer: 'ed25519' | 'composite'): FuzzInput {
    const signed = signLarge(this.random, signer);
    const trust = this.trusts[0];
    if (trust === undefined) throw new Error('there is no trust');
    return {
      kind: 'dense license',
      file: armor('VTLIC', coseOf(signed)),
      record: signed,
      trust,
      context: context(this.random, signed),
    };
  }

  private kind(): Kind {
    const { random } = this;
    if (random.once(ONE_TOO_LARGE_IN)) return 'too large';
    if (random.once(ONE_DENSE_IN)) return 'dense CBOR';
    if (random.once(ONE_DENSE_LICENSE_IN)) return 'dense license';
    let left = random.below(100);
    for (const [kind, share] of SHARES) {
      if (left < share) return kind;
      left -= share;
    }
    return 'signed license';
  }

  private file(kind: Kind, signed: Signed): Uint8Array {
    const { random } = this;
    switch (kind) {
      case 'random bytes':
        return random.once(4)
          ? utf8(`-----BEGIN VTLIC-----\n${String(random.word())}`)
          : random.bytes(random.below(80));
      case 'random base64':
        return armor('VTLIC', random.bytes(1 + random.below(120)));
      case 'random CBOR':
        return armor('VTLIC', nonEmpty(randomCbor(random)));
      case 'dense CBOR':
        return armor('VTLIC', dense(random));
      case 'too large':
        return random.once(2)
          ? new Uint8Array(98_303 + random.below(4)).fill(0x20)
          : armor('VTLIC', new Uint8Array(49_151 + random.below(4)));
      case 'mutated text':
        return mutate(random, armor('VTLIC', coseOf(signed)), TEXT_BYTES);
      case 'mutated bytes':
        return armor('VTLIC', nonEmpty(mutate(random, coseOf(signed), CBOR_BYTES)));
      case 'COSE by grammar':
        return armor('VTLIC', nonEmpty(coseByGrammar(random, signed)));
      case 'dense license':
        return armor('VTLIC', coseOf(signed));
      case 'signed license':
        break;
    }
    return decorated(random, armor('VTLIC', coseOf(signed)));
  }
}

function coseOf({ protectedBytes, payload, signature }: SignedRecord): Uint8Array {
  return concatBytes(head(6, 18), encode([protectedBytes, new Pairs([]), payload, signature]));
}

function nonEmpty(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 ? Uint8Array.of(0) : bytes;
}

/** Blanks around the block, and CR LF, which change nothing. */
function decorated(random: Random, file: Uint8Array): Uint8Array {
  if (random.below(4) > 0) return file;
  const blanks = (): string => random.pick(['', ' ', '\n\n', '\t\r\n']);
  const text = new TextDecoder().decode(file);
  return utf8(`${blanks()}${random.once(2) ? text.replaceAll('\n', '\r\n') : text}${blanks()}`);
}

const TEXT_BYTES: readonly number[] = [0x0a, 0x0d, 0x20, 0x09, 0x2d, 0x3d, 0x41, 0x2b, 0x00, 0xef, 0x0b];
const CBOR_BYTES: readonly number[] = [
  0x00, 0x18, 0x40, 0x58, 0x5f, 0x60, 0x80, 0x84, 0xa0, 0xa3, 0xbf, 0xd2, 0xf6, 0xff,
];

function mutate(random: Random, bytes: Uint8Array, likely: readonly number[]): Uint8Array {
  let out = bytes;
  for (let count = 1 + random.below(2); count > 0; count--) {
    const place = random.once(2) ? Math.min(out.length, 110) : out.length;
    const at = random.below(place);
    const byte = random.once(2) ? random.pick(likely) : random.below(256);
    switch (random.below(7)) {
      case 0:
        out = concatBytes(out.subarray(0, at), Uint8Array.of(byte), out.subarray(at));
        break;
      case 1:
        out = concatBytes(out.subarray(0, at), out.subarray(at + 1 + random.below(3)));
        break;
      case 2:
        out = out.subarray(0, out.length - random.below(10));
        break;
      case 3:
        out = concatBytes(out, random.once(2) ? Uint8Array.of(byte) : out.subarray(0, random.below(40)));
        break;
      case 4: {
        out = Uint8Array.from(out);
        const old = out[at] ?? 0;
        out[at] = old ^ (1 << random.below(8));
        break;
      }
      default:
        out = Uint8Array.from(out);
        out[at] = byte;
    }
    if (out.length === 0) return bytes;
  }
  return out;
}

function randomCbor(random: Random): Uint8Array {
  const bytes = random.once(2) ? badItem(random) : encode(anyItem(random));
  switch (random.below(4)) {
    case 0:
      return concatBytes(head(6, random.pick([18, 98, 17, 61])), bytes);
    case 1:
      // Within an array that begins with a byte string, which is walked as CBOR itself.
      return concatBytes(head(6, 18), head(4, 4), head(2, bytes.length), bytes, badItem(random));
    case 2:
      return concatBytes(head(4, 2), encode(anyItem(random)), bytes);
    default:
      return bytes;
  }
}

/** Items that are much work for few bytes. */
const REPEATED: readonly (readonly number[])[] = [
  [0],
  [0x40],
  [0x60],
  [0x80],
  [0xa0],
  [0x41, 0],
  [0x61, 0x61],
  [0x62, 0xc3, 0xa9],
  [0x63, 0xe2, 0x82, 0xac],
  [0x64, 0xf0, 0x9f, 0x94, 0x92],
  [0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x00],
  [0xa1, 0, 0],
  [0xa1, 0x41, 0, 0x41, 0],
];

/** Much work for few bytes. */
function dense(random: Random): Uint8Array {
  const room = 1000 + random.below(48_000);
  const filled = (major: number, item: readonly number[], count: number): Uint8Array => {
    const out = new Uint8Array(count * item.length);
    for (let i = 0; i < count; i++) out.set(item, i * item.length);
    return concatBytes(head(major, count), out);
  };
  const repeated = random.pick(REPEATED);
  switch (random.below(3)) {
    case 0:
      return filled(4, repeated, Math.floor(room / repeated.length));
    case 1: {
      // The same inside the protected header, which is walked too.
      const inside = filled(4, repeated, Math.floor(room / repeated.length));
      return concatBytes(head(6, 18), head(4, 4), head(2, inside.length), inside, Uint8Array.of(0xa0, 0x40, 0x40));
    }
    default: {
      const pairs = Math.floor(room / 4);
      const out = new Uint8Array(pairs * 4);
      for (let i = 0; i < pairs; i++) out.set([0x19, (256 + i) >> 8, i & 255, 0], i * 4);
      return concatBytes(head(5, pairs), out);
    }
  }
}

/** A COSE_Sign1 with none, one or two faults. Its signature is mostly that of another file. */
function coseByGrammar(random: Random, signed: Signed): Uint8Array {
  const header = new Map<Item, Item>([
    [1, signed.key.publicKey.alg === 'ed25519' ? -19 : 'ed25519+ml-dsa-65'],
    [4, fromHex(signed.kid) ?? new Uint8Array()],
    [16, TYPES[0] ?? ''],
  ]);
  let protectedBytes: Uint8Array | undefined;
  const items: Item[] = [new Uint8Array(), new Pairs([]), signed.payload, signed.signature];
  let top = head(6, 18);
  let wrong: Uint8Array | undefined;
  /** Items more than four, or less. */
  let extra = 0;
  for (let faults = random.below(3); faults >= 0; faults--) {
    switch (random.below(15)) {
      case 0:
        header.set(16, random.pick(TYPES));
        break;
      case 1:
        header.set(1, random.pick<Item>([-8, -49, -19, 'ed25519+ml-dsa-65', 'EdDSA', 0]));
        break;
      case 2:
      case 3:
      case 4:
        header.set(4, random.once(4) ? random.bytes(32) : (fromHex(random.pick(KIDS)) ?? new Uint8Array()));
        break;
      case 5:
        header.set(random.pick([1, 4, 16]), anyItem(random));
        break;
      case 6:
        header.set(random.pick<Item>([2, 3, 'crit', -1]), anyItem(random));
        break;
      case 7:
        header.delete(random.pick([1, 4, 16]));
        break;
      case 8:
        protectedBytes = random.once(3) ? new Uint8Array() : badItem(random);
        break;
      case 9:
        items[random.below(4)] = anyItem(random);
        break;
      case 10:
        items[1] = new Pairs([[random.below(20), anyItem(random)]]);
        break;
      case 11:
        extra = random.once(2) ? 1 : -1 - random.below(4);
        break;
      case 12:
        items[3] = random.once(2) ? random.bytes(64) : signed.signature.subarray(0, random.below(64));
        break;
      case 13:
        top = random.pick([new Uint8Array(), head(6, 98), head(6, 18, 1), concatBytes(head(6, 61), head(6, 18))]);
        break;
      default:
        wrong = badItem(random);
    }
  }
  if (items[0] instanceof Uint8Array && items[0].length === 0)
    items[0] = protectedBytes ?? encode(sortedPairs([...header]));
  if (extra > 0) items.push(anyItem(random));
  else items.length += extra;
  const body = items.map(encode);
  if (wrong !== undefined && body.length > 0) body[random.below(body.length)] = wrong;
  return concatBytes(top, head(4, items.length), ...body);
}
