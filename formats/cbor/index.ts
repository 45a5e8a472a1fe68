/**
 * The CBOR profile of this toolkit (docs/format.md): seven types, one deterministic encoding of each value
 * (RFC 8949 §4.2.1).
 */
export { decodeCbor, decodeTaggedCbor } from './decode.ts';
export { encodeCbor, encodeTagged } from './encode.ts';
export { encodeHead, headLength, MAJOR_BYTES, readByteStringHead, writeHead } from './head.ts';
export { MapReader, type MapErrors } from './map-reader.ts';
export { cborTypeInWords, isCborArray, isCborBytes, isCborMap, type CborMap, type CborValue } from './value.ts';
