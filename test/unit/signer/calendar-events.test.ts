import { describe, expect, it } from 'vitest';
import { issuingKey, keysetOf, testKey } from '../../../conformance/examples/keysets.ts';
import { keysetEvents } from '../../../signer/calendar/calendar-events.ts';

const MADE = Date.UTC(2027, 0, 1) / 1000;
const DAY = 86_400;
const short = (name: string): string => testKey(name).publicKey.kid.slice(0, 8);

describe('the dates of a keyset', () => {
  it('are those on which somebody has something to do', () => {
    const keyset = keysetOf({
      version: 3,
      roots: ['root a'],
      made: MADE,
      expires: MADE + 100 * DAY,
      ed25519Until: MADE + 500 * DAY,
      keys: [
        issuingKey('now', { from: MADE, until: MADE + 60 * DAY }),
        issuingKey('next', { status: 'pre-published', from: MADE + 50 * DAY }),
        issuingKey('past', { status: 'retired', until: MADE + 70 * DAY }),
        issuingKey('stolen', { status: 'revoked', until: MADE + 70 * DAY }),
      ],
    });
    const events = keysetEvents(keyset).map(({ day, summary }) => [(day - MADE) / DAY, summary] as const);
    expect(events.toSorted(([a], [b]) => a - b)).toEqual([
      [50, `Key ${short('next')}…: activate it`],
      [60, `Key ${short('now')}…: sign nothing more with it, and retire it`],
      [100, 'Keyset version 3 expires: publish the next one before'],
      [500, 'Licenses with only an Ed25519 signature end'],
    ]);
  });
});
