/** Plans on disk: `plans/DIGEST`, written by `--dry-run`, read by `--confirm DIGEST`. */
import { join } from 'node:path';
import { VtlicError } from '../../formats/error.ts';
import { createDurably, readLimited } from '../../files/index.ts';
import { decodePlan, encodePlan, planDigest, type Plan } from './plan.ts';

const MAX_BYTES = 1 << 30;

/** @returns the digest under which the plan now lies. */
export async function writePlan(folder: string, plan: Plan): Promise<string> {
  const bytes = encodePlan(plan);
  const digest = planDigest(bytes);
  await createDurably(join(folder, digest), bytes, 0o600);
  return digest;
}

/** @throws VtlicError `usage` for a digest of the wrong form, `plan_stale` for a missing or altered plan. */
export function readPlan(folder: string, digest: string): Plan {
  if (!/^[0-9a-f]{64}$/.test(digest))
    throw new VtlicError('usage', '--confirm takes the 64 hex digits that --dry-run printed');
  const file = join(folder, digest);
  let bytes: Uint8Array;
  try {
    bytes = readLimited(file, MAX_BYTES, 'plan_stale');
  } catch (error) {
    throw new VtlicError('plan_stale', 'there is no readable plan with this digest', {
      file,
      hint: 'make one with --dry-run and confirm the digest that it prints',
      cause: error,
    });
  }
  const found = planDigest(bytes);
  if (found !== digest)
    throw new VtlicError('plan_stale', `the plan was altered after it was made: its digest is now ${found}`, {
      file,
      hint: 'make a new plan with --dry-run and review it',
    });
  return decodePlan(bytes);
}
