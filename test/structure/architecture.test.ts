import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../support/run-cli.ts';
import { checkDocuments, pathsIn } from './documents.ts';

const DOCUMENTS = ['ARCHITECTURE.md', 'README.md', 'docs/glossary.md'];

const base = mkdtempSync(join(tmpdir(), 'vtlic-documents-'));
afterAll(() => rmSync(base, { recursive: true }));

describe('architecture, glossary and room list', () => {
  it('agree with this repository', () => {
    expect(checkDocuments(ROOT)).toEqual([]);
  });

  describe('of a tree of empty files under the names of this repository', () => {
    let root: string;
    beforeEach(() => {
      root = mkdtempSync(join(base, 'tree-'));
      for (const path of DOCUMENTS.flatMap((file) => pathsIn(readFileSync(join(ROOT, file), 'utf8')))) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        if (path.endsWith('/')) mkdirSync(join(root, path), { recursive: true });
        writeFileSync(path.endsWith('/') ? join(root, path, 'a.ts') : join(root, path), '');
      }
      for (const file of [...DOCUMENTS, '.gitignore']) copyFileSync(join(ROOT, file), join(root, file));
    });

    function edit(file: string, change: (text: string) => string): void {
      const before = readFileSync(join(root, file), 'utf8');
      const after = change(before);
      expect(after).not.toBe(before);
      writeFileSync(join(root, file), after);
    }

    it('agree as long as nothing changes', () => {
      expect(checkDocuments(root)).toEqual([]);
    });

    it('disagree with a new folder inside a room', () => {
      mkdirSync(join(root, 'signer/ledger/rows'));
      writeFileSync(join(root, 'signer/ledger/rows/a.ts'), 'export {};');
      expect(checkDocuments(root)).toEqual(['ARCHITECTURE.md does not name signer/ledger/rows/']);
    });

    it('disagree with a new top folder', () => {
      mkdirSync(join(root, 'helpers'));
      expect(checkDocuments(root)).toEqual([
        'ARCHITECTURE.md does not name helpers/',
        'README.md does not list helpers/',
      ]);
    });

    it('disagree with a removed folder', () => {
      rmSync(join(root, 'bench'), { recursive: true });
      expect(checkDocuments(root)).toEqual([
        'ARCHITECTURE.md names bench/, which does not exist',
        'README.md lists bench/, which does not exist',
      ]);
    });

    it('disagree with a file that was removed or renamed', () => {
      rmSync(join(root, 'verifier/binding.ts'));
      expect(checkDocuments(root)).toEqual([
        'ARCHITECTURE.md names verifier/binding.ts, which does not exist',
        'docs/glossary.md names verifier/binding.ts for "binding", which does not exist',
      ]);
    });

    it('disagree with rooms in another order than that of imports', () => {
      edit('ARCHITECTURE.md', (text) => text.replace(/^(\| `keys\/public\/`.*\n)(\| `keys\/private\/`.*\n)/m, '$2$1'));
      expect(checkDocuments(root)).toEqual([expect.stringContaining('expected the order of imports')]);
    });

    it('disagree with a glossary line without a file, and with one out of order', () => {
      edit('docs/glossary.md', (text) => `${text}- **zeal**: a word without a file.\n`);
      edit('docs/glossary.md', (text) => text.replace(/^(- \*\*anchor\*\*.*\n)(- \*\*armor\*\*.*\n)/m, '$2$1'));
      expect(checkDocuments(root)).toEqual([
        'docs/glossary.md lists "anchor" after "armor", expected each word once, sorted',
        'docs/glossary.md has a line without a word or a file: - **zeal**: a word without a file.',
      ]);
    });
  });
});
