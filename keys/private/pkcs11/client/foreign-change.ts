/**
 * Works around a defect of SoftHSM: a second token host, without a PIN, changes the token after each change of the
 * first one.
 *
 * SoftHSM reads the folder of its token again if the number in the file `generation` is not the one that it knows
 * (src/lib/object_store, OSToken.cpp and Generation.cpp). A process that makes or destroys an object takes the new
 * number as known, so it overlooks what other processes made before that. A change by a second process makes the first
 * one read the folder. Each such change takes some milliseconds, and starting the second process takes 0.3 s once.
 */
import type { OperationName } from '../shared/host-protocol.ts';
import type { HostClient } from './host-client.ts';

interface Toucher {
  readonly host: HostClient;
  readonly touch: () => Promise<unknown>;
}

/** The operations that make or destroy objects. */
const CHANGES: readonly OperationName[] = ['generateComponent', 'makeWrappedSeed', 'createData', 'destroy'];

export class ForeignChange {
  readonly #start: () => Promise<Toucher>;
  #toucher: Promise<Toucher> | undefined;
  /** True if the first host may have changed the token since the last change of this one. */
  #isDue = false;

  constructor(start: () => Promise<Toucher>) {
    this.#start = start;
  }

  /** @param operation the one that the first host is asked for */
  note(operation: OperationName): void {
    if (CHANGES.includes(operation)) this.#isDue = true;
  }

  /** Does nothing if the first host has changed nothing. */
  async afterOwn(): Promise<void> {
    if (!this.#isDue) return;
    const start = this.#start;
    this.#toucher = this.#toucher?.then((toucher) => (toucher.host.isOver ? start() : toucher), start) ?? start();
    await (await this.#toucher).touch();
    this.#isDue = false;
  }

  async close(): Promise<void> {
    const toucher = await this.#toucher?.catch(() => undefined);
    await toucher?.host.close();
  }
}
