/** The files of `--json`, `--junit` and `--html`. */
import { statSync, writeFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { describeFileError } from '../../files/index.ts';
import { jsonLines, junitXml } from './files.ts';
import { htmlReport } from './html.ts';
import type { Report } from './outcome.ts';

/** The paths as they were named. */
export interface ReportPaths {
  readonly json?: string;
  readonly junit?: string;
  readonly html?: string;
}

const FORMS: readonly (readonly [form: keyof ReportPaths, textOf: (report: Report) => string])[] = [
  ['json', jsonLines],
  ['junit', junitXml],
  ['html', htmlReport],
];

/**
 * Empties the files before the run. A path that cannot be written is noticed at once, and nobody takes the report of an
 * earlier run for one of a run that did not end.
 *
 * @param labels one for each report that the run will have
 * @throws VtlicError `output_unwritable` naming the file
 */
export function emptyReports(paths: ReportPaths, labels: readonly string[]): void {
  for (const [form] of FORMS)
    for (const label of labels)
      write(paths[form], label, (path) => {
        const facts = statSync(path, { throwIfNoEntry: false });
        // Whoever reads from a pipe would take its first end for the end of the report.
        if (facts === undefined || facts.isFile() || facts.isDirectory()) writeFileSync(path, '');
      });
}

/**
 * @param reports in the order of their labels; the last ones may be missing
 * @throws VtlicError `output_unwritable` naming the first file that could not be written, after all others are
 */
export function writeReports(reports: readonly Report[], paths: ReportPaths, labels: readonly string[]): void {
  const errors: unknown[] = [];
  for (const [form, textOf] of FORMS)
    for (const [i, report] of reports.entries())
      try {
        write(paths[form], labels[i] ?? '', (path) => writeFileSync(path, textOf(report)));
      } catch (error) {
        errors.push(error);
      }
  if (errors.length > 0) throw errors[0];
}

/** @param label with `1`, `report.xml` becomes `report-1.xml`; with an empty one, it stays */
function write(named: string | undefined, label: string, act: (path: string) => void): void {
  if (named === undefined) return;
  const { dir, name, ext } = parse(named);
  const path = label === '' ? named : join(dir, `${name}-${label}${ext}`);
  try {
    act(path);
  } catch (error) {
    throw describeFileError(error, 'output_unwritable', path);
  }
}
