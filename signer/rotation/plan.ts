/**
 * A rotation plan: which step is done on which day, for which key, and why a step may come too early. People agree on
 * it beforehand; the commands take the reasons from it, and `early` names the releases that a step leaves behind.
 */
import { formatDay } from '../../formats/dates.ts';
import { VtlicError } from '../../formats/error.ts';
import { type JsonObjectReader, readObject } from '../../formats/json/index.ts';
import { parseJsonFile, readLimited } from '../../files/index.ts';
import { MAX_COUNT } from '../../formats/license/bounds.ts';
import { type EarlyStep, KEYSET_STEPS, readReason, type KeysetStep } from '../keyset/draft.ts';
import { dateOf, type Release } from './releases.ts';

export const ROTATION_PLAN_SCHEMA = 'vtlic-rotation-plan/1';
const MAX_BYTES = 1 << 20;

export interface PlannedStep {
  /** Seconds since 1970. */
  readonly on: number;
  readonly step: KeysetStep;
  /** Of every step but that of the policy. */
  readonly kid?: string;
  /** Of the policy: from when on no Ed25519-only license is in force, or that composite is required. */
  readonly ed25519Until?: number;
  readonly requireComposite?: boolean;
  /**
   * The step comes before these releases are ready, or leaves so many customers without a license, and people accept
   * this.
   */
  readonly early?: Pick<EarlyStep, 'reason' | 'releases' | 'customers'>;
}

export interface RotationPlan {
  readonly issuer: string;
  /** In the order of their days. */
  readonly steps: readonly PlannedStep[];
}

export interface PlanContext {
  readonly issuer: string;
  readonly releases: readonly Release[];
  /** The kid of a key that the plan names, by its name in the site or by its kid. */
  readonly kidOfName: (name: string) => string | undefined;
}

export function readRotationPlan(file: string, context: PlanContext): RotationPlan {
  return parseRotationPlan(readLimited(file, MAX_BYTES, 'json_malformed'), file, context);
}

/** @throws VtlicError `request_invalid` or `json_malformed` with line and column */
export function parseRotationPlan(bytes: Uint8Array, file: string, context: PlanContext): RotationPlan {
  const root = readObject(parseJsonFile(bytes, file, MAX_BYTES), { code: 'request_invalid', file });
  const schema = root.required('schema');
  if (schema.string() !== ROTATION_PLAN_SCHEMA) throw schema.fault(`should be "${ROTATION_PLAN_SCHEMA}"`);
  root.optionalString('comment');
  const issuer = root.required('issuer');
  if (issuer.string() !== context.issuer)
    throw issuer.fault(`should be ${context.issuer}, the issuer of this site: the plan is another vendor's`);
  const steps = root.array('steps').map((value) => readStep(value.object(), context));
  root.end();
  for (const [i, step] of steps.entries()) {
    const before = steps[i - 1];
    if (before !== undefined && step.on < before.on)
      throw new VtlicError('request_invalid', 'the steps of the plan are not in the order of their days', {
        file,
        field: `steps[${i}].on`,
      });
  }
  return Object.freeze({ issuer: context.issuer, steps: Object.freeze(steps) });
}

function readStep(reader: JsonObjectReader, context: PlanContext): PlannedStep {
  const stepReader = reader.required('step');
  const text = stepReader.string();
  const step = KEYSET_STEPS.find((known) => known === text);
  if (step === undefined) throw stepReader.fault(`should be one of: ${KEYSET_STEPS.join(', ')}`);
  const early = reader.optionalObject('early');
  const planned: PlannedStep = {
    on: dateOf(reader.required('on'), false),
    step,
    ...(step === 'policy' ? readPolicy(reader) : { kid: readKey(reader, context) }),
    ...(early === undefined ? {} : { early: readPlannedEarly(early, context) }),
  };
  reader.optionalString('comment');
  reader.end();
  return Object.freeze(planned);
}

function readKey(reader: JsonObjectReader, { kidOfName }: PlanContext): string {
  const key = reader.required('key');
  const kid = kidOfName(key.string());
  if (kid === undefined) throw key.fault('names no key of this site, and none of a published keyset');
  return kid;
}

function readPolicy(reader: JsonObjectReader): Pick<PlannedStep, 'ed25519Until' | 'requireComposite'> {
  const until = reader.member('ed25519Until');
  const composite = reader.member('requireComposite')?.boolean() === true;
  if (until === undefined && !composite)
    throw reader.fault('should say "ed25519Until" or "requireComposite", since its step is "policy"');
  return {
    ...(until === undefined ? {} : { ed25519Until: dateOf(until, false) }),
    ...(composite ? { requireComposite: true } : {}),
  };
}

function readPlannedEarly(reader: JsonObjectReader, { releases }: PlanContext): NonNullable<PlannedStep['early']> {
  const names = reader.array('releases').map((value) => {
    const name = value.string();
    if (!releases.some((release) => release.name === name))
      throw value.fault(
        'is not a release that releases.json names',
        `Known are: ${releases.map((release) => release.name).join(', ') || 'none'}.`,
      );
    return name;
  });
  const customers = reader.optionalInteger('customers', { min: 1, max: MAX_COUNT });
  const early = {
    reason: readReason(reader.required('reason')),
    releases: Object.freeze(names),
    ...(customers === undefined ? {} : { customers }),
  };
  reader.end();
  return Object.freeze(early);
}

/** @param nameOfKey how people call a key; undefined: its kid is shown */
export function stepInWords(
  { step, kid = '', ed25519Until, requireComposite }: PlannedStep,
  nameOfKey: (kid: string) => string | undefined,
): string {
  if (step !== 'policy') return `${step} ${nameOfKey(kid) ?? `${kid.slice(0, 12)}…`}`;
  return [
    ...(requireComposite === true ? ['composite required'] : []),
    ...(ed25519Until === undefined ? [] : [`no Ed25519 from ${formatDay(ed25519Until)} on`]),
  ].join(', ');
}
