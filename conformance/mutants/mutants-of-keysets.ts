/** Mutants of keysets: their form, their signatures and the chain. */
import { mutant, type Mutant, type Patch } from './mutant.ts';

const ACCEPTANCE = 'verifier/keyset/acceptance.ts';
const COSE_SIGN = 'formats/cose-sign.ts';
const KEYSET = 'formats/keyset/decode-keyset.ts';
const BOUNDS = 'formats/keyset/keyset.ts';
const BLOCKS = 'formats/keyset/blocks.ts';
const TRUST = 'verifier/trust.ts';
const CBOR = 'formats/cbor/decode.ts';

/** Without it, the trust value would refuse what the keyset does not. */
const ONE_ENTRY: Patch = {
  file: TRUST,
  find: 'if (earlier !== undefined && !sameEntry(earlier, entry))',
  replace: 'if (false)',
};

export const MUTANTS_OF_KEYSETS: readonly Mutant[] = [
  mutant(
    'keyset-built-in-issuer',
    'the issuer of the built-in chain',
    ACCEPTANCE,
    'if (chain.issuer === issuer) return chain;',
    'return chain;',
  ),
  mutant('keyset-issuer', 'the issuer of a keyset', ACCEPTANCE, 'if (iss !== chain.issuer) throw', 'if (false) throw'),
  {
    name: 'keyset-ascending',
    lacks: 'that versions ascend',
    patches: [
      { file: ACCEPTANCE, find: 'if (newestInFile !== undefined && version <= newestInFile)', replace: 'if (false)' },
      {
        file: ACCEPTANCE,
        find: 'newestInFile = version;',
        replace: 'newestInFile = Math.max(version, newestInFile ?? 0);',
      },
    ],
  },
  mutant(
    'keyset-gap',
    'that a line feed is between two keysets of a file',
    BLOCKS,
    'if (!onNewLine) throw',
    'if (false) throw',
  ),
  mutant(
    'keyset-gap-earlier',
    'that what is between two keysets belongs to the later one',
    BLOCKS,
    'const text = file.subarray(offset, end);',
    `const text = file.subarray(offset, end);
    const next = skipBlanks(file, end);
    if (next < file.length && !(isAt(file, next, '-----BEGIN ') && file.subarray(end, next).includes(LF)))
      throw new VtlicError('armor_malformed', '');`,
  ),
  mutant(
    'keyset-conflict',
    'that a known version has one payload',
    ACCEPTANCE,
    'if (same === undefined || same.payloadDigest === payloadDigest) return undefined;',
    'return undefined;',
  ),
  mutant(
    'keyset-signature',
    'that every signature of a known root is valid',
    ACCEPTANCE,
    'if (signer.alg !== key.alg || !verifySignature(key, message, signer.signature, provider)) throw',
    `if (signer.alg !== key.alg || !verifySignature(key, message, signer.signature, provider)) continue;
    if (false) throw`,
  ),
  mutant(
    'keyset-unverified',
    'the signatures of a keyset',
    ACCEPTANCE,
    'if (signer.alg !== key.alg || !verifySignature(key, message, signer.signature, provider)) throw',
    'if (false) throw',
  ),
  mutant(
    'keyset-strangers',
    'that signers which are not known are ignored',
    ACCEPTANCE,
    'if (key === undefined) continue;',
    "if (key === undefined) throw refusal('keyset_signature_invalid', '');",
  ),
  mutant(
    'keyset-previous',
    'that the roots before have to sign',
    ACCEPTANCE,
    "requireThreshold('keyset_threshold_previous', count(previous, before), chain.newest, before);",
    '',
  ),
  mutant(
    'keyset-own',
    'that its own roots have to sign',
    ACCEPTANCE,
    "requireThreshold('keyset_threshold_own', count(own, now), keyset, now);",
    '',
  ),
  mutant(
    'keyset-threshold',
    'that a threshold is more than one signature',
    ACCEPTANCE,
    'if (signed >= threshold) return;',
    'if (signed >= 1) return;',
  ),
  mutant(
    'keyset-policy-before',
    'that Ed25519 roots do not count once the policy ended them',
    ACCEPTANCE,
    'const before = chain.compositeRootsOnly;',
    'const before = false;',
  ),
  mutant(
    'keyset-policy-own',
    'that the policy holds already for the version that sets it',
    ACCEPTANCE,
    'const now = before || setsAlgorithmPolicy(keyset);',
    'const now = before;',
  ),
  mutant(
    'keyset-policy-kept',
    'that the policy for roots stays where a later version has none',
    ACCEPTANCE,
    'compositeOnly || chain?.compositeRootsOnly === true || setsAlgorithmPolicy(keyset)',
    'compositeOnly || setsAlgorithmPolicy(keyset)',
  ),
  {
    name: 'keyset-purpose',
    lacks: 'that a key keeps its purpose',
    patches: [
      {
        file: ACCEPTANCE,
        find: 'if (earlier !== undefined && earlier.purpose !== purpose)',
        replace: 'if (false)',
      },
      ONE_ENTRY,
    ],
  },
  {
    name: 'keyset-shared',
    lacks: 'that no keys of a chain share a component',
    patches: [
      { file: ACCEPTANCE, find: 'if (shared !== undefined) throw', replace: 'if (false) throw' },
      { file: TRUST, find: 'if (shared === undefined) return;', replace: 'return;' },
    ],
  },
  mutant('keyset-removed', 'that issuing keys stay', ACCEPTANCE, 'if (!kids.has(kid)) throw', 'if (false) throw'),
  mutant(
    'keyset-forgotten-roots',
    'that roots which left are remembered',
    ACCEPTANCE,
    'const known = new Map(before);',
    "const known = new Map([...before].filter(([kid, { purpose }]) => purpose !== 'root' || roots.some((key) => key.kid === kid)));",
  ),
  {
    name: 'keyset-members',
    lacks: 'that a member which is not understood refuses the keyset',
    patches: [
      {
        file: 'formats/cbor/map-reader.ts',
        find: 'if (this.#read !== this.#map.size) throw',
        replace: 'if (false) throw',
      },
    ],
  },
  mutant('keyset-typ', 'the typ of a keyset', COSE_SIGN, 'if (typ !== expectedTyp) throw', 'if (false) throw'),
  mutant(
    'keyset-signer-order',
    'that signers are sorted, each kid once',
    COSE_SIGN,
    'if (before !== undefined && kid <= before.kid)',
    'if (false)',
  ),
  mutant(
    'keyset-many-signers',
    'that there are at most 64 signatures',
    COSE_SIGN,
    'signatures.length > MAX_SIGNERS',
    'false',
  ),
  mutant(
    'keyset-unprotected',
    'that the unprotected headers are empty',
    COSE_SIGN,
    'if (value.size > 0) throw',
    'if (false) throw',
  ),
  mutant('keyset-tag', 'the tag of COSE_Sign', COSE_SIGN, 'if (tag !== TAG_SIGN)', 'if (false)'),
  mutant(
    'keyset-more-items',
    'that COSE_Sign has exactly four items',
    COSE_SIGN,
    'if (value.length !== 4) throw',
    'if (false) throw',
  ),
  mutant(
    'keyset-more-signer-items',
    'that a signature has exactly three items',
    COSE_SIGN,
    'if (item.length !== 3) throw',
    'if (false) throw',
  ),
  {
    name: 'keyset-more-headers',
    lacks: 'that the protected headers of a keyset have no other entries',
    patches: [
      { file: COSE_SIGN, find: 'embedded.size !== 1 ||', replace: '' },
      { file: COSE_SIGN, find: 'header.size !== 2 ||', replace: '' },
    ],
  },
  {
    name: 'keyset-any-label',
    lacks: 'that the label of a keyset is not that of a license',
    patches: [
      { file: BLOCKS, find: 'openKeysetBlock({ text,', replace: 'openKeysetBlock({ label, text,' },
      { file: BLOCKS, find: "dearmor('VTLIC KEYSET', text", replace: 'dearmor(label, text' },
    ],
  },
  {
    name: 'keyset-required',
    lacks: 'that iss, version, made and threshold are required',
    patches: [
      {
        file: KEYSET,
        find: 'iss: reader.textOf(',
        replace: "iss: !reader.has('iss') ? 'example-vendor' : reader.textOf(",
      },
      {
        file: KEYSET,
        find: 'version: reader.integer(',
        replace: "version: !reader.has('version') ? 2 : reader.integer(",
      },
      {
        file: KEYSET,
        find: "made = time(reader, 'made');",
        replace: "made = !reader.has('made') ? 0 : time(reader, 'made');",
      },
      {
        file: KEYSET,
        find: 'threshold: reader.integer(',
        replace: "threshold: !reader.has('threshold') ? 1 : reader.integer(",
      },
    ],
  },
  mutant(
    'keyset-made-type',
    'that times of a keyset are integers',
    KEYSET,
    'return reader.integer(name, 0, MAX_TIME);',
    "const value = reader.value(name); if (typeof value === 'number' && value > MAX_TIME) throw malformed(name, ''); return value as number;",
  ),
  {
    name: 'keyset-version-range',
    lacks: 'that versions are at most 2^53-1',
    patches: [
      {
        file: KEYSET,
        find: "reader.integer('version', 1, MAX_COUNT)",
        replace: "reader.integer('version', 1, Infinity)",
      },
      { file: CBOR, find: 'if (argument > Number.MAX_SAFE_INTEGER) throw', replace: 'if (false) throw' },
    ],
  },
  mutant(
    'keyset-version-zero',
    'that versions begin with 1',
    KEYSET,
    "reader.integer('version', 1, MAX_COUNT)",
    "reader.integer('version', 0, MAX_COUNT)",
  ),
  mutant('keyset-expires', 'that expires is later than made', KEYSET, 'if (expires <= made) throw', 'if (false) throw'),
  mutant(
    'keyset-threshold-zero',
    'that at least one root has to sign',
    KEYSET,
    "reader.integer('threshold', 1, MAX_ROOTS)",
    "reader.integer('threshold', 0, MAX_ROOTS)",
  ),
  mutant(
    'keyset-raw-root',
    'that roots are COSE_Keys',
    KEYSET,
    'return decodeCoseKey(encoding);',
    "return encoding.length === 32 ? { alg: 'ed25519', publicBytes: encoding } : decodeCoseKey(encoding);",
  ),
  mutant(
    'keyset-many-keys',
    'that there are at most 128 issuing keys',
    KEYSET,
    'if (maps.length > MAX_ISSUING_KEYS)',
    'if (false)',
  ),
  {
    name: 'keyset-key-purpose',
    lacks: 'that an issuing key is for licenses or license keys',
    patches: [
      {
        file: KEYSET,
        find: "reader.oneOf('purpose', ISSUING_PURPOSES)",
        replace: "reader.textOf('purpose', () => true, '') as IssuingKey['purpose']",
      },
      ONE_ENTRY,
    ],
  },
  {
    name: 'keyset-key-status',
    lacks: 'that the status of an issuing key is one of four words',
    patches: [
      {
        file: KEYSET,
        find: "reader.oneOf('status', KEY_STATUSES)",
        replace: "reader.textOf('status', () => true, '') as IssuingKey['status']",
      },
      { file: TRUST, find: 'if (!STATUSES.has(status)) throw', replace: 'if (false) throw' },
    ],
  },
  mutant(
    'keyset-empty',
    'that a list of a keyset is left out where it is empty',
    KEYSET,
    'if (count === 0) throw',
    'if (false) throw',
  ),
  mutant(
    'keyset-scope-order',
    'that products and tiers are sorted, each once',
    KEYSET,
    'if (item <= before) throw',
    'if (false) throw',
  ),
  {
    name: 'keyset-honored-length',
    lacks: 'that an honored payload has 32 bytes',
    patches: [
      { file: KEYSET, find: '!isCborBytes(item) || item.length !== DIGEST_BYTES', replace: '!isCborBytes(item)' },
      { file: TRUST, find: 'if (!SHA256_HEX.test(digest)) throw', replace: 'if (false) throw' },
    ],
  },
  {
    name: 'keyset-policy-false',
    lacks: 'that composite is left out where it is not true',
    patches: [
      {
        file: KEYSET,
        find: "if (!keyset.requireComposite) throw malformed('composite',",
        replace: "if (false) throw malformed('composite',",
      },
      {
        file: KEYSET,
        find: 'if (!keyset.requireComposite && keyset',
        replace: "if (!reader.has('composite') && keyset",
      },
    ],
  },
  {
    name: 'keyset-lowest-lineage',
    lacks: 'that lowest counters are for lineages',
    patches: [
      {
        file: KEYSET,
        find: "typeof lineage !== 'string' || !isLineage(lineage)",
        replace: "typeof lineage !== 'string'",
      },
      { file: TRUST, find: 'if (!isLineage(lineage)) throw', replace: 'if (false) throw' },
    ],
  },
  {
    name: 'keyset-revoked-uuid',
    lacks: 'that revoked licenses are named by UUIDs of version 7',
    patches: [
      { file: KEYSET, find: '!isCborBytes(item) || !isUuidV7Bytes(item)', replace: '!isCborBytes(item)' },
      { file: TRUST, find: 'if (uuidToBytes(id) === undefined)', replace: 'if (false)' },
    ],
  },
  mutant(
    'keyset-any-alg',
    'that the alg of a signer is one of two',
    COSE_SIGN,
    'const alg = algorithmOfWire(wire);',
    "const alg = algorithmOfWire(wire) ?? 'ed25519';",
  ),
  mutant(
    'keyset-many-blocks',
    'that a chain has at most 4,096 blocks',
    BOUNDS,
    'MAX_CHAIN_BLOCKS = 4096',
    'MAX_CHAIN_BLOCKS = 1e6',
  ),
  mutant(
    'keyset-lowest-zero',
    'that lowest counters begin with 1',
    KEYSET,
    "typeof counter !== 'number' || counter < 1",
    "typeof counter !== 'number'",
  ),
  mutant(
    'keyset-chain-size',
    'the bound of 16 MiB on a chain',
    BOUNDS,
    'MAX_CHAIN_BYTES = 16_777_216',
    'MAX_CHAIN_BYTES = 1e9',
  ),
  mutant(
    'keyset-order',
    'that the lists of a keyset are sorted, each item once',
    KEYSET,
    'compareBytes(before, item) >= 0',
    'false',
  ),
  mutant('keyset-counts', 'the bounds on the lists of a keyset', KEYSET, 'if (count > max) throw', 'if (false) throw'),
  mutant('keyset-from-until', 'that from is before until', KEYSET, 'if (from >= until)', 'if (false)'),
  {
    name: 'keyset-honored',
    lacks: 'that only a revoked key has honored payloads',
    patches: [
      { file: KEYSET, find: "if (key.honored !== undefined && key.status !== 'revoked')", replace: 'if (false)' },
      {
        file: TRUST,
        find: "if (honored !== undefined && honored.length > 0 && status !== 'revoked')",
        replace: 'if (false)',
      },
    ],
  },
  mutant(
    'keyset-policy-empty',
    'that a policy is not empty',
    KEYSET,
    'if (!keyset.requireComposite && keyset.ed25519Until === undefined) throw',
    'if (false) throw',
  ),
  mutant(
    'keyset-size',
    'the bound of 512 KiB on a keyset',
    BOUNDS,
    'MAX_KEYSET_BYTES = 524_288',
    'MAX_KEYSET_BYTES = 1e9',
  ),
  mutant(
    'keyset-state-copies',
    'that a copy of state continues the copies before it',
    'verifier/keyset/choose.ts',
    'extendChain(chain, bytes, options); if (extended !== chain) source = from; chain = extended;',
    `extendChain(from === 'state' ? builtIn : chain, bytes, options);
    if (extended.newest.version > chain.newest.version) [source, chain] = [from, extended];`,
  ),
];
