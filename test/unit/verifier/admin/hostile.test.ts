/** What must do nothing: requests of other sites, of strangers, of slow senders, and of an operator who is tricked. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { licenseAdmin, type AdminOptions } from '../../../../verifier/admin/index.ts';
import { MAX_BODY_BYTES } from '../../../../verifier/admin/read-form.ts';
import { SealedTokens } from '../../../../verifier/admin/sealed-tokens.ts';
import { thrown, inWords } from '../../../support/thrown.ts';
import { DAY, textOf } from '../runtime/product.ts';
import { licenseFile } from '../sample.ts';
import { AdminSite, CRLF, formRequest, ORIGIN, PASSWORD, type Page } from './admin-site.ts';

let site: AdminSite;
let renewal: string;
beforeEach(async () => {
  site = new AdminSite();
  await site.product.dropLicense({ ctr: 7 });
  await site.start();
  renewal = textOf(await licenseFile({ ctr: 8, seats: 400 }));
});
afterEach(() => site.product.remove());

function expectNothing(): void {
  expect(site.license.entitlements?.seats).toBe(250);
  expect(site.audited.filter(({ phase }) => phase !== 'not_confirmed')).toEqual([]);
}

describe('a page without its parts', () => {
  const whole = (): AdminOptions => site.options();
  it.each([
    ['authorize', { authorize: undefined }],
    ['stepUp', { stepUp: undefined }],
    ['audit', { audit: undefined }],
    ['origin', { origin: undefined }],
    ['origin', { origin: [] }],
    ['origin', { origin: 'vaultdesk.example' }],
    ['origin', { origin: 'https://vaultdesk.example/license' }],
    ['origin', { origin: 'https://vaultdesk.example/' }],
    ['origin', { origin: 'null' }],
    ['secret', { secret: new Uint8Array(31) }],
    ['stepUpField', { stepUpField: 'pin' }],
    ['bodySeconds', { bodySeconds: 0 }],
    ['callSeconds', { callSeconds: Infinity }],
    ['seatsUsed', { seatsUsed: 5 }],
    ['texts.titel', { texts: { titel: 'Lizenz' } }],
    ['texts.title', { texts: { title: 5 } }],
    ['texts.grace_left', { texts: { grace_left: 'Noch Tage' } }],
    ['texts.direction', { texts: { direction: 'up' } }],
    ['texts.language', { texts: { language: '"><script>' } }],
    ['notices.expired', { notices: { expired: { sentence: 'a', remedy: 'b' } } }],
    ['repairs.mojibake', { repairs: { mojibake: 'a' } }],
  ])('is not made: %s %j', (name, changes) => {
    const said = inWords(thrown(() => licenseAdmin(site.license, { ...whole(), ...changes } as AdminOptions)));
    expect(said).toMatch(/^usage/);
    expect(said).toContain(name);
  });

  it('is not made for anything but a live license', () => {
    expect(inWords(thrown(() => licenseAdmin(undefined as never, whole())))).toMatch(/^usage/);
    expect(inWords(thrown(() => licenseAdmin({} as never, whole())))).toMatch(/^usage/);
  });
});

describe('whoever is not let in', () => {
  const asked: string[] = [];
  const stranger: Partial<AdminOptions> = {
    authorize: ({ method }) => {
      asked.push(method);
      return undefined;
    },
  };

  it.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('gets nothing by %s', async (method) => {
    site.handler = licenseAdmin(site.license, site.options(stranger));
    const { status, html } = await site.send(new Request(`${ORIGIN}/license`, { method, headers: { origin: ORIGIN } }));
    expect(status).toBe(403);
    expect(html).not.toContain('acme');
    expect(asked.at(-1)).toBe(method);
  });

  it('is asked for before a byte of the body is read', async () => {
    site.handler = licenseAdmin(site.license, site.options(stranger));
    let pulled = 0;
    const body = new ReadableStream(
      {
        pull: () => {
          pulled++;
          return new Promise(() => undefined);
        },
      },
      { highWaterMark: 0 },
    );
    const request = new Request(ORIGIN, { method: 'POST', body, duplex: 'half' });
    expect((await site.send(request)).status).toBe(403);
    expect(pulled).toBe(0);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('the session store is away'))],
    ['hangs', () => new Promise<undefined>(() => undefined)],
    ['says null', () => null as never],
  ])('stays outside where authorize %s', async (_what, authorize) => {
    site.handler = licenseAdmin(site.license, site.options({ authorize, callSeconds: 0.05 }));
    expect((await site.get()).status).toBe(403);
  });

  it('is sent where authorize says, and nonsense from it is an error of the product', async () => {
    const login = Response.redirect(`${ORIGIN}/login`, 303);
    site.handler = licenseAdmin(site.license, site.options({ authorize: () => login }));
    expect((await site.get()).status).toBe(303);
    for (const nonsense of [true, 'ola', {}, { name: 'ola' }, { name: 'ola', session: '' }]) {
      site.handler = licenseAdmin(site.license, site.options({ authorize: () => nonsense as never }));
      await expect(site.get()).rejects.toMatchObject({ code: 'usage' });
    }
  });
});

describe('a post of another site', () => {
  it.each([
    ['with its own origin', { origin: 'https://evil.example' }],
    ['with an origin that begins like ours', { origin: `${ORIGIN}.evil.example` }],
    ['with our origin on another port', { origin: 'https://vaultdesk.example' }],
    ['with our origin by http', { origin: ORIGIN.replace('https', 'http') }],
    ['with the origin null', { origin: 'null' }],
    ['without an origin', { origin: undefined }],
    ['of another site with our origin', { 'sec-fetch-site': 'cross-site' }],
    ['of a sibling domain with our origin', { 'sec-fetch-site': 'same-site' }],
    ['of a typed address', { 'sec-fetch-site': 'none' }],
  ])('%s does nothing', async (_what, headers) => {
    const { fields } = await site.get();
    const sent = await site.post({ ...fields, pasted: CRLF(renewal) }, headers);
    expect(sent.status).toBe(403);
    expect(sent.text).toContain('did not come from this page');
    const preview = await site.preview(renewal);
    const confirmed = await site.post({ ...preview.fields, proof: PASSWORD }, headers);
    expect(confirmed.status).toBe(403);
    expectNothing();
  });

  it('of an old browser, which sends an origin only, is told apart from ours', async () => {
    const preview = await site.preview(renewal);
    expect((await site.post({ ...preview.fields, proof: PASSWORD }, { 'sec-fetch-site': undefined })).status).toBe(200);
  });

  it('does nothing without a token of the session, or with one of another', async () => {
    const { fields } = await site.get();
    for (const token of ['', 'x', `${fields['token']}0`, (fields['token'] ?? '').replace(/^\d/, '9')])
      expect((await site.post({ ...fields, token, pasted: CRLF(renewal) })).text).toContain('not one of this session');
    site.session = 'session-2';
    expect((await site.post({ ...fields, pasted: CRLF(renewal) })).status).toBe(403);
    const preview = await site.preview(renewal);
    site.session = 'session-1';
    expect((await site.confirm(preview)).status).toBe(403);
    expectNothing();
  });
});

describe('a confirmation', () => {
  it.each([
    ['without a proof', ''],
    ['with a wrong one', 'guess'],
  ])('%s installs nothing, is recorded, and shows the preview again', async (_what, proof) => {
    const preview = await site.preview(renewal);
    const again = await site.confirm(preview, proof);
    expect(again.status).toBe(403);
    expect(again.text).toContain('You could not be confirmed.');
    expect(site.audited.map(({ phase }) => phase)).toEqual(['not_confirmed']);
    expectNothing();
    expect((await site.confirm(again)).status).toBe(200);
  });

  it.each([
    ['for another digest', () => 'ab'.repeat(32)],
    ['that says yes', () => true as never],
    ['that says nothing', () => undefined],
    ['that throws', () => Promise.reject(new Error('the directory is away'))],
    ['that hangs', () => new Promise<undefined>(() => undefined)],
    ['for the digest in other letters', ({ digest }: { digest: string }) => digest.toUpperCase()],
  ])('with a step-up %s installs nothing', async (_what, stepUp) => {
    site.handler = licenseAdmin(site.license, site.options({ stepUp, callSeconds: 0.05 }));
    expect((await site.install(renewal)).text).toContain('You could not be confirmed.');
    expectNothing();
  });

  it('of a preview with another content installs nothing', async () => {
    const preview = await site.preview(renewal);
    const other = await site.preview(textOf(await licenseFile({ ctr: 9, seats: 999 })));
    const swapped = { ...preview, fields: { ...preview.fields, content: other.fields['content'] ?? '' } };
    expect((await site.confirm(swapped)).status).toBe(403);
    const rebased = { ...preview, fields: { ...preview.fields, base: 'ab'.repeat(32) } };
    expect((await site.confirm(rebased)).status).toBe(403);
    const { fields } = await site.get();
    expect(
      (await site.confirm({ ...preview, fields: { ...preview.fields, token: fields['token'] ?? '' } })).status,
    ).toBe(403);
    expectNothing();
  });

  it('that is sent again installs nothing a second time', async () => {
    const preview = await site.preview(renewal);
    expect((await site.confirm(preview)).status).toBe(200);
    const again = await site.confirm(preview);
    expect(again.status).toBe(409);
    expect(site.audited.map(({ phase }) => phase)).toEqual(['before', 'after']);
    // A license that changes nothing that the page shows leaves its token good for nothing all the same.
    const same = await site.preview(renewal);
    expect((await site.confirm(same)).status).toBe(200);
    expect((await site.confirm(same)).text).toContain('This preview was used already.');
  });

  it('that comes too late is shown the preview again', async () => {
    const preview = await site.preview(renewal);
    site.product.clock += 16 * 60;
    const late = await site.confirm(preview);
    expect(late.status).toBe(409);
    expect(late.text).toContain('The preview is too old.');
    expectNothing();
    expect((await site.confirm(late)).status).toBe(200);
  });

  it('twice at once installs once', async () => {
    const preview = await site.preview(renewal);
    const both = await Promise.all([site.confirm(preview), site.confirm(preview)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(site.audited.map(({ phase }) => phase)).toEqual(['before', 'after']);
  });

  it('of two different licenses at once installs the first, and shows the second anew', async () => {
    const [a, b] = [await site.preview(renewal), await site.preview(textOf(await licenseFile({ ctr: 9, seats: 999 })))];
    const [first, second] = await Promise.all([site.confirm(a), site.confirm(b)]);
    expect(first.status).toBe(200);
    expect(second.text).toContain('Something else was installed since the preview.');
    expect(second.text).toContain('Seats 400 999 changed');
    expect(site.license.entitlements?.seats).toBe(400);
  });

  it('is not carried out where the audit log cannot be written before it', async () => {
    for (const audit of [() => Promise.reject(new Error('disk full')), () => new Promise<void>(() => undefined)]) {
      site.handler = licenseAdmin(site.license, site.options({ audit, callSeconds: 0.05 }));
      const done = await site.install(renewal);
      expect(done.status).toBe(503);
      expect(done.text).toContain('so nothing was installed');
      expectNothing();
    }
  });

  it('says so where the audit log cannot be written after it', async () => {
    const audit = ({ phase }: { phase: string }): void => {
      if (phase === 'after') throw new Error('disk full');
    };
    site.handler = licenseAdmin(site.license, site.options({ audit }));
    const done = await site.install(renewal);
    expect(done.text).toContain(
      'The license is installed and in force. The audit log could not be written after that.',
    );
    expect(site.license.entitlements?.seats).toBe(400);
  });
});

describe('a body', () => {
  const send = (body: ReadableStream<Uint8Array>, headers: Record<string, string> = {}): Promise<Page> =>
    site.send(
      new Request(ORIGIN, {
        method: 'POST',
        body,
        duplex: 'half',
        headers: {
          cookie: 'signed-in',
          origin: ORIGIN,
          'content-type': 'application/x-www-form-urlencoded',
          ...headers,
        },
      }),
    );

  it('of 10 MB is refused while it is read, and no more of it is asked for', async () => {
    let sent = 0;
    let isCancelled = false;
    const piece = new Uint8Array(64 * 1024).fill(0x61);
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += piece.length;
        controller.enqueue(piece);
        if (sent >= 10 * 1024 * 1024) controller.close();
      },
      cancel: () => {
        isCancelled = true;
      },
    });
    const { status, text } = await send(body);
    expect(status).toBe(413);
    expect(text).toContain('Nothing of it was kept.');
    expect(sent).toBeLessThan(MAX_BODY_BYTES + 3 * piece.length);
    expect(isCancelled).toBe(true);
  });

  it('that says that it has 10 MB is refused before it is read', async () => {
    const body = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) });
    expect((await send(body, { 'content-length': String(10 * 1024 * 1024) })).status).toBe(413);
  });

  it('that comes slowly ends in time', { timeout: 20_000 }, async () => {
    site.handler = licenseAdmin(site.license, site.options({ bodySeconds: 0.2 }));
    const dripping = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        controller.enqueue(Uint8Array.of(0x61));
      },
    });
    const start = performance.now();
    expect((await send(dripping)).status).toBe(408);
    const silent = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) });
    expect((await send(silent)).status).toBe(408);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it('that breaks off is refused', async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        controller.error(new Error('the connection is gone'));
      },
    });
    expect((await send(broken)).status).toBe(400);
  });

  it.each([
    ['JSON', 'application/json', '{}', 415],
    ['text', 'text/plain', 'step=preview', 415],
    ['of no type', '', 'step=preview', 415],
    ['of a type that only begins like a form', 'multipart/form-data-x; boundary=a', '--a--', 415],
    ['multipart without a boundary', 'multipart/form-data', '--a--', 415],
    ['multipart that is not whole', 'multipart/form-data; boundary=a', '--a\r\nContent-Disposition: form', 400],
    ['with a field twice', 'application/x-www-form-urlencoded', 'step=preview&step=install', 400],
    [
      'with many fields',
      'application/x-www-form-urlencoded',
      Array.from({ length: 30 }, (_, i) => `a${i}=`).join('&'),
      400,
    ],
    ['without a step', 'application/x-www-form-urlencoded', 'token=a', 400],
    ['with an unknown step', 'application/x-www-form-urlencoded', 'step=erase&content=YQ==', 400],
    ['with a content that is not base64', 'application/x-www-form-urlencoded', 'step=install&content=%2a%2a', 400],
    ['with a content that is not UTF-8', 'application/x-www-form-urlencoded', 'step=install&content=//8=', 400],
  ])('%s is refused', async (_what, type, text, status) => {
    const request = new Request(ORIGIN, {
      method: 'POST',
      body: text,
      headers: { cookie: 'signed-in', origin: ORIGIN },
    });
    request.headers.set('content-type', type);
    expect((await site.send(request)).status).toBe(status);
    expectNothing();
  });

  it('with two proofs is refused, whichever of them is right', async () => {
    const preview = await site.preview(renewal);
    for (const proofs of [
      [PASSWORD, 'guess'],
      ['guess', PASSWORD],
    ]) {
      const body = new URLSearchParams(preview.fields);
      for (const proof of proofs) body.append('proof', proof);
      const headers = { cookie: 'signed-in', origin: ORIGIN };
      expect((await site.send(new Request(ORIGIN, { method: 'POST', body, headers }))).status).toBe(400);
    }
    expectNothing();
  });

  it('of a million parts is judged in little time', async () => {
    const text = `${'--a\r\n'.repeat(300_000)}--a--`.slice(0, MAX_BODY_BYTES);
    const start = performance.now();
    const request = new Request(ORIGIN, {
      method: 'POST',
      body: text,
      headers: { cookie: 'signed-in', origin: ORIGIN },
    });
    request.headers.set('content-type', 'multipart/form-data; boundary=a');
    expect((await site.send(request)).status).toBe(400);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe('a request', () => {
  it.each(['PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND'])('by %s does nothing', async (method) => {
    const { status, headers } = await site.send(
      new Request(ORIGIN, { method, headers: { cookie: 'signed-in', origin: ORIGIN } }),
    );
    expect(status).toBe(405);
    expect(headers.get('allow')).toBe('GET, HEAD, POST');
  });

  it('by HEAD has the headers of the page and no body', async () => {
    const head = await site.send(new Request(ORIGIN, { method: 'HEAD', headers: { cookie: 'signed-in' } }));
    expect(head).toMatchObject({ status: 200, html: '' });
    expect(head.headers.get('content-type')).toBe('text/html; charset=utf-8');
  });

  it.each(['/', '/license/', '/license/../install', '/%2e%2e/install', '//evil.example/', '/license?step=install'])(
    'to %s is a request to the page: no path means anything',
    async (path) => {
      const request = new Request(`${ORIGIN}${path}`, { headers: { cookie: 'signed-in' } });
      expect((await site.send(request)).text).toContain('In force now');
      expectNothing();
    },
  );

  it.each(['GET', 'POST'])('by %s is answered with all protecting headers, and no script', async (method) => {
    const page = method === 'GET' ? await site.get() : await site.preview(renewal);
    const { headers, html } = page;
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]{44}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    );
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('referrer-policy')).toBe('same-origin');
    expect(html).not.toMatch(/<script|<img|<link|\son\w+=|style="|https?:/);
  });

  it('that is refused is answered with the same headers', async () => {
    const { headers } = await site.post({}, { origin: 'https://evil.example' });
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('markup', () => {
  const MARKUP = `<script>alert(1)</script>"'&<b onclick=x>`;
  it('in a name, in an operator, in a pasted text and in a translation is text', async () => {
    site.handler = licenseAdmin(
      site.license,
      site.options({
        texts: { title: MARKUP, signed_in_as: `{operator} ${MARKUP}` },
        notices: { armor_malformed: { sentence: MARKUP, remedy: MARKUP } },
      }),
    );
    const pages = [
      await site.get(),
      await site.preview(textOf(await licenseFile({ ctr: 8, name: MARKUP }))),
      await site.install(textOf(await licenseFile({ ctr: 8, name: MARKUP }))),
      await site.preview(`</textarea>${MARKUP}`),
      await site.post({ ...(await site.get()).fields, pasted: '', file: new Blob([MARKUP]) }),
    ];
    for (const { html } of pages) {
      expect(html).toContain('&lt;script&gt;');
      expect(html).not.toMatch(/<script|<b[ >]/);
    }
  });

  it('in the pasted text comes back as it was, so that nothing is lost', async () => {
    const { html } = await site.preview(`${MARKUP}\n</textarea>`);
    const shown = /<textarea[^>]*>\n?([^<]*)<\/textarea>/.exec(html)?.[1] ?? '';
    const back = shown
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'");
    expect(back.replaceAll('&amp;', '&')).toBe(CRLF(`${MARKUP}\n</textarea>`));
  });
});

describe('the tokens of the forms', () => {
  it('are refused rather than forgotten where too many are in use', () => {
    const tokens = new SealedTokens(new Uint8Array(32), () => site.product.clock);
    const spend = (): boolean => tokens.use(tokens.make(['install'], 60));
    for (let i = 0; i < 10_000; i++) spend();
    expect(spend()).toBe(false);
    site.product.clock += 61;
    expect(spend()).toBe(true);
  });

  it('are bound to each of their parts, wherever one ends', () => {
    const tokens = new SealedTokens(new Uint8Array(32), () => 0);
    const token = tokens.make(['install', 'ab', 'c'], 60);
    expect(tokens.check(token, ['install', 'ab', 'c'])).toBeUndefined();
    for (const parts of [
      ['install', 'a', 'bc'],
      ['install', 'abc'],
      ['install', 'ab', 'c', ''],
      ['form', 'ab', 'c'],
    ])
      expect(tokens.check(token, parts)).toBe('forged');
  });

  it('of one replica are good at another that has the same secret', async () => {
    const secret = new Uint8Array(32).fill(7);
    site.handler = licenseAdmin(site.license, site.options({ secret }));
    const preview = await site.preview(renewal);
    site.handler = licenseAdmin(site.license, site.options({ secret: new Uint8Array(32).fill(8) }));
    expect((await site.confirm(preview)).status).toBe(403);
    site.handler = licenseAdmin(site.license, site.options({ secret }));
    expect((await site.confirm(preview)).status).toBe(200);
  });

  it('of a page that was open for a day lose nothing of what was pasted', async () => {
    const { fields } = await site.get();
    site.product.clock += DAY;
    const late = await site.send(formRequest({ ...fields, pasted: CRLF(renewal) }));
    expect(late.status).toBe(422);
    expect(late.text).toContain('open for too long');
    expect(late.html).toContain('-----BEGIN VTLIC-----');
  });
});
