/** Anchored → released: the file stands under its name, durable, and the ledger says so. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { VtlicError } from '../../formats/error.ts';
import { createDurably } from '../files/durable-file.ts';
import type { Ledger } from '../ledger/index.ts';
import type { World } from '../world.ts';
import type { AnchoredLicense, ReleasedLicense } from './stages.ts';

/**
 * @param siteFolder absolute
 * @throws VtlicError `output_exists`, `output_unwritable`, saying that the ledger holds the license and how to release it later.
 */
export async function release(
  ledger: Ledger,
  siteFolder: string,
  anchored: AnchoredLicense,
  world: Pick<World, 'step'>,
): Promise<ReleasedLicense> {
  const { issued } = anchored;
  const relative = issued.intent.body.path;
  const path = join(siteFolder, relative);
  let written: boolean;
  try {
    const outcome = await createDurably(path, issued.file, 0o644, {
      written: () => world.step('file-written'),
      linked: () => world.step('file-linked'),
    });
    written = outcome === 'created';
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    throw new VtlicError(
      error.code,
      `${error.message}; the license is signed and safe in the ledger, only its file is missing`,
      {
        ...error.place,
        hint: `mend it, then run any signing command or: vtlic release ${licenseIdText(issued.intent.body.licenseId)}`,
        cause: error,
      },
    );
  }
  ledger.release(issued.intent.seq, { path: relative, digest: createHash('sha256').update(issued.file).digest() });
  await world.step('release-durable');
  return Object.freeze({ stage: 'released', issued, path, written });
}

function licenseIdText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
