/** What may notice a change: first the published cases, then the tests near the changed source. */
import { basename, dirname } from 'node:path/posix';
import type { CaseFolder } from '../../conformance/vectors/case.ts';
import type { agrees, judgeCase } from '../../conformance/vectors/judge.ts';
import type { judgeHistory } from '../../conformance/vectors/judge-history.ts';
import { readCases } from '../../conformance/vectors/files.ts';
import { distancesTo } from './import-graph.ts';
import { load, loadAnew } from './switched-modules.ts';
import { collected, runTest } from './vitest-here.ts';

export interface Check {
  readonly name: string;
  /** Throws where it fails. */
  readonly run: () => Promise<void> | void;
}

const loaded = async (path: string, anew?: readonly [file: string, copy: number]): Promise<unknown> =>
  anew === undefined ? load(path) : loadAnew(path, ...anew);

export interface Suite {
  readonly name: string;
  /** @param anew the source that is loaded anew, with all that depends on it, and a number for this copy */
  readonly load: (anew?: readonly [file: string, copy: number]) => Promise<readonly Check[]>;
}

const JUDGE = 'conformance/vectors/judge.ts';
const JUDGE_HISTORY = 'conformance/vectors/judge-history.ts';

let cases: readonly CaseFolder[] | undefined;
const readOnce = (): readonly CaseFolder[] => (cases ??= readCases());

const casesSuite: Suite = {
  name: 'the vectors',
  load: async (anew) => {
    const judge = (await loaded(JUDGE, anew)) as { agrees: typeof agrees; judgeCase: typeof judgeCase };
    return readOnce().flatMap((folder) => {
      const { value } = folder;
      if (value.operation === 'history') return [];
      const run = (): void => {
        if (!judge.agrees(value, judge.judgeCase(folder))) throw new Error('another verdict');
      };
      return [{ name: value.id, run }];
    });
  },
};

const historiesSuite: Suite = {
  name: 'the histories of the vectors',
  load: async (anew) => {
    const judge = (await loaded(JUDGE_HISTORY, anew)) as { judgeHistory: typeof judgeHistory };
    return readOnce().flatMap((folder) => {
      const { value } = folder;
      if (value.operation !== 'history') return [];
      const run = async (): Promise<void> => {
        if ((await judge.judgeHistory(value, folder)) !== undefined) throw new Error('another outcome');
      };
      return [{ name: value.id, run }];
    });
  },
};

const testSuite = (file: string): Suite => ({
  name: file,
  load: async (anew) =>
    (await collected(() => loaded(file, anew))).map((test) => ({
      name: test.title,
      run: () => runTest(test),
    })),
});

/** Tests whose product is another process, or that take longer than all others together. */
const NOT_HERE: ReadonlySet<string> = new Set([
  'test/unit/verifier/product/command.test.ts',
  'test/unit/verifier/runtime/disk.test.ts',
  'test/unit/verifier/runtime/idle.test.ts',
  'test/property/verifier/fuzz.test.ts',
  'test/property/verifier/keyset.test.ts',
  'test/property/verifier/bent-files.test.ts',
  'test/property/verifier/runtime/life.test.ts',
  'test/property/verifier/runtime/keyset-life.test.ts',
]);

/** Tests of a product are asked about the sources of a product only: they take long. */
function isAsked(test: string, file: string): boolean {
  if (NOT_HERE.has(test) || /\/(?:conformance|pkcs11|docs)\/|property\/signer/.test(test)) return false;
  if (test.includes('/verifier/admin/')) return file.startsWith('verifier/admin/');
  if (test.includes('/verifier/runtime/')) return /^verifier\/(?:runtime|admin|product)\//.test(file);
  return true;
}

/** Tests on a real database, which needs what docs/testing.md says. */
const ON_A_DATABASE: Readonly<Record<string, string>> = {
  'verifier/runtime/stores/postgres-store.ts': 'test/interop/postgres-store.test.ts',
  'verifier/admin/postgres-tokens.ts': 'test/interop/postgres-store.test.ts',
};

/** Where a running product is put together: these tests of whole products are asked before those of its parts. */
const RUNTIME = 'verifier/runtime/runtime.ts';
const WHOLE_PRODUCTS = /\/runtime\/(?:install|open-license)\.test\.ts$/;

const MAX_SUITES = 6;
/** Tests of the signer are asked where there are fewer others. */
const MIN_SUITES = 3;
const SUITES_BEFORE_VECTORS = 2;

/** How far from a changed source its tests are looked for: a survivor costs as long as all that are asked. */
export type Reach = 'near' | 'far';

const suites = new Map<string, Suite>();

function suiteOf(file: string): Suite {
  const suite = suites.get(file) ?? testSuite(file);
  suites.set(file, suite);
  return suite;
}

/**
 * The nearest first: tests that mirror the source, then the vectors, then tests by their distance in imports.
 *
 * @param reach `near` ends with the vectors
 */
export function suitesOf(file: string, reach: Reach = 'far'): readonly Suite[] {
  const distances = distancesTo(file);
  const name = basename(file, '.ts');
  const mirrors = [name, `${basename(dirname(file))}-${name}`];
  const nearness = (test: string): number =>
    (test === ON_A_DATABASE[file] ? -99 : 0) +
    (distances.get(test) ?? 99) * 2 -
    (mirrors.some((mirror) => basename(test).startsWith(mirror)) ? 10 : 0) -
    (dirname(test).endsWith(dirname(file)) ? 3 : 0) -
    (file === RUNTIME && WHOLE_PRODUCTS.test(test) ? 4 : 0) +
    (test.startsWith('test/property/') ? 6 : 0) +
    (test.includes('/signer/') ? 40 : 0);
  const tests = [...distances.keys()]
    .filter(
      (path) =>
        (/^test\/(?:unit|property)\/.*\.test\.ts$/.test(path) && isAsked(path, file)) || path === ON_A_DATABASE[file],
    )
    .toSorted((a, b) => nearness(a) - nearness(b) || (a < b ? -1 : 1))
    .filter((path, i) => i < MAX_SUITES && (i < MIN_SUITES || !path.includes('/signer/')))
    .map(suiteOf);
  return [
    ...tests.slice(0, SUITES_BEFORE_VECTORS),
    ...(distances.has(JUDGE) ? [casesSuite] : []),
    ...(reach === 'near' ? [] : tests.slice(SUITES_BEFORE_VECTORS)),
    ...(reach === 'far' && file.startsWith('verifier/runtime/') ? [historiesSuite] : []),
  ];
}
