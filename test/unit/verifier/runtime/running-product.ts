/** A product whose state is in memory, with all that it says, for the tests of the runtime. */
import {
  memoryStore,
  type LicenseOptions,
  type LiveLicense,
  type Notice,
  type StateStore,
} from '../../../../verifier/runtime/index.ts';
import { decodeState, encodeState } from '../../../../verifier/runtime/state-document.ts';
import { EMPTY_STATE, stateAfter, type RuntimeState } from '../../../../verifier/runtime/state.ts';
import { accepted, at } from './judged.ts';
import { Product } from './product.ts';

export const said = ({ code, detail }: Notice): string => `${code}: ${detail}`;
export const warnings = (license: LiveLicense): readonly string[] => license.view().warnings.map(said);
export const CREATED = 'state_created: the store';

export class RunningProduct extends Product {
  store: StateStore = { ...memoryStore(), name: 'the store' };

  withVariables(variables: Readonly<Record<string, string>> = {}): Partial<LicenseOptions> {
    return { environment: { ...this.options().environment, LICENSE_STATE_PATH: '', ...variables } };
  }

  /** Starts, and lets the first warnings go by. */
  async begin(changes: Partial<LicenseOptions> = {}): Promise<LiveLicense> {
    const license = await this.start({ ...this.withVariables(), stores: [this.store], ...changes });
    await new Promise((resolve) => setImmediate(resolve));
    return license;
  }

  async stored(): Promise<RuntimeState> {
    const copy = await this.store.read();
    const decoded = copy && decodeState(copy.document);
    return decoded?.ok === true ? decoded.state : EMPTY_STATE;
  }

  /** Another replica takes a license. */
  async takeElsewhere(file: Uint8Array): Promise<void> {
    const before = await this.stored();
    const state = stateAfter(before, accepted(file, at(this.clock, before)), file);
    await this.store.write(encodeState({ ...state, revision: before.revision + 1 }), (await this.store.read())?.tag);
  }
}

/** All that a license says, with details, since it was asked last. */
export function listenTo(license: LiveLicense): () => readonly string[] {
  const heard: string[] = [];
  license.on('change', ({ state, license: facts, waiting }) =>
    heard.push(`change ${state} ${facts?.counter ?? ''}${waiting === undefined ? '' : ` ${waiting.counter} waits`}`),
  );
  license.on('warning', (one) => heard.push(`warning ${said(one)}`));
  license.on('refused', (one) => heard.push(`refused ${said(one)}`));
  return () => heard.splice(0);
}

/** A store that fails to write while `fault` is set. */
export function failing(): { readonly store: StateStore; fault: string | undefined } {
  const memory = memoryStore();
  const one: { store: StateStore; fault: string | undefined } = { fault: undefined, store: memory };
  one.store = {
    ...memory,
    name: 'the store',
    write: (document, expected) =>
      one.fault === undefined ? memory.write(document, expected) : Promise.reject(new Error(one.fault)),
  };
  return one;
}
