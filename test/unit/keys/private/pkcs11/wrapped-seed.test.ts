import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../../../formats/bytes.ts';
import { VtlicError } from '../../../../../formats/error.ts';
import {
  decodeWrappedSeed,
  encodeWrappedSeed,
  wrappedSeedAssociatedData,
} from '../../../../../keys/private/pkcs11/token-host/wrapped-seed.ts';

const seed = { iv: new Uint8Array(12).fill(1), sealed: new Uint8Array(48).fill(2) };

describe('a wrapped ML-DSA seed', () => {
  it('reads what it wrote', () => {
    const bytes = encodeWrappedSeed(seed);
    expect(bytes).toHaveLength(79);
    expect(decodeWrappedSeed(bytes)).toEqual(seed);
  });

  it('refuses another length, another text and another version', () => {
    const bytes = encodeWrappedSeed(seed);
    const changed = (at: number): Uint8Array => Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte));
    for (const wrong of [
      bytes.subarray(0, -1),
      concatBytes(bytes, Uint8Array.of(0)),
      new Uint8Array(),
      changed(0),
      changed(18),
    ]) {
      try {
        decodeWrappedSeed(wrong);
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(VtlicError);
        expect((error as VtlicError).code).toBe('keyfile_corrupt');
      }
    }
  });

  it('binds kid and version as associated data', () => {
    const data = wrappedSeedAssociatedData('ab'.repeat(32));
    expect(data).toHaveLength(19 + 32);
    expect(data).not.toEqual(wrappedSeedAssociatedData('ac'.repeat(32)));
    expect(() => wrappedSeedAssociatedData('ab')).toThrow('64 hex digits');
  });
});
