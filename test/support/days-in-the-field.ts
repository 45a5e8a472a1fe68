/**
 * The days of a walk through a page about rotation: what every product in the field says at the end of each, and what
 * the simulator says of it. The pages docs/rotation.md and docs/rotation-tokens.md have the same days and releases.
 */
import { expect } from 'vitest';
import { predictedOn, type FieldRefusal, type Prediction, type ProductsInTheField } from './products-in-the-field.ts';
import { runHere } from './run-here.ts';

export interface FieldDay {
  readonly day: string;
  readonly releases: readonly string[];
  readonly products: readonly FieldRefusal[];
  readonly predicted: readonly FieldRefusal[];
}

/** What `vtlic rotation simulate` predicts at that time. */
export async function simulated(site: string, nowMs: number, ...args: readonly string[]): Promise<Prediction> {
  const done = await runHere(['rotation', 'simulate', '--json', '--site', site, ...args], { nowMs: () => nowMs });
  expect([0, 19]).toContain(done.code);
  return JSON.parse(done.stdout) as Prediction;
}

export async function endOfDay(field: ProductsInTheField, site: string, nowMs: number): Promise<FieldDay> {
  const products = await field.ask(nowMs / 1000);
  const predicted = predictedOn(await simulated(site, nowMs), nowMs / 1000);
  const releases = [...new Set(field.installs.map(({ release }) => release.name))];
  return { day: new Date(nowMs).toISOString().slice(0, 10), releases, products, predicted };
}

/** No product refused an honest license on any day of the page, and the simulator said so. */
export function expectNoRefusal(days: readonly FieldDay[]): void {
  expect(days.map(({ day }) => day)).toEqual([
    '2026-12-01',
    '2026-12-10',
    '2027-01-15',
    '2027-04-02',
    '2027-05-03',
    '2027-06-01',
    '2027-09-13',
    '2027-09-14',
  ]);
  for (const { day, releases, products, predicted } of days) {
    const names = day < '2027-01-15' ? ['4.1'] : day < '2027-04-01' ? ['4.1', '5.0'] : ['5.0'];
    expect([day, releases]).toEqual([day, names.map((name) => `vaultdesk ${name}`)]);
    expect([day, products, predicted]).toEqual([day, [], []]);
  }
}
