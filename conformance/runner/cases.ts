/** The published cases, and those that the runner wrote itself, as requests with the answers that are expected. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeFileError } from '../../files/index.ts';
import { VtlicError } from '../../formats/error.ts';
import type { PlainContext } from '../examples/plain-values.ts';
import {
  faultOfMembers,
  faultOfRequest,
  isObject,
  isOperation,
  type Answer,
  type Request,
  type WireTrust,
} from '../protocol/protocol.ts';
import type { Case, CaseTrust, CaseVerdict, FileInput, Misuse } from '../vectors/case.ts';
import { bytesOfInput, readCases } from '../vectors/files.ts';
import { historySteps } from './history-steps.ts';

export interface RunnerStep {
  readonly request: Request;
  readonly expected: Answer;
  readonly words?: string;
}

export interface RunnerCase {
  readonly id: string;
  readonly title: string;
  readonly clause: readonly string[];
  /** `gray…`: reported, and never required. */
  readonly profile: string;
  readonly forgets?: string;
  /** Whether reasons are compared. */
  readonly scored: boolean;
  /** Why this runner cannot run it; the steps are empty then. */
  readonly notRunnable?: string;
  readonly steps: readonly RunnerStep[];
}

export interface Vectors {
  readonly version: string;
  readonly cases: readonly RunnerCase[];
}

/**
 * @returns the cases in the order of their sections
 * @throws VtlicError `file_unreadable` for a folder that is not as it was published
 */
export function readVectors(folder: string): Vectors {
  try {
    const cases = readCases(folder).map(({ value, files }) => runnerCase(value, (input) => bytesOfInput(input, files)));
    const { version } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as { readonly version: string };
    return { version, cases: cases.toSorted((a, b) => compareSections(a.clause[0] ?? '', b.clause[0] ?? '')) };
  } catch (error) {
    throw unreadable(folder, error);
  }
}

const DOCUMENTS = ['format', 'keysets', 'runtime'];

/** In the order of the documents: a verifier that is wrong in an early section fails cases of later ones, too. */
function compareSections(a: string, b: string): number {
  const documentOf = (clause: string): number => DOCUMENTS.indexOf(clause.slice(0, clause.indexOf('.')));
  return documentOf(a) - documentOf(b) || a.localeCompare(b, 'en', { numeric: true });
}

function unreadable(folder: string, error: unknown): VtlicError {
  if (!existsSync(join(folder, 'manifest.json')))
    return new VtlicError('file_unreadable', `${folder} has no manifest.json, so it is not a folder of vectors`, {
      hint: 'Name the folder vectors/v1 with --vectors, or leave the option out.',
    });
  const message =
    error instanceof SyntaxError ? `a file in it is not JSON: ${error.message}` : (error as Error).message;
  return new VtlicError('file_unreadable', `the vectors in ${folder} cannot be used: ${message}`, {
    hint: 'Unpack the published vectors again, or use a vtlic-conform that knows them.',
    cause: error,
  });
}

type Base64Of = (input: FileInput) => string;

function runnerCase(value: Case, bytesOf: (input: FileInput) => Uint8Array): RunnerCase {
  const head = {
    id: value.id,
    title: value.title,
    clause: value.clause,
    profile: value.profile,
    ...(value.forgets === undefined ? {} : { forgets: value.forgets }),
  };
  if (value.operation === 'history') {
    const trust = value.trust === undefined ? undefined : wireTrust(value.trust);
    const made = historySteps(value, trust, bytesOf);
    return {
      ...head,
      scored: true,
      ...(made.ok ? { steps: checked(value.id, made.steps) } : { steps: [], notRunnable: made.why }),
    };
  }
  const { expected } = value;
  const scored = !('scored' in expected) || expected.scored === 'reason';
  const base64: Base64Of = (input) => Buffer.from(bytesOf(input)).toString('base64');
  return { ...head, scored, steps: checked(value.id, [stepOf(value, base64)]) };
}

/** @throws Error that names a member of another type, in a case that somebody else wrote */
function checked(id: string, steps: readonly RunnerStep[]): readonly RunnerStep[] {
  const fault = isTooDeep(steps) ? 'it is nested too deeply' : faultOfSteps(steps);
  if (fault !== undefined) throw new Error(`${id}: ${fault}`);
  return steps;
}

function stepOf(value: Exclude<Case, { operation: 'history' }>, base64: Base64Of): RunnerStep {
  switch (value.operation) {
    case 'verify':
      return {
        request: {
          op: 'verify',
          license: base64(value.license),
          trust: wireTrust(value.trust),
          context: value.context,
        },
        expected: answerOf(value.expected),
      };
    case 'trust':
      // A file of no bytes: whether the trust is taken shows before anything in the file is looked at.
      return {
        request: { op: 'verify', license: '', trust: wireTrust(value.trust), context: ANY_CONTEXT },
        expected:
          value.expected.verdict === 'accepted'
            ? { verdict: 'refused', layer: 'armor', reason: 'armor_malformed' }
            : { verdict: 'configuration_invalid' },
      };
    case 'key-file':
      return {
        request: { op: 'read-keys', file: base64(value.keyFile) },
        expected:
          value.expected.verdict === 'accepted'
            ? {
                keys: value.expected.kids.map((kid) => ({
                  alg: undefined,
                  kid,
                  purpose: undefined,
                  status: undefined,
                })),
              }
            : { verdict: 'refused', reason: value.expected.reason },
      };
    case 'override': {
      const { builtIn, variables, files = {}, license, context, expected } = value;
      return {
        request: {
          op: 'override',
          trust: wireTrust(builtIn),
          environment: variables,
          files: Object.fromEntries(Object.entries(files).map(([path, input]) => [path, base64(input)])),
          ...(license === undefined || context === undefined ? {} : { license: base64(license), context }),
        },
        expected:
          expected.verdict === 'accepted'
            ? {
                keys: expected.trust.keys.map(({ kid, purpose, status }) => ({ alg: undefined, kid, purpose, status })),
                requireComposite: expected.trust.requireComposite ?? false,
                ...(expected.license === undefined ? {} : answerOf(expected.license)),
              }
            : { verdict: 'configuration_invalid' },
      };
    }
    default: {
      const { issuer, requireComposite, builtIn, state, keyset, license, context, expected } = value;
      return {
        request: {
          op: 'choose-keyset',
          issuer,
          builtIn: base64(builtIn),
          ...(state === undefined ? {} : { state: state.map(base64) }),
          ...(keyset === undefined ? {} : { file: base64(keyset) }),
          ...(requireComposite === undefined ? {} : { requireComposite }),
          ...(license === undefined || context === undefined ? {} : { license: base64(license), context }),
        },
        expected:
          expected.verdict === 'accepted'
            ? {
                version: expected.version,
                source: expected.source,
                notices: expected.notices,
                ...(expected.license === undefined ? {} : answerOf(expected.license)),
              }
            : { verdict: 'configuration_invalid' },
      };
    }
  }
}

const ANY_CONTEXT: PlainContext = {
  issuer: 'example-vendor',
  product: 'vaultdesk',
  now: 1_800_000_000,
  defaultGrace: 0,
};

function answerOf(expected: CaseVerdict | Misuse): Answer {
  if (expected.verdict === 'misuse') return { verdict: 'misuse' };
  if (expected.verdict === 'accepted') return { verdict: 'accepted', state: expected.state };
  const { layer, reason } = expected;
  return { verdict: 'refused', reason, ...(layer === undefined ? {} : { layer }) };
}

function wireTrust({ keys, ...policy }: CaseTrust): WireTrust {
  return {
    keys: keys.map(({ publicKey, ...key }) => ({ ...key, public: Buffer.from(publicKey, 'hex').toString('base64') })),
    ...policy,
  };
}

export const FOUND_SCHEMA = 'vtlic-found/1';

/** A case that the runner wrote when it found a mistake: `found.json`, with the requests and the expected answers. */
export interface FoundCase extends Omit<RunnerCase, 'notRunnable' | 'clause' | 'profile'> {
  readonly schema: typeof FOUND_SCHEMA;
  readonly got: string;
}

/** @throws VtlicError `file_unreadable` */
export function readFound(folder: string): RunnerCase {
  const path = join(folder, 'found.json');
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const { message } = describeFileError(error, 'file_unreadable', path);
    throw new VtlicError('file_unreadable', `cannot read the case ${path}: ${message}`, {
      hint: 'Name a folder that vtlic-conform wrote, with found.json in it.',
      cause: error,
    });
  }
  const fault = faultOfFound(value);
  if (fault !== undefined)
    throw new VtlicError('file_unreadable', `${path} is not a case that can be replayed: ${fault}`, {
      hint: 'Use the file as it was written, by the vtlic-conform that wrote it.',
    });
  const { id, title, scored, steps } = value as FoundCase;
  return { id, title, clause: [], profile: 'required', scored, steps };
}

/** Somebody may have edited the file, or received it from somebody else. */
function faultOfFound(value: unknown): string | undefined {
  if (!isObject(value) || value['schema'] !== FOUND_SCHEMA) return `its schema is not ${FOUND_SCHEMA}`;
  if (isTooDeep(value)) return 'it is nested too deeply';
  const { id, title, scored, steps } = value;
  if (typeof id !== 'string' || !/^[\w./-]+$/.test(id)) return 'it has no id, such as found/history-1-1';
  if (typeof title !== 'string') return 'it has no title';
  if (typeof scored !== 'boolean') return 'its member scored is not true or false';
  return Array.isArray(steps) && steps.length > 0 ? faultOfSteps(steps) : 'it has no steps';
}

function faultOfSteps(steps: readonly unknown[]): string | undefined {
  for (const [i, step] of steps.entries()) {
    const { request, expected } = isObject(step) ? step : {};
    if (!isObject(request) || !isOperation(request['op'])) return `its step ${i + 1} has no request of the protocol`;
    if ('id' in request) return `the request of its step ${i + 1} has an id, which the runner gives`;
    const wrong = faultOfRequest(request['op'], request);
    if (wrong !== undefined) return `in the request of its step ${i + 1}, ${wrong}`;
    if (!isObject(expected)) return `its step ${i + 1} has no expected answer`;
    const fault = faultOfMembers(request['op'], expected);
    if (fault !== undefined) return `in what its step ${i + 1} expects, ${fault}`;
  }
  return undefined;
}

/** JSON.parse reads what is nested deeper than JSON.stringify can write to a verifier. */
const MAX_DEPTH = 64;

function isTooDeep(value: unknown, left = MAX_DEPTH): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return left === 0 || Object.values(value).some((one) => isTooDeep(one, left - 1));
}
