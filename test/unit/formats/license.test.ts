import { describe, expect, it } from 'vitest';
import { toHex } from '../../../formats/bytes.ts';
import { decodeCbor } from '../../../formats/cbor/decode.ts';
import { isCborMap } from '../../../formats/cbor/value.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { encodeLicense } from '../../../formats/license/encode-license.ts';
import { ExtBytes, type License } from '../../../formats/license/license.ts';
import { thrown } from '../../support/thrown.ts';
import { CTI, HOST, payloadWith } from './claims.ts';

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
    const license = decodeLicense(payloadWith());
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
    expect(encodeLicense(license)).toEqual(payloadWith());
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
    expect(toHex(encodeLicense(decodeLicense(payloadWith())))).toBe(
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
    expect(Object.getPrototypeOf(decodeLicense(payloadWith()).limits)).toBeNull();
    expect(Object.isFrozen(decodeLicense(payloadWith()).features)).toBe(true);
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

  it.each<[string, Partial<License>, string]>([
    ['a license id in upper case', { cti: FULL.cti.toUpperCase() }, 'it should be a version 7 UUID in lower-case text'],
    ['a license id with a byte more', { cti: `${FULL.cti}0f` }, 'it should be a version 7 UUID in lower-case text'],
    ['a host in upper case', { hosts: [`${HOST}AB`] }, 'each fingerprint should be in lower-case hex digits'],
    [
      'a host that is not in hex digits',
      { hosts: [`${HOST}xy`] },
      'each fingerprint should be in lower-case hex digits',
    ],
  ])('says of %s how it should be written', (_, change, fault) => {
    const [field] = Object.keys(change);
    const { code, message, place } = thrown(() => encodeLicense({ ...FULL, ...change }));
    expect({ code, message, place }).toEqual({
      code: 'claims_malformed',
      message: `the claim "${field}" is malformed: ${fault}`,
      place: { field },
    });
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
