/** The preview of each kind of installation: its table, what an operator should think about, and its form. */
import { describe, expect, it } from 'vitest';
import { previewPage, type PreviewFacts } from '../../../../verifier/admin/preview-page.ts';
import type { LicenseFacts, LicenseView } from '../../../../verifier/runtime/index.ts';
import { EXP, NBF } from '../sample.ts';
import { compact, factsOf, freeView, LICENSE, sectionOf, viewOf } from './views.ts';

const RENEWAL: LicenseFacts = { ...LICENSE, id: 'b', counter: 8, from: NBF + 1, until: EXP + 86_400 };
const DIGEST = 'ab'.repeat(32);
const CHANGED = 'changed';

function page(view: LicenseView, changes: Partial<PreviewFacts> = {}): string {
  return previewPage({
    ...factsOf(view),
    preview: { ok: true, outcome: 'in_force', license: RENEWAL },
    repairs: [],
    digest: DIGEST,
    content: 'CONTENT',
    base: 'BASE',
    token: 'TOKEN',
    field: 'password',
    ...changes,
  });
}

/** The rows of the table: name, now, after, and `changed`. */
function rows(view: LicenseView, changes: Partial<PreviewFacts> = {}): readonly (readonly string[])[] {
  const found = (sectionOf(page(view, changes), 'preview') ?? '').matchAll(
    /<tr class="(\w*)"><th scope="row">(.*?)<\/th><td><bdi>(.*?)<\/bdi><\/td><td><bdi>(.*?)<\/bdi>(.*?)<\/td>/g,
  );
  return [...found].map(([, kind = '', name = '', now = '', after = '', mark = '']) => {
    expect(mark).toBe(kind === CHANGED ? '<span class="mark">changed</span>' : '');
    return kind === CHANGED ? [name, now, after, CHANGED] : [name, now, after];
  });
}

/** The sentences above the table. */
function sentences(view: LicenseView, changes: Partial<PreviewFacts> = {}): readonly string[] {
  const [above = ''] = (sectionOf(page(view, changes), 'preview') ?? '').split('<table>');
  return [...above.matchAll(/<p>(.*?)<\/p>/g)].map(([, text = '']) => text);
}

const itemsOf = (section: string | undefined): readonly string[] =>
  [...(section ?? '').matchAll(/<li>(.*?)<\/li>/g)].map(([, text = '']) => text);

const license = (changes: Partial<LicenseFacts>): Partial<PreviewFacts> => ({
  preview: { ok: true, outcome: 'in_force', license: { ...RENEWAL, ...changes } },
});

const SAME_ROWS = [
  ['Customer', 'acme-gmbh', 'acme-gmbh'],
  ['Tier', 'enterprise', 'enterprise'],
  ['Use', 'production', 'production'],
  ['Seats', '250', '250'],
  ['Features', 'audit-export, sso', 'audit-export, sso'],
  ['Limit vaults', '20', '20'],
];

describe('the table of a preview', () => {
  it('has each line of the new license, and marks those that change', () => {
    expect(rows(viewOf())).toEqual([
      ...SAME_ROWS,
      ['Valid from', '2027-01-01', '2027-01-01T00:00:01Z', CHANGED],
      [
        'Valid until',
        '2027-12-31 (until the end of this day, UTC)',
        '2028-01-01 (until the end of this day, UTC)',
        CHANGED,
      ],
      ['Covers builds dated until', 'all builds', 'all builds'],
      ['Counter', '7', '8', CHANGED],
      ['License id', LICENSE.id, 'b', CHANGED],
    ]);
  });

  it('has what only one of the two has: the new lines in their place, the lost ones at the end', () => {
    const view = viewOf({ license: { ...LICENSE, deployment: 'prod', limits: { hosts: 5 } }, graceUntil: EXP + 1 });
    const changes = license({ instances: 2 });
    const table = rows(view, {
      preview: { ...changes.preview, ok: true, outcome: 'in_force', graceUntil: EXP + 86_401 },
    });
    expect(table.filter(([name = '']) => /Hosts|Limit|Deployment|Grace/.test(name))).toEqual([
      ['Hosts at once', '\u2013', '2', CHANGED],
      ['Limit vaults', '\u2013', '20', CHANGED],
      ['Grace until', '2028-01-01T00:00:01Z', '2028-01-02T00:00:01Z', CHANGED],
      ['Deployment', 'prod', '\u2013', CHANGED],
      ['Limit hosts', '5', '\u2013', CHANGED],
    ]);
    expect(table.at(-1)?.[0]).toBe('Limit hosts');
  });

  it('compares a first license with what the product gives without one, or with nothing', () => {
    const first = rows(freeView());
    expect(first.slice(0, 6)).toEqual([
      ['Customer', '\u2013', 'acme-gmbh', CHANGED],
      ['Tier', 'free', 'enterprise', CHANGED],
      ['Use', '\u2013', 'production', CHANGED],
      ['Seats', '3', '250', CHANGED],
      ['Features', 'none', 'audit-export, sso', CHANGED],
      ['Limit vaults', '1', '20', CHANGED],
    ]);
    expect(rows(freeView({ entitlements: undefined })).every(([, now]) => now === '\u2013')).toBe(true);
  });

  it('has the version of the keyset where only keysets are installed', () => {
    const only = (keysetVersion: number): Partial<PreviewFacts> => ({
      preview: { ok: true, outcome: 'keyset', keysetVersion },
    });
    expect(rows(viewOf({ keysetVersion: 1 }), only(2))).toEqual([['Keyset version', '1', '2', CHANGED]]);
    expect(rows(viewOf({ keysetVersion: 2 }), only(2))).toEqual([['Keyset version', '2', '2']]);
    expect(rows(viewOf(), only(2))).toEqual([['Keyset version', '', '2', CHANGED]]);
    expect(rows(viewOf(), { preview: { ok: true, outcome: 'keyset' } })).toEqual([['Keyset version', '', '']]);
  });

  it('has a heading for each column', () => {
    expect(compact(page(viewOf()))).toContain(
      '<table><thead><tr><th scope="col">What</th><th scope="col">Now</th><th scope="col">After</th></tr></thead><tbody>',
    );
  });
});

describe('what an installation would do', () => {
  const IN_FORCE = 'The license is genuine. Once it is installed, it comes into force at once.';
  const SAME = 'This is the license that is installed already.';

  it.each([
    ['comes into force', {}, [IN_FORCE]],
    [
      'waits',
      { preview: { ok: true, outcome: 'waiting', license: RENEWAL } },
      ['The license is genuine. Once it is installed, it comes into force by itself at 2027-01-01 00:00:01 UTC.'],
    ],
    [
      'comes with keysets',
      { preview: { ok: true, outcome: 'in_force', license: RENEWAL, keysetVersion: 3 } },
      [IN_FORCE, 'Keysets are installed with it; version 3 counts then.'],
    ],
    [
      'is of keysets only',
      { preview: { ok: true, outcome: 'keyset', keysetVersion: 3 } },
      ['The keysets are genuine. Once they are installed, version 3 counts.'],
    ],
    [
      'is of keysets of no version',
      { preview: { ok: true, outcome: 'keyset' } },
      ['The keysets are genuine. Once they are installed, version  counts.'],
    ],
  ] as const)('is said of one that %s', (_what, changes, words) => {
    const said = (text: string): string => text.replaceAll(/\s+/g, ' ');
    expect(sentences(viewOf(), changes)).toEqual(words.map(said));
  });

  it('is nothing for the license that is here or that waits already', () => {
    const same = license({ id: LICENSE.id, counter: LICENSE.counter });
    expect(sentences(viewOf(), same)).toEqual([SAME]);
    expect(sentences(viewOf({ waiting: RENEWAL }))).toEqual([SAME]);
    // Of two that are here, the one that waits is the newer one.
    expect(sentences(viewOf({ waiting: RENEWAL }), same)).toEqual([IN_FORCE]);
    expect(sentences(viewOf(), license({ id: LICENSE.id, counter: 8 }))).toEqual([IN_FORCE]);
    expect(sentences(viewOf(), license({ id: 'c', counter: 7 }))).toEqual([IN_FORCE]);
    expect(sentences(freeView())).toEqual([IN_FORCE]);
  });
});

describe('what an operator should think about', () => {
  const cautions = (view: LicenseView, changes: Partial<PreviewFacts>): readonly string[] =>
    itemsOf(sectionOf(page(view, changes), 'cautions'));
  const used = (seatsUsed: PreviewFacts['seatsUsed'], seats: LicenseFacts['seats']): Partial<PreviewFacts> => ({
    ...license({ seats }),
    seatsUsed,
  });
  const FEWER = 'It has fewer seats than are used now.';

  it.each([
    ['nothing else', license({}), []],
    ['a trial', license({ use: 'trial' }), ['It is not for production: trial.']],
    ['fewer seats than are used', used(251, 250), [FEWER]],
    ['as many seats as are used', used(250, 250), []],
    ['unlimited seats', used(251, 'unlimited'), []],
    ['seats of which nobody knows how many are used', used('unknown', 1), []],
    [
      'another customer',
      license({ customer: 'other' }),
      ['It is for another customer than the license that is here now.'],
    ],
    [
      'a deployment',
      license({ deployment: 'prod' }),
      ['It is for another deployment than the license that is here now.'],
    ],
    ['an earlier end', license({ until: EXP - 1 }), ['It ends before the license that is here now.']],
    ['the same end', license({ until: EXP }), []],
    ['fewer features', license({ features: ['sso'] }), ['Features would be lost: audit-export.']],
    ['no feature', license({ features: [] }), ['Features would be lost: audit-export, sso.']],
    ['more features', license({ features: ['a', 'audit-export', 'sso'] }), []],
  ] as const)('is named for a license with %s', (_what, changes, words) => {
    expect(cautions(viewOf(), changes)).toEqual(words);
  });

  it('is compared with a license only where there is one', () => {
    const other = { customer: 'other', deployment: 'x', until: NBF, features: [], seats: 1, use: 'emergency' } as const;
    expect(cautions(freeView(), { ...license(other), seatsUsed: 2 })).toEqual([
      'It is not for production: emergency.',
      FEWER,
    ]);
    const keysets = { preview: { ok: true, outcome: 'keyset', keysetVersion: 2 }, seatsUsed: 999 } as const;
    expect(sectionOf(page(viewOf(), keysets), 'cautions')).toBeUndefined();
  });

  it('has its own section, and so have the repairs of a pasted text', () => {
    const whole = page(viewOf(), { ...license({ until: EXP - 1 }), repairs: ['quote marks'] });
    expect(sectionOf(whole, 'cautions')).toBe(
      '<section aria-labelledby="cautions" class="warn"><h2 id="cautions">Before you install it</h2>' +
        '<ul><li>It ends before the license that is here now.</li></ul>',
    );
    expect(sectionOf(whole, 'repairs')).toBe(
      '<section aria-labelledby="repairs"><h2 id="repairs">What was repaired in the pasted text</h2><ul>' +
        '<li>the marks of a quoted mail (&gt; or |) before the lines were taken away</li></ul>' +
        '<p class="soft">The signature was verified after that, as always.</p>',
    );
    expect(sectionOf(page(viewOf()), 'repairs')).toBeUndefined();
    expect(sectionOf(page(viewOf()), 'cautions')).toBeUndefined();
  });
});

describe('the form that confirms a preview', () => {
  const formOf = (changes: Partial<PreviewFacts>): string =>
    /<section aria-label=.*<\/section>/.exec(compact(page(viewOf(), changes)))?.[0] ?? '';
  const HIDDEN =
    '<form method="post" enctype="multipart/form-data"><input type="hidden" name="step" value="install" />' +
    '<input type="hidden" name="token" value="TOKEN" /><input type="hidden" name="base" value="BASE" />' +
    '<input type="hidden" name="content" value="CONTENT" />' +
    `<p>Digest of what is installed (SHA-256)<br /><code>${DIGEST}</code></p>`;
  const end = (label: string): string =>
    `<p><button>${label}</button><a class="button" href="?">Cancel</a></p></form></section>`;
  const LABEL = 'Install this license';

  it.each([
    [
      'password',
      '<label for="proof">Your password, to confirm</label>' +
        '<input type="text" autocomplete="username" value="Ola" hidden readonly />' +
        '<input id="proof" name="proof" type="password" autocomplete="current-password" required />',
    ],
    [
      'code',
      '<label for="proof">The code of your authenticator, to confirm</label>' +
        '<input id="proof" name="proof" type="text" inputmode="numeric" autocomplete="one-time-code" required />',
    ],
    ['none', ''],
  ] as const)('has the field for the step-up %s', (field, inputs) => {
    expect(formOf({ field })).toBe(`<section aria-label="${LABEL}">${HIDDEN}${inputs}${end(LABEL)}`);
  });

  it('says so where it installs keysets', () => {
    const label = 'Install these keysets';
    const preview = { ok: true, outcome: 'keyset', keysetVersion: 2 } as const;
    expect(formOf({ field: 'none', preview })).toBe(`<section aria-label="${label}">${HIDDEN}${end(label)}`);
  });
});
