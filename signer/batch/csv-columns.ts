/** The header of a CSV batch: columns by the names of a request's members, limits as `limits.vaults`. */
import { cleanText, groupDigits } from '../../formats/clean-text.ts';
import {
  DELIMITER_NAMES,
  withoutApostrophe,
  type CsvDelimiter,
  type CsvPlace,
  type CsvRecord,
} from '../../formats/csv.ts';
import { formatDay, formatEnd } from '../../formats/dates.ts';
import { VtlicError } from '../../formats/error.ts';
import { type JsonMember, type JsonNode, type JsonObject, nearestName } from '../../formats/json/index.ts';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import { isId } from '../../formats/license/id.ts';
import { splitList } from '../renew/changes.ts';
import { isRequired, keyOfMember, MEMBER_NAMES, wordsOfMember, type MemberName } from '../request/parse.ts';
import type { Request } from '../request/request.ts';
import type { Catalog } from '../site/catalog.ts';

const REQUIRED: readonly MemberName[] = MEMBER_NAMES.filter(isRequired);
const LISTS: ReadonlySet<string> = new Set<MemberName>(['features', 'hosts']);
const DAYS: ReadonlySet<string> = new Set<MemberName>(['from', 'until', 'updatesUntil']);
const NUMBERS: ReadonlySet<string> = new Set<MemberName>(['seats', 'graceDays', 'instances', 'offlineSeconds']);
const GROUPS = ['limits', 'ext'] as const;
/** Many more than requests have members. To find the places of names takes a time that grows with their square. */
const MAX_COLUMNS = 1000;

export interface Column {
  /** As the header says: `seats`, `limits.vaults`. */
  readonly name: string;
  /** The member of the request, and within `limits` or `ext` the member of that. */
  readonly member: string;
  readonly inner?: string;
}

/**
 * Empty cells behind the last name are no columns: a spreadsheet writes them for what is to the right of the table.
 *
 * @returns the columns, or everything that is wrong with the header: causes, without what only follows from them
 */
export function readHeader(
  header: CsvRecord,
  file: string,
  delimiter: CsvDelimiter,
): readonly Column[] | readonly VtlicError[] {
  const fault = (place: CsvPlace, sentence: string, hint?: string): VtlicError =>
    new VtlicError('request_invalid', sentence, {
      file,
      line: place.line,
      column: place.column,
      ...(hint === undefined ? {} : { hint }),
    });
  const names = header.fields.slice(0, header.fields.findLastIndex((name) => name !== '') + 1);
  if (names.length > MAX_COLUMNS)
    return [
      fault(
        header.placeOf(0),
        `the header has ${groupDigits(names.length)} columns, but at most ${groupDigits(MAX_COLUMNS)} are read`,
        'see: vtlic batch --template',
      ),
    ];
  const [only = ''] = names;
  const separators = new Set(only.match(/[^\w.:-]/gu));
  if (names.length === 1 && separators.size > 0)
    return [
      fault(
        header.placeOf(0),
        `the header is one column, "${cleanText(only)}": no ${DELIMITER_NAMES[delimiter]} separates its names`,
        'columns are separated by commas, semicolons or tabs; see: vtlic batch --template',
      ),
    ];
  const faults: VtlicError[] = [];
  const columns: Column[] = [];
  const seen = new Map<string, CsvPlace>();
  /** Columns that misspelled names most likely mean; they are not also reported as missing. */
  const meant = new Set<string>();
  names.forEach((name, i) => {
    const place = header.placeOf(i);
    const first = seen.get(name);
    if (first !== undefined) {
      faults.push(
        fault(place, `the column "${cleanText(name)}" is in the header twice: first at column ${first.column}`),
      );
      return;
    }
    seen.set(name, place);
    const column = columnOf(name);
    if (typeof column !== 'string') {
      columns.push(column);
      return;
    }
    const nearest = nearestName(name.trim(), MEMBER_NAMES);
    if (nearest !== undefined) meant.add(nearest);
    faults.push(fault(place, `the column "${cleanText(name)}" ${column}`, hintFor(nearest)));
  });
  const missing = REQUIRED.filter((name) => !seen.has(name) && !meant.has(name));
  if (missing.length === REQUIRED.length && columns.length === 0)
    return [
      fault(
        header.placeOf(0),
        `the first line names no column of a request: it should be a header, but it begins with "${cleanText(only)}"`,
        'see: vtlic batch --template',
      ),
    ];
  for (const name of missing)
    faults.push(
      fault(
        { line: header.line, column: 1 },
        `the header has no column "${name}", which every request needs`,
        'see: vtlic batch --template',
      ),
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

function hintFor(nearest: string | undefined): string {
  return nearest === undefined
    ? `known are: ${MEMBER_NAMES.filter((known) => !GROUPS.some((group) => group === known)).join(', ')}, ` +
        'limits.NAME, ext.NAME'
    : `did you mean "${nearest}"?`;
}

/**
 * A row as the JSON object that a request file would contain, each value at its own place. An empty cell is a member
 * that is not there.
 */
export function rowAsJson(record: CsvRecord, columns: readonly Column[], dates: DateOrder | undefined): JsonObject {
  const members: JsonMember[] = [];
  const groups = new Map<string, JsonMember[]>();
  columns.forEach((column, i) => {
    const text = withoutApostrophe(record.fields[i] ?? '');
    if (text === '') return;
    const place = record.placeOf(i);
    const value = cellAsJson(column, text, place, dates);
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

/** How a spreadsheet writes days, by the language of its machine: day, month, year; month, day, year; year first. */
export const DATE_ORDERS = ['dmy', 'mdy', 'ymd'] as const;
export type DateOrder = (typeof DATE_ORDERS)[number];

/**
 * The columns of a table with these requests: the usual members, and of the others those that a request has.
 *
 * `rowOf` writes a request into them; `rowAsJson` reads it back.
 */
export function columnsFor(requests: Iterable<Request>): readonly string[] {
  const used = new Set<string>();
  for (const request of requests)
    for (const name of MEMBER_NAMES) for (const column of columnsOf(name, request[keyOfMember(name)])) used.add(column);
  return MEMBER_NAMES.flatMap((name) =>
    GROUPS.some((group) => group === name)
      ? [...used].filter((column) => column.startsWith(`${name}.`)).sort()
      : used.has(name) || !SELDOM.has(name)
        ? [name]
        : [],
  );
}

function columnsOf(name: MemberName, value: Request[keyof Request]): readonly string[] {
  if (value === undefined) return [];
  return GROUPS.some((group) => group === name) ? Object.keys(value).map((inner) => `${name}.${inner}`) : [name];
}

/** @returns a member that no cell of a table can contain, such as an `ext` value that is not text, or undefined */
export function notInTable({ ext = {}, graceSeconds = 0 }: Request): string | undefined {
  if (graceSeconds % DAY_SECONDS !== 0) return 'graceDays';
  // An empty cell is a member that is not there.
  const name = Object.keys(ext).find((key) => typeof ext[key] !== 'string' || ext[key] === '');
  return name === undefined ? undefined : `ext.${name}`;
}

/** The cells of a request under `columns`, which `columnsFor` gave. */
export function rowOf(request: Request, columns: readonly string[]): readonly string[] {
  return columns.map((column) => {
    const dot = column.indexOf('.');
    if (dot > 0) {
      const group = column.startsWith('limits.') ? request.limits : (request.ext ?? {});
      const value = group[column.slice(dot + 1)];
      return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    }
    switch (column as MemberName) {
      case 'from':
        return formatDay(request.from);
      case 'until':
        return formatEnd(request.until);
      case 'updatesUntil':
        return request.updatesUntil === undefined ? '' : formatEnd(request.updatesUntil);
      case 'graceDays':
        return request.graceSeconds === undefined ? '' : String(request.graceSeconds / DAY_SECONDS);
      default: {
        const value = request[keyOfMember(column as MemberName)];
        if (Array.isArray(value)) return value.join(';');
        return value === undefined || typeof value === 'object' ? '' : String(value);
      }
    }
  });
}

/** Members that few orders have: a template leaves them out, and a table may have them. */
const SELDOM: ReadonlySet<MemberName> = new Set([
  'limits',
  'instances',
  'hosts',
  'offlineSeconds',
  'resetClock',
  'ext',
]);

/** The columns of an empty table, with what goes into each: the usual members, and the limits of the catalog. */
export function templateColumns(
  catalog: Catalog | undefined,
): readonly { readonly name: string; readonly words: string }[] {
  const limits = new Set(
    [...(catalog?.products.values() ?? [])].flatMap(({ tiers }) =>
      [...tiers.values()].flatMap((tier) => [...tier.limits.keys()]),
    ),
  );
  return [
    ...MEMBER_NAMES.filter((name) => !SELDOM.has(name)).map((name) => ({
      name,
      words: `${wordsOfMember(name)}${isRequired(name) ? ' (required)' : ''}`,
    })),
    ...[...limits].map((name) => ({ name: `limits.${name}`, words: 'a whole number' })),
  ];
}

const OTHER_DAY = /^(\d{1,4})([./-]) ?(\d{1,2})\2 ?(\d{1,4})$/;

/** True for a cell with a day as a spreadsheet of some language writes it, in a column of days. */
export function isOtherDay(field: string, cell: string): boolean {
  return DAYS.has(field) && OTHER_DAY.test(cell);
}

/** `25.11.2027` → `2027-11-25`; what is no such day stays as it is, for the reader of the member to refuse. */
function dayOf(text: string, order: DateOrder): string {
  const parts = OTHER_DAY.exec(text);
  const at = (letter: string): string => parts?.[[1, 3, 4][order.indexOf(letter)] ?? 0] ?? '';
  const [year, month, day] = [at('y'), at('m'), at('d')];
  return /^\d{4}$/.test(year) && month.length <= 2 && day.length <= 2
    ? `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
    : text;
}

function cellAsJson(column: Column, text: string, place: CsvPlace, dates: DateOrder | undefined): JsonNode {
  if (DAYS.has(column.member) && dates !== undefined) return { kind: 'string', value: dayOf(text, dates), ...place };
  if (LISTS.has(column.member))
    return { kind: 'array', items: splitList(text).map((value) => ({ kind: 'string', value, ...place })), ...place };
  // What is not a plain number stays a text: the reader of the member then says what it should be.
  if (
    (NUMBERS.has(column.member) || column.member === 'limits') &&
    /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(text)
  )
    return { kind: 'number', text, ...place };
  // A spreadsheet writes TRUE and FALSE.
  if (column.member === 'resetClock' && /^(?:true|false)$/i.test(text))
    return { kind: 'boolean', value: text.toLowerCase() === 'true', ...place };
  return { kind: 'string', value: text, ...place };
}
