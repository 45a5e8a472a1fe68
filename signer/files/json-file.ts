/** Strict JSON of a named file: a fault says which file. */
import { VtlicError } from '../../formats/error.ts';
import { parseStrictJson, type JsonNode } from '../../formats/json/strict-json.ts';

/** @param limit most bytes */
export function parseJsonFile(bytes: Uint8Array, file: string, limit: number): JsonNode {
  try {
    return parseStrictJson(bytes, { bytes: limit });
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file }) : error;
  }
}
