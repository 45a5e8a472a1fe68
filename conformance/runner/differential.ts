/** Several verifiers asked the same: where they disagree, at least one of them is wrong, or the format leaves it open. */
import fc from 'fast-check';
import { cleanText, counted } from '../../formats/clean-text.ts';
import { wordsOfAnswer } from '../properties/compare.ts';
import { everyChange, generatedLicense, prepareLicense } from '../properties/licenses.ts';
import { hasNoVerdict, type Answer, type Request } from '../protocol/protocol.ts';
import type { CaseOutcome } from '../report/outcome.ts';
import type { Vectors } from './cases.ts';
import type { Session } from './session.ts';

export interface DifferentialPlan {
  readonly vectors?: Vectors;
  /** Only vectors whose id begins with it. */
  readonly only: string;
  readonly seed: number;
  readonly milliseconds: number;
  readonly maxRuns: number;
  readonly progress: (what: string) => void;
}

const MAX_SHOWN = 20;

interface Question {
  readonly id: string;
  readonly words: string;
  readonly request: Request;
  /** Reasons are compared only where there is one fault. */
  readonly scored: boolean;
  readonly required: boolean;
}

/** @returns one outcome for each kind of disagreement and of fault, or one that says that there was none */
export async function compareVerifiers(
  sessions: readonly Session[],
  plan: DifferentialPlan,
): Promise<readonly CaseOutcome[]> {
  const start = performance.now();
  const names = distinctNames(sessions);
  const outcomes = new Map<string, CaseOutcome>();
  let asked = 0;
  for (const question of questions(plan)) {
    if (performance.now() - start > plan.milliseconds || asked >= plan.maxRuns || outcomes.size >= MAX_SHOWN) break;
    plan.progress(`differential: ${++asked}`);
    const answers: { readonly name: string; readonly answer: Answer }[] = [];
    for (const [i, session] of sessions.entries()) {
      const name = names[i] ?? '';
      const answer = await session.ask(question.request);
      if (answer.ok) {
        answers.push({ name, answer: answer.value });
        continue;
      }
      const { sentence } = answer.fault;
      const fault: CaseOutcome = { ...head(question, start), outcome: 'error', detail: `${name}: ${sentence}` };
      if (!hasNoVerdict(answer.fault)) return [...outcomes.values(), fault];
      if (!outcomes.has(`${name} ${sentence}`)) outcomes.set(`${name} ${sentence}`, fault);
    }
    const detail = disagreement(answers, question.scored);
    if (detail === undefined || outcomes.has(detail)) continue;
    outcomes.set(detail, { ...head(question, start), outcome: question.required ? 'fail' : 'reported', detail });
  }
  if (outcomes.size > 0) return [...outcomes.values()];
  const title = `${names.join(', ')} agree on ${counted(asked, 'license', 'licenses')}`;
  return [
    {
      part: 'differential',
      id: 'differential/agree',
      title,
      clause: [],
      outcome: asked > 0 ? 'pass' : 'skipped',
      milliseconds: performance.now() - start,
    },
  ];
}

/** Two that have the same name, such as two builds of one verifier, get a number. */
function distinctNames(sessions: readonly Session[]): readonly string[] {
  const names = sessions.map(({ hello }) => hello.name);
  return names.map((name, i) => (names.indexOf(name) === names.lastIndexOf(name) ? name : `${name} (${i + 1})`));
}

function head({ id, words }: Question, start: number): Omit<CaseOutcome, 'outcome'> {
  const milliseconds = performance.now() - start;
  return { part: 'differential', id: `differential/${id}`, title: cleanText(words, 300), clause: [], milliseconds };
}

/** The gray cases of the vectors first: there verifiers may disagree, and their authors want to know. */
function* questions({ vectors, only, seed }: DifferentialPlan): Generator<Question> {
  for (const { id, title, profile, steps } of (vectors?.cases ?? []).filter((one) => one.id.startsWith(only)))
    for (const { request } of steps)
      if (request.op === 'verify') yield { id, words: title, request, scored: false, required: profile === 'required' };
  let number = 0;
  for (const generated of everyChange(seed)) yield questionOf(generated, ++number);
  for (let round = 0; ; round++)
    for (const generated of fc.sample(generatedLicense, { seed: seed + round, numRuns: 100 }))
      yield questionOf(generated, ++number);
}

function questionOf(generated: Parameters<typeof prepareLicense>[0], number: number): Question {
  const { license, trust, context, words, scored } = prepareLicense(generated);
  return {
    id: `generated-${number}`,
    words,
    request: { op: 'verify', license, trust, context },
    scored,
    required: true,
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
