/**
 * What a start of the product would do now, found out without changing anything: for `vtlic-product`, and for a product
 * that offers the same in its own command. A release that is not installed yet judges by its own keys and build date.
 */
import { notice, type Notice } from './notices.ts';
import type { LicenseView } from './entitlements.ts';
import { NO_REFUSALS, viewOf } from './entitlements.ts';
import { contextOf, judgeStart, nextChange, type Situation } from './judge.ts';
import { SAAS_VIEW } from './open-license.ts';
import { runtimeParts, type LicenseOptions } from './options.ts';
import { NO_STORE } from './runtime.ts';
import { StateKeeper } from './state-keeper.ts';
import type { StateStore } from './stores/store.ts';

export interface LicenseCheck {
  /** What a start would give. */
  readonly view: LicenseView;
  /** Why the product would not start; absent: it would. */
  readonly refusal?: Notice;
}

/**
 * `beforeCommit` and `afterCommit` are not called, and no lock is taken.
 *
 * @throws VtlicError `configuration_invalid` for a variable that is wrong, `usage` for an option that is
 */
export async function checkLicense(options: LicenseOptions): Promise<LicenseCheck> {
  const parts = runtimeParts(options);
  if (parts === undefined) return { view: SAAS_VIEW };
  const { product, keys, production, freeTier, source, stores, clocks, fallback } = parts;
  const keeper = new StateKeeper(stores.map(readOnly), clocks, (state) => state);
  try {
    const loaded = await keeper.load();
    const fault = loaded.fault ?? (await writeFault(stores));
    keys.refresh(keeper.state.keyset);
    const situation: Situation = { ...keeper.situation(), trust: keys.trust, counts: keys.counts, product };
    const decision = judgeStart(source.read(), situation, fallback);
    const { now } = contextOf(situation);
    // Production does not start then, so that there is no state in memory.
    const inMemory = fault === undefined || production ? [] : [notice('state_not_durable', fault.detail)];
    const stateNotices = fault === undefined ? loaded.warnings : [fault, ...inMemory];
    const warnings = [...stateNotices, ...decision.notices, ...keys.notices(now)];
    const refusal = production ? (fault ?? decision.refusal) : undefined;
    const view = viewOf({
      decision,
      freeTier,
      now,
      nextChange: nextChange(decision, keys.trust, now),
      warnings: [...new Map(warnings.map((one) => [`${one.code} ${one.detail}`, one])).values()],
      source,
      installFault: source.installFault() ?? fault,
      keysetVersion: keys.version,
      refusals: NO_REFUSALS,
    });
    return Object.freeze({ view, ...(refusal === undefined ? {} : { refusal }) });
  } finally {
    await keeper.close();
  }
}

/** A store of which only the copy is read, and which makes no table or file. */
function readOnly(store: StateStore): StateStore {
  const refuse = (): Promise<never> => Promise.reject(new Error('a check writes nothing'));
  return {
    name: store.name,
    read: () => (store.peek === undefined ? store.read() : store.peek()),
    write: refuse,
    readLock: () => Promise.resolve(undefined),
    swapLock: refuse,
    close: async () => {
      await store.close?.();
    },
  };
}

/** A start needs one store that takes the state. */
async function writeFault(stores: readonly StateStore[]): Promise<Notice | undefined> {
  const faults: string[] = [];
  for (const store of stores) {
    const fault = await store.writeFault?.();
    if (fault === undefined) return undefined;
    faults.push(`${store.name}: ${fault}`);
  }
  return notice('state_unwritable', faults[0] ?? NO_STORE);
}
