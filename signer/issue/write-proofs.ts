/**
 * Released → proved: `FILE.vtlic.tlog-proof` beside each license, all of them to one checkpoint, signed when the last
 * file is written.
 */
import { groupDigits } from '../../formats/clean-text.ts';
import { join } from 'node:path';
import { equalBytes, utf8 } from '../../formats/bytes.ts';
import { VtlicError } from '../../formats/error.ts';
import { encodeInclusionProof } from '../../formats/tlog-proof.ts';
import type { SigningKey } from '../../keys/private/signing-key.ts';
import { createManyDurably, fileState, type NewFile, describeFileError, readLimited } from '../../files/index.ts';
import { logKeysOf } from '../keys/ledger-opening.ts';
import {
  checkInclusion,
  findLeaf,
  type Ledger,
  type LicenseRecord,
  signCheckpoint,
  type LogKey,
} from '../ledger/index.ts';
import type { Site } from '../site/site.ts';
import type { Runtime } from '../runtime.ts';
import { olderProofPath, proofPath } from './output-path.ts';
import { lstatSync } from 'node:fs';
import { isCryptoUnavailable } from '../../keys/public/provider.ts';

const AT_ONCE = 256;
const MAX_PROOF_BYTES = 1 << 20;
/** Files in the way that are named; the rest are counted. */
const NAMED = 5;

export interface ProofWork {
  readonly ledger: Ledger;
  readonly site: Site;
  /** With the purpose `ledger`, Ed25519. */
  readonly key: SigningKey;
  readonly runtime: Pick<Runtime, 'interrupted'>;
  /** The command that makes what is missing. */
  readonly resumeCommand: string;
}

export interface ProofsWritten {
  /** Absolute paths; of the first few. */
  readonly paths: readonly string[];
  readonly written: number;
  /** A valid proof existed already: it was checked, and stays as it is. */
  readonly present: number;
  /** Recorded in a log that ended when the ledger was restored. */
  readonly ofOlderLog: number;
}

/**
 * Of licenses that were released in the log that grows. Only what the anchor covers is in the checkpoint.
 *
 * @throws VtlicError what signing throws, `output_unwritable`, `interrupted`, `output_exists` where something else
 *   is in the place of a proof (all others are written); the licenses are released all the same
 */
export async function writeProofs(
  records: Iterable<LicenseRecord>,
  { ledger, site, key, runtime, resumeCommand }: ProofWork,
): Promise<ProofsWritten> {
  const { anchored } = ledger;
  const log = ledger.logs().find((candidate) => equalBytes(candidate.logId, anchored.logId));
  if (log === undefined) throw new VtlicError('internal', 'the anchor is of no log of this ledger');
  const keys = logKeysOf(site, ledger);
  let checkpoint: string | undefined;
  let [written, present, ofOlderLog] = [0, 0, 0];
  const paths: string[] = [];
  const inTheWay = new FilesInTheWay();
  let group: NewFile[] = [];
  const flush = async (): Promise<void> => {
    for (const outcome of await createManyDurably(group, 0o644)) {
      if (!outcome.ok) throw outcome.error;
    }
    written += group.length;
    group = [];
  };
  try {
    for (const record of records) {
      const cose = record.issue?.body.cose;
      if (cose === undefined) throw new VtlicError('internal', 'a license that is to be proved was never issued');
      const license = join(site.paths.folder, record.intent.body.path);
      const path = proofPath(license);
      await turn();
      if (runtime.interrupted()) {
        await flush();
        throw new VtlicError(
          'interrupted',
          `interrupted: ${groupDigits(written)} proofs were written, and none from this one on`,
          { file: path },
        );
      }
      const existing = existingProof(path, cose, keys);
      if (existing === 'valid' || (existing === 'absent' && hasOlderProof(license, cose, keys))) {
        present++;
        continue;
      }
      const leaf = findLeaf(ledger, record.intent.body.licenseId);
      const hashes =
        leaf.log.number === log.number ? ledger.inclusionProof(leaf.index, anchored.size, log.logId) : undefined;
      if (hashes === undefined) {
        if (existing === 'other') inTheWay.add(path);
        else ofOlderLog++;
        continue;
      }
      checkpoint ??= await signCheckpoint({ origin: log.origin, size: anchored.size, root: anchored.root }, key);
      const bytes = utf8(encodeInclusionProof({ extra: leaf.data, index: leaf.index, hashes, checkpoint }));
      checkInclusion(bytes, keys, cose);
      if (existing === 'other') {
        // A crash on a disk without hard links leaves a part of these bytes, which this run overwrites.
        if (fileState(path, bytes) !== 'part') {
          inTheWay.add(path);
          continue;
        }
      }
      group.push({ path, bytes });
      if (paths.length < AT_ONCE) paths.push(path);
      if (group.length === AT_ONCE) await flush();
    }
    await flush();
    inTheWay.tell();
    return Object.freeze({ paths, written, present, ofOlderLog });
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    const first =
      error.code === 'interrupted'
        ? ''
        : error.code === 'output_exists'
          ? 'move it away, then: '
          : 'correct that, then: ';
    throw new VtlicError(
      error.code,
      `${error.message}; the licenses are signed and released, only proofs are missing`,
      { ...error.place, hint: `${first}${resumeCommand}`, cause: error },
    );
  }
}

/** A valid proof under the name that older programs gave it. */
function hasOlderProof(license: string, cose: Uint8Array, keys: readonly LogKey[]): boolean {
  return existingProof(olderProofPath(license), cose, keys) === 'valid';
}

/** Lets a Ctrl-C be seen. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

class FilesInTheWay {
  readonly #first: string[] = [];
  #all = 0;

  add(path: string): void {
    this.#all++;
    if (this.#first.length < NAMED) this.#first.push(path);
  }

  /** @throws VtlicError `output_exists` naming them */
  tell(): void {
    const [file, ...others] = this.#first;
    if (file === undefined) return;
    const unnamed = this.#all - this.#first.length;
    const more =
      others.length === 0
        ? ''
        : ` (the same is true of ${others.join(', ')}${unnamed === 0 ? '' : ` and ${groupDigits(unnamed)} more`})`;
    throw new VtlicError(
      'output_exists',
      `a file exists here that is not a proof of its license, and it is never replaced${more}`,
      { file },
    );
  }
}

/**
 * What is in the place of a proof. `valid`: a proof of this very license, to a checkpoint of one of the keys. `other`:
 * anything else, a proof of another license too.
 *
 * @param cose the license as the ledger has it
 * @throws VtlicError `output_unwritable` where that cannot be seen
 */
function existingProof(path: string, cose: Uint8Array, keys: readonly LogKey[]): 'absent' | 'valid' | 'other' {
  if (!exists(path)) return 'absent';
  try {
    checkInclusion(readLimited(path, MAX_PROOF_BYTES, 'checks_failed'), keys, cose);
    return 'valid';
  } catch (error) {
    if (error instanceof VtlicError && !isCryptoUnavailable(error)) return 'other';
    throw error;
  }
}

function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw describeFileError(error, 'output_unwritable', path);
  }
}
