/** Trust values that are taken, and such that are refused: Appendix B.5 of docs/format.md. */
import { toHex } from '../../formats/bytes.ts';
import { torsionPoints } from './torsion-points.ts';
import { compositeKey, ed25519Key } from './example-keys.ts';
import { active, type ExampleTrust, type ExampleTrustedKey } from './example-trust.ts';

export interface TrustExample {
  readonly id: string;
  readonly what: string;
  readonly trust: ExampleTrust;
  readonly expected: 'taken' | 'configuration_invalid';
}

type Row = readonly [id: string, what: string, trust: ExampleTrust, expected: TrustExample['expected']];

const plain = (publicKey: string): ExampleTrust => ({ keys: [active({ alg: 'ed25519', publicKey })] });
const composite = (publicKey: string): ExampleTrust => ({ keys: [active({ alg: 'ed25519+ml-dsa-65', publicKey })] });

/** 32 bytes: the first, 30 times another, the last. */
const encoding = (first: string, others: string, last: string): string => `${first}${others.repeat(30)}${last}`;

const ANY_MLDSA65 = '00'.repeat(1952);
const ED25519 = toHex(ed25519Key.publicKey.bytes);
const COMPOSITE = toHex(compositeKey.publicKey.bytes);

const twice = (changes: Partial<ExampleTrustedKey>): ExampleTrust => ({
  keys: [active('ed25519'), { ...active('ed25519'), ...changes }],
});
const scoped = (products: readonly string[], again: readonly string[]): ExampleTrust => ({
  keys: [
    { ...active('ed25519'), products },
    { ...active('ed25519'), products: again },
  ],
});

const SMALL: readonly Row[] = torsionPoints()
  .map((point) => point.toHex())
  .sort()
  .map((hex, i) => [
    `trust-small-${i + 1}`,
    `the small-order encoding \`${hex.slice(0, 4)}…${hex.slice(-4)}\``,
    plain(hex),
    'configuration_invalid',
  ]);

const ROWS: readonly Row[] = [
  ['trust-two', 'the keys of A.1 and A.2', { keys: [active('ed25519'), active('composite')] }, 'taken'],
  ['trust-empty', 'no key at all', { keys: [] }, 'taken'],
  [
    'trust-mldsa-any',
    'a composite whose ML-DSA-65 component is 1952 bytes `00`',
    composite(ANY_MLDSA65 + ED25519),
    'taken',
  ],
  ['trust-31', 'an `ed25519` key of 31 bytes', plain(ED25519.slice(2)), 'configuration_invalid'],
  ['trust-33', 'one of 33 bytes', plain(`${ED25519}00`), 'configuration_invalid'],
  ['trust-1983', 'a composite of 1983 bytes', composite(COMPOSITE.slice(2)), 'configuration_invalid'],
  [
    'trust-y-large',
    'y = p + 3, where y = 3 is on the curve: not canonical',
    plain(encoding('f0', 'ff', '7f')),
    'configuration_invalid',
  ],
  ['trust-y-large-sign', 'the same with the sign bit', plain(encoding('f0', 'ff', 'ff')), 'configuration_invalid'],
  ['trust-y-largest', 'y = 2^255-1 = p + 18', plain(encoding('ff', 'ff', '7f')), 'configuration_invalid'],
  ['trust-x-zero-1', 'y = 1 with the sign bit: x is 0', plain(encoding('01', '00', '80')), 'configuration_invalid'],
  ['trust-x-zero-2', 'y = -1 with the sign bit: x is 0', plain(encoding('ec', 'ff', 'ff')), 'configuration_invalid'],
  [
    'trust-off-curve',
    'y = 2, which is no point of the curve',
    plain(encoding('02', '00', '00')),
    'configuration_invalid',
  ],
  ['trust-off-curve-sign', 'the same with the sign bit', plain(encoding('02', '00', '80')), 'configuration_invalid'],
  ...SMALL,
  [
    'trust-half-small',
    'a composite whose Ed25519 component is of small order',
    composite(COMPOSITE.slice(0, 3904) + encoding('00', '00', '00')),
    'configuration_invalid',
  ],
  [
    'trust-half-y-large',
    'one whose Ed25519 component is not canonical',
    composite(COMPOSITE.slice(0, 3904) + encoding('f0', 'ff', '7f')),
    'configuration_invalid',
  ],
  [
    'trust-half-off-curve',
    'one whose Ed25519 component is no point of the curve',
    composite(COMPOSITE.slice(0, 3904) + encoding('02', '00', '00')),
    'configuration_invalid',
  ],
  [
    'trust-shared',
    'the key of A.1, and a composite that has it as its component',
    { keys: [active('ed25519'), active('shared-half')] },
    'configuration_invalid',
  ],
  [
    'trust-shared-mldsa',
    'two composites with one ML-DSA-65 component',
    { keys: [active('composite'), active('shared-half')] },
    'configuration_invalid',
  ],
  [
    'trust-shared-purpose',
    'a shared component, of keys with two purposes, one of them revoked',
    {
      keys: [
        { ...active('ed25519'), purpose: 'root' },
        { ...active('shared-half'), status: 'revoked' },
      ],
    },
    'configuration_invalid',
  ],
  ['trust-twice', 'one key twice, all the same', twice({}), 'taken'],
  ['trust-twice-order', 'one key twice, its products in another order', scoped(['a', 'b'], ['b', 'a']), 'taken'],
  ['trust-twice-items', 'one key twice, once with one product twice', scoped(['a', 'b'], ['b', 'a', 'b']), 'taken'],
  ['trust-twice-purpose', 'one key twice, with two purposes', twice({ purpose: 'root' }), 'configuration_invalid'],
  ['trust-twice-status', 'one key twice, with two statuses', twice({ status: 'retired' }), 'configuration_invalid'],
  ['trust-twice-products', 'one key twice, with other products', scoped(['a'], ['a', 'b']), 'configuration_invalid'],
  [
    'trust-twice-scope',
    'one key twice, once for every tier and once for one',
    twice({ tiers: ['pro'] }),
    'configuration_invalid',
  ],
  [
    'trust-twice-empty',
    'one key twice, once for every product and once for none',
    twice({ products: [] }),
    'configuration_invalid',
  ],
  [
    'trust-purpose-reserved',
    'two keys with purposes that this version gives no work',
    {
      keys: [
        { ...active('ed25519'), purpose: 'license-key' },
        { ...active('other'), purpose: 'receipt' },
      ],
    },
    'taken',
  ],
  [
    'trust-purpose-unknown',
    'an unknown purpose',
    { keys: [{ ...active('ed25519'), purpose: 'licence' }] },
    'configuration_invalid',
  ],
  [
    'trust-status-unknown',
    'an unknown status',
    { keys: [{ ...active('ed25519'), status: 'Active' }] },
    'configuration_invalid',
  ],
  [
    'trust-scope-id',
    'products and tiers that are ids of one character and of 128',
    { keys: [{ ...active('ed25519'), products: ['a'], tiers: ['t'.repeat(128)] }] },
    'taken',
  ],
  [
    'trust-products-no-id',
    'a product that is no id',
    { keys: [{ ...active('ed25519'), products: ['vaultdesk', 'vault desk'] }] },
    'configuration_invalid',
  ],
  [
    'trust-products-kelvin',
    'a product with U+212A, which is a k without regard to case',
    { keys: [{ ...active('ed25519'), products: ['vaultdes\u212a'] }] },
    'configuration_invalid',
  ],
  [
    'trust-products-line-feed',
    'a product with LF at its end',
    { keys: [{ ...active('ed25519'), products: ['vaultdesk\n'] }] },
    'configuration_invalid',
  ],
  [
    'trust-tiers-no-id',
    'a tier that is no id',
    { keys: [{ ...active('ed25519'), tiers: [''] }] },
    'configuration_invalid',
  ],
  [
    'trust-tiers-long',
    'a tier of 129 characters',
    { keys: [{ ...active('ed25519'), tiers: ['t'.repeat(129)] }] },
    'configuration_invalid',
  ],
  [
    'trust-revoked-v7',
    'a revoked license: a UUID of version 7',
    { keys: [], revokedLicenses: ['0193817a-6c00-7000-8000-000000000001'] },
    'taken',
  ],
  [
    'trust-revoked-v4',
    'one of version 4',
    { keys: [], revokedLicenses: ['0193817a-6c00-4000-8000-000000000001'] },
    'configuration_invalid',
  ],
  [
    'trust-revoked-variant',
    'one of version 7 and another variant',
    { keys: [], revokedLicenses: ['0193817a-6c00-7000-c000-000000000001'] },
    'configuration_invalid',
  ],
  [
    'trust-revoked-case',
    'one in upper case',
    { keys: [], revokedLicenses: ['0193817A-6C00-7000-8000-000000000001'] },
    'configuration_invalid',
  ],
  [
    'trust-revoked-line-feed',
    'one with LF at its end',
    { keys: [], revokedLicenses: ['0193817a-6c00-7000-8000-000000000001\n'] },
    'configuration_invalid',
  ],
  [
    'trust-until-last',
    '`ed25519_until` at the last second of 9999',
    { keys: [], ed25519Until: 253_402_300_799 },
    'taken',
  ],
  [
    'trust-until-late',
    '`ed25519_until` a second later',
    { keys: [], ed25519Until: 253_402_300_800 },
    'configuration_invalid',
  ],
  ['trust-until-negative', '`ed25519_until` -1', { keys: [], ed25519Until: -1 }, 'configuration_invalid'],
  ['trust-lowest-zero', 'a lowest counter of 0', { keys: [], lowestCounters: { 'a/b/c': 0 } }, 'taken'],
  [
    'trust-lowest-negative',
    'a lowest counter of -1',
    { keys: [], lowestCounters: { 'a/b/c': -1 } },
    'configuration_invalid',
  ],
  [
    'trust-lowest-last',
    'a lowest counter of 2^53-1',
    { keys: [], lowestCounters: { 'a/b/c': Number.MAX_SAFE_INTEGER } },
    'taken',
  ],
  [
    'trust-lowest-large',
    'a lowest counter of 2^53',
    { keys: [], lowestCounters: { 'a/b/c': Number.MAX_SAFE_INTEGER + 1 } },
    'configuration_invalid',
  ],
  [
    'trust-lowest-lineage',
    'a lowest counter of what is no lineage: five parts',
    { keys: [], lowestCounters: { 'a/b/c/d/e': 1 } },
    'configuration_invalid',
  ],
  [
    'trust-lowest-line-feed',
    'a lineage with LF at its end',
    { keys: [], lowestCounters: { 'a/b/c\n': 1 } },
    'configuration_invalid',
  ],
];

export const trustExamples: readonly TrustExample[] = Object.freeze(
  ROWS.map(([id, what, trust, expected]) => Object.freeze({ id, what, trust, expected })),
);
