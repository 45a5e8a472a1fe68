/**
 * The CBOR profile of this toolkit (docs/format.md): seven types, one deterministic encoding of each value
 * (RFC 8949 §4.2.1).
 */
export { CheckedReader } from './checked-reader.ts';
export { decodeCbor, decodeTaggedCbor } from './decode.ts';
export { encodeCbor, encodeTagged } from './encode.ts';
export {
  encodeHead,
  headLength,
  MAJOR_ARRAY,
  MAJOR_BYTES,
  MAJOR_MAP,
  MAJOR_NEGATIVE,
  MAJOR_TEXT,
  MAJOR_UNSIGNED,
  readByteStringHead,
  SIMPLE_TRUE,
  writeHead,
} from './head.ts';
export { MapReader, type MapErrors } from './map-reader.ts';
export { cborTypeInWords, isCborArray, isCborBytes, isCborMap, type CborMap, type CborValue } from './value.ts';
