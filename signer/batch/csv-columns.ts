/** The header of a CSV batch: columns by the names of a request's members, limits as `limits.vaults`. */
import { cleanText } from '../../formats/clean-text.ts';
import type { CsvPlace, CsvRecord } from '../../formats/csv.ts';
import { VtlicError } from '../../formats/error.ts';
import { type JsonMember, type JsonNode, type JsonObject, nearestName } from '../../formats/json/index.ts';
import { isId } from '../../formats/license/id.ts';
import { splitList } from '../renew/changes.ts';
import { MEMBER_NAMES, type MemberName } from '../request/parse.ts';

const REQUIRED: readonly MemberName[] = ['customer', 'product', 'tier', 'seats', 'from', 'until'];
const LISTS: ReadonlySet<string> = new Set<MemberName>(['features', 'hosts']);
const NUMBERS: ReadonlySet<string> = new Set<MemberName>(['seats', 'graceDays', 'instances', 'offlineSeconds']);
const GROUPS = ['limits', 'ext'] as const;

export interface Column {
  /** As the header says: `seats`, `limits.vaults`. */
  readonly name: string;
  /** The member of the request, and within `limits` or `ext` the member of that. */
  readonly member: string;
  readonly inner?: string;
}

/** @returns the columns, or everything that is wrong with the header. */
export function readHeader(header: CsvRecord, file: string): readonly Column[] | readonly VtlicError[] {
  const faults: VtlicError[] = [];
  const columns: Column[] = [];
  const seen = new Map<string, CsvPlace>();
  header.fields.forEach((name, i) => {
    const place = header.placeOf(i);
    const refuse = (sentence: string, hint?: string): void => {
      faults.push(
        new VtlicError('request_invalid', sentence, { file, ...place, ...(hint === undefined ? {} : { hint }) }),
      );
    };
    const first = seen.get(name);
    if (first !== undefined) {
      refuse(`the column "${cleanText(name)}" stands in the header twice: first at column ${first.column}`);
      return;
    }
    seen.set(name, place);
    const column = columnOf(name);
    if (typeof column === 'string')
      refuse(`the column "${cleanText(name)}" ${column}`, hintFor(name, header.fields.length));
    else columns.push(column);
  });
  for (const name of REQUIRED)
    if (!seen.has(name))
      faults.push(
        new VtlicError('request_invalid', `the header has no column "${name}", which every request needs`, {
          file,
          line: header.line,
          column: 1,
        }),
      );
  return faults.length > 0 ? faults : columns;
}

function columnOf(name: string): Column | string {
  const dot = name.indexOf('.');
  const member = dot < 0 ? name : name.slice(0, dot);
  if (GROUPS.some((group) => group === member)) {
    const inner = dot < 0 ? '' : name.slice(dot + 1);
    return isId(inner) ? { name, member, inner } : `should name one of the ${member}, as ${member}.vaults does`;
  }
  return MEMBER_NAMES.some((known) => known === name) ? { name, member: name } : 'is not known';
}

function hintFor(name: string, columns: number): string {
  if (columns === 1 && name.includes(';')) return 'columns are separated by commas, not by semicolons';
  const nearest = nearestName(name, MEMBER_NAMES);
  return nearest === undefined
    ? `known are: ${MEMBER_NAMES.filter((known) => !GROUPS.some((group) => group === known)).join(', ')}, ` +
        'limits.NAME, ext.NAME'
    : `did you mean "${nearest}"?`;
}

/**
 * A row as the JSON object that a request file would contain, each value at its own place. An empty cell is a member
 * that is not there.
 */
export function rowAsJson(record: CsvRecord, columns: readonly Column[]): JsonObject {
  const members: JsonMember[] = [];
  const groups = new Map<string, JsonMember[]>();
  columns.forEach((column, i) => {
    const text = record.fields[i] ?? '';
    if (text === '') return;
    const place = record.placeOf(i);
    const value = cellAsJson(column, text, place);
    if (column.inner === undefined)
      members.push({ name: column.member, nameLine: place.line, nameColumn: place.column, value });
    else {
      const group = groups.get(column.member) ?? [];
      group.push({ name: column.inner, nameLine: place.line, nameColumn: place.column, value });
      groups.set(column.member, group);
    }
  });
  for (const [name, inner] of groups) {
    const { nameLine: line, nameColumn: column } = inner[0] ?? { nameLine: record.line, nameColumn: 1 };
    members.push({ name, nameLine: line, nameColumn: column, value: { kind: 'object', members: inner, line, column } });
  }
  return { kind: 'object', members, line: record.line, column: 1 };
}

function cellAsJson(column: Column, text: string, place: CsvPlace): JsonNode {
  if (LISTS.has(column.member))
    return { kind: 'array', items: splitList(text).map((value) => ({ kind: 'string', value, ...place })), ...place };
  // What is no plain number stays a text: the reader of the member then says what it should be.
  if (
    (NUMBERS.has(column.member) || column.member === 'limits') &&
    /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(text)
  )
    return { kind: 'number', text, ...place };
  if (column.member === 'resetClock' && (text === 'true' || text === 'false'))
    return { kind: 'boolean', value: text === 'true', ...place };
  return { kind: 'string', value: text, ...place };
}
