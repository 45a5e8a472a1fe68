/** What a new version of the keyset does to the customers whose licenses the ledger has. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeysetActs } from '../support/keyset-acts.ts';
import type { RanHere } from '../support/run-here.ts';
import { addKey } from '../support/site-keys.ts';
import { makeSite, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

const COMPOSITE = 'ed25519+ml-dsa-65';
const ROOTS = ['root-1', 'root-2'] as const;
const FIRST = ['--add-root', 'root-1', '--add-root', 'root-2', '--threshold', '2', '--activate', 'license-1'];
const DAY_MS = 86_400_000;

let fixture: SiteFixture;
let acts: KeysetActs;

beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
  for (const name of ROOTS) await addKey(fixture, name, 'root', COMPOSITE);
  await addKey(fixture, 'composite-1', 'license', COMPOSITE);
  acts = new KeysetActs(fixture);
  writeReleases([]);
});
afterEach(() => {
  fixture.remove();
});

function writeReleases(releases: readonly Record<string, unknown>[]): void {
  writeFileSync(join(fixture.site, 'releases.json'), JSON.stringify({ schema: 'vtlic-releases/1', releases }));
}

function day(offset: number): string {
  return new Date(Date.now() + offset * DAY_MS).toISOString().slice(0, 10);
}

async function issue(
  customer: string,
  changes: Readonly<Record<string, unknown>> = {},
  ...options: readonly string[]
): Promise<{ readonly id: string; readonly file: string }> {
  const request = writeRequest(fixture, { customer, name: customer, ...changes });
  const plan = await acts.succeed(acts.run('issue', request, '--dry-run', ...options));
  const done = await acts.succeed(acts.runOpen('issue', '--confirm', plan, '--json'));
  return JSON.parse(done) as { id: string; file: string };
}

/** license-1 (Ed25519) and composite-1 sign. */
function bothSign(): Promise<string> {
  return acts.next('1.draft', [...FIRST, '--activate', 'composite-1'], ROOTS);
}

async function refused(...args: readonly string[]): Promise<readonly [number, string]> {
  const { code, stderr } = await acts.run(...args);
  return [code, stderr];
}

describe('a policy against Ed25519', () => {
  it('comes too early while licenses in the ledger have only an Ed25519 signature, and names their customers', async () => {
    await issue('acme', { until: day(300) });
    await issue('beta', { until: day(90) });
    await bothSign();
    const [code, stderr] = await refused('keyset', 'draft', '--require-composite');
    expect(code).toBe(3);
    expect(stderr).toContain('too early for the policy: 2 customers would be left without a license');
    expect(stderr).toContain(`acme / vaultdesk / prod-eu (until ${day(300)})`);
    expect(stderr).toContain(`beta / vaultdesk / prod-eu (until ${day(90)})`);
    expect(stderr).toContain('vtlic rotation reissue license-1');
    // From a later day on, only the license that ends after it is concerned.
    const later = await refused('keyset', 'draft', '--ed25519-until', day(100));
    expect(later).toEqual([3, expect.stringContaining(`1 customer would be left without a license from ${day(100)}`)]);
    expect(later[1]).not.toContain('beta');
    await acts.draft('late.draft', '--ed25519-until', day(301));
  });

  it('no longer comes too early once the customers have composite licenses', async () => {
    await issue('acme', { until: day(300) });
    await bothSign();
    const table = await acts.succeed(acts.run('rotation', 'reissue', 'license-1', '--table', acts.file('table.csv')));
    const batch = await acts.succeed(acts.run('batch', table, '--key', 'composite-1', '--dry-run'));
    await acts.succeed(acts.runOpen('batch', '--confirm', batch));
    await acts.draft('2.draft', '--require-composite');
    const again = await acts.run('rotation', 'reissue', 'license-1', '--table', acts.file('again.csv'));
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('no table is written')]);
  });

  it('concerns a renewal that came early, too, which is reissued after the license that is in force', async () => {
    await issue('acme', { until: day(100) });
    await issue('acme', { from: day(101), until: day(300), seats: 300 });
    await bothSign();
    const reissue = ['rotation', 'reissue', 'license-1', '--table', acts.file('table.csv')];
    const tables = (await acts.succeed(acts.run(...reissue))).split('\n');
    expect(tables).toEqual([acts.file('table.csv'), acts.file('table-2.csv')]);
    const sign = async (table: string, name: string): Promise<void> => {
      const options = ['--name', name, '--key', 'composite-1', '--dry-run'];
      const batch = await acts.succeed(acts.run('batch', table, ...options));
      await acts.succeed(acts.runOpen('batch', '--confirm', batch));
    };
    await sign(tables[0] ?? '', 'first');
    const half = await refused('keyset', 'draft', '--require-composite');
    expect(half).toEqual([
      3,
      expect.stringContaining(`1 customer would be left without a license from ${day(101)} on`),
    ]);
    await sign(tables[1] ?? '', 'second');
    await acts.draft('2.draft', '--require-composite');
  });

  it('is drafted with a reason that says for how many licenses, and not published for more', async () => {
    await issue('acme');
    await bothSign();
    const draft = await acts.draft('2.draft', '--require-composite', '--early', 'the customers know');
    const shown = await acts.succeed(acts.run('keyset', 'show', draft));
    expect(shown).toContain(
      'THIS STEP COMES TOO EARLY: policy (1 customer left without a license). The reason: the customers know',
    );
    await issue('beta');
    const signatures = [await acts.sign(draft, 'root-1'), await acts.sign(draft, 'root-2')];
    const more = await refused('keyset', 'publish', draft, ...signatures);
    expect(more).toEqual([3, expect.stringContaining('the reason given is for 1 customer')]);
    const anew = ['--require-composite', '--early', 'both customers know', '--version', '3'];
    await acts.next('3.draft', anew, ROOTS);
    expect(await acts.succeed(acts.run('keyset', 'show'))).toContain(
      'policy, leaving 2 customers without a license: both customers know',
    );
  });

  it('takes its reason from a plan only where the plan says for how many customers', async () => {
    await issue('acme');
    await bothSign();
    const plan = acts.file('plan.json');
    const write = (early: object): void => {
      const step = {
        on: day(0),
        step: 'policy',
        requireComposite: true,
        early: { releases: [], reason: 'r', ...early },
      };
      writeFileSync(plan, JSON.stringify({ schema: 'vtlic-rotation-plan/1', issuer: 'example-vendor', steps: [step] }));
    };
    const draft = ['keyset', 'draft', '--require-composite', '--plan', plan];
    write({});
    expect(await refused(...draft)).toEqual([3, expect.stringContaining('the reason given is for no customer')]);
    write({ customers: 1 });
    await acts.succeed(acts.run(...draft));
  });

  it('takes its reason from the step of a plan that it does, not from another step of the policy', async () => {
    await issue('acme');
    await bothSign();
    const plan = acts.file('plan.json');
    const early = { releases: [], reason: 'the customer knows', customers: 1 };
    const write = (until: object, composite: object): void => {
      const steps = [
        { on: day(0), step: 'policy', ed25519Until: day(100), ...until },
        { on: day(0), step: 'policy', requireComposite: true, ...composite },
      ];
      writeFileSync(plan, JSON.stringify({ schema: 'vtlic-rotation-plan/1', issuer: 'example-vendor', steps }));
    };
    const draft = ['keyset', 'draft', '--require-composite', '--plan', plan];
    write({ early }, {});
    expect(await refused(...draft)).toEqual([3, expect.stringContaining('too early for the policy')]);
    write({}, { early });
    await acts.succeed(acts.run(...draft));
  });

  it('comes too early through a draft that gets another change, too', async () => {
    await issue('acme');
    await bothSign();
    const draft = await acts.draft('2.draft', '--expires', day(400));
    const onto = await refused('keyset', 'draft', '--require-composite', '--onto', draft);
    expect(onto).toEqual([3, expect.stringContaining('1 customer would be left without a license')]);
  });

  it('is no step that comes too early where it is put off', async () => {
    await issue('acme', { until: day(300) });
    await bothSign();
    await acts.next('2.draft', ['--ed25519-until', day(100), '--early', 'they get a new license in time'], ROOTS);
    writeReleases([
      { name: 'old', product: 'vaultdesk', keys: [kid('license-1')], from: '2020-01-01', takesKeysets: true },
    ]);
    expect((await refused('keyset', 'draft', '--ed25519-until', day(200)))[0]).toBe(0);
  });
});

describe('a license that is issued before the day of a policy', () => {
  it('is marked where it is signed with only Ed25519 and ends after that day', async () => {
    await bothSign();
    await acts.next('2.draft', ['--ed25519-until', day(100)], ROOTS);
    const plan = (until: string, key: string): Promise<RanHere> =>
      acts.run('issue', writeRequest(fixture, { until }), '--dry-run', '--key', key);
    const mark = `products that have the keyset refuse it from ${day(100)} on`;
    expect((await plan(day(200), 'license-1')).stderr).toContain(mark);
    expect((await plan(day(99), 'license-1')).stderr).not.toContain(mark);
    expect((await plan(day(200), 'composite-1')).stderr).not.toContain(mark);
  });
});

/** Only composite licenses count, and license-1 (Ed25519) is still active beside composite-1. */
async function compositeOnly(): Promise<void> {
  await bothSign();
  await acts.next('2.draft', ['--require-composite'], ROOTS);
}

describe('the last key that signs', () => {
  it.each(['retire', 'revoke'])('is not %sd where the policy takes no other active key', async (step) => {
    await compositeOnly();
    const none = expect.stringContaining('no other key would sign licenses') as unknown;
    expect(await refused('rotation', step, 'composite-1')).toEqual([3, none]);
    // The same where no release is asked, since each gets the keyset with its license.
    writeReleases([{ name: 'new', product: 'vaultdesk', keyset: 1, from: '2020-01-01', takesKeysets: true }]);
    expect(await refused('rotation', step, 'composite-1', '--emergency', 'now')).toEqual([3, none]);
    const status = await acts.succeed(acts.run('rotation', 'status'));
    expect(status).toMatch(/composite-1 .* retire: not before another key is active/);
    // The key that signs nothing any more may go.
    await acts.succeed(acts.run('rotation', step, 'license-1'));
  });

  it('is not retired where the others sign for other products or tiers', async () => {
    await acts.next('1.draft', [...FIRST, '--activate', 'composite-1', '--tiers', 'composite-1=team'], ROOTS);
    const tier = expect.stringContaining('no other key would sign licenses of vaultdesk / enterprise') as unknown;
    expect(await refused('rotation', 'retire', 'license-1')).toEqual([3, tier]);
    await addKey(fixture, 'other', 'license');
    await acts.next('2.draft', ['--activate', 'other', '--products', 'other=elsewhere'], ROOTS);
    expect(await refused('rotation', 'retire', 'license-1')).toEqual([3, tier]);
    await addKey(fixture, 'rest', 'license');
    await acts.next('3.draft', ['--activate', 'rest', '--tiers', 'rest=enterprise'], ROOTS);
    await acts.succeed(acts.run('rotation', 'retire', 'license-1'));
  });

  it('is not taken away by a policy, although no release is in the field', async () => {
    await acts.next('1.draft', [...FIRST, '--pre-publish', 'composite-1'], ROOTS);
    const none = expect.stringContaining(
      'for the policy: no key that the policy accepts would sign licenses',
    ) as unknown;
    expect(await refused('keyset', 'draft', '--require-composite')).toEqual([3, none]);
    expect(await refused('keyset', 'draft', '--ed25519-until', day(100))).toEqual([3, none]);
    await acts.draft('2.draft', '--ed25519-until', day(100), '--activate', 'composite-1');
  });
});

describe('a license that was withdrawn on purpose', () => {
  it('is not reissued after its key was stolen', async () => {
    const [first, revoked] = [await issue('acme'), await issue('beta')];
    const older = await issue('gamma');
    const newer = await issue('gamma');
    expect([first.id, older.id].includes(newer.id)).toBe(false);
    await acts.next('1.draft', [...FIRST, '--pre-publish', 'composite-1'], ROOTS);
    const one = await acts.succeed(acts.run('revoke', revoked.id, '--out', acts.file('a.draft')));
    const both = await acts.succeed(acts.run('revoke', newer.id, '--onto', one, '--out', acts.file('b.draft')));
    await acts.publishSigned(both, ROOTS);
    const table = acts.file('reissue.csv');
    const stolen = await acts.run('rotation', 'stolen', 'license-1', '--table', table);
    expect([stolen.code, stolen.stderr]).toEqual([0, expect.stringContaining('to reissue: 2 licenses')]);
    const rows = readFileSync(table, 'utf8');
    expect([/\bacme\b/.test(rows), /\bbeta\b/.test(rows), /\bgamma\b/.test(rows)]).toEqual([true, false, true]);
  });

  it('is no honest customer of a simulation', async () => {
    const revoked = await issue('beta', { until: day(300) });
    await issue('gamma', { until: day(200) });
    await acts.next('1.draft', [...FIRST, '--activate', 'composite-1'], ROOTS);
    await acts.publishSigned(await acts.succeed(acts.run('revoke', revoked.id)), ROOTS);
    writeReleases([{ name: 'new', product: 'vaultdesk', keyset: 2, from: '2020-01-01' }]);
    const { code, stderr } = await acts.run('rotation', 'simulate');
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^simulated: 1 customer, 1 release,/)]);
  });
});

describe('revoke and supersede', () => {
  beforeEach(bothSign);

  it('say which customers they would leave without a license, to whoever drafts and to whoever publishes', async () => {
    const [first, second] = [await issue('acme', { until: day(300) }), await issue('acme', { until: day(100) })];
    const today = day(0);
    const both = await acts.run('revoke', first.id, second.id);
    const none = `WARNING: 1 customer would be left without a license from ${today} on: acme / vaultdesk / prod-eu`;
    expect([both.code, both.stderr]).toEqual([0, expect.stringContaining(`${none} (until ${day(100)})`)]);
    const signatures = [await acts.sign(both.stdout.trim(), 'root-1'), await acts.sign(both.stdout.trim(), 'root-2')];
    const published = await acts.run('keyset', 'publish', both.stdout.trim(), ...signatures);
    expect([published.code, published.stderr]).toEqual([0, expect.stringContaining(none)]);
  });

  it('say it too where another license stays, and ends sooner', async () => {
    const [long] = [await issue('acme', { until: day(300) }), await issue('acme', { until: day(100) })];
    const one = await acts.run('revoke', long.id, '--out', acts.file('one.draft'));
    const gap = expect.stringContaining(`without a license from ${day(101)} on`) as unknown;
    expect([one.code, one.stderr]).toEqual([0, gap]);
    const other = await issue('other');
    const quiet = await acts.run('revoke', (await issue('other')).id, '--out', acts.file('quiet.draft'));
    expect([quiet.code, quiet.stderr]).toEqual([0, expect.not.stringContaining('WARNING')]);
    expect(await refused('supersede', other.id)).toEqual([0, expect.not.stringContaining('WARNING')]);
  });

  it('keep no license that does not count today', async () => {
    const first = await issue('acme');
    const next = await issue('acme', { from: day(10), until: day(300) });
    const last = await issue('acme');
    // A higher counter has begun, and yet this one has not.
    expect(await refused('supersede', next.id)).toEqual([3, expect.stringContaining(`begins on ${day(10)}`)]);
    await acts.publishSigned(await acts.succeed(acts.run('revoke', last.id)), ROOTS);
    expect(await refused('supersede', last.id)).toEqual([3, expect.stringContaining('is revoked or superseded')]);
    const later = { ...acts.runtime, nowMs: () => Date.now() + 400 * DAY_MS };
    const ended = await new KeysetActs(fixture, later).run('supersede', first.id);
    expect([ended.code, ended.stderr]).toEqual([3, expect.stringContaining(`ended on ${day(364)}`)]);
  });

  it('draft nothing for what is withdrawn already', async () => {
    const [first, second] = [await issue('acme'), await issue('acme')];
    const one = await acts.succeed(acts.run('revoke', first.id, '--out', acts.file('one.draft')));
    const onto = await refused('revoke', first.id, '--onto', one, '--out', acts.file('two.draft'));
    expect(onto).toEqual([2, expect.stringContaining('is revoked already')]);
    await acts.publishSigned(await acts.succeed(acts.run('supersede', second.id)), ROOTS);
    const again = await refused('supersede', second.id);
    expect(again).toEqual([2, expect.stringContaining('is superseded already')]);
  });
});

describe('an option that a draft does not need', () => {
  it('is refused by a stolen key, and said of a reason', async () => {
    await issue('acme');
    await acts.next('1.draft', [...FIRST, '--pre-publish', 'composite-1'], ROOTS);
    const honor = await refused('rotation', 'stolen', 'license-1', '--honor', 'x.json', '--log-key', 'x');
    expect(honor).toEqual([2, expect.stringContaining('--honor cannot be used yet')]);
    const stolen = await acts.run('rotation', 'stolen', 'license-1', '--early', 'no reason');
    expect([stolen.code, stolen.stderr]).toEqual([0, expect.stringContaining('note: no step comes too early')]);
    await acts.publishSigned(stolen.stdout.trim(), ROOTS);
    const spare = await refused('rotation', 'stolen', 'license-1', '--spare', 'composite-1');
    expect(spare).toEqual([2, expect.stringContaining('--spare cannot be used here')]);
  });

  it('is no reason to leave a draft without its table', async () => {
    await issue('acme');
    await acts.next('1.draft', [...FIRST, '--pre-publish', 'composite-1'], ROOTS);
    const stolen = ['rotation', 'stolen', 'license-1', '--out', acts.file('2.draft')];
    const table = acts.file('reissue.csv');
    writeFileSync(table, 'another table');
    const taken = await refused(...stolen, '--table', table);
    expect([taken[0], existsSync(acts.file('2.draft'))]).toEqual([11, false]);
    rmSync(table);
    await acts.succeed(acts.run(...stolen, '--table', table));
    // Cut short between the two files, it is run again.
    rmSync(acts.file('2.draft'));
    expect((await refused(...stolen, '--table', table))[0]).toBe(0);
  });
});

describe('the signatures on a draft', () => {
  it('are called of another draft before they are called given twice', async () => {
    await bothSign();
    const draft = await acts.draft('2.draft', '--expires', day(400));
    const other = await acts.draft('3.draft', '--expires', day(500), '--version', '3');
    const signatures = [await acts.sign(draft, 'root-1'), await acts.sign(other, 'root-1')];
    const done = await refused('keyset', 'publish', draft, ...signatures);
    expect(done).toEqual([3, expect.stringContaining('this is the signature of another draft')]);
  });
});

function kid(name: string): string {
  const site = JSON.parse(readFileSync(join(fixture.site, 'site.json'), 'utf8')) as {
    keys: { name: string; kid: string }[];
  };
  return site.keys.find((key) => key.name === name)?.kid ?? '';
}
