import { VtlicError } from '../../formats/error.ts';

/** Collects what is wrong, so that a person can mend all of it at once. */
export class FaultList {
  readonly all: VtlicError[] = [];

  /** What `read` gives; undefined where it threw a fault, which is kept. */
  take<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof VtlicError)) throw error;
      this.all.push(error);
      return undefined;
    }
  }
}
