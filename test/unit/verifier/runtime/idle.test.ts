/** What a license costs a product that does nothing with it. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packMain } from '../../../support/pack-main.ts';
import { compositeKey, licenseFile } from '../sample.ts';
import { Product } from './product.ts';

/** The goal is 1; a machine that is busy with other work makes each millisecond of CPU longer. */
const MAX_CPU_MILLISECONDS_A_MINUTE = 2;

let product: Product;
beforeEach(() => {
  product = new Product();
});
afterEach(async () => {
  await product.remove();
});

describe('a license that is open', () => {
  it('does not keep a process alive', async () => {
    writeFileSync(product.path, await licenseFile());
    const main = await packMain('test/unit/verifier/runtime/idle-child.ts');
    const ran = spawnSync(process.execPath, [main, product.folder], { encoding: 'utf8', timeout: 30_000 });
    expect({ status: ran.status, stdout: ran.stdout, stderr: ran.stderr }).toEqual({
      status: 0,
      stdout: 'active\n',
      stderr: '',
    });
  });

  it('costs about a millisecond of CPU a minute, its writes of the state included', async () => {
    await product.dropLicense({}, compositeKey);
    const license = await product.start();
    for (let minute = 0; minute < 20; minute++) await product.pass(60, license);
    const rounds: number[] = [];
    for (let round = 0; round < 5; round++) {
      const before = process.cpuUsage();
      for (let minute = 0; minute < 60; minute++) await product.pass(60, license);
      const { user, system } = process.cpuUsage(before);
      rounds.push((user + system) / 1000 / 60);
    }
    expect(license.state).toBe('active');
    expect(license.entitlements).toBe(license.view().entitlements);
    expect(Math.min(...rounds)).toBeLessThan(MAX_CPU_MILLISECONDS_A_MINUTE);
  });
});

describe('a listener that throws', () => {
  it('stops neither the others nor the product', async () => {
    await product.dropLicense();
    const license = await product.start();
    const heard: string[] = [];
    license.on('change', () => {
      throw new Error('a fault of the product');
    });
    const end = license.on('change', ({ state }) => heard.push(state));
    await product.dropLicense({ ctr: 8 });
    await license.refresh();
    end();
    await product.dropLicense({ ctr: 9 });
    await license.refresh();
    expect(heard).toEqual(['active']);
    expect(license.view().license?.counter).toBe(9);
  });
});
