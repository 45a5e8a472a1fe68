/**
 * The protocol between the runner and a harness, version 1 (docs/conformance.md). What a harness writes is untrusted:
 * it is decoded here once, and becomes a frozen answer or a sentence that says what is wrong with it.
 */
import { cleanText } from '../../formats/clean-text.ts';
import type { State } from '../../verifier/verdict.ts';
import type { KeyEntry, PlainContext, PlainInstallation, PlainTrust } from '../examples/plain-values.ts';

export const PROTOCOL = 1;
export const MAX_ANSWER_BYTES: number = 64 * 1024;

export const CAPABILITIES = ['verify', 'state', 'floor', 'keysets', 'override', 'key-files'] as const;
export type Capability = (typeof CAPABILITIES)[number];

export const VERDICTS = ['accepted', 'refused', 'configuration_invalid', 'misuse', 'none'] as const;
export type VerdictWord = (typeof VERDICTS)[number];

export const STATES: readonly State[] = ['not_yet_valid', 'active', 'grace', 'lapsed'];

export interface WireKey extends KeyEntry {
  readonly alg: string;
  /** Base64 of the raw public key. */
  readonly public: string;
  /** For people: a verifier computes its own. */
  readonly kid?: string;
}

export type WireTrust = PlainTrust<WireKey>;

/** A request without its `id`, which belongs to the process that is asked. Bytes are base64. */
export type Request =
  | { readonly op: 'verify'; readonly license: string; readonly trust: WireTrust; readonly context: PlainContext }
  | { readonly op: 'reset'; readonly trust: WireTrust; readonly context: PlainInstallation; readonly clock: number }
  | { readonly op: 'install'; readonly license: string }
  | { readonly op: 'set-time'; readonly clock: number; readonly ran?: number }
  | { readonly op: 'rotate'; readonly trust: WireTrust }
  | { readonly op: 'restart'; readonly license?: string; readonly clock?: number; readonly loseState?: boolean }
  | {
      readonly op: 'choose-keyset';
      readonly issuer: string;
      readonly builtIn: string;
      readonly state?: readonly string[];
      readonly file?: string;
      readonly requireComposite?: boolean;
      readonly license?: string;
      readonly context?: PlainContext;
    }
  | {
      readonly op: 'override';
      readonly trust: WireTrust;
      readonly environment: Readonly<Record<string, string>>;
      readonly files?: Readonly<Record<string, string>>;
      readonly license?: string;
      readonly context?: PlainContext;
    }
  | { readonly op: 'read-keys'; readonly file: string };

/** What a harness says of itself. */
export interface Hello {
  readonly name: string;
  readonly version: string;
  readonly language?: string;
  readonly capabilities: ReadonlySet<Capability>;
}

/** Every member that an answer may have; which of them are there follows from the operation. */
export interface Answer {
  readonly verdict?: VerdictWord;
  readonly state?: State;
  readonly layer?: string;
  readonly reason?: string;
  readonly payloadDigest?: string;
  readonly lineage?: string;
  readonly version?: number;
  readonly source?: string;
  readonly notices?: readonly { readonly source: string; readonly reason: string }[];
  readonly keys?: readonly Readonly<Record<'alg' | 'kid' | 'purpose' | 'status', string | undefined>>[];
  readonly requireComposite?: boolean;
}

/** What is wrong with a harness: never a verdict. `kind` is for programs, `sentence` for people. */
export interface HarnessFault {
  readonly kind:
    | 'cannot_start'
    | 'ended'
    | 'no_answer'
    | 'not_json'
    | 'malformed'
    | 'too_long'
    | 'wrong_id'
    | 'answered_twice'
    | 'newer_protocol'
    | 'own_error'
    | 'exit_code';
  readonly sentence: string;
}

/** Whether the harness itself says that it has no verdict: it goes on, and need not be started again. */
export function hasNoVerdict({ kind }: HarnessFault): boolean {
  return kind === 'own_error' || kind === 'exit_code';
}

export type Decoded<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: HarnessFault };

interface Operation {
  readonly needs: Capability;
  /** The members that a request has at least, with their JSON types. */
  readonly asks: Readonly<Record<string, 'string' | 'number' | 'object'>>;
  /** The members of an answer without a verdict. */
  readonly members?: string;
}

const OPERATIONS: Readonly<Record<Request['op'], Operation>> = {
  verify: { needs: 'verify', asks: { license: 'string', trust: 'object', context: 'object' } },
  reset: { needs: 'state', asks: { trust: 'object', context: 'object', clock: 'number' } },
  install: { needs: 'state', asks: { license: 'string' } },
  'set-time': { needs: 'state', asks: { clock: 'number' } },
  rotate: { needs: 'state', asks: { trust: 'object' } },
  restart: { needs: 'state', asks: {} },
  'choose-keyset': {
    needs: 'keysets',
    asks: { issuer: 'string', builtIn: 'string' },
    members: 'version, source and notices',
  },
  override: {
    needs: 'override',
    asks: { trust: 'object', environment: 'object' },
    members: 'keys and requireComposite',
  },
  'read-keys': { needs: 'key-files', asks: { file: 'string' }, members: 'keys' },
};

export function isOperation(op: unknown): op is Request['op'] {
  return typeof op === 'string' && Object.hasOwn(OPERATIONS, op);
}

/** @returns what is wrong with a request that somebody may have edited, in the members on which the runner relies */
export function faultOfRequest(op: Request['op'], request: Readonly<Record<string, unknown>>): string | undefined {
  for (const [name, type] of Object.entries(OPERATIONS[op].asks)) {
    const value = request[name];
    if (type === 'object' ? !isObject(value) : typeof value !== type)
      return `the member ${name} of ${op} should be ${TYPES[type]}, but it is ${shown(value)}`;
  }
  const { context } = request;
  if (isObject(context) && context['hosts'] !== undefined && !Array.isArray(context['hosts']))
    return `the member hosts of the context should be a list, but it is ${shown(context['hosts'])}`;
  return undefined;
}

const TYPES = { string: 'a text', number: 'a number', object: 'an object' } as const;

export function capabilitiesOf(request: Request): readonly Capability[] {
  const { needs } = OPERATIONS[request.op];
  return request.op === 'set-time' && request.ran !== undefined ? [needs, 'floor'] : [needs];
}

/** One line, with its LF, also for a reader that ends lines at U+2028 and U+2029, as `readline` of Node.js does. */
export function requestLine(id: number, request: object): string {
  const line = JSON.stringify({ id, ...request });
  return `${line.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}\n`;
}

export function decodeHello(line: string, id: number): Decoded<Hello> {
  const decoded = decodeObject(line, id, 0);
  if (!decoded.ok) return decoded;
  const { protocol, name, version, language, capabilities } = decoded.value;
  if (typeof protocol === 'number' && protocol > PROTOCOL)
    return faulty(
      'newer_protocol',
      `the harness speaks protocol ${protocol}, but this runner speaks ${PROTOCOL}: use a newer vtlic-conform, ` +
        `or let the harness answer with "protocol": ${PROTOCOL}`,
    );
  if (protocol !== PROTOCOL)
    return malformed(`its answer to hello should have "protocol": ${PROTOCOL}, but it has ${shown(protocol)}`);
  if (!isShortText(name) || !isShortText(version))
    return malformed('its answer to hello should have a name and a version, texts of 1 to 100 characters');
  if (language !== undefined && !isShortText(language))
    return malformed(`its answer to hello has the language ${shown(language)}, which should be a text`);
  if (!Array.isArray(capabilities) || !capabilities.includes('verify'))
    return malformed('its answer to hello should have capabilities, a list with "verify" in it');
  const unknown: unknown = capabilities.find((one) => !CAPABILITIES.includes(one as Capability));
  if (unknown !== undefined)
    return malformed(`it has the capability ${shown(unknown)}, but those of protocol 1 are ${CAPABILITIES.join(', ')}`);
  return {
    ok: true,
    value: Object.freeze({
      name: cleanText(name),
      version: cleanText(version),
      ...(language === undefined ? {} : { language: cleanText(language) }),
      capabilities: new Set(capabilities as Capability[]),
    }),
  };
}

export function decodeAnswer(line: string, id: number, before: number, { op }: Request): Decoded<Answer> {
  const decoded = decodeObject(line, id, before);
  if (!decoded.ok) return decoded;
  const { id: _id, error, ...members } = decoded.value;
  if (error !== undefined) return faulty('own_error', `the harness has a fault of its own: ${shown(error)}`);
  const { members: expected } = OPERATIONS[op];
  if (members['verdict'] === undefined && expected === undefined)
    return malformed(`its answer to ${op} has no verdict`);
  const wrong = faultOfMembers(op, members);
  if (wrong !== undefined) return malformed(wrong);
  if (expected !== undefined && members['verdict'] === undefined) {
    const missing = expected.split(/, | and /).find((name) => members[name] === undefined);
    if (missing !== undefined) return malformed(`its answer to ${op} should have ${expected}, or a verdict`);
  }
  return { ok: true, value: Object.freeze(members as Answer) };
}

/** @returns what is wrong with the members of an answer that are there */
export function faultOfMembers(op: Request['op'], members: Readonly<Record<string, unknown>>): string | undefined {
  const { verdict, state, version, requireComposite, notices, keys } = members;
  const words: readonly unknown[] = VERDICTS;
  const states: readonly unknown[] = STATES;
  if (verdict !== undefined && !words.includes(verdict))
    return `its answer to ${op} has the verdict ${shown(verdict)}, but the verdicts are ${VERDICTS.join(', ')}`;
  if (verdict === 'none' && (op === 'verify' || op === 'install'))
    return `its answer to ${op} has the verdict "none", but there is a license to judge`;
  if (verdict === 'accepted' && state === undefined)
    return `its answer to ${op} is "accepted" without a state, which is one of ${STATES.join(', ')}`;
  if (state !== undefined && !states.includes(state))
    return `its answer to ${op} has the state ${shown(state)}, but the states are ${STATES.join(', ')}`;
  for (const name of ['layer', 'reason', 'payloadDigest', 'lineage', 'source'])
    if (members[name] !== undefined && typeof members[name] !== 'string')
      return `the member ${name} of its answer to ${op} should be a text, but it is ${shown(members[name])}`;
  if (version !== undefined && !Number.isSafeInteger(version))
    return `the member version of its answer to ${op} should be an integer, but it is ${shown(version)}`;
  if (requireComposite !== undefined && typeof requireComposite !== 'boolean')
    return `the member requireComposite of its answer to ${op} should be true or false`;
  for (const [name, list] of Object.entries({ notices, keys }))
    if (list !== undefined && !(Array.isArray(list) && list.every(isObjectOfTexts)))
      return `the member ${name} of its answer to ${op} should be a list of objects with texts`;
  return undefined;
}

/** Of an item of `notices` or `keys`, whose other members nobody reads. */
const TEXTS_OF_ITEMS = ['source', 'reason', 'alg', 'kid', 'purpose', 'status'];

function isObjectOfTexts(item: unknown): boolean {
  return isObject(item) && TEXTS_OF_ITEMS.every((name) => item[name] === undefined || typeof item[name] === 'string');
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function decodeObject(line: string, id: number, before: number): Decoded<Readonly<Record<string, unknown>>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return faulty(
      'not_json',
      `the harness answered with a line that is not JSON: ${shown(line)} (write logs to standard error)`,
    );
  }
  if (!isObject(value))
    return faulty('malformed', `the harness answered with ${shown(value)}, but an answer is a JSON object`);
  const found = value['id'];
  if (found === id) return { ok: true, value };
  if (found === before && before > 0)
    return faulty('answered_twice', `the harness answered request ${before} twice: one answer for each request`);
  return faulty('wrong_id', `the harness answered request ${id} with the id ${shown(found)}`);
}

function malformed(what: string): Decoded<never> {
  return faulty('malformed', `the harness does not follow the protocol: ${what}`);
}

export function faulty(kind: HarnessFault['kind'], sentence: string): Decoded<never> {
  return { ok: false, fault: Object.freeze({ kind, sentence }) };
}

/** What a harness wrote, as a short piece of JSON that is safe to print. */
function shown(value: unknown): string {
  if (value === undefined) return 'none';
  if (typeof value === 'string') return cleanText(`"${value}"`, 80);
  try {
    return cleanText(JSON.stringify(value), 80);
  } catch {
    // JSON.parse reads what is nested deeper than JSON.stringify can write.
    return 'a value that is nested too deeply';
  }
}

function isShortText(value: unknown): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= 100;
}
