import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PERPETUAL_EXP } from '../../../../formats/license/bounds.ts';
import { issuingKey, KEYSET_ISSUER, keysetBlock, testKey } from '../../../../conformance/examples/keysets.ts';
import { licenseAdmin } from '../../../../verifier/admin/index.ts';
import { builtInChain } from '../../../../verifier/keyset/index.ts';
import { textOf } from '../runtime/product.ts';
import { EXP, licenseFile, licenseFileOf, NBF } from '../sample.ts';
import { AdminSite } from './admin-site.ts';

const DAY = 86_400;

let site: AdminSite;
beforeEach(async () => {
  site = new AdminSite();
  await site.product.dropLicense({ ctr: 7 });
});
afterEach(() => site.product.remove());

describe('a renewal that an operator pastes', () => {
  it('is shown with what it changes, and installed only after that', async () => {
    await site.start();
    expect((await site.get()).text).toContain('Active');
    const preview = await site.preview(textOf(await licenseFile({ ctr: 8, seats: 400 })));
    expect(preview.status).toBe(200);
    expect(preview.text).toContain('Seats 250 400 changed');
    expect(preview.text).toContain('Counter 7 8 changed');
    expect(site.license.entitlements?.seats).toBe(250);
    const done = await site.confirm(preview);
    expect(done.status).toBe(200);
    expect(done.text).toContain('The license is installed and in force.');
    expect(site.license.entitlements?.seats).toBe(400);
    expect(site.audited).toMatchObject([
      { phase: 'before', license: { counter: 8 }, previous: { counter: 7 }, at: NBF },
      { phase: 'after', license: { counter: 8 }, result: 'in_force' },
    ]);
  });

  it('waits for its time if it is early, and what is in force goes on', async () => {
    await site.start();
    const done = await site.install(textOf(await licenseFile({ ctr: 8, nbf: NBF + 30 * DAY, seats: 400 })));
    expect(done.text).toContain('It comes into force by itself at 2027-01-31 00:00:00 UTC.');
    expect(done.text).toContain('A renewal waits');
    expect(site.license.entitlements?.seats).toBe(250);
    await site.product.pass(30 * DAY, site.license);
    expect(site.license.entitlements?.seats).toBe(400);
  });

  it('that can no longer be installed once it is confirmed is refused, and both is recorded', async () => {
    await site.start();
    const preview = await site.preview(textOf(await licenseFile({ ctr: 8, exp: NBF + 600 })));
    // It lapses before the operator confirms it.
    site.product.clock = NBF + 601;
    const done = await site.confirm(preview);
    expect(done.status).toBe(422);
    expect(done.text).toContain('The license has expired, and its grace is over.');
    expect(site.audited.map(({ phase, result }) => [phase, result])).toEqual([
      ['before', undefined],
      ['after', 'lapsed'],
    ]);
    expect(site.license.view().refusals.count).toBe(1);
  });

  it('is recorded without the session of the operator', async () => {
    await site.start();
    await site.install(textOf(await licenseFile({ ctr: 8 })));
    expect(JSON.stringify(site.audited)).not.toContain(site.session);
    expect(site.audited[0]?.operator).toEqual({ name: 'Ola <b>Nordmann</b>' });
  });

  it('is one of several: keysets are shown and installed as such, with a license and without', async () => {
    const version = (number: number, keys: readonly string[]): Uint8Array =>
      keysetBlock({ version: number, roots: ['root'], keys: keys.map((name) => issuingKey(name)) }, ['root']);
    site.product.drop(licenseFileOf(testKey('old key')));
    await site.start({}, { keys: builtInChain(version(1, ['old key']), { issuer: KEYSET_ISSUER }) });
    const second = textOf(version(2, ['old key', 'new key']));
    const only = await site.preview(second);
    expect(only.text).toContain('Once they are installed, version 2 counts.');
    expect(only.text).toContain('Keyset version 1 2 changed');
    expect((await site.confirm(only)).text).toContain('The keysets are installed.');
    expect(site.audited.at(-1)).toMatchObject({ phase: 'after', result: 'keyset' });
    const third = textOf(version(3, ['old key', 'new key', 'newest key']));
    const both = await site.preview(`${textOf(licenseFileOf(testKey('newest key'), { ctr: 8 }))}\n${third}`);
    expect(both.text).toContain('Keysets are installed with it; version 3 counts then.');
    expect((await site.confirm(both)).text).toContain('Keyset version 3');
    expect(site.license.entitlements?.source).toBe('license');
  });

  it('is shown in another language, with its own direction', async () => {
    await site.start({
      texts: { language: 'he', direction: 'rtl', title: '\u05e8\u05d9\u05e9\u05d9\u05d5\u05df' },
      notices: { counter_rolled_back: { sentence: 'Zu alt.', remedy: 'Die neueste nehmen.' } },
      repairs: { 'quote marks': 'Zeichen eines Zitats' },
    });
    const { html } = await site.get();
    expect(html).toMatch(/<html lang="he" dir="rtl"/);
    expect(html).toContain('<title>\u05e8\u05d9\u05e9\u05d9\u05d5\u05df</title>');
    expect((await site.preview(textOf(await licenseFile({ ctr: 6 })))).text).toContain('Zu alt. Die neueste nehmen.');
    const quoted = textOf(await licenseFile({ ctr: 8 })).replaceAll(/^/gm, '> ');
    expect((await site.preview(quoted)).text).toContain('Zeichen eines Zitats');
  });

  it('is not taken where nothing can be installed: the page says why, and has no form', async () => {
    const file = textOf(await licenseFile({ ctr: 7 }));
    await site.start(
      {},
      { environment: { ...site.product.options().environment, LICENSE_PATH: '', LICENSE_TEXT: file } },
    );
    const page = await site.get();
    expect(page.text).toContain('the license is in the variable LICENSE_TEXT');
    expect(page.html).not.toContain('<form');
  });

  it('shows seats as they are known: not asked, asked in vain, nonsense, and unlimited', async () => {
    await site.start();
    expect((await site.get()).text).toContain('Seats 250 Features');
    for (const seatsUsed of [() => Promise.reject(new Error('the database is away')), () => -1, () => 0.5]) {
      site.handler = licenseAdmin(site.license, site.options({ seatsUsed }));
      expect((await site.get()).text).toContain('Seats 250; how many are used is not known now');
    }
    site.handler = licenseAdmin(site.license, site.options({ seatsUsed: () => 251 }));
    expect((await site.get()).text).toContain('More seats are used than are available.');
    await site.install(textOf(await licenseFile({ ctr: 8, seats: 'unlimited' })));
    expect((await site.get()).text).toContain('Seats unlimited, 251 used');
  });

  it.each([
    [EXP - NBF - 30 * DAY - 1, 'Days until it expires: 31'],
    [EXP - NBF - 1, 'It expires within a day.'],
    [EXP - NBF, 'It expired less than a day ago.'],
    [EXP - NBF + 40 * DAY, 'Days since it expired: 40'],
  ])('%i seconds after the beginning, the page says when it ends', async (seconds, words) => {
    await site.start();
    await site.product.pass(seconds, site.license);
    expect((await site.get()).text).toContain(words);
  });

  it('has no days to count where it has no end', async () => {
    await site.product.dropLicense({ ctr: 7, exp: PERPETUAL_EXP });
    await site.start();
    const { text } = await site.get();
    expect(text).toContain('Valid until no end');
    expect(text).not.toMatch(/Days|Grace until/);
  });

  it('is repaired where a mail mangled it, and says how', async () => {
    await site.start();
    const mangled = textOf(await licenseFile({ ctr: 8 })).replaceAll(/^/gm, '> ');
    const preview = await site.preview(`Dear Acme,\n\n${mangled}\nRegards`);
    expect(preview.text).toContain('the marks of a quoted mail');
    expect((await site.confirm(preview)).text).toContain('installed and in force');
  });
});
