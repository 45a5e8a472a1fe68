/**
 * Walks through docs/rotation-tokens.md as its reader does. At the end of each day the products in the field are asked
 * about every license, honest and forged, and the simulator too.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endOfDay, expectNoRefusal, type FieldDay } from '../support/days-in-the-field.ts';
import { offerDishonest } from '../support/dishonest-licenses.ts';
import { ProductsInTheField } from '../support/products-in-the-field.ts';
import { constantPart, type Walked } from '../support/walk-document.ts';
import { forgedWith } from './support/forge-with-token.ts';
import type { TestToken } from './support/test-token.ts';
import { ROTATION_WITH_TOKENS, walkWithTokens } from './support/walk-with-tokens.ts';

const folder = mkdtempSync(join(tmpdir(), 'vtlic-rotation-page-'));
const site = join(folder, 'my-site');
const field = new ProductsInTheField(site);

interface Day extends FieldDay {
  /** Who takes a dishonest license. */
  readonly dishonest: readonly string[];
  /** How many installs take the license that the thief of `spare-1` signs; absent before it is active. */
  readonly stolen?: number;
}

const days: Day[] = [];
let forged: string | undefined;
let walked: Walked;

async function look(kryoptic: TestToken, nowMs: number): Promise<void> {
  const found = await endOfDay(field, site, nowMs);
  const { day } = found;
  const { offered, takers } = await offerDishonest(field);
  expect([day, offered > 0]).toEqual([day, true]);
  if (day === '2027-06-01') {
    const newest = field.licenses.find(({ license }) => license.sub === 'gamma-inc')?.text ?? '';
    forged = await forgedWith(kryoptic, 'spare', { site, name: 'spare-1' }, newest);
  }
  if (day === '2027-09-14') await field.deliverChain();
  const stolen = forged === undefined ? {} : { stolen: (await field.takers(forged)).length };
  days.push({ ...found, dishonest: takers, ...stolen });
}

beforeAll(async () => {
  walked = await walkWithTokens(readFileSync(ROTATION_WITH_TOKENS, 'utf8'), folder, (kryoptic) => ({
    afterStep: (nowMs) => field.look(nowMs / 1000),
    endOfDay: (nowMs) => look(kryoptic, nowMs),
  }));
}, 1_800_000);
afterAll(async () => {
  await field.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Serial numbers differ by token. */
function samePart(shown: string): string {
  return constantPart(shown.replaceAll(/serial [0-9a-f]+/g, 'serial ID'));
}

describe('the rotation of docs/rotation-tokens.md', () => {
  it('runs from its document only: every command does what the page shows', () => {
    for (const { command, code, shown, expected } of walked.steps) {
      expect([command, code]).toEqual([command, 0]);
      expect(samePart(shown)).toBe(samePart(expected));
    }
    expect(walked.steps.length).toBeGreaterThan(45);
  });

  it('refuses no honest license and takes no dishonest one in any product on any day, as it was simulated', () => {
    expectNoRefusal(days);
    for (const { day, dishonest } of days) expect([day, dishonest]).toEqual([day, []]);
  });

  it('ends what a thief signs with the stolen token on the day on which its key is revoked', () => {
    expect(days.find(({ day }) => day === '2027-06-01')?.stolen).toBeGreaterThan(0);
    expect(days.find(({ day }) => day === '2027-09-14')?.stolen).toBe(0);
  });
});
