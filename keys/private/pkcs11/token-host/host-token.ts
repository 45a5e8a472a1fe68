/** One module with one opened token, in the host: each operation of the protocol is a method of the same name. */
import { randomInt, type KeyObject } from 'node:crypto';
import { equalBytes } from '../../../../formats/bytes.ts';
import { COMPOSITE_LABEL } from '../../../public/composite.ts';
import { ED25519_SIGNATURE_BYTES, MLDSA65_SIGNATURE_BYTES } from '../../../public/provider.ts';
import * as ck from '../shared/constants.ts';
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
import { externalMu, plainMechanism, signWithContext } from './mechanism.ts';
import { Pkcs11Module, type Mechanism, type ObjectHandle, type SessionHandle, type Template } from './module.ts';
import type { TokenProfile } from '../shared/profiles.ts';
import { returnCodeOf } from '../shared/return-codes.ts';
import { TokenSessions } from './sessions.ts';
import { makeWrappedSeed, openWrappedSeed, signWithSeed, type OpenedSeed } from './wrapped-seed.ts';

const OK = 0;
/** CKA_APPLICATION of all data objects of this toolkit. */
export const APPLICATION = 'vtlic';
/** Of objects that exist for a moment only. */
const TOUCH_LABEL = 'vtlic-touch';
const MAX_FIRST_REF = 2 ** 47;

type Body<Name extends OperationName> = HostOperations[Name]['request'];
type Reply<Name extends OperationName> = HostOperations[Name]['reply'];
type Operations = { readonly [Name in OperationName]: (body: Body<Name>) => Reply<Name> };

interface OpenedToken {
  readonly slotId: number;
  readonly profile: TokenProfile;
  readonly sessions: TokenSessions;
  /** Of an ML-DSA signature, where the token takes the context as a parameter. */
  readonly withContext: Mechanism | undefined;
}

type Known =
  | { readonly kind: 'key'; readonly key: KnownKey }
  | { readonly kind: 'seed'; readonly seed: KeyObject }
  /** A data object, or the other half of a generated pair. The client only destroys such an object. */
  | { readonly kind: 'object'; readonly handle: ObjectHandle };

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

  mechanisms = ({ slotId, types }: Body<'mechanisms'>): Reply<'mechanisms'> => this.#loaded().mechanisms(slotId, types);

  token = ({ slotId }: Body<'token'>): Reply<'token'> => this.#loaded().token(slotId);

  open = ({ slotId, profile }: Body<'open'>): Reply<'open'> => {
    const sessions = new TokenSessions(this.#loaded(), slotId, profile);
    const { mldsa65 } = profile;
    const withContext = mldsa65?.context === 'parameter' ? signWithContext(mldsa65.sign, COMPOSITE_LABEL) : undefined;
    this.#opened = { slotId, profile, sessions, withContext };
    return true;
  };

  login = ({ pin }: Body<'login'>): Reply<'login'> => {
    const { first } = this.#token().sessions;
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
    this.#writing((session, module, { profile }) => {
      const generate = component === 'ed25519' ? generateEd25519 : generateMlDsa65;
      const pair = generate(module, session, profile, name);
      const publicSide = describeKey(module, session, profile, pair.publicKey, 'public').description;
      const described = describeKey(module, session, profile, pair.privateKey, 'private');
      const publicBytes = publicSide.publicBytes ?? described.description.publicBytes;
      const key = this.#remember({
        known: { ...described.known, component, publicBytes },
        description: { ...described.description, ...(publicBytes === undefined ? {} : { publicBytes }) },
      });
      return { key, publicRef: this.#number({ kind: 'object', handle: pair.publicKey }) };
    });

  readSecrets = ({ ref }: Body<'readSecrets'>): Reply<'readSecrets'> =>
    this.#inSession((session, module) => readableSecrets(module, session, this.#handle(ref, 'C_GetAttributeValue')));

  destroy = ({ ref }: Body<'destroy'>): Reply<'destroy'> =>
    this.#writing((session, module) => {
      module.destroyObject(session, this.#handle(ref, 'C_DestroyObject'));
      this.#known.delete(ref);
      return true;
    });

  /** Signs the parts in the order given. */
  sign = ({ parts }: Body<'sign'>): Reply<'sign'> =>
    this.#inSession((session, module, token) => parts.map((part) => this.#sign(session, module, token, part)));

  makeWrappedSeed = ({ ed25519, ...name }: Body<'makeWrappedSeed'>): Reply<'makeWrappedSeed'> =>
    this.#writing((session, module) => {
      const wrappingKey = generateWrappingKey(module, session, name);
      try {
        const { wrapped, ...seed } = makeWrappedSeed(module, session, wrappingKey, ed25519);
        const wrappingKeyRef = this.#number({ kind: 'object', handle: wrappingKey });
        return { ...this.#rememberSeed(seed), wrapped, wrappingKeyRef };
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

  /** Every data object of this toolkit, or those with a label: two where a change was cut off in the middle. */
  listData = ({ label }: Body<'listData'>): Reply<'listData'> =>
    this.#inSession((session, module) => {
      return module.find(session, dataTemplate(label)).map((handle) => {
        const bytes = module.readShown(session, handle, ck.CKA_VALUE);
        const shown = label ?? Buffer.from(module.read(session, handle, ck.CKA_LABEL) ?? []).toString('utf8');
        return { ref: this.#number({ kind: 'object', handle }), label: shown, bytes };
      });
    });

  /** Makes a data object and reads it back. */
  createData = ({ label, bytes }: Body<'createData'>): Reply<'createData'> =>
    this.#writing((session, module) => {
      const handle = module.createObject(session, [...dataTemplate(label), [ck.CKA_VALUE, bytes]]);
      if (!equalBytes(module.readShown(session, handle, ck.CKA_VALUE), bytes))
        throw new HostRefusal(
          'signing_failed',
          `the token gave the data object "${label}" back with other bytes than it was given`,
        );
      return { ref: this.#number({ kind: 'object', handle }), label, bytes };
    });

  /** Makes a public data object and destroys it, and those that hosts which were killed have left. */
  touch = (): Reply<'touch'> =>
    this.#writing((session, module) => {
      const template = dataTemplate(TOUCH_LABEL, false);
      module.createObject(session, template);
      for (const handle of module.find(session, template)) {
        try {
          module.destroyObject(session, handle);
        } catch (error) {
          // Another process may have destroyed it meanwhile.
          if (!(error instanceof CallFault)) throw error;
        }
      }
      return true;
    });

  random = ({ length }: Body<'random'>): Reply<'random'> =>
    this.#inSession((session, module) => module.random(session, length));

  close = (): Reply<'close'> => {
    this.#known.clear();
    this.#pin?.fill(0);
    this.#pin = undefined;
    if (this.#module === undefined) return true;
    if (this.#opened !== undefined && this.#loggedIn) this.#module.logout(this.#opened.sessions.first);
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
    const { ed25519, mldsa65 } = profile;
    if (component === 'ed25519' && ed25519 !== undefined)
      return signed(plainMechanism(ed25519.sign), message, ED25519_SIGNATURE_BYTES);
    if (component !== 'mldsa65' || mldsa65 === undefined)
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

  #inSession<T>(work: (session: SessionHandle, module: Pkcs11Module, token: OpenedToken) => T): T {
    const token = this.#token();
    const module = this.#loaded();
    return token.sessions.read((session) => work(session, module, token));
  }

  #writing<T>(work: (session: SessionHandle, module: Pkcs11Module, token: OpenedToken) => T): T {
    const token = this.#token();
    const module = this.#loaded();
    return token.sessions.write((session) => work(session, module, token));
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
    if (known?.kind === 'object') return known.handle;
    if (known?.kind === 'key') return known.key.handle;
    throw new CallFault(call, returnCodeOf('CKR_OBJECT_HANDLE_INVALID'));
  }
}

/** A private object, unless said otherwise: anybody can make a public one without the PIN. */
function dataTemplate(label?: string, isPrivate = true): Template {
  return [
    [ck.CKA_CLASS, ck.CKO_DATA],
    [ck.CKA_TOKEN, true],
    [ck.CKA_PRIVATE, isPrivate],
    [ck.CKA_APPLICATION, APPLICATION],
    ...(label === undefined ? [] : ([[ck.CKA_LABEL, label]] as const)),
  ];
}
