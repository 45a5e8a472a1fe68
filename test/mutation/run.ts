/**
 * `npm run test:mutants:lines`: changes the sources of `verifier/` and `formats/`, one place at a time, and sees whether
 * a case of the vectors or a test notices. A change that nothing notices must be in `equivalents.json`, with the reason.
 *
 *     node test/mutation/run.ts [--every N] [--lanes N] [--near] [--again] [FILE…]
 *
 * FILE is a part of the path of a source; without one, every file is changed. With `--near`, only the vectors and the
 * tests that mirror a source are asked, without the slow ones: what these do not notice is printed soon, and others may
 * notice it. With `--again`, what earlier runs found does not count.
 */
import { readArguments, readWholeNumber, refuseArguments } from '../../packages/script-arguments.ts';
import { problemsOf, readEquivalents } from './equivalents.ts';
import { readSources, sourceOf, type Source } from './sources.ts';
import { tryChanges } from './try-changes.ts';

const { values, positionals: words } = readArguments({
  allowPositionals: true,
  options: {
    every: { type: 'string', default: '1' },
    lanes: { type: 'string', default: '2' },
    near: { type: 'boolean', default: false },
    again: { type: 'boolean', default: false },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const every = readWholeNumber('every', values.every, 1);
const lanes = readWholeNumber('lanes', values.lanes, 1);
const sources = readSources();
const isSelected = ({ file }: Source): boolean => words.length === 0 || words.some((word) => file.includes(word));
if (!sources.some(isSelected)) refuseArguments(`no source has ${words.join(' or ')} in its path`);
const ids = sources
  .filter(isSelected)
  .flatMap(({ offset, mutations }) => mutations.map(({ id }) => offset + id))
  .filter((_id, i) => i % every === 0);
if (ids.length === 0) refuseArguments('the selected sources have no place that could be changed');
const outcomes = await tryChanges(sources, ids, {
  lanes,
  reach: values.near ? 'near' : 'far',
  isCached: !values.again,
  say,
});

const totals = new Map<string, [killed: number, total: number]>();
for (const [id, outcome] of outcomes) {
  const { file } = sourceOf(sources, id);
  const [killed, total] = totals.get(file) ?? [0, 0];
  totals.set(file, [killed + (outcome === 'survived' ? 0 : 1), total + 1]);
}
const percent = (killed: number, total: number): string => `${((killed / total) * 100).toFixed(1)} %`;
for (const [file, [killed, total]] of [...totals].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  say(`${String(killed).padStart(5)} of ${String(total).padStart(5)}  ${percent(killed, total).padStart(7)}  ${file}`);
const killed = [...outcomes.values()].filter((outcome) => outcome !== 'survived').length;
const byVectors = [...outcomes.values()].filter((outcome) => outcome === 'vectors').length;
const problems = problemsOf(sources, outcomes, readEquivalents(), every === 1);
for (const problem of problems) say(problem);
say(
  `${killed} of ${outcomes.size} changes were noticed (${percent(killed, outcomes.size)}), ${byVectors} by the vectors; ` +
    `${outcomes.size - killed} were not, and ${problems.length === 0 ? 'each is listed' : `${problems.length} problems`}`,
);
// The command that removes guards goes on with this one: its own exit code stays.
if (problems.length > 0) process.exitCode = 1;
