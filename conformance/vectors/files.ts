/** vectors/v1 as files: what `build.ts` writes, what the tests compare, and what a runner reads. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { concatBytes, utf8 } from '../../formats/bytes.ts';
import { sha256Hex } from '../../files/index.ts';
import { CASE_SCHEMA, fileInputs, OPERATIONS, PROFILES, type Case, type CaseFolder, type FileInput } from './case.ts';
import { requirementTable } from './requirements.ts';

export const VECTORS: string = join(import.meta.dirname, '../../vectors/v1');
export const MANIFEST = 'manifest.json';
/** Every MUST of the documents, with its cases. */
export const REQUIREMENT_TABLE = 'requirements.json';
/** Written by people; the manifest has their digests too. */
export const SCHEMAS = ['case.schema.json', 'manifest.schema.json'] as const;

const WARNING = 'NOT FOR PRODUCTION: the seeds of these keys are published.';

export interface Manifest {
  readonly schema: 'vtlic-vectors/1';
  readonly warning: string;
  /** Raised with each release of the vectors: a new case is a minor one, a changed verdict a major one. */
  readonly version: string;
  readonly counts: { readonly cases: number; readonly required: number };
  /** Folder of a case, below vectors/v1. */
  readonly cases: readonly string[];
  /** Path below vectors/v1 → SHA-256, in hex, of every file but the manifest itself. */
  readonly files: Readonly<Record<string, string>>;
}

export const VECTORS_VERSION = '1.0.0';

const json = (value: unknown): Uint8Array => utf8(`${JSON.stringify(value, undefined, 2)}\n`);

/** Path below vectors/v1 → bytes, of everything that is made. */
export function vectorFiles(cases: readonly CaseFolder[]): ReadonlyMap<string, Uint8Array> {
  const made = new Map<string, Uint8Array>();
  for (const { value, files } of cases) {
    made.set(`${value.id}/case.json`, json({ schema: CASE_SCHEMA, ...value }));
    for (const [name, bytes] of files) made.set(`${value.id}/${name}`, bytes);
  }
  made.set(REQUIREMENT_TABLE, json(requirementTable(cases.map(({ value }) => value.id))));
  const all = new Map([...made, ...SCHEMAS.map((name) => [name, readFileSync(join(VECTORS, name))] as const)]);
  const manifest: Manifest = {
    schema: 'vtlic-vectors/1',
    warning: WARNING,
    version: VECTORS_VERSION,
    counts: { cases: cases.length, required: cases.filter(({ value }) => value.profile === 'required').length },
    cases: cases.map(({ value }) => value.id),
    files: Object.fromEntries(
      [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, bytes]) => [path, sha256Hex(bytes)]),
    ),
  };
  return made.set(MANIFEST, json(manifest));
}

/** All files below a folder, as paths with `/`. */
export function pathsBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map((item) => relative(folder, join(item.parentPath, item.name)).split(sep).join('/'))
    .sort();
}

/** The bytes of an input, its pad included. */
export function bytesOfInput({ file, pad }: FileInput, files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const bytes = files.get(file);
  if (bytes === undefined) throw new Error(`the case has no file ${file}`);
  return pad === undefined ? bytes : concatBytes(bytes, new Uint8Array(pad.count).fill(pad.byte));
}

/**
 * Reads cases from a folder, each file against its digest in the manifest.
 *
 * @param folder vectors/v1, or a copy of it
 * @throws Error that names a file that is missing, altered or not listed, or a case of another schema
 */
export function readCases(folder: string = VECTORS): readonly CaseFolder[] {
  const manifest = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')) as Manifest;
  if (manifest.schema !== 'vtlic-vectors/1')
    throw new Error(`${MANIFEST} has the schema ${String(manifest.schema)}, expected vtlic-vectors/1`);
  // The manifest of another folder may lack them.
  const { files = {}, cases = [] } = manifest as Partial<Manifest>;
  const listed = Object.entries(files);
  if (listed.length === 0 || cases.length === 0) throw new Error(`${MANIFEST} lists no files, or no cases`);
  if (typeof manifest.version !== 'string') throw new Error(`${MANIFEST} has no version`);
  const bytes = new Map<string, Uint8Array>();
  for (const [path, digest] of listed) {
    if (!existsSync(join(folder, path))) throw new Error(`${path} is in the manifest, but not in the folder`);
    const content = Uint8Array.from(readFileSync(join(folder, path)));
    if (sha256Hex(content) !== digest) throw new Error(`${path} is not the file that the manifest lists: altered`);
    bytes.set(path, content);
  }
  const foreign = pathsBelow(folder).find((path) => path !== MANIFEST && !bytes.has(path));
  if (foreign !== undefined) throw new Error(`${foreign} is in the folder, but not in the manifest`);
  const folders = new Map<string, Map<string, Uint8Array>>();
  for (const [path, content] of bytes) {
    const end = path.lastIndexOf('/');
    const files = folders.get(path.slice(0, Math.max(end, 0))) ?? new Map<string, Uint8Array>();
    folders.set(path.slice(0, Math.max(end, 0)), files.set(path.slice(end + 1), content));
  }
  return cases.map((id) => {
    const files = new Map(folders.get(id));
    const value = readCase(id, files.get('case.json'));
    files.delete('case.json');
    return { value, files };
  });
}

function readCase(id: string, content: Uint8Array | undefined): Case {
  const { schema, ...value } = JSON.parse(new TextDecoder().decode(content ?? new Uint8Array())) as Case & {
    readonly schema: string;
  };
  if (schema !== CASE_SCHEMA) throw new Error(`${id} has the schema ${schema}, expected ${CASE_SCHEMA}`);
  if (value.id !== id) throw new Error(`${id}/case.json has the id ${value.id}`);
  if (!OPERATIONS.includes(value.operation)) throw new Error(`${id} has the unknown operation ${value.operation}`);
  if (!PROFILES.includes(value.profile)) throw new Error(`${id} has the unknown profile ${value.profile}`);
  const fault = faultOfShape(value);
  if (fault !== undefined) throw new Error(`${id} has ${fault}`);
  for (const input of fileInputs(value)) if (input.file.includes('/')) throw new Error(`${id} names ${input.file}`);
  return value;
}

/**
 * Checks the members that reports show, and those that answers are compared with. case.schema.json describes all members.
 *
 * @returns what is wrong with them
 */
function faultOfShape(value: Case): string | undefined {
  const { title, clause, forgets }: { readonly [name in 'title' | 'clause' | 'forgets']?: unknown } = value;
  if (typeof title !== 'string') return 'no title';
  if (!Array.isArray(clause) || !clause.every((one) => typeof one === 'string')) return 'no list of clauses';
  if (forgets !== undefined && typeof forgets !== 'string') return 'a member forgets that is no text';
  if (value.operation === 'history') {
    const { steps }: { readonly steps: unknown } = value;
    return Array.isArray(steps) && steps.length > 0 ? undefined : 'no steps';
  }
  const expected = membersOf(value.expected);
  if (value.operation === 'verify')
    return expected['verdict'] === 'misuse' ? undefined : faultOfExpected(expected, 'state');
  const { license, verdict } = expected;
  if (verdict === 'accepted' && value.operation === 'keyset' && !['version', 'source', 'notices'].every(has(expected)))
    return 'no expected version, source and notices';
  if (verdict === 'accepted' && license !== undefined) return faultOfExpected(membersOf(license), 'state');
  return faultOfExpected(expected);
}

type Members = Readonly<Record<string, unknown>>;

const membersOf = (value: unknown): Members => (typeof value === 'object' && value !== null ? (value as Members) : {});

const has =
  (members: Members) =>
  (name: string): boolean =>
    members[name] !== undefined;

/** @param more a member of what is accepted */
function faultOfExpected({ verdict, reason, ...members }: Members, more?: string): string | undefined {
  if (verdict === 'refused') return typeof reason === 'string' ? undefined : 'no expected reason';
  if (verdict !== 'accepted') return 'no expected verdict';
  return more === undefined || typeof members[more] === 'string' ? undefined : `no expected ${more}`;
}
