/** What does not become a reviewed plan, and so is never signed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askForYes } from '../../../../signer/plan/review.ts';
import { runHere } from '../../../support/run-here.ts';
import { makeSite, writeRequest, type SiteFixture } from '../../../support/site-fixture.ts';

let fixture: SiteFixture;
beforeAll(async () => {
  fixture = await makeSite({ algorithm: 'ed25519' });
});
afterAll(() => {
  fixture.remove();
});

describe('the answer of an officer', () => {
  const answering = (answer: string): Promise<void> =>
    askForYes(['the view'], 'Sign this?', { show: () => undefined, ask: () => Promise.resolve(answer) });

  it('is consent when it is exactly Yes', async () => {
    await expect(answering('Yes')).resolves.toBeUndefined();
  });

  it.each(['', 'yes', 'YES', 'Y', 'y', 'Yes ', ' Yes', 'No', 'Ja'])('declines when it is "%s"', async (answer) => {
    await expect(answering(answer)).rejects.toMatchObject({ code: 'declined' });
  });
});

describe('a plan that waits for its confirmation', () => {
  it('is refused with exit 10 when a byte of it was changed after the review', async () => {
    const request = writeRequest(fixture);
    const digest = (await runHere(['issue', request, '--site', fixture.site, '--dry-run'])).stdout.trim();
    const file = join(fixture.site, 'plans', digest);
    const text = readFileSync(file, 'latin1');
    expect(text).toContain('acme-gmbh');
    writeFileSync(file, text.replace('acme-gmbh', 'acme-gmbx'), 'latin1');
    const done = await runHere(['issue', '--confirm', digest, '--site', fixture.site, ...fixture.secret]);
    expect([done.code, done.stderr]).toEqual([10, expect.stringContaining('the plan was altered after it was made')]);
  });

  it('is not even made, with exit 3, for a request that the catalog does not allow', async () => {
    const request = writeRequest(fixture, { tier: 'golden' });
    const done = await runHere(['issue', request, '--site', fixture.site, '--dry-run']);
    expect([done.code, done.stdout, done.stderr]).toEqual([
      3,
      '',
      expect.stringContaining('"tier" golden is not sold'),
    ]);
  });
});
