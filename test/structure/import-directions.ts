/**
 * The rule for imports (ARCHITECTURE.md, "Imports"): each room imports only rooms listed above it, and enters a room
 * that has an `index.ts` only through it. Nothing imports in a circle, neither files nor rooms. Type imports count.
 *
 * The check reads the text of the files: `import … from`, `export … from`, `import()` and side-effect imports.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';

const PUBLIC = ['formats', 'keys/public'];
/** What the client side of PKCS#11 contains. Only the process of the token host loads a module. */
const TOKENS = ['keys/private/pkcs11/shared', 'keys/private/pkcs11/uri', 'keys/private/pkcs11/client'];
const KEYS = [...PUBLIC, 'files', 'keys/private', ...TOKENS];
const ENTRIES = [...PUBLIC, 'keys/private', 'signer/anchor'];
const LEDGER = ['signer/anchor', 'signer/ledger'];
const SITE = [...KEYS, 'signer', ...LEDGER, 'signer/site'];

/**
 * Each room (a file belongs to the longest matching folder) → the rooms that it may import besides itself. The order is
 * from bottom to top: a room may only list rooms above its own line.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  formats: [],
  files: ['formats'],
  'keys/public': ['formats'],
  'keys/private': [...PUBLIC, 'files'],
  'keys/private/pkcs11/shared': ['formats'],
  'keys/private/pkcs11/uri': ['formats', 'keys/private/pkcs11/shared'],
  'keys/private/pkcs11/token-host': [...PUBLIC, 'keys/private', 'keys/private/pkcs11/shared'],
  'keys/private/pkcs11/client': [
    ...PUBLIC,
    'files',
    'keys/private',
    'keys/private/pkcs11/shared',
    'keys/private/pkcs11/uri',
  ],
  verifier: PUBLIC,
  'verifier/keyset': [...PUBLIC, 'verifier'],
  'verifier/runtime': [...PUBLIC, 'files', 'verifier', 'verifier/keyset'],
  'verifier/admin': ['formats', 'verifier/runtime'],
  'verifier/product': ['formats', 'verifier', 'verifier/runtime'],
  signer: KEYS,
  'signer/anchor': [...PUBLIC, 'files', ...TOKENS],
  'signer/ledger/entries': ENTRIES,
  'signer/ledger/tree': [...ENTRIES, 'signer/ledger/entries'],
  'signer/ledger/store': ['formats', 'files', 'signer/ledger/entries', 'signer/ledger/tree'],
  'signer/ledger/verify': [
    ...PUBLIC,
    'verifier/keyset',
    'signer/anchor',
    'signer/ledger/entries',
    'signer/ledger/tree',
    'signer/ledger/store',
  ],
  'signer/ledger': [
    ...PUBLIC,
    'files',
    'signer/anchor',
    'signer/ledger/entries',
    'signer/ledger/tree',
    'signer/ledger/store',
    'signer/ledger/verify',
  ],
  'signer/site': [...KEYS, 'signer', ...LEDGER],
  'signer/request': ['formats', 'files', 'signer/site'],
  'signer/keys': SITE,
  'signer/plan': [...SITE, 'signer/request'],
  'signer/summary': ['formats', 'signer/ledger', 'signer/site', 'signer/request', 'signer/plan'],
  'signer/issue': [...SITE, 'verifier', 'signer/request', 'signer/keys', 'signer/plan'],
  'signer/renew': ['formats', 'files', 'signer/ledger', 'signer/site', 'signer/request', 'signer/plan'],
  'signer/batch': [
    ...SITE,
    'signer/request',
    'signer/keys',
    'signer/plan',
    'signer/summary',
    'signer/issue',
    'signer/renew',
  ],
  'signer/handover': SITE,
  'signer/hsm': [...SITE, 'signer/keys'],
  'signer/product-keys': [...PUBLIC, 'verifier/keyset'],
  'signer/keyset': [...SITE, 'verifier/keyset', 'signer/keys'],
  'signer/rotation': [...SITE, 'verifier', 'verifier/keyset', 'signer/keyset'],
  'signer/calendar': ['formats', 'keys/public', 'signer/renew', 'signer/rotation'],
  'signer/simulation': [...PUBLIC, 'files', 'verifier', 'signer/ledger', 'signer/keyset', 'signer/rotation'],
  'signer/cli': [
    ...SITE,
    'verifier',
    'verifier/keyset',
    'signer/calendar',
    'signer/product-keys',
    'signer/request',
    'signer/keys',
    'signer/plan',
    'signer/summary',
    'signer/issue',
    'signer/renew',
    'signer/batch',
    'signer/handover',
    'signer/hsm',
    'signer/keyset',
    'signer/rotation',
    'signer/simulation',
  ],
  'signer/demo': ['signer/cli'],
};

/** What the kit for verifiers is made of: never the signer. */
const JUDGING = ['formats', 'files', 'keys/public', 'keys/private', 'verifier', 'verifier/keyset', 'verifier/runtime'];
/** The folders of the kit, in the order of their imports. */
const KIT = [
  'conformance/examples',
  'conformance/mutants',
  'conformance/vectors',
  'conformance/model',
  'conformance/protocol',
  'conformance/harness/reference',
  'conformance/properties',
  'conformance/report',
  'conformance/runner',
];

/** Rooms around the program. They may import every room above that is listed, and any file of it. */
const AROUND: Readonly<Record<string, readonly string[]>> = {
  vectors: [],
  // On other people's libraries only: what somebody starts a verifier of his own from.
  'conformance/harness/typescript': [],
  examples: [],
  ...Object.fromEntries(KIT.map((room, i) => [room, [...JUDGING, 'packages', ...KIT.slice(0, i)]])),
  packages: [],
  bench: [...Object.keys(MAY_IMPORT), 'packages'],
  test: [...Object.keys(MAY_IMPORT), ...KIT, 'packages', 'bench'],
};

const ROOMS = new Map([...Object.entries(MAY_IMPORT), ...Object.entries(AROUND)]);

/** A room that contains only its own files: every folder below it must be a room of its own. */
const WITHOUT_FOLDERS: ReadonlySet<string> = new Set(['signer', 'signer/ledger']);

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
  for (const room of ROOMS.keys()) {
    if (path.startsWith(`${room}/`) && room.length > (best?.length ?? 0)) best = room;
  }
  return best !== undefined && WITHOUT_FOLDERS.has(best) && dirname(path) !== best ? undefined : best;
}

/** Arrows of the table that do not point to a room above their own line. */
export function backwardArrows(table: Readonly<Record<string, readonly string[]>>): readonly string[] {
  const above = new Set<string>();
  return Object.entries(table).flatMap(([room, targets]) => {
    const backward = targets.filter((target) => !above.has(target)).map((target) => `${room} → ${target}`);
    above.add(room);
    return backward;
  });
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
  const roomEdges = new Map<string, Set<string>>();
  const doors = [...known].filter((path) => path.endsWith('/index.ts')).map((path) => dirname(path));
  for (const file of files) {
    const room = roomOf(file.path);
    if (room === undefined) {
      faults.push({ file: file.path, rule: 'is in no room that this check knows' });
      continue;
    }
    const around = room in AROUND;
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
      // The innermost door counts: a room inside another one may have a door of its own.
      const door = doors.filter((folder) => target.startsWith(`${folder}/`)).sort((a, b) => b.length - a.length)[0];
      if (door !== undefined && target !== `${door}/index.ts` && !around && !file.path.startsWith(`${door}/`))
        faults.push({ file: file.path, rule: `may import room ${door} only through ${door}/index.ts (${target})` });
      const other = roomOf(target);
      if (other === undefined || other === room) continue;
      roomEdges.set(room, (roomEdges.get(room) ?? new Set()).add(other));
      if (!(ROOMS.get(room) ?? []).includes(other))
        faults.push({ file: file.path, rule: `room ${room} may not import room ${other} (${target})` });
    }
    edges.set(file.path, targets);
  }
  for (const circle of circles(edges))
    faults.push({ file: circle[0] ?? '', rule: `imports run in a circle: ${circle.join(' → ')}` });
  for (const circle of circles(new Map([...roomEdges].map(([room, others]) => [room, [...others]]))))
    faults.push({ file: circle[0] ?? '', rule: `rooms import each other in a circle: ${circle.join(' → ')}` });
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
