/**
 * JSON (RFC 8259) read so that nothing is lost on the way: `JSON.parse` keeps the last of two equal members and rounds
 * 2^53+1.
 *
 * Every value knows its line and column, both from 1; columns count code points, and only a line feed ends a line.
 * Numbers stay the text that they were: what they mean is for the reader of the member to say.
 */
import { cleanText } from '../clean-text.ts';
import { VtlicError } from '../error.ts';
import { utf8FaultAt } from '../bytes.ts';

interface JsonPlace {
  readonly line: number;
  readonly column: number;
}

export interface JsonMember {
  readonly name: string;
  readonly nameLine: number;
  readonly nameColumn: number;
  readonly value: JsonNode;
}

export type JsonObject = JsonPlace & { readonly kind: 'object'; readonly members: readonly JsonMember[] };
export type JsonArray = JsonPlace & { readonly kind: 'array'; readonly items: readonly JsonNode[] };
export type JsonString = JsonPlace & { readonly kind: 'string'; readonly value: string };
export type JsonNumber = JsonPlace & { readonly kind: 'number'; readonly text: string };
export type JsonBoolean = JsonPlace & { readonly kind: 'boolean'; readonly value: boolean };
export type JsonNull = JsonPlace & { readonly kind: 'null' };
export type JsonNode = JsonObject | JsonArray | JsonString | JsonNumber | JsonBoolean | JsonNull;

export interface JsonLimits {
  /** Default 1 MiB. */
  readonly bytes?: number;
  /** Arrays and objects inside one another, the outermost counting 1. Default 64. */
  readonly depth?: number;
}

const DEFAULT_BYTES = 1_048_576;
const DEFAULT_DEPTH = 64;

/**
 * Reads a whole document.
 *
 * @throws VtlicError `json_malformed` with line and column: not UTF-8, a byte order mark, any departure from the
 *   grammar, text after the end, a member repeated in one object, an escaped lone surrogate, too deep, too large (this
 *   one without a place)
 */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits = {}): JsonNode {
  const maxBytes = limits.bytes ?? DEFAULT_BYTES;
  if (bytes.length > maxBytes)
    throw new VtlicError('json_malformed', `the JSON has ${bytes.length} bytes, but at most ${maxBytes} are allowed`);
  return new Parser(decodeUtf8(bytes), limits.depth ?? DEFAULT_DEPTH).document();
}

function decodeUtf8(bytes: Uint8Array): string {
  const fault = utf8FaultAt(bytes);
  const lenient = new TextDecoder('utf-8', { ignoreBOM: true });
  if (fault < 0) return lenient.decode(bytes);
  const before = lenient.decode(bytes.subarray(0, fault));
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  throw new VtlicError('json_malformed', 'the JSON should be UTF-8, but a byte here is not', {
    line,
    column: Array.from(before.slice(lineStart)).length + 1,
    offset: fault,
  });
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** What people write for numbers and words: used to show the whole of what is wrong. */
const WORD = /[\p{L}\p{N}_$+.-]+/uy;
const LIKE_A_NUMBER = /[-+.]?[0-9]/y;
/** Runs of string characters that need no care: no quote, backslash, control character or surrogate. */
const PLAIN = /[^"\\\u0000-\u001f\ud800-\udfff]+/y;
const CONTROL = /[\u0000-\u001f]/;
const HEX4 = /[0-9a-fA-F]{4}/y;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

class Parser {
  private at = 0;
  private line = 1;
  /** Subtracted from `at` it gives the column: where the line starts, plus the surrogate pairs passed on it. */
  private columnBase = -1;
  private readonly text: string;
  private readonly maxDepth: number;

  constructor(text: string, maxDepth: number) {
    this.text = text;
    this.maxDepth = maxDepth;
  }

  document(): JsonNode {
    if (this.text.startsWith('\ufeff'))
      throw this.fault('the JSON begins with a byte order mark (U+FEFF), which should not be there');
    this.skipBlank();
    const node = this.value(0);
    this.skipBlank();
    if (this.at < this.text.length) throw this.fault(`the JSON should end here, but ${this.found()} follows`);
    return node;
  }

  private value(depth: number): JsonNode {
    const place = this.place();
    switch (this.text[this.at]) {
      case '{':
        return this.object(place, depth + 1);
      case '[':
        return this.array(place, depth + 1);
      case '"':
        return Object.freeze({ kind: 'string', value: this.string(), ...place });
      default:
        return this.scalar(place);
    }
  }

  private object(place: JsonPlace, depth: number): JsonObject {
    this.enter(depth);
    const members: JsonMember[] = [];
    const seen = new Map<string, JsonPlace>();
    this.skipBlank();
    if (this.take('}')) return Object.freeze({ kind: 'object', members: Object.freeze(members), ...place });
    for (;;) {
      const { line: nameLine, column: nameColumn } = this.place();
      if (this.text[this.at] !== '"')
        throw this.fault(`expected a member's name in double quotes, found ${this.found()}`);
      const name = this.string();
      const first = seen.get(name);
      if (first !== undefined) {
        throw new VtlicError(
          'json_malformed',
          `the member "${cleanText(name)}" is repeated: the first is at line ${first.line}, column ${first.column}`,
          {
            field: cleanText(name),
            line: nameLine,
            column: nameColumn,
          },
        );
      }
      seen.set(name, { line: nameLine, column: nameColumn });
      this.skipBlank();
      if (!this.take(':')) throw this.fault(`a colon should follow the member's name, but ${this.found()} does`);
      this.skipBlank();
      members.push(Object.freeze({ name, nameLine, nameColumn, value: this.value(depth) }));
      this.skipBlank();
      if (this.take('}')) return Object.freeze({ kind: 'object', members: Object.freeze(members), ...place });
      if (!this.take(',')) throw this.fault(`expected a comma or "}", found ${this.found()}`);
      this.skipBlank();
      if (this.text[this.at] === '}') throw this.fault('a member should follow the comma, but the object ends');
    }
  }

  private array(place: JsonPlace, depth: number): JsonArray {
    this.enter(depth);
    const items: JsonNode[] = [];
    this.skipBlank();
    if (this.take(']')) return Object.freeze({ kind: 'array', items: Object.freeze(items), ...place });
    for (;;) {
      items.push(this.value(depth));
      this.skipBlank();
      if (this.take(']')) return Object.freeze({ kind: 'array', items: Object.freeze(items), ...place });
      if (!this.take(',')) throw this.fault(`expected a comma or "]", found ${this.found()}`);
      this.skipBlank();
      if (this.text[this.at] === ']') throw this.fault('an item should follow the comma, but the array ends');
    }
  }

  private enter(depth: number): void {
    if (depth > this.maxDepth) throw this.fault(`arrays and objects are nested deeper than ${this.maxDepth}`);
    this.at++;
  }

  private scalar(place: JsonPlace): JsonNode {
    const number = this.match(NUMBER);
    const word = this.match(WORD);
    if (number !== undefined && number === word) {
      this.at += number.length;
      return Object.freeze({ kind: 'number', text: number, ...place });
    }
    if (word === 'true' || word === 'false') {
      this.at += word.length;
      return Object.freeze({ kind: 'boolean', value: word === 'true', ...place });
    }
    if (word === 'null') {
      this.at += word.length;
      return Object.freeze({ kind: 'null', ...place });
    }
    if (this.match(LIKE_A_NUMBER) !== undefined) throw this.fault(`${this.found()} is not a number in JSON`);
    throw this.fault(`expected a value, found ${this.found()}`);
  }

  /** From the opening quote to behind the closing one. */
  private string(): string {
    const start = this.place();
    this.at++;
    let value = '';
    for (;;) {
      const plain = this.match(PLAIN);
      if (plain !== undefined) {
        value += plain;
        this.at += plain.length;
      }
      const character = this.text[this.at];
      if (character === '"') {
        this.at++;
        return value;
      }
      if (character === undefined) throw this.fault('the text that begins here has no closing quote', start);
      if (character === '\n' || character === '\r')
        throw this.fault('the text that begins here has no closing quote on its line', start);
      if (CONTROL.test(character))
        throw this.fault(`a control character (${cleanText(character)}) should be escaped in a text`);
      if (character === '\\') {
        value += this.escape();
      } else {
        // UTF-8 has no lone surrogates, so this is a pair: two units of the string, one column.
        value += this.text.slice(this.at, this.at + 2);
        this.at += 2;
        this.columnBase++;
      }
    }
  }

  private escape(): string {
    const place = this.place();
    const letter = this.text.charAt(this.at + 1);
    const simple = ESCAPES.get(letter);
    if (simple !== undefined) {
      this.at += 2;
      return simple;
    }
    if (letter !== 'u')
      throw this.fault('a backslash should begin one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX', place);
    const unit = this.unit(place);
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    if (unit < 0xdc00 && this.text.startsWith('\\u', this.at)) {
      const low = this.unit(place);
      if (low >= 0xdc00 && low <= 0xdfff) return String.fromCharCode(unit, low);
    }
    throw this.fault('the escape is only half of a character (a surrogate), and the other half is missing', place);
  }

  /** Steps over `\uXXXX`. */
  private unit(place: JsonPlace): number {
    this.at += 2;
    const digits = this.match(HEX4);
    if (digits === undefined) throw this.fault('\\u should be followed by four hex digits', place);
    this.at += 4;
    return Number.parseInt(digits, 16);
  }

  private skipBlank(): void {
    for (;;) {
      const character = this.text[this.at];
      if (character === '\n') {
        this.line++;
        this.columnBase = this.at;
      } else if (character !== ' ' && character !== '\t' && character !== '\r') return;
      this.at++;
    }
  }

  private take(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0];
  }

  private found(): string {
    const [character] = this.text.slice(this.at);
    if (character === undefined) return 'the end of the file';
    return `"${cleanText(this.match(WORD) ?? character, 40)}"`;
  }

  private place(): JsonPlace {
    return { line: this.line, column: this.at - this.columnBase };
  }

  private fault(message: string, place: JsonPlace = this.place()): VtlicError {
    return new VtlicError('json_malformed', message, { line: place.line, column: place.column });
  }
}
