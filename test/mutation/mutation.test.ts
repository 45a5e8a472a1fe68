/** What is changed in a source, and that a few changes are noticed. `npm run test:mutants:lines` tries all. */
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { problemsOf, readEquivalents, type Equivalent } from './equivalents.ts';
import { mutationsOf, withSwitches } from './mutations.ts';
import { changesOfPattern } from './pattern-changes.ts';
import { readSources, sourceOf, type Source } from './sources.ts';
import { tryChanges, type Outcome } from './try-changes.ts';

const changesOf = (source: string): readonly string[] => mutationsOf(source).map(({ change }) => change);

describe('the changes of a source', () => {
  it.each([
    ['const a = b <= 3;', ['b <= 3 -> (b) < (3)', 'b <= 3 -> (b) > (3)', '3 -> 4', '3 -> 2']],
    ['if (a && b) stop();', ['a && b -> true', 'a && b -> false', 'a && b -> a', 'a && b -> b']],
    ['const a = b?.c ?? d;', ['b?.c ?? d -> b?.c', 'b?.c ?? d -> d', 'b?.c -> b.c']],
    ['switch (a) { case "b": stop(); break; }', ['"b" -> Symbol()', 'stop(); -> removed', 'break; -> removed']],
    ['stop(true);', ['stop(true); -> removed', 'true -> false']],
    ['if (a) throw new Error(`${b + 1}`);', ['a -> true', 'a -> false']],
    ['const a = list.filter(isOdd);', ['list.filter(isOdd) -> list']],
    ['type A = 1 | 2; // 3 < 4', []],
    ["const said = a ? 'one text' : 'another text';", []],
  ])('of %s are those of its operators, conditions, constants and statements', (source, changes) => {
    expect(changesOf(source)).toEqual(changes);
  });

  it('of a regular expression are its anchors, quantifiers and bounds', () => {
    expect(changesOfPattern('^a+[b+]{2,3}\\$$')).toEqual([
      'a+[b+]{2,3}\\$$',
      '^a[b+]{2,3}\\$$',
      '^a+[b+]{1,3}\\$$',
      '^a+[b+]{3,3}\\$$',
      '^a+[b+]{2,4}\\$$',
      '^a+[b+]{2,2}\\$$',
      '^a+[b+]{2,3}\\$',
    ]);
  });

  it('are told apart where a line has the same one twice', () => {
    expect(mutationsOf('f(1, 1);').map(({ nth }) => nth)).toEqual([1, 1, 1, 2, 2]);
  });
});

describe('a source with all of its changes in it', () => {
  const source = 'if (a < 2) f(a ? b?.c : 1);';
  const made = withSwitches(source, mutationsOf(source), 10);
  const results = (on: number): readonly unknown[] => {
    const found: unknown[] = [];
    const names = { a: 0, b: undefined, f: (value: unknown) => found.push(value) };
    runInNewContext(made, { ...names, __mutant: () => on, __loaded: () => undefined });
    return found;
  };

  it('does what the source does while no change is on', () => {
    expect(results(-1)).toEqual([1]);
  });

  it('does what the change does that is on', () => {
    const numbers = mutationsOf(source).map(({ id, change }) => [change, results(10 + id)] as const);
    expect(Object.fromEntries(numbers)).toMatchObject({
      'a < 2 -> false': [],
      '1 -> 2': [2],
      'a -> true': [undefined],
    });
  });
});

describe('the list of changes that nothing can notice', () => {
  const sources = readSources();

  it('has only changes that can be made, each with a reason', () => {
    const equivalents = readEquivalents();
    expect(problemsOf(sources, new Map(), equivalents, true)).toEqual([]);
    expect(equivalents.filter(({ reason }) => reason.length < 10)).toEqual([]);
  });

  it('must have each change that survived, and no change that was noticed', () => {
    const { file, offset, mutations } = sourceOf(sources, 0);
    const [first] = mutations;
    if (first === undefined) throw new Error(`${file} has no change`);
    const entry: Equivalent = { file, code: first.code, change: first.change, reason: 'It makes no difference.' };
    const with_ = (outcome: Outcome, list: readonly Equivalent[]): readonly string[] =>
      problemsOf(sources, new Map([[offset, outcome]]), list, true);
    expect(with_('survived', [entry])).toEqual([]);
    expect(with_('survived', [])).toEqual([expect.stringContaining('SURVIVED')]);
    expect(with_('tests', [entry])).toEqual([expect.stringContaining('BUT NOTICED')]);
    expect(with_('survived', [entry, { ...entry, code: 'none' }])).toEqual([expect.stringContaining('BUT NOT THERE')]);
  });
});

/** Sources whose tests take milliseconds, and one change of so many. */
const SAMPLE: Readonly<Record<string, number>> = {
  'verifier/rollback.ts': 10,
  'formats/armor.ts': 40,
  'formats/csv.ts': Infinity,
};
/** It acts while its module is loaded, and only a slow check notices it. */
const AT_LOADING = 'const DEFAULT_RECORD_BYTES = 1_048_576; 1_048_576 -> 1048577';

describe('a sample of changes', () => {
  it('is noticed, but for those that are listed', { timeout: 300_000 }, async () => {
    const sources = readSources();
    const every = ({ file }: Source): number => SAMPLE[file] ?? 0;
    const ids = sources
      .filter((source) => every(source) > 0)
      .flatMap((source) =>
        source.mutations
          .filter(({ id, code, change }) => id % every(source) === 0 || `${code} ${change}` === AT_LOADING)
          .map(({ id }) => source.offset + id),
      );
    const said: string[] = [];
    const outcomes = await tryChanges(sources, ids, {
      lanes: 1,
      reach: 'far',
      isCached: false,
      say: (line) => said.push(line),
    });
    expect(ids.length).toBeGreaterThan(9);
    expect(problemsOf(sources, outcomes, readEquivalents(), false), said.join('\n')).toEqual([]);
  });
});
