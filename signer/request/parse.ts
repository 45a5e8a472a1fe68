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
 * @throws VtlicError `request_invalid`, or `json_malformed` for text that is no strict JSON
 */
export function parseRequest(bytes: Uint8Array, file: string): Request {
  const root = readObject(parseJsonFile(bytes, file, MAX_REQUEST_BYTES), { code: 'request_invalid', file });
  const schema = root.required('schema');
  if (schema.string() !== REQUEST_SCHEMA) throw schema.fault(`should be "${REQUEST_SCHEMA}"`);
  const request = readRequest(root);
  if ('customer' in request) return request;
  throw request[0] ?? root.fault('is no request');
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
}

function required<K extends keyof Request>(key: K, read: Member<K>['read']): Member<K> {
  return { key, read, required: true };
}

function optional<K extends keyof Request>(key: K, read: Member<K>['read']): Member<K> {
  return { key, read, required: false };
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
  customer: required('customer', readId),
  name: optional('name', readName),
  product: required('product', readId),
  deployment: optional('deployment', readId),
  tier: required('tier', readId),
  seats: required('seats', readSeats),
  from: required('from', readFrom),
  until: required('until', readUntil),
  graceDays: optional('graceSeconds', readGraceSeconds),
  features: optional('features', readFeatures),
  limits: optional('limits', readLimits),
  reference: optional('reference', readReference),
  instances: optional('instances', readInstances),
  hosts: optional('hosts', readHosts),
  offlineSeconds: optional('offlineSeconds', readOfflineSeconds),
  updatesUntil: optional('updatesUntil', readUpdatesUntil),
  use: optional('use', readUse),
  resetClock: optional('resetClock', readResetClock),
  ext: optional('ext', readExt),
};

export const MEMBER_NAMES: readonly MemberName[] = Object.freeze(Object.keys(MEMBERS) as MemberName[]);

/** What the parsed value of a member is called in a `Request`. */
export function keyOfMember(name: MemberName): keyof Request {
  return MEMBERS[name].key;
}

const NONE: Readonly<Record<string, number>> = Object.freeze(Object.create(null) as Record<string, number>);

/**
 * Every member that is there; each fault goes to the list. Members that no request has are for the caller's
 * `root.end()`.
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
