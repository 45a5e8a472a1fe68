/** The page of each state, as it is sent: its markup, and the lines that an operator reads. */
import { describe, expect, it } from 'vitest';
import { PERPETUAL_EXP } from '../../../../formats/license/bounds.ts';
import { errorPage, type PageFacts } from '../../../../verifier/admin/page.ts';
import { statusPage } from '../../../../verifier/admin/status-page.ts';
import { Texts } from '../../../../verifier/admin/texts.ts';
import type { LicenseView } from '../../../../verifier/runtime/index.ts';
import { EXP, NBF } from '../sample.ts';
import { compact, factsOf, FREE, freeView, LICENSE, linesOf, OLD, sectionOf, TEXTS, viewOf } from './views.ts';

const DAY = 86_400;
const TOO_OLD =
  '<p>The license is older than one that was accepted here before. ' +
  'Install the newest license that the vendor sent for this deployment.</p>';
const DETAIL =
  '<p class="detail">Detail: <span lang="en" dir="ltr">its counter is 6</span><code>counter_rolled_back</code></p>';

const page = (view: LicenseView, changes: Partial<PageFacts> = {}): string =>
  statusPage(factsOf(view, changes), { token: 'TOKEN', pasted: 'a <b' });

/** What the banner of the state says, a text for each of its paragraphs. */
function banner(view: LicenseView, changes: Partial<PageFacts> = {}): readonly string[] {
  const [, tone = '', text = ''] = /<div class="banner (\w+)">(.*?)<\/div>/.exec(compact(page(view, changes))) ?? [];
  return [tone, ...[...text.matchAll(/<p[^>]*>(.*?)<\/p>/g)].map(([, words = '']) => words)];
}

const nowLines = (view: LicenseView, changes: Partial<PageFacts> = {}): readonly string[] =>
  linesOf(sectionOf(page(view, changes), 'now'));

const LINES = [
  'Customer: acme-gmbh',
  'Tier: enterprise',
  'Use: production',
  'Seats: 250',
  'Features: audit-export, sso',
  'Limit vaults: 20',
  'Valid from: 2027-01-01',
  'Valid until: 2027-12-31 (until the end of this day, UTC)',
  'Covers builds dated until: all builds',
  'Counter: 7',
  'License id: 0193817a-8c00-7000-8000-000000000001',
];
const PLACE = ['Read from: the file /etc/license', 'As of: 2027-01-01 00:00:00 UTC'];

describe('the page of a license in force', () => {
  it('has its document, its operator, its sections, and a form with the token and what was pasted', () => {
    const whole = compact(page(viewOf()));
    expect(whole.slice(0, whole.indexOf('<section'))).toBe(
      '<!doctype html><html lang="en" dir="ltr"><head><meta charset="utf-8" />' +
        '<meta name="viewport" content="width=device-width, initial-scale=1" /><title>License</title></head>' +
        '<body><header><h1>License</h1><p class="soft">Signed in as Ola</p></header><main>',
    );
    expect([...whole.matchAll(/<section[^>]*>/g)].map(([tag]) => tag)).toEqual([
      '<section aria-labelledby="now">',
      '<section aria-labelledby="install">',
    ]);
    const form = sectionOf(page(viewOf()), 'install');
    expect(form).toContain('<h2 id="install">Install a renewal</h2><form method="post" enctype="multipart/form-data">');
    expect(form).toContain('<input type="hidden" name="token" value="TOKEN" />');
    expect(form).toContain('autocomplete="off"> a &lt;b</textarea>');
    expect(whole).not.toMatch(/<h3|undefined|NaN|>false/);
  });

  it('has one line for each fact of the license, then where and when it was read', () => {
    expect(nowLines(viewOf())).toEqual([...LINES, ...PLACE]);
  });

  it('has a line for each fact that only some licenses have', () => {
    const license = { ...LICENSE, name: 'Acme', deployment: 'prod', instances: 2, features: [], limits: {} };
    const view = viewOf({
      license: { ...license, use: 'trial', updatesUntil: NBF + DAY, until: EXP - 1 },
      graceUntil: EXP,
      keysetVersion: 3,
      location: { kind: 'text' },
    });
    expect(nowLines(view)).toEqual([
      'Customer: Acme (acme-gmbh)',
      'Deployment: prod',
      'Tier: enterprise',
      'Use: trial',
      'Seats: 250',
      'Hosts at once: 2',
      'Features: none',
      'Valid from: 2027-01-01',
      'Valid until: 2027-12-31T23:59:59Z',
      'Grace until: 2027-12-31 (until the end of this day, UTC)',
      'Covers builds dated until: 2027-01-01 (until the end of this day, UTC)',
      'Counter: 7',
      'License id: 0193817a-8c00-7000-8000-000000000001',
      'Keyset version: 3',
      'Read from: the variable LICENSE_TEXT',
      'As of: 2027-01-01 00:00:00 UTC',
    ]);
  });

  it.each([
    [undefined, 'production'],
    ['non-production', 'not for production'],
    ['trial', 'trial'],
    ['emergency', 'emergency'],
  ] as const)('says of the use %s: %s', (use, words) => {
    const license = use === undefined ? LICENSE : { ...LICENSE, use };
    expect(nowLines(viewOf({ license }))[2]).toBe(`Use: ${words}`);
  });

  it.each([
    ['no grace', {}, []],
    ['a grace that ends with it', { graceUntil: EXP }, []],
    ['a grace after it', { graceUntil: EXP + 1 }, ['Grace until: 2028-01-01T00:00:01Z']],
    ['no end', { license: { ...LICENSE, until: PERPETUAL_EXP }, graceUntil: PERPETUAL_EXP + DAY }, []],
  ])('with %s has a line for the grace only where there is one', (_what, changes, lines) => {
    expect(nowLines(viewOf(changes)).filter((line) => line.startsWith('Grace'))).toEqual(lines);
  });

  it.each([
    [{ kind: 'file', path: '/a' }, 'the file /a'],
    [{ kind: 'text' }, 'the variable LICENSE_TEXT'],
    [{ kind: 'nowhere' }, 'nowhere: LICENSE_PATH is not set'],
    [{ kind: 'saas' }, 'nowhere: DEPLOYMENT_MODE is saas'],
  ] as const)('says of the place %j: %s', (location, words) => {
    expect(nowLines(viewOf({ location })).at(-2)).toBe(`Read from: ${words}`);
  });
});

describe('the page in another language', () => {
  it('has its own words for what has no number: unlimited seats, and no end', () => {
    const texts = new Texts({ texts: { seats_unlimited: 'ohne Grenze', no_end: 'ohne Ende' } });
    const license = { ...LICENSE, seats: 'unlimited', until: PERPETUAL_EXP } as const;
    const lines = nowLines(viewOf({ license, waiting: license }), { texts, seatsUsed: undefined });
    expect(lines[7]).toBe('Valid until: ohne Ende');
    const waiting = linesOf(sectionOf(page(viewOf({ waiting: license }), { texts }), 'waiting'));
    expect(waiting[3]).toBe('Seats: ohne Grenze');
  });
});

describe('the banner', () => {
  const ACTIVE = ['Active', 'Everything in the license is available.'];
  const strong = (text: string): string => `<strong>${text}</strong>`;
  const left = (seconds: number): Partial<LicenseView> => ({ judgedAt: EXP - seconds });

  it.each([
    ['more than a day', left(DAY + 1), 'Days until it expires: 2'],
    ['two days', left(2 * DAY), 'Days until it expires: 2'],
    ['a day', left(DAY), 'It expires within a day.'],
    ['a second', left(1), 'It expires within a day.'],
    ['no second', left(0), 'It expired less than a day ago.'],
    ['a second ago', left(-1), 'It expired less than a day ago.'],
    ['almost a day ago', left(1 - DAY), 'It expired less than a day ago.'],
    ['a day ago', left(-DAY), 'Days since it expired: 1'],
    ['almost two days ago', left(1 - 2 * DAY), 'Days since it expired: 1'],
  ])('counts the days: %s', (_what, changes, words) => {
    expect(banner(viewOf(changes))).toEqual(['good', ...ACTIVE, strong(words)]);
  });

  it('has no days without a license, without an end and without a time', () => {
    const { judgedAt: _judgedAt, ...timeless } = viewOf();
    expect(banner(timeless)).toEqual(['good', ...ACTIVE]);
    expect(banner(viewOf({ license: { ...LICENSE, until: PERPETUAL_EXP } }))).toEqual(['good', ...ACTIVE]);
    expect(banner(freeView())).toEqual([
      'bad',
      'Free tier: no license is in force',
      'Only what comes without a license is available, until one is installed.',
    ]);
  });

  it.each([
    [31, 'good'],
    [30, 'warn'],
    [0, 'warn'],
  ])('of an active license with %i days left is %s', (daysToExpiry, tone) => {
    expect(banner(viewOf({ daysToExpiry }))[0]).toBe(tone);
  });

  it('of the free tier is bad, however long the license has expired', () => {
    expect(banner(freeView({ license: LICENSE, daysToExpiry: -5 }))[0]).toBe('bad');
  });

  it('of a license in grace says when the grace ends, and how many days that is', () => {
    const grace = { state: 'grace', judgedAt: EXP + DAY, daysToExpiry: -1 } as const;
    const expired = strong('Days since it expired: 1');
    expect(banner(viewOf({ ...grace, graceUntil: EXP + 3 * DAY }))).toEqual([
      'warn',
      'Expired, in grace',
      'Everything in the license is available until the grace ends: 2028-01-03 (until the end of this day, UTC).',
      expired,
      strong('Days of grace left: 2'),
    ]);
    expect(banner(viewOf({ ...grace, graceUntil: EXP + 2 * DAY + 1 })).at(-1)).toBe(strong('Days of grace left: 2'));
    expect(banner(viewOf(grace)).slice(2)).toEqual([
      'Everything in the license is available until the grace ends: .',
      expired,
    ]);
    expect(banner(viewOf({ ...grace, state: 'free_tier', graceUntil: EXP + 3 * DAY })).at(-1)).toBe(expired);
  });

  it('of the mode saas has no seats that could be exceeded', () => {
    const { license: _license, ...view } = viewOf({
      state: 'not_applicable',
      entitlements: undefined,
      location: { kind: 'saas' },
    });
    expect(banner(view, { seatsUsed: 5 })).toEqual([
      'good',
      'Not applicable: no license is needed in this mode',
      'Nothing can be installed here.',
    ]);
  });
});

describe('the seats', () => {
  const LICENSED = viewOf();
  const UNLIMITED = viewOf({ entitlements: { ...FREE, source: 'license', seats: 'unlimited' } });
  it.each([
    [LICENSED, undefined, '250', false],
    [LICENSED, 'unknown', '250; how many are used is not known now', false],
    [LICENSED, 0, '250 sold, 0 used', false],
    [LICENSED, 250, '250 sold, 250 used', false],
    [LICENSED, 251, '250 sold, 251 used', true],
    [UNLIMITED, undefined, 'unlimited', false],
    [UNLIMITED, 'unknown', 'unlimited; how many are used is not known now', false],
    [UNLIMITED, 9, 'unlimited, 9 used', false],
    [freeView(), undefined, '3', false],
    [freeView(), 3, '3 without a license, 3 used', false],
    [freeView(), 4, '3 without a license, 4 used', true],
  ] as const)('are compared with those in use: %#', (view, seatsUsed, words, isExceeded) => {
    expect(nowLines(view, { seatsUsed }).filter((line) => line.startsWith('Seats'))).toEqual([`Seats: ${words}`]);
    const said = banner(view, { seatsUsed }).filter((text) => text.includes('seats'));
    expect(said).toEqual(isExceeded ? ['<strong>More seats are used than are available.</strong>'] : []);
  });
});

describe('the page of the free tier', () => {
  const FREE_LINES = ['Tier: free', 'Seats: 3 without a license, 4 used', 'Features: none', 'Limit vaults: 1'];

  it('says in the banner what there is without a license', () => {
    expect(nowLines(freeView(), { seatsUsed: 4 })).toEqual([...FREE_LINES, ...PLACE]);
    expect(compact(page(freeView()))).not.toContain('<h3>');
    const some = freeView({ entitlements: { ...FREE, features: ['sso', 'audit'], seats: 'unlimited', instances: 2 } });
    expect(nowLines(some).slice(1, 4)).toEqual(['Seats: unlimited', 'Hosts at once: 2', 'Features: sso, audit']);
  });

  it('has the license that is not in force below it, as it was sold', () => {
    const view = freeView({ license: LICENSE });
    expect(nowLines(view, { seatsUsed: 4 })).toEqual([...FREE_LINES, ...LINES, ...PLACE]);
    expect(sectionOf(page(view), 'now')).toContain('</div><h3>The license here, which is not in force</h3><dl>');
  });

  it('has no lines where the product gives nothing', () => {
    const view = freeView({ entitlements: undefined });
    expect(nowLines(view)).toEqual(PLACE);
    expect(sectionOf(page(view), 'now')?.split('<dl>')).toHaveLength(2);
  });
});

describe('what an operator should know', () => {
  it('has a section for warnings, for a renewal that waits, and for what was refused last', () => {
    const whole = page(
      viewOf({
        warnings: [OLD, { ...OLD, detail: '' }],
        waiting: { ...LICENSE, counter: 8 },
        refusals: { count: 2, last: { at: NBF + 1, notice: OLD } },
      }),
    );
    const bare = '<p class="detail"><code>counter_rolled_back</code></p>';
    expect(sectionOf(whole, 'notices')).toBe(
      '<section aria-labelledby="notices"><h2 id="notices">Please note</h2>' +
        `<ul><li>${TOO_OLD}${DETAIL}</li><li>${TOO_OLD}${bare}</li></ul>`,
    );
    expect(sectionOf(page(viewOf({ warnings: [OLD] })), 'notices')).toContain(`<ul><li>${TOO_OLD}${DETAIL}</li></ul>`);
    expect(sectionOf(whole, 'waiting')).toContain(
      '<h2 id="waiting">A renewal waits</h2>' +
        '<p>It comes into force by itself at 2027-01-01 00:00:00 UTC. Until then nothing changes.</p><dl>',
    );
    expect(linesOf(sectionOf(whole, 'waiting'))).toEqual(LINES.map((line) => line.replace('r: 7', 'r: 8')));
    expect(sectionOf(whole, 'refused')).toBe(
      '<section aria-labelledby="refused"><h2 id="refused">Refused last</h2>' +
        `<p>At 2027-01-01 00:00:01 UTC. What was in force stayed in force.</p>${TOO_OLD}${DETAIL}`,
    );
  });

  it('leaves out a refusal that the message says already, and no other', () => {
    const view = viewOf({ refusals: { count: 1, last: { at: NBF, notice: OLD } } });
    const message = { kind: 'bad', text: 'Nothing was installed.' } as const;
    const refused = (notice?: typeof OLD): string | undefined =>
      sectionOf(page(view, { message: notice === undefined ? message : { ...message, notice } }), 'refused');
    expect(refused(OLD)).toBeUndefined();
    expect(refused({ ...OLD, code: 'lapsed' })).toContain('Refused last');
    expect(refused()).toContain('Refused last');
  });

  it('has no form where nothing can be installed, and says why', () => {
    const whole = page(viewOf({ installFault: OLD }));
    expect(sectionOf(whole, 'install')).toBe(
      '<section aria-labelledby="install" class="warn">' +
        `<h2 id="install">A renewal cannot be installed on this page</h2>${TOO_OLD}${DETAIL}`,
    );
    expect(whole).not.toContain('<form');
  });
});

describe('a message', () => {
  const boxOf = (text: string): string => /<main>(<div.*?<\/div>)/.exec(compact(text))?.[1] ?? '';

  it('is at the top of the page and in its title, and a screen reader says it at once', () => {
    const good = page(viewOf(), { message: { kind: 'good', text: 'Installed.' } });
    expect(good).toContain('<title>Installed. \u2013 License</title>');
    expect(boxOf(good)).toBe(
      '<div class="message good" role="status" tabindex="-1" autofocus><p><strong>Installed.</strong></p></div>',
    );
    const bad = page(viewOf(), { message: { kind: 'bad', text: 'No.', notice: OLD } });
    expect(boxOf(bad)).toBe(
      '<div class="message bad" role="alert" tabindex="-1" autofocus><p><strong>No.</strong></p>' +
        `${TOO_OLD}${DETAIL}</div>`,
    );
  });

  it('has a reason of the page in place of the detail, in the language of the page', () => {
    const message = { kind: 'bad', text: 'No.', notice: OLD, why: '<cut>' } as const;
    expect(boxOf(page(viewOf(), { message }))).toContain(
      `${TOO_OLD}<p class="detail">Detail: <bdi>&lt;cut&gt;</bdi><code>counter_rolled_back</code></p>`,
    );
  });

  it('of a request that is refused shows nothing else, with a way back', () => {
    const text = 'You may not use this page.';
    const whole = compact(errorPage(TEXTS, 'error_forbidden'));
    expect(whole).toContain(`<title>${text} \u2013 License</title>`);
    expect(whole.slice(whole.indexOf('<body>'))).toBe(
      '<body><header><h1>This did not work</h1></header><main>' +
        `<div class="message bad" role="alert" tabindex="-1" autofocus><p><strong>${text}</strong></p></div>` +
        '<p><a href="?">Back to the page</a></p></main></body></html>',
    );
  });

  it('escapes every character that means something in HTML, and replaces what is no character', () => {
    const whole = page(viewOf(), { operator: `&<>"'\u0000\ud800 &amp;` });
    expect(whole).toContain('Signed in as &amp;&lt;&gt;&quot;&#39;\ufffd\ufffd &amp;amp;<');
  });
});
