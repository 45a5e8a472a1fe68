/** docs/continuity.md, tried: a root is lost or stolen, a key file comes from its backup, the ledger was restored. */
import { cpSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtInChain, extendChain } from '../../verifier/keyset/index.ts';
import { KeysetActs } from '../support/keyset-acts.ts';
import { addKey } from '../support/site-keys.ts';
import { makeSite, type SiteFixture } from '../support/site-fixture.ts';

const ROOTS = ['root-1', 'root-2', 'root-3', 'root-4'] as const;
const FIRST = ['--add-root', 'root-1', '--add-root', 'root-2', '--add-root', 'root-3', '--threshold', '2'];

let fixture: SiteFixture;
let acts: KeysetActs;
let first: Uint8Array;
beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
  for (const root of ROOTS) await addKey(fixture, root, 'root');
  acts = new KeysetActs(fixture);
  await acts.next('1.draft', [...FIRST, '--activate', 'license-1'], ['root-1', 'root-2']);
  first = chain();
});
afterEach(() => {
  fixture.remove();
});

function chain(): Uint8Array {
  return readFileSync(join(fixture.site, 'keysets/chain.keyset'));
}

function key(name: string): string {
  return join(fixture.site, 'keys', `${name}.age`);
}

/** The version that a product with the first one built in takes from a file. */
function reached(file: Uint8Array): number {
  return extendChain(builtInChain(first, { issuer: 'example-vendor' }), file).chain.newest.version;
}

const EXCHANGE = ['--remove-root', 'root-1', '--add-root', 'root-4'];

describe('a root key', () => {
  it('that is lost is exchanged by the others, and products follow', async () => {
    rmSync(key('root-1'));
    await acts.next('2.draft', EXCHANGE, ['root-2', 'root-3']);
    expect(reached(chain())).toBe(2);
    await acts.next('3.draft', ['--expires', '2040-01-01'], ['root-4', 'root-2']);
    expect(reached(chain())).toBe(3);
  });

  it('that is the second one lost of three ends the chain, which the message says', async () => {
    rmSync(key('root-1'));
    rmSync(key('root-2'));
    const draft = await acts.draft('2.draft', ...EXCHANGE);
    const signatures = [await acts.sign(draft, 'root-3'), await acts.sign(draft, 'root-4')];
    const done = await acts.run('keyset', 'publish', draft, ...signatures);
    expect([done.code, done.stderr]).toEqual([
      3,
      expect.stringMatching(/only 1 of the 3 roots of version 1 signed, but 2 must sign/),
    ]);
    expect(chain()).toEqual(first);
  });

  it('that was stolen signs nothing that counts once it was removed, not even with another one that left', async () => {
    await acts.next('2.draft', EXCHANGE, ['root-2', 'root-3']);
    await acts.next('3.draft', ['--remove-root', 'root-2'], ['root-2', 'root-3', 'root-4']);
    // What the thief makes at a site of his own, on the version that both keys could sign.
    const thief = await makeSite({ algorithm: 'ed25519' });
    try {
      const there = new KeysetActs(thief);
      await addKey(thief, 'root-x', 'root');
      const mine = ['--add-root', 'root-x', '--threshold', '1', '--activate', 'license-1', '--version', '9'];
      const forged = readFileSync(await there.next('9.draft', mine, ['root-x']));
      const seen = extendChain(builtInChain(first, { issuer: 'example-vendor' }), chain()).chain;
      expect(extendChain(seen, forged)).toMatchObject({
        chain: seen,
        refused: { reason: 'keyset_threshold_previous' },
      });
      const adopted = await acts.run('keyset', 'adopt', join(thief.site, 'keysets/chain.keyset'));
      expect([adopted.code, adopted.stderr]).toEqual([3, expect.stringContaining('version 9 is refused')]);
    } finally {
      thief.remove();
    }
  });
});

describe('a key file', () => {
  it('that comes from its backup, with its claim, signs as before', async () => {
    const backup = acts.file('backup.age');
    cpSync(key('root-2'), backup);
    rmSync(key('root-2'));
    const draft = await acts.draft('2.draft', ...EXCHANGE);
    expect((await acts.runOpen('keyset', 'sign', draft, '--key', 'root-2')).code).not.toBe(0);
    renameSync(backup, key('root-2'));
    await acts.publish(draft, await acts.sign(draft, 'root-2'), await acts.sign(draft, 'root-3'));
    expect(reached(chain())).toBe(2);
  });
});

describe('a ledger that was restored', () => {
  it('takes up the keysets that it lost, and no root signs another one in their place', async () => {
    const copy = acts.file('copy.sqlite');
    await acts.succeed(acts.run('ledger', 'backup', copy));
    await acts.next('2.draft', EXCHANGE, ['root-2', 'root-3']);
    const published = acts.file('products.keyset');
    cpSync(join(fixture.site, 'keysets/chain.keyset'), published);
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(fixture.site, `ledger.sqlite${suffix}`), { force: true });
    const restored = await acts.run('ledger', 'restore', copy);
    expect([restored.code, restored.stderr]).toEqual([0, expect.anything()]);
    expect(await acts.succeed(acts.run('keyset', 'show'))).toMatch(/^version 1,/);
    const fork = await acts.draft('fork.draft', '--expires', '2040-01-01', '--version', '2');
    const refused = await acts.runOpen('keyset', 'sign', fork, '--key', 'root-2');
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('has signed version 2 already')]);
    await acts.succeed(acts.run('keyset', 'adopt', published));
    await acts.next('3.draft', ['--expires', '2040-01-01'], ['root-4', 'root-2']);
    expect(reached(chain())).toBe(3);
    await acts.succeed(acts.run('ledger', 'verify'));
  });
});

describe('a site folder that was restored whole', () => {
  let copy: string;
  beforeEach(() => {
    copy = acts.file('copy-of-the-site');
    cpSync(fixture.site, copy, { recursive: true });
  });

  /** The ledger, the keys and their records are as they were; the anchor is the place that nobody put back. */
  async function putBack(...args: readonly string[]): Promise<string> {
    rmSync(fixture.site, { recursive: true });
    cpSync(copy, fixture.site, { recursive: true });
    const restored = await acts.run('ledger', 'restore', ...args);
    expect([restored.code, restored.stderr]).toEqual([0, expect.anything()]);
    return restored.stderr;
  }

  async function refusedToSign(draft: string, root: string): Promise<string> {
    const { code, stderr } = await acts.runOpen('keyset', 'sign', draft, '--key', root);
    expect([code, existsSync(`${draft}.signature`)]).toEqual([4, false]);
    return stderr;
  }

  it('has no root key that signs another payload for a version that was published meanwhile', async () => {
    await acts.next('2.draft', EXCHANGE, ['root-2', 'root-3']);
    const published = acts.file('products.keyset');
    cpSync(join(fixture.site, 'keysets/chain.keyset'), published);
    expect(await putBack()).toContain('root keys of this site sign no keyset version up to 2');
    const fork = await acts.draft('fork.draft', '--expires', '2040-01-01', '--version', '2');
    for (const root of ['root-1', 'root-2', 'root-3'])
      expect(await refusedToSign(fork, root)).toContain('a version up to 2 may have been signed');
    await acts.succeed(acts.run('keyset', 'adopt', published));
    await acts.next('3.draft', ['--expires', '2040-01-01'], ['root-4', 'root-2']);
    expect(reached(chain())).toBe(3);
    await acts.succeed(acts.run('ledger', 'verify'));
  });

  it('has no root key that signs another payload for a version that another root had signed', async () => {
    await acts.sign(await acts.draft('7.draft', ...EXCHANGE, '--version', '7'), 'root-1');
    await acts.sign(await acts.draft('3.draft', ...EXCHANGE, '--version', '3'), 'root-2');
    await putBack();
    const fork = await acts.draft('fork.draft', '--expires', '2040-01-01', '--version', '3');
    for (const root of ['root-2', 'root-3'])
      expect(await refusedToSign(fork, root)).toContain('a version up to 7 may have been signed');
  });

  it('drafts nothing before it was said which versions products have', async () => {
    await acts.sign(await acts.draft('2.draft', ...EXCHANGE), 'root-2');
    await putBack();
    const silent = await acts.run('keyset', 'draft', '--expires', '2040-01-01', '--out', acts.file('next.draft'));
    expect([silent.code, silent.stderr]).toEqual([4, expect.stringContaining('a version up to 2 may be published')]);
    expect(silent.stderr).toContain('--version 3');
    const named = ['--expires', '2040-01-01', '--version', '3'];
    await acts.next('3.draft', named, ['root-2', 'root-3']);
    expect(reached(chain())).toBe(3);
  });

  it('asks for the last version where its anchor is lost too', async () => {
    await acts.sign(await acts.draft('2.draft', ...EXCHANGE), 'root-2');
    rmSync(fixture.anchor);
    rmSync(`${fixture.anchor}.guard`, { recursive: true });
    rmSync(fixture.site, { recursive: true });
    cpSync(copy, fixture.site, { recursive: true });
    const lost = ['ledger', 'restore', '--lost-anchor', '--skip', '10'];
    const unsaid = await acts.run(...lost);
    expect([unsaid.code, unsaid.stderr]).toEqual([2, expect.stringContaining('--signed-version N')]);
    await putBack('--lost-anchor', '--skip', '10', '--signed-version', '4');
    const fork = await acts.draft('fork.draft', '--expires', '2040-01-01', '--version', '2');
    expect(await refusedToSign(fork, 'root-2')).toContain('a version up to 4 may have been signed');
    await acts.next('5.draft', ['--expires', '2040-01-01', '--version', '5'], ['root-2', 'root-3']);
    await acts.succeed(acts.run('ledger', 'verify'));
  });

  it('goes on above the highest version that may be named for it', async () => {
    rmSync(fixture.anchor);
    rmSync(`${fixture.anchor}.guard`, { recursive: true });
    await putBack('--lost-anchor', '--skip', '10', '--signed-version', '1001');
    await acts.next('next.draft', ['--expires', '2040-01-01', '--version', '1002'], ['root-2', 'root-3']);
    expect(reached(chain())).toBe(1002);
  });

  it('keeps what it knows of signed versions through one more restore', async () => {
    await acts.sign(await acts.draft('9.draft', ...EXCHANGE, '--version', '9'), 'root-2');
    await putBack();
    rmSync(copy, { recursive: true });
    cpSync(fixture.site, copy, { recursive: true });
    await acts.sign(await acts.draft('10.draft', ...EXCHANGE, '--version', '10'), 'root-3');
    await putBack();
    const fork = await acts.draft('fork.draft', '--expires', '2040-01-01', '--version', '10');
    expect(await refusedToSign(fork, 'root-1')).toContain('a version up to 10 may have been signed');
  });
});
