/** What a file that is not a public key is called, and that a private key is found wherever it is. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, utf8 } from '../../../../formats/bytes.ts';
import { encodeCbor } from '../../../../formats/cbor/encode.ts';
import type { CborValue } from '../../../../formats/cbor/value.ts';
import type { VtlicError } from '../../../../formats/error.ts';
import { SoftwareKey } from '../../../../keys/private/software/software-key.ts';
import { decodeComponentText } from '../../../../keys/public/encodings/component-text.ts';
import { exportPublicKey, parsePublicKeys } from '../../../../keys/public/encodings/public-key-file.ts';
import { COMPOSITE_SPKI_PREFIX } from '../../../../keys/public/encodings/spki.ts';
import { base64, hex, readData } from './read-data.ts';
import { thrown } from '../../../support/thrown.ts';

const seed = randomBytes(32);
const ed25519 = new SoftwareKey('ed25519', 'license', seed).publicKey;
const composite = new SoftwareKey('ed25519+ml-dsa-65', 'license', randomBytes(64)).publicKey;
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const base64Of = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const PEM = textOf(exportPublicKey(ed25519, 'pem'));
const JWK = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(ed25519.bytes).toString('base64url') };

function refusalOf(file: Uint8Array | string): VtlicError {
  return thrown(() => parsePublicKeys(typeof file === 'string' ? utf8(file) : file));
}

interface Lamps {
  readonly tests: readonly { readonly pk: string; readonly x5c: string; readonly sk_pkcs8: string }[];
}
const [lamps] = readData<Lamps>('composite/lamps-draft.json').tests;
const jose = readData<{ readonly key: string; readonly raw_public_key: string }>('composite/jose-cose-draft.json');

const pkcs8 = (type: 'ed25519' | 'ec' | 'rsa', format: 'der' | 'pem', cipher = false): Buffer | string => {
  const { privateKey } =
    type === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : type === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: 1024 });
  const protection = cipher ? { cipher: 'aes-256-cbc', passphrase: 'x' } : {};
  return format === 'der'
    ? privateKey.export({ format, type: 'pkcs8', ...protection })
    : privateKey.export({ format, type: 'pkcs8', ...protection });
};
const der = (type: 'ed25519' | 'ec' | 'rsa', cipher = false): Uint8Array => Buffer.from(pkcs8(type, 'der', cipher));
const sec1 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'der', type: 'sec1' });
/** PKCS #8 version 2 with the public key (RFC 8410 §10.3), 83 bytes: it begins with `30 51`, which are two letters. */
const pkcs8v2 = concatBytes(
  fromHex('3051020101300506032b657004220420') ?? new Uint8Array(),
  seed,
  Uint8Array.of(0x81, 0x21, 0),
  ed25519.bytes,
);
const cose = (...members: readonly [CborValue, CborValue][]): Uint8Array => encodeCbor(new Map(members));

/** Hex digits, which blanks may part, and bytes. */
const cborOf = (...parts: readonly (string | Uint8Array)[]): Uint8Array =>
  concatBytes(...parts.map((part) => (typeof part === 'string' ? hex(part.replaceAll(' ', '')) : part)));

describe('a private key', () => {
  it.each<[string, Uint8Array | string]>([
    ['PKCS #8 in DER', der('ed25519')],
    ['PKCS #8 version 2 in DER', pkcs8v2],
    ['PKCS #8 of another algorithm', der('ec')],
    ['PKCS #8 of a long key', der('rsa')],
    ['encrypted PKCS #8 in DER', der('ed25519', true)],
    ['SEC 1 in DER', sec1],
    ['the composite of the IETF draft as PKCS #8', base64(lamps?.sk_pkcs8 ?? '')],
    ['PKCS #8 behind a public key in DER', concatBytes(exportPublicKey(ed25519, 'der'), der('ed25519'))],
    ['base64 of PKCS #8', base64Of(der('ed25519'))],
    ['wrapped base64 of PKCS #8', base64Of(der('rsa')).replaceAll(/(.{64})/g, '$1\n')],
    ['base64 of a PEM of PKCS #8', base64Of(Buffer.from(pkcs8('ed25519', 'pem')))],
    ['PEM', pkcs8('ed25519', 'pem').toString()],
    ['encrypted PEM', pkcs8('ed25519', 'pem', true).toString()],
    ['PEM behind a public key', PEM + pkcs8('ed25519', 'pem').toString()],
    ['PEM behind text', `Bag Attributes\n${pkcs8('ed25519', 'pem').toString()}`],
    ['PEM behind a byte order mark', `\ufeff${pkcs8('ed25519', 'pem').toString()}`],
    ['an OpenSSH private key', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n'],
    ['a PuTTY key', 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n'],
    ['an age identity', '# created: today\nAGE-SECRET-KEY-1QQQQ\n'],
    ['a key file of this toolkit', 'age-encryption.org/v1\n-> scrypt AAAA 18\n'],
    ['an armored age file', '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n'],
    ['a JWK with d beside keys', JSON.stringify({ ...JWK, d: 'SECRET', keys: [JWK] })],
    ['a JWK Set with d beside keys', JSON.stringify({ d: 'SECRET', keys: [JWK] })],
    ['a JWK with d in a member of a member', JSON.stringify({ ...JWK, more: [{ deep: { d: null } }] })],
    ['a JWK Set with a symmetric key in a member', JSON.stringify({ keys: [JWK], old: { kty: 'oct', k: 'AA' } })],
    ['a JWK with the prime of an RSA key', JSON.stringify({ ...JWK, p: 'AA' })],
    ['a JWK with a PEM private key as a text', JSON.stringify({ ...JWK, note: pkcs8('ed25519', 'pem').toString() })],
    [
      'a JWK with an escaped PEM private key',
      JSON.stringify({ ...JWK, note: pkcs8('ed25519', 'pem').toString() }).replaceAll('-', '\\u002d'),
    ],
    [
      'a JWK with a member whose escaped name is an age identity',
      JSON.stringify({ ...JWK, 'AGE-SECRET-KEY-1QQQQ': 1 }).replaceAll('-', '\\u002d'),
    ],
    ['a COSE_Key with kid and d', cose([1, 1], [2, utf8('k')], [-1, 6], [-2, ed25519.bytes], [-4, seed])],
    ['a COSE_Key of the IETF draft', hex(jose.key)],
    [
      'a COSE_Key whose members are in no order',
      cborOf('a5 20 06 23 5820', seed, '03 27 01 01 21 5820', ed25519.bytes),
    ],
    ['a COSE_Key of indefinite length', cborOf('bf 01 01 20 06 23 5820', seed, 'ff')],
    ['a COSE_Key with arguments in long forms', cborOf('b90003 1801 01 3800 06 3803 590020', seed)],
    ['a COSE_Key with nested members before d', cborOf('a4 01 01 04 9f 02 81a16101f5 ff 6161 c2 4101 23 5820', seed)],
    ['a truncated COSE_Key', cborOf('a4 01 01 20 06 21 5820', ed25519.bytes, '23 5820')],
    ['a symmetric COSE_Key', cose([1, 4], [-1, seed])],
    [
      'a COSE_KeySet with a private key',
      encodeCbor([
        new Map<CborValue, CborValue>([
          [1, 1],
          [-1, 6],
          [-4, seed],
        ]),
      ]),
    ],
  ])('is refused as one, with what to do: %s', (_, file) => {
    const { code, message, hint } = refusalOf(file);
    expect(code).toBe('key_invalid');
    expect(message).toContain('private key');
    expect(hint).toContain('Give the public key');
    expect(hint).toContain('secret');
  });

  it('is refused as one in an item of the override', () => {
    for (const text of [pkcs8('ed25519', 'pem').toString(), base64Of(der('ed25519'))])
      expect(thrown(() => decodeComponentText(text, 'ed25519')).message).toContain('private key');
  });

  it('is not said where none is: public keys with words and members about private ones', () => {
    const harmless = { ...JWK, use: 'sig', note: 'the private key is in the safe', x5t: 'd' };
    expect(parsePublicKeys(utf8(JSON.stringify(harmless))).map(({ kid }) => kid)).toEqual([ed25519.kid]);
  });
});

describe('a file that is not a public key in a published form', () => {
  it.each<[string, Uint8Array | string, string, string]>([
    ['PEM behind a byte order mark', `\ufeff${PEM}`, 'byte order mark', 'without the mark'],
    ['PEM in UTF-16', Buffer.from(`\ufeff${PEM}`, 'utf16le'), 'UTF-16', 'UTF-8'],
    ['an OpenSSH line', `ssh-ed25519 ${'A'.repeat(68)} me@host`, 'OpenSSH public key', 'vtlic key export'],
    ['an OpenSSH line of a security key', 'sk-ssh-ed25519@openssh.com AAAA', 'OpenSSH public key', 'vtlic key export'],
    ['an age recipient', 'age1qqqq', 'age recipient', 'vtlic key export'],
    ["a log's key", 'example.com/log+01020304+AAAA', "log's verifier key", '--log-key'],
    ['base64 of an SPKI', base64Of(exportPublicKey(ed25519, 'der')), 'base64 of an SPKI', 'BEGIN PUBLIC KEY'],
    ['base64 of a PEM file', base64Of(utf8(PEM)), 'base64 of a PEM file', 'base64 -d'],
    ['hex', Buffer.from(ed25519.bytes).toString('hex'), 'hex', 'vtlic key export'],
    ['base64url', Buffer.alloc(32, 0xff).toString('base64url'), 'base64url of 32 bytes', 'standard base64'],
    ['base64 of seed and key', base64Of(concatBytes(seed, ed25519.bytes)), 'private key', 'keep it secret'],
    ['base64 of an ML-DSA-65 key', base64Of(composite.bytes.slice(0, 1952)), 'only an ML-DSA-65 key', 'composite'],
    ['a certificate in DER', base64(lamps?.x5c ?? ''), 'X.509 certificate', 'openssl x509'],
    ['a certificate in PEM', PEM.replaceAll('PUBLIC KEY', 'CERTIFICATE'), '"CERTIFICATE"', 'openssl x509'],
    ['a license', PEM.replaceAll('PUBLIC KEY', 'VTLIC'), '"VTLIC"', 'a license'],
    ['a COSE_Key with kid', cose([1, 1], [2, utf8('k')], [-1, 6], [-2, ed25519.bytes]), 'also has kid', 'without them'],
    ['a COSE_Key with alg', cose([1, 1], [3, -19], [-1, 6], [-2, ed25519.bytes]), 'also has alg', 'without them'],
    [
      'a composite COSE_Key with kid and key_ops',
      cose([1, 7], [2, utf8('k')], [3, 'ed25519+ml-dsa-65'], [4, [2]], [-1, composite.bytes]),
      'also has kid, key_ops',
      'without them',
    ],
    [
      'a COSE_KeySet',
      encodeCbor([
        new Map<CborValue, CborValue>([
          [1, 1],
          [-1, 6],
          [-2, ed25519.bytes],
        ]),
      ]),
      'COSE_KeySet',
      'file of its own',
    ],
  ])('is named for what it is, with what to do: %s', (_, file, words, hint) => {
    const error = refusalOf(file);
    expect(error.code).toBe('key_invalid');
    expect(error.message).toContain(words);
    expect(error.hint).toContain(hint);
  });
});

describe('bytes that begin as CBOR', () => {
  it.each<[string, Uint8Array]>([
    ['a map that promises more than there is', cborOf('bb 00ffffffffffffff')],
    ['an array that promises more than there is', cborOf('9b 00ffffffffffffff a0')],
    ['deep nesting', cborOf('a1 01', new Uint8Array(100_000).fill(0x81))],
    ['reserved information', cborOf('a1 1c')],
    ['a break and nothing else', cborOf('bf ff')],
    ['a label that is a text', cborOf('a1 6178 01')],
    ['noise', concatBytes(Uint8Array.of(0xa3), randomBytes(1000))],
  ])('are refused, also where they are no key: %s', (_, file) => {
    expect(refusalOf(file).code).toBe('key_invalid');
  });
});

describe('a composite in one piece', () => {
  it('is read from a certificate of the IETF draft as the same 1984 bytes', () => {
    const certificate = Buffer.from(lamps?.x5c ?? '', 'base64');
    const at = certificate.indexOf(COMPOSITE_SPKI_PREFIX);
    const spki = certificate.subarray(at, at + COMPOSITE_SPKI_PREFIX.length + 1984);
    const [key, ...more] = parsePublicKeys(spki, { forSite: true });
    expect(more).toEqual([]);
    expect(base64Of(key?.bytes ?? new Uint8Array())).toBe(lamps?.pk);
    if (key !== undefined) expect(exportPublicKey(key, 'composite-der')).toEqual(Uint8Array.from(spki));
  });

  it('is read as a JWK with the alg of the draft, with the kid of this format', () => {
    const bytes = hex(jose.raw_public_key);
    const pub = Buffer.from(bytes).toString('base64url');
    const [key] = parsePublicKeys(utf8(JSON.stringify({ kty: 'AKP', alg: 'ML-DSA-65-Ed25519', kid: 'k', pub })));
    const [own] = parsePublicKeys(utf8(JSON.stringify({ kty: 'AKP', alg: 'ed25519+ml-dsa-65', pub })));
    expect(key).toEqual(own);
    expect(key?.bytes).toEqual(bytes);
  });

  it('has one kid in every form', () => {
    for (const form of ['pem', 'composite-pem', 'composite-der', 'composite-jwk', 'jwk', 'cose', 'raw'] as const)
      expect(parsePublicKeys(exportPublicKey(composite, form)).map(({ kid }) => kid)).toEqual([composite.kid]);
  });

  it('is no form of an Ed25519 key', () => {
    for (const form of ['composite-pem', 'composite-der', 'composite-jwk'] as const)
      expect(thrown(() => exportPublicKey(ed25519, form))).toMatchObject({ code: 'usage' });
  });

  it('does not complete an ML-DSA-65 key before it', () => {
    const [mldsa65 = ''] = textOf(exportPublicKey(composite, 'pem')).split(/(?<=-----END PUBLIC KEY-----\n)/);
    expect(refusalOf(mldsa65 + textOf(exportPublicKey(composite, 'composite-pem'))).message).toContain(
      'nothing follows it',
    );
  });

  it('is no item of the override, which names the command that splits it', () => {
    const error = thrown(() => decodeComponentText(textOf(exportPublicKey(composite, 'composite-pem')), 'ml-dsa-65'));
    expect(error.message).toContain('composite in one piece');
    expect(error.hint).toContain('--form env');
  });
});

describe('one file', () => {
  it('gives a key once that is in it several times, in whatever forms', () => {
    const forms = textOf(exportPublicKey(composite, 'composite-pem')) + textOf(exportPublicKey(composite, 'pem'));
    expect(parsePublicKeys(utf8(PEM + forms + PEM)).map(({ kid }) => kid)).toEqual([ed25519.kid, composite.kid]);
  });

  it('does not contain a component in two keys', () => {
    const component = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(composite.ed25519).toString('base64url') };
    const whole = JSON.parse(textOf(exportPublicKey(composite, 'composite-jwk'))) as unknown;
    expect(refusalOf(JSON.stringify({ keys: [component, whole] })).message).toContain('share a component');
    const two = textOf(exportPublicKey(composite, 'pem')).split(/(?<=-----END PUBLIC KEY-----\n)/);
    expect(refusalOf(two.join('') + (two[1] ?? '')).message).toContain('share a component');
  });

  it('is not both a JWK and a JWK Set', () => {
    expect(refusalOf(JSON.stringify({ ...JWK, keys: [JWK] })).message).toContain('both "kty" and "keys"');
    expect(refusalOf(JSON.stringify({ kty: 'x', keys: [] })).message).toContain('both "kty" and "keys"');
  });
});

describe('PEM', () => {
  const [begin = '', body = '', end = ''] = PEM.split('\n');

  it.each([
    ['blanks before BEGIN and behind BEGIN and END', ` \t${begin} \t\n${body}\n${end} \t\r\n`],
    ['empty lines and blanks among its base64', `${begin}\n\n ${body.slice(0, 9)}\t\n${body.slice(9)} \n\n${end}`],
    ['CRLF', `${begin}\r\n${body}\r\n${end}\r\n`],
    ['a lone carriage return around the block', `\r${begin}\n${body}\n${end}\r`],
  ])('may have %s', (_, file) => {
    expect(parsePublicKeys(utf8(file)).map(({ kid }) => kid)).toEqual([ed25519.kid]);
  });

  it.each([
    ['END behind base64', `${begin}\n${body}${end}\n`],
    ['END behind blanks', `${begin}\n${body}\n ${end}\n`],
    ['base64 behind BEGIN', `${begin}${body}\n${end}\n`],
    ['a lone carriage return for a line end', `${begin}\r${body}\r${end}\r`],
    ['a lone carriage return in its base64', `${begin}\n${body.slice(0, 8)}\r${body.slice(8)}\n${end}\n`],
    ['a carriage return twice before a line feed', `${begin}\n${body}\r\r\n${end}\n`],
    ['a form feed for a blank', `${begin}\f\n${body}\n${end}\n`],
    ['a block in a block', `${begin}\n${PEM}${end}\n`],
    ['two structures in one block', `${begin}\n${base64Of(concatBytes(exportPublicKey(composite, 'der')))}\n${end}\n`],
    ['no structure', `${begin}\n\n${end}\n`],
    [
      'one structure cut in two blocks',
      `${begin}\n${body.slice(0, 32)}\n${end}\n${begin}\n${body.slice(32)}\n${end}\n`,
    ],
  ])('is refused with %s', (_, file) => {
    expect(refusalOf(file).code).toBe('key_invalid');
  });

  // In time by the square of its length, it would take minutes.
  it('a PEM file of a megabyte of line ends is refused', { timeout: 60_000 }, () => {
    expect(refusalOf(`${begin}\n${'\n'.repeat(1_000_000)}`).code).toBe('key_invalid');
  });
});
