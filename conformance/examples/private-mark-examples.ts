/** The marks of private keys in the strings of a JWK: Appendix B.6 of docs/format.md. */
import { exportPublicKey } from '../../keys/public/encodings/public-key-file.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { ed25519Key } from './example-keys.ts';

type Row = readonly [id: string, what: string, file: string, keys: readonly PublicKey[] | undefined];

const key = ed25519Key.publicKey;
const JWK = new TextDecoder().decode(exportPublicKey(key, 'jwk')).trimEnd();

/** A JSON string with every character escaped, so that only a reader of JSON sees the mark in it. */
const escaped = (text: string): string =>
  `"${Array.from(text, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`;
const withMember = (name: string, value: string): string => JWK.replace('}', `,${name}:${value}}`);
const note = (text: string): string => withMember('"note"', escaped(text));

const LONGEST_BEFORE_PRIVATE = 64;
const LONGEST_BEFORE_SECRET_KEY = 128;
const begin = (characters: number): string => `-----BEGIN ${'A'.repeat(characters)}PRIVATE`;
const comment = (characters: number): string => `untrusted comment: ${'a'.repeat(characters)}secret key`;

export const PRIVATE_MARK_ROWS: readonly Row[] = [
  ['keys-mark-putty', 'an escaped text of a JWK: `PuTTY-User-Key-File-3`', note('PuTTY-User-Key-File-3: x'), undefined],
  ['keys-mark-identity', 'the same with `AGE-SECRET-KEY-1`', note('AGE-SECRET-KEY-1QQQQ'), undefined],
  ['keys-mark-identity-lower', 'the same in lower case', note('age-secret-key-1qqqq'), undefined],
  [
    'keys-mark-minisign',
    'the same with the first line of a minisign secret key',
    note('untrusted comment: minisign encrypted secret key'),
    undefined,
  ],
  ['keys-mark-minisign-128', '128 characters before `secret key`', note(comment(LONGEST_BEFORE_SECRET_KEY)), undefined],
  ['keys-mark-minisign-129', '129 characters before it', note(comment(LONGEST_BEFORE_SECRET_KEY + 1)), [key]],
  ['keys-mark-minisign-line', '`secret key` on the next line', note('untrusted comment: my key\nno secret key'), [key]],
  [
    'keys-mark-age-armor',
    'the same with `-----BEGIN AGE ENCRYPTED FILE-----`',
    note('-----BEGIN AGE ENCRYPTED FILE-----'),
    undefined,
  ],
  [
    'keys-mark-age-armor-lower',
    'the same in lower case, which is no mark',
    note('-----begin age encrypted file-----'),
    [key],
  ],
  ['keys-mark-age', 'a text that begins with `age-encryption.org/v`', note('age-encryption.org/v1'), undefined],
  ['keys-mark-age-within', 'the same behind a blank, which is no mark', note(' age-encryption.org/v1'), [key]],
  [
    'keys-mark-ssh2',
    'four hyphens and a blank before BEGIN',
    note('---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----'),
    undefined,
  ],
  ['keys-mark-lower', 'a BEGIN line in lower case', note('-----begin private key-----'), undefined],
  ['keys-mark-word', '`PRIVATE` in a longer word, behind text', note('x-----BEGIN UNPRIVATED KEY-----'), undefined],
  ['keys-mark-64', '64 characters between BEGIN and `PRIVATE`', note(begin(LONGEST_BEFORE_PRIVATE)), undefined],
  ['keys-mark-65', '65 characters between them', note(begin(LONGEST_BEFORE_PRIVATE + 1)), [key]],
  [
    'keys-mark-between',
    'a mark in the file as it is, which begins in one string and ends in the next',
    withMember('"a"', '"-----BEGIN ","b":"PRIVATE"'),
    undefined,
  ],
  ['keys-mark-line', '`PRIVATE` on the line behind BEGIN', note('-----BEGIN A\nPRIVATE'), [key]],
  ['keys-mark-name', 'the mark in the name of a member', withMember('"AGE-SECRET-KEY-1QQQQ"', '1'), undefined],
  ['keys-mark-name-escaped', 'the same, escaped', withMember(escaped('AGE-SECRET-KEY-1QQQQ'), '1'), undefined],
  ['keys-jwk-private-escaped', 'a JWK with an escaped `d`', withMember('"\\u0064"', '"AA"'), undefined],
  ['keys-jwk-private-case', 'a JWK with `D`, which is passed over', withMember('"D"', '"AA"'), [key]],
];
