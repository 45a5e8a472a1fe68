/** Paths in the environment that lead to links, pipes and devices, or that contain what a terminal would obey. */
import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireLock } from '../../../../verifier/runtime/stores/lock.ts';
import { checkLicense, fileStore, type LicenseOptions } from '../../../../verifier/runtime/index.ts';
import { packMain } from '../../../support/pack-main.ts';
import { ed25519Key, licenseFile } from '../sample.ts';
import { listen, Product, textOf } from './product.ts';

let product: Product;
beforeEach(async () => {
  product = new Product();
  await product.dropLicense({ ctr: 7 });
});
afterEach(async () => {
  await product.remove();
});

const withVariables = (variables: Readonly<Record<string, string>>): Partial<LicenseOptions> => ({
  environment: { ...product.options().environment, ...variables },
});

const pipeAt = (path: string): string => {
  execFileSync('mkfifo', [path]);
  return path;
};

describe('a state behind a link', () => {
  const linkTo = (target: string): string => {
    const link = join(product.folder, 'link.state');
    symlinkSync(target, link);
    return link;
  };

  it('is made, and written, where the link points to, which stays a link', async () => {
    const volume = join(product.folder, 'volume');
    mkdirSync(volume);
    const link = linkTo('volume/license.state');
    const options = withVariables({ LICENSE_STATE_PATH: link });
    const first = await product.start(options);
    expect(readdirSync(volume)).toEqual(['license.state']);
    await first.install(textOf(await licenseFile({ ctr: 8 })));
    await first.close();
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    await product.dropLicense({ ctr: 7 });
    const real = withVariables({ LICENSE_STATE_PATH: join(volume, 'license.state') });
    expect((await product.refusal(real)).code).toBe('counter_rolled_back');
  });

  it('is not reached, rather than new, where the folder that the link leads to is missing', async () => {
    const options = withVariables({ LICENSE_STATE_PATH: linkTo('unmounted/license.state') });
    expect(await product.refusal(options)).toMatchObject({
      code: 'state_unwritable',
      detail: expect.stringContaining('the folder of this file does not exist') as string,
    });
    expect((await checkLicense(product.options(options))).refusal?.code).toBe('state_unwritable');
  });

  it('has one lock for all who use it, by the link, by a linked folder or by its own path', async () => {
    const real = join(product.folder, 'license.state');
    const alias = `${product.folder}-alias`;
    symlinkSync(product.folder, alias);
    try {
      const held = await acquireLock(fileStore(real), 1000);
      for (const path of [linkTo('license.state'), join(alias, 'link.state')])
        expect(await acquireLock(fileStore(path), 50)).toBeUndefined();
      await held?.release();
      expect(existsSync(`${real}.lock`)).toBe(false);
    } finally {
      unlinkSync(alias);
    }
  });
});

describe('a pipe', () => {
  it('in the place of the license, the keyset or the state never holds a product', async () => {
    const pipe = pipeAt(join(product.folder, 'pipe'));
    expect((await product.refusal(withVariables({ LICENSE_PATH: pipe }))).code).toBe('file_missing');
    expect((await product.refusal(withVariables({ LICENSE_STATE_PATH: pipe }))).code).toBe('state_unwritable');
    expect((await product.start(withVariables({ LICENSE_KEYSET_PATH: pipe }))).state).toBe('active');
  });

  it('is not a file for a key of the override', async () => {
    const pipe = pipeAt(join(product.folder, 'pipe'));
    const key = Buffer.from(ed25519Key.publicKey.bytes).toString('base64');
    const writer = spawn('sh', ['-c', `printf %s "$1" > "$0"`, pipe, key], { stdio: 'ignore' });
    try {
      await expect(product.start(withVariables({ LICENSE_PUBLIC_KEY: `file:${pipe}` }))).rejects.toMatchObject({
        code: 'configuration_invalid',
        place: { field: 'LICENSE_PUBLIC_KEY' },
      });
    } finally {
      writer.kill();
    }
  });
});

describe('a lock of the state that is', () => {
  it.each([
    ['a folder', (lock: string): unknown => mkdirSync(lock)],
    ['a pipe', pipeAt],
  ])('%s leaves the product without one, with a warning at the start and at an installation', async (_what, make) => {
    const lock = `${product.statePath}.lock`;
    make(lock);
    const license = await product.start();
    const unusable = expect.objectContaining({
      code: 'state_lock_unusable',
      detail: expect.stringContaining(`the file ${product.statePath}: `) as string,
    }) as unknown;
    expect(license.view().warnings).toContainEqual(unusable);
    const heard = listen(license);
    product.running += 600;
    await license.refresh();
    expect(license.view().warnings).not.toContainEqual(unusable);
    expect(await license.install(textOf(await licenseFile({ ctr: 8 })))).toMatchObject({ ok: true });
    expect(license.view().warnings).toContainEqual(unusable);
    expect(heard).toContain('warning state_lock_unusable');
    // The counter was taken all the same.
    await license.close();
    await product.dropLicense({ ctr: 7 });
    expect((await product.refusal()).code).toBe('counter_rolled_back');
  });

  it('free again is taken without a warning', async () => {
    const license = await product.start();
    expect(license.view().warnings.map(({ code }) => code)).toEqual(['state_created']);
  });
});

describe('what someone puts beside the state', () => {
  const renew = async (): Promise<boolean> => {
    const running = await product.start();
    return (await running.install(textOf(await licenseFile({ ctr: 8 })))).ok;
  };

  it('does not lead a note of the lock into another file, nor hold the product', async () => {
    const other = join(product.folder, 'other');
    writeFileSync(other, 'not ours');
    symlinkSync(other, `${product.statePath}.lock.new`);
    expect(await renew()).toBe(true);
    expect(readFileSync(other, 'utf8')).toBe('not ours');
    pipeAt(`${product.statePath}.lock.new`);
    const main = await packMain('test/unit/verifier/runtime/lock-child.ts');
    // In a process of its own: a product that opens the pipe waits for ever.
    expect(execFileSync(process.execPath, [main, product.statePath], { encoding: 'utf8', timeout: 20_000 })).toBe(
      'locked\n',
    );
  });

  it.each(['a pipe', 'a folder'])('is named where %s takes the place of the guard', async (what) => {
    const guard = `${product.statePath}.guard`;
    if (what === 'a pipe') pipeAt(guard);
    else mkdirSync(guard);
    expect(await product.refusal()).toMatchObject({
      code: 'state_unwritable',
      detail: expect.stringContaining(`${guard} is in the way`) as string,
    });
  });
});

describe('a path with an escape sequence', () => {
  it('is shown harmlessly in errors, notices and views', async () => {
    const hostile = join(product.folder, 'a\u001b[2Jb\u202ec');
    const cases = [
      withVariables({ LICENSE_PATH: hostile }),
      withVariables({ LICENSE_STATE_PATH: join(hostile, 'state') }),
    ];
    for (const options of cases) {
      const { view, refusal } = await checkLicense(product.options(options));
      expect(refusal?.detail).toContain('a\\u{001B}[2Jb\\u{202E}c');
      expect(JSON.stringify({ ...view, refusal })).not.toMatch(/\\u001b|\u202e/);
      await expect(product.start(options)).rejects.toThrow('a\\u{001B}[2Jb\\u{202E}c');
    }
  });
});
