/**
 * A license in a running product: the start, each minute, a changed file, an installation. What follows from each is
 * decided in `judge.ts`; here is the order in which things are read, asked and written.
 */
import { VtlicError } from '../../formats/error.ts';
import { isReason } from '../reasons.ts';
import {
  entitlementsOf,
  NO_REFUSALS,
  stateOf,
  viewOf,
  type Entitlements,
  type LicenseState,
  type LicenseView,
  type Refusals,
} from './entitlements.ts';
import { Committer, type Taken } from './commit.ts';
import {
  contextOf,
  isNewTo,
  isSameInForce,
  isSameSource,
  judgeChange,
  judgeMoment,
  judgeStart,
  judgeWithoutFile,
  nextChange,
  type Decision,
  type Examined,
  type Situation,
  type Source,
} from './judge.ts';
import type { Emit } from './events.ts';
import { installPasted, previewPasted, type InstallParts, type InstallPreview, type InstallResult } from './install.ts';
import { notice, startRefused, type Notice } from './notices.ts';
import type { RuntimeParts } from './options.ts';
import { StateKeeper } from './state-keeper.ts';
import type { RuntimeState } from './state.ts';
import { memoryStore } from './stores/store.ts';
import { Warnings } from './warnings.ts';

const SYNC_SECONDS = 300;

type Remembered = readonly [decision: Decision, warnings: readonly Notice[]];

export class Runtime {
  readonly #parts: RuntimeParts;
  readonly #emit: Emit;
  #keeper: StateKeeper;
  /** Why the state is not durable; undefined: it is. */
  #stateFault: Notice | undefined;
  #decision: Decision = { notices: [] };
  /** What was judged last; undefined where it has to be judged again. */
  #read: Source | undefined;
  #stamp = '';
  /** The payload of the kept license that serves since the start: the file is then for an operator to mend. */
  #keptAtStart: string | undefined;
  #syncedAt: number;
  readonly #warnings: Warnings = new Warnings();
  #refusals: Refusals = NO_REFUSALS;
  #committer: Committer;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(parts: RuntimeParts, emit: Emit) {
    this.#parts = parts;
    this.#emit = emit;
    this.#keeper = new StateKeeper(parts.stores, parts.clocks, this.#amend);
    this.#committer = this.#newCommitter();
    this.#syncedAt = parts.clocks.monotonic();
  }

  get entitlements(): Entitlements {
    return entitlementsOf(this.#decision, this.#parts.freeTier);
  }

  get state(): LicenseState {
    return stateOf(this.#decision);
  }

  get nextChange(): number | undefined {
    return nextChange(this.#decision, this.#parts.keys.trust, this.#now());
  }

  /** Seconds until then. */
  get secondsToChange(): number {
    return (this.nextChange ?? Infinity) - this.#now();
  }

  view(): LicenseView {
    return viewOf({
      decision: this.#decision,
      freeTier: this.#parts.freeTier,
      now: this.#now(),
      nextChange: this.nextChange,
      warnings: this.#warnings.all(),
      source: this.#parts.source,
      installFault: this.#parts.source.installFault() ?? this.#stateFault,
      keysetVersion: this.#parts.keys.version,
      refusals: this.#refusals,
    });
  }

  /** @throws VtlicError `license_refused` where a product in production must not start */
  async start(): Promise<void> {
    const { production, stores } = this.#parts;
    const loaded: Taken =
      stores.length === 0 ? { fault: notice('state_unwritable', NO_STORE), warnings: [] } : await this.#keeper.load();
    if (loaded.fault !== undefined) this.#goOnInMemory(loaded.fault);
    this.#parts.keys.refresh(this.#keeper.state.keyset);
    let [decision, taken] = await this.#judgeAndTake();
    // Another process took a newer license first, and what it wrote has been judged.
    if (taken.fault !== undefined && isReason(taken.fault.code)) [decision, taken] = await this.#judgeAndTake();
    const { fault } = taken;
    if (fault !== undefined && fault.code !== 'state_locked') {
      if (fault.code.startsWith('state_')) this.#goOnInMemory(fault);
      else {
        decision = judgeWithoutFile(this.#situation(), [...decision.notices, fault]);
        if (decision.inForce === undefined && production) throw startRefused(fault);
        this.#judgeFileAgain();
      }
    }
    const locked = fault?.code === 'state_locked' ? [fault] : [];
    this.#warnings.addState([...taken.warnings, ...locked]);
    this.#setDecision(decision, decision.notices);
    if (decision.inForce?.from === 'kept') this.#keptAtStart = decision.inForce.accepted.payloadDigest;
  }

  /** A minute has passed, a boundary is reached, or the file may have changed. Emits what follows. */
  tick(): Promise<void> {
    return this.#exclusive(async () => {
      const before = this.#remember();
      if (this.#parts.clocks.monotonic() - this.#syncedAt >= SYNC_SECONDS) await this.#sync();
      await this.#keysMayHaveChanged();
      const stamp = this.#parts.source.stamp();
      const read = stamp === this.#stamp ? undefined : this.#parts.source.read();
      // What cannot be read now may be readable in a minute, with the same stamp.
      this.#stamp = read?.missing === undefined ? stamp : 'to be read again';
      const isOld = read === undefined || isSameSource(read, this.#read);
      await (isOld ? this.#timeWentOn() : this.#fileChanged(read));
      this.#tell(before);
    });
  }

  /** @param pasted a license, keysets, or both in any order */
  install(pasted: string): Promise<InstallResult> {
    return this.#exclusive(async () => {
      const before = this.#remember();
      const installed = this.#stateFault ?? (await installPasted(pasted, this.#installParts()));
      if ('code' in installed) {
        // Keysets that came with it may have been taken.
        this.#setDecision(judgeMoment(this.#situation(), this.#decision), undefined);
        this.#refuse(installed);
        this.#tell(before);
        return { ok: false, refusal: installed };
      }
      if (installed.file === undefined) this.#judgeFileAgain();
      else [this.#read, this.#stamp] = [{ file: installed.file }, this.#parts.source.stamp()];
      this.#setDecision(judgeMoment(this.#situation(), installed.decision), installed.file && []);
      this.#tell(before);
      return { ok: true, outcome: installed.outcome };
    });
  }

  preview(pasted: string): Promise<InstallPreview> {
    return this.#exclusive(async () => {
      const found = this.#stateFault ?? (await previewPasted(pasted, this.#installParts()));
      if (!('code' in found)) return found;
      this.#refuse(found);
      return { ok: false, refusal: found };
    });
  }

  close(): Promise<void> {
    return this.#exclusive(() => this.#keeper.close());
  }

  /** The way of a start: read, judge, write. @throws VtlicError `license_refused` */
  async #judgeAndTake(): Promise<[Decision, Taken]> {
    const { production, source, fallback } = this.#parts;
    this.#stamp = source.stamp();
    const read = source.read();
    this.#read = read;
    const decision = judgeStart(read, this.#situation(), fallback);
    if (decision.refusal !== undefined && production) throw startRefused(decision.refusal);
    const next = this.#toBeTaken(decision);
    if (next !== undefined) return [decision, await this.#committer.take(next, undefined)];
    // Nothing new: but what cannot be written must be known at the start.
    const probed = await this.#keeper.change((state) => state);
    if (!probed.ok) return [decision, { fault: probed.fault, warnings: [] }];
    return [decision, { warnings: [...probed.warnings, ...(await this.#committer.tell(decision.inForce))] }];
  }

  async #fileChanged(read: Source): Promise<void> {
    const before = this.#decision;
    this.#read = read;
    const decision = this.#followKept(judgeChange(read, this.#situation(), before));
    const fault = await this.#take(decision);
    if (fault !== undefined) {
      this.#judgeFileAgain();
      this.#setDecision(judgeMoment(this.#situation(), before), [fault]);
      return;
    }
    const used = decision.waiting ?? decision.inForce;
    const isUseless = used === undefined || used.file !== this.#read.file;
    this.#setDecision(decision, decision.notices, isUseless);
    const [first] = decision.notices.filter(({ code }) => code !== 'clock_ahead');
    if (isUseless && first !== undefined) this.#refuse(first);
  }

  async #timeWentOn(): Promise<void> {
    const before = this.#decision;
    const decision = this.#followKept(judgeMoment(this.#situation(), before));
    const fault = await this.#take(decision);
    if (fault === undefined) {
      this.#setDecision(decision, isSameInForce(before, decision) ? undefined : decision.notices);
      return;
    }
    // The time of a renewal has come, but it cannot be taken yet: the license before it stays in force.
    const { current, waiting } = before;
    this.#setDecision({ ...judgeMoment(this.#situation(), { current }), waiting }, [fault]);
  }

  #toBeTaken({ inForce }: Decision): Examined | undefined {
    return inForce?.from === 'file' && isNewTo(this.#keeper.state, inForce) ? inForce : undefined;
  }

  /** @returns why a license that is new here does not come into force */
  async #take(decision: Decision): Promise<Notice | undefined> {
    const next = this.#toBeTaken(decision);
    if (next === undefined) return undefined;
    const { fault, warnings } = await this.#committer.take(next, this.#decision.inForce);
    this.#warnings.addState(warnings);
    return fault;
  }

  /** A license of another replica goes into the file, unless a renewal waits there: a start refuses an older file. */
  #followKept(decision: Decision): Decision {
    const { source } = this.#parts;
    const kept = decision.inForce;
    if (kept?.from !== 'kept' || decision.waiting !== undefined) return decision;
    if (kept.accepted.payloadDigest === this.#keptAtStart) return decision;
    try {
      source.replace(kept.file);
    } catch {
      // The next minute tries again.
      return decision;
    }
    [this.#read, this.#stamp] = [{ file: kept.file }, source.stamp()];
    return judgeMoment(this.#situation(), { current: { ...kept, from: 'file' } });
  }

  async #sync(): Promise<void> {
    this.#syncedAt = this.#parts.clocks.monotonic();
    const { fault, warnings } = await this.#keeper.sync();
    this.#warnings.setState(fault === undefined ? warnings : [fault]);
  }

  /** Production does not start without a state; elsewhere it goes on. @throws VtlicError `license_refused` */
  #goOnInMemory(fault: Notice): void {
    if (this.#parts.production) throw startRefused(fault);
    this.#stateFault = fault;
    this.#keeper = new StateKeeper([memoryStore()], this.#parts.clocks, this.#amend);
    this.#committer = this.#newCommitter();
    this.#warnings.setState([fault, notice('state_not_durable', fault.detail)]);
  }

  async #keysMayHaveChanged(): Promise<void> {
    try {
      if (!this.#parts.keys.refresh(this.#keeper.state.keyset)) return;
    } catch (error) {
      if (!(error instanceof VtlicError)) throw error;
      this.#warnings.addState([notice('configuration_invalid', error.message)]);
      return;
    }
    this.#judgeFileAgain();
    const changed = await this.#keeper.change((state) => state);
    if (!changed.ok) this.#warnings.addState([changed.fault]);
  }

  /** The chain of keysets goes into the state with whatever else is written. */
  readonly #amend = (state: RuntimeState): RuntimeState => {
    const { keyset } = this.#parts.keys;
    if (keyset === undefined || (state.keyset !== undefined && state.keyset.version >= keyset.version)) return state;
    return { ...state, keyset };
  };

  #newCommitter(): Committer {
    return new Committer(this.#parts.hooks, this.#keeper, () => this.#situation());
  }

  #judgeFileAgain(): void {
    [this.#read, this.#stamp] = [undefined, 'to be judged again'];
  }

  /** @param file what is to be said of the file from now on; undefined: what was said before */
  #setDecision(decision: Decision, file: readonly Notice[] | undefined, isUseless = false): void {
    this.#decision = decision;
    const moment = judgeMoment(this.#situation(), decision).notices;
    this.#warnings.setMoment(moment, this.#parts.keys.notices(this.#now()));
    if (file !== undefined) this.#warnings.setFile(file, isUseless);
  }

  #remember(): Remembered {
    return [this.#decision, this.#warnings.all()];
  }

  #tell([decision, warnings]: Remembered): void {
    const [a, b] = [decision.inForce?.accepted, this.#decision.inForce?.accepted];
    const isOther = a?.payloadDigest !== b?.payloadDigest || a?.state !== b?.state;
    if (isOther || decision.waiting?.file !== this.#decision.waiting?.file) this.#emit('change', this.view());
    for (const warning of this.#warnings.since(warnings)) this.#emit('warning', warning);
  }

  #refuse(refusal: Notice): void {
    const last = Object.freeze({ at: this.#now(), notice: refusal });
    this.#refusals = Object.freeze({ count: this.#refusals.count + 1, last });
    this.#emit('refused', refusal);
  }

  #installParts(): InstallParts {
    return {
      ...this.#parts,
      keeper: this.#keeper,
      committer: this.#committer,
      situation: () => this.#situation(),
      before: this.#decision,
      warn: (warnings) => this.#warnings.addState(warnings),
    };
  }

  #situation(): Situation {
    const { keys, product } = this.#parts;
    return { ...this.#keeper.situation(), trust: keys.trust, counts: keys.counts, product };
  }

  #now(): number {
    return contextOf(this.#situation()).now;
  }

  /** One at a time, in the order in which they were asked for. */
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#queue.then(work);
    this.#queue = run.catch(() => undefined);
    return run;
  }
}

export const NO_STORE = 'LICENSE_STATE_PATH is not set, and there is no other store';
