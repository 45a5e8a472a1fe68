/**
 * `vtlic batch FILE.csv|.jsonl`: every row judged → one plan → one summary, one `Yes`, one secret → groups of licenses
 * → results.
 */
import { jsonLine } from '../../../formats/json/index.ts';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { cleanText } from '../../../formats/clean-text.ts';
import { VtlicError } from '../../../formats/error.ts';
import { isId } from '../../../formats/license/id.ts';
import { runBatch, type BatchIo } from '../../batch/run-batch.ts';
import { planOnly } from '../../batch/dry-run.ts';
import { digestOfFile } from '../../batch/plan-batch.ts';
import { formatOf, type BatchSource } from '../../batch/read-rows.ts';
import { readChunks } from '../../../files/index.ts';
import { errorDocument, errorLines } from '../output.ts';
import { EXIT } from '../exit-codes.ts';
import type { Io, SetExit } from '../io.ts';
import { batchProgress } from '../progress.ts';
import { openNamedSite, siteArgument, proofKeyOf } from '../options.ts';
import { CommandAccess } from '../key-access.ts';
import { signingOptions, type SigningOptions } from '../sign-plan.ts';

interface BatchOptions extends SigningOptions {
  readonly name?: string;
  readonly newCustomers?: boolean;
  readonly resume?: boolean;
}

export function defineBatch(command: Command, io: Io, setExit: SetExit): void {
  command
    .option('--name <name>', "the batch's name (default: the digest of the file); a row is signed once under one name")
    .option('--new-customers', 'takes customers who have no license yet')
    .option('--resume', 'goes on with a batch where it stopped');
  signingOptions(command).action(async (file: string | undefined, options: BatchOptions) => {
    checkOptions(file, options);
    const site = openNamedSite(io, options);
    const source = file === undefined ? undefined : sourceOf(resolve(io.cwd, file), options);
    const hints = new Set<string>();
    await using access = new CommandAccess(io, options, options.dryRun !== true);
    const { secrets, terminal, tokens } = access;
    const batchIo: BatchIo = {
      site,
      runtime: io.runtime,
      terminal,
      tell: io.err,
      progress: (phase, total) => batchProgress(phase, total, () => performance.now(), terminal?.show),
      fault: (fault) => {
        const [line = '', ...hint] = errorLines(fault);
        io.err(line);
        // A hint that is the same for a thousand rows is shown once.
        for (const text of hint) if (!hints.has(text)) io.err(text);
        for (const text of hint) hints.add(text);
        if (options.json === true) io.out(jsonLine({ ...errorDocument(fault), schema: 'vtlic-batch-fault/1' }));
      },
      secrets,
      tokens,
    };
    const proofKey = proofKeyOf(site, options);
    const wanted = {
      ...(source === undefined ? {} : { source }),
      ...(proofKey === undefined ? {} : { proofKey }),
      ...(options.key === undefined ? {} : { key: options.key }),
      resume: options.resume === true,
    };
    if (options.dryRun === true) {
      const made = await planOnly(batchIo, wanted);
      io.err('');
      io.err('nothing was signed; within 24 hours, this plan is signed by:');
      io.err(
        `  vtlic batch --confirm ${made.digest}${options.resume === true ? ' --resume' : ''}` +
          `${options.proof === true ? ' --proof' : ''}${siteArgument(options)}`,
      );
      io.out(
        options.json === true
          ? jsonLine({ schema: 'vtlic-batch-plan-made/1', digest: made.digest, batch: made.name, ...made.document })
          : `${made.digest}\n`,
      );
      return;
    }
    const done = await runBatch(batchIo, {
      ...wanted,
      ...(options.confirm === undefined ? {} : { confirm: options.confirm }),
      ...(options.confirmTime === undefined ? {} : { confirmTime: options.confirmTime }),
    });
    if (options.json === true) for (const chunk of readChunks(done.results.jsonl)) io.out(chunk);
    else io.out(`${cleanText(done.results.jsonl, 4000)}\n${cleanText(done.results.csv, 4000)}\n`);
    if (done.stoppedBy !== undefined) throw done.stoppedBy;
    if (done.failed > 0) setExit(EXIT.partFailed);
  });
}

function checkOptions(file: string | undefined, options: BatchOptions): void {
  if ((options.confirm === undefined) === (file === undefined))
    throw new VtlicError('usage', 'batch takes a file, or --confirm DIGEST instead of one', {
      hint: 'see: vtlic help batch',
    });
  if (
    options.confirm !== undefined &&
    (options.dryRun === true ||
      options.key !== undefined ||
      options.name !== undefined ||
      options.newCustomers === true)
  ) {
    throw new VtlicError(
      'usage',
      '--confirm takes none of --dry-run, --key, --name and --new-customers: the plan says all of it',
    );
  }
  if (options.name !== undefined && !isId(options.name))
    throw new VtlicError(
      'usage',
      '--name should be an id (a letter or digit, then up to 127 letters, digits or . _ : -)',
    );
}

function sourceOf(file: string, options: BatchOptions): BatchSource {
  const format = formatOf(file);
  const input = digestOfFile(file);
  return { file, format, input, name: options.name ?? input, newCustomers: options.newCustomers === true };
}
