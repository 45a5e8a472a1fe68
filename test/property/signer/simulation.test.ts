/**
 * The simulation against the verifier: each keyset and each license is really made and signed, each install builds its
 * trust from them as a product does, and `verify()` judges on random days.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armor } from '../../../formats/armor.ts';
import { encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../../formats/cose-sign1.ts';
import { VtlicError } from '../../../formats/error.ts';
import type { Keyset } from '../../../formats/keyset/keyset.ts';
import { encodeKeyset } from '../../../formats/keyset/encode-keyset.ts';
import { encodeLicense } from '../../../formats/license/encode-license.ts';
import { sha256Hex } from '../../../files/index.ts';
import { exportPublicKey } from '../../../keys/public/encodings/public-key-file.ts';
import { signKeyset, testKey } from '../../../conformance/examples/keysets.ts';
import { makeTrust, seenAfter, trustFromOverride, verify, type Seen, type Trust } from '../../../verifier/index.ts';
import { builtInChain, extendChain, trustOfChain } from '../../../verifier/keyset/index.ts';
import type { FieldLicense } from '../../../signer/rotation/field-licenses.ts';
import type { PlannedStep } from '../../../signer/rotation/plan.ts';
import type { Release } from '../../../signer/rotation/releases.ts';
import { FutureLicenses } from '../../../signer/simulation/future-licenses.ts';
import type { DatedVersion } from '../../../signer/simulation/planned-versions.ts';
import {
  day,
  END,
  keyOfKid,
  kid,
  license,
  NAMES,
  release,
  ROOTS,
  simulated,
  START,
  version,
  versionsOf,
} from '../../support/rotation-field.ts';

interface Scenario {
  readonly steps: readonly PlannedStep[];
  readonly releases: readonly Release[];
  readonly had: readonly FieldLicense[];
  readonly reissueOn?: number;
}

const someDay = fc.integer({ min: 1, max: 900 }).map(day);
const name = fc.constantFrom(...NAMES);
const step: fc.Arbitrary<PlannedStep> = fc.oneof(
  fc.record({
    on: someDay,
    step: fc.constantFrom('pre-publish' as const, 'activate' as const, 'retire' as const, 'revoke' as const),
    kid: name.map(kid),
  }),
  fc.record({ on: someDay, step: fc.constant('policy' as const), ed25519Until: someDay }),
  fc.record({ on: someDay, step: fc.constant('policy' as const), requireComposite: fc.constant(true) }),
);
const someRelease: fc.Arbitrary<Release> = fc
  .record(
    {
      builtIn: fc.oneof(
        fc.record({ keyset: fc.integer({ min: 1, max: 3 }) }),
        fc.record({ keys: fc.uniqueArray(name.map(kid), { minLength: 1, maxLength: 3 }) }),
      ),
      override: fc.uniqueArray(name.map(kid), { minLength: 1, maxLength: 2 }),
      takesKeysets: fc.boolean(),
      requireComposite: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  .map((changes) => release('1.0', changes));
const scenario: fc.Arbitrary<Scenario> = fc.record(
  {
    steps: fc.array(step, { maxLength: 5 }).map((steps) => steps.toSorted((a, b) => a.on - b.on)),
    releases: fc.array(someRelease, { minLength: 1, maxLength: 1 }),
    had: fc.constantFrom(
      [license('old', 100)],
      [license('old', 300), license('old', 20, { ctr: 8, cti: '0193817a-6c00-7000-8000-000000000002' })],
      [license('composite', 10)],
    ),
    reissueOn: someDay,
  },
  { requiredKeys: ['steps', 'releases', 'had'] },
);

const PUBLISHED = [version(1, { old: 'active', composite: 'pre-published' })];

interface Made {
  readonly field: FieldLicense;
  readonly file: Uint8Array;
  readonly digest: string;
}

function sign(field: FieldLicense, number: number): Made {
  const key = NAMES.map((each) => testKey(each)).find(({ publicKey }) => publicKey.kid === field.kid);
  if (key === undefined) throw new Error('a license is signed by a key without a name');
  const cti = `0193817a-6c00-7000-8000-${String(number).padStart(12, '0')}`;
  const payload = encodeLicense({ ...field.license, cti });
  const protectedBytes = encodeProtected(key.publicKey.alg, key.publicKey.kid, TYP.license);
  const cose = encodeCoseSign1(protectedBytes, payload, key.sign(sigStructure(protectedBytes, payload)));
  return { field, file: armor('VTLIC', cose), digest: sha256Hex(payload) };
}

/** The versions as files, each signed by both roots, with the digests of the licenses that were really made. */
function blocks(versions: readonly DatedVersion[], made: readonly Made[]): readonly Uint8Array[] {
  return versions.map(({ keyset, from }) => {
    const keys = keyset.keys.map((key) => {
      if (key.honored === undefined) return key;
      const revoked = versions.find((each) =>
        each.keyset.keys.some((other) => other.status === 'revoked' && equalKey(other.publicBytes, key.publicBytes)),
      );
      const before = revoked?.from ?? from;
      const by = made.filter(({ field }) => equalKey(keyOfKid(field.kid)?.bytes, key.publicBytes));
      const honored = by.filter(({ field }) => field.delivered <= before).map(({ digest }) => digest);
      return {
        ...key,
        ...(honored.length === 0 ? { honored: [sha256Hex(new Uint8Array())] } : { honored: honored.toSorted() }),
      };
    });
    const whole: Keyset = { ...keyset, keys };
    return armor('VTLIC KEYSET', signKeyset(encodeKeyset(whole), ROOTS));
  });
}

function equalKey(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}

/** What a product with these keys trusts, made from files and the environment. */
function trustOf(
  { builtIn, override, requireComposite }: Release,
  files: readonly Uint8Array[],
  newest: number,
): Trust {
  let trust: Trust;
  if ('keys' in builtIn)
    trust = makeTrust({
      keys: builtIn.keys.map((each) => {
        const key = keyOfKid(each);
        if (key === undefined) throw new Error('a release has a key without a name');
        return { key, purpose: 'license', status: 'active' };
      }),
      requireComposite,
    });
  else {
    const inside = files.slice(0, builtIn.keyset);
    const chain = builtInChain(new Uint8Array(Buffer.concat(inside)), { issuer: 'example-vendor' });
    const { chain: whole, refused } = extendChain(chain, new Uint8Array(Buffer.concat(files.slice(0, newest + 1))));
    expect(refused).toBeUndefined();
    trust = trustOfChain(whole, { requireComposite });
  }
  if (override === undefined) return trust;
  const parts = override.map((each) => {
    const key = keyOfKid(each);
    const lines = new TextDecoder().decode(key === undefined ? undefined : exportPublicKey(key, 'env')).split('\n');
    return lines.map((line) => line.slice(line.indexOf('=') + 1));
  });
  const variables = {
    LICENSE_PUBLIC_KEY: parts.map(([ed25519 = '']) => ed25519).join(','),
    LICENSE_MLDSA_PUBLIC_KEY: parts.map((lines) => (lines.length > 2 ? (lines[1] ?? '') : '')).join(','),
  };
  return trustFromOverride(variables, trust, () => new Uint8Array());
}

describe('a simulation', () => {
  it('predicts for every day what the verifier says of the signed files', () => {
    const met = { refused: 0, accepted: 0 };
    fc.assert(
      fc.property(scenario, ({ steps, releases: drawn, had, reissueOn }) => {
        const days = [...new Set(steps.map(({ on }) => on))];
        // A release comes after the keyset that is built in.
        const releases = drawn.map((each) => ({
          ...each,
          from: 'keyset' in each.builtIn ? (days[each.builtIn.keyset - 2] ?? each.from) : each.from,
        }));
        const input = {
          published: PUBLISHED,
          steps,
          releases,
          lineages: [had],
          ...(reissueOn === undefined ? {} : { reissueOn }),
        };
        let versions: readonly DatedVersion[];
        let predicted: ReturnType<typeof simulated>;
        try {
          versions = versionsOf(input);
          predicted = simulated(input);
        } catch (error) {
          // A plan that cannot be done, or a release with a version that there is not.
          if (error instanceof VtlicError) return;
          throw error;
        }
        const rules = { from: START, until: END, renewDays: 30, ...(reissueOn === undefined ? {} : { reissueOn }) };
        const made = new FutureLicenses(versions, rules).after(had).map(sign);
        const files = blocks(versions, made);
        const [first] = releases;
        if (first === undefined) return;
        const trusts = new Map<number, Trust>();
        const trustAt = (newest: number): Trust => {
          const known = trusts.get(newest) ?? trustOf(first, files, newest);
          trusts.set(newest, known);
          return known;
        };
        let seen: Seen | undefined;
        const changes = [
          ...made.flatMap(({ field: { license: each, delivered } }) => [each.nbf, each.exp, delivered]),
          ...versions.flatMap(({ from, keyset }) => [from, keyset.ed25519Until ?? 0]),
        ];
        const every = Array.from({ length: 220 }, (_, i) => day(i * 5));
        const times = [...new Set([...every, ...changes])]
          .filter((at) => at >= Math.max(START, first.from) && at < END)
          .toSorted((a, b) => a - b);
        for (const at of times) {
          const held = made.filter(
            ({
              field: {
                delivered,
                license: { nbf, exp },
              },
            }) => delivered <= at && nbf <= at && at < exp,
          );
          const delivered = made.findLast(({ field }) => field.delivered <= at)?.field.delivered ?? 0;
          const newestAt = (time: number): number => versions.findLastIndex(({ from }) => from <= time);
          const builtIn = 'keys' in first.builtIn ? 0 : first.builtIn.keyset - 1;
          const range =
            first.takesKeysets && 'keyset' in first.builtIn ? [newestAt(delivered), newestAt(at)] : [builtIn, builtIn];
          let isRefused = false;
          let after = seen;
          for (let newest = Math.max(range[0] ?? 0, builtIn); newest <= Math.max(range[1] ?? 0, builtIn); newest++) {
            const verdicts = held.map(({ file }) =>
              verify(file, trustAt(newest), {
                issuer: 'example-vendor',
                product: 'vaultdesk',
                now: at,
                defaultGrace: 0,
                ...(seen === undefined ? {} : { seen }),
              }),
            );
            const current = verdicts.filter((verdict) => verdict.ok || verdict.reason !== 'counter_rolled_back');
            const best = verdicts.findLast((verdict) => verdict.ok);
            if (best?.ok === true) after = seenAfter(after, best);
            else if (current.length > 0) isRefused = true;
          }
          seen = after;
          met[isRefused ? 'refused' : 'accepted']++;
          expect(predicted.refused.some(({ from, until }) => from <= at && at < until)).toBe(isRefused);
        }
      }),
      { numRuns: 40 },
    );
    expect(met.refused).toBeGreaterThan(50);
    expect(met.accepted).toBeGreaterThan(50);
  });
});
