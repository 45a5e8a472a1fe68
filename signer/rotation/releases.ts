/**
 * `releases.json`: the product releases in the field, from when to when, and which keys each of them knows. Rotation
 * compares each step with it (docs/rotation.md).
 */
import { formatDay, parseDate } from '../../formats/dates.ts';
import { hasControlOrBidi } from '../../formats/clean-text.ts';
import { type JsonObjectReader, type JsonValueReader, readObject } from '../../formats/json/index.ts';
import { MAX_COUNT } from '../../formats/license/bounds.ts';
import type { Keyset } from '../../formats/keyset/keyset.ts';
import { isId } from '../../formats/license/id.ts';
import { parseJsonFile, readLimited } from '../../files/index.ts';
import { kidOfKey } from '../keyset/changes.ts';
import { readDigest } from '../keyset/draft.ts';

export const RELEASES_SCHEMA = 'vtlic-releases/1';
const MAX_BYTES = 4 << 20;
const MAX_NAME = 128;

/** What is built into a release: the version of the keyset (the whole chain up to it), or keys without a keyset. */
export type BuiltIn = { readonly keyset: number } | { readonly keys: readonly string[] };

export interface Release {
  /** As people call it; each name once. */
  readonly name: string;
  /** The product (aud). */
  readonly product: string;
  readonly builtIn: BuiltIn;
  /** The kids of `LICENSE_PUBLIC_KEY` and `LICENSE_MLDSA_PUBLIC_KEY`; with it, licenses need one of exactly these. */
  readonly override?: readonly string[];
  /** Its installs take a keyset that is delivered to them (`LICENSE_KEYSET_PATH`, or pasted with the license). */
  readonly takesKeysets: boolean;
  /** Compiled in: no license with only an Ed25519 signature is in force. */
  readonly requireComposite: boolean;
  /** Seconds since 1970: the first install. */
  readonly from: number;
  /** Seconds since 1970, exclusive: when the last install has left the field; absent while that is not known. */
  readonly until?: number;
}

/**
 * Whether an install of a release takes a version that follows another, if roots sign that may. An install that
 * requires composite counts only composite roots (docs/keysets.md, K4).
 *
 * @param signed the kids of the roots that signed; absent: all that may
 */
export function mayFollow(
  { requireComposite }: Pick<Release, 'requireComposite'>,
  before: Keyset | undefined,
  after: Keyset,
  signed?: ReadonlySet<string>,
): boolean {
  return (
    !requireComposite ||
    before === undefined ||
    [before, after].every(({ roots, threshold }) => {
      const counted = roots.filter((root) => root.alg !== 'ed25519' && signed?.has(kidOfKey(root)) !== false);
      return counted.length >= threshold;
    })
  );
}

export function readReleases(file: string): readonly Release[] {
  return parseReleases(readLimited(file, MAX_BYTES, 'json_malformed', 'configuration_invalid'), file);
}

/** @throws VtlicError `configuration_invalid` or `json_malformed` with line and column */
export function parseReleases(bytes: Uint8Array, file: string): readonly Release[] {
  const root = readObject(parseJsonFile(bytes, file, MAX_BYTES), { code: 'configuration_invalid', file });
  const schema = root.required('schema');
  if (schema.string() !== RELEASES_SCHEMA) throw schema.fault(`should be "${RELEASES_SCHEMA}"`);
  root.optionalString('comment');
  const names = new Set<string>();
  const releases = root.array('releases').map((value) => {
    const release = readRelease(value.object());
    if (names.has(release.name)) throw value.fault(`is a second release of the name ${release.name}`);
    names.add(release.name);
    return release;
  });
  root.end();
  return Object.freeze(releases);
}

function readRelease(reader: JsonObjectReader): Release {
  const nameReader = reader.required('name');
  const name = nameReader.string();
  if (name.trim() === '' || name.length > MAX_NAME || hasControlOrBidi(name))
    throw nameReader.fault(`should have 1 to ${MAX_NAME} characters, without control characters`);
  const product = reader.required('product');
  if (!isId(product.string())) throw product.fault('should be an id: the product of its licenses');
  const override = reader.member('override');
  const from = dateOf(reader.required('from'), false);
  const untilReader = reader.member('until');
  const until = untilReader === undefined ? undefined : dateOf(untilReader, true);
  if (untilReader !== undefined && until !== undefined && until <= from)
    throw untilReader.fault(`should be later than from, ${formatDay(from)}`);
  const release: Release = {
    name,
    product: product.string(),
    builtIn: readBuiltIn(reader),
    ...(override === undefined ? {} : { override: readKids(override) }),
    takesKeysets: reader.member('takesKeysets')?.boolean() ?? false,
    requireComposite: reader.member('requireComposite')?.boolean() ?? false,
    from,
    ...(until === undefined ? {} : { until }),
  };
  reader.optionalString('comment');
  reader.end();
  return Object.freeze(release);
}

function readBuiltIn(reader: JsonObjectReader): BuiltIn {
  const keys = reader.member('keys');
  const keyset = reader.optionalInteger('keyset', { min: 1, max: MAX_COUNT });
  if ((keys === undefined) === (keyset === undefined))
    throw reader.fault('should have one of these: "keyset", the version that is built in, or "keys" without a keyset');
  if (keyset !== undefined) return Object.freeze({ keyset });
  return Object.freeze({ keys: keys === undefined ? [] : readKids(keys) });
}

function readKids(value: JsonValueReader): readonly string[] {
  const kids = value.array().map(readDigest);
  if (kids.length === 0) throw value.fault('should name at least one key, by its kid');
  return Object.freeze(kids);
}

/** @param end for a last day, which belongs to the time */
export function dateOf(value: JsonValueReader, end: boolean): number {
  const date = parseDate(value.string(), end);
  if (!date.ok) throw value.fault(`is not a date: ${date.why}`);
  return date.seconds;
}
