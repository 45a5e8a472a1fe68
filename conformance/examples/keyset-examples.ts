/** The worked chain and the judged examples of docs/keysets.md. NOT FOR PRODUCTION: the seeds are published. */
import { armor, dearmor } from '../../formats/armor.ts';
import { toHex, utf8 } from '../../formats/bytes.ts';
import { decodeCoseSign, encodeBodyProtected, signerStructure, type CoseSign } from '../../formats/cose-sign.ts';
import { TYP } from '../../formats/cose-sign1.ts';
import { KEYSET_LIMITS } from '../../formats/keyset/blocks.ts';
import { encodeKeyset } from '../../formats/keyset/encode-keyset.ts';
import { sha256Hex } from '../../files/index.ts';
import type { KeysetReason } from '../../verifier/keyset/reasons.ts';
import {
  chainOf,
  issuingKey,
  KEYSET_MADE,
  keysetBlock,
  keysetOf,
  signKeyset,
  testKey,
  type KeysetBend,
  type KeysetValues,
  type TestKey,
} from './keysets.ts';
import { ed25519License } from './example-licenses.ts';

const DAY = 86_400;
const ED25519_ROOTS = ['root 1', 'root 2', 'root 3'];
const COMPOSITE_ROOTS = ['composite root 4', 'composite root 5'];
const ROOTS = [...ED25519_ROOTS, ...COMPOSITE_ROOTS];
export const KEY_NAMES: readonly string[] = [...ROOTS, 'issuing 1', 'composite issuing 2'];
const LINEAGE = 'example-vendor/vaultdesk/acme-gmbh/prod-eu';
const REVOKED_LICENSE = '0193817a-6c00-7000-8000-000000000001';

/** The first keyset of a vendor. */
const version1: KeysetValues = { version: 1, roots: ED25519_ROOTS, threshold: 2, keys: [issuingKey('issuing 1')] };
/** Brings composite roots, and a composite key for licenses that is not used yet. */
const version2: KeysetValues = {
  version: 2,
  made: KEYSET_MADE + 30 * DAY,
  expires: KEYSET_MADE + 395 * DAY,
  roots: ROOTS,
  threshold: 2,
  keys: [
    issuingKey('issuing 1', { until: KEYSET_MADE + 90 * DAY }),
    issuingKey('composite issuing 2', { status: 'pre-published', from: KEYSET_MADE + 60 * DAY }),
  ],
};
/** After the first key was stolen: it is revoked, one of its licenses is honored, and Ed25519 ends. */
const version3: KeysetValues = {
  ...version2,
  version: 3,
  made: KEYSET_MADE + 60 * DAY,
  keys: [
    issuingKey('issuing 1', { status: 'revoked', honored: [toHex(ed25519License.payloadDigest)] }),
    issuingKey('composite issuing 2', { products: ['vaultdesk'], from: KEYSET_MADE + 60 * DAY }),
  ],
  ed25519Until: KEYSET_MADE + 365 * DAY,
  revokedLicenses: [REVOKED_LICENSE],
  lowestCounters: new Map([[LINEAGE, 7]]),
};

const block1 = keysetBlock(version1, ED25519_ROOTS.slice(0, 2));
const block2 = keysetBlock(version2, ['root 1', 'root 3']);
const block3 = keysetBlock(version3, COMPOSITE_ROOTS);
const chain = chainOf(block1, block2, block3);

export interface JudgedKeyset {
  readonly id: string;
  readonly what: string;
  /** The chain that is built in. */
  readonly builtIn: string;
  /** Compiled into the product. */
  readonly requireComposite?: true;
  /** The copies in state. */
  readonly state?: readonly string[];
  readonly file?: string;
  readonly expected: {
    readonly version: number;
    readonly source: 'built-in' | 'state' | 'file';
    readonly notices: readonly { readonly source: 'state' | 'file'; readonly reason: KeysetReason }[];
  };
}

export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Judged with version 1 built in, or what `more` says. */
function judged(
  id: string,
  what: string,
  file: Uint8Array,
  result: number | KeysetReason,
  more: Partial<JudgedKeyset> = {},
): JudgedKeyset {
  const taken = typeof result === 'number';
  return {
    id,
    what,
    builtIn: textOf(block1),
    file: textOf(file),
    expected: {
      version: taken ? result : 1,
      source: taken && result > 1 ? 'file' : 'built-in',
      notices: taken ? [] : [{ source: 'file', reason: result }],
    },
    ...more,
  };
}

const all = (
  values: Partial<KeysetValues>,
  signers: readonly string[] = ED25519_ROOTS,
  bend?: KeysetBend,
): Uint8Array => keysetBlock({ ...version1, version: 2, ...values }, signers, bend);
const spoiled =
  (who: string): NonNullable<KeysetBend['signature']> =>
  (name, bytes) =>
    name === who ? bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte)) : bytes;
const payload2 = encodeKeyset(keysetOf({ ...version1, version: 2 }));
const armored = (cose: Uint8Array): Uint8Array => armor('VTLIC KEYSET', cose);
const signed = (payload: Uint8Array, bend?: KeysetBend): Uint8Array =>
  armored(signKeyset(payload, ED25519_ROOTS, bend));
const half = issuingKey('composite issuing 2');
const fork = all({ keys: [issuingKey('issuing 1'), issuingKey('root 9')] });
const version3FromState: Partial<JudgedKeyset> = { state: [textOf(chain)] };

export const judgedKeysets: readonly JudgedKeyset[] = [
  judged('chain', 'the worked chain', chain, 3),
  judged('blanks', 'blanks around the blocks, CR LF', utf8(` \r\n${textOf(chain).replaceAll('\n', '\r\n')}\t\n`), 3),
  judged('left-out', 'version 2 is left out, and version 3 satisfies the roots of version 1', all({ version: 3 }), 3),
  judged('no-file', 'nothing but the built-in chain', block1, 1),
  judged(
    'stranger',
    'an unknown signer, whose signature is not valid',
    all({}, [...ED25519_ROOTS, 'root 9'], { signature: spoiled('root 9') }),
    2,
  ),
  judged('root-leaves', 'a root leaves', all({ roots: ['root 1', 'root 2'] }), 2),
  judged(
    'cut-file',
    'the file ends within its third block: what came before counts',
    chain.subarray(0, chain.length - 2000),
    'keyset_armor_malformed',
    {
      expected: { version: 2, source: 'file', notices: [{ source: 'file', reason: 'keyset_armor_malformed' }] },
    },
  ),
  judged('no-block', 'no block', utf8('\n'), 'keyset_armor_malformed'),
  judged(
    'license-label',
    'the label of a license',
    armor('VTLIC', signKeyset(payload2, ED25519_ROOTS)),
    'keyset_armor_malformed',
  ),
  judged(
    'one-line',
    'two blocks with only a space between them',
    utf8(`${textOf(block1).trimEnd()} ${textOf(block2)}`),
    'keyset_armor_malformed',
  ),
  judged(
    'truncated',
    'the CBOR ends early',
    armored(signKeyset(payload2, ED25519_ROOTS).slice(0, -1)),
    'keyset_cbor_malformed',
  ),
  judged(
    'long-head',
    'a head that is not in its shortest form',
    armored(Uint8Array.of(0xd9, 0x00, 0x62, 0x84)),
    'keyset_cbor_not_deterministic',
  ),
  judged(
    'sign1',
    'a COSE_Sign1 instead of a COSE_Sign',
    armored(dearmor('VTLIC', utf8(ed25519License.file))),
    'keyset_cose_malformed',
  ),
  judged(
    'typ',
    'the typ of another kind of document',
    signed(payload2, { protectedBytes: encodeBodyProtected(TYP.counters) }),
    'keyset_typ_wrong',
  ),
  judged('alg', 'a signer with alg -8', armored(withAlg8(signKeyset(payload2, ED25519_ROOTS))), 'keyset_alg_unknown'),
  judged('member-missing', 'the payload is the empty map', signed(Uint8Array.of(0xa0)), 'keyset_claims_malformed'),
  judged(
    'member-unknown',
    'the payload has a member that is not in the table',
    signed(withMember(payload2)),
    'keyset_claims_unknown',
  ),
  judged('issuer', 'another issuer', all({ iss: 'another-vendor' }), 'keyset_issuer_mismatch'),
  judged('descending', 'version 1 behind version 2', chainOf(block2, block1), 'keyset_not_ascending', {
    expected: { version: 2, source: 'file', notices: [{ source: 'file', reason: 'keyset_not_ascending' }] },
  }),
  judged(
    'bad-key',
    'an issuing key that is a point of small order',
    all({ keys: [...(version1.keys ?? []), { ...issuingKey('root 9'), publicBytes: new Uint8Array(32) }] }),
    'keyset_key_invalid',
  ),
  judged(
    'bad-signature',
    'three valid signatures are not needed, but the third one is not valid',
    all({}, ED25519_ROOTS, { signature: spoiled('root 3') }),
    'keyset_signature_invalid',
  ),
  judged(
    'previous-threshold',
    'one root of version 1 signed, and version 2 wants no more',
    all({ threshold: 1 }, ['root 1']),
    'keyset_threshold_previous',
  ),
  judged(
    'own-threshold',
    'two roots of version 1 signed, and one of the two new ones',
    all({ roots: ['root 8', 'root 9'] }, ['root 1', 'root 2', 'root 9']),
    'keyset_threshold_own',
  ),
  judged(
    'policy-by-ed25519',
    'version 2 requires composite, and Ed25519 roots signed it',
    all({ roots: ROOTS, requireComposite: true }),
    'keyset_threshold_own',
  ),
  judged(
    'policy-is-kept',
    'version 4 takes the policy of version 3 away, and Ed25519 roots signed it',
    all({ ...version2, version: 4 }),
    'keyset_threshold_previous',
    {
      ...version3FromState,
      expected: { version: 3, source: 'state', notices: [{ source: 'file', reason: 'keyset_threshold_previous' }] },
    },
  ),
  judged(
    'compiled-in',
    'the product requires composite, and Ed25519 roots signed version 2',
    block2,
    'keyset_threshold_previous',
    { requireComposite: true },
  ),
  judged(
    'purpose',
    'an issuing key gets another purpose',
    all({ keys: [issuingKey('issuing 1', { purpose: 'license-key' })] }),
    'keyset_purpose_changed',
  ),
  judged(
    'component',
    'the Ed25519 component of a composite is a key as well',
    all({
      keys: [issuingKey('issuing 1'), half, { ...half, alg: 'ed25519', publicBytes: half.publicBytes.slice(1952) }],
    }),
    'keyset_component_shared',
  ),
  judged('removed', 'an issuing key is missing', all({ keys: [] }), 'keyset_key_removed'),
  judged(
    'conflict',
    'state knows version 2 with another payload; version 3 of the fork is not read',
    chainOf(fork, all({ version: 3 })),
    'keyset_conflict',
    {
      state: [textOf(block2)],
      expected: { version: 2, source: 'state', notices: [{ source: 'file', reason: 'keyset_conflict' }] },
    },
  ),
  judged('older', 'the file is older than state', chainOf(block1, block2), 'keyset_older', {
    ...version3FromState,
    expected: { version: 3, source: 'state', notices: [{ source: 'file', reason: 'keyset_older' }] },
  }),
  judged('new-build', 'state has another payload for a version that is built in', block1, 1, {
    builtIn: textOf(chainOf(block1, block2)),
    state: [textOf(chainOf(block1, fork))],
    expected: {
      version: 2,
      source: 'built-in',
      notices: [
        { source: 'state', reason: 'keyset_conflict' },
        { source: 'file', reason: 'keyset_older' },
      ],
    },
  }),
];

/** The first alg of a signer, `01 32` (1: -19), as `01 27` (1: -8). */
function withAlg8(cose: Uint8Array): Uint8Array {
  const at = cose.findIndex((byte, i) => byte === 0xa2 && cose[i + 1] === 0x01 && cose[i + 2] === 0x32);
  return cose.map((byte, i) => (i === at + 2 ? 0x27 : byte));
}

/** One more member, behind the others in their order. */
function withMember(payload: Uint8Array): Uint8Array {
  const map = payload.slice();
  map[0] = (map[0] ?? 0) + 1;
  return chainOf(map, Uint8Array.of(0x6a), utf8('a-new-rule'), Uint8Array.of(0xf5));
}

export interface WorkedKeyset {
  readonly number: number;
  readonly block: Uint8Array;
  readonly bytes: Uint8Array;
  readonly cose: CoseSign;
}

export const workedChain: readonly WorkedKeyset[] = [block1, block2, block3].map((block, i) => {
  const bytes = dearmor('VTLIC KEYSET', block, KEYSET_LIMITS);
  return { number: i + 1, block, bytes, cose: decodeCoseSign(bytes, TYP.keyset) };
});

export function keysetFiles(): ReadonlyMap<string, Uint8Array> {
  const values = {
    warning: 'NOT FOR PRODUCTION: the seeds of these keys are published.',
    keys: Object.fromEntries(KEY_NAMES.map((name) => [name, keyValues(testKey(name))])),
    chain: workedChain.map(({ number, block, bytes, cose }) => ({
      version: number,
      payload: toHex(cose.payload),
      payloadSha256: sha256Hex(cose.payload),
      protected: toHex(cose.protectedBytes),
      signers: cose.signers.map(({ kid, protectedBytes, signature }) => ({
        kid,
        protected: toHex(protectedBytes),
        sigStructure: toHex(signerStructure(cose.protectedBytes, protectedBytes, cose.payload)),
        signature: toHex(signature),
      })),
      cose: toHex(bytes),
      block: textOf(block),
    })),
    judged: judgedKeysets,
  };
  return new Map([
    ['chain.keyset', chain],
    ['keysets.json', utf8(`${JSON.stringify(values, undefined, 2)}\n`)],
  ]);
}

function keyValues({ publicKey, ed25519Seed, mldsa65Seed }: TestKey): unknown {
  return {
    alg: publicKey.alg,
    ...(mldsa65Seed === undefined ? {} : { mldsa65Seed: toHex(utf8(mldsa65Seed)) }),
    ed25519Seed: toHex(utf8(ed25519Seed)),
    publicKey: toHex(publicKey.bytes),
    kid: publicKey.kid,
  };
}
