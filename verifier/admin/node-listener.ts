/** A handler of Web requests as a listener of `node:http`, which Express and Fastify take too. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { VtlicError } from '../../formats/error.ts';

export type NodeListener = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/** How long a connection stays open after an answer that was sent before the end of the body. */
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
      finish(incoming, outgoing, 'internal error\n');
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
  const cookies = response.headers.getSetCookie();
  for (const [name, value] of response.headers) outgoing.setHeader(name, name === 'set-cookie' ? cookies : value);
  outgoing.statusCode = response.status;
  if (incoming.complete || !hasBody(incoming)) finish(incoming, outgoing, body);
  else finishEarly(incoming, outgoing, body);
}

/**
 * Sends the answer to a request whose body has not ended. Node.js closes the connection once the answer ends, and a
 * sender that still sends then loses the answer. So the answer ends when the sender has finished, or after a moment;
 * what is sent until then is read and thrown away.
 */
function finishEarly(incoming: IncomingMessage, outgoing: ServerResponse, body: Uint8Array | undefined): void {
  outgoing.setHeader('connection', 'close');
  if (body !== undefined) outgoing.setHeader('content-length', body.length);
  outgoing.flushHeaders();
  if (body !== undefined) outgoing.write(body);
  const end = (): void => void outgoing.end();
  // The reader of the body has a listener for this event, with which nothing would flow.
  incoming.removeAllListeners('readable').resume().once('close', end);
  setTimeout(end, LINGER_MILLISECONDS).unref();
}

/** The answer to HEAD has no body. A server may be made to throw otherwise (`rejectNonStandardBodyWrites`). */
function finish({ method }: IncomingMessage, outgoing: ServerResponse, body: Uint8Array | string | undefined): void {
  outgoing.end(method === 'HEAD' ? undefined : body);
}

function requestOf(incoming: IncomingMessage): Request {
  const headers = new Headers();
  let name: string | undefined;
  for (const text of incoming.rawHeaders) {
    // Names with a colon are those of HTTP/2, which are no headers.
    if (name?.startsWith(':') === false) headers.append(name, text);
    name = name === undefined ? text : undefined;
  }
  // Set as the path, a target such as `//host`, `/\host` or `http://host/` cannot become a host.
  const url = new URL('http://localhost');
  const { url: target = '/', method = 'GET' } = incoming;
  const [path = '', ...query] = target.split('?');
  url.pathname = path;
  url.search = query.join('?');
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
 * The body as a stream. If its reader stops early, the connection stays open for the answer; a stream that Node.js made
 * of the request would close it.
 */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = incoming[Symbol.asyncIterator]() as AsyncIterableIterator<Uint8Array>;
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
