/**
 * What careless code does, for mutants that are more than a line left out. Nothing else imports this.
 */
import { createHash } from 'node:crypto';
import { Point } from '@noble/ed25519';
import { encodeHead } from '../../formats/cbor/head.ts';
import { concatBytes, equalBytes, toHex, utf8 } from '../../formats/bytes.ts';
import { isSmallOrder } from '../../keys/public/ed25519-criteria.ts';
import { HINT, MAX_INDICES, MLDSA65_SIGNATURE_BYTES } from '../examples/ml-dsa-hint.ts';

const BEGIN = '-----BEGIN VTLIC-----';
const END = '-----END VTLIC-----';

type Edit = (text: string) => string;

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const edited =
  (edit: Edit): ((file: Uint8Array) => Uint8Array) =>
  (file) => {
    const before = latin1(file);
    const after = edit(before);
    return after === before ? file : Uint8Array.from(Buffer.from(after, 'latin1'));
  };
/** Changes only what is between BEGIN and END. */
const within =
  (edit: Edit): Edit =>
  (text) => {
    const from = text.indexOf(BEGIN) + BEGIN.length;
    const to = text.indexOf(END, from);
    return from < BEGIN.length || to < 0 ? text : text.slice(0, from) + edit(text.slice(from, to)) + text.slice(to);
  };

const lines = (text: string): string => (text.match(/[^\n]{1,64}/g) ?? []).join('\n');
const rewrapped: Edit = (body) => `\n${lines(body.replaceAll(/\r?\n/g, ''))}\n`;

/** File → the file that a careless reader takes it for. */
export const ARMOR: Readonly<Record<string, (file: Uint8Array) => Uint8Array>> = {
  bom: edited((text) => text.replace(/^\xef\xbb\xbf/, '')),
  textAround: edited((text) => {
    const block = text.match(/-----BEGIN VTLIC-----[^]*?-----END VTLIC-----/g);
    if (block?.length !== 1 || block[0] === undefined) return text;
    return /[A-Za-z]/.test(text.replace(block[0], '')) ? block[0] : text;
  }),
  severalBlocks: edited((text) => {
    const block = text.match(/-----BEGIN VTLIC-----[^]*?-----END VTLIC-----/g);
    return block !== null && block.length > 1 ? (block[0] ?? text) : text;
  }),
  anyLabel: edited((text) => text.replaceAll(/-----(BEGIN|END) [A-Z ]+-----/g, '-----$1 VTLIC-----')),
  anyEnd: edited((text) => text.replace(/-----END [A-Z ]+-----/, END)),
  anyCase: edited((text) => text.replace(/-----begin vtlic-----/i, BEGIN).replace(/-----end vtlic-----/i, END)),
  otherBlanks: edited((text) => {
    if (text.startsWith('\xef\xbb\xbf')) return text;
    const other = '[\\0-\\x20\\x80-\\xff]';
    return text.replace(new RegExp(`^${other}+`), '').replace(new RegExp(`${other}+$`), '');
  }),
  innerBlanks: edited(within((body) => body.replaceAll(/[ \t]/g, ''))),
  emptyLines: edited(within((body) => body.replaceAll(/(?:\r?\n){2,}/g, '\n'))),
  headers: edited(within((body) => body.replace(/^\n(?:[A-Za-z-]+: [^\n]*\n)+\n?/, '\n'))),
  loneCr: edited((text) => text.replaceAll(/\r(?!\n)/g, '\n')),
  lineLength: edited(
    within((body) => (/^\r?\n(?:[A-Za-z0-9+/=]+\r?\n)+$/.test(body) && !/=[^=\n]/.test(body) ? rewrapped(body) : body)),
  ),
  noEnd: edited((text) => (text.includes('-----END') ? text : `${text.trimEnd()}\n${END}\n`)),
  padding: edited(within((body) => body.replace(/([A-Za-z0-9+/]+)=?\n$/, (_, last: string) => `${padded(last)}\n`))),
  innerPadding: edited(
    within((body) => {
      if (!/=\n?[A-Za-z0-9+/]/.test(body)) return body;
      const parts = body.match(/[A-Za-z0-9+/]+={0,2}/g) ?? [];
      return rewrapped(Buffer.concat(parts.map((part) => Buffer.from(part, 'base64'))).toString('base64'));
    }),
  ),
  url: edited(within((body) => body.replaceAll('-', '+').replaceAll('_', '/'))),
};

/** A keyset has another label: both labels change places, and again behind the edit. */
export function armorOf(label: string, edit: (file: Uint8Array) => Uint8Array): (file: Uint8Array) => Uint8Array {
  if (label === 'VTLIC') return edit;
  const swap = edited((text) =>
    text.replaceAll(/(vtlic)( keyset)?-----/gi, (_, name: string, keyset?: string) =>
      keyset === undefined ? `${name} KEYSET-----` : `${name}-----`,
    ),
  );
  return (file) => {
    const before = swap(file);
    const after = edit(before);
    return after === before ? file : swap(after);
  };
}

function padded(text: string): string {
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** The same item with definite lengths; anything that this does not understand stays as it is. */
export function definite(bytes: Uint8Array): Uint8Array {
  try {
    const [item, end] = definiteItem(bytes, 0);
    return concatBytes(item, bytes.subarray(end));
  } catch {
    return bytes;
  }
}

function definiteItem(bytes: Uint8Array, at: number): readonly [item: Uint8Array, end: number] {
  const initial = bytes[at];
  if (initial === undefined || initial === 0xff) throw new Error('no item');
  const major = initial >> 5;
  const information = initial & 31;
  const size = information < 24 ? 0 : 1 << (information - 24);
  const isIndefinite = information === 31;
  let argument = information;
  if (size > 0) argument = Number(BigInt(`0x${toHex(bytes.subarray(at + 1, at + 1 + size))}`));
  let end = at + 1 + (isIndefinite ? 0 : size);
  const head = bytes.subarray(at, end);
  if (major < 2 || major === 7) return [head, end];
  if ((major === 2 || major === 3) && !isIndefinite) return [bytes.subarray(at, end + argument), end + argument];
  const items: Uint8Array[] = [];
  const wanted = major === 6 ? 1 : major === 5 ? argument * 2 : argument;
  while (isIndefinite ? bytes[end] !== 0xff : items.length < wanted) {
    const [item, behind] = definiteItem(bytes, end);
    items.push(item);
    end = behind;
  }
  if (!isIndefinite) return [concatBytes(head, ...items), end];
  if (major < 4) {
    const content = concatBytes(...items.map((item) => item.subarray(headBytes(item))));
    return [concatBytes(encodeHead(major, content.length), content), end + 1];
  }
  return [concatBytes(encodeHead(major, items.length / (major === 5 ? 2 : 1)), ...items), end + 1];
}

function headBytes(item: Uint8Array): number {
  const information = (item[0] ?? 0) & 31;
  return information < 24 ? 1 : 1 + (1 << (information - 24));
}

const GROUP_ORDER: bigint = Point.CURVE().n;
const littleEndian = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes.toReversed())}`);
const sha = (name: string, bytes: Uint8Array): Uint8Array => Uint8Array.from(createHash(name).update(bytes).digest());

const multiples = new Map<string, Point>();

/** [L]P, which is neutral for a key of prime order; remembered, since a search uses few keys. */
function timesGroupOrder(point: Point): Point {
  const name = point.toHex();
  const made = multiples.get(name) ?? point.multiplyUnsafe(GROUP_ORDER - 1n).add(point);
  multiples.set(name, made);
  return made;
}

/** An Ed25519 check that is wrong in one respect, and right otherwise. */
export function ed25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
  lenience: 'large-s' | 'small-r' | 'small-r-torsion' | 'cofactored' | 'decoded-r' | 'unreduced-k',
): boolean {
  try {
    const r = signature.subarray(0, 32);
    const s = littleEndian(signature.subarray(32));
    const unreduced = littleEndian(sha('sha512', concatBytes(r, publicKey, message)));
    const k = unreduced % GROUP_ORDER;
    const minusA = Point.fromBytes(publicKey).negate();
    const found = Point.BASE.multiplyUnsafe(s % GROUP_ORDER).add(minusA.multiplyUnsafe(k));
    if (s >= GROUP_ORDER && lenience !== 'large-s') return false;
    const isNeutralR = equalBytes(r, Point.ZERO.toBytes());
    const takesSmallR = lenience === 'small-r' || (lenience === 'small-r-torsion' && !isNeutralR);
    if (isSmallOrder(r) && !takesSmallR) return false;
    if (lenience === 'unreduced-k') {
      const missing = timesGroupOrder(minusA).multiplyUnsafe((unreduced / GROUP_ORDER) % 8n);
      return equalBytes(found.add(missing).toBytes(), r);
    }
    if (equalBytes(found.toBytes(), r)) return true;
    if (lenience === 'cofactored') return found.add(Point.fromBytes(r).negate()).double().double().double().is0();
    return lenience === 'decoded-r' && found.add(Point.fromBytes(r, true).negate()).is0();
  } catch {
    return false;
  }
}

const PREFIX = 'CompositeAlgorithmSignatures2025';
const LABEL = 'COMPSIG-MLDSA65-Ed25519-SHA512';
const M = (prefix: string, label: string, context: Uint8Array, digest: Uint8Array): Uint8Array =>
  concatBytes(utf8(prefix), utf8(label), context, digest);
const NONE: Uint8Array = Uint8Array.of(0);

/** M' as others build it: name of the error → M' of a message. */
export const MESSAGES: Readonly<Record<string, (message: Uint8Array) => Uint8Array>> = {
  prefix: (message) => M('CompositeAlgorithmSignatures2024', LABEL, NONE, sha('sha512', message)),
  noPrefix: (message) => M('', LABEL, NONE, sha('sha512', message)),
  label: (message) => M(PREFIX, 'COMPSIG-MLDSA44-Ed25519-SHA512', NONE, sha('sha512', message)),
  noLabel: (message) => M(PREFIX, '', NONE, sha('sha512', message)),
  labelLength: (message) =>
    concatBytes(utf8(PREFIX), Uint8Array.of(LABEL.length), utf8(LABEL), NONE, sha('sha512', message)),
  noLength: (message) => M(PREFIX, LABEL, new Uint8Array(), sha('sha512', message)),
  context: (message) => M(PREFIX, LABEL, concatBytes(Uint8Array.of(5), utf8('vtlic')), sha('sha512', message)),
  hash: (message) => M(PREFIX, LABEL, NONE, sha('sha256', message)),
  noHash: (message) => M(PREFIX, LABEL, NONE, message),
  raw: (message) => message,
};

/** What others sign in place of the Sig_structure of `[protected, payload]`. */
export const SIGNED: Readonly<Record<string, (protectedBytes: Uint8Array, payload: Uint8Array) => Uint8Array>> = {
  payload: (_, payload) => payload,
  joined: (protectedBytes, payload) => concatBytes(protectedBytes, payload),
  signature: (protectedBytes, payload) =>
    concatBytes(Uint8Array.of(0x84), text('Signature'), bytes(protectedBytes), Uint8Array.of(0x40), bytes(payload)),
  aad: (protectedBytes, payload) =>
    concatBytes(Uint8Array.of(0x84), text('Signature1'), bytes(protectedBytes), bytes(utf8('vtlic')), bytes(payload)),
  noAad: (protectedBytes, payload) =>
    concatBytes(Uint8Array.of(0x83), text('Signature1'), bytes(protectedBytes), bytes(payload)),
  noProtected: (_, payload) =>
    concatBytes(Uint8Array.of(0x84), text('Signature1'), Uint8Array.of(0x40), Uint8Array.of(0x40), bytes(payload)),
};

const text = (value: string): Uint8Array => concatBytes(encodeHead(3, value.length), utf8(value));
const bytes = (value: Uint8Array): Uint8Array => concatBytes(encodeHead(2, value.length), value);

/** What a careless decoder puts in the place of a claim that is missing: key → value. */
export const DEFAULTS: ReadonlyMap<number | string, string | number | Uint8Array> = new Map<
  number | string,
  string | number | Uint8Array
>([
  [1, 'example-vendor'],
  [2, 'acme-gmbh'],
  [3, 'vaultdesk'],
  [4, 1_830_297_600],
  [5, 0],
  [6, 0],
  [7, Uint8Array.from(Buffer.from('0193817a6c0070008000000000000001', 'hex'))],
  ['ctr', 1],
  ['tier', 'pro'],
  ['seats', 1],
]);

/** The hint of an ML-DSA-65 signature, as a verifier sees it that only collects the indices of each polynomial. */
export function canonicalHint(signature: Uint8Array): Uint8Array {
  const out = Uint8Array.from(signature);
  const hint = out.subarray(HINT, MLDSA65_SIGNATURE_BYTES);
  const [indices, ends] = [hint.slice(0, MAX_INDICES), hint.slice(MAX_INDICES)];
  hint.fill(0, 0, MAX_INDICES);
  let [from, to] = [0, 0];
  ends.forEach((end, i) => {
    const own = [...new Set(indices.subarray(from, end))].sort((a, b) => a - b).slice(0, MAX_INDICES - to);
    hint.set(own, to);
    from = end;
    to += own.length;
    hint[MAX_INDICES + i] = to;
  });
  return out;
}
