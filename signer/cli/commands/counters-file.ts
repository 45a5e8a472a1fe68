/** What the commands on counters read: documents, the keys that may have signed them, customers. */
import { VtlicError } from '../../../formats/error.ts';
import { isId } from '../../../formats/license/id.ts';
import type { PublicKey } from '../../../keys/public/public-key.ts';
import { readLimited } from '../../../files/index.ts';
import { openCounters } from '../../handover/import-counters.ts';
import type { LostDocument } from '../../handover/reopen-counters.ts';
import type { Site } from '../../site/site.ts';
import type { Io } from '../io.ts';
import { invalid } from './common.ts';
import { readTrustFile } from './trust-file.ts';

const MAX_DOCUMENT_BYTES = 1 << 28;

export function parseCustomer(text: string): string {
  if (!isId(text)) throw invalid('expected the id of a customer');
  return text;
}

export function countersKeys(io: Io, site: Site, trust: readonly string[]): readonly PublicKey[] {
  return [
    ...site.config.keys.filter((key) => key.purpose === 'counters').map((key) => key.publicKey),
    ...trust.flatMap((name) => readTrustFile(io, name)),
  ];
}

/** @param path absolute */
export function readCounters(path: string, keys: readonly PublicKey[]): LostDocument {
  try {
    const bytes = readLimited(path, MAX_DOCUMENT_BYTES, 'checks_failed');
    return { bytes, ...openCounters(bytes, keys) };
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file: path }) : error;
  }
}
