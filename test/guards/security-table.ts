/** The table of SECURITY.md that says which test is red without which guard. */
import type { Guard } from './guard.ts';

export const TITLE = '## Guards, and the tests that fail without them';

export function tableOf(guards: readonly Guard[]): readonly string[] {
  return [
    '| against | guard | in | test |',
    '|---|---|---|---|',
    ...guards.map(({ against, does, file, test }) => `| ${against} | ${does} | \`${file}\` | \`${test}\` |`),
  ];
}

/** The lines of the first table below a title. */
export function tableBelow(document: string, title: string): readonly string[] {
  const lines = document.split('\n');
  const from = lines.findIndex((line, i) => i > lines.indexOf(title) && line.startsWith('|'));
  const rest = lines.slice(from);
  return lines.includes(title)
    ? rest.slice(
        0,
        rest.findIndex((line) => !line.startsWith('|')),
      )
    : [];
}

export function firstCells(table: readonly string[]): readonly string[] {
  return table.slice(2).map((row) => row.split(' | ')[0]?.replace(/^\| /, '') ?? '');
}
