/** After a power loss: what SQLite takes without a word, chain and anchor do not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';
import { Random } from './campaign/random.ts';
import { PowerLoss, type Judged } from './power-loss/damage.ts';

const RANDOM_CASES = 250;

let site: SiteFixture;
let loss: PowerLoss;
beforeAll(async () => {
  site = await makeSite({ algorithm: 'ed25519' });
  loss = await PowerLoss.prepare(site);
});
afterAll(() => {
  site.remove();
});

const count = (judged: readonly Judged[], outcome: Judged['outcome']): number =>
  judged.filter((each) => each.outcome === outcome).length;
const problems = (judged: readonly Judged[]): readonly string[] =>
  judged.flatMap(({ what, problem }) => (problem === undefined ? [] : [`${what}: ${problem}`]));

describe('a ledger after a power loss', () => {
  it('is refused, or contains every license that left: an old part beside a new one, a log cut at each page, each page zeroed', async () => {
    const judged: Judged[] = [];
    for (const damaged of loss.certain()) judged.push(await loss.judge(damaged));
    expect(problems(judged)).toEqual([]);
    expect(judged.find(({ what }) => what === 'nothing')?.outcome).toBe('harmless');
    for (const what of [
      'the whole state of before',
      'a newer database beside an old log of writes',
      'no log of writes',
      'a log of writes without its header',
    ])
      expect([what, judged.find((each) => each.what === what)?.outcome]).toEqual([what, 'refused']);
    expect(count(judged, 'refused')).toBeGreaterThan(10);
  });

  it('is refused, or contains every license that left: bits flipped, bytes zeroed, files cut, at random', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = new Random(seed);
    const judged: Judged[] = [];
    for (let i = 0; i < RANDOM_CASES; i++) judged.push(await loss.judge(loss.random(random)));
    expect(problems(judged), `seed ${seed}`).toEqual([]);
    expect(count(judged, 'refused'), `seed ${seed}`).toBeGreaterThan(20);
    expect(count(judged, 'noticed'), `seed ${seed}`).toBeGreaterThan(0);
  });

  it('is refused by issue with exit 4 and what to do, and by ledger verify with exit 19', () => {
    const cut = [...loss.certain()].find(({ what }) => what === 'no log of writes');
    if (cut === undefined) throw new Error('no such case');
    loss.put(cut);
    const digest = runCli(['issue', writeRequest(site), '--site', site.site, '--dry-run']).stdout.trim();
    const issue = runCli(['issue', '--confirm', digest, '--site', site.site, ...site.secret]);
    expect(issue.code).toBe(4);
    expect(issue.stderr).toContain('the ledger is older than its anchor');
    expect(issue.stderr).toContain('put the newest ledger back, whole, with its -wal file');
    loss.put(cut);
    expect(runCli(['ledger', 'verify', '--site', site.site]).code).toBe(19);
  });
});
