/** Handlers behind a real `node:http` server, and clients that do not behave. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeListener } from '../../../../verifier/admin/index.ts';
import { textOf } from '../runtime/product.ts';
import { licenseFile } from '../sample.ts';
import { AdminSite, CRLF, PASSWORD } from './admin-site.ts';

let server: Server;
let port: number;

async function serve(
  handler: (request: Request) => Promise<Response>,
  failed?: (error: unknown) => void,
): Promise<void> {
  server = createServer(nodeListener(handler, failed));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
}
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** What a client reads that sends these bytes, and then waits. */
async function raw(...pieces: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => (answer += data.toString()));
  socket.on('error', () => undefined);
  for (const piece of pieces) if (!socket.destroyed) socket.write(piece);
  await new Promise((resolve) => socket.once('close', resolve));
  return answer;
}

describe('a handler behind node:http', () => {
  it('gets the method, the path, the headers and the body, and its answer arrives', async () => {
    await serve(async (request) => {
      const headers = new Headers([
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
        ['x-url', request.url],
        ['x-cookie', request.headers.get('cookie') ?? ''],
      ]);
      return new Response(`${request.method} ${await request.text()}`, { status: 201, headers });
    });
    const response = await fetch(`http://127.0.0.1:${port}/a/b?c=d`, {
      method: 'POST',
      body: 'text',
      headers: { cookie: 'x=y' },
    });
    expect([response.status, await response.text()]).toEqual([201, 'POST text']);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(response.headers.get('x-url')).toBe('http://localhost/a/b?c=d');
    expect(response.headers.get('x-cookie')).toBe('x=y');
  });

  it.each([
    ['//evil.example/metrics', 'http://localhost//evil.example/metrics'],
    ['http://evil.example/metrics', 'http://localhost/http://evil.example/metrics'],
    ['/a/../metrics', 'http://localhost/metrics'],
    ['*', 'http://localhost/*'],
    ['/%', 'http://localhost/%'],
    ['/a?b=?c#d', 'http://localhost/a?b=?c%23d'],
    ['/\\\\evil.example', 'http://localhost///evil.example'],
  ])('makes of the target %s the address %s, on no other host', async (target, url) => {
    await serve((request) => Promise.resolve(new Response(request.url)));
    const answer = await raw(`GET ${target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`);
    expect(answer.split('\r\n\r\n')[1]).toContain(url);
  });

  it('is not asked about a method that no request can have', async () => {
    await serve(() => Promise.resolve(new Response('asked')));
    const answer = await raw('TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 405 /);
    expect(answer).not.toContain('asked');
  });

  it('that throws is answered with 500, and the product is told', async () => {
    const told: unknown[] = [];
    await serve(
      () => Promise.reject(new Error('secret')),
      (error) => told.push(error),
    );
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect([response.status, await response.text()]).toEqual([500, 'internal error\n']);
    expect(told).toHaveLength(1);
  });
});

describe('a handler that fails behind node:http', () => {
  it('does not end the process where the log of the product fails too', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): number => unhandled.push(error);
    process.on('unhandledRejection', note);
    await serve(
      () => Promise.reject(new Error('secret')),
      () => {
        throw new Error('disk full');
      },
    );
    for (let i = 0; i < 2; i++) {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      expect([response.status, await response.text()]).toEqual([500, 'internal error\n']);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  it('keeps nothing of an answer that cannot be sent', async () => {
    await serve(() =>
      Promise.resolve(
        new Response('x', { headers: { 'set-cookie': 'session=1', 'x-first': 'a', 'x-wrong': '\u0001' } }),
      ),
    );
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(response.status).toBe(500);
    expect(response.headers.get('x-first')).toBeNull();
  });

  it('says to the product that something else has read the body', async () => {
    const told: unknown[] = [];
    const listener = nodeListener(
      () => Promise.resolve(new Response('asked')),
      (error) => told.push(error),
    );
    server = createServer((incoming, outgoing) => {
      incoming.resume().once('end', () => {
        listener(incoming, outgoing);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x=y' });
    expect([response.status, await response.text()]).toEqual([500, 'internal error\n']);
    expect(told).toMatchObject([{ code: 'usage', hint: /before whatever reads bodies/ }]);
  });
});

describe('the admin page behind node:http', () => {
  let site: AdminSite;
  beforeEach(async () => {
    site = new AdminSite();
    await site.product.dropLicense({ ctr: 7 });
    await site.start({ bodySeconds: 0.5 });
    await serve(site.handler);
  });
  afterEach(() => site.product.remove());

  const head = (length: number | undefined, type = 'application/x-www-form-urlencoded'): string =>
    [
      'POST /license HTTP/1.1',
      'Host: vaultdesk.example',
      'Cookie: signed-in',
      'Origin: https://vaultdesk.example:8443',
      `Content-Type: ${type}`,
      length === undefined ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`,
      '\r\n',
    ].join('\r\n');

  it('installs a renewal', async () => {
    const post = (fields: Readonly<Record<string, string>>): Promise<Response> => {
      const body = new FormData();
      for (const [name, value] of Object.entries(fields)) body.set(name, value);
      const headers = { cookie: 'signed-in', origin: 'https://vaultdesk.example:8443' };
      return fetch(`http://127.0.0.1:${port}/license`, { method: 'POST', body, headers });
    };
    const fieldsOf = async (response: Response): Promise<Record<string, string>> =>
      Object.fromEntries(
        [...(await response.text()).matchAll(/<input\s+type="hidden"\s+name="(\w+)"\s+value="([^"]*)"/g)].map(
          ([, name = '', value = '']) => [name, value],
        ),
      );
    const page = await fetch(`http://127.0.0.1:${port}/license`, { headers: { cookie: 'signed-in' } });
    const pasted = CRLF(textOf(await licenseFile({ ctr: 8, seats: 400 })));
    const preview = await post({ ...(await fieldsOf(page)), pasted });
    const done = await post({ ...(await fieldsOf(preview)), proof: PASSWORD });
    expect(done.status).toBe(200);
    expect(site.license.entitlements?.seats).toBe(400);
  });

  it('answers a body of 10 MB before its end, and the sender reads the answer', async () => {
    const length = 10 * 1024 * 1024;
    expect(await raw(head(length), new Uint8Array(length).fill(0x61))).toMatch(/^HTTP\/1.1 413 /);
    expect(
      await raw(head(undefined), ...Array.from({ length: 200 }, () => `10000\r\n${'a'.repeat(65_536)}\r\n`)),
    ).toMatch(/^HTTP\/1.1 413 /);
  });

  it('answers a body that never comes, and closes the connection', async () => {
    const answer = await raw(head(1000), 'step=');
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer.toLowerCase()).toContain('\r\nconnection: close\r\n');
  });

  it('outlives a client that goes away in the middle', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`${head(1000)}step=`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.resetAndDestroy();
    const page = await fetch(`http://127.0.0.1:${port}/license`, { headers: { cookie: 'signed-in' } });
    expect(page.status).toBe(200);
  });

  /** The page, asked for by bytes that a hostile network or proxy may send. */
  const ask = (lines: readonly string[], method = 'GET', target = '/license'): Promise<string> =>
    raw([`${method} ${target} HTTP/1.1`, ...lines, 'Connection: close', '\r\n'].join('\r\n'));

  it.each([
    ['another host', ['Host: evil.example', 'Cookie: signed-in']],
    [
      'a forwarded host',
      ['Host: a', 'Cookie: signed-in', 'X-Forwarded-Host: evil.example', 'Forwarded: host=evil.example'],
    ],
    ['a forwarded scheme', ['Host: a', 'Cookie: signed-in', 'X-Forwarded-Proto: evil.example', 'X-Forwarded-Port: 1']],
    [
      'another address',
      ['Host: a', 'Cookie: signed-in', 'X-Original-URL: /evil.example', 'X-Rewrite-URL: /evil.example'],
    ],
    ['a referrer', ['Host: a', 'Cookie: signed-in', 'Referer: https://evil.example/']],
    ['a preflight of another site', ['Host: a', 'Cookie: signed-in', 'Origin: https://evil.example']],
  ])('says nothing about %s, and lets no other site read the page', async (_what, lines) => {
    const answer = await ask(lines);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(answer).toContain('In force now');
    expect(answer).not.toMatch(/evil|access-control/i);
    const preflight = await ask([...lines, 'Access-Control-Request-Method: POST'], 'OPTIONS');
    expect(preflight).toMatch(/^HTTP\/1.1 405 /);
    expect(preflight).not.toMatch(/evil|access-control|In force now/i);
  });

  it.each([
    '//evil.example/license',
    '/license//',
    '/%2e%2e/license',
    '/license%0d%0aset-cookie:%20a=b',
    '/license?\\',
  ])('gives no answer to the target %s but the page itself', async (target) => {
    const answer = await ask(['Host: a', 'Cookie: signed-in'], 'GET', target);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(answer).not.toMatch(/evil|\r\nset-cookie|\r\nlocation/i);
  });

  it.each([
    ['a method in another header', ['X-HTTP-Method-Override: POST', 'X-Method-Override: POST'], 'GET', 200],
    ['TRACE, which would send a cookie back', [], 'TRACE', 405],
    ['PUT', ['Content-Length: 0'], 'PUT', 405],
    ['DELETE', [], 'DELETE', 405],
    [
      'two origins',
      ['Origin: https://vaultdesk.example:8443', 'Origin: https://evil.example', 'Content-Length: 0'],
      'POST',
      403,
    ],
    [
      'the origin twice',
      [...Array.from({ length: 2 }, () => 'Origin: https://vaultdesk.example:8443'), 'Content-Length: 0'],
      'POST',
      403,
    ],
    ['an origin in capitals', ['Origin: HTTPS://VAULTDESK.EXAMPLE:8443', 'Content-Length: 0'], 'POST', 403],
    [
      'our origin in the referrer only',
      ['Referer: https://vaultdesk.example:8443/license', 'Content-Length: 0'],
      'POST',
      403,
    ],
    ['two lengths', ['Content-Length: 0', 'Content-Length: 5'], 'POST', 400],
    ['a length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked'], 'POST', 400],
    ['a folded header', ['X-A: a', ' Cookie: signed-in'], 'GET', 400],
  ] as const)('answers %s with %s, %s: %i', async (_what, lines, method, status) => {
    const answer = await ask(['Host: a', 'Cookie: signed-in', ...lines], method);
    expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    expect(answer).not.toContain('Cookie: signed-in');
    expect(site.audited).toEqual([]);
    expect(site.license.view().refusals.count).toBe(0);
  });

  it('answers a body that comes byte by byte in time, in chunks too', async () => {
    for (const [length, piece] of [
      [100_000, 'a'],
      [undefined, '1\r\na\r\n'],
    ] as const) {
      const socket = connect(port, '127.0.0.1');
      let answer = '';
      socket.on('data', (data) => (answer += data.toString()));
      socket.on('error', () => undefined);
      socket.write(head(length));
      const drip = setInterval(() => socket.write(piece), 20);
      const start = performance.now();
      await new Promise((resolve) => socket.once('close', resolve));
      clearInterval(drip);
      expect(answer).toMatch(/^HTTP\/1.1 408 /);
      expect(performance.now() - start).toBeLessThan(20_000);
    }
  });
});
