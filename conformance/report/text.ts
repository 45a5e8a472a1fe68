/** The report on the terminal: every failure with what it means, then one line of counts. */
import { cleanText, counted } from '../../formats/clean-text.ts';
import { exitOf, PARTS, passedOf, summary, type CaseOutcome, type Report } from './outcome.ts';

const MAX_TITLE = 300;

/** One failure or error, as it is printed as soon as it happens. */
export function outcomeLines(one: CaseOutcome): readonly string[] {
  const { outcome, id, title, clause, detail, forgets, steps, folder } = one;
  return [
    `${outcome === 'error' ? 'ERROR' : 'FAIL '} ${id}`,
    `      ${cleanText(title, MAX_TITLE)}`,
    ...(detail === undefined ? [] : [`      ${outcome === 'error' ? '' : 'the verifier '}${detail}`]),
    ...(forgets === undefined ? [] : [`      a verifier that does this has forgotten: ${forgets}`]),
    ...(clause.length === 0 ? [] : [`      see docs/${clause.join(', docs/')}`]),
    ...(steps === undefined || steps.length < 2 ? [] : steps.map((words, i) => `      ${i + 1}. ${words}`)),
    ...(folder === undefined ? [] : [`      to replay: vtlic-conform --case ${folder} -- …`]),
  ].map(oneLine);
}

/** Titles, clauses and expected values may be of a case that somebody else wrote. */
const oneLine = (text: string): string => cleanText(text, Infinity);

export function textReport(report: Report): string {
  const { verifier, outcomes } = report;
  const language = verifier.language === undefined ? '' : ` (${verifier.language})`;
  const parts = PARTS.flatMap((part) => {
    const of = outcomes.filter((one) => one.part === part);
    if (of.length === 0) return [];
    const mistakes = of.filter(({ id, outcome }) => outcome === 'fail' && id.startsWith('found/')).length;
    if (mistakes > 0) return [`${part.padEnd(20)} ${counted(mistakes, 'mistake', 'mistakes')} found`];
    return [`${part.padEnd(20)} ${passedOf(of)}`];
  });
  const reasons = new Map<string, number>();
  for (const { outcome, detail = '' } of outcomes)
    if (outcome === 'skipped') reasons.set(detail, (reasons.get(detail) ?? 0) + 1);
  return [
    '',
    `${verifier.name} ${verifier.version}${language}, capabilities: ${verifier.capabilities.join(', ')}`,
    ...parts,
    ...[...reasons].map(([reason, number]) => `not run: ${number}, because ${reason}`),
    ...outcomes
      .filter(({ outcome }) => outcome === 'reported')
      .map(({ id, detail = '' }) => `not required: ${id} ${detail}`),
    ...(exitOf(report) === 3 ? [ERRORS] : []),
    `${VERDICT[exitOf(report)]}: ${summary(report)}, in ${Math.round(report.milliseconds / 1000)} s (seed ${report.seed})`,
    '',
  ]
    .map(oneLine)
    .join('\n');
}

const ERRORS = 'An ERROR is no verdict on a license: docs/conformance.md says how a harness answers.';
const VERDICT: Readonly<Record<0 | 1 | 3, string>> = { 0: 'PASSED', 1: 'FAILED', 3: 'BROKEN HARNESS' };
