/** The admin page in a real Chromium with its scripts turned off, while the product serves. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { armor } from '../../formats/armor.ts';
import { AdminServer, PASSWORD } from './admin-server.ts';
import { openBrowser, type Browser, type Profile, type Tab } from './browser.ts';
import { DAY, textOf } from '../unit/verifier/runtime/product.ts';
import { EXP, licenseFile, NBF, strangeKey } from '../unit/verifier/sample.ts';

let browser: Browser;
let profile: Profile;
let tab: Tab;
let server: AdminServer;
/** What the browser complains of: a style that the policy forbids, for example. */
let complaints: string[];

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  server = new AdminServer();
  await server.product.dropLicense({ ctr: 7, name: 'Acme GmbH', upd: EXP, limits: limits(50), dep: 'prod-eu', ...OF });
  await server.start({}, { deployment: 'prod-eu', defaultGrace: 30 * DAY, buildDate: NBF });
  profile = await browser.newContext({ javaScriptEnabled: false });
  await profile.addCookies([{ name: 'session', value: 'ola', url: server.origin }]);
  tab = await profile.newPage();
  complaints = [];
  tab.on('console', (message) => {
    if (!/status of 4\d\d/.test(message.text())) complaints.push(message.text());
  });
  await tab.goto(server.address);
});
afterEach(async () => {
  expect(complaints).toEqual([]);
  await profile.close();
  await server.stop();
});

const OF = { features: ['audit-export', 'sso'] } as const;
const limits = (vaults: number): Readonly<Record<string, number>> =>
  Object.assign(Object.create(null) as Record<string, number>, { vaults });
const renewal = async (changes: object = {}): Promise<string> =>
  textOf(
    await licenseFile({
      ctr: 8,
      cti: '0193817a-6c00-7000-8000-000000000002',
      name: 'Acme GmbH',
      dep: 'prod-eu',
      seats: 400,
      exp: EXP + 365 * DAY,
      upd: EXP + 365 * DAY,
      limits: limits(80),
      features: ['audit-export', 'scim', 'sso'],
      ...changes,
    }),
  );

async function preview(text: string): Promise<string> {
  await tab.fill('#pasted', text);
  await tab.click('button');
  return tab.innerText('body');
}
async function confirm(password: string = PASSWORD): Promise<string> {
  await tab.fill('#proof', password);
  await tab.click('button');
  return tab.innerText('body');
}
const seats = async (): Promise<unknown> =>
  ((await (await fetch(`${server.origin}/entitlements`)).json()) as { seats: number }).seats;

/** One more seat than the vendor signed: 400 is `19 0190` in CBOR, and 401 is `19 0191`. */
function forged(text: string): string {
  const file = Buffer.from(text.split('\n').slice(1, -2).join(''), 'base64');
  const at = file.indexOf(Buffer.from('190190', 'hex'));
  expect(at).toBeGreaterThan(0);
  file[at + 2] = 0x91;
  return textOf(armor('VTLIC', file));
}

/** `SCREENSHOTS=DIR` keeps them, to be looked at. */
const folder = process.env['SCREENSHOTS'] ?? '';
async function shoot(name: string): Promise<void> {
  if (folder === '') return;
  mkdirSync(folder, { recursive: true });
  for (const colorScheme of ['light', 'dark'] as const)
    for (const [size, width] of [
      ['wide', 1100],
      ['narrow', 390],
    ] as const) {
      await tab.emulateMedia({ colorScheme });
      await tab.setViewportSize({ width, height: 900 });
      await tab.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`), fullPage: true });
    }
}

describe('in a browser, an operator', () => {
  it('pastes a renewal, sees what it changes, confirms it, and the product goes on with it', async () => {
    await shoot('active');
    const shown = await preview(await renewal());
    expect(shown).toMatch(/Seats\s+250\s+400\s+changed/);
    await shoot('preview');
    expect(await seats()).toBe(250);
    expect(await confirm()).toContain('The license is installed and in force.');
    await shoot('installed');
    expect(await seats()).toBe(400);
    expect(server.audited.map(({ phase }) => phase)).toEqual(['before', 'after']);
  });

  it('pastes an early one, which waits', async () => {
    await preview(await renewal({ nbf: EXP - 5 * DAY }));
    await shoot('preview-early');
    expect(await confirm()).toContain('It comes into force by itself at 2027-12-27');
    await shoot('waiting');
    expect(await seats()).toBe(250);
    await server.product.pass(EXP - 5 * DAY - NBF, server.license);
    expect(await seats()).toBe(400);
  });

  it.each([
    ['a forged one', 'forged', () => renewal({}).then(forged), 'signature_invalid'],
    [
      'one by a key that is not trusted',
      'unknown-key',
      async () => textOf(await licenseFile({ ctr: 8 }, strangeKey)),
      'signed by a key that this product does not trust',
    ],
    ['a rolled-back one', 'rolled-back', () => renewal({ ctr: 6 }), 'older than one that was accepted here before'],
    [
      'an expired one',
      'expired',
      () => renewal({ iat: NBF - 800 * DAY, nbf: NBF - 800 * DAY, exp: NBF - 400 * DAY }),
      'has expired',
    ],
  ] as const)('pastes %s, which is refused with the reason', async (_what, name, make, words) => {
    expect(await preview(await make())).toContain(words);
    await shoot(name);
    expect(await tab.innerText('[role=alert]')).toContain('Nothing was installed.');
    expect(await seats()).toBe(250);
  });

  it('pastes one that a mail mangled, which is repaired, verified and installed', async () => {
    const quoted = (await renewal()).replaceAll(/(.{40})/g, '$1\n').replaceAll(/^/gm, '> \u00a0');
    const shown = await preview(`Dear Acme,\n\n${quoted}\n\nRegards`);
    expect(shown).toContain('What was repaired in the pasted text');
    expect(shown).toContain('its lines were wrapped anew or joined');
    await shoot('repaired');
    expect(await confirm()).toContain('installed and in force');
    expect(await seats()).toBe(400);
  });

  it('chooses a file, which is taken exactly as it is', async () => {
    const file = (text: string) => ({
      name: 'a.vtlic',
      mimeType: 'application/octet-stream',
      buffer: Buffer.from(text),
    });
    await tab.setInputFiles('#file', file((await renewal()).replaceAll(/^/gm, '> ')));
    await tab.click('button');
    expect(await tab.innerText('[role=alert]')).toContain('armor_malformed');
    await tab.setInputFiles('#file', file(await renewal()));
    await tab.click('button');
    expect(await confirm()).toContain('installed and in force');
    expect(await seats()).toBe(400);
  });

  it('mistypes the password, which installs nothing, and may try again', async () => {
    await preview(await renewal());
    expect(await confirm('wrong')).toContain('You could not be confirmed.');
    await shoot('wrong-password');
    expect(await seats()).toBe(250);
    expect(await confirm()).toContain('installed and in force');
    expect(server.audited.map(({ phase }) => phase)).toEqual(['not_confirmed', 'before', 'after']);
  });

  it('is warned of what a license would take away', async () => {
    await preview(await renewal({ seats: 100, features: ['sso'], use: 'trial', exp: EXP - DAY, upd: EXP - DAY }));
    await shoot('cautions');
    const warned = await tab.innerText('section.warn');
    expect(warned).toContain('fewer seats than are used now');
    expect(warned).toContain('Features would be lost: audit-export.');
    expect(warned).toContain('not for production: trial');
    expect(warned).toContain('It ends before the license that is here now.');
  });

  it('sees the grace and the free tier come, and installs a renewal from there', async () => {
    await server.product.pass(EXP - NBF + 18 * DAY, server.license);
    await tab.goto(server.address);
    expect(await tab.innerText('body')).toContain('Days of grace left: 12');
    await shoot('grace');
    await server.product.pass(12 * DAY, server.license);
    server.seatsUsed = 5;
    await tab.goto(server.address);
    expect(await tab.innerText('body')).toContain('More seats are used than are available.');
    await shoot('free-tier');
    expect(await seats()).toBe(3);
    await preview(await renewal());
    expect(await confirm()).toContain('installed and in force');
    expect(await seats()).toBe(400);
  });

  it('gets through all of it with the keyboard, and sees where the focus is', async () => {
    const { keyboard } = tab;
    const tabTo = async (selector: string): Promise<void> => {
      for (let i = 0; i < 12; i++) {
        await keyboard.press('Tab');
        if ((await focused()).includes(selector)) return;
      }
      throw new Error(`Tab does not reach ${selector}`);
    };
    const focused = (): Promise<string> => tab.evaluate<string>(FOCUSED);
    const outlined = (): Promise<string> =>
      tab.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
    await tabTo('pasted');
    await keyboard.type('nonsense');
    await tabTo('button');
    expect(await outlined()).toBe('solid');
    await keyboard.press('Enter');
    await tab.waitForSelector('[role=alert]');
    expect(await focused()).toContain('alert');
    await tabTo('pasted');
    await tab.fill('#pasted', await renewal());
    await tabTo('button');
    await keyboard.press('Enter');
    await tab.waitForSelector('#proof');
    await tabTo('proof');
    await keyboard.type(PASSWORD);
    await keyboard.press('Enter');
    await tab.waitForSelector('[role=status]');
    expect(await focused()).toContain('status');
    expect(await seats()).toBe(400);
  });

  it('sees every name of a license as text, markup in it too', async () => {
    const name = '<img src=x onerror=alert(1)>"\'</textarea><script>alert(2)</script>';
    await preview(await renewal({ name }));
    expect(await tab.innerText('table')).toContain(name);
    await confirm();
    expect(await tab.innerText('body')).toContain(name);
    expect(await tab.evaluate<number>("document.querySelectorAll('img, script').length")).toBe(0);
    await tab.fill('#pasted', name);
    await tab.click('button');
    expect(await tab.evaluate<number>("document.querySelectorAll('img, script').length")).toBe(0);
  });

  it('with a screen reader, or with weak eyes, finds labels, headings in order, and enough contrast', async () => {
    const check = async (page: string): Promise<void> => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await tab.emulateMedia({ colorScheme });
        expect(await tab.evaluate<readonly string[]>(ACCESSIBILITY_FAULTS), `${page}, ${colorScheme}`).toEqual([]);
      }
    };
    await check('active');
    await preview('nonsense');
    await check('refused');
    await preview((await renewal({ seats: 100, features: ['sso'], use: 'trial' })).replaceAll(/^/gm, '> '));
    await check('preview');
    await confirm('wrong');
    await check('not confirmed');
    await confirm();
    await check('installed');
    await server.product.pass(EXP - NBF + 366 * DAY, server.license);
    await tab.goto(server.address);
    await check('grace');
    await server.product.pass(60 * DAY, server.license);
    await tab.goto(server.address);
    await check('free tier');
  });

  it('who is not signed in sees nothing of the license', async () => {
    const stranger = await browser.newContext({ javaScriptEnabled: false });
    const other = await stranger.newPage();
    expect((await other.goto(server.address))?.status()).toBe(403);
    expect(await other.innerText('body')).not.toContain('Acme');
    await stranger.close();
  });
});

const FOCUSED = `[document.activeElement.id, document.activeElement.tagName.toLowerCase(),
  document.activeElement.getAttribute('role')].join(' ')`;

/** A part of what WCAG 2.2 asks for: names of fields, unique ids, headings in order, a contrast of 4.5 to 1. */
const ACCESSIBILITY_FAULTS = `(() => {
  const faults = [];
  const all = [...document.querySelectorAll('body *')].filter((one) => one.checkVisibility());
  for (const field of all.filter((one) => one.matches('input:not([type=hidden]), textarea, button')))
    if ([...(field.labels ?? [])].map((label) => label.innerText).join('') === '' && field.innerText === '')
      faults.push('no label: ' + field.outerHTML);
  for (const section of all.filter((one) => one.matches('section')))
    if (!section.ariaLabel && !document.getElementById(section.getAttribute('aria-labelledby')))
      faults.push('no name: ' + section.outerHTML.slice(0, 80));
  const ids = all.map((one) => one.id).filter((id) => id !== '');
  if (new Set(ids).size < ids.length) faults.push('an id twice');
  const levels = all.filter((one) => /^H[1-6]$/.test(one.tagName)).map((one) => Number(one.tagName[1]));
  if (levels[0] !== 1 || levels.some((level, i) => level > (levels[i - 1] ?? 0) + 1)) faults.push('headings ' + levels);
  if (document.querySelectorAll('main').length !== 1 || document.documentElement.lang === '') faults.push('no main');
  const parts = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = (color) => {
    const [r, g, b] = parts(color).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const groundOf = (one) => {
    const color = getComputedStyle(one).backgroundColor;
    return parts(color)[3] === 0 && one.parentElement ? groundOf(one.parentElement) : color;
  };
  for (const one of all) {
    if (![...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')) continue;
    const [a, b] = [luminance(getComputedStyle(one).color), luminance(groundOf(one))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faults.push(contrast.toFixed(2) + ' ' + one.outerHTML.slice(0, 80));
  }
  return faults;
})()`;

describe('in a browser, another site', () => {
  it('can neither send the forms of the page nor show it in a frame, even where no cookie is needed', async () => {
    const open = new AdminServer();
    await open.product.dropLicense({ ctr: 7 });
    await open.start({ authorize: () => ({ name: 'whoever is in this network', session: 'network' }) });
    try {
      await tab.goto(`${open.origin.replace('127.0.0.1', 'localhost')}/elsewhere`);
      await expect.poll(() => complaints.join(' ')).toContain("frame-ancestors 'none'");
      complaints.length = 0;
      await tab.click('button');
      await tab.waitForSelector('[role=alert]');
      expect(tab.url()).toBe(open.address);
      expect(await tab.innerText('body')).toContain('The request did not come from this page');
      expect(open.license.view().refusals.count).toBe(0);
    } finally {
      await open.stop();
    }
  });
});
