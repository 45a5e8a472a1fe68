/**
 * Compares ARCHITECTURE.md, docs/glossary.md and the README's room list with the tree: every folder of the rooms is
 * named, every path that is named exists, and the rooms are listed in the order of the import rule.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MAY_IMPORT } from './import-directions.ts';

/** Folders whose every folder, however deep, is named in ARCHITECTURE.md. */
const PROGRAM = ['formats', 'files', 'keys', 'verifier', 'signer'];

/** `a/b.ts` or `a/b/` in backticks. */
const PATH = /`((?:[\w.-]+\/)+(?:[\w.-]+\.\w+)?)`/g;

const ENTRY = /^- \*\*([^*]+)\*\*: [^`].*\(`([^`]+)`\)\.$/;

/** All paths in backticks that contain a folder. */
export function pathsIn(text: string): readonly string[] {
  return [...text.matchAll(PATH)].map((match) => match[1] ?? '');
}

function section(text: string, title: string): string {
  const start = text.indexOf(`\n## ${title}\n`);
  if (start < 0) return '';
  const end = text.indexOf('\n## ', start + 1);
  return text.slice(start, end < 0 ? undefined : end);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function missingPath(root: string, path: string): boolean {
  return path.endsWith('/') ? !isFolder(join(root, path)) : !existsSync(join(root, path));
}

function topFolders(root: string): readonly string[] {
  const ignored = new Set(
    readFileSync(join(root, '.gitignore'), 'utf8')
      .split('\n')
      .map((line) => line.replace(/^\/|\/$/g, '')),
  );
  return readdirSync(root, { withFileTypes: true })
    .filter((item) => item.isDirectory() && !item.name.startsWith('.') && !ignored.has(item.name))
    .map((item) => `${item.name}/`);
}

/** Every folder below `folder` that contains a file, `folder` included. */
function foldersWithFiles(root: string, folder: string): readonly string[] {
  if (!isFolder(join(root, folder))) return [];
  const items = readdirSync(join(root, folder), { withFileTypes: true });
  const below = items
    .filter((item) => item.isDirectory())
    .flatMap((item) => foldersWithFiles(root, `${folder}/${item.name}`));
  return items.some((item) => item.isFile()) ? [`${folder}/`, ...below] : below;
}

function checkArchitecture(root: string): readonly string[] {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const named = new Set(pathsIn(text));
  const wanted = topFolders(root).filter((folder) => !PROGRAM.includes(folder.slice(0, -1)));
  for (const folder of PROGRAM) wanted.push(...foldersWithFiles(root, folder));
  const rows = [...section(text, 'Rooms').matchAll(/^\| `([^`]+)\/` \|/gm)].map((match) => match[1]);
  const rooms = Object.keys(MAY_IMPORT).filter((room) => !room.startsWith('signer/ledger/'));
  return [
    ...wanted.filter((folder) => !named.has(folder)).map((folder) => `ARCHITECTURE.md does not name ${folder}`),
    ...[...named]
      .filter((path) => missingPath(root, path))
      .map((path) => `ARCHITECTURE.md names ${path}, which does not exist`),
    ...(rows.join() === rooms.join()
      ? []
      : [`ARCHITECTURE.md lists the rooms ${rows.join()}, expected the order of imports: ${rooms.join()}`]),
  ];
}

function checkGlossary(root: string): readonly string[] {
  const lines = readFileSync(join(root, 'docs/glossary.md'), 'utf8').split('\n');
  const faults: string[] = [];
  let before = '';
  for (const line of lines.filter((text) => text.startsWith('- '))) {
    const [, word, path] = ENTRY.exec(line) ?? [];
    if (word === undefined || path === undefined) {
      faults.push(`docs/glossary.md has a line without a word or a file: ${line}`);
      continue;
    }
    if (missingPath(root, path)) faults.push(`docs/glossary.md names ${path} for "${word}", which does not exist`);
    if (word <= before)
      faults.push(`docs/glossary.md lists "${word}" after "${before}", expected each word once, sorted`);
    before = word;
  }
  return before === '' ? ['docs/glossary.md has no entry'] : faults;
}

function checkReadme(root: string): readonly string[] {
  const rooms = section(readFileSync(join(root, 'README.md'), 'utf8'), 'Rooms');
  const named = [...rooms.matchAll(/^(\w[\w.-]*\/)/gm)].map((match) => match[1] ?? '');
  const folders = topFolders(root);
  return [
    ...folders.filter((folder) => !named.includes(folder)).map((folder) => `README.md does not list ${folder}`),
    ...named
      .filter((folder) => !folders.includes(folder))
      .map((folder) => `README.md lists ${folder}, which does not exist`),
  ];
}

/** All differences between the documents under `root` and its tree. */
export function checkDocuments(root: string): readonly string[] {
  return [...checkArchitecture(root), ...checkGlossary(root), ...checkReadme(root)];
}
