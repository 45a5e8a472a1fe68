/** Keysets with one fault each, and at their bounds. */
import { armor } from '../../formats/armor.ts';
import { compareBytes, concatBytes, equalBytes, toHex, utf8 } from '../../formats/bytes.ts';
import { decodeCbor, encodeCbor, encodeTagged, isCborMap, type CborValue } from '../../formats/cbor/index.ts';
import { encodeBodyProtected, encodeSignerProtected, signerStructure } from '../../formats/cose-sign.ts';
import { TYP } from '../../formats/cose-sign1.ts';
import { encodeKeyset } from '../../formats/keyset/encode-keyset.ts';
import type { IssuingKey } from '../../formats/keyset/keyset.ts';
import type { KeysetReason } from '../../verifier/keyset/reasons.ts';
import {
  issuingKey,
  KEYSET_MADE,
  keysetBlock,
  keysetOf,
  signKeyset,
  testKey,
  type KeysetValues,
} from '../examples/keysets.ts';
import { bytesOf } from '../examples/small-example.ts';

export const ROOTS: readonly string[] = ['root 1', 'root 2', 'root 3'];
export const ISSUING: IssuingKey = issuingKey('issuing 1');
const version1: KeysetValues = { version: 1, roots: ROOTS, threshold: 2, keys: [ISSUING] };
export const version2: KeysetValues = { ...version1, version: 2 };
export const builtIn: Uint8Array = keysetBlock(version1, ROOTS);
export const block2 = (changes: Partial<KeysetValues>): Uint8Array => keysetBlock({ ...version2, ...changes }, ROOTS);
export const armored = (cose: Uint8Array): Uint8Array => armor('VTLIC KEYSET', cose);
const signed = (payload: Uint8Array): Uint8Array => armored(signKeyset(payload, ROOTS));

type Members = Map<CborValue, CborValue>;

/** Version 2 with its members changed, in an encoding that is right. */
function changed(edit: (members: Members) => void, values: Partial<KeysetValues> = {}): Uint8Array {
  const members = decodeCbor(encodeKeyset(keysetOf({ ...version2, ...values })));
  if (!isCborMap(members)) throw new Error('a keyset is no map');
  const copy = new Map(members);
  edit(copy);
  return signed(encodeCbor(copy));
}
const set = (name: string, value: CborValue): Uint8Array => changed((members) => members.set(name, value));
const without = (name: string): Uint8Array => changed((members) => members.delete(name));
/** The first issuing key with its members changed. */
const inKey = (edit: (key: Members) => void): Uint8Array =>
  changed((members) => {
    const keys = members.get('keys');
    const [first, ...others] = Array.isArray(keys) ? (keys as readonly CborValue[]) : [];
    const copy = new Map(isCborMap(first) ? first : []);
    edit(copy);
    members.set('keys', [copy, ...others]);
  });

const rootBytes = (name: string): Uint8Array =>
  Uint8Array.from(Buffer.from('a301012006215820' + toHex(testKey(name).publicKey.bytes), 'hex'));
const sortedRoots = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => rootBytes(i < 3 ? (ROOTS[i] ?? '') : `root x${i}`)).sort(compareBytes);
const MOST_REVOKED = 16_384;
const uuid = (i: number, version = 0x70): Uint8Array =>
  Uint8Array.from([0, 0, 0, i >> 8, i & 255, 0, version, 0, 0x80, 0, 0, 0, 0, 0, 0, 1]);
const uuids = (count: number): readonly Uint8Array[] => Array.from({ length: count }, (_, i) => uuid(i));
const digest = (i: number): Uint8Array => Uint8Array.from([i >> 8, i & 255, ...new Uint8Array(30)]);

export type Row = readonly [id: string, title: string, file: Uint8Array, reason: KeysetReason | number];

const M: KeysetReason = 'keyset_claims_malformed';
/** The first second of the year 10000, which is no time. */
const LATE = 253_402_300_800;
const MAX_COUNT = Number.MAX_SAFE_INTEGER;

export const PAYLOADS: readonly Row[] = [
  [
    'member-unknown-key',
    'an unknown member in an issuing key',
    inKey((key) => key.set('note', 'x')),
    'keyset_claims_unknown',
  ],
  [
    'member-unknown-policy',
    'an unknown member in the policy',
    set(
      'policy',
      new Map<string, CborValue>([
        ['composite', true],
        ['later', 1],
      ]),
    ),
    'keyset_claims_unknown',
  ],
  [
    'member-unknown-second-key',
    'an unknown member in the second issuing key',
    withKeys((keys) => keys.map((key, i) => (i === 0 || !isCborMap(key) ? key : new Map([...key, ['note', 'x']])))),
    'keyset_claims_unknown',
  ],
  [
    'member-unknown-integer',
    'a member with an integer for its name',
    changed((all) => all.set(1, 'x')),
    'keyset_claims_unknown',
  ],
  ['member-unknown-constructor', 'a member "constructor"', set('constructor', 'x'), 'keyset_claims_unknown'],
  ['member-unknown-top', 'an unknown member', set('note', 'x'), 'keyset_claims_unknown'],
  ...['iss', 'version', 'made', 'roots', 'threshold', 'keys'].map((name): Row => [
    `no-${name}`,
    `${name} is missing`,
    without(name),
    M,
  ]),
  ['iss-blank', 'iss is no id', set('iss', 'example vendor'), M],
  ['iss-128', 'iss is another id, of 128 characters', set('iss', 'v'.repeat(128)), 'keyset_issuer_mismatch'],
  ['iss-129', 'iss has 129 characters', set('iss', 'v'.repeat(129)), M],
  ['version-0', 'version 0', set('version', 0), M],
  ['version-33-bits', 'version 2^32, by which version 2 is left out', block2({ version: 2 ** 32 }), 2 ** 32],
  ['version-largest', 'version 2^53-1', block2({ version: MAX_COUNT }), MAX_COUNT],
  ['version-large', 'version 2^53', signed(withVersion(MAX_COUNT + 1)), M],
  ['made-text', 'made is a text', set('made', '2026'), M],
  ['made-late', 'made in the year 10000', set('made', LATE), M],
  ['expires-made', 'expires at the second of made', set('expires', KEYSET_MADE), M],
  ['expires-late', 'expires in the year 10000', set('expires', LATE), M],
  ['threshold-0', 'threshold 0', set('threshold', 0), M],
  ['threshold-above', 'a threshold above the number of roots', set('threshold', 4), M],
  ['roots-none', 'no root', set('roots', []), M],
  ['roots-16', '16 roots', set('roots', sortedRoots(16)), 2],
  ['roots-17', '17 roots', set('roots', sortedRoots(17)), M],
  ['roots-unsorted', 'roots unsorted', changed((members) => members.set('roots', sortedRoots(3).toReversed())), M],
  [
    'roots-twice',
    'one root twice',
    changed((members) =>
      members.set(
        'roots',
        sortedRoots(3).flatMap((one) => [one, one]),
      ),
    ),
    M,
  ],
  [
    'roots-32-bytes',
    'roots that are no COSE_Keys, but 32 bytes each',
    set(
      'roots',
      sortedRoots(3).map((root) => root.slice(8)),
    ),
    M,
  ],
  ['keys-128', '128 issuing keys', block2({ keys: manyKeys(128) }), 2],
  ['keys-129', '129 issuing keys', oneKeyMore(), M],
  ['keys-unsorted', 'issuing keys unsorted', withKeys((keys) => keys.toReversed()), M],
  ['keys-twice', 'one issuing key twice', withKeys((keys) => keys.flatMap((one) => [one, one])), M],
  ['key-status', 'an unknown status', inKey((key) => key.set('status', 'lost')), M],
  [
    'key-purpose',
    'a new issuing key with the purpose root',
    withKeys((keys) =>
      keys.map((key) => {
        const isNew = isCborMap(key) && !equalBytes(key.get('key') as Uint8Array, rootBytes('issuing 1'));
        return isNew ? new Map([...key, ['purpose', 'root']] as [CborValue, CborValue][]) : key;
      }),
    ),
    M,
  ],
  ['key-from-until', 'from at the second of until', inKey((key) => key.set('from', 5).set('until', 5)), M],
  ['key-from-late', 'from in the year 10000', inKey((key) => key.set('from', LATE)), M],
  ['key-until-late', 'until in the year 10000', inKey((key) => key.set('until', LATE)), M],
  ['key-products-none', 'an empty list of products', inKey((key) => key.set('products', [])), M],
  ['key-products-twice', 'one product twice', inKey((key) => key.set('products', ['a', 'a'])), M],
  [
    'key-products-long-s',
    'a product with U+017F, which is an s without regard to case',
    inKey((key) => key.set('products', ['vaultde\u017fk'])),
    M,
  ],
  ['key-products-64', '64 products', inKey((key) => key.set('products', ids(64))), 2],
  ['key-products-65', '65 products', inKey((key) => key.set('products', ids(65))), M],
  ['key-products-unsorted', 'products unsorted', inKey((key) => key.set('products', ['b', 'a'])), M],
  ['key-tiers-64', '64 tiers', inKey((key) => key.set('tiers', ids(64))), 2],
  ['key-tiers-65', '65 tiers', inKey((key) => key.set('tiers', ids(65))), M],
  ['key-tiers-none', 'an empty list of tiers', inKey((key) => key.set('tiers', [])), M],
  ['key-tiers-unsorted', 'tiers unsorted', inKey((key) => key.set('tiers', ['b', 'a'])), M],
  ['key-tiers-twice', 'one tier twice', inKey((key) => key.set('tiers', ['a', 'a'])), M],
  [
    'key-honored-active',
    'honored payloads of a key that is not revoked',
    inKey((key) => key.set('honored', [digest(1)])),
    M,
  ],
  [
    'key-honored-31',
    'an honored payload of 31 bytes',
    inKey((key) => key.set('status', 'revoked').set('honored', [digest(1).slice(1)])),
    M,
  ],
  [
    'key-honored-none',
    'an empty list of honored payloads',
    inKey((key) => key.set('status', 'revoked').set('honored', [])),
    M,
  ],
  [
    'key-honored-twice',
    'one honored payload twice',
    inKey((key) => key.set('status', 'revoked').set('honored', [digest(1), digest(1)])),
    M,
  ],
  ['key-honored-12288', '12,288 honored payloads', withHonored(12_288), 2],
  ['key-honored-12289', '12,289 honored payloads', withHonored(12_289), M],
  [
    'key-honored-unsorted',
    'honored payloads unsorted',
    inKey((key) => key.set('status', 'revoked').set('honored', [digest(2), digest(1)])),
    M,
  ],
  ['policy-none', 'an empty policy', set('policy', new Map()), M],
  ['policy-false', 'composite is false', set('policy', new Map([['composite', false]])), M],
  ['policy-until-late', 'ed25519_until in the year 10000', set('policy', new Map([['ed25519_until', LATE]])), M],
  ['revoked-none', 'an empty list of revoked licenses', set('revoked', []), M],
  ['revoked-16384', '16,384 revoked licenses', set('revoked', uuids(MOST_REVOKED)), 2],
  ['revoked-16385', '16,385 revoked licenses', set('revoked', uuids(MOST_REVOKED + 1)), M],
  ['revoked-v4', 'a revoked license of version 4', set('revoked', [uuid(1, 0x40)]), M],
  ['revoked-twice', 'one revoked license twice', set('revoked', [uuid(1), uuid(1)]), M],
  ['revoked-unsorted', 'revoked licenses unsorted', set('revoked', [uuid(2), uuid(1)]), M],
  ['lowest-0', 'a lowest counter of 0', set('lowest', new Map([['a/b/c', 0]])), M],
  ['lowest-lineage', 'a lowest counter of what is no lineage', set('lowest', new Map([['a/b', 1]])), M],
  ['lowest-five-parts', 'a lowest counter of five parts', set('lowest', new Map([['a/b/c/d/e', 1]])), M],
  ['lowest-line-feed', 'a lineage with LF at its end', set('lowest', new Map([['a/b/c\n', 1]])), M],
  ['lowest-largest', 'a lowest counter of 2^53-1', set('lowest', new Map([['a/b/c', MAX_COUNT]])), 2],
  ['lowest-none', 'an empty map of lowest counters', set('lowest', new Map()), M],
  ['lowest-8192', '8,192 lowest counters', set('lowest', lineages(8192)), 2],
  ['lowest-8193', '8,193 lowest counters', set('lowest', lineages(8193)), M],
  [
    'payload-trailing',
    'a byte behind the payload',
    signed(concatBytes(encodeKeyset(keysetOf(version2)), Uint8Array.of(0))),
    M,
  ],
  ['expired', 'a keyset that expired long ago: it counts', block2({ expires: KEYSET_MADE + 1 }), 2],
  ['made-future', 'a keyset that is made in the year 9999: it counts', block2({ made: 253_402_300_799 }), 2],
];

/** Version 2 with two issuing keys, whose list is changed. */
function withKeys(edit: (keys: readonly CborValue[]) => readonly CborValue[]): Uint8Array {
  return changed((members) => members.set('keys', edit(members.get('keys') as readonly CborValue[])), {
    keys: manyKeys(2),
  });
}

/** The payload of version 2 with another number, which the encoder of this project refuses to write. */
function withVersion(version: number): Uint8Array {
  const [before = '', after = ''] = toHex(encodeKeyset(keysetOf({ ...version2, version: MAX_COUNT }))).split(
    MAX_COUNT.toString(16).padStart(16, '0'),
  );
  return Uint8Array.from(Buffer.from(`${before}${version.toString(16).padStart(16, '0')}${after}`, 'hex'));
}

function withHonored(count: number): Uint8Array {
  const honored = Array.from({ length: count }, (_, i) => digest(i));
  return inKey((key) => key.set('status', 'revoked').set('honored', honored));
}

function manyKeys(count: number): readonly (typeof ISSUING)[] {
  const others = Array.from({ length: count - 1 }, (_, i) => issuingKey(`issuing n${i}`));
  return [ISSUING, ...others].sort((a, b) => compareBytes(a.publicBytes, b.publicBytes));
}
function withSmallRoot(): Uint8Array[] {
  const small = concatBytes(rootBytes('root 1').slice(0, 8), new Uint8Array(32));
  return [...sortedRoots(3), small].sort(compareBytes);
}

/** Version 2 with one more issuing key. */
function withKey(bytes: Uint8Array): Uint8Array {
  return changed((members) => {
    const [first = new Map()] = members.get('keys') as readonly Members[];
    const more = new Map([...first, ['key', bytes] as const]);
    const bytesOfKey = (key: Members): Uint8Array => key.get('key') as Uint8Array;
    members.set(
      'keys',
      [first, more].sort((a, b) => compareBytes(bytesOfKey(a), bytesOfKey(b))),
    );
  });
}

/** The 128 keys of a keyset, and one more. */
function oneKeyMore(): Uint8Array {
  return changed(
    (members) => {
      const keys = members.get('keys') as readonly Members[];
      const more = new Map([...(keys[0] ?? []), ['key', rootBytes('issuing more')]] as [CborValue, CborValue][]);
      const bytesOfKey = (key: Members): Uint8Array => key.get('key') as Uint8Array;
      members.set(
        'keys',
        [...keys, more].sort((a, b) => compareBytes(bytesOfKey(a), bytesOfKey(b))),
      );
    },
    { keys: manyKeys(128) },
  );
}
function ids(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `p${String(i).padStart(3, '0')}`);
}
function lineages(count: number): Map<string, number> {
  return new Map(Array.from({ length: count }, (_, i) => [`v/p/c${i}`, 1]));
}

export const BODY: Uint8Array = encodeBodyProtected(TYP.keyset);
export const PAYLOAD2: Uint8Array = encodeKeyset(keysetOf(version2));
export type Signer = readonly [
  protectedBytes: Uint8Array,
  unprotected: Map<CborValue, CborValue>,
  signature: Uint8Array,
];

export function signer(
  name: string,
  body: Uint8Array = BODY,
  own: Uint8Array = encodeSignerProtected(testKey(name).publicKey.alg, testKey(name).publicKey.kid),
): Signer {
  const key = testKey(name);
  return [own, new Map(), key.sign(signerStructure(body, own, PAYLOAD2))];
}
export const byKid = (names: readonly string[]): readonly string[] =>
  [...names].sort((a, b) => (testKey(a).publicKey.kid < testKey(b).publicKey.kid ? -1 : 1));
function document(
  signers: readonly (readonly CborValue[])[],
  { body = BODY, unprotected = new Map<CborValue, CborValue>(), tag = 98, more = [] as readonly CborValue[] } = {},
): Uint8Array {
  return armored(encodeTagged(tag, [body, unprotected, PAYLOAD2, signers.map((one) => [...one]), ...more]));
}
export const SIGNERS: readonly Signer[] = byKid(ROOTS).map((name) => signer(name));
const strangers = (count: number): readonly Signer[] =>
  byKid([...ROOTS, ...Array.from({ length: count }, (_, i) => `stranger ${i}`)]).map((name) => signer(name));
const bodyWith = (entries: readonly (readonly [CborValue, CborValue])[]): Uint8Array => encodeCbor(new Map(entries));
export const signedBody = (body: Uint8Array): Uint8Array =>
  document(
    byKid(ROOTS).map((name) => signer(name, body)),
    { body },
  );

/** Bytes of a COSE_Key that is no usable key, by the id of the case. */
const BAD_KEYS: Readonly<Record<string, readonly [words: string, bytes: Uint8Array]>> = {
  'y-large': ['not canonical: y = p + 1', bytesOf(`a301012006215820ee${'ff'.repeat(30)}7f`)],
  'off-curve': ['no point of the curve: y = 2', bytesOf(`a30101200621582002${'00'.repeat(31)}`)],
  'half-small': [
    'a composite whose Ed25519 component is of small order',
    bytesOf(`a301070371${toHex(utf8('ed25519+ml-dsa-65'))}205907c0${'07'.repeat(1952)}${'00'.repeat(32)}`),
  ],
};

export const C: KeysetReason = 'keyset_cose_malformed';

export const DOCUMENTS: readonly Row[] = [
  ['cose-tag', 'a keyset under the tag of COSE_Sign1', document(SIGNERS, { tag: 18 }), C],
  [
    'cose-unprotected',
    'an entry in the unprotected header',
    document(SIGNERS, { unprotected: new Map([[4, 'x']]) }),
    C,
  ],
  [
    'cose-signer-unprotected',
    'an entry in the unprotected header of a signer',
    document(SIGNERS.map(([own, , signature]) => [own, new Map([[4, 'x']]), signature])),
    C,
  ],
  [
    'cose-body-more',
    'one more entry in the protected header',
    signedBody(
      bodyWith([
        [3, 'x'],
        [16, TYP.keyset],
      ]),
    ),
    C,
  ],
  ['cose-items-5', 'a fifth item behind the signatures', document(SIGNERS, { more: [new Uint8Array()] }), C],
  [
    'cose-signer-items-4',
    'a fourth item behind a signature',
    document(SIGNERS.map((one): readonly CborValue[] => [...one, new Uint8Array()])),
    C,
  ],
  ['cose-no-signer', 'no signature at all', document([]), C],
  ['cose-signers-64', '64 signatures, 61 of them by strangers', document(strangers(61)), 2],
  ['cose-signers-65', '65 signatures', document(strangers(62)), C],
  ['cose-signers-unsorted', 'signers unsorted', document(SIGNERS.toReversed()), C],
  ['cose-signers-twice', 'one signer twice', document(SIGNERS.flatMap((one) => [one, one])), C],
  [
    'typ-rehearsal-keyset',
    'the typ of a rehearsal',
    signedBody(bodyWith([[16, 'application/vnd.vtlic.rehearsal.keyset+cose']])),
    'keyset_typ_wrong',
  ],
  ['typ-license', 'the typ of a license', signedBody(bodyWith([[16, TYP.license]])), 'keyset_typ_wrong'],
  [
    'signer-alg',
    'the alg of a composite in the header of an Ed25519 root',
    keysetBlock(version2, ROOTS, { alg: 'ed25519+ml-dsa-65' }),
    'keyset_signature_invalid',
  ],
  [
    'signature-flipped',
    'one of three signatures is not valid, and two would be enough',
    keysetBlock(version2, ROOTS, {
      signature: (name, bytes) => (name === 'root 2' ? bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte)) : bytes),
    }),
    'keyset_signature_invalid',
  ],
  ['threshold-exact', 'two of three roots signed', keysetBlock(version2, ROOTS.slice(1)), 2],
  [
    'threshold-stranger',
    'one root signed, and a stranger who is no root',
    keysetBlock(version2, ['root 1', 'stranger 1']),
    'keyset_threshold_previous',
  ],
  [
    'root-small-order',
    'one of the new roots is a point of small order',
    changed((members) => members.set('roots', withSmallRoot())),
    'keyset_key_invalid',
  ],
  ...Object.entries(BAD_KEYS).flatMap(([name, [words, bytes]]): Row[] => [
    [
      `root-${name}`,
      `one of the new roots is ${words}`,
      changed((members) => members.set('roots', [...sortedRoots(3), bytes].sort(compareBytes))),
      'keyset_key_invalid',
    ],
    [`key-${name}`, `one of two issuing keys is ${words}`, withKey(bytes), 'keyset_key_invalid'],
  ]),
  [
    'root-purpose',
    'a root becomes a key for licenses',
    block2({ keys: sorted(ISSUING, issuingKey('root 9')), roots: [...ROOTS, 'root 9'] }),
    'keyset_purpose_changed',
  ],
];

export function sorted(...keys: readonly (typeof ISSUING)[]): readonly (typeof ISSUING)[] {
  return [...keys].sort((a, b) => compareBytes(a.publicBytes, b.publicBytes));
}

const MOST_LOWEST = 8192;

/** A keyset of exactly this many bytes behind its armor: the lineages take what is missing. */
export function ofSize(bytes: number): Uint8Array {
  const revoked = uuids(MOST_REVOKED);
  let filling = 0;
  for (let i = 0; i < 3; i++) {
    const each = Math.floor(filling / MOST_LOWEST);
    const more = filling % MOST_LOWEST;
    const name = (n: number): string => String(n).padStart(20 + each + (n < more ? 1 : 0), '0');
    const lowest = new Map(Array.from({ length: MOST_LOWEST }, (_, n): [string, number] => [`v/p/c${name(n)}`, 1]));
    const members = decodeCbor(encodeKeyset(keysetOf(version2))) as Members;
    const cose = signKeyset(encodeCbor(new Map([...members, ['revoked', revoked], ['lowest', lowest]])), ROOTS);
    if (cose.length === bytes) return armored(cose);
    filling += bytes - cose.length;
  }
  throw new Error(`no keyset has ${bytes} bytes`);
}
