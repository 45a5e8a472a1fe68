/** One run against one verifier: a smoke test, the published cases, generated ones. */
import { mismatchOf } from '../properties/compare.ts';
import { prepareLicense, smokeLicenses } from '../properties/licenses.ts';
import type { Finding } from '../properties/explain.ts';
import { searchBy, searchKinds, type SearchKind } from '../properties/search.ts';
import { capabilitiesOf, type Answer, type HarnessFault } from '../protocol/protocol.ts';
import { count, type CaseOutcome, type Part, type Report } from '../report/outcome.ts';
import type { RunnerCase, RunnerStep, Vectors } from './cases.ts';
import type { Session } from './session.ts';

export interface RunPlan {
  readonly runner: string;
  readonly vectors?: Vectors;
  /** Only cases whose id begins with it. */
  readonly only: string;
  readonly expectedFailures: ReadonlyMap<string, string>;
  readonly seed: number;
  /** For each kind of generated cases; 0: none. */
  readonly searchMilliseconds: number;
  readonly search?: SearchKind;
  readonly maxRuns: number;
  readonly startedAt: number;
  /** Writes the folder of a finding and returns its path, or undefined if it cannot be written. */
  readonly keep: (id: string, finding: Finding) => string | undefined;
  readonly progress: (what: string) => void;
  readonly done: (outcome: CaseOutcome) => void;
}

const MAX_FINDINGS = 5;

export async function runAll(session: Session, plan: RunPlan): Promise<Report> {
  const start = performance.now();
  const outcomes: CaseOutcome[] = [];
  const add = (outcome: CaseOutcome): void => {
    outcomes.push(outcome);
    plan.done(outcome);
  };
  const generated = { licenses: 0, settings: 0, histories: 0 };
  const isSound = await smokeTest(session, add);
  if (isSound || (plan.only !== '' && count({ outcomes }, 'error') === 0)) {
    await runVectors(session, plan, add);
    if (plan.searchMilliseconds > 0)
      for (const kind of ['licenses', 'settings', 'histories'] as const)
        if ((plan.search ?? kind) === kind) generated[kind] = await search(kind, session, plan, add);
  }
  const last = await session.close();
  if (last !== undefined)
    add(brokenCase({ part: 'smoke test', id: 'smoke/end', title: 'the end of the harness', clause: [] }, last, 0));
  const { name, version, language, capabilities } = session.hello;
  return {
    verifier: {
      name,
      version,
      ...(language === undefined ? {} : { language }),
      capabilities: [...capabilities],
      command: session.command.join(' '),
    },
    runner: plan.runner,
    ...(plan.vectors === undefined ? {} : { vectors: plan.vectors.version }),
    seed: plan.seed,
    startedAt: plan.startedAt,
    milliseconds: performance.now() - start,
    generated,
    outcomes,
  };
}

/**
 * Asks about a valid license, one with another bit in its signature, and a file that is no license. A verifier that
 * fails here fails everywhere.
 */
async function smokeTest(session: Session, add: (outcome: CaseOutcome) => void): Promise<boolean> {
  for (const [name, generated] of smokeLicenses()) {
    const { license, trust, context, expected, words } = prepareLicense(generated);
    const step: RunnerStep = { request: { op: 'verify', license, trust, context }, expected };
    const outcome = await runCase(
      session,
      { ...bare(`smoke/${name}`, words), scored: false, steps: [step] },
      'smoke test',
    );
    add(outcome);
    if (outcome.outcome !== 'pass') return false;
  }
  return true;
}

function bare(id: string, title: string): Pick<RunnerCase, 'id' | 'title' | 'clause' | 'profile'> {
  return { id, title, clause: [], profile: 'required' };
}

async function runVectors(session: Session, plan: RunPlan, add: (outcome: CaseOutcome) => void): Promise<void> {
  const cases = (plan.vectors?.cases ?? []).filter(({ id }) => id.startsWith(plan.only));
  for (const [i, one] of cases.entries()) {
    plan.progress(`vectors ${i + 1} of ${cases.length}`);
    if (session.isBroken) {
      add({ ...skippedCase(one), detail: 'the harness broke too often before it' });
      continue;
    }
    add(judged(await runCase(session, one, 'vectors'), one, plan.expectedFailures));
  }
}

/**
 * The outcome of a case as it counts: a failure that is listed as expected, or of a case that is not required, is not a
 * failure of the run; a listed case that passes is one.
 */
function judged(
  outcome: CaseOutcome,
  { id, profile }: RunnerCase,
  expectedFailures: ReadonlyMap<string, string>,
): CaseOutcome {
  const reason = expectedFailures.get(id);
  if (outcome.outcome === 'fail' && profile !== 'required') return { ...outcome, outcome: 'reported' };
  if (reason === undefined) return outcome;
  if (outcome.outcome === 'fail')
    return { ...outcome, outcome: 'expected_failure', detail: `${outcome.detail ?? ''} (listed: ${reason})` };
  if (outcome.outcome !== 'pass') return outcome;
  return {
    ...outcome,
    outcome: 'fail',
    detail: `passes it, but it is listed as an expected failure (${reason}): remove the line from the list`,
  };
}

/** @param one with at least one step, unless it cannot be run */
export async function runCase(session: Session, one: RunnerCase, part: Part): Promise<CaseOutcome> {
  const needed = one.steps.flatMap(({ request }) => capabilitiesOf(request));
  const missing = needed.find((name) => !session.hello.capabilities.has(name));
  if (one.notRunnable !== undefined) return { ...skippedCase(one), part, detail: one.notRunnable };
  if (missing !== undefined) return { ...skippedCase(one), part, detail: `the harness has no capability "${missing}"` };
  const start = performance.now();
  const { id, title, clause, forgets } = one;
  const head = { part, id, title, clause };
  for (const { request, expected } of one.steps) {
    const expectable = session.expectable(expected);
    if (expectable === undefined)
      return { ...skippedCase(one), part, detail: 'an exit code cannot say what is expected' };
    const answer = await session.ask(request);
    const milliseconds = performance.now() - start;
    if (!answer.ok) return brokenCase(head, answer.fault, milliseconds);
    const mismatch = mismatchOf(answer.value, expectable, one.scored);
    if (mismatch !== undefined)
      return {
        ...head,
        outcome: 'fail',
        detail: mismatch.sentence,
        milliseconds,
        ...(forgets === undefined ? {} : { forgets }),
      };
  }
  return { ...head, outcome: 'pass', milliseconds: performance.now() - start };
}

function skippedCase({ id, title, clause }: RunnerCase): CaseOutcome {
  return { part: 'vectors', id, title, clause, outcome: 'skipped', milliseconds: 0 };
}

function brokenCase(
  head: Pick<CaseOutcome, 'part' | 'id' | 'title' | 'clause'>,
  fault: HarnessFault,
  milliseconds: number,
): CaseOutcome {
  return { ...head, outcome: 'error', detail: fault.sentence, milliseconds };
}

/** Why a kind of generated cases is left out. */
const MISSING: Readonly<Record<SearchKind, string>> = {
  licenses: 'the harness has no capability "verify"',
  settings: 'the harness has none of the capabilities "keysets", "override" and "key-files"',
  histories: 'the harness has no capability "state"',
};

async function search(
  kind: SearchKind,
  session: Session,
  plan: RunPlan,
  add: (outcome: CaseOutcome) => void,
): Promise<number> {
  const start = performance.now();
  const part: Part = `generated ${kind}`;
  const id = `generated/${kind}`;
  const head = { part, clause: [] };
  const { capabilities } = session.hello;
  if (session.isBroken || !searchKinds(capabilities).includes(kind)) {
    const detail = session.isBroken ? 'the harness broke too often before it' : MISSING[kind];
    add({ ...head, id, title: part, outcome: 'skipped', detail, milliseconds: 0 });
    return 0;
  }
  const options = {
    seed: plan.seed,
    milliseconds: plan.searchMilliseconds,
    maxRuns: plan.maxRuns,
    maxFindings: MAX_FINDINGS,
    capabilities,
    progress: (runs: number) => plan.progress(`${part}: ${runs}`),
    expectable: (expected: Answer) => session.expectable(expected),
  };
  const result = await searchBy(kind, (request) => session.ask(request), options);
  // The reports add the times of all cases up.
  const ofFindings = result.findings.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const milliseconds = Math.max(0, performance.now() - start - ofFindings);
  for (const [i, finding] of result.findings.entries()) {
    const found = `found/${finding.of}-${plan.seed}-${i + 1}`;
    const folder = plan.keep(found, finding);
    add({
      ...head,
      id: found,
      title: finding.headline,
      outcome: 'fail',
      detail: finding.mismatch.sentence,
      steps: finding.steps.map(({ words }) => words),
      ...(folder === undefined ? {} : { folder }),
      milliseconds: finding.milliseconds,
    });
  }
  for (const [i, { fault, words, times }] of result.faults.entries())
    add({
      ...head,
      id: i === 0 ? id : `${id}-${i + 1}`,
      title: `${part}, at: ${words}`,
      outcome: 'error',
      detail: times === 1 ? fault.sentence : `${fault.sentence} (${times} times)`,
      milliseconds: i === 0 ? milliseconds : 0,
    });
  if (result.faults.length + result.findings.length === 0)
    add({ ...head, id, title: `${result.runs} ${part}, seed ${plan.seed}`, outcome: 'pass', milliseconds });
  return result.runs;
}
