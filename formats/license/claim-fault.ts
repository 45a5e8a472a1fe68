/** One sentence about one claim. */
import { VtlicError } from '../error.ts';

/** @param fault what was expected of the claim and what came: "it should be an id, but it is an integer" */
export function claimFault(field: string, fault: string): VtlicError {
  return new VtlicError('claims_malformed', `the claim "${field}" is malformed: ${fault}`, { field });
}
