/** One value of a request, read from strict JSON: what each member may be, and the words for what it may not. */
import {
  DAY_SECONDS,
  LICENSE_USES,
  MAX_COUNT,
  MAX_EXT_KEYS,
  MAX_FEATURES,
  MAX_GRACE_SECONDS,
  MAX_HOSTS,
  MAX_LIMITS,
  MAX_NAME_CODE_POINTS,
  MAX_OFFLINE_SECONDS,
  MAX_REF_CODE_POINTS,
  MAX_TIME,
  PERPETUAL_EXP,
} from '../../formats/license/bounds.ts';
import { hasControlOrBidi } from '../../formats/clean-text.ts';
import type { JsonValueReader } from '../../formats/json/index.ts';
import { isId } from '../../formats/license/id.ts';
import type { ExtMap, ExtValue, LicenseUse } from '../../formats/license/license.ts';
import { parseDate, PERPETUAL } from '../../formats/dates.ts';
import { hasInvisible } from './invisible-text.ts';

const ID_IN_WORDS = 'should be an id (a letter or digit, then up to 127 letters, digits or . _ : -)';

export function readId(value: JsonValueReader): string {
  const text = value.string();
  if (!isId(text)) throw value.fault(ID_IN_WORDS);
  return text;
}

/** Text for people: NFC, no control, invisible or bidi characters, so that what is shown is what is there. */
function shownText(value: JsonValueReader, most: number): string {
  const text = value.string();
  const length = Array.from(text).length;
  if (length > most) throw value.fault(`should have at most ${most} characters, but it has ${length}`);
  if (hasControlOrBidi(text) || hasInvisible(text))
    throw value.fault('should contain no control, invisible or direction-changing characters');
  if (text.normalize('NFC') !== text)
    throw value.fault(
      'should be in Unicode normalization form C (NFC)',
      'type the accented letters as single characters',
    );
  return text;
}

export function readName(value: JsonValueReader): string {
  return shownText(value, MAX_NAME_CODE_POINTS);
}

export function readReference(value: JsonValueReader): string {
  return shownText(value, MAX_REF_CODE_POINTS);
}

export function readSeats(value: JsonValueReader): number | 'unlimited' {
  if (value.node.kind === 'string' && value.node.value === 'unlimited') return 'unlimited';
  if (value.node.kind === 'string' && !/^-?\d+$/.test(value.node.value))
    throw value.fault('should be a whole number, or the text "unlimited"');
  return value.integer({ min: 0, max: MAX_COUNT });
}

function date(value: JsonValueReader, end: boolean, hint?: string): number {
  const parsed = parseDate(value.string(), end);
  if (!parsed.ok) throw value.fault(`is not a date: ${parsed.why}`, hint);
  if (parsed.seconds < 0 || parsed.seconds > MAX_TIME)
    // The end of 9999-12-31 is a time that no claim can contain.
    throw value.fault(`should be between 1970-01-01 and ${end ? '9999-12-30' : '9999-12-31'}`, hint);
  return parsed.seconds;
}

export function readFrom(value: JsonValueReader): number {
  return date(value, false);
}

/** Inclusive in the request: a day means its last moment. */
export function readUntil(value: JsonValueReader): number {
  if (value.string() === PERPETUAL) return PERPETUAL_EXP;
  return date(value, true, `write "${PERPETUAL}" for a license without an end`);
}

/** Inclusive in the request: a build that is dated on that day is covered. */
export function readUpdatesUntil(value: JsonValueReader): number {
  const end = date(value, true, 'leave it out for a license that covers every build');
  if (end === 0) throw value.fault('should be later than 1970-01-01T00:00:00Z: it would cover no build');
  return end;
}

export function readUse(value: JsonValueReader): LicenseUse {
  const text = value.string();
  const known = LICENSE_USES.find((use) => use === text);
  if (known === undefined)
    throw value.fault(
      `should be one of ${LICENSE_USES.join(', ')}`,
      text === 'production' ? 'leave it out for production' : undefined,
    );
  return known;
}

export function readGraceSeconds(value: JsonValueReader): number {
  return value.integer({ min: 0, max: MAX_GRACE_SECONDS / DAY_SECONDS }) * DAY_SECONDS;
}

export function readOfflineSeconds(value: JsonValueReader): number {
  return value.integer({ min: 0, max: MAX_OFFLINE_SECONDS });
}

export function readInstances(value: JsonValueReader): number {
  return value.integer({ min: 1, max: MAX_COUNT });
}

export function readFeatures(value: JsonValueReader): readonly string[] {
  const items = value.array();
  if (items.length > MAX_FEATURES)
    throw value.fault(`should have at most ${MAX_FEATURES} items, but it has ${items.length}`);
  const seen = new Set<string>();
  for (const item of items) {
    const text = readId(item);
    if (seen.has(text)) throw item.fault(`names ${text} a second time`);
    seen.add(text);
  }
  return Object.freeze([...seen].sort());
}

export function readLimits(value: JsonValueReader): Readonly<Record<string, number>> {
  const out = Object.create(null) as Record<string, number>;
  const entries = value.object().entries();
  if (entries.length > MAX_LIMITS)
    throw value.fault(`should have at most ${MAX_LIMITS} members, but it has ${entries.length}`);
  for (const [name, item] of entries) {
    if (!isId(name)) throw item.fault('has a name that is not an id');
    out[name] = item.integer({ min: 0, max: MAX_COUNT });
  }
  return Object.freeze(out);
}

export function readHosts(value: JsonValueReader): readonly string[] {
  const items = value.array();
  if (items.length === 0 || items.length > MAX_HOSTS)
    throw value.fault(`should have 1 to ${MAX_HOSTS} items, but it has ${items.length}`);
  const seen = new Set<string>();
  for (const item of items) {
    const text = item.string().toLowerCase();
    if (!/^[0-9a-f]{64}$/.test(text)) throw item.fault('should be a host fingerprint: 64 hex digits');
    if (seen.has(text)) throw item.fault('names a host a second time');
    seen.add(text);
  }
  return Object.freeze([...seen].sort());
}

export function readResetClock(value: JsonValueReader): true {
  if (!value.boolean()) throw value.fault('should be true, or left out');
  return true;
}

/** Profile values in JSON: no byte strings, since JSON has none. */
export function readExt(value: JsonValueReader): ExtMap {
  const map = extMap(value);
  const count = Object.keys(map).length;
  if (count === 0 || count > MAX_EXT_KEYS)
    throw value.fault(`should have 1 to ${MAX_EXT_KEYS} members, but it has ${count}`);
  return map;
}

function extMap(value: JsonValueReader): ExtMap {
  const out = Object.create(null) as Record<string, ExtValue>;
  for (const [name, item] of value.object().entries()) {
    if (!isId(name)) throw item.fault('has a name that is not an id');
    out[name] = extValue(item);
  }
  return Object.freeze(out);
}

function extValue(value: JsonValueReader): ExtValue {
  switch (value.node.kind) {
    case 'string':
      return value.string();
    case 'boolean':
      return value.boolean();
    case 'number':
      return value.integer();
    case 'array':
      return Object.freeze(value.array().map(extValue));
    case 'object':
      return extMap(value);
    default:
      throw value.fault('should be a text, a whole number, true, false, a list or an object');
  }
}
