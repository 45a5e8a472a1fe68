/** Source files as syntax trees, with what a search for texts needs: the functions around each node, and imports. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

export const ROOT: string = join(import.meta.dirname, '../../..');

/** An ESTree node, whose members are checked where they are read. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly [member: string]: unknown;
}

export interface Callable {
  readonly file: SourceFile;
  /** Undefined for a function without a name. */
  readonly name: string | undefined;
  /** Called as `object.name(…)`. */
  readonly isMethod: boolean;
  readonly params: readonly string[];
  readonly node: Node;
}

export interface Located {
  readonly file: SourceFile;
  readonly node: Node;
  /** The functions around the node, from the innermost to the outermost. */
  readonly within: readonly Callable[];
}

export interface SourceFile {
  /** Relative to the root of the project, for example `formats/armor.ts`. */
  readonly path: string;
  readonly program: Node;
  /** Local name → where it comes from; only imports of the project's own files. */
  readonly imports: ReadonlyMap<string, { readonly path: string; readonly name: string }>;
  readonly importedPaths: ReadonlySet<string>;
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { readonly type?: unknown }).type === 'string';
}

/** @throws Error where the member is no node */
export function child(node: Node, member: string): Node {
  const value = node[member];
  if (!isNode(value)) throw new Error(`${node.type}.${member} is no node`);
  return value;
}

export function optionalChild(node: Node, member: string): Node | undefined {
  const value = node[member];
  return isNode(value) ? value : undefined;
}

export function children(node: Node, member: string): readonly Node[] {
  const value = node[member];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

export function text(node: Node, member: string): string {
  const value = node[member];
  if (typeof value !== 'string') throw new Error(`${node.type}.${member} is no text`);
  return value;
}

/** The name of an identifier or of a private name; undefined for any other node. */
export function nameOf(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  return node.type === 'Identifier' || node.type === 'PrivateIdentifier' ? text(node, 'name') : undefined;
}

/** Calls `visit` for the node and all nodes below it. */
export function walk(file: SourceFile, visit: (located: Located) => void): void {
  const enter = (node: Node, within: readonly Callable[]): void => {
    visit({ file, node, within });
    const callable = callableOf(file, node);
    const inner = callable === undefined ? within : [callable, ...within];
    for (const value of Object.values(node)) {
      const list: readonly unknown[] = Array.isArray(value) ? value : [value];
      for (const below of list) if (isNode(below)) enter(below, inner);
    }
  };
  enter(file.program, []);
}

/** Names are known from the place where a function is declared; `walk` meets that place before the function. */
const names = new WeakMap<Node, { readonly name: string; readonly isMethod: boolean }>();

function callableOf(file: SourceFile, node: Node): Callable | undefined {
  nameFunctionsIn(node);
  if (!['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'].includes(node.type)) return undefined;
  const named = names.get(node);
  return {
    file,
    name: named?.name ?? nameOf(optionalChild(node, 'id')),
    isMethod: named?.isMethod ?? false,
    params: children(node, 'params').map(paramName),
    node,
  };
}

function nameFunctionsIn(node: Node): void {
  const key = { VariableDeclarator: 'id', MethodDefinition: 'key', PropertyDefinition: 'key', Property: 'key' }[
    node.type
  ];
  const value = optionalChild(node, node.type === 'VariableDeclarator' ? 'init' : 'value');
  const name = key === undefined ? undefined : nameOf(optionalChild(node, key));
  if (name !== undefined && value !== undefined) {
    names.set(value, { name, isMethod: node.type !== 'VariableDeclarator' });
  }
}

function paramName(param: Node): string {
  if (param.type === 'AssignmentPattern') return paramName(child(param, 'left'));
  if (param.type === 'TSParameterProperty') return paramName(child(param, 'parameter'));
  return nameOf(param) ?? '';
}

function importsOf(path: string, program: Node): SourceFile['imports'] {
  const found = new Map<string, { path: string; name: string }>();
  for (const statement of children(program, 'body')) {
    if (statement.type !== 'ImportDeclaration') continue;
    const from = text(child(statement, 'source'), 'value');
    if (!from.startsWith('.')) continue;
    const source = relative(ROOT, join(ROOT, dirname(path), from));
    for (const specifier of children(statement, 'specifiers')) {
      const local = nameOf(child(specifier, 'local')) ?? '';
      found.set(local, { path: source, name: nameOf(optionalChild(specifier, 'imported')) ?? local });
    }
  }
  return found;
}

/** @param path relative to the root of the project */
export function readSource(path: string): SourceFile {
  const program: unknown = parseAst(readFileSync(join(ROOT, path), 'utf8'), { lang: 'ts' });
  if (!isNode(program)) throw new Error(`${path}: no program`);
  const imports = importsOf(path, program);
  return { path, program, imports, importedPaths: new Set([...imports.values()].map((from) => from.path)) };
}

/** Every source file of these folders, in the order of their paths. */
export function sourcesOf(folders: readonly string[]): readonly SourceFile[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(folder, name)),
    )
    .toSorted()
    .map(readSource);
}
