/** What a renewal changes: members of a request by their names, from the command line or a file of strict JSON. */
import { VtlicError } from '../../formats/error.ts';
import { utf8 } from '../../formats/bytes.ts';
import { cleanText } from '../../formats/clean-text.ts';
import { type JsonNode, type JsonObject, type JsonObjectReader, readObject } from '../../formats/json/index.ts';
import { parseJsonFile } from '../../files/index.ts';
import { FaultList, keyOfMember, MEMBER_NAMES, type MemberName, readMembers } from '../request/parse.ts';
import type { Request } from '../request/request.ts';

const SCHEMA = 'vtlic-changes/1';
const MAX_BYTES = 1 << 20;

export interface Changes {
  readonly set: Partial<Request>;
  /** Members that the renewal no longer has (`null` in a file, `--unset` on the command line). */
  readonly unset: ReadonlySet<keyof Request>;
  /** Single limits, for those that keep the rest. */
  readonly limits: Readonly<Record<string, number>>;
}

/** Every license has these members, so a change cannot remove them. */
const REQUIRED_MEMBERS: ReadonlySet<MemberName> = new Set(['customer', 'product', 'tier', 'seats', 'from', 'until']);

/**
 * @param file the name for messages
 * @throws VtlicError `request_invalid`, `json_malformed` with line and column
 */
export function parseChanges(bytes: Uint8Array, file: string): Changes {
  const node = parseJsonFile(bytes, file, MAX_BYTES);
  const context = { code: 'request_invalid', file } as const;
  const root = readObject(node, context);
  const schema = root.member('schema');
  if (schema !== undefined && schema.string() !== SCHEMA) throw schema.fault(`should be "${SCHEMA}"`);
  const unset = new Set<keyof Request>();
  for (const name of MEMBER_NAMES) {
    const value = root.member(name);
    if (value?.node.kind !== 'null') continue;
    if (REQUIRED_MEMBERS.has(name)) throw value.fault('cannot be removed: every license has it');
    unset.add(keyOfMember(name));
  }
  return Object.freeze({ set: read(readObject(withoutNulls(root.node), context)), unset, limits: Object.freeze({}) });
}

function withoutNulls(node: JsonObject): JsonNode {
  return { ...node, members: node.members.filter(({ name, value }) => value.kind !== 'null' && name !== 'schema') };
}

function read(root: JsonObjectReader): Partial<Request> {
  const faults = new FaultList();
  const set = readMembers(root, faults);
  faults.take(() => {
    root.end();
  });
  const [first] = faults.all;
  if (first !== undefined) throw first;
  if (set.customer !== undefined)
    throw new VtlicError(
      'request_invalid',
      '"customer" cannot change: a license of another customer is not a renewal',
      {
        ...root.required('customer').fault('').place,
        hint: 'issue it: vtlic issue REQUEST.json',
      },
    );
  return set;
}

/** Values of the command line by the members' names, as the person wrote them. */
export interface ChangeTexts {
  readonly members: Readonly<Partial<Record<MemberName, string | true>>>;
  /** `NAME=VALUE` each. */
  readonly limit: readonly string[];
  readonly unset: readonly string[];
}

const LISTS: ReadonlySet<MemberName> = new Set(['features', 'hosts']);
const WHOLE_NUMBERS: ReadonlySet<MemberName> = new Set(['seats', 'graceDays', 'instances', 'offlineSeconds']);

/** @throws VtlicError `request_invalid` naming the option's member, `usage` for what is not a member. */
export function changesFromTexts(texts: ChangeTexts): Changes {
  const document: string[] = [];
  for (const [name, text] of Object.entries(texts.members) as [MemberName, string | true][])
    document.push(`${JSON.stringify(name)}:${jsonOf(name, text)}`);
  const limits: string[] = [];
  for (const text of texts.limit) {
    const match = /^([^=]+)=(.*)$/s.exec(text);
    if (match === null) throw new VtlicError('usage', '--limit takes NAME=VALUE, such as --limit vaults=80');
    limits.push(`${JSON.stringify(match[1])}:${numberOrText(`limits.${match[1] ?? ''}`, match[2] ?? '')}`);
  }
  const unset = new Set(texts.unset.map(unsetMember));
  try {
    const set = parseChanges(utf8(`{${document.join(',')}}`), '');
    const single =
      limits.length === 0 ? {} : (parseChanges(utf8(`{"limits":{${limits.join(',')}}}`), '').set.limits ?? {});
    return Object.freeze({ set: set.set, unset, limits: single });
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    // The line and column are those of a document that only exists in memory.
    const { field } = error.place;
    throw new VtlicError('request_invalid', error.message, {
      ...(field === undefined ? {} : { field }),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

function jsonOf(name: MemberName, text: string | true): string {
  if (text === true) return 'true';
  if (LISTS.has(name)) return JSON.stringify(splitList(text));
  return WHOLE_NUMBERS.has(name) ? numberOrText(name, text) : JSON.stringify(text);
}

/** `a;b`; nothing at all is the empty list. */
export function splitList(text: string): string[] {
  return text === '' ? [] : text.split(';');
}

/** Digits as they are: JSON knows no leading zeros, and to a person `010` may be another number. */
function numberOrText(field: string, text: string): string {
  if (/^-?0[0-9]+$/.test(text))
    throw new VtlicError(
      'request_invalid',
      `"${cleanText(field, 80)}" should be written without leading zeros, but it is ${cleanText(text, 40)}`,
      { field: cleanText(field, 80) },
    );
  return /^-?[0-9]+$/.test(text) ? text : JSON.stringify(text);
}

function unsetMember(name: string): keyof Request {
  const known = MEMBER_NAMES.find((member) => member === name);
  if (known === undefined)
    throw new VtlicError(
      'usage',
      "--unset takes the name of a request's member, one of: " +
        MEMBER_NAMES.filter((member) => !REQUIRED_MEMBERS.has(member)).join(', '),
    );
  if (REQUIRED_MEMBERS.has(known)) throw new VtlicError('usage', `--unset ${known}: every license needs this member`);
  return keyOfMember(known);
}

/** The later ones win. @throws VtlicError `usage` for a member that is both set and unset */
export function mergeChanges(first: Changes, second: Changes): Changes {
  const unset = new Set([...first.unset, ...second.unset]);
  const set = { ...first.set, ...second.set };
  for (const key of unset)
    if (set[key] !== undefined) throw new VtlicError('usage', `the renewal both sets and removes ${key}`);
  return Object.freeze({ set, unset, limits: second.limits });
}
