/** Changes of the form of one keyset (K1 and K2 of docs/keysets.md), each with the reason that follows. */
import { concatBytes, fromHex } from '../../../formats/bytes.ts';
import { TYP } from '../../../formats/cose-sign1.ts';
import { head } from '../../model/cbor.ts';
import { Pairs, Raw, type Item } from '../../model/walk.ts';
import { brought, coseKeyOf, MADE, type ChainDraft, type VersionDraft } from '../chain-draft.ts';
import { LINEAGE } from '../draft.ts';

export type ChainChange = readonly [words: string, apply: (draft: ChainDraft) => void];
export type VersionEdit = (version: VersionDraft) => void;
export type VersionRow = readonly [words: string, edit: VersionEdit];

/** Edits of the version that the file brings. */
export const changes = (name: string, rows: readonly VersionRow[]): readonly ChainChange[] =>
  rows.map(([words, edit]) => [`${name}: ${words}`, (draft) => edit(brought(draft))]);

/** The same, where each makes a form that is refused. */
const faults = (reason: string, name: string, rows: readonly VersionRow[]): readonly ChainChange[] =>
  changes(
    name,
    rows.map(([words, edit]): VersionRow => [
      words,
      (version) => {
        edit(version);
        version.formFaults.push(reason);
      },
    ]),
  );

const ids = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `p${1000 + i}`);
const digests = (count: number): readonly Uint8Array[] =>
  Array.from({ length: count }, (_, i) => Uint8Array.from([i >> 8, i & 255, ...new Uint8Array(30)]));
export const otherKeys = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `other ${i}`);

const member =
  (name: string, value: Item): VersionEdit =>
  (v) =>
    v.memberEdits.push((members) => members.set(name, value));
const inKey =
  (...pairs: readonly (readonly [Item, Item])[]): VersionEdit =>
  (v) =>
    v.memberEdits.push((members) => {
      const keys = members.get('keys');
      const [pairsOfKey, ...others] = (Array.isArray(keys) ? keys : []) as readonly Pairs[];
      const changed = new Map<Item, Item>([...(pairsOfKey?.pairs ?? []), ...pairs]);
      const sorted = [...changed].sort(([a], [b]) => (a as string).length - (b as string).length || (a < b ? -1 : 1));
      members.set('keys', [new Pairs(sorted), ...others]);
    });

const UNKNOWN: readonly VersionRow[] = [
  ['in the keyset', member('note', 'x')],
  ['in an issuing key', inKey(['zzzz', 1])],
  [
    'in the policy',
    member(
      'policy',
      new Pairs([
        ['later', 1],
        ['composite', true],
      ]),
    ),
  ],
];

/** The first second of the year 10000, which is no time. */
const LATE = 253_402_300_800;
const TOO_LARGE = 2 ** 53;

const KEY_MEMBERS = ['key', 'purpose', 'status', 'products', 'tiers', 'from', 'until', 'honored'];
const MEMBERS = 'iss version made expires roots threshold keys policy revoked lowest'.split(' ');
const uuids = [1, 2].map((i) => Uint8Array.from([...new Uint8Array(6), 0x70, 0, 0x80, ...new Uint8Array(6), i]));

/** Lists of several items, in their order. */
const LISTS: readonly (readonly [
  name: string,
  make: (items: readonly Item[]) => VersionEdit,
  items: readonly Item[],
])[] = [
  ['products', (items) => inKey(['products', items]), ['a', 'b']],
  ['tiers', (items) => inKey(['tiers', items]), ['a', 'b']],
  ['honored payloads', (items) => inKey(['status', 'revoked'], ['honored', items]), digests(2)],
  ['revoked licenses', (items) => member('revoked', items), uuids],
];
const LIST_FAULTS = LISTS.flatMap(([name, make, items]): readonly VersionRow[] => [
  [`an empty list of ${name}`, make([])],
  [`${name} in another order`, make(items.toReversed())],
  [`${name} twice`, make(items.flatMap((item) => [item, item]))],
  [`${name} that are of another type`, make([7])],
]);

/** Texts that are no id. */
const NO_IDS: readonly (readonly [string, string])[] = [
  ['129 characters', 'v'.repeat(129)],
  ['no character', ''],
  ['LF at its end', 'vaultdesk\n'],
  ['U+017F', 'vaultde\u017fk'],
  ['U+212A', 'vaultdes\u212a'],
  ['a point first', '.vaultdesk'],
];
const BOUNDS: readonly VersionRow[] = [
  ...['made', 'expires'].flatMap((name): readonly VersionRow[] => [
    [`${name} in the year 10000`, member(name, LATE)],
    [`${name} before 1970`, member(name, -1)],
  ]),
  ...['from', 'until'].flatMap((name): readonly VersionRow[] => [
    [`${name} in the year 10000`, inKey([name, LATE])],
    [`${name} before 1970`, inKey([name, -1])],
  ]),
  ...[LATE, -1].map((until): VersionRow => [
    `ed25519_until ${until}`,
    member('policy', new Pairs([['ed25519_until', until]])),
  ]),
  ['version 2^53', member('version', TOO_LARGE)],
  ['version -1', member('version', -1)],
  ['threshold 17', member('threshold', 17)],
  ['a lowest counter of 2^53', member('lowest', new Pairs([[LINEAGE, TOO_LARGE]]))],
  ['a lowest counter of -1', member('lowest', new Pairs([[LINEAGE, -1]]))],
  ['a lineage of five ids', member('lowest', new Pairs([[`${LINEAGE}/a/b`, 1]]))],
  ...NO_IDS.flatMap(([words, text]): readonly VersionRow[] => [
    [`an iss with ${words}`, member('iss', text)],
    [`a product with ${words}`, inKey(['products', [text]])],
    [`a tier with ${words}`, inKey(['tiers', [text]])],
    [`an id with ${words} in a lineage`, member('lowest', new Pairs([[`a/b/${text}`, 1]]))],
  ]),
  ...MEMBERS.map((name): VersionRow => [`true as ${name}`, member(name, true)]),
  ...KEY_MEMBERS.map((name): VersionRow => [`true as ${name} of a key`, inKey([name, true])]),
  ['a policy with composite 1', member('policy', new Pairs([['composite', 1]]))],
];

const rootItems = (v: Map<Item, Item>): readonly Item[] => (v.get('roots') ?? []) as readonly Item[];
const isEd25519 = (root: Item): root is Uint8Array => root instanceof Uint8Array && root.length === 40;
const MALFORMED: readonly VersionRow[] = [
  ...['iss', 'version', 'made', 'roots', 'threshold', 'keys'].map((name): VersionRow => [
    `without ${name}`,
    (v) => v.memberEdits.push((members) => members.delete(name)),
  ]),
  ['an iss that is no id', member('iss', 'example vendor')],
  ['version 0', member('version', 0)],
  ['a made that is a text', member('made', '2026')],
  ['an expires that is made', member('expires', MADE)],
  ['a threshold of 0', member('threshold', 0)],
  // Of the roots that other changes leave: there may be more than three.
  [
    'a threshold above the number of roots',
    (v) => v.memberEdits.push((m) => m.set('threshold', rootItems(m).length + 1)),
  ],
  ['no root', member('roots', [])],
  ['roots unsorted', (v) => v.memberEdits.push((m) => m.set('roots', rootItems(m).toReversed()))],
  [
    'a root twice',
    (v) =>
      v.memberEdits.push((m) =>
        m.set(
          'roots',
          rootItems(m).flatMap((one) => [one, one]),
        ),
      ),
  ],
  [
    'roots that are 32 bytes each',
    (v) =>
      v.memberEdits.push((m) =>
        m.set(
          'roots',
          rootItems(m).map((one) => (isEd25519(one) ? one.subarray(8) : one)),
        ),
      ),
  ],
  ['17 roots', (v) => v.memberEdits.push((m) => m.set('roots', sortedKeys(otherKeys(17))))],
  [
    '129 issuing keys',
    (v) => v.keys.push(...otherKeys(129 - v.keys.length).map((key) => ({ key, purpose: 'license', status: 'active' }))),
  ],
  [
    'issuing keys unsorted',
    (v) =>
      v.memberEdits.push((m) => {
        const keys = m.get('keys') as readonly Item[] | undefined;
        if (keys !== undefined) m.set('keys', shuffled([...keys]));
      }),
  ],
  [
    'an issuing key twice',
    (v) =>
      v.memberEdits.push((m) => {
        const keys = m.get('keys');
        if (Array.isArray(keys))
          m.set(
            'keys',
            (keys as readonly Item[]).flatMap((key) => [key, key]),
          );
      }),
  ],
  ['a status that there is not', inKey(['status', 'lost'])],
  ['an issuing key with the purpose root', inKey(['purpose', 'root'])],
  ['from at the second of until', inKey(['from', 5], ['until', 5])],
  ['65 products', inKey(['products', ids(65)])],
  ['65 tiers', inKey(['tiers', ids(65)])],
  ['honored payloads of a key that is not revoked', inKey(['status', 'active'], ['honored', digests(1)])],
  ['an honored payload of 31 bytes', inKey(['status', 'revoked'], ['honored', [new Uint8Array(31)]])],
  ['12,289 honored payloads', inKey(['status', 'revoked'], ['honored', digests(12_289)])],
  ['an empty policy', member('policy', new Pairs([]))],
  ['a policy with composite false', member('policy', new Pairs([['composite', false]]))],
  ['a revoked license of version 4', member('revoked', [fromHex('0193817a6c0040008000000000000001') ?? ''])],
  ['no lowest counter', member('lowest', new Pairs([]))],
  ['a lowest counter of 0', member('lowest', new Pairs([[LINEAGE, 0]]))],
  ['a lowest counter of no lineage', member('lowest', new Pairs([['example-vendor', 1]]))],
  ['a payload with a byte behind it', (v) => v.payloadEdits.push((payload) => concatBytes(payload, Uint8Array.of(0)))],
  ['a payload that is a list', (v) => v.payloadEdits.push((payload) => concatBytes(Uint8Array.of(0x81), payload))],
  ...LIST_FAULTS,
  ...BOUNDS,
];

function sortedKeys(names: readonly string[]): readonly Item[] {
  return names.map(coseKeyOf).sort((a, b) => Buffer.compare(a, b));
}

/** In an order that is wrong, however few they are. */
function shuffled(items: Item[]): Item[] {
  return items.length < 2 ? [...items, ...items] : items.toReversed();
}

const manySigners =
  (count: number): VersionEdit =>
  (v) =>
    v.signers.push(...otherKeys(count - v.signers.length));

const COSE: readonly VersionRow[] = [
  ['an entry in the unprotected header', (v) => items(v, 1, new Pairs([[1, 1]]))],
  ['an array as unprotected header', (v) => items(v, 1, [])],
  ['five items', (v) => v.itemEdits.push((all) => [...all, 0])],
  [
    'a fourth item in a signature',
    (v) => v.signerEdits.push((all) => all.map((one) => [...(one as readonly Item[]), 0])),
  ],
  ['no signature', (v) => v.signerEdits.push(() => [])],
  ['65 signatures', manySigners(65)],
  ['signers in another order', (v) => v.signerEdits.push(shuffled)],
  ['a signer twice', (v) => v.signerEdits.push((signers) => signers.flatMap((one) => [one, one]))],
  [
    'an entry in the unprotected header of a signer',
    (v) =>
      v.signerEdits.push((signers) =>
        signers.map((one) => [
          (one as readonly Item[])[0] ?? '',
          new Pairs([[1, 1]]),
          (one as readonly Item[])[2] ?? '',
        ]),
      ),
  ],
  ['a signer without a kid', (v) => v.headerEdits.push((header) => header.delete(4))],
  ['a signer with a typ', (v) => v.headerEdits.push((header) => header.set(16, TYP.keyset))],
  ['a body with an alg', (v) => v.body.set(1, -19)],
  ['a body without a typ', (v) => v.body.delete(16)],
  ['tag 18', (v) => v.coseEdits.push((cose) => concatBytes(head(6, 18), cose.subarray(2)))],
];

function items(version: VersionDraft, at: number, value: Item): void {
  version.itemEdits.push((all) => all.map((item, i) => (i === at ? value : item)));
}

const text =
  (edit: (block: string) => string): VersionEdit =>
  (v) =>
    v.textEdits.push((block) => Uint8Array.from(Buffer.from(edit(Buffer.from(block).toString('latin1')), 'latin1')));

/** A payload that makes a block just larger than a block may be, by lists that are allowed. */
const large: VersionEdit = (v) => {
  for (const key of v.keys) key.status = 'revoked';
  v.memberEdits.push((members) =>
    members.set(
      'revoked',
      digests(16_384).map((digest) => Uint8Array.from([...digest.subarray(0, 6), 0x70, 0, 0x80, ...new Uint8Array(7)])),
    ),
  );
  inKey(['honored', digests(12_288)])(v);
};

export const KEYSET_FORM_CHANGES: readonly ChainChange[] = [
  ...changes('a keyset with', [['64 signatures', manySigners(64)]]),
  ...changes('a block with', [
    ['CR LF line ends', text((block) => block.replaceAll('\n', '\r\n'))],
    ['blanks around it', text((block) => ` \n\t${block}\n `)],
  ]),
  ...faults('keyset_claims_unknown', 'a member that is not in the tables', UNKNOWN),
  ...faults('keyset_claims_malformed', 'a keyset with', MALFORMED),
  ...faults('keyset_cose_malformed', 'a COSE_Sign with', COSE),
  ...faults('keyset_typ_wrong', 'the typ of', [
    ['a license', (v) => v.body.set(16, TYP.license)],
    ['a rehearsal', (v) => v.body.set(16, 'application/vnd.vtlic.rehearsal.keyset+cose')],
  ]),
  ...faults('keyset_alg_unknown', 'a signer with', [
    ['alg -8', (v) => v.headerEdits.push((header) => header.set(1, -8))],
  ]),
  ...faults('keyset_cbor_malformed', 'CBOR with', [
    ['a byte behind it', (v) => v.coseEdits.push((cose) => concatBytes(cose, Uint8Array.of(0)))],
    ['the last two bytes missing', (v) => v.coseEdits.push((cose) => cose.subarray(0, -2))],
    ['null as payload', (v) => items(v, 2, new Raw(Uint8Array.of(0xf6)))],
  ]),
  ...faults('keyset_cbor_not_deterministic', 'CBOR with', [
    [
      'a head that is too long',
      (v) => v.coseEdits.push((cose) => concatBytes(cose.subarray(0, 2), Uint8Array.of(0x98, 4), cose.subarray(3))),
    ],
  ]),
  ...faults('keyset_armor_malformed', 'a block with', [
    ['text before it', text((block) => `Keys:\n${block}`)],
    ['the label of a license', text((block) => block.replaceAll('VTLIC KEYSET', 'VTLIC'))],
    ['no END line', text((block) => block.replace(/-----END[^\n]*\n/, ''))],
    ['no base64', text((block) => block.replaceAll(/^[^-\n][^\n]*\n/gm, ''))],
  ]),
  ...faults('keyset_too_large', 'a keyset of', [['more than 512 KiB', large]]),
];
