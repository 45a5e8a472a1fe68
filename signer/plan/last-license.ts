/** The license that a new one is compared with. */
import type { License } from '../../formats/license/license.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import type { CounterOf } from '../ledger/index.ts';
import type { Site } from '../site/site.ts';
import type { Compared } from './anomalies.ts';

/** A license of the ledger, for comparison. */
export interface LastLicense {
  readonly license: License;
  /** Thumbprint of the key that signed it. */
  readonly kid: string;
}

export function lastLicense({ payload, kid }: CounterOf): LastLicense {
  return Object.freeze({ license: decodeLicense(payload), kid });
}

/** What there is to compare with; the algorithm where the site knows the key. */
export function comparedWith(
  last: LastLicense | undefined,
  site: Site,
): Pick<Compared, 'previous' | 'previousAlgorithm'> {
  const key = site.config.keys.find((candidate) => candidate.publicKey.kid === last?.kid);
  return { previous: last?.license, ...(key === undefined ? {} : { previousAlgorithm: key.algorithm }) };
}
