/** Mutants of keys, signatures and the composite. */
import { mutant, type Mutant } from './mutant.ts';

const VERIFY = 'verifier/verify.ts';
const TRUST = 'verifier/trust.ts';
const SIGNATURE = 'keys/public/verify-signature.ts';
const NODE = 'keys/public/provider-node.ts';
const LENIENT = "import * as lenient from '../../conformance/mutants/lenient.ts';";
const IMPORT_COMPOSITE = "import { COMPOSITE_LABEL, compositeMessage, splitCompositeSignature } from './composite.ts';";
const IMPORT_POLICY = "import { judgePolicy } from './policy.ts';";
const IMPORT_KEY = `${IMPORT_POLICY} import { importPublicKey } from '../keys/public/public-key.ts';`;

/** Accepts a signature over another message too. */
function signedMutant(name: string, lacks: string): Mutant {
  return {
    name: `signed-${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    lacks,
    patches: [
      {
        file: VERIFY,
        find: IMPORT_POLICY,
        replace: `${IMPORT_POLICY} import * as lenient from '../conformance/mutants/lenient.ts';`,
      },
      {
        file: VERIFY,
        find: 'if (!verifySignature(trusted.key, sigStructure(cose.protectedBytes, cose.payload), cose.signature, provider)) {',
        replace: `if (!verifySignature(trusted.key, sigStructure(cose.protectedBytes, cose.payload), cose.signature, provider)
          && !verifySignature(trusted.key, lenient.SIGNED['${name}'](cose.protectedBytes, cose.payload), cose.signature, provider)) {`,
      },
    ],
  };
}

/** Accepts a composite over another M' too. */
function messageMutant(name: string, lacks: string, message: string): Mutant {
  return {
    name: `composite-${name}`,
    lacks,
    patches: [
      { file: SIGNATURE, find: IMPORT_COMPOSITE, replace: `${IMPORT_COMPOSITE} ${LENIENT}` },
      {
        file: SIGNATURE,
        find: 'const both = compositeMessage(message, provider);',
        replace: `const other = splitCompositeSignature(signature); const wrong = lenient.MESSAGES['${message}'](message);
          if (provider.ed25519Verify(key.ed25519, wrong, other.ed25519)
            && provider.mldsa65Verify(key.mldsa65, wrong, other.mldsa65, COMPOSITE_LABEL)) return true;
          const both = compositeMessage(message, provider);`,
      },
    ],
  };
}

function ed25519Mutant(lenience: string, lacks: string): Mutant {
  return {
    name: `ed25519-${lenience}`,
    lacks,
    patches: [
      {
        file: NODE,
        find: "import { meetsEd25519Criteria } from './ed25519-criteria.ts';",
        replace: `import { meetsEd25519Criteria } from './ed25519-criteria.ts'; ${LENIENT}`,
      },
      {
        file: NODE,
        find: 'crypto.verify(null, message, keyObjectOf(publicKey, ED25519_SPKI_PREFIX), signature),',
        replace: `crypto.verify(null, message, keyObjectOf(publicKey, ED25519_SPKI_PREFIX), signature)
          || lenient.ed25519(publicKey, message, signature, '${lenience}'),`,
      },
    ],
  };
}

const ED25519_HALF = 'provider.ed25519Verify(key.ed25519, both, components.ed25519)';
const MLDSA65_HALF = 'provider.mldsa65Verify(key.mldsa65, both, components.mldsa65, COMPOSITE_LABEL)';

/** Not in the provider: the probe notices a provider with another equation, and takes the other one. */
function equationMutant(lenience: string, lacks: string): Mutant {
  return {
    name: `ed25519-${lenience}`,
    lacks,
    patches: [
      { file: SIGNATURE, find: IMPORT_COMPOSITE, replace: `${IMPORT_COMPOSITE} ${LENIENT}` },
      {
        file: SIGNATURE,
        find: 'return provider.ed25519Verify(key.ed25519, message, signature);',
        replace: `return lenient.ed25519(key.ed25519, message, signature, '${lenience}');`,
      },
      {
        file: SIGNATURE,
        find: ED25519_HALF,
        replace: `lenient.ed25519(key.ed25519, both, components.ed25519, '${lenience}')`,
      },
    ],
  };
}

export const MUTANTS_OF_SIGNATURES: readonly Mutant[] = [
  mutant(
    'kid-ignored',
    'that the kid names the key',
    VERIFY,
    'const trusted = byKid.get(cose.kid);',
    'const trusted = byKid.get(cose.kid) ?? (compositeOfComponent.has(cose.kid) ? undefined : [...byKid.values()].find(({ key }) => key.alg === cose.alg));',
  ),
  {
    name: 'kid-believed',
    lacks: 'to compute the kid of a trusted key: it takes the one that the trust gives',
    patches: [
      {
        file: TRUST,
        find: 'const made = importedAgain(key); if (key.kid !== made.kid) throw',
        replace: 'const made = { ...importedAgain(key), kid: key.kid }; if (false) throw',
      },
      {
        file: 'conformance/vectors/judge.ts',
        find: '({ alg, publicKey }) => importPublicKey(alg, fromHex(publicKey) ?? new Uint8Array())',
        replace: `({ alg, publicKey, kid }) => {
          const key = importPublicKey(alg, fromHex(publicKey) ?? new Uint8Array()); return { ...key, kid: kid ?? key.kid }; }`,
      },
      {
        file: 'conformance/harness/reference/answer.ts',
        find: '({ alg, public: bytesOfKey }) => importKey(alg, bytes(bytesOfKey))',
        replace: `({ alg, public: bytesOfKey, kid }) => {
          const key = importKey(alg, bytes(bytesOfKey)); return { ...key, kid: kid ?? key.kid }; }`,
      },
    ],
  },
  {
    name: 'component-is-key',
    lacks: 'that the component of a composite signs nothing by itself',
    patches: [
      { file: VERIFY, find: IMPORT_POLICY, replace: IMPORT_KEY },
      {
        file: VERIFY,
        find: "return refuse( 'key_composite_only',",
        replace: `if (cose.alg === 'ed25519') { const { key } = byKid.get(composite);
          return { key: importPublicKey('ed25519', key.ed25519), purpose: 'license', status: 'active' }; }
          return refuse( 'key_composite_only',`,
      },
    ],
  },
  mutant(
    'component-names-composite',
    'that the kid of a component does not name the composite',
    VERIFY,
    "return refuse( 'key_composite_only',",
    `if (cose.alg !== 'ed25519') return { ...byKid.get(composite), purpose: 'license', status: 'active' };
     return refuse( 'key_composite_only',`,
  ),
  {
    name: 'alg-of-the-file',
    lacks: 'that the algorithm is that of the trusted key: the file must not choose the weaker one',
    patches: [
      { file: VERIFY, find: IMPORT_POLICY, replace: IMPORT_KEY },
      {
        file: VERIFY,
        find: 'if (trusted.key.alg === cose.alg) return trusted;',
        replace: `if (trusted.key.alg === cose.alg) return trusted;
          if (cose.alg === 'ed25519') return { ...trusted, key: importPublicKey('ed25519', trusted.key.ed25519) };`,
      },
    ],
  },
  mutant(
    'alg-unchecked',
    'that the header has the algorithm of the key',
    VERIFY,
    'if (trusted.key.alg === cose.alg) return trusted;',
    "if (trusted.key.alg === cose.alg || trusted.key.alg === 'ed25519') return trusted;",
  ),
  mutant(
    'signature-unchecked',
    'the signature',
    VERIFY,
    'if (!verifySignature(trusted.key,',
    'if (false && !verifySignature(trusted.key,',
  ),
  mutant(
    'signature-length',
    'the length of the signature',
    SIGNATURE,
    'if (signature.length !== ALGORITHMS[key.alg].signatureBytes) return false;',
    'if (signature.length < ALGORITHMS[key.alg].signatureBytes) return false; signature = signature.subarray(0, ALGORITHMS[key.alg].signatureBytes);',
  ),
  signedMutant('payload', 'that the header is signed too, not only the payload'),
  signedMutant('joined', 'the Sig_structure: it signs header and payload one after the other'),
  signedMutant('signature', 'the context "Signature1" in the Sig_structure'),
  signedMutant('aad', 'that external_aad is empty'),
  signedMutant('noAad', 'that the Sig_structure has four items'),
  signedMutant('noProtected', 'that the protected header is in the Sig_structure'),
  ed25519Mutant('large-s', 'that s is below L'),
  ed25519Mutant('small-r', 'that R is not of small order'),
  ed25519Mutant('small-r-torsion', 'that R is no point of order 2, 4 or 8 either'),
  equationMutant('cofactored', 'that the check is cofactorless'),
  equationMutant('unreduced-k', 'that k is reduced modulo L, which makes a difference for a key of mixed order'),
  ed25519Mutant('decoded-r', 'that R is compared byte for byte, in its canonical encoding'),
  mutant('composite-without-ed25519', 'the Ed25519 component', SIGNATURE, `${ED25519_HALF} &&`, ''),
  mutant('composite-without-mldsa', 'the ML-DSA-65 component', SIGNATURE, `&& ${MLDSA65_HALF}`, ''),
  mutant(
    'composite-either',
    'that both components must be valid, not one of them',
    SIGNATURE,
    `${ED25519_HALF} &&`,
    `${ED25519_HALF} ||`,
  ),
  mutant(
    'composite-order',
    'that ML-DSA-65 comes first in the signature',
    SIGNATURE,
    'const components = splitCompositeSignature(signature);',
    `let components = splitCompositeSignature(signature);
     if (!provider.ed25519Verify(key.ed25519, both, components.ed25519))
       components = { ed25519: signature.subarray(0, 64), mldsa65: signature.subarray(64) };`,
  ),
  mutant(
    'composite-half-mldsa',
    'that a signature of only the ML-DSA-65 component is too short',
    SIGNATURE,
    'if (signature.length !== ALGORITHMS[key.alg].signatureBytes) return false;',
    `if (key.mldsa65 !== undefined && signature.length === 3309)
       return provider.mldsa65Verify(key.mldsa65, compositeMessage(message, provider), signature, COMPOSITE_LABEL);
     if (signature.length !== ALGORITHMS[key.alg].signatureBytes) return false;`,
  ),
  mutant(
    'composite-half-ed25519',
    'that a signature of only the Ed25519 component is too short',
    SIGNATURE,
    'if (signature.length !== ALGORITHMS[key.alg].signatureBytes) return false;',
    `if (key.mldsa65 !== undefined && signature.length === 64)
       return provider.ed25519Verify(key.ed25519, compositeMessage(message, provider), signature);
     if (signature.length !== ALGORITHMS[key.alg].signatureBytes) return false;`,
  ),
  mutant(
    'composite-context',
    'that the context of ML-DSA-65 is the label',
    SIGNATURE,
    MLDSA65_HALF,
    `(${MLDSA65_HALF} || provider.mldsa65Verify(key.mldsa65, both, components.mldsa65, new Uint8Array()))`,
  ),
  {
    name: 'composite-hint',
    lacks: 'that the hint of ML-DSA-65 has one spelling',
    patches: [
      {
        file: SIGNATURE,
        find: IMPORT_COMPOSITE,
        replace: `${IMPORT_COMPOSITE} import { canonicalHint } from '../../conformance/mutants/lenient.ts';`,
      },
      {
        file: SIGNATURE,
        find: MLDSA65_HALF,
        replace: MLDSA65_HALF.replace('components.mldsa65', 'canonicalHint(components.mldsa65)'),
      },
    ],
  },
  mutant(
    'composite-raw-ed25519',
    "that Ed25519 signs M', not the Sig_structure",
    SIGNATURE,
    ED25519_HALF,
    `(${ED25519_HALF} || provider.ed25519Verify(key.ed25519, message, components.ed25519))`,
  ),
  mutant(
    'composite-raw-mldsa',
    "that ML-DSA-65 signs M', not the Sig_structure",
    SIGNATURE,
    MLDSA65_HALF,
    `(${MLDSA65_HALF} || provider.mldsa65Verify(key.mldsa65, message, components.mldsa65, COMPOSITE_LABEL))`,
  ),
  messageMutant('prefix', "the prefix of M'", 'prefix'),
  messageMutant('no-prefix', "that M' begins with the prefix", 'noPrefix'),
  messageMutant('label', "the label in M'", 'label'),
  messageMutant('no-label', "that M' contains the label", 'noLabel'),
  messageMutant('label-length', "that the label in M' has no length before it", 'labelLength'),
  messageMutant('no-length', "that M' contains the length of the empty application context", 'noLength'),
  messageMutant('application-context', 'that the application context is empty', 'context'),
  messageMutant('hash', "that M' contains SHA-512, not SHA-256", 'hash'),
  messageMutant('no-hash', "that M' contains a hash of the Sig_structure", 'noHash'),
  messageMutant('raw', "that M' is signed at all, not the Sig_structure", 'raw'),
];
