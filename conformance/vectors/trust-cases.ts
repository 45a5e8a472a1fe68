/** Trust values, where the examples of the documents leave a gap. */
import { active, NAMED_KEYS, type ExampleTrust } from '../examples/example-trust.ts';
import { trustValues } from './case-parts.ts';
import type { CaseFolder } from './case.ts';

const DIGEST = '11'.repeat(32);

type Row = readonly [id: string, title: string, trust: ExampleTrust, isTaken?: true];

const withHonored = (status: string, ...honored: readonly string[]): ExampleTrust => ({
  keys: [{ ...active('ed25519'), status, honored }],
});

const ROWS: readonly Row[] = [
  ['honored', 'a revoked key with an honored payload', withHonored('revoked', DIGEST), true],
  ['honored-twice', 'one honored payload twice: a list is a set', withHonored('revoked', DIGEST, DIGEST), true],
  ['honored-none', 'a revoked key with an empty list of honored payloads', withHonored('revoked'), true],
  ['honored-none-active', 'an active key with an empty list of honored payloads', withHonored('active'), true],
  [
    'honored-none-twice',
    'one key twice, once without a list of honored payloads and once with an empty one',
    { keys: [active('ed25519'), { ...active('ed25519'), honored: [] }] },
  ],
  ['honored-active', 'an active key with an honored payload', withHonored('active', DIGEST)],
  ['honored-retired', 'a retired key with an honored payload', withHonored('retired', DIGEST)],
  ['honored-short', 'an honored payload of 31 bytes', withHonored('revoked', DIGEST.slice(2))],
  ['honored-upper-case', 'an honored payload in upper case', withHonored('revoked', 'AA'.repeat(32))],
  ['lowest-two-parts', 'a lowest counter of two parts', { keys: [], lowestCounters: { 'a/b': 1 } }],
  ['lowest-no-id', 'a lowest counter of parts that are no ids', { keys: [], lowestCounters: { 'a/b/c d': 1 } }],
  [
    'lowest-line-feed',
    'a lowest counter of a lineage with a line feed at its end',
    { keys: [], lowestCounters: { 'a/b/c\n': 1 } },
  ],
  [
    'revoked-line-feed',
    'a revoked license id with a line feed at its end',
    { keys: [], revokedLicenses: ['0193817a-6c00-7000-8000-000000000001\n'] },
  ],
  [
    'scope-line-feed',
    'a product with a line feed at its end',
    { keys: [{ ...active('ed25519'), products: ['vaultdesk\n'] }] },
  ],
  [
    'kid-twice',
    'one key twice, with its kid and with another one',
    { keys: [active('ed25519'), { ...active('ed25519'), kid: '00'.repeat(32) }] },
    true,
  ],
  [
    'kid-same',
    'an active and a revoked key, both with the kid of the first one',
    { keys: [active('ed25519'), { ...active('other'), status: 'revoked', kid: NAMED_KEYS.ed25519.kid }] },
    true,
  ],
  ['revoked-no-uuid', 'a revoked license that is no UUID', { keys: [], revokedLicenses: ['1'] }],
];

export function trustCases(): readonly CaseFolder[] {
  return ROWS.map(([id, title, trust, isTaken]) => ({
    value: {
      id: `trust/${id}`,
      title: `trust: ${title}`,
      clause: ['format.md#8.1'],
      profile: 'required',
      operation: 'trust',
      trust: trustValues(trust),
      expected: isTaken
        ? { verdict: 'accepted' }
        : { verdict: 'refused', reason: 'configuration_invalid', scored: 'reason' },
    },
    files: new Map(),
  }));
}
