/** COSE_Sign1 and its header: Appendix B.3 of docs/format.md. */
import { encodeCbor } from '../../formats/cbor/encode.ts';
import type { CborValue } from '../../formats/cbor/value.ts';
import { TYP } from '../../formats/cose-sign1.ts';
import { decoded, hex, type Input, type Row } from './small-example.ts';

const KID = new Uint8Array(32);
const LICENSE: readonly (readonly [CborValue, CborValue])[] = [
  [1, -19],
  [4, KID],
  [16, TYP.license],
];

/** A whole one by a key of zeros, with some header parameters set or removed. */
function cose(changes: readonly (readonly [CborValue, CborValue | undefined])[]): Input {
  return decoded(`d284${headerWith(changes)}a04040`);
}

/** The protected bytes as a byte string. */
function headerWith(changes: readonly (readonly [CborValue, CborValue | undefined])[]): string {
  const header = new Map<CborValue, CborValue>(LICENSE);
  for (const [key, value] of changes) {
    if (value === undefined) header.delete(key);
    else header.set(key, value);
  }
  return hex(encodeCbor(header));
}

const HEADER = headerWith([]);

export const COSE_ROWS: readonly Row[] = [
  ['cose-whole', cose([]), 'a whole header, by a key of zeros', 'key_unknown'],
  ['cose-no-tag', decoded(`84 ${HEADER} a0 40 40`), 'no tag', 'cose_malformed'],
  ['cose-other-tag', decoded(`d1 84 ${HEADER} a0 40 40`), 'tag 17 (`COSE_Mac0`)', 'cose_malformed'],
  ['cose-no-array', decoded('d2 a0'), 'no array', 'cose_malformed'],
  ['cose-none', decoded('d2 80'), 'no item', 'cose_malformed'],
  ['cose-three', decoded(`d2 83 ${HEADER} a0 40`), 'three items', 'cose_malformed'],
  ['cose-five', decoded(`d2 85 ${HEADER} a0 40 40 40`), 'five items', 'cose_malformed'],
  ['cose-empty-protected', decoded('d2 84 40 a0 40 40'), 'protected bytes of length 0', 'cose_malformed'],
  ['cose-protected-map', decoded('d2 84 a0 a0 40 40'), 'the protected header as a map', 'cose_malformed'],
  ['cose-protected-no-map', decoded('d2 84 4180 a0 40 40'), 'protected bytes that hold an array', 'cose_malformed'],
  ['cose-unprotected', decoded(`d2 84 ${HEADER} a10440 40 40`), 'something unprotected', 'cose_malformed'],
  ['cose-unprotected-array', decoded(`d2 84 ${HEADER} 80 40 40`), 'unprotected is an array', 'cose_malformed'],
  ['cose-payload-text', decoded(`d2 84 ${HEADER} a0 60 40`), 'a payload that is a text', 'cose_malformed'],
  ['cose-payload-map', decoded(`d2 84 ${HEADER} a0 a0 40`), 'a payload that is a map', 'cose_malformed'],
  ['cose-payload-unwalked', decoded(`d2 84 ${HEADER} a0 421817 40`), 'the payload is not walked', 'key_unknown'],
  ['cose-signature-text', decoded(`d2 84 ${HEADER} a0 40 60`), 'a signature that is a text', 'cose_malformed'],
  ['cose-signature-array', decoded(`d2 84 ${HEADER} a0 40 80`), 'a signature that is an array', 'cose_malformed'],
  ['cose-no-headers', decoded('d2 84 41a0 a0 40 40'), 'no header parameter at all', 'cose_malformed'],
  ['cose-kid-31', cose([[4, new Uint8Array(31)]]), 'a kid of 31 bytes', 'cose_malformed'],
  ['cose-kid-text', cose([[4, 'key']]), 'a kid that is a text', 'cose_malformed'],
  ['cose-kid-33', cose([[4, new Uint8Array(33)]]), 'a kid of 33 bytes', 'cose_malformed'],
  ['cose-no-alg', cose([[1, undefined]]), 'alg missing', 'cose_malformed'],
  ['cose-no-kid', cose([[4, undefined]]), 'kid missing', 'cose_malformed'],
  ['cose-no-typ', cose([[16, undefined]]), 'typ missing', 'cose_malformed'],
  ['cose-typ-integer', cose([[16, 1]]), 'a typ that is an integer', 'cose_malformed'],
  ['cose-alg-bytes', cose([[1, new Uint8Array()]]), 'an alg that is a byte string', 'cose_malformed'],
  ['cose-more', cose([[3, 0]]), 'one parameter more (content type)', 'cose_malformed'],
  ['cose-more-negative', cose([[-1, 0]]), 'a fourth parameter that is sorted last: `-1`', 'cose_malformed'],
  ['cose-more-text', cose([['crit', 0]]), 'a fourth parameter that is sorted last: a text', 'cose_malformed'],
  ['cose-keyset', cose([[16, TYP.keyset]]), 'typ of a keyset', 'typ_wrong'],
  ['cose-typ-case', cose([[16, 'application/vnd.vtlic.License+cose']]), 'typ in another case', 'typ_wrong'],
  ['cose-alg-eddsa', cose([[1, -8]]), '`-8`, EdDSA', 'alg_unknown'],
  ['cose-alg-mldsa', cose([[1, -49]]), '`-49`, ML-DSA-65 alone', 'alg_unknown'],
  ['cose-alg-text', cose([[1, 'ML-DSA-65-Ed25519']]), 'the name that JOSE uses', 'alg_unknown'],
  [
    'cose-typ-before-alg',
    cose([
      [1, -8],
      [16, 'JWT'],
    ]),
    'typ and alg wrong: typ comes first',
    'typ_wrong',
  ],
];
