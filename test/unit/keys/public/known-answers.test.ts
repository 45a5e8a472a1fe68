import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { describe, expect, it } from 'vitest';
import { encodeBase64 } from '../../../../formats/base64.ts';
import { utf8 } from '../../../../formats/bytes.ts';
import { MLDSA65_KNOWN_KEY, MLDSA65_KNOWN_SIGNATURE } from '../../../../keys/public/known-answer-mldsa65.ts';
import {
  givesKnownAnswers,
  MLDSA65_KNOWN_CONTEXT,
  MLDSA65_KNOWN_MESSAGE,
} from '../../../../keys/public/known-answers.ts';
import { nobleProvider } from '../../../../keys/public/provider-noble.ts';
import { nodeProvider } from '../../../../keys/public/provider-node.ts';

describe('the known answers', () => {
  it('are made again by noble from the published seed', () => {
    const { publicKey, secretKey } = ml_dsa65.keygen(utf8('vtlic known answer of ML-DSA-65.'));
    expect(encodeBase64(publicKey)).toBe(MLDSA65_KNOWN_KEY);
    const options = { context: MLDSA65_KNOWN_CONTEXT, extraEntropy: false } as const;
    expect(encodeBase64(ml_dsa65.sign(MLDSA65_KNOWN_MESSAGE, secretKey, options))).toBe(MLDSA65_KNOWN_SIGNATURE);
  });

  it.each([nodeProvider, nobleProvider])('are those of $name, for every algorithm', (provider) => {
    for (const algorithm of ['sha256', 'sha512', 'ed25519', 'mldsa65'] as const)
      expect(givesKnownAnswers(provider, algorithm)).toBe(true);
  });
});
