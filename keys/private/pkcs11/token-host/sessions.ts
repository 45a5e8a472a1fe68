/**
 * The sessions of an opened token. Operations that only read or sign run in a read-only session, since some tokens and
 * logins allow no other; the first operation that makes or destroys an object opens a read-write session.
 */
import type { TokenProfile } from '../shared/profiles.ts';
import { returnCodeOf } from '../shared/return-codes.ts';
import { CallFault } from './host-errors.ts';
import type { Pkcs11Module, SessionHandle } from './module.ts';

/** Return codes of a token that opens no read-write session. */
const WRITES_NOTHING: readonly number[] = ['CKR_TOKEN_WRITE_PROTECTED', 'CKR_SESSION_READ_ONLY'].map(returnCodeOf);

const NO_FURTHER_SESSION: readonly number[] = [
  'CKR_SESSION_COUNT',
  'CKR_TOKEN_RESOURCE_EXCEEDED',
  'CKR_DEVICE_MEMORY',
].map(returnCodeOf);

export class TokenSessions {
  readonly #module: Pkcs11Module;
  readonly #slotId: number;
  /** Stays open, so that the login stays valid whatever happens to the others. */
  readonly first: SessionHandle;
  /** Operations that write nothing run in it, one after the other; `first` itself where there is no second one. */
  #working: SessionHandle;
  #writing: SessionHandle | undefined;

  constructor(module: Pkcs11Module, slotId: number, { login }: TokenProfile) {
    this.#module = module;
    this.#slotId = slotId;
    const first = login === 'per-token' ? module.openSession(slotId, 'read') : undefined;
    const second =
      first === undefined ? undefined : unlessRefused(NO_FURTHER_SESSION, () => module.openSession(slotId, 'read'));
    if (first !== undefined && second !== undefined) {
      this.first = first;
      this.#working = second;
      return;
    }
    // One session must do for everything: it is read-write, unless the token refuses that.
    if (first !== undefined) module.closeSession(first);
    this.#writing = unlessRefused(WRITES_NOTHING, () => module.openSession(slotId, 'write'));
    this.first = this.#writing ?? module.openSession(slotId, 'read');
    this.#working = this.first;
  }

  /** After a failed operation the session is renewed: SoftHSM leaves one active after a C_Sign that failed. */
  read<T>(work: (session: SessionHandle) => T): T {
    try {
      return work(this.#working);
    } catch (error) {
      if (this.#working !== this.first) this.#renew(this.#working);
      throw error;
    }
  }

  write<T>(work: (session: SessionHandle) => T): T {
    const session = this.#writing ?? this.#openForWriting();
    this.#writing = session;
    try {
      return work(session);
    } catch (error) {
      if (session !== this.first) this.#renew(session);
      throw error;
    }
  }

  /** Opens a third session; if the token allows only two, a read-write session replaces the second one. */
  #openForWriting(): SessionHandle {
    if (this.#working === this.first) throw new CallFault('C_OpenSession', returnCodeOf('CKR_TOKEN_WRITE_PROTECTED'));
    const open = (): SessionHandle => this.#module.openSession(this.#slotId, 'write');
    const third = unlessRefused(NO_FURTHER_SESSION, open);
    if (third !== undefined) return third;
    this.#module.closeSession(this.#working);
    this.#working = this.first;
    this.#working = open();
    return this.#working;
  }

  /** Replaces a session in which an operation failed, if the token opens another one. */
  #renew(session: SessionHandle): void {
    const writes = session === this.#writing;
    try {
      this.#module.closeSession(session);
      const fresh = this.#module.openSession(this.#slotId, writes ? 'write' : 'read');
      // If the token allows only two sessions, the second one has both uses.
      if (session === this.#working) this.#working = fresh;
      if (writes) this.#writing = fresh;
    } catch {
      // The old session stays; the next operation in it reports what does not work.
    }
  }
}

/** @returns undefined if the call returned one of these codes */
function unlessRefused<T>(codes: readonly number[], call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof CallFault && codes.includes(error.rv)) return undefined;
    throw error;
  }
}
