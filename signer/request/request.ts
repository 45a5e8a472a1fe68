/** A request for a license, parsed once from strict JSON into a frozen value. Times are seconds since 1970. */
import type { ExtValue, LicenseUse } from '../../formats/license/license.ts';
import { VtlicError } from '../../formats/error.ts';
import { isPerpetual } from '../../formats/dates.ts';

export interface Request {
  readonly customer: string;
  readonly name?: string;
  readonly product: string;
  readonly deployment?: string;
  readonly tier: string;
  readonly seats: number | 'unlimited';
  readonly from: number;
  /** Exclusive: the first second at which the license is expired. `PERPETUAL_EXP` for a perpetual license. */
  readonly until: number;
  readonly graceSeconds?: number;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly reference?: string;
  readonly instances?: number;
  readonly hosts?: readonly string[];
  readonly offlineSeconds?: number;
  /** Exclusive: builds dated before it are covered. */
  readonly updatesUntil?: number;
  readonly use?: LicenseUse;
  readonly resetClock?: true;
  readonly ext?: Readonly<Record<string, ExtValue>>;
}

/**
 * Finds members of a request that contradict each other, whatever the catalog sells.
 *
 * @returns `request_invalid` with the member at fault; undefined if the members agree
 */
export function combinationFault(
  request: Pick<Request, 'until' | 'graceSeconds' | 'use' | 'deployment'>,
): VtlicError | undefined {
  if (isPerpetual(request.until) && request.graceSeconds !== undefined)
    return new VtlicError(
      'request_invalid',
      '"graceDays" is given, but "until" is perpetual: there is no end to extend',
      {
        field: 'graceDays',
        hint: 'leave "graceDays" out of a perpetual license',
      },
    );
  if (request.use === 'non-production' && request.deployment === undefined)
    return new VtlicError(
      'request_invalid',
      '"use" is non-production, but there is no "deployment": the license would replace the one for production',
      { field: 'use', hint: 'give it a deployment of its own, such as "deployment": "staging"' },
    );
  return undefined;
}
