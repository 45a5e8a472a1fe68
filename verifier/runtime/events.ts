/** What a live license tells its product, and who listens. */
import { VtlicError } from '../../formats/error.ts';
import type { LicenseView } from './entitlements.ts';
import type { Notice } from './notices.ts';

export interface RuntimeEvents {
  /** Another license is in force, the state is another one, or a renewal waits. */
  readonly change: LicenseView;
  readonly warning: Notice;
  /** A changed file, or an installation, that was not taken. */
  readonly refused: Notice;
}

export type Emit = <Name extends keyof RuntimeEvents>(name: Name, value: RuntimeEvents[Name]) => void;

type Listener = (value: never) => void;

export class Listeners {
  readonly #byName: Map<keyof RuntimeEvents, Set<Listener>> = new Map();

  add<Name extends keyof RuntimeEvents>(name: Name, listener: (value: RuntimeEvents[Name]) => void): () => void {
    if (typeof listener !== 'function') throw new VtlicError('usage', `on('${name}') takes a function`);
    const all = this.#byName.get(name) ?? new Set<Listener>();
    this.#byName.set(name, all.add(listener));
    return () => {
      all.delete(listener);
    };
  }

  /** An error of a listener stops neither the others nor the product. */
  call<Name extends keyof RuntimeEvents>(name: Name, value: RuntimeEvents[Name]): void {
    for (const listener of new Set(this.#byName.get(name))) {
      try {
        (listener as (value: RuntimeEvents[Name]) => void)(value);
      } catch {
        // The listener is code of the product, so the runtime ignores its error.
      }
    }
  }

  /** Calls the listeners later, after the code that opened the license could add them. */
  callLater<Name extends keyof RuntimeEvents>(name: Name, value: RuntimeEvents[Name]): void {
    setImmediate(() => {
      this.call(name, value);
    });
  }
}
