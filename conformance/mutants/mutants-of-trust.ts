/** Mutants of what comes before a license, but keysets: trust values, key files, the override. */
import { mutant, type Mutant } from './mutant.ts';

const TRUST = 'verifier/trust.ts';
const PUBLIC_KEY = 'keys/public/public-key.ts';
const CRITERIA = 'keys/public/ed25519-criteria.ts';
const OVERRIDE = 'verifier/override.ts';
const KEY_FILE = 'keys/public/encodings/public-key-file.ts';

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
  mutant(
    'trust-mixed-order',
    'that a verifier takes a key of mixed order',
    PUBLIC_KEY,
    'if (!forSite) return decodePoint(encoding) === undefined ? offCurve : undefined;',
    '',
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
    "if (honored !== undefined && honored.length > 0 && status !== 'revoked')",
    'if (false)',
  ),
  mutant(
    'trust-honored-empty',
    'that an empty list of honored payloads is no fault of a key that is not revoked',
    TRUST,
    'honored.length > 0 &&',
    '',
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

export const MUTANTS_OF_TRUST: readonly Mutant[] = [...TRUST_MUTANTS, ...SETTINGS_MUTANTS];
