import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../../formats/bytes.ts';
import type { CborValue } from '../../../formats/cbor/value.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { encodeLicense } from '../../../formats/license/encode-license.ts';
import { thrown } from '../../support/thrown.ts';
import { CTI, HOST, payloadWith } from './claims.ts';
import { hex } from './hex.ts';

const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `f${String(i).padStart(4, '0')}`);
const hostsOf = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => hex(`${i.toString(16).padStart(4, '0')}${'00'.repeat(30)}`));
const limitsOf = (count: number): CborValue => new Map<CborValue, CborValue>(ids(count).map((id) => [id, 1]));

describe('decodeLicense takes the bounds themselves', () => {
  const longId = `A${'z'.repeat(127)}`;
  it.each<[string, CborValue, CborValue]>([
    ['iss of one character', 1, '0'],
    ['sub of 128 characters', 2, longId],
    ['every character of an id', 3, 'aZ09._:-'],
    ['exp at the end of time', 4, 253_402_300_799],
    ['nbf at 0', 5, 0],
    ['iat at 0', 6, 0],
    ['iat after nbf', 6, 1_798_761_601],
    ['the first counter', 'ctr', 1],
    ['the last counter', 'ctr', Number.MAX_SAFE_INTEGER],
    ['no seats', 'seats', 0],
    ['all seats', 'seats', Number.MAX_SAFE_INTEGER],
    ['unlimited seats', 'seats', 'unlimited'],
    ['one feature', 'features', ['sso']],
    ['256 features', 'features', ids(256)],
    ['features that a length order would turn', 'features', ['aa', 'b']],
    ['256 limits', 'limits', limitsOf(256)],
    ['a limit of 0', 'limits', new Map([['vaults', 0]])],
    ['one instance', 'instances', 1],
    ['1024 hosts', 'hosts', hostsOf(1024)],
    ['no grace', 'grace', 0],
    ['366 days of grace', 'grace', 31_622_400],
    ['no offline window', 'offline', 0],
    ['the longest offline window', 'offline', 253_402_300_799],
    ['a name of 200 code points', 'name', '🚀'.repeat(200)],
    ['a name that a signer would refuse', 'name', 'e\u0301\u001b\u202e'],
    ['a ref of 100 code points', 'ref', '🚀'.repeat(100)],
    ['upd at 0', 'upd', 0],
    ['upd at the end of time', 'upd', 253_402_300_799],
    ['upd after exp', 'upd', 1_830_297_601],
    ['use for anything but production', 'use', 'non-production'],
    ['use for a trial', 'use', 'trial'],
    ['use for an emergency', 'use', 'emergency'],
    ['64 keys of ext', 'ext', limitsOf(64)],
    ['ext at depth 8', 'ext', new Map([['a', [[[[[[1]]]]]]]])],
  ])('%s', (_, key, value) => {
    const payload = payloadWith([key, value]);
    expect(encodeLicense(decodeLicense(payload))).toEqual(payload);
  });
});

describe('decodeLicense refuses as claims_malformed', () => {
  const uuid = (change: readonly [number, number]): Uint8Array => hex(CTI).with(...change);
  it.each<[string, string, CborValue, CborValue | undefined]>([
    ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'cti'].map((field, i): [string, string, CborValue, undefined] => [
      `no ${field}`,
      field,
      i + 1,
      undefined,
    ]),
    ...['ctr', 'tier', 'seats'].map((field): [string, string, CborValue, undefined] => [
      `no ${field}`,
      field,
      field,
      undefined,
    ]),
    ['an empty iss', 'iss', 1, ''],
    ['an iss that begins with a mark', 'iss', 1, '-a'],
    ['an iss with a blank', 'iss', 1, 'a b'],
    ['an iss with a line end', 'iss', 1, 'a\n'],
    ['an iss beyond ASCII', 'iss', 1, 'ä'],
    ['an iss of 129 characters', 'iss', 1, 'a'.repeat(129)],
    ['an iss that is a number', 'iss', 1, 5],
    ['a sub with a slash', 'sub', 2, 'a/b'],
    ['an aud list', 'aud', 3, ['a']],
    ['an exp beyond the end of time', 'exp', 4, 253_402_300_800],
    ['an nbf below 0', 'nbf', 5, -1],
    ['an iat that is a text', 'iat', 6, '1'],
    ['nbf = exp', 'nbf', 5, 1_830_297_600],
    ['iat = exp', 'iat', 6, 1_830_297_600],
    ['a cti of 15 bytes', 'cti', 7, new Uint8Array(15)],
    ['a cti of version 4', 'cti', 7, uuid([6, 0x41])],
    ['a cti of another variant', 'cti', 7, uuid([8, 0xcb])],
    ['a cti that is a text', 'cti', 7, '01963e5f-7c00-712f-8bd0-0a0b0c0d0e0f'],
    ['a counter of 0', 'ctr', 'ctr', 0],
    ['a counter below 0', 'ctr', 'ctr', -1],
    ['a tier that is not an id', 'tier', 'tier', 'a b'],
    ['seats below 0', 'seats', 'seats', -1],
    ['seats in words', 'seats', 'seats', 'Unlimited'],
    ['seats that are true', 'seats', 'seats', true],
    ['features that are no array', 'features', 'features', 'sso'],
    ['no features, said', 'features', 'features', []],
    ['257 features', 'features', 'features', ids(257)],
    ['unsorted features', 'features', 'features', ['b', 'a']],
    ['features sorted by length', 'features', 'features', ['b', 'aa']],
    ['a feature twice', 'features', 'features', ['a', 'a']],
    ['a feature that is not an id', 'features', 'features', ['a b']],
    ['a feature that is a number', 'features', 'features', [1]],
    ['limits that are no map', 'limits', 'limits', []],
    ['no limits, said', 'limits', 'limits', new Map()],
    ['257 limits', 'limits', 'limits', limitsOf(257)],
    ['a limit by number', 'limits', 'limits', new Map([[1, 1]])],
    ['a limit whose name is not an id', 'limits', 'limits', new Map([['__proto__', 1]])],
    ['a limit below 0', 'limits.vaults', 'limits', new Map([['vaults', -1]])],
    ['a limit that is a text', 'limits.vaults', 'limits', new Map([['vaults', 'x']])],
    ['no instances', 'instances', 'instances', 0],
    ['no hosts, said', 'hosts', 'hosts', []],
    ['1025 hosts', 'hosts', 'hosts', hostsOf(1025)],
    ['unsorted hosts', 'hosts', 'hosts', hostsOf(2).toReversed()],
    ['a host twice', 'hosts', 'hosts', [hex(`${HOST}01`), hex(`${HOST}01`)]],
    ['a host of 31 bytes', 'hosts', 'hosts', [new Uint8Array(31)]],
    ['a host in hex', 'hosts', 'hosts', [`${HOST}01`]],
    ['a grace below 0', 'grace', 'grace', -1],
    ['a grace of 366 days and a second', 'grace', 'grace', 31_622_401],
    ['an offline window below 0', 'offline', 'offline', -1],
    ['an offline window beyond the end of time', 'offline', 'offline', 253_402_300_800],
    ['a dep that is not an id', 'dep', 'dep', ''],
    ['an empty name', 'name', 'name', ''],
    ['a name of 201 code points', 'name', 'name', '🚀'.repeat(201)],
    ['a name of bytes', 'name', 'name', utf8('Acme')],
    ['an empty ref', 'ref', 'ref', ''],
    ['a ref of 101 code points', 'ref', 'ref', 'x'.repeat(101)],
    ['an upd below 0', 'upd', 'upd', -1],
    ['an upd beyond the end of time', 'upd', 'upd', 253_402_300_800],
    ['an upd that is a day', 'upd', 'upd', '2027-11-24'],
    ['a use for production', 'use', 'use', 'production'],
    ['a use in upper case', 'use', 'use', 'TRIAL'],
    ['an empty use', 'use', 'use', ''],
    ['a use that is a list', 'use', 'use', ['trial']],
    ['a clk of false', 'clk', 'clk', false],
    ['a clk of 1', 'clk', 'clk', 1],
    ['an ext that is not a map', 'ext', 'ext', true],
    ['an empty ext', 'ext', 'ext', new Map()],
    ['65 keys of ext', 'ext', 'ext', limitsOf(65)],
    ['a key of ext that is not an id', 'ext', 'ext', new Map([['a b', 1]])],
    ['a key of ext that is a number', 'ext', 'ext', new Map([[1, 1]])],
    ['a key inside ext that is not an id', 'ext.a[1]', 'ext', new Map([['a', [0, new Map([['', 1]])]]])],
  ])('%s', (_, field, key, value) => {
    expect(thrown(() => decodeLicense(payloadWith([key, value])))).toMatchObject({
      code: 'claims_malformed',
      place: { field },
    });
  });

  it.each([
    ['an array', '80', 0],
    ['nothing', '', 0],
    ['a tag', 'd81ea0', 0],
    ['a trailing byte', `${toHex(payloadWith())}00`, payloadWith().length],
    ['keys out of order', 'a202000100', 3],
    ['a long length', 'b800', 0],
    ['null', 'a101f6', 2],
  ])('refuses the encoding: %s', (_, bytes, offset) => {
    expect(thrown(() => decodeLicense(hex(bytes)))).toMatchObject({ code: 'claims_malformed', place: { offset } });
  });
});

describe('decodeLicense says which claim is wrong, and what it found', () => {
  const afterSorting = 'they should be sorted and unique, but';
  const leaveOut = 'it should be left out where it is empty';
  const missing = 'it is required, but it is missing';
  it.each<[field: string, key: CborValue, value: CborValue | undefined, fault: string]>([
    ['iss', 1, undefined, missing],
    ['ctr', 'ctr', undefined, missing],
    ['iss', 1, 5, 'it should be an id, but it is an integer'],
    [
      'sub',
      2,
      'a/\u001b',
      'it should be an id (a letter or digit, then up to 127 of letters, digits, ". _ : -"), but it is "a/\\u{001B}"',
    ],
    ['exp', 4, '1', 'it should be an integer, but it is a text'],
    ['exp', 4, 253_402_300_800, 'it should be between 0 and 253402300799, but it is 253402300800'],
    ['nbf', 4, 0, 'it should be earlier than exp'],
    ['nbf', 5, 1_830_297_600, 'it should be earlier than exp'],
    ['iat', 6, 1_830_297_600, 'it should be earlier than exp'],
    ['cti', 7, 'text', 'it should be a byte string, but it is a text'],
    ['cti', 7, hex('00'), 'it should be the 16 bytes of a version 7 UUID, but it is 1 bytes'],
    [
      'cti',
      7,
      hex(CTI).with(6, 0x41),
      'it should be the 16 bytes of a version 7 UUID, but it is 01963e5f-7c00-412f-8bd0-0a0b0c0d0e0f',
    ],
    ['ctr', 'ctr', 0, 'it should be between 1 and 9007199254740991, but it is 0'],
    ['seats', 'seats', 'all\u0007', 'it should be an integer or the text "unlimited", but it is "all\\u{0007}"'],
    ['seats', 'seats', true, 'it should be an integer, but it is the value true'],
    ['features', 'features', 'sso', 'it should be an array, but it is a text'],
    ['features', 'features', [], leaveOut],
    ['features', 'features', ids(257), 'it should have at most 256 items, but it has 257'],
    ['features', 'features', ['b', 'a'], `${afterSorting} "a" comes after "b"`],
    ['limits', 'limits', [], 'it should be a map, but it is an array'],
    ['limits', 'limits', new Map(), leaveOut],
    ['limits', 'limits', limitsOf(257), 'it should have at most 256 keys, but it has 257'],
    ['limits', 'limits', new Map([[1, 1]]), 'it should be an id, but it is an integer'],
    ['limits.vaults', 'limits', new Map([['vaults', 'x']]), 'it should be an integer, but it is a text'],
    ['hosts', 'hosts', ['x'], 'it should be a list of byte strings, but it is a text'],
    ['hosts', 'hosts', [hex(HOST)], 'each fingerprint should have 32 bytes, but one has 31'],
    ['hosts', 'hosts', [hex(`${HOST}02`), hex(`${HOST}01`)], `${afterSorting} ${HOST}01 comes after ${HOST}02`],
    ['name', 'name', utf8('Acme'), 'it should be a text, but it is a byte string'],
    ['name', 'name', '', leaveOut],
    ['name', 'name', '🚀'.repeat(201), 'it should have at most 200 code points, but it has 201'],
    ['ref', 'ref', `🚀${'x'.repeat(100)}`, 'it should have at most 100 code points, but it has 101'],
    ['use', 'use', ['trial'], 'it should be a text, but it is an array'],
    ['use', 'use', 'all\u0007', 'it should be one of non-production, trial, emergency, but it is "all\\u{0007}"'],
    ['clk', 'clk', false, 'it should be true or left out, but it is the value false'],
    ['ext', 'ext', true, 'it should be a map, but it is the value true'],
    ['ext', 'ext', hex('a0'), 'it should be a map, but it is a byte string'],
    ['ext', 'ext', [0], 'it should be a map, but it is an array'],
    ['ext', 'ext', new Map(), leaveOut],
    ['ext', 'ext', limitsOf(65), 'it should have at most 64 keys, but it has 65'],
    ['ext', 'ext', new Map([[1, 1]]), 'each of its keys should be an id, but one is not'],
    ['ext.a[0]', 'ext', new Map([['a', [new Map([['', 1]])]]]), 'each of its keys should be an id, but "" is not'],
    [
      'ext.b.c[1]',
      'ext',
      new Map<string, CborValue>([
        ['a', [[0], new Map([['x', [0]]])]],
        ['b', new Map([['c', [new Map([['x', 0]]), new Map([['\u001b', 1]])]]])],
      ]),
      'each of its keys should be an id, but "\\u{001B}" is not',
    ],
  ])('%s: %j, %j', (field, key, value, fault) => {
    const { code, message, hint, place } = thrown(() => decodeLicense(payloadWith([key, value])));
    expect({ code, message, hint, place }).toEqual({
      code: 'claims_malformed',
      message: `the claim "${field}" is malformed: ${fault}`,
      hint: undefined,
      place: { field },
    });
  });

  it.each<[key: CborValue, named: string, place: object]>([
    ['Name', '"Name"', { field: 'Name' }],
    ['\u001b[31m', '"\\u{001B}[31m"', { field: '\\u{001B}[31m' }],
    [8, '8', { field: '8' }],
    [true, 'the value true', {}],
    [hex('01'), 'a byte string', {}],
    [[1], 'an array', {}],
  ])('names the unknown claim %j', (key, named, place) => {
    const { code, message, hint, place: found } = thrown(() => decodeLicense(payloadWith([key, 1])));
    expect({ code, message, hint, place: found }).toEqual({
      code: 'claims_unknown',
      message: `the payload has the claim ${named}, which this version does not know`,
      hint: 'A newer version of the product may know it.',
      place,
    });
  });
});

describe('decodeLicense refuses as claims_unknown', () => {
  it.each<CborValue>([0, 8, -1, 'jti', 'Name', 'iss', '', true, hex('01'), []])('refuses the key %j', (key) => {
    expect(thrown(() => decodeLicense(payloadWith([key, 1]))).code).toBe('claims_unknown');
  });

  it('refuses an unknown key before anything else in the claims is judged, and after their encoding', () => {
    expect(thrown(() => decodeLicense(payloadWith([1, undefined], ['x', 1]))).code).toBe('claims_unknown');
    expect(thrown(() => decodeLicense(hex('a1617a f6'))).code).toBe('claims_malformed');
  });
});
