/** Requests that no browser sends, functions of a product that misbehave, and replicas that are played against each other. */
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { licenseAdmin, type AdminOptions, type UsedTokens } from '../../../../verifier/admin/index.ts';
import { MAX_BODY_BYTES } from '../../../../verifier/admin/read-form.ts';
import type { LiveLicense } from '../../../../verifier/runtime/index.ts';
import { inWords, thrown } from '../../../support/thrown.ts';
import { issuingKey, keysetBlock } from '../../../../conformance/examples/keysets.ts';
import { textOf } from '../runtime/product.ts';
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

function sendBody(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>): Promise<Page> {
  const all = { cookie: 'signed-in', origin: ORIGIN, ...headers };
  return site.send(new Request(ORIGIN, { method: 'POST', body, headers: all }));
}

describe('a form that no browser makes', () => {
  const URL_ENCODED = 'application/x-www-form-urlencoded';
  const PART = '--a\r\ncontent-disposition: form-data; name="x"\r\n\r\n\r\n';

  it.each([
    ['half a million fields', URL_ENCODED, 'a&'.repeat(MAX_BODY_BYTES / 2)],
    ['half a million separators', URL_ENCODED, '&'.repeat(MAX_BODY_BYTES)],
    [
      'twenty thousand parts',
      'multipart/form-data; boundary=a',
      `${PART.repeat(Math.floor(MAX_BODY_BYTES / PART.length) - 1)}--a--\r\n`,
    ],
  ])('with %s is refused before it is parsed', async (_what, type, body) => {
    // Half a million fields take several seconds to parse, and all requests of the product wait for it.
    const parsing = vi.spyOn(Response.prototype, 'formData');
    try {
      expect((await sendBody(body, { 'content-type': type })).status).toBe(400);
      expect(parsing).not.toHaveBeenCalled();
    } finally {
      parsing.mockRestore();
    }
  });

  it.each([
    ['in UTF-16', `${URL_ENCODED}; charset=utf-16`],
    ['in UTF-7', `${URL_ENCODED};charset="utf-7"`],
    ['with two boundaries', 'multipart/form-data; boundary=a; boundary=b'],
    ['with two types', 'multipart/form-data; boundary=a, text/plain'],
    ['with a boundary and a charset', 'multipart/form-data; boundary=a; charset=utf-16'],
    ['with an empty boundary', 'multipart/form-data; boundary='],
    ['with a boundary of 71 characters', `multipart/form-data; boundary=${'a'.repeat(71)}`],
    ['in mixed parts', 'multipart/mixed; boundary=a'],
    ['in related parts', 'multipart/related; boundary=a'],
    ['in XML', 'application/xml'],
    ['as bytes', 'application/octet-stream'],
    ['as JSON of a form', `application/json; ${URL_ENCODED}`],
    ['as text that says that it is a form', `text/plain; ${URL_ENCODED}`],
    ['as GraphQL', 'application/graphql'],
    ['as CSP reports', 'application/csp-report'],
  ])('%s is not read', async (_what, type) => {
    const { fields } = await site.get();
    const body = new URLSearchParams({ ...fields, pasted: renewal }).toString();
    expect((await sendBody(body, { 'content-type': type })).status).toBe(415);
    expectNothing();
  });

  it.each([`${URL_ENCODED};charset=UTF-8`, `${URL_ENCODED.toUpperCase()} ; charset="utf-8"`])(
    'in UTF-8 is read, however its type is written: %s',
    async (type) => {
      const { fields } = await site.get();
      const body = new URLSearchParams({ ...fields, pasted: renewal }).toString();
      expect((await sendBody(body, { 'content-type': type })).text).toContain('Seats 250 400 changed');
    },
  );

  it('that says that it is compressed is not unpacked', async () => {
    const { fields } = await site.get();
    const body = new URLSearchParams({ ...fields, pasted: renewal }).toString();
    const packed = new Uint8Array(await new Response(gzip(body)).arrayBuffer());
    const sent = await sendBody(packed, { 'content-type': URL_ENCODED, 'content-encoding': 'gzip' });
    expect([400, 403]).toContain(sent.status);
    expectNothing();
  });

  it.each(['step', 'token', 'base', 'content', 'proof'])(
    'that sends its %s as a file installs nothing',
    async (name) => {
      const preview = await site.preview(renewal);
      const fields = { ...preview.fields, proof: PASSWORD };
      const value = (fields as Record<string, string>)[name] ?? '';
      expect(value).not.toBe('');
      const sent = await site.post({ ...fields, [name]: new Blob([value]) });
      expect([400, 403]).toContain(sent.status);
      expectNothing();
    },
  );

  it.each(['__proto__', 'constructor', 'hasOwnProperty'])('with a field %s changes nothing', async (name) => {
    const { fields } = await site.get();
    const sent = await sendBody(new URLSearchParams({ ...fields, [name]: 'x', pasted: renewal }).toString(), {
      'content-type': URL_ENCODED,
    });
    expect(sent.text).toContain('Seats 250 400 changed');
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('whose body the product has read before is an error of the product, which names the cause', async () => {
    const read = formRequest({});
    await read.text();
    await expect(site.send(read)).rejects.toMatchObject({ code: 'usage', hint: /mount the page before/ });
  });
});

function gzip(text: string): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
}

describe('a file with a byte order mark', () => {
  it('is taken exactly as it is, and so it is refused', async () => {
    const { fields } = await site.get();
    const marked = await site.post({ ...fields, pasted: '', file: new Blob(['\ufeff', renewal]) });
    expect(marked.status).toBe(422);
    expect(marked.text).toContain('armor_malformed');
    const plain = await site.post({ ...fields, pasted: '', file: new Blob([renewal]) });
    expect(plain.text).toContain('Seats 250 400 changed');
    // The content of a confirmation is not a file, but its digest is of exactly what is installed.
    const content = Buffer.from(`\ufeff${renewal}`).toString('base64');
    expect((await site.post({ ...plain.fields, content, proof: PASSWORD })).status).toBe(403);
    expectNothing();
  });
});

describe('what is displayed', () => {
  it('is compared by what it is, whatever a translation calls it', async () => {
    const same = { tier: 'Wert', use: 'Wert', seats: 'Wert', counter: 'Wert', limit: 'Wert {name}' };
    site.handler = licenseAdmin(site.license, site.options({ texts: same }));
    const { text } = await site.preview(renewal);
    expect(text).toContain('Wert 250 400 changed');
    expect(text).toContain('Wert enterprise enterprise Wert');
    site.handler = licenseAdmin(site.license, site.options({ texts: same, seatsUsed: () => 3 }));
    expect((await site.get()).text).toContain('Wert enterprise Wert production Wert 250 sold, 3 used');
  });

  it('is isolated from the text around it, whichever direction it has', async () => {
    const name = '\u05d0\u05e7\u05de\u05d9 3';
    const { html } = await site.preview(textOf(await licenseFile({ ctr: 8, name })));
    expect(html).toContain(`<bdi>${name} (acme-gmbh)</bdi>`);
    expect((await site.get()).html).toContain('<dd><bdi>250</bdi></dd>');
    for (const cell of html.matchAll(/<(?:td|dd)>(.{5})/g)) expect(cell[1]).toBe('<bdi>');
  });
});

describe('functions of the product that misbehave', () => {
  it.each([
    ['null', () => null],
    ['a text', () => '12'],
    ['no number', () => Number.NaN],
    ['infinity', () => Infinity],
    ['a bigint', () => 12n],
    ['an object', () => ({ valueOf: () => 12 })],
    ['nothing for ever', () => new Promise(() => undefined)],
    ['an error that is not an error', () => Promise.reject(new Error('<b>secret</b>'))],
  ])('seatsUsed that returns %s costs nothing but the number', async (_what, seatsUsed) => {
    const options = site.options({ seatsUsed: seatsUsed as never, callSeconds: 0.05 });
    site.handler = licenseAdmin(site.license, options);
    const page = await site.get();
    expect(page.text).toContain('Seats 250; how many are used is not known now');
    expect(page.html).not.toContain('secret');
    expect((await site.install(renewal)).text).toContain('installed and in force');
  });

  it('an installation that ends with an error is recorded, and the page says where that fails too', async () => {
    const broken: LiveLicense = {
      ...site.license,
      get entitlements() {
        return site.license.entitlements;
      },
      install: () => Promise.reject(new Error('secret detail')),
    };
    site.handler = licenseAdmin(broken, site.options());
    const failed = await site.install(renewal);
    expect(failed.status).toBe(500);
    expect(failed.text).toContain('it is not known how far it went');
    expect(failed.html).not.toContain('secret');
    expect(site.audited.map(({ phase, result }) => [phase, result])).toEqual([
      ['before', undefined],
      ['after', 'failed'],
    ]);
    const audit: AdminOptions['audit'] = ({ phase }) => {
      if (phase === 'after') throw new Error('disk full');
    };
    site.handler = licenseAdmin(broken, site.options({ audit }));
    expect((await site.install(renewal)).text).toContain('The audit log could not be written after that.');
  });
});

describe('a secret that replicas share', () => {
  const secret = (): Uint8Array => new Uint8Array(32).fill(7);
  /** Another replica, on its own host, with the license that the first one has too. */
  let other: AdminSite;
  beforeEach(async () => {
    other = new AdminSite();
    await other.product.dropLicense({ ctr: 7 });
  });
  afterEach(() => other.product.remove());

  async function start(options: () => Partial<AdminOptions>): Promise<void> {
    site.handler = licenseAdmin(site.license, site.options(options()));
    await other.start(options());
  }

  it('is copied, so that a product may wipe its own', async () => {
    const wiped = secret();
    site.handler = licenseAdmin(site.license, site.options({ secret: wiped }));
    const { fields } = await site.get();
    wiped.fill(0);
    expect((await site.post({ ...fields, pasted: CRLF(renewal) })).status).toBe(200);
    site.handler = licenseAdmin(site.license, site.options({ secret: new Uint8Array(32) }));
    expect((await site.post({ ...fields, pasted: CRLF(renewal) })).status).toBe(403);
  });

  it('makes a preview good once at each replica, where nobody remembers for both', async () => {
    await start(() => ({ secret: secret() }));
    const preview = await site.preview(renewal);
    expect((await site.confirm(preview)).status).toBe(200);
    expect((await other.confirm(preview)).status).toBe(200);
  });

  it('makes a preview good once where a database remembers for all: here SQLite, with two connections', async () => {
    const file = `${site.product.folder}/tokens.sqlite`;
    const databases = [new DatabaseSync(file), new DatabaseSync(file)];
    await start(() => ({ secret: secret(), usedTokens: sqliteTokens(databases.pop() as DatabaseSync) }));
    const preview = await site.preview(renewal);
    expect((await other.confirm(preview, 'guess')).text).toContain('You could not be confirmed.');
    const both = await Promise.all([site.confirm(preview), other.confirm(preview)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    const phases = [...site.audited, ...other.audited].map(({ phase }) => phase);
    expect(phases.sort()).toEqual(['after', 'before', 'not_confirmed']);
    expect((await other.install(renewal)).status).toBe(200);
  });

  it('installs nothing where it cannot be found out whether a preview was used, and shows it again', async () => {
    const answers: unknown[] = [Promise.reject(new Error('away')), new Promise(() => undefined), 'yes', undefined, 1];
    for (const answer of answers) {
      const usedTokens = { use: () => answer } as unknown as UsedTokens;
      site.handler = licenseAdmin(site.license, site.options({ secret: secret(), usedTokens, callSeconds: 0.05 }));
      const again = await site.install(renewal);
      expect(again.status).toBe(503);
      expect(again.text).toContain('It cannot be found out whether this preview was used already');
      expect(again.fields['step']).toBe('install');
      expectNothing();
    }
  });

  it.each([
    ['usedTokens without a secret', { usedTokens: { use: () => true } }],
    ['usedTokens that is no store', { secret: new Uint8Array(32), usedTokens: {} }],
  ])('%s is a mistake', (_what, changes) => {
    const make = (): unknown => licenseAdmin(site.license, site.options(changes as Partial<AdminOptions>));
    expect(inWords(thrown(make))).toMatch(/^usage.*usedTokens/);
  });
});

/** As docs/admin.md has it. */
function sqliteTokens(database: DatabaseSync): UsedTokens {
  database.exec('CREATE TABLE IF NOT EXISTS used_token (id TEXT PRIMARY KEY, until INTEGER) WITHOUT ROWID');
  const note = database.prepare('INSERT INTO used_token VALUES (?, ?) ON CONFLICT DO NOTHING');
  return { use: (id, until) => note.run(id, until).changes === 1 };
}

describe('a preview of hostile input', () => {
  it(
    'answers every text with a notice, and changes nothing but the count of refusals',
    { timeout: 60_000 },
    async () => {
      const piece = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.constantFrom(
          '-----BEGIN VTLIC-----\n',
          '-----END VTLIC-----\n',
          '-----BEGIN VTLIC KEYSET-----',
          '\u0000',
          renewal,
        ),
        fc.constantFrom('-----END VTLIC KEYSET-----', renewal.slice(0, 100), renewal.slice(100), '\ud800', '\r\n'),
      );
      let before = site.license.view();
      const property = fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async (pieces) => {
        const found = await site.license.preview(pieces.join(''));
        const after = site.license.view();
        expect(after.refusals.count - before.refusals.count).toBe(found.ok ? 0 : 1);
        expect({ ...after, refusals: 0 }).toEqual({ ...before, refusals: 0 });
        before = after;
      });
      await fc.assert(property, { numRuns: 60 });
    },
  );

  it('takes little time for much of it', { timeout: 60_000 }, async () => {
    const keyset = textOf(keysetBlock({ version: 2, roots: ['root'], keys: [issuingKey('key')] }, ['root']));
    const start = performance.now();
    for (const text of [
      'a'.repeat(10_000_000),
      '-'.repeat(10_000_000),
      '-----BEGIN VTLIC KEYSET-----'.repeat(300_000),
      keyset.repeat(Math.ceil(MAX_BODY_BYTES / keyset.length)),
      `${renewal}\n`.repeat(1000),
    ])
      expect(await site.license.preview(text)).toMatchObject({ ok: false });
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});
