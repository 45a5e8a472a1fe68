/**
 * A draft: the exact payload of the next version of the keyset, before root keys sign it. People carry it as a file
 * (strict JSON, `vtlic-keyset-draft/1`) to each root key, and each signer reviews what its payload says.
 */
import { decodeBase64, encodeBase64 } from '../../formats/base64.ts';
import { utf8 } from '../../formats/bytes.ts';
import { groupDigits, hasControlOrBidi } from '../../formats/clean-text.ts';
import { formatInstant } from '../../formats/dates.ts';
import { VtlicError } from '../../formats/error.ts';
import { type JsonObjectReader, type JsonValueReader, readObject } from '../../formats/json/index.ts';
import { decodeKeyset } from '../../formats/keyset/decode-keyset.ts';
import { encodeKeyset } from '../../formats/keyset/encode-keyset.ts';
import { MAX_KEYSET_BYTES, type Keyset } from '../../formats/keyset/keyset.ts';
import { DAY_SECONDS, MAX_COUNT } from '../../formats/license/bounds.ts';
import { parseJsonFile, readLimited, sha256Hex } from '../../files/index.ts';

const SCHEMA = 'vtlic-keyset-draft/1';
/** Base64 of the largest payload, and room for the reasons. */
const MAX_BYTES = 2 * MAX_KEYSET_BYTES;
const MAX_REASON = 500;
const MAX_EARLY = 256;
const MAX_RELEASES = 1024;
const MAX_RELEASE_NAME = 128;
/** Root keys are in different places: the signatures of a ceremony take days. */
const MAX_DRAFT_AGE_SECONDS: number = 30 * DAY_SECONDS;

/** What a new version does to a key, or to the policy. */
export const KEYSET_STEPS = ['pre-publish', 'activate', 'retire', 'revoke', 'policy'] as const;
export type KeysetStep = (typeof KEYSET_STEPS)[number];

/** A step that comes before every product in the field is ready for it, and why it is done nevertheless. */
export interface EarlyStep {
  readonly step: KeysetStep;
  /** Of every step but that of the policy. */
  readonly kid?: string;
  /** The releases that are not ready. */
  readonly releases: readonly string[];
  /** How many customers of the ledger it may leave without a license. */
  readonly customers?: number;
  readonly reason: string;
}

/** A version of the keyset by its number and its payload. */
export interface KeysetVersion {
  readonly version: number;
  /** SHA-256 of the payload, 64 lower-case hex digits. */
  readonly payloadDigest: string;
}

export interface Draft extends KeysetVersion {
  readonly keyset: Keyset;
  /** Exactly what root keys sign. */
  readonly payload: Uint8Array;
  /** The version that it follows; absent for the first. */
  readonly base?: KeysetVersion;
  readonly early: readonly EarlyStep[];
  /** Why it is an emergency: products that take keysets from a file get this one together with their licenses. */
  readonly emergency?: string;
}

/** What a draft says besides its payload. */
export type DraftContext = Pick<Draft, 'base' | 'early' | 'emergency'>;

/** @throws VtlicError `claims_malformed` for a keyset that no verifier would read */
export function makeDraft(keyset: Keyset, context: DraftContext): Draft {
  return draftOf(encodeKeyset(keyset), context);
}

function draftOf(payload: Uint8Array, { base, early, emergency }: DraftContext): Draft {
  const keyset = decodeKeyset(payload);
  return Object.freeze({
    keyset,
    version: keyset.version,
    payload,
    payloadDigest: sha256Hex(payload),
    ...(base === undefined ? {} : { base: Object.freeze({ ...base }) }),
    early: Object.freeze(early.map((step) => Object.freeze({ ...step, releases: Object.freeze([...step.releases]) }))),
    ...(emergency === undefined ? {} : { emergency }),
  });
}

export function encodeDraft({ payload, base, early, emergency }: Draft): Uint8Array {
  return utf8(
    `${JSON.stringify(
      {
        schema: SCHEMA,
        ...(base === undefined ? {} : { base: { version: base.version, payloadSha256: base.payloadDigest } }),
        payload: encodeBase64(payload),
        ...(early.length === 0 ? {} : { early }),
        ...(emergency === undefined ? {} : { emergency }),
      },
      null,
      2,
    )}\n`,
  );
}

/** @throws VtlicError `request_invalid` or `json_malformed` with line and column, `file_unreadable` */
export function readDraft(file: string): Draft {
  return parseDraft(readLimited(file, MAX_BYTES, 'json_malformed'), file);
}

export function parseDraft(bytes: Uint8Array, file: string): Draft {
  const root = readObject(parseJsonFile(bytes, file, MAX_BYTES), { code: 'request_invalid', file });
  const schema = root.required('schema');
  if (schema.string() !== SCHEMA)
    throw schema.fault(`should be "${SCHEMA}": this is not a draft of a keyset`, 'Make one: vtlic keyset draft.');
  const baseReader = root.optionalObject('base');
  const base = baseReader === undefined ? undefined : readBase(baseReader);
  const payloadReader = root.required('payload');
  const payload = decodeBase64(payloadReader.string());
  if (payload === undefined) throw payloadReader.fault('should be canonical base64');
  const early = (root.optionalArray('early') ?? []).map((value) => readEarly(value.object()));
  if (early.length > MAX_EARLY) throw root.fault(`should have at most ${MAX_EARLY} early steps`);
  const emergency = root.member('emergency');
  root.end();
  try {
    return draftOf(payload, {
      ...(base === undefined ? {} : { base }),
      early,
      ...(emergency === undefined ? {} : { emergency: readReason(emergency) }),
    });
  } catch (error) {
    if (error instanceof VtlicError && (error.code === 'claims_malformed' || error.code === 'claims_unknown'))
      throw payloadReader.fault(`is not the payload of a keyset: ${error.message}`);
    throw error;
  }
}

function readBase(reader: JsonObjectReader): KeysetVersion {
  const version = reader.integer('version', { min: 1, max: MAX_COUNT });
  const base = { version, payloadDigest: readDigest(reader.required('payloadSha256')) };
  reader.end();
  return base;
}

export function readDigest(value: JsonValueReader): string {
  const digest = value.string();
  if (!/^[0-9a-f]{64}$/.test(digest)) throw value.fault('should be 64 lower-case hex digits');
  return digest;
}

/** A sentence of a person, which stays on record. */
export function readReason(value: JsonValueReader): string {
  const text = value.string();
  const fault = reasonFault(text);
  if (fault !== undefined) throw value.fault(fault);
  return text;
}

export function reasonFault(text: string): string | undefined {
  if (text.trim() === '' || text.length > MAX_REASON)
    return `should be a reason of 1 to ${MAX_REASON} characters, not only blanks`;
  return hasControlOrBidi(text) ? 'should have no control or direction characters' : undefined;
}

function readEarly(reader: JsonObjectReader): EarlyStep {
  const stepReader = reader.required('step');
  const text = stepReader.string();
  const step = KEYSET_STEPS.find((known) => known === text);
  if (step === undefined) throw stepReader.fault(`should be one of: ${KEYSET_STEPS.join(', ')}`);
  const kid = reader.member('kid');
  if ((kid === undefined) !== (step === 'policy'))
    throw reader.fault('should name the key (kid) of every step but "policy"');
  const releases = reader.array('releases').map((value) => {
    const name = value.string();
    if (name === '' || name.length > MAX_RELEASE_NAME || hasControlOrBidi(name))
      throw value.fault(`should be the name of a release, 1 to ${MAX_RELEASE_NAME} characters`);
    return name;
  });
  if (releases.length > MAX_RELEASES) throw reader.fault(`should name at most ${MAX_RELEASES} releases`);
  const customers = reader.optionalInteger('customers', { min: 1, max: MAX_COUNT });
  const early: EarlyStep = {
    step,
    ...(kid === undefined ? {} : { kid: readDigest(kid) }),
    releases,
    ...(customers === undefined ? {} : { customers }),
    reason: readReason(reader.required('reason')),
  };
  reader.end();
  return early;
}

export function countedCustomers(count: number): string {
  return count === 1 ? '1 customer' : `${count === 0 ? 'no' : groupDigits(count)} customer${count === 0 ? '' : 's'}`;
}

/** @throws VtlicError `plan_stale` for a draft that expired, or is from the future */
export function requireFreshDraft({ keyset: { made } }: Draft, now: number): void {
  if (now - made > MAX_DRAFT_AGE_SECONDS)
    throw new VtlicError(
      'plan_stale',
      `the draft was made at ${formatInstant(made)}: it and the signatures on it expired after 30 days`,
      { hint: 'draft it anew, with the next number: vtlic keyset draft --version N' },
    );
  if (made > now)
    throw new VtlicError(
      'plan_stale',
      `the draft was made at ${formatInstant(made)}, later than this machine's clock reads (${formatInstant(now)})`,
      { hint: 'check the clock' },
    );
}
