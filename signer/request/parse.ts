/**
 * Bytes of a request file → a frozen `Request`; and its members, by the names that a file, a batch's columns and a
 * renewal's changes share. An error names the member, its line and its column.
 */
import { parseJsonFile } from '../../files/index.ts';
import { VtlicError } from '../../formats/error.ts';
import { type JsonObjectReader, type JsonValueReader, readObject } from '../../formats/json/index.ts';
import {
  readExt,
  readFeatures,
  readFrom,
  readGraceSeconds,
  readHosts,
  readId,
  readInstances,
  readLimits,
  readName,
  readOfflineSeconds,
  readReference,
  readResetClock,
  readSeats,
  readUntil,
  readUpdatesUntil,
  readUse,
} from './member-readers.ts';
import type { Request } from './request.ts';

export const REQUEST_SCHEMA = 'vtlic-request/1';
const MAX_REQUEST_BYTES = 1 << 20;

/**
 * @param file the name for messages
 * @throws VtlicError `request_invalid`, or `json_malformed` for text that is not strict JSON
 */
export function parseRequest(bytes: Uint8Array, file: string): Request {
  const root = readObject(parseJsonFile(bytes, file, MAX_REQUEST_BYTES), { code: 'request_invalid', file });
  const schema = root.required('schema');
  if (schema.string() !== REQUEST_SCHEMA) throw schema.fault(`should be "${REQUEST_SCHEMA}"`);
  const request = readRequest(root);
  if ('customer' in request) return request;
  throw request[0] ?? root.fault('is not a request');
}

/** Collects what is wrong, so that a person can correct all of it at once. */
export class FaultList {
  readonly all: VtlicError[] = [];

  /** What `read` gives; undefined where it threw an error, which is kept. */
  take<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof VtlicError)) throw error;
      this.all.push(error);
      return undefined;
    }
  }
}

interface Member<K extends keyof Request> {
  /** What the parsed value is called. */
  readonly key: K;
  readonly read: (value: JsonValueReader) => NonNullable<Request[K]>;
  readonly required: boolean;
  /** What it takes, for a person: on a command line and in a table, where lists are joined by `;`. */
  readonly words: string;
}

function required<K extends keyof Request>(key: K, read: Member<K>['read'], words: string): Member<K> {
  return { key, read, required: true, words };
}

function optional<K extends keyof Request>(key: K, read: Member<K>['read'], words: string): Member<K> {
  return { key, read, required: false, words };
}

export type MemberName =
  | 'customer'
  | 'name'
  | 'product'
  | 'deployment'
  | 'tier'
  | 'seats'
  | 'from'
  | 'until'
  | 'graceDays'
  | 'features'
  | 'limits'
  | 'reference'
  | 'instances'
  | 'hosts'
  | 'offlineSeconds'
  | 'updatesUntil'
  | 'use'
  | 'resetClock'
  | 'ext';

const MEMBERS: { readonly [N in MemberName]: Member<keyof Request> } = {
  customer: required('customer', readId, 'the id of the customer'),
  name: optional('name', readName, "the customer's name, as people write it"),
  product: required('product', readId, 'the id of a product of the catalog'),
  deployment: optional('deployment', readId, 'the id of an installation, where a customer has several'),
  tier: required('tier', readId, 'the id of a tier of the product'),
  seats: required('seats', readSeats, 'a whole number, or unlimited'),
  from: required('from', readFrom, 'the first day (UTC), such as 2026-11-25, or an exact time'),
  until: required('until', readUntil, 'the last day (UTC), an exact time, or perpetual'),
  graceDays: optional('graceSeconds', readGraceSeconds, 'days of grace after the end'),
  features: optional('features', readFeatures, 'features of the tier, joined by ;'),
  limits: optional('limits', readLimits, 'the limits of the tier, a whole number each'),
  reference: optional('reference', readReference, 'the order, as people write it'),
  instances: optional('instances', readInstances, 'how many hosts may run it at once'),
  hosts: optional('hosts', readHosts, 'host fingerprints of 64 hex digits, joined by ;'),
  offlineSeconds: optional(
    'offlineSeconds',
    readOfflineSeconds,
    'for how many seconds the product may run without contact',
  ),
  updatesUntil: optional(
    'updatesUntil',
    readUpdatesUntil,
    'updates: the license covers builds dated up to this day (UTC)',
  ),
  use: optional('use', readUse, 'non-production, trial or emergency'),
  resetClock: optional(
    'resetClock',
    readResetClock,
    'accept an earlier clock once, for a customer whose clock was wrong',
  ),
  ext: optional('ext', readExt, 'further values, for a profile of the product'),
};

export const MEMBER_NAMES: readonly MemberName[] = Object.freeze(Object.keys(MEMBERS) as MemberName[]);

/** What a member takes, for a person. */
export function wordsOfMember(name: MemberName): string {
  return MEMBERS[name].words;
}

/** Whether every request has the member. */
export function isRequired(name: MemberName): boolean {
  return MEMBERS[name].required;
}

/** What the parsed value of a member is called in a `Request`. */
export function keyOfMember(name: MemberName): keyof Request {
  return MEMBERS[name].key;
}

const NONE: Readonly<Record<string, number>> = Object.freeze(Object.create(null) as Record<string, number>);

/**
 * Reads every member that is present, and adds each fault to the list. The caller's `root.end()` finds members that no
 * request has.
 */
export function readMembers(root: JsonObjectReader, faults: FaultList): Partial<Request> {
  const out: Partial<Record<keyof Request, unknown>> = {};
  for (const name of MEMBER_NAMES) {
    const member = MEMBERS[name];
    const value = root.member(name);
    const parsed = value === undefined ? undefined : faults.take(() => member.read(value));
    if (parsed !== undefined) out[member.key] = parsed;
  }
  // Each reader gives the type of its own key: the table's rows are checked, their union is not.
  return out as Partial<Request>;
}

/**
 * A whole request, or everything that is wrong with it in the order of the members. `schema` is for the caller to read
 * before.
 */
export function readRequest(root: JsonObjectReader): Request | readonly VtlicError[] {
  const faults = new FaultList();
  const members = readMembers(root, faults);
  // A name that was mistyped, before the one that is missing for it.
  faults.take(() => {
    root.end();
  });
  for (const name of MEMBER_NAMES) if (MEMBERS[name].required) faults.take(() => root.required(name));
  if (faults.all.length > 0) return faults.all;
  return Object.freeze({ features: Object.freeze([]), limits: NONE, ...members }) as Request;
}
