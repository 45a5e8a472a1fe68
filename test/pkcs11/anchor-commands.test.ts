/**
 * The ledger's anchor in a token, through the real command: one login a run, a rolled-back ledger refused, an anchor
 * moved, a token replaced.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anchorFile } from '../../signer/anchor/anchor-file.ts';
import { csv, customers, row } from '../support/batch-file.ts';
import { makeSite, type SiteFixture } from '../support/site-fixture.ts';
import { AnchoredSite } from './support/anchored-site.ts';
import { makeKryoptic } from './support/kryoptic.ts';
import { makeSofthsm } from './support/softhsm.ts';

const ANCHOR = 'vtlic-anchor-example-vendor';
const PIN_FOR_ANCHOR = /PIN of token one \(serial \S+\), keystore hsm, for the ledger's anchor: /;

/** Labels of the data objects that anybody can see. */
function publicLabels(): readonly string[] {
  const { module, environment } = at.token;
  const script = join(import.meta.dirname, 'support/public-objects.ts');
  const { stdout } = spawnSync(process.execPath, [script, module], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  });
  return stdout
    .trim()
    .split('\n')
    .filter((line) => line !== 'done');
}

let at: AnchoredSite;
afterAll(() => {
  at.remove();
});

function dailyWork(hosts: number): void {
  it('is made by init under one login, private, and once for a ledger', async () => {
    const made = at.run(
      'init',
      at.site,
      '--issuer',
      'example-vendor',
      '--example-catalog',
      ...at.keystores,
      '--anchor',
      'token:hsm',
      ...at.secret('hsm'),
    );
    expect(`${made.code} ${made.stderr}`).toMatch(/^0 .*anchor: {2}token:hsm\/vtlic-anchor-example-vendor/s);
    expect(at.logins()).toBe(1);
    expect(await at.data('one', ANCHOR)).toHaveLength(1);

    const second = join(at.folder, 'second');
    const refused = at.run(
      'init',
      second,
      '--issuer',
      'example-vendor',
      ...at.keystores,
      '--anchor',
      'token:hsm',
      ...at.secret('hsm'),
    );
    expect(`${refused.code} ${refused.stderr}`).toMatch(/^4 .*exists already.*--anchor token:KEYSTORE\/LABEL/s);
    expect(existsSync(second)).toBe(false);
    expect(await at.data('one', ANCHOR)).toHaveLength(1);
  });

  it('the anchor and the key share one login', async () => {
    expect(
      at.run('key', 'generate', '--name', 'k', '--algorithm', 'ed25519', '--keystore', 'hsm', ...at.secret('hsm')).code,
    ).toBe(0);
    at.calls();
    const issued = await at.issue(...at.secret('hsm'));
    expect(`${issued.code} ${issued.stderr}`).toMatch(/^0 /);
    const calls = at.calls();
    expect([calls.get('C_Login'), calls.get('C_Initialize')]).toEqual([1, hosts]);
    expect(await at.data('one', ANCHOR)).toHaveLength(1);
  });

  it('costs a batch one login, and covers every license at its end', async () => {
    const file = join(at.folder, 'batch.csv');
    writeFileSync(file, csv(customers(300).map((name) => row(name))));
    const digest = (await at.here('batch', file, '--name', 'season', '--new-customers', '--dry-run')).stdout.trim();
    const done = at.run('batch', '--confirm', digest, ...at.secret('hsm'));
    expect(`${done.code} ${done.stderr}`).toMatch(/^0 .*signed and released: 300/s);
    const calls = at.calls();
    expect([calls.get('C_Login'), calls.get('C_Initialize')]).toEqual([1, hosts]);
    // Once a group, not once a license.
    expect(calls.get('C_CreateObject')).toBeLessThan(hosts === 1 ? 40 : 250);
    expect(await at.data('one', ANCHOR)).toHaveLength(1);
    const unasked = await at.here('ledger', 'status');
    expect(unasked.stdout).toContain('NOT COMPARED');
    expect(at.logins()).toBe(0);
    expect(at.run('ledger', 'status', ...at.secret('hsm')).stdout).toContain('agrees, and covers every license');
  });

  it('a wrong PIN is shown once, and nothing is recorded', async () => {
    const before = at.entries();
    at.calls();
    const refused = await at.issue('--secret', `hsm=file:${join(at.folder, 'wrong-pin')}`);
    expect(`${refused.code} ${refused.stderr}`).toMatch(/^6 .*refused the PIN/s);
    expect(at.logins()).toBe(1);
    expect(at.entries()).toBe(before);
    // A right one sets the token's count back.
    expect(at.run('ledger', 'status', ...at.secret('hsm')).code).toBe(0);
  });

  it('after a crash between license and anchor the next run that logs in finishes it, and asks with words', async () => {
    const crashed = at.stopped('issue-durable', 'issue', '--confirm', await at.plan(), ...at.secret('hsm'));
    expect(crashed.signal).toBe('SIGKILL');
    const [left] = at.read((ledger) => ledger.unreleased());
    expect(left).toBeDefined();
    const file = join(at.site, left?.intent.body.path ?? '');
    expect(existsSync(file)).toBe(false);
    const id = left?.intent.body.licenseId ?? new Uint8Array();
    const hex = Buffer.from(id).toString('hex');
    const text = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
    const done = await at.typed(['release', text], [[PIN_FOR_ANCHOR, at.token.pin]]);
    expect(`${done.code} ${done.output}`).toMatch(/^0 .*recovered: license/s);
    expect(existsSync(file)).toBe(true);
    // Off a terminal and without a secret nothing is asked of the token.
    expect(at.run('release', text).code).toBe(2);
  });

  it.each([
    ['C_CreateObject 1 rv 0x30', 1],
    ['C_CreateObject 1 kill', 1],
    // The claim is there, and the anchor before.
    ['C_CreateObject 2 rv 0x30', 2],
    // Decided: the new anchor and the one before, with the claim.
    ['C_DestroyObject 1 rv 0x30', 3],
  ])(
    'an anchor that cannot be written (%s) holds the license back, which leaves with the next run',
    async (fault, left) => {
      at.token.setFaults([fault]);
      const held = await at.issue(...at.secret('hsm'));
      at.token.setFaults([]);
      expect(`${held.code} ${held.stderr}`).toMatch(/^11 .*was not written.*stays in the ledger/s);
      const [record] = at.read((ledger) => ledger.unreleased());
      const file = join(at.site, record?.intent.body.path ?? '');
      expect(existsSync(file)).toBe(false);
      expect(await at.data('one', ANCHOR)).toHaveLength(left);
      const next = await at.issue(...at.secret('hsm'));
      expect(`${next.code} ${next.stderr}`).toMatch(/^0 .*recovered: license/s);
      expect(existsSync(file)).toBe(true);
      expect(await at.data('one', ANCHOR)).toHaveLength(1);
    },
  );
}

describe('an anchor in SoftHSM', () => {
  beforeAll(() => {
    at = new AnchoredSite(makeSofthsm('one', 'two'), { hsm: 'one', spare: 'two' });
  });
  dailyWork(2);

  it('what a second host left that died in the midst is removed by the next run', async () => {
    at.token.setFaults(['C_DestroyObject 1 kill']);
    const held = await at.issue(...at.secret('hsm'));
    at.token.setFaults([]);
    expect(`${held.code} ${held.stderr}`).toMatch(/^11 .*was not written.*a data object was made for a moment/s);
    expect(publicLabels()).toEqual(['vtlic-touch']);
    expect((await at.issue(...at.secret('hsm'))).stderr).toMatch(/recovered: license/);
    expect(publicLabels()).toEqual([]);
    expect(await at.data('one', ANCHOR)).toHaveLength(1);
  });

  it('the anchor and the ledger key share one login, and a checkpoint compares it', async () => {
    expect(
      at.run(
        'key',
        'generate',
        '--name',
        'log',
        '--purpose',
        'ledger',
        '--algorithm',
        'ed25519',
        '--keystore',
        'hsm',
        ...at.secret('hsm'),
      ).code,
    ).toBe(0);
    at.calls();
    const made = at.run('ledger', 'checkpoint', ...at.secret('hsm'));
    expect(`${made.code} ${made.stdout}`).toMatch(/^0 example-vendor\/vtlic-ledger\//);
    expect(at.logins()).toBe(1);
  });

  it('does not let a run finish anything for a key that another ledger has claimed', async () => {
    expect(at.stopped('issue-durable', 'issue', '--confirm', await at.plan(), ...at.secret('hsm')).signal).toBe(
      'SIGKILL',
    );
    const [record] = at.read((ledger) => ledger.unreleased());
    const before = at.entries();
    const label = `vtlic-claim-${record?.intent.body.kid.slice(0, 16) ?? ''}`;
    const [own] = await at.data('one', label);
    if (own === undefined) throw new Error('no claim');
    await at.replaceData('one', label, Uint8Array.of(...own.subarray(0, -1), (own.at(-1) ?? 0) ^ 1));
    const refused = await at.issue(...at.secret('hsm'));
    expect(`${refused.code} ${refused.stderr}`).toMatch(/^4 .*this key belongs to the ledger/s);
    expect([at.entries(), existsSync(join(at.site, record?.intent.body.path ?? ''))]).toEqual([before, false]);
    await at.replaceData('one', label, own);
    expect((await at.issue(...at.secret('hsm'))).code).toBe(0);
  });

  it('refuses an old copy and a missing ledger with exit 4, and a restore goes on above it', async () => {
    const copy = await at.copy('before.sqlite');
    expect((await at.issue(...at.secret('hsm'))).code).toBe(0);
    at.putBack(undefined);
    const missing = at.run('release', '01936f2a-0c1d-7b3e-8a4f-5d6e7f809112', ...at.secret('hsm'));
    expect(`${missing.code} ${missing.stderr}`).toMatch(/^4 .*there is no ledger here/s);
    at.putBack(copy);
    const before = at.entries();
    const refused = await at.issue(...at.secret('hsm'));
    expect(`${refused.code} ${refused.stderr}`).toMatch(/^4 .*the ledger is older than its anchor/s);
    expect(at.entries()).toBe(before);
    expect(at.run('ledger', 'verify', '--no-signatures', ...at.secret('hsm')).code).toBe(19);
    at.putBack(undefined);
    at.calls();
    const args = ['ledger', 'restore', copy, '--license', join(at.site, 'out')];
    const restored = await at.typed(
      args,
      [
        [PIN_FOR_ANCHOR, at.token.pin],
        [/Type RESTORE/, 'RESTORE'],
      ],
      'restore-anchored',
    );
    expect(restored.output).toContain('THE ANCHOR HAS SEEN MORE');
    expect(at.logins()).toBe(1);
    expect(existsSync(at.ledger)).toBe(false);
    const finished = await at.typed(args, [[PIN_FOR_ANCHOR, at.token.pin]]);
    expect(`${finished.code} ${finished.output}`).toMatch(/^0 .*finished a restore that had been interrupted/s);
    expect((await at.issue(...at.secret('hsm'))).stdout).toMatch(/\/acme-gmbh\/\d+-/);
  });

  it('moves to another token; cut short, it is refused until the same command has finished it', async () => {
    const copy = await at.copy('before-move.sqlite');
    const answers = [
      [/keystore hsm.*: /, at.token.pin],
      [/keystore spare.*: /, at.token.pin],
      [/Type MOVE ANCHOR/, 'MOVE ANCHOR'],
    ] as const;
    // Cut short before the act, all is as it was.
    await at.typed(['ledger', 'anchor', '--to', 'token:spare'], answers, 'anchor-copied');
    expect((await at.issue(...at.secret('hsm'))).code).toBe(0);
    await at.typed(['ledger', 'anchor', '--to', 'token:spare'], answers, 'anchor-adopted');
    expect([(await at.data('one', ANCHOR)).length, (await at.data('two', ANCHOR)).length]).toEqual([1, 1]);
    const refused = await at.issue(...at.secret('hsm', 'spare'));
    expect(`${refused.code} ${refused.stderr}`).toMatch(
      /^4 .*was being moved from token:hsm\/\S+ to token:spare\/\S+, and this was interrupted.*vtlic ledger anchor --to token:spare/s,
    );
    const finished = await at.typed(
      ['ledger', 'anchor', '--to', 'token:spare'],
      [
        [/keystore spare.*: /, at.token.pin],
        [/keystore hsm.*: /, at.token.pin],
      ],
    );
    expect(`${finished.code} ${finished.output}`).toMatch(/^0 .*finished a move/s);
    expect([(await at.data('one', ANCHOR)).length, (await at.data('two', ANCHOR)).length]).toEqual([1, 1]);
    at.calls();
    expect((await at.issue(...at.secret('hsm', 'spare'))).code).toBe(0);
    expect(at.logins()).toBe(2);
    expect(at.run('ledger', 'status', ...at.secret('spare')).stdout).toMatch(
      /token of keystore spare: agrees.*anchor moved to another place/s,
    );
    expect((await at.here('ledger', 'verify')).code).toBe(0);

    // A copy from before the move finds no anchor in the old place that agrees with it.
    const now = await at.copy('after-move.sqlite');
    at.putBack(copy);
    const old = await at.issue(...at.secret('hsm'));
    expect(`${old.code} ${old.stderr}`).toMatch(/^4 .*is no longer there: another copy.*vtlic ledger restore COPY/s);
    at.putBack(now);
    expect((await at.issue(...at.secret('hsm', 'spare'))).code).toBe(0);
  });

  it('misses an anchor gone with a replaced token; a typed act adopts one with the skipped counters', async () => {
    at.edit(({ keystores }) => {
      keystores['spare'] = { type: 'pkcs11', uri: at.uri('one') };
    });
    at.calls();
    const refused = await at.issue(...at.secret('hsm', 'spare'));
    expect(`${refused.code} ${refused.stderr}`).toMatch(
      /^4 .*the anchor \S+ in the token of keystore spare is missing.*if that token was lost or replaced, see: vtlic help ledger anchor/s,
    );
    // Two keystores that name one token: it has one login.
    expect(at.logins()).toBe(1);
    const last = Math.max(
      ...at.read((ledger) =>
        [...ledger.entriesFrom(1)].flatMap((entry) =>
          entry.kind === 'intent' && entry.body.sub === 'acme-gmbh' ? [entry.body.ctr] : [],
        ),
      ),
    );
    const adopted = await at.typed(
      ['ledger', 'restore', '--lost-anchor', '--skip', '7', '--anchor', 'token:hsm'],
      [
        [PIN_FOR_ANCHOR, at.token.pin],
        [/Type ADOPT WITHOUT ANCHOR/, 'ADOPT WITHOUT ANCHOR'],
      ],
    );
    expect(`${adopted.code} ${adopted.output}`).toMatch(/^0 .*LOST/s);
    expect((await at.issue(...at.secret('hsm'))).stdout).toContain(`/acme-gmbh/${last + 8}-`);
    expect((await at.here('ledger', 'status')).stdout).toContain('restored without its anchor');
    expect(at.run('ledger', 'verify', ...at.secret('hsm'))).toMatchObject({ code: 0 });
    expect(readdirSync(at.site).some((name) => name.startsWith('ledger.sqlite.replaced-'))).toBe(true);
  });
});

describe('an anchor in kryoptic', () => {
  beforeAll(() => {
    at.remove();
    at = new AnchoredSite(makeKryoptic(['one', 'two']), { hsm: 'one', spare: 'two' });
  });
  dailyWork(1);

  it('an anchor and a split key take one login of each token', async () => {
    expect(
      at.run(
        'key',
        'generate',
        '--name',
        'both',
        '--keystore',
        'hsm',
        '--ml-dsa-keystore',
        'spare',
        ...at.secret('hsm', 'spare'),
      ).code,
    ).toBe(0);
    const digest = (
      await at.here('issue', join(at.folder, 'request.json'), '--key', 'both', '--dry-run')
    ).stdout.trim();
    at.calls();
    const issued = at.run('issue', '--confirm', digest, ...at.secret('hsm', 'spare'));
    expect(`${issued.code} ${issued.stderr}`).toMatch(/^0 /);
    const calls = at.calls();
    expect([calls.get('C_Login'), calls.get('C_Initialize')]).toEqual([2, 2]);
  });
});

describe('an anchor that was a file', () => {
  let fixture: SiteFixture;

  beforeAll(async () => {
    fixture = await makeSite({ algorithm: 'ed25519' });
    at.remove();
    at = new AnchoredSite(makeSofthsm('one'), { hsm: 'one' }, fixture);
  });
  afterAll(() => {
    fixture.remove();
  });

  it('moves into a token, and the software key signs with it there', async () => {
    expect((await at.issue(...fixture.secret)).code).toBe(0);
    const copy = await at.copy('before-move.sqlite');
    at.edit(({ keystores }) => {
      keystores['hsm'] = { type: 'pkcs11', uri: at.uri('one') };
    });
    expect(at.run('ledger', 'anchor', '--to', 'token:hsm', ...at.secret('hsm'))).toMatchObject({ code: 2, stdout: '' });
    const declined = await at.typed(
      ['ledger', 'anchor', '--to', 'token:hsm'],
      [
        [PIN_FOR_ANCHOR, at.token.pin],
        [/Type MOVE ANCHOR/, 'yes'],
      ],
    );
    expect([declined.code, existsSync(fixture.anchor)]).toEqual([10, true]);
    const moved = await at.typed(
      ['ledger', 'anchor', '--to', 'token:hsm'],
      [
        [PIN_FOR_ANCHOR, at.token.pin],
        [/Type MOVE ANCHOR/, 'MOVE ANCHOR'],
      ],
    );
    expect(`${moved.code} ${moved.output}`).toMatch(
      /^0 .*from +\S+anchor.*to +token:hsm.*moved: from now on every run uses the new place/s,
    );
    expect(await anchorFile(fixture.anchor).read()).toEqual([]);
    expect(await at.issue(...fixture.secret, ...at.secret('hsm'))).toMatchObject({ code: 0 });
    await at.copy('newest.sqlite');
    at.putBack(copy);
    const old = await at.issue(...fixture.secret);
    expect(`${old.code} ${old.stderr}`).toMatch(/^4 .*is no longer there: another copy of this ledger has moved it/s);
  });

  it('a restore by a file asks the token that the copy names, and refuses where that one has seen more', async () => {
    const copy = join(at.folder, 'in-token.sqlite');
    const carried = join(at.folder, 'carried');
    at.putBack(join(at.folder, 'newest.sqlite'));
    expect((await at.here('ledger', 'backup', copy)).code).toBe(0);
    // As an older move to the file, cut short, leaves it.
    const ledger = at.read((view) => ({ ledgerId: view.genesis.ledgerId, ...view.head() }));
    expect(await anchorFile(carried).replace({ known: [], next: ledger, nonce: new Uint8Array(16) })).toBe(true);
    expect(await at.issue(...fixture.secret, ...at.secret('hsm'))).toMatchObject({ code: 0 });
    const newest = await at.copy('newer.sqlite');
    at.putBack(copy);
    const restore = ['ledger', 'restore', '--anchor', carried];
    const refused = await at.typed(restore, [[PIN_FOR_ANCHOR, at.token.pin]]);
    expect(`${refused.code} ${refused.output}`).toMatch(
      /^2 .*is still in the place that this copy names, and has seen more/s,
    );
    at.putBack(newest);
  });

  it('a restore by a file leaves in the token that the anchor was moved, or takes words where the token is gone', async () => {
    const place = join(at.folder, 'file-anchor');
    const head = at.read((view) => ({ ledgerId: view.genesis.ledgerId, ...view.head() }));
    expect(await anchorFile(place).replace({ known: [], next: head, nonce: new Uint8Array(16) })).toBe(true);
    const newest = await at.copy('before-gone.sqlite');
    const restore = ['ledger', 'restore', '--anchor', place];
    at.edit(({ keystores }) => {
      keystores['hsm'] = { type: 'pkcs11', uri: at.uri('gone') };
    });
    const declined = await at.typed(restore, [[/Type OLD PLACE IS LOST/, 'RESTORE']]);
    expect(`${declined.code} ${declined.output}`).toMatch(
      /^10 .*this place cannot be read:.*two licenses will have one counter/s,
    );
    at.edit(({ keystores }) => {
      keystores['hsm'] = { type: 'pkcs11', uri: at.uri('one') };
    });
    const restored = await at.typed(restore, [
      [PIN_FOR_ANCHOR, at.token.pin],
      [/Type RESTORE/, 'RESTORE'],
    ]);
    expect(`${restored.code} ${restored.output}`).toMatch(/^0 .*From now on the anchor is in another place/s);
    expect(await at.issue(...fixture.secret)).toMatchObject({ code: 0 });
    at.putBack(newest);
    const old = await at.issue(...fixture.secret, ...at.secret('hsm'));
    expect(`${old.code} ${old.stderr}`).toMatch(/^4 .*is no longer there: another copy of this ledger has moved it/s);
  });
});
