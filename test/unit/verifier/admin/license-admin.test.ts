/** The answers of the page: the status, the message and what follows it, for each way in which a request may end. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { licenseAdmin, type AdminOptions } from '../../../../verifier/admin/index.ts';
import { STYLE_HASH } from '../../../../verifier/admin/style.ts';
import type { LiveLicense } from '../../../../verifier/runtime/index.ts';
import { inWords, rejected, thrown } from '../../../support/thrown.ts';
import { textOf } from '../runtime/product.ts';
import { EXP, licenseFile, NBF } from '../sample.ts';
import { AdminSite, CRLF, formRequest, ORIGIN, PASSWORD, type Page } from './admin-site.ts';
import { compact } from './views.ts';

const FORM_SECONDS = 43_200;
const NOT_RECORDED = 'The audit log could not be written after that. Tell whoever is responsible for it.';

let site: AdminSite;
let renewal: string;
beforeEach(async () => {
  site = new AdminSite();
  site.product.keepStateInMemory();
  await site.product.dropLicense({ ctr: 7 });
  await site.start();
  renewal = textOf(await licenseFile({ ctr: 8 }));
});
afterEach(() => site.product.remove());

function use(changes: Partial<AdminOptions>, license: LiveLicense = site.license): void {
  site.handler = licenseAdmin(license, site.options(changes));
}

/** The status, the kind and the text of the message, and the step of the form that follows. */
function shown({ status, html, fields }: Page): readonly unknown[] {
  const box = /<div class="message (\w+)"[^>]*><p><strong>(.*?)<\/strong>/.exec(compact(html));
  return [status, box?.[1], box?.[2], fields['step']];
}

const auditFailing = (failing: string): Partial<AdminOptions> => ({
  audit: ({ phase }) => {
    if (phase === failing) throw new Error('disk full');
  },
});
const breaking = (): LiveLicense => ({ ...site.license, install: () => Promise.reject(new Error('defect')) });

describe('a page', () => {
  it('is sent with all of its headers', async () => {
    const { status, headers } = await site.get();
    expect(status).toBe(200);
    expect(Object.fromEntries(headers)).toEqual({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy':
        `default-src 'none'; style-src '${STYLE_HASH}'; form-action 'self'; ` +
        "frame-ancestors 'none'; base-uri 'none'",
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': 'camera=(), geolocation=(), microphone=()',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
  });

  it('is made only for what openLicense() returned', () => {
    for (const none of [undefined, {}, { preview: 5 }])
      expect(inWords(thrown(() => licenseAdmin(none as never, site.options())))).toBe(
        'usage: licenseAdmin takes what openLicense() returned',
      );
  });

  it('shows the name of the operator without what a terminal or a browser would obey', async () => {
    use({ authorize: () => ({ name: 'O\u202ela', session: 's' }) });
    expect((await site.get()).text).toContain('Signed in as O\\u{202E}la');
  });

  it.each([
    [{ name: '', session: 's' }],
    [{ name: 'Ola', session: '' }],
    [{ name: 5, session: 's' }],
    [{ name: 'Ola', session: 5 }],
    ['Ola'],
  ])('is not shown where authorize returns %j, a mistake of the product', async (operator) => {
    use({ authorize: () => operator as never });
    expect(inWords(await rejected(site.get()))).toBe(
      'usage: authorize should return {name, session}, a Response, or undefined',
    );
  });

  it.each([
    [undefined, 'Seats 250 Features'],
    [0, 'Seats 250 sold, 0 used'],
    [3, 'Seats 250 sold, 3 used'],
    [-1, 'how many are used is not known now'],
    [0.5, 'how many are used is not known now'],
    ['3', 'how many are used is not known now'],
  ])('shows seats as the product counts them: %j', async (used, words) => {
    use({ seatsUsed: () => used as number });
    expect((await site.get()).text).toContain(words);
  });
});

describe('a request that is not one of the page', () => {
  const [form, origin] = [{}, { cookie: 'signed-in', origin: ORIGIN }];
  const post = (body: string, headers: Record<string, string> = {}): Request =>
    new Request(ORIGIN, {
      method: 'POST',
      body,
      headers: { ...origin, 'content-type': 'application/x-www-form-urlencoded', ...headers },
    });

  it.each([
    ['of a stranger', () => new Request(ORIGIN), 403, 'You may not use this page.'],
    [
      'by PUT',
      () => new Request(ORIGIN, { method: 'PUT', headers: origin }),
      405,
      'This page takes only GET and POST.',
    ],
    [
      'of another site',
      () => formRequest(form, { origin: 'https://evil.example' }),
      403,
      'The request did not come from this page, so nothing was done.',
    ],
    [
      'of no site',
      () => formRequest(form, { origin: undefined }),
      403,
      'The request did not come from this page, so nothing was done.',
    ],
    [
      'in JSON',
      () => post('{}', { 'content-type': 'application/json' }),
      415,
      'This page takes only the forms that it shows.',
    ],
    [
      'that is too large',
      () => post('', { 'content-length': '9999999' }),
      413,
      'This is more than any license. Nothing of it was kept.',
    ],
    ['without a step', () => post('content=YQ=='), 400, 'The form cannot be read.'],
    ['with another step', () => post('step=erase&content=YQ=='), 400, 'The form cannot be read.'],
    ['without a content', () => post('step=install&token=a&base=b'), 400, 'The form cannot be read.'],
    [
      'with no token',
      () => post('step=preview&pasted=a'),
      403,
      'The form is not one of this session, so nothing was done.',
    ],
    [
      'that confirms nothing',
      () => post('step=install&content=YQ=='),
      403,
      'The form is not one of this session, so nothing was done.',
    ],
  ])('%s is answered with its own status and sentence', async (_what, request, status, words) => {
    const page = await site.send(request());
    expect(shown(page)).toEqual([status, 'bad', words, undefined]);
    expect(page.headers.get('allow')).toBe(status === 405 ? 'GET, HEAD, POST' : null);
    expect(page.html).not.toContain('acme');
    expect(site.audited).toEqual([]);
  });

  it('that comes too slowly is answered before it has come', async () => {
    use({ bodySeconds: 0.02 });
    const body = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) });
    const headers = { ...origin, 'content-type': 'application/x-www-form-urlencoded' };
    const page = await site.send(new Request(ORIGIN, { method: 'POST', body, duplex: 'half', headers }));
    expect(shown(page)).toEqual([408, 'bad', 'The form did not arrive in time.', undefined]);
  });
});

describe('a preview', () => {
  it('is shown without a message, and its form is good for twelve hours', async () => {
    const { fields } = await site.get();
    const send = (): Promise<Page> => site.post({ ...fields, pasted: CRLF(renewal), file: new Blob([]) });
    site.product.clock = NBF + FORM_SECONDS - 1;
    expect(shown(await send())).toEqual([200, undefined, undefined, 'install']);
    site.product.clock = NBF + FORM_SECONDS;
    const late = await send();
    expect(shown(late)).toEqual([422, 'bad', 'This page was open for too long. Please try again.', 'preview']);
    expect(late.html).toContain('-----BEGIN VTLIC-----');
  });

  it.each([
    ['nothing', '', new Blob([]), 'Paste a license, or choose a file.'],
    ['both', 'text', new Blob(['file']), 'Paste a license or choose a file, but not both.'],
    ['no text', '', new Blob([Uint8Array.of(255)]), 'The file is not a license file: it is not text.'],
  ])('of %s is refused, and keeps what was pasted', async (_what, pasted, file, words) => {
    const page = await site.post({ ...(await site.get()).fields, pasted, file });
    expect(shown(page)).toEqual([422, 'bad', words, 'preview']);
    expect(page.html).toContain(`autocomplete="off">\n${pasted}</textarea>`);
  });

  it('of what is no license says what is missing, and keeps it', async () => {
    const page = await site.preview('Dear Acme');
    expect(shown(page)).toEqual([422, 'bad', 'Nothing was installed.', 'preview']);
    expect(page.text).toContain('Detail: There is no block from BEGIN to END in the text. armor_malformed');
    expect(page.html).toContain('>\nDear Acme</textarea>');
    const old = await site.preview(textOf(await licenseFile({ ctr: 6 })));
    expect(shown(old)).toEqual([422, 'bad', 'Nothing was installed.', 'preview']);
    expect(old.text).toContain('Detail: its counter is 6, and 7 was accepted before counter_rolled_back');
  });
});

describe('an installation', () => {
  it.each([
    ['in force', {}, 'The license is installed and in force.'],
    [
      'waiting',
      { nbf: NBF + 86_400, exp: EXP },
      'The license is installed. It comes into force by itself at 2027-01-02 00:00:00 UTC.',
    ],
  ])('that ends %s says so, and the form of the page is there again', async (_what, changes, words) => {
    const pasted = textOf(await licenseFile({ ctr: 8, ...changes }));
    expect(shown(await site.install(pasted))).toEqual([200, 'good', words, 'preview']);
    use(auditFailing('after'));
    const next = textOf(await licenseFile({ ctr: 9, ...changes }));
    expect(shown(await site.install(next))).toEqual([200, 'bad', `${words} ${NOT_RECORDED}`, 'preview']);
  });

  it('that is refused says why, and whether that was recorded', async () => {
    const lapse = async (ctr: number): Promise<readonly unknown[]> => {
      const preview = await site.preview(textOf(await licenseFile({ ctr, exp: site.product.clock + 60 })));
      site.product.clock += 61;
      const page = await site.confirm(preview);
      expect(page.text).toContain('The license has expired, and its grace is over.');
      return shown(page);
    };
    expect(await lapse(8)).toEqual([422, 'bad', 'Nothing was installed.', 'preview']);
    use(auditFailing('after'));
    expect(await lapse(9)).toEqual([422, 'bad', `Nothing was installed. ${NOT_RECORDED}`, 'preview']);
  });

  const FAILED = 'The installation failed, and it is not known how far it went. What is in force now is shown below.';
  it.each([
    [
      'was confirmed too late',
      () => {
        site.product.clock += 900;
      },
      409,
      'The preview is too old. Please look at it once more.',
      'install',
    ],
    [
      'was overtaken by another one',
      async () => {
        await site.license.install(textOf(await licenseFile({ ctr: 7, seats: 9, iat: NBF + 1 })));
        await site.license.install(textOf(await licenseFile({ ctr: 8, nbf: NBF + 60 })));
      },
      409,
      'Something else was installed since the preview. Please look at it once more.',
      'install',
    ],
    [
      'was not confirmed',
      () => use({ secret: new Uint8Array(32), stepUp: () => undefined }),
      403,
      'You could not be confirmed. Nothing was installed; please try again.',
      'install',
    ],
    [
      'was used elsewhere',
      () => use({ secret: new Uint8Array(32), usedTokens: { use: () => false } }),
      409,
      'This preview was used already. What is in force now is shown below.',
      'preview',
    ],
    [
      'was perhaps used elsewhere',
      () => use({ secret: new Uint8Array(32), usedTokens: { use: () => Promise.reject(new Error('away')) } }),
      503,
      'It cannot be found out whether this preview was used already, so nothing was installed. Please try again.',
      'install',
    ],
    [
      'could not be recorded before',
      () => use({ secret: new Uint8Array(32), ...auditFailing('before') }),
      503,
      'The audit log could not be written, so nothing was installed.',
      'preview',
    ],
    ['failed', () => use({ secret: new Uint8Array(32) }, breaking()), 500, FAILED, 'preview'],
    [
      'failed, and could not be recorded',
      () => use({ secret: new Uint8Array(32), ...auditFailing('after') }, breaking()),
      500,
      `${FAILED} ${NOT_RECORDED}`,
      'preview',
    ],
  ] as const)('that %s is answered with its own status and sentence', async (_what, before, ...expected) => {
    use({ secret: new Uint8Array(32) });
    const preview = await site.preview(textOf(await licenseFile({ ctr: 9 })));
    await before();
    const page = await site.confirm(preview);
    const [status, words, step] = expected;
    expect(shown(page)).toEqual([status, 'bad', words, step]);
    expect(site.license.view().license?.counter).not.toBe(9);
  });

  it('that came too late for a license that has lapsed meanwhile says why it cannot be installed', async () => {
    const preview = await site.preview(textOf(await licenseFile({ ctr: 8, exp: NBF + 60 })));
    site.product.clock += 900;
    const page = await site.confirm(preview);
    expect(shown(page)).toEqual([409, 'bad', 'Nothing was installed.', 'preview']);
    expect(page.text).toContain('The license has expired, and its grace is over.');
  });

  it('of another session is not answered with anything of the license', async () => {
    const preview = await site.preview(renewal);
    site.session = 'session-2';
    const page = await site.post({ ...preview.fields, proof: PASSWORD });
    expect(shown(page)).toEqual([403, 'bad', 'The form is not one of this session, so nothing was done.', undefined]);
  });
});
