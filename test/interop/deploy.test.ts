/** The examples of `examples/`, from their first start to the renewal, as processes of their own over real HTTP. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../support/run-cli.ts';
import { EXAMPLES, ExampleProduct } from './example-product.ts';

/** What two products on different frameworks have in common. */
const SHARED_CODE = ['admin.js', 'database.js', 'license-options.js', 'product.js', 'storage.js', 'try-clock.js'];
const SHARED_FILES = [...SHARED_CODE, 'Dockerfile', '.dockerignore', 'compose.yaml', 'example.env'];

it('the examples differ in nothing but their framework', () => {
  const [first, second] = EXAMPLES.map((name) =>
    SHARED_FILES.map((file) => readFileSync(join(ROOT, 'examples', name, file), 'utf8')),
  );
  expect(second).toEqual(first);
});

describe.each(EXAMPLES)('the example %s', (name) => {
  let product: ExampleProduct;
  beforeAll(() => {
    product = new ExampleProduct(name);
  });
  afterAll(() => product.remove());

  it('does not start without a license, and says what to do', async () => {
    await expect(product.start()).rejects.toThrow(
      /exit 20: [^]*license.vtlic[^]*hint: Put the license file at the path/,
    );
  });

  it('starts with its license', async () => {
    product.write('data/license.vtlic', await product.license(7, 10));
    expect(product.check()).toMatchObject({ status: 0, said: expect.stringMatching(/^full: /m) as unknown });
    await product.start();
    expect(await product.entitlements()).toBe('active enterprise 250');
    expect(await Promise.all(['ada', 'bob', 'cleo', 'dan'].map((user) => product.addUser(user)))).toEqual(
      Array.from({ length: 4 }, () => 201),
    );
    expect((await product.get('/audit-export')).status).toBe(200);
    expect(await product.health()).toEqual({ status: 200, body: { status: 'ok', license: 'active' } });
  });

  it('loses nothing in grace, and warns', async () => {
    product.setClock(11);
    await product.untilEntitled('grace enterprise 250');
    expect(await product.addUser('eve')).toBe(201);
    expect(await product.health()).toEqual({ status: 200, body: { status: 'attention', license: 'grace' } });
    expect(await product.metrics()).toMatch(/^vtlic_license_expires_in_seconds -\d/m);
    expect(product.check()).toMatchObject({ status: 23 });
  });

  it('goes on in its free tier after the grace, over a restart too, and takes away no user', async () => {
    product.setClock(41);
    await product.untilEntitled('free_tier free 3');
    expect(await product.stop()).toBe(0);
    await product.start();
    expect(await product.entitlements()).toBe('free_tier free 3');
    expect(await product.addUser('fred')).toBe(402);
    expect((await product.get('/audit-export')).status).toBe(402);
    expect((await product.get('/users')).body).toEqual(['ada', 'bob', 'cleo', 'dan', 'eve']);
    expect(product.check()).toMatchObject({ status: 24 });
  });

  it('shows its admin page to nobody without the password', async () => {
    expect(await product.adminPage(undefined, 'wrong horse battery')).toMatchObject({ status: 401 });
    expect((await product.adminPage()).text).toContain('Free tier');
  });

  it('takes a renewal on its admin page with the password only, and is full at once', async () => {
    const renewal = await product.license(8, 365);
    expect((await product.paste(renewal, 'wrong horse battery')).status).toBe(403);
    expect(await product.entitlements()).toBe('free_tier free 3');
    expect((await product.paste(renewal)).text).toContain('The license is installed and in force.');
    expect(await product.entitlements()).toBe('active enterprise 400');
    expect(await product.addUser('fred')).toBe(201);
    expect(readFileSync(product.path('data/license.vtlic'))).toEqual(Buffer.from(renewal));
    const audit = readFileSync(product.path('data/audit.jsonl'), 'utf8').trim().split('\n');
    const phases = audit.map((line) => JSON.parse(line) as { phase: string; operator: string });
    expect(phases.map(({ phase, operator }) => `${phase} ${operator}`)).toEqual([
      'not_confirmed ola',
      'before ola',
      'after ola',
    ]);
  });

  it('does not start with the license before the renewal', async () => {
    expect(await product.stop()).toBe(0);
    product.write('data/license.vtlic', await product.license(7, 10));
    await expect(product.start()).rejects.toThrow(/exit 20: [^]*older than one that was accepted here before/);
    product.write('data/license.vtlic', await product.license(8, 365));
    await product.start();
    expect(await product.entitlements()).toBe('active enterprise 400');
  });
});
