import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeBase64Url } from '../../../../formats/base64.ts';
import { concatBytes, toHex, utf8 } from '../../../../formats/bytes.ts';
import { encodePrivateCoseKey } from '../../../../formats/cose-key.ts';
import { SoftwareKey } from '../../../../keys/private/software/software-key.ts';
import {
  exportPublicKey,
  parsePublicKeys,
  PUBLIC_KEY_FORMS,
  type PublicKeyForm,
} from '../../../../keys/public/encodings/public-key-file.ts';
import { encodeSpki } from '../../../../keys/public/encodings/spki.ts';
import type { PublicKey } from '../../../../keys/public/public-key.ts';
import { inWords, thrown } from '../../../support/thrown.ts';

const seed = randomBytes(32);
const ed25519 = new SoftwareKey('ed25519', 'license', seed).publicKey;
const composite = new SoftwareKey('ed25519+ml-dsa-65', 'license', randomBytes(64)).publicKey;
const other = new SoftwareKey('ed25519', 'license', randomBytes(32)).publicKey;
const both = [ed25519, composite];
const parsed = PUBLIC_KEY_FORMS.filter((form) => form !== 'env');
const formsOf = (key: PublicKey): readonly PublicKeyForm[] =>
  parsed.filter((form) => key.alg !== 'ed25519' || !form.startsWith('composite-'));

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const kidsOf = (keys: readonly PublicKey[]): readonly string[] => keys.map(({ kid }) => kid);

function refusal(file: Uint8Array | string): string {
  return inWords(thrown(() => parsePublicKeys(typeof file === 'string' ? utf8(file) : file)));
}

describe.each(both)('a key of $alg', (key) => {
  it.each(formsOf(key))('comes back from its form %s', (form) => {
    const [again, ...more] = parsePublicKeys(exportPublicKey(key, form), { forSite: true });
    expect(again).toEqual(key);
    expect(more).toEqual([]);
  });

  it('is written as others write it', () => {
    const ders = encodeSpki(key).map((der) => createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' }));
    expect(ders.map((der) => der.asymmetricKeyType)).toEqual(
      key.mldsa65 === undefined ? ['ed25519'] : ['ml-dsa-65', 'ed25519'],
    );
    expect(textOf(exportPublicKey(key, 'pem'))).toBe(
      ders.map((der) => der.export({ format: 'pem', type: 'spki' }).toString()).join(''),
    );
    expect(Buffer.from(exportPublicKey(key, 'der'))).toEqual(
      Buffer.concat(ders.map((der) => der.export({ format: 'der', type: 'spki' }))),
    );
    expect(textOf(exportPublicKey(key, 'raw'))).toBe(`${Buffer.from(key.bytes).toString('base64')}\n`);
    const jwk = JSON.parse(textOf(exportPublicKey(key, 'jwk'))) as Record<string, unknown>;
    if (key.alg === 'ed25519') expect(jwk).toEqual(ders[0]?.export({ format: 'jwk' }));
    else
      expect(jwk).toEqual({ kty: 'AKP', alg: 'ed25519+ml-dsa-65', pub: Buffer.from(key.bytes).toString('base64url') });
  });

  it('is written as the lines that override a product', () => {
    const lines = textOf(exportPublicKey(key, 'env')).trimEnd().split('\n');
    expect(lines[0]).toBe(`LICENSE_PUBLIC_KEY=${Buffer.from(key.ed25519).toString('base64')}`);
    expect(lines.slice(1)).toEqual(
      key.mldsa65 === undefined ? [] : [`LICENSE_MLDSA_PUBLIC_KEY=${Buffer.from(key.mldsa65).toString('base64')}`],
    );
  });
});

describe('parsePublicKeys', () => {
  it('takes several keys of a PEM or DER file, pairing an ML-DSA key with the Ed25519 key after it', () => {
    for (const form of ['pem', 'der'] as const) {
      const file = concatBytes(...[ed25519, composite, other].map((key) => exportPublicKey(key, form)));
      expect(kidsOf(parsePublicKeys(file))).toEqual(kidsOf([ed25519, composite, other]));
    }
  });

  it('takes a JWK Set, and passes over members that are no part of a key', () => {
    const jwks = {
      keys: both.map((key) => ({
        use: 'sig',
        kid: 'not trusted',
        ...(JSON.parse(textOf(exportPublicKey(key, 'jwk'))) as object),
      })),
    };
    expect(kidsOf(parsePublicKeys(utf8(JSON.stringify(jwks))))).toEqual(kidsOf(both));
  });

  it('takes CRLF, blanks around, other line widths, and wrapped base64', () => {
    const pem = textOf(exportPublicKey(composite, 'pem'));
    expect(kidsOf(parsePublicKeys(utf8(`\n  ${pem.replaceAll('\n', '\r\n')}\r\n\n`)))).toEqual([composite.kid]);
    expect(kidsOf(parsePublicKeys(utf8(pem.replaceAll(/([A-Za-z0-9+/]{64})\n/g, '$1'))))).toEqual([composite.kid]);
    expect(kidsOf(parsePublicKeys(utf8(pem.trimEnd())))).toEqual([composite.kid]);
    const wrapped = Buffer.from(composite.bytes)
      .toString('base64')
      .replaceAll(/(.{76})/g, '$1\n');
    expect(kidsOf(parsePublicKeys(utf8(wrapped)))).toEqual([composite.kid]);
  });

  it('takes base64 that begins as DER does', () => {
    const key = Array.from(
      { length: 400 },
      (_, i) => new SoftwareKey('ed25519', 'license', new Uint8Array(32).fill(i % 256, i % 31)),
    ).map((one) => one.publicKey);
    const startsWithZero = key.find((one) => textOf(exportPublicKey(one, 'raw')).startsWith('0'));
    expect(startsWithZero).toBeDefined();
    if (startsWithZero !== undefined)
      expect(kidsOf(parsePublicKeys(exportPublicKey(startsWithZero, 'raw')))).toEqual([startsWithZero.kid]);
  });

  const pem = textOf(exportPublicKey(ed25519, 'pem'));
  const [mldsaDer = new Uint8Array(), edDer = new Uint8Array()] = encodeSpki(composite);
  const [mldsaPem = '', edPem = ''] = textOf(exportPublicKey(composite, 'pem')).split(
    /(?<=-----END PUBLIC KEY-----\n)/,
  );
  const privatePem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const rsaPem = generateKeyPairSync('rsa', { modulusLength: 1024 })
    .publicKey.export({ format: 'pem', type: 'spki' })
    .toString();

  it.each([
    ['nothing', '', 'is empty'],
    ['blanks', ' \n\t\r\n', 'is empty'],
    ['a private PEM', privatePem, 'contains a private key'],
    ['an RSA key', rsaPem, 'Ed25519 or ML-DSA-65'],
    ['text before', `hello\n${pem}`, 'a public key should be SPKI PEM'],
    ['text after', `${pem}hello\n`, 'nothing else'],
    ['a byte order mark', `\ufeff${pem}`, 'behind a byte order mark'],
    ['a certificate', pem.replaceAll('PUBLIC KEY', 'CERTIFICATE'), 'should be a "PUBLIC KEY"'],
    ['labels that differ', pem.replace('END PUBLIC KEY', 'END CERTIFICATE'), 'should be a "PUBLIC KEY"'],
    ['escapes in a label', pem.replaceAll('PUBLIC KEY', 'X\u001b[31m'), '\\u{001B}'],
    ['no END line', pem.replace(/-----END.*\n/, ''), 'whole PEM blocks'],
    ['a header in the block', pem.replace('KEY-----\n', 'KEY-----\nComment: hi\n'), 'canonical base64'],
    [
      'base64 that is not canonical',
      pem.replace(/(.)\n-----END/, (_, last: string) => `${last === 'A' ? 'B' : 'A'}=\n-----END`),
      'canonical base64',
    ],
    ['an ML-DSA key alone', mldsaPem, 'nothing follows it'],
    ['the components in the wrong order', edPem + mldsaPem, 'nothing follows it'],
    ['two ML-DSA keys', mldsaPem + mldsaPem + edPem, 'nothing follows it'],
    ['base64 of an ML-DSA key', Buffer.from(composite.bytes.slice(0, 1952)).toString('base64'), 'base64 of 1952 bytes'],
    [
      'base64 of an ML-DSA key whose first bytes are those of a DER sequence',
      Buffer.concat([Uint8Array.of(0x30, 0x82, 0x07, 0x9c), composite.bytes.slice(4, 1952)]).toString('base64'),
      'base64 of 1952 bytes: only an ML-DSA-65 key',
    ],
    ['base64 of 31 bytes', Buffer.from(ed25519.bytes.slice(1)).toString('base64'), 'base64 of 31 bytes'],
    ['base64url', encodeBase64Url(new Uint8Array(32).fill(0xff)), 'canonical base64'],
    ['hex', toHex(ed25519.bytes), '64 hex digits'],
  ])('refuses %s', (_, file, words) => {
    expect(refusal(file)).toContain('key_invalid');
    expect(refusal(file)).toContain(words);
  });

  it.each([
    ['DER with a rest', concatBytes(edDer, Uint8Array.of(0)), 'neither'],
    ['truncated DER', edDer.slice(0, -1), 'truncated'],
    ['DER of an ML-DSA key alone', mldsaDer, 'nothing follows it'],
    ['DER of a composite in the wrong order', concatBytes(edDer, mldsaDer), 'nothing follows it'],
    ['a private COSE_Key', encodePrivateCoseKey('ed25519', ed25519.bytes, seed), 'private'],
    ['a COSE_Key with a rest', concatBytes(exportPublicKey(ed25519, 'cose'), Uint8Array.of(0)), 'COSE_Key'],
    ['a large file', new Uint8Array(1024 * 1024 + 1), 'at most'],
  ])('refuses %s', (_, file, words) => expect(refusal(file)).toContain(words));

  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(ed25519.bytes).toString('base64url') };
  it.each([
    ['a private one', { ...jwk, d: 'AAAA' }, 'private key'],
    ['a private AKP one', { kty: 'AKP', alg: 'ed25519+ml-dsa-65', pub: '', priv: '' }, 'private key'],
    ['another curve', { ...jwk, crv: 'X25519' }, 'kty "OKP" with crv "Ed25519"'],
    ['another alg', { kty: 'AKP', alg: 'ML-DSA-65', pub: 'AAAA' }, 'kty "AKP"'],
    ['no x', { kty: 'OKP', crv: 'Ed25519' }, 'base64url'],
    ['padding', { ...jwk, x: `${jwk.x}=` }, 'base64url'],
    ['a number for x', { ...jwk, x: 5 }, 'base64url'],
    ['an x of 31 bytes', { ...jwk, x: Buffer.alloc(31).toString('base64url') }, '32 bytes'],
    ['an x of small order', { ...jwk, x: Buffer.alloc(32).toString('base64url') }, 'small order'],
    ['keys that are no array', { keys: jwk }, 'should be an array'],
    ['a key that is not an object', { keys: ['x'] }, 'should be an object'],
  ])('refuses a JWK with %s', (_, value, words) => {
    expect(refusal(JSON.stringify(value))).toContain('key_invalid');
    expect(refusal(JSON.stringify(value))).toContain(words);
  });

  it('refuses a JWK whose member is repeated', () => {
    expect(refusal(`{"kty":"OKP","crv":"Ed25519","x":"${jwk.x}","x":"${jwk.x}"}`)).toContain('json_malformed');
  });
});
