/** `vtlic ledger prove`: that a license is in the log, or that the log only grew, in forms that other tools check. */
import { jsonLine } from '../../../formats/json/index.ts';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { dearmor } from '../../../formats/armor.ts';
import { equalBytes, utf8 } from '../../../formats/bytes.ts';
import type { Checkpoint } from '../../../formats/checkpoint.ts';
import { cleanText, counted } from '../../../formats/clean-text.ts';
import { decodeCoseSign1, TYP } from '../../../formats/cose-sign1.ts';
import { VtlicError } from '../../../formats/error.ts';
import { decodeLicense } from '../../../formats/license/decode-license.ts';
import { uuidFromBytes, uuidToBytes } from '../../../formats/license/id.ts';
import { encodeConsistencyProof, encodeInclusionProof } from '../../../formats/tlog-proof.ts';
import { createDurably, readLicenseFile, readLimited } from '../../../files/index.ts';
import { logKeysOf } from '../../keys/ledger-opening.ts';
import {
  checkConsistency,
  checkInclusion,
  findLeaf,
  type LedgerView,
  type LogInfo,
  openCheckpoint,
  provableHead,
} from '../../ledger/index.ts';
import type { Site } from '../../site/site.ts';
import { proofPath } from '../../issue/output-path.ts';
import type { Io } from '../io.ts';
import { newFilePath, secretOption, siteOption } from '../options.ts';
import { type LedgerFileOptions, withLedger } from '../input-files.ts';
import { type LogSigningOptions, signHead } from '../log-signing.ts';

const MAX_NOTE_BYTES = 1 << 20;

interface ProveOptions extends LedgerFileOptions, LogSigningOptions {
  readonly from?: string;
  readonly checkpoint?: string;
  readonly out?: string;
  readonly beside?: boolean;
}

export function addLedgerProve(parent: Command, io: Io): void {
  const command = parent
    .command('prove [license]')
    .description('proves that the ledger contains a license, or (--from) that it only grew since a checkpoint')
    .option('--from <checkpoint>', 'the older checkpoint, for a proof that the log only grew')
    .option('--checkpoint <file>', 'prove it against this checkpoint (default: a new one, signed now)')
    .option('--key <name>', 'the key that signs a new checkpoint (default: the only one with the purpose ledger)')
    .option('--beside', 'write it beside the released license, as FILE.vtlic.tlog-proof')
    .option('--out <file>', 'write it to this new file (default: standard output)')
    .option('--json', 'the result as one JSON document');
  secretOption(siteOption(command)).action((license: string | undefined, options: ProveOptions) => {
    if ((license === undefined) === (options.from === undefined))
      throw new VtlicError('usage', 'prove takes a license, or --from CHECKPOINT instead of one', {
        hint: 'see: vtlic help ledger prove',
      });
    if (options.beside === true && (license === undefined || options.out !== undefined))
      throw new VtlicError('usage', '--beside is only for the proof of a license, and cannot be used with --out', {
        hint: 'leave --beside out',
      });
    return withLedger(io, options, undefined, async (ledger, site) => {
      if (site === undefined) throw new VtlicError('internal', 'a proof is of a site');
      if (license === undefined) await proveConsistency(io, site, ledger, options);
      else await proveInclusion(io, site, ledger, license, options);
    });
  });
}

async function proveInclusion(
  io: Io,
  site: Site,
  ledger: LedgerView,
  license: string,
  options: ProveOptions,
): Promise<void> {
  const id = licenseIdOf(io, license);
  const leaf = findLeaf(ledger, id);
  const { note, checkpoint } = await headOf(io, site, ledger, leaf.log, options);
  const hashes = ledger.inclusionProof(leaf.index, checkpoint.size, leaf.log.logId);
  if (hashes === undefined)
    throw new VtlicError(
      'request_invalid',
      `the checkpoint covers only the leaves 0 to ${checkpoint.size - 1}, but the license is leaf ${leaf.index}`,
      { hint: 'take a newer checkpoint: vtlic ledger checkpoint' },
    );
  const proof = encodeInclusionProof({ extra: leaf.data, index: leaf.index, hashes, checkpoint: note });
  checkInclusion(utf8(proof), logKeysOf(site, ledger));
  if (options.beside === true && leaf.path === undefined)
    throw new VtlicError(
      'request_invalid',
      'no file of this license was released here, so the proof cannot be written beside it',
    );
  const path =
    options.beside === true && leaf.path !== undefined ? join(site.paths.folder, proofPath(leaf.path)) : undefined;
  io.err(
    `the log of ${counted(checkpoint.size, 'leaf', 'leaves')} contains the license ${uuidFromBytes(id)} as leaf ` +
      `${leaf.index}${leaf.kind === 'void' ? '; its counter is void' : ''}`,
  );
  await give(io, proof, path, options);
}

async function proveConsistency(io: Io, site: Site, ledger: LedgerView, options: ProveOptions): Promise<void> {
  const older = readLimited(resolve(io.cwd, options.from ?? ''), MAX_NOTE_BYTES, 'checks_failed');
  const from = openOwn(site, ledger, older, options.from ?? '');
  const { note, checkpoint } = await headOf(io, site, ledger, from.log, options);
  const hashes = ledger.consistencyProof(from.checkpoint.size, checkpoint.size, from.log.logId);
  if (hashes === undefined)
    throw new VtlicError(
      'request_invalid',
      `the newer checkpoint has ${checkpoint.size} leaves, fewer than the older one with ${from.checkpoint.size}`,
      { hint: 'the older one is given with --from, the newer one with --checkpoint' },
    );
  const proof = encodeConsistencyProof({ from: from.checkpoint.size, hashes, checkpoint: note });
  checkConsistency(utf8(proof), older, logKeysOf(site, ledger));
  io.err(`the log only grew, from ${from.checkpoint.size} to ${checkpoint.size} leaves`);
  await give(io, proof, undefined, options);
}

/** The given checkpoint, after a check that it is of this ledger; otherwise a new one. */
async function headOf(
  io: Io,
  site: Site,
  ledger: LedgerView,
  log: LogInfo,
  options: ProveOptions,
): Promise<{ readonly note: string; readonly checkpoint: Checkpoint }> {
  if (options.checkpoint === undefined)
    return signHead(io, site, ledger, (anchor) => provableHead(ledger, log, anchor), options);
  if (options.secret.length > 0 || options.key !== undefined)
    throw new VtlicError('usage', 'with --checkpoint nothing is signed: leave --key and --secret out');
  const bytes = readLimited(resolve(io.cwd, options.checkpoint), MAX_NOTE_BYTES, 'checks_failed');
  const own = openOwn(site, ledger, bytes, options.checkpoint);
  if (own.log.number !== log.number)
    throw new VtlicError(
      'request_invalid',
      `the checkpoint is of ${cleanText(own.checkpoint.origin)}, but the license is in ${log.origin}`,
      { hint: 'a restored ledger has a new log: take a checkpoint of the log in question' },
    );
  return { note: new TextDecoder().decode(bytes), checkpoint: own.checkpoint };
}

function openOwn(
  site: Site,
  ledger: LedgerView,
  bytes: Uint8Array,
  name: string,
): { readonly checkpoint: Checkpoint; readonly log: LogInfo } {
  try {
    const checkpoint = openCheckpoint(bytes, logKeysOf(site, ledger));
    const log = ledger.logs().find((candidate) => candidate.origin === checkpoint.origin);
    const root = log === undefined ? undefined : ledger.rootAt(checkpoint.size, log.logId);
    if (log === undefined)
      throw new VtlicError('checks_failed', `the checkpoint is of another ledger: ${cleanText(checkpoint.origin)}`);
    if (root === undefined || !equalBytes(root, checkpoint.root)) {
      throw new VtlicError(
        'checks_failed',
        `the checkpoint of ${checkpoint.size} leaves is signed by this ledger's key, but is not a state of this ` +
          `ledger, which has ${log.size}`,
        { hint: 'an old copy of the ledger may have been put back: vtlic ledger status' },
      );
    }
    return { checkpoint, log };
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file: name }) : error;
  }
}

function licenseIdOf(io: Io, license: string): Uint8Array {
  const id = uuidToBytes(license.toLowerCase());
  if (id !== undefined) return id;
  const path = resolve(io.cwd, license);
  if (!existsSync(path))
    throw new VtlicError('usage', 'prove takes a license id, or the file of a license; there is no such file', {
      file: path,
    });
  try {
    const { cti } = decodeLicense(decodeCoseSign1(dearmor('VTLIC', readLicenseFile(path)), TYP.license).payload);
    return uuidToBytes(cti) ?? new Uint8Array(0);
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file: path }) : error;
  }
}

async function give(io: Io, proof: string, beside: string | undefined, options: ProveOptions): Promise<void> {
  const path = beside ?? (options.out === undefined ? undefined : newFilePath(io, options.out));
  if (path !== undefined) {
    await createDurably(path, utf8(proof), 0o644, { folderExists: true });
    io.err(`wrote ${cleanText(path, 1000)}`);
  }
  if (options.json === true) io.out(jsonLine({ schema: 'vtlic-proof/1', file: path ?? null, proof }));
  else io.out(path === undefined ? proof : `${cleanText(path, 4000)}\n`);
}
