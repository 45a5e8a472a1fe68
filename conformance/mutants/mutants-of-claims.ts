/** Mutants of the claims. */
import { mutant, type Mutant } from './mutant.ts';

const CLAIMS = 'formats/license/decode-license.ts';
const BOUNDS = 'formats/license/bounds.ts';
const ID = 'formats/license/id.ts';
const EXT = 'formats/license/ext.ts';

/** Claims whose integers have bounds. */
const BOUNDED = ['exp', 'nbf', 'iat', 'ctr', 'seats', 'limits', 'instances', 'grace', 'offline', 'upd'] as const;

const boundMutants = BOUNDED.map((field) =>
  mutant(
    `claim-bound-${field}`,
    `the bounds of ${field}`,
    CLAIMS,
    'if (value < min || value > max)',
    `if (!field.startsWith('${field}') && (value < min || value > max))`,
  ),
);

export const MUTANTS_OF_CLAIMS: readonly Mutant[] = [
  mutant(
    'claims-unknown',
    'that a claim which is not understood refuses the license',
    CLAIMS,
    'if (!isClaimKey(key)) throw unknownClaim(key);',
    ';',
  ),
  {
    name: 'claims-optional',
    lacks: 'that ten claims are required',
    patches: [
      {
        file: CLAIMS,
        find: "import { VtlicError } from '../error.ts';",
        replace:
          "import { VtlicError } from '../error.ts'; import { DEFAULTS } from '../../conformance/mutants/lenient.ts';",
      },
      {
        file: CLAIMS,
        find: "if (value === undefined) throw claimFault(field, 'it is required, but it is missing');",
        replace: 'if (value === undefined) return DEFAULTS.get(CLAIM_KEYS[field]);',
      },
    ],
  },
  mutant('id-grammar', 'the grammar of ids', ID, '[A-Za-z0-9._:-]*$/', '/'),
  mutant(
    'id-first',
    'that an id begins with a letter or a digit',
    ID,
    '/^[A-Za-z0-9][A-Za-z0-9._:-]*$/',
    '/^[A-Za-z0-9._:-]+$/',
  ),
  mutant('id-empty', 'that an id is not empty', ID, 'return typeof text', "return text === '' || typeof text"),
  mutant('id-length', 'that an id has at most 128 characters', ID, 'text.length <= MAX_ID_CHARACTERS &&', ''),
  mutant(
    'id-last-line-feed',
    'that an id matches as a whole: $ also matches before a final LF',
    ID,
    'ID.test(text)',
    "ID.test(text.replace(/\\n$/, ''))",
  ),
  mutant(
    'id-type',
    'that an id is a text',
    CLAIMS,
    "if (typeof value !== 'string') throw wrongType(field, 'an id', value);",
    "if (typeof value === 'number') return String(value); if (typeof value !== 'string') value = new TextDecoder().decode(value);",
  ),
  mutant(
    'aud-array',
    'that aud is no array',
    CLAIMS,
    "if (typeof value !== 'string') throw wrongType(field, 'an id', value);",
    "if (field === 'aud' && isCborArray(value)) [value] = value; if (typeof value !== 'string') throw wrongType(field, 'an id', value);",
  ),
  ...boundMutants,
  mutant(
    'integer-type',
    'that an integer is no text',
    CLAIMS,
    "if (typeof value !== 'number') throw wrongType(field, 'an integer', value);",
    "if (typeof value === 'string' || value === true) value = value === true || Number.isNaN(Number(value)) ? 1830297600 : Number(value); if (typeof value !== 'number') throw wrongType(field, 'an integer', value);",
  ),
  mutant(
    'integer-true',
    'that true is not the integer 1',
    CLAIMS,
    "if (typeof value !== 'number') throw wrongType(field, 'an integer', value);",
    "if (value === true) value = 1; if (typeof value !== 'number') throw wrongType(field, 'an integer', value);",
  ),
  mutant('cti-version', 'that a license id is a UUID of version 7', ID, '&& (bytes[6] ?? 0) >> 4 === 7', ''),
  mutant('cti-variant', 'the variant of the license id', ID, '&& (bytes[8] ?? 0) >> 6 === 2', ''),
  {
    name: 'cti-length',
    lacks: 'that a license id has 16 bytes',
    patches: [
      { file: ID, find: 'return bytes.length === UUID_BYTES && (bytes[6]', replace: 'return (bytes[6]' },
      { file: ID, find: 'if (bytes.length !== UUID_BYTES) throw', replace: 'if (false) throw' },
    ],
  },
  mutant(
    'cti-type',
    'that a license id is a byte string',
    CLAIMS,
    "if (!isCborBytes(value)) throw wrongType('cti', 'a byte string', value);",
    "if (typeof value === 'string') return value; if (!isCborBytes(value)) throw wrongType('cti', 'a byte string', value);",
  ),
  mutant(
    'seats-text',
    'that seats is a count or the text "unlimited"',
    CLAIMS,
    "if (value === 'unlimited') return value;",
    "if (typeof value === 'string') return 'unlimited';",
  ),
  mutant('features-order', 'that features are sorted', CLAIMS, 'if (feature <= previous)', 'if (feature === previous)'),
  mutant(
    'features-repeated',
    'that each feature is there once',
    CLAIMS,
    'if (feature <= previous)',
    'if (feature < previous)',
  ),
  mutant('features-many', 'that there are at most 256 features', BOUNDS, 'MAX_FEATURES = 256', 'MAX_FEATURES = 1e9'),
  mutant(
    'lists-empty',
    'that an empty list is left out',
    CLAIMS,
    "if (value.length === 0) throw claimFault(field, 'it should be left out where it is empty'); if (value.length > max)",
    'if (value.length > max)',
  ),
  mutant(
    'lists-type',
    'that a list is an array',
    CLAIMS,
    "if (!isCborArray(value)) throw wrongType(field, 'an array', value);",
    'if (!isCborArray(value)) value = [value];',
  ),
  mutant(
    'limits-empty',
    'that empty limits are left out',
    CLAIMS,
    'if (value.size === 0) throw claimFault',
    'if (false) throw claimFault',
  ),
  mutant('limits-many', 'that there are at most 256 limits', BOUNDS, 'MAX_LIMITS = 256', 'MAX_LIMITS = 1e9'),
  mutant('hosts-order', 'that hosts are sorted', CLAIMS, 'if (host <= previous)', 'if (host === previous)'),
  mutant('hosts-repeated', 'that each host is there once', CLAIMS, 'if (host <= previous)', 'if (host < previous)'),
  mutant('hosts-many', 'that there are at most 1024 hosts', BOUNDS, 'MAX_HOSTS = 1024', 'MAX_HOSTS = 1e9'),
  mutant('hosts-length', 'that a fingerprint has 32 bytes', CLAIMS, 'if (item.length !== HOST_BYTES)', 'if (false)'),
  mutant(
    'hosts-type',
    'that a fingerprint is a byte string',
    CLAIMS,
    "if (!isCborBytes(item)) throw wrongType('hosts', 'a list of byte strings', item);",
    "if (typeof item === 'string') { hosts.push(item); continue; }",
  ),
  mutant(
    'text-empty',
    'that an empty text is left out',
    CLAIMS,
    "if (value.length === 0) throw claimFault(field, 'it should be left out where it is empty'); const length",
    'const length',
  ),
  mutant('text-length', 'the bounds of name and ref', CLAIMS, 'if (length > max) throw', 'if (false) throw'),
  mutant(
    'text-units',
    'that code points are counted, not bytes',
    CLAIMS,
    'const length = Array.from(value).length;',
    'const length = Buffer.byteLength(value);',
  ),
  mutant(
    'text-utf16',
    'that code points are counted, not UTF-16 units',
    CLAIMS,
    'const length = Array.from(value).length;',
    'const { length } = value;',
  ),
  mutant(
    'text-type',
    'that name and ref are texts',
    CLAIMS,
    "if (typeof value !== 'string') throw wrongType(field, 'a text', value);",
    "if (typeof value !== 'string') return String(value);",
  ),
  mutant(
    'use-any',
    'that use is one of three texts',
    CLAIMS,
    'if (known === undefined)',
    'if (known === undefined) return value; if (false)',
  ),
  mutant(
    'use-type',
    'that use is a text',
    CLAIMS,
    "if (typeof value !== 'string') throw wrongType('use', 'a text', value);",
    "if (typeof value !== 'string') return 'trial';",
  ),
  mutant('clk-any', 'that clk is true or absent', CLAIMS, 'if (value !== true) throw', 'if (false) throw'),
  mutant('ext-empty', 'that an empty ext is left out', EXT, 'if (keys === 0) throw', 'if (false) throw'),
  mutant('ext-many', 'that ext has at most 64 entries', BOUNDS, 'MAX_EXT_KEYS = 64', 'MAX_EXT_KEYS = 1e9'),
  mutant('ext-keys', 'that each key in ext is an id', EXT, 'if (key === undefined || !isId(key))', 'if (false)'),
  mutant(
    'ext-inner-keys',
    'that keys deep in ext are ids',
    EXT,
    'if (key === undefined || !isId(key))',
    'if (path.length === 0 && (key === undefined || !isId(key)))',
  ),
  mutant(
    'ext-type',
    'that ext is a map',
    CLAIMS,
    'if (isCborBytes(ext)) license.ext',
    'if (isCborBytes(ext) && (ext[0] ?? 0) >> 5 === 5) license.ext',
  ),
  mutant('order-nbf', 'that nbf is before exp', CLAIMS, 'if (license.nbf >= license.exp) throw', 'if (false) throw'),
  mutant('order-iat', 'that iat is before exp', CLAIMS, 'if (license.iat >= license.exp) throw', 'if (false) throw'),
];
