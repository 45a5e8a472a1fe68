/**
 * Which room may import which (README, "Rooms"). Imports run one way and never in a circle.
 *
 * Read from the text of the files: `import … from`, `export … from`, `import()` and side-effect imports.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';

const LEDGER = ['signer/ledger/entries', 'signer/ledger/tree', 'signer/ledger/store', 'signer/ledger/verify'];
/** What the officer's process may know of tokens. Not `pkcs11/token-host`: only the token host's own process loads a module. */
const TOKENS = ['keys/private/pkcs11/shared', 'keys/private/pkcs11/uri', 'keys/private/pkcs11/client'];
const BELOW_SIGNER = ['formats', 'files', 'keys/public', 'keys/private', ...TOKENS, 'verifier'];
const SIGNER = [...BELOW_SIGNER, 'signer/anchor', 'signer/ledger', ...LEDGER, 'signer'];
const EVERYTHING = [...SIGNER, 'keys/private/pkcs11/token-host', 'signer/cli', 'vectors'];

/** Room (longest matching folder wins) → rooms it may import besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  formats: [],
  'keys/public': ['formats'],
  files: ['formats'],
  'keys/private': ['formats', 'files', 'keys/public'],
  'keys/private/pkcs11/shared': ['formats'],
  'keys/private/pkcs11/uri': ['formats', 'keys/private/pkcs11/shared'],
  'keys/private/pkcs11/token-host': ['formats', 'keys/public', 'keys/private', 'keys/private/pkcs11/shared'],
  'keys/private/pkcs11/client': [
    'formats',
    'files',
    'keys/public',
    'keys/private',
    'keys/private/pkcs11/shared',
    'keys/private/pkcs11/uri',
  ],
  verifier: ['formats', 'keys/public'],
  'signer/anchor': ['formats', 'keys/public', ...TOKENS, 'files'],
  'signer/ledger/entries': ['formats', 'keys/public', 'keys/private', 'signer/anchor'],
  'signer/ledger/tree': ['formats', 'keys/public', 'keys/private', 'signer/anchor', 'signer/ledger/entries'],
  'signer/ledger/store': ['formats', 'files', 'signer/ledger/entries', 'signer/ledger/tree'],
  'signer/ledger/verify': [
    'formats',
    'keys/public',
    'signer/anchor',
    'signer/ledger/entries',
    'signer/ledger/tree',
    'signer/ledger/store',
  ],
  'signer/ledger': ['formats', 'keys/public', 'files', 'signer/anchor', ...LEDGER],
  signer: [...BELOW_SIGNER, 'signer/anchor', 'signer/ledger', ...LEDGER],
  'signer/cli': SIGNER,
  'signer/demo': ['signer/cli'],
  vectors: SIGNER,
  bench: EVERYTHING,
  packages: [],
  test: [...EVERYTHING, 'packages'],
};

/** Rooms that other rooms enter only through their `index.ts`. Tests and benchmarks may import any file. */
const DOORS = ['formats/cbor', 'formats/json', 'keys/private/pkcs11/client', 'signer/ledger', 'signer/anchor'];

/** Folders that hold no code of ours, and the native modules built for tests (no TypeScript imports of the rooms). */
const SKIPPED: ReadonlySet<string> = new Set(['node_modules', 'dist', '.git', '.ci', '.cache', 'coverage']);

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

export interface ImportFault {
  readonly file: string;
  readonly rule: string;
}

interface SourceFile {
  readonly path: string;
  readonly imports: readonly string[];
}

function sourceFiles(root: string): SourceFile[] {
  const found: SourceFile[] = [];
  const walk = (folder: string): void => {
    for (const item of readdirSync(folder, { withFileTypes: true })) {
      if (SKIPPED.has(item.name)) continue;
      const path = join(folder, item.name);
      if (item.isDirectory()) walk(path);
      else if (item.name.endsWith('.ts') && folder !== root) {
        const text = readFileSync(path, 'utf8');
        const imports = [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
        found.push({ path: relative(root, path).split(sep).join('/'), imports });
      }
    }
  };
  walk(root);
  return found;
}

function roomOf(path: string): string | undefined {
  let best: string | undefined;
  for (const room of Object.keys(MAY_IMPORT)) {
    if (path.startsWith(`${room}/`) && room.length > (best?.length ?? 0)) best = room;
  }
  return best;
}

/** All import faults under `root`, and the number of files read: zero files means that the check itself is broken. */
export function checkImportDirections(root: string): {
  readonly files: number;
  readonly faults: readonly ImportFault[];
} {
  const files = sourceFiles(root);
  const known = new Set(files.map((file) => file.path));
  const faults: ImportFault[] = [];
  const edges = new Map<string, string[]>();
  for (const file of files) {
    const room = roomOf(file.path);
    if (room === undefined) {
      faults.push({ file: file.path, rule: 'lies in no room that this check knows' });
      continue;
    }
    const targets: string[] = [];
    for (const specifier of file.imports) {
      if (!specifier.startsWith('.')) continue;
      const target = normalize(join(dirname(file.path), specifier))
        .split(sep)
        .join('/');
      if (!known.has(target)) {
        if (target.endsWith('.ts')) faults.push({ file: file.path, rule: `imports ${target}, which does not exist` });
        continue;
      }
      targets.push(target);
      const door = DOORS.find((folder) => target.startsWith(`${folder}/`) && target !== `${folder}/index.ts`);
      if (door !== undefined && !/^(?:test|bench)\//.test(file.path) && !file.path.startsWith(`${door}/`))
        faults.push({ file: file.path, rule: `may import room ${door} only through ${door}/index.ts (${target})` });
      const other = roomOf(target);
      if (other === undefined || other === room) continue;
      if (!(MAY_IMPORT[room] ?? []).includes(other))
        faults.push({ file: file.path, rule: `room ${room} may not import room ${other} (${target})` });
    }
    edges.set(file.path, targets);
  }
  for (const circle of circles(edges))
    faults.push({ file: circle[0] ?? '', rule: `imports run in a circle: ${circle.join(' → ')}` });
  return { files: files.length, faults };
}

/** Each circle once, found by depth-first search from every file. */
function circles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const done = new Set<string>();
  const found: string[][] = [];
  const visit = (file: string, path: string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) {
      found.push([...path.slice(start), file]);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const target of edges.get(file) ?? []) visit(target, path);
    path.pop();
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return found;
}
