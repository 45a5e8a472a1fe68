/** A request for a license, parsed once from strict JSON into a frozen value. Times are seconds since 1970. */
import type { ExtValue, LicenseUse } from '../../formats/license/license.ts';

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
