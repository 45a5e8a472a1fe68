/**
 * What an expression says, as far as its source says it: the texts that it can have, with `{name}` for each value that
 * is known only when the program runs.
 */
import { child, children, nameOf, optionalChild, text, type Callable, type Node, type SourceFile } from './syntax.ts';
import { walk } from './syntax.ts';

/** A parameter of a function, whose callers may know what it says. */
export interface Param {
  readonly callable: Callable;
  readonly index: number;
}

/** One part of a text: written in the source, or a value. */
export type Part = string | { readonly value: string; readonly param: Param | undefined };
export type Text = readonly Part[];

/** More alternatives than this of one sentence would hide it: a value then takes the place of the choice. */
const MAX_ALTERNATIVES = 12;

export interface Scope {
  readonly file: SourceFile;
  readonly within: readonly Callable[];
  readonly sources: ReadonlyMap<string, SourceFile>;
}

export function textOf(parts: Text): string {
  return parts.map((part) => (typeof part === 'string' ? part : `{${part.value}}`)).join('');
}

/** Whether any word of it is written in the source. */
export function saysSomething(parts: Text): boolean {
  return parts.some((part) => typeof part === 'string' && /\p{L}{2}/u.test(part));
}

/** @returns the alternatives, at least one */
export function render(node: Node, scope: Scope, depth = 0): readonly Text[] {
  if (depth > 12) return [value('value')];
  const below = (member: string): readonly Text[] => render(child(node, member), scope, depth + 1);
  switch (node.type) {
    case 'Literal':
      return [[typeof node['value'] === 'string' ? node['value'] : String(node['raw'])]];
    case 'TemplateLiteral':
      return renderTemplate(node, scope, depth);
    case 'BinaryExpression':
      return renderOperation(node, below('left'), below('right'));
    case 'ConditionalExpression':
      return limited([...below('consequent'), ...below('alternate')], 'text');
    case 'LogicalExpression':
      return node['operator'] === '&&' ? below('right') : limited([...below('left'), ...below('right')], 'text');
    case 'TSAsExpression':
    case 'TSNonNullExpression':
    case 'TSSatisfiesExpression':
    case 'ParenthesizedExpression':
    case 'ChainExpression':
    case 'AwaitExpression':
      return below('expression' in node ? 'expression' : 'argument');
    case 'Identifier':
      return renderName(text(node, 'name'), scope, depth);
    case 'MemberExpression':
      return renderMember(node, scope, depth);
    case 'CallExpression':
      return renderCall(node, scope, depth);
    default:
      return [value('value')];
  }
}

/** A sum or difference with a number is one value, such as `{counter + 1}`; every other `+` joins texts. */
function renderOperation(node: Node, left: readonly Text[], right: readonly Text[]): readonly Text[] {
  const operator = text(node, 'operator');
  const isArithmetic = operator === '-' || isNumber(child(node, 'left')) || isNumber(child(node, 'right'));
  if (isArithmetic) return [value(`${wordsOf(left)} ${operator} ${wordsOf(right)}`)];
  return operator === '+' ? joined([left, right]) : [value('value')];
}

function isNumber(node: Node): boolean {
  const name = nameOf(node);
  return name === undefined ? typeof node['value'] === 'number' : /^(?:MAX|MIN)_/.test(name);
}

function wordsOf([parts = []]: readonly Text[]): string {
  return textOf(parts).replaceAll(/[{}]/g, '');
}

function renderTemplate(node: Node, scope: Scope, depth: number): readonly Text[] {
  const expressions = children(node, 'expressions');
  return joined(
    children(node, 'quasis').flatMap((quasi, i): readonly (readonly Text[])[] => {
      const raw = (quasi['value'] as { readonly cooked?: string | null }).cooked ?? '';
      const expression = expressions[i];
      return expression === undefined ? [[[raw]]] : [[[raw]], render(expression, scope, depth + 1)];
    }),
  );
}

function renderName(name: string, scope: Scope, depth: number): readonly Text[] {
  for (const [level, callable] of scope.within.entries()) {
    const index = callable.params.indexOf(name);
    if (index >= 0) return [[{ value: name, param: { callable, index } }]];
    const outer = { ...scope, within: scope.within.slice(level) };
    const found = renderVariable(name, callable.node, outer, depth);
    if (found !== undefined) return found;
  }
  const top = renderVariable(name, scope.file.program, { ...scope, within: [] }, depth);
  if (top !== undefined) return top;
  const from = scope.file.imports.get(name);
  const source = from === undefined ? undefined : definingSource(from, scope.sources);
  if (source === undefined) return [value(name)];
  const there = { ...scope, file: source.file, within: [] };
  return renderVariable(source.name, source.file.program, there, depth) ?? [value(name)];
}

/** The file that declares an imported name: a front door only passes it on. */
export function definingSource(
  from: { readonly path: string; readonly name: string },
  sources: ReadonlyMap<string, SourceFile>,
): { readonly file: SourceFile; readonly name: string } | undefined {
  const file = sources.get(from.path);
  if (file === undefined) return undefined;
  for (const statement of children(file.program, 'body')) {
    const source = optionalChild(statement, 'source');
    if (statement.type !== 'ExportNamedDeclaration' || source === undefined) continue;
    for (const specifier of children(statement, 'specifiers')) {
      if (nameOf(child(specifier, 'exported')) !== from.name) continue;
      const name = nameOf(child(specifier, 'local')) ?? from.name;
      const path = new URL(text(source, 'value'), `file:///${file.path}`).pathname.slice(1);
      return definingSource({ path, name }, sources);
    }
  }
  return { file, name: from.name };
}

/** The texts of `const name = …` directly in a function or at the top of a file; undefined where there is none. */
function renderVariable(name: string, holder: Node, scope: Scope, depth: number): readonly Text[] | undefined {
  let found: readonly Text[] | undefined;
  const assigned: Text[] = [];
  walk({ ...scope.file, program: holder }, ({ node, within }) => {
    const nested = holder.type === 'Program' ? within.length > 0 : within.length > 1;
    if (nested) return;
    const init = node.type === 'VariableDeclarator' ? optionalChild(node, 'init') : undefined;
    if (init !== undefined && nameOf(child(node, 'id')) === name) {
      found = isCallable(init) ? undefined : render(init, scope, depth + 1);
    }
    if (node.type === 'AssignmentExpression' && nameOf(child(node, 'left')) === name)
      assigned.push(...render(child(node, 'right'), scope, depth + 1));
  });
  if (found === undefined) return undefined;
  return limited([...found, ...assigned], name).map((parts) =>
    saysSomething(parts) || parts.some((part) => typeof part !== 'string' && part.param !== undefined)
      ? parts
      : value(name),
  );
}

function isCallable(node: Node): boolean {
  return node.type.endsWith('FunctionExpression');
}

function renderMember(node: Node, scope: Scope, depth: number): readonly Text[] {
  const property = child(node, 'property');
  const name = nameOf(property);
  const object = child(node, 'object');
  if (node['computed'] === true) return [value(nameOf(property) ?? nameOf(object) ?? 'value')];
  const owner = nameOf(object);
  // A table of texts at the top of the file: `WORDS.name`.
  if (owner !== undefined && /^[A-Z_]+$/.test(owner)) {
    const table = tableOf(owner, scope);
    const entry = table?.find((member) => member.type === 'Property' && nameOf(child(member, 'key')) === name);
    if (entry !== undefined) return render(child(entry, 'value'), scope, depth + 1);
  }
  const place = name === 'name' || name === 'length' || name === 'description' || name === 'path' ? owner : undefined;
  if (name === 'length' && place !== undefined) return [value(`${place} length`)];
  return [value(name === 'name' && place !== undefined ? place : (name ?? 'value'))];
}

function tableOf(name: string, scope: Scope): readonly Node[] | undefined {
  for (const statement of children(scope.file.program, 'body')) {
    const declaration = statement.type === 'VariableDeclaration' ? statement : optionalChild(statement, 'declaration');
    for (const declarator of declaration === undefined ? [] : children(declaration, 'declarations')) {
      const init = optionalChild(declarator, 'init');
      if (nameOf(child(declarator, 'id')) !== name || init === undefined) continue;
      const table = init.type === 'CallExpression' ? children(init, 'arguments')[0] : init;
      return table?.type === 'ObjectExpression' ? children(table, 'properties') : undefined;
    }
  }
  return undefined;
}

/** `cleanText(x)` says what x says; a call of another function is a value with the name of that function. */
function renderCall(node: Node, scope: Scope, depth: number): readonly Text[] {
  const callee = child(node, 'callee');
  const [first] = children(node, 'arguments');
  const name = nameOf(callee) ?? nameOf(optionalChild(callee, 'property')) ?? 'value';
  if (['cleanText', 'String', 'shown', 'quoted'].includes(name) && first !== undefined)
    return render(first, scope, depth + 1);
  const returned = returnedTexts(name, node, scope, depth);
  if (returned !== undefined) return returned;
  const about = first === undefined ? undefined : (nameOf(first) ?? nameOf(optionalChild(first, 'property')));
  const said = ['join', 'map', 'toString', 'trim', 'slice', 'toISOString', 'padStart', 'toFixed'].includes(name)
    ? (calledOn(callee) ?? name)
    : (about ?? name);
  return [value(said)];
}

function calledOn(callee: Node): string | undefined {
  const object = optionalChild(callee, 'object');
  if (object === undefined) return undefined;
  return (
    nameOf(object) ?? nameOf(optionalChild(object, 'property')) ?? calledOn(optionalChild(object, 'callee') ?? object)
  );
}

/** What a small function of the same file or an imported one returns, where it returns texts. */
function returnedTexts(name: string, call: Node, scope: Scope, depth: number): readonly Text[] | undefined {
  if (child(call, 'callee').type !== 'Identifier' || depth > 6) return undefined;
  const from = scope.file.imports.get(name);
  const source = from === undefined ? { file: scope.file, name } : definingSource(from, scope.sources);
  if (source === undefined) return undefined;
  const texts: Text[] = [];
  walk(source.file, ({ node, within }) => {
    const [inner] = within;
    if (inner === undefined || inner.name !== source.name || inner.isMethod) return;
    const body = optionalChild(inner.node, 'body');
    const returned =
      node.type === 'ReturnStatement' ? optionalChild(node, 'argument') : node === body ? bodyText(node) : undefined;
    if (returned !== undefined && within.length === 1)
      texts.push(...render(returned, { ...scope, file: source.file, within }, depth + 1));
  });
  const args = children(call, 'arguments').map((argument) => render(argument, scope, depth + 1));
  const whole = texts.flatMap((parts) => fill(parts, (param) => args[param.index]));
  // Inside of a sentence one text is put in; a choice of several would hide the sentence, so that stays a value.
  const most = depth === 0 ? MAX_ALTERNATIVES : 1;
  return whole.length > 0 && whole.length <= most && whole.every(saysSomething) ? whole : undefined;
}

function bodyText(node: Node): Node | undefined {
  return node.type === 'BlockStatement' ? undefined : node;
}

/** Puts the texts of arguments in the place of parameters, and keeps the name of a parameter where that says more. */
export function fill(parts: Text, argument: (param: Param) => readonly Text[] | undefined): readonly Text[] {
  if (parts.length === 1) return filled(parts, argument, () => false);
  return filled(parts, argument, isName);
}

/** A text of one word inside of a sentence is the name of a member, an option or an act: one of many values. */
function isName(parts: Text): boolean {
  return parts.every((part) => typeof part === 'string') && !textOf(parts).trim().includes(' ') && parts.length > 0;
}

function filled(
  parts: Text,
  argument: (param: Param) => readonly Text[] | undefined,
  isValue: (parts: Text) => boolean,
): readonly Text[] {
  return joined(
    parts.map((part): readonly Text[] => {
      if (typeof part === 'string' || part.param === undefined) return [[part]];
      const given = argument(part.param);
      if (given === undefined) return [value(part.value)];
      return given.map((alternative) =>
        isValue(alternative) && textOf(alternative) !== '' ? value(part.value) : renamed(alternative, part.value),
      );
    }),
  );
}

/** The name of the parameter says more of a value than the name of the argument does. */
function renamed(parts: Text, name: string): Text {
  const [only] = parts;
  return parts.length === 1 && only !== undefined && typeof only !== 'string' ? [{ ...only, value: name }] : parts;
}

function value(name: string): Text {
  return [{ value: name, param: undefined }];
}

function joined(lists: readonly (readonly Text[])[]): readonly Text[] {
  let texts: readonly Text[] = [[]];
  for (const list of lists) {
    const choice = limited(list, 'text', Math.floor(MAX_ALTERNATIVES / texts.length));
    texts = texts.flatMap((before) => choice.map((next) => [...before, ...next]));
  }
  return texts;
}

function limited(texts: readonly Text[], name: string, most = MAX_ALTERNATIVES): readonly Text[] {
  const unique = [...new Map(texts.map((parts) => [textOf(parts), parts])).values()];
  const [only] = unique;
  return unique.length <= Math.max(1, most) && only !== undefined ? unique : [value(name)];
}
