/** What the cases say that a wrong verifier has forgotten: an author who fails a case reads this sentence. */
import { describe, expect, it } from 'vitest';
import { SENTENCES } from '../../../conformance/vectors/forgets.ts';
import { readCases } from '../../../conformance/vectors/files.ts';

/** So many cases may break one rule. More of them need sentences that say which part of the rule. */
const MAX_CASES_OF_A_SENTENCE = 12;

const cases = readCases().map(({ value }) => value);

describe('the sentence of a case', () => {
  it('is there, unless the case is an accepted license', () => {
    const silent = cases.filter(
      (value) =>
        value.forgets === undefined && !(value.operation === 'verify' && value.expected.verdict === 'accepted'),
    );
    expect(
      silent.map(({ id }) => id),
      'add them to conformance/vectors/forgets.ts, and run: npm run vectors',
    ).toEqual([]);
  });

  it(`is shared by at most ${MAX_CASES_OF_A_SENTENCE} cases`, () => {
    const sentences = Map.groupBy(cases, ({ forgets = '' }) => forgets);
    sentences.delete('');
    const coarse = [...sentences].filter(([, sharing]) => sharing.length > MAX_CASES_OF_A_SENTENCE);
    expect(coarse.map(([sentence, sharing]) => [sentence, sharing.map(({ id }) => id)])).toEqual([]);
    expect(sentences.size).toBeGreaterThan(400);
  });

  it('is of a case that is there', () => {
    const isThere = (name: string): boolean =>
      cases.some(({ id }) => (name.endsWith('*') ? id.startsWith(name.slice(0, -1)) : id === name));
    expect([...SENTENCES.keys()].filter((name) => !isThere(name))).toEqual([]);
  });

  it('is short, and goes on after "a verifier that does this has forgotten:"', () => {
    const sentences = cases.map(({ forgets }) => forgets).filter((forgets) => forgets !== undefined);
    expect(sentences.filter((sentence) => sentence.length > 110 || sentence.endsWith('.'))).toEqual([]);
  });
});
