import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { moduleAsWritten, resolveModule } from '../../../keys/private/pkcs11/officer/resolve-module.ts';
import { parsePkcs11Uri } from '../../../keys/private/pkcs11/uri/uri.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'vtlic-module-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'libmaker.so.2');
writeFileSync(file, '');
const folders = ['a', 'b', 'c'].map((name) => join(folder, name));
for (const one of folders) mkdirSync(one);
const [a = '', b = '', c = ''] = folders;
for (const one of [a, b]) symlinkSync(file, join(one, 'libmaker.so'));
symlinkSync(join(folder, 'nothing'), join(c, 'libmaker.so'));

it('a module is one file, by whatever path it is named', () => {
  for (const path of [file, join(a, 'libmaker.so'), join(b, 'libmaker.so'), join(a, '..', 'libmaker.so.2')]) {
    const uri = parsePkcs11Uri(`pkcs11:token=t?module-path=${path}`);
    expect(resolveModule(uri)).toBe(file);
    expect(moduleAsWritten(uri)).toBe(path);
  }
  expect(resolveModule(parsePkcs11Uri('pkcs11:token=t?module-name=maker'), [a])).toBe(file);
});

it('two links to one module are not two modules', () => {
  expect(resolveModule(parsePkcs11Uri('pkcs11:token=t?module-name=maker'), [a, b])).toBe(file);
  writeFileSync(join(b, 'maker.so'), '');
  expect(() => resolveModule(parsePkcs11Uri('pkcs11:token=t?module-name=maker'), [a, b])).toThrow('more than one');
});

it('a link to nothing is told as a module that cannot be read', () => {
  for (const uri of [`pkcs11:token=t?module-path=${join(c, 'libmaker.so')}`, `pkcs11:token=t?module-path=${c}&module-name=maker`]) {
    expect(() => resolveModule(parsePkcs11Uri(uri))).toThrow(/libmaker\.so cannot be read/);
  }
});
