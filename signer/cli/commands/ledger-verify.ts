/**
 * `vtlic ledger verify [FILE]`: everything, recomputed from the stored bytes. Exit code 19 if any check fails.
 */
import { jsonLine } from '../../../formats/json/index.ts';
import type { Command } from 'commander';
import { toHex } from '../../../formats/bytes.ts';
import { VtlicError } from '../../../formats/error.ts';
import type { PublicKey } from '../../../keys/public/public-key.ts';
import { formatTable } from '../output.ts';
import type { LedgerSummary, LedgerView } from '../../ledger/index.ts';
import { type ComparedFiles, compareFiles } from '../../issue/compare-files.ts';
import { openSite, type Site } from '../../site/site.ts';
import type { Io } from '../io.ts';
import { progressLine } from '../progress.ts';
import { parseSecretOptions, SecretProvider } from '../secrets.ts';
import { readAnchorStatus } from '../key-access.ts';
import {
  readTrustFile,
  collect,
  invalid,
  secretOption,
  type SecretOptions,
  siteFolder,
  siteOption,
} from '../options.ts';
import { type LedgerFileOptions, withLedger } from '../input-files.ts';

interface VerifyOptions extends LedgerFileOptions, SecretOptions {
  readonly signatures: boolean;
  readonly trust: readonly string[];
  readonly files?: boolean;
}

export function addLedgerVerify(parent: Command, io: Io): void {
  const command = parent
    .command('verify [file]')
    .description('checks every entry and every signature of the ledger, or of a copy')
    .option('--no-signatures', 'do not check the signatures of licenses')
    .option('--trust <keys>', "a file with the license keys (repeatable; default: the site's)", collect, [] as string[])
    .option('--files', 'also compare the license files in out/ with the ledger')
    .option('--json', 'the result as one JSON document');
  secretOption(siteOption(command)).action((file: string | undefined, options: VerifyOptions) =>
    withLedger(io, options, file, async (ledger, site) => {
      if (site === undefined && options.files === true)
        throw invalid('--files compares the files of a site with its own ledger: leave FILE out');
      if (site === undefined) new SecretProvider(parseSecretOptions(options.secret), undefined).assertFor([]);
      const keys = options.signatures ? keysFor(io, options, site) : undefined;
      const abort = new AbortController();
      const progress = progressLine('entries', io.runtime.nowMs);
      try {
        const summary = await ledger.verify({
          signal: abort.signal,
          progress: (done, total) => {
            progress.show(done, total);
            if (io.runtime.interrupted()) abort.abort();
          },
          ...(keys === undefined ? {} : { keys }),
        });
        progress.clear();
        const anchor = site === undefined ? undefined : await readAnchorStatus(io, site, ledger, options);
        if (anchor?.fault !== undefined) throw anchor.fault;
        const files =
          site === undefined || options.files !== true
            ? undefined
            : await compareFiles(ledger, site, io.runtime.interrupted, ({ kind, path, sentence }) => {
                io.err(`${kind}: ${path}: ${sentence}`);
              });
        requireSameFiles(files);
        report(io, ledger, summary, files, options);
        if (anchor === undefined || anchor.state === 'unread')
          io.err(
            'the ledger was not compared with its anchor, so this does not show whether this ' +
              `${anchor === undefined ? 'copy' : 'ledger'} is the newest` +
              (anchor === undefined ? '' : ' (give the PIN by --secret to compare it)'),
          );
      } catch (error) {
        progress.clear();
        throw asFailedCheck(error);
      }
    }),
  );
}

function keysFor(io: Io, options: VerifyOptions, site: Site | undefined): readonly PublicKey[] {
  if (options.trust.length > 0) return options.trust.flatMap((name) => readTrustFile(io, name));
  const of = site ?? tryOpenSite(io, options);
  if (of === undefined)
    throw invalid(
      'a copy outside a site: give its license keys with --trust FILE, or leave the signatures out with ' +
        '--no-signatures',
    );
  return of.config.keys.filter((record) => record.purpose === 'license').map((record) => record.publicKey);
}

function tryOpenSite(io: Io, options: VerifyOptions): Site | undefined {
  try {
    return openSite(siteFolder(io, options));
  } catch (error) {
    if (options.site === undefined && error instanceof VtlicError) return undefined;
    throw error;
  }
}

/** What this command is for to find is its result; a missing or unreadable file is not. */
function asFailedCheck(error: unknown): unknown {
  if (!(error instanceof VtlicError) || (error.code !== 'ledger_corrupt' && error.code !== 'ledger_rolled_back'))
    return error;
  return new VtlicError('checks_failed', error.message, {
    ...error.place,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}

/** @throws VtlicError `checks_failed`: each file was named before */
function requireSameFiles(files: ComparedFiles | undefined): void {
  if (files === undefined || files.missing + files.changed + files.foreign === 0) return;
  throw new VtlicError(
    'checks_failed',
    `the ledger is valid, but the files below out/ differ from it: ${files.missing} missing, ` +
      `${files.changed} changed, ${files.foreign} foreign; ${files.whole} are whole`,
    { hint: 'write a missing file out again: vtlic release LICENSE; find out where the others come from' },
  );
}

function report(
  io: Io,
  ledger: LedgerView,
  summary: LedgerSummary,
  files: ComparedFiles | undefined,
  options: VerifyOptions,
): void {
  const { head } = summary;
  if (options.json === true) {
    const { logs, lineages, intents, issued, reentered, voided, released, open, signatures } = summary;
    io.out(
      jsonLine({
        schema: 'vtlic-ledger-verify/1',
        ok: true,
        ledger: toHex(ledger.genesis.ledgerId),
        entries: head.entries,
        size: head.size,
        root: toHex(head.root),
        chain: toHex(head.chain),
        logs,
        lineages,
        intents,
        issued,
        reentered,
        voided,
        released,
        open,
        signatures: signatures ?? null,
        ...(files === undefined ? {} : { files: files.whole }),
      }),
    );
    return;
  }
  io.out('the ledger is valid\n');
  io.out(
    `${formatTable([
      ['ledger', toHex(ledger.genesis.ledgerId)],
      ['entries', String(head.entries)],
      ['tree', `${head.size} leaves, root ${toHex(head.root)}${summary.logs > 1 ? ` (log ${summary.logs})` : ''}`],
      ['chain', toHex(head.chain)],
      ['lineages', String(summary.lineages)],
      [
        'counters',
        `${summary.intents} reserved: ${summary.issued} issued, ${summary.voided} void, ${summary.open} open`,
      ],
      [
        'licenses',
        `${summary.issued} issued here, ${summary.released} of them ` +
          `released${summary.reentered > 0 ? `; ${summary.reentered} entered again after a restore` : ''}`,
      ],
      ['signatures', summary.signatures === undefined ? 'not checked' : `${summary.signatures} checked, all valid`],
      ...(files === undefined ? [] : [['files', `${files.whole} compared, all as the ledger says`] as const]),
    ]).join('\n')}\n`,
  );
}
