/** What a product says that was shipped with the verifier of 0.1.0 (test/data/verifier-0.1.0) and never updated. */
import { describe, expect, it } from 'vitest';
import { dearmor } from '../../../formats/armor.ts';
import { fromHex, utf8 } from '../../../formats/bytes.ts';
import { decodeCbor } from '../../../formats/cbor/decode.ts';
import { isCborMap } from '../../../formats/cbor/value.ts';
import { decodeCoseSign1, TYP } from '../../../formats/cose-sign1.ts';
import { VtlicError } from '../../../formats/error.ts';
import { compositeLicense, ed25519License } from '../../../conformance/examples/example-licenses.ts';
import { NAMED_KEYS, type ExampleTrust } from '../../../conformance/examples/example-trust.ts';
import { judgedExamples } from '../../../conformance/examples/judged-examples.ts';
import { contextFrom } from '../../../conformance/examples/plain-values.ts';

type OldVerdict = { readonly ok: true; readonly state: string } | { readonly ok: false; readonly reason: string };

interface OldVerifier {
  readonly importPublicKey: (algorithm: string, bytes: Uint8Array) => object;
  readonly makeTrust: (values: unknown) => object;
  readonly verify: (file: Uint8Array, trust: object, context: unknown) => OldVerdict;
}

const old = (await import(new URL('../../data/verifier-0.1.0/verify.mjs', import.meta.url).href)) as OldVerifier;

/** What was renamed since. */
const OLD_NAMES: Readonly<Record<string, string>> = { key_wrong_purpose: 'key_wrong_job' };
const NEW_CLAIMS = ['upd', 'use'];

function oldTrust({ keys, lowestCounters, ...rest }: ExampleTrust): object {
  return old.makeTrust({
    ...rest,
    keys: keys.map(({ key, purpose, ...entry }) => {
      const { alg, bytes } =
        typeof key === 'string' ? NAMED_KEYS[key] : { alg: key.alg, bytes: fromHex(key.publicKey) ?? new Uint8Array() };
      return { ...entry, key: old.importPublicKey(alg, bytes), job: purpose };
    }),
    lowestCounters: Object.entries(lowestCounters ?? {}),
  });
}

function oldVerdict(file: string, trust: ExampleTrust, context: unknown): string {
  const verdict = old.verify(utf8(file), oldTrust(trust), context);
  return verdict.ok ? verdict.state : verdict.reason;
}

/** The claims of the file that 0.1.0 does not have; empty where the file cannot be read so far. */
function newClaims(file: string): readonly string[] {
  try {
    const claims = decodeCbor(decodeCoseSign1(dearmor('VTLIC', utf8(file)), TYP.license).payload);
    return isCborMap(claims) ? NEW_CLAIMS.filter((claim) => claims.has(claim)) : [];
  } catch (error) {
    if (error instanceof VtlicError) return [];
    throw error;
  }
}

describe('the verifier of 0.1.0', () => {
  const both: ExampleTrust = {
    keys: (['ed25519', 'composite'] as const).map((key) => ({ key, purpose: 'license', status: 'active' })),
  };

  it('accepts the licenses of Appendix A', () => {
    for (const { file, license } of [ed25519License, compositeLicense])
      expect(
        oldVerdict(file, both, {
          issuer: license.iss,
          product: license.aud,
          deployment: license.dep,
          hosts: license.hosts ?? [],
          now: license.nbf,
          defaultGrace: 0,
        }),
      ).toBe('active');
  });

  it.each(NEW_CLAIMS)('does not understand a license with the claim %s, whatever its value', (claim) => {
    const examples = judgedExamples.filter(({ file }) => newClaims(file).includes(claim));
    expect(examples.length).toBeGreaterThanOrEqual(3);
    for (const { id, file, trust, context } of examples)
      expect([id, oldVerdict(file, trust, contextFrom(context))]).toEqual([id, 'claims_unknown']);
  });

  it('agrees with this verifier on every other judged example', () => {
    const examples = judgedExamples.filter(({ file }) => newClaims(file).length === 0);
    expect(examples.length).toBeGreaterThan(60);
    const found = examples.map(({ id, file, trust, context }) => [id, oldVerdict(file, trust, contextFrom(context))]);
    expect(found).toEqual(examples.map(({ id, expected }) => [id, OLD_NAMES[expected] ?? expected]));
  });
});
