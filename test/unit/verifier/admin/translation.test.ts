/** A complete translation: no English sentence is left on any page, and the values of a case are in its own sentence. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REPAIR_WORDS } from '../../../../formats/normalize-pasted.ts';
import {
  ADMIN_TEXTS,
  licenseAdmin,
  type NoticeTranslation,
  type Translation,
} from '../../../../verifier/admin/index.ts';
import {
  NOTICES,
  type LicenseOptions,
  type LicenseView,
  type LiveLicense,
} from '../../../../verifier/runtime/index.ts';
import { DAY, textOf } from '../runtime/product.ts';
import { EXP, licenseFile, NBF, strangeKey } from '../sample.ts';
import { AdminSite, PASSWORD, type Page } from './admin-site.ts';

/** A language without a Latin letter. What is filled in stays. */
function foreign(text: string): string {
  return text.replaceAll(/\{\w+\}|[A-Za-z]/g, (part) => (part.length > 1 ? part : '\u0436'));
}

const COMPLETE: Translation = {
  texts: {
    ...Object.fromEntries(Object.entries(ADMIN_TEXTS).map(([name, text]) => [name, foreign(text)])),
    language: 'ru',
    direction: 'ltr',
  },
  notices: Object.fromEntries(
    Object.entries(NOTICES).map(([code, { sentence, remedy }]) => [
      code,
      { sentence: foreign(sentence), remedy: foreign(remedy), detail: '\u0436\u0436' },
    ]),
  ),
  repairs: Object.fromEntries(Object.entries(REPAIR_WORDS).map(([repair, words]) => [repair, foreign(words)])),
};

/** Of the license and its place: data, which no translation changes. */
const DATA = [
  /<code>[^<]*<\/code>/g,
  /<textarea[^>]*>[^<]*<\/textarea>/g,
  /\/[\w./-]*vtlic-product-\w+[\w./-]*/g,
  /\b(?:acme-gmbh|enterprise|audit-export|sso|free|vaults|prod-eu|[0-9a-f-]{36}|UTC)\b/g,
];

function englishIn({ html }: Page): readonly string[] {
  const [, body = ''] = html.replace(/<style>.*<\/style>/s, '').split('</head>');
  const [, title = ''] = /<title>([^<]*)<\/title>/.exec(html) ?? [];
  let text = `${title} ${body}`;
  for (const data of DATA) text = text.replaceAll(data, ' ');
  return (
    text
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll(/&\w+;|&#\d+;/g, ' ')
      .match(/[A-Za-z]{2,}/g) ?? []
  );
}

let site: AdminSite;
beforeEach(async () => {
  site = new AdminSite();
  await site.product.dropLicense({ ctr: 7 });
});
afterEach(() => site.product.remove());

const started = async (options: Partial<LicenseOptions> = {}): Promise<void> => {
  await site.start({ ...COMPLETE, authorize: () => ({ name: '\u041e\u043b\u044f', session: 'ola' }) }, options);
};

describe('a complete translation', () => {
  it('would not be complete without each of its parts', async () => {
    await site.start({ ...COMPLETE, notices: {}, authorize: () => ({ name: '\u041e', session: 'o' }) });
    expect(englishIn(await site.get()).length).toBeGreaterThan(5);
  });

  it('leaves no English word while a license is previewed, installed, refused, and runs out', async () => {
    await started({ defaultGrace: 30 * DAY });
    const pages: Page[] = [await site.get()];
    const renewal = textOf(await licenseFile({ ctr: 8, seats: 'unlimited', exp: EXP + DAY }));
    const early = textOf(await licenseFile({ ctr: 9, nbf: EXP - DAY, exp: EXP + 2 * DAY }));
    const preview = await site.preview(`x\n${renewal.replaceAll(/^/gm, '> ')}`);
    pages.push(preview, await site.confirm(preview, 'wrong'), await site.confirm(preview), await site.confirm(preview));
    const loss = {
      ctr: 8,
      seats: 1,
      features: [],
      use: 'trial',
      exp: EXP - DAY,
      iat: NBF,
      sub: 'other-customer',
    } as const;
    pages.push(await site.preview(textOf(await licenseFile({ ...loss, sub: 'acme-gmbh' }))));
    pages.push(await site.install(early), await site.preview(early));
    for (const text of [
      '',
      'x',
      renewal.slice(0, 200),
      `${renewal}\n${early}`,
      renewal.replace('A', '!'),
      '%'.repeat(900_000),
    ])
      pages.push(await site.preview(text));
    for (const made of [
      licenseFile({ ctr: 6 }),
      licenseFile({ ctr: 9 }, strangeKey),
      licenseFile({ ctr: 9, iat: NBF - 800 * DAY, nbf: NBF - 800 * DAY, exp: NBF - 400 * DAY }),
      licenseFile({ ctr: 9, dep: 'prod-eu' }),
      licenseFile({ ctr: 9, upd: NBF - DAY }),
    ])
      pages.push(await site.preview(textOf(await made)));
    const { fields } = await site.get();
    pages.push(
      await site.post({ ...fields, pasted: '', file: new Blob([Uint8Array.of(255)]) }),
      await site.post({ ...fields, pasted: renewal, file: new Blob([renewal]) }),
      await site.post({ ...fields, token: 'x' }),
      await site.post({}, { origin: 'https://evil.example' }),
      await site.post({ ...preview.fields, content: '*', proof: PASSWORD }),
    );
    for (const passed of [EXP - NBF + 3 * DAY, 60 * DAY]) {
      await site.product.pass(passed, site.license);
      pages.push(await site.get());
    }
    for (const page of pages) expect(englishIn(page)).toEqual([]);
    expect(pages.length).toBeGreaterThan(20);
  });

  it('leaves none where nothing can be installed: in a variable, in the mode saas, in a folder that is away', async () => {
    const { environment } = site.product.options();
    const text = textOf(await licenseFile({ ctr: 7 }));
    await started({ environment: { ...environment, LICENSE_PATH: '', LICENSE_TEXT: text } });
    expect(englishIn(await site.get())).toEqual([]);
    await started({ environment: { DEPLOYMENT_MODE: 'saas' } });
    expect(englishIn(await site.get())).toEqual([]);
    await started({ environment: { ...environment, NODE_ENV: 'test', LICENSE_PATH: '' } });
    expect(englishIn(await site.get())).toEqual([]);
  });

  it('leaves none for any notice that there is, whatever its detail says', async () => {
    await started();
    const all = Object.entries(NOTICES).map(([code, words]) => ({
      code,
      ...words,
      detail: 'English detail',
      values: {},
    })) as unknown as LicenseView['warnings'];
    const shown: LiveLicense = { ...site.license, view: () => ({ ...site.license.view(), warnings: all }) };
    site.handler = licenseAdmin(
      shown,
      site.options({ ...COMPLETE, authorize: () => ({ name: '\u041e', session: 'o' }) }),
    );
    const page = await site.get();
    expect(page.html.split('\u0436\u0436 ').length).toBeGreaterThan(all.length);
    expect(englishIn(page)).toEqual([]);
  });
});

describe('the translation of a notice', () => {
  const shown = async (
    notices: Readonly<Record<string, NoticeTranslation>>,
    pasted: Promise<Uint8Array>,
  ): Promise<string> => {
    await site.start({ notices });
    return (await site.preview(textOf(await pasted))).text;
  };

  it('has the values of the case in its own sentence', async () => {
    const words = {
      sentence: 'Z\u00e4hler {counter} ist kleiner als {accepted}.',
      remedy: 'Neueste nehmen.',
      detail: '',
    };
    const text = await shown({ counter_rolled_back: words }, licenseFile({ ctr: 6 }));
    expect(text).toContain('Z\u00e4hler 6 ist kleiner als 7. Neueste nehmen. counter_rolled_back');
    expect(text).not.toContain('was accepted before');
  });

  it('has days in the form of the page, and may depend on the values', async () => {
    const lapsed = ({
      until,
    }: Readonly<Record<string, string | number>>): { sentence: string; remedy: string; detail: string } => ({
      sentence: Number(until) < NBF ? 'Lange vorbei.' : 'Vorbei.',
      remedy: 'Neue holen.',
      detail: 'bis {until}',
    });
    const old = licenseFile({ ctr: 9, iat: NBF - 800 * DAY, nbf: NBF - 800 * DAY, exp: NBF - 400 * DAY });
    expect(await shown({ lapsed }, old)).toContain(
      'Lange vorbei. Neue holen. Detail: bis 2025-11-27 00:00:00 UTC lapsed',
    );
  });

  it('without a detail leaves the English one, and marks it as such', async () => {
    await site.start({ notices: { counter_rolled_back: { sentence: 'Zu alt.', remedy: 'Die neueste nehmen.' } } });
    const { html } = await site.preview(textOf(await licenseFile({ ctr: 6 })));
    expect(html).toMatch(/<span lang="en" dir="ltr">its counter is 6, and 7 was accepted before<\/span>/);
  });
});
