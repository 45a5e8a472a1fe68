import { describe, expect, it } from 'vitest';
import { nobleProvider } from '../../../../keys/public/provider-noble.ts';
import { nodeProvider } from '../../../../keys/public/provider-node.ts';
import { hex, readData } from './read-data.ts';

interface Case {
  readonly message: string;
  readonly pub_key: string;
  readonly signature: string;
}

const cases = readData<readonly Case[]>('speccheck/cases.json');

/**
 * Only case 3 meets the criteria of docs/format.md: a mixed-order key, which a verifier takes, and an R that fits it
 * exactly.
 */
const WHY = [
  'key and R of small order',
  'key of small order',
  'R of small order',
  undefined,
  'holds with the cofactor alone',
  'holds with the cofactor alone, k not reduced first',
  's is not below L',
  's is far above L',
  'R is not canonical',
  'R is not canonical, hashed as its canonical form',
];

describe('edge cases of "Taming the many EdDSAs"', () => {
  it('are all named here', () => expect(cases).toHaveLength(WHY.length));

  describe.each([nodeProvider, nobleProvider])('$name', (provider) => {
    it.each(cases.map((edge, i) => ({ ...edge, i, why: WHY[i] })))(
      'case $i: $why',
      ({ message, pub_key: key, signature, why }) => {
        expect(provider.ed25519Verify(hex(key), hex(message), hex(signature))).toBe(why === undefined);
      },
    );
  });
});
