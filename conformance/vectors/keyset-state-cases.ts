/** What is built in, and what state claims. */
import type { IssuingKey } from '../../formats/keyset/keyset.ts';
import {
  issuingKey,
  chainOf,
  KEYSET_MADE,
  keysetBlock,
  testKey,
  type KeysetBend,
  type KeysetValues,
} from '../examples/keysets.ts';
import type { CaseFolder, KeysetCase } from './case.ts';
import { sorted } from './keyset-rows.ts';

export const ROOTS: readonly string[] = ['root 1', 'root 2', 'root 3'];
export const version1: KeysetValues = { version: 1, roots: ROOTS, threshold: 2, keys: [issuingKey('issuing 1')] };
export const block = (changes: Partial<KeysetValues>, signers: readonly string[] = ROOTS): Uint8Array =>
  keysetBlock({ ...version1, ...changes }, signers);
export const first: Uint8Array = block({});
const second = block({ version: 2 });
const SPOILED: KeysetBend = { signature: (_name, bytes) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) };
const spoiled = keysetBlock({ ...version1, version: 2 }, ROOTS, SPOILED);

export const COMPOSITE_ROOTS: readonly string[] = ['composite root 4', 'composite root 5'];
export const mixed: Partial<KeysetValues> = { roots: [...ROOTS, ...COMPOSITE_ROOTS] };
export const withPolicy: Uint8Array = block({ ...mixed, requireComposite: true });
const withoutPolicy = block({ ...mixed, version: 2 }, COMPOSITE_ROOTS);
const withoutRoot3: Partial<KeysetValues> = { roots: ['root 1', 'root 2'] };
const root3AsKey = sorted(issuingKey('issuing 1'), issuingKey('root 3'));
const LEFT = 'composite root 4';
const COMPONENT: IssuingKey = {
  ...issuingKey('issuing 1'),
  publicBytes: testKey(LEFT).publicKey.ed25519,
};
const REVOKED = issuingKey('issuing 1', { status: 'revoked' });

interface Parts {
  readonly builtIn?: Uint8Array;
  /** Copies in state. */
  readonly state?: readonly Uint8Array[];
  readonly new?: Uint8Array;
}

export function keysetFolder(
  id: string,
  title: string,
  parts: Parts,
  expected: KeysetCase['expected'],
  clause = 'K5',
): CaseFolder {
  const { builtIn = first, state = [], new: file } = parts;
  const copies = state.map((bytes, i) => [`state-${i + 1}.keyset`, bytes] as const);
  return {
    value: {
      id: `keyset/${id}`,
      title: `keyset: ${title}`,
      clause: [`keysets.md#${clause}`],
      profile: 'required',
      operation: 'keyset',
      issuer: 'example-vendor',
      builtIn: { file: 'built-in.keyset' },
      ...(copies.length === 0 ? {} : { state: copies.map(([name]) => ({ file: name })) }),
      ...(file === undefined ? {} : { keyset: { file: 'new.keyset' } }),
      expected,
    },
    files: new Map([
      ['built-in.keyset', builtIn],
      ...copies,
      ...(file === undefined ? [] : ([['new.keyset', file]] as const)),
    ]),
  };
}

export const counts = (
  version: number,
  source: 'built-in' | 'state' | 'file',
  reason?: string,
): KeysetCase['expected'] => ({
  verdict: 'accepted',
  version,
  source,
  notices: reason === undefined ? [] : [{ source: 'state', reason }],
});
export const fileRefused = (
  version: number,
  reason: string,
  source: 'built-in' | 'file' = 'built-in',
): KeysetCase['expected'] => ({
  verdict: 'accepted',
  version,
  source,
  notices: [{ source: 'file', reason }],
});
/** The signature of one root is enough, so that a chain of many versions is small. */
const smallBlock = (version: number): Uint8Array =>
  keysetBlock({ version, roots: ['root 1'], threshold: 1, keys: [] }, ['root 1']);
const MAX_CHAIN_BLOCKS = 4096;
const smallBlocks = (count: number): Uint8Array =>
  chainOf(...Array.from({ length: count }, (_, i) => smallBlock(i + 1)));

const otherRoots: Partial<KeysetValues> = { roots: ['root 4', 'root 5'] };
const INVALID: KeysetCase['expected'] = { verdict: 'refused', reason: 'configuration_invalid', scored: 'reason' };

export function keysetStateCases(): readonly CaseFolder[] {
  const folder = keysetFolder;
  return [
    folder(
      'built-in-unsigned',
      'nobody judges the signatures of the built-in chain',
      { builtIn: chainOf(first, spoiled) },
      counts(2, 'built-in'),
    ),
    folder(
      'built-in-issuer',
      'the built-in chain is by another issuer',
      { builtIn: block({ iss: 'another-vendor' }) },
      INVALID,
    ),
    folder(
      'built-in-descending',
      'the versions of the built-in chain descend',
      { builtIn: chainOf(second, first) },
      INVALID,
    ),
    folder(
      'built-in-removed',
      'the second version of the built-in chain lacks an issuing key',
      { builtIn: chainOf(first, block({ version: 2, keys: [] })) },
      INVALID,
    ),
    folder(
      'built-in-purpose',
      'the second version of the built-in chain makes a root of an issuing key',
      { builtIn: chainOf(first, block({ version: 2, roots: [...ROOTS, 'issuing 1'] })) },
      INVALID,
    ),
    folder(
      'built-in-purpose-first',
      'the first version of the built-in chain has one key as a root and as an issuing key',
      { builtIn: block({ roots: [...ROOTS, 'issuing 1'] }) },
      INVALID,
    ),
    folder(
      'built-in-component',
      'the second version of the built-in chain has a component of a root as an issuing key',
      {
        builtIn: chainOf(
          block({ roots: [...ROOTS, LEFT] }),
          block({ version: 2, roots: [...ROOTS, LEFT], keys: sorted(issuingKey('issuing 1'), COMPONENT) }),
        ),
      },
      INVALID,
    ),
    folder(
      'built-in-small-order',
      'an issuing key of the built-in chain is of small order',
      {
        builtIn: block({ keys: [{ ...issuingKey('issuing 1'), publicBytes: new Uint8Array(32) }] }),
      },
      INVALID,
    ),
    folder(
      'state-longer',
      'state has a version that follows from the built-in chain',
      { state: [chainOf(first, second)] },
      counts(2, 'state'),
    ),
    folder(
      'state-forged',
      'state has a version whose signatures are not valid',
      { state: [chainOf(first, spoiled)] },
      counts(1, 'built-in', 'keyset_signature_invalid'),
    ),
    folder(
      'state-few-roots',
      'state has a version that too few roots signed',
      { state: [chainOf(first, block({ version: 2 }, ['root 1']))] },
      counts(1, 'built-in', 'keyset_threshold_previous'),
    ),
    folder(
      'state-damaged',
      'state has a chain that is cut off',
      { state: [chainOf(first, second).slice(0, -40)] },
      counts(1, 'built-in', 'keyset_armor_malformed'),
    ),
    folder(
      'state-branches',
      'a second copy of state is on another branch, and longer: the first one counts',
      {
        state: [
          chainOf(first, second),
          chainOf(first, block({ version: 2, made: KEYSET_MADE + 1 }), block({ version: 3 })),
        ],
      },
      counts(2, 'state', 'keyset_conflict'),
    ),
    folder(
      'state-continued',
      'a second copy of state continues the first one, by the roots that the first one brings',
      {
        state: [
          chainOf(first, block({ ...otherRoots, version: 2 }, [...ROOTS, 'root 4', 'root 5'])),
          block({ ...otherRoots, version: 3 }, ['root 4', 'root 5']),
        ],
      },
      counts(3, 'state'),
    ),
    folder(
      'state-second-longer',
      'a second copy of state has one more version than the first one',
      { state: [chainOf(first, second), chainOf(first, second, block({ version: 3 }))] },
      counts(3, 'state'),
    ),
    folder(
      'state-second-older',
      'a second copy of state is older than the first one, which is ordinary',
      { state: [chainOf(first, second), first] },
      counts(2, 'state'),
    ),
    folder(
      'chain-blocks-most',
      'a file of 4,096 versions, of which the last one is new',
      { builtIn: smallBlock(MAX_CHAIN_BLOCKS - 1), new: smallBlocks(MAX_CHAIN_BLOCKS) },
      counts(MAX_CHAIN_BLOCKS, 'file'),
    ),
    folder(
      'chain-blocks',
      'a file of 4,097 versions, of which the last two are new',
      { builtIn: smallBlock(MAX_CHAIN_BLOCKS - 1), new: smallBlocks(MAX_CHAIN_BLOCKS + 1) },
      fileRefused(MAX_CHAIN_BLOCKS, 'keyset_too_large', 'file'),
    ),
    folder(
      'policy-of-an-older-version',
      'a version set the policy, the next has none, and Ed25519 roots signed the third',
      { builtIn: chainOf(withPolicy, withoutPolicy), new: block({ ...mixed, version: 3 }) },
      fileRefused(2, 'keyset_threshold_previous'),
    ),
    folder(
      'root-that-left',
      'a root that left becomes a key for licenses',
      {
        builtIn: chainOf(first, block({ ...withoutRoot3, version: 2 })),
        new: block({ ...withoutRoot3, version: 3, keys: root3AsKey }),
      },
      fileRefused(2, 'keyset_purpose_changed'),
    ),
    folder(
      'component-of-a-root-that-left',
      'the Ed25519 component of a composite root that left becomes a key for licenses',
      {
        builtIn: chainOf(block({ roots: [...ROOTS, LEFT] }), block({ version: 2 })),
        new: block({ version: 3, keys: sorted(issuingKey('issuing 1'), COMPONENT) }),
      },
      fileRefused(2, 'keyset_component_shared'),
    ),
    folder(
      'revoked-comes-back',
      'a key is revoked in version 2, and active in version 3: only signers are bound not to do so',
      { builtIn: chainOf(first, block({ version: 2, keys: [REVOKED] })), new: block({ version: 3 }) },
      counts(3, 'file'),
    ),
    folder(
      'known-unsigned',
      'a file has the built-in version with a signature that is not valid, and the next version',
      { new: chainOf(keysetBlock(version1, ROOTS, SPOILED), second) },
      counts(2, 'file'),
    ),
    folder(
      'conflict-older',
      'a file has another payload for a version before the newest one',
      { builtIn: chainOf(first, second, block({ version: 3 })), new: block({ version: 2, made: KEYSET_MADE + 1 }) },
      fileRefused(3, 'keyset_conflict'),
    ),
    folder(
      'state-second-good',
      'the first copy of state is damaged, and the second one has a new version',
      { state: [chainOf(first, second).slice(0, -40), chainOf(first, second)] },
      counts(2, 'state', 'keyset_armor_malformed'),
    ),
  ];
}
