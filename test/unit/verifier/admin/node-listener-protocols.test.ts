/** What differs between HTTP/1.1 and HTTP/2, and between the servers that a listener may be mounted in. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type ClientHttp2Session,
  type Http2Server,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect, type AddressInfo } from 'node:net';
import { mock } from 'node:test';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeListener, type NodeListener } from '../../../../verifier/admin/node-listener.ts';

type Handler = (request: Request) => Promise<Response>;

const PLAIN = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

async function portOf(server: Server | Http2Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const echo: Handler = async (request) => {
  const headers = Object.fromEntries([...request.headers].filter(([name]) => /^(?:x-|cookie)/.test(name)));
  return Response.json({ method: request.method, url: request.url, headers, body: await request.text() });
};

describe('a handler behind node:http2', () => {
  let server: Http2Server;
  let session: ClientHttp2Session;
  let told: unknown[];
  const serve = async (handler: Handler): Promise<void> => {
    told = [];
    const listener = nodeListener(handler, (error) => told.push(error)) as unknown as Parameters<typeof server.on>[1];
    server = createHttp2Server().on('request', listener).on('connect', listener);
    session = connectHttp2(`http://127.0.0.1:${await portOf(server)}`);
  };
  afterEach(() => {
    session.destroy();
    server.close();
  });

  async function ask(headers: OutgoingHttpHeaders, body?: string): Promise<{ status: unknown; text: string }> {
    const stream = session.request(headers, { endStream: body === undefined && headers[':method'] !== 'CONNECT' });
    if (body !== undefined) stream.end(body);
    let [status, text]: [unknown, string] = [undefined, ''];
    stream
      .on('response', (given) => (status = given[':status']))
      .on('data', (data: Buffer) => (text += data.toString()));
    stream.resume();
    await once(stream, 'end');
    stream.close();
    return { status, text };
  }

  it('gets the headers without those of HTTP/2 itself, and the body', async () => {
    await serve(echo);
    const { status, text } = await ask({ ':method': 'POST', ':path': '/a?b', cookie: ['c=1', 'd=2'], 'x-a': 'e' }, 'f');
    expect(JSON.parse(text)).toEqual({
      method: 'POST',
      url: 'http://localhost/a?b',
      headers: { cookie: 'c=1; d=2', 'x-a': 'e' },
      body: 'f',
    });
    expect([status, told]).toEqual([200, []]);
  });

  it('ends its answer to GET at once', async () => {
    await serve(() => Promise.resolve(new Response('page')));
    const start = performance.now();
    expect(await ask({ ':path': '/' })).toEqual({ status: 200, text: 'page' });
    expect(performance.now() - start).toBeLessThan(1900);
  });

  it('answers before the end of a body that is too long', async () => {
    await serve(() => Promise.resolve(new Response('enough', { status: 413 })));
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    stream.write('x');
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(413);
    expect(String(await once(stream, 'data'))).toBe('enough');
    stream.close();
  });

  it.each(['TRACE', 'TRACK', 'CONNECT'])('is not asked about %s, which no request can have', async (method) => {
    await serve(echo);
    const target = method === 'CONNECT' ? { ':authority': 'a:1' } : { ':path': '/' };
    expect(await ask({ ':method': method, ...target })).toEqual({ status: 405, text: '' });
    expect(told).toEqual([]);
  });
});

describe('a handler behind node:http', () => {
  let server: Server;
  let port: number;
  const unhandled: unknown[] = [];
  const note = (error: unknown): number => unhandled.push(error);
  beforeEach(() => {
    unhandled.length = 0;
    process.on('unhandledRejection', note);
  });
  afterEach(async () => {
    mock.timers.reset();
    server.closeAllConnections();
    server.close();
    await turn();
    process.off('unhandledRejection', note);
  });
  const turn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));

  async function serve(listener: NodeListener, options = {}): Promise<void> {
    server = createServer(options, listener);
    port = await portOf(server);
  }

  /** The status line and the headers, but for the date; then the body. */
  async function raw(text: string): Promise<{ head: readonly string[]; body: string }> {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => (answer += data.toString())).write(text);
    await once(socket, 'close');
    const [head = '', ...body] = answer.split('\r\n\r\n');
    return { head: head.split('\r\n').filter((line) => !line.startsWith('Date:')), body: body.join('\r\n\r\n') };
  }

  it('gets a header that comes twice as one, and no body by GET', async () => {
    await serve(nodeListener(echo));
    const { body } = await raw('GET /?a?b HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nConnection: close\r\n\r\n');
    expect(JSON.parse(body)).toEqual({
      method: 'GET',
      url: 'http://localhost/?a?b',
      headers: { 'x-a': '1, 2' },
      body: '',
    });
  });

  it('sends its headers and nothing more: its length, and a cookie only where there is one', async () => {
    await serve(nodeListener(() => Promise.resolve(new Response('ab', { headers: { 'content-type': 'x' } }))));
    expect(await raw('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toEqual({
      head: ['HTTP/1.1 200 OK', 'content-type: x', 'Connection: close', 'Content-Length: 2'],
      body: 'ab',
    });
    // The connection stays open for the next request where the body has ended.
    const { head } = await raw(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    expect(head).toContain('Connection: keep-alive');
  });

  it('answers a method that no request can have with 405 and an empty body', async () => {
    await serve(nodeListener(echo));
    const { head, body } = await raw('TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(head[0]).toBe('HTTP/1.1 405 Method Not Allowed');
    expect(head).toEqual(expect.arrayContaining(Object.entries(PLAIN).map(([name, value]) => `${name}: ${value}`)));
    expect(body).toBe('0\r\n\r\n');
  });

  it.each([
    ['with a body', () => Promise.resolve(new Response('no', { status: 401 })), 401],
    ['without one', () => Promise.resolve(new Response(null, { status: 204 })), 204],
    ['that is an error', () => Promise.reject(new Error('secret')), 500],
  ] as const)(
    'answers HEAD %s where the server takes no body that does not belong there',
    async (_what, handler, status) => {
      const told: unknown[] = [];
      await serve(
        nodeListener(handler, (error) => told.push(error)),
        { rejectNonStandardBodyWrites: true },
      );
      for (const method of ['HEAD', ...(status === 204 ? ['GET'] : [])]) {
        const { head, body } = await raw(`${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
        expect(head[0]).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
        expect(body).toBe('');
      }
      await turn();
      expect([told.length, unhandled]).toEqual([status === 500 ? 1 : 0, []]);
    },
  );

  it('ends the answer where the product began it before, and says so to the product', async () => {
    const told: unknown[] = [];
    const listener = nodeListener(echo, (error) => told.push(error));
    await serve((incoming, outgoing) => {
      outgoing.writeHead(202, { 'x-first': 'a' });
      listener(incoming, outgoing);
    });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect([response.status, await response.text()]).toEqual([202, 'internal error\n']);
    await turn();
    expect(told).toMatchObject([{ code: 'ERR_HTTP_HEADERS_SENT' }]);
    expect(unhandled).toEqual([]);
  });

  it('reads nothing of a body that the handler does not ask for', async () => {
    let incoming: IncomingMessage | undefined;
    let didRead: boolean | undefined;
    const listener = nodeListener(async () => {
      for (let i = 0; i < 5; i++) await turn();
      didRead = incoming?.readableDidRead;
      return new Response('no', { status: 403 });
    });
    await serve((request, outgoing) => {
      incoming = request;
      listener(request, outgoing);
    });
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x' });
    expect([response.status, didRead]).toEqual([403, false]);
  });

  it('that fails closes the connection, with the headers of a plain answer', async () => {
    await serve(nodeListener(() => Promise.reject(new Error('secret'))));
    const { head, body } = await raw('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(head.toSorted()).toEqual(
      [
        'HTTP/1.1 500 Internal Server Error',
        'Transfer-Encoding: chunked',
        'connection: close',
        ...Object.entries(PLAIN).map(([name, value]) => `${name}: ${value}`),
      ].toSorted(),
    );
    expect(body).toBe('f\r\ninternal error\n\r\n0\r\n\r\n');
  });

  describe('that answers before the end of the body', () => {
    const early = (body: string | null): NodeListener =>
      nodeListener(() => Promise.resolve(new Response(body, { status: 413 })));
    const begin = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n';

    it.each([
      ['enough', ['content-length: 6', 'content-type: text/plain;charset=UTF-8']],
      [null, ['Transfer-Encoding: chunked']],
    ])('sends the whole answer at once, and closes the connection two seconds later: %j', async (text, headers) => {
      await serve(early(text));
      mock.timers.enable({ apis: ['setTimeout'] });
      const socket = connect(port, '127.0.0.1');
      let [answer, isClosed] = ['', false];
      socket.on('data', (data) => (answer += data.toString())).on('close', () => (isClosed = true));
      socket.write(`${begin}12`);
      while (!answer.includes(text ?? '\r\n\r\n')) await turn();
      const [head = ''] = answer.split('\r\n\r\n');
      expect(
        head
          .split('\r\n')
          .filter((line) => !/^(?:HTTP|Date)/.test(line))
          .toSorted(),
      ).toEqual([...headers, 'connection: close'].toSorted());
      mock.timers.tick(1999);
      for (let i = 0; i < 20; i++) await turn();
      expect(isClosed).toBe(false);
      mock.timers.tick(1);
      await once(socket, 'close');
    });

    it('closes the connection as soon as the sender has finished', async () => {
      await serve(early('enough'));
      const start = performance.now();
      const socket = connect(port, '127.0.0.1');
      socket.write(`${begin}12`);
      await once(socket, 'data');
      socket.write('34567890');
      await once(socket.resume(), 'close');
      expect(performance.now() - start).toBeLessThan(1900);
    });

    it.each([
      ['none', () => Promise.resolve()],
      ['a piece', (request: Request) => request.body?.getReader().read()],
    ])(
      'loses no answer for a sender that reads it after ten megabytes, of which the handler read %s',
      async (_what, read) => {
        const listener = nodeListener(async (request) => {
          await read(request);
          return new Response('enough', { status: 413 });
        });
        await serve(listener);
        const [pieces, piece] = [160, new Uint8Array(64 * 1024)];
        const socket = connect(port, '127.0.0.1');
        socket.pause();
        socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${pieces * piece.length}\r\n\r\n`);
        for (let i = 0; i < pieces; i++) if (!socket.write(piece)) await once(socket, 'drain');
        let answer = '';
        socket.on('data', (data) => (answer += data.toString())).resume();
        await once(socket, 'close');
        expect(answer).toMatch(/^HTTP\/1.1 413 .*\r\n\r\nenough$/s);
      },
    );
  });
});
