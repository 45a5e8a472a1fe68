/** Bytes of a request file → a frozen `Request`. A fault names the member, its line and its column. */
import { readObject } from '../../formats/json/reader.ts';
import { parseJsonFile } from '../../files/index.ts';
import { readRequest } from './parse.ts';
import type { Request } from './request.ts';

export const REQUEST_SCHEMA = 'vtlic-request/1';
const MOST_BYTES = 1 << 20;

/**
 * @param file the name for messages
 * @throws VtlicError `request_invalid`, or `json_malformed` for text that is no strict JSON
 */
export function parseRequest(bytes: Uint8Array, file: string): Request {
  const root = readObject(parseJsonFile(bytes, file, MOST_BYTES), { code: 'request_invalid', file });
  const schema = root.required('schema');
  if (schema.string() !== REQUEST_SCHEMA) throw schema.fault(`should be "${REQUEST_SCHEMA}"`);
  const request = readRequest(root);
  if ('customer' in request) return request;
  throw request[0] ?? root.fault('is no request');
}
