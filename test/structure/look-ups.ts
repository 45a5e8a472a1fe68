/**
 * The searches of docs/look-ups.md: each must find the file of its row, so that the names of files and their first
 * comments contain the words by which people search.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a search may find besides its file: a person looks through so many. */
export const MAX_OTHERS = 5;

const FOLDERS = ['signer', 'keys', 'verifier', 'formats', 'files', 'conformance'];
const ROW = /^\| ([^|]+) \| ([^|]+) \| `([^`|]+)` \| `([^`|]+)` \|$/gm;

export interface LookUp {
  readonly question: string;
  readonly searches: readonly string[];
  readonly file: string;
  /** Text of the file: what answers the question. */
  readonly name: string;
}

/** A source file as a search sees it. */
export interface Searched {
  readonly path: string;
  readonly text: string;
}

export function lookUpsIn(page: string): readonly LookUp[] {
  return [...page.matchAll(ROW)].map(([, question = '', searches = '', file = '', name = '']) => ({
    question,
    searches: [...searches.matchAll(/`([^`]+)`/g)].map(([, words = '']) => words),
    file,
    name,
  }));
}

export function sourceFiles(root: string): readonly Searched[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
      .map((name) => ({ path: `${folder}/${name}`, text: readFileSync(join(root, folder, name), 'utf8') })),
  );
}

/** The first paragraph of the first doc comment, on one line. */
function firstParagraph(text: string): string {
  const [, comment = ''] = /\/\*\*(.*?)\*\//s.exec(text) ?? [];
  const lines = comment
    .trim()
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''));
  const end = lines.indexOf('');
  return (end < 0 ? lines : lines.slice(0, end)).join(' ');
}

/** The files in whose path or first paragraph each word of the search begins a word. */
export function search(files: readonly Searched[], words: string): readonly string[] {
  const patterns = words.split(' ').map((word) => new RegExp(`(?<![a-z0-9])${word.replace(/\W/g, '\\$&')}`, 'i'));
  return files
    .filter(({ path, text }) => {
      const searched = `${path} ${firstParagraph(text)}`;
      return patterns.every((pattern) => pattern.test(searched));
    })
    .map(({ path }) => path);
}

/** What is wrong with a row: nothing, if each of its searches finds its file. */
export function faultsOf({ searches, file, name }: LookUp, files: readonly Searched[]): readonly string[] {
  const found = files.find(({ path }) => path === file);
  if (found === undefined) return [`${file} does not exist`];
  const missing = found.text.includes(name) ? [] : [`${file} does not contain ${name}`];
  return [
    ...missing,
    ...searches.flatMap((words) => {
      const paths = search(files, words);
      if (!paths.includes(file)) return [`"${words}" does not find ${file}, but: ${paths.join(', ') || 'nothing'}`];
      return paths.length > MAX_OTHERS + 1 ? [`"${words}" finds ${paths.length} files: ${paths.join(', ')}`] : [];
    }),
  ];
}
