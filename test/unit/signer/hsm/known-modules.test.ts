import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { knownModules } from '../../../../signer/hsm/diagnose.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vtlic-modules-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function install(path: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '');
  return file;
}

it.each([
  ['openCryptoki of Debian', '/usr/lib/x86_64-linux-gnu/pkcs11/libopencryptoki.so'],
  ['openCryptoki of Debian on ARM', '/usr/lib/aarch64-linux-gnu/pkcs11/libopencryptoki.so'],
  ['openCryptoki of Fedora', '/usr/lib64/pkcs11/libopencryptoki.so'],
  ['SoftHSM of Debian', '/usr/lib/softhsm/libsofthsm2.so'],
  ['SoftHSM of Fedora', '/usr/lib64/pkcs11/libsofthsm2.so'],
  ['the module of a YubiHSM 2', '/usr/lib/x86_64-linux-gnu/pkcs11/yubihsm_pkcs11.so'],
])('the module of %s is found at %s', (_, path) => {
  const file = install(path);
  expect(knownModules(root)).toEqual([file]);
});

it('a module that a package links to from a second folder is listed once, and a link without its file never', () => {
  const file = install('/usr/lib/x86_64-linux-gnu/opencryptoki/libopencryptoki.so');
  mkdirSync(join(root, '/usr/lib/x86_64-linux-gnu/pkcs11'));
  const link = join(root, '/usr/lib/x86_64-linux-gnu/pkcs11/libopencryptoki.so');
  symlinkSync('../opencryptoki/libopencryptoki.so', link);
  mkdirSync(join(root, '/usr/lib64/pkcs11'), { recursive: true });
  symlinkSync('/no/such/libsofthsm2.so', join(root, '/usr/lib64/pkcs11/libsofthsm2.so'));
  expect(knownModules(root)).toEqual([link]);
  rmSync(file);
  expect(knownModules(root)).toEqual([]);
});
