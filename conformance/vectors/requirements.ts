/**
 * Every MUST of the documents, with an id that never changes and the cases that test it. A test finds each MUST of the
 * documents in exactly one of these quotes, and each quote in its document.
 */

export interface Requirement {
  readonly id: string;
  readonly document: 'format.md' | 'keysets.md' | 'runtime.md';
  readonly section: string;
  /** The words of the document, without line ends. */
  readonly quote: string;
  /** Ids of cases, or their beginnings with `*`, and with `!` those which are none of them; or why no case can test it. */
  readonly cases: readonly string[] | { readonly exempt: string };
}

type Row = readonly [id: string, section: string, quote: string, cases: readonly string[] | string];

const SIGNER = 'binds signers only';

const FORMAT: readonly Row[] = [
  [
    'accept-exactly',
    '1.1',
    'A verifier MUST accept exactly what this document accepts, with the same state',
    ['verify/*', '!verify/gray-*', '!verify/context-*'],
  ],
  [
    'reason-of-one-fault',
    '1.1',
    'it MUST report the reason of this document where a file has only one fault',
    [
      'verify/armor-*',
      'verify/envelope-*',
      'verify/header-*',
      'verify/typ-*',
      'verify/payload-*',
      'verify/claim-*',
      'verify/policy-*',
      'verify/ed25519-*',
      'verify/composite-*',
    ],
  ],
  [
    'own-error',
    '1.1',
    'the verifier MUST report an error of its own that names the runtime and the algorithm',
    'about a faulty crypto library, which no input can bring about',
  ],
  [
    'own-error-is-no-verdict',
    '1.1',
    'and MUST NOT say `signature_invalid`',
    'about a faulty crypto library, which no input can bring about',
  ],
  [
    'detail-not-parsed',
    '2',
    '`detail` is for people: a program MUST NOT parse it',
    'binds programs that use a verifier',
  ],
  [
    'detail-escaped',
    '2',
    'a verifier MUST escape untrusted text in it',
    'detail is free text, and no case compares it',
  ],
  [
    'base64-canonical',
    '3.1',
    'The base64 MUST be canonical',
    [
      'verify/armor-no-padding-*',
      'verify/armor-half-padding',
      'verify/armor-padding-within',
      'verify/armor-unused-bits-*',
      'verify/armor-base64url',
    ],
  ],
  [
    'header-exact',
    '5.2',
    'The protected header MUST be a map with exactly these three entries',
    [
      'verify/header-content-type',
      'verify/header-crit',
      'verify/header-iv',
      'verify/header-kid-*',
      'verify/header-label-*',
      'verify/header-labels-text',
      'verify/header-negative',
      'verify/header-no-*',
      'verify/header-text',
      'verify/alg-true',
      'verify/cose-alg-bytes',
      'verify/cose-kid-*',
      'verify/cose-more*',
      'verify/cose-protected-no-map',
      'verify/cose-typ-integer',
    ],
  ],
  [
    'signed-bytes-of-file',
    '5.3',
    'A verifier MUST use the bytes of the file',
    [
      'verify/signed-*',
      'verify/composite-minimal',
      'verify/payload-integer-first',
      'verify/payload-integer-last',
      'verify/payload-text-decomposed',
      'verify/payload-text-mark',
    ],
  ],
  [
    'nothing-encoded-anew',
    '5.3',
    'and MUST NOT encode anything anew',
    [
      'verify/payload-text-decomposed',
      'verify/payload-text-mark',
      'verify/payload-integer-first',
      'verify/payload-integer-last',
      'verify/claim-seats-largest',
      'verify/header-unsorted',
    ],
  ],
  [
    'kid-computed',
    '6.2',
    'A verifier MUST compute the kid of each key that it trusts from the key itself',
    ['verify/kid-*', 'trust/kid-*', 'override/license-known-kid'],
  ],
  [
    'kid-not-believed',
    '6.2',
    'and MUST NOT take it from a file or a JWK',
    ['key-file/keys-jwk-kid', 'key-file/keys-jwk-more', 'key-file/keys-cose-kid', 'verify/kid-*'],
  ],
  [
    'alg-of-key',
    '6.2',
    "The header's alg MUST equal the algorithm of the key that its kid names",
    ['verify/key-downgrade', 'verify/key-upgrade'],
  ],
  [
    'ed25519-criteria',
    '6.4',
    'A verifier MUST apply exactly these criteria',
    [
      'trust/trust-half-*',
      'trust/trust-off-curve*',
      'trust/trust-small-*',
      'trust/trust-x-zero-*',
      'trust/trust-y-*',
      'trust/mixed-order-*',
      'key-file/mixed-order',
      'override/mixed-order',
      'keyset/mixed-order',
      'verify/mixed-order-*',
      'verify/composite-mixed-order-key',
      'verify/composite-small-r-order-8',
      'verify/ed25519-*',
      'verify/signature-large-s',
      'verify/signature-small-r',
      'verify/composite-flipped-ed25519',
      'verify/composite-large-s',
      'verify/composite-small-r',
      'verify/composite-torsion-r',
    ],
  ],
  [
    'ed25519-key-canonical',
    '6.4',
    'It MUST be canonical (RFC 8032 section 5.1.3)',
    [
      'trust/trust-y-large',
      'trust/trust-y-large-sign',
      'trust/trust-y-largest',
      'trust/trust-x-zero-*',
      'trust/trust-half-y-large',
    ],
  ],
  ['ed25519-key-order', '6.4', 'It MUST NOT be of small order', ['trust/trust-small-*', 'trust/trust-half-small']],
  [
    'ed25519-key-point',
    '6.4',
    'It MUST decode to a point of the curve',
    ['trust/trust-off-curve', 'trust/trust-off-curve-sign', 'trust/trust-half-off-curve'],
  ],
  [
    'ed25519-s',
    '6.4',
    's MUST be below L',
    ['verify/ed25519-large-s-minimal', 'verify/signature-large-s', 'verify/composite-large-s'],
  ],
  [
    'ed25519-r-order',
    '6.4',
    'R MUST NOT be one of the eight encodings below',
    [
      'verify/ed25519-neutral-r',
      'verify/ed25519-small-r-*',
      'verify/composite-small-r',
      'verify/composite-small-r-order-8',
    ],
  ],
  [
    'ed25519-equation',
    '6.4',
    'the canonical encoding of [s]B − [k]A MUST equal the 32 bytes of R',
    [
      'verify/ed25519-neutral-r-respelled',
      'verify/ed25519-flipped-*',
      'verify/mixed-order-*',
      'verify/composite-mixed-order-key',
    ],
  ],
  ['shown-texts-escaped', '7.2', 'product MUST escape `name`, `ref` and `ext` before it shows them', 'binds products'],
  ['ext-is-no-restriction', '7.3', 'a product MUST NOT limit an entitlement by it', 'binds products'],
  ['components-of-their-own', '8.2', 'The two components of a composite MUST be generated for it', SIGNER],
  [
    'components-not-shared',
    '8.2',
    'MUST NOT share an Ed25519 or an ML-DSA-65 component',
    [
      'trust/trust-shared',
      'trust/trust-shared-*',
      'override/override-half*',
      'key-file/keys-shared*',
      'key-file/keys-jwk-set-shared',
      'keyset/component*',
      'keyset/built-in-component',
    ],
  ],
  ['key-file-whole', '11.2', 'A file that departs from these rules MUST be refused as a whole', ['key-file/keys-*']],
  ['key-file-kid', '11.2', 'a tool MUST NOT believe a `kid`', ['key-file/keys-jwk-kid', 'key-file/keys-jwk-more']],
  [
    'key-file-private',
    '11.2',
    'A file that contains a private key MUST be refused',
    [
      'key-file/keys-pem-private*',
      'key-file/keys-jwk-priv',
      'key-file/keys-jwk-private*',
      'key-file/keys-jwk-secret',
      'key-file/keys-jwk-set-private*',
      'key-file/keys-mark-*',
      // Accepted: they only look like private keys.
      '!key-file/keys-jwk-private-case',
      '!key-file/keys-mark-65',
      '!key-file/keys-mark-line',
      '!key-file/keys-mark-age-armor-lower',
      '!key-file/keys-mark-age-within',
      '!key-file/keys-mark-minisign-129',
      '!key-file/keys-mark-minisign-line',
      'key-file/keys-openssh-private',
      'key-file/keys-der-private*',
      'key-file/keys-cose-private*',
    ],
  ],
  [
    'override-pairs',
    '11.3',
    'they MUST have equally many items',
    ['override/override-count', 'override/override-count-more'],
  ],
  ['signer-armor', '12.2', 'A signer MUST write the armor with LF line ends', SIGNER],
  ['signer-non-production', '12.2', 'A license with `use` `non-production` MUST have a `dep` of its own', SIGNER],
  ['signer-names', '12.2', 'A `name` or `ref` MUST be in NFC', SIGNER],
  [
    'signer-mixed-order',
    '12.2',
    'MUST be refused when it is generated, taken into a site, or published in a keyset',
    SIGNER,
  ],
  ['cofactored-said', '14', 'It MUST say so', 'binds the documentation of a verifier'],
];

const KEYSETS: readonly Row[] = [
  [
    'keyset-armor',
    'K1',
    'A keyset MUST be armored as in section 3.1',
    ['keyset/armor-*', 'keyset/license-label', 'keyset/one-line', 'keyset/blanks'],
  ],
  [
    'keyset-size',
    'K1',
    'Its decoded bytes MUST NOT be more than 524,288 (512 KiB)',
    ['keyset/size', 'keyset/size-largest'],
  ],
  [
    'keyset-cose-sign',
    'K1',
    'The decoded bytes MUST be one item in the CBOR profile',
    [
      'keyset/truncated',
      'keyset/long-head',
      'keyset/cose-items-*',
      'keyset/cose-map',
      'keyset/cose-no-tag',
      'keyset/cose-payload-text',
      'keyset/cose-tag*',
      'keyset/cose-trailing',
      'keyset/sign1',
    ],
  ],
  [
    'keyset-protected',
    'K1',
    '*protected* MUST be a byte string that contains the map',
    ['keyset/cose-body-*', 'keyset/typ*'],
  ],
  [
    'keyset-unprotected',
    'K1',
    '*unprotected* MUST be the empty map',
    ['keyset/cose-unprotected*', 'keyset/cose-signer-unprotected*', 'keyset/cose-stranger-unprotected'],
  ],
  [
    'keyset-signatures',
    'K1',
    '*signatures* MUST be an array of 1 to 64 items',
    [
      'keyset/cose-no-signer',
      'keyset/cose-signers-64',
      'keyset/cose-signers-65',
      'keyset/cose-signers-map',
      'keyset/cose-signers-one',
    ],
  ],
  [
    'keyset-signature-items',
    'K1',
    'Each MUST be an array of exactly three items',
    [
      'keyset/cose-signer-header-*',
      'keyset/cose-signer-items-*',
      'keyset/cose-signer-kid-*',
      'keyset/cose-signer-map',
      'keyset/cose-signer-no-*',
      'keyset/cose-signer-alg-bytes',
      'keyset/cose-signer-signature-text',
      'keyset/cose-stranger-items-4',
    ],
  ],
  [
    'keyset-signature-order',
    'K1',
    'They MUST be sorted by kid',
    [
      'keyset/cose-signers-unsorted',
      'keyset/cose-signers-twice',
      'keyset/cose-strangers-unsorted',
      'keyset/cose-stranger-twice',
    ],
  ],
  [
    'keyset-bytes-of-file',
    'K1',
    'A verifier MUST use the bytes of the file for the two protected headers and the payload',
    // No text of a keyset and no header of a signer can be spelled in two ways, but a library may write an integer
    // above 2^32 as a float, or the members in another order.
    ['keyset/chain', 'keyset/version-33-bits', 'keyset/version-largest', 'keyset/lowest-largest', 'keyset/made-future'],
  ],
  ['keyset-members', 'K2', 'A member that is not in these tables MUST be refused', ['keyset/member-unknown*']],
  [
    'keyset-keys-judged',
    'K2',
    'A key MUST be judged by criteria 1 to 3',
    [
      'keyset/bad-key',
      'keyset/key-half-small',
      'keyset/key-off-curve',
      'keyset/key-y-large',
      'keyset/root-half-small',
      'keyset/root-off-curve',
      'keyset/root-small-order',
      'keyset/root-y-large',
    ],
  ],
  [
    'keyset-chain-size',
    'K3',
    'A chain MUST NOT have more than 16,777,216 bytes',
    ['keyset/chain-size', 'keyset/chain-size-largest', 'keyset/chain-blocks', 'keyset/chain-blocks-most'],
  ],
  [
    'keyset-ascending',
    'K3',
    'The versions MUST ascend strictly',
    ['keyset/descending', 'keyset/chain-twice', 'keyset/chain-left-out', 'keyset/built-in-descending'],
  ],
  [
    'keyset-block-by-block',
    'K3',
    'A verifier MUST read block by block, in order, and stop at the first block that it refuses',
    ['keyset/cut-file', 'keyset/descending', 'keyset/chain-after-fault', 'keyset/chain-twice', 'keyset/state-branches'],
  ],
  [
    'keyset-issuer',
    'K4',
    '`iss` MUST be that of the trusted chain',
    ['keyset/issuer', 'keyset/iss-128', 'keyset/built-in-issuer', 'keyset/chain-twice-issuer', 'keyset/issuer-case'],
  ],
  [
    'keyset-roots',
    'K4',
    'Its roots MUST be keys by section 6.4',
    [
      'keyset/root-half-small',
      'keyset/root-off-curve',
      'keyset/root-small-order',
      'keyset/root-y-large',
      'keyset/root-before-signature',
    ],
  ],
  [
    'keyset-strangers',
    'K4',
    'Signers that are not known MUST be ignored',
    ['keyset/stranger*', 'keyset/cose-signers-64', 'keyset/cose-stranger-short', 'keyset/threshold-stranger'],
  ],
  [
    'keyset-known-valid',
    'K4',
    'Each signature of a known signer MUST be valid',
    ['keyset/bad-signature', 'keyset/signature-*', 'keyset/signer-alg'],
  ],
  [
    'keyset-threshold-before',
    'K4',
    'At least the threshold of N, of the roots of N, MUST have signed',
    [
      'keyset/previous-threshold',
      'keyset/threshold-exact',
      'keyset/threshold-lower',
      'keyset/threshold-new-roots',
      'keyset/threshold-stranger',
      'keyset/compiled-in',
      'keyset/policy-is-kept',
      'keyset/policy-of-an-older-version',
    ],
  ],
  [
    'keyset-threshold-own',
    'K4',
    'At least the threshold of the new version, of its own roots, MUST have signed',
    ['keyset/own-threshold', 'keyset/policy-by-ed25519', 'keyset/threshold-higher', 'keyset/threshold-old-roots'],
  ],
  [
    'keyset-issuing-keys',
    'K4',
    'Its issuing keys MUST be keys by section 6.4',
    [
      'keyset/bad-key',
      'keyset/built-in-small-order',
      'keyset/key-half-small',
      'keyset/key-off-curve',
      'keyset/key-y-large',
      'keyset/signature-before-key',
    ],
  ],
  [
    'keyset-purpose-kept',
    'K4',
    'chain ever had MUST keep its purpose',
    ['keyset/purpose*', 'keyset/root-purpose', 'keyset/root-that-left', 'keyset/built-in-purpose*'],
  ],
  [
    'keyset-keys-stay',
    'K4',
    'Each issuing key of N MUST be in the new version',
    ['keyset/removed*', 'keyset/root-leaves', 'keyset/built-in-removed'],
  ],
  [
    'keyset-environment',
    'K4',
    '`LICENSE_REQUIRE_COMPOSITE` included, MUST NOT change it',
    ['history/environment-policy-added', 'history/environment-policy-blank'],
  ],
  [
    'keyset-expiry',
    'K4',
    '`expires` MUST NOT decide whether a version is taken',
    ['keyset/expired*', 'keyset/made-future', 'keyset/made-before'],
  ],
  ['keyset-built-in', 'K5', 'and MUST NOT judge its signatures', ['keyset/built-in-unsigned']],
  [
    'keyset-state-again',
    'K5',
    'At each load it MUST be judged again, from the built-in chain',
    ['keyset/state-forged', 'keyset/state-few-roots'],
  ],
  [
    'keyset-state-copies',
    'K5',
    'Several copies of state MUST be read in their order',
    ['keyset/state-branches', 'keyset/state-continued', 'keyset/state-second-longer', 'keyset/state-second-good'],
  ],
  [
    'keyset-older-ignored',
    'K5',
    'An older file, and an unusable file or copy of state, MUST be ignored with a warning',
    ['keyset/older', 'keyset/new-build', 'keyset/no-block', 'keyset/state-damaged'],
  ],
  [
    'keyset-older-not-fatal',
    'K5',
    'and MUST NOT be fatal',
    ['keyset/older', 'keyset/no-block', 'keyset/new-build', 'keyset/state-damaged'],
  ],
  ['signer-keyset-armor', 'K8', 'A signer MUST write blocks with LF line ends', SIGNER],
  ['signer-root-once', 'K8', 'A root MUST sign at most one payload for a version', SIGNER],
  ['signer-root-only-keysets', 'K8', 'and MUST NOT be used for anything but keysets', SIGNER],
  ['signer-keyset-mixed-order', 'K8', 'Roots and issuing keys MUST NOT be of mixed order', SIGNER],
  ['signer-lowest', 'K8', 'A lowest counter MUST NOT be above the counter of a license that was released', SIGNER],
  ['signer-revoked', 'K8', 'A revoked key MUST stay `revoked`', SIGNER],
];

function requirements(document: Requirement['document'], rows: readonly Row[]): readonly Requirement[] {
  return rows.map(([id, section, quote, cases]) => ({
    id,
    document,
    section,
    quote,
    cases: typeof cases === 'string' ? { exempt: cases } : cases,
  }));
}

const RUNTIME: readonly Row[] = [
  [
    'runtime-verdict',
    'What-follows-from-a-verdict',
    'For each verdict, a runtime MUST do what this table says',
    [
      'history/missing*',
      'history/broken',
      'history/garbage',
      'history/rollback-*',
      'history/conflict',
      'history/other-*',
      'history/rotate-revoke',
      'history/renewal-early',
      'history/grace',
      'history/lapsed-*',
      'history/taken-later',
      'history/early-first',
      'history/lapsed-file',
      'history/removed',
      'history/renewal-after-gap',
      'history/renewal-early-file',
      'history/verdict-*',
    ],
  ],
  [
    'runtime-judges-again',
    'What-follows-from-a-verdict',
    'The runtime MUST judge the license in force again each minute, and at each second at which its verdict can change',
    [
      'history/grace',
      'history/renewal-early',
      'history/renewal-early-file',
      'history/rotate-running',
      'history/taken-later',
      'history/clock-back',
    ],
  ],
  [
    'runtime-state-entries',
    'The-state',
    'For each lineage and key of a license that was ever accepted, the state MUST contain the highest counter',
    [
      'history/rollback-*',
      'history/conflict',
      'history/other-lineage*',
      'history/clk-other-lineage',
      'history/stolen-counter',
    ],
  ],
  [
    'runtime-state-taken',
    'The-state',
    'The runtime MUST add a license to the state only if every other check succeeds',
    ['history/lapsed-installed', 'history/other-product', 'history/taken-in-grace', 'history/taken-later'],
  ],
  [
    'runtime-state-revoked',
    'The-state',
    'The runtime MUST ignore the entries of a revoked key, unless their payload is honored',
    ['history/stolen-counter', 'history/rotate-honored'],
  ],
  [
    'runtime-time',
    'Time',
    'The effective time MUST be max(clock, highest iat accepted, floor)',
    ['history/clk', 'history/clock-back', 'history/stolen-clk', 'history/floor-runs', 'history/floor-first'],
  ],
  [
    'runtime-floor-at-once',
    'Time',
    'but the floor MUST NOT follow at once',
    [
      'history/clock-far',
      'history/clock-back',
      'history/clock-far-restarted',
      'history/floor-day-and-second',
      'history/floor-first-not-yet',
      'history/floor-not-yet',
    ],
  ],
  [
    'runtime-floor-follows',
    'Time',
    'It MUST follow after the product has run for 72 hours with that lead',
    [
      'history/floor-first*',
      'history/floor-follows',
      'history/floor-not-yet',
      'history/floor-last-second',
      'history/floor-adds-up',
      'history/floor-begins-again',
      'history/floor-lowest*',
      'history/floor-lost-hours',
    ],
  ],
  [
    'runtime-floor-clk',
    'Time',
    'it MUST set the floor and the highest iat to the iat of that license',
    ['history/clk', 'history/clk-other-lineage', 'history/floor-clk'],
  ],
  ['runtime-floor-revoked', 'Time', 'then the floor MUST NOT count either', ['history/stolen-clk']],
  [
    'runtime-install-fails',
    'Installing',
    'the runtime MUST NOT change anything but the keysets',
    [
      'history/rollback-install',
      'history/other-product',
      'history/garbage',
      'history/lapsed-installed',
      'history/rotate-pasted-refused',
    ],
  ],
  [
    'runtime-renewal-written',
    'Installing',
    'The runtime MUST write a renewal that waits to the file at once',
    ['history/renewal-early'],
  ],
  [
    'runtime-kept',
    'The-kept-license',
    'the runtime MUST verify the kept license in full again and keep it in force',
    ['history/renewal-early'],
  ],
];

export const REQUIREMENTS: readonly Requirement[] = [
  ...requirements('format.md', FORMAT),
  ...requirements('keysets.md', KEYSETS),
  ...requirements('runtime.md', RUNTIME),
];

/** Whether a case is among the cases of a requirement. */
export function isTestedBy(id: string, { cases }: Requirement): boolean {
  if ('exempt' in cases) return false;
  const isNamed = (one: string): boolean => (one.endsWith('*') ? id.startsWith(one.slice(0, -1)) : id === one);
  return cases.some(isNamed) && !cases.some((one) => one.startsWith('!') && isNamed(one.slice(1)));
}

/** vectors/v1/requirements.json: every MUST with its cases. @param ids of all cases */
export function requirementTable(ids: readonly string[]): readonly unknown[] {
  return REQUIREMENTS.map((requirement) => {
    const { id, document, section, quote, cases } = requirement;
    const named = 'exempt' in cases ? cases : { cases: ids.filter((one) => isTestedBy(one, requirement)) };
    return { id, clause: `${document}#${section}`, text: quote, ...named };
  });
}
