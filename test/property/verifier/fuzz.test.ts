/** A few seconds of `npm run test:fuzz`: `verify()` and a model that was written apart from it agree on each input. */
import { describe, expect, it } from 'vitest';
import { runShare, VERDICTS } from '../../fuzz/campaign.ts';

const INPUTS = 12_000;
const SEED = 1;

describe('verify', () => {
  it('gives the verdict that the model predicts for each of many hostile inputs', { timeout: 120_000 }, () => {
    const share = runShare(SEED, INPUTS);
    expect(share.differences).toEqual([]);
    expect(share.inputs).toBe(INPUTS);
    expect(share.passedArmor).toBeGreaterThan(0.3 * INPUTS);
    expect(share.validlySigned).toBeGreaterThan(0.1 * INPUTS);
    expect(VERDICTS.filter((verdict) => !share.verdicts.has(verdict))).toEqual([]);
  });
});
