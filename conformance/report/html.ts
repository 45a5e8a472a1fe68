/** The report as one static page without scripts, fonts or images from elsewhere, for a team to publish. */
import { escapeXml } from './files.ts';
import { count, exitOf, PARTS, passedOf, summary, type CaseOutcome, type Outcome, type Report } from './outcome.ts';

const WORDS: Readonly<Record<Outcome, string>> = {
  pass: 'passed',
  fail: 'failed',
  error: 'error',
  skipped: 'not run',
  expected_failure: 'expected failure',
  reported: 'not required',
};
const VERDICTS: Readonly<Record<0 | 1 | 3, string>> = { 0: 'Passed', 1: 'Failed', 3: 'The harness broke' };

const STYLE = `
:root { color-scheme: light dark; --pass: #1a7f37; --fail: #cf222e; --other: #6e7781; --line: #8884; }
@media (prefers-color-scheme: dark) { :root { --pass: #3fb950; --fail: #ff7b72; --other: #9198a1; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.verdict { font-size: 1.15rem; font-weight: 600; }
.pass { color: var(--pass); } .fail, .error { color: var(--fail); }
.skipped, .expected_failure, .reported { color: var(--other); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 1rem 0; }
dt { color: var(--other); } dd { margin: 0; overflow-wrap: anywhere; }
article { border: 1px solid var(--line); border-left: 4px solid var(--fail); border-radius: 4px; padding: .6rem 1rem; margin: .75rem 0; }
article h3 { font-size: 1rem; margin: 0; } article p, article ol { margin: .3rem 0; }
code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); }
td:first-child { overflow-wrap: anywhere; } td:last-child { white-space: nowrap; }
summary { cursor: pointer; font-weight: 600; padding: .3rem 0; }
footer { margin-top: 2rem; color: var(--other); font-size: .9rem; }
`;

export function htmlReport(report: Report): string {
  const { verifier, outcomes } = report;
  const exit = exitOf(report);
  const title = `${verifier.name} ${verifier.version}`;
  const bad = outcomes.filter(({ outcome }) => outcome === 'fail' || outcome === 'error');
  const facts: readonly (readonly [string, string])[] = [
    ...(verifier.language === undefined ? [] : [['Language', verifier.language] as const]),
    ['Capabilities', verifier.capabilities.join(', ')],
    ['Command', verifier.command],
    ...(report.vectors === undefined ? [] : [['Vectors', report.vectors] as const]),
    [
      'Generated',
      [...Object.entries(report.generated).map(([kind, number]) => `${number} ${kind}`), `seed ${report.seed}`].join(
        ', ',
      ),
    ],
    ['Run', `${new Date(report.startedAt * 1000).toISOString()}, ${Math.round(report.milliseconds / 1000)} s`],
  ];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(`${VERDICTS[exit]}: ${title}`)}</title>
<style>${STYLE}</style>
<main>
<h1>${escapeXml(title)}</h1>
<p class="verdict ${exit === 0 ? 'pass' : 'fail'}">${VERDICTS[exit]}: ${escapeXml(summary(report))}</p>
<dl>
${facts.map(([name, value]) => `<dt>${name}</dt><dd>${escapeXml(value)}</dd>`).join('\n')}
</dl>
${bad.length === 0 ? '' : `<h2>What is wrong</h2>\n${bad.map((one) => article(one)).join('\n')}`}
<h2>All ${outcomes.length} cases</h2>
${PARTS.map((part) => partTables(part, outcomes)).join('')}
<footer>Made by ${escapeXml(report.runner)}. Passed: ${count(report, 'pass')}. A verifier that passes agrees with the
documents of the format on these cases; it says nothing about anything else.</footer>
</main>
</html>
`;
}

function article({ id, title, outcome, detail = '', forgets, steps, folder, clause }: CaseOutcome): string {
  const clauses =
    clause.length === 0 ? '' : `<p>About ${clause.map((one) => `<code>${escapeXml(one)}</code>`).join(', ')}</p>`;
  const list =
    steps === undefined || steps.length < 2
      ? ''
      : `<ol>${steps.map((words) => `<li>${escapeXml(words)}</li>`).join('')}</ol>`;
  return `<article><h3><span class="${outcome}">${WORDS[outcome]}</span> ${escapeXml(title)}</h3>
<p>${escapeXml(detail)}</p>${list}${forgets === undefined ? '' : `<p>Forgotten: ${escapeXml(forgets)}</p>`}${clauses}
<p><code>${escapeXml(folder ?? id)}</code></p></article>`;
}

/** One table for each group of cases, such as `verify`; closed where all of it passed. */
function partTables(part: CaseOutcome['part'], outcomes: readonly CaseOutcome[]): string {
  const groups = new Map<string, CaseOutcome[]>();
  for (const one of outcomes.filter((outcome) => outcome.part === part)) {
    const [operation = ''] = one.id.split('/');
    const name = part === 'vectors' ? `${part}: ${operation}` : part;
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return [...groups]
    .map(([name, all]) => {
      const isOpen = all.some(({ outcome }) => outcome === 'fail' || outcome === 'error');
      const rows = all.map(
        ({ id, title, outcome, detail = '' }) =>
          `<tr><td><code>${escapeXml(id)}</code></td><td>${escapeXml(title)}${outcome === 'skipped' ? ` (${escapeXml(detail)})` : ''}</td><td class="${outcome}">${WORDS[outcome]}</td></tr>`,
      );
      return `<details${isOpen ? ' open' : ''}><summary>${escapeXml(name)}: ${passedOf(all)}</summary>
<table><thead><tr><th>Case</th><th>About</th><th>Outcome</th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table></details>
`;
    })
    .join('');
}
