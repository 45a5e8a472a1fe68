/**
 * What a verifier that does not agree with a case has forgotten: one sentence for the cases that break one rule. The
 * cases that are not here say what their mutant lacks (`conformance/mutants/`), or what their row says.
 *
 * Where the case is accepted, the sentence is what a verifier that refuses it does not know.
 */
import type { Case } from './case.ts';

/** A sentence, and the names of its cases; a name that ends with `*` is the beginning of names. */
type Group = readonly [sentence: string, ...names: readonly string[]];

const TRUST: readonly Group[] = [
  ['that an empty list of honored payloads is allowed for every key', 'honored-none honored-none-active'],
  ['that an empty list of honored payloads is not an absent one', 'honored-none-twice'],
  ['to compute the kid of a trusted key', 'kid-*'],
  ['the length of a public key', 'trust-1983 trust-31'],
  ['that a trust may have no key, or several', 'trust-empty trust-two'],
  ['that one key twice with the same entry is one key', 'trust-twice'],
  ['that products, tiers and honored payloads are sets', 'trust-twice-order trust-twice-items honored-twice'],
  ['that a revoked key may have honored payloads', 'honored'],
  ['that an id has 1 to 128 characters', 'trust-scope-id'],
  ['that there are purposes which have no use yet', 'trust-purpose-reserved'],
  ['that ML-DSA-65 keys are judged by their length only', 'trust-mldsa-any'],
  ['that revoked licenses are UUIDs of version 7 in lower case', 'trust-revoked-v7'],
  ['that ed25519_until may be the last second of the year 9999', 'trust-until-last'],
  ['that a lowest counter may be anything from 0 to 2^53-1', 'trust-lowest-zero trust-lowest-last'],
];

const KEY_FILES: readonly Group[] = [
  ['that a mark of a private key may be in the file as it is, beyond the strings of its JSON', 'keys-mark-between'],
  ['that a file of public keys has at most 1 MiB', 'keys-too-large'],
  ['that a file of public keys may have 1 MiB', 'keys-largest'],
  ['that a file without a key is refused', 'keys-empty keys-blank'],
  ['that a byte order mark is not a blank', 'keys-bom'],
  ['that one key twice in a file is one key, at its first place', 'keys-twice'],
  [
    'that an ML-DSA-65 key is a key only with the Ed25519 key right after it',
    'keys-pem-mldsa-* keys-pem-ed25519-first keys-composite-after-mldsa',
  ],
  [
    'that an ML-DSA-65 key and the Ed25519 key right after it are one composite, also among other keys',
    'keys-pem-list keys-der-list',
  ],
  ['that a composite may be in one piece', 'keys-composite-pem keys-composite-der keys-composite-list'],
  ['that a JWK may be a composite', 'keys-composite-jwk'],

  ['that a COSE_Key has only the members of the table', 'keys-cose-alg keys-cose-kid'],
  ['that a COSE_Key with a private parameter is a private key', 'keys-cose-private*'],
  ['that nothing follows a COSE_Key', 'keys-cose-trailing'],
  [
    'that a structure in DER is byte for byte one of the table',
    'keys-der-null keys-der-truncated keys-composite-short',
  ],
  ['that nothing follows the last structure in DER', 'keys-der-trailing'],
  ['that PKCS #8 is a private key, also behind a public one', 'keys-der-private*'],

  [
    'that BEGIN and END are lines by themselves',
    'keys-pem-begin-behind keys-pem-end-* keys-pem-glued keys-pem-one-line',
  ],
  ['that the label of PEM is PUBLIC KEY, in BEGIN and in END', 'keys-pem-label*'],
  ['that PEM has no headers', 'keys-pem-header'],
  ['that no text is around PEM blocks', 'keys-pem-text-*'],
  ['that CR in a PEM block is only a part of CR LF', 'keys-pem-return*'],
  ['that a PEM block has exactly one structure', 'keys-pem-two-structures'],
  ['that the base64 is padded', 'keys-pem-unpadded'],
  ['that PEM may have CR LF, and no line end behind END', 'keys-pem-crlf'],
  ['that lines of PEM may have any length, and may be empty', 'keys-pem-width'],
  ['that blanks may be around PEM blocks, and behind BEGIN and END', 'keys-pem-blanks keys-pem-carriage-return'],
  ['that a private key in PEM refuses the file, wherever it is', 'keys-pem-private*'],
  ['that an OpenSSH line is no form of a file of public keys', 'keys-openssh'],

  [
    'that raw is the base64 of 32 or 1984 bytes, and nothing else',
    'keys-hex keys-raw-31 keys-raw-64 keys-raw-mldsa keys-raw-spki keys-raw-private keys-raw-two',
  ],
  ['that raw is not base64url', 'keys-raw-url'],
  ['that blanks are four bytes, also around base64', 'keys-raw-form-feed keys-raw-no-break'],
  ['that blanks in raw base64 are passed over, and no line end is needed', 'keys-raw-no-end keys-raw-wrapped'],
  ['that a file which begins with the character 0 may be base64, and not DER', 'keys-raw-zero'],

  ['that a file of public keys in JSON is an object', 'keys-jwk-array'],
  ['that an object with both `kty` and `keys` is refused', 'keys-jwk-both'],
  ['that kty, crv and alg have exactly the values of the table', 'keys-jwk-curve keys-jwk-mldsa'],
  ['that base64url in a JWK has no padding', 'keys-jwk-padded'],
  ['that a JWK Set is refused whole if one item is of another kind', 'keys-jwk-set-other', 'keys-jwk-set-rsa'],
  ['that NaN and Infinity are not JSON', 'keys-jwk-nan keys-jwk-infinity keys-jwk-minus-infinity'],
  ['that control characters in JSON are escaped', 'keys-jwk-line-feed keys-jwk-tab'],
  ['that a lone surrogate is a fault of JSON', 'keys-jwk-surrogate keys-jwk-low-surrogate'],
  ['that JSON is valid UTF-8', 'keys-jwk-not-utf8'],
  ['that no member is twice in a JSON object, names compared after escapes', 'keys-jwk-repeated*'],
  ['that nothing follows the JSON value', 'keys-jwk-two'],
  ['that JSON is nested at most 64 deep, also in what is passed over', 'keys-jwk-too-deep'],
  ['that JSON may be nested 64 deep in what is passed over', 'keys-jwk-deep'],
  ['that blanks may be around a JWK', 'keys-jwk-blanks'],
  ['that a number which is passed over may have any size', 'keys-jwk-numbers keys-jwk-long-number'],
  ['that `kid`, `use` and `alg` of an Ed25519 JWK are passed over, and never trusted', 'keys-jwk-more', 'keys-jwk-kid'],
  ['that members of the other row of the table are passed over', 'keys-jwk-other-row'],
  ['that a file may be a JWK Set', 'keys-jwk-set'],
  ['that a member `keys` in an item of a set is passed over', 'keys-jwk-set-item-keys'],

  [
    'that each private parameter of the registry is a mark of a private key, whatever the kind of key',
    'keys-jwk-private keys-jwk-private-dp keys-jwk-private-dq keys-jwk-private-oth keys-jwk-private-p',
    'keys-jwk-private-q keys-jwk-private-qi keys-jwk-secret keys-jwk-priv',
  ],
  [
    'that a private parameter counts with any value, escaped or not, in an object at any depth',
    'keys-jwk-private-deep keys-jwk-private-empty keys-jwk-private-escaped keys-jwk-set-private*',
  ],
  ['that names of private parameters are compared with regard to case', 'keys-jwk-private-case'],
  [
    'that marks of private keys count in strings of JSON after escapes, in names of members too',
    'keys-jwk-private-text keys-mark-putty keys-mark-identity keys-mark-name*',
  ],
  ['that marks of private keys are compared without regard to case', 'keys-mark-lower keys-mark-identity-lower'],
  [
    'the form of the mark BEGIN … PRIVATE: where it is, its hyphens, and the 64 characters before PRIVATE',
    'keys-mark-64 keys-mark-ssh2 keys-mark-word keys-openssh-private',
  ],
  ['that the comment of a minisign secret key is a mark', 'keys-mark-minisign keys-mark-minisign-128'],
  ['that the beginning of an age file is a mark', 'keys-mark-age keys-mark-age-armor'],
  [
    'that a text which only resembles a mark of a private key is none',
    'keys-jwk-words keys-mark-65 keys-mark-line keys-mark-minisign-129 keys-mark-minisign-line',
    'keys-mark-age-armor-lower keys-mark-age-within',
  ],
];

const OVERRIDES: readonly Group[] = [
  ['that an empty list of honored payloads is taken of every key', 'license-honored-none'],
  ['that blanks are four bytes, and a no-break space or a form feed is none', 'override-no-break*'],
  ['that LICENSE_REQUIRE_COMPOSITE is 1 or absent', 'override-composite-form-feed'],
  [
    'that a composite is given in two variables, never in one piece',
    'override-raw-composite override-mldsa-composite override-composite-pem override-composite-mldsa',
  ],
  ['that both variables have equally many items', 'override-count override-count-more'],
  ['that the variable for ML-DSA-65 needs the one for Ed25519', 'override-mldsa-alone'],
  ['that no item of LICENSE_PUBLIC_KEY is empty', 'override-empty-item'],
  ['that each variable has keys of its own algorithm', 'override-swapped override-pem-swapped'],
  ['that an item is one key', 'override-pem-two override-file-two'],
  ['that PEM in a variable has real line ends', 'override-pem-escaped override-pem-one-line'],
  ['that a private key is refused, also behind a public one', 'override-private*'],
  ['that a raw item is canonical base64, with no blank in it', 'override-raw-blank override-raw-url'],
  ['that a variable never has a JWK', 'override-jwk'],
  ['that a path begins with `file:` in lower case', 'override-path override-file-case'],
  ['that a blank right behind `file:` is part of the path', 'override-file-blank'],
  ['that a file does not name another file', 'override-file-file'],
  ['that a missing file is an error, never a silent return to the built-in keys', 'override-file-missing'],
  ['that a file of a key has at most 64 KiB', 'override-file-too-large'],
  ['that a file of a key may have 64 KiB', 'override-file-largest'],
  ['that `file:` names a file with PEM or raw base64', 'override-file override-file-raw override-mldsa-file'],
  ['that blanks behind a path are trimmed', 'override-file-trailing'],
  ['that blanks around an item are trimmed', 'override-trimmed'],
  ['that an item may be PEM, with LF or CR LF', 'override-pem override-pem-crlf'],
  [
    'that item i of both variables is one composite, and an Ed25519 key by itself where the second is empty',
    'override-pair override-pem-pair override-two',
  ],
  ['that one key twice in the override is one key', 'override-twice'],
  ['that a variable of blanks is absent', 'override-blank'],
  ['that without a variable the built-in trust is in force', 'override-none'],
  ['that composite stays required where it is', 'override-composite-blank'],
  [
    'that LICENSE_REQUIRE_COMPOSITE is read by itself, and in addition to keys',
    'override-composite override-composite-both license-composite',
  ],
  ['that built-in keys for licenses go, with any status', 'override-one override-revoked-goes'],
  [
    'that a key which is built in keeps its purpose, status and scope',
    'override-known-* license-product license-tier license-known-* license-honored',
  ],
  ['that revoked licenses and lowest counters stay', 'override-policy license-revoked license-lowest'],
  ['that the built-in ed25519_until stays', 'license-until-*'],
  ['that a key of the override signs licenses', 'license'],
];

const KEYSETS: readonly Group[] = [
  // K1
  ['that the lines of a keyset but the last have 64 characters', 'armor-lines-* armor-one-line'],
  ['that a keyset has no empty line and no header', 'armor-empty-line armor-header'],
  ['that no blank is within the block of a keyset', 'armor-blank-in-line armor-begin-blank'],
  ['that a lone CR is not a line end of a keyset', 'armor-lone-cr'],
  ['that only four bytes are blanks around a keyset', 'armor-bom armor-form-feed'],
  [
    'that no text is around the blocks of keysets',
    'armor-text-* chain-end-text chain-gap-text* chain-gap-byte-order-mark',
  ],
  ['that BEGIN and END of a keyset are exact', 'armor-label-end armor-lower-case armor-no-end'],
  ['that the base64 of a keyset is canonical', 'armor-no-padding armor-unused-bits'],
  ['that the last line end may be missing', 'armor-no-last-line-end chain-end-no-line-feed'],
  ['that nothing follows the COSE_Sign', 'cose-trailing'],
  ['that the payload of a keyset is a byte string', 'cose-payload-text'],
  [
    'that the protected header of a keyset is a byte string with a map',
    'cose-body-map cose-body-array cose-body-empty',
  ],
  ['that the protected header of a keyset is encoded in the profile too', 'cose-body-long-label cose-body-trailing'],
  [
    'that the protected header of a keyset has the typ, which is a text',
    'cose-body-none cose-body-other-label cose-body-typ-integer',
  ],
  ['that signatures are a list of lists', 'cose-signers-map cose-signers-one cose-signer-map'],
  ['that a signature is a byte string, of whatever length', 'cose-signer-signature-text'],
  [
    'that the protected header of a signer is a byte string with a map',
    'cose-signer-header-text cose-signer-header-empty cose-signer-header-array',
  ],
  [
    'that the protected header of a signer is encoded in the profile too',
    'cose-signer-header-long cose-signer-header-trailing cose-signer-header-unsorted',
  ],
  [
    'that the protected header of a signer has alg and kid, and nothing else',
    'cose-signer-header-more cose-signer-header-typ cose-signer-no-alg cose-signer-no-kid',
  ],
  ['that the kid of a signer is a byte string of 32 bytes', 'cose-signer-kid-*'],
  ['that the alg of a signer is an integer or a text', 'cose-signer-alg-bytes'],
  [
    'that the form of a signature is judged also where its signer is not known',
    'cose-stranger-items-4 cose-stranger-unprotected cose-stranger-alg cose-stranger-twice cose-strangers-unsorted',
  ],
  ['that the label of a keyset is VTLIC KEYSET', 'license-label'],
  ['that a keyset has at most 512 KiB behind its armor', 'size'],
  ['that a keyset may have 512 KiB', 'size-largest'],
  ['that the CBOR of a keyset is whole', 'truncated'],
  ['that the encoding of a keyset is deterministic', 'long-head'],
  ['that a keyset is a COSE_Sign, with the tag 98', 'sign1 cose-tag', 'cose-no-tag cose-tag-*'],
  [
    'that the unprotected headers of a keyset are empty',
    'cose-unprotected cose-signer-unprotected',
    'cose-unprotected-* cose-signer-unprotected-array',
  ],
  ['that the protected header of a keyset has the typ and nothing else', 'cose-body-more'],
  [
    'that COSE_Sign has four items, and each signature three',
    'cose-items-5 cose-signer-items-4',
    'cose-map cose-items-3 cose-signer-items-2',
  ],
  ['that a keyset has 1 to 64 signatures', 'cose-no-signer cose-signers-65'],
  ['that a keyset may have 64 signatures, whoever signed', 'cose-signers-64'],
  ['that signers are sorted by kid, each kid once', 'cose-signers-unsorted cose-signers-twice'],
  ['the typ of a keyset', 'typ typ-license typ-rehearsal-keyset'],
  ['that signers of keysets have one of two algorithms', 'alg', 'cose-signer-alg-eddsa'],
  // K2
  ['that a member which is not in the tables refuses the keyset, at any place', 'member-unknown*'],
  [
    'that six members of a keyset are required',
    'no-iss no-version no-made no-roots no-threshold no-keys member-missing',
  ],
  ['that iss is an id of at most 128 characters', 'iss-blank iss-129'],
  ['that a version is 1 to 2^53-1', 'version-0 version-large'],
  ['that a version may have up to 53 bits', 'version-33-bits version-largest'],
  [
    'that a time is an integer up to the end of the year 9999',
    'made-text made-late expires-late key-from-late key-until-late policy-until-late',
  ],
  ['that expires is after made', 'expires-made'],
  ['that from is before until', 'key-from-until'],
  ['that a threshold is at least 1, and at most the number of roots', 'threshold-0 threshold-above'],
  ['that a keyset has a root', 'roots-none'],
  ['that a key is a COSE_Key, not its raw bytes', 'roots-32-bytes'],
  [
    'how many items each list of a keyset has at most',
    'roots-17 keys-129 key-products-65 key-tiers-65 key-honored-12289 revoked-16385 lowest-8193',
  ],
  [
    'that a list of a keyset may have as many items as its bound says',
    'roots-16 keys-128 key-products-64 key-tiers-64 key-honored-12288 revoked-16384 lowest-8192',
  ],
  [
    'that what is empty in a keyset is left out',
    'key-products-none key-tiers-none key-honored-none policy-none revoked-none lowest-none',
  ],
  [
    'that the lists of a keyset are sorted',
    'roots-unsorted keys-unsorted key-products-unsorted key-tiers-unsorted key-honored-unsorted revoked-unsorted',
  ],
  [
    'that each item of a list is there once',
    'roots-twice keys-twice key-products-twice key-tiers-twice key-honored-twice revoked-twice',
  ],
  ['the closed lists of statuses and purposes of issuing keys', 'key-status key-purpose'],
  ['that ids have only characters of ASCII', 'key-products-long-s'],
  ['that only a revoked key has honored payloads', 'key-honored-active'],
  ['that an honored payload is a SHA-256 digest', 'key-honored-31'],
  ['that composite in a policy is true, or absent', 'policy-false'],
  ['that a revoked license is a UUID of version 7', 'revoked-v4'],
  ['that a lowest counter of a keyset is at least 1', 'lowest-0'],
  ['that a lowest counter may be 2^53-1', 'lowest-largest'],
  ['that a lineage is three or four ids, and nothing else', 'lowest-lineage lowest-five-parts lowest-line-feed'],
  ['that nothing follows the map of the payload', 'payload-trailing'],
  // K3
  ['that a block behind a fault is not read', 'chain-after-fault'],
  ['that a file of keysets has a block', 'no-block'],
  ['that at least one LF is between two blocks', 'one-line chain-gap-return', 'chain-gap-blanks chain-gap-none'],
  ['that blanks may be before, between and behind the blocks', 'blanks chain-gap'],
  ['that a file of keysets has at most 16 MiB, blanks included', 'chain-size'],
  ['that a file of keysets may have 16 MiB', 'chain-size-largest'],
  ['that a file of keysets has at most 4,096 blocks, and those before count', 'chain-blocks'],
  ['that a file of keysets may have 4,096 blocks', 'chain-blocks-most'],
  ['that the versions of a file ascend', 'descending chain-twice'],
  ['that a version may be left out', 'left-out', 'chain-left-out'],
  ['that versions before a fault count', 'cut-file'],
  // K4
  [
    'that roots and issuing keys are canonical points of the curve, and not of small order',
    'root-off-curve root-y-large root-half-small key-off-curve key-y-large key-half-small',
  ],
  ['that each version of a file is judged by the one before it', 'chain'],
  ['that the issuer of a keyset is that of the chain, judged before its version', 'issuer iss-128 chain-twice-issuer'],
  ['that a known version has one payload', 'conflict conflict-older'],
  ['that a known version is passed over, and its signatures are not judged', 'known-unsigned'],
  ['that roots and issuing keys are no points of small order', 'bad-key root-small-order'],
  ['that signers which are not known are ignored, valid or not', 'stranger', 'stranger-* cose-stranger-short'],
  [
    'that each signature of a known signer is valid, its alg included, however many others are',
    'bad-signature signature-flipped signer-alg',
    'signature-*',
  ],
  ['that only roots count for a threshold', 'threshold-stranger'],
  [
    'that enough roots of the version before have to sign',
    'previous-threshold license-old-version',
    'threshold-lower threshold-new-roots',
  ],
  ['that enough of its own roots have to sign', 'own-threshold', 'threshold-higher threshold-old-roots'],
  ['that exactly the threshold is enough', 'threshold-exact'],
  [
    'that a key keeps its purpose, where being a root is one, also after it left',
    'purpose root-purpose root-that-left',
    'purpose-of-*',
  ],
  ['that no two keys share a component, over all versions of a chain', 'component component-of-a-root-that-left'],
  ['that issuing keys stay', 'removed', 'removed-*'],
  ['that a root may leave', 'root-leaves'],
  ['that composite roots stay required, also after a version without a policy', 'policy-is-kept policy-of-an-*'],
  ['that a policy holds already for the version that sets it', 'policy-by-ed25519'],
  ['that Ed25519 roots do not count where composite is compiled in', 'compiled-in'],
  ['that no time in a keyset decides whether it counts', 'expired made-future', 'expired-* made-before'],
  ['that a status may change in any direction, since only signers are bound', 'revoked-comes-back'],
  // K5
  ['that an older copy of state is ordinary, and makes no notice', 'state-second-older'],
  [
    'that the built-in chain is judged by the rules of keys too',
    'built-in-component built-in-purpose built-in-small-order',
  ],
  ['that no key is both a root and an issuing key, also in the first built-in version', 'built-in-purpose-first'],
  ['that ids are compared with regard to case', 'issuer-case'],
  ['that without a file and state the built-in chain counts', 'no-file'],
  ['that the signatures of the built-in chain are not judged', 'built-in-unsigned'],
  ['that state may have a newer version than the build', 'state-longer'],
  ['that the chain in state is judged at each load', 'state-forged state-few-roots'],
  ['that a damaged copy of state is ignored, and the next one read', 'state-damaged state-second-good'],
  ['that a copy of state continues what the copies before it brought', 'state-continued state-second-longer'],
  ['that a longer copy of state on another branch is a conflict', 'state-branches'],
  ['that a new build overrules state', 'new-build'],
  ['that a file which is older than state is ignored', 'older'],
  // K6
  ['that the keys of the newest version sign licenses', 'license-active license-new-key'],
  [
    'that only the newest version says what is revoked, and which counters are the lowest',
    'license-no-longer-* license-key-comes-back',
  ],
  ['that the roots of a new version are judged before its signatures', 'root-before-signature'],
  ['that pre-published and retired keys verify, whatever their dates', 'license-pre-published license-retired'],
  ['that a revoked key signs nothing more', 'license-revoked-key'],
  ['that honored payloads of a revoked key still count', 'license-honored'],
  ['the products and tiers of an issuing key', 'license-product* license-tier*'],
  ['that composite is required by the policy, or compiled in', 'license-composite license-compiled-in'],
  ['that ed25519_until is the first second that is refused', 'license-until-*'],
  ['that only keys for licenses sign licenses, and roots do not', 'license-key-purpose license-root*'],
  ['that only keys of the chain sign licenses', 'license-stranger'],
  ['the revoked licenses of a keyset', 'license-revoked'],
  ['the lowest counters of a keyset', 'license-lowest*'],
];

const HISTORIES: readonly Group[] = [
  [
    'that production does not start with a file whose form is wrong, and that nothing changes while it runs',
    'verdict-too-large verdict-cbor-* verdict-typ-wrong verdict-alg-unknown verdict-claims-*',
  ],
];

const LICENSES: readonly Group[] = [
  ['to compute the kid of a trusted key', 'kid-claimed kid-of-component'],
  ['that the issuer of the context is an id', 'context-issuer-*'],
  ['that the product of the context is an id', 'context-product-*'],
  ['that the deployment of the context is an id', 'context-deployment-*'],
  // The armor
  ['the bound of 98,304 bytes on the file', 'file-too-large'],
  ['the bound of 49,152 bytes behind the armor', 'file-decoded-too-large'],
  ['that a file without a block is no license', 'file-empty file-blank'],
  ['that a byte order mark is not a blank', 'file-bom'],
  [
    'that no control character but tab, LF and CR is a blank',
    'armor-vertical-tab armor-form-feed armor-unit-separator armor-nul',
    'file-vertical-tab file-form-feed file-unit-separator file-nul',
  ],
  [
    'that no byte beyond ASCII is a blank, unlike for trim() and isspace()',
    'armor-next-line armor-no-break-space armor-line-separator armor-ideographic-space armor-zero-width-space',
    'armor-byte-85 armor-byte-a0 file-next-line file-no-break-space file-byte-85 file-byte-a0',
  ],
  ['that the block is the whole file, without text around it', 'file-text-* size-armor-first'],
  ['that a file has one block', 'file-two-blocks'],
  ['the label VTLIC', 'file-other-label'],
  ['that END has the label of BEGIN', 'file-other-end'],
  ['that no blank is within the block', 'file-begin-blank file-blank-in-line file-blank-ends-line file-line-end'],
  ['that END ends the block', 'file-no-end'],
  ['that a block has base64 in it', 'file-no-body'],
  ['that no line within the block is empty', 'file-empty-line'],
  ['that the block has no header', 'file-header'],
  ['that a lone CR is not a line end', 'file-lone-cr'],
  ['that every line but the last has 64 characters', 'file-short-line file-long-line'],
  ['that padding is only at the end', 'file-padding-*'],
  ['that the base64 is padded', 'file-no-padding'],
  ['that unused bits of the base64 are zero', 'file-unused-bits'],
  ['that base64url is another alphabet', 'file-base64url'],
  ['that a COSE_Sign1 is in the armor', 'file-plain file-crlf file-mixed-ends file-blanks-around'],

  // CBOR
  [
    'that a license is a COSE_Sign1, not just any item of CBOR',
    'cbor-integer cbor-largest cbor-smallest cbor-key-order cbor-key-types cbor-depth-8 cbor-tag-large*',
    'cbor-noncharacter cbor-second-unwalked cbor-inner-unwalked cbor-map-unwalked',
  ],
  ['that a tag has its shortest form', 'envelope-long-tag* cbor-long-tag cbor-head-before-tag cbor-protected-tag-head'],
  ['that the length of an array has its shortest form', 'envelope-long-array* payload-long-array* cbor-long-array'],
  [
    'that the length of a map has its shortest form',
    'envelope-long-unprotected* header-long-map* payload-long-map* claims-long-head cbor-long-map',
  ],
  [
    'that the length of a byte string has its shortest form',
    'envelope-long-protected envelope-long-payload envelope-long-signature* header-long-kid payload-long-bytes',
    'cbor-long-bytes',
  ],
  ['that the length of a text has its shortest form', 'header-long-typ* payload-long-text* cbor-long-text'],
  [
    'that an integer has its shortest form',
    'header-long-alg header-long-key payload-long-1 payload-long-2 payload-long-4 payload-long-8 payload-long-negative*',
    'cbor-long-integer cbor-long-negative cbor-long-32 cbor-long-64',
  ],
  [
    'that a byte string or a text has one length, and no chunks',
    'envelope-indefinite-payload envelope-indefinite-signature payload-indefinite-bytes payload-indefinite-text',
    'cbor-indefinite-bytes cbor-indefinite-text',
  ],
  [
    'that arrays and maps have no indefinite length',
    'envelope-indefinite-array envelope-indefinite-map header-indefinite payload-indefinite payload-indefinite-array',
    'payload-indefinite-map cbor-indefinite-array cbor-indefinite-map cbor-head-before-depth claims-indefinite',
  ],
  ['that map keys are sorted', 'cbor-unsorted cbor-key-before-value'],
  ['that map keys are sorted bytewise, not by length first', 'cbor-length-first'],
  ['that no map key is repeated', 'cbor-repeated'],
  ['that an item has all its bytes', 'cbor-truncated-* size-decoded-smallest'],
  ['that a count or a length beyond the end is a fault', 'cbor-count-* cbor-length-largest'],
  ['that nothing follows the item', 'cbor-trailing file-decoded-largest'],
  ['that additional information 28 to 31 has no argument behind it', 'cbor-info-*'],
  ['that a break ends nothing, since there are no indefinite lengths', 'cbor-break cbor-first-fault-*'],
  ['that the profile has no floats', 'cbor-half cbor-double'],
  ['that the profile has no null', 'cbor-null'],
  ['that the payload is not detached', 'cbor-detached'],
  ['that the profile has no undefined', 'cbor-undefined'],
  ['that the profile has no simple values but false and true, in one form', 'cbor-simple cbor-long-true'],
  ['that integers are within ±(2^53-1)', 'cbor-too-large cbor-too-small cbor-range-before-order'],
  ['that texts are valid UTF-8', 'cbor-utf8 cbor-overlong cbor-surrogate'],
  ['that arrays and maps are nested at most 8 deep', 'cbor-depth-9*'],
  ['that a tag is only at the very top', 'cbor-inner-tag'],
  ['that there is at most one tag', 'cbor-two-tags'],
  ['that the protected bytes are CBOR of the same profile, walked at their place', 'cbor-protected*'],

  // COSE
  ['that tag 18 is required', 'cose-no-tag'],
  ['that the tag is 18', 'cose-other-tag'],
  ['that the array has exactly four items', 'cose-no-array cose-none cose-three cose-five'],
  ['that the protected header is a byte string', 'cose-protected-map'],
  ['that the protected header contains a map', 'cose-empty-protected cose-protected-no-map cbor-protected-depth'],
  ['that the protected header has exactly three entries', 'cose-no-headers cose-more*'],
  ['that the unprotected header is empty', 'cose-unprotected'],
  ['that the unprotected header is a map', 'cose-unprotected-array'],
  ['that the payload is a byte string', 'cose-payload-text cose-payload-map'],
  ['that the signature is a byte string', 'cose-signature-*'],
  ['that the kid has 32 bytes, all of which count', 'cose-kid-31 cose-kid-33'],
  ['that the kid is a byte string', 'cose-kid-text'],
  ['that the header has the algorithm', 'cose-no-alg'],
  ['that the header has a kid', 'cose-no-kid'],
  ['that the typ is required', 'cose-no-typ'],
  ['that the typ is a text', 'cose-typ-integer'],
  ['that the algorithm is an integer or a text', 'cose-alg-bytes'],
  ['that the rehearsal of another kind of document is no license either', 'typ-rehearsal-*'],

  // The signature
  ['that the equation is checked without the cofactor', 'gray-mixed-order-*'],
  ["that both components sign M', ML-DSA-65 with the label as its context", 'composite-mldsa-raw-no-context'],

  // The claims
  ['that the payload is a map', 'claims-array'],
  ['that the payload is not empty', 'claims-no-bytes'],
  ['that a tag is only at the very top', 'claims-tag'],
  ['that the encoding of the payload is judged before the claims', 'claims-encoding-first'],
  ['that a map with nothing but iss is no license', 'payload-size-23 payload-size-24'],
  ['that a claim has exactly its key of the table, with its type and its case', 'claims-named-iss claims-case'],
  ['that a claim has exactly its key of the table, with its type and its case', 'claims-key-* claim-unknown-digit'],
  [
    'that a claim which is not understood refuses the license, whatever else is wrong',
    'claims-unknown-first claims-unknown-and-bound claims-before-policy',
  ],
  ['that an id is not empty', 'claims-iss-empty claims-dep-empty'],
  ['that an id begins with a letter or a digit', 'claims-iss-dot'],
  ['the grammar of ids', 'claims-iss-blank claims-iss-slash claims-iss-umlaut'],
  ['that an id is a text', 'claims-iss-bytes'],
  ['that a license id has 16 bytes', 'claims-cti-15'],
  ['the bounds of ctr', 'claims-ctr-large'],
  ['the bounds of upd', 'claims-upd-negative claims-upd-late'],
  ['that an integer is no text', 'claims-upd-text'],
  ['that true is not the integer 1', 'claims-upd-true claim-upd-true'],
  ['that an empty list is left out', 'claims-hosts-empty'],
  ['that a fingerprint has 32 bytes', 'claims-hosts-31'],
  ['that a fingerprint is a byte string', 'claims-hosts-text'],
  ['that hosts are sorted', 'claims-hosts-unsorted'],
  ['that each host is there once', 'claims-hosts-twice'],
  ['that there are at most 1024 hosts', 'claims-hosts-many'],
];

const GROUPS: Readonly<Record<Case['operation'], readonly Group[]>> = {
  verify: LICENSES,
  trust: TRUST,
  'key-file': KEY_FILES,
  override: OVERRIDES,
  keyset: KEYSETS,
  history: HISTORIES,
};

/** Id of a case, or the beginning of ids with `*` behind it → its sentence. */
export const SENTENCES: ReadonlyMap<string, string> = new Map(
  Object.entries(GROUPS).flatMap(([operation, groups]) =>
    groups.flatMap(([sentence, ...names]) =>
      names.flatMap((some) => some.split(' ')).map((name) => [`${operation}/${name}`, sentence] as const),
    ),
  ),
);

/** The sentence of the longest name that fits. */
export function sentenceOf(id: string): string | undefined {
  const own = SENTENCES.get(id);
  if (own !== undefined) return own;
  for (let length = id.length; length > 0; length--) {
    const found = SENTENCES.get(`${id.slice(0, length)}*`);
    if (found !== undefined) return found;
  }
  return undefined;
}
