import { describe, expect, it } from 'vitest';
import type { VtlicError } from '../../../../../formats/error.ts';
import { findToken } from '../../../../../keys/private/pkcs11/client/find-token.ts';
import { parsePkcs11Uri } from '../../../../../keys/private/pkcs11/uri/uri.ts';
import { thrown } from '../../../../support/thrown.ts';

const MODULE = { cryptokiVersion: '3.2', manufacturer: 'M', description: 'D', libraryVersion: '1.0' };
const slot = (slotId: number, serial: string, label = 'T') => ({
  slotId,
  description: 'S',
  manufacturer: 'M',
  token: {
    label,
    manufacturer: 'M',
    model: 'X',
    serial,
    slotDescription: 'S',
    flags: 0x400,
    minPinLength: 4,
    maxPinLength: 8,
    hardwareVersion: '1.0',
    firmwareVersion: '1.0',
  },
});

function refusal(uri: string, slots: Parameters<typeof findToken>[3]): VtlicError {
  return thrown(() => findToken(parsePkcs11Uri(uri), '/m.so', MODULE, slots));
}

describe('the one token of a URI', () => {
  it('is found among others', () => {
    expect(findToken(parsePkcs11Uri('pkcs11:serial=02'), '/m.so', MODULE, [slot(1, '01'), slot(2, '02')]).slotId).toBe(
      2,
    );
  });

  it('a token of a module that shows thousands is asked for in a sentence that can be read', () => {
    const slots = Array.from({ length: 4000 }, (_, i) => slot(i, String(i)));
    const faulty = Array.from({ length: 4000 }, (_, i) => ({
      slotId: i,
      description: 'S',
      manufacturer: 'M',
      fault: 'C_GetSlotInfo, CKR_GENERAL_ERROR',
    }));
    for (const error of [refusal('pkcs11:token=T', slots), refusal('pkcs11:token=U', [...slots, ...faulty])])
      expect(error.message.length).toBeLessThan(2000);
    expect(refusal('pkcs11:token=T', slots).message).toContain('matches 4000 tokens: "T" (serial 0)');
    expect(refusal('pkcs11:token=T', slots).message).toMatch(/and 3990 more$/);
  });

  it('is said in a hint by a URI that means no other, of tokens without a serial number too', () => {
    const nameless = (slotId: number, description: string, label = 'T'): ReturnType<typeof slot> => {
      const made = slot(slotId, '', label);
      return { ...made, description, token: { ...made.token, slotDescription: description } };
    };
    const twins = [nameless(1, 'Linux'), nameless(2, 'Linux 2')];
    const hint = refusal('pkcs11:token=T', twins).hint ?? '';
    const said = /'(pkcs11:[^']+)'/.exec(hint)?.[1] ?? '';
    expect(said).toContain('slot-description=Linux');
    expect(findToken(parsePkcs11Uri(said), '/m.so', MODULE, twins).slotId).toBe(1);
    const same = [nameless(1, 'Linux'), nameless(2, 'Linux')];
    expect(refusal('pkcs11:token=T', same).hint).toContain('cannot be told apart');
  });
});
