/** Chains of keysets, with section numbers K of docs/keysets.md: which version counts, and the trust that follows. */
import { bytesHead, isBytes, Refusal, refuse, walk } from './cbor.ts';
import { ConfigurationInvalid, hash, hex, importKey, shareComponent, type Key, type Trust } from './values.ts';
import { coseKeyForm, readMembers, type Members } from './keyset-members.ts';
import { isSignedBy } from './verify.ts';

const COMPOSITE = 'ed25519+ml-dsa-65';
const TYP = 'application/vnd.vtlic.keyset+cose';
const need = (holds: boolean, reason: string): void => {
  if (!holds) refuse('keyset', `keyset_${reason}`);
};

const BLOCK =
  /-----BEGIN VTLIC KEYSET-----\r?\n((?:[A-Za-z0-9+/]{64}\r?\n)*[A-Za-z0-9+/=]{4,64})\r?\n-----END VTLIC KEYSET-----/y;
const BLANKS = /[\t\n\r ]*/y;

/** K3: the decoded blocks of a chain, in turn. What is before a block belongs to it. */
function* blocksOf(chain: Uint8Array): Generator<Uint8Array> {
  need(chain.length <= 16_777_216, 'too_large');
  const text = Buffer.from(chain).toString('latin1');
  let at = 0;
  for (let count = 0; ; count++) {
    BLANKS.lastIndex = at;
    const [gap = ''] = BLANKS.exec(text) ?? [];
    at += gap.length;
    if (count > 0 && at === text.length) return;
    need(count < 4096, 'too_large');
    need(count === 0 || gap.includes('\n'), 'armor_malformed');
    BLOCK.lastIndex = at;
    const [whole = '', body = ''] = BLOCK.exec(text) ?? [];
    at += whole.length;
    const base64 = body.replaceAll(/[\r\n]/g, '');
    const bytes = Buffer.from(base64, 'base64');
    need(bytes.length > 0 && bytes.toString('base64') === base64, 'armor_malformed');
    need(bytes.length <= 524_288, 'too_large');
    yield Uint8Array.from(bytes);
  }
}

interface Signer {
  readonly kid: string;
  readonly alg: unknown;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

interface Keyset {
  readonly members: Members;
  readonly version: number;
  readonly digest: string;
  readonly signers: readonly Signer[];
  readonly hasPolicy: boolean;
}

function walked(bytes: Uint8Array, isFile: boolean): ReturnType<typeof walk> {
  try {
    return walk(bytes, isFile);
  } catch (error) {
    if (error instanceof Refusal) return refuse('keyset', `keyset_${error.reason}`);
    throw error;
  }
}

/** An array of so many items that begins with bytes and an empty map, with bytes behind them. */
function shape(value: unknown, count: number): readonly [Uint8Array, Uint8Array, unknown] {
  const [first, unprotected, third, ...rest] = Array.isArray(value) ? (value as unknown[]) : [];
  if (!isBytes(first) || !isBytes(third) || first.length === 0) return refuse('keyset', 'keyset_cose_malformed');
  need(unprotected instanceof Map && unprotected.size === 0 && rest.length === count - 3, 'cose_malformed');
  return [first, third, rest[0]];
}

/** The values of a protected header with exactly these labels. */
function header(bytes: Uint8Array, ...labels: readonly number[]): readonly unknown[] {
  const { value } = walked(bytes, false);
  if (!(value instanceof Map) || value.size !== labels.length) return refuse('keyset', 'keyset_cose_malformed');
  need(
    labels.every((label) => value.has(label)),
    'cose_malformed',
  );
  return labels.map((label): unknown => value.get(label));
}

/** K1, in the order of its rule 6; then K2. */
function readKeyset(bytes: Uint8Array): Keyset {
  const { tag, value } = walked(bytes, true);
  need(tag === 98n, 'cose_malformed');
  const [body, payload, signatures] = shape(value, 4);
  if (!Array.isArray(signatures) || signatures.length < 1 || signatures.length > 64)
    return refuse('keyset', 'keyset_cose_malformed');
  const [typ] = header(body, 16);
  need(typeof typ === 'string', 'cose_malformed');
  const parts = signatures.map((one: unknown) => shape(one, 3));
  for (const [protectedBytes] of parts) walked(protectedBytes, false);
  const signers = parts.map(([protectedBytes, signature]): Signer => {
    const [alg, kid] = header(protectedBytes, 1, 4);
    if (!isBytes(kid) || kid.length !== 32 || (typeof alg !== 'string' && !Number.isSafeInteger(alg)))
      return refuse('keyset', 'keyset_cose_malformed');
    const texts = [body, protectedBytes, new Uint8Array(), payload].flatMap((one) => [bytesHead(one.length), one]);
    const signed = Buffer.concat([Uint8Array.of(0x85, 0x69), Buffer.from('Signature'), ...texts]);
    return { kid: hex(kid), alg, signed, signature };
  });
  need(typ === TYP, 'typ_wrong');
  need(
    signers.every(({ alg }) => alg === -19 || alg === COMPOSITE),
    'alg_unknown',
  );
  need(
    signers.every(({ kid }, i) => i === 0 || (signers[i - 1]?.kid ?? '') < kid),
    'cose_malformed',
  );
  const members = readMembers(payload);
  return {
    members,
    version: members.get('version') as number,
    digest: hex(hash('sha256', payload)),
    signers,
    hasPolicy: members.has('policy'),
  };
}

/** The keys of a list, usable by section 6.4. */
function imported(list: readonly unknown[], membersOf: (item: unknown) => Members): readonly Key[] {
  return list.map((item) => {
    const members = membersOf(item);
    const bytes = members.get('key') as Uint8Array;
    const { alg = '', head = '' } = coseKeyForm(bytes) ?? {};
    const key = importKey(alg, bytes.subarray(head.length / 2));
    if (key === undefined) return refuse('keyset', 'keyset_key_invalid');
    const honored = members.get('honored') as readonly Uint8Array[] | undefined;
    return {
      ...key,
      purpose: String(members.get('purpose')),
      status: String(members.get('status')),
      ...(members.has('products') ? { products: members.get('products') as string[] } : {}),
      ...(members.has('tiers') ? { tiers: members.get('tiers') as string[] } : {}),
      ...(honored === undefined ? {} : { honored: honored.map(hex) }),
    };
  });
}
const rootsOf = ({ members }: Keyset): readonly Key[] =>
  imported(
    members.get('roots') as readonly unknown[],
    (key) => new Map<unknown, unknown>(Object.entries({ key, purpose: 'root', status: 'active' })),
  );
const issuingKeysOf = ({ members }: Keyset): readonly Key[] =>
  imported(members.get('keys') as readonly unknown[], (key) => key as Members);

/** A trusted chain. */
interface Chain {
  readonly newest: Keyset | undefined;
  readonly digests: ReadonlyMap<number, string>;
  /** Every key that a version has or had, by kid. */
  readonly known: ReadonlyMap<string, Key>;
  readonly compositeRootsOnly: boolean;
}

/** Rule 8 of K4. */
function withVersion(chain: Chain, keyset: Keyset): Chain {
  const [roots, keys] = [rootsOf(keyset), issuingKeysOf(keyset)];
  const known = new Map(chain.known);
  for (const key of [...roots, ...keys]) {
    need((known.get(key.kid) ?? key).purpose === key.purpose, 'purpose_changed');
    known.set(key.kid, key);
  }
  need(!shareComponent([...known.values()]), 'component_shared');
  const kids = new Set(keys.map(({ kid }) => kid));
  const before = chain.newest === undefined ? [] : issuingKeysOf(chain.newest);
  need(
    before.every(({ kid }) => kids.has(kid)),
    'key_removed',
  );
  return {
    newest: keyset,
    digests: new Map([...chain.digests, [keyset.version, keyset.digest]]),
    known,
    compositeRootsOnly: chain.compositeRootsOnly || keyset.hasPolicy,
  };
}

/** Rules 3 to 7 of K4. */
function accepted(chain: Chain, newest: Keyset, keyset: Keyset): Chain {
  if (keyset.version <= newest.version) {
    need((chain.digests.get(keyset.version) ?? keyset.digest) === keyset.digest, 'conflict');
    return chain;
  }
  const [before, own] = [rootsOf(newest), rootsOf(keyset)];
  const signed = new Set<string>();
  for (const { kid, alg, signed: message, signature } of keyset.signers) {
    const root = [...before, ...own].find((one) => one.kid === kid);
    if (root === undefined) continue;
    const isAlg = alg === (root.alg === 'ed25519' ? -19 : COMPOSITE);
    need(isAlg && isSignedBy(root, message, signature), 'signature_invalid');
    signed.add(kid);
  }
  const enough = (roots: readonly Key[], compositeOnly: boolean, { members }: Keyset): boolean =>
    roots.filter(({ kid, alg }) => signed.has(kid) && (!compositeOnly || alg !== 'ed25519')).length >=
    (members.get('threshold') as number);
  need(enough(before, chain.compositeRootsOnly, newest), 'threshold_previous');
  need(enough(own, chain.compositeRootsOnly || keyset.hasPolicy, keyset), 'threshold_own');
  return withVersion(chain, keyset);
}

interface Reading {
  readonly chain: Chain;
  readonly newestRead: number;
  readonly reason?: string;
}

/** K3, K4. @param issuer of the built-in chain, whose signatures nobody judges; undefined: a continuation */
function read(chain: Chain, file: Uint8Array, issuer?: string): Reading {
  let [longer, newestRead] = [chain, 0];
  try {
    for (const block of blocksOf(file)) {
      const keyset = readKeyset(block);
      need(keyset.members.get('iss') === (issuer ?? chain.newest?.members.get('iss')), 'issuer_mismatch');
      need(keyset.version > newestRead, 'not_ascending');
      newestRead = keyset.version;
      longer =
        issuer !== undefined || longer.newest === undefined
          ? withVersion(longer, keyset)
          : accepted(longer, longer.newest, keyset);
    }
    return { chain: longer, newestRead };
  } catch (error) {
    if (error instanceof Refusal) return { chain: longer, newestRead, reason: error.reason };
    throw error;
  }
}

/** K6. */
function trustOf({ newest, known }: Chain, requireComposite: boolean): Trust {
  if (newest === undefined) throw new ConfigurationInvalid('the built-in chain is empty');
  const { members } = newest;
  const keys = [...[...known.values()].filter(({ purpose }) => purpose === 'root'), ...issuingKeysOf(newest)];
  const policy = (members.get('policy') ?? new Map<unknown, unknown>()) as Members;
  const revoked = ((members.get('revoked') ?? []) as readonly Uint8Array[]).map((id) =>
    hex(id).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
  );
  return {
    keys: new Map(keys.map((key) => [key.kid, key])),
    requireComposite: requireComposite || policy.has('composite'),
    ed25519Until: (policy.get('ed25519_until') as number | undefined) ?? Infinity,
    revokedLicenses: new Set(revoked),
    lowestCounters: (members.get('lowest') ?? new Map()) as ReadonlyMap<string, number>,
  };
}

interface Sources {
  readonly issuer: string;
  readonly builtIn: Uint8Array;
  readonly state: readonly Uint8Array[];
  readonly file: Uint8Array | undefined;
  readonly requireComposite: boolean;
}

interface Chosen {
  readonly trust: Trust;
  readonly version: number;
  readonly source: string;
  readonly notices: readonly { readonly source: string; readonly reason: string }[];
}

/** K5. @throws ConfigurationInvalid where the built-in chain is at fault */
export function chooseKeyset({ issuer, builtIn, state, file, requireComposite }: Sources): Chosen {
  const nothing = { newest: undefined, digests: new Map(), known: new Map(), compositeRootsOnly: requireComposite };
  const first = read(nothing, builtIn, issuer);
  if (first.reason !== undefined) throw new ConfigurationInvalid(first.reason);
  let { chain } = first;
  let source = 'built-in';
  const notices: Chosen['notices'][number][] = [];
  const all = [
    ...state.map((bytes) => ['state', bytes] as const),
    ...(file === undefined ? [] : [['file', file] as const]),
  ];
  for (const [name, bytes] of all) {
    const { chain: longer, newestRead, reason } = read(chain, bytes);
    if (longer !== chain) source = name;
    chain = longer;
    const isOlder = name === 'file' && newestRead < (chain.newest?.version ?? 0);
    if (reason !== undefined || isOlder) notices.push({ source: name, reason: reason ?? 'keyset_older' });
  }
  return { trust: trustOf(chain, requireComposite), version: chain.newest?.version ?? 0, source, notices };
}
