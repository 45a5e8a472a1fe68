/** The published versions of the keyset, and those that a plan leads to: one version for each day that has steps. */
import type { CoseKey } from '../../formats/cose-key.ts';
import { VtlicError } from '../../formats/error.ts';
import { MAX_HONORED, type Keyset, type KeyStatus } from '../../formats/keyset/keyset.ts';
import { formatDay } from '../../formats/dates.ts';
import { applyChanges, kidOfKey, type KeyChange } from '../keyset/changes.ts';
import type { KeysetStep } from '../keyset/draft.ts';
import { type PlannedStep, stepInWords } from '../rotation/plan.ts';

/** A version of the keyset, and when it is there. */
export interface DatedVersion {
  readonly keyset: Keyset;
  /** Seconds since 1970: when it was, or would be, published. */
  readonly from: number;
  /** What it changes, in words; none of a published version. */
  readonly steps: readonly string[];
}

export interface PlanWorld {
  readonly issuer: string;
  /** The key of a kid that no published version has. */
  readonly keyOfKid: (kid: string) => CoseKey | undefined;
  /** How people call a key; undefined: its kid is shown. */
  readonly nameOfKey: (kid: string) => string | undefined;
  /** The payload digests of the licenses that a key signed and that are not over at a time, the last to end first. */
  readonly digestsBy: (kid: string, at: number) => readonly string[];
}

const STATUS_AFTER: Readonly<Record<Exclude<KeysetStep, 'policy'>, KeyStatus>> = {
  'pre-publish': 'pre-published',
  activate: 'active',
  retire: 'retired',
  revoke: 'revoked',
};

/**
 * In the place of the payload digest of a license that is not signed yet: one for each key. A revocation honors what
 * its key signed before, and afterwards the key signs nothing.
 */
export function futureDigest(kid: string): string {
  return kid;
}

/** The lifetime of a version that follows an expired one, which a person would renew. */
const EXPIRY_SECONDS = 366 * 86_400;

/**
 * @param published ascending
 * @param steps in the order of their days
 * @throws VtlicError `request_invalid` for a step that cannot follow from the versions before it
 */
export function plannedVersions(
  published: readonly DatedVersion[],
  steps: readonly PlannedStep[],
  world: PlanWorld,
): readonly DatedVersion[] {
  const versions = [...published];
  for (const on of new Set(steps.map((step) => step.on))) {
    const before = versions.at(-1)?.keyset;
    if (before === undefined)
      throw new VtlicError('request_invalid', 'there is no published keyset that the plan could start from', {
        hint: 'make the first one: vtlic keyset draft',
      });
    const today = steps.filter((step) => step.on === on);
    const keyset = nextKeyset(before, today, on, world);
    requireCompositeRoots(keyset, on);
    versions.push(Object.freeze({ keyset, from: on, steps: today.map((step) => stepInWords(step, world.nameOfKey)) }));
  }
  return versions;
}

/** Under a policy against Ed25519, products count only composite roots (docs/keysets.md, K4). */
function requireCompositeRoots({ roots, threshold, requireComposite, ed25519Until }: Keyset, on: number): void {
  if (!requireComposite && ed25519Until === undefined) return;
  const composite = roots.filter(({ alg }) => alg !== 'ed25519').length;
  if (composite < threshold)
    throw new VtlicError(
      'request_invalid',
      `products would refuse the keyset of ${formatDay(on)}: under its policy only composite roots count, there ` +
        `${composite === 1 ? 'is 1' : `are ${composite}`} of them, and the threshold is ${threshold}`,
      { hint: 'add composite roots in an earlier version: vtlic keyset draft --add-root KEY' },
    );
}

function nextKeyset(before: Keyset, steps: readonly PlannedStep[], on: number, world: PlanWorld): Keyset {
  const keys: KeyChange[] = [];
  let requireComposite: true | undefined;
  let ed25519Until: number | undefined;
  for (const step of steps) {
    if (step.step === 'policy') {
      if (step.requireComposite === true) requireComposite = true;
      ed25519Until = step.ed25519Until ?? ed25519Until;
      continue;
    }
    keys.push(keyChange(before, step.step, step.kid ?? '', on, world));
  }
  const isExpired = before.expires !== undefined && before.expires <= on;
  try {
    return applyChanges(
      before,
      {
        keys,
        ...(requireComposite === undefined ? {} : { requireComposite }),
        ...(ed25519Until === undefined ? {} : { ed25519Until }),
        ...(isExpired ? { expires: on + EXPIRY_SECONDS } : {}),
      },
      { issuer: world.issuer, made: on },
    );
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    throw new VtlicError(
      'request_invalid',
      `the steps of ${formatDay(on)} cannot be done: ${error.message}`,
      error.hint === undefined ? {} : { hint: error.hint },
    );
  }
}

function keyChange(
  before: Keyset,
  step: Exclude<KeysetStep, 'policy'>,
  kid: string,
  on: number,
  { keyOfKid, digestsBy }: PlanWorld,
): KeyChange {
  const key = before.keys.find((known) => kidOfKey(known) === kid) ?? keyOfKid(kid);
  if (key === undefined)
    throw new VtlicError(
      'request_invalid',
      `the plan names the key ${kid}, which neither this site nor a published keyset has`,
    );
  const honored =
    step === 'revoke' ? [...digestsBy(kid, on).slice(0, MAX_HONORED - 1), futureDigest(kid)].toSorted() : [];
  return { key, status: STATUS_AFTER[step], ...(honored.length === 0 ? {} : { honored }) };
}
