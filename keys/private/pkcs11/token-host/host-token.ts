/** One module with one opened token, in the host: each operation of the protocol is a method of the same name. */
import { randomInt, type KeyObject } from 'node:crypto';
import { equalBytes } from '../../../../formats/bytes.ts';
import { COMPOSITE_LABEL } from '../../../public/composite.ts';
import { ED25519_SIGNATURE_BYTES, MLDSA65_SIGNATURE_BYTES } from '../../../public/provider.ts';
import * as ck from '../shared/constants.ts';
import { externalMu } from './external-mu.ts';
import { CallFault, ContextPinFault, HostRefusal } from './host-errors.ts';
import {
  describeKey,
  findKeys,
  generateEd25519,
  generateMlDsa65,
  generateWrappingKey,
  readableSecrets,
  type DescribedKey,
  type KnownKey,
} from './key-objects.ts';
import type { HostOperations, KeyObjectDescription, OperationName, SignPart } from '../shared/host-protocol.ts';
import { plainMechanism, signWithContext } from './mechanism.ts';
import { Pkcs11Module, type Mechanism, type ObjectHandle, type SessionHandle, type Template } from './module.ts';
import type { TokenProfile } from '../shared/profiles.ts';
import { returnCodeOf } from '../shared/return-codes.ts';
import { makeWrappedSeed, openWrappedSeed, signWithSeed, type OpenedSeed } from './wrapped-seed.ts';

const OK = 0;
/** CKA_APPLICATION of all data objects of this toolkit. */
export const APPLICATION = 'vtlic';
const MAX_FIRST_REF = 2 ** 47;

type Body<Name extends OperationName> = HostOperations[Name]['request'];
type Reply<Name extends OperationName> = HostOperations[Name]['reply'];
type Operations = { readonly [Name in OperationName]: (body: Body<Name>) => Reply<Name> };

interface OpenedToken {
  readonly slotId: number;
  readonly profile: TokenProfile;
  /** Stays open, so that the login stays valid whatever happens to the other session. */
  readonly first: SessionHandle;
  /** All operations run in it, one after the other; `first` itself where the token allows only one session. */
  working: SessionHandle;
  /** Of an ML-DSA signature, where the token takes the context as a parameter. */
  readonly withContext: Mechanism | undefined;
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
  #lastRef = randomInt(MAX_FIRST_REF);

  load = ({ path }: Body<'load'>): Reply<'load'> => {
    this.#module = Pkcs11Module.load(path);
    return this.#module.describe();
  };

  slots = (): Reply<'slots'> => this.#loaded().slots();

  mechanisms = ({ slotId }: Body<'mechanisms'>): Reply<'mechanisms'> => this.#loaded().mechanisms(slotId);

  token = ({ slotId }: Body<'token'>): Reply<'token'> => this.#loaded().token(slotId);

  open = ({ slotId, profile }: Body<'open'>): Reply<'open'> => {
    const module = this.#loaded();
    const first = module.openSession(slotId);
    const working = secondSession(module, slotId) ?? first;
    const { mldsa65 } = profile;
    const withContext = mldsa65?.context === 'parameter' ? signWithContext(mldsa65.sign, COMPOSITE_LABEL) : undefined;
    this.#opened = { slotId, profile, first, working, withContext };
    return true;
  };

  login = ({ pin }: Body<'login'>): Reply<'login'> => {
    const { first } = this.#token();
    try {
      this.#loaded().login(first, ck.CKU_USER, pin);
    } catch (error) {
      pin?.fill(0);
      if (error instanceof CallFault) return error.rv;
      throw error;
    }
    this.#pin = pin;
    this.#loggedIn = true;
    return OK;
  };

  keys = (name: Body<'keys'>): Reply<'keys'> =>
    this.#inSession((session, module, { profile }) =>
      findKeys(module, session, profile, name).map((key) => this.#remember(key)),
    );

  generateComponent = ({ component, ...name }: Body<'generateComponent'>): Reply<'generateComponent'> =>
    this.#inSession((session, module, { profile }) => {
      const generate = component === 'ed25519' ? generateEd25519 : generateMlDsa65;
      const pair = generate(module, session, profile, name);
      const publicSide = describeKey(module, session, profile, pair.publicKey, 'public').description;
      const described = describeKey(module, session, profile, pair.privateKey, 'private');
      const publicBytes = publicSide.publicBytes ?? described.description.publicBytes;
      return this.#remember({
        known: { ...described.known, component, publicBytes },
        description: { ...described.description, ...(publicBytes === undefined ? {} : { publicBytes }) },
      });
    });

  readSecrets = ({ ref }: Body<'readSecrets'>): Reply<'readSecrets'> =>
    this.#inSession((session, module) => readableSecrets(module, session, this.#handle(ref, 'C_GetAttributeValue')));

  destroy = ({ ref }: Body<'destroy'>): Reply<'destroy'> =>
    this.#inSession((session, module) => {
      module.destroyObject(session, this.#handle(ref, 'C_DestroyObject'));
      this.#known.delete(ref);
      return true;
    });

  /** Signs the parts in the order given. */
  sign = ({ parts }: Body<'sign'>): Reply<'sign'> =>
    this.#inSession((session, module, token) => parts.map((part) => this.#sign(session, module, token, part)));

  makeWrappedSeed = ({ ed25519, ...name }: Body<'makeWrappedSeed'>): Reply<'makeWrappedSeed'> =>
    this.#inSession((session, module) => {
      const wrappingKey = generateWrappingKey(module, session, name);
      try {
        const { wrapped, ...seed } = makeWrappedSeed(module, session, wrappingKey, ed25519);
        return { ...this.#rememberSeed(seed), wrapped };
      } catch (error) {
        module.destroyObject(session, wrappingKey);
        throw error;
      }
    });

  openWrappedSeed = ({ name, wrapped, kid }: Body<'openWrappedSeed'>): Reply<'openWrappedSeed'> =>
    this.#inSession((session, module, { profile }) => {
      const found = findKeys(module, session, profile, name).filter(
        ({ description }) => description.class === 'secret' && description.keyType === ck.CKK_AES,
      );
      const [wrappingKey, second] = found;
      if (wrappingKey === undefined)
        throw new HostRefusal('key_not_found', 'the token has no AES key of this name, which encrypts the ML-DSA seed');
      if (second !== undefined)
        throw new HostRefusal(
          'key_ambiguous',
          `the token has ${found.length} AES keys of this name, and one of them should encrypt the ML-DSA seed`,
        );
      const seed = openWrappedSeed(module, session, wrappingKey.known.handle, wrapped, kid);
      return this.#rememberSeed(seed);
    });

  /** Every data object of this toolkit with the label; two of them where a change was cut off in the middle. */
  listData = ({ label }: Body<'listData'>): Reply<'listData'> =>
    this.#inSession((session, module) => {
      const handles = module.find(session, dataTemplate(label));
      return handles.map((handle) => {
        const bytes = module.readShown(session, handle, ck.CKA_VALUE);
        return { ref: this.#number({ kind: 'data', handle }), label, bytes };
      });
    });

  /** Makes a data object and reads it back. */
  createData = ({ label, bytes }: Body<'createData'>): Reply<'createData'> =>
    this.#inSession((session, module) => {
      const handle = module.createObject(session, [...dataTemplate(label), [ck.CKA_VALUE, bytes]]);
      if (!equalBytes(module.readShown(session, handle, ck.CKA_VALUE), bytes))
        throw new HostRefusal(
          'signing_failed',
          `the token gave the data object "${label}" back with other bytes than it was given`,
        );
      return { ref: this.#number({ kind: 'data', handle }), label, bytes };
    });

  random = ({ length }: Body<'random'>): Reply<'random'> =>
    this.#inSession((session, module) => module.random(session, length));

  close = (): Reply<'close'> => {
    this.#known.clear();
    this.#pin?.fill(0);
    this.#pin = undefined;
    if (this.#module === undefined) return true;
    if (this.#opened !== undefined && this.#loggedIn) this.#module.logout(this.#opened.first);
    this.#module.finalize(this.#opened?.slotId);
    this.#module = undefined;
    return true;
  };

  #sign(
    session: SessionHandle,
    module: Pkcs11Module,
    { profile, withContext }: OpenedToken,
    { ref, message }: SignPart,
  ): Uint8Array {
    const known = this.#known.get(ref);
    if (known?.kind === 'seed') return signWithSeed(known.seed, message);
    const { handle, component, alwaysAuthenticate, publicBytes } = this.#key(ref);
    const contextLogin = alwaysAuthenticate ? (): void => this.#contextLogin(session) : undefined;
    const signed = (mechanism: Mechanism, bytes: Uint8Array, maxBytes: number): Uint8Array =>
      module.sign(session, { key: handle, mechanism, message: bytes, maxBytes, contextLogin });
    if (component === 'ed25519') return signed(plainMechanism(profile.ed25519.sign), message, ED25519_SIGNATURE_BYTES);
    const { mldsa65 } = profile;
    if (component === undefined || mldsa65 === undefined)
      throw new CallFault('C_SignInit', returnCodeOf('CKR_KEY_TYPE_INCONSISTENT'));
    if (withContext !== undefined) return signed(withContext, message, MLDSA65_SIGNATURE_BYTES);
    if (publicBytes === undefined)
      throw new HostRefusal(
        'configuration_invalid',
        'the token gives no public key of its ML-DSA key, which the mu is computed from',
      );
    const mu = externalMu(publicBytes, message, COMPOSITE_LABEL);
    return signed(plainMechanism(mldsa65.sign), mu, MLDSA65_SIGNATURE_BYTES);
  }

  /**
   * For a key that wants the PIN before each signature: shows one that was accepted in this run, until the first
   * refusal.
   */
  #contextLogin(session: SessionHandle): void {
    const onPad = (this.#loaded().token(this.#token().slotId).flags & ck.CKF_PROTECTED_AUTHENTICATION_PATH) !== 0;
    if (this.#contextRefused || (this.#pin === undefined && !onPad))
      throw new HostRefusal(
        'signing_failed',
        'the key wants the PIN before each signature, and none was accepted in this run',
      );
    try {
      this.#loaded().login(session, ck.CKU_CONTEXT_SPECIFIC, onPad ? undefined : this.#pin);
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

  /** After a failed operation the session is renewed: SoftHSM leaves an operation active after a C_Sign that failed. */
  #inSession<T>(work: (session: SessionHandle, module: Pkcs11Module, token: OpenedToken) => T): T {
    const token = this.#token();
    const module = this.#loaded();
    try {
      return work(token.working, module, token);
    } catch (error) {
      if (token.working !== token.first) token.working = renewed(module, token.slotId, token.working);
      throw error;
    }
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

/** @returns undefined where the token allows only one session */
function secondSession(module: Pkcs11Module, slotId: number): SessionHandle | undefined {
  try {
    return module.openSession(slotId);
  } catch (error) {
    if (error instanceof CallFault && NO_FURTHER_SESSION.includes(error.rv)) return undefined;
    throw error;
  }
}

/** A private object: anybody can make a public one without the PIN. */
function dataTemplate(label: string): Template {
  return [
    [ck.CKA_CLASS, ck.CKO_DATA],
    [ck.CKA_TOKEN, true],
    [ck.CKA_PRIVATE, true],
    [ck.CKA_APPLICATION, APPLICATION],
    [ck.CKA_LABEL, label],
  ];
}

const NO_FURTHER_SESSION: readonly number[] = [
  'CKR_SESSION_COUNT',
  'CKR_TOKEN_RESOURCE_EXCEEDED',
  'CKR_DEVICE_MEMORY',
].map(returnCodeOf);
