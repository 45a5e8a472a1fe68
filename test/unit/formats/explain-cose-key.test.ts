import { describe, expect, it } from 'vitest';
import { explainCoseKey } from '../../../formats/explain-cose-key.ts';
import { hex } from './hex.ts';

const FORM = 'exactly kty, crv, x (Ed25519) or kty, alg, pub (composite), deterministically encoded';
const PRIVATE = 'this COSE_Key contains a private key, where a public key was expected';
const SET = 'this is a COSE_KeySet, where one COSE_Key was expected';
const NONE = `this is not a COSE_Key of an Ed25519 or composite public key: ${FORM}`;
const more = (names: string): string => `this COSE_Key should have ${FORM}, but it also has ${names}`;

/** In hex digits: kty, crv and x of an Ed25519 key, which has them in the order of their encodings. */
const OKP = '01 01 20 06 21 41aa';

function explanation(bytes: string): Record<string, unknown> {
  const { code, message, hint } = explainCoseKey(hex(bytes));
  return { code, message, hint };
}

describe('explainCoseKey', () => {
  it.each<[name: string, bytes: string, message: string, hint?: string]>([
    [
      'a private key',
      `a4 ${OKP} 23 41bb`,
      PRIVATE,
      'Give the public key (vtlic key export NAME), and keep this file secret.',
    ],
    ['a set of keys', `81 a3 ${OKP}`, SET, 'Give each key in a file of its own.'],
    ['a key with more members', `a4 ${OKP} 02 41bb`, more('kid'), 'Export the key without them, or as SPKI PEM.'],
    ['no key', '01', NONE],
  ])('says of %s what it is and what to do', (_, bytes, message, hint) => {
    expect(explanation(bytes)).toEqual({ code: 'key_invalid', message, hint });
  });

  it.each([
    ['OKP', 'a3 01 01 20 06 23 41bb'],
    ['EC2', 'a3 01 02 20 01 23 41bb'],
    ['RSA', 'a3 01 03 20 41aa 22 41bb'],
    ['symmetric', 'a2 01 04 20 41bb'],
    ['AKP', 'a3 01 07 03 61aa 21 41bb'],
    ['unknown', 'a2 01 05 23 41bb'],
    ['without a type', 'a1 23 41bb'],
    ['with a type in words', 'a2 01 63414b50 23 41bb'],
    ['with its type behind its private part', 'a2 20 41bb 01 04'],
  ])('calls a key private by the label of its type: %s', (_, bytes) => {
    expect(explanation(bytes)).toMatchObject({ message: PRIVATE });
  });

  it.each([
    ['OKP', `a3 ${OKP}`, NONE],
    ['EC2 with y', 'a4 01 02 20 01 21 41aa 22 41aa', NONE],
    ['RSA', 'a3 01 03 20 41aa 21 41aa', NONE],
    ['symmetric without its key', 'a2 01 04 03 05', more('alg')],
    ['AKP with alg', 'a3 01 07 03 61aa 20 41aa', NONE],
    ['AKP with kid and alg', 'a4 01 07 02 41aa 03 61aa 20 41aa', more('kid')],
    ['every common member', `a7 ${OKP} 02 41aa 03 32 04 8102 05 41aa`, more('kid, alg, key_ops, Base IV')],
    ['members that nobody knows', `a5 ${OKP} 06 01 24 01`, NONE],
  ])('does not call a public key private: %s', (_, bytes, message) => {
    expect(explanation(bytes)).toMatchObject({ message });
  });

  it.each([
    ['the second of two keys', `82 a3 ${OKP} a1 23 41bb`, PRIVATE],
    ['in a set of indefinite length', `9f a3 ${OKP} a1 23 41bb ff`, PRIVATE],
    ['behind a key of indefinite length', `82 bf ${OKP} ff a1 23 41bb`, PRIVATE],
    ['two public keys', `82 a3 ${OKP} a3 ${OKP}`, SET],
    ['a set that ends too early', `82 a3 ${OKP}`, SET],
    ['an empty set', '80', NONE],
    ['an array without keys', '82 01 a1 23 41bb', NONE],
    ['what follows a set is no part of it', `81 a3 ${OKP} a1 23 41bb`, SET],
    ['what follows a set of indefinite length is no part of it', `9f a3 ${OKP} ff a1 23 41bb`, SET],
  ])('looks into each key of a set: %s', (_, bytes, message) => {
    expect(explanation(bytes)).toMatchObject({ message });
  });

  // Before the private label: a label with the item that is its value.
  it.each([
    ['an integer', '06 17'],
    ['an integer of 1 byte', '06 18ff'],
    ['an integer of 2 bytes', '06 19ffff'],
    ['an integer of 4 bytes', '06 1affffffff'],
    ['an integer of 8 bytes', '06 1bffffffffffffffff'],
    ['a label in a long form', '1906ff 01'],
    ['a negative label in a long form', '3800 01'],
    ['a text as label', '6123 01'],
    ['an empty text as label', '60 01'],
    ['an array as label', '8101 01'],
    ['16 arrays in one another as label', `${'81'.repeat(16)} 01 01`],
    ['a byte string', '06 4123'],
    ['a byte string of a long length', `06 5818 ${'23'.repeat(24)}`],
    ['a text', '06 6123'],
    ['byte chunks', '06 5f 4123 4123 ff'],
    ['text chunks', '06 7f 6123 ff'],
    ['an array', '06 82 01 4123'],
    ['an array of a long length', `06 9818 ${'01'.repeat(24)}`],
    ['an empty array', '06 80'],
    ['an array of indefinite length', '06 9f 01 ff'],
    ['a map', '06 a1 01 4123'],
    ['a map of indefinite length', '06 bf 01 4123 ff'],
    ['an empty map', '06 a0'],
    ['a tag', '06 c1 4123'],
    ['a tag of a long number', '06 d8ff 4123'],
    ['a tag of a tag', '06 c1 c1 4123'],
    ['true', '06 f5'],
    ['a simple value of 1 byte', '06 f8ff'],
    ['a float of 2 bytes', '06 f97e00'],
    ['a float of 4 bytes', '06 fa7fc00000'],
    ['a float of 8 bytes', '06 fb7ff8000000000000'],
    ['16 arrays in one another', `06 ${'81'.repeat(16)} 01`],
  ])('finds a private part behind %s, and only there', (_, member) => {
    expect(explanation(`a3 01 01 ${member} 23 41bb`)).toMatchObject({ message: PRIVATE });
    expect(explanation(`bf 01 01 ${member} 23 41bb ff`)).toMatchObject({ message: PRIVATE });
    expect(explanation(`a3 01 01 ${member} 22 41bb`)).toMatchObject({ message: NONE });
    // What follows the key is no part of it.
    expect(explanation(`a2 01 01 ${member} 23 41bb`)).toMatchObject({ message: NONE });
    expect(explanation(`bf 01 01 ${member} ff 23 41bb`)).toMatchObject({ message: NONE });
  });

  it.each([
    ['nothing', ''],
    ['a text', '61 23'],
    ['a byte string', '41 23'],
    ['a tag of a private key', 'c1 a1 23 41bb'],
    ['a break', 'ff a1 23 41bb'],
    ['a head that is reserved', '9c a1 23 41bb'],
    ['a map whose head is reserved', 'bc 23 41bb'],
    ['a key that ends behind its head', 'a3'],
    ['a key that ends behind a label', 'a3 01'],
    ['a key that ends within a label', 'a1 38'],
    ['a string that is longer than the file', 'a3 01 01 06 58ff 23 41bb'],
    ['a break in the place of a value', 'a3 01 01 06 ff 23 41bb'],
    ['a break in the place of a type', 'a2 01 ff 23 41bb'],
    ['a break in a key of known length', 'a3 01 01 ff 01 23 41bb'],
    ['a break behind a tag', 'a3 01 01 06 c1 ff 23 41bb'],
    ['a reserved head within a key', 'a3 01 01 06 1c 23 41bb'],
    ['17 arrays in one another', `a3 01 01 06 ${'81'.repeat(17)} 01 23 41bb`],
    ['100,000 arrays in one another', `a3 01 01 06 ${'81'.repeat(100_000)}`],
  ])('finds no key in %s', (_, bytes) => {
    expect(explanation(bytes)).toMatchObject({ message: NONE });
  });
});
