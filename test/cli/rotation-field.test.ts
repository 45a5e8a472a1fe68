/**
 * The runtime of each product version in the field is asked at each point of a rotation, and answers what the simulator
 * predicted: on the way to the composite, on the days of a lost and of a stolen key, and where a step came too early.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../formats/bytes.ts';
import type { License } from '../../formats/license/license.ts';
import { openKeyFile } from '../../keys/private/software/key-file.ts';
import { openSite } from '../../signer/site/site.ts';
import { offerDishonest, signedWith } from '../support/dishonest-licenses.ts';
import { KeysetActs } from '../support/keyset-acts.ts';
import { predictedOn, ProductsInTheField, type Prediction } from '../support/products-in-the-field.ts';
import { addKey } from '../support/site-keys.ts';
import { makeSite, PASSPHRASE, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

const ROOTS = ['root-1', 'root-2'] as const;
const COMPOSITE = 'ed25519+ml-dsa-65';

let clock: number;
let fixture: SiteFixture;
let acts: KeysetActs;
let field: ProductsInTheField;

beforeEach(async () => {
  on('2027-01-04');
  const runtime = { nowMs: () => clock++ * 1000 };
  fixture = await makeSite({ algorithm: 'ed25519', runtime });
  for (const name of [...ROOTS, 'root-3']) await addKey(fixture, name, 'root', COMPOSITE);
  for (const name of ['license-2', 'spare-1', 'spare-2']) await addKey(fixture, name, 'license', COMPOSITE);
  acts = new KeysetActs(fixture, runtime);
  field = new ProductsInTheField(fixture.site);
});
afterEach(async () => {
  await field.remove();
  fixture.remove();
});

function on(day: string): void {
  clock = Date.parse(`${day}T09:00:00Z`) / 1000;
}

function kid(name: string): string {
  return openSite(fixture.site).config.keys.find((key) => key.name === name)?.publicKey.kid ?? '';
}

function releases(list: readonly Readonly<Record<string, unknown>>[]): void {
  const document = list.map((one) => ({ product: 'vaultdesk', ...one }));
  writeFileSync(
    join(fixture.site, 'releases.json'),
    JSON.stringify({ schema: 'vtlic-releases/1', releases: document }),
  );
}

async function simulated(...args: readonly string[]): Promise<Prediction> {
  const done = await acts.run('rotation', 'simulate', '--json', '--years', '2', ...args);
  expect([0, 19]).toContain(done.code);
  return JSON.parse(done.stdout) as Prediction;
}

/** What the products say now, and what the simulator says of them now. */
async function asked(): Promise<{ readonly products: unknown; readonly predicted: unknown }> {
  const products = await field.ask(clock);
  return { products, predicted: predictedOn(await simulated(), clock) };
}

const NOBODY = { products: [], predicted: [] };

async function issue(customer: string, until: string, key: string): Promise<void> {
  const from = new Date(clock * 1000).toISOString().slice(0, 10);
  const request = writeRequest(fixture, { customer, name: customer, from, until, graceDays: undefined });
  const plan = await acts.succeed(acts.run('issue', request, '--dry-run', '--key', key));
  await acts.succeed(acts.runOpen('issue', '--confirm', plan));
  await field.look(clock);
}

async function next(name: string, ...args: readonly string[]): Promise<void> {
  const draft = await acts.succeed(acts.run(...args, '--out', acts.file(name)));
  await acts.publishSigned(draft, ROOTS);
  await field.look(clock);
}

async function firstKeysets(): Promise<void> {
  releases([{ name: 'four', keys: [kid('license-1')], from: '2026-01-15', until: '2027-06-30' }]);
  await issue('acme', '2027-12-31', 'license-1');
  const roots = [...ROOTS, 'root-3'].flatMap((root) => ['--add-root', root]);
  await next('1.draft', 'keyset', 'draft', ...roots, '--threshold', '2', '--activate', 'license-1');
  await next('2.draft', 'rotation', 'pre-publish', 'license-2', 'spare-1');
}

/** A license as a thief signs it who has this key file and its passphrase. */
async function signedBy(name: string, original: string, changes: Partial<License>): Promise<string> {
  const path = join(fixture.site, `keys/${name}.age`);
  const key = await openKeyFile(path, field.keyOf(kid(name)), 'license', utf8(PASSPHRASE));
  return signedWith(key, original, changes);
}

async function expectNothingDishonest(): Promise<void> {
  const { offered, takers } = await offerDishonest(field);
  expect([offered > 0, takers]).toEqual([true, []]);
}

describe('the way to the composite', () => {
  it('refuses no honest license in any product, takes no dishonest one, and is what was simulated', async () => {
    await firstKeysets();
    expect(await asked()).toEqual(NOBODY);
    await expectNothingDishonest();

    on('2027-03-01');
    const four = { name: 'four', keys: [kid('license-1')], from: '2026-01-15', until: '2027-06-30' };
    const five = { name: 'five', keyset: 2, takesKeysets: true, from: '2027-03-01' };
    const alone = { name: 'five, alone', keyset: 2, from: '2027-03-01', until: '2027-09-30' };
    const override = [kid('license-1'), kid('license-2'), kid('spare-1')];
    const pinned = { name: 'five, pinned', keyset: 2, override, from: '2027-03-01', until: '2027-09-30' };
    const strict = { name: 'six', keyset: 3, takesKeysets: true, requireComposite: true, from: '2028-02-01' };
    releases([four, five, alone, pinned]);
    const plan = acts.file('plan.json');
    const steps = [
      ['2027-07-01', 'activate', 'license-2'],
      ['2027-08-02', 'retire', 'license-1'],
      ['2027-09-01', 'activate', 'spare-1'],
      ['2027-09-01', 'retire', 'license-2'],
    ].map(([day, step, key]) => ({ on: day, step, key }));
    writeFileSync(plan, JSON.stringify({ schema: 'vtlic-rotation-plan/1', issuer: 'example-vendor', steps }));
    const predicted = await simulated('--plan', plan);
    expect(predicted.refused).toEqual([]);
    expect(await asked()).toEqual(NOBODY);

    on('2027-07-01');
    await next('3.draft', 'rotation', 'activate', 'license-2', '--plan', plan);
    await issue('beta', '2028-06-30', 'license-2');
    expect(await asked()).toEqual(NOBODY);
    expect(predictedOn(predicted, clock)).toEqual([]);
    await expectNothingDishonest();

    on('2027-08-02');
    await next('4.draft', 'rotation', 'retire', 'license-1', '--plan', plan);
    expect(await asked()).toEqual(NOBODY);

    // A key is lost.
    on('2027-09-01');
    const lost = await acts.succeed(
      acts.run('rotation', 'lost', 'license-2', '--emergency', 'forgotten', '--out', acts.file('lost.draft')),
    );
    await next('5.draft', 'rotation', 'pre-publish', 'spare-2', '--onto', lost);
    await issue('gamma', '2028-08-31', 'spare-1');
    expect(await asked()).toEqual(NOBODY);
    expect(predictedOn(predicted, clock)).toEqual([]);
    await expectNothingDishonest();

    // A key is stolen: the thief's license counts until its key is revoked.
    on('2027-10-04');
    const gamma = field.licenses.find(({ license }) => license.sub === 'gamma');
    const far = { ctr: Number.MAX_SAFE_INTEGER, cti: '0193817a-6c00-7000-8000-00000000beef', seats: 9999 } as const;
    const forged = await signedBy('spare-1', gamma?.text ?? '', far);
    const late = await signedBy('spare-1', gamma?.text ?? '', { ctr: 2, seats: 'unlimited' });
    expect((await field.takers(forged)).length).toBeGreaterThan(1);
    const victim = (await field.takers(forged)).find(({ delivery }) => delivery === 'with a license');
    expect(await victim?.paste(forged)).toBe(true);
    await next('6.draft', 'rotation', 'stolen', 'spare-1', '--table', acts.file('reissue.csv'));
    await acts.succeed(acts.run('key', 'default', 'spare-2'));
    const batch = await acts.succeed(acts.run('batch', acts.file('reissue.csv'), '--dry-run'));
    await acts.succeed(acts.runOpen('batch', '--confirm', batch));
    await field.look(clock);
    expect(await asked()).toEqual(NOBODY);
    on('2027-10-05');
    await next('7.draft', 'rotation', 'stolen', 'spare-1', '--table', acts.file('reissue-2.csv'));
    await field.deliverChain();
    expect(await asked()).toEqual(NOBODY);
    for (const dishonest of [forged, late]) expect(await field.takers(dishonest)).toEqual([]);
    await expectNothingDishonest();

    // A release that takes no Ed25519 ships when the last license by Ed25519 has ended.
    on('2028-02-01');
    releases([five, strict]);
    expect(await asked()).toEqual(NOBODY);
    expect(field.installs.some(({ release }) => release.name === 'six')).toBe(true);
    await expectNothingDishonest();
  }, 900_000);
});

describe('a rotation in the wrong order', () => {
  it('is refused by exactly the products, and on exactly the days, that the simulator names', async () => {
    await firstKeysets();
    on('2027-03-01');
    const old = { name: 'four', keys: [kid('license-1')], from: '2026-01-15', until: '2028-03-31' };
    const five = { name: 'five', keyset: 2, takesKeysets: true, from: '2027-03-01' };
    releases([old, five]);
    const plan = acts.file('plan.json');
    const early = { releases: ['four'], reason: 'its customers know' };
    const steps = [
      { on: '2027-03-02', step: 'activate', key: 'license-2', early },
      { on: '2027-03-03', step: 'policy', ed25519Until: '2027-11-01', early: { ...early, customers: 1 } },
    ];
    writeFileSync(plan, JSON.stringify({ schema: 'vtlic-rotation-plan/1', issuer: 'example-vendor', steps }));
    const predicted = await simulated('--plan', plan);
    expect(predicted.refused.map(({ release, reason }) => [release, reason]).toSorted()).toEqual([
      ['five', 'algorithm_not_allowed'],
      ['four', 'key_unknown'],
    ]);

    on('2027-03-02');
    await next('3.draft', 'rotation', 'activate', 'license-2', '--plan', plan);
    expect(await asked()).toEqual(NOBODY);
    on('2027-03-03');
    await next('4.draft', 'keyset', 'draft', '--ed25519-until', '2027-11-01', '--plan', plan);
    expect(await asked()).toEqual(NOBODY);

    const days = [
      '2027-10-31',
      '2027-11-01',
      '2027-11-30',
      '2027-12-01',
      '2027-12-31',
      '2028-01-01',
      '2028-03-31',
      '2028-04-01',
    ];
    const refusals: string[][] = [];
    for (const day of days) {
      on(day);
      if (day === '2027-12-01') {
        const [acme] = field.licenses;
        const renewal = ['renew', acme?.license.cti ?? '', '--until', '2028-12-31', '--key', 'license-2'];
        const digest = await acts.succeed(acts.run(...renewal, '--dry-run'));
        await acts.succeed(acts.runOpen('renew', '--confirm', digest));
      }
      const products = await field.ask(clock);
      expect([day, products]).toEqual([day, predictedOn(predicted, clock)]);
      expect([day, products]).toEqual([day, predictedOn(await simulated(), clock)]);
      refusals.push(products.map(({ release, reason }) => `${release} ${reason}`));
    }
    const policy = 'five algorithm_not_allowed';
    const unknown = 'four key_unknown';
    expect(refusals).toEqual([[], [policy], [policy], [policy], [policy], [unknown], [unknown], []]);
  }, 900_000);

  it('is seen in products as simulated, where a stolen key is revoked without honoring anything', async () => {
    await firstKeysets();
    on('2027-03-01');
    releases([{ name: 'five', keyset: 2, takesKeysets: true, from: '2027-03-01' }]);
    await next('3.draft', 'rotation', 'activate', 'license-2');
    expect(await asked()).toEqual(NOBODY);
    on('2027-03-02');
    await next('4.draft', 'rotation', 'revoke', 'license-1', '--honor-nothing', '--early', 'the thief signs');
    const refusal = { release: 'five', lineage: 'example-vendor/vaultdesk/acme/prod-eu', reason: 'key_revoked' };
    expect(await asked()).toEqual({ products: [refusal], predicted: [refusal] });
  }, 900_000);
});
