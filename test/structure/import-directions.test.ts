import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { backwardArrows, checkImportDirections, MAY_IMPORT } from './import-directions.ts';

/** A constant, because the check would take the word in a text for an import of this file. */
const IMPORT = 'import';

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
      `const b = await ${IMPORT}('../cli/b.ts');`,
      'signer/cli/b.ts',
      'room signer/ledger may not import room signer/cli',
    ],
    [
      'signer/keys/a.ts',
      "import { b } from '../../keys/private/pkcs11/token-host/b.ts';",
      'keys/private/pkcs11/token-host/b.ts',
      'room signer/keys may not import room keys/private/pkcs11/token-host',
    ],
    [
      'signer/ledger/entries/a.ts',
      "import { b } from '../store/b.ts';",
      'signer/ledger/store/b.ts',
      'room signer/ledger/entries may not import room signer/ledger/store',
    ],
    [
      'signer/a.ts',
      "import\n  { b }\n  from '../vectors/b.ts';",
      'vectors/b.ts',
      'room signer may not import room vectors',
    ],
    [
      'signer/plan/a.ts',
      "import { b } from '../batch/b.ts';",
      'signer/batch/b.ts',
      'room signer/plan may not import room signer/batch',
    ],
    [
      'signer/keys/a.ts',
      "import type { B } from '../issue/b.ts';",
      'signer/issue/b.ts',
      'room signer/keys may not import room signer/issue',
    ],
    [
      'signer/site/a.ts',
      `export type B = typeof ${IMPORT}('../request/b.ts');`,
      'signer/request/b.ts',
      'room signer/site may not import room signer/request',
    ],
  ])('refuse a planted import of another room in %s', (file, text, target, rule) => {
    const { faults } = checkImportDirections(planted({ [file]: text, [target]: 'export const b = 1;' }));
    expect(faults.map((fault) => `${fault.file}: ${fault.rule}`)).toEqual([
      expect.stringContaining(`${file}: ${rule}`),
    ]);
  });

  it.each([
    ['formats/cbor', 'keys/public/a.ts', "import { b } from '../../formats/cbor/b.ts';"],
    [
      'keys/private/pkcs11/client',
      'signer/keys/a.ts',
      "import type { B } from '../../keys/private/pkcs11/client/b.ts';",
    ],
    ['signer/ledger', 'signer/plan/a.ts', "export type { B } from '../ledger/b.ts';"],
    ['verifier', 'signer/cli/a.ts', `const b = ${IMPORT}('../../verifier/b.ts');`],
  ])('refuse a way into %s past its index.ts', (room, file, text) => {
    const tree = { [file]: text, [`${room}/b.ts`]: 'export const b = 1;', [`${room}/index.ts`]: 'export {};' };
    const rule = `may import room ${room} only through ${room}/index.ts (${room}/b.ts)`;
    expect(checkImportDirections(planted(tree)).faults).toEqual([{ file, rule }]);
  });

  it('let a room in by the index.ts of a room that is inside another one, and only by that', () => {
    const tree = (file: string): Record<string, string> => ({
      'signer/cli/a.ts': `import { b } from '../../verifier/keyset/${file}.ts';`,
      'verifier/index.ts': 'export {};',
      'verifier/keyset/index.ts': 'export const b = 1;',
      'verifier/keyset/b.ts': 'export const b = 1;',
    });
    expect(checkImportDirections(planted(tree('index'))).faults).toEqual([]);
    expect(checkImportDirections(planted(tree('b'))).faults).toHaveLength(1);
  });

  it('let a test import a file behind an index.ts', () => {
    const tree = {
      'test/unit/a.test.ts': "import { b } from '../../verifier/b.ts';",
      'verifier/b.ts': 'export const b = 1;',
      'verifier/index.ts': 'export {};',
    };
    expect(checkImportDirections(planted(tree)).faults).toEqual([]);
  });

  it('are a table in which each room imports only rooms above it', () => {
    expect(backwardArrows(MAY_IMPORT)).toEqual([]);
    expect(backwardArrows({ formats: [], verifier: ['signer/plan'], 'signer/plan': ['formats'] })).toEqual([
      'verifier → signer/plan',
    ]);
  });

  it('refuse a planted circle of rooms whose files import in no circle', () => {
    const { faults } = checkImportDirections(
      planted({
        'signer/request/a.ts': "import { b } from '../site/b.ts';",
        'signer/site/b.ts': 'export const b = 1;',
        'signer/site/c.ts': "import type { D } from '../request/d.ts';",
        'signer/request/d.ts': 'export type D = 1;',
      }),
    );
    expect(faults.map((fault) => fault.rule)).toEqual([
      expect.stringContaining('room signer/site may not import room signer/request'),
      'rooms import each other in a circle: signer/request → signer/site → signer/request',
    ]);
  });

  it('refuse a planted circle of files', () => {
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

  it.each(['helpers/a.ts', 'signer/orders/a.ts', 'signer/ledger/rows/a.ts'])(
    'refuse %s, a file outside every room',
    (path) => {
      const { faults } = checkImportDirections(planted({ [path]: 'export {};' }));
      expect(faults[0]?.rule).toContain('is in no room');
    },
  );
});
