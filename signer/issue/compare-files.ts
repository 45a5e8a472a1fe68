/**
 * Compares the files below `out/` with the ledger, in both directions: each license that was released is there with
 * exactly the bytes that the ledger contains, and every file there is of a license that the ledger knows by that path.
 */
import { lstatSync, opendirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { armor, dearmor } from '../../formats/armor.ts';
import { decodeCoseSign1, TYP } from '../../formats/cose-sign1.ts';
import { VtlicError } from '../../formats/error.ts';
import { decodeLicense } from '../../formats/license/decode-license.ts';
import { uuidToBytes } from '../../formats/license/id.ts';
import { describeFileError, errorCodeOf, fileState, readLicenseFile } from '../../files/index.ts';
import { issuedCose, type LedgerView } from '../ledger/index.ts';
import type { Site } from '../site/site.ts';
import { olderProofPath, proofPath } from './output-path.ts';

/** What is wrong with one file; its path is relative to the site. */
export interface FileFault {
  readonly kind: 'missing' | 'changed' | 'foreign';
  readonly path: string;
  readonly sentence: string;
}

export interface ComparedFiles {
  /** Licenses whose file is there, whole. */
  readonly whole: number;
  readonly missing: number;
  readonly changed: number;
  readonly foreign: number;
}

/** Files and entries between two turns of the event loop. */
const PER_TURN = 256;

/**
 * @param onFault called for each file, in no particular order
 * @throws VtlicError `interrupted`; `file_unreadable` where a folder cannot be read
 */
export async function compareFiles(
  ledger: LedgerView,
  site: Site,
  interrupted: () => boolean,
  onFault: (fault: FileFault) => void,
): Promise<ComparedFiles> {
  const changed = new Set<string>();
  const counts = { whole: 0, missing: 0, changed: 0, foreign: 0 };
  const fault = (kind: FileFault['kind'], path: string, sentence: string): void => {
    counts[kind]++;
    onFault(Object.freeze({ kind, path, sentence }));
  };
  let done = 0;
  const turn = async (): Promise<void> => {
    if (++done % PER_TURN !== 0) return;
    await new Promise((resolve) => setImmediate(resolve));
    if (interrupted()) throw new VtlicError('interrupted', 'the comparison of the files was interrupted');
  };
  const { folder } = site.paths;
  for (const entry of ledger.entriesFrom(1)) {
    await turn();
    // A later release entry of the same license only says that its file was written again.
    const record = entry.kind === 'release' ? ledger.findByIntent(entry.body.intent) : undefined;
    if (entry.kind !== 'release' || record?.release?.seq !== entry.seq) continue;
    const { path } = entry.body;
    const cose = record.issue?.body.cose;
    const state = cose === undefined ? 'other' : fileState(join(folder, path), armor('VTLIC', cose));
    if (state === 'equal') counts.whole++;
    else if (state === 'absent') fault('missing', path, 'the ledger says that it was released, and it is not there');
    else {
      changed.add(path);
      fault('changed', path, 'it does not contain what the ledger says was released');
    }
  }
  for (const file of filesBelow(site.paths.out)) {
    await turn();
    const path = relative(folder, file);
    const sentence = changed.has(path) || isTemporary(path) ? undefined : foreignFault(ledger, path, file);
    if (sentence !== undefined) fault('foreign', path, sentence);
  }
  return Object.freeze(counts);
}

/** Why the file is not the license that the ledger has for this path; undefined if it is. */
function foreignFault(ledger: LedgerView, path: string, file: string): string | undefined {
  const license = PROOF_ENDINGS.find((ending) => path.endsWith(ending));
  if (license !== undefined) {
    const of = file.slice(0, -license.length);
    if (lstatSync(of, { throwIfNoEntry: false }) !== undefined) return undefined;
    return 'it is a proof without its license';
  }
  let licenseId: Uint8Array | undefined;
  let cose: Uint8Array;
  try {
    if (!lstatSync(file).isFile()) return 'it is not a file';
    cose = dearmor('VTLIC', readLicenseFile(file));
    licenseId = uuidToBytes(decodeLicense(decodeCoseSign1(cose, TYP.license).payload).cti);
  } catch (error) {
    if (!(error instanceof VtlicError)) throw error;
    return 'it is not a license file';
  }
  const known = licenseId === undefined ? undefined : issuedCose(ledger, licenseId);
  if (licenseId === undefined || known === undefined) return 'the ledger never issued this license';
  const record = ledger.findByLicenseId(licenseId);
  if (Buffer.compare(known, cose) !== 0) return 'the ledger has another license of this id';
  // A license that a restore entered again has no path in this record.
  if (record === undefined || record.intent.body.path === path) return undefined;
  return `the ledger released this license as ${record.intent.body.path}`;
}

const PROOF_ENDINGS: readonly string[] = [proofPath(''), olderProofPath('')];

/** What a run that is under way, or was cut off, writes before a file gets its name. */
function isTemporary(path: string): boolean {
  return /(?:^|\/)\.[^/]+\.(?:tmp|new)$/.test(path);
}

function* filesBelow(folder: string): Generator<string, void, void> {
  let directory;
  try {
    directory = opendirSync(folder);
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return;
    throw describeFileError(error, 'file_unreadable', folder);
  }
  try {
    for (let item = directory.readSync(); item !== null; item = directory.readSync()) {
      const path = join(folder, item.name);
      if (item.isDirectory()) yield* filesBelow(path);
      else yield path;
    }
  } finally {
    directory.closeSync();
  }
}
