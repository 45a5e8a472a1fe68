/** Mutants of what comes before a license: trust values, key files, the override, keysets. */
import { mutant, type Mutant } from './mutant.ts';

const TRUST = 'verifier/trust.ts';
const PUBLIC_KEY = 'keys/public/public-key.ts';
const CRITERIA = 'keys/public/ed25519-criteria.ts';
const OVERRIDE = 'verifier/override.ts';
const KEY_FILE = 'keys/public/encodings/public-key-file.ts';
const ACCEPTANCE = 'verifier/keyset/acceptance.ts';
const COSE_SIGN = 'formats/cose-sign.ts';
const KEYSET = 'formats/keyset/decode-keyset.ts';
const BOUNDS = 'formats/keyset/keyset.ts';

const SHARED = 'const components = [`Ed25519 ${toHex(key.ed25519)}`];';

const TRUST_MUTANTS: readonly Mutant[] = [
  {
    name: 'trust-canonical',
    lacks: 'that an Ed25519 public key is canonical',
    patches: [
      { file: PUBLIC_KEY, find: 'if (!isCanonicalEncoding(encoding)) return', replace: 'if (false) return' },
      { file: CRITERIA, find: 'return Point.fromBytes(encoding);', replace: 'return Point.fromBytes(encoding, true);' },
    ],
  },
  mutant(
    'trust-small-order',
    'that an Ed25519 public key is not of small order',
    PUBLIC_KEY,
    'if (isSmallOrder(encoding)) return',
    'if (false) return',
  ),
  mutant(
    'trust-on-curve',
    'that an Ed25519 public key is a point of the curve',
    PUBLIC_KEY,
    'return decodePoint(encoding) === undefined ? offCurve : undefined;',
    'return undefined;',
  ),
  {
    name: 'trust-key-length',
    lacks: 'the length of a public key',
    patches: [
      {
        file: PUBLIC_KEY,
        find: 'if (bytes.length !== publicKeyBytes) {',
        replace: 'if (bytes.length < publicKeyBytes) {',
      },
      {
        file: PUBLIC_KEY,
        find: 'const own = Uint8Array.from(bytes);',
        replace: 'const own = Uint8Array.from(bytes).slice(0, publicKeyBytes);',
      },
    ],
  },
  mutant(
    'trust-shared-ed25519',
    'that no two keys share an Ed25519 component',
    PUBLIC_KEY,
    SHARED,
    'const components = [];',
  ),
  mutant(
    'trust-shared-mldsa',
    'that no two keys share an ML-DSA-65 component',
    PUBLIC_KEY,
    "if (key.alg !== 'ed25519' && key.mldsa65 !== undefined) components",
    'if (false) components',
  ),
  mutant('trust-twice-purpose', 'that one key has one purpose', TRUST, 'a.purpose === b.purpose &&', ''),
  mutant('trust-twice-status', 'that one key has one status', TRUST, 'a.status === b.status &&', ''),
  mutant(
    'trust-twice-products',
    'that one key has one list of products',
    TRUST,
    'sameList(a.products, b.products) &&',
    '',
  ),
  mutant('trust-twice-tiers', 'that one key has one list of tiers', TRUST, 'sameList(a.tiers, b.tiers) &&', ''),
  mutant(
    'trust-twice-empty',
    'that an empty list is not an absent one',
    TRUST,
    'if (a === undefined || b === undefined) return a === b;',
    'if (a === undefined || b === undefined) return (a ?? b ?? []).length === 0;',
  ),
  mutant('trust-purpose', 'the closed list of purposes', TRUST, 'if (!isKeyPurpose(purpose))', 'if (false)'),
  mutant('trust-status', 'the closed list of statuses', TRUST, 'if (!STATUSES.has(status))', 'if (false)'),
  mutant('trust-scope', 'that products and tiers of a key are ids', TRUST, 'if (!isId(item))', 'if (false)'),
  mutant(
    'trust-honored-status',
    'that only a revoked key has honored payloads',
    TRUST,
    "if (honored !== undefined && status !== 'revoked')",
    'if (false)',
  ),
  mutant(
    'trust-honored-digest',
    'that an honored payload is a SHA-256 digest',
    TRUST,
    'if (!SHA256_HEX.test(digest))',
    'if (false)',
  ),
  mutant(
    'trust-until',
    'that ed25519_until is a time',
    TRUST,
    "if (ed25519Until !== undefined) requireInteger('ed25519Until', ed25519Until, MAX_TIME);",
    '',
  ),
  mutant(
    'trust-lowest',
    'the bounds of lowest counters',
    TRUST,
    'requireInteger(`the lowest counter of ${lineage}`, counter, Number.MAX_SAFE_INTEGER);',
    '',
  ),
  mutant(
    'trust-lowest-lineage',
    'that a lowest counter is of a lineage',
    TRUST,
    'if (!isLineage(lineage))',
    'if (false)',
  ),
  mutant(
    'trust-revoked-spelling',
    'the spelling of revoked license ids, of which another one revokes nothing',
    TRUST,
    'if (uuidToBytes(id) === undefined)',
    'if (false)',
  ),
];

const SETTINGS_MUTANTS: readonly Mutant[] = [
  {
    name: 'key-file-silent',
    lacks: 'that a file of public keys with a fault is refused as a whole',
    patches: [
      {
        file: KEY_FILE,
        find: 'export function parsePublicKeys(file: Uint8Array, options: ImportOptions = {}): readonly PublicKey[] {',
        replace:
          'export function parsePublicKeys(file, options = {}) { try { return strictly(file, options); } catch { return []; } } function strictly(file, options) {',
      },
    ],
  },
  {
    name: 'override-silent',
    lacks: 'that a wrong variable is an error, never a silent return to the built-in keys',
    patches: [
      {
        file: OVERRIDE,
        find: 'export function trustFromOverride(',
        replace:
          'export function trustFromOverride(env, builtIn, readFile) { try { return strictly(env, builtIn, readFile); } catch { return builtIn; } } function strictly(',
      },
    ],
  },
  mutant(
    'override-composite',
    'that LICENSE_REQUIRE_COMPOSITE is 1 or absent',
    OVERRIDE,
    "if (text === '1') return true;",
    "if (text === '1' || text === 'true') return true; if (text === '0') return false;",
  ),
  mutant(
    'override-policy',
    'that composite stays required where it is',
    OVERRIDE,
    'readRequireComposite(env.LICENSE_REQUIRE_COMPOSITE) || builtIn.requireComposite',
    'readRequireComposite(env.LICENSE_REQUIRE_COMPOSITE)',
  ),
  mutant(
    'override-known',
    'that a key which is known keeps its purpose, status and scope',
    OVERRIDE,
    "byKid.get(key.kid) ?? { key, purpose: 'license', status: 'active' }",
    "({ key, purpose: 'license', status: 'active' })",
  ),
  mutant(
    'override-roots',
    'that keys with other purposes stay',
    OVERRIDE,
    "builtIn.keys.filter(({ purpose }) => purpose !== 'license')",
    '[]',
  ),
  mutant(
    'override-license-keys',
    'that built-in keys for licenses go',
    OVERRIDE,
    "builtIn.keys.filter(({ purpose }) => purpose !== 'license')",
    'builtIn.keys',
  ),
  mutant(
    'override-shared',
    'that a component of a built-in composite does not come back as a key',
    OVERRIDE,
    'refuseSharedComponents([...builtIn.keys.map(({ key }) => key), ...keys]);',
    '',
  ),
];

const KEYSET_MUTANTS: readonly Mutant[] = [
  mutant(
    'keyset-built-in-issuer',
    'the issuer of the built-in chain',
    ACCEPTANCE,
    'if (chain.issuer === issuer) return chain;',
    'return chain;',
  ),
  mutant('keyset-issuer', 'the issuer of a keyset', ACCEPTANCE, 'if (iss !== chain.issuer) throw', 'if (false) throw'),
  mutant(
    'keyset-ascending',
    'that versions ascend',
    ACCEPTANCE,
    'if (newestInFile !== undefined && version <= newestInFile)',
    'if (false)',
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
    "throw refusal('keyset_signature_invalid',",
    "continue; throw refusal('keyset_signature_invalid',",
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
  mutant(
    'keyset-purpose',
    'that a key keeps its purpose',
    ACCEPTANCE,
    'if (earlier !== undefined && earlier.purpose !== purpose)',
    'if (false)',
  ),
  mutant(
    'keyset-shared',
    'that no keys of a chain share a component',
    ACCEPTANCE,
    'if (shared !== undefined) throw',
    'if (false) throw',
  ),
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
  mutant(
    'keyset-order',
    'that the lists of a keyset are sorted, each item once',
    KEYSET,
    'compareBytes(before, item) >= 0',
    'false',
  ),
  mutant('keyset-counts', 'the bounds on the lists of a keyset', KEYSET, 'if (count > max) throw', 'if (false) throw'),
  mutant('keyset-from-until', 'that from is before until', KEYSET, 'key.from >= key.until', 'false'),
  mutant(
    'keyset-honored',
    'that only a revoked key has honored payloads',
    KEYSET,
    "if (key.honored !== undefined && key.status !== 'revoked')",
    'if (false)',
  ),
  mutant(
    'keyset-policy-empty',
    'that a policy is not empty',
    KEYSET,
    'if (!composite && until === undefined) throw',
    'if (false) throw',
  ),
  mutant(
    'keyset-size',
    'the bound of 512 KiB on a keyset',
    BOUNDS,
    'MAX_KEYSET_BYTES = 524_288',
    'MAX_KEYSET_BYTES = 1e9',
  ),
];

export const MUTANTS_OF_TRUST: readonly Mutant[] = [...TRUST_MUTANTS, ...SETTINGS_MUTANTS, ...KEYSET_MUTANTS];
