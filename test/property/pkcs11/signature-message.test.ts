import fc from 'fast-check';
import { deserialize } from 'node:v8';
import { describe, expect, it } from 'vitest';
import {
  decodeSignatureMessage,
  encodeSignatureMessage,
} from '../../../keys/private/pkcs11/shared/signature-message.ts';

const id = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const ref = fc.oneof(fc.integer({ min: -1, max: 2 ** 48 }), fc.constant(-1));
const bytes = fc.uint8Array({ maxLength: 64 });
const request = fc.record({
  id,
  operation: fc.constant('sign' as const),
  body: fc.record({ parts: fc.array(fc.record({ ref, message: bytes }), { maxLength: 4 }) }),
});
const reply = fc.record({ id, value: fc.array(bytes, { minLength: 1, maxLength: 4 }) });
const message = fc.oneof(request, reply);

function encoded(value: unknown): Buffer {
  const whole = encodeSignatureMessage(value, 0);
  if (whole === undefined) throw new Error('no signature message');
  return whole;
}

describe("a signature's request and reply as flat bytes", () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(message, (value) => {
        expect(decodeSignatureMessage(encoded(value))).toEqual(value);
      }),
    );
  });

  it('leave the room that is asked for at the front', () => {
    fc.assert(
      fc.property(message, fc.integer({ min: 0, max: 8 }), (value, room) => {
        expect(encodeSignatureMessage(value, room)?.subarray(room).equals(encoded(value))).toBe(true);
      }),
    );
  });

  it('are not read where bytes are missing or too many', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 9 }), (value, cut, more) => {
        const whole = encoded(value);
        expect(decodeSignatureMessage(whole.subarray(0, cut % whole.length))).toBeUndefined();
        expect(decodeSignatureMessage(Buffer.concat([whole, more]))).toBeUndefined();
      }),
    );
  });

  it('of any bytes throw nothing, and what is read encodes to the same bytes', () => {
    const head = fc
      .tuple(fc.constantFrom(1, 2), fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.constantFrom(0, 1, 2))
      .map(([kind, number, count]) => Buffer.from([kind, ...number, count]));
    fc.assert(
      fc.property(head, fc.uint8Array({ maxLength: 40 }), (first, rest) => {
        const given = Buffer.concat([first, rest]);
        const read = decodeSignatureMessage(given);
        // A reply without signatures is none of ours, though it can be read.
        if (read === undefined || ('value' in read && (read.value as unknown[]).length === 0)) return;
        const again = decodeSignatureMessage(encoded(read));
        expect(again).toEqual(read);
      }),
    );
  });

  it.each([
    ['a login with a PIN', { id: 1, operation: 'login', body: { pin: Uint8Array.of(1) } }],
    ['a reply that is no list', { id: 1, value: true }],
    ['an empty list', { id: 1, value: [] }],
    ['a list of texts', { id: 1, value: ['CKA_VALUE'] }],
    ['a list with a hole', { id: 1, value: [Uint8Array.of(1), undefined] }],
    ['a fault', { id: 1, fault: { kind: 'defect', text: 'x' } }],
    ['a number that is no id', { id: 2 ** 32, value: [Uint8Array.of(1)] }],
    ['more parts than a byte counts', { id: 1, value: Array.from({ length: 256 }, () => Uint8Array.of(1)) }],
    ['null', null],
    ['undefined', undefined],
    ['a text', 'sign'],
  ])('are not made of %s', (_, value) => {
    expect(encodeSignatureMessage(value, 4)).toBeUndefined();
  });

  it('are never taken for a message of node:v8, which begins with FF', () => {
    fc.assert(
      fc.property(message, (value) => {
        expect(() => void deserialize(encoded(value))).toThrow('Unable to deserialize');
      }),
    );
  });
});
