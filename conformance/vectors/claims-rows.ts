/** Licenses with one claim at fault or at a bound, and trust values and states in which they are judged. */
import { concatBytes } from '../../formats/bytes.ts';
import { sha256Hex } from '../../files/index.ts';
import { payloadOf } from '../examples/minimal-payload.ts';
import { active, type ExampleTrust } from '../examples/example-trust.ts';
import { bytesOf, hex, type Entry } from '../examples/small-example.ts';
import type { CborValue } from '../../formats/cbor/index.ts';
import type { Reason } from '../../verifier/reasons.ts';
import type { State } from '../../verifier/verdict.ts';
import type { PlainContext } from '../examples/plain-values.ts';
import { CONTEXT, licenseFile } from './verify-cases.ts';

export const set = (key: number | string, value: CborValue): Entry => ({ key: hex(key), value: hex(value) });
export const raw = (key: number | string, value: string): Entry => ({ key: hex(key), value });
export const file = (...entries: readonly Entry[]): Uint8Array => licenseFile(payloadOf(entries));

export type Row = readonly [id: string, title: string, file: Uint8Array, expected?: Reason | State];

export const SUB: readonly Row[] = [
  ['sub-empty', 'sub: an empty id', file(set(2, ''))],
  ['sub-dot', 'sub: an id that begins with a dot', file(set(2, '.acme'))],
  ['sub-blank', 'sub: an id with a blank', file(set(2, 'acme gmbh'))],
  ['sub-slash', 'sub: an id with a slash, which separates the parts of a lineage', file(set(2, 'acme/gmbh'))],
  ['sub-umlaut', 'sub: an id with a letter that is not ASCII', file(set(2, 'z\u00fcrich'))],
  ['sub-nul', 'sub: an id with U+0000', file(set(2, 'acme\0'))],
  ['sub-crlf', 'sub: an id with CR LF at its end', file(set(2, 'acme\r\n'))],
  ['sub-wide-digit', 'sub: an id with a digit that is not ASCII', file(set(2, 'acme\u0661'))],
  [
    'sub-kelvin',
    'sub: an id with U+212A and U+017F, which are letters of ASCII if case is ignored',
    file(set(2, 'acme\u212a\u017f')),
  ],
  ['sub-bytes', 'sub: an id that is a byte string', file(set(2, bytesOf('61')))],
  ['sub-integer', 'sub: an id that is an integer', file(set(2, 7))],
  ['tier-longest', 'tier: an id of 128 characters', file(set('tier', 't'.repeat(128))), 'active'],
  ['tier-long', 'tier: an id of 129 characters', file(set('tier', 't'.repeat(129)))],
  ['feature-long', 'features: an id of 129 characters', file(set('features', ['t'.repeat(129)]))],
  ['feature-blank', 'features: an id with a blank', file(set('features', ['a b']))],
  ['limit-key-blank', 'limits: a key with a blank', file(set('limits', new Map([['a b', 1]])))],
  [
    'limit-key-longest',
    'limits: a key of 128 characters',
    file(set('limits', new Map([['t'.repeat(128), 1]]))),
    'active',
  ],
  ['limit-key-long', 'limits: a key of 129 characters', file(set('limits', new Map([['t'.repeat(129), 1]])))],
  ['ext-key-longest', 'ext: a key of 128 characters', file(set('ext', new Map([['t'.repeat(128), 1]]))), 'active'],
  ['ext-key-long', 'ext: a key of 129 characters', file(set('ext', new Map([['t'.repeat(129), 1]])))],
  [
    'ext-inner-key-longest',
    'ext: a map within it with a key of 128 characters',
    file(set('ext', new Map([['a', new Map([['t'.repeat(128), 1]])]]))),
    'active',
  ],
  [
    'ext-inner-key-long',
    'ext: a map within it with a key of 129 characters',
    file(set('ext', new Map([['a', new Map([['t'.repeat(129), 1]])]]))),
  ],
  ['limit-large', 'limits: a limit of 2^53', file(raw('limits', `a1${hex('a')}1b0020000000000000`))],
  [
    'cti-17',
    'cti: a UUID of version 7 and a byte behind it',
    file(set(7, bytesOf('0193817a6c007000800000000000000100'))),
  ],
  [
    'cti-15-prefix',
    'cti: the first 15 bytes of a UUID of version 7',
    file(set(7, bytesOf('0193817a6c00700080000000000000'))),
  ],
  ['cti-version-15', 'cti: version 15', file(set(7, bytesOf('0193817a6c00f0008000000000000001')))],
  ['cti-first', 'cti: the time 0', file(set(7, bytesOf('00000000000070008000000000000001'))), 'active'],
  ['cti-last', 'cti: the last time of a UUID', file(set(7, bytesOf('ffffffffffff70008000000000000001'))), 'active'],
  ['cti-variant-3', 'cti: the variant bits 11', file(set(7, bytesOf('0193817a6c007000c000000000000001')))],
  ['seats-largest', 'seats: 2^53-1', file(set('seats', Number.MAX_SAFE_INTEGER)), 'active'],
  ['seats-true', 'seats: true', file(set('seats', true))],
  ['nbf-true', 'nbf: true', file(set(5, true))],
  ['iat-true', 'iat: true', file(set(6, true))],
  ['ctr-true', 'ctr: true', file(set('ctr', true))],
  ['limit-true', 'limits: a limit of true', file(set('limits', new Map([['a', true]])))],
  ['instances-true', 'instances: true', file(set('instances', true))],
  ['grace-true', 'grace: true', file(set('grace', true))],
  ['offline-true', 'offline: true', file(set('offline', true))],
  ['offline-zero', 'offline: 0', file(set('offline', 0)), 'active'],
  ['seats-unlimited-case', 'seats: "Unlimited"', file(set('seats', 'Unlimited'))],
  ['grace-text', 'grace: a text', file(set('grace', '60'))],
  ['name-decomposed', 'name: a text that is not in NFC', file(set('name', 'Zu\u0308rich')), 'active'],
  ['name-mark', 'name: U+FEFF is a code point like any other', file(set('name', '\ufeff')), 'active'],
  [
    'name-200-combining',
    'name: 100 letters with a combining mark each: 200 code points',
    file(set('name', 'u\u0308'.repeat(100))),
    'active',
  ],
  ['name-201-combining', 'name: one code point more', file(set('name', `${'u\u0308'.repeat(100)}x`))],
  [
    'name-201-emoji',
    'name: 201 code points that a reader sees as fewer',
    file(set('name', `${'\u{1f469}\u200d'.repeat(100)}x`)),
  ],
  ['ref-bytes', 'ref: a byte string', file(set('ref', bytesOf('61')))],
  ['use-array', 'use: an array', file(set('use', ['trial']))],
  ['clk-text', 'clk: the text "true"', file(set('clk', 'true'))],
  ['instances-text', 'instances: a text', file(set('instances', '3'))],
  ['offline-text', 'offline: a text', file(set('offline', '60'))],
];

/** Fingerprints of a host here and of others. */
export const HOST: Uint8Array = new Uint8Array(32).fill(0x11);
const BEFORE = new Uint8Array(32).fill(0x01);
export const hostsHere: PlainContext = { ...CONTEXT, hosts: ['11'.repeat(32)] };
const many = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => Uint8Array.from([0, i >> 8, i & 255, ...new Uint8Array(29)]));

export const HOSTS: readonly Row[] = [
  ['hosts-here', 'hosts: the fingerprint of this host', file(set('hosts', [HOST])), 'active'],
  [
    'hosts-most-here',
    'hosts: 1024 fingerprints, that of this host among them',
    file(set('hosts', [...many(1023), HOST])),
    'active',
  ],
  [
    'hosts-many-here',
    'hosts: 1025 fingerprints, that of this host among them',
    file(set('hosts', [...many(1024), HOST])),
  ],
  ['hosts-unsorted-here', 'hosts: unsorted, and that of this host among them', file(set('hosts', [HOST, BEFORE]))],
  ['hosts-twice-here', 'hosts: the fingerprint of this host twice', file(set('hosts', [HOST, HOST]))],
  ['hosts-short-here', 'hosts: one of 31 bytes before that of this host', file(set('hosts', [BEFORE.slice(1), HOST]))],
  [
    'hosts-long-here',
    'hosts: one of 33 bytes before that of this host',
    file(set('hosts', [concatBytes(BEFORE, BEFORE.slice(31)), HOST])),
  ],
  [
    'hosts-text-here',
    'hosts: the fingerprint of this host as a text of 64 digits',
    file(set('hosts', ['11'.repeat(32)])),
  ],
  ['hosts-no-array', 'hosts: one fingerprint without its array', file(set('hosts', HOST))],
];

export const built: PlainContext = { ...CONTEXT, buildDate: 1_798_761_600 };
export const UPD: readonly Row[] = [
  ['upd-last', 'upd: the last second of 9999', file(set('upd', 253_402_300_799)), 'active'],
  ['upd-late', 'upd: a second later', file(set('upd', 253_402_300_800))],
  ['upd-text', 'upd: a date as a text', file(set('upd', '2030-01-01'))],
  ['upd-true', 'upd: true', file(set('upd', true))],
];

export const minimal: Uint8Array = file();
const digest = sha256Hex(payloadOf([]));
const revoked = (honored?: readonly string[]): ExampleTrust => ({
  keys: [{ ...active('ed25519'), status: 'revoked', ...(honored === undefined ? {} : { honored }) }],
});
const lowest = (lowestCounters: Readonly<Record<string, number>>): ExampleTrust => ({
  keys: [active('ed25519')],
  lowestCounters,
});
const OTHER = '00'.repeat(32);
const LINEAGE = 'example-vendor/vaultdesk/acme-gmbh';

export const POLICY: readonly (readonly [...Row, trust: ExampleTrust, clause: string])[] = [
  [
    'policy-honored',
    'a license by a revoked key, whose payload is honored',
    minimal,
    'active',
    revoked([digest]),
    '8.1',
  ],
  [
    'policy-honored-other',
    'a license by a revoked key that honors another payload',
    minimal,
    'key_revoked',
    revoked([OTHER]),
    '8.1',
  ],
  [
    'policy-honored-among',
    'the payload is the last of three that are honored',
    minimal,
    'active',
    revoked([OTHER, '11'.repeat(32), digest]),
    '8.1',
  ],
  [
    'policy-lowest-deployment',
    'a lowest counter of the lineage with a deployment, and the license has none',
    minimal,
    'active',
    lowest({ [`${LINEAGE}/prod-eu`]: 9 }),
    '7.1',
  ],
  [
    'policy-lowest-no-deployment',
    'a lowest counter of the lineage without a deployment, and the license has one',
    file(set('dep', 'prod-eu')),
    'active',
    lowest({ [LINEAGE]: 9 }),
    '7.1',
  ],
  [
    'policy-lowest-own',
    'a lowest counter above the counter of a license without a deployment',
    minimal,
    'superseded',
    lowest({ [LINEAGE]: 2 }),
    '8.1',
  ],
  [
    'policy-lowest-customer',
    'a lowest counter of another customer',
    minimal,
    'active',
    lowest({ 'example-vendor/vaultdesk/other': 9 }),
    '7.1',
  ],
  [
    'policy-until-past',
    'ed25519_until is before the license was issued',
    minimal,
    'algorithm_not_allowed',
    { keys: [active('ed25519')], ed25519Until: 1_000 },
    '8.1',
  ],
  [
    'policy-until-zero',
    'ed25519_until is 0',
    minimal,
    'algorithm_not_allowed',
    { keys: [active('ed25519')], ed25519Until: 0 },
    '8.1',
  ],
  [
    'policy-composite-until',
    'composite is required, and ed25519_until is not reached',
    minimal,
    'algorithm_not_allowed',
    { keys: [active('ed25519')], requireComposite: true, ed25519Until: 253_402_300_799 },
    '8.1',
  ],
  [
    'policy-until-iat',
    'the license is issued after ed25519_until, by its own word, and the time of verifying is before it',
    file(set(6, 1_820_000_000)),
    'active',
    { keys: [active('ed25519')], ed25519Until: 1_819_999_999 },
    '9',
  ],
  [
    'policy-license-other',
    'another license is revoked',
    minimal,
    'active',
    { keys: [active('ed25519')], revokedLicenses: ['0193817a-6c00-7000-8000-000000000002'] },
    '8.1',
  ],
  [
    'policy-composite-also',
    'a second key does not matter to the license of the first',
    minimal,
    'active',
    { keys: [active('ed25519'), { ...active('composite'), status: 'revoked' }] },
    '8.1',
  ],
];

const seen = (
  current: string,
  highestIat: number,
  lineages: NonNullable<PlainContext['seen']>['lineages'],
): PlainContext => ({
  ...CONTEXT,
  seen: { current, highestIat, lineages },
});
const at = (
  counter: number,
  payloadDigest: string = OTHER,
): { readonly counter: number; readonly payloadDigest: string } => ({ counter, payloadDigest });
const IAT = 1_796_115_600;
const bound = file(set('dep', 'prod-eu'));

export const SEEN: readonly (readonly [...Row, context: PlainContext, clause: string])[] = [
  [
    'seen-largest',
    'counter 2^53-1 after counter 2^53-2',
    file(set('ctr', Number.MAX_SAFE_INTEGER)),
    'active',
    seen(LINEAGE, IAT, { [LINEAGE]: at(Number.MAX_SAFE_INTEGER - 1) }),
    '10.1',
  ],
  [
    'seen-deployment',
    'a license with a deployment is of another lineage than one without: not newer',
    bound,
    'lineage_not_newer',
    seen(LINEAGE, IAT, { [LINEAGE]: at(1) }),
    '10.1',
  ],
  [
    'seen-deployment-newer',
    'a license with a deployment, newer than all of the lineage without one',
    bound,
    'active',
    seen(LINEAGE, IAT - 1, { [LINEAGE]: at(9) }),
    '10.1',
  ],
  [
    'seen-known-conflict',
    'another lineage is the current one, and the counter had another payload in its own',
    minimal,
    'counter_conflict',
    seen(`${LINEAGE}/x`, IAT - 1, { [`${LINEAGE}/x`]: at(1), [LINEAGE]: at(1) }),
    '10.1',
  ],
  [
    'seen-customer',
    'a license of another customer that is not newer',
    file(set(2, 'other')),
    'lineage_not_newer',
    seen(LINEAGE, IAT, { [LINEAGE]: at(1, digest) }),
    '10.1',
  ],
  [
    'seen-case',
    'a lineage that differs from the current one only in case: not newer',
    minimal,
    'lineage_not_newer',
    seen('example-vendor/vaultdesk/Acme-gmbh', IAT, { 'example-vendor/vaultdesk/Acme-gmbh': at(1) }),
    '10.1',
  ],
  [
    'seen-iat-zero',
    'a license with iat 0, where the one of another lineage has iat 0',
    file(set(6, 0)),
    'lineage_not_newer',
    seen(`${LINEAGE}/x`, 0, { [`${LINEAGE}/x`]: at(1) }),
    '10.1',
  ],
  [
    'clk-clock-zero',
    'clk, and a clock that shows 0: judged at iat, before nbf',
    file(set('ctr', 2), set('clk', true)),
    'not_yet_valid',
    { ...seen(LINEAGE, IAT, { [LINEAGE]: at(1) }), clock: 0 },
    '10.2',
  ],
  [
    'clk-iat-ahead',
    'clk, and an iat that is later than the effective time: judged at iat, after nbf',
    file(set('ctr', 2), set('clk', true), set(6, 1_800_000_000)),
    'active',
    { ...seen(LINEAGE, IAT, { [LINEAGE]: at(1) }), now: 1_797_000_000, clock: 1_797_000_000 },
    '10.2',
  ],
  [
    'seen-signature-differs',
    'the same payload by another key: the same license',
    licenseFile(payloadOf([])),
    'active',
    seen(LINEAGE, IAT, { [LINEAGE]: at(1, digest) }),
    '10.1',
  ],
];

export const BINDING: readonly (readonly [...Row, context: PlainContext])[] = [
  ['issuer-case', 'the issuer in another case', minimal, 'issuer_mismatch', { ...CONTEXT, issuer: 'Example-vendor' }],
  [
    'issuer-prefix',
    'an issuer whose id begins with that of the license',
    minimal,
    'issuer_mismatch',
    { ...CONTEXT, issuer: 'example-vendor-2' },
  ],
  ['product-case', 'the product in another case', minimal, 'product_mismatch', { ...CONTEXT, product: 'VaultDesk' }],
  [
    'product-prefix',
    'a product whose id begins with that of the license',
    minimal,
    'product_mismatch',
    { ...CONTEXT, product: 'vaultdesk-2' },
  ],
  [
    'deployment-case',
    'the deployment in another case',
    bound,
    'deployment_mismatch',
    { ...CONTEXT, deployment: 'prod-EU' },
  ],
  [
    'deployment-prefix',
    'a deployment whose id begins with that of the license',
    bound,
    'deployment_mismatch',
    { ...CONTEXT, deployment: 'prod-eu-2' },
  ],
  [
    'deployment-shorter',
    'a deployment whose id is only the beginning of that of the license',
    bound,
    'deployment_mismatch',
    { ...CONTEXT, deployment: 'prod' },
  ],
  [
    'build-zero',
    'the build date 0 is before every end of updates but 0',
    file(set('upd', 1)),
    'active',
    { ...CONTEXT, buildDate: 0 },
  ],
];
