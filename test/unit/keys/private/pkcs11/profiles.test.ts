import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { profileOf, PROFILES } from '../../../../../keys/private/pkcs11/shared/profiles.ts';

const module = (manufacturer: string, description: string, libraryVersion = '1.0', cryptokiVersion = '2.40') => ({
  manufacturer,
  description,
  libraryVersion,
  cryptokiVersion,
});
const token = (model: string) => ({
  label: 'T',
  manufacturer: 'M',
  model,
  serial: '1',
  slotDescription: 'S',
  flags: 0,
  minPinLength: 4,
  maxPinLength: 8,
  hardwareVersion: '1.0',
  firmwareVersion: '1.0',
});

describe('token profiles', () => {
  it.each([
    ['softhsm-2.6', module('SoftHSM', 'Implementation of PKCS11', '2.6'), token('SoftHSM v2')],
    ['softhsm-2.7', module('SoftHSM', 'Implementation of PKCS11', '2.7', '3.2'), token('SoftHSM v2')],
    ['standard', module('SoftHSM', 'Implementation of PKCS11', '3.0', '3.2'), token('SoftHSM v2')],
    ['kryoptic', module('Kryoptic', 'Kryoptic PKCS11 Module', '0.0', '3.2'), token('v1')],
    ['opencryptoki', module('IBM', 'openCryptoki', '3.27'), token('Soft')],
    ['yubihsm2', module('Yubico (www.yubico.com)', 'YubiHSM PKCS#11 Library'), token('YubiHSM')],
    ['nethsm', module('Nitrokey', 'Nitrokey NetHsm PKCS#11 library'), token('NetHSM')],
    ['luna7', module('SafeNet', 'Chrystoki', '10.9'), token('Luna K7')],
    ['cloudhsm', module('AWS', 'CloudHSM PKCS#11'), token('CloudHSM')],
    ['standard', module('Somebody', 'Something'), token('Other')],
  ])('%s is recognized', (id, ofModule, ofToken) => {
    expect(profileOf(ofModule, ofToken).id).toBe(id);
  });

  it('calls tested only what the tests of this repository run', () => {
    expect(PROFILES.filter(({ tested }) => tested).map(({ id }) => id)).toEqual(['softhsm-2.6', 'kryoptic']);
  });

  it('marks each row in docs/hsm.md as tried or not', () => {
    const rows = readFileSync(new URL('../../../../../docs/hsm.md', import.meta.url), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| '));
    for (const { name, tested, triedByHand, ed25519, mldsa65, dataObjects } of PROFILES) {
      const cells = rows.map((row) => row.slice(2, -2).split(' | ')).find(([first]) => first?.startsWith(name));
      const tried = tested ? 'yes' : triedByHand === undefined ? '**no**' : `by hand, ${triedByHand}`;
      expect(`${name}: ${cells?.at(-1)}`).toBe(`${name}: ${tried}`);
      if (ed25519 === undefined) expect(cells?.[1]).toContain('could not be confirmed');
      if (mldsa65 === undefined) expect(cells?.[2]).toMatch(/^no$|could not be confirmed/);
      if (dataObjects === 'none') expect(cells?.[4]).toBe('none');
    }
  });

  it('ends with the row that fits every token, and has each row once', () => {
    expect(PROFILES.at(-1)?.id).toBe('standard');
    expect(new Set(PROFILES.map(({ id }) => id)).size).toBe(PROFILES.length);
  });
});
