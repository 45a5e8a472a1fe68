/** Claims, genuinely signed: Appendix B.4 of docs/format.md. */
import { toHex } from '../../formats/bytes.ts';
import type { CborValue } from '../../formats/cbor/value.ts';
import { minimalPayload } from './minimal-payload.ts';
import { bytesOf, hex, type Input, type Row } from './small-example.ts';

const payload = (digits: string): Input => ({ kind: 'payload', hex: digits.replaceAll(' ', '') });
/** @param value hex of the encoded value; absent: the claim is removed */
const set = (key: number | string, value?: string): Input => ({
  kind: 'entries',
  entries: [value === undefined ? { key: hex(key) } : { key: hex(key), value: value.replaceAll(' ', '') }],
});
const setKey = (key: string): Input => ({ kind: 'entries', entries: [{ key, value: '00' }] });

const host = (first: number): Uint8Array => new Uint8Array(32).fill(first);

/** The hex of the minimal payload, with one part in another spelling. */
function respelled(from: string, to: string): Input {
  return payload(toHex(minimalPayload).replace(from, to));
}

const CTR = `${hex('ctr')}01`;
const TIER = `${hex('tier')}${hex('pro')}`;
const SEATS = `${hex('seats')}01`;

/** `f000`, `f001`, …: ids in their order. */
const ids = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `f${String(i).padStart(3, '0')}`);
const counts = (count: number): CborValue => new Map(ids(count).map((id): [string, number] => [id, 1]));
const hosts = (count: number): CborValue =>
  Array.from({ length: count }, (_, i) => Uint8Array.from([i >> 8, i & 255, ...new Uint8Array(30)]));

/** A code point of four bytes in UTF-8, and two units in UTF-16. */
const WIDE = '\u{1f511}';

const REQUIRED: readonly (readonly [name: string, key: number | string])[] = [
  ['iss', 1],
  ['sub', 2],
  ['aud', 3],
  ['exp', 4],
  ['nbf', 5],
  ['iat', 6],
  ['cti', 7],
  ['ctr', 'ctr'],
  ['tier', 'tier'],
  ['seats', 'seats'],
];

export const CLAIMS_ROWS: readonly Row[] = [
  ['claims-minimal', { kind: 'entries', entries: [] }, 'the minimal payload', 'active'],
  ['claims-no-bytes', payload(''), 'a payload of no bytes', 'claims_malformed'],
  ['claims-array', payload('80'), 'no map', 'claims_malformed'],
  ['claims-tag', payload('d83da0'), 'a tag', 'claims_malformed'],
  ['claims-indefinite', payload('bfff'), 'an indefinite map', 'claims_malformed'],
  ['claims-empty', payload('a0'), 'required claims missing', 'claims_malformed'],
  [
    'claims-unknown-first',
    payload('a1 08 00'),
    'a claim that is not known comes before those that are missing',
    'claims_unknown',
  ],
  ['claims-encoding-first', payload('a1 08 1817'), 'a fault of the encoding comes before it', 'claims_malformed'],
  ['claims-trailing', payload(`${toHex(minimalPayload)}00`), 'a byte behind the minimal payload', 'claims_malformed'],
  ['claims-long-head', respelled('aa', 'b80a'), 'the head of the map in two bytes', 'claims_malformed'],
  [
    'claims-repeated',
    payload(
      toHex(minimalPayload)
        .replace('aa', 'ab')
        .replace(CTR, CTR + CTR),
    ),
    'ctr twice',
    'claims_malformed',
  ],
  ['claims-unsorted', respelled(TIER + SEATS, SEATS + TIER), 'seats before tier', 'claims_malformed'],
  ['claims-cnf', set(8, '00'), 'claim 8', 'claims_unknown'],
  ['claims-negative', set(-1, '00'), 'claim -1', 'claims_unknown'],
  ['claims-named-iss', set('iss', '6161'), 'a text where the number is meant', 'claims_unknown'],
  ['claims-case', set('Tier', '6161'), 'another case', 'claims_unknown'],
  ['claims-key-bytes', setKey('40'), 'a key that is a byte string', 'claims_unknown'],
  ['claims-key-bool', setKey('f5'), 'a key that is `true`', 'claims_unknown'],
  [
    'claims-unknown-and-bound',
    {
      kind: 'entries',
      entries: [
        { key: hex('x'), value: '00' },
        { key: hex('grace'), value: '20' },
      ],
    },
    'an unknown claim comes before a bound',
    'claims_unknown',
  ],
  ...REQUIRED.map(([name, key]): Row => [`claims-no-${name}`, set(key), `${name} missing`, 'claims_malformed']),
  ['claims-iss-empty', set(1, '60'), 'an empty id', 'claims_malformed'],
  ['claims-iss-dot', set(1, '622e61'), 'an id that begins with a mark', 'claims_malformed'],
  ['claims-iss-blank', set(1, '63612062'), 'an id with a blank', 'claims_malformed'],
  ['claims-iss-slash', set(1, '63612f62'), 'an id with a slash', 'claims_malformed'],
  ['claims-iss-umlaut', set(1, '62c3a4'), 'an id with a letter that is not ASCII', 'claims_malformed'],
  ['claims-iss-bytes', set(1, '4161'), 'an id that is a byte string', 'claims_malformed'],
  ['claims-sub-longest', set(2, hex('a'.repeat(128))), 'an id of 128 characters', 'active'],
  ['claims-sub-long', set(2, hex('a'.repeat(129))), 'an id of 129 characters', 'claims_malformed'],
  ['claims-sub-marks', set(2, hex('a_.:-')), 'an id with each of the marks', 'active'],
  ['claims-sub-underscore', set(2, hex('_a')), 'an id that begins with a mark', 'claims_malformed'],
  ['claims-sub-line', set(2, hex('a\n')), 'an id with a line feed at its end', 'claims_malformed'],
  ['claims-tier-empty', set('tier', '60'), 'an empty id', 'claims_malformed'],
  ['claims-tier-integer', set('tier', '01'), 'a tier that is an integer', 'claims_malformed'],
  ['claims-aud-array', set(3, '81 69 7661756c746465736b'), 'aud as an array', 'claims_malformed'],
  ['claims-exp-float', set(4, 'fb41db461f40000000'), 'a float', 'claims_malformed'],
  ['claims-exp-tag', set(4, 'c1 1a6d182980'), 'tag 1 around a time', 'claims_malformed'],
  ['claims-exp-text', set(4, hex('1830297600')), 'a time that is a text', 'claims_malformed'],
  ['claims-exp-late', set(4, hex(253_402_300_800)), 'the year 10000', 'claims_malformed'],
  ['claims-exp-last', set(4, hex(253_402_300_799)), 'the last second of 9999', 'active'],
  ['claims-nbf-exp', set(5, hex(1_830_297_600)), 'nbf = exp', 'claims_malformed'],
  ['claims-nbf-zero', set(5, '00'), 'nbf 0', 'active'],
  ['claims-nbf-negative', set(5, '20'), 'nbf -1', 'claims_malformed'],
  ['claims-iat-exp', set(6, hex(1_830_297_600)), 'iat = exp', 'claims_malformed'],
  ['claims-iat-zero', set(6, '00'), 'iat 0', 'active'],
  ['claims-iat-negative', set(6, '20'), 'iat -1', 'claims_malformed'],
  ['claims-iat-after-nbf', set(6, hex(1_830_297_599)), 'iat later than nbf', 'active'],
  [
    'claims-cti-v4',
    set(7, hex(bytesOf('0193817a6c0040008000000000000001'))),
    'a UUID of version 4',
    'claims_malformed',
  ],
  [
    'claims-cti-variant',
    set(7, hex(bytesOf('0193817a6c0070000000000000000001'))),
    'the variant bits wrong',
    'claims_malformed',
  ],
  ['claims-cti-15', set(7, hex(new Uint8Array(15))), '15 bytes', 'claims_malformed'],
  ['claims-cti-text', set(7, hex('0193817a-6c00-7000-8000-000000000001')), 'a UUID as text', 'claims_malformed'],
  ['claims-ctr-0', set('ctr', '00'), 'counter 0', 'claims_malformed'],
  ['claims-ctr-last', set('ctr', hex(Number.MAX_SAFE_INTEGER)), 'counter 2^53-1', 'active'],
  ['claims-ctr-large', set('ctr', '1b0020000000000000'), 'counter 2^53', 'claims_malformed'],
  ['claims-seats-0', set('seats', '00'), 'no seats', 'active'],
  ['claims-seats-unlimited', set('seats', hex('unlimited')), '`"unlimited"`', 'active'],
  ['claims-seats-text', set('seats', hex('Unlimited')), 'another text', 'claims_malformed'],
  ['claims-seats-negative', set('seats', '20'), 'seats -1', 'claims_malformed'],
  ['claims-features', set('features', hex(['a', 'b'])), 'sorted', 'active'],
  ['claims-features-prefix', set('features', hex(['a', 'a-b', 'b'])), 'a prefix comes first', 'active'],
  ['claims-features-case', set('features', hex(['B', 'a'])), 'by bytes, so upper case comes first', 'active'],
  ['claims-features-empty', set('features', '80'), 'an empty list', 'claims_malformed'],
  ['claims-features-unsorted', set('features', hex(['b', 'a'])), 'unsorted', 'claims_malformed'],
  ['claims-features-twice', set('features', hex(['a', 'a'])), 'one twice', 'claims_malformed'],
  ['claims-features-length-first', set('features', hex(['b', 'aa'])), 'sorted by length first', 'claims_malformed'],
  ['claims-features-most', set('features', hex(ids(256))), '256 ids', 'active'],
  ['claims-features-many', set('features', hex(ids(257))), '257 ids', 'claims_malformed'],
  ['claims-features-integer', set('features', hex([1])), 'no id', 'claims_malformed'],
  ['claims-limits', set('limits', hex(new Map([['0', 0]]))), 'an id may begin with a digit; 0 is a limit', 'active'],
  ['claims-limits-empty', set('limits', 'a0'), 'an empty map', 'claims_malformed'],
  ['claims-limits-most', set('limits', hex(counts(256))), '256 entries', 'active'],
  ['claims-limits-many', set('limits', hex(counts(257))), '257 entries', 'claims_malformed'],
  [
    'claims-limits-largest',
    set('limits', hex(new Map([['a', Number.MAX_SAFE_INTEGER]]))),
    'a limit of 2^53-1',
    'active',
  ],
  ['claims-limits-key', set('limits', 'a10100'), 'a key that is no id', 'claims_malformed'],
  ['claims-limits-negative', set('limits', 'a1616120'), 'a limit of -1', 'claims_malformed'],
  ['claims-instances-largest', set('instances', hex(Number.MAX_SAFE_INTEGER)), '2^53-1 instances', 'active'],
  ['claims-instances-0', set('instances', '00'), 'no instance', 'claims_malformed'],
  ['claims-hosts-empty', set('hosts', '80'), 'an empty list', 'claims_malformed'],
  ['claims-hosts-31', set('hosts', hex([new Uint8Array(31)])), 'a fingerprint of 31 bytes', 'claims_malformed'],
  ['claims-hosts-unsorted', set('hosts', hex([host(2), host(1)])), 'unsorted', 'claims_malformed'],
  ['claims-hosts-twice', set('hosts', hex([host(1), host(1)])), 'the same fingerprint twice', 'claims_malformed'],
  ['claims-hosts-most', set('hosts', hex(hosts(1024))), '1024 fingerprints', 'host_mismatch'],
  ['claims-hosts-many', set('hosts', hex(hosts(1025))), '1025 fingerprints', 'claims_malformed'],
  [
    'claims-hosts-text',
    set('hosts', hex(['00'.repeat(16)])),
    'a fingerprint that is a text of 32 characters',
    'claims_malformed',
  ],
  ['claims-grace-zero', set('grace', '00'), 'grace 0', 'active'],
  ['claims-grace-negative', set('grace', '20'), 'grace -1', 'claims_malformed'],
  ['claims-grace-largest', set('grace', hex(31_622_400)), '366 days', 'active'],
  ['claims-grace-large', set('grace', hex(31_622_401)), 'a second more', 'claims_malformed'],
  ['claims-offline-negative', set('offline', '20'), 'offline -1', 'claims_malformed'],
  ['claims-offline-largest', set('offline', hex(253_402_300_799)), 'as long as times reach', 'active'],
  ['claims-offline-large', set('offline', hex(253_402_300_800)), 'a second more', 'claims_malformed'],
  ['claims-dep', set('dep', hex('prod-eu')), 'the deployment of the context', 'active'],
  ['claims-dep-empty', set('dep', '60'), 'an empty id', 'claims_malformed'],
  [
    'claims-name-any',
    set('name', hex('\u0000\u202e')),
    'control and bidi characters bind signers, not verifiers',
    'active',
  ],
  ['claims-name-longest', set('name', hex(WIDE.repeat(200))), '200 code points of four bytes each', 'active'],
  ['claims-name-long', set('name', hex('a'.repeat(201))), '201 code points', 'claims_malformed'],
  ['claims-name-utf8', set('name', '61ff'), 'invalid UTF-8', 'claims_malformed'],
  ['claims-name-empty', set('name', '60'), 'an empty text', 'claims_malformed'],
  ['claims-name-bytes', set('name', '4161'), 'a byte string', 'claims_malformed'],
  ['claims-ref-longest', set('ref', hex(WIDE.repeat(100))), '100 code points of four bytes each', 'active'],
  ['claims-ref-long', set('ref', hex('a'.repeat(101))), '101 code points', 'claims_malformed'],
  ['claims-ref-empty', set('ref', '60'), 'an empty text', 'claims_malformed'],
  [
    'claims-upd',
    set('upd', hex(253_402_300_799)),
    'builds up to the last second of 9999, no build date',
    'build_not_covered',
  ],
  ['claims-upd-zero', set('upd', '00'), 'upd 0 covers no build', 'build_not_covered'],
  ['claims-upd-negative', set('upd', '20'), 'upd -1', 'claims_malformed'],
  ['claims-upd-late', set('upd', hex(253_402_300_800)), 'the year 10000', 'claims_malformed'],
  ['claims-upd-text', set('upd', hex('2027-11-24')), 'a date as text', 'claims_malformed'],
  ['claims-upd-true', set('upd', 'f5'), '`true`', 'claims_malformed'],
  ['claims-use', set('use', hex('trial')), 'one of the three texts', 'active'],
  [
    'claims-use-production',
    set('use', hex('production')),
    'production is the absence of the claim',
    'claims_malformed',
  ],
  ['claims-use-other', set('use', hex('evaluation')), 'another text', 'claims_malformed'],
  ['claims-use-case', set('use', hex('Trial')), 'another case', 'claims_malformed'],
  ['claims-use-empty', set('use', '60'), 'an empty text', 'claims_malformed'],
  ['claims-use-integer', set('use', '01'), 'an integer', 'claims_malformed'],
  ['claims-use-bytes', set('use', '45747269616c'), 'the bytes of a text', 'claims_malformed'],
  ['claims-clk', set('clk', 'f5'), '`true`', 'active'],
  ['claims-clk-false', set('clk', 'f4'), '`false`', 'claims_malformed'],
  ['claims-clk-1', set('clk', '01'), 'an integer', 'claims_malformed'],
  [
    'claims-ext-nested-empty',
    set(
      'ext',
      hex(
        new Map<string, CborValue>([
          ['a', new Map()],
          ['b', []],
        ]),
      ),
    ),
    'empty values within',
    'active',
  ],
  ['claims-ext-deep', set('ext', 'a1 6161 818181818180'), 'depth 8, counted from the claims map', 'active'],
  ['claims-ext-deeper', set('ext', 'a1 6161 81818181818180'), 'depth 9', 'claims_malformed'],
  ['claims-ext-most', set('ext', hex(counts(64))), '64 entries', 'active'],
  ['claims-ext-many', set('ext', hex(counts(65))), '65 entries', 'claims_malformed'],
  [
    'claims-ext-inner-many',
    set('ext', hex(new Map<string, CborValue>([['a', counts(65)]]))),
    '65 entries in a map within',
    'active',
  ],
  ['claims-ext-empty', set('ext', 'a0'), 'an empty map', 'claims_malformed'],
  ['claims-ext-key', set('ext', 'a1 01 00'), 'a key that is no id', 'claims_malformed'],
  ['claims-ext-inner-key', set('ext', 'a1 6161 a1 4162 00'), 'a key within that is no id', 'claims_malformed'],
  [
    'claims-ext-array-key',
    set('ext', 'a1 6161 81 a1 01 00'),
    'a key that is no id, of a map in an array within',
    'claims_malformed',
  ],
  [
    'claims-ext-inner-empty-key',
    set('ext', 'a1 6161 a1 60 00'),
    'a key within that is an empty text',
    'claims_malformed',
  ],
  ['claims-ext-array', set('ext', '8100'), 'no map', 'claims_malformed'],
  ['claims-ext-null', set('ext', 'a1 6161 f6'), 'null', 'claims_malformed'],
];
