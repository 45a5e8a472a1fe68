import { Point } from '@noble/ed25519';
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, toHex } from '../../../../formats/bytes.ts';
import { SoftwareKey } from '../../../../keys/private/software/software-key.ts';
import { importPublicKey } from '../../../../keys/public/public-key.ts';
import { hex, readData } from './read-data.ts';
import { torsionPoints } from '../../../../conformance/examples/torsion-points.ts';
import { inWords, thrown } from '../../../support/thrown.ts';

const composite = new SoftwareKey('ed25519+ml-dsa-65', 'license', randomBytes(64)).publicKey;
const plain = new SoftwareKey('ed25519', 'license', randomBytes(32)).publicKey;

function refusal(act: () => unknown): string {
  return inWords(thrown(act));
}

describe('the kid', () => {
  it.each(
    readData<readonly { name: string; publicKey: string; coseKey: string; thumbprint: string }[]>(
      'rfc9679/thumbprints.json',
    ),
  )('the kid of $name is the thumbprint that another tool computed', ({ publicKey, thumbprint }) =>
    expect(importPublicKey('ed25519', hex(publicKey)).kid).toBe(thumbprint),
  );

  it('the kid of a composite is SHA-256 over the bytes that docs/format.md gives', () => {
    const head = concatBytes(hex('a301070371'), Buffer.from('ed25519+ml-dsa-65'), hex('205907c0'));
    expect(composite.kid).toBe(createHash('sha256').update(head).update(composite.bytes).digest('hex'));
  });
});

describe('importPublicKey', () => {
  it('gives frozen keys with copies of the bytes', () => {
    const bytes = Uint8Array.from(plain.bytes);
    const key = importPublicKey('ed25519', bytes);
    bytes.fill(0);
    expect(key.bytes).toEqual(plain.bytes);
    expect(Object.isFrozen(key)).toBe(true);
    expect('mldsa65' in key).toBe(false);
    const again = importPublicKey('ed25519+ml-dsa-65', composite.bytes);
    expect(concatBytes(again.mldsa65 ?? new Uint8Array(), again.ed25519)).toEqual(composite.bytes);
  });

  it.each([0, 31, 33, 1952, 1984])('refuses an Ed25519 key of %d bytes', (length) => {
    expect(refusal(() => importPublicKey('ed25519', new Uint8Array(length)))).toContain(
      `key_invalid: a public key for ed25519 has 32 bytes, not ${length}`,
    );
  });

  it.each([0, 32, 1952, 1983, 1985])('refuses a composite key of %d bytes', (length) => {
    expect(refusal(() => importPublicKey('ed25519+ml-dsa-65', new Uint8Array(length)))).toContain('has 1984 bytes');
  });

  const withComponent = (component: Uint8Array): Uint8Array => concatBytes(composite.bytes.slice(0, 1952), component);
  const small = torsionPoints().map((point) => point.toBytes());

  it.each(small.map((encoding) => [toHex(encoding), encoding] as const))(
    'refuses the point of small order %s, alone and as a component',
    (_, encoding) => {
      expect(refusal(() => importPublicKey('ed25519', encoding))).toContain('small order');
      expect(refusal(() => importPublicKey('ed25519+ml-dsa-65', withComponent(encoding)))).toContain('small order');
    },
  );

  it.each([
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '0100000000000000000000000000000000000000000000000000000000000080',
  ])('refuses the encoding %s, which is not canonical', (text) => {
    expect(refusal(() => importPublicKey('ed25519', hex(text)))).toContain('canonical');
    expect(refusal(() => importPublicKey('ed25519+ml-dsa-65', withComponent(hex(text))))).toContain('canonical');
  });

  it.each([undefined, true])('refuses y = 2, which is not a point of the curve (forSite: %s)', (forSite) => {
    const encoding = fromHex('02'.padEnd(64, '0')) ?? new Uint8Array();
    expect(refusal(() => importPublicKey('ed25519', encoding, forSite === undefined ? {} : { forSite }))).toContain(
      'not a point of the curve',
    );
  });

  it('refuses a key of mixed order only for a site', () => {
    for (const torsion of torsionPoints()) {
      const encoding = Point.BASE.add(torsion).toBytes();
      expect(importPublicKey('ed25519', encoding).alg).toBe('ed25519');
      if (torsion.is0()) expect(importPublicKey('ed25519', encoding, { forSite: true }).alg).toBe('ed25519');
      else expect(refusal(() => importPublicKey('ed25519', encoding, { forSite: true }))).toContain('mixed order');
    }
  });
});
