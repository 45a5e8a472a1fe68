import { describe, expect, it } from 'vitest';
import { isHostReply, isReplyOf } from '../../../../../keys/private/pkcs11/client/host-reply.ts';

const SIGNATURE = new Uint8Array(64);

describe('a reply of the token host', () => {
  it.each([
    [{ id: 1, value: [SIGNATURE] }, true],
    [{ id: 1, value: undefined }, true],
    [{ id: 1, fault: { kind: 'call', call: 'C_Sign', rv: 5 } }, true],
    [{ id: 1 }, false],
    [{ id: -1, value: true }, false],
    [{ id: Number.NaN, value: true }, false],
    [{ id: '1', value: true }, false],
    [{ value: true }, false],
    [null, false],
    ['ready', false],
    [{ id: 1, fault: { kind: 'call', call: 'C_Sign', rv: '5' } }, false],
    [{ id: 1, fault: { kind: 'toString', text: '' } }, false],
    [{ id: 1, fault: { kind: 'refused', why: 'signed', text: '' } }, false],
    [{ id: 1, fault: null }, false],
  ])('%j: %s', (message, good) => {
    expect(isHostReply(message)).toBe(good);
  });

  it('has the shape of its operation, or is garbled', () => {
    const sparse: unknown[] = [];
    sparse.length = 2 ** 32 - 1;
    for (const value of [
      undefined,
      SIGNATURE,
      ['a'],
      [SIGNATURE, 1],
      { 0: SIGNATURE, length: 1 },
      sparse,
      new Array(2),
      Object.assign([SIGNATURE], { length: 3 }),
    ])
      expect(isReplyOf('sign', value)).toBe(false);
    expect(isReplyOf('sign', [SIGNATURE, SIGNATURE])).toBe(true);
    for (const value of [-1, Number.POSITIVE_INFINITY, '0', undefined, true])
      expect(isReplyOf('login', value)).toBe(false);
    expect(isReplyOf('login', 0)).toBe(true);
  });

  it('has versions that are two numbers', () => {
    const module = { cryptokiVersion: '2.40', manufacturer: 'M', description: 'D', libraryVersion: '255.0' };
    const token = {
      label: 'T',
      manufacturer: 'M',
      model: 'X',
      serial: '1',
      slotDescription: 'S',
      flags: 0,
      minPinLength: 4,
      maxPinLength: 8,
      hardwareVersion: '1.0',
      firmwareVersion: '1.0',
    };
    expect(isReplyOf('load', module)).toBe(true);
    expect(isReplyOf('token', token)).toBe(true);
    for (const version of ['2.6\u001b[2J', '1', '1.', '1.0\n', '1000.0', '', 2.4, undefined]) {
      for (const name of ['cryptokiVersion', 'libraryVersion'])
        expect(isReplyOf('load', { ...module, [name]: version })).toBe(false);
      for (const name of ['hardwareVersion', 'firmwareVersion'])
        expect(isReplyOf('token', { ...token, [name]: version })).toBe(false);
    }
  });
});
