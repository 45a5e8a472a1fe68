import { describe, expect, it } from 'vitest';
import type { VtlicError } from '../../../../../formats/error.ts';
import { matchesToken, nameOneToken } from '../../../../../keys/private/pkcs11/client/find-token.ts';
import { formatPkcs11Uri, uriOfToken } from '../../../../../keys/private/pkcs11/uri/format-uri.ts';
import { parsePkcs11Uri } from '../../../../../keys/private/pkcs11/uri/uri.ts';
import { thrown } from '../../../../support/thrown.ts';

function faultOf(text: string, fault?: 'usage'): VtlicError {
  return thrown(() => parsePkcs11Uri(text, fault));
}

describe('PKCS#11 URI (RFC 7512)', () => {
  it('reads every path attribute', () => {
    const uri = parsePkcs11Uri(
      'pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;serial=01;model=1.0;library-manufacturer=L;library-version=3.1;library-description=D;slot-manufacturer=SM;slot-description=SD;slot-id=327;object=my-certificate;type=private;id=%69%95%3E%5C%F4%BD%EC%91',
    );
    expect(uri).toMatchObject({
      token: 'The Software PKCS#11 Softtoken',
      manufacturer: 'Snake Oil, Inc.',
      serial: '01',
      model: '1.0',
      libraryManufacturer: 'L',
      libraryVersion: '3.1',
      libraryDescription: 'D',
      slotManufacturer: 'SM',
      slotDescription: 'SD',
      slotId: 327,
      object: 'my-certificate',
      type: 'private',
    });
    expect(uri.id).toEqual(Uint8Array.of(0x69, 0x95, 0x3e, 0x5c, 0xf4, 0xbd, 0xec, 0x91));
    expect(Object.isFrozen(uri)).toBe(true);
  });

  it('reads the query attributes', () => {
    const uri = parsePkcs11Uri(
      'pkcs11:token=t?module-path=/usr/lib/x.so&pin-source=file:/etc/token_pin&x-other=1&x-other=2',
    );
    expect(uri).toMatchObject({ modulePath: '/usr/lib/x.so', pinSourceFile: '/etc/token_pin' });
    expect(uri.ignored.map(({ name, value }) => `${name}=${value}`)).toEqual(['x-other=1', 'x-other=2']);
    expect(parsePkcs11Uri('pkcs11:?module-name=softhsm2').moduleName).toBe('softhsm2');
  });

  it.each(['pkcs11:', 'PKCS11:', 'pkcs11:?'])('takes the empty URI %s, which matches everything', (text) => {
    expect(parsePkcs11Uri(text)).toEqual({ unknown: [], ignored: [] });
  });

  it('reads an empty value, an "=" in a value and "&" in the path', () => {
    expect(parsePkcs11Uri('pkcs11:token=;object=a=b&c')).toMatchObject({ token: '', object: 'a=b&c' });
  });

  it('takes library-version without a minor number as .0', () => {
    expect(parsePkcs11Uri('pkcs11:library-version=3').libraryVersion).toBe('3.0');
  });

  it.each([
    ['pin-source=file:/a/b', '/a/b'],
    ['pin-source=file:///a/b', '/a/b'],
    ['pin-source=file:/a%20b', '/a b'],
  ])('reads %s', (query, path) => {
    expect(parsePkcs11Uri(`pkcs11:?${query}`).pinSourceFile).toBe(path);
  });

  it.each([
    ['http://x', undefined, 'begin with "pkcs11:"'],
    ['pkcs11:token', undefined, 'has no "="'],
    ['pkcs11:=x', undefined, 'has no name'],
    ['pkcs11:;', undefined, 'is empty'],
    ['pkcs11:token=a;', undefined, 'is empty'],
    ['pkcs11:to ken=a', undefined, 'has the name'],
    ['pkcs11:token=a;token=b', 'token', 'more than once'],
    ['pkcs11:x-vendor=a;x-vendor=b', 'x-vendor', 'more than once'],
    ['pkcs11:?module-path=/a&module-path=/b', 'module-path', 'more than once'],
    ['pkcs11:?pin-source=file:/a&pin-source=file:/b', 'pin-source', 'more than once'],
    ['pkcs11:token=a b', 'token', 'should be percent-encoded'],
    ['pkcs11:token=ä', 'token', 'should be percent-encoded'],
    ['pkcs11:token=a/b', 'token', 'should be percent-encoded'],
    ['pkcs11:token=a?module-path=/a#b', 'module-path', 'should be percent-encoded'],
    ['pkcs11:token=%4', 'token', 'two hex digits'],
    ['pkcs11:token=%zz', 'token', 'two hex digits'],
    ['pkcs11:token=%FF', 'token', 'not UTF-8'],
    ['pkcs11:token=%C0%80', 'token', 'not UTF-8'],
    ['pkcs11:type=secret', 'type', 'one of cert, data, private'],
    ['pkcs11:slot-id=0x1', 'slot-id', 'whole number'],
    ['pkcs11:slot-id=-1', 'slot-id', 'whole number'],
    ['pkcs11:slot-id=', 'slot-id', 'whole number'],
    ['pkcs11:slot-id=9007199254740993', 'slot-id', 'whole number'],
    ['pkcs11:library-version=a.b', 'library-version', 'M.N'],
    ['pkcs11:?module-path=lib/x.so', 'module-path', 'absolute path'],
    ['pkcs11:?module-path=', 'module-path', 'absolute path'],
    ['pkcs11:?module-path=/a%00b', 'module-path', 'NUL'],
    ['pkcs11:?module-name=a/b', 'module-name', 'without "/"'],
    ['pkcs11:?module-name=', 'module-name', 'without "/"'],
    ['pkcs11:?pin-source=%7C/bin/echo', 'pin-source', 'names a command'],
    ['pkcs11:?pin-source=|/bin/echo', 'pin-source', 'names a command'],
    ['pkcs11:?pin-source=file:a', 'pin-source', 'absolute path'],
    ['pkcs11:?pin-source=/etc/pin', 'pin-source', 'absolute path'],
    ['pkcs11:?pin-source=file://host/pin', 'pin-source', 'absolute path'],
    ['pkcs11:?pin-source=https:/x', 'pin-source', 'absolute path'],
    ['pkcs11:?pin-source=file:/a%2520b', 'pin-source', 'should not contain "%"'],
    ['pkcs11:?pin-value=1234', 'pin-value', 'is refused'],
    ['pkcs11:module-path=/m.so', 'module-path', 'behind the "?"'],
    ['pkcs11:token=a;pin-source=file:/p', 'pin-source', 'behind the "?"'],
  ])('refuses %s', (text, field, words) => {
    const fault = faultOf(text);
    expect(fault.code).toBe('configuration_invalid');
    expect(fault.place.field).toBe(field);
    expect(fault.message).toContain(words);
    expect(faultOf(text, 'usage').code).toBe('usage');
  });

  it.each([
    'pkcs11:?pin-value=planted-7391',
    'pkcs11:?pin-value=%zzplanted-7391',
    'pkcs11:?pin-value=planted-7391&pin-value=planted-7391',
    'pkcs11:token=a;pin-value=planted-7391',
    'pkcs11:pin-value=planted-7391?module-path=/m.so',
    'pkcs11:?PIN-VALUE=planted-7391',
    'pkcs11:?Pin_Value=planted-7391',
    'pkcs11:?pin=planted-7391',
    'pkcs11:?pinvalue=planted-7391',
    'pkcs11:?user-pin=planted-7391',
    'pkcs11:?module-path=/m.so;pin-value=planted-7391',
    'pkcs11:?pin%2Dvalue=planted-7391',
    'pkcs11:?%70in-value=planted-7391',
    'pkcs11:?%2570in-value=planted-7391',
    'pkcs11:token=a%3Bpin-value=planted-7391',
  ])('refuses a PIN as such, and never repeats it: %s', (text) => {
    const fault = faultOf(text);
    expect(fault.message).toContain('a PIN in a URI ends up in files');
    expect(`${fault.message} ${fault.hint ?? ''} ${JSON.stringify(fault.place)}`).not.toContain('planted');
  });

  it.each(['pkcs11:token=pin', 'pkcs11:token=pin-value', 'pkcs11:object=the%20pin;x-spinner=1', 'pkcs11:?x-pine=1'])(
    'takes no other word for a PIN: %s',
    (text) => {
      expect(() => parsePkcs11Uri(text)).not.toThrow();
    },
  );

  it('refuses one that is too long before it looks at it', () => {
    expect(faultOf(`pkcs11:token=${'a'.repeat(5000)}`).message).toContain('at most 4096');
  });

  it('formats in one order, with all but the plainest characters encoded', () => {
    const text = formatPkcs11Uri(
      parsePkcs11Uri(
        "pkcs11:id=%01%ff;object=a'b;token=x y".replace(' ', '%20') + '?pin-source=file:/p&module-path=/m.so',
      ),
    );
    expect(text).toBe('pkcs11:token=x%20y;object=a%27b;id=%01%FF?module-path=/m.so&pin-source=file:/p');
  });
});

describe('which tokens a URI means', () => {
  const module = { cryptokiVersion: '2.40', manufacturer: 'LM', description: 'LD', libraryVersion: '2.6' };
  const token = {
    label: 'T',
    manufacturer: 'TM',
    model: 'TMod',
    serial: '0a',
    slotDescription: 'S',
    flags: 0,
    minPinLength: 4,
    maxPinLength: 255,
    hardwareVersion: '1.0',
    firmwareVersion: '1.0',
  };
  const slot = { slotId: 7, description: 'SD', manufacturer: 'SM', token };
  const all =
    'token=T;manufacturer=TM;serial=0a;model=TMod;library-manufacturer=LM;library-version=2.6;library-description=LD;slot-manufacturer=SM;slot-description=SD;slot-id=7';

  it('matches where every attribute agrees', () => {
    expect(matchesToken(parsePkcs11Uri(`pkcs11:${all}`), module, slot)).toBe(true);
    expect(matchesToken(parsePkcs11Uri('pkcs11:'), module, slot)).toBe(true);
  });

  it.each(all.split(';').map((part) => part.split('=')[0] ?? ''))('does not match where %s differs', (name) => {
    const other = name === 'slot-id' ? '8' : name === 'library-version' ? '2.7' : 'other';
    expect(matchesToken(parsePkcs11Uri(`pkcs11:${name}=${other}`), module, slot)).toBe(false);
  });

  it('compares in the case in which it is written', () => {
    expect(matchesToken(parsePkcs11Uri('pkcs11:token=t'), module, slot)).toBe(false);
  });

  it('matches nothing with an unknown path attribute, and ignores an unknown query attribute', () => {
    expect(matchesToken(parsePkcs11Uri('pkcs11:token=T;x-color=blue'), module, slot)).toBe(false);
    expect(matchesToken(parsePkcs11Uri('pkcs11:token=T?x-color=blue'), module, slot)).toBe(true);
  });

  it('matches no slot without a token', () => {
    expect(matchesToken(parsePkcs11Uri('pkcs11:'), module, { slotId: 7, description: 'SD', manufacturer: 'SM' })).toBe(
      false,
    );
  });

  it('names a token by label and serial, never by its slot', () => {
    expect(uriOfToken(token, '/m.so')).toBe('pkcs11:token=T;serial=0a?module-path=/m.so');
  });
});

describe('two URIs', () => {
  const M = '?module-path=/m.so';
  it.each([
    ['the same label', `pkcs11:token=a${M}`, `pkcs11:token=a${M}`, true],
    ['the label, and one of them the serial too', `pkcs11:token=a;serial=1${M}`, `pkcs11:token=a${M}`, true],
    ['the serial alone', `pkcs11:serial=1${M}`, `pkcs11:token=a;serial=1${M}`, true],
    ['the label and two serials', `pkcs11:token=a;serial=1${M}`, `pkcs11:token=a;serial=2${M}`, false],
    ['the serial and two labels', `pkcs11:token=a;serial=1${M}`, `pkcs11:token=b;serial=1${M}`, false],
    ['a label, and a serial', `pkcs11:token=a${M}`, `pkcs11:serial=1${M}`, false],
    ['nothing', `pkcs11:${M}`, `pkcs11:${M}`, false],
    ['the label, in two modules', `pkcs11:token=a${M}`, 'pkcs11:token=a?module-path=/n.so', false],
  ])('two URIs with %s name one token: %s and %s is %s', (_, a, b, expected) => {
    expect(nameOneToken(parsePkcs11Uri(a), parsePkcs11Uri(b))).toBe(expected);
    expect(nameOneToken(parsePkcs11Uri(b), parsePkcs11Uri(a))).toBe(expected);
  });
});
