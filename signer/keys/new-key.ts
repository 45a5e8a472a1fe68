import type { Algorithm } from '../../formats/cose-algorithm.ts';
import type { Job } from '../../keys/public/job.ts';

/** What `vtlic key generate` was asked for. */
export interface NewKey {
  readonly name: string;
  readonly algorithm: Algorithm;
  readonly job: Job;
  readonly keystore: string;
  /** Sign licenses with it from now on, unless another is named. */
  readonly makeDefault: boolean;
}
