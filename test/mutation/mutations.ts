/**
 * The changes that are tried on a source: one operator, condition, constant or statement at a time, found in its syntax
 * tree. Types, comments, imports and what a `throw` says are never changed.
 */
import { parseAst } from 'rolldown/parseAst';
import { changesOfPattern } from './pattern-changes.ts';

export interface Mutation {
  /** Its number in the file. */
  readonly id: number;
  readonly line: number;
  /** The line of the source, without its indentation. */
  readonly code: string;
  /** `a < b -> a <= b`, shortened. */
  readonly change: string;
  /** Which one of those with the same code and change, from 1. */
  readonly nth: number;
  readonly start: number;
  readonly end: number;
  /** What replaces the expression; undefined where a statement is removed. */
  readonly text: string | undefined;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

interface Found {
  readonly start: number;
  readonly end: number;
  readonly text: string | undefined;
}

const SWAPPED_OPERATORS: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '<<': ['>>'],
  '>>': ['<<'],
  '>>>': ['<<'],
  '&': ['|'],
  '|': ['&'],
  '^': ['&'],
};

const SWAPPED_ASSIGNMENTS: Readonly<Record<string, string>> = {
  '+=': '-=',
  '-=': '+=',
  '*=': '/=',
  '/=': '*=',
  '|=': '&=',
  '&=': '|=',
  '<<=': '>>=',
  '>>=': '<<=',
};

const SWAPPED_METHODS: Readonly<Record<string, string>> = {
  every: 'some',
  some: 'every',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  min: 'max',
  max: 'min',
  toLowerCase: 'toUpperCase',
  toUpperCase: 'toLowerCase',
};

/** Left out in a condition, and beside && and ||, where a constant or the other side in place of it says more. */
const NEGATIONS: ReadonlySet<string> = new Set(['< >=', '<= >', '> <=', '>= <', '=== !==', '!== ===']);

/** Calls of which only the object is left. */
const DROPPED_METHODS: ReadonlySet<string> = new Set([
  'filter',
  'sort',
  'toSorted',
  'reverse',
  'toReversed',
  'slice',
  'subarray',
  'trim',
  'trimEnd',
  'trimStart',
]);

/** What makes errors, refusals and notices: their arguments are texts and places, as those of a `throw`. */
const MAKES_TEXT: ReadonlySet<string> = new Set([
  'VtlicError',
  'refuse',
  'malformed',
  'fault',
  'claimFault',
  'notice',
  'corrupt',
  'misuse',
  'bad',
]);

function isNode(value: unknown): value is Node {
  return value !== null && typeof value === 'object' && 'type' in value && 'start' in value;
}

function child(node: Node, key: string): Node | undefined {
  const value = node[key];
  return isNode(value) ? value : undefined;
}

class Finder {
  readonly found: Found[] = [];
  readonly #source: string;
  /** Conditions, and sides of && and ||. */
  readonly #tested = new Set<Node>();
  /** Statements that are all that an `if` does. */
  readonly #guarded = new Set<Node>();

  constructor(source: string) {
    this.#source = source;
  }

  walk(node: Node): void {
    if (node.type === 'ImportDeclaration' || node.type.startsWith('Export')) {
      const declaration = child(node, 'declaration');
      if (declaration !== undefined) this.walk(declaration);
      return;
    }
    if (node.type.startsWith('TS')) {
      const inner = child(node, 'expression');
      if (inner !== undefined) this.walk(inner);
      return;
    }
    if (this.#isWording(node)) return;
    this.#changesOf(node);
    if (node.type === 'ThrowStatement' || node.type === 'ChainExpression') {
      if (node.type === 'ChainExpression') this.#insideChain(child(node, 'expression'));
      return;
    }
    this.#children(node);
  }

  /** A choice between two texts with spaces in them, or what an error says. */
  #isWording(node: Node): boolean {
    const callee = child(node, 'callee');
    if (callee !== undefined && MAKES_TEXT.has(this.#text(callee))) return true;
    if (node.type !== 'ConditionalExpression') return false;
    return ['consequent', 'alternate'].every((side) => {
      const text = child(node, side);
      return text !== undefined && /^[`'"].* /s.test(this.#text(text)) && text.type.endsWith('Literal');
    });
  }

  #children(node: Node): void {
    for (const [key, value] of Object.entries(node)) {
      if (key === 'typeAnnotation' || key === 'returnType' || key === 'typeParameters' || key === 'typeArguments')
        continue;
      if (key === 'key' && node['computed'] !== true) continue;
      for (const item of Array.isArray(value) ? (value as readonly unknown[]) : [value])
        if (isNode(item)) this.walk(item);
    }
  }

  /** Parentheses around a part of a chain would end its short circuit, so only arguments and the first object follow. */
  #insideChain(node: Node | undefined): void {
    if (node === undefined) return;
    const object = child(node, node.type === 'CallExpression' ? 'callee' : 'object');
    const isLink = node.type === 'CallExpression' || node.type === 'MemberExpression';
    if (!isLink) {
      this.walk(node);
      return;
    }
    this.#insideChain(object);
    if (Array.isArray(node['arguments'])) for (const item of node['arguments']) if (isNode(item)) this.walk(item);
    const property = child(node, 'property');
    if (node['computed'] === true && property !== undefined) this.walk(property);
  }

  #add(node: Node, text: string): void {
    this.found.push({ start: node.start, end: node.end, text });
  }

  #remove(node: Node): void {
    this.found.push({ start: node.start, end: node.end, text: undefined });
  }

  #text(node: Node): string {
    return this.#source.slice(node.start, node.end);
  }

  #changesOf(node: Node): void {
    switch (node.type) {
      case 'BinaryExpression':
      case 'LogicalExpression':
        this.#ofOperator(node);
        break;
      case 'AssignmentExpression':
        this.#ofAssignment(node);
        break;
      case 'UpdateExpression':
        this.#add(
          node,
          this.#text(node).replace(/\+\+|--/, (sign) => (sign === '++' ? '--' : '++')),
        );
        break;
      case 'UnaryExpression':
        this.#ofSign(node);
        break;
      case 'IfStatement':
      case 'ConditionalExpression':
        this.#ofCondition(node, ['true', 'false']);
        break;
      case 'WhileStatement':
      case 'ForStatement':
        this.#ofCondition(node, ['false']);
        break;
      case 'Literal':
        this.#ofLiteral(node);
        break;
      case 'SwitchCase': {
        const test = child(node, 'test');
        if (test !== undefined) this.#add(test, 'Symbol()');
        break;
      }
      case 'CallExpression':
        this.#ofCall(node);
        break;
      case 'ChainExpression':
        this.#add(
          node,
          this.#text(node)
            .replace(/\?\.(?=[[(])/, '')
            .replace('?.', '.'),
        );
        break;
      default:
        this.#ofStatement(node);
    }
  }

  #ofOperator(node: Node): void {
    const [left, right] = [child(node, 'left'), child(node, 'right')];
    const operator = node['operator'];
    if (left === undefined || right === undefined || typeof operator !== 'string') return;
    const isText = (part: Node): boolean => part.type === 'TemplateLiteral' || typeof part['value'] === 'string';
    if (operator === '+' && (isText(left) || isText(right))) return;
    for (const other of SWAPPED_OPERATORS[operator] ?? [])
      if (!this.#tested.has(node) || !NEGATIONS.has(`${operator} ${other}`))
        this.#add(node, `(${this.#text(left)}) ${other} (${this.#text(right)})`);
    if (node.type !== 'LogicalExpression') return;
    if (operator !== '??') this.#tested.add(left).add(right);
    this.#add(node, this.#text(left));
    this.#add(node, this.#text(right));
  }

  #ofAssignment(node: Node): void {
    const [left, right] = [child(node, 'left'), child(node, 'right')];
    const other = SWAPPED_ASSIGNMENTS[String(node['operator'])];
    if (left === undefined || right === undefined || other === undefined) return;
    if (right.type !== 'TemplateLiteral' && typeof right['value'] !== 'string')
      this.#add(node, `${this.#text(left)} ${other} ${this.#text(right)}`);
  }

  #ofSign(node: Node): void {
    const argument = child(node, 'argument');
    const isNegation = node['operator'] === '!' && !this.#tested.has(node);
    if (argument !== undefined && (isNegation || node['operator'] === '-')) this.#add(node, this.#text(argument));
  }

  #ofCondition(node: Node, values: readonly string[]): void {
    const test = child(node, 'test');
    if (test === undefined) return;
    for (const value of values) this.#add(test, value);
    this.#tested.add(test);
    const consequent = child(node, 'consequent');
    const body = consequent?.['body'];
    const only: unknown = Array.isArray(body) && body.length === 1 ? body[0] : consequent;
    if (node.type === 'IfStatement' && child(node, 'alternate') === undefined && isNode(only)) this.#guarded.add(only);
  }

  #ofLiteral(node: Node): void {
    const { value } = node;
    if (typeof value === 'boolean') this.#add(node, String(!value));
    if (typeof value === 'bigint') for (const by of value === 0n ? [1n] : [1n, -1n]) this.#add(node, `${value + by}n`);
    if (typeof value === 'number') for (const by of value === 0 ? [1] : [1, -1]) this.#add(node, String(value + by));
    const regex = node['regex'] as { readonly pattern: string; readonly flags: string } | undefined;
    if (regex !== undefined)
      for (const pattern of changesOfPattern(regex.pattern)) this.#add(node, `/${pattern}/${regex.flags}`);
  }

  #ofCall(node: Node): void {
    const callee = child(node, 'callee');
    const [object, property] = [callee && child(callee, 'object'), callee && child(callee, 'property')];
    if (callee?.type !== 'MemberExpression' || object === undefined || property === undefined) return;
    const name = String(property['name']);
    const swapped = Object.hasOwn(SWAPPED_METHODS, name) ? SWAPPED_METHODS[name] : undefined;
    const rest = this.#source.slice(callee.end, node.end);
    if (swapped !== undefined) this.#add(node, `${this.#text(object)}.${swapped}${rest}`);
    if (DROPPED_METHODS.has(name) && object.type !== 'Identifier') this.#add(node, this.#text(object));
    if (DROPPED_METHODS.has(name) && object.type === 'Identifier' && !/^[A-Z][a-z]/.test(this.#text(object)))
      this.#add(node, this.#text(object));
  }

  #ofStatement(node: Node): void {
    const isCall = node.type === 'ExpressionStatement' && child(node, 'expression')?.type !== 'Literal';
    if (this.#guarded.has(node)) return;
    const isSuper = this.#text(node).startsWith('super(');
    if ((isCall && !isSuper) || ['ThrowStatement', 'BreakStatement', 'ContinueStatement'].includes(node.type))
      this.#remove(node);
    // A return at the end of a function gives its result. One before the end leaves early, without the rest.
    if (node.type !== 'BlockStatement' && node.type !== 'SwitchCase') return;
    const body = node['body'];
    if (!Array.isArray(body) || body.length < 2) return;
    for (const item of body.slice(0, -1)) if (isNode(item) && item.type === 'ReturnStatement') this.#remove(item);
  }
}

const MAX_SHOWN = 60;

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= MAX_SHOWN ? line : `${line.slice(0, MAX_SHOWN / 2)} … ${line.slice(-MAX_SHOWN / 2)}`;
}

/** All changes of a source, in the order of their places. */
export function mutationsOf(source: string): readonly Mutation[] {
  const finder = new Finder(source);
  finder.walk(parseAst(source, { lang: 'ts', sourceType: 'module' }) as unknown as Node);
  const lines = source.split('\n');
  const starts: number[] = [0];
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length + 1);
  const counts = new Map<string, number>();
  const unique = new Map(finder.found.map((one) => [`${one.start} ${one.end} ${one.text ?? ''}`, one]));
  return [...unique.values()]
    .filter(({ start, end, text }) => text !== source.slice(start, end))
    .sort((a, b) => a.start - b.start || b.end - a.end)
    .map(({ start, end, text }, id) => {
      const line = starts.findLastIndex((at) => at <= start) + 1;
      const code = (lines[line - 1] ?? '').trim();
      const change = `${shortened(source.slice(start, end))} -> ${text === undefined ? 'removed' : shortened(text)}`;
      const nth = (counts.get(`${code}\n${change}`) ?? 0) + 1;
      counts.set(`${code}\n${change}`, nth);
      return { id, line, code, change, nth, start, end, text };
    });
}

interface Insertion {
  readonly at: number;
  readonly text: string;
  readonly isEnd: boolean;
  readonly length: number;
}

/**
 * The source with all of its changes in it, of which `__mutant` returns the number of the one that is on, or -1. It gets
 * the first and the last number of the changes of the place, `offset` added. Loops call `__turn`, which stops those that
 * a change makes endless; `__loaded` gets the offset at the end of the module.
 */
export function withSwitches(source: string, mutations: readonly Mutation[], offset: number): string {
  const places = new Map<string, Mutation[]>();
  for (const mutation of mutations) {
    const place = `${mutation.start} ${mutation.end}`;
    places.set(place, [...(places.get(place) ?? []), mutation]);
  }
  const insertions: Insertion[] = [];
  const surround = (start: number, end: number, before: string, after: string): void => {
    insertions.push({ at: start, text: before, isEnd: false, length: end - start });
    insertions.push({ at: end, text: after, isEnd: true, length: end - start });
  };
  for (const group of places.values()) {
    const [first, last] = [group[0], group.at(-1)];
    if (first === undefined || last === undefined) continue;
    const asked = `__mutant(${offset + first.id},${offset + last.id})`;
    if (first.text === undefined) surround(first.start, first.end, `{if(${asked}!==${offset + first.id}){`, '}}');
    else {
      const branches = group.map(({ id, text = '' }) => `__on===${offset + id}?(${text}):`).join('');
      surround(first.start, first.end, `(__on=${asked},${branches}(`, '))');
    }
  }
  for (const body of loopBodies(source)) surround(body.start, body.end, '{__turn();', '}');
  insertions.sort(
    (a, b) => a.at - b.at || Number(b.isEnd) - Number(a.isEnd) || (a.isEnd ? a.length - b.length : b.length - a.length),
  );
  let made = 'var __on;';
  let at = 0;
  for (const insertion of insertions) {
    made += source.slice(at, insertion.at) + insertion.text;
    at = insertion.at;
  }
  return `${made}${source.slice(at)}\n__loaded(${offset});`;
}

function loopBodies(source: string): readonly Node[] {
  const bodies: Node[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) visit(item);
    else if (isNode(value)) {
      const body = child(value, 'body');
      if (body !== undefined && /^(?:For|While|DoWhile)/.test(value.type)) bodies.push(body);
      for (const item of Object.values(value)) if (typeof item === 'object') visit(item);
    }
  };
  visit(parseAst(source, { lang: 'ts', sourceType: 'module' }));
  return bodies;
}
