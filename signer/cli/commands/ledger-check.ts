/**
 * `vtlic ledger check FILE`: verifies a proof or a checkpoint with the key of its log. Needs no site. Exit code 19 if
 * it is not valid.
 */
import { jsonLine } from '../../../formats/json/index.ts';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { dearmor } from '../../../formats/armor.ts';
import { toHex } from '../../../formats/bytes.ts';
import { cleanText, counted } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { isConsistencyProof, isInclusionProof } from '../../../formats/tlog-proof.ts';
import { readLicenseFile, readLimited } from '../../../files/index.ts';
import { logKeysOf } from '../../keys/ledger-opening.ts';
import { checkConsistency, checkInclusion, decodeLogKey, type LogKey, openCheckpoint } from '../../ledger/index.ts';
import type { Io } from '../io.ts';
import { collect, siteOption } from '../options.ts';
import { type LedgerFileOptions, withLedger } from '../input-files.ts';

const MAX_PROOF_BYTES = 1 << 21;

interface CheckOptions extends LedgerFileOptions {
  readonly license?: string;
  readonly from?: string;
  readonly logKey: readonly string[];
}

export function addLedgerCheck(parent: Command, io: Io): void {
  const command = parent
    .command('check <file>')
    .description('verifies a proof or a checkpoint; exit code 19 if it is wrong')
    .option('--license <file>', 'the license that the proof should be for')
    .option('--from <checkpoint>', 'the older checkpoint, for a proof that the log only grew')
    .option(
      '--log-key <key>',
      "the log key, as vtlic ledger checkpoint --log-key prints it (repeatable; default: the site's)",
      collect,
      [] as string[],
    )
    .option('--json', 'the result as one JSON document');
  siteOption(command).action(async (name: string, options: CheckOptions) => {
    const path = resolve(io.cwd, name);
    const keys =
      options.logKey.length > 0
        ? options.logKey.map(decodeLogKey)
        : await withLedger(io, options, undefined, (ledger, site) =>
            site === undefined ? [] : logKeysOf(site, ledger),
          );
    try {
      checkFile(io, readLimited(path, MAX_PROOF_BYTES, 'checks_failed'), keys, options);
    } catch (error) {
      throw error instanceof VtlicError ? error.at({ file: path }) : error;
    }
  });
}

function checkFile(io: Io, bytes: Uint8Array, keys: readonly LogKey[], options: CheckOptions): void {
  if (isInclusionProof(bytes)) {
    if (options.from !== undefined)
      throw new VtlicError(
        'usage',
        '--from is for a proof that the log only grew, but this is the proof of a license',
        {
          hint: 'leave --from out',
        },
      );
    const cose = options.license === undefined ? undefined : readLicense(io, options.license);
    const { checkpoint, index, leaf } = checkInclusion(bytes, keys, cose);
    if (cose === undefined)
      io.err('note: the proof was not compared with a license; give the license with --license FILE');
    const what =
      leaf.kind === 'issued'
        ? `license ${leaf.licenseId} (counter ${leaf.ctr})`
        : `counter ${leaf.ctr}, void (${cleanText(leaf.reason ?? '')}), of license id ${leaf.licenseId}`;
    give(io, options, `valid: ${what} is leaf ${index} of ${checkpoint.size} in ${cleanText(checkpoint.origin)}`, {
      kind: 'inclusion',
      origin: checkpoint.origin,
      size: checkpoint.size,
      root: toHex(checkpoint.root),
      index,
      leaf,
    });
    return;
  }
  if (options.license !== undefined)
    throw new VtlicError('usage', '--license is for the proof of a license, but this file is not one');
  if (isConsistencyProof(bytes)) {
    if (options.from === undefined)
      throw new VtlicError('usage', 'this is a proof that the log only grew: give the older checkpoint with --from');
    const { older, newer } = checkConsistency(
      bytes,
      readLimited(resolve(io.cwd, options.from), MAX_PROOF_BYTES, 'checks_failed'),
      keys,
    );
    give(
      io,
      options,
      `valid: the log ${cleanText(newer.origin)} only grew, from ${older.size} to ${newer.size} leaves`,
      { kind: 'consistency', origin: newer.origin, from: older.size, size: newer.size, root: toHex(newer.root) },
    );
    return;
  }
  const checkpoint = openCheckpoint(bytes, keys);
  give(
    io,
    options,
    `valid: a checkpoint of ${cleanText(checkpoint.origin)} with ${counted(checkpoint.size, 'leaf', 'leaves')}`,
    {
      kind: 'checkpoint',
      origin: checkpoint.origin,
      size: checkpoint.size,
      root: toHex(checkpoint.root),
    },
  );
}

function readLicense(io: Io, name: string): Uint8Array {
  const path = resolve(io.cwd, name);
  try {
    return dearmor('VTLIC', readLicenseFile(path));
  } catch (error) {
    throw error instanceof VtlicError ? error.at({ file: path }) : error;
  }
}

function give(io: Io, options: CheckOptions, line: string, document: Readonly<Record<string, unknown>>): void {
  io.out(options.json === true ? jsonLine({ schema: 'vtlic-ledger-check/1', ok: true, ...document }) : `${line}\n`);
}
