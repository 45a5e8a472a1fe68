/** docs/vtlic.cddl and docs/keyset.cddl are normative: the numbers in them and those in the code are the same. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ALGORITHMS } from '../../../formats/cose-algorithm.ts';
import { TYP } from '../../../formats/cose-sign1.ts';
import { MAX_SIGNERS } from '../../../formats/cose-sign.ts';
import * as keyset from '../../../formats/keyset/keyset.ts';
import * as bounds from '../../../formats/license/bounds.ts';
import { CLAIM_KEYS } from '../../../formats/license/license.ts';

const cddl = readFileSync(new URL('../../../docs/vtlic.cddl', import.meta.url), 'utf8');

function rule(name: string): string {
  const found = new RegExp(String.raw`^${name} = (?:\{([^]*?)^\}|(.*))`, 'm').exec(cddl);
  if (found === null) throw new Error(`docs/vtlic.cddl has no rule ${name}`);
  return found[1] ?? found[2] ?? '';
}

/** Claim key → [may be absent, type]. */
const claims = new Map(
  [...rule('claims').matchAll(/^ {2}(\? )?("?)(\w+)\2 => (.*?),\s*(?:;.*)?$/gm)].map(
    ([, optional, quote, key, type]) =>
      [quote === '' ? Number(key) : (key ?? ''), [optional !== undefined, type ?? '']] as const,
  ),
);

describe('docs/vtlic.cddl', () => {
  it('has the claims that the code has', () => {
    expect(new Set(claims.keys())).toEqual(new Set(Object.values(CLAIM_KEYS)));
    const required = [...claims].filter(([, [optional]]) => !optional).map(([key]) => key);
    expect(required).toEqual([1, 2, 3, 4, 5, 6, 7, 'ctr', 'tier', 'seats']);
  });

  it('has the bounds that the code has', () => {
    expect(rule('seconds')).toBe(`0..${bounds.MAX_TIME}`);
    expect(rule('count')).toBe(`0..${bounds.MAX_COUNT}`);
    expect(rule('fingerprint')).toBe(`bstr .size ${bounds.HOST_BYTES}`);
    expect(rule('id')).toContain(`{0,${bounds.MAX_ID_CHARACTERS - 1}}`);
    expect([bounds.MAX_OFFLINE_SECONDS, bounds.PERPETUAL_EXP]).toEqual([bounds.MAX_TIME, bounds.MAX_TIME]);
    expect(Object.fromEntries([...claims].map(([key, [, type]]) => [key, type]))).toMatchObject({
      ctr: `1..${bounds.MAX_COUNT}`,
      instances: `1..${bounds.MAX_COUNT}`,
      features: `[1*${bounds.MAX_FEATURES} id]`,
      limits: `{1*${bounds.MAX_LIMITS} id => count}`,
      hosts: `[1*${bounds.MAX_HOSTS} fingerprint]`,
      grace: `0..${bounds.MAX_GRACE_SECONDS}`,
      offline: 'seconds',
      upd: 'seconds',
      use: bounds.LICENSE_USES.map((use) => `"${use}"`).join(' / '),
      // UTF-8 has at most four bytes for a code point.
      name: `tstr .size (1..${4 * bounds.MAX_NAME_CODE_POINTS})`,
      ref: `tstr .size (1..${4 * bounds.MAX_REF_CODE_POINTS})`,
      ext: `{1*${bounds.MAX_EXT_KEYS} id => value}`,
    });
  });

  it('has the algorithms that the code has', () => {
    const { ed25519, 'ed25519+ml-dsa-65': composite } = ALGORITHMS;
    expect(cddl).toContain(`sign1<"${TYP.license}", ${ed25519.wire}, bstr .size ${ed25519.signatureBytes}>`);
    expect(cddl).toContain(`sign1<"${TYP.license}", "${composite.wire}", bstr .size ${composite.signatureBytes}>`);
    expect(rule('ed25519-key')).toContain(`-2 => bstr .size ${ed25519.publicKeyBytes},`);
    expect(rule('composite-key')).toContain(`-1 => bstr .size ${composite.publicKeyBytes},`);
  });
});

describe('docs/keyset.cddl', () => {
  const keysetCddl = readFileSync(new URL('../../../docs/keyset.cddl', import.meta.url), 'utf8');

  it.each([
    `16 => "${TYP.keyset}"`,
    `[1*${MAX_SIGNERS} signature]`,
    `1 => ${ALGORITHMS.ed25519.wire} / "${ALGORITHMS['ed25519+ml-dsa-65'].wire}"`,
    `"keys" => [0*${keyset.MAX_ISSUING_KEYS} issuing-key]`,
    `"roots" => [1*${keyset.MAX_ROOTS} bstr`,
    `"version" => 1..${bounds.MAX_COUNT}`,
    `"threshold" => 1..${keyset.MAX_ROOTS}`,
    `"lowest" => {1*${keyset.MAX_LOWEST_COUNTERS} lineage => 1..${bounds.MAX_COUNT}}`,
    `"revoked" => [1*${keyset.MAX_REVOKED_LICENSES} license-id]`,
    `"status" => ${keyset.KEY_STATUSES.map((status) => `"${status}"`).join(' / ')},`,
    `"purpose" => ${keyset.ISSUING_PURPOSES.map((purpose) => `"${purpose}"`).join(' / ')},`,
    `"products" => [1*${keyset.MAX_SCOPE_ITEMS} id]`,
    `"tiers" => [1*${keyset.MAX_SCOPE_ITEMS} id]`,
    `"honored" => [1*${keyset.MAX_HONORED} bstr .size ${keyset.DIGEST_BYTES}]`,
  ])('says %s, as the code does', (text) => {
    expect(keysetCddl).toContain(text);
  });
});
