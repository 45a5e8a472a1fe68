/** The phases of keys: steps that come too early, the status, lost and stolen keys, revoked and superseded licenses. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { armor, dearmor } from '../../formats/armor.ts';
import { decodeCoseSign1, encodeCoseSign1, encodeProtected, sigStructure, TYP } from '../../formats/cose-sign1.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { encodeLicense } from '../../formats/license/encode-license.ts';
import { openKeyFile } from '../../keys/private/software/key-file.ts';
import { sha256Hex } from '../../files/index.ts';
import { encodeDraft, makeDraft, readDraft } from '../../signer/keyset/draft.ts';
import { findSiteKey, openSite } from '../../signer/site/site.ts';
import { builtInChain, trustOfChain } from '../../verifier/keyset/index.ts';
import { verify } from '../../verifier/index.ts';
import { KeysetActs } from '../support/keyset-acts.ts';
import { addKey } from '../support/site-keys.ts';
import { makeSite, PASSPHRASE, writeRequest, type SiteFixture } from '../support/site-fixture.ts';

const ROOTS = ['root-1', 'root-2'] as const;
const FIRST = ['--add-root', 'root-1', '--add-root', 'root-2', '--add-root', 'root-3', '--threshold', '2'];
const DAY_MS = 86_400_000;

let fixture: SiteFixture;
let acts: KeysetActs;

beforeEach(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
  for (const name of [...ROOTS, 'root-3']) await addKey(fixture, name, 'root');
  await addKey(fixture, 'spare', 'license');
  acts = new KeysetActs(fixture);
  writeReleases([]);
});
afterEach(() => {
  fixture.remove();
});

function writeReleases(releases: readonly Record<string, unknown>[]): void {
  const document = { schema: 'vtlic-releases/1', releases: releases.map((release) => ({ ...RELEASE, ...release })) };
  writeFileSync(join(fixture.site, 'releases.json'), JSON.stringify(document));
}

const RELEASE = { product: 'vaultdesk', from: '2020-01-01' };

function day(offset: number): string {
  return new Date(Date.now() + offset * DAY_MS).toISOString().slice(0, 10);
}

/** license-1 active, the spare pre-published. */
async function published(): Promise<void> {
  await acts.next('1.draft', [...FIRST, '--activate', 'license-1', '--pre-publish', 'spare'], ROOTS);
}

async function rotate(step: string, keys: readonly string[], ...options: readonly string[]): Promise<string> {
  return acts.succeed(acts.run('rotation', step, ...keys, ...options));
}

async function issue(customer: string, ...options: readonly string[]): Promise<string> {
  const plan = await acts.run('issue', writeRequest(fixture, { customer, name: customer }), '--dry-run', ...options);
  expect([plan.code, plan.stderr]).toEqual([0, expect.anything()]);
  return acts.succeed(acts.runOpen('issue', '--confirm', plan.stdout.trim()));
}

async function refusedPlan(customer: string, ...options: readonly string[]): Promise<string> {
  const plan = await acts.run('issue', writeRequest(fixture, { customer }), '--dry-run', ...options);
  expect(plan.code).toBe(3);
  return plan.stderr;
}

/** How a product judges a license file that has the published chain. */
function judge(file: string): string {
  const chain = builtInChain(readFileSync(join(fixture.site, 'keysets/chain.keyset')), { issuer: 'example-vendor' });
  const verdict = verify(readFileSync(file), trustOfChain(chain), {
    issuer: 'example-vendor',
    product: 'vaultdesk',
    deployment: 'prod-eu',
    now: Math.floor(Date.now() / 1000),
    defaultGrace: 0,
  });
  return verdict.ok ? verdict.state : verdict.reason;
}

/** What a thief signs with license-1: the license of a customer, with more seats. */
async function forge(file: string): Promise<string> {
  const { payload } = decodeCoseSign1(dearmor('VTLIC', readFileSync(file)), TYP.license);
  const record = findSiteKey(openSite(fixture.site), 'license-1');
  const key = await openKeyFile(
    join(fixture.site, 'keys/license-1.age'),
    record.publicKey,
    'license',
    new TextEncoder().encode(PASSPHRASE),
  );
  const forged = encodeLicense({ ...decodeLicense(payload), seats: 5000 });
  const protectedBytes = encodeProtected(record.algorithm, record.publicKey.kid, TYP.license);
  const signature = await key.sign(sigStructure(protectedBytes, forged));
  await key.close();
  const path = acts.file('forged.vtlic');
  writeFileSync(path, armor('VTLIC', encodeCoseSign1(protectedBytes, forged, signature)));
  return path;
}

function kid(name: string): string {
  const site = JSON.parse(readFileSync(join(fixture.site, 'site.json'), 'utf8')) as {
    keys: { name: string; kid: string }[];
  };
  return site.keys.find((key) => key.name === name)?.kid ?? '';
}

describe('a step', () => {
  it('is refused while a release in the field does not know the key, and says until when', async () => {
    await published();
    writeReleases([
      { name: 'old', keys: [kid('license-1')], until: day(100) },
      { name: 'new', keyset: 1 },
    ]);
    const refused = await acts.run('rotation', 'activate', 'spare');
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringMatching(/too early .*: old is in the field/)]);
    expect(refused.stderr).toContain(`wait until ${day(101)}`);
    expect(refused.stderr).not.toContain('new');
    // The last install of it is gone.
    writeReleases([{ name: 'old', keys: [kid('license-1')], until: day(-1) }]);
    await rotate('activate', ['spare']);
  });

  it('is done early only with a reason, which the ledger keeps', async () => {
    await published();
    writeReleases([{ name: 'old', keys: [kid('license-1')] }]);
    const draft = await rotate('activate', ['spare'], '--early', 'the old release has three installs');
    await acts.publishSigned(draft, ROOTS);
    const shown = await acts.succeed(acts.run('keyset', 'show'));
    expect(shown).toMatch(/reason +activate [0-9a-f]{64} before old: the old release has three installs/);
    const exported = await acts.succeed(acts.run('ledger', 'export'));
    expect(exported).toContain('the old release has three installs');
  });

  it('is not published early where a draft was changed so that it lost its reason', async () => {
    await published();
    writeReleases([{ name: 'old', keys: [kid('license-1')] }]);
    const draft = await rotate('activate', ['spare'], '--early', 'why');
    const { early: _early, ...rest } = acts.json(draft);
    writeFileSync(draft, JSON.stringify(rest));
    const signatures = [await acts.sign(draft, 'root-1'), await acts.sign(draft, 'root-2')];
    const done = await acts.run('keyset', 'publish', draft, ...signatures);
    expect([done.code, done.stderr]).toEqual([3, expect.stringContaining('too early')]);
  });

  it('takes its reason and its day from a plan, for the releases that the plan names', async () => {
    await published();
    writeReleases([
      { name: 'old', keys: [kid('license-1')] },
      { name: 'older', keys: [kid('license-1')] },
    ]);
    const plan = acts.file('plan.json');
    const write = (on: string, releases: readonly string[]): void => {
      const step = { on, step: 'activate', key: 'spare', early: { reason: 'agreed', releases } };
      writeFileSync(plan, JSON.stringify({ schema: 'vtlic-rotation-plan/1', issuer: 'example-vendor', steps: [step] }));
    };
    write(day(10), ['old', 'older']);
    const tooSoon = await acts.run('rotation', 'activate', 'spare', '--plan', plan);
    expect([tooSoon.code, tooSoon.stderr]).toEqual([3, expect.stringContaining('which is still to come')]);
    write(day(0), ['old']);
    const tooFew = await acts.run('rotation', 'activate', 'spare', '--plan', plan);
    expect([tooFew.code, tooFew.stderr]).toEqual([3, expect.stringContaining('the reason given is only for old')]);
    write(day(0), ['newest']);
    const unknown = await acts.run('rotation', 'activate', 'spare', '--plan', plan);
    expect([unknown.code, unknown.stderr]).toEqual([3, expect.stringContaining('is not a release that releases.json')]);
    write(day(0), ['old', 'older']);
    await rotate('activate', ['spare'], '--plan', plan);
    const other = await acts.run('rotation', 'retire', 'license-1', '--plan', plan, '--early', 'x');
    expect([other.code, other.stderr]).toEqual([3, expect.stringContaining('the plan has no step to retire')]);
  });

  it('needs no release to be ready that gets the keyset with its license in an emergency', async () => {
    await published();
    writeReleases([{ name: 'old', keys: [kid('license-1')], takesKeysets: true }]);
    const refused = await acts.run('rotation', 'activate', 'spare');
    expect(refused.code).toBe(3);
    await rotate('activate', ['spare'], '--emergency', 'the key was stolen');
  });

  it('retires no key whose releases know no other key, and trusts no release with an unknown version', async () => {
    await published();
    writeReleases([{ name: 'old', keys: [kid('license-1')] }]);
    const refused = await acts.run('rotation', 'retire', 'license-1');
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('would know no key that still signs')]);
    // No release is in the field, and yet nobody could be renewed.
    writeReleases([]);
    const last = await acts.run('rotation', 'retire', 'license-1');
    expect([last.code, last.stderr]).toEqual([3, expect.stringContaining('no other key would sign licenses')]);
    writeReleases([{ name: 'odd', keyset: 9 }]);
    const odd = await acts.run('rotation', 'retire', 'license-1');
    expect([odd.code, odd.stderr]).toEqual([2, expect.stringContaining('version 9 of the keyset built in')]);
  });

  it('never brings a revoked key back', async () => {
    await published();
    await acts.publishSigned(await rotate('revoke', ['spare']), ROOTS);
    for (const back of ['activate', 'retire']) {
      const refused = await acts.run('rotation', back, 'spare');
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('is revoked, and cannot become')]);
    }
  });
});

describe('issuing', () => {
  it('signs with active keys of the published keyset only', async () => {
    await issue('acme', '--key', 'spare');
    await published();
    await issue('acme');
    expect(await refusedPlan('acme', '--key', 'spare')).toContain(
      'the key is pre-published, and only active keys sign',
    );
    await addKey(fixture, 'stranger', 'license');
    expect(await refusedPlan('acme', '--key', 'stranger')).toContain('the key is not in this version');
    const plan = await acts.run('issue', writeRequest(fixture, { customer: 'acme' }), '--dry-run');
    await acts.publishSigned(await rotate('activate', ['spare'], '--early', 'x'), ROOTS);
    await acts.publishSigned(await rotate('retire', ['license-1'], '--early', 'x'), ROOTS);
    // A plan that was made before the key was retired is not signed with it either.
    const late = await acts.runOpen('issue', '--confirm', plan.stdout.trim());
    expect([late.code, late.stderr]).toEqual([
      3,
      expect.stringContaining('the key is retired, and only active keys sign'),
    ]);
    await issue('acme', '--key', 'spare');
  });

  it('signs nothing that the scope of a key does not allow', async () => {
    const key = ['--activate', 'license-1', '--products', 'license-1=other', '--activate', 'spare'];
    await acts.next('1.draft', [...FIRST, ...key, '--tiers', 'spare=team'], ROOTS);
    expect(await refusedPlan('acme')).toContain('the key is for other, and not for vaultdesk');
    expect(await refusedPlan('acme', '--key', 'spare')).toContain(
      'the key is for the tiers team, and not for enterprise',
    );
  });
});

describe('rotation status', () => {
  it('shows the phase of each key, what may come next and when, and every warning', async () => {
    await published();
    writeReleases([{ name: 'old', keys: [kid('license-1')], until: day(100) }]);
    const done = await acts.run('rotation', 'status');
    expect(done.code).toBe(0);
    expect(done.stdout).toMatch(/^keyset version 1, published .*; a new version needs the signatures of 2 of 3 roots/);
    expect(done.stdout).toMatch(new RegExp(`spare .* pre-published .* activate: from ${day(101)} on, because of old`));
    expect(done.stdout).toMatch(/license-1 .* active .* retire: not before another key is active/);
    expect(done.stderr).toContain('the spare spare is not composite');
    expect(done.stderr).not.toContain('has to sign every version');
  });

  it('names the releases without an end because of which a day is not known, and says what to write', async () => {
    await published();
    const keys = [kid('license-1')];
    writeReleases([
      { name: 'old', keys, until: day(100) },
      { name: 'new', keys },
    ]);
    const { code, stdout } = await acts.run('rotation', 'status');
    expect(code).toBe(0);
    expect(stdout).toMatch(/activate: the day is not known, because releases\.json has no "until" for new$/m);
    expect(stdout).toMatch(
      /^to do: in releases\.json, write the last day of new as soon as you know it, such as "until"/m,
    );
  });

  it('warns of a missing spare, of a threshold that needs every root, and of a missing releases.json', async () => {
    const two = FIRST.filter((_, i) => i < 4);
    await acts.next('1.draft', [...two, '--threshold', '2', '--activate', 'license-1'], ROOTS);
    rmSync(join(fixture.site, 'releases.json'));
    const { stderr } = await acts.run('rotation', 'status');
    expect(stderr).toContain('there is no spare key');
    expect(stderr).toContain('each of the 2 roots has to sign every version');
    expect(stderr).toContain('there is no releases.json');
  });

  it('warns of a spare for fewer products or tiers than an active key', async () => {
    await addKey(fixture, 'composite', 'license', 'ed25519+ml-dsa-65');
    const keys = ['--activate', 'license-1', '--pre-publish', 'composite', '--tiers', 'composite=team'];
    await acts.next('1.draft', [...FIRST, ...keys], ROOTS);
    const { stderr } = await acts.run('rotation', 'status');
    expect(stderr).toContain('the spare composite is for fewer products or tiers than an active key');
  });

  it('has no warning for a composite spare at another place', async () => {
    const other = await makeSite({ algorithm: 'ed25519+ml-dsa-65' });
    try {
      const far = new KeysetActs(other);
      const file = acts.file('far.pem');
      await far.succeed(far.run('key', 'export', 'license-1', '--out', file));
      await acts.next(
        '1.draft',
        [...FIRST, '--activate', 'license-1', '--pre-publish', `file:${file}`, '--purpose', `file:${file}=license`],
        ROOTS,
      );
      const { code, stderr, stdout } = await acts.run('rotation', 'status');
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/\(composite, .*pre-published .*not at this site +activate: at any time/);
    } finally {
      other.remove();
    }
  });
});

describe('a lost key', () => {
  it('is retired, the spare signs, and every license stays in force', async () => {
    const file = await issue('acme');
    await published();
    const draft = await rotate('lost', ['license-1'], '--emergency', 'lost');
    const shown = await acts.succeed(acts.run('keyset', 'show', draft));
    expect(shown).toMatch(/spare .*was pre-published, and becomes active/);
    expect(shown).toMatch(/license-1 .*was active, and becomes retired/);
    await acts.publishSigned(draft, ROOTS);
    expect(judge(file)).toBe('active');
    expect(judge(await issue('acme', '--key', 'spare'))).toBe('active');
  });
});

describe('a stolen key', () => {
  it('is replaced, its licenses are reissued, and then it is revoked with what the ledger knows honored', async () => {
    const [acme, other] = [await issue('acme'), await issue('other')];
    await published();
    const stolen = await acts.run('rotation', 'stolen', 'license-1');
    expect([stolen.code, stolen.stderr]).toEqual([0, expect.stringContaining('to reissue: 2 licenses')]);
    await acts.publishSigned(stolen.stdout.trim(), ROOTS);
    const table = readdirSync(join(fixture.site, 'keysets')).find((name) => name.endsWith('.csv')) ?? '';
    await acts.succeed(acts.run('key', 'default', 'spare'));
    const withRetired = await acts.run(
      'batch',
      join(fixture.site, 'keysets', table),
      '--dry-run',
      '--key',
      'license-1',
    );
    expect([withRetired.code, withRetired.stderr]).toEqual([3, expect.stringContaining('only active keys sign')]);
    const batch = await acts.run('batch', join(fixture.site, 'keysets', table), '--dry-run');
    expect([batch.code, batch.stderr]).toEqual([0, expect.anything()]);
    await acts.succeed(acts.runOpen('batch', '--confirm', batch.stdout.trim()));
    const forged = await forge(acme);
    expect(judge(forged)).toBe('active');
    const revocation = await acts.run('rotation', 'stolen', 'license-1');
    expect([revocation.code, revocation.stderr]).toEqual([0, expect.stringContaining('no table is written')]);
    const shown = await acts.succeed(acts.run('keyset', 'show', revocation.stdout.trim()));
    expect(shown).toMatch(/license-1 .*was retired, and becomes REVOKED: .*, except 2 licenses that the keyset honors/);
    await acts.publishSigned(revocation.stdout.trim(), ROOTS);
    expect([judge(acme), judge(other), judge(forged)]).toEqual(['active', 'active', 'key_revoked']);
    const reissued = readdirSync(join(fixture.site, 'out/vaultdesk/acme')).sort().at(-1) ?? '';
    expect(judge(join(fixture.site, 'out/vaultdesk/acme', reissued))).toBe('active');
  }, 180_000);

  it('is not revoked by a draft that honors what the thief signed, although roots signed the draft', async () => {
    const acme = await issue('acme');
    await published();
    const forged = await forge(acme);
    const draft = await rotate('revoke', ['license-1'], '--early', 'x');
    const { keyset, base, early } = readDraft(draft);
    const digest = sha256Hex(decodeCoseSign1(dearmor('VTLIC', readFileSync(forged)), TYP.license).payload);
    const keys = keyset.keys.map((key) =>
      key.honored === undefined ? key : { ...key, honored: [...key.honored, digest].sort() },
    );
    const altered = makeDraft({ ...keyset, keys }, { early, ...(base === undefined ? {} : { base }) });
    writeFileSync(draft, encodeDraft(altered));
    const signatures = [await acts.sign(draft, 'root-1'), await acts.sign(draft, 'root-2')];
    const done = await acts.run('keyset', 'publish', draft, ...signatures);
    expect([done.code, done.stderr]).toEqual([3, expect.stringContaining(`the draft honors the payload ${digest}`)]);
  });

  it('takes what nobody honors out of force', async () => {
    const file = await issue('acme');
    await published();
    await acts.publishSigned(await rotate('activate', ['spare'], '--early', 'x'), ROOTS);
    // A license of the very second in which the draft is made counts as signed since.
    await setTimeout(1000 - (Date.now() % 1000) + 1);
    const draft = await rotate('revoke', ['license-1'], '--honor-nothing', '--early', 'x');
    await acts.publishSigned(draft, ROOTS);
    expect(judge(file)).toBe('key_revoked');
  });

  it('asks which spare is meant, and for another key where there is none', async () => {
    await acts.next('1.draft', [...FIRST, '--activate', 'license-1'], ROOTS);
    const none = await acts.run('rotation', 'lost', 'license-1');
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('no key is pre-published')]);
    await addKey(fixture, 'spare-2', 'license');
    await acts.next('2.draft', ['--pre-publish', 'spare', '--pre-publish', 'spare-2'], ROOTS);
    const two = await acts.run('rotation', 'lost', 'license-1');
    expect([two.code, two.stderr]).toEqual([2, expect.stringContaining('2 keys are pre-published')]);
    await rotate('lost', ['license-1'], '--spare', 'spare-2', '--emergency', 'lost');
  });
});

describe('revoke and supersede', () => {
  function idOf(text: string): string {
    return (JSON.parse(text) as { id: string }).id;
  }

  async function issueJson(changes: Readonly<Record<string, unknown>>): Promise<{ id: string; file: string }> {
    const plan = await acts.run('issue', writeRequest(fixture, { customer: 'acme', ...changes }), '--dry-run');
    const done = await acts.succeed(acts.runOpen('issue', '--confirm', plan.stdout.trim(), '--json'));
    return { id: idOf(done), file: (JSON.parse(done) as { file: string }).file };
  }

  it('refuse the licenses that they name, once published', async () => {
    const [first, second] = [await issueJson({}), await issueJson({})];
    const other = await issueJson({ customer: 'other' });
    await published();
    const one = await acts.succeed(acts.run('revoke', other.id, '--out', acts.file('a.draft')));
    const both = await acts.succeed(acts.run('supersede', second.id, '--onto', one, '--out', acts.file('b.draft')));
    const shown = await acts.succeed(acts.run('keyset', 'show', both));
    expect(shown).toContain(`license ${other.id} is revoked`);
    expect(shown).toContain(
      'example-vendor/vaultdesk/acme/prod-eu: licenses with a counter below 2 are no longer valid',
    );
    await acts.publishSigned(both, ROOTS);
    expect([judge(first.file), judge(second.file), judge(other.file)]).toEqual([
      'superseded',
      'active',
      'license_revoked',
    ]);
  });

  it('never leave a customer without a license that has begun', async () => {
    await issueJson({});
    const early = await issueJson({ from: day(10), until: day(300) });
    await published();
    const refused = await acts.run('supersede', early.id);
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining(`begins on ${day(10)}`)]);
    const unknown = await acts.run('revoke', '01936f2a-0c1d-7b3e-8a4f-5d6e7f809112');
    expect([unknown.code, unknown.stderr]).toEqual([3, expect.stringContaining('the ledger has no license')]);
    expect(existsSync(join(fixture.site, 'keysets/2.draft'))).toBe(false);
  });
});
