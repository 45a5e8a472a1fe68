import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../../formats/bytes.ts';
import { decodeCbor } from '../../../formats/cbor/decode.ts';
import { encodeCbor } from '../../../formats/cbor/encode.ts';
import { isCborMap, type CborValue } from '../../../formats/cbor/value.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { encodeLicense } from '../../../formats/license/encode-license.ts';
import { ExtBytes, type License } from '../../../formats/license/license.ts';
import { thrown } from '../../support/thrown.ts';
import { hex } from './hex.ts';

type Claims = Map<CborValue, CborValue>;

const CTI = '01963e5f7c00712f8bd00a0b0c0d0e0f';
const HOST = '00'.repeat(31);

const required = (): Claims =>
  new Map<CborValue, CborValue>([
    [1, 'vaultworks'],
    [2, 'acme-gmbh'],
    [3, 'vaultdesk'],
    [4, 1_830_297_600],
    [5, 1_798_761_600],
    [6, 1_798_761_000],
    [7, hex(CTI)],
    ['ctr', 7],
    ['tier', 'enterprise'],
    ['seats', 250],
  ]);

const with_ = (...changes: readonly (readonly [CborValue, CborValue | undefined])[]): Uint8Array => {
  const claims = required();
  for (const [key, value] of changes) {
    if (value === undefined) claims.delete(key);
    else claims.set(key, value);
  }
  return encodeCbor(claims);
};

const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `f${String(i).padStart(4, '0')}`);
const hostsOf = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => hex(`${i.toString(16).padStart(4, '0')}${'00'.repeat(30)}`));
const limitsOf = (count: number): Claims => new Map<CborValue, CborValue>(ids(count).map((id) => [id, 1]));

const FULL: License = {
  iss: 'vaultworks',
  sub: 'acme-gmbh',
  aud: 'vaultdesk',
  exp: 1_830_297_600,
  nbf: 1_798_761_600,
  iat: 1_798_761_000,
  cti: '01963e5f-7c00-712f-8bd0-0a0b0c0d0e0f',
  ctr: 7,
  tier: 'enterprise',
  seats: 'unlimited',
  features: ['audit-export', 'sso'],
  limits: { vaults: 50, constructor: 0, 10: 1 },
  instances: 3,
  hosts: [`${HOST}01`, `${HOST}02`],
  grace: 2_592_000,
  offline: 86_400,
  dep: 'prod-eu',
  name: 'Größe 🚀 GmbH',
  ref: 'PO-4711',
  upd: 1_827_100_800,
  use: 'trial',
  clk: true,
  ext: { a: 1, b: ['x', true, new ExtBytes('00ff'), [], {}], c: { toString: 'text', 2: -5, 1: false } },
};

describe('a license', () => {
  it('encodes and decodes a license that has only the required claims', () => {
    const license = decodeLicense(with_());
    expect(license).toEqual({
      iss: 'vaultworks',
      sub: 'acme-gmbh',
      aud: 'vaultdesk',
      exp: 1_830_297_600,
      nbf: 1_798_761_600,
      iat: 1_798_761_000,
      cti: '01963e5f-7c00-712f-8bd0-0a0b0c0d0e0f',
      ctr: 7,
      tier: 'enterprise',
      seats: 250,
      features: [],
      limits: {},
    });
    expect(encodeLicense(license)).toEqual(with_());
  });

  it('goes there and back with every claim', () => {
    const payload = encodeLicense(FULL);
    const license = decodeLicense(payload);
    expect(license).toEqual(FULL);
    expect(encodeLicense(license)).toEqual(payload);
  });

  it('has the bytes that docs/vtlic.cddl says', () => {
    const claims = decodeCbor(encodeLicense(FULL));
    if (!isCborMap(claims)) throw new Error('no map');
    expect([...claims.keys()]).toEqual([
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      'clk',
      'ctr',
      'dep',
      'ext',
      'ref',
      'upd',
      'use',
      'name',
      'tier',
      'grace',
      'hosts',
      'seats',
      'limits',
      'offline',
      'features',
      'instances',
    ]);
    expect(toHex(encodeLicense(decodeLicense(with_())))).toBe(
      `aa016a7661756c74776f726b73026961636d652d676d626803697661756c746465736b041a6d182000051a6b36ec80061a6b36ea280750${CTI}6363747207647469657 26a656e7465727072697365657365617473 18fa`.replaceAll(
        ' ',
        '',
      ),
    );
  });

  it('is frozen through and through, and its maps have no prototype', () => {
    const license = decodeLicense(encodeLicense(FULL));
    const walk = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      expect(Object.isFrozen(value)).toBe(true);
      for (const inner of Object.values(value)) walk(inner);
    };
    walk(license);
    expect(Object.getPrototypeOf(license.limits)).toBeNull();
    expect(Object.getPrototypeOf(license.ext)).toBeNull();
    expect(Object.getPrototypeOf(license.ext?.['c'])).toBeNull();
    expect(Object.getPrototypeOf(decodeLicense(with_()).limits)).toBeNull();
    expect(Object.isFrozen(decodeLicense(with_()).features)).toBe(true);
  });
});

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
    const payload = with_([key, value]);
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
    expect(thrown(() => decodeLicense(with_([key, value])))).toMatchObject({
      code: 'claims_malformed',
      place: { field },
    });
  });

  it.each([
    ['an array', '80', 0],
    ['nothing', '', 0],
    ['a tag', 'd81ea0', 0],
    ['a trailing byte', `${toHex(with_())}00`, with_().length],
    ['keys out of order', 'a202000100', 3],
    ['a long length', 'b800', 0],
    ['null', 'a101f6', 2],
  ])('refuses the encoding: %s', (_, bytes, offset) => {
    expect(thrown(() => decodeLicense(hex(bytes)))).toMatchObject({ code: 'claims_malformed', place: { offset } });
  });
});

describe('decodeLicense refuses as claims_unknown', () => {
  it.each<CborValue>([0, 8, -1, 'jti', 'Name', 'iss', '', true, hex('01'), []])('refuses the key %j', (key) => {
    expect(thrown(() => decodeLicense(with_([key, 1]))).code).toBe('claims_unknown');
  });

  it('refuses an unknown key before anything else in the claims is judged, and after their encoding', () => {
    expect(thrown(() => decodeLicense(with_([1, undefined], ['x', 1]))).code).toBe('claims_unknown');
    expect(thrown(() => decodeLicense(hex('a1617a f6'))).code).toBe('claims_malformed');
  });

  it('names an unknown key made fit for a terminal', () => {
    expect(thrown(() => decodeLicense(with_(['\u001b[31m', 1]))).message).toContain('"\\u{001B}[31m"');
  });
});

describe('encodeLicense', () => {
  it.each<[string, Partial<License>]>([
    ['unsorted features', { features: ['b', 'a'] }],
    ['a cti of version 4', { cti: '01963e5f-7c00-412f-8bd0-0a0b0c0d0e0f' }],
    ['a cti in upper case', { cti: '01963E5F-7C00-712F-8BD0-0A0B0C0D0E0F' }],
    ['a host in upper case', { hosts: [`${HOST}AB`] }],
    ['no hosts, said', { hosts: [] }],
    ['an empty ext', { ext: {} }],
    ['a name that is too long', { name: 'x'.repeat(201) }],
    ['seats below 0', { seats: -1 }],
    ['nbf after exp', { nbf: 1_830_297_601 }],
    ['a limit that is not an id', { limits: { 'a b': 1 } }],
    ['an upd below 0', { upd: -1 }],
  ])('refuses %s, as a verifier would', (_, change) => {
    expect(thrown(() => encodeLicense({ ...FULL, ...change })).code).toBe('claims_malformed');
  });

  it.each<[string, Partial<License>]>([
    ['a fraction', { seats: 1.5 }],
    ['2^53', { ctr: 2 ** 53 }],
    ['a lone surrogate', { name: 'a\udc00' }],
    ['bytes of ext that are no hex', { ext: { a: new ExtBytes('0') } }],
  ])('refuses %s, which no payload can hold', (_, change) => {
    expect(thrown(() => encodeLicense({ ...FULL, ...change })).code).toBe('internal');
  });
});
