import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { textOf } from '../runtime/product.ts';
import { licenseFile, NBF } from '../sample.ts';
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

  it('is repaired where a mail mangled it, and says how', async () => {
    await site.start();
    const mangled = textOf(await licenseFile({ ctr: 8 })).replaceAll(/^/gm, '> ');
    const preview = await site.preview(`Dear Acme,\n\n${mangled}\nRegards`);
    expect(preview.text).toContain('the marks of a quoted mail');
    expect((await site.confirm(preview)).text).toContain('installed and in force');
  });
});
