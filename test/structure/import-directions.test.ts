import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkImportDirections } from './import-directions.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function planted(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'vtlic-imports-'));
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

describe('import directions', () => {
  it('hold in this repository, and the check has read it', () => {
    const { files, faults } = checkImportDirections(join(import.meta.dirname, '../..'));
    expect(faults).toEqual([]);
    expect(files).toBeGreaterThan(40);
  });

  it.each([
    [
      'formats/a.ts',
      "import { b } from '../keys/public/b.ts';",
      'keys/public/b.ts',
      'room formats may not import room keys/public',
    ],
    [
      'verifier/a.ts',
      "import type { B } from '../keys/private/b.ts';",
      'keys/private/b.ts',
      'room verifier may not import room keys/private',
    ],
    [
      'keys/private/a.ts',
      "export * from '../../signer/b.ts';",
      'signer/b.ts',
      'room keys/private may not import room signer',
    ],
    [
      'signer/ledger/a.ts',
      ['const b = await import', "('../cli/b.ts');"].join(''),
      'signer/cli/b.ts',
      'room signer/ledger may not import room signer/cli',
    ],
    [
      'signer/keys/a.ts',
      "import { b } from '../../keys/private/pkcs11/token-host/b.ts';",
      'keys/private/pkcs11/token-host/b.ts',
      'room signer may not import room keys/private/pkcs11/token-host',
    ],
    [
      'signer/ledger/entries/a.ts',
      "import { b } from '../store/b.ts';",
      'signer/ledger/store/b.ts',
      'room signer/ledger/entries may not import room signer/ledger/store',
    ],
    [
      'signer/a.ts',
      "import { b } from './ledger/store/b.ts';",
      'signer/ledger/store/b.ts',
      'may import room signer/ledger only through signer/ledger/index.ts',
    ],
    [
      'signer/a.ts',
      "import\n  { b }\n  from '../vectors/b.ts';",
      'vectors/b.ts',
      'room signer may not import room vectors',
    ],
    [
      'keys/public/a.ts',
      "import { b } from '../../formats/cbor/b.ts';",
      'formats/cbor/b.ts',
      'may import room formats/cbor only through formats/cbor/index.ts',
    ],
    [
      'signer/keys/a.ts',
      "import type { B } from '../../keys/private/pkcs11/client/b.ts';",
      'keys/private/pkcs11/client/b.ts',
      'may import room keys/private/pkcs11/client only through keys/private/pkcs11/client/index.ts',
    ],
  ])('refuse a planted import of another room in %s', (file, text, target, rule) => {
    const { faults } = checkImportDirections(planted({ [file]: text, [target]: 'export const b = 1;' }));
    expect(faults.map((fault) => `${fault.file}: ${fault.rule}`)).toEqual([
      expect.stringContaining(`${file}: ${rule}`),
    ]);
  });

  it('refuses a planted circle', () => {
    const { faults } = checkImportDirections(
      planted({
        'formats/a.ts': "import './b.ts';",
        'formats/b.ts': "import { c } from './c.ts';",
        'formats/c.ts': "export { a } from './a.ts';",
      }),
    );
    expect(faults).toHaveLength(1);
    expect(faults[0]?.rule).toContain('formats/a.ts → formats/b.ts → formats/c.ts → formats/a.ts');
  });

  it('refuses a file outside every room', () => {
    const { faults } = checkImportDirections(planted({ 'helpers/a.ts': 'export {};' }));
    expect(faults[0]?.rule).toContain('lies in no room');
  });
});
