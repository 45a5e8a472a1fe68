/** Strict JSON (RFC 8259, no duplicate names, no lossy numbers): the parser, and typed reading of what it gives. */
export { jsonLine } from './json-line.ts';
export { nearestName, readObject, type JsonObjectReader, type JsonValueReader } from './reader.ts';
export { parseStrictJson, type JsonMember, type JsonNode, type JsonObject } from './strict-json.ts';
