/**
 * `vtlic batch FILE.csv|.jsonl`: every row judged → one plan → one summary, one `Yes`, one secret → groups of licenses
 * → results.
 */
import { jsonLine } from '../../../formats/json/index.ts';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { cleanText } from '../../../formats/clean-text.ts';
import { BYTE_ORDER_MARK, csvRow, DELIMITER_NAMES, type CsvDelimiter } from '../../../formats/csv.ts';
import { VtlicError } from '../../../formats/error.ts';
import { isId } from '../../../formats/license/id.ts';
import { runBatch, type BatchIo, type BatchProgress } from '../../batch/run-batch.ts';
import { planOnly } from '../../batch/dry-run.ts';
import { DATE_ORDERS, templateColumns, type DateOrder } from '../../batch/csv-columns.ts';
import { digestOfFile } from '../../batch/plan-batch.ts';
import { formatOf, type BatchSource } from '../../batch/read-rows.ts';
import { readChunks } from '../../../files/index.ts';
import { errorDocument, errorLines, formatTable, withName } from '../output.ts';
import { confirmClockJump } from '../terminal.ts';
import { EXIT } from '../exit-codes.ts';
import type { Io, SetExit } from '../io.ts';
import { batchProgress } from '../progress.ts';
import { invalid, openNamedSite, siteArgument, siteFolder, proofKeyOf } from '../options.ts';
import { readCatalog } from '../../site/catalog.ts';
import { sitePaths } from '../../site/site.ts';
import { CommandAccess } from '../key-access.ts';
import { signingOptions, type SigningOptions } from '../sign-plan.ts';

interface BatchOptions extends SigningOptions {
  readonly name?: string;
  readonly newCustomers?: boolean;
  readonly resume?: boolean;
  readonly template?: boolean;
  readonly delimiter?: CsvDelimiter;
  readonly dates?: DateOrder;
}

function parseDelimiter(text: string): CsvDelimiter {
  const found = (Object.entries(DELIMITER_NAMES) as [CsvDelimiter, string][]).find(
    ([delimiter, name]) => text === delimiter || text === name,
  );
  if (found === undefined) throw invalid('expected comma, semicolon or tab');
  return found[0];
}

function parseDateOrder(text: string): DateOrder {
  const found = DATE_ORDERS.find((order) => order === text);
  if (found === undefined) throw invalid(`expected one of ${DATE_ORDERS.join(', ')}`);
  return found;
}

export function defineBatch(command: Command, io: Io, setExit: SetExit): void {
  command
    .option(
      '--name <name>',
      'the name of the batch; the program signs each row once under this name (default: the digest of the file)',
    )
    .option('--new-customers', 'accept customers who have no license yet')
    .option('--resume', 'go on with a batch that stopped')
    .option(
      '--delimiter <name>',
      'what separates the columns: comma, semicolon or tab (default: the one that the first line has)',
      parseDelimiter,
    )
    .option(
      '--dates <order>',
      'how the table writes days: dmy (24.11.2027), mdy or ymd; 2027-11-24 is always accepted',
      parseDateOrder,
    )
    .option('--template', 'print an empty table, and explain its columns');
  signingOptions(command).action(async (file: string | undefined, options: BatchOptions) => {
    if (options.template === true) {
      template(io, file, options);
      return;
    }
    checkOptions(file, options);
    const site = openNamedSite(io, options);
    const source = file === undefined ? undefined : sourceOf(resolve(io.cwd, file), options);
    const hints = new Set<string>();
    await using access = new CommandAccess(io, options, options.dryRun !== true);
    const { secrets, terminal, tokens } = access;
    let line: BatchProgress | undefined;
    const tell = (text: string): void => {
      line?.end();
      io.err(text);
    };
    const batchIo: BatchIo = {
      site,
      runtime: io.runtime,
      terminal,
      tell,
      siteArgument: siteArgument(options),
      progress: (phase, total) => (line = batchProgress(phase, total, () => performance.now(), terminal?.show)),
      fault: (fault) => {
        const [message = '', ...hint] = errorLines(withName(fault, io.name));
        tell(message);
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
      io.err('nothing was signed; to sign this plan, run this command within 24 hours:');
      io.err(
        `  ${io.name} batch --confirm ${made.digest}${options.resume === true ? ' --resume' : ''}` +
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
      clock: { confirmTime: options.confirmTime, confirmJump: confirmClockJump(terminal) },
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
      options.newCustomers === true ||
      options.delimiter !== undefined ||
      options.dates !== undefined)
  ) {
    throw new VtlicError(
      'usage',
      '--confirm cannot be used with --dry-run, --key, --name, --new-customers, --delimiter or --dates: it signs the ' +
        'plan as it is',
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
  const dialect = {
    ...(options.delimiter === undefined ? {} : { delimiter: options.delimiter }),
    ...(options.dates === undefined ? {} : { dates: options.dates }),
  };
  if (format !== 'csv' && Object.keys(dialect).length > 0)
    throw new VtlicError('usage', '--delimiter and --dates are for tables (.csv, .tsv)', { file });
  return { file, format, dialect, input, name: options.name ?? input, newCustomers: options.newCustomers === true };
}

/** The header on standard output, for a spreadsheet; the explanation for the person on standard error. */
function template(io: Io, file: string | undefined, options: BatchOptions): void {
  if (file !== undefined || options.confirm !== undefined)
    throw new VtlicError('usage', '--template takes neither a file nor --confirm', {
      hint: 'vtlic batch --template > orders.csv',
    });
  const paths = sitePaths(siteFolder(io, options));
  // Without a site the columns of limits are left to the person.
  const catalog = existsSync(paths.site) ? readCatalog(paths.catalog) : undefined;
  const columns = templateColumns(catalog);
  io.err('one row a license; an empty cell is a member that the license does not have:');
  for (const line of formatTable(columns.map(({ name, words }) => [name, words]))) io.err(line);
  io.out(`${BYTE_ORDER_MARK}${csvRow(columns.map(({ name }) => name))}`);
}
