/** Why a step is done although it comes too early: the reasons of a person or of a plan, and the days of the plan. */
import { formatDay } from '../../formats/dates.ts';
import { VtlicError } from '../../formats/error.ts';
import type { Keyset } from '../../formats/keyset/keyset.ts';
import { statusChanges } from '../keyset/changes.ts';
import { countedCustomers, type EarlyStep } from '../keyset/draft.ts';
import type { EarlyFinding } from './early.ts';
import type { PlannedStep, RotationPlan } from './plan.ts';

export interface PlannedChange {
  readonly before: Keyset | undefined;
  readonly after: Keyset;
  /** Seconds since 1970. */
  readonly now: number;
}

/** The reasons for the findings, from a plan: those whose step it names as early, for as many customers as it says. */
export function reasonsFromPlan(
  findings: readonly EarlyFinding[],
  plan: RotationPlan,
  change: PlannedChange,
): readonly EarlyStep[] {
  return stepsOf(findings).flatMap((found): EarlyStep[] =>
    stepsDone(found, plan, change).flatMap((planned): EarlyStep[] => {
      if (planned.early === undefined) return [];
      const { customers: _found, ...rest } = found;
      const customers = Math.min(found.customers ?? 0, planned.early.customers ?? 0);
      const { releases, reason } = planned.early;
      return [{ ...rest, releases, ...(customers === 0 ? {} : { customers }), reason }];
    }),
  );
}

/**
 * The steps of a plan that a draft does: of a key, the last one whose day has come; of the policy, those that say what
 * the draft changes. A plan may name a step of the same kind again, for another day or with another reason.
 */
function stepsDone(
  { step, kid }: Pick<EarlyStep, 'step' | 'kid'>,
  { steps }: RotationPlan,
  { before, after, now }: PlannedChange,
): readonly PlannedStep[] {
  const due = steps.filter((planned) => planned.step === step && planned.kid === kid && planned.on <= now);
  if (step !== 'policy') return due.slice(-1);
  const { requireComposite, ed25519Until } = policyChange(before, after);
  return due.filter(
    (planned) =>
      (requireComposite && planned.requireComposite === true) ||
      (ed25519Until !== undefined && planned.ed25519Until === ed25519Until),
  );
}

/** The same reason for every finding. */
export function reasonsFromWord(findings: readonly EarlyFinding[], reason: string): readonly EarlyStep[] {
  return stepsOf(findings).map((found) => ({ ...found, reason }));
}

/** Each step once, with all releases and customers of its findings. */
function stepsOf(findings: readonly EarlyFinding[]): readonly Omit<EarlyStep, 'reason'>[] {
  const steps = new Map<string, Omit<EarlyStep, 'reason'>>();
  for (const { step, kid, releases, customers = 0 } of findings) {
    const name = `${step} ${kid ?? ''}`;
    const known = steps.get(name);
    const all = (known?.customers ?? 0) + customers;
    steps.set(name, {
      step,
      ...(kid === undefined ? {} : { kid }),
      releases: [...new Set([...(known?.releases ?? []), ...releases])],
      ...(all === 0 ? {} : { customers: all }),
    });
  }
  return [...steps.values()];
}

/** @throws VtlicError `policy_refused` for the first finding without a reason that names its releases and customers */
export function requireReasons(findings: readonly EarlyFinding[], reasons: readonly EarlyStep[]): void {
  for (const finding of findings) {
    const { releases: behind, customers: lost = 0 } = finding;
    const given = reasons.filter(({ step, kid }) => step === finding.step && kid === finding.kid);
    const isGiven = given.some(
      ({ releases, customers = 0 }) => behind.every((name) => releases.includes(name)) && lost <= customers,
    );
    if (isGiven) continue;
    const wait = finding.readyAt === undefined ? '' : `wait until ${formatDay(finding.readyAt)}; or `;
    const instead = finding.hint === undefined ? '' : `${finding.hint}; or `;
    throw new VtlicError('policy_refused', `too early ${finding.sentence}${tooFew(lost, given)}`, {
      hint:
        `${wait}${instead}say why it is done nevertheless, in the plan or by --early REASON: ` +
        'the reason stays on record',
    });
  }
}

/** Says which releases or customers the given reasons are for, since they do not suffice. */
function tooFew(lost: number, given: readonly EarlyStep[]): string {
  if (given.length === 0) return '';
  const most = given.reduce((highest, { customers = 0 }) => Math.max(highest, customers), 0);
  if (lost > most) return `; the reason given is for ${countedCustomers(most)}`;
  return `; the reason given is only for ${given.flatMap(({ releases }) => releases).join(', ') || 'no release'}`;
}

/** @throws VtlicError `policy_refused` for a step that a plan has for a later day, or does not have */
export function requirePlannedDay(before: Keyset | undefined, after: Keyset, plan: RotationPlan, now: number): void {
  for (const { kid, from, to } of statusChanges(before, after)) {
    const step = STEP_OF[to];
    const planned = plan.steps.filter((candidate) => candidate.step === step && candidate.kid === kid);
    requirePlanned(planned, now, `to ${step} the key ${kid}`, ` (${from ?? 'new'} → ${to})`);
  }
  const { requireComposite, ed25519Until } = policyChange(before, after);
  const policies = plan.steps.filter(({ step }) => step === 'policy');
  if (requireComposite)
    requirePlanned(
      policies.filter((step) => step.requireComposite === true),
      now,
      'for the policy that composite is required',
    );
  if (ed25519Until !== undefined)
    requirePlanned(
      policies.filter((step) => step.ed25519Until === ed25519Until),
      now,
      `for the policy of no Ed25519 from ${formatDay(ed25519Until)} on`,
    );
}

function requirePlanned(planned: readonly PlannedStep[], now: number, what: string, change = ''): void {
  if (planned.some(({ on }) => on <= now)) return;
  const [first] = planned;
  throw new VtlicError(
    'policy_refused',
    first === undefined
      ? `the plan has no step ${what}${change}`
      : `the plan has the step ${what} on ${formatDay(first.on)}, which is still to come`,
    {
      hint:
        first === undefined ? 'change the plan first, or leave --plan out' : 'wait for that day, or change the plan',
    },
  );
}

const STEP_OF = {
  'pre-published': 'pre-publish',
  active: 'activate',
  retired: 'retire',
  revoked: 'revoke',
} as const;

/** What a version changes in the policy. */
function policyChange(before: Keyset | undefined, after: Keyset): Pick<Keyset, 'requireComposite' | 'ed25519Until'> {
  const { ed25519Until } = after;
  return {
    requireComposite: after.requireComposite && before?.requireComposite !== true,
    ...(ed25519Until === undefined || before?.ed25519Until === ed25519Until ? {} : { ed25519Until }),
  };
}
