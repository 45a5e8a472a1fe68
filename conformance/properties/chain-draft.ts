/**
 * Chains of keysets on their way to a verifier: versions as values, then changed at named places, then encoded, signed
 * and written as a request, with the answer that the model of keysets predicts.
 */
import { armor } from '../../formats/armor.ts';
import { concatBytes, fromHex, toHex } from '../../formats/bytes.ts';
import { TYP } from '../../formats/cose-sign1.ts';
import { sha256Hex } from '../../files/index.ts';
import { encode, head, sortedPairs } from '../model/cbor.ts';
import { expectedOf, type ModelTrust } from '../model/expected.ts';
import {
  chosenKeyset,
  type ModelChainFile,
  type ModelChoice,
  type ModelKeysetKey,
  type ModelVersion,
} from '../model/keyset.ts';
import { Pairs, type Item } from '../model/walk.ts';
import type { Answer, Request } from '../protocol/protocol.ts';
import { base64, DAY, NOW, validDraft, wantedOf, wireContext, write } from './draft.ts';
import { keyNamed } from './keys.ts';

export const MADE: number = NOW - 30 * DAY;

/** A public key, by the name of a key pair, or as raw bytes that may be none. */
export type DraftPublicKey = string | Uint8Array;

export interface IssuingDraft {
  key: DraftPublicKey;
  purpose: string;
  status: string;
  products?: readonly string[];
  tiers?: readonly string[];
  honored?: readonly string[];
}

/** Each list of edits is applied in turn, at its place on the way from members to text. */
export interface VersionDraft {
  iss: string;
  version: number;
  threshold: number;
  roots: DraftPublicKey[];
  keys: IssuingDraft[];
  policy?: { composite?: true; ed25519Until?: number };
  revoked: string[];
  lowest: Map<string, number>;
  /** Names of keys. */
  signers: string[];
  /** Members of the payload by name, behind those above. */
  readonly memberEdits: ((members: Map<Item, Item>) => void)[];
  readonly payloadEdits: ((payload: Uint8Array) => Uint8Array)[];
  body: Map<Item, Item>;
  /** The header of a signer. */
  readonly headerEdits: ((header: Map<Item, Item>) => void)[];
  readonly signatureEdits: ((signature: Uint8Array, name: string) => Uint8Array)[];
  readonly signerEdits: ((signers: Item[]) => Item[])[];
  /** The four items of the COSE_Sign. */
  readonly itemEdits: ((items: Item[]) => Item[])[];
  readonly coseEdits: ((cose: Uint8Array) => Uint8Array)[];
  readonly textEdits: ((text: Uint8Array) => Uint8Array)[];
  /** What the edits above make of it: reasons by K1 and K2. The first one in the order of K1 is not known. */
  readonly formFaults: string[];
  /** Whose signatures an edit made invalid. */
  readonly invalidSigners: Set<string>;
}

export interface ChainDraft {
  issuer: string;
  requireComposite: boolean;
  builtIn: VersionDraft[];
  state: VersionDraft[][];
  file: VersionDraft[] | undefined;
  readonly fileEdits: ((file: Uint8Array) => Uint8Array)[];
  /** The reason that an edit of the file makes, behind its last block; or that of its size. */
  fileFault?: string;
  /** Whether the license of the key `issuing 1` is judged by the keyset that counts. */
  judgesLicense: boolean;
}

export const ROOTS: readonly string[] = ['root 1', 'root 2', 'root 3'];

export function versionDraft(version: number): VersionDraft {
  return {
    iss: 'example-vendor',
    version,
    threshold: 2,
    roots: [...ROOTS],
    keys: [{ key: 'issuing 1', purpose: 'license', status: 'active' }],
    revoked: [],
    lowest: new Map(),
    signers: ['root 1', 'root 2'],
    memberEdits: [],
    payloadEdits: [],
    body: new Map<Item, Item>([[16, TYP.keyset]]),
    headerEdits: [],
    signatureEdits: [],
    signerEdits: [],
    itemEdits: [],
    coseEdits: [],
    textEdits: [],
    formFaults: [],
    invalidSigners: new Set(),
  };
}

/** A version of its own: a change of one of the two leaves the other one as it is. */
export function copyOf(version: VersionDraft): VersionDraft {
  return {
    ...version,
    roots: [...version.roots],
    keys: version.keys.map((key) => ({ ...key })),
    revoked: [...version.revoked],
    lowest: new Map(version.lowest),
    signers: [...version.signers],
    memberEdits: [...version.memberEdits],
    payloadEdits: [...version.payloadEdits],
    body: new Map(version.body),
    headerEdits: [...version.headerEdits],
    signatureEdits: [...version.signatureEdits],
    signerEdits: [...version.signerEdits],
    itemEdits: [...version.itemEdits],
    coseEdits: [...version.coseEdits],
    textEdits: [...version.textEdits],
    formFaults: [...version.formFaults],
    invalidSigners: new Set(version.invalidSigners),
  };
}

/** Version 1 is built in, and a file brings version 2 with one more key. */
export function validChain(): ChainDraft {
  const second = versionDraft(2);
  second.keys.push({ key: 'issuing 5', purpose: 'license', status: 'pre-published' });
  return {
    issuer: 'example-vendor',
    requireComposite: false,
    builtIn: [versionDraft(1)],
    state: [],
    file: [second],
    fileEdits: [],
    judgesLicense: true,
  };
}

/** The version that the file brings; where it brings none, one that nothing reads. */
export function brought(draft: ChainDraft): VersionDraft {
  return draft.file?.[0] ?? versionDraft(2);
}

const COSE_KEY: Readonly<Record<'ed25519' | 'composite', Uint8Array>> = {
  ed25519: fromHex('a301012006215820') ?? new Uint8Array(),
  composite: fromHex('a30107037165643235353139 2b6d6c2d6473612d3635 205907c0'.replaceAll(' ', '')) ?? new Uint8Array(),
};
const COMPOSITE_BYTES = 1984;
const MLDSA_BYTES = 1952;

/** 32 bytes are an Ed25519 key, more are a composite. */
function rawKey(key: DraftPublicKey): Uint8Array {
  return typeof key === 'string' ? keyNamed(key).publicKey.bytes : key;
}

export function coseKeyOf(key: DraftPublicKey): Uint8Array {
  const raw = rawKey(key);
  return concatBytes(raw.length === COMPOSITE_BYTES ? COSE_KEY.composite : COSE_KEY.ed25519, raw);
}

function modelKey(key: DraftPublicKey): ModelKeysetKey {
  const raw = rawKey(key);
  const isComposite = raw.length === COMPOSITE_BYTES;
  const ed25519 = `ed25519 ${toHex(isComposite ? raw.subarray(MLDSA_BYTES) : raw)}`;
  return {
    kid: sha256Hex(coseKeyOf(key)),
    isComposite,
    components: isComposite ? [ed25519, sha256Hex(raw.subarray(0, MLDSA_BYTES))] : [ed25519],
    // The only key of small order here is that of zeros.
    isUsable: raw.some((byte) => byte !== 0),
  };
}

const sortedBytes = (items: readonly Uint8Array[]): Uint8Array[] => items.toSorted((a, b) => Buffer.compare(a, b));
const idBytes = (id: string): Uint8Array => fromHex(id.replaceAll('-', '')) ?? new Uint8Array();

function issuingPairs({ key, purpose, status, products, tiers, honored }: IssuingDraft): Pairs {
  return sortedPairs([
    ['key', coseKeyOf(key)],
    ['purpose', purpose],
    ['status', status],
    ...(products === undefined ? [] : ([['products', products]] as const)),
    ...(tiers === undefined ? [] : ([['tiers', tiers]] as const)),
    ...(honored === undefined
      ? []
      : ([['honored', sortedBytes(honored.map((digest) => fromHex(digest) ?? new Uint8Array()))]] as const)),
  ]);
}

function payloadOf(draft: VersionDraft): Uint8Array {
  const { iss, version, threshold, roots, keys, policy, revoked, lowest, memberEdits, payloadEdits } = draft;
  const issuing = keys.toSorted((a, b) => Buffer.compare(coseKeyOf(a.key), coseKeyOf(b.key)));
  const members = new Map<Item, Item>([
    ['iss', iss],
    ['version', version],
    ['made', MADE],
    ['roots', sortedBytes(roots.map(coseKeyOf))],
    ['threshold', threshold],
    ['keys', issuing.map(issuingPairs)],
  ]);
  if (policy !== undefined)
    members.set(
      'policy',
      sortedPairs([
        ...(policy.composite === undefined ? [] : ([['composite', policy.composite]] as const)),
        ...(policy.ed25519Until === undefined ? [] : ([['ed25519_until', policy.ed25519Until]] as const)),
      ]),
    );
  if (revoked.length > 0) members.set('revoked', sortedBytes(revoked.map(idBytes)));
  if (lowest.size > 0) members.set('lowest', sortedPairs([...lowest]));
  for (const edit of memberEdits) edit(members);
  return payloadEdits.reduce((one, edit) => edit(one), encode(sortedPairs([...members])));
}

interface WrittenVersion {
  readonly text: Uint8Array;
  readonly model: ModelVersion;
}

function written(draft: VersionDraft): WrittenVersion {
  const payload = payloadOf(draft);
  const body = encode(sortedPairs([...draft.body]));
  const signers = draft.signers.map((name): { readonly kid: Uint8Array; readonly item: Item } => {
    const key = keyNamed(name);
    const { publicKey } = key;
    const kid = fromHex(publicKey.kid) ?? new Uint8Array();
    const header = new Map<Item, Item>([
      [1, publicKey.alg === 'ed25519' ? -19 : 'ed25519+ml-dsa-65'],
      [4, kid],
    ]);
    for (const edit of draft.headerEdits) edit(header);
    const bytes = encode(sortedPairs([...header]));
    const genuine = key.sign(encode(['Signature', body, bytes, new Uint8Array(), payload]));
    const signature = draft.signatureEdits.reduce((one, edit) => edit(one, name), genuine);
    return { kid, item: [bytes, new Pairs([]), signature] };
  });
  const sorted = signers.toSorted((a, b) => Buffer.compare(a.kid, b.kid)).map(({ item }) => item);
  const all = draft.signerEdits.reduce((one, edit) => edit(one), sorted);
  const items = draft.itemEdits.reduce<Item[]>((one, edit) => edit(one), [body, new Pairs([]), payload, all]);
  const whole = concatBytes(head(6, 98), head(4, items.length), ...items.map(encode));
  const cose = draft.coseEdits.reduce((one, edit) => edit(one), whole);
  const text = draft.textEdits.reduce((one, edit) => edit(one), armor('VTLIC KEYSET', cose));
  return { text, model: modelVersion(draft, payload) };
}

function modelVersion(draft: VersionDraft, payload: Uint8Array): ModelVersion {
  const { iss, version, threshold, roots, keys, policy, signers, invalidSigners } = draft;
  const [formFault] = formFaultsOf(draft);
  return {
    ...(formFault === undefined ? {} : { formFault }),
    issuer: iss,
    version,
    payloadDigest: sha256Hex(payload),
    roots: roots.map(modelKey),
    threshold,
    keys: keys.map(({ key, purpose }) => ({ ...modelKey(key), purpose })),
    hasPolicy: policy !== undefined,
    signers: signers.map((name) => ({ kid: keyNamed(name).publicKey.kid, isValid: !invalidSigners.has(name) })),
  };
}

/** With what several changes together make: a list that is too long, an item twice, a threshold that is too high. */
function formFaultsOf({ roots, keys, signers, threshold, formFaults }: VersionDraft): readonly string[] {
  const isTwice = (items: readonly DraftPublicKey[]): boolean =>
    new Set(items.map((item) => toHex(rawKey(item)))).size < items.length;
  const isMalformed =
    roots.length > 16 || keys.length > 128 || threshold > roots.length || isTwice(roots) || isTwice(keys.map(keyOf));
  return [
    ...formFaults,
    ...(signers.length > 64 || new Set(signers).size < signers.length ? ['keyset_cose_malformed'] : []),
    ...(isMalformed ? ['keyset_claims_malformed'] : []),
  ];
}

const keyOf = ({ key }: IssuingDraft): DraftPublicKey => key;

export interface PreparedChain {
  readonly request: Request;
  readonly expected: Answer;
}

/** Judged by the keyset that counts. */
const SIGNER = keyNamed('issuing 1');
const LICENSE = write(validDraft(SIGNER));
export const LICENSE_DIGEST: string = LICENSE.record.payloadDigest;
const { context: CONTEXT } = validDraft(SIGNER);

export function prepareChain(draft: ChainDraft): PreparedChain {
  const drafts = new Map<ModelVersion, VersionDraft>();
  const of = (versions: readonly VersionDraft[]): WrittenFile => {
    const all = versions.map((version) => {
      const one = written(version);
      drafts.set(one.model, version);
      return one;
    });
    const blocks = all.map(({ model }) => model);
    return {
      bytes: concatBytes(...all.map(({ text }) => text)),
      model: { blocks, ...(blocks.length === 0 ? { endsWith: 'keyset_armor_malformed' } : {}) },
    };
  };
  const { issuer, requireComposite, judgesLicense } = draft;
  const builtIn = of(draft.builtIn);
  const state = draft.state.map(of);
  const file = draft.file === undefined ? undefined : edited(of(draft.file), draft);
  const request: Request = {
    op: 'choose-keyset',
    issuer,
    builtIn: base64(builtIn.bytes),
    ...(state.length === 0 ? {} : { state: state.map(({ bytes }) => base64(bytes)) }),
    ...(file === undefined ? {} : { file: base64(file.bytes) }),
    ...(requireComposite ? { requireComposite } : {}),
    ...(judgesLicense ? { license: base64(LICENSE.file), context: wireContext(CONTEXT) } : {}),
  };
  const choice = chosenKeyset({
    issuer,
    builtIn: builtIn.model,
    state: state.map(({ model }) => model),
    ...(file === undefined ? {} : { file: file.model }),
    requireComposite,
  });
  if (choice === undefined) return { request, expected: { verdict: 'configuration_invalid' } };
  const { newest, source, notices } = choice;
  const own = drafts.get(newest) ?? versionDraft(0);
  // Which of two faults of one form comes first is for the reason only.
  const isScored = [...drafts.values()].every((version) => new Set(formFaultsOf(version)).size <= 1);
  const expected: Answer = {
    ...(judgesLicense ? verdictOn(own, choice, requireComposite) : {}),
    version: newest.version,
    source,
    ...(isScored ? { notices } : {}),
  };
  return { request, expected };
}

interface WrittenFile {
  readonly bytes: Uint8Array;
  readonly model: ModelChainFile;
}

function edited({ bytes, model }: WrittenFile, { fileEdits, fileFault }: ChainDraft): WrittenFile {
  // The size is judged before the first block.
  const blocks = fileFault === 'keyset_too_large' ? [] : model.blocks;
  return {
    bytes: fileEdits.reduce((one, edit) => edit(one), bytes),
    model: fileFault === undefined ? model : { blocks, endsWith: fileFault },
  };
}

/** The block of a version. */
export function blockOf(version: VersionDraft): Uint8Array {
  return written(version).text;
}

/** The trust of a keyset (K6), and the license by it. */
function verdictOn({ keys, policy, revoked, lowest }: VersionDraft, choice: ModelChoice, required: boolean): Answer {
  const trust: ModelTrust = {
    keys: [
      ...keys.map(({ key, honored, ...entry }) => ({
        ...entry,
        ...trusted(modelKey(key)),
        ...(honored === undefined ? {} : { honored: new Set(honored) }),
      })),
      ...[...choice.roots.values()].map((root) => ({ ...trusted(root), purpose: 'root', status: 'active' })),
    ],
    requireComposite: required || policy?.composite === true,
    ...(policy?.ed25519Until === undefined ? {} : { ed25519Until: policy.ed25519Until }),
    revokedLicenses: new Set(revoked),
    lowestCounters: lowest,
  };
  return wantedOf(expectedOf(LICENSE.file, LICENSE.record, trust, CONTEXT));
}

function trusted({ kid, isComposite }: ModelKeysetKey): Pick<ModelTrust['keys'][number], 'kid' | 'alg'> {
  return { kid, alg: isComposite ? 'ed25519+ml-dsa-65' : 'ed25519' };
}
