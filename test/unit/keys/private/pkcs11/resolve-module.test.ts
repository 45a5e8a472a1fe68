import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { moduleFile, resolveModule } from '../../../../../keys/private/pkcs11/client/resolve-module.ts';
import { parsePkcs11Uri } from '../../../../../keys/private/pkcs11/uri/uri.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'vtlic-module-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'libmaker.so.2');
writeFileSync(file, '');
const folders = ['a', 'b', 'c'].map((name) => join(folder, name));
for (const one of folders) mkdirSync(one);
const [a = '', b = '', c = ''] = folders;
for (const one of [a, b]) symlinkSync(file, join(one, 'libmaker.so'));
symlinkSync(join(folder, 'nothing'), join(c, 'libmaker.so'));

it('a module is one file, by whatever path it is named, and keeps the path in what is shown', () => {
  for (const path of [file, join(a, 'libmaker.so'), join(b, 'libmaker.so')]) {
    const resolved = resolveModule(parsePkcs11Uri(`pkcs11:token=t?module-path=${path}`));
    expect(resolved).toBe(path);
    expect(moduleFile(resolved)).toBe(file);
  }
  expect(moduleFile(join(c, 'libmaker.so'))).toBe(join(c, 'libmaker.so'));
});

it('two links to one module are not two modules', () => {
  const uri = parsePkcs11Uri('pkcs11:token=t?module-name=maker');
  expect(resolveModule(uri, [a, b])).toBe(join(a, 'libmaker.so'));
  writeFileSync(join(b, 'maker.so'), '');
  expect(() => resolveModule(uri, [a, b])).toThrow('more than one');
});
