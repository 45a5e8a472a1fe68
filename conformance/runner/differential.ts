/** Several verifiers asked the same: where they disagree, at least one of them is wrong, or the format leaves it open. */
import fc from 'fast-check';
import { cleanText, counted } from '../../formats/clean-text.ts';
import { wordsOfAnswer } from '../properties/compare.ts';
import { everyChange, generatedLicense, prepareLicense, type GeneratedLicense } from '../properties/licenses.ts';
import type { Answer, Request } from '../protocol/protocol.ts';
import type { CaseOutcome, Report } from '../report/outcome.ts';
import type { RunPlan } from './run.ts';
import type { Session } from './session.ts';

export type DifferentialPlan = Omit<RunPlan, 'expectedFailures' | 'keep'>;

const MAX_SHOWN = 20;

interface Question {
  readonly id: string;
  readonly words: string;
  readonly request: Request;
  /** Reasons are compared only where there is one fault. */
  readonly scored: boolean;
  readonly required: boolean;
  readonly isGenerated: boolean;
}

const END = { id: 'end', words: 'the end of the harness' } as const;

type Selection = Pick<DifferentialPlan, 'vectors' | 'only' | 'search' | 'searchMilliseconds'>;

/** Whether any request is the same for all verifiers: the plan may have neither vectors nor generated licenses. */
export function isComparable(plan: Selection): boolean {
  return searchMilliseconds(plan) > 0 || vectorQuestions(plan).length > 0;
}

function searchMilliseconds({ search = 'licenses', searchMilliseconds: milliseconds }: Selection): number {
  return search === 'licenses' ? milliseconds : 0;
}

/**
 * @param sessions it closes them
 * @returns a report with each kind of disagreement and of fault once, or with one outcome that says that all agree
 */
export async function compareVerifiers(sessions: readonly Session[], plan: DifferentialPlan): Promise<Report> {
  const start = performance.now();
  const names = distinctNames(sessions);
  const outcomes = new Map<string, CaseOutcome>();
  let since = start;
  const add = (
    detail: string,
    { id, words }: Pick<Question, 'id' | 'words'>,
    outcome: CaseOutcome['outcome'],
  ): void => {
    if (outcomes.has(detail)) return;
    const head = { part: 'differential', id: `differential/${id}`, title: cleanText(words, 300), clause: [] } as const;
    const now = performance.now();
    const one: CaseOutcome = { ...head, outcome, detail, milliseconds: now - since };
    since = now;
    outcomes.set(detail, one);
    plan.done(one);
  };
  let [asked, generated] = [0, 0];
  for (const question of questions(plan)) {
    if (outcomes.size >= MAX_SHOWN || sessions.some(({ isBroken }) => isBroken)) break;
    plan.progress(`differential: ${++asked}`);
    if (question.isGenerated) generated++;
    const answers: { readonly name: string; readonly answer: Answer }[] = [];
    for (const [i, session] of sessions.entries()) {
      const name = names[i] ?? '';
      const answer = await session.ask(question.request);
      if (answer.ok) answers.push({ name, answer: answer.value });
      else add(`${name}: ${answer.fault.sentence}`, question, 'error');
    }
    const detail = disagreement(answers, question.scored);
    if (detail !== undefined) add(detail, question, question.required ? 'fail' : 'reported');
  }
  for (const [i, session] of sessions.entries()) {
    const last = await session.close();
    if (last !== undefined) add(`${names[i] ?? ''}: ${last.sentence}`, END, 'error');
  }
  const milliseconds = performance.now() - start;
  const title = `${names.join(', ')} agree on ${counted(asked, 'license', 'licenses')}`;
  const agreed = { part: 'differential', id: 'differential/agree', title, clause: [], outcome: 'pass' } as const;
  return {
    verifier: {
      name: names.join(', '),
      version: sessions.map(({ hello }) => hello.version).join(', '),
      capabilities: ['verify'],
      command: sessions.map(({ command }) => command.join(' ')).join(' -- '),
    },
    runner: plan.runner,
    ...(plan.vectors === undefined ? {} : { vectors: plan.vectors.version }),
    seed: plan.seed,
    startedAt: plan.startedAt,
    milliseconds,
    generated: { licenses: generated, settings: 0, histories: 0 },
    outcomes: outcomes.size > 0 ? [...outcomes.values()] : [{ ...agreed, milliseconds }],
  };
}

/** Two that have the same name, such as two builds of one verifier, get a number. */
function distinctNames(sessions: readonly Session[]): readonly string[] {
  const names = sessions.map(({ hello }) => hello.name);
  return names.map((name, i) => (names.indexOf(name) === names.lastIndexOf(name) ? name : `${name} (${i + 1})`));
}

function* questions(plan: DifferentialPlan): Generator<Question> {
  yield* vectorQuestions(plan);
  const until = performance.now() + searchMilliseconds(plan);
  let number = 0;
  for (const generated of generatedLicenses(plan.seed)) {
    if (performance.now() >= until || number >= plan.maxRuns) return;
    yield questionOf(generated, ++number);
  }
}

/** Also gray cases, on which verifiers may disagree: their authors want to know. */
function vectorQuestions({ vectors, only }: Selection): readonly Question[] {
  const cases = (vectors?.cases ?? []).filter(({ id }) => id.startsWith(only));
  return cases.flatMap(({ id, title, profile, steps }) => {
    const head = { id, words: title, scored: false, required: profile === 'required', isGenerated: false };
    return steps.flatMap(({ request }) => (request.op === 'verify' ? [{ ...head, request }] : []));
  });
}

function* generatedLicenses(seed: number): Generator<GeneratedLicense> {
  yield* everyChange(seed);
  for (let round = 0; ; round++) yield* fc.sample(generatedLicense, { seed: seed + round, numRuns: 100 });
}

function questionOf(generated: GeneratedLicense, number: number): Question {
  const { license, trust, context, words, scored } = prepareLicense(generated);
  return {
    id: `generated-${number}`,
    words,
    request: { op: 'verify', license, trust, context },
    scored,
    required: true,
    isGenerated: true,
  };
}

function disagreement(
  answers: readonly { readonly name: string; readonly answer: Answer }[],
  scored: boolean,
): string | undefined {
  const [first, ...others] = answers;
  if (first === undefined) return undefined;
  const a = first.answer;
  const differing = others.find(
    ({ answer: b }) =>
      a.verdict !== b.verdict ||
      a.state !== b.state ||
      (scored && a.reason !== undefined && b.reason !== undefined && a.reason !== b.reason),
  );
  if (differing === undefined) return undefined;
  return answers.map(({ name, answer }) => `${name} says ${wordsOfAnswer(answer)}`).join(', ');
}
