/** For which products and tiers no key of a keyset signs, by status, time, scope and policy of each key. */
import { describe, expect, it } from 'vitest';
import { issuingKey, keysetOf } from '../../../../conformance/examples/keysets.ts';
import type { IssuingKey, Keyset } from '../../../../formats/keyset/keyset.ts';
import { unsigned } from '../../../../signer/rotation/signing-keys.ts';

const NOW = 1_800_000_000;
const SOLD = new Map([
  ['vaultdesk', ['team', 'enterprise']],
  ['other', ['team']],
]);
const leaving = issuingKey('old');

/** What nobody signs after `leaving` leaves, where this key is the only other one. */
function without(other: Partial<IssuingKey>, policy: Partial<Keyset> = {}, sold = SOLD): string | undefined {
  const keyset = { ...keysetOf({ version: 1, roots: ['root a'], threshold: 1, keys: [issuingKey('new', other)] }) };
  return unsigned([leaving], { ...keyset, ...policy }, NOW, sold);
}

describe('no other key signs', () => {
  it.each<[string, Partial<IssuingKey>, Partial<Keyset>, string | undefined]>([
    ['nothing where it signs all', {}, {}, undefined],
    ['anything where it is only pre-published', { status: 'pre-published' }, {}, ''],
    ['anything where its time has not come', { from: NOW + 1 }, {}, ''],
    ['anything where its time is over', { until: NOW }, {}, ''],
    ['nothing where its time is now', { from: NOW, until: NOW + 1 }, {}, undefined],
    ['anything where composite is required', {}, { requireComposite: true }, ''],
    ['anything where no Ed25519 is in force any more', {}, { ed25519Until: NOW }, ''],
    ['nothing before that day', {}, { ed25519Until: NOW + 1 }, undefined],
    ['anything where it signs license keys', { purpose: 'license-key' }, {}, ''],
    [
      'of the products that it does not sign',
      { products: ['other'] },
      {},
      ' of vaultdesk / team, vaultdesk / enterprise',
    ],
    ['of the tiers that it does not sign', { tiers: ['team'] }, {}, ' of vaultdesk / enterprise'],
  ])('%s', (_, other, policy, missing) => {
    expect(without(other, policy)).toBe(missing);
  });

  it('of every product, where nobody can name the products and the other key has a list of them', () => {
    expect([without({ products: ['vaultdesk'] }, {}, new Map()), without({}, {}, new Map())]).toEqual([
      ' of every product',
      undefined,
    ]);
  });

  it('nothing that the key that leaves did not sign', () => {
    const keyset = keysetOf({
      version: 1,
      roots: ['root a'],
      threshold: 1,
      keys: [issuingKey('new', { products: ['other'] })],
    });
    expect(unsigned([{ ...leaving, products: ['other'] }], keyset, NOW, SOLD)).toBe(undefined);
    expect(unsigned([{ ...leaving, until: NOW }], keyset, NOW, SOLD)).toBe(undefined);
  });
});
