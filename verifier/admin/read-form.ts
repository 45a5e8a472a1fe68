/**
 * The body of a request as the fields of a form. It is read in pieces, and the reading ends as soon as there are too
 * many bytes or too little comes: nothing is kept of a body that is too large.
 */
import { VtlicError } from '../../formats/error.ts';
import { MAX_PASTED_BYTES } from '../../formats/normalize-pasted.ts';

/** The base64 of the longest text that may be pasted, with room for the other fields. */
export const MAX_BODY_BYTES: number = 2 * MAX_PASTED_BYTES;
const MAX_FIELDS = 20;

/** The types of forms, as browsers write them: with one boundary, and with no other encoding than UTF-8. */
const URL_ENCODED = /^application\/x-www-form-urlencoded[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i;
const MULTIPART = /^multipart\/form-data[ \t]*;[ \t]*boundary=("?)([\w'()+,./:=?-]{1,70})\1[ \t]*$/i;

export type FormResult =
  | { readonly ok: true; readonly fields: ReadonlyMap<string, string | Uint8Array> }
  | { readonly ok: false; readonly status: 400 | 408 | 413 | 415 };

/**
 * @param seconds how long the whole body may take
 * @throws VtlicError `usage` for a request whose body was read already
 */
export async function readForm(request: Request, seconds: number): Promise<FormResult> {
  const type = request.headers.get('content-type') ?? '';
  const [, , boundary] = MULTIPART.exec(type) ?? [];
  if (boundary === undefined && !URL_ENCODED.test(type)) return fault(415);
  if (Number(request.headers.get('content-length')) > MAX_BODY_BYTES) return fault(413);
  const body = await readBody(request, seconds);
  if (typeof body === 'number') return fault(body);
  // Counted before they are parsed: half a million empty fields would keep the process busy for many seconds.
  const separator = boundary === undefined ? '&' : `--${boundary}`;
  if (occursMoreThan(body, separator, MAX_FIELDS + 1)) return fault(400);
  try {
    const form = await new Response(body, { headers: { 'content-type': type } }).formData();
    return await fieldsOf(form);
  } catch {
    return fault(400);
  }
}

function fault(status: 400 | 408 | 413 | 415): FormResult {
  return { ok: false, status };
}

function occursMoreThan(body: Uint8Array<ArrayBuffer>, separator: string, max: number): boolean {
  const bytes = Buffer.from(body.buffer);
  let count = 0;
  for (let at = bytes.indexOf(separator); at >= 0; at = bytes.indexOf(separator, at + separator.length))
    if (++count > max) return true;
  return false;
}

async function readBody(request: Request, seconds: number): Promise<Uint8Array<ArrayBuffer> | 400 | 408 | 413> {
  if (request.body === null) return 400;
  // A product that reads bodies before it asks the page would find every form refused, and never learn why.
  if (request.bodyUsed || request.body.locked)
    throw new VtlicError('usage', 'the body of the request was read before the admin page got it', {
      hint: 'mount the page before whatever reads bodies (docs/admin.md, "Mounting")',
    });
  const reader = request.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000, 'late');
  });
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const next = await Promise.race([reader.read(), late]);
      if (next === 'late') return 408;
      if (next.done) break;
      length += next.value.length;
      if (length > MAX_BODY_BYTES) return 413;
      chunks.push(next.value);
    }
  } catch {
    return 400;
  } finally {
    clearTimeout(timer);
    // Nothing waits for this: a sender that hangs would delay it.
    reader.cancel().catch(() => undefined);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

/** A field that comes twice is a fault: it is not clear which one counts. */
async function fieldsOf(form: FormData): Promise<FormResult> {
  const fields = new Map<string, string | Uint8Array>();
  for (const [name, value] of form) {
    if (fields.has(name) || fields.size >= MAX_FIELDS) return fault(400);
    fields.set(name, typeof value === 'string' ? value : new Uint8Array(await value.arrayBuffer()));
  }
  return { ok: true, fields };
}
