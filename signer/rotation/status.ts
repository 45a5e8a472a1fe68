/** The phase of each key, its next step and when it may come, what has to be done, and what is wrong. */
import { formatDay } from '../../formats/dates.ts';
import type { IssuingKey, Keyset, KeyStatus } from '../../formats/keyset/keyset.ts';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import type { License } from '../../formats/license/license.ts';
import type { Custody } from '../../keys/private/signing-key.ts';
import { type LedgerView, type Lineage, newestOfLineage } from '../ledger/index.ts';
import { applyChanges, kidOfKey } from '../keyset/changes.ts';
import type { PublishedVersion } from '../keyset/published.ts';
import type { KeyRecord, Site } from '../site/site.ts';
import { type EarlyFinding, findEarly } from './early.ts';
import type { Release } from './releases.ts';
import { containsAll, type Sold } from './signing-keys.ts';

const PAGE = 500;
const SOON_SECONDS: number = 90 * DAY_SECONDS;

export interface NextStep {
  readonly step: 'activate' | 'retire' | 'revoke';
  /** Why it would come too early; absent where it would not. */
  readonly early?: EarlyFinding;
}

export interface KeyPhase {
  readonly kid: string;
  readonly key: IssuingKey;
  /** Of a key of this site. */
  readonly record?: KeyRecord;
  /** Seconds since 1970: when the version was published that made it so. */
  readonly since: number;
  /** The version. */
  readonly sinceVersion: number;
  readonly next: readonly NextStep[];
}

/** An emergency license that no ordinary one has followed yet. */
export interface OwedFollowUp {
  readonly license: License;
}

export interface RotationStatus {
  /** undefined before the first version. */
  readonly newest: PublishedVersion | undefined;
  readonly keys: readonly KeyPhase[];
  /** In sentences. */
  readonly warnings: readonly string[];
  readonly owed: readonly OwedFollowUp[];
}

export interface StatusInput {
  readonly site: Site;
  readonly ledger: LedgerView;
  readonly versions: readonly PublishedVersion[];
  readonly releases: readonly Release[] | undefined;
  /** The products that the catalog sells. */
  readonly sold: Sold;
  /** Seconds since 1970. */
  readonly now: number;
}

export function rotationStatus(input: StatusInput): RotationStatus {
  const newest = input.versions.at(-1);
  const keyset = newest?.keyset;
  return Object.freeze({
    newest,
    keys: Object.freeze(keyset === undefined ? [] : keyset.keys.map((key) => phaseOf(key, keyset, input))),
    warnings: Object.freeze(keyset === undefined ? [] : warningsOf(keyset, input)),
    owed: owedFollowUps(input.ledger),
  });
}

const NEXT_STATUS = { activate: 'active', retire: 'retired', revoke: 'revoked' } as const;
const NEXT_STEPS: Readonly<Record<KeyStatus, readonly NextStep['step'][]>> = {
  'pre-published': ['activate'],
  active: ['retire', 'revoke'],
  retired: ['revoke'],
  revoked: [],
};

function phaseOf(key: IssuingKey, keyset: Keyset, input: StatusInput): KeyPhase {
  const kid = kidOfKey(key);
  const { versions, site } = input;
  const other = versions.findLastIndex((version) => statusIn(version.keyset, kid) !== key.status);
  const made = versions[other + 1];
  const record = site.config.keys.find(({ publicKey }) => publicKey.kid === kid);
  return Object.freeze({
    kid,
    key,
    ...(record === undefined ? {} : { record }),
    since: made?.published ?? 0,
    sinceVersion: made?.version ?? 0,
    next: Object.freeze(NEXT_STEPS[key.status].map((step) => nextStep(step, key, keyset, input))),
  });
}

function statusIn(keyset: Keyset, kid: string): KeyStatus | undefined {
  return keyset.keys.find((key) => kidOfKey(key) === kid)?.status;
}

/** Judges the step today, and on each day on which it may be ready, until nothing is in its way or nobody can say. */
function nextStep(step: NextStep['step'], key: IssuingKey, keyset: Keyset, input: StatusInput): NextStep {
  const { versions, releases, sold, now } = input;
  const { expires: _expires, ...lasting } = keyset;
  const changes = { keys: [{ key, status: NEXT_STATUS[step] }] };
  const after = applyChanges(lasting, changes, { issuer: keyset.iss, made: now });
  const field = { releases, versions, publishedUntil: now, isEmergency: false, sold };
  let first: EarlyFinding | undefined;
  for (let at = now; ;) {
    const findings = findEarly(keyset, after, { ...field, now: at });
    const [next] = findings;
    if (next === undefined)
      return Object.freeze({
        step,
        ...(first === undefined ? {} : { early: Object.freeze({ ...first, readyAt: at }) }),
      });
    const endless = findings.filter(({ readyAt = at }) => readyAt <= at);
    const early = endless.find(({ cause }) => cause === 'last-key') ?? endless[0];
    if (early !== undefined) return Object.freeze({ step, early });
    first ??= next;
    at = findings.reduce((latest, { readyAt = at }) => Math.max(latest, readyAt), at);
  }
}

/** The higher, the harder it is to copy the key. */
const CUSTODY_RANK: Readonly<Record<Custody, number>> = { software: 0, 'hsm-wrapped': 1, split: 2, hsm: 2 };

function warningsOf(keyset: Keyset, { site, versions, releases, now }: StatusInput): readonly string[] {
  const warnings: string[] = [];
  // Since the first policy against Ed25519, products count only composite roots.
  const compositeOnly = versions.some(
    (version) => version.keyset.requireComposite || version.keyset.ed25519Until !== undefined,
  );
  const usable = keyset.roots.filter(({ alg }) => !compositeOnly || alg !== 'ed25519').length;
  const kind = compositeOnly ? 'composite ' : '';
  if (usable <= keyset.threshold)
    warnings.push(
      `${usable === 1 ? `the only ${kind}root` : `each of the ${usable} ${kind}roots`} has to sign every version: if ` +
        `${usable === 1 ? 'it' : 'one'} is lost, products in the field take no further version; add a root ` +
        '(vtlic keyset draft --add-root KEY), or lower the threshold',
    );
  warnings.push(...spareWarnings(keyset, site));
  if (releases === undefined)
    warnings.push(
      'there is no releases.json, so it is not known which step comes too early (docs/rotation.md, "releases.json")',
    );
  if (keyset.expires !== undefined && keyset.expires <= now)
    warnings.push(`the keyset expired on ${formatDay(keyset.expires)}: products warn; publish a new version`);
  else if (keyset.expires !== undefined && keyset.expires - now < SOON_SECONDS)
    warnings.push(`the keyset expires on ${formatDay(keyset.expires)}, within 90 days: publish a new version before`);
  for (const record of site.config.keys) {
    const status = statusIn(keyset, record.publicKey.kid);
    const isOver = status === 'retired' || status === 'revoked';
    if (isOver && record.retired === undefined)
      warnings.push(`the key ${record.name} is ${status}, and this site still has it: vtlic key retire ${record.name}`);
  }
  return warnings;
}

/** A spare that waits is composite, in custody no weaker than that of the active keys, and at another place. */
function spareWarnings(keyset: Keyset, site: Site): readonly string[] {
  const recordOf = (key: IssuingKey): KeyRecord | undefined =>
    site.config.keys.find(({ publicKey }) => publicKey.kid === kidOfKey(key));
  const ofLicenses = keyset.keys.filter(({ purpose }) => purpose === 'license');
  const spares = ofLicenses.filter(({ status }) => status === 'pre-published');
  const signing = ofLicenses.filter(({ status }) => status === 'active');
  const active = signing.flatMap((key) => recordOf(key) ?? []);
  if (spares.length === 0)
    return [
      'there is no spare key: if an active key is lost or stolen, no key that products know is ready to replace it; ' +
        'to pre-publish a spare: vtlic rotation pre-publish KEY',
    ];
  const faults = spares.map((spare) => {
    const record = recordOf(spare);
    const name = record?.name ?? kidOfKey(spare).slice(0, 16);
    const strongest = Math.max(0, ...active.map(({ custody }) => CUSTODY_RANK[custody]));
    if (spare.alg === 'ed25519') return `the spare ${name} is not composite`;
    if (signing.some((key) => !containsAll(spare.products, key.products) || !containsAll(spare.tiers, key.tiers)))
      return `the spare ${name} is for fewer products or tiers than an active key`;
    if (record !== undefined && CUSTODY_RANK[record.custody] < strongest)
      return `the spare ${name} is in weaker custody (${record.custody}) than the active key`;
    if (record !== undefined && active.some(({ keystore }) => keystore === record.keystore))
      return `the spare ${name} is in the keystore ${record.keystore}, as the active key is: both can be lost together`;
    return undefined;
  });
  return faults.includes(undefined) ? [] : faults.flatMap((fault) => fault ?? []);
}

/** The lineages whose newest license is an emergency license. */
function owedFollowUps(ledger: LedgerView): readonly OwedFollowUp[] {
  const owed: OwedFollowUp[] = [];
  for (let after: Lineage | undefined; ;) {
    const page = ledger.knownLineages({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const lineage of page) {
      const newest = newestOfLineage(ledger, lineage);
      const license = newest === undefined ? undefined : decodeLicense(newest.payload);
      if (license?.use === 'emergency') owed.push(Object.freeze({ license }));
    }
    after = page.at(-1);
    if (page.length < PAGE || after === undefined) return Object.freeze(owed);
  }
}
