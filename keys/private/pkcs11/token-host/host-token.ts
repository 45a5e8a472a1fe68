/** One module with one opened token, in the host: each operation of the protocol is a method of the same name. */
import { randomInt, type KeyObject } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { equalBytes } from '../../../../formats/bytes.ts';
import { COMPOSITE_LABEL } from '../../../public/composite.ts';
import { CallFault } from '../shared/call-fault.ts';
import { CKF_PROTECTED_AUTHENTICATION_PATH, CKK_AES, CKU_CONTEXT_SPECIFIC, CKU_USER } from '../shared/constants.ts';
import { externalMu } from './external-mu.ts';
import { createData, findData } from './host-data.ts';
import {
  describeKey,
  findKeys,
  generateEd25519,
  generateMlDsa65,
  generateWrappingKey,
  readableSecrets,
  type DescribedKey,
  type KnownKey,
} from './host-keys.ts';
import type { HostOperations, KeyObjectDescription, OperationName, SignPart } from '../shared/host-protocol.ts';
import { HostRefusal } from './host-refusal.ts';
import { makeWrappedSeed, openWrappedSeed, signWithSeed, type OpenedSeed } from './host-wrapped.ts';
import { plainMechanism, signWithContext } from './mechanism.ts';
import { Pkcs11Module, type Mechanism, type ObjectHandle, type SessionHandle, type SignatureOrder } from './module.ts';
import type { TokenProfile } from '../shared/profiles.ts';
import { returnCodeOf } from '../shared/return-codes.ts';
import { SessionPool } from './session-pool.ts';
import { ED25519_SIGNATURE_BYTES, MLDSA65_SIGNATURE_BYTES } from '../../../public/provider.ts';

const OK = 0;
const MOST_FIRST_REF = 2 ** 47;

type Body<Name extends OperationName> = HostOperations[Name]['request'];
type Reply<Name extends OperationName> = HostOperations[Name]['reply'];
type Operations = { readonly [Name in OperationName]: (body: Body<Name>) => Reply<Name> | Promise<Reply<Name>> };

interface OpenedToken {
  readonly slotId: number;
  readonly profile: TokenProfile;
  readonly sessions: SessionPool;
  readonly first: SessionHandle;
  /** Of an ML-DSA signature, where the token takes the context as a parameter. */
  readonly withContext: Mechanism | undefined;
}

type TokenOrder = (session: SessionHandle) => SignatureOrder;

/** Half of a wrapped key, which this process signs with. */
interface SeedOrder {
  readonly seed: KeyObject;
  readonly message: Uint8Array;
}

function isForToken(order: TokenOrder | SeedOrder): order is TokenOrder {
  return typeof order === 'function';
}

type Known =
  | { readonly kind: 'key'; readonly key: KnownKey }
  | { readonly kind: 'seed'; readonly seed: KeyObject }
  | { readonly kind: 'data'; readonly handle: ObjectHandle };

export class HostToken implements Operations {
  #module: Pkcs11Module | undefined;
  #opened: OpenedToken | undefined;
  #pin: Uint8Array | undefined;
  #loggedIn = false;
  #contextRefused = false;
  readonly #known = new Map<number, Known>();
  /** From a number of this host's own: one of an earlier host is then unknown here, and no other object. */
  #lastRef = randomInt(MOST_FIRST_REF);

  load = ({ path }: Body<'load'>): Reply<'load'> => {
    this.#module = Pkcs11Module.load(path);
    return this.#module.describe();
  };

  slots = (): Reply<'slots'> => this.#loaded().slots();

  mechanisms = ({ slotId }: Body<'mechanisms'>): Reply<'mechanisms'> => this.#loaded().mechanisms(slotId);

  token = ({ slotId }: Body<'token'>): Reply<'token'> => this.#loaded().token(slotId);

  /** Opens as many of the wanted sessions as the token allows, and tells how many; one is enough. */
  open = ({ slotId, sessions, profile }: Body<'open'>): Reply<'open'> => {
    const module = this.#loaded();
    // The first session is kept aside: while it is open the login holds, whatever happens to the others.
    const first = module.openSession(slotId);
    const handles: SessionHandle[] = [];
    try {
      while (handles.length < sessions) handles.push(module.openSession(slotId));
    } catch (error) {
      if (!(error instanceof CallFault) || !NO_FURTHER_SESSION.includes(error.rv)) throw error;
    }
    const pool =
      handles.length === 0
        ? new SessionPool([first], (session) => session)
        : new SessionPool(handles, (session) => renewed(module, slotId, session));
    const { mldsa65 } = profile;
    const withContext = mldsa65?.context === 'parameter' ? signWithContext(mldsa65.sign, COMPOSITE_LABEL) : undefined;
    this.#opened = { slotId, profile, first, sessions: pool, withContext };
    return pool.size;
  };

  login = ({ pin }: Body<'login'>): Reply<'login'> => {
    const { first } = this.#token();
    try {
      this.#loaded().login(first, CKU_USER, pin);
    } catch (error) {
      pin?.fill(0);
      if (error instanceof CallFault) return error.rv;
      throw error;
    }
    this.#pin = pin;
    this.#loggedIn = true;
    return OK;
  };

  keys = (name: Body<'keys'>): Promise<Reply<'keys'>> =>
    this.#session((session, module, { profile }) =>
      findKeys(module, session, profile, name).map((key) => this.#remember(key)),
    );

  generateHalf = ({ half, ...name }: Body<'generateHalf'>): Promise<Reply<'generateHalf'>> =>
    this.#session(async (session, module, { profile }) => {
      const generate = half === 'ed25519' ? generateEd25519 : generateMlDsa65;
      const pair = await generate(module, session, profile, name);
      const publicSide = describeKey(module, session, profile, pair.publicKey, 'public').description;
      const described = describeKey(module, session, profile, pair.privateKey, 'private');
      const publicBytes = publicSide.publicBytes ?? described.description.publicBytes;
      return this.#remember({
        known: { ...described.known, half, publicBytes },
        description: { ...described.description, ...(publicBytes === undefined ? {} : { publicBytes }) },
      });
    });

  readSecrets = ({ ref }: Body<'readSecrets'>): Promise<Reply<'readSecrets'>> =>
    this.#session((session, module) => readableSecrets(module, session, this.#handle(ref, 'C_GetAttributeValue')));

  destroy = ({ ref }: Body<'destroy'>): Promise<Reply<'destroy'>> =>
    this.#session((session, module) => {
      module.destroyObject(session, this.#handle(ref, 'C_DestroyObject'));
      this.#known.delete(ref);
      return true;
    });

  /** The parts in the order given, on one session. With a single session in this thread: at once, where it is free. */
  sign = ({ parts }: Body<'sign'>): Reply<'sign'> | Promise<Reply<'sign'>> => {
    const token = this.#token();
    const { sessions } = token;
    const module = this.#loaded();
    const only = sessions.size === 1;
    if (only && sessions.isAtRest) {
      const orders = parts.map((part) => this.#order(token, part));
      if (orders.every(isForToken))
        return sessions.useNow((session) => orders.map((order) => module.signNow(session, order(session))));
    }
    return this.#session(async (session) => {
      // The pipe is looked at before each that waited for the only session.
      if (only) await nextTurn();
      const signatures: Uint8Array[] = [];
      for (const part of parts) {
        const order = this.#order(token, part);
        if (!isForToken(order)) signatures.push(await signWithSeed(order.seed, order.message));
        else
          signatures.push(only ? module.signNow(session, order(session)) : await module.sign(session, order(session)));
      }
      return signatures;
    });
  };

  makeWrappedSeed = ({ ed25519, ...name }: Body<'makeWrappedSeed'>): Promise<Reply<'makeWrappedSeed'>> =>
    this.#session(async (session, module) => {
      const wrappingKey = await generateWrappingKey(module, session, name);
      try {
        const { wrapped, ...seed } = await makeWrappedSeed(module, session, wrappingKey, ed25519);
        return { ...this.#rememberSeed(seed), wrapped };
      } catch (error) {
        module.destroyObject(session, wrappingKey);
        throw error;
      }
    });

  openWrappedSeed = ({ name, wrapped, kid }: Body<'openWrappedSeed'>): Promise<Reply<'openWrappedSeed'>> =>
    this.#session(async (session, module, { profile }) => {
      const found = findKeys(module, session, profile, name).filter(
        ({ description }) => description.class === 'secret' && description.keyType === CKK_AES,
      );
      const [wrappingKey, second] = found;
      if (wrappingKey === undefined)
        throw new HostRefusal('key_not_found', 'the token has no AES key of this name, which encrypts the ML-DSA seed');
      if (second !== undefined)
        throw new HostRefusal(
          'key_ambiguous',
          `the token has ${found.length} AES keys of this name, and one of them should encrypt the ML-DSA seed`,
        );
      const seed = await openWrappedSeed(module, session, wrappingKey.known.handle, wrapped, kid);
      if (seed === undefined)
        throw new HostRefusal('keyfile_corrupt', 'what the token decrypted is not a seed of 32 bytes');
      return this.#rememberSeed(seed);
    });

  listData = ({ label }: Body<'listData'>): Promise<Reply<'listData'>> =>
    this.#session((session, module) =>
      findData(module, session, label).map(({ handle, bytes }) => ({
        ref: this.#number({ kind: 'data', handle }),
        label,
        bytes,
      })),
    );

  createData = ({ label, bytes }: Body<'createData'>): Promise<Reply<'createData'>> =>
    this.#session((session, module) => {
      const made = createData(module, session, label, bytes);
      if (!equalBytes(made.bytes, bytes))
        throw new HostRefusal(
          'signing_failed',
          `the token gave the data object "${label}" back with other bytes than it was given`,
        );
      return { ref: this.#number({ kind: 'data', handle: made.handle }), label, bytes: made.bytes };
    });

  random = ({ length }: Body<'random'>): Promise<Reply<'random'>> =>
    this.#session((session, module) => module.random(session, length));

  /** No call comes between others that are in the module: a signature that is cut off would be one of unknown state. */
  close = async (): Promise<Reply<'close'>> => {
    await this.#opened?.sessions.atRest();
    // The last replies are made in the first turn and go out in the second.
    await nextTurn();
    await nextTurn();
    this.#known.clear();
    this.#pin?.fill(0);
    this.#pin = undefined;
    if (this.#module === undefined) return true;
    if (this.#opened !== undefined && this.#loggedIn) this.#module.logout(this.#opened.first);
    this.#module.finalize(this.#opened?.slotId);
    this.#module = undefined;
    return true;
  };

  #order({ profile, withContext }: OpenedToken, { ref, message }: SignPart): TokenOrder | SeedOrder {
    const known = this.#known.get(ref);
    if (known?.kind === 'seed') return { seed: known.seed, message };
    const { handle, half, alwaysAuthenticate, publicBytes } = this.#key(ref);
    const order =
      (mechanism: Mechanism, bytes: Uint8Array, mostBytes: number): TokenOrder =>
      (session) => ({
        key: handle,
        mechanism,
        message: bytes,
        mostBytes,
        contextLogin: alwaysAuthenticate ? () => this.#contextLogin(session) : undefined,
      });
    if (half === 'ed25519') return order(plainMechanism(profile.ed25519.sign), message, ED25519_SIGNATURE_BYTES);
    const { mldsa65 } = profile;
    if (half === undefined || mldsa65 === undefined)
      throw new CallFault('C_SignInit', returnCodeOf('CKR_KEY_TYPE_INCONSISTENT'));
    if (withContext !== undefined) return order(withContext, message, MLDSA65_SIGNATURE_BYTES);
    if (publicBytes === undefined)
      throw new HostRefusal(
        'configuration_invalid',
        'the token gives no public key of its ML-DSA key, which the mu is computed from',
      );
    return order(
      plainMechanism(mldsa65.sign),
      externalMu(publicBytes, message, COMPOSITE_LABEL),
      MLDSA65_SIGNATURE_BYTES,
    );
  }

  /** For a key that wants the PIN before each signature: shows one that was accepted in this run, until the first refusal. */
  #contextLogin(session: SessionHandle): void {
    const onPad = (this.#loaded().token(this.#token().slotId).flags & CKF_PROTECTED_AUTHENTICATION_PATH) !== 0;
    if (this.#contextRefused || (this.#pin === undefined && !onPad))
      throw new HostRefusal(
        'signing_failed',
        'the key wants the PIN before each signature, and none was accepted in this run',
      );
    try {
      this.#loaded().login(session, CKU_CONTEXT_SPECIFIC, onPad ? undefined : this.#pin);
    } catch (error) {
      this.#contextRefused = true;
      if (error instanceof CallFault) throw new ContextPinFault(error.rv);
      throw error;
    }
  }

  #loaded(): Pkcs11Module {
    if (this.#module === undefined) throw new CallFault('C_Initialize', returnCodeOf('CKR_CRYPTOKI_NOT_INITIALIZED'));
    return this.#module;
  }

  #token(): OpenedToken {
    if (this.#opened === undefined) throw new CallFault('C_OpenSession', returnCodeOf('CKR_SESSION_HANDLE_INVALID'));
    return this.#opened;
  }

  #session<T>(work: (session: SessionHandle, module: Pkcs11Module, token: OpenedToken) => T | Promise<T>): Promise<T> {
    const token = this.#token();
    return token.sessions.use((session) => work(session, this.#loaded(), token));
  }

  #number(known: Known): number {
    this.#lastRef += 1;
    this.#known.set(this.#lastRef, known);
    return this.#lastRef;
  }

  #remember({ known, description }: DescribedKey): KeyObjectDescription {
    return { ref: this.#number({ kind: 'key', key: known }), ...description };
  }

  #rememberSeed(seed: OpenedSeed): { readonly ref: number; readonly mldsa65: Uint8Array } {
    return { ref: this.#number({ kind: 'seed', seed: seed.privateKey }), mldsa65: seed.mldsa65 };
  }

  #key(ref: number): KnownKey {
    const known = this.#known.get(ref);
    if (known?.kind !== 'key') throw new CallFault('C_SignInit', returnCodeOf('CKR_KEY_HANDLE_INVALID'));
    return known.key;
  }

  /** @param call that the object is for: the fault of a number that this host never gave names it */
  #handle(ref: number, call: string): ObjectHandle {
    const known = this.#known.get(ref);
    if (known?.kind === 'data') return known.handle;
    if (known?.kind === 'key') return known.key.handle;
    throw new CallFault(call, returnCodeOf('CKR_OBJECT_HANDLE_INVALID'));
  }
}

/** Another session in the place of one in which an operation failed; the same one where the token gives no other. */
function renewed(module: Pkcs11Module, slotId: number, session: SessionHandle): SessionHandle {
  try {
    module.closeSession(session);
    return module.openSession(slotId);
  } catch {
    return session;
  }
}

/** The token refused the PIN of a context login. */
export class ContextPinFault extends Error {
  override readonly name = 'ContextPinFault';
  readonly rv: number;

  constructor(rv: number) {
    super('the context login was refused');
    this.rv = rv;
  }
}

const NO_FURTHER_SESSION: readonly number[] = [
  'CKR_SESSION_COUNT',
  'CKR_TOKEN_RESOURCE_EXCEEDED',
  'CKR_DEVICE_MEMORY',
].map(returnCodeOf);
