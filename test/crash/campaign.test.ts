/**
 * A small share of `npm run test:crash`: the real command is killed at steps, at calls of the file system and at
 * random times, at the same sites again and again.
 */
import { expect, it } from 'vitest';
import { Campaign } from './campaign/campaign.ts';
import { COMMANDS } from './campaign/officer.ts';

const KILLS = 200;

it(`${KILLS} kills repeat no counter, lose no license, spoil no ledger, and each start goes on by itself`, async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const totals = await new Campaign({
    kills: KILLS,
    seed,
    keystores: ['software'],
    lanes: 2,
    killsPerSite: 60,
    syscalls: false,
    tell: () => undefined,
  }).run();
  expect(totals.problems, `seed ${seed}`).toEqual([]);
  expect(totals.kills).toBeGreaterThanOrEqual(KILLS);
  expect([totals.wentOn, totals.verified]).toEqual([totals.starts, totals.sites]);
  expect(totals.starts).toBeGreaterThan(KILLS / 2);
  // The deck deals each command, but some must wait for a state of the site (handover.test.ts kills each of them).
  const killed = COMMANDS.filter((command) => [...totals.byKind.keys()].some((name) => name.startsWith(`${command} `)));
  expect(killed.length, `seed ${seed}`).toBeGreaterThanOrEqual(COMMANDS.length - 4);
}, 600_000);
