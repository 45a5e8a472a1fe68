/** Which members of a request contradict each other, whatever the catalog sells. */
import { VtlicError } from '../../formats/error.ts';
import { isPerpetual } from '../../formats/dates.ts';
import type { Request } from './request.ts';

/** @returns `request_invalid` with the member at fault; undefined where the members agree */
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
