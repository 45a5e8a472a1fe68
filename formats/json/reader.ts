/**
 * Typed reading of strict JSON, for documents whose every member is known.
 *
 * ```ts
 * const root = readObject(parseStrictJson(bytes), { code: 'request_invalid', file });
 * const seats = root.integer('seats', { min: 0, max: MAX_COUNT });
 * const limits = root.optionalObject('limits')?.entries().map(([name, value]) => [name, value.integer({ min: 0 })]);
 * root.end();
 * ```
 *
 * Each fault names the path of the member (`limits.vaults`, `features[2]`), its line and its column. What a reader
 * asked for is what the object may have: `end()` refuses the rest.
 */
import { cleanText } from '../clean-text.ts';
import { VtlicError, type ErrorCode } from '../error.ts';
import type { JsonMember, JsonNode, JsonObject } from './strict-json.ts';

/** What a fault is called, and the file it is in. */
export interface ReadContext {
  readonly code: ErrorCode;
  readonly file?: string;
}

/** Both bounds belong to the range; the widest is ±(2^53-1). */
export interface IntegerBounds {
  readonly min?: number;
  readonly max?: number;
}

/** The reader of a node that should be an object. `path` names it in messages; the root has none. */
export function readObject(node: JsonNode, context: ReadContext, path: string = ''): JsonObjectReader {
  return new JsonValueReader(node, context, path).object();
}

/** One value at its place. */
export class JsonValueReader {
  readonly node: JsonNode;
  /** `limits.vaults`; empty for the root. */
  readonly path: string;
  private readonly context: ReadContext;

  constructor(node: JsonNode, context: ReadContext, path: string) {
    this.node = node;
    this.context = context;
    this.path = path;
  }

  /**
   * An error of the reader's code at this value's place. @param sentence without the member's name: `${name}
   * ${sentence}`
   */
  fault(sentence: string, hint?: string): VtlicError {
    return faultAt(this.context, this.path, this.node, sentence, hint);
  }

  string(): string {
    if (this.node.kind !== 'string') throw this.fault(`should be a text, but it is ${inWords(this.node)}`);
    return this.node.value;
  }

  boolean(): boolean {
    if (this.node.kind !== 'boolean') throw this.fault(`should be true or false, but it is ${inWords(this.node)}`);
    return this.node.value;
  }

  /** Plain digits with an optional minus: `1e3`, `1.0`, `-0` and `"250"` are refused, each in its own words. */
  integer(bounds: IntegerBounds = {}): number {
    const { node } = this;
    if (node.kind === 'string' && /^-?[0-9]+$/.test(node.value)) {
      throw this.fault(
        `should be a number, but it is the text "${cleanText(node.value, 40)}"`,
        `Write ${cleanText(node.value, 40)} without the quotes.`,
      );
    }
    if (node.kind !== 'number') throw this.fault(`should be an integer, but it is ${inWords(node)}`);
    const shown = cleanText(node.text, 40);
    if (/[eE]/.test(node.text)) throw this.fault(`should be an integer in plain digits, but ${shown} has an exponent`);
    if (node.text.includes('.')) throw this.fault(`should be an integer in plain digits, but ${shown} has a fraction`);
    if (node.text === '-0') throw this.fault('should be an integer in plain digits, but it is -0', 'Write 0.');
    const value = Number(node.text);
    if (!Number.isSafeInteger(value)) throw this.fault(`should be within ±(2^53-1), but it is ${shown}`);
    const { min = -Number.MAX_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = bounds;
    if (value < min) throw this.fault(`should be at least ${min}, but it is ${shown}`);
    if (value > max) throw this.fault(`should be at most ${max}, but it is ${shown}`);
    return value;
  }

  array(): readonly JsonValueReader[] {
    if (this.node.kind !== 'array') throw this.fault(`should be an array, but it is ${inWords(this.node)}`);
    return this.node.items.map((item, i) => new JsonValueReader(item, this.context, `${this.path}[${i}]`));
  }

  object(): JsonObjectReader {
    if (this.node.kind !== 'object') throw this.fault(`should be an object, but it is ${inWords(this.node)}`);
    return new JsonObjectReader(this.node, this.context, this.path);
  }
}

/**
 * An object whose members are asked for by name. A name asked for once is known to `end()`, whether it is there or
 * not.
 */
export class JsonObjectReader {
  readonly node: JsonObject;
  readonly path: string;
  private readonly context: ReadContext;
  private readonly members: ReadonlyMap<string, JsonMember>;
  private readonly known: Set<string> = new Set();

  constructor(node: JsonObject, context: ReadContext, path: string) {
    this.node = node;
    this.context = context;
    this.path = path;
    this.members = new Map(node.members.map((member) => [member.name, member]));
  }

  /** An error of the reader's code at this object's place. @param sentence without the object's name */
  fault(sentence: string, hint?: string): VtlicError {
    return faultAt(this.context, this.path, this.node, sentence, hint);
  }

  /** The value of a member; undefined where it is not there. */
  member(name: string): JsonValueReader | undefined {
    this.known.add(name);
    const found = this.members.get(name);
    return found === undefined ? undefined : new JsonValueReader(found.value, this.context, this.pathOf(name));
  }

  /** The value of a member that must be there. */
  required(name: string): JsonValueReader {
    const value = this.member(name);
    if (value !== undefined) return value;
    throw faultAt(this.context, this.pathOf(name), this.node, 'is required, but it is missing');
  }

  string(name: string): string {
    return this.required(name).string();
  }

  optionalString(name: string): string | undefined {
    return this.member(name)?.string();
  }

  integer(name: string, bounds?: IntegerBounds): number {
    return this.required(name).integer(bounds);
  }

  optionalInteger(name: string, bounds?: IntegerBounds): number | undefined {
    return this.member(name)?.integer(bounds);
  }

  boolean(name: string): boolean {
    return this.required(name).boolean();
  }

  optionalBoolean(name: string): boolean | undefined {
    return this.member(name)?.boolean();
  }

  array(name: string): readonly JsonValueReader[] {
    return this.required(name).array();
  }

  optionalArray(name: string): readonly JsonValueReader[] | undefined {
    return this.member(name)?.array();
  }

  object(name: string): JsonObjectReader {
    return this.required(name).object();
  }

  optionalObject(name: string): JsonObjectReader | undefined {
    return this.member(name)?.object();
  }

  /** All members in their order, for an object whose names are data: none is unknown then. */
  entries(): readonly (readonly [name: string, value: JsonValueReader])[] {
    return this.node.members.map(({ name, value }) => {
      this.known.add(name);
      return [name, new JsonValueReader(value, this.context, this.pathOf(name))] as const;
    });
  }

  /** Refuses the first member that nobody asked for, with the nearest name that somebody did. */
  end(): void {
    for (const { name, nameLine, nameColumn } of this.node.members) {
      if (this.known.has(name)) continue;
      const nearest = nearestName(name, this.unused());
      const hint =
        nearest === undefined
          ? `Known here: ${[...this.known].join(', ') || 'no members'}.`
          : `Did you mean "${nearest}"?`;
      const place = { line: nameLine, column: nameColumn };
      throw faultAt(this.context, this.pathOf(name), place, 'is an unknown member', hint);
    }
  }

  private unused(): string[] {
    return [...this.known].filter((name) => !this.members.has(name));
  }

  private pathOf(name: string): string {
    const shown = cleanText(name, 80);
    return this.path === '' ? shown : `${this.path}.${shown}`;
  }
}

function faultAt(
  context: ReadContext,
  path: string,
  at: { readonly line: number; readonly column: number },
  sentence: string,
  hint?: string,
): VtlicError {
  return new VtlicError(context.code, `${path === '' ? 'the document' : `"${path}"`} ${sentence}`, {
    ...(context.file === undefined ? {} : { file: context.file }),
    ...(path === '' ? {} : { field: path }),
    line: at.line,
    column: at.column,
    ...(hint === undefined ? {} : { hint }),
  });
}

function inWords(node: JsonNode): string {
  switch (node.kind) {
    case 'object':
      return 'an object';
    case 'array':
      return 'an array';
    case 'string':
      return `the text "${cleanText(node.value, 40)}"`;
    case 'number':
      return `the number ${cleanText(node.text, 40)}`;
    case 'boolean':
      return String(node.value);
    default:
      return 'null';
  }
}

/** More edits make another word, of however many letters. */
const MAX_EDITS = 3;

/**
 * The first of the candidates that the fewest edits (insert, delete, replace, swap of neighbors) turn `name` into;
 * undefined where none is near.
 */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const from = name.toLowerCase();
  const most = Math.max(1, Math.min(MAX_EDITS, Math.floor(name.length / 3)));
  for (let edits = 0; edits <= most; edits++) {
    const nearest = candidates.find((candidate) => isWithin(edits, from, candidate.toLowerCase()));
    if (nearest !== undefined) return nearest;
  }
  return undefined;
}

/** Whether so many edits are enough. Only the first differences are tried, so that long texts cost no more. */
function isWithin(edits: number, from: string, to: string): boolean {
  if (from === to) return true;
  if (from[0] === to[0]) return isWithin(edits, from.slice(1), to.slice(1));
  if (edits === 0) return false;
  return (
    isWithin(edits - 1, from.slice(1), to) ||
    isWithin(edits - 1, from, to.slice(1)) ||
    isWithin(edits - 1, from.slice(1), to.slice(1)) ||
    (from[0] === to[1] && from[1] === to[0] && isWithin(edits - 1, from.slice(2), to.slice(2)))
  );
}
