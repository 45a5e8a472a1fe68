/** Bodies at each limit, and the types of forms in each spelling. */
import { mock } from 'node:test';
import { afterEach, describe, expect, it } from 'vitest';
import { MAX_BODY_BYTES, readForm, type FormResult } from '../../../../verifier/admin/read-form.ts';
import { inWords, rejected } from '../../../support/thrown.ts';

const URL_ENCODED = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data; boundary=';
const MAX_FIELDS = 20;

type Body = ConstructorParameters<typeof Response>[0];

function requestOf(type: string, body: Body, headers: Record<string, string> = {}): Request {
  const request = new Request('https://vaultdesk.example/license', {
    method: 'POST',
    body: body ?? null,
    duplex: 'half',
    headers,
  });
  request.headers.set('content-type', type);
  return request;
}

/** The fields as plain values, or the status. */
async function read(type: string, body: Body, headers: Record<string, string> = {}): Promise<unknown> {
  return shown(await readForm(requestOf(type, body, headers), 10));
}

const shown = (form: FormResult): unknown => (form.ok ? Object.fromEntries(form.fields) : form.status);

const part = (boundary: string, name: string, value: string): string =>
  `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const parts = (boundary: string, count: number): string =>
  `${Array.from({ length: count }, (_, i) => part(boundary, `f${i}`, '')).join('')}--${boundary}--\r\n`;

describe('the type of a form', () => {
  it.each([
    URL_ENCODED,
    'Application/X-WWW-Form-URLEncoded',
    `${URL_ENCODED} `,
    `${URL_ENCODED}; charset=utf-8`,
    `${URL_ENCODED};charset=UTF-8`,
    `${URL_ENCODED} \t;\t charset="utf-8" \t`,
  ])('%j is read', async (type) => {
    expect(await read(type, 'a=1&b=%C3%A4')).toEqual({ a: '1', b: '\u00e4' });
  });

  it.each([
    [`${MULTIPART}b`, 'b'],
    ['multipart/form-data;boundary=b', 'b'],
    ['Multipart/Form-Data \t;\t boundary=b', 'b'],
    [`${MULTIPART}"b"`, 'b'],
    [`${MULTIPART}"b" `, 'b'],
    [`${MULTIPART}${'b'.repeat(70)}`, 'b'.repeat(70)],
    [`${MULTIPART}"${'b'.repeat(70)}"`, 'b'.repeat(70)],
  ])('%j is read', async (type, boundary) => {
    expect(await read(type, `${part(boundary, 'a', '1')}--${boundary}--\r\n`)).toEqual({ a: '1' });
  });

  it.each([
    '',
    `x${URL_ENCODED}`,
    `${URL_ENCODED}x`,
    `${URL_ENCODED}; charset=utf-16`,
    `${URL_ENCODED}; charset=utf-8; charset=utf-16`,
    `${URL_ENCODED}; charset=""utf-8"`,
    `x${MULTIPART}b`,
    `${MULTIPART}b; charset=utf-8`,
    MULTIPART,
    `${MULTIPART}""`,
    `${MULTIPART}"b`,
    `${MULTIPART}b"`,
    `${MULTIPART}""b""`,
    `${MULTIPART}${'b'.repeat(71)}`,
    `${MULTIPART}"${'b'.repeat(71)}"`,
    'multipart/form-databoundary=b',
    'multipart/form-data',
    'multipart/mixed; boundary=b',
  ])('%j is refused', async (type) => {
    expect(await read(type, 'a=1')).toBe(415);
  });

  it('is refused where there is none', async () => {
    const request = requestOf(URL_ENCODED, 'a=1');
    request.headers.delete('content-type');
    expect(await readForm(request, 10)).toEqual({ ok: false, status: 415 });
  });
});

describe('the fields of a form', () => {
  it('are texts and files, each with its name', async () => {
    const body = new FormData();
    body.set('pasted', 'text');
    body.set('file', new Blob([Uint8Array.of(1, 255)]));
    const form = await readForm(new Request('https://a.example', { method: 'POST', body }), 10);
    expect(shown(form)).toEqual({ pasted: 'text', file: Uint8Array.of(1, 255) });
  });

  it('are twenty at most, in either form', async () => {
    const encoded = (count: number): string => Array.from({ length: count }, (_, i) => `f${i}=`).join('&');
    const expected = Object.fromEntries(Array.from({ length: MAX_FIELDS }, (_, i) => [`f${i}`, '']));
    expect(await read(URL_ENCODED, encoded(MAX_FIELDS))).toEqual(expected);
    expect(await read(URL_ENCODED, encoded(MAX_FIELDS + 1))).toBe(400);
    expect(await read(`${MULTIPART}b`, parts('b', MAX_FIELDS))).toEqual(expected);
    expect(await read(`${MULTIPART}b`, parts('b', MAX_FIELDS + 1))).toBe(400);
  });

  it('have 21 separators at most, wherever these are', async () => {
    expect(await read(URL_ENCODED, `a=${'&'.repeat(21)}`)).toEqual({ a: '' });
    expect(await read(URL_ENCODED, `a=${'&'.repeat(22)}`)).toBe(400);
    expect(await read(URL_ENCODED, `${'&'.repeat(21)}a=`)).toEqual({ a: '' });
    expect(await read(URL_ENCODED, `${'&'.repeat(22)}a=`)).toBe(400);
    const [ampersands, lines] = ['&'.repeat(22), '--\r\n'.repeat(22)];
    expect(await read(`${MULTIPART}b`, `${part('b', 'a', ampersands)}--b--\r\n`)).toEqual({ a: ampersands });
    expect(await read(`${MULTIPART}b`, `${part('b', 'a', lines)}--b--\r\n`)).toEqual({ a: lines });
  });

  it('are refused where a name comes twice, or the body is no form of its type', async () => {
    expect(await read(URL_ENCODED, 'a=1&b=2&a=1')).toBe(400);
    expect(await read(`${MULTIPART}b`, part('b', 'a', '1'))).toBe(400);
    expect(await read(`${MULTIPART}b`, 'a=1')).toBe(400);
  });
});

describe('the body of a form', () => {
  const LARGEST = 1_572_864;
  const pieces = (bytes: number): Uint8Array<ArrayBuffer> => new Uint8Array(bytes).fill(0x61);

  function stream(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
    const left = [...chunks];
    return new ReadableStream({
      pull: (controller) => {
        const next = left.shift();
        if (next === undefined) controller.close();
        else controller.enqueue(next);
      },
    });
  }

  it('is put together from its pieces', async () => {
    const text = ['a=1', '&b=', '', '23&c', '=4'].map((piece) => new TextEncoder().encode(piece));
    expect(await read(URL_ENCODED, stream(text))).toEqual({ a: '1', b: '23', c: '4' });
  });

  it('has the largest size at most, whether it says its length or not', async () => {
    expect(MAX_BODY_BYTES).toBe(LARGEST);
    const largest = await readForm(requestOf(URL_ENCODED, stream([pieces(LARGEST - 1), pieces(1)])), 10);
    expect(largest.ok && [...largest.fields.keys()].map(({ length }) => length)).toEqual([LARGEST]);
    expect(await read(URL_ENCODED, stream([pieces(LARGEST - 1), pieces(2)]))).toBe(413);
    expect(await read(URL_ENCODED, 'a=1', { 'content-length': String(LARGEST) })).toEqual({ a: '1' });
    expect(await read(URL_ENCODED, 'a=1', { 'content-length': String(LARGEST + 1) })).toBe(413);
  });

  it('is refused where there is none, or it breaks off', async () => {
    expect(await readForm(requestOf(URL_ENCODED, null), 10)).toEqual({ ok: false, status: 400 });
    const broken = new ReadableStream({ start: (controller) => controller.error(new Error('gone')) });
    expect(await read(URL_ENCODED, broken)).toBe(400);
  });

  it.each([
    ['read', (request: Request) => request.text()],
    ['begun to read', (request: Request) => Promise.resolve(request.body?.getReader())],
    ['read with a reader that was released', releasedAfterReading],
  ])('that something else has %s is a mistake of the product', async (_how, before) => {
    const request = requestOf(URL_ENCODED, 'a=1');
    await before(request);
    const error = await rejected(readForm(request, 10));
    expect([inWords(error), error.hint]).toEqual([
      'usage: the body of the request was read before the admin page got it',
      'mount the page before whatever reads bodies (docs/admin.md, "Mounting")',
    ]);
  });
});

async function releasedAfterReading(request: Request): Promise<void> {
  const reader = request.body?.getReader();
  await reader?.read();
  reader?.releaseLock();
}

describe('a slow body', () => {
  afterEach(() => {
    mock.timers.reset();
  });
  const turn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));

  it('ends after the seconds that it may take, and its sender is cut off', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    let isCancelled = false;
    const silent = new ReadableStream<Uint8Array>({
      pull: () => new Promise(() => undefined),
      cancel: () => {
        isCancelled = true;
      },
    });
    let status: unknown;
    const reading = readForm(requestOf(URL_ENCODED, silent), 2).then((form) => {
      status = shown(form);
    });
    await turn();
    mock.timers.tick(1999);
    await turn();
    expect(status).toBeUndefined();
    mock.timers.tick(1);
    await reading;
    expect([status, isCancelled]).toEqual([408, true]);
  });

  it('leaves no timer behind where it comes in time', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    await turn();
    const before = timers();
    expect(await read(URL_ENCODED, 'a=1')).toEqual({ a: '1' });
    expect(timers()).toBe(before);
  });
});
