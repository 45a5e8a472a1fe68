/** Mutants of keysets: their form, their signatures and the chain. */
import { mutant, type Mutant } from './mutant.ts';

const ACCEPTANCE = 'verifier/keyset/acceptance.ts';
const COSE_SIGN = 'formats/cose-sign.ts';
const KEYSET = 'formats/keyset/decode-keyset.ts';
const BOUNDS = 'formats/keyset/keyset.ts';

export const MUTANTS_OF_KEYSETS: readonly Mutant[] = [
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
  mutant('keyset-from-until', 'that from is before until', KEYSET, 'if (from >= until)', 'if (false)'),
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
