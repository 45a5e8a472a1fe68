/**
 * Two copies of a site share an anchor in a token, and run as real processes: no counter is on two licenses, and one of
 * them goes on, wherever the token host of the other one is stopped or ends. `npm run test:crash` does it at every call.
 */
import { expect, it } from 'vitest';
import { walkTwoCopies } from './support/walk-two-copies.ts';

/** By which the anchor is changed; the search before each is what the change goes by. */
const CHANGES = ['C_CreateObject', 'C_DestroyObject'];

it('one copy of two wins where the other is stopped before it changes the anchor, and releases no counter twice', async () => {
  const pairs = await walkTwoCopies({ ways: ['stop'], isTried: (call) => CHANGES.includes(call) });
  expect(pairs.flatMap(({ at, call, problems }) => problems.map((problem) => `${at} ${call}: ${problem}`))).toEqual([]);
  const codes = pairs.map((pair) => pair.codes);
  expect(codes).toContain('4 0');
  expect(codes).toContain('0 4');
}, 900_000);

it('the work goes on where the token host of one of two copies ends right after a change of the anchor', async () => {
  const pairs = await walkTwoCopies({ ways: ['die'], isTried: (call) => CHANGES.includes(call) });
  expect(pairs.flatMap(({ at, call, problems }) => problems.map((problem) => `${at} ${call}: ${problem}`))).toEqual([]);
  expect(pairs.length).toBeGreaterThan(3);
}, 900_000);
