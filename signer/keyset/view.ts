/** Keysets as people read them: rows, a JSON document, and in sentences what a version changes. */
import { cleanText, counted } from '../../formats/clean-text.ts';
import type { Algorithm } from '../../formats/cose-algorithm.ts';
import type { CoseKey } from '../../formats/cose-key.ts';
import { formatDay, formatInstant } from '../../formats/dates.ts';
import type { IssuingKey, Keyset, KeyStatus } from '../../formats/keyset/keyset.ts';
import { kidOfKey, type StatusChange, statusChanges } from './changes.ts';

/** Label and value, as `formatRows` takes them. */
export type KeysetRow = readonly [label: string, value: string];

/** The name of a key in this site; undefined for a key of another place. */
export type NameOfKey = (kid: string) => string | undefined;

const ALGORITHM_WORDS: Readonly<Record<Algorithm, string>> = { ed25519: 'Ed25519', 'ed25519+ml-dsa-65': 'composite' };
/** The view shows at most so many lines of one kind, and says how many more there are. */
const MAX_LISTED = 20;
const NO_NAMES: NameOfKey = () => undefined;
const itself = <T>(key: T): T => key;

export function keysetDocument(keyset: Keyset): Readonly<Record<string, unknown>> {
  const { iss, version, made, expires, roots, threshold, keys, requireComposite, ed25519Until } = keyset;
  const keyDocument = (key: CoseKey): Readonly<Record<string, string>> => ({ kid: kidOfKey(key), algorithm: key.alg });
  return {
    issuer: iss,
    version,
    made,
    ...(expires === undefined ? {} : { expires }),
    threshold,
    roots: roots.map(keyDocument),
    keys: keys.map(({ alg, publicBytes, ...rest }) => ({ ...keyDocument({ alg, publicBytes }), ...rest })),
    requireComposite,
    ...(ed25519Until === undefined ? {} : { ed25519Until }),
    revokedLicenses: keyset.revokedLicenses,
    lowestCounters: Object.fromEntries(keyset.lowestCounters),
  };
}

export function keysetRows(keyset: Keyset, nameOf: NameOfKey = NO_NAMES): readonly KeysetRow[] {
  const { requireComposite, ed25519Until, revokedLicenses, lowestCounters } = keyset;
  return [
    ['issuer', keyset.iss],
    ['made', formatInstant(keyset.made)],
    ...(keyset.expires === undefined
      ? []
      : [['expires', `${formatDay(keyset.expires)} (products then only warn)`] as const]),
    ['threshold', `${keyset.threshold} of ${keyset.roots.length} roots`],
    ...byName(keyset.roots, itself, nameOf).map((root): KeysetRow => [
      `root, ${ALGORITHM_WORDS[root.alg]}`,
      withName(root, nameOf),
    ]),
    ...byName(keyset.keys, itself, nameOf).flatMap((key): KeysetRow[] => [
      [`key, ${ALGORITHM_WORDS[key.alg]}`, withName(key, nameOf)],
      ['', keyText(key)],
    ]),
    ...(requireComposite ? [['policy', 'composite required'] as const] : []),
    ...(ed25519Until === undefined
      ? []
      : [['policy', `no license with only Ed25519 from ${formatInstant(ed25519Until)} on`] as const]),
    ...(revokedLicenses.length === 0
      ? []
      : [['revoked', counted(revokedLicenses.length, 'license', 'licenses')] as const]),
    ...(lowestCounters.size === 0
      ? []
      : [['lowest', `counters of ${counted(lowestCounters.size, 'lineage', 'lineages')}`] as const]),
  ];
}

function withName(key: CoseKey, nameOf: NameOfKey): string {
  const kid = kidOfKey(key);
  const name = nameOf(kid);
  return name === undefined ? kid : `${kid} (${name})`;
}

function keyText(key: IssuingKey): string {
  const { purpose, status, from, until, honored } = key;
  return [
    `purpose ${purpose}, ${status}`,
    ...scopeTexts(key),
    ...(from === undefined ? [] : [`from ${formatDay(from)}`]),
    ...(until === undefined ? [] : [`until ${formatDay(until)}`]),
    ...(honored === undefined ? [] : [`${counted(honored.length, 'license', 'licenses')} honored`]),
  ].join(', ');
}

function scopeTexts({ products, tiers }: IssuingKey): readonly string[] {
  return [
    ...(products === undefined ? [] : [`products ${products.join(' ')}`]),
    ...(tiers === undefined ? [] : [`tiers ${tiers.join(' ')}`]),
  ];
}

/** For people: keys of this site by their names, then the others in the order of the keyset. */
export function byName<T>(items: readonly T[], keyOf: (item: T) => CoseKey, nameOf: NameOfKey): readonly T[] {
  const named = items.map((item) => ({ item, name: nameOf(kidOfKey(keyOf(item))) }));
  return named
    .toSorted((a, b) => {
      if (a.name === undefined || b.name === undefined)
        return Number(a.name === undefined) - Number(b.name === undefined);
      return a.name < b.name ? -1 : 1;
    })
    .map(({ item }) => item);
}

/** A key as a sentence names it: its name in this site if it has one, its algorithm, and the begin of its kid. */
export function keyInWords(key: CoseKey, nameOf: NameOfKey): string {
  const kid = kidOfKey(key);
  const name = nameOf(kid);
  return `${name === undefined ? '' : `${name} `}(${ALGORITHM_WORDS[key.alg]}, ${kid.slice(0, 16)}…)`;
}

/** What `after` changes, a sentence each. Every member that differs is named. */
export function changesInWords(
  before: Keyset | undefined,
  after: Keyset,
  nameOf: NameOfKey = NO_NAMES,
): readonly string[] {
  const lines = [
    ...rootChanges(before, after, nameOf),
    ...keyChanges(before, after, nameOf),
    ...policyChanges(before, after),
    ...revocations(before, after),
  ];
  if (before?.expires !== after.expires)
    lines.push(
      after.expires === undefined
        ? 'the keyset no longer expires'
        : `the keyset expires on ${formatDay(after.expires)} (products then only warn)`,
    );
  return lines.length === 0 ? ['only the number of the version changes'] : lines.map((line) => cleanText(line, 4000));
}

function rootChanges(before: Keyset | undefined, after: Keyset, nameOf: NameOfKey): string[] {
  const mapOf = (roots: readonly CoseKey[]): ReadonlyMap<string, CoseKey> =>
    new Map(byName(roots, itself, nameOf).map((root) => [kidOfKey(root), root]));
  const [earlier, now] = [mapOf(before?.roots ?? []), mapOf(after.roots)];
  const lines: string[] = [];
  for (const [kid, root] of now)
    if (!earlier.has(kid)) lines.push(`the key ${keyInWords(root, nameOf)} becomes a root`);
  for (const [kid, root] of earlier)
    if (!now.has(kid)) lines.push(`the key ${keyInWords(root, nameOf)} is no longer a root`);
  if (before?.threshold !== after.threshold || lines.length > 0)
    lines.push(
      `the next versions need the signatures of ${after.threshold} of ${counted(after.roots.length, 'root', 'roots')}` +
        (before === undefined ? '' : ` (until now: ${before.threshold} of ${before.roots.length})`),
    );
  return lines;
}

const STATUS_WORDS: Readonly<Record<KeyStatus, string>> = {
  'pre-published': 'pre-published: products learn it, and it does not sign yet',
  active: 'active: it signs',
  retired: 'retired: it no longer signs, and what it signed stays valid',
  revoked: 'REVOKED: products refuse what it signed',
};

function statusInWords({ key, from, to }: StatusChange): string {
  const honored = to === 'revoked' ? (key.honored?.length ?? 0) : 0;
  return (
    `${from === undefined ? 'is new' : `was ${from}`}, and becomes ${STATUS_WORDS[to]}` +
    (honored === 0 ? '' : `, except ${counted(honored, 'license', 'licenses')} that the keyset honors`)
  );
}

function keyChanges(before: Keyset | undefined, after: Keyset, nameOf: NameOfKey): string[] {
  const lines = byName(statusChanges(before, after), ({ key }) => key, nameOf).map((change) => {
    const { key } = change;
    const scope = scopeTexts(key).join(', ');
    return (
      `the key ${keyInWords(key, nameOf)}, purpose ${key.purpose}${scope === '' ? '' : `, ${scope}`}, ` +
      statusInWords(change)
    );
  });
  const earlier = new Map((before?.keys ?? []).map((key) => [kidOfKey(key), key]));
  for (const key of byName(after.keys, itself, nameOf)) {
    const was = earlier.get(kidOfKey(key));
    if (was === undefined || was.status !== key.status) {
      if (key.from !== undefined || key.until !== undefined)
        lines.push(`the key ${keyInWords(key, nameOf)} has these members: ${keyText(key)}`);
    } else if (was.purpose !== key.purpose || keyText(was) !== keyText(key) || !sameTexts(was.honored, key.honored))
      lines.push(`the key ${keyInWords(key, nameOf)} changes from (${keyText(was)}) to (${keyText(key)})`);
  }
  for (const [kid, key] of earlier)
    if (!after.keys.some((other) => kidOfKey(other) === kid))
      lines.push(`the key ${keyInWords(key, nameOf)} is MISSING: no product accepts this keyset`);
  return lines;
}

function sameTexts(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}

function policyChanges(before: Keyset | undefined, after: Keyset): string[] {
  const lines: string[] = [];
  if ((before?.requireComposite ?? false) !== after.requireComposite)
    lines.push(
      after.requireComposite
        ? 'policy: products refuse licenses signed with only Ed25519'
        : 'policy: the keyset no longer requires composite licenses (roots still have to be composite)',
    );
  if (before?.ed25519Until !== after.ed25519Until)
    lines.push(
      after.ed25519Until === undefined
        ? 'policy: there is no longer a date from which products refuse licenses signed with only Ed25519'
        : `policy: from ${formatInstant(after.ed25519Until)} on, products refuse licenses signed with only Ed25519`,
    );
  return lines;
}

function revocations(before: Keyset | undefined, after: Keyset): string[] {
  const earlier = new Set(before?.revokedLicenses);
  const now = new Set(after.revokedLicenses);
  const lowest = [...after.lowestCounters].filter(
    ([lineage, counter]) => before?.lowestCounters.get(lineage) !== counter,
  );
  const freed = [...(before?.lowestCounters ?? [])].filter(([lineage]) => !after.lowestCounters.has(lineage));
  return [
    ...listed(after.revokedLicenses.filter((id) => !earlier.has(id)).map((id) => `license ${id} is revoked`)),
    ...listed((before?.revokedLicenses ?? []).filter((id) => !now.has(id)).map((id) => `license ${id} is valid AGAIN`)),
    ...listed(
      lowest.map(([lineage, counter]) => `${lineage}: licenses with a counter below ${counter} are no longer valid`),
    ),
    ...listed(freed.map(([lineage]) => `${lineage}: licenses with every counter are valid AGAIN`)),
  ];
}

function listed(lines: readonly string[]): readonly string[] {
  if (lines.length <= MAX_LISTED) return lines;
  return [...lines.slice(0, MAX_LISTED), `… and ${lines.length - MAX_LISTED} more of this kind`];
}
