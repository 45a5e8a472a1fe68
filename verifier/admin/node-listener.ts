/** A handler of Web requests as a listener of `node:http`, which Express and Fastify take too. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { VtlicError } from '../../formats/error.ts';

export type NodeListener = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/**
 * How long a connection stays open after an answer that was sent before the end of the body, so that a browser reads
 * it.
 */
const LINGER_MILLISECONDS = 2000;

const PLAIN_HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
});

/**
 * The handler gets every request with the host `localhost` in its URL: the handlers of this library do not use it, and
 * take their origin as an option.
 *
 * @param failed receives an error of the handler; the answer is 500 then
 */
export function nodeListener(
  handler: (request: Request) => Promise<Response>,
  failed: (error: unknown) => void = () => undefined,
): NodeListener {
  return (incoming, outgoing) => {
    serve(handler, incoming, outgoing).catch((error: unknown) => {
      if (!outgoing.headersSent) {
        for (const name of outgoing.getHeaderNames()) outgoing.removeHeader(name);
        outgoing.writeHead(500, { ...PLAIN_HEADERS, connection: 'close' });
      }
      outgoing.end('internal error\n');
      tell(failed, error);
    });
  };
}

/** A log that fails must not end the process. */
function tell(failed: (error: unknown) => void, error: unknown): void {
  try {
    failed(error);
  } catch {
    // No caller is left that could handle the error.
  }
}

async function serve(
  handler: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const response = isForbiddenMethod(incoming)
    ? new Response(null, { status: 405, headers: PLAIN_HEADERS })
    : await handler(requestOf(incoming));
  const body = response.body === null ? undefined : new Uint8Array(await response.arrayBuffer());
  const isWhole = incoming.complete || !hasBody(incoming);
  for (const [name, value] of response.headers) if (name !== 'set-cookie') outgoing.setHeader(name, value);
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies);
  if (!isWhole) outgoing.setHeader('connection', 'close');
  outgoing.writeHead(response.status);
  outgoing.end(body);
  if (isWhole) return;
  // What is still sent is read and thrown away for a moment: a connection that is cut at once loses the answer.
  incoming.resume();
  setTimeout(() => incoming.destroy(), LINGER_MILLISECONDS).unref();
}

function requestOf(incoming: IncomingMessage): Request {
  const headers = new Headers();
  for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2)
    // Names with a colon are those of HTTP/2, which are no headers.
    if (incoming.rawHeaders[i]?.startsWith(':') === false)
      headers.append(incoming.rawHeaders[i] ?? '', incoming.rawHeaders[i + 1] ?? '');
  // Set as the path, a target such as `//host`, `/\host` or `http://host/` cannot become a host.
  const url = new URL('http://localhost');
  const [path = '', ...query] = (incoming.url ?? '/').split('?');
  url.pathname = path;
  url.search = query.join('?');
  const method = incoming.method ?? 'GET';
  if (!hasBody(incoming)) return new Request(url, { method, headers });
  if (incoming.readableDidRead)
    throw new VtlicError('usage', 'the body of the request was read before this listener got it', {
      hint: 'mount it before whatever reads bodies (docs/admin.md, "Mounting")',
    });
  return new Request(url, { method, headers, body: bodyOf(incoming), duplex: 'half' });
}

/** The methods that a `Request` refuses. */
function isForbiddenMethod({ method }: IncomingMessage): boolean {
  return method === 'CONNECT' || method === 'TRACE' || method === 'TRACK';
}

function hasBody({ method }: IncomingMessage): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

/**
 * The body as a stream. If its reader stops early, the connection stays open for the answer; a stream of Node would
 * close it.
 */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = incoming.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Uint8Array>;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const next = await chunks.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
    },
    { highWaterMark: 0 },
  );
}
