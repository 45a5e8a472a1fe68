import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { uuidFromBytes } from '../../../formats/license/id.ts';
import { VtlicError } from '../../../formats/error.ts';
import type { IntentBody } from './entry.ts';

/** What is wrong when an intent says otherwise than the payload it reserves a counter for; undefined when they agree. */
export function payloadFault(iss: string, intent: IntentBody): string | undefined {
  try {
    const license = decodeLicense(intent.payload);
    if (license.iss !== iss) return 'its payload has another issuer than the ledger';
    if (license.sub !== intent.sub || license.aud !== intent.aud || license.dep !== intent.dep)
      return 'its payload has another lineage';
    if (license.ctr !== intent.ctr) return 'its payload has another counter';
    return license.cti === uuidFromBytes(intent.licenseId) ? undefined : 'its payload has another license id';
  } catch (error) {
    if (error instanceof VtlicError) return error.message;
    throw error;
  }
}
