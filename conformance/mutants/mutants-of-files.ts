/** Mutants of armor, CBOR and COSE. */
import { mutant, type Mutant } from './mutant.ts';

const ARMOR = 'formats/armor.ts';
const DECODE = 'formats/cbor/decode.ts';
const COSE = 'formats/cose-sign1.ts';
/** Of keysets, in which the same checks are made of the body and of each signer. */
const COSE_SIGN = 'formats/cose-sign.ts';
const VERIFY = 'verifier/verify.ts';
const IMPORT_ERROR = "import { VtlicError } from './error.ts';";
const LENIENT = "import * as lenient from '../conformance/mutants/lenient.ts';";

/** Reads the file as careless code would, and then strictly. */
function armorMutant(name: string, lacks: string, edit: string): Mutant {
  return {
    name: `armor-${name}`,
    lacks,
    patches: [
      { file: ARMOR, find: IMPORT_ERROR, replace: `${IMPORT_ERROR}\n${LENIENT}` },
      {
        file: ARMOR,
        find: 'const begin = skipBlank(file, 0);',
        replace: `file = lenient.armorOf(label, lenient.ARMOR.${edit})(file); const begin = skipBlank(file, 0);`,
      },
    ],
  };
}

/** Lets an initial byte pass that the profile does not have. @param condition of `initial` @param result what it means */
function valueMutant(name: string, lacks: string, condition: string, result: string): Mutant {
  return {
    name: `cbor-${name}`,
    lacks,
    patches: [
      {
        file: DECODE,
        find: 'const major = this.head();',
        replace: `const initial = this.bytes[start]; if (${condition}) { ${result} } const major = this.head();`,
      },
    ],
  };
}

/** Takes another argument from each head. @param argument of what was read */
function argumentMutant(name: string, lacks: string, argument: string): Mutant {
  const files = [DECODE, 'formats/cbor/checked-reader.ts'];
  const replace = `this.argument = ${argument};`;
  return {
    name: `cbor-${name}`,
    lacks,
    patches: files.map((file) => ({ file, find: 'this.argument = argument;', replace })),
  };
}

const SKIP =
  'this.offset += initial === 0xf8 ? 2 : initial === 0xf9 ? 3 : initial === 0xfa ? 5 : initial === 0xfb ? 9 : 1;';

const ARMOR_MUTANTS: readonly Mutant[] = [
  mutant(
    'size-of-file',
    'the bound of 98,304 bytes on the file',
    ARMOR,
    'if (file.length > limits.fileBytes)',
    'if (false)',
  ),
  mutant(
    'size-decoded',
    'the bound of 49,152 bytes behind the armor',
    ARMOR,
    'if (written > limits.decodedBytes)',
    'if (false)',
  ),
  armorMutant('bom', 'that a byte order mark is not a blank', 'bom'),
  armorMutant('text-around', 'that the block is the whole file, without text around it', 'textAround'),
  armorMutant('several-blocks', 'that a file has one block', 'severalBlocks'),
  armorMutant('any-label', 'the label VTLIC', 'anyLabel'),
  armorMutant('any-end', 'that END has the label of BEGIN', 'anyEnd'),
  armorMutant('any-case', 'that BEGIN and END are in upper case', 'anyCase'),
  armorMutant('other-blanks', 'that blanks are four bytes, unlike those of trim() and isspace()', 'otherBlanks'),
  armorMutant('inner-blanks', 'that no blank is within the block', 'innerBlanks'),
  armorMutant('empty-lines', 'that no line within the block is empty', 'emptyLines'),
  armorMutant('headers', 'that the block has no header', 'headers'),
  armorMutant('lone-cr', 'that a lone CR is not a line end', 'loneCr'),
  armorMutant('line-length', 'that every line but the last has 64 characters', 'lineLength'),
  armorMutant('no-end', 'that END ends the block', 'noEnd'),
  armorMutant('no-padding', 'that the base64 is padded', 'padding'),
  armorMutant('inner-padding', 'that padding is only at the end', 'innerPadding'),
  armorMutant('base64url', 'that base64url is another alphabet', 'url'),
  {
    name: 'armor-unused-bits',
    lacks: 'that unused bits of the base64 are zero',
    patches: [{ file: 'formats/base64.ts', find: '|| unused !== 0', replace: '' }],
  },
];

const CBOR_MUTANTS: readonly Mutant[] = [
  mutant(
    'cbor-long-heads',
    'that every argument has its shortest form',
    DECODE,
    'if (argument < (size === 1 ? 24 : 256 ** (size / 2)))',
    'if (argument < 0)',
  ),
  {
    name: 'cbor-reserved',
    lacks: 'that additional information 28 to 31 has no argument behind it',
    patches: [
      { file: DECODE, find: 'if (information > 27) throw', replace: 'if (false) throw' },
      {
        file: DECODE,
        find: 'const size = 1 << (information - 24);',
        replace: 'const size = information === 28 && major === MAJOR_TAG ? 1 : 1 << (Math.min(information, 27) - 24);',
      },
      {
        file: DECODE,
        find: 'if (argument < (size === 1 ? 24 : 256 ** (size / 2)))',
        replace: 'if (information < 28 && argument < (size === 1 ? 24 : 256 ** (size / 2)))',
      },
    ],
  },
  argumentMutant('32-bits', 'that an argument may have 64 bits, all of which count', 'argument % 2 ** 32'),
  argumentMutant(
    '63-bits',
    'that a length of 2^63 or more is not negative',
    'argument >= 2 ** 63 ? Number(BigInt(argument) % 2n ** 63n) : argument',
  ),
  mutant(
    'cbor-unsorted',
    'that map keys are sorted',
    DECODE,
    'if (order < 0) throw',
    'if (order < 0) return; if (false) throw',
  ),
  mutant(
    'cbor-repeated',
    'that no map key is repeated',
    DECODE,
    "if (order === 0) throw this.notDeterministic(from, 'a map key is repeated');",
    '',
  ),
  mutant('cbor-trailing', 'that nothing follows the item', DECODE, 'if (left > 0)', 'if (false)'),
  mutant(
    'cbor-inner-tag',
    'that a tag is only at the very top',
    DECODE,
    "throw this.malformed(start, 'a tag is used elsewhere than at the top');",
    'return this.item(depth, build);',
  ),
  mutant(
    'cbor-two-tags',
    'that there is at most one tag',
    DECODE,
    'this.head(); return this.argument;',
    'this.head(); if (this.bytes[this.offset] >> 5 === MAJOR_TAG) this.head(); return this.argument;',
  ),
  valueMutant(
    'floats',
    'that the profile has no floats',
    'initial >= 0xf9 && initial <= 0xfb',
    `const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + start + 1); ${SKIP}
     return initial === 0xf9 ? (view.getUint16(0) === 0x3c00 ? 1 : 0.5) : initial === 0xfa ? view.getFloat32(0) : view.getFloat64(0);`,
  ),
  valueMutant('null', 'that the profile has no null', 'initial === 0xf6', `${SKIP} return EMPTY_MAP;`),
  valueMutant('undefined', 'that the profile has no undefined', 'initial === 0xf7', `${SKIP} return EMPTY_MAP;`),
  valueMutant(
    'simple-values',
    'that the profile has no simple values but false and true, in one form',
    '(initial >= 0xe0 && initial < 0xf4) || initial === 0xf8',
    `${SKIP} return true;`,
  ),
  {
    name: 'cbor-range',
    lacks: 'that integers are within ±(2^53-1)',
    patches: [
      { file: DECODE, find: 'if (argument > Number.MAX_SAFE_INTEGER) throw', replace: 'if (false) throw' },
      { file: DECODE, find: 'if (argument > Number.MAX_SAFE_INTEGER - 1) throw', replace: 'if (false) throw' },
    ],
  },
  {
    name: 'cbor-utf8',
    lacks: 'that texts are valid UTF-8',
    patches: [
      { file: DECODE, find: 'if (!isUtf8(bytes, from, to)) throw', replace: 'if (false) throw' },
      {
        file: 'formats/cbor/text.ts',
        find: 'if (to - from >= LONG_BYTES) return',
        replace: 'return',
      },
    ],
  },
  mutant(
    'cbor-depth',
    'that arrays and maps are nested at most 8 deep',
    'formats/cbor/value.ts',
    'MAX_CBOR_DEPTH = 8',
    'MAX_CBOR_DEPTH = 64',
  ),
  {
    name: 'cbor-indefinite',
    lacks: 'that there are no indefinite lengths',
    patches: [
      {
        file: DECODE,
        find: "import { VtlicError } from '../error.ts';",
        replace:
          "import { VtlicError } from '../error.ts'; import * as lenient from '../../conformance/mutants/lenient.ts';",
      },
      {
        file: DECODE,
        find: 'const parser = new Parser(bytes, options',
        replace: 'const parser = new Parser(lenient.definite(bytes), options',
      },
      { file: DECODE, find: 'new Parser(first, this.base', replace: 'new Parser(lenient.definite(first), this.base' },
      {
        file: DECODE,
        find: 'new Parser(copyBytes(bytes), 0, {',
        replace: 'new Parser(lenient.definite(copyBytes(bytes)), 0, {',
      },
    ],
  },
];

const COSE_MUTANTS: readonly Mutant[] = [
  mutant(
    'cose-no-tag',
    'that tag 18 is required',
    COSE,
    'if (tag !== TAG_SIGN1)',
    'if (tag !== TAG_SIGN1 && tag !== undefined)',
  ),
  mutant('cose-any-tag', 'that the tag is 18', COSE, 'if (tag !== TAG_SIGN1)', 'if (tag === undefined)'),
  mutant(
    'cose-tag-low-byte',
    'that the tag is 18, not only its low byte',
    COSE,
    'if (tag !== TAG_SIGN1)',
    'if (tag === undefined || tag % 256 !== TAG_SIGN1)',
  ),
  mutant('cose-more-items', 'that the array has exactly four items', COSE, 'value.length !== 4', 'value.length < 4'),
  mutant(
    'cose-unprotected',
    'that the unprotected header is empty',
    COSE,
    'if (unprotected.size > 0) throw',
    'if (false) throw',
  ),
  {
    name: 'cose-unprotected-type',
    lacks: 'that the unprotected header is a map',
    patches: [
      { file: COSE, find: 'if (!isCborMap(unprotected))', replace: 'if (false)' },
      {
        file: COSE_SIGN,
        find: "if (!isCborMap(value)) throw wrongItem(what, 'the empty map', value);",
        replace: 'if (!isCborMap(value)) return;',
      },
    ],
  },
  mutant(
    'cose-more-headers',
    'that the protected header has exactly three entries',
    COSE,
    'embedded.size !== 3 ||',
    '',
  ),
  {
    name: 'cose-labels',
    lacks: 'that the labels of the header are integers',
    patches: [
      {
        file: COSE,
        find: 'const alg = embedded.get(HEADER_ALG);',
        replace: "const alg = embedded.get(HEADER_ALG) ?? embedded.get('1') ?? embedded.get(true);",
      },
      {
        file: COSE,
        find: 'const kid = embedded.get(HEADER_KID);',
        replace: "const kid = embedded.get(HEADER_KID) ?? embedded.get('4');",
      },
      {
        file: COSE,
        find: 'const typ = embedded.get(HEADER_TYP);',
        replace: "const typ = embedded.get(HEADER_TYP) ?? embedded.get('16');",
      },
    ],
  },
  {
    name: 'cose-typ-optional',
    lacks: 'that the typ is required',
    patches: [
      {
        file: COSE,
        find: 'const typ = embedded.get(HEADER_TYP);',
        replace: 'const typ = embedded.get(HEADER_TYP) ?? expectedTyp;',
      },
      { file: COSE, find: 'embedded.size !== 3 ||', replace: 'embedded.size < 2 || embedded.size > 3 ||' },
      {
        file: COSE_SIGN,
        find: 'const typ = embedded.get(HEADER_TYP);',
        replace: 'const typ = embedded.get(HEADER_TYP) ?? expectedTyp;',
      },
      { file: COSE_SIGN, find: 'embedded.size !== 1 ||', replace: 'embedded.size > 1 ||' },
    ],
  },
  {
    name: 'cose-alg-optional',
    lacks: 'that the header has the algorithm',
    patches: [
      {
        file: COSE,
        find: 'const alg = embedded.get(HEADER_ALG);',
        replace: 'const alg = embedded.get(HEADER_ALG) ?? -19;',
      },
      { file: COSE, find: 'embedded.size !== 3 ||', replace: 'embedded.size < 2 || embedded.size > 3 ||' },
      {
        file: COSE_SIGN,
        find: 'const wire = header.get(HEADER_ALG);',
        replace: 'const wire = header.get(HEADER_ALG) ?? -19;',
      },
      { file: COSE_SIGN, find: 'header.size !== 2 ||', replace: 'header.size > 2 ||' },
    ],
  },
  {
    name: 'cose-kid-optional',
    lacks: 'that the header has a kid',
    patches: [
      {
        file: COSE,
        find: 'const kid = embedded.get(HEADER_KID);',
        replace: 'const kid = embedded.get(HEADER_KID) ?? new Uint8Array(32).fill(0xee);',
      },
      { file: COSE, find: 'embedded.size !== 3 ||', replace: 'embedded.size < 2 || embedded.size > 3 ||' },
      {
        file: VERIFY,
        find: 'const trusted = byKid.get(cose.kid);',
        replace:
          "const trusted = byKid.get(cose.kid) ?? (cose.kid === 'ee'.repeat(32) ? [...byKid.values()][0] : undefined);",
      },
    ],
  },
  {
    name: 'cose-kid-text',
    lacks: 'that the kid is a byte string',
    patches: [
      {
        file: COSE,
        find: 'const kid = embedded.get(HEADER_KID);',
        replace:
          'const named = embedded.get(HEADER_KID); const kid = typeof named === "string" ? fromHex(named) : named;',
      },
      {
        file: COSE_SIGN,
        find: 'const kid = header.get(HEADER_KID);',
        replace:
          'const named = header.get(HEADER_KID); const kid = typeof named === "string" ? fromHex(named) : named;',
      },
    ],
  },
  {
    name: 'cose-kid-length',
    lacks: 'that the kid has 32 bytes, all of which count',
    patches: [
      { file: COSE, find: 'if (kid.length !== KID_BYTES) throw', replace: 'if (kid.length < 8) throw' },
      {
        file: VERIFY,
        find: 'const trusted = byKid.get(cose.kid);',
        replace:
          'const trusted = byKid.get(cose.kid) ?? (cose.kid.length === 64 ? undefined : [...byKid.values()].find(({ key }) => key.kid.startsWith(cose.kid.slice(0, 62))));',
      },
      { file: COSE_SIGN, find: 'if (kid.length !== KID_BYTES) throw', replace: 'if (kid.length < 8) throw' },
      {
        file: 'verifier/keyset/acceptance.ts',
        find: 'own.get(signer.kid);',
        replace:
          'own.get(signer.kid) ?? (signer.kid.length === 64 ? undefined : [...previous.values(), ...own.values()].find(({ kid }) => kid.startsWith(signer.kid.slice(0, 62))));',
      },
    ],
  },
  mutant(
    'typ-ignored',
    'the typ: a signature on one kind of document is not good for another',
    COSE,
    'if (typ !== expectedTyp) throw',
    'if (false) throw',
  ),
  mutant(
    'typ-case',
    'that the typ is compared byte for byte',
    COSE,
    'if (typ !== expectedTyp) throw',
    'if (typ.toLowerCase() !== expectedTyp) throw',
  ),
  mutant(
    'typ-trimmed',
    'that a blank behind the typ makes another typ',
    COSE,
    'if (typ !== expectedTyp) throw',
    'if (typ.trim() !== expectedTyp) throw',
  ),
  mutant(
    'typ-short',
    'that the typ has its whole name',
    COSE,
    'if (typ !== expectedTyp) throw',
    'if (typ !== expectedTyp && `application/${typ}` !== expectedTyp) throw',
  ),
  mutant(
    'typ-rehearsal',
    'that a rehearsal is not production',
    COSE,
    'if (typ !== expectedTyp) throw',
    "if (typ.replace('rehearsal.', '') !== expectedTyp) throw",
  ),
  mutant(
    'alg-eddsa',
    'that alg -8 (EdDSA) is not -19 (Ed25519)',
    'formats/cose-algorithm.ts',
    "if (wire === -19) return 'ed25519';",
    "if (wire === -19 || wire === -8) return 'ed25519';",
  ),
  mutant(
    'alg-low-byte',
    'that the whole number of the algorithm counts',
    'formats/cose-algorithm.ts',
    "if (wire === -19) return 'ed25519';",
    "if (typeof wire === 'number' && ((wire << 24) >> 24) === -19) return 'ed25519';",
  ),
  {
    name: 'alg-loose',
    lacks: 'that the alg has the type of its row, and is not only equal to it after a conversion',
    patches: [
      {
        file: COSE,
        find: "if (typeof alg !== 'number' && typeof alg !== 'string') throw",
        replace: 'if (false) throw',
      },
      {
        file: 'formats/cose-algorithm.ts',
        find: "if (wire === -19) return 'ed25519';",
        replace: "if (Number(wire) === -19 || wire === true) return 'ed25519';",
      },
    ],
  },
  mutant(
    'alg-names',
    'that algorithms have one name each',
    'formats/cose-algorithm.ts',
    "if (wire === -19) return 'ed25519';",
    "if (wire === -19 || wire === 'Ed25519' || wire === 'EdDSA') return 'ed25519'; if (wire === 'ML-DSA-65-Ed25519' || wire === -49) return 'ed25519+ml-dsa-65';",
  ),
];

export const MUTANTS_OF_FILES: readonly Mutant[] = [...ARMOR_MUTANTS, ...CBOR_MUTANTS, ...COSE_MUTANTS];
