/** Changes of the trust (section 8 of docs/format.md), and of how a request spells it. */
import { concatBytes } from '../../../formats/bytes.ts';
import { kidOf } from '../../../keys/public/public-key.ts';
import type { WireKey, WireTrust } from '../../protocol/protocol.ts';
import { base64, DAY, LICENSE_ID, LINEAGE, NOW, type Draft, type DraftKey } from '../draft.ts';
import { COMPOSITE, keyNamed, OTHER_COMPOSITE, ROOT, SECOND } from '../keys.ts';
import { each, type Changes } from './change.ts';

const SURROUNDINGS = { of: 'surroundings' } as const;
const OTHER_DIGEST = 'ab'.repeat(32);

const own = (draft: Draft): DraftKey =>
  draft.trust.keys[0] ?? { key: ROOT.publicKey, purpose: 'root', status: 'active' };

/** Edits of the entry of the key that signed. */
const ENTRY: readonly (readonly [string, (key: DraftKey, draft: Draft) => void])[] = [
  ...['pre-published', 'retired', 'revoked'].map(
    (status) =>
      [
        `with the status ${status}`,
        (key: DraftKey) => {
          key.status = status;
        },
      ] as const,
  ),
  [
    'revoked, with this payload honored',
    (key, draft) => {
      key.status = 'revoked';
      key.honored = [OTHER_DIGEST, draft.signed?.payloadDigest ?? ''];
    },
  ],
  [
    'revoked, with another payload honored',
    (key) => {
      key.status = 'revoked';
      key.honored = [OTHER_DIGEST];
    },
  ],
  ['with an empty list of honored payloads', (key) => (key.honored = [])],
  [
    'revoked, with an empty list of honored payloads',
    (key) => {
      key.status = 'revoked';
      key.honored = [];
    },
  ],
  ...['root', 'license-key', 'release', 'counters', 'ledger', 'approval', 'transcript', 'receipt'].map(
    (purpose) =>
      [
        `with the purpose ${purpose}`,
        (key: DraftKey) => {
          key.purpose = purpose;
        },
      ] as const,
  ),
  ['for this product', (key) => (key.products = ['other', 'vaultdesk'])],
  ['for other products', (key) => (key.products = ['other', 'vaultdesk-2'])],
  ['for no product', (key) => (key.products = [])],
  ['for this tier', (key) => (key.tiers = ['pro'])],
  ['for other tiers', (key) => (key.tiers = ['enterprise', 'p'])],
  ['for no tier', (key) => (key.tiers = [])],
];

const POLICY: readonly (readonly [string, (draft: Draft) => void])[] = [
  ['that requires composite', (draft) => (draft.trust.requireComposite = true)],
  [
    'that requires composite, with an ed25519_until that is later',
    (draft) => ((draft.trust.requireComposite = true), (draft.trust.ed25519Until = 253_402_300_799)),
  ],
  ['whose ed25519_until is now', (draft) => (draft.trust.ed25519Until = draft.context.now)],
  [
    'whose ed25519_until is in a second',
    (draft) => (draft.trust.ed25519Until = Math.min(draft.context.now + 1, 253_402_300_799)),
  ],
  ['whose ed25519_until is past', (draft) => (draft.trust.ed25519Until = Math.max(0, draft.context.now - DAY))],
  ['whose ed25519_until is 0', (draft) => (draft.trust.ed25519Until = 0)],
  // Policy compares with the time of verifying, not with a time in the license.
  ['whose ed25519_until is between iat and now', (draft) => (draft.trust.ed25519Until = NOW - 50 * DAY)],
  [
    'whose ed25519_until is between the clock and the effective time',
    (draft) => {
      draft.context.clock = Math.max(0, draft.context.now - 2);
      draft.trust.ed25519Until = Math.max(0, draft.context.now - 1);
    },
  ],
  ['that revokes this license', (draft) => void draft.trust.revokedLicenses.push(LICENSE_ID)],
  [
    'that revokes another license',
    (draft) => void draft.trust.revokedLicenses.push('0193817a-6c00-7000-8000-00000000ffff'),
  ],
  ['whose lowest counter is that of the license', (draft) => void draft.trust.lowestCounters.set(LINEAGE, 5)],
  ['whose lowest counter is one higher', (draft) => void draft.trust.lowestCounters.set(LINEAGE, 6)],
  [
    'whose lowest counter is that of another deployment',
    (draft) => void draft.trust.lowestCounters.set(`${LINEAGE}/prod-eu`, 9),
  ],
  [
    'whose lowest counter is that of another customer',
    (draft) => void draft.trust.lowestCounters.set('example-vendor/vaultdesk/acme', 9),
  ],
  ['without a key', (draft) => void draft.trust.keys.splice(0)],
  [
    'with a root beside the key',
    (draft) => void draft.trust.keys.push({ key: ROOT.publicKey, purpose: 'root', status: 'active' }),
  ],
  [
    'with a revoked key beside it',
    (draft) => void draft.trust.keys.push({ key: SECOND.publicKey, purpose: 'license', status: 'revoked' }),
  ],
  ['with its key twice', (draft) => void draft.trust.keys.push({ ...own(draft) })],
  ['with its keys in another order', (draft) => void draft.trust.keys.reverse()],
];

const wireKey = (changes: Partial<WireKey> = {}): WireKey => ({
  alg: 'ed25519',
  public: base64(SECOND.publicKey.bytes),
  purpose: 'license',
  status: 'active',
  ...changes,
});
const hexKey = (hex: string): Partial<WireKey> => ({ public: Buffer.from(hex, 'hex').toString('base64') });
const plus =
  (...keys: readonly WireKey[]) =>
  (trust: WireTrust): WireTrust => ({ ...trust, keys: [...trust.keys, ...keys] });
const compositeKey = (bytes: Uint8Array): WireKey => wireKey({ alg: 'ed25519+ml-dsa-65', public: base64(bytes) });
const MLDSA = 1952;

/** Section 8.1: `configuration_invalid` as a whole. */
const INVALID: readonly (readonly [string, (trust: WireTrust) => WireTrust])[] = [
  ['a key of 31 bytes', plus(wireKey({ public: base64(SECOND.publicKey.bytes.subarray(1)) }))],
  ['a key of 33 bytes', plus(wireKey({ public: base64(concatBytes(SECOND.publicKey.bytes, Uint8Array.of(0))) }))],
  ['a composite of 32 bytes', plus(wireKey({ alg: 'ed25519+ml-dsa-65' }))],
  ['an algorithm that there is not', plus(wireKey({ alg: 'ml-dsa-65' }))],
  ['a key that is the neutral element', plus(wireKey(hexKey(`01${'00'.repeat(31)}`)))],
  ['a key of order 2', plus(wireKey(hexKey(`ec${'ff'.repeat(30)}7f`)))],
  ['a key of order 4', plus(wireKey(hexKey('00'.repeat(32))))],
  ['a key of order 8', plus(wireKey(hexKey('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')))],
  ['a key that is not canonical (y = p + 1)', plus(wireKey(hexKey(`ee${'ff'.repeat(30)}7f`)))],
  ['a key that is not canonical (y = p + 3)', plus(wireKey(hexKey(`f0${'ff'.repeat(30)}7f`)))],
  ['a sign on a point with x = 0', plus(wireKey(hexKey(`01${'00'.repeat(30)}80`)))],
  ['a key that is no point of the curve (y = 2)', plus(wireKey(hexKey(`02${'00'.repeat(31)}`)))],
  [
    'a composite whose Ed25519 component is of small order',
    plus(compositeKey(concatBytes(OTHER_COMPOSITE.publicKey.bytes.subarray(0, MLDSA), new Uint8Array(32)))),
  ],
  ['a purpose that there is not', plus(wireKey({ purpose: 'licence' }))],
  ['a status that there is not', plus(wireKey({ status: 'Active' }))],
  ['a product with LF at its end', plus(wireKey({ products: ['vaultdesk\n'] }))],
  ['a tier with U+212A, which is a k without regard to case', plus(wireKey({ tiers: ['des\u212a'] }))],
  ['a product of 129 characters', plus(wireKey({ products: ['p'.repeat(129)] }))],
  ['a product that is no id', plus(wireKey({ products: ['vault desk'] }))],
  ['a tier that is no id', plus(wireKey({ tiers: [''] }))],
  ['honored payloads of a key that is active', plus(wireKey({ honored: [OTHER_DIGEST] }))],
  ['an honored digest of 31 bytes', plus(wireKey({ status: 'revoked', honored: ['ab'.repeat(31)] }))],
  ['one key with two statuses', plus(wireKey(), wireKey({ status: 'retired' }))],
  ['one key with two purposes', plus(wireKey(), wireKey({ purpose: 'root' }))],
  ['one key with two scopes', plus(wireKey(), wireKey({ products: [] }))],
  ['one key with two lists of tiers', plus(wireKey({ tiers: ['pro'] }), wireKey({ tiers: ['team'] }))],
  [
    'a composite and its Ed25519 component',
    plus(compositeKey(OTHER_COMPOSITE.publicKey.bytes), wireKey({ public: base64(OTHER_COMPOSITE.publicKey.ed25519) })),
  ],
  [
    'a revoked component of a composite',
    plus(
      compositeKey(OTHER_COMPOSITE.publicKey.bytes),
      wireKey({ public: base64(OTHER_COMPOSITE.publicKey.ed25519), status: 'revoked', purpose: 'root' }),
    ),
  ],
  [
    'two composites with one ML-DSA component',
    plus(
      compositeKey(COMPOSITE.publicKey.bytes),
      compositeKey(concatBytes(COMPOSITE.publicKey.bytes.subarray(0, MLDSA), OTHER_COMPOSITE.publicKey.ed25519)),
    ),
  ],
  ['a license id in capitals', (trust) => ({ ...trust, revokedLicenses: [LICENSE_ID.toUpperCase()] })],
  ['a license id without hyphens', (trust) => ({ ...trust, revokedLicenses: [LICENSE_ID.replaceAll('-', '')] })],
  ['a license id with a line feed at its end', (trust) => ({ ...trust, revokedLicenses: [`${LICENSE_ID}\n`] })],
  ['a lineage with a line feed at its end', (trust) => ({ ...trust, lowestCounters: { [`${LINEAGE}\n`]: 1 } })],
  ['a product with a line feed at its end', plus(wireKey({ products: ['vaultdesk\n'] }))],
  ['a license id of version 4', (trust) => ({ ...trust, revokedLicenses: ['0193817a-6c00-4000-8000-000000000001'] })],
  ['a license id with LF at its end', (trust) => ({ ...trust, revokedLicenses: [`${LICENSE_ID}\n`] })],
  ['a lineage with LF at its end', (trust) => ({ ...trust, lowestCounters: { [`${LINEAGE}\n`]: 1 } })],
  ['a lineage of five ids', (trust) => ({ ...trust, lowestCounters: { [`${LINEAGE}/a/b`]: 1 } })],
  ['a lowest counter of 2^53', (trust) => ({ ...trust, lowestCounters: { [LINEAGE]: 2 ** 53 } })],
  ['a lineage of two ids', (trust) => ({ ...trust, lowestCounters: { 'example-vendor/vaultdesk': 1 } })],
  ['a lineage with an empty id', (trust) => ({ ...trust, lowestCounters: { [`${LINEAGE}/`]: 1 } })],
  ['a lowest counter below 0', (trust) => ({ ...trust, lowestCounters: { [LINEAGE]: -1 } })],
  ['an ed25519_until below 0', (trust) => ({ ...trust, ed25519Until: -1 })],
  ['an ed25519_until after 9999', (trust) => ({ ...trust, ed25519Until: 253_402_300_800 })],
];

const LIES: readonly (readonly [string, string])[] = [
  ['of zeros', '00'.repeat(32)],
  ['of another key', SECOND.publicKey.kid],
  ['of a component', kidOf('ed25519', COMPOSITE.publicKey.ed25519)],
];

/** Lists are sets: both entries are the same. */
const SAME: readonly (readonly [string, readonly string[]])[] = [
  ['in another order', ['b', 'a']],
  ['with one of them twice', ['a', 'b', 'a']],
];
const twice = (name: 'products' | 'tiers', again: readonly string[]): ((trust: WireTrust) => WireTrust) => {
  // A key of its own for each list, so that several of these changes do not make different entries of one key.
  const own = wireKey({ public: base64(keyNamed(`generated twice ${name}`).publicKey.bytes) });
  return plus({ ...own, [name]: ['a', 'b'] }, { ...own, [name]: again });
};

export const TRUST_CHANGES: readonly Changes[] = [
  ...(['products', 'tiers'] as const).map((name) =>
    each(
      `a trust with one key twice, the second time its ${name}`,
      SAME,
      (draft, again) => void draft.wireEdits.push(twice(name, again)),
      SURROUNDINGS,
    ),
  ),
  each('a key', ENTRY, (draft, edit) => edit(own(draft), draft), SURROUNDINGS),
  each('a trust', POLICY, (draft, edit) => edit(draft), SURROUNDINGS),
  each(
    'a trust with',
    INVALID,
    (draft, edit) => {
      draft.forced ??= {
        verdict: 'configuration_invalid',
        edit: (trust, context) => ({ trust: edit(trust), context }),
      };
    },
    SURROUNDINGS,
  ),
  each(
    'a kid in the request',
    LIES,
    (draft, kid) =>
      void draft.wireEdits.push((trust) => ({ ...trust, keys: trust.keys.map((key) => ({ ...key, kid })) })),
    SURROUNDINGS,
  ),
];
