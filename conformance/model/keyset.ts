/**
 * What docs/keysets.md says of a chain (K3 to K5), written a second time, as plainly as possible and without any code
 * of the rooms. The caller says what each block contains and which signatures in it are valid.
 */
import { Fault, fault } from './walk.ts';

export interface ModelKeysetKey {
  readonly kid: string;
  readonly isComposite: boolean;
  /** The Ed25519 and the ML-DSA-65 component, in any spelling that is the same for the same component. */
  readonly components: readonly string[];
  /** Criteria 1 to 3 of section 6.4. */
  readonly isUsable: boolean;
}

export interface ModelVersion {
  /** The fault of its form (K1, K2); the other members of the version then mean nothing. */
  readonly formFault?: string;
  readonly issuer: string;
  readonly version: number;
  readonly payloadDigest: string;
  readonly roots: readonly ModelKeysetKey[];
  readonly threshold: number;
  readonly keys: readonly (ModelKeysetKey & { readonly purpose: string })[];
  readonly hasPolicy: boolean;
  readonly signers: readonly { readonly kid: string; readonly isValid: boolean }[];
}

/** A file: its blocks up to the first fault of the file itself, such as a text between two of them. */
export interface ModelChainFile {
  readonly blocks: readonly ModelVersion[];
  readonly endsWith?: string;
}

export interface ModelSources {
  readonly issuer: string;
  readonly builtIn: ModelChainFile;
  readonly state?: readonly ModelChainFile[];
  readonly file?: ModelChainFile;
  readonly requireComposite: boolean;
}

export interface ModelChoice {
  readonly newest: ModelVersion;
  /** Every root that a version of the chain has or had. */
  readonly roots: ReadonlyMap<string, ModelKeysetKey>;
  readonly source: 'built-in' | 'state' | 'file';
  readonly notices: readonly { readonly source: 'state' | 'file'; readonly reason: string }[];
}

interface ModelChain {
  readonly versions: readonly ModelVersion[];
  readonly compositeRootsOnly: boolean;
  readonly purposes: ReadonlyMap<string, string>;
  readonly keys: ReadonlyMap<string, ModelKeysetKey>;
}

const NOTHING: Omit<ModelChain, 'compositeRootsOnly'> = { versions: [], purposes: new Map(), keys: new Map() };

/** @returns undefined where the built-in chain is at fault */
export function chosenKeyset({
  issuer,
  builtIn,
  state = [],
  file,
  requireComposite,
}: ModelSources): ModelChoice | undefined {
  const trusted = readFile({ ...NOTHING, compositeRootsOnly: requireComposite }, builtIn, true);
  if (trusted.reason !== undefined || newestOf(trusted.chain)?.issuer !== issuer) return undefined;
  let { chain } = trusted;
  let source: ModelChoice['source'] = 'built-in';
  const notices: { readonly source: 'state' | 'file'; readonly reason: string }[] = [];
  const from = [
    ...state.map((one) => ({ name: 'state' as const, one })),
    ...(file === undefined ? [] : [{ name: 'file' as const, one: file }]),
  ];
  for (const { name, one } of from) {
    const { chain: longer, reason, newestRead } = readFile(chain, one, false);
    if (longer.versions.length > chain.versions.length) source = name;
    chain = longer;
    const isOlder = name === 'file' && newestRead !== undefined && newestRead < (newestOf(chain)?.version ?? 0);
    if (reason !== undefined) notices.push({ source: name, reason });
    else if (isOlder) notices.push({ source: name, reason: 'keyset_older' });
  }
  const newest = newestOf(chain);
  if (newest === undefined) return undefined;
  const roots = [...chain.keys].filter(([kid]) => chain.purposes.get(kid) === 'root');
  return { newest, roots: new Map(roots), source, notices };
}

function newestOf({ versions }: ModelChain): ModelVersion | undefined {
  return versions.at(-1);
}

interface Reading {
  readonly chain: ModelChain;
  readonly reason: string | undefined;
  readonly newestRead: number | undefined;
}

/** K3: block by block, up to the first one that is refused. */
function readFile(before: ModelChain, { blocks, endsWith }: ModelChainFile, isTrusted: boolean): Reading {
  let chain = before;
  let newestRead: number | undefined;
  try {
    for (const block of blocks) {
      if (block.formFault !== undefined) fault(block.formFault);
      const issuer = newestOf(chain)?.issuer ?? block.issuer;
      if (block.issuer !== issuer) fault('keyset_issuer_mismatch');
      if (newestRead !== undefined && block.version <= newestRead) fault('keyset_not_ascending');
      newestRead = block.version;
      chain = isTrusted ? withVersion(chain, block) : accepted(chain, block);
    }
    if (endsWith !== undefined) fault(endsWith);
    return { chain, reason: undefined, newestRead };
  } catch (error) {
    if (error instanceof Fault) return { chain, reason: error.reason, newestRead };
    throw error;
  }
}

/** K4, in its order. */
function accepted(chain: ModelChain, block: ModelVersion): ModelChain {
  const newest = newestOf(chain);
  if (newest === undefined) return fault('keyset_armor_malformed');
  if (block.version <= newest.version) {
    const known = chain.versions.find(({ version }) => version === block.version);
    return known === undefined || known.payloadDigest === block.payloadDigest ? chain : fault('keyset_conflict');
  }
  if (block.roots.some(({ isUsable }) => !isUsable)) fault('keyset_key_invalid');
  const all = [...newest.roots, ...block.roots];
  const known = block.signers.filter(({ kid }) => all.some((root) => root.kid === kid));
  if (known.some(({ isValid }) => !isValid)) fault('keyset_signature_invalid');
  const signed = (roots: readonly ModelKeysetKey[], compositeOnly: boolean): number =>
    roots.filter(({ kid, isComposite }) => known.some((one) => one.kid === kid) && (isComposite || !compositeOnly))
      .length;
  const before = chain.compositeRootsOnly;
  if (signed(newest.roots, before) < newest.threshold) fault('keyset_threshold_previous');
  if (signed(block.roots, before || block.hasPolicy) < block.threshold) fault('keyset_threshold_own');
  return withVersion(chain, block);
}

/** Rule 8 of K4, which is judged of built-in versions too. */
function withVersion(chain: ModelChain, block: ModelVersion): ModelChain {
  const newest = newestOf(chain);
  const own = [...block.roots.map((root) => ({ ...root, purpose: 'root' })), ...block.keys];
  if (own.some(({ isUsable }) => !isUsable)) fault('keyset_key_invalid');
  const purposes = new Map(chain.purposes);
  const keys = new Map(chain.keys);
  for (const { purpose, ...key } of own) {
    if ((purposes.get(key.kid) ?? purpose) !== purpose) fault('keyset_purpose_changed');
    purposes.set(key.kid, purpose);
    keys.set(key.kid, key);
  }
  const components = [...keys.values()].flatMap((key) => key.components);
  if (new Set(components).size < components.length) fault('keyset_component_shared');
  const here = new Set(block.keys.map(({ kid }) => kid));
  if (newest?.keys.some(({ kid }) => !here.has(kid)) === true) fault('keyset_key_removed');
  return {
    versions: [...chain.versions, block],
    compositeRootsOnly: chain.compositeRootsOnly || block.hasPolicy,
    purposes,
    keys,
  };
}
