/** The picture of docs/rotation.md is made here. After a change: vitest -u, and look at it in a browser. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dailyRefusals } from '../../../../signer/simulation/daily.ts';
import { timelineSvg } from '../../../../signer/simulation/timeline-svg.ts';
import { day, kid, license, release, simulated, version } from '../../../support/rotation-field.ts';

const PICTURE = join(import.meta.dirname, '../../../../docs/images/rotation-simulation.svg');
const NAMES = new Map([
  [kid('old'), 'license-1'],
  [kid('composite'), 'license-2 (composite)'],
  [kid('new'), 'license-3'],
]);

describe('the picture of a simulation', () => {
  it('is the one in docs/rotation.md', async () => {
    const simulation = simulated({
      published: [version(1, { old: 'active', composite: 'pre-published' })],
      steps: [
        { on: day(60), step: 'activate', kid: kid('composite') },
        { on: day(240), step: 'retire', kid: kid('old') },
        { on: day(300), step: 'policy', ed25519Until: day(700) },
        { on: day(500), step: 'pre-publish', kid: kid('new') },
      ],
      releases: [
        release('vaultdesk 4.1', { builtIn: { keys: [kid('old')] }, until: day(520) }),
        release('vaultdesk 5.0'),
        release('vaultdesk 5.1', { builtIn: { keyset: 2 }, from: day(90), takesKeysets: true }),
      ],
      lineages: Array.from({ length: 200 }, (_, i) => [license('old', (i * 9) % 360, { sub: `customer-${i}` })]),
    });
    const name = (wanted: string): string | undefined => NAMES.get(wanted);
    const svg = new TextDecoder().decode(timelineSvg(simulation, dailyRefusals(simulation), name));
    await expect(svg).toMatchFileSnapshot(PICTURE);
  });
});
