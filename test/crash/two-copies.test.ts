/**
 * Two copies of a site share an anchor. A real process in one of them is stopped before each call that changes the
 * anchor, and before a sample of those that read it, while the other copy issues; `npm run test:crash` does it before
 * each call.
 */
import { describe, expect, it } from 'vitest';
import { faultOf, STOPPED_COMMANDS, type StoppedPair, walkStops } from './campaign/stopped-copies.ts';

const TIME_LIMIT = 600_000;
/** Of the reads, one in so many: a move reads two places. */
const SAMPLES = { issue: 5, 'ledger anchor': 9, 'ledger restore': 5 };

const pairsOf = (...codes: readonly string[]): readonly StoppedPair[] =>
  codes.map((each) => ({ at: 'here', codes: each }));

describe('a process that is stopped before a call on the anchor, while another copy issues', () => {
  it.each(STOPPED_COMMANDS)(
    'ends with 4 where the other one was faster: %s, before a change',
    async (command) => {
      const pairs = await walkStops({ command, on: 'anchor', every: 1 });
      expect(faultOf(command, pairs)).toBeUndefined();
      expect(new Set(pairs.map(({ codes }) => codes))).toEqual(new Set(['4 0', '0 4']));
      expect(pairs.length).toBeGreaterThan(5);
    },
    TIME_LIMIT,
  );

  it.each(STOPPED_COMMANDS)(
    'ends with 4 where the other one was faster: %s, before a read',
    async (command) => {
      const pairs = await walkStops({ command, on: 'anchor read', every: SAMPLES[command] });
      expect(faultOf(command, pairs)).toBeUndefined();
      const codes = pairs.map((pair) => pair.codes);
      expect(codes).toContain('4 0');
      expect(codes).toContain('0 4');
      expect(codes.includes('0 0')).toBe(command === 'ledger restore');
    },
    TIME_LIMIT,
  );
});

describe('the exit codes of a walk', () => {
  it.each([
    ['issue', pairsOf('0 0', '4 0')],
    ['ledger restore', pairsOf('0 0', '4 0', '0 0', '0 4')],
    ['issue', pairsOf('0 4', '4 0')],
    ['issue', pairsOf('4 0', '4 4')],
  ] as const)('are refused where both succeed too late, or both fail: %s %j', (command, pairs) => {
    expect(faultOf(command, pairs)).toContain('stopped here');
  });
});
