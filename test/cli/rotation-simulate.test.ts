/** `vtlic rotation simulate` at a site with published keysets, sold licenses and a plan. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addYears, formatDay } from '../../formats/dates.ts';
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import { csv, day, row, writeBatch } from '../support/batch-file.ts';
import { KeysetActs } from '../support/keyset-acts.ts';
import type { RanHere } from '../support/run-here.ts';
import { addKey } from '../support/site-keys.ts';
import { makeSite, type SiteFixture } from '../support/site-fixture.ts';

const TODAY = formatDay(Math.floor(Date.now() / 1000 / DAY_SECONDS) * DAY_SECONDS);
const CUSTOMERS = 12;

let fixture: SiteFixture;
let acts: KeysetActs;
let plan: string;
const simulate = (...args: readonly string[]): Promise<RanHere> => acts.run('rotation', 'simulate', ...args);

function write(name: string, document: unknown): string {
  const file = join(fixture.folder, name);
  writeFileSync(file, JSON.stringify(document));
  return file;
}

const steps = [
  { on: day(5), step: 'pre-publish', key: 'license-2' },
  { on: day(40), step: 'activate', key: 'license-2' },
];
const release = (changes: object): object => ({ product: 'vaultdesk', from: '2026-01-01', ...changes });
const releases = (...list: readonly object[]): object => ({ schema: 'vtlic-releases/1', releases: list });

beforeAll(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
  for (const name of ['root-1', 'root-2']) await addKey(fixture, name, 'root');
  await addKey(fixture, 'license-2', 'license');
  acts = new KeysetActs(fixture);
  writeFileSync(join(fixture.site, 'releases.json'), JSON.stringify(releases()));
  const first = ['--add-root', 'root-1', '--add-root', 'root-2', '--threshold', '1', '--activate', 'license-1'];
  await acts.next('1.draft', first, ['root-1']);
  const rows = Array.from({ length: CUSTOMERS }, (_, i) => row(`customer-${i}`, { until: day(60 + 10 * i) }));
  const planned = await acts.run('batch', writeBatch(fixture, csv(rows)), '--new-customers', '--dry-run');
  await acts.succeed(acts.runOpen('batch', '--confirm', planned.stdout.trim()));
  plan = write('plan.json', { schema: 'vtlic-rotation-plan/1', issuer: 'example-vendor', steps });
  writeFileSync(
    join(fixture.site, 'releases.json'),
    JSON.stringify(
      releases(release({ name: 'old <5>', keyset: 1 }), release({ name: 'new', keyset: 1, takesKeysets: true })),
    ),
  );
});
afterAll(() => {
  fixture.remove();
});

describe('vtlic rotation simulate', () => {
  it('says that nobody is refused where nothing changes', async () => {
    const { code, stdout, stderr } = await simulate();
    expect([code, stdout]).toEqual([0, 'no license is refused\n']);
    expect(stderr).toContain(`12 customers, 2 releases, from ${TODAY} to `);
  });

  it('names each time, the release that refuses, how many customers, and one of them; exit code 19', async () => {
    const { code, stdout, stderr } = await simulate('--plan', plan, '--years', '1');
    expect(code).toBe(19);
    expect(stderr).toContain('12 customers would be refused');
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^from +until +release +customers +reason +one of them$/);
    // The licenses are renewed 30 days before their end: the first that ends after day 70 has the new key.
    expect(lines[1]).toMatch(
      new RegExp(`^${day(71)} +\\S+ +old <5> +1 +key_unknown +example-vendor/vaultdesk/customer-1`),
    );
    expect(lines.at(-1)).toContain('old <5>');
    expect(stdout).not.toMatch(/\bnew\b/);
  });

  it('gives every refusal as JSON', async () => {
    const { code, stdout } = await simulate('--plan', plan, '--json');
    expect(code).toBe(19);
    const found: unknown = JSON.parse(stdout);
    expect(found).toMatchObject({ schema: 'vtlic-rotation-simulation/1', customers: 12, withoutKey: [] });
    const { refused } = found as { readonly refused: readonly Record<string, string>[] };
    expect(refused.map(({ release: name, from }) => [name, from])).toContainEqual(['old <5>', day(71)]);
    const until = addYears(Date.parse(TODAY) / 1000, 3) - DAY_SECONDS;
    expect(refused.every((one) => one['until'] === formatDay(until))).toBe(true);
  });

  it('draws a picture with nothing in it that a name could change', async () => {
    const svg = join(fixture.folder, 'plan.svg');
    await simulate('--plan', plan, '--svg', svg);
    const text = readFileSync(svg, 'utf8');
    expect(text).toContain('old &lt;5&gt;');
    expect(text).toContain('activate license-2');
    expect(text).not.toContain('<5>');
    const again = await simulate('--svg', svg);
    expect([again.code, readFileSync(svg, 'utf8')]).toEqual([11, text]);
  });

  it('finds no refusal once the releases have left, or learned', async () => {
    const soon = write(
      'soon.json',
      releases(release({ name: 'old', keyset: 1, until: day(69) }), release({ name: 'new', keyset: 2, from: day(6) })),
    );
    expect((await simulate('--plan', plan, '--releases', soon)).code).toBe(0);
  });

  it.each([
    [
      'a plan that names an unknown release',
      [{ ...steps[0], early: { releases: ['9.9'], reason: 'x' } }],
      'is not a release that releases.json names',
    ],
    ['a plan that names an unknown key', [{ ...steps[0], key: 'license-9' }], 'names no key of this site'],
    ['a plan whose days are not in order', steps.toReversed(), 'not in the order of their days'],
    ['a step that cannot follow', [{ ...steps[0], step: 'retire' }], 'cannot be done: the key'],
  ])('refuses %s, and writes nothing', async (_, bad, message) => {
    const file = write('bad.json', { schema: 'vtlic-rotation-plan/1', issuer: 'example-vendor', steps: bad });
    const svg = join(fixture.folder, 'not-made.svg');
    const { code, stdout, stderr } = await simulate('--plan', file, '--svg', svg);
    expect([code, stdout, existsSync(svg)]).toEqual([3, '', false]);
    expect(stderr).toContain(message);
  });

  it('asks for the releases where there is no file, and where it names none', async () => {
    const none = await simulate('--releases', write('none.json', releases()));
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('releases.json names no release')]);
    rmSync(join(fixture.site, 'releases.json'));
    const missing = await simulate();
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('write releases.json')]);
  });
});
