/**
 * The verifiers of conformance/harness/, which are written in other languages on other people's libraries: each passes
 * the required vectors and what `vtlic-conform` generates, and the runner finds a bug that is planted into each.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildHarness, HARNESSES, LANGUAGES, type Language } from './harness-programs.ts';

const RUNNER = join(import.meta.dirname, '../../conformance/runner/main.ts');
const MAX_VERIFY_LINES = 299;
/** The required vectors, and the histories that a verifier with state can be asked for. */
const MIN_VECTORS = 1500;
/** Cargo builds all libraries at its first run, which takes minutes on a busy machine. */
const MAX_BUILD_MILLISECONDS = 1_800_000;
const SEED = '19';
const SECONDS_OF_SEARCH = '15';
/** The JVM of a busy machine starts slowly. */
const ANSWER_SECONDS = '60';

interface Planted {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

interface Verifier {
  readonly verify: string;
  readonly withoutCounter: Planted;
  readonly eitherComponent: Planted;
}

const VERIFIERS: Readonly<Record<Language, Verifier>> = {
  typescript: {
    verify: 'verify.ts',
    withoutCounter: {
      file: 'verify.ts',
      before: "  if (ctr < known.counter) refuse('counter', 'counter_rolled_back');\n",
      after: '',
    },
    eitherComponent: { file: 'verify.ts', before: '  return first && second;', after: '  return first || second;' },
  },
  python: {
    verify: 'verify.py',
    withoutCounter: {
      file: 'verify.py',
      before: "    refuse_if(claims['ctr'] < counter, 'counter_rolled_back')\n",
      after: '',
    },
    eitherComponent: { file: 'verify.py', before: 'return mldsa65_valid and ', after: 'return mldsa65_valid or ' },
  },
  go: {
    verify: 'verify.go',
    withoutCounter: {
      file: 'verify.go',
      before: '\trefuseIf(isKnown && counter < accepted.Counter, "counter_rolled_back")\n',
      after: '',
    },
    eitherComponent: { file: 'verify.go', before: 'return mldsa65Valid && ', after: 'return mldsa65Valid || ' },
  },
  rust: {
    verify: 'src/verify.rs',
    withoutCounter: {
      file: 'src/verify.rs',
      before: '    refuse_if(counter < accepted.counter, "counter_rolled_back")?;\n',
      after: '',
    },
    eitherComponent: { file: 'src/verify.rs', before: '    mldsa65_valid && ', after: '    mldsa65_valid || ' },
  },
  java: {
    verify: 'Verify.java',
    withoutCounter: {
      file: 'Verify.java',
      before: '    refuseIf(counter < accepted.counter(), Reason.COUNTER_ROLLED_BACK);\n',
      after: '',
    },
    eitherComponent: { file: 'Verify.java', before: 'return isMldsaValid && ', after: 'return isMldsaValid || ' },
  },
};

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vtlic-harness-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Run {
  readonly exit: number | null;
  readonly text: string;
  /** Cases by part and outcome. */
  readonly cases: readonly { readonly part: string; readonly id: string; readonly outcome: string }[];
}

function conform(name: string, options: readonly string[], command: readonly string[]): Run {
  const report = join(folder, `${name}.jsonl`);
  const always = ['--quiet', '--seed', SEED, '--seconds', SECONDS_OF_SEARCH, '--timeout', ANSWER_SECONDS];
  const found = join(folder, `${name}-found`);
  const args = [RUNNER, ...always, '--json', report, '--found', found, ...options, '--', ...command];
  const done = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const text = `${done.stdout}${done.stderr}`;
  if (done.status !== 0 && done.status !== 1) throw new Error(text);
  const lines = readFileSync(report, 'utf8').trim().split('\n');
  const cases = lines.map((line) => JSON.parse(line) as Run['cases'][number] & { readonly type: string });
  return { exit: done.status, text, cases: cases.filter(({ type }) => type === 'case') };
}

/** A copy of a harness with one bug. */
function plant(language: Language, name: string, { file, before, after }: Planted): readonly string[] {
  const source = join(folder, `${language}-${name}`);
  cpSync(join(HARNESSES, language), source, { recursive: true });
  const text = readFileSync(join(source, file), 'utf8');
  expect(text.split(before), `${file} has ${before} once`).toHaveLength(2);
  writeFileSync(join(source, file), text.replace(before, after));
  return buildHarness(language, source, join(folder, `${language}-${name}-built`));
}

/** The operations of the failures that were found, each as short as the runner could make it. */
function foundSteps(name: string): readonly (readonly string[])[] {
  const found = join(folder, `${name}-found`);
  return readdirSync(found).map((id) => {
    const { steps } = JSON.parse(readFileSync(join(found, id, 'found.json'), 'utf8')) as {
      readonly steps: readonly { readonly request: { readonly op: string } }[];
    };
    return steps.map(({ request }) => request.op);
  });
}

describe.each(LANGUAGES)('the verifier in %s', (language) => {
  const { verify, withoutCounter, eitherComponent } = VERIFIERS[language];
  let command: readonly string[];

  beforeAll(() => {
    command = buildHarness(language, join(HARNESSES, language), join(folder, `${language}-built`));
  }, MAX_BUILD_MILLISECONDS);

  it('has its verify in a file of under 300 lines', () => {
    const lines = readFileSync(join(HARNESSES, language, verify), 'utf8')
      .trimEnd()
      .split('\n');
    expect(lines.length).toBeLessThanOrEqual(MAX_VERIFY_LINES);
  });

  it('passes the smoke test, every required vector, and generated licenses, settings and histories', () => {
    const { exit, text, cases } = conform(language, [], command);
    expect(exit, text).toBe(0);
    const passed = (part: string): number => cases.filter((one) => one.part === part && one.outcome === 'pass').length;
    expect(passed('vectors')).toBeGreaterThanOrEqual(MIN_VECTORS);
    // Some histories need a runtime, and are left out for every harness.
    const skipped = cases.filter(({ outcome, id }) => outcome === 'skipped' && !id.startsWith('history/'));
    expect(skipped).toEqual([]);
    expect(passed('generated licenses') + passed('generated settings') + passed('generated histories')).toBe(3);
    const failed = cases.filter(({ outcome }) => outcome === 'fail' || outcome === 'error');
    expect(failed).toEqual([]);
  });

  it('is caught when it drops the comparison of counters, by a history of three steps', () => {
    const { exit, text } = conform(`${language}-counter`, ['--no-vectors'], plant(language, 'counter', withoutCounter));
    expect(exit, text).toBe(1);
    expect(text).toMatch(/accepts counter \d+ after \d+/);
    expect(foundSteps(`${language}-counter`)).toContainEqual(['reset', 'install', 'install']);
  });

  it('is caught when it accepts either component of a composite, by a single license', () => {
    const { exit, text } = conform(
      `${language}-component`,
      ['--no-vectors'],
      plant(language, 'component', eitherComponent),
    );
    expect(exit, text).toBe(1);
    expect(text).toContain('accepts what should be refused (signature, signature_invalid)');
    expect(foundSteps(`${language}-component`)).toContainEqual(['verify']);
  });
});
