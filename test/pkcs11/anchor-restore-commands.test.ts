/**
 * The rest of the commands with the ledger's anchor in a token: renewals, proofs, a handover of counters, and a key
 * with a wrapped seed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { day } from '../support/batch-file.ts';
import { AnchoredSite } from './support/anchored-site.ts';
import { makeSofthsm } from './support/softhsm.ts';

const ANCHOR = 'vtlic-anchor-example-vendor';
const PIN_PROMPT = /PIN of token one .*: /;

let at: AnchoredSite;

beforeAll(() => {
  at = new AnchoredSite(makeSofthsm('one'), { hsm: 'one' });
  expect(
    at.run(
      'init',
      at.site,
      '--issuer',
      'example-vendor',
      '--example-catalog',
      ...at.keystores,
      '--anchor',
      'token:hsm',
      ...at.secret('hsm'),
    ),
  ).toMatchObject({ code: 0 });
  expect(at.run('key', 'generate', '--name', 'wrapped', '--wrapped', ...at.secret('hsm'))).toMatchObject({ code: 0 });
  for (const [name, purpose] of [
    ['log', 'ledger'],
    ['counters', 'counters'],
  ] as const) {
    expect(
      at.run('key', 'generate', '--name', name, '--purpose', purpose, '--algorithm', 'ed25519', ...at.secret('hsm')),
    ).toMatchObject({ code: 0 });
  }
  at.calls();
});
afterAll(() => {
  at.remove();
});

/**
 * One login for whatever the run did; one anchor, which covers what left.
 *
 * @param hosts two of SoftHSM, or one where the run changed nothing in the token
 */
async function costsOneLogin(hosts: 1 | 2 = 2): Promise<void> {
  const calls = at.calls();
  expect([calls.get('C_Login'), calls.get('C_Initialize')]).toEqual([1, hosts]);
  expect(await at.data('one', ANCHOR)).toHaveLength(1);
  expect(at.run('ledger', 'status', ...at.secret('hsm')).stdout).toMatch(/agrees, and covers every(thing| license)/);
  at.calls();
}

/** The older copy in the place of the ledger, the refusal looked at, the newer one put back. */
async function refusesOlder(copy: string): Promise<void> {
  const now = await at.copy(`${copy.split('/').at(-1) ?? ''}.now`);
  at.putBack(copy);
  const before = at.entries();
  const refused = await at.issue(...at.secret('hsm'));
  expect(`${refused.code} ${refused.stderr}`).toMatch(/^4 .*the ledger is older than its anchor/s);
  expect(at.entries()).toBe(before);
  at.putBack(now);
  at.calls();
}

it('a key with a wrapped seed and the anchor share one login', async () => {
  const issued = await at.issue(...at.secret('hsm'));
  expect(`${issued.code} ${issued.stderr}`).toMatch(/^0 /);
  await costsOneLogin();
  expect(at.run('verify', issued.stdout.trim(), '--product', 'vaultdesk', '--deployment', 'prod-eu')).toMatchObject({
    code: 0,
  });
});

it('a renewal takes the next counter under one login, and a copy from before it is refused', async () => {
  const copy = await at.copy('before-renewal.sqlite');
  const renewal = ['renew', 'acme-gmbh', '--from', day(0), '--until', day(300), '--seats', '77'];
  const digest = (await at.here(...renewal, '--dry-run')).stdout.trim();
  const renewed = at.run('renew', '--confirm', digest, ...at.secret('hsm'));
  expect(`${renewed.code} ${renewed.stderr}`).toMatch(/^0 /);
  expect(renewed.stdout).toMatch(/\/acme-gmbh\/2-/);
  await costsOneLogin();
  await refusesOlder(copy);
});

it('a proof beside a license, and one made later, come from the anchored log under one login each', async () => {
  const issued = await at.issue('--proof', ...at.secret('hsm'));
  expect(`${issued.code} ${issued.stderr}`).toMatch(/^0 /);
  const license = issued.stdout.trim().split('\n')[0] ?? '';
  await costsOneLogin();
  expect((await at.here('ledger', 'check', `${license}.tlog-proof`, '--license', license)).stdout).toContain(
    'valid: license',
  );
  const proof = join(at.folder, 'later.proof');
  expect(at.run('ledger', 'prove', license, '--out', proof, ...at.secret('hsm'))).toMatchObject({ code: 0 });
  await costsOneLogin(1);
  expect((await at.here('ledger', 'check', proof, '--license', license)).stdout).toContain('valid: license');
});

it('counters that are handed over stay so: a copy from before is refused, also where the run was cut off between record and anchor', async () => {
  const copy = await at.copy('before-handover.sqlite');
  const document = join(at.folder, 'handed.counters');
  await at.typed(
    ['counters', 'export', document, '--to', 'ab'.repeat(16), '--customer', 'acme-gmbh', ...at.secret('hsm')],
    [[/Type HAND OVER/, 'HAND OVER']],
    'counters-recorded',
  );
  expect(existsSync(document)).toBe(false);
  at.calls();
  // What is in the record is finished without a word, and the document written out of it.
  const finished = at.run(
    'counters',
    'export',
    document,
    '--to',
    'ab'.repeat(16),
    '--customer',
    'acme-gmbh',
    ...at.secret('hsm'),
  );
  expect(`${finished.code} ${finished.stderr}`).toMatch(/^0 /);
  expect(existsSync(document)).toBe(true);
  await costsOneLogin();
  const refused = await at.here('issue', join(at.folder, 'request.json'), '--dry-run');
  expect(`${refused.code} ${refused.stderr}`).toMatch(/^4 .*handed over/s);
  await refusesOlder(copy);
});

it('counters that were handed over are taken back under one login, if the officer confirms it', async () => {
  at.calls();
  const back = await at.typed(
    ['counters', 'import', join(at.folder, 'handed.counters')],
    [
      [PIN_PROMPT, at.token.pin],
      [/Type TAKE BACK/, 'TAKE BACK'],
    ],
  );
  expect(`${back.code} ${back.output}`).toMatch(/^0 /);
  await costsOneLogin();
  const issued = await at.issue(...at.secret('hsm'));
  expect(`${issued.code} ${issued.stderr}`).toMatch(/^0 /);
  expect(at.run('ledger', 'verify', ...at.secret('hsm'))).toMatchObject({ code: 0 });
});
