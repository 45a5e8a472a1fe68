/**
 * Errors as a person reads them, and as a program does: never a stack trace, never raw untrusted text. Also the small
 * pieces of text that several commands print.
 */
import { cleanText } from '../../formats/clean-text.ts';
import { VtlicError } from '../../formats/error.ts';
import { describeFileError, errorCodeOf } from '../../files/index.ts';
import { jsonLine } from '../../formats/json/index.ts';
import { asCalled } from './command-name.ts';
import { exitCodeOf } from './exit-codes.ts';
import type { Io } from './io.ts';

const MAX_TEXT = 4000;

/**
 * Turns anything thrown into a VtlicError. An unexpected error of the operating system is not a defect either: it is
 * reported with its file. Everything else is a defect of this program.
 */
export function asVtlicError(error: unknown): VtlicError {
  if (error instanceof VtlicError) return error;
  // If closing (`await using`) fails after the command has failed, the error of the command is reported.
  if (error instanceof SuppressedError) return asVtlicError(error.suppressed);
  const system = systemError(error);
  if (system !== undefined) return system;
  const what = error instanceof Error ? `${error.name}: ${error.message}` : 'a value was thrown that is not an error';
  return new VtlicError('internal', `a defect of this program: ${cleanText(what, 500)}`, {
    hint: 'report it (SECURITY.md); the ledger is intact, and the next start finishes or voids what had begun',
    cause: error,
  });
}

/** The VtlicError for an error that a system call threw; undefined for any other. */
function systemError(error: unknown): VtlicError | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || typeof error.syscall !== 'string') return undefined;
  if (!/^E[A-Z0-9]+$/.test(errorCodeOf(error) ?? '')) return undefined;
  const file = 'path' in error && typeof error.path === 'string' ? error.path : undefined;
  const { message } = describeFileError(error, 'output_unwritable', '');
  return new VtlicError('output_unwritable', `the system call ${cleanText(error.syscall, 40)} failed: ${message}`, {
    ...(file === undefined ? {} : { file }),
    hint: 'correct that, and run the command again: its start finishes or voids what had begun',
    cause: error,
  });
}

/** `vtlic: FILE:LINE:COLUMN: FIELD: sentence`, and the next step on a line of its own. */
export function errorLines(error: VtlicError): string[] {
  const { file, field, line, column, offset } = error.place;
  const where = [
    file === undefined ? undefined : cleanText(file, MAX_TEXT),
    line === undefined ? undefined : String(line),
    column === undefined ? undefined : String(column),
  ].filter((part) => part !== undefined);
  const prefix = [
    where.length === 0 ? undefined : where.join(':'),
    field === undefined ? undefined : cleanText(field),
  ].filter((part) => part !== undefined);
  const tail = offset === undefined || error.message.includes('offset') ? '' : ` (at byte ${offset})`;
  const lines = [`vtlic: ${[...prefix, `${cleanText(error.message, MAX_TEXT)}${tail}`].join(': ')}`];
  if (error.hint !== undefined) lines.push(`  → ${cleanText(error.hint, MAX_TEXT)}`);
  return lines;
}

export function errorDocument(error: VtlicError): Readonly<Record<string, unknown>> {
  return {
    schema: 'vtlic-error/1',
    code: error.code,
    exit: exitCodeOf(error.code),
    message: error.message,
    ...error.place,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}

/**
 * Reports an error on standard error, and as a document on standard output where `--json` asks for one; returns the
 * exit code.
 */
export function reportError(thrown: VtlicError, argv: readonly string[], io: Pick<Io, 'out' | 'err' | 'name'>): number {
  const error = withName(thrown, io.name);
  for (const line of errorLines(error)) io.err(line);
  if (argv.includes('--json')) {
    try {
      io.out(jsonLine(errorDocument(error)));
    } catch {
      // Standard output takes nothing; standard error and the exit code report the error.
    }
  }
  return exitCodeOf(error.code);
}

/** The same error, whose hint names the command as it was called. */
export function withName(error: VtlicError, name: string): VtlicError {
  if (error.hint === undefined) return error;
  return new VtlicError(error.code, error.message, {
    ...error.place,
    hint: asCalled(error.hint, name),
    cause: error.cause,
  });
}

/** Names and values in two columns, one line each: a digest that is cut in two can be neither found nor compared. */
export function formatTable(rows: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => `  ${name.padEnd(width)}${value}`);
}

/**
 * A header and rows in columns; numbers at the right. The last column is as wide as its text, so names go there.
 *
 * @param right the columns, from 0, that are aligned to the right
 */
export function formatColumns(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number> = new Set(),
): string[] {
  const widths = header.map((name, i) =>
    rows.reduce((most, row) => Math.max(most, (row[i] ?? '').length), name.length),
  );
  return [header, ...rows].map((row) =>
    row
      .map((cell, i) => (right.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
