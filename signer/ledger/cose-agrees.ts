import { equalBytes } from '../../formats/bytes.ts';
import { decodeCoseSign1, TYP } from '../../formats/cose-sign1.ts';
import { VtlicError } from '../../formats/error.ts';
import type { IntentBody } from './entry.ts';

/** What is wrong when a finished license is not what was intended; undefined when it is. The signature is not judged here. */
export function coseFault(intent: IntentBody, cose: Uint8Array): string | undefined {
  try {
    const { kid, payload } = decodeCoseSign1(cose, TYP.license);
    if (!equalBytes(payload, intent.payload)) return 'the license holds another payload than its intent';
    return kid === intent.kid ? undefined : 'the license names another key than its intent';
  } catch (error) {
    if (error instanceof VtlicError) return error.message;
    throw error;
  }
}
