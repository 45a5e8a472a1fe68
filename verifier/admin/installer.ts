/**
 * One installation that an operator asked for: the token of the preview, the step-up for its digest, the audit log, the
 * license, and the audit log again, in this order. Installations of one page run one after another.
 */
import { createHash } from 'node:crypto';
import type { InstallResult, LicenseFacts, LicenseView, LiveLicense } from '../runtime/index.ts';
import type { AuditEntry, CheckedOptions, Operator } from './options.ts';
import { digestOf } from './pasted.ts';
import { sameText, type SealedTokens } from './sealed-tokens.ts';

export interface Installation {
  readonly operator: Operator;
  readonly request: Request;
  /** What would be installed. */
  readonly text: string;
  readonly token: string;
  /** `baseOf` what the preview showed. */
  readonly base: string;
  readonly proof: string;
}

/**
 * `forged`, `expired`, `used`: the token; `unknown_use`: whether it was used cannot be found out. `changed`: not what
 * the preview showed is here now.
 */
export type Installed =
  | { readonly kind: 'forged' | 'expired' | 'used' | 'unknown_use' | 'changed' | 'not_confirmed' | 'not_recorded' }
  | { readonly kind: 'failed'; readonly isRecorded: boolean }
  | {
      readonly kind: 'finished';
      readonly result: InstallResult;
      /** Whether the audit log took the second entry. */
      readonly isRecorded: boolean;
      readonly next: LicenseFacts | undefined;
    };

const PREVIEW_SECONDS = 15 * 60;

export class Installer {
  readonly #license: LiveLicense;
  readonly #options: CheckedOptions;
  readonly #tokens: SealedTokens;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(license: LiveLicense, options: CheckedOptions, tokens: SealedTokens) {
    this.#license = license;
    this.#options = options;
    this.#tokens = tokens;
  }

  /** The token of a preview: for this operator, this text, and what is here now. */
  token(operator: Operator, text: string, base: string): string {
    return this.#tokens.make(sealedParts(operator, digestOf(text), base), PREVIEW_SECONDS);
  }

  async install(asked: Installation): Promise<Installed> {
    const { operator, request, text, token, base, proof } = asked;
    const digest = digestOf(text);
    const fault = this.#tokens.check(token, sealedParts(operator, digest, base));
    if (fault !== undefined) return { kind: fault };
    if (base !== baseOf(this.#license.view())) return { kind: 'changed' };
    if (!(await this.#isConfirmed({ operator, digest, proof, request }))) {
      await this.#record(this.#entry('not_confirmed', operator, digest));
      return { kind: 'not_confirmed' };
    }
    return this.#exclusive(() => this.#installConfirmed(asked, digest));
  }

  async #installConfirmed({ operator, text, token, base }: Installation, digest: string): Promise<Installed> {
    // While this one waited, another one may have been installed, or this one a first time.
    const fault = this.#tokens.check(token, sealedParts(operator, digest, base));
    if (fault !== undefined) return { kind: fault };
    const before = this.#license.view();
    if (base !== baseOf(before)) return { kind: 'changed' };
    const isUnused = await this.#isUnusedAnywhere(token);
    if (isUnused === undefined) return { kind: 'unknown_use' };
    if (!isUnused || !this.#tokens.use(token)) return { kind: 'used' };
    const preview = await this.#license.preview(text);
    const next = preview.ok ? preview.license : undefined;
    const entry = {
      ...this.#entry('before', operator, digest),
      ...(next === undefined ? {} : { license: next }),
      ...(preview.ok && preview.keysetVersion !== undefined ? { keysetVersion: preview.keysetVersion } : {}),
      ...(before.license === undefined ? {} : { previous: before.license }),
    };
    if (!(await this.#record(entry))) return { kind: 'not_recorded' };
    let result: InstallResult;
    try {
      result = preview.ok ? await this.#license.install(text) : preview;
    } catch {
      const failed = { ...entry, phase: 'after', at: this.#options.clock(), result: 'failed' } as const;
      return { kind: 'failed', isRecorded: await this.#record(failed) };
    }
    const outcome = result.ok ? result.outcome : result.refusal.code;
    const isRecorded = await this.#record({ ...entry, phase: 'after', at: this.#options.clock(), result: outcome });
    return { kind: 'finished', result, isRecorded, next };
  }

  /** @returns undefined where the product cannot say it */
  async #isUnusedAnywhere(token: string): Promise<boolean | undefined> {
    const { usedTokens } = this.#options;
    const name = this.#tokens.nameOf(token);
    if (usedTokens === undefined || name === undefined) return name !== undefined;
    try {
      const isFirst: unknown = await usedTokens.use(name.id, name.until);
      return typeof isFirst === 'boolean' ? isFirst : undefined;
    } catch {
      return undefined;
    }
  }

  /** An error of the product confirms nothing. */
  async #isConfirmed(asked: Parameters<CheckedOptions['stepUp']>[0]): Promise<boolean> {
    try {
      const confirmed = await this.#options.stepUp(asked);
      return typeof confirmed === 'string' && sameText(confirmed, asked.digest);
    } catch {
      return false;
    }
  }

  #entry(phase: AuditEntry['phase'], operator: Operator, digest: string): AuditEntry {
    return { phase, operator: { name: operator.name }, digest, at: this.#options.clock() };
  }

  async #record(entry: AuditEntry): Promise<boolean> {
    try {
      await this.#options.audit(Object.freeze(entry));
      return true;
    } catch {
      return false;
    }
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#queue.then(work);
    this.#queue = run.catch(() => undefined);
    return run;
  }
}

function sealedParts({ session }: Operator, digest: string, base: string): readonly string[] {
  return ['install', session, digest, base];
}

/** What a preview compares with: another value once anything was installed since, here or by another process. */
export function baseOf({ license, waiting, entitlements, keysetVersion }: LicenseView): string {
  const parts = [license?.id, license?.counter, waiting?.id, waiting?.counter, entitlements?.source, keysetVersion];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
