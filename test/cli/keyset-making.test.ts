/** Keysets are drafted, signed by root keys at two sites, published, and taken by a product. */
import { cpSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLedgerForReading } from '../../signer/ledger/open.ts';
import { builtInChain, extendChain } from '../../verifier/keyset/index.ts';
import { KeysetActs } from '../support/keyset-acts.ts';
import { runHere } from '../support/run-here.ts';
import { addKey } from '../support/site-keys.ts';
import { makeSite, type SiteFixture } from '../support/site-fixture.ts';

const ISSUER = 'example-vendor';
let fixture: SiteFixture;
let acts: KeysetActs;
const others: SiteFixture[] = [];

beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
  for (const name of ['root-1', 'root-2', 'root-3']) await addKey(fixture, name, 'root');
  await addKey(fixture, 'license-2', 'license');
  acts = new KeysetActs(fixture);
  writeFileSync(join(fixture.site, 'releases.json'), JSON.stringify({ schema: 'vtlic-releases/1', releases: [] }));
});
afterEach(() => {
  for (const site of [fixture, ...others.splice(0)]) site.remove();
});

const FIRST = ['--add-root', 'root-1', '--add-root', 'root-2', '--threshold', '2', '--activate', 'license-1'];

/** A second site of the same vendor, with a root key of its own. */
async function otherSite(root: string): Promise<KeysetActs> {
  const other = await makeSite({ algorithm: 'ed25519' });
  others.push(other);
  await addKey(other, root, 'root');
  return new KeysetActs(other);
}

async function publicKeyFile(of: KeysetActs, name: string): Promise<string> {
  const file = of.file(`${name}.pem`);
  await of.succeed(of.run('key', 'export', name, '--out', file));
  return `file:${file}`;
}

describe('making keysets', () => {
  it('publishes a first version, and a second one that a product with the first built in takes', async () => {
    const first = readFileSync(await acts.next('1.draft', FIRST, ['root-1', 'root-2']));
    const second = readFileSync(await acts.next('2.draft', ['--pre-publish', 'license-2'], ['root-1', 'root-2']));
    const builtIn = builtInChain(first, { issuer: ISSUER });
    const { chain, refused } = extendChain(builtIn, second);
    expect([refused, chain.newest.version]).toEqual([undefined, 2]);
    expect(chain.newest.keys.map(({ status }) => status).sort()).toEqual(['active', 'pre-published']);
    expect(readFileSync(join(fixture.site, 'keysets/chain.keyset'))).toEqual(second);
    expect(existsSync(join(fixture.site, 'keysets/2.keyset'))).toBe(true);
    const ledger = openLedgerForReading(join(fixture.site, 'ledger.sqlite'));
    try {
      expect((await ledger.verify()).head.entries).toBe(7);
      const kinds = ledger.adminEntries().map(({ body }) => ('act' in body ? body.act : ''));
      const signings = ['keyset-signing', 'keyset-signing'];
      expect(kinds).toEqual([...signings, 'keyset', ...signings, 'keyset']);
    } finally {
      ledger.close();
    }
    const status = await acts.succeed(acts.run('ledger', 'status'));
    expect(status).toContain('keyset published: version 2');
    const shown = await acts.succeed(acts.run('keyset', 'show'));
    expect(shown).toMatch(/^version 2, published /);
    expect(shown).toContain('(license-2)');
  });

  it('says in words what a draft changes', async () => {
    await acts.next('1.draft', FIRST, ['root-1', 'root-2']);
    const roots = ['--add-root', 'root-3', '--remove-root', 'root-1'];
    const key = ['--pre-publish', 'license-2', '--products', 'license-2=vaultdesk'];
    const dates = ['--ed25519-until', '2031-01-01', '--expires', '2030-01-01', '--early', 'a test'];
    const draft = await acts.draft('2.draft', ...roots, ...key, ...dates);
    const shown = await acts.succeed(acts.run('keyset', 'show', draft));
    expect(shown).toContain('KEYSET VERSION 2 of example-vendor, after version 1');
    expect(shown).toMatch(/- the key root-3 \(Ed25519, [0-9a-f]{16}…\) becomes a root/);
    expect(shown).toMatch(/- the key root-1 .* is no longer a root/);
    expect(shown).toMatch(/- the key license-2 .*products vaultdesk, is new, and becomes pre-published/);
    expect(shown).toContain('policy: from 2031-01-01T00:00:00Z on, products refuse licenses signed with only Ed25519');
    expect(shown).toContain('the keyset expires on 2030-01-01 (products then only warn)');
    expect(shown).toMatch(/payload SHA-256 [0-9a-f]{64}/);
  });

  it('takes a root key of another site, which adopts the chain before it signs the next version', async () => {
    const other = await otherSite('root-far');
    const far = await publicKeyFile(other, 'root-far');
    const draft = await acts.draft('1.draft', ...FIRST, '--add-root', far);
    const carried = other.file('1.draft');
    cpSync(draft, carried);
    await acts.publish(draft, await acts.sign(draft, 'root-1'), await other.sign(carried, 'root-far'));
    const second = await acts.draft('2.draft', '--pre-publish', 'license-2');
    cpSync(second, other.file('2.draft'));
    const unknown = await other.runOpen('keyset', 'sign', other.file('2.draft'));
    expect([unknown.code, unknown.stderr]).toEqual([
      10,
      expect.stringMatching(/follows version 1 .* knows no published keyset/),
    ]);
    expect(unknown.stderr).toContain('keyset adopt CHAIN');
    cpSync(join(fixture.site, 'keysets/chain.keyset'), other.file('chain.keyset'));
    await other.succeed(other.run('keyset', 'adopt', other.file('chain.keyset')));
    const signature = await other.sign(other.file('2.draft'), 'root-far');
    await acts.publish(second, await acts.sign(second, 'root-2'), signature);
    // The same again takes nothing up.
    const again = await other.run('keyset', 'adopt', other.file('chain.keyset'));
    expect([again.code, again.stderr]).toEqual([
      0,
      expect.stringContaining('this site has every version of the file already'),
    ]);
  });
});

describe('a command that is repeated because it was cut off at its very end', () => {
  const later = (): KeysetActs => new KeysetActs(fixture, { nowMs: () => Date.now() + 5000 });

  it('as a draft, says that the draft is whole, and each way out that it names works', async () => {
    const draft = await acts.succeed(acts.run('keyset', 'draft', ...FIRST));
    const again = await later().run('keyset', 'draft', ...FIRST);
    expect([again.code, again.stderr]).toEqual([11, expect.stringContaining(`vtlic keyset show ${draft}`)]);
    expect(await acts.succeed(acts.run('keyset', 'show', draft))).toMatch(/^KEYSET VERSION 1 /);
    await acts.succeed(later().run('keyset', 'draft', ...FIRST, '--out', acts.file('another.draft')));
    renameSync(draft, acts.file('moved.draft'));
    expect(await acts.succeed(later().run('keyset', 'draft', ...FIRST))).toBe(draft);
    await acts.publishSigned(acts.file('moved.draft'), ['root-1', 'root-2']);
  });

  it('as a signature of a composite key, keeps the signature that is there', async () => {
    await addKey(fixture, 'root-pq', 'root', 'ed25519+ml-dsa-65');
    const draft = await acts.draft('1.draft', '--add-root', 'root-pq', '--threshold', '1', '--activate', 'license-1');
    const signature = await acts.sign(draft, 'root-pq');
    const bytes = readFileSync(signature);
    const again = await acts.runOpen('keyset', 'sign', draft, '--key', 'root-pq');
    expect([again.code, again.stdout.trim(), readFileSync(signature)]).toEqual([0, signature, bytes]);
    expect(again.stderr).toContain('the file already contains a valid signature by this key');
    // What is not that signature stays too, and is named.
    const text = bytes.toString().replace(/"signature": "..../, '"signature": "AAAA');
    writeFileSync(signature, text);
    const other = await acts.runOpen('keyset', 'sign', draft, '--key', 'root-pq');
    expect([other.code, readFileSync(signature, 'utf8')]).toEqual([11, text]);
  });
});

describe('a root key', () => {
  it('signs the same draft again, and no other draft of that version', async () => {
    const draft = await acts.draft('1.draft', ...FIRST);
    await acts.sign(draft, 'root-1');
    rmSync(acts.file(`1.draft.${kid('root-1').slice(0, 8)}.signature`));
    await acts.sign(draft, 'root-1');
    const other = await acts.draft('other.draft', ...FIRST, '--pre-publish', 'license-2', '--version', '1');
    const refused = await acts.runOpen('keyset', 'sign', other, '--key', 'root-1');
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('has signed version 1 already')]);
    expect(existsSync(acts.file(`other.draft.${kid('root-1').slice(0, 8)}.signature`))).toBe(false);
    const higher = await acts.draft('2.draft', ...FIRST, '--pre-publish', 'license-2', '--version', '2');
    await acts.sign(higher, 'root-1');
    const lower = await acts.runOpen('keyset', 'sign', other, '--key', 'root-1');
    expect([lower.code, lower.stderr]).toEqual([4, expect.stringContaining('never signs a second payload for it')]);
  });

  it('signs no other draft of a version that another root of its site signed, and the next number is free', async () => {
    const draft = await acts.draft('1.draft', ...FIRST);
    await acts.sign(draft, 'root-1');
    const other = await acts.draft('other.draft', ...FIRST, '--expires', '2040-01-01', '--version', '1');
    const refused = await acts.runOpen('keyset', 'sign', other, '--key', 'root-2');
    expect([refused.code, refused.stderr]).toEqual([
      4,
      expect.stringContaining(`the root key ${kid('root-1')} of this site has signed version 1 already`),
    ]);
    expect(refused.stderr).toContain('vtlic keyset draft --version 2');
    await acts.sign(draft, 'root-2');
    const args = ['keyset', 'draft', ...FIRST, '--expires', '2040-01-01', '--out', acts.file('free.draft')];
    const free = await acts.run(...args);
    expect([free.code, free.stderr]).toEqual([0, expect.stringContaining('this draft is version 2')]);
    expect(free.stderr).toMatch(/destroy the earlier draft of version \d+, and every signature on it/);
    // A change to the draft that was signed gets a number of its own too.
    const onto = await acts.draft('onto.draft', '--onto', draft, '--expires', '2041-01-01');
    expect(await acts.succeed(acts.run('keyset', 'show', onto))).toMatch(/^KEYSET VERSION 2 /);
    await acts.publishSigned(acts.file('free.draft'), ['root-1', 'root-2']);
  });

  it('of another site is not published with, where a root key here signed another payload for the version', async () => {
    const other = await otherSite('root-far');
    const one = ['--add-root', 'root-1', '--add-root', await publicKeyFile(other, 'root-far'), '--threshold', '1'];
    const draft = await acts.draft('1.draft', ...one, '--activate', 'license-1');
    const conflicting = await acts.draft('other.draft', ...one, '--activate', 'license-2');
    const signature = await acts.sign(draft, 'root-1');
    cpSync(conflicting, other.file('other.draft'));
    const far = await other.sign(other.file('other.draft'), 'root-far');
    const refused = await acts.run('keyset', 'publish', conflicting, far);
    expect([refused.code, refused.stderr]).toEqual([
      4,
      expect.stringContaining(`the root key ${kid('root-1')} of this site has signed version 1 already`),
    ]);
    // Where the other one was published, its site is asked to destroy what its own root signed.
    cpSync(await acts.publish(draft, signature), other.file('chain.keyset'));
    const taken = await other.run('keyset', 'adopt', other.file('chain.keyset'));
    expect([taken.code, taken.stderr]).toEqual([
      0,
      expect.stringMatching(/root-far signed another payload for version 1/),
    ]);
  });

  it.each(['deleted', 'restored'])('refuses another draft although its record beside the key was %s', async (how) => {
    const record = join(fixture.site, 'keys/root-1.signed.json');
    const first = await acts.draft('1.draft', ...FIRST);
    await acts.sign(first, 'root-1');
    const old = readFileSync(record);
    const second = await acts.draft('2.draft', ...FIRST, '--version', '2', '--expires', '2031-01-01');
    await acts.sign(second, 'root-1');
    if (how === 'deleted') rmSync(record);
    else writeFileSync(record, old);
    const other = await acts.draft('other.draft', ...FIRST, '--version', '2', '--expires', '2032-01-01');
    const refused = await acts.runOpen('keyset', 'sign', other, '--key', 'root-1');
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('has signed version 2 already')]);
    // The draft that was signed is signed again, and the record is made again.
    rmSync(acts.file(`2.draft.${kid('root-1').slice(0, 8)}.signature`));
    const done = await acts.runOpen('keyset', 'sign', second, '--key', 'root-1');
    expect([done.code, done.stderr]).toEqual([0, expect.anything()]);
    if (how === 'deleted') expect(done.stderr).toContain('is missing, the record of what this root key signed');
    expect(JSON.parse(readFileSync(record, 'utf8'))).toMatchObject({ version: 2 });
  });

  it('refuses another draft by the record beside it, where the ledger was lost', async () => {
    const draft = await acts.draft('1.draft', ...FIRST);
    await acts.sign(draft, 'root-1');
    const record = readFileSync(join(fixture.site, 'keys/root-1.signed.json'));
    const other = await makeSite({ algorithm: 'ed25519' });
    others.push(other);
    await addKey(other, 'root-2', 'root');
    // The key files as they were, in a site with another ledger: the record of root-1 goes with its key.
    for (const name of ['root-1.age']) cpSync(join(fixture.site, 'keys', name), join(other.site, 'keys', name));
    writeFileSync(join(other.site, 'keys/root-1.signed.json'), record);
    const site = JSON.parse(readFileSync(join(other.site, 'site.json'), 'utf8')) as { keys: unknown[] };
    const first = JSON.parse(readFileSync(join(fixture.site, 'site.json'), 'utf8')) as { keys: { name: string }[] };
    site.keys.push(first.keys.find(({ name }) => name === 'root-1'));
    writeFileSync(join(other.site, 'site.json'), JSON.stringify(site));
    const there = new KeysetActs(other);
    const forged = await there.draft('forged.draft', ...FIRST);
    const refused = await there.runOpen('keyset', 'sign', forged, '--key', 'root-1');
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('has signed version 1 already')]);
  });

  it('refuses a record of another key, and one with a member twice', async () => {
    const draft = await acts.draft('1.draft', ...FIRST);
    await acts.sign(draft, 'root-1');
    const record = join(fixture.site, 'keys/root-1.signed.json');
    const text = readFileSync(record, 'utf8');
    rmSync(acts.file(`1.draft.${kid('root-1').slice(0, 8)}.signature`));
    writeFileSync(record, text.replace(kid('root-1'), kid('root-2')));
    const wrong = await acts.runOpen('keyset', 'sign', draft, '--key', 'root-1');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('this is the record of another root key')]);
    writeFileSync(record, text.replace('"version":1', '"version":1,"version":2'));
    const twice = await acts.runOpen('keyset', 'sign', draft, '--key', 'root-1');
    expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining('"version" is repeated')]);
  });

  it('writes its signature nowhere else than where it is named, also where a link is in the way', async () => {
    const draft = await acts.draft('1.draft', ...FIRST);
    const target = acts.file('elsewhere');
    symlinkSync(target, acts.file('signature'));
    const done = await acts.runOpen('keyset', 'sign', draft, '--key', 'root-1', '--out', acts.file('signature'));
    expect([done.code, existsSync(target)]).toEqual([11, false]);
  });
});

function kid(name: string): string {
  const site = JSON.parse(readFileSync(join(fixture.site, 'site.json'), 'utf8')) as {
    keys: { name: string; kid: string }[];
  };
  return site.keys.find((key) => key.name === name)?.kid ?? '';
}

describe('the review', () => {
  it('signs nothing but the payload that was reviewed', async () => {
    const draft = await acts.draft('1.draft', ...FIRST);
    const digest = /SHA-256 ([0-9a-f]{64})/.exec(await acts.succeed(acts.run('keyset', 'show', draft)))?.[1] ?? '';
    const other = await acts.draft('other.draft', ...FIRST, '--pre-publish', 'license-2');
    cpSync(other, draft);
    const args = ['keyset', 'sign', draft, '--key', 'root-1', '--confirm', digest, '--site', fixture.site];
    const refused = await runHere([...args, ...fixture.secret]);
    expect([refused.code, refused.stderr]).toEqual([10, expect.stringContaining('not the one that was reviewed')]);
    const blind = await runHere([
      'keyset',
      'sign',
      draft,
      '--key',
      'root-1',
      '--site',
      fixture.site,
      ...fixture.secret,
    ]);
    expect([blind.code, blind.stderr]).toEqual([2, expect.stringContaining('there is no terminal')]);
  });

  it('shows an escape in a reason as text, and takes no reason that contains one', async () => {
    const draft = await acts.draft('1.draft', ...FIRST);
    const document = acts.json(draft);
    writeFileSync(draft, JSON.stringify({ ...document, emergency: 'a\u001b[2Jb' }));
    const refused = await acts.run('keyset', 'show', draft);
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('no control or direction characters')]);
    expect(refused.stderr).not.toContain('\u001b');
  });
});

describe('bad input', () => {
  async function twoSigned(): Promise<readonly [draft: string, signatures: readonly [string, string]]> {
    const draft = await acts.draft('1.draft', ...FIRST);
    return [draft, [await acts.sign(draft, 'root-1'), await acts.sign(draft, 'root-2')]];
  }

  async function refusal(...args: readonly string[]): Promise<string> {
    const { code, stderr } = await acts.run(...args);
    expect(code).not.toBe(0);
    return stderr;
  }

  it('names the roots that have not signed yet', async () => {
    const [draft, [one]] = await twoSigned();
    const stderr = (await acts.run('keyset', 'publish', draft, one)).stderr;
    expect(stderr).toContain('only 1 of the 2 roots of the draft itself signed, but 2 must sign');
    expect(stderr).toContain(kid('root-2'));
  });

  it('refuses a signature that is there twice', async () => {
    const [draft, [one, two]] = await twoSigned();
    cpSync(one, acts.file('copy'));
    const { code, stderr } = await acts.run('keyset', 'publish', draft, one, two, acts.file('copy'));
    expect([code, stderr]).toEqual([3, expect.stringMatching(/the root key [0-9a-f]{64} signed twice/)]);
  });

  it('refuses the signature of another draft', async () => {
    const [draft, [one]] = await twoSigned();
    const other = await acts.draft('2.draft', ...FIRST, '--version', '2');
    const foreign = await acts.sign(other, 'root-2');
    const { code, stderr } = await acts.run('keyset', 'publish', draft, one, foreign);
    expect([code, stderr]).toEqual([3, expect.stringContaining('this is the signature of another draft, version 2')]);
  });

  it('refuses a signature that is not valid', async () => {
    const [draft, [one, two]] = await twoSigned();
    const [a, b] = [acts.json(one), acts.json(two)];
    writeFileSync(two, JSON.stringify({ ...b, signature: a['signature'] }));
    const { code, stderr } = await acts.run('keyset', 'publish', draft, one, two);
    expect([code, stderr]).toEqual([19, expect.stringContaining('on this draft is not valid')]);
  });

  it('refuses the signature of a root that left, and of a key that never was one', async () => {
    await acts.next('1.draft', [...FIRST, '--add-root', 'root-3'], ['root-1', 'root-2']);
    await acts.next('2.draft', ['--remove-root', 'root-3'], ['root-1', 'root-2']);
    const draft = await acts.draft('3.draft', '--pre-publish', 'license-2');
    const signed = await acts.sign(draft, 'root-1');
    expect(await refusal('keyset', 'sign', draft, '--key', 'root-3', ...fixture.secret)).toContain(
      'is a root neither of the draft',
    );
    const document = acts.json(signed);
    writeFileSync(acts.file('left'), JSON.stringify({ ...document, kid: kid('root-3') }));
    const left = await acts.run('keyset', 'publish', draft, signed, acts.file('left'));
    expect([left.code, left.stderr]).toEqual([
      3,
      expect.stringContaining('and it is no longer a root: version 1 was the last'),
    ]);
    writeFileSync(acts.file('never'), JSON.stringify({ ...document, kid: kid('license-2') }));
    const never = await acts.run('keyset', 'publish', draft, signed, acts.file('never'));
    expect([never.code, never.stderr]).toEqual([3, expect.stringContaining('and it is a root neither of this keyset')]);
  });

  it('refuses a draft of another issuer', async () => {
    const [draft] = await twoSigned();
    const folder = acts.file('other-vendor');
    const init = ['init', folder, '--issuer', 'other-vendor', '--anchor', acts.file('other-anchor')];
    expect((await runHere(init)).code).toBe(0);
    const done = await runHere(['keyset', 'show', draft, '--site', folder]);
    expect([done.code, done.stderr]).toEqual([
      3,
      expect.stringContaining('the draft is for the issuer example-vendor, and this site is other-vendor'),
    ]);
  });

  it('refuses a draft whose 30 days are over, signed or not', async () => {
    const [draft, signatures] = await twoSigned();
    const later = new KeysetActs(fixture, { nowMs: () => Date.now() + 31 * 86_400_000 });
    const { code, stderr } = await later.run('keyset', 'publish', draft, ...signatures);
    expect([code, stderr]).toEqual([10, expect.stringContaining('expired after 30 days')]);
  });

  it('refuses a draft that follows another version than the newest', async () => {
    const [draft, signatures] = await twoSigned();
    const late = await acts.draft('late.draft', ...FIRST, '--pre-publish', 'license-2', '--version', '5');
    await acts.publish(draft, ...signatures);
    expect(await refusal('keyset', 'sign', late, '--key', 'root-1', ...fixture.secret)).toContain(
      'the draft is a first version',
    );
    const again = await acts.run('keyset', 'publish', draft, ...signatures);
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('published already')]);
  });

  it('refuses a draft with a member twice, and a payload that is not a keyset', async () => {
    const [draft] = await twoSigned();
    const text = readFileSync(draft, 'utf8');
    writeFileSync(draft, text.replace('"payload":', '"payload": "AA==", "payload":'));
    expect(await refusal('keyset', 'show', draft)).toContain('the member "payload" is repeated');
    writeFileSync(draft, JSON.stringify({ schema: 'vtlic-keyset-draft/1', payload: 'oA==' }));
    expect(await refusal('keyset', 'show', draft)).toContain('is not the payload of a keyset');
  });

  it('refuses a chain with a gap, and one that contradicts the ledger', async () => {
    await acts.next('1.draft', [...FIRST, '--add-root', 'root-3'], ['root-1', 'root-2']);
    await acts.next('2.draft', ['--remove-root', 'root-1'], ['root-3', 'root-2']);
    await acts.next('3.draft', ['--add-root', 'root-1', '--remove-root', 'root-2'], ['root-3', 'root-2', 'root-1']);
    await acts.next('4.draft', ['--pre-publish', 'license-2'], ['root-3', 'root-1']);
    const other = await otherSite('root-far');
    const file = (name: string): string => join(fixture.site, 'keysets', name);
    await other.succeed(other.run('keyset', 'adopt', file('1.keyset')));
    await other.succeed(other.run('keyset', 'adopt', file('2.keyset')));
    const gap = await other.run('keyset', 'adopt', file('4.keyset'));
    expect([gap.code, gap.stderr]).toEqual([
      3,
      expect.stringMatching(/version 4 is refused.*gap between version 2 and/),
    ]);
    const fork = await otherSite('root-x');
    await addKey(fork.fixture, 'root-y', 'root');
    await fork.next('1.draft', ['--add-root', 'root-x', '--add-root', 'root-y', '--threshold', '1'], ['root-x']);
    const conflict = await fork.run('keyset', 'adopt', file('1.keyset'));
    expect([conflict.code, conflict.stderr]).toEqual([4, expect.stringContaining('root keys signed both')]);
  });
});
