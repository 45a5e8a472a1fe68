/** Released → proved: `FILE.vtlic.proof` beside each license, all of them to one checkpoint, signed when the last file stands. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { equalBytes, utf8 } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { encodeInclusionProof } from '../../formats/tlog-proof.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import { groupWriter, type NewFile } from '../files/durable-group.ts';
import { checkInclusion } from '../ledger/tree/check-proof.ts';
import { findLeaf } from '../ledger/tree/find-leaf.ts';
import type { Ledger, LicenseRecord } from '../ledger/record/ledger.ts';
import { logKey } from '../ledger/tree/log-key.ts';
import { signCheckpoint } from '../ledger/tree/sign-checkpoint.ts';

const AT_ONCE = 256;
const NOT_A_STEP = { written: () => Promise.resolve(), linked: () => Promise.resolve() };

export interface ProofWork {
  readonly ledger: Ledger;
  /** Absolute path of the site. */
  readonly siteFolder: string;
  /** With the job `ledger`, Ed25519. */
  readonly key: SigningKey;
}

export interface ProofsWritten {
  /** Absolute paths; of the first few. */
  readonly paths: readonly string[];
  readonly written: number;
  /** A proof stood there already: it still holds, and is left as it is. */
  readonly stood: number;
  /** Recorded in a log that ended when the ledger was restored. */
  readonly ofOlderLog: number;
}

/**
 * Of licenses that were released in the log that grows. Only what the anchor covers is in the checkpoint.
 *
 * @throws VtlicError what signing throws, `output_unwritable`; the licenses are released all the same
 */
export async function proveReleased(records: Iterable<LicenseRecord>, { ledger, siteFolder, key }: ProofWork): Promise<ProofsWritten> {
  const { anchored } = ledger;
  const log = ledger.logs().find((candidate) => equalBytes(candidate.logId, anchored.logId));
  if (log === undefined) throw new VtlicError('internal', 'the anchor is of no log of this ledger');
  const keys = [logKey(log.origin, key.publicKey)];
  const files = groupWriter();
  let checkpoint: string | undefined;
  let [written, stood, ofOlderLog] = [0, 0, 0];
  const paths: string[] = [];
  let group: NewFile[] = [];
  const flush = async (): Promise<void> => {
    for (const outcome of await files.create(group, 0o644, NOT_A_STEP)) {
      if (!outcome.ok) throw outcome.error;
    }
    written += group.length;
    group = [];
  };
  try {
    for (const record of records) {
      const path = join(siteFolder, `${record.intent.body.path}.proof`);
      if (existsSync(path)) {
        stood++;
        continue;
      }
      const leaf = findLeaf(ledger, record.intent.body.licenseId);
      const hashes = leaf.log.number === log.number ? ledger.inclusionProof(leaf.index, anchored.size, log.logId) : undefined;
      if (hashes === undefined) {
        ofOlderLog++;
        continue;
      }
      checkpoint ??= await signCheckpoint({ origin: log.origin, size: anchored.size, root: anchored.root }, key);
      const bytes = utf8(encodeInclusionProof({ extra: leaf.data, index: leaf.index, hashes, checkpoint }));
      checkInclusion(bytes, keys, record.issue?.body.cose);
      group.push({ path, bytes });
      if (paths.length < AT_ONCE) paths.push(path);
      if (group.length === AT_ONCE) await flush();
    }
    await flush();
    return Object.freeze({ paths, written, stood, ofOlderLog });
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    throw new VtlicError(error.code, `${error.message}; the licenses are signed and released, only proofs are missing`, { ...error.place, hint: 'mend it, then: vtlic ledger prove LICENSE --beside', cause: error });
  } finally {
    await files.close();
  }
}
