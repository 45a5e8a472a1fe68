/** Verifiers with state that each lack one rule of "A verifier with state" (docs/conformance.md). */
import { DAY_SECONDS } from '../../formats/license/bounds.ts';
import { verify, type Trust, type Verdict, type VerifyContext } from '../../verifier/index.ts';
import { isFarAhead, LEAD_RUN_SECONDS, NO_TIME, type TimeMarks } from '../../verifier/runtime/effective-time.ts';
import { EMPTY_STATE, type RuntimeState } from '../../verifier/runtime/state.ts';
import { Installation, isInForce, type RestartOptions } from '../harness/reference/installation.ts';

function withoutSeen({ seen: _seen, ...context }: VerifyContext): VerifyContext {
  return context;
}

class ForgetsAtRestart extends Installation {
  protected override read(): RuntimeState {
    return EMPTY_STATE;
  }
}

class AcceptsRollback extends Installation {
  protected override judge(license: Uint8Array): Verdict {
    const verdict = super.judge(license);
    return !verdict.ok && verdict.reason === 'counter_rolled_back'
      ? verify(license, this.trust, withoutSeen(this.situation()))
      : verdict;
  }
}

class AcceptsConflict extends Installation {
  protected override judge(license: Uint8Array): Verdict {
    const verdict = super.judge(license);
    return !verdict.ok && verdict.reason === 'counter_conflict'
      ? verify(license, this.trust, withoutSeen(this.situation()))
      : verdict;
  }
}

class ForgetsHighestIat extends Installation {
  protected override situation(): VerifyContext {
    const { seen, ...context } = super.situation();
    return seen === undefined ? context : { ...context, seen: { ...seen, highestIat: 0 } };
  }
}

class JudgesByTheClock extends Installation {
  protected override situation(): VerifyContext {
    return { ...super.situation(), now: this.clock };
  }
}

class TakesWhatIsNotInForce extends Installation {
  protected override take(verdict: Verdict, license: Uint8Array): void {
    super.take(verdict.ok && !isInForce(verdict) ? { ...verdict, state: 'active' } : verdict, license);
  }
}

class TakesNoGrace extends Installation {
  protected override take(verdict: Verdict, license: Uint8Array): void {
    if (verdict.ok && verdict.state === 'active') super.take(verdict, license);
  }
}

class CountsRevokedKeys extends Installation {
  protected override counts(): boolean {
    return true;
  }
}

class ForgetsHonored extends Installation {
  protected override counts(kid: string): boolean {
    return super.counts(kid, '');
  }
}

class ForgetsOtherLineages extends Installation {
  protected override take(verdict: Verdict, license: Uint8Array): void {
    super.take(verdict, license);
    if (verdict.ok && isInForce(verdict))
      this.write({ ...this.state, entries: this.state.entries.filter(({ lineage }) => lineage === verdict.lineage) });
  }
}

class KeepsTheFirstKeys extends Installation {
  override rotate(_trust: Trust): Verdict | undefined {
    return this.judgeAgain();
  }
}

class KeepsHighestIatAfterClk extends Installation {
  protected override take(verdict: Verdict, license: Uint8Array): void {
    super.take(verdict.ok ? { ...verdict, resetsClock: false } : verdict, license);
  }
}

class PutsRefusedFilesInPlace extends Installation {
  override install(license: Uint8Array): Verdict {
    const verdict = super.install(license);
    this.inPlace = license;
    return verdict;
  }
}

class DoesNotJudgeAgain extends Installation {
  #last: Verdict | undefined;

  override setTime(clock: number, ran: number): Verdict | undefined {
    super.setTime(clock, ran);
    return this.#last;
  }

  protected override judge(license: Uint8Array): Verdict {
    this.#last ??= super.judge(license);
    return super.judge(license);
  }
}

class MovesTheFloorAtOnce extends Installation {
  override setTime(clock: number, ran: number): Verdict | undefined {
    this.write({ ...this.state, time: { ...this.state.time, floor: Math.max(this.state.time.floor, clock) } });
    return super.setTime(clock, ran);
  }
}

class KeepsTheFloorBehind extends Installation {
  protected override advance(marks: TimeMarks, clock: number, ran: number): TimeMarks {
    return isFarAhead(marks.floor, clock, ran)
      ? { ...NO_TIME, floor: marks.floor + ran }
      : super.advance(marks, clock, ran);
  }
}

/** Two days of running are enough for it. */
class MovesTheFloorEarly extends Installation {
  protected override advance(marks: TimeMarks, clock: number, ran: number): TimeMarks {
    const next = super.advance(marks, clock, ran);
    if (next.leadRun < LEAD_RUN_SECONDS - DAY_SECONDS) return next;
    return { ...NO_TIME, floor: Math.max(next.floor, next.leadTime) };
  }
}

class DistrustsAWholeDay extends Installation {
  protected override advance(marks: TimeMarks, clock: number, ran: number): TimeMarks {
    const isDayAhead = clock - (marks.floor + ran) === DAY_SECONDS;
    // A second more is a lead, and its time is the clock all the same.
    return super.advance(marks, isDayAhead ? clock + 1 : clock, ran);
  }
}

class TrustsASecondMore extends Installation {
  protected override advance(marks: TimeMarks, clock: number, ran: number): TimeMarks {
    const isSecondMore = clock - (marks.floor + ran) === DAY_SECONDS + 1;
    return super.advance(marks, isSecondMore ? clock - 1 : clock, ran);
  }
}

class ForgetsTheHoursAtRestart extends Installation {
  protected override read(): RuntimeState {
    const state = super.read();
    return { ...state, time: { ...NO_TIME, floor: state.time.floor } };
  }
}

class NeverBeginsTheCountAgain extends Installation {
  protected override advance(marks: TimeMarks, clock: number, ran: number): TimeMarks {
    const next = super.advance(marks, clock, ran);
    return isFarAhead(marks.floor, clock, ran) ? next : { ...marks, floor: next.floor };
  }
}

class TakesTheLastTimeOfALead extends Installation {
  protected override advance(marks: TimeMarks, clock: number, ran: number): TimeMarks {
    return super.advance({ ...marks, leadTime: 0 }, clock, ran);
  }
}

class TakesTheFirstTimeOfALead extends Installation {
  protected override advance(marks: TimeMarks, clock: number, ran: number): TimeMarks {
    const isLater = marks.leadTime !== 0 && isFarAhead(marks.floor, clock, ran);
    return super.advance(marks, isLater ? Math.max(clock, marks.leadTime + ran) : clock, ran);
  }
}

class KeepsTheFloorOfLostState extends Installation {
  override restart(options: RestartOptions): Verdict | undefined {
    const { time } = this.state;
    super.restart(options);
    if (options.loseState === true) this.write({ ...this.state, time });
    return this.judgeAgain();
  }
}

class NeverAdvances extends Installation {
  protected override advance(marks: TimeMarks, clock: number, ran: number): TimeMarks {
    const { floor, ...next } = super.advance(marks, clock, ran);
    return { ...next, floor: floor === marks.floor + ran ? marks.floor : floor };
  }
}

class KeepsTheFloorOfRevokedKeys extends Installation {
  protected override stateThatCounts(): RuntimeState {
    return this.state;
  }
}

/** Name → what it does wrong, and the installation that does it. */
export const STATEFUL_MUTANTS: Readonly<Record<string, readonly [does: string, make: typeof Installation]>> = {
  'state-forgets-at-restart': ['keeps its state in memory only', ForgetsAtRestart],
  'state-accepts-rollback': ['accepts a lower counter', AcceptsRollback],
  'state-accepts-conflict': ['accepts another payload with the same counter', AcceptsConflict],
  'state-forgets-iat': ['does not keep the highest iat', ForgetsHighestIat],
  'state-clock-only': ['judges by the clock, also below the highest iat', JudgesByTheClock],
  'state-takes-lapsed': ['takes licenses that are not in force', TakesWhatIsNotInForce],
  'state-takes-no-grace': ['does not take licenses in grace', TakesNoGrace],
  'state-counts-revoked': ['counts what a revoked key signed', CountsRevokedKeys],
  'state-forgets-honored': ['forgets honored payloads of a revoked key', ForgetsHonored],
  'state-one-lineage': ['forgets other lineages', ForgetsOtherLineages],
  'state-first-keys': ['does not use rotated keys', KeepsTheFirstKeys],
  'state-clk-keeps-iat': ['keeps the highest iat after clk', KeepsHighestIatAfterClk],
  'state-puts-refused': ['puts a refused license in place', PutsRefusedFilesInPlace],
  'state-judges-once': ['does not judge again when the time changes', DoesNotJudgeAgain],
  'state-floor-of-revoked': ['keeps the floor of clk once its keys are revoked', KeepsTheFloorOfRevokedKeys],
  'state-floor-at-once': ['makes any clock the floor at once', MovesTheFloorAtOnce],
  'state-floor-behind': ['never lets the floor follow a clock with a lead', KeepsTheFloorBehind],
  'state-floor-early': ['lets the floor follow after 48 hours with a lead', MovesTheFloorEarly],
  'state-floor-day': ['does not trust a clock that is exactly 24 hours ahead', DistrustsAWholeDay],
  'state-floor-day-and-second': ['trusts a clock that is 24 hours and a second ahead', TrustsASecondMore],
  'state-floor-hours': ['begins to count the hours with a lead anew at each restart', ForgetsTheHoursAtRestart],
  'state-floor-count': ['goes on counting once a lead has ended', NeverBeginsTheCountAgain],
  'state-floor-last': ['makes the last time of a lead the floor, not the lowest', TakesTheLastTimeOfALead],
  'state-floor-first': ['makes the first time of a lead the floor, not the lowest', TakesTheFirstTimeOfALead],
  'state-floor-lost': ['keeps the floor where the state is lost', KeepsTheFloorOfLostState],
  'state-floor-stops': ['does not advance the floor with the running time', NeverAdvances],
};
