import { describe, expect, it } from 'vitest';
import { Random } from './campaign/random.ts';
import { killProducts, type Killed } from './runtime/kill-product.ts';

const KILLS = 200;

describe('a product that is killed', () => {
  it('starts again after a kill at every call of boot and installation, and its state never goes back', async () => {
    const random = new Random(1);
    const killed: Killed[] = [];
    await killProducts({ kills: KILLS, lanes: 2, random }, (one) => killed.push(one));
    expect(killed.filter(({ problems }) => problems.length > 0)).toEqual([]);
    expect(killed.length).toBeGreaterThanOrEqual(KILLS);
    const points = new Set(killed.map(({ at }) => at));
    for (const name of [
      'boot: after rename',
      'install: before rename',
      'install: after fsync',
      'install: before unlink',
    ])
      expect(points).toContain(name);
  }, 300_000);
});
