/** Reports for programs: JSON lines, and JUnit XML for the pages of a CI. */
import { exitOf, PARTS, summary, type CaseOutcome, type Report } from './outcome.ts';

/** A line about the run, one for each case, and one with the counts. */
export function jsonLines(report: Report): string {
  const { outcomes, ...head } = report;
  return [
    { type: 'run', schema: 'vtlic-conform-report/1', ...head },
    ...outcomes.map((outcome) => ({ type: 'case', ...outcome })),
    { type: 'end', exit: exitOf(report), summary: summary(report) },
  ]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
}

export function junitXml(report: Report): string {
  const suites = PARTS.flatMap((part) => {
    const of = report.outcomes.filter((one) => one.part === part);
    if (of.length === 0) return [];
    const number = (...outcomes: readonly string[]): number =>
      of.filter(({ outcome }) => outcomes.includes(outcome)).length;
    const counts = `tests="${of.length}" failures="${number('fail')}" errors="${number('error')}" skipped="${number('skipped', 'expected_failure', 'reported')}"`;
    return [`  <testsuite name="${escapeXml(part)}" ${counts}>`, ...of.map((one) => testCase(one)), '  </testsuite>'];
  });
  const { name, version } = report.verifier;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="vtlic-conform: ${escapeXml(`${name} ${version}`)}" time="${(report.milliseconds / 1000).toFixed(3)}">`,
    ...suites,
    '</testsuites>',
    '',
  ].join('\n');
}

function testCase(one: CaseOutcome): string {
  const { id, title, part, detail = '', milliseconds, outcome } = one;
  const head = `    <testcase classname="${escapeXml(part)}" name="${escapeXml(`${id}: ${title}`)}" time="${(milliseconds / 1000).toFixed(3)}"`;
  const text = escapeXml([detail, ...(one.steps ?? []), ...(one.folder === undefined ? [] : [one.folder])].join('\n'));
  switch (outcome) {
    case 'pass':
      return `${head}/>`;
    case 'fail':
      return `${head}><failure message="${escapeXml(detail)}">${text}</failure></testcase>`;
    case 'error':
      return `${head}><error message="${escapeXml(detail)}">${text}</error></testcase>`;
    default:
      return `${head}><skipped message="${escapeXml(detail)}"/></testcase>`;
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For XML 1.0 and HTML. What XML cannot have at all, such as most control characters, is replaced. */
export function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
