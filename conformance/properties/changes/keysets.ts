/** Changes of a chain of keysets (K3 to K6 of docs/keysets.md). The model knows what follows from them. */
import { concatBytes, utf8 } from '../../../formats/bytes.ts';
import {
  blockOf,
  brought,
  copyOf,
  LICENSE_DIGEST,
  ROOTS,
  versionDraft,
  type ChainDraft,
  type VersionDraft,
} from '../chain-draft.ts';
import { LICENSE_ID, LINEAGE, NOW } from '../draft.ts';
import { keyNamed } from '../keys.ts';
import { changes, KEYSET_FORM_CHANGES, otherKeys, type ChainChange, type VersionRow } from './keyset-forms.ts';

const compositeNames = ['composite root 4', 'composite root 5'];
const MAX_CHAIN_BYTES = 16_777_216;
const MAX_CHAIN_BLOCKS = 4096;
const SMALL_ORDER = new Uint8Array(32);
const COMPONENT = keyNamed('composite issuing 6').publicKey.ed25519;

const SIGNATURES: readonly VersionRow[] = [
  ['one root only', (v) => (v.signers = ['root 1'])],
  ['all three roots', (v) => (v.signers = [...ROOTS])],
  ['two roots and a key that nobody knows', (v) => signToo(v, 'nobody')],
  ['keys that nobody knows', (v) => (v.signers = ['nobody', 'nobody else'])],
  ['an issuing key beside one root', (v) => (v.signers = ['root 1', 'issuing 1'])],
  [
    'two roots, and a third whose signature is not valid',
    (v) => {
      v.signers = [...ROOTS];
      invalid(v, 'root 3');
    },
  ],
  ['two roots, of which one signature is not valid', (v) => invalid(v, 'root 2')],
  [
    'two roots, and a key that nobody knows whose signature is not valid',
    (v) => {
      signToo(v, 'nobody');
      invalid(v, 'nobody');
    },
  ],
];

function signToo(version: VersionDraft, name: string): void {
  if (!version.signers.includes(name)) version.signers.push(name);
}

function invalid(version: VersionDraft, name: string): void {
  version.invalidSigners.add(name);
  version.signatureEdits.push((signature, of) =>
    of === name ? signature.map((byte, i) => (i === 9 ? byte ^ 1 : byte)) : signature,
  );
}

const RULES: readonly VersionRow[] = [
  ['a threshold of 1', (v) => (v.threshold = 1)],
  ['a threshold of 3, and two signatures', (v) => (v.threshold = 3)],
  ['another root', (v) => v.roots.push('root 6')],
  ['a root that left', (v) => v.roots.splice(2)],
  ['two other roots, and the roots before sign', (v) => (v.roots = ['root 6', 'root 7'])],
  [
    'two other roots, and only these sign',
    (v) => {
      v.roots = ['root 6', 'root 7'];
      v.signers = ['root 6', 'root 7'];
    },
  ],
  [
    'two other roots, and all four sign',
    (v) => {
      v.roots = ['root 6', 'root 7'];
      v.signers = ['root 1', 'root 2', 'root 6', 'root 7'];
    },
  ],
  ['the policy that composite is required', (v) => (v.policy = { composite: true })],
  ['a policy with ed25519_until in the past', (v) => (v.policy = { ed25519Until: NOW - 1 })],
  ...(
    [
      ['that composite is required', { composite: true }],
      ['with ed25519_until a second ago', { ed25519Until: NOW - 1 }],
      ['with ed25519_until now', { ed25519Until: NOW }],
      ['with ed25519_until in a second', { ed25519Until: NOW + 1 }],
    ] as const
  ).map(([words, policy]): VersionRow => [
    `a policy ${words}, which composite roots sign`,
    (v) => {
      v.policy = policy;
      v.signers = [...ROOTS, ...compositeNames];
      v.roots = [...v.signers];
    },
  ]),
  [
    '16 roots that all have to sign',
    (v) => {
      v.signers = [...ROOTS, ...otherKeys(13)];
      v.roots = [...v.signers];
      v.threshold = 16;
    },
  ],
  ['another issuer', (v) => (v.iss = 'other-vendor')],
  ['another issuer, of 128 characters', (v) => (v.iss = 'v'.repeat(128))],
  ['version 5', (v) => (v.version = 5)],
  ['version 2^32', (v) => (v.version = 2 ** 32)],
  ['version 2^53-1', (v) => (v.version = Number.MAX_SAFE_INTEGER)],
  ['version 1, with another payload', (v) => (v.version = 1)],
];

/** Composite roots join with version 2, and only they sign from then on. */
const compositeRoots = (draft: ChainDraft): VersionDraft => {
  const [second, third] = [versionDraft(2), versionDraft(3)];
  for (const one of [second, third]) one.roots.push('composite root 4', 'composite root 5');
  third.policy = { ed25519Until: NOW + 1000 };
  third.signers = ['composite root 4', 'composite root 5'];
  draft.builtIn = [versionDraft(1), second, third];
  const fourth = versionDraft(4);
  fourth.roots = [...third.roots];
  draft.file = [fourth];
  return fourth;
};

const LATER_BLOCK = blockOf(stays(versionDraft(30)));

const CHAINS: readonly ChainChange[] = [
  ['no file', (draft) => (draft.file = undefined)],
  ['a file with the built-in version before the next', (draft) => draft.file?.unshift(versionDraft(1))],
  ['a file with only the built-in version', (draft) => (draft.file = [versionDraft(1)])],
  ['a file with three versions', (draft) => draft.file?.push(versionDraft(7), stays(versionDraft(9)))],
  ['a file with a version twice', (draft) => draft.file?.push(brought(draft))],
  [
    'a file with a version behind a later one',
    (draft) => (draft.file = [stays(versionDraft(3)), stays(versionDraft(2))]),
  ],
  [
    'a file with a version twice, the second time of another vendor',
    (draft) => draft.file?.push({ ...copyOf(brought(draft)), iss: 'other-vendor' }),
  ],
  [
    'a state that is newer than the file',
    (draft) => (draft.state = [[stays(versionDraft(2)), stays(versionDraft(3))]]),
  ],
  [
    'a state with another payload of the version',
    (draft) => {
      const other = stays(versionDraft(2));
      other.lowest.set(LINEAGE, 2);
      draft.state = [[other]];
      draft.file?.push(stays(versionDraft(3)));
    },
  ],
  ['two copies of the state, of which one is damaged', (draft) => (draft.state = [[], [stays(versionDraft(2))]])],
  [
    'two copies of the state on two branches, of which the second one is longer',
    (draft) => {
      const other = stays(versionDraft(2));
      other.lowest.set(LINEAGE, 2);
      draft.state = [[stays(versionDraft(2))], [other, stays(versionDraft(3))]];
      draft.file = undefined;
    },
  ],
  [
    'a state whose second version one root signed',
    (draft) => {
      const forged = stays(versionDraft(3));
      forged.signers = ['root 2'];
      draft.state = [[stays(versionDraft(2)), forged]];
    },
  ],
  [
    'a built-in chain of another vendor',
    (draft) => (draft.builtIn = draft.builtIn.map((v) => ({ ...v, iss: 'other' }))),
  ],
  ['a built-in chain that nobody signed', (draft) => draft.builtIn.forEach((v) => (v.signers = ['nobody']))],
  ['a built-in chain without a version', (draft) => (draft.builtIn = [])],
  ['a built-in chain with a version twice', (draft) => draft.builtIn.push(versionDraft(1))],
  ['a built-in chain whose key is of small order', (draft) => draft.builtIn[0]?.roots.push(SMALL_ORDER)],
  [
    'composite compiled in, and no file',
    (draft) => {
      draft.requireComposite = true;
      draft.file = undefined;
    },
  ],
  ['composite compiled in, and Ed25519 roots', (draft) => (draft.requireComposite = true)],
  ['a policy before, and composite roots sign', (draft) => (compositeRoots(draft).signers = [...compositeNames])],
  ['a policy before, and Ed25519 roots sign a version without one', (draft) => void compositeRoots(draft)],
  [
    'a policy that a later built-in version took away, and Ed25519 roots',
    (draft) => {
      const fourth = compositeRoots(draft);
      draft.builtIn.push({ ...copyOf(fourth), signers: [...compositeNames] });
      draft.file = [{ ...fourth, version: 5 }];
    },
  ],
  [
    'a root that left, as an issuing key',
    (draft) => {
      const second = stays(versionDraft(2));
      second.roots = ROOTS.slice(0, 2);
      const third = stays({ ...versionDraft(3), roots: ROOTS.slice(0, 2) });
      third.keys.push({ key: 'root 3', purpose: 'license', status: 'active' });
      draft.file = [second, third];
    },
  ],
  [
    'a composite root that left, whose component is an issuing key',
    (draft) => {
      const second = stays(versionDraft(2));
      second.roots.push('composite issuing 6');
      const fourth = stays(versionDraft(4));
      fourth.keys.push({ key: COMPONENT, purpose: 'license', status: 'active' });
      draft.builtIn = [versionDraft(1), second, stays(versionDraft(3))];
      draft.file = [fourth];
    },
  ],
  [
    'a key that is revoked, and later active again',
    (draft) => {
      const revoking = stays(versionDraft(2));
      first(revoking).status = 'revoked';
      draft.file = [revoking, stays(versionDraft(3))];
    },
  ],
  [
    'the built-in version with a signature that is not valid, before the next version',
    (draft) => {
      const known = versionDraft(1);
      invalid(known, 'root 2');
      draft.file?.unshift(known);
    },
  ],
  [
    'a conflict with a version before the newest one',
    (draft) => {
      const other = stays(versionDraft(2));
      other.lowest.set(LINEAGE, 2);
      draft.builtIn = [versionDraft(1), stays(versionDraft(2)), stays(versionDraft(3))];
      draft.file = [other];
    },
  ],
  [
    'blanks and then line ends between two versions',
    (draft) => {
      brought(draft).textEdits.push((block) => concatBytes(block.slice(0, -1), utf8(' \t\r \r\n \n\t')));
      draft.file?.push(stays(versionDraft(30)));
    },
  ],
  ...['\r', ' \t', '\r\r', '', '\nversion 30\n', '#\n'].map((gap): ChainChange => [
    `another version behind the last one, and only ${JSON.stringify(gap)} between them`,
    (draft) => {
      draft.fileEdits.push((file) => {
        // Without blanks of another change, in which there may be a line feed.
        const end = file.findLastIndex((byte) => byte > 0x20) + 1;
        return end === 0 ? file : concatBytes(file.slice(0, end), utf8(gap), LATER_BLOCK);
      });
      draft.fileFault ??= 'keyset_armor_malformed';
    },
  ]),
  [
    'a file of 16 MiB and a byte',
    (draft) => {
      draft.fileEdits.push((file) => concatBytes(file, new Uint8Array(MAX_CHAIN_BYTES + 1 - file.length).fill(0x20)));
      draft.fileFault = 'keyset_too_large';
    },
  ],
];

/** The keys that version 2 added stay. */
function stays(version: VersionDraft): VersionDraft {
  version.keys.push({ key: 'issuing 5', purpose: 'license', status: 'pre-published' });
  return version;
}

const first = (version: VersionDraft): VersionDraft['keys'][number] =>
  version.keys[0] ?? { key: 'issuing 1', purpose: 'license', status: 'active' };

const KEYS: readonly VersionRow[] = [
  ['without a key that was there', (v) => v.keys.splice(0, v.keys.length > 1 ? 1 : 0)],
  ['a key with another purpose', (v) => (first(v).purpose = 'license-key')],
  ['a root as an issuing key', (v) => v.keys.push({ key: 'root 3', purpose: 'license', status: 'active' })],
  ['an issuing key as a root', (v) => v.roots.push('issuing 1')],
  ['a composite beside its component', (v) => add(v, 'composite issuing 6', COMPONENT_NAME)],
  ['a composite', (v) => add(v, 'composite issuing 6')],
  ['a root of small order', (v) => v.roots.push(SMALL_ORDER)],
  ['an issuing key of small order', (v) => v.keys.push({ key: SMALL_ORDER, purpose: 'license', status: 'active' })],
  ['the key revoked', (v) => (first(v).status = 'revoked')],
  ['the key retired', (v) => (first(v).status = 'retired')],
  [
    'the key revoked, with a payload honored that is not this one',
    (v) => {
      first(v).status = 'revoked';
      first(v).honored = ['ab'.repeat(32)];
    },
  ],
  [
    'the key revoked, with this payload honored',
    (v) => {
      first(v).status = 'revoked';
      first(v).honored = ['ab'.repeat(32), LICENSE_DIGEST];
    },
  ],
  ['the key for this product', (v) => (first(v).products = ['other', 'vaultdesk'])],
  ['the key for other tiers', (v) => (first(v).tiers = ['enterprise', 'pro-2'])],
  ['the key for other products', (v) => (first(v).products = ['other'])],
  ['the key for this tier', (v) => (first(v).tiers = ['enterprise', 'pro'])],
  ['128 issuing keys', (v) => add(v, ...otherKeys(126))],
  ['the license revoked', (v) => v.revoked.push(LICENSE_ID)],
  ['the lowest counter of the license', (v) => v.lowest.set(LINEAGE, 5)],
  ['a lowest counter above that of the license', (v) => v.lowest.set(LINEAGE, 6)],
  ['a lowest counter of 2^32', (v) => v.lowest.set(LINEAGE, 2 ** 32)],
  ['a lowest counter of 2^53-1', (v) => v.lowest.set(LINEAGE, Number.MAX_SAFE_INTEGER)],
];
const COMPONENT_NAME = 'component of composite issuing 6';

function add(version: VersionDraft, ...names: readonly string[]): void {
  for (const name of names)
    version.keys.push({ key: name === COMPONENT_NAME ? COMPONENT : name, purpose: 'license', status: 'active' });
}

let older: readonly Uint8Array[] | undefined;
/** Versions 1 to 4,096, as small as they can be. Made once, since that takes half a second. */
function olderBlocks(): readonly Uint8Array[] {
  older ??= Array.from({ length: MAX_CHAIN_BLOCKS }, (_, i) =>
    blockOf({ ...versionDraft(i + 1), threshold: 1, roots: ['root 1'], keys: [], signers: ['root 1'] }),
  );
  return older;
}

export const CHAIN_CHANGES: readonly ChainChange[] = [
  ...changes('signed by', SIGNATURES),
  ...changes('a keyset with', RULES),
  ...CHAINS,
  ...changes('a keyset with', KEYS),
  ...KEYSET_FORM_CHANGES,
  [
    'a file with text behind its block',
    (draft) => {
      draft.fileEdits.push((file) => concatBytes(file, utf8('Kind regards\n')));
      draft.fileFault ??= 'keyset_armor_malformed';
    },
  ],
  [
    'a file of 4,096 older versions before its own',
    (draft) => {
      // The number of blocks is judged before what the last one is.
      draft.builtIn = [versionDraft(MAX_CHAIN_BLOCKS + 1)];
      draft.fileEdits.push((file) => concatBytes(...olderBlocks(), file));
      draft.fileFault = 'keyset_too_large';
    },
  ],
];
