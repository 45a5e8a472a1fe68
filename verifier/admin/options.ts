/** What a product gives to the admin page, checked. */
import { VtlicError } from '../../formats/error.ts';
import type { InstallOutcome, LicenseFacts, NoticeCode } from '../runtime/index.ts';
import { Texts, type Translation } from './texts.ts';

/** The person who uses the page. */
export interface Operator {
  /** Shown on the page, and given to the audit log. */
  readonly name: string;
  /**
   * The session, as a text that nobody else can have: a session id, or the user's id where there are no sessions. The
   * forms of the page are good for this session only. It is not shown.
   */
  readonly session: string;
}

export interface StepUpRequest {
  readonly operator: Operator;
  /** Of what would be installed: SHA-256, lower-case hex. */
  readonly digest: string;
  /** What the operator typed into the field; empty without a field. */
  readonly proof: string;
  readonly request: Request;
}

export interface AuditEntry {
  /** `not_confirmed`: the step-up failed, and nothing was installed. */
  readonly phase: 'before' | 'after' | 'not_confirmed';
  /** Without the session, which is no matter of a log. */
  readonly operator: Pick<Operator, 'name'>;
  /** Of what is installed: SHA-256, lower-case hex. */
  readonly digest: string;
  /** Seconds since 1970. */
  readonly at: number;
  /** The license that would come into force; absent where only keysets are installed. */
  readonly license?: LicenseFacts;
  /** The license that was here before. */
  readonly previous?: LicenseFacts;
  /** The version of the keysets that would count; absent where none were pasted. */
  readonly keysetVersion?: number;
  /** In the phase `after`: the result. `failed`: the installation ended with an error of the program. */
  readonly result?: InstallOutcome | NoticeCode | 'failed';
}

export interface UsedTokens {
  /**
   * Notes that a token is used, durably, before the installation begins. An error means that it is not known, and
   * installs nothing.
   *
   * @param id 32 lower-case hex digits
   * @param until seconds since 1970: it may be forgotten after that
   * @returns true for exactly one caller of each id, whichever process asks
   */
  use(id: string, until: number): Promise<boolean> | boolean;
}

export interface AdminOptions extends Translation {
  /**
   * Who may use the page: asked first, for every request. Undefined: this request is refused. A `Response`, such as a
   * redirect to the login, is answered as it is.
   */
  readonly authorize: (request: Request) => Promise<Operator | Response | undefined> | Operator | Response | undefined;
  /**
   * Asked before an installation: whether this person, now, wants exactly this. It returns the digest that the operator
   * confirmed; any other value installs nothing. Attempts are the product's to limit.
   */
  readonly stepUp: (asked: StepUpRequest) => Promise<string | undefined> | string | undefined;
  /** The field for `proof` on the page. Default `password`. */
  readonly stepUpField?: 'password' | 'code' | 'none';
  /** Called before and after every installation. An error of the first call prevents the installation. */
  readonly audit: (entry: AuditEntry) => Promise<void> | void;
  /** How many seats are used now. */
  readonly seatsUsed?: () => Promise<number> | number;
  /** The origin, or the origins, under which browsers see the page: `https://vaultdesk.example:8443`. */
  readonly origin: string | readonly string[];
  /**
   * At least 32 bytes, the same in all replicas that one address leads to, so that a preview by one can be confirmed by
   * another. Default: random, for one process.
   */
  readonly secret?: Uint8Array;
  /**
   * Which previews were used, for all replicas and over restarts. Only with `secret`: without it, a token is good for
   * one process, which remembers what it used. `postgresTokens` is one.
   */
  readonly usedTokens?: UsedTokens;
  /** How long the body of a request may take. Default 10. */
  readonly bodySeconds?: number;
  /** How long each of `authorize`, `stepUp`, `audit`, `seatsUsed` and `usedTokens` may take. Default 30. */
  readonly callSeconds?: number;
  /** For tests: seconds since 1970. */
  readonly clock?: () => number;
}

export interface CheckedOptions extends Omit<AdminOptions, 'origin'> {
  readonly origins: ReadonlySet<string>;
  readonly stepUpField: 'password' | 'code' | 'none';
  readonly bodySeconds: number;
  readonly callSeconds: number;
  readonly clock: () => number;
  readonly words: Texts;
}

/** As long as the output of HMAC-SHA-256 (RFC 2104 §3). */
export const MIN_SECRET_BYTES = 32;

/** @throws VtlicError `usage` naming the option */
export function checkOptions(given: AdminOptions): CheckedOptions {
  for (const name of ['authorize', 'stepUp', 'audit'] as const)
    if (typeof given[name] !== 'function') throw misuse(name, 'is required, and should be a function');
  for (const name of ['seatsUsed', 'clock'] as const)
    if (given[name] !== undefined && typeof given[name] !== 'function') throw misuse(name, 'should be a function');
  const { stepUpField = 'password', bodySeconds = 10, callSeconds = 30, secret, usedTokens } = given;
  if (!['password', 'code', 'none'].includes(stepUpField))
    throw misuse('stepUpField', 'should be "password", "code" or "none"');
  for (const [name, seconds] of Object.entries({ bodySeconds, callSeconds }))
    if (!Number.isFinite(seconds) || seconds <= 0 || seconds > 3600)
      throw misuse(name, 'should be a number of seconds above 0, at most 3600');
  if (secret !== undefined && !(secret instanceof Uint8Array && secret.length >= MIN_SECRET_BYTES))
    throw misuse('secret', `should be at least ${MIN_SECRET_BYTES} bytes`);
  if (usedTokens !== undefined && typeof (usedTokens as Partial<UsedTokens>).use !== 'function')
    throw misuse('usedTokens', 'should have a function use(id, until)');
  if (usedTokens !== undefined && secret === undefined)
    throw misuse('usedTokens', 'has a purpose only with the option secret');
  const { authorize, stepUp, audit, seatsUsed } = given;
  return {
    ...given,
    authorize: (request) => within(callSeconds, () => authorize(request)),
    stepUp: (asked) => within(callSeconds, () => stepUp(asked)),
    audit: (entry) => within(callSeconds, () => audit(entry)),
    ...(seatsUsed === undefined ? {} : { seatsUsed: () => within(callSeconds, () => seatsUsed()) }),
    ...(usedTokens === undefined
      ? {}
      : { usedTokens: { use: (id: string, until: number) => within(callSeconds, () => usedTokens.use(id, until)) } }),
    origins: checkOrigins(given.origin),
    stepUpField,
    bodySeconds,
    callSeconds,
    clock: given.clock ?? (() => Date.now() / 1000),
    words: new Texts(given),
  };
}

/** A function of the product that does not answer in time counts as one that failed. */
async function within<T>(seconds: number, call: () => Promise<T> | T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${seconds} seconds`));
    }, seconds * 1000);
  });
  try {
    // A call that throws at once is a promise that rejects.
    return await Promise.race([(async () => call())(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function checkOrigins(given: unknown): ReadonlySet<string> {
  const all: readonly unknown[] = Array.isArray(given) ? given : [given];
  const isOrigin = (text: unknown): boolean =>
    typeof text === 'string' && /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
  if (all.length === 0 || !all.every(isOrigin))
    throw misuse('origin', 'is required, and should be like "https://vaultdesk.example:8443", without a path');
  return new Set(all as readonly string[]);
}

function misuse(field: string, fault: string): VtlicError {
  return new VtlicError('usage', `the option ${field} ${fault}`, { field });
}
