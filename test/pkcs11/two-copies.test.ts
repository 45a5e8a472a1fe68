/**
 * Two copies of a site share an anchor in a token, and run as real processes: no counter is on two licenses, and one of
 * them goes on, wherever the token host of the other one is stopped or ends. `npm run test:crash` does it at every call.
 */
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../formats/bytes.ts';
import { makeKryoptic } from './support/kryoptic.ts';
import { raceForAnchor } from './support/race-for-anchor.ts';
import { makeSofthsm } from './support/softhsm.ts';
import { open } from './support/test-token.ts';
import { type WalkOptions, walkTwoCopies } from './support/walk-two-copies.ts';

/** By which the anchor is changed; the search before each is what the change goes by. */
const CHANGES = ['C_CreateObject', 'C_DestroyObject'];
/** With SoftHSM both hosts of a run change the token; the first that comes to a call is stopped. */
const SOFTHSM_CALLS: readonly (readonly [call: string, at: readonly number[]])[] = [
  ['C_CreateObject', [1, 2, 3]],
  ['C_DestroyObject', [1, 2]],
  ['C_GetAttributeValue', [40]],
];
const softhsm: Pick<WalkOptions, 'make' | 'counted' | 'isTried'> = {
  make: () => makeSofthsm('one'),
  counted: 'name',
  isTried: (call, at) => SOFTHSM_CALLS.some(([name, places]) => name === call && places.includes(at)),
};
const kryoptic: Pick<WalkOptions, 'isTried'> = { isTried: (call) => CHANGES.includes(call) };

describe.each([
  ['SoftHSM', softhsm],
  ['kryoptic', kryoptic],
])('two copies with an anchor in %s', (_name, walk) => {
  it('one wins where the other is stopped before a call, and no counter is released twice', async () => {
    const pairs = await walkTwoCopies({ ...walk, ways: ['stop'] });
    expect(pairs.flatMap(({ at, call, problems }) => problems.map((problem) => `${at} ${call}: ${problem}`))).toEqual(
      [],
    );
    const codes = pairs.map((pair) => pair.codes);
    expect(codes).toContain('4 0');
    expect(codes).toContain('0 4');
  }, 900_000);

  it('the work goes on where the token host of one of them ends right after a call', async () => {
    const pairs = await walkTwoCopies({ ...walk, ways: ['die'] });
    expect(pairs.flatMap(({ at, call, problems }) => problems.map((problem) => `${at} ${call}: ${problem}`))).toEqual(
      [],
    );
    expect(pairs.length).toBeGreaterThan(3);
  }, 900_000);
});

describe.each([
  ['SoftHSM', () => makeSofthsm('one')],
  ['kryoptic', () => makeKryoptic(['one'])],
])('processes that change one anchor in %s at the same time', (_name, make) => {
  it('never both succeed', { timeout: 600_000 }, async () => {
    const made = make();
    const totals = await raceForAnchor({ made, rounds: 20, processes: 2, longestWait: 20 });
    made.remove();
    expect(totals.doubled).toBe(0);
    expect(totals.won).toBeGreaterThan(5);
  });
});

it('finds what another process has made in SoftHSM, which an ordinary search overlooks', async () => {
  const made = makeSofthsm('one');
  const [mine, other] = [await open(made, 'one'), await open(made, 'one')];
  try {
    expect(await mine.readDataAnew('shared')).toEqual([]);
    await other.createData('shared', utf8('made by another process'));
    await mine.createData('shared', utf8('made by this process'));
    expect(await mine.readData('shared')).toHaveLength(1);
    expect(await mine.readDataAnew('shared')).toHaveLength(2);
  } finally {
    await mine.close();
    await other.close();
    made.remove();
  }
});
