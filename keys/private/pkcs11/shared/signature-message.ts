/**
 * The request and the reply of a signature as flat bytes: what node:v8 takes for them is a fiftieth of a fast token's signature.
 *
 *     request   01 | id, 4 | count, 1 | count × (ref, 8: a double | length, 4 | message)
 *     reply     02 | id, 4 | count, 1 | count × (length, 4 | signature)
 *
 * Numbers are big-endian. A message of node:v8 begins with FF.
 */
import type { HostReply, HostRequest, SignPart } from './host-protocol.ts';

const REQUEST = 1;
const REPLY = 2;
const HEAD_BYTES = 6;
const REF_BYTES = 8;
const LENGTH_BYTES = 4;
const MOST_PARTS = 255;
const MOST_ID = 2 ** 32 - 1;

/**
 * @param room bytes left free at the front
 * @returns the bytes of a signature's request or reply; undefined for any other message
 */
export function encodeSignatureMessage(message: unknown, room: number): Buffer | undefined {
  if (isSignRequest(message)) {
    const { id, body } = message;
    return encode(
      room,
      REQUEST,
      id,
      body.parts.map((part) => part.message),
      body.parts.map((part) => part.ref),
    );
  }
  return isListOfBytes(message) ? encode(room, REPLY, message.id, message.value) : undefined;
}

/** @returns the message, its bytes views of those given; undefined where these are not one whole message of this form */
export function decodeSignatureMessage(bytes: Buffer): HostRequest<'sign'> | HostReply | undefined {
  const kind = bytes[0];
  if ((kind !== REQUEST && kind !== REPLY) || bytes.length < HEAD_BYTES) return undefined;
  const id = bytes.readUInt32BE(1);
  const count = bytes.readUInt8(HEAD_BYTES - 1);
  const parts: SignPart[] = [];
  let at = HEAD_BYTES;
  const before = kind === REQUEST ? REF_BYTES : 0;
  for (let i = 0; i < count; i++) {
    if (bytes.length - at < before + LENGTH_BYTES) return undefined;
    const ref = kind === REQUEST ? bytes.readDoubleBE(at) : 0;
    const length = bytes.readUInt32BE(at + before);
    at += before + LENGTH_BYTES;
    if (bytes.length - at < length) return undefined;
    parts.push({ ref, message: new Uint8Array(bytes.buffer, bytes.byteOffset + at, length) });
    at += length;
  }
  if (at !== bytes.length) return undefined;
  return kind === REQUEST
    ? { id, operation: 'sign', body: { parts } }
    : { id, value: parts.map(({ message }) => message) };
}

function encode(
  room: number,
  kind: number,
  id: number,
  fields: readonly Uint8Array[],
  refs?: readonly number[],
): Buffer {
  let length = room + HEAD_BYTES;
  for (const field of fields) length += (refs === undefined ? 0 : REF_BYTES) + LENGTH_BYTES + field.length;
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = bytes.writeUInt8(kind, room);
  at = bytes.writeUInt32BE(id, at);
  at = bytes.writeUInt8(fields.length, at);
  fields.forEach((field, i) => {
    if (refs !== undefined) at = bytes.writeDoubleBE(refs[i] ?? -1, at);
    at = bytes.writeUInt32BE(field.length, at);
    bytes.set(field, at);
    at += field.length;
  });
  return bytes;
}

function isSignRequest(message: unknown): message is HostRequest<'sign'> {
  const { id, operation, body } = (message ?? {}) as Partial<HostRequest<'sign'>>;
  return operation === 'sign' && isId(id) && body !== undefined && body.parts.length <= MOST_PARTS;
}

function isListOfBytes(message: unknown): message is { readonly id: number; readonly value: readonly Uint8Array[] } {
  const { id, value } = (message ?? {}) as Partial<Readonly<Record<string, unknown>>>;
  return (
    isId(id) &&
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MOST_PARTS &&
    value.every((one) => one instanceof Uint8Array)
  );
}

function isId(id: unknown): id is number {
  return Number.isInteger(id) && (id as number) >= 0 && (id as number) <= MOST_ID;
}
