/** Which signatures count, and which keys have to stay: K4 of docs/keysets.md, in the ways that one rule can be half right. */
import { armor } from '../../formats/armor.ts';
import { encodeKeyset } from '../../formats/keyset/encode-keyset.ts';
import type { IssuingKey } from '../../formats/keyset/keyset.ts';
import {
  chainOf,
  issuingKey,
  KEYSET_MADE,
  keysetBlock,
  keysetOf,
  signKeyset,
  type KeysetBend,
  type KeysetValues,
} from '../examples/keysets.ts';
import type { CaseFolder, KeysetCase } from './case.ts';
import { sorted } from './keyset-rows.ts';
import {
  block,
  COMPOSITE_ROOTS,
  counts,
  fileRefused,
  first,
  keysetFolder,
  mixed,
  ROOTS,
  version1,
  withPolicy,
} from './keyset-state-cases.ts';

/** Spoils the signature of one signer. */
const without = (who: string): KeysetBend => ({
  signature: (name, bytes) => (name === who ? bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) : bytes),
});
/** The next version, signed by these, of whom the last one has a signature that is not valid. */
const spoiledLast = (changes: Partial<KeysetValues>, ...signers: readonly string[]): Uint8Array =>
  keysetBlock({ ...version1, version: 2, ...changes }, signers, without(signers.at(-1) ?? ''));

/** The next version with a key of small order, and a signature that is not valid. */
function withSmallOrder(member: 'roots' | 'keys'): Uint8Array {
  const { roots, keys, ...keyset } = keysetOf({ ...version1, version: 2 });
  const small = { ...issuingKey('issuing 1'), publicBytes: new Uint8Array(32) };
  const changed = member === 'roots' ? { roots: [small, ...roots], keys } : { roots, keys: [small, ...keys] };
  return armor('VTLIC KEYSET', signKeyset(encodeKeyset({ ...keyset, ...changed }), ROOTS, without('root 2')));
}

const SECOND: IssuingKey = issuingKey('issuing 5');
const withSecond = (changes: Partial<IssuingKey>): Uint8Array =>
  block({ keys: sorted(issuingKey('issuing 1'), issuingKey('issuing 5', changes)) });
const withoutRoot3: Partial<KeysetValues> = { roots: ['root 1', 'root 2'] };

type Row = readonly [
  id: string,
  title: string,
  builtIn: Uint8Array,
  next: Uint8Array,
  expected: KeysetCase['expected'],
];

const ROWS: readonly Row[] = [
  [
    'stranger-root-that-left',
    'a signature that is not valid, by a root that left before',
    chainOf(first, block({ ...withoutRoot3, version: 2 })),
    spoiledLast({ ...withoutRoot3, version: 3 }, ...ROOTS),
    counts(3, 'file'),
  ],
  [
    'stranger-issuing',
    'a signature that is not valid, by an issuing key',
    first,
    spoiledLast({}, ...ROOTS, 'issuing 1'),
    counts(2, 'file'),
  ],
  [
    'signature-new-root',
    'a signature that is not valid, by a root that is new',
    first,
    spoiledLast({ roots: [...ROOTS, 'root 4'] }, ...ROOTS, 'root 4'),
    fileRefused(1, 'keyset_signature_invalid'),
  ],
  [
    'signature-leaving-root',
    'a signature that is not valid, by a root that leaves with this version',
    first,
    spoiledLast(withoutRoot3, ...ROOTS),
    fileRefused(1, 'keyset_signature_invalid'),
  ],
  [
    'signature-ended-root',
    'a signature that is not valid, by an Ed25519 root that the policy has ended',
    withPolicy,
    spoiledLast({ ...mixed, requireComposite: true }, ...COMPOSITE_ROOTS, 'root 1'),
    fileRefused(1, 'keyset_signature_invalid'),
  ],
  [
    'threshold-new-roots',
    'one root of the version before signed, and two that are new',
    first,
    block({ version: 2, roots: [...ROOTS, 'root 4', 'root 5'] }, ['root 1', 'root 4', 'root 5']),
    fileRefused(1, 'keyset_threshold_previous'),
  ],
  [
    'threshold-old-roots',
    'two roots that leave signed, and one of the new ones',
    first,
    block({ version: 2, roots: ['root 1', 'root 4', 'root 5'] }, ROOTS),
    fileRefused(1, 'keyset_threshold_own'),
  ],
  [
    'threshold-higher',
    'a threshold of 3, and the two signatures that were enough before',
    first,
    block({ version: 2, threshold: 3 }, ['root 1', 'root 2']),
    fileRefused(1, 'keyset_threshold_own'),
  ],
  [
    'threshold-lower',
    'a threshold of 1, and the one signature that will be enough from then on',
    first,
    block({ version: 2, threshold: 1 }, ['root 1']),
    fileRefused(1, 'keyset_threshold_previous'),
  ],
  ...(['pre-published', 'retired', 'revoked'] as const).map((status): Row => [
    `removed-${status}`,
    `an issuing key that is ${status} is left out`,
    withSecond({ status }),
    block({ version: 2 }),
    fileRefused(1, 'keyset_key_removed'),
  ]),
  [
    'issuer-case',
    'the issuer in another case',
    first,
    block({ version: 2, iss: 'Example-Vendor' }),
    fileRefused(1, 'keyset_issuer_mismatch'),
  ],
  [
    'root-before-signature',
    'a new root of small order, and a signature that is not valid',
    first,
    withSmallOrder('roots'),
    fileRefused(1, 'keyset_key_invalid'),
  ],
  [
    'signature-before-key',
    'an issuing key of small order, and a signature that is not valid',
    first,
    withSmallOrder('keys'),
    fileRefused(1, 'keyset_signature_invalid'),
  ],
  [
    'removed-license-key',
    'an issuing key for license keys is left out',
    withSecond({ purpose: 'license-key' }),
    block({ version: 2 }),
    fileRefused(1, 'keyset_key_removed'),
  ],
  [
    'removed-for-another',
    'another issuing key is in the place of one',
    first,
    block({ version: 2, keys: [SECOND] }),
    fileRefused(1, 'keyset_key_removed'),
  ],
  [
    'purpose-of-license-key',
    'a key for license keys becomes one for licenses',
    withSecond({ purpose: 'license-key' }),
    block({ version: 2, keys: sorted(issuingKey('issuing 1'), SECOND) }),
    fileRefused(1, 'keyset_purpose_changed'),
  ],
  [
    'purpose-of-issuing-key',
    'an issuing key becomes a root',
    first,
    block({ version: 2, roots: [...ROOTS, 'issuing 1'] }),
    fileRefused(1, 'keyset_purpose_changed'),
  ],
  [
    'expired-before',
    'the version before expired in 1970',
    block({ made: 0, expires: 1 }),
    block({ version: 2 }),
    counts(2, 'file'),
  ],
  [
    'expired-1970',
    'a version that expired in 1970',
    first,
    block({ version: 2, made: 0, expires: 1 }),
    counts(2, 'file'),
  ],
  [
    'made-before',
    'a version that was made before the one that it follows',
    first,
    block({ version: 2, made: KEYSET_MADE - 1_000_000 }),
    counts(2, 'file'),
  ],
];

export function keysetAcceptanceCases(): readonly CaseFolder[] {
  return ROWS.map(([id, title, builtIn, next, expected]) =>
    keysetFolder(id, title, { builtIn, new: next }, expected, 'K4'),
  );
}
