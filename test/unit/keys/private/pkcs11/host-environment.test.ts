import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkDeclared,
  describeDeclared,
  environmentFaults,
  hostEnvironment,
  passedVariables,
} from '../../../../../keys/private/pkcs11/client/host-environment.ts';
import { declarationFault } from '../../../../../keys/private/pkcs11/shared/module-environment.ts';

describe("the token host's environment", () => {
  it('has what modules look for, and nothing else', () => {
    const passed = hostEnvironment({
      SOFTHSM2_CONF: '/a',
      KRYOPTIC_CONF: '/b',
      NODE_OPTIONS: '--require x',
      LD_PRELOAD: '/x.so',
      PATH: '/bin',
      SECRET: 'x',
      HOME: '/h',
    });
    expect(passed).toEqual({ SOFTHSM2_CONF: '/a', KRYOPTIC_CONF: '/b', HOME: '/h' });
    for (const name of passedVariables()) expect(name).not.toMatch(/^(NODE_|LD_)|PIN|SECRET|PASS/);
  });
});

describe('a variable that a keystore declares', () => {
  let folder: string;
  let file: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'vtlic-env-'));
    file = join(folder, 'module.cfg');
    writeFileSync(file, '');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is passed with its value, or with that of the officer', () => {
    const passed = hostEnvironment({ PKCS11SPY: '/spy.so', OTHER: 'x' }, { PKCS11SPY: true, NFAST_HOME: '/opt/nfast' });
    expect(passed).toEqual({ PKCS11SPY: '/spy.so', NFAST_HOME: '/opt/nfast' });
  });

  it('is named where it is not set', () => {
    expect(() => checkDeclared({}, { PKCS11SPY: true })).toThrow('needs PKCS11SPY, which the keystore declares');
    expect(describeDeclared({}, { PKCS11SPY: true })).toEqual(['PKCS11SPY is not set']);
  });

  it('is named with the file that it names, where that cannot be read', () => {
    const missing = join(folder, 'missing.cfg');
    expect(() => checkDeclared({}, { CS_PKCS11_R3_CFG: missing })).toThrow(
      `CS_PKCS11_R3_CFG names ${missing}, which is not there`,
    );
    expect(() => checkDeclared({}, { CS_PKCS11_R3_CFG: file })).not.toThrow();
    expect(() => checkDeclared({}, { KMS_PKCS11_CONFIG: folder })).toThrow('which is a folder');
  });

  it('may name its file by a path from the folder of the command, as for the makers of modules', () => {
    expect(environmentFaults({ SOFTHSM2_CONF: relative(process.cwd(), file) })).toEqual([]);
    expect(environmentFaults({ SOFTHSM2_CONF: 'no-such.conf' })).toEqual([
      `SOFTHSM2_CONF names ${join(process.cwd(), 'no-such.conf')}, which is not there`,
    ]);
  });

  it('is missed where the officer has set it and no keystore declares it', () => {
    expect(environmentFaults({ PKCS11SPY: '/spy.so' })[0]).toContain('PKCS11SPY is set and not passed');
    expect(environmentFaults({ PKCS11SPY: '/spy.so' }, { PKCS11SPY: true })).toEqual([]);
  });

  it.each([
    ['NODE_OPTIONS', true, 'could load other code'],
    ['LD_PRELOAD', '/x.so', 'could load other code'],
    ['BASH_ENV', true, 'could load other code'],
    ['MODULE_PIN', '1234', 'looks like a secret'],
    ['TOKEN_PASSWORD', true, 'looks like a secret'],
    ['A B', true, 'is not the name'],
    ['', true, 'is not the name'],
    ['CS_PKCS11_R3_CFG', 'relative.cfg', 'absolute path'],
    ['ANYTHING', './relative', 'absolute path'],
    ['ANYTHING', '', 'should have a value'],
    ['ANYTHING', 'a\nb', 'without control characters'],
  ] as const)('%s = %j is refused', (name, value, words) => {
    expect(declarationFault(name, value)).toContain(words);
  });

  it.each([
    ['CKNFAST_LOADSHARING', '1'],
    ['TPM2_PKCS11_STORE', true],
    ['P11_KIT_SERVER_ADDRESS', 'unix:path=/run/p11-kit'],
    ['SPINDLE_CONFIG', '/etc/spindle'],
  ] as const)('%s = %j is taken', (name, value) => {
    expect(declarationFault(name, value)).toBeUndefined();
  });
});
