/**
 * A verifier with state as docs/conformance.md describes it, on the parts of the runtime: the state document is what is
 * durable, and each start reads it.
 */
import { indexOfTrust } from '../../../verifier/trust.ts';
import type { PlainInstallation } from '../../examples/plain-values.ts';
import { verify, type Trust, type Verdict, type VerifyContext } from '../../../verifier/index.ts';
import { advanceTime, effectiveTime, type TimeMarks } from '../../../verifier/runtime/effective-time.ts';
import { decodeState, encodeState } from '../../../verifier/runtime/state-document.ts';
import {
  EMPTY_STATE,
  seenOf,
  stateAfter,
  withTimeThatCounts,
  type RuntimeState,
} from '../../../verifier/runtime/state.ts';

export interface RestartOptions {
  readonly license?: Uint8Array;
  readonly clock?: number;
  readonly loseState?: boolean;
}

/** Members are protected, so that a mutant can be a subclass that lacks one rule. */
export class Installation {
  protected readonly context: PlainInstallation;
  protected trust: Trust;
  protected clock: number;
  protected state: RuntimeState = EMPTY_STATE;
  /** The state as it is on the disk. */
  protected disk: Uint8Array = encodeState(EMPTY_STATE);
  protected inPlace: Uint8Array | undefined;

  constructor(trust: Trust, context: PlainInstallation, clock: number) {
    this.trust = trust;
    this.context = context;
    this.clock = clock;
  }

  install(license: Uint8Array): Verdict {
    const verdict = this.judge(license);
    if (isInForce(verdict)) this.inPlace = license;
    this.take(verdict, license);
    return verdict;
  }

  setTime(clock: number, ran: number): Verdict | undefined {
    this.clock = clock;
    if (ran > 0) this.write({ ...this.state, time: this.advance(this.state.time, clock, ran) });
    return this.judgeAgain();
  }

  protected advance(marks: TimeMarks, clock: number, ran: number): TimeMarks {
    return advanceTime(marks, clock, ran);
  }

  rotate(trust: Trust): Verdict | undefined {
    this.trust = trust;
    return this.judgeAgain();
  }

  restart({ license, clock, loseState }: RestartOptions): Verdict | undefined {
    if (loseState === true) this.disk = encodeState(EMPTY_STATE);
    if (license !== undefined) this.inPlace = license;
    if (clock !== undefined) this.clock = clock;
    this.state = this.read();
    return this.judgeAgain();
  }

  protected read(): RuntimeState {
    const decoded = decodeState(this.disk);
    if (!decoded.ok) throw new Error('the state that was written cannot be read');
    return decoded.state;
  }

  protected write(state: RuntimeState): void {
    this.state = state;
    this.disk = encodeState(state);
  }

  protected judgeAgain(): Verdict | undefined {
    if (this.inPlace === undefined) return undefined;
    const verdict = this.judge(this.inPlace);
    this.take(verdict, this.inPlace);
    return verdict;
  }

  protected counts(kid: string, payloadDigest: string): boolean {
    const { byKid, honored } = indexOfTrust(this.trust);
    return byKid.get(kid)?.status !== 'revoked' || honored.get(kid)?.has(payloadDigest) === true;
  }

  protected situation(): VerifyContext {
    const seen = seenOf(this.state, (kid, digest) => this.counts(kid, digest));
    const now = effectiveTime(this.stateThatCounts().time.floor, seen?.highestIat ?? 0, this.clock, 0);
    return { ...this.context, now, clock: this.clock, ...(seen === undefined ? {} : { seen }) };
  }

  protected stateThatCounts(): RuntimeState {
    return withTimeThatCounts(this.state, (kid, digest) => this.counts(kid, digest));
  }

  protected judge(license: Uint8Array): Verdict {
    return verify(license, this.trust, this.situation());
  }

  protected take(verdict: Verdict, license: Uint8Array): void {
    if (verdict.ok && isInForce(verdict)) this.write(stateAfter(this.stateThatCounts(), verdict, license));
  }
}

export function isInForce(verdict: Verdict): boolean {
  return verdict.ok && (verdict.state === 'active' || verdict.state === 'grace');
}
