/** A field for simulations: keys by name, versions of the keyset, releases and licenses. */
import type { IssuingKey, KeyStatus } from '../../formats/keyset/keyset.ts';
import type { License } from '../../formats/license/license.ts';
import { issuingKey, keysetOf, testKey } from '../../conformance/examples/keysets.ts';
import type { PublicKey } from '../../keys/public/public-key.ts';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import type { FieldLicense } from '../../signer/rotation/field-licenses.ts';
import type { PlannedStep } from '../../signer/rotation/plan.ts';
import type { Release } from '../../signer/rotation/releases.ts';
import { plannedVersions, type DatedVersion } from '../../signer/simulation/planned-versions.ts';
import { simulate, type Simulation } from '../../signer/simulation/simulate.ts';

/** 2027-01-01 */
export const START = 1_798_761_600;
export const YEARS = 3;
export const END: number = START + (YEARS * 365 + 1) * DAY_SECONDS;
export const ROOTS: readonly string[] = ['composite root a', 'composite root b'];
export const NAMES = ['old', 'new', 'composite'] as const;

export const day = (number: number): number => START + number * DAY_SECONDS;
export const kid = (name: string): string => testKey(name).publicKey.kid;

/** A published version, from the beginning on. */
export function version(
  number: number,
  keys: Readonly<Record<string, KeyStatus | Partial<IssuingKey>>>,
  roots: readonly string[] = ROOTS,
): DatedVersion {
  const issuing = Object.entries(keys).map(([name, given]) =>
    issuingKey(name, typeof given === 'string' ? { status: given } : given),
  );
  const keyset = keysetOf({
    version: number,
    roots,
    threshold: roots.length,
    made: START - 400 * DAY_SECONDS,
    keys: issuing,
  });
  return { keyset, from: START - 300 * DAY_SECONDS, steps: [] };
}

export function release(name: string, changes: Partial<Release> = {}): Release {
  return {
    name,
    product: 'vaultdesk',
    builtIn: { keyset: 1 },
    takesKeysets: false,
    requireComposite: false,
    from: START - 300 * DAY_SECONDS,
    ...changes,
  };
}

/** A license of a year, that began so many days before the simulation. */
export function license(name: string, began = 0, changes: Partial<License> = {}): FieldLicense {
  const nbf = day(-began);
  return {
    license: {
      iss: 'example-vendor',
      sub: 'acme-gmbh',
      aud: 'vaultdesk',
      iat: nbf,
      nbf,
      exp: nbf + 365 * DAY_SECONDS,
      cti: '0193817a-6c00-7000-8000-000000000001',
      ctr: 7,
      tier: 'enterprise',
      seats: 250,
      features: Object.freeze([]),
      limits: Object.freeze({}),
      ...changes,
    },
    kid: kid(name),
    payloadDigest: 'ab'.repeat(32),
    delivered: nbf,
  };
}

export const keyOfKid = (wanted: string): PublicKey | undefined =>
  NAMES.map((name) => testKey(name).publicKey).find((key) => key.kid === wanted);

export interface FieldInput {
  readonly published: readonly DatedVersion[];
  readonly steps?: readonly PlannedStep[];
  readonly releases: readonly Release[];
  readonly lineages?: readonly (readonly FieldLicense[])[];
  readonly reissueOn?: number;
  /** Seconds since 1970: the time of the simulation. */
  readonly from?: number;
}

export function versionsOf({
  published,
  steps = [],
  lineages = [[license('old')]],
}: FieldInput): readonly DatedVersion[] {
  return plannedVersions(published, steps, {
    issuer: 'example-vendor',
    nameOfKey: () => undefined,
    keyOfKid: (wanted) => {
      const key = keyOfKid(wanted);
      return key === undefined ? undefined : { alg: key.alg, publicBytes: key.bytes };
    },
    digestsBy: (by, at) =>
      lineages.flat().flatMap((each) => (each.kid === by && each.license.exp > at ? [each.payloadDigest] : [])),
  });
}

export function simulated(input: FieldInput): Simulation {
  const { releases, lineages = [[license('old')]], reissueOn, from = START } = input;
  return simulate({
    from,
    until: END,
    renewDays: 30,
    ...(reissueOn === undefined ? {} : { reissueOn }),
    versions: versionsOf(input),
    releases,
    lineages,
    keyOfKid,
  });
}
