import { Decoder } from 'cbor-x/index-no-eval';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armor, dearmor } from '../../../formats/armor.ts';
import { concatBytes, toHex } from '../../../formats/bytes.ts';
import type { Algorithm } from '../../../formats/cose-algorithm.ts';
import { decodeCoseSign1, encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../../formats/cose-sign1.ts';
import { VtlicError } from '../../../formats/error.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { encodeLicense } from '../../../formats/license/encode-license.ts';
import { license } from './arbitraries.ts';

const kid = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);
const alg = fc.constantFrom<Algorithm>('ed25519', 'ed25519+ml-dsa-65');
const typ = fc.constantFrom(...Object.values(TYP));
const blob = fc.uint8Array({ maxLength: 400 });

describe('licenses', () => {
  it('decode ∘ encode is the identity', () => {
    fc.assert(
      fc.property(license, (value) => {
        const payload = encodeLicense(value);
        expect(decodeLicense(payload)).toEqual(value);
        expect(encodeLicense(decodeLicense(payload))).toEqual(payload);
      }),
      { numRuns: 500 },
    );
  });

  it('every change of a payload is refused, or is another license with that very payload', () => {
    let others = 0;
    fc.assert(
      fc.property(license, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, change) => {
        const payload = encodeLicense(value);
        const place = at % payload.length;
        const changed = payload.with(place, (payload[place] ?? 0) ^ change);
        let other;
        try {
          other = decodeLicense(changed);
        } catch (error) {
          if (error instanceof VtlicError && (error.code === 'claims_malformed' || error.code === 'claims_unknown'))
            return;
          throw error;
        }
        others++;
        expect(encodeLicense(other)).toEqual(changed);
      }),
      { numRuns: 3000 },
    );
    expect(others).toBeGreaterThan(100);
  });

  it('cbor-x reads the claims as they were meant', () => {
    const decoder = new Decoder({ mapsAsObjects: false, useRecords: false });
    fc.assert(
      fc.property(license, (value) => {
        const claims = decoder.decode(encodeLicense(value)) as ReadonlyMap<unknown, unknown>;
        expect([claims.get(1), claims.get(2), claims.get(3), claims.get('tier')]).toEqual([
          value.iss,
          value.sub,
          value.aud,
          value.tier,
        ]);
        expect([
          Number(claims.get(4)),
          Number(claims.get(5)),
          Number(claims.get(6)),
          Number(claims.get('ctr')),
        ]).toEqual([value.exp, value.nbf, value.iat, value.ctr]);
        expect(claims.get('name')).toBe(value.name);
        expect(claims.get('features') ?? []).toEqual(value.features);
      }),
      { numRuns: 200 },
    );
  });
});

describe('COSE_Sign1', () => {
  it('decode ∘ encode is the identity', () => {
    fc.assert(
      fc.property(alg, kid, typ, blob, blob, (algorithm, key, type, payload, signature) => {
        const protectedBytes = encodeProtected(algorithm, key, type);
        const encoded = encodeCoseSign1(protectedBytes, payload, signature);
        const read = decodeCoseSign1(encoded, type);
        expect(read).toEqual({ alg: algorithm, kid: key, typ: type, protectedBytes, payload, signature });
        expect(encodeCoseSign1(read.protectedBytes, read.payload, read.signature)).toEqual(encoded);
      }),
    );
  });

  it('no two signed things have one Sig_structure', () => {
    fc.assert(
      fc.property(blob, blob, blob, blob, (protectedA, payloadA, protectedB, payloadB) => {
        const same = toHex(protectedA) === toHex(protectedB) && toHex(payloadA) === toHex(payloadB);
        expect(toHex(sigStructure(protectedA, payloadA)) === toHex(sigStructure(protectedB, payloadB))).toBe(same);
      }),
    );
    // Moving a byte over the border between the two changes what is signed.
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(), fc.nat(), (whole, a, b) => {
        const [i, j] = [a % (whole.length + 1), b % (whole.length + 1)];
        fc.pre(i !== j);
        expect(toHex(sigStructure(whole.slice(0, i), whole.slice(i)))).not.toBe(
          toHex(sigStructure(whole.slice(0, j), whole.slice(j))),
        );
      }),
    );
  });
});

describe('a license file', () => {
  const file = license.chain((value) =>
    fc.tuple(alg, kid).map(([algorithm, key]) => {
      const signature = new Uint8Array(algorithm === 'ed25519' ? 64 : 3373).fill(0xa5);
      const bytes = encodeCoseSign1(encodeProtected(algorithm, key, TYP.license), encodeLicense(value), signature);
      return { bytes, file: armor('VTLIC', bytes) };
    }),
  );

  /** Refused by the armor, or the very bytes that were in it. */
  function refusedOrSame(changed: Uint8Array, bytes: Uint8Array): 'refused' | 'same' {
    let read;
    try {
      read = dearmor('VTLIC', changed);
    } catch (error) {
      if (error instanceof VtlicError && error.code === 'armor_malformed') return 'refused';
      throw error;
    }
    if (toHex(read) !== toHex(bytes))
      throw new Error(`other bytes were read from ${new TextDecoder().decode(changed)}`);
    return 'same';
  }

  it('goes there and back', () => {
    fc.assert(
      fc.property(file, ({ bytes, file: text }) => {
        expect(dearmor('VTLIC', text)).toEqual(bytes);
      }),
      { numRuns: 50 },
    );
  });

  it('any bytes go there and back', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.constantFrom('VTLIC', 'VTLIC KEYSET'),
        (bytes, label) => {
          expect(dearmor(label, armor(label, bytes))).toEqual(bytes);
        },
      ),
    );
  });

  it('a license file with one byte inserted or deleted is refused, or contains the same bytes', () => {
    fc.assert(
      fc.property(file, fc.nat(), fc.integer({ min: 0, max: 255 }), ({ bytes, file: text }, at, inserted) => {
        const place = at % (text.length + 1);
        const longer = concatBytes(text.slice(0, place), Uint8Array.of(inserted), text.slice(place));
        const gone = at % text.length;
        const shorter = concatBytes(text.slice(0, gone), text.slice(gone + 1));
        expect(['refused', 'same']).toContain(refusedOrSame(longer, bytes));
        expect(['refused', 'same']).toContain(refusedOrSame(shorter, bytes));
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses every insertion and deletion of one byte in a whole file, but for white space around it and a CR', () => {
    const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
    const text = armor('VTLIC', bytes);
    const same: string[] = [];
    for (let place = 0; place <= text.length; place++) {
      for (let inserted = 0; inserted < 256; inserted++) {
        const changed = concatBytes(text.slice(0, place), Uint8Array.of(inserted), text.slice(place));
        if (refusedOrSame(changed, bytes) === 'same') same.push(`+${place}:${inserted}`);
      }
      if (
        place < text.length &&
        refusedOrSame(concatBytes(text.slice(0, place), text.slice(place + 1)), bytes) === 'same'
      )
        same.push(`-${place}`);
    }
    // White space before and after the block, and a CR in front of each LF: nothing else is taken.
    const blanks = [0x09, 0x0a, 0x0d, 0x20];
    const end = text.length - 1;
    const lineEnds = [...text.keys()].filter((i) => text[i] === 0x0a && i < end);
    const expected = [
      ...blanks.map((blank) => `+0:${blank}`),
      ...lineEnds.map((i) => `+${i}:13`),
      ...[end, end + 1].flatMap((i) => blanks.map((blank) => `+${i}:${blank}`)),
      `-${end}`,
    ];
    expect(same.toSorted()).toEqual(expected.toSorted());
  });

  it('a license file with one byte changed is refused, or contains other bytes than before, but for white space', () => {
    const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
    const text = armor('VTLIC', bytes);
    for (let place = 0; place < text.length; place++) {
      for (let value = 0; value < 256; value++) {
        if (value === text[place]) continue;
        let read;
        try {
          read = dearmor('VTLIC', text.with(place, value));
        } catch (error) {
          if (error instanceof VtlicError && error.code === 'armor_malformed') continue;
          throw error;
        }
        const blankAtTheEnd = place === text.length - 1;
        expect(toHex(read) === toHex(bytes)).toBe(blankAtTheEnd);
      }
    }
  });
});
