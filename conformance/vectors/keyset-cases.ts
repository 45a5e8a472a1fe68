/** Keysets with one fault each, their bounds, and licenses that are judged by the trust of a keyset. */
import { sha256Hex } from '../../files/index.ts';
import { concatBytes, utf8 } from '../../formats/bytes.ts';
import type { KeysetReason } from '../../verifier/keyset/reasons.ts';
import type { Reason } from '../../verifier/reasons.ts';
import type { State } from '../../verifier/verdict.ts';
import { chainOf, issuingKey, keysetBlock, testKey, type KeysetValues } from '../examples/keysets.ts';
import { minimalPayload } from '../examples/minimal-payload.ts';
import { verdictOf } from './case-parts.ts';
import type { CaseFolder, FileInput } from './case.ts';
import { CONTEXT, headerOf, mapOf, signedFile } from './verify-cases.ts';
import {
  C,
  DOCUMENTS,
  ISSUING,
  PAYLOADS,
  ROOTS,
  block2,
  builtIn,
  ofSize,
  sorted,
  version2,
  type Row,
} from './keyset-rows.ts';
import { ARMORS, SHAPES } from './keyset-shape-rows.ts';

const license = (key: string): Uint8Array => {
  const one = testKey(key);
  const { alg, kid, typ } = headerOf({ ...one, name: 'ed25519', alg: one.publicKey.alg });
  return signedFile({ ...one, name: 'ed25519', alg: one.publicKey.alg }, mapOf(alg, kid, typ), minimalPayload);
};
const PAYLOAD_DIGEST = sha256Hex(minimalPayload);

/** Version 2 with composite roots, which have to sign what sets a policy. */
const byAll = (changes: Partial<KeysetValues>): Uint8Array => {
  const roots = [...ROOTS, 'composite root 4', 'composite root 5'];
  return keysetBlock({ ...version2, roots, ...changes }, roots);
};
const ENDED: Reason = 'algorithm_not_allowed';

/** A license by `issuing 1`, unless said otherwise, and version 2. */
const LICENSES: readonly (readonly [
  id: string,
  title: string,
  file: Uint8Array,
  expected: Reason | State,
  key?: string,
])[] = [
  [
    'license-no-longer-revoked',
    'that version 2 revokes, and version 3 does not',
    chainOf(block2({ revokedLicenses: ['0193817a-6c00-7000-8000-000000000001'] }), block2({ version: 3 })),
    'active',
  ],
  [
    'license-key-comes-back',
    'by a key that version 2 revokes, and version 3 does not',
    chainOf(block2({ keys: [{ ...ISSUING, status: 'revoked' }] }), block2({ version: 3 })),
    'active',
  ],
  [
    'license-no-longer-lowest',
    'below a lowest counter of version 2, which version 3 does not have',
    chainOf(block2({ lowestCounters: new Map([['example-vendor/vaultdesk/acme-gmbh', 2]]) }), block2({ version: 3 })),
    'active',
  ],
  ['license-active', 'a license by a key of the keyset', block2({}), 'active'],
  [
    'license-pre-published',
    'by a key that is pre-published',
    block2({ keys: [{ ...ISSUING, status: 'pre-published' }] }),
    'active',
  ],
  [
    'license-retired',
    'by a key that is retired, long after its until',
    block2({ keys: [{ ...ISSUING, status: 'retired', until: 1 }] }),
    'active',
  ],
  [
    'license-revoked-key',
    'by a key that the new version revokes',
    block2({ keys: [{ ...ISSUING, status: 'revoked' }] }),
    'key_revoked',
  ],
  [
    'license-honored',
    'by a revoked key, and its payload is honored',
    block2({ keys: [{ ...ISSUING, status: 'revoked', honored: [PAYLOAD_DIGEST] }] }),
    'active',
  ],
  [
    'license-new-key',
    'by a key that only the new version has',
    block2({ keys: sorted(ISSUING, issuingKey('issuing 5')) }),
    'active',
    'issuing 5',
  ],
  [
    'license-product',
    'by a key for another product',
    block2({ keys: [{ ...ISSUING, products: ['other'] }] }),
    'key_wrong_purpose',
  ],
  [
    'license-products',
    'by a key for this product and another',
    block2({ keys: [{ ...ISSUING, products: ['other', 'vaultdesk'] }] }),
    'active',
  ],
  [
    'license-tier',
    'by a key for another tier',
    block2({ keys: [{ ...ISSUING, tiers: ['enterprise'] }] }),
    'key_wrong_purpose',
  ],
  [
    'license-tiers',
    'by a key for this tier and another',
    block2({ keys: [{ ...ISSUING, tiers: ['enterprise', 'pro'] }] }),
    'active',
  ],
  [
    'license-composite',
    'by an Ed25519 key, where the policy requires composite',
    byAll({ requireComposite: true }),
    ENDED,
  ],
  ['license-until-now', 'by an Ed25519 key, at ed25519_until', byAll({ ed25519Until: CONTEXT.now }), ENDED],
  [
    'license-until-next',
    'by an Ed25519 key, a second before ed25519_until',
    byAll({ ed25519Until: CONTEXT.now + 1 }),
    'active',
  ],
  [
    'license-key-purpose',
    'by a key for license keys',
    block2({ keys: sorted(ISSUING, issuingKey('issuing 5', { purpose: 'license-key' })) }),
    'key_wrong_purpose',
    'issuing 5',
  ],
  ['license-root', 'by a root, which signs no licenses', block2({}), 'key_wrong_purpose', 'root 1'],
  [
    'license-root-left',
    'by a root that left',
    keysetBlock({ ...version2, roots: ['root 1', 'root 2'] }, ROOTS),
    'key_wrong_purpose',
    'root 3',
  ],
  ['license-stranger', 'by a key that no version has', block2({}), 'key_unknown', 'stranger 1'],
  [
    'license-revoked',
    'the license is revoked',
    block2({ revokedLicenses: ['0193817a-6c00-7000-8000-000000000001'] }),
    'license_revoked',
  ],
  [
    'license-lowest',
    'the counter is below the lowest of its lineage',
    block2({ lowestCounters: new Map([['example-vendor/vaultdesk/acme-gmbh', 2]]) }),
    'superseded',
  ],
  [
    'license-lowest-largest',
    'the lowest counter of its lineage is 2^53-1',
    block2({ lowestCounters: new Map([['example-vendor/vaultdesk/acme-gmbh', Number.MAX_SAFE_INTEGER]]) }),
    'superseded',
  ],
  [
    'license-old-version',
    'the new version is not taken, so that its revocation does not count',
    keysetBlock({ ...version2, keys: [{ ...ISSUING, status: 'revoked' }] }, ['root 1']),
    'active',
  ],
];

/** Where version 2 is not the newest one that is taken. */
const RESULTS: Readonly<Record<string, KeysetReason | number>> = {
  'license-old-version': 'keyset_threshold_previous',
  'license-no-longer-revoked': 3,
  'license-key-comes-back': 3,
  'license-no-longer-lowest': 3,
};

/** Two blocks with this between them. */
const joined = (gap: string, first: Uint8Array, second: Uint8Array): Uint8Array =>
  concatBytes(first.slice(0, -1), utf8(gap), second);

/** What may not be between two versions, of which the first one counts all the same. */
const GAPS: readonly (readonly [id: string, title: string, gap: string])[] = [
  ['chain-gap-return', 'only a carriage return between two versions', '\r'],
  ['chain-gap-none', 'nothing at all between two versions', ''],
  ['chain-gap-blanks', 'blanks without a line feed between two versions', ' \t \r\t'],
  ['chain-gap-text', 'a line of text between two versions', '\nversion 3:\n'],
  ['chain-gap-text-behind', 'a text right behind the END line of the first of two versions', '#\n'],
  ['chain-gap-text-before', 'a text right before the BEGIN line of the second of two versions', '\n#'],
  ['chain-gap-byte-order-mark', 'a byte order mark between two versions', '\n\ufeff'],
];

const FILE: FileInput = { file: 'new.keyset' };
const MAX_CHAIN_BYTES = 16_777_216;

export function keysetCases(): readonly CaseFolder[] {
  const notTaken = (
    reason: KeysetReason,
  ): { version: number; source: 'built-in'; notices: { source: 'file'; reason: string }[] } => ({
    version: 1,
    source: 'built-in',
    notices: [{ source: 'file', reason }],
  });
  const taken = (
    version: number,
  ): { version: number; source: 'built-in' | 'file'; notices: { source: 'file'; reason: string }[] } => ({
    version,
    source: version === 1 ? 'built-in' : 'file',
    notices: [],
  });
  const one = (
    [id, title, file, result]: Row,
    clause: string,
    more: {
      readonly pad?: FileInput['pad'];
      readonly license?: Uint8Array;
      /** Version 2 is taken before the fault. */
      readonly isTaken?: true;
      readonly expected?: Reason | State;
      readonly requireComposite?: true;
    } = {},
  ): CaseFolder => ({
    value: {
      id: `keyset/${id}`,
      title: `keyset: ${title}`,
      clause: [`keysets.md#${clause}`],
      profile: 'required',
      operation: 'keyset',
      issuer: 'example-vendor',
      ...(more.requireComposite === undefined ? {} : { requireComposite: more.requireComposite }),
      builtIn: { file: 'built-in.keyset' },
      keyset: more.pad === undefined ? FILE : { ...FILE, pad: more.pad },
      ...(more.license === undefined ? {} : { license: { file: 'license.vtlic' }, context: CONTEXT }),
      expected: {
        verdict: 'accepted',
        ...(typeof result === 'number' ? taken(result) : notTaken(result)),
        ...(more.isTaken === undefined ? {} : { version: 2, source: 'file' as const }),
        ...(more.expected === undefined ? {} : { license: verdictOf(more.expected) }),
      },
    },
    files: new Map([
      ['built-in.keyset', builtIn],
      [FILE.file, file],
      ...(more.license === undefined ? [] : ([['license.vtlic', more.license]] as const)),
    ]),
  });
  const padTo = (bytes: number): FileInput['pad'] => ({ byte: 0x0a, count: bytes - block2({}).length });
  return [
    ...PAYLOADS.map((row) => one(row, 'K2')),
    ...[...ARMORS, ...SHAPES].map((row) => one(row, row[3] === 'keyset_signature_invalid' ? 'K4' : 'K1')),
    ...DOCUMENTS.map((row) => one(row, row[3] === C || /^(?:cose|typ)/.test(row[0]) ? 'K1' : 'K4')),
    one(['size-largest', 'a keyset of 524,288 bytes', ofSize(524_288), 2], 'K1'),
    one(['size', 'a keyset of 524,289 bytes', ofSize(524_289), 'keyset_too_large'], 'K1'),
    one(['chain-size-largest', 'a file of 16 MiB, most of it blanks', block2({}), 2], 'K3', {
      pad: padTo(MAX_CHAIN_BYTES),
    }),
    one(['chain-size', 'a file of 16 MiB and a byte', block2({}), 'keyset_too_large'], 'K3', {
      pad: padTo(MAX_CHAIN_BYTES + 1),
    }),
    one(['chain-twice', 'version 2 twice', chainOf(block2({}), block2({})), 'keyset_not_ascending'], 'K3', {
      isTaken: true,
    }),
    one(
      [
        'chain-twice-issuer',
        'version 2 twice, the second time of another vendor',
        chainOf(block2({}), block2({ iss: 'another-vendor' })),
        'keyset_issuer_mismatch',
      ],
      'K4',
      { isTaken: true },
    ),
    one(
      [
        'chain-gap',
        'blanks and then a line feed between two versions',
        joined(' \t\r \n \n', block2({}), block2({ version: 3 })),
        3,
      ],
      'K3',
    ),
    ...GAPS.map(([id, title, gap]) =>
      one([id, title, joined(gap, block2({}), block2({ version: 3 })), 'keyset_armor_malformed'], 'K3', {
        isTaken: true,
      }),
    ),
    one(
      ['chain-left-out', 'versions 2 and 4: a version may be left out', chainOf(block2({}), block2({ version: 4 })), 4],
      'K3',
    ),
    one(
      [
        'chain-after-fault',
        'version 2 with a signature that is not valid, and version 3 without a fault',
        chainOf(
          keysetBlock(version2, ROOTS, {
            signature: (_name, bytes) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)),
          }),
          block2({ version: 3 }),
        ),
        'keyset_signature_invalid',
      ],
      'K3',
    ),
    one(
      [
        'chain-end-text',
        'a text behind the last version',
        concatBytes(block2({}), utf8('version 2\n')),
        'keyset_armor_malformed',
      ],
      'K3',
      { isTaken: true },
    ),
    one(
      [
        'chain-end-no-line-feed',
        'blanks without a line feed behind the last version',
        concatBytes(block2({}).slice(0, -1), utf8('\r\t ')),
        2,
      ],
      'K3',
    ),
    one(['license-compiled-in', 'license by an Ed25519 key, where the product requires composite', builtIn, 1], 'K6', {
      license: license('issuing 1'),
      expected: ENDED,
      requireComposite: true,
    }),
    ...LICENSES.map(([id, title, file, expected, key = 'issuing 1']) =>
      one([id, `license ${title}`, file, RESULTS[id] ?? 2], 'K6', {
        license: license(key),
        expected,
      }),
    ),
  ];
}
